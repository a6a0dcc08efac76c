/* BPE tokenizers in Hugging Face's tokenizer.json form: Qwen, Llama, SmolLM, Mistral, DeepSeek.
 *
 * Encoding: added (special) tokens are cut out first, the rest is normalized, split by the pre-tokenizer's patterns
 * (PCRE2), and each word is merged by rank; the post-processor may put tokens around (Llama 3's <|begin_of_text|>).
 * Ids are those of the tokenizers package, for every text. Decoding is the inverse on bytes.
 */
#ifndef RT_TOKENIZER_H
#define RT_TOKENIZER_H

#include <stdint.h>

#include "core/json.h"
#include "core/mem.h"

typedef struct rt_tokenizer rt_tokenizer;

/* Growable id list; zero-initialise, free with rt_ids_free. */
typedef struct rt_ids {
    int32_t *data;
    int64_t count, capacity;
} rt_ids;
retort_status rt_ids_push(rt_ids *ids, int32_t id, retort_error *err);
retort_status rt_ids_append(rt_ids *ids, const int32_t *more, int64_t count, retort_error *err);
void rt_ids_free(rt_ids *ids);

/* The bytes of the text that a token came from, [begin, end); zero-initialise the list, free with rt_spans_free. */
typedef struct rt_span {
    size_t begin, end;
} rt_span;
typedef struct rt_spans {
    rt_span *data;
    int64_t count, capacity;
} rt_spans;
void rt_spans_free(rt_spans *spans);

/* Reads tokenizer.json and tokenizer_config.json of a model, which rt_model_path (core/hub_cache.h) finds, or the
 * tokenizer inside a GGUF file (gguf_tokenizer.h). A component
 * that is not supported is RETORT_ERR_UNSUPPORTED and named: a tokenizer that is read in part gives other ids than the
 * model was trained on. */
retort_status rt_tokenizer_load(const char *name, rt_tokenizer **out, retort_error *err);
/* The same from parsed documents, for tokenizers that come inside another file; config may be NULL. Borrows both. */
retort_status rt_tokenizer_parse(const json_t *tokenizer, const json_t *config, rt_tokenizer **out, retort_error *err);
void rt_tokenizer_destroy(rt_tokenizer *tokenizer);
/* Thread-safe on a const tokenizer. Appends to *ids. parse_special: text of special tokens becomes their ids. The
 * post-processor's tokens are not added: a rendered chat template spells its own. */
retort_status rt_tokenizer_encode(const rt_tokenizer *tokenizer, const char *text, size_t length, bool parse_special,
                                  rt_ids *ids, retort_error *err);
enum {
    RT_ENCODE_PARSE_SPECIAL = 1, /* text of special tokens becomes their ids */
    RT_ENCODE_POST_PROCESS = 2   /* the tokens that the post-processor puts around a text (BOS, EOS); spans empty */
};
/* The same with a choice of flags and, unless spans is NULL, each token's bytes in the text, appended. Where a
 * normalizer changed the text, a span covers all the bytes that went into the token's characters. */
retort_status rt_tokenizer_encode_spans(const rt_tokenizer *tokenizer, const char *text, size_t length, int flags,
                                        rt_ids *ids, rt_spans *spans, retort_error *err);
/* Appends bytes to *out (may be invalid UTF-8 where tokens split a character). skip_special leaves special tokens out.
 * Tokenizers that put a space before a text (Llama 2) take one off here. An id outside the vocabulary is
 * RETORT_ERR_FORMAT. */
retort_status rt_tokenizer_decode(const rt_tokenizer *tokenizer, const int32_t *ids, int64_t count, bool skip_special,
                                  rt_buffer *out, retort_error *err);
/* The same as text: bytes that are no UTF-8 become U+FFFD, as many as the tokenizers package puts there. */
retort_status rt_tokenizer_decode_text(const rt_tokenizer *tokenizer, const int32_t *ids, int64_t count,
                                       bool skip_special, rt_buffer *out, retort_error *err);

/* Decoding token by token, for text that is shown while it is sampled: what comes out is always whole characters, and
 * all of it together is what decode_text gives (except that after broken bytes of a byte fallback, where the package
 * would take back what was shown, valid characters stay). Zero-initialise; nothing to free. */
typedef struct rt_decode_stream {
    char held[4]; /* the beginning of a character whose end is still to come */
    int32_t num_held;
    int32_t stripped; /* characters taken off the start so far */
    bool started, past_start;
} rt_decode_stream;
/* Appends the characters that this token completes (often none). */
retort_status rt_decode_stream_push(rt_decode_stream *stream, const rt_tokenizer *tokenizer, int32_t id,
                                    bool skip_special, rt_buffer *out, retort_error *err);
/* At the end: a character that never came whole becomes U+FFFD. The stream is as new after it. */
retort_status rt_decode_stream_finish(rt_decode_stream *stream, rt_buffer *out, retort_error *err);

int64_t rt_tokenizer_vocab_size(const rt_tokenizer *tokenizer);
/* The bytes a token stands for in the middle of a text (added tokens: their text); borrowed. NULL for an unused id. */
const char *rt_tokenizer_piece(const rt_tokenizer *tokenizer, int32_t id, size_t *length);
bool rt_tokenizer_is_special(const rt_tokenizer *tokenizer, int32_t id);
/* -1 if the exact token text is not in the vocabulary. */
int32_t rt_tokenizer_find(const rt_tokenizer *tokenizer, const char *text);
int32_t rt_tokenizer_eos(const rt_tokenizer *tokenizer); /* -1: none, as the next */
int32_t rt_tokenizer_bos(const rt_tokenizer *tokenizer);
bool rt_tokenizer_has_prompt_template(const rt_tokenizer *tokenizer);
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

/* Copies tokenizer.json, tokenizer_config.json and, where they are there, chat_template.jinja and
 * special_tokens_map.json (bytes unchanged) to another model folder. Of a GGUF file it writes the first two, as they
 * are made from it. */
retort_status rt_tokenizer_copy_files(const char *from, const char *to_dir, retort_error *err);

#endif
