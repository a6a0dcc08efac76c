/* How often each term occurs, for what is distinctive between two groups of responses.
 *
 * Terms of text: words ([A-Za-z']+ in lower case), LaTeX commands, <number> for every run of digits, every other ASCII
 * sign by itself, and each run of other characters. A vocabulary holds up to a million different terms; later ones are
 * counted together as left out, so memory is bounded whatever the text holds.
 */
#ifndef RT_ANALYZE_VOCABULARY_H
#define RT_ANALYZE_VOCABULARY_H

#include "core/json.h"

enum { RT_VOCABULARY_MAX = 1 << 20, RT_VOCABULARY_TERM_MAX = 48 };

typedef struct rt_vocabulary_entry {
    uint32_t offset, length; /* in the bytes */
    int64_t count;
} rt_vocabulary_entry;

/* Zero-initialise. */
typedef struct rt_vocabulary {
    rt_vocabulary_entry *entries; /* in order of first appearance */
    int32_t *slots;               /* hash table of entry + 1 */
    rt_buffer bytes;
    int64_t count, capacity, slot_capacity, total;
    int64_t left_out; /* occurrences of terms beyond the maximum; not in total */
} rt_vocabulary;

void rt_vocabulary_free(rt_vocabulary *vocabulary);
/* Terms longer than RT_VOCABULARY_TERM_MAX are cut. */
retort_status rt_vocabulary_add(rt_vocabulary *vocabulary, const char *term, size_t length, int64_t count,
                                retort_error *err);
/* The terms of a text. */
retort_status rt_vocabulary_read(rt_vocabulary *vocabulary, const char *text, size_t length, retort_error *err);
retort_status rt_vocabulary_merge(rt_vocabulary *into, const rt_vocabulary *from, retort_error *err);

/* The `top` most distinctive terms on either side, [{term, z, count_a, count_b, per_1000_a, per_1000_b}], most typical
 * of a first: z-scores of the log-odds ratio with an informative Dirichlet prior (Monroe, Colaresi and Quinn 2008,
 * equations 16, 19, 20, 22) whose counts are the pooled ones scaled to a tenth of the smaller side's total. */
retort_status rt_vocabulary_distinctive(const rt_vocabulary *a, const rt_vocabulary *b, int64_t top, json_t **out,
                                        retort_error *err);

#endif
