/* Contamination: problems of a training set that are also in an evaluation set, word for word or retold.
 *
 *     retort_contamination_options options = {.problems = "aime_1983_2023.jsonl", .against =
 * "math500.jsonl,aime24.jsonl"}; char *json; retort_contamination(&options, &json, &err);
 *
 * docs/data.md says what counts as an overlap, and what the measure finds on AIME and MATH-500.
 */
#ifndef RETORT_CONTAMINATION_H
#define RETORT_CONTAMINATION_H

#include "retort/options.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retort_contamination_options {
    char *
        problems; /* what a model is trained on: JSONL with problem (or question), and id and answer if there are any */
    char *against; /* comma list of evaluation sets in the same form */
    char *clean;   /* NULL, or a file to write: `problems` without those that overlap, lines unchanged */
} retort_contamination_options;

extern RETORT_API const retort_option retort_contamination_option_table[];

/* Compares and reports as JSON, indented by 2; *out is owned by the caller (free):
 *
 *     {"problems": FILE, "count": N, "contaminated": N,
 *      "sets": [{"file": FILE, "count": N, "overlaps": [
 *          {"id", "problem_id", "share", "shared", "telling", "identical", "same_answer", "passage", "problem",
 *           "evaluation_problem"}]}]}
 *
 * id is the evaluation problem's, problem_id that of the training problem; passage is the longest text that both have;
 * same_answer is null where one has none. */
RETORT_API retort_status retort_contamination(const retort_contamination_options *options, char **out,
                                              retort_error *err);

#ifdef __cplusplus
}
#endif
#endif
