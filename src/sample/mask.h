/* Sets of token ids as bits: id is bit id % 64 of word id / 64. */
#ifndef RT_SAMPLE_MASK_H
#define RT_SAMPLE_MASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline int64_t rt_mask_words(int64_t vocab) {
    return (vocab + 63) / 64;
}

/* False for NULL, the empty set. */
static inline bool rt_mask_has(const uint64_t *mask, int64_t id) {
    return mask != NULL && (mask[id / 64] >> id % 64 & 1) != 0;
}

/* The lowest id from `from` on; vocab where there is none. */
static inline int64_t rt_mask_next(const uint64_t *mask, int64_t vocab, int64_t from) {
    for (int64_t w = from / 64; w * 64 < vocab; w++) {
        const uint64_t left = w == from / 64 ? mask[w] >> from % 64 << from % 64 : mask[w];
        if (left == 0) continue;
        const int64_t id = w * 64 + __builtin_ctzll(left);
        return id < vocab ? id : vocab;
    }
    return vocab;
}

#endif
