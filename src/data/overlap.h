/* Contamination: which problems of one set are also in another, word for word or nearly so.
 *
 * A problem is read as words (runs of ASCII letters, runs of digits, and every other character of a script; case,
 * punctuation and LaTeX's signs are passed over), and as the set of its runs of five words. Two problems overlap if
 * they share
 *
 *     share     at least 45 % of the runs of the shorter one, and
 *     telling   at least 16 runs that no further problem of either set has,
 *
 * or at least 90 % of a shorter problem, or all words. Phrases that every contest uses ("let m and n be relatively
 * prime positive integers") are in many problems and tell nothing; a problem retold with another question keeps its
 * telling runs. The thresholds were set on AIME 1983-2023 against MATH-500, whose nine true overlaps have at least 49 %
 * and 23 telling runs (docs/data.md).
 */
#ifndef RT_OVERLAP_H
#define RT_OVERLAP_H

#include "data/problem.h"

typedef struct rt_overlap {
    int64_t a, b;            /* indices in the two sets */
    int64_t shared, telling; /* runs of five words in both; of these, in no other problem */
    double share;            /* shared / runs of the shorter problem */
    bool identical;          /* the same words */
    size_t begin, end;       /* bytes of b's problem: the longest passage that a has too */
} rt_overlap;

typedef struct rt_overlaps {
    rt_overlap *items; /* by b, then by falling share */
    int64_t count, capacity;
} rt_overlaps;

/* Errors: RETORT_ERR_MEMORY. Time and memory grow with the sets' words, not with their product. */
retort_status rt_overlaps_find(const rt_problems *a, const rt_problems *b, rt_overlaps *out, retort_error *err);
void rt_overlaps_free(rt_overlaps *overlaps);

#endif
