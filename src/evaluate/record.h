/* A response as a record of the evaluation and as a line of its output. */
#ifndef RT_EVALUATE_RECORD_H
#define RT_EVALUATE_RECORD_H

#include "analyze/responses.h"
#include "core/json.h"

/* Room for `total` records. */
retort_status rt_records_create(rt_response_set *set, const char *model, int64_t problems, int64_t total,
                                retort_error *err);

/* The text becomes the record's own; grades it. Without ids (NULL) a response's answer has no place in tokens. */
typedef struct rt_answered {
    int64_t problem, sample, tokens;
    rt_finish finish;
    const rt_tokenizer *tokenizer; /* with ids: counts the tokens up to the answer */
    const int32_t *ids;            /* [num_ids] all tokens, those that were put there included */
    int64_t num_ids;
} rt_answered;
retort_status rt_records_add(rt_response_set *set, const rt_answered *answered, const rt_buffer *text,
                             const rt_question *question, rt_grader grader, retort_error *err);

/* Writes a record as a line. Of a response that was cut the token ids are written too (NULL: unknown), so that it can
 * go on; benchmark may be NULL. */
typedef struct rt_line {
    const char *benchmark, *model;
    const rt_problem *problem;
    const rt_record *record;
    const int32_t *ids; /* [record->tokens] */
} rt_line;
retort_status rt_line_write(rt_atomic_file *file, const rt_line *line, retort_error *err);

#endif
