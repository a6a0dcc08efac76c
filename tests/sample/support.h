/* A trained tokenizer and a small random model for the tests of src/sample. */
#ifndef TEST_SAMPLE_SUPPORT_H
#define TEST_SAMPLE_SUPPORT_H

#include "core/random.h"
#include "folders.h"
#include "sample/sampler.h"

/* Writes tokenizer files learnt from sentences with numbers and with the words that are banned elsewhere. */
void write_tokenizer(const char *dir);
rt_tokenizer *make_tokenizer(void);
/* Random weights, all tensors alive; a vocabulary `padding` ids larger than the tokenizer's. context positions. */
rt_model make_model(const rt_tokenizer *tokenizer, int64_t padding, int64_t context, uint64_t seed);

/* count random prompts of 1 .. longest tokens; free with drop_prompts. */
rt_prompt *make_prompts(const rt_tokenizer *tokenizer, int64_t count, int64_t longest, uint64_t seed);
void drop_prompts(rt_prompt *prompts, int64_t count);

rt_sampling plain_sampling(int64_t max_new_tokens);

#endif
