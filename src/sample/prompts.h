/* Prompt files: JSONL whose lines have an id and one of
 *   prompt     text, taken as it is behind the tokenizer's BOS (or a list of messages)
 *   messages   [{"role": "user", "content": text}, ...], rendered as text/prompting.h says
 *   problem    text (also: question), likewise
 * The first of these that a line has counts. Lines without an id are called by their number.
 */
#ifndef RT_SAMPLE_PROMPTS_H
#define RT_SAMPLE_PROMPTS_H

#include "core/json.h"
#include "data/problem.h"
#include "sample/sampler.h"
#include "text/prompting.h"

typedef struct rt_prompt_file {
    rt_prompt *prompts; /* [count]; their ids point into `ids` */
    json_t **names;     /* [count] the ids, as the file spells them: strings or integers */
    size_t *lines;      /* [count] */
    int64_t count, capacity, longest;
    rt_ids ids;
    rt_problems problems; /* [count] where every line has a problem, else empty: what responses are graded by */
} rt_prompt_file;

/* Errors name file and line. A prompt that leaves no room for max_new_tokens in the context is RETORT_ERR_USAGE. */
retort_status rt_prompt_file_read(const char *path, const rt_prompting *prompting, const rt_config *config,
                                  int64_t max_new_tokens, rt_prompt_file *out, retort_error *err);
void rt_prompt_file_free(rt_prompt_file *file);

#endif
