/* Tokenizers inside GGUF files, to and from tokenizer.json and tokenizer_config.json.
 *
 * A GGUF file lists tokens with a type each, merges or scores, special ids, a chat template, and names a pre-tokenizer.
 * From these the two documents are built that a Hugging Face folder would have; the one reader of tokenizer.json then
 * takes them, and `retort model convert` writes the same ones.
 *
 *     byte-level BPE  "tokenizer.ggml.model" gpt2, pre-tokenizers of gguf_pre.h
 *     SentencePiece   "llama" (Llama 2, Mistral): merges are derived from the scores as transformers derives them, with
 *                     byte fallback
 *
 * Anything else is RETORT_ERR_UNSUPPORTED and named.
 */
#ifndef RT_TEXT_GGUF_TOKENIZER_H
#define RT_TEXT_GGUF_TOKENIZER_H

#include "core/gguf.h"
#include "core/json.h"
#include "text/bpe.h"

/* Caller json_decref()s both. */
retort_status rt_gguf_tokenizer(const rt_gguf *file, json_t **tokenizer, json_t **config, retort_error *err);

/* tokenizer_config.json alone, with the special tokens and the chat template. */
retort_status rt_gguf_tokenizer_config(const rt_gguf *file, json_t **config, retort_error *err);

/* Which special ids the file has already, from the model's configuration. */
typedef struct rt_gguf_special {
    bool bos, eos, pad;
} rt_gguf_special;
/* The other way. `vocab_size` ids are written, unused ones as "[PAD<id>]"; more in the tokenizer are RETORT_ERR_FORMAT.
 * `chat` is the chat template or NULL. RETORT_ERR_UNSUPPORTED for a tokenizer that llama.cpp has no name for, or would
 * give other ids. */
retort_status rt_gguf_put_tokenizer(rt_gguf_writer *writer, const json_t *tokenizer, const json_t *config,
                                    const char *chat, int64_t vocab_size, const rt_gguf_special *there,
                                    retort_error *err);

/* ---- model paths ---- */

/* The two documents of a model folder or a GGUF file, parsed; errors name the path. */
retort_status rt_tokenizer_documents(const char *path, json_t **tokenizer, json_t **config, retort_error *err);

/* ---- SentencePiece's scores and BPE's merges ---- */

/* Every way to make a token of two others, best score first (transformers, generate_merges): pairs of ids. normal[id]
 * tells which tokens take part. */
retort_status rt_gguf_merges_of_scores(const rt_token_table *tokens, const bool *normal, const double *scores,
                                       rt_ids *pairs, retort_error *err);
/* Scores that give these merges back: minus the rank of the token among the merged ones. RETORT_ERR_UNSUPPORTED where
 * no scores do: a way to make a token is missing, or a token's merges do not stand together. */
retort_status rt_gguf_scores_of_merges(const rt_token_table *tokens, const bool *normal, const rt_ids *pairs,
                                       float *scores, retort_error *err);

#endif
