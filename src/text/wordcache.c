#include "text/wordcache.h"

#include <assert.h>
#include <string.h>

/* 8,192 lines are half a megabyte: the words of a text, and the second-level cache of a processor. */
enum { BITS = 13 };

static_assert(sizeof(rt_word_entry) == 64, "an entry is one cache line");

retort_status rt_word_cache_create(rt_word_cache *cache, retort_error *err) {
    cache->entries = rt_aligned_alloc((size_t)1 << BITS, sizeof *cache->entries);
    RT_CHECK(cache->entries != NULL, err, RETORT_ERR_MEMORY, "out of memory: cache of words");
    return RETORT_OK;
}

void rt_word_cache_free(rt_word_cache *cache) {
    rt_free(cache->entries);
    cache->entries = NULL;
}

static inline uint64_t load8(const char *at) {
    uint64_t eight;
    memcpy(&eight, at, sizeof eight);
    return eight;
}

static inline uint64_t load4(const char *at) {
    uint32_t four;
    memcpy(&four, at, sizeof four);
    return four;
}

/* The first bytes and the last ones, which overlap unless the length is 8, 16 or 32: no loop, no byte outside the word.
 */
static inline void key_of(const char *word, size_t length, uint64_t part[4]) {
    part[1] = part[2] = part[3] = 0;
    if (length > 16) {
        part[0] = load8(word);
        part[1] = load8(word + 8);
        part[2] = load8(word + length - 16);
        part[3] = load8(word + length - 8);
    } else if (length >= 8) {
        part[0] = load8(word);
        part[1] = load8(word + length - 8);
    } else if (length >= 4) {
        part[0] = load4(word) | load4(word + length - 4) << 32;
    } else {
        const uint8_t *s = (const uint8_t *)word;
        part[0] = s[0] | (uint32_t)s[length / 2] << 8 | (uint32_t)s[length - 1] << 16;
    }
}

static inline size_t place_of(const uint64_t part[4], size_t length) {
    uint64_t h = (part[0] ^ length) * 0x9E3779B97F4A7C15u;
    h = (h ^ h >> 32 ^ part[1]) * 0xD6E8FEB86659FD93u;
    if ((part[2] | part[3]) != 0) h = ((h ^ h >> 32 ^ part[2]) * 0x9E3779B97F4A7C15u) ^ part[3] * 0xD6E8FEB86659FD93u;
    h = (h ^ h >> 29) * 0x9E3779B97F4A7C15u;
    return (size_t)(h >> (64 - BITS));
}

rt_word_entry *rt_word_cache_find(const rt_word_cache *cache, const char *word, size_t length, bool *found) {
    uint64_t part[4];
    key_of(word, length, part);
    rt_word_entry *e = &cache->entries[place_of(part, length)];
    *found = e->length == length && e->part[0] == part[0] && e->part[1] == part[1] && e->part[2] == part[2] &&
             e->part[3] == part[3];
    if (!*found) {
        memcpy(e->part, part, sizeof part);
        e->length = (uint16_t)length;
        e->count = 0;
    }
    return e;
}

void rt_word_cache_fill(rt_word_entry *entry, const int32_t *ids, int64_t count) {
    if (count > RT_WORD_IDS) {
        rt_word_cache_forget(entry);
        return;
    }
    entry->count = (uint16_t)count;
    if (count > 0) memcpy(entry->ids, ids, (size_t)count * sizeof *ids);
}

void rt_word_cache_forget(rt_word_entry *entry) {
    entry->length = 0;
}
