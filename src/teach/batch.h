/* Batch files as OpenAI's batch API, vLLM's run-batch and others read and write them: one request, one result a line. A
 * question's custom_id is the key of its reply. */
#ifndef RT_TEACH_BATCH_H
#define RT_TEACH_BATCH_H

#include "store/store.h"
#include "teach/findings.h"
#include "teach/questions.h"

/* The requests that the store has no reply to, to the options' batch_requests. */
retort_status rt_batch_write(const rt_questions *questions, rt_store *store, retort_teach_account *account,
                             retort_error *err);

/* The results in the options' batch_results, into the store. A result with an error, of no question of this run, or to
 * a question that is answered, is counted and changes nothing; a line that is no result is an error. */
retort_status rt_batch_read(const rt_questions *questions, rt_store *store, retort_teach_account *account,
                            rt_findings *findings, retort_error *err);

#endif
