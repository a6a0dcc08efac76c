#include "sample/pieces.h"

#include <stdlib.h>
#include <string.h>

static int by_bytes(const void *a, const void *b) {
    const rt_piece_bytes *x = a, *y = b;
    const size_t least = x->length < y->length ? x->length : y->length;
    const int order = memcmp(x->bytes, y->bytes, least);
    if (order != 0) return order;
    if (x->length != y->length) return x->length < y->length ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static size_t shared_bytes(const rt_piece_bytes *a, const rt_piece_bytes *b) {
    size_t n = 0;
    while (n < a->length && n < b->length && a->bytes[n] == b->bytes[n]) n++;
    return n;
}

static void lay_out(rt_pieces *pieces, const rt_piece_bytes *entries) {
    uint8_t *to = pieces->rest;
    for (int64_t i = 0; i < pieces->count; i++) {
        const rt_piece_bytes *x = &entries[i];
        const size_t shared = i > 0 ? shared_bytes(x - 1, x) : 0;
        pieces->items[i] = (rt_piece){x->id, (int32_t)shared, (int32_t)x->length};
        if ((int32_t)x->length > pieces->longest) pieces->longest = (int32_t)x->length;
        memcpy(to, x->bytes + shared, x->length - shared);
        to += x->length - shared;
    }
}

retort_status rt_pieces_build(rt_piece_bytes *list, int64_t count, int64_t vocab, rt_pieces **out, retort_error *err) {
    size_t rest = 0;
    rt_pieces *pieces = rt_calloc(1, sizeof *pieces);
    if (count > 0) qsort(list, (size_t)count, sizeof *list, by_bytes);
    for (int64_t i = 0; i < count; i++) rest += list[i].length - (i > 0 ? shared_bytes(&list[i - 1], &list[i]) : 0);
    if (pieces != NULL) {
        pieces->vocab = vocab;
        pieces->count = count;
        pieces->items = rt_malloc_array((size_t)count, sizeof *pieces->items);
        pieces->rest = rt_malloc(rest);
    }
    if (pieces == NULL || pieces->items == NULL || pieces->rest == NULL) {
        rt_pieces_destroy(pieces);
        return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: the bytes of %lld tokens", (long long)vocab);
    }
    lay_out(pieces, list);
    *out = pieces;
    return RETORT_OK;
}

retort_status rt_pieces_create(const rt_tokenizer *tokenizer, rt_pieces **out, retort_error *err) {
    const int64_t vocab = rt_tokenizer_vocab_size(tokenizer);
    int64_t count = 0;
    rt_piece_bytes *list = rt_malloc_array((size_t)vocab, sizeof *list);
    RT_CHECK(list != NULL, err, RETORT_ERR_MEMORY, "out of memory: the bytes of %lld tokens", (long long)vocab);
    for (int32_t id = 0; id < vocab; id++) {
        size_t length = 0;
        const char *bytes = rt_tokenizer_piece(tokenizer, id, &length);
        if (bytes == NULL || length == 0 || length > INT32_MAX || rt_tokenizer_is_special(tokenizer, id)) continue;
        list[count++] = (rt_piece_bytes){bytes, length, id};
    }
    const retort_status st = rt_pieces_build(list, count, vocab, out, err);
    rt_free(list);
    return st;
}

void rt_pieces_destroy(rt_pieces *pieces) {
    if (pieces == NULL) return;
    rt_free(pieces->items);
    rt_free(pieces->rest);
    rt_free(pieces);
}
