/* Examples shown as the trainer sees them: text in runs that are read or trained on, ids, and the lengths of all. */
#ifndef RT_INSPECT_H
#define RT_INSPECT_H

#include "train/dataset.h"

/* Appends the first `examples` examples and the histogram of all. */
retort_status rt_inspect_text(const rt_tokenizer *tokenizer, const rt_dataset *data, int64_t examples, bool colour,
                              rt_buffer *out, retort_error *err);
/* {"examples": [{"line", "tokens", "trained", "input_ids", "labels", "pieces", "text"}], "lengths": {...}} and a
 * newline. Labels are the ids, -100 where nothing is trained on. */
retort_status rt_inspect_json(const rt_tokenizer *tokenizer, const rt_dataset *data, int64_t examples, rt_buffer *out,
                              retort_error *err);

#endif
