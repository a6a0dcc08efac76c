/* Byte-level BPE tokenizers in Hugging Face's tokenizer.json form.
 *
 * Encoding: added (special) tokens are cut out first, the rest is split by the pre-tokenizer's regexes (PCRE2), bytes
 * are mapped to GPT-2's printable alphabet, merges are applied by rank. Decoding is the inverse on bytes.
 */
#ifndef RT_TOKENIZER_H
#define RT_TOKENIZER_H

#include <stdint.h>

#include "core/mem.h"

typedef struct rt_tokenizer rt_tokenizer;

/* Growable id list; zero-initialise, free with rt_ids_free. */
typedef struct rt_ids {
    int32_t *data;
    int64_t count, capacity;
} rt_ids;
retort_status rt_ids_push(rt_ids *ids, int32_t id, retort_error *err);
void rt_ids_free(rt_ids *ids);

/* Reads dir/tokenizer.json and dir/tokenizer_config.json. */
retort_status rt_tokenizer_load(const char *dir, rt_tokenizer **out, retort_error *err);
void rt_tokenizer_destroy(rt_tokenizer *tokenizer);
/* Thread-safe on a const tokenizer. Appends to *ids. parse_special: text of special tokens becomes their ids. */
retort_status rt_tokenizer_encode(const rt_tokenizer *tokenizer, const char *text, size_t length, bool parse_special,
                                  rt_ids *ids, retort_error *err);
/* Appends bytes to *out (may be invalid UTF-8 where tokens split a character). skip_special leaves special tokens out.
 * An id outside the vocabulary is RETORT_ERR_FORMAT. */
retort_status rt_tokenizer_decode(const rt_tokenizer *tokenizer, const int32_t *ids, int64_t count, bool skip_special,
                                  rt_buffer *out, retort_error *err);
int64_t rt_tokenizer_vocab_size(const rt_tokenizer *tokenizer);
/* The raw bytes a token stands for (special tokens: their text); borrowed. NULL for an unused id. */
const char *rt_tokenizer_piece(const rt_tokenizer *tokenizer, int32_t id, size_t *length);
bool rt_tokenizer_is_special(const rt_tokenizer *tokenizer, int32_t id);
/* -1 if the exact token text is not in the vocabulary. */
int32_t rt_tokenizer_find(const rt_tokenizer *tokenizer, const char *text);
int32_t rt_tokenizer_eos(const rt_tokenizer *tokenizer);
/* The prompt a problem text becomes: tokenizer_config.json's "retort_prompt_template" with {problem} replaced. */
retort_status rt_tokenizer_render_problem(const rt_tokenizer *tokenizer, const char *problem, rt_buffer *out,
                                          retort_error *err);

/* Trains byte-level BPE on texts (word counts; ties broken by smaller ids, so deterministic) and writes tokenizer.json,
 * tokenizer_config.json into dir, loadable by transformers. The pre-tokenizer is GPT-2's; special: "<|endoftext|>". */
typedef struct rt_bpe_trainer rt_bpe_trainer;
retort_status rt_bpe_trainer_create(rt_bpe_trainer **out, retort_error *err);
retort_status rt_bpe_trainer_add(rt_bpe_trainer *trainer, const char *text, size_t length, retort_error *err);
retort_status rt_bpe_trainer_write(rt_bpe_trainer *trainer, int64_t vocab_size, const char *prompt_template,
                                   const char *dir, retort_error *err);
/* The context length to note in tokenizer_config.json ("model_max_length"); without it none is written. */
void rt_bpe_trainer_set_max_length(rt_bpe_trainer *trainer, int64_t model_max_length);
void rt_bpe_trainer_destroy(rt_bpe_trainer *trainer);

/* Copies tokenizer.json, tokenizer_config.json (bytes unchanged) to another model folder. */
retort_status rt_tokenizer_copy_files(const char *from_dir, const char *to_dir, retort_error *err);

#endif
