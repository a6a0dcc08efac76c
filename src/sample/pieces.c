#include "sample/pieces.h"

#include <stdlib.h>
#include <string.h>

typedef struct entry { /* a piece while it is sorted */
    const char *bytes;
    size_t length;
    int32_t id;
} entry;

static int by_bytes(const void *a, const void *b) {
    const entry *x = a, *y = b;
    const size_t least = x->length < y->length ? x->length : y->length;
    const int order = memcmp(x->bytes, y->bytes, least);
    if (order != 0) return order;
    if (x->length != y->length) return x->length < y->length ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static size_t shared_bytes(const entry *a, const entry *b) {
    size_t n = 0;
    while (n < a->length && n < b->length && a->bytes[n] == b->bytes[n]) n++;
    return n;
}

/* The tokens that stand for text, sorted; *rest gets the bytes that are left when shared beginnings are taken off. */
static int64_t list_entries(const rt_tokenizer *tokenizer, entry *out, size_t *rest) {
    const int64_t vocab = rt_tokenizer_vocab_size(tokenizer);
    int64_t count = 0;
    for (int32_t id = 0; id < vocab; id++) {
        size_t length = 0;
        const char *bytes = rt_tokenizer_piece(tokenizer, id, &length);
        if (bytes == NULL || length == 0 || length > INT32_MAX || rt_tokenizer_is_special(tokenizer, id)) continue;
        out[count++] = (entry){bytes, length, id};
    }
    if (count > 0) qsort(out, (size_t)count, sizeof *out, by_bytes);
    *rest = 0;
    for (int64_t i = 0; i < count; i++) *rest += out[i].length - (i > 0 ? shared_bytes(&out[i - 1], &out[i]) : 0);
    return count;
}

static void lay_out(rt_pieces *pieces, const entry *entries) {
    uint8_t *to = pieces->rest;
    for (int64_t i = 0; i < pieces->count; i++) {
        const entry *x = &entries[i];
        const size_t shared = i > 0 ? shared_bytes(x - 1, x) : 0;
        pieces->items[i] = (rt_piece){x->id, (int32_t)shared, (int32_t)x->length};
        if ((int32_t)x->length > pieces->longest) pieces->longest = (int32_t)x->length;
        memcpy(to, x->bytes + shared, x->length - shared);
        to += x->length - shared;
    }
}

retort_status rt_pieces_create(const rt_tokenizer *tokenizer, rt_pieces **out, retort_error *err) {
    const int64_t vocab = rt_tokenizer_vocab_size(tokenizer);
    size_t rest = 0;
    rt_pieces *pieces = rt_calloc(1, sizeof *pieces);
    entry *entries = rt_malloc_array((size_t)vocab, sizeof *entries);
    bool good = pieces != NULL && entries != NULL;
    if (good) {
        pieces->vocab = vocab;
        pieces->count = list_entries(tokenizer, entries, &rest);
        pieces->items = rt_malloc_array((size_t)pieces->count, sizeof *pieces->items);
        pieces->rest = rt_malloc(rest);
        good = pieces->items != NULL && pieces->rest != NULL;
    }
    if (good) lay_out(pieces, entries);
    rt_free(entries);
    if (!good) {
        rt_pieces_destroy(pieces);
        return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: the bytes of %lld tokens", (long long)vocab);
    }
    *out = pieces;
    return RETORT_OK;
}

void rt_pieces_destroy(rt_pieces *pieces) {
    if (pieces == NULL) return;
    rt_free(pieces->items);
    rt_free(pieces->rest);
    rt_free(pieces);
}
