/* The search index of the explorer: for every word the responses that have it.
 *
 * A term is a maximal run of letters (A-Z in lower case; every letter beyond ASCII as it is), a maximal run of digits,
 * or one symbol beyond ASCII; ASCII punctuation is no term. Terms are cut behind 48 bytes.
 * assets/report/explorer/query.js cuts a query by the same rule: the two must agree. What an index cannot decide (the
 * order of words, punctuation) the page checks in the texts themselves.
 *
 * Terms are sorted by their bytes and packed into shards of some 256 KiB; a shard, in blocks named search/N, is
 *   repeated: varint length, the term's bytes, varint responses, varint bytes, that many bytes of postings
 * where postings are the varint gaps between ascending response numbers, the first counted from -1. A varint has seven
 * bits a byte, low ones first. The directory lists the first term of each shard. */
#ifndef RT_SEARCH_INDEX_H
#define RT_SEARCH_INDEX_H

#include <jansson.h>

#include "report/strings.h"

typedef struct rt_posting {
    uint8_t *bytes;
    uint32_t length, capacity;
    int32_t last, responses;
} rt_posting;

/* Zero-initialise. */
typedef struct rt_search_index {
    rt_strings terms;
    rt_posting *postings;
    int32_t capacity;
} rt_search_index;

/* Takes the next term of text[*at..length); false at the end. `out` has room for 48 bytes. */
enum { RT_SEARCH_TERM_MAX = 48 };
bool rt_search_term(const char *text, size_t length, size_t *at, char out[RT_SEARCH_TERM_MAX], size_t *out_length);

/* Response numbers must not fall. */
retort_status rt_search_add(rt_search_index *index, int32_t response, const char *text, size_t length,
                            retort_error *err);
/* Writes the shards below `folder` and appends the first term of each to `directory`. */
retort_status rt_search_write(const rt_search_index *index, const char *folder, json_t *directory, retort_error *err);
void rt_search_free(rt_search_index *index);

#endif
