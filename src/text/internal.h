/* The tokenizer's inside, shared by the readers (load.c, stages.c, vocabulary.c) and the coders (encode.c, decode.c).
 */
#ifndef RT_TEXT_INTERNAL_H
#define RT_TEXT_INTERNAL_H

#include "core/json.h"
#include "text/added.h"
#include "text/bpe.h"
#include "text/decoder.h"
#include "text/junction.h"
#include "text/split.h"
#include "text/tokenizer.h"
#include "text/transform.h"
#include "text/workspace.h"

enum {
    RT_TOKEN_ADDED = 1,   /* cut out of the text before the pre-tokenizer */
    RT_TOKEN_SPECIAL = 2, /* added, and left out of decoded text on request */
    RT_TOKEN_WHOLE = 4,   /* a word equal to this token's text encodes to it alone */
    RT_TOKEN_BYTE = 8     /* "<0x41>" of a byte fallback: stands for one byte */
};

enum { RT_CHAR_IDS = 0x10000 };

struct rt_tokenizer {
    /* ByteLevel: words are bytes, and a token is the bytes that its spelling stands for. Otherwise words are
     * characters, tokens are texts, and what a text lacks is spelt in bytes ("<0x41>") or is the unknown token. */
    bool byte_level;
    rt_token_table tokens; /* what words are made of; added tokens are hidden from look-up */
    rt_token_table pieces; /* what ids decode to, where that is not the same (not byte_level) */
    uint8_t *flags;        /* [tokens.count] */
    rt_merges merges;
    int32_t byte_id[256]; /* the id of a byte, -1: none */
    int32_t unk;          /* -1: none */
    bool fuse_unk, ignore_merges;
    /* Not byte_level: the tokens of single characters below U+10000 (-1: none), and where a text may be cut. */
    int32_t *char_id;
    rt_junctions junctions;

    rt_added_token *added;
    int32_t num_added;
    rt_added_set raw, normalized; /* tokens that see the text as it is, and after the normalizer */

    rt_transforms normalizer, pre_transforms;
    rt_splitter *splitter;
    rt_ids prefix, suffix; /* what the post-processor puts around one text */
    rt_decoder decoder;
    rt_workspaces *workspaces;

    int32_t eos, bos;      /* -1: none */
    char *prompt_template; /* NULL: none */
};

/* stages.c: normalizer, pre-tokenizer, post-processor, decoder. The last two need the vocabulary. */
retort_status rt_read_stages(rt_tokenizer *t, const json_t *root, retort_error *err);
retort_status rt_read_post_processor(rt_tokenizer *t, const json_t *root, retort_error *err);
/* vocabulary.c: model and added tokens; after rt_read_stages. */
retort_status rt_read_vocabulary(rt_tokenizer *t, const json_t *root, retort_error *err);

/* Missing, null, false or "". */
bool rt_json_is_off(const json_t *value);
/* The member must be off: what it asks for is not supported. */
retort_status rt_json_expect_off(const json_t *object, const char *where, const char *key, retort_error *err);
/* A member that is true, false or missing (then `otherwise`). */
retort_status rt_json_flag(const json_t *object, const char *where, const char *key, bool otherwise, bool *out,
                           retort_error *err);
/* A member that is a text without NUL; NULL with an error otherwise. */
retort_status rt_json_plain_text(const json_t *object, const char *where, const char *key, const char **out,
                                 retort_error *err);

/* encode.c: the ids of one word. Used by the reader to find out which words are single tokens. */
retort_status rt_encode_word(const rt_tokenizer *t, const char *word, size_t length, rt_ids *symbols, rt_ids *ids,
                             retort_error *err);

#endif
