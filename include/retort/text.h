/* Tokenizers and chat templates of model directories: what a model sees of a text.
 *
 *     retort_tokenize_options options;
 *     retort_options_defaults(retort_tokenize_option_table, &options, &err);
 *     retort_options_set(retort_tokenize_option_table, &options, "model", "Qwen3-0.6B", &err);
 *     retort_tokenize(&options, "hello", 5, true, &out, &length, &err);       // {"ids":[14990]}
 *     free(out);
 *
 * Ids are those of Hugging Face's tokenizers package, rendered texts those of transformers' apply_chat_template.
 */
#ifndef RETORT_TEXT_H
#define RETORT_TEXT_H

#include <stddef.h>

#include "retort/options.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retort_tokenize_options {
    char *model; /* directory with tokenizer.json and tokenizer_config.json */
    char *file;  /* for the program: where the input is; not read here */
    bool decode; /* the input is ids, the result text */
    /* Encoding: with the tokens that the tokenizer puts around a text (BOS). Decoding: special tokens are written. */
    bool special_tokens;
} retort_tokenize_options;
extern RETORT_API const retort_option retort_tokenize_option_table[];

/* Encodes a text, or decodes ids (a JSON list, an object with the list "ids", or numbers with spaces or commas
 * between).
 *
 * *out is owned by the caller (free), *length its bytes; a NUL stands behind them. As JSON: {"ids":[...]}, or
 * {"text":"..."} when decoding. Otherwise a line a token (id, begin-end of its bytes in the input, its piece as a JSON
 * text), or the decoded text itself, in which bytes that are no UTF-8 are U+FFFD. Errors: RETORT_ERR_NOT_FOUND without
 * a tokenizer, RETORT_ERR_UNSUPPORTED for a tokenizer with a component that is not implemented (named),
 * RETORT_ERR_FORMAT for ids that are none. */
RETORT_API retort_status retort_tokenize(const retort_tokenize_options *options, const char *input, size_t input_length,
                                         bool json, char **out, size_t *length, retort_error *err);

typedef struct retort_template_options {
    char *model;                /* directory with chat_template.jinja or tokenizer_config.json */
    char *messages;             /* JSON: a list of messages, or an object with "messages" and further variables */
    bool add_generation_prompt; /* end with the beginning of an assistant's turn */
} retort_template_options;
extern RETORT_API const retort_option retort_template_option_table[];

/* Renders messages with the model's chat template. *out as above; as JSON: {"text":"..."}. Where the template asks for
 * the date (strftime_now) it gets the present one, or that of the environment's SOURCE_DATE_EPOCH (seconds). A
 * template's raise_exception is RETORT_ERR_USAGE, a construct that is not implemented RETORT_ERR_UNSUPPORTED; both with
 * the line. */
RETORT_API retort_status retort_template(const retort_template_options *options, bool json, char **out, size_t *length,
                                         retort_error *err);

#ifdef __cplusplus
}
#endif
#endif
