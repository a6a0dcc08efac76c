/* Words met before and their ids: texts repeat their words, and a look-up here is one cache line.
 *
 * A table of fixed size in which a new word takes the place of an old one, so that memory is bounded. What is found is
 * what was put in for the same bytes: the cache can change no id, only the time.
 */
#ifndef RT_TEXT_WORDCACHE_H
#define RT_TEXT_WORDCACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mem.h"

enum { RT_WORD_MAX = 32, RT_WORD_IDS = 7 };

/* One line of the cache. A word's bytes are the four parts, which with the length lose nothing. */
typedef struct rt_word_entry {
    uint64_t part[4];
    uint16_t length; /* 0: empty */
    uint16_t count;
    int32_t ids[RT_WORD_IDS];
} rt_word_entry;

typedef struct rt_word_cache {
    rt_word_entry *entries; /* zero-initialised: no cache */
} rt_word_cache;
retort_status rt_word_cache_create(rt_word_cache *cache, retort_error *err);
void rt_word_cache_free(rt_word_cache *cache);

/* The line of a word of 1 to RT_WORD_MAX bytes. *found: it holds the word's ids; otherwise it has been given to the
 * word, with count 0, and the caller calls rt_word_cache_fill or rt_word_cache_forget. */
rt_word_entry *rt_word_cache_find(const rt_word_cache *cache, const char *word, size_t length, bool *found);
/* More than RT_WORD_IDS ids are not kept. */
void rt_word_cache_fill(rt_word_entry *entry, const int32_t *ids, int64_t count);
void rt_word_cache_forget(rt_word_entry *entry);

#endif
