/* The bytes of all tokens of a vocabulary, laid out so that an automaton reads each shared beginning once.
 *
 * Tokens that stand for text (neither special nor empty) are sorted by their bytes; each keeps how many bytes it shares
 * with the one before and only the rest, which is a tree of all pieces written depth first. Walking all of Qwen's
 * 151,000 tokens looks at about 400,000 bytes.
 */
#ifndef RT_SAMPLE_PIECES_H
#define RT_SAMPLE_PIECES_H

#include "text/tokenizer.h"

typedef struct rt_piece {
    int32_t id;
    int32_t shared, length; /* bytes shared with the piece before; bytes in all */
} rt_piece;

typedef struct rt_pieces {
    int64_t vocab;   /* ids of the tokenizer, with and without text */
    rt_piece *items; /* [count] in the order of their bytes, of equals by id */
    int64_t count;
    uint8_t *rest;   /* the bytes behind the shared ones, one piece after the other */
    int32_t longest; /* bytes */
} rt_pieces;

/* A token that stands for text, while pieces are made. */
typedef struct rt_piece_bytes {
    const char *bytes; /* [length], length at least 1 */
    size_t length;
    int32_t id; /* 0 to vocab - 1 */
} rt_piece_bytes;
/* Sorts `list` in place; keeps nothing of it. */
retort_status rt_pieces_build(rt_piece_bytes *list, int64_t count, int64_t vocab, rt_pieces **out, retort_error *err);
/* All tokens of a tokenizer, which is not kept. */
retort_status rt_pieces_create(const rt_tokenizer *tokenizer, rt_pieces **out, retort_error *err);
void rt_pieces_destroy(rt_pieces *pieces);

#endif
