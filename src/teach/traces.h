/* From replies in the store to traces that a student learns from. */
#ifndef RT_TEACH_TRACES_H
#define RT_TEACH_TRACES_H

#include "store/store.h"
#include "teach/questions.h"

/* Writes one trace a reply, by problem and sample, to the options' output: {"id", "problem", "response", "teacher",
 * "verdict", "sample", "finish_reason"}; counts them in *account. Every question must have its reply in the store. */
retort_status rt_traces_write(const rt_questions *questions, rt_store *store, retort_teach_account *account,
                              retort_error *err);

#endif
