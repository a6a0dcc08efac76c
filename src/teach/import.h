/* Traces that somebody else has made: JSONL lines, matched to the problems of this run. */
#ifndef RT_TEACH_IMPORT_H
#define RT_TEACH_IMPORT_H

#include "teach/findings.h"
#include "teach/traces.h"

/* Reads the options' import_traces into the store and lists what it took, by problem and then in the files' order, at
 * most n of a problem; list->problems must be set, its entries are the caller's to rt_free.
 *
 * A line has `problem` (or question, prompt, or messages) and `response` (or solution, completion, generation, text, or
 * messages); `id` (problem_id), `reasoning` (reasoning_content), `teacher` (model) and `finish_reason` if it likes. It
 * belongs to the problem with the same text but for white space; the id decides only where the line has no problem, or
 * where two problems have one text. What belongs to no problem is counted and listed; a line without a response is an
 * error. */
retort_status rt_import_traces(const retort_teach_options *options, int64_t problems, rt_store *store,
                               rt_trace_list *list, retort_teach_account *account, rt_findings *findings,
                               retort_error *err);

#endif
