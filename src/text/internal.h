/* The tokenizer's inside, shared by the reader (load.c) and the coder (tokenizer.c). */
#ifndef RT_TEXT_INTERNAL_H
#define RT_TEXT_INTERNAL_H

#include "text/bpe.h"
#include "text/split.h"
#include "text/tokenizer.h"

enum {
    RT_TOKEN_ADDED = 1,   /* cut out of the text before the pre-tokenizer */
    RT_TOKEN_SPECIAL = 2, /* added, and left out of decoded text on request */
    RT_TOKEN_WHOLE = 4    /* a word equal to this token's bytes encodes to it alone */
};

typedef struct rt_added_token {
    char *text;
    size_t length;
    int32_t id;
    int32_t next; /* the next added token with the same first byte, longer ones first; -1: last */
    bool special, normalized;
} rt_added_token;

struct rt_tokenizer {
    rt_token_table tokens; /* raw bytes of every id; added tokens are hidden from look-up */
    uint8_t *flags;        /* [tokens.count] */
    rt_merges merges;
    int32_t byte_id[256];
    rt_added_token *added;
    int32_t num_added;
    int32_t added_by_first[256]; /* head of the list of added tokens that begin with a byte, -1: none */
    rt_splitter *splitter;
    bool nfc;
    int32_t eos;
    char *prompt_template; /* NULL: none */
};

#endif
