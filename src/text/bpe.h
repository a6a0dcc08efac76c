/* Byte-pair merges by rank (Sennrich et al. 2016, over bytes as in GPT-2), and the table of tokens they build. */
#ifndef RT_TEXT_BPE_H
#define RT_TEXT_BPE_H

#include <stdint.h>

#include "core/mem.h"
#include "text/tokenizer.h"

/* Bytes -> id. Texts live in one block, so that a piece is (offset, length). */
typedef struct rt_token_table {
    rt_buffer bytes;
    size_t *offset; /* [count + 1] */
    int64_t count, capacity;
    size_t longest;   /* bytes of the longest token */
    int32_t *buckets; /* open addressing, -1 = empty */
    uint64_t mask;    /* number of buckets - 1 */
} rt_token_table;
void rt_token_table_free(rt_token_table *table);
/* Appends a token whose id is its place. It is entered for look-up unless an equal text is there or hidden is set. */
retort_status rt_token_table_add(rt_token_table *table, const char *bytes, size_t length, bool hidden,
                                 retort_error *err);
/* -1 if there is none. */
int32_t rt_token_table_find(const rt_token_table *table, const char *bytes, size_t length);
static inline const char *rt_token_table_get(const rt_token_table *table, int64_t id, size_t *length) {
    *length = table->offset[id + 1] - table->offset[id];
    return table->bytes.data + table->offset[id];
}

/* (left id, right id) -> (rank, merged id). */
typedef struct rt_merge {
    int32_t left, right, merged;
    uint32_t rank;
} rt_merge;
typedef struct rt_merges {
    rt_merge *slots; /* left -1 = empty */
    uint64_t mask;
    /* One bit for a hash of each pair: most pairs are not there, and this tells without leaving the fast caches. */
    uint64_t *filter;
    int filter_shift;
} rt_merges;
/* Takes memory for `count` merges. */
retort_status rt_merges_create(rt_merges *merges, int64_t count, retort_error *err);
void rt_merges_free(rt_merges *merges);
/* A pair that is there already takes the new rank, as in the tokenizers package. */
void rt_merges_put(rt_merges *merges, int32_t left, int32_t right, int32_t merged, uint32_t rank);
/* NULL: no such merge. */
const rt_merge *rt_merges_find(const rt_merges *merges, int32_t left, int32_t right);

/* Appends the ids of one word: starts from its symbols (those of its bytes or characters, none negative) and applies,
 * again and again, the merge of lowest rank, leftmost first. O(n log n) in the word's length. */
retort_status rt_bpe_merge(const rt_merges *merges, const int32_t *symbols, size_t count, rt_ids *ids,
                           retort_error *err);

#endif
