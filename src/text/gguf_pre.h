/* The pre-tokenizers that GGUF files name ("tokenizer.ggml.pre") and what tokenizer.json has in their place.
 *
 * llama.cpp knows a pre-tokenizer by a name only; what the name means is in its source. One table gives the meaning for
 * the families read here, in both directions: a name that is not in it is an error, and so is a tokenizer.json whose
 * stages are not those of a row.
 */
#ifndef RT_TEXT_GGUF_PRE_H
#define RT_TEXT_GGUF_PRE_H

#include "core/json.h"

typedef struct rt_gguf_pre {
    const char *name;
    bool nfc;            /* normalizer NFC (which llama.cpp leaves out) */
    bool digits;         /* every digit is a word */
    const char *pattern; /* Split before ByteLevel; NULL: GPT-2's, which is ByteLevel's own */
    bool ignore_merges;
    bool add_bos; /* where the file does not say */
} rt_gguf_pre;

/* NULL for an unknown name. */
const rt_gguf_pre *rt_gguf_pre_find(const char *name);
/* The row that a tokenizer.json of byte-level BPE amounts to; NULL for none. */
const rt_gguf_pre *rt_gguf_pre_match(const json_t *tokenizer);
/* tokenizer.json's "normalizer" and "pre_tokenizer"; fresh, NULL when out of memory. */
json_t *rt_gguf_pre_normalizer(const rt_gguf_pre *pre);
json_t *rt_gguf_pre_tokenizer(const rt_gguf_pre *pre);
/* {"type": "ByteLevel", ...}, also the decoder and the post-processor of these tokenizers. */
json_t *rt_gguf_byte_level(bool use_regex);

#endif
