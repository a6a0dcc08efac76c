/* The difference between two groups' rates among responses of like length.
 *
 * Longer responses hold more of everything, and rates drift with length too. Responses are put into bins a quarter of
 * an octave wide (counted words); in each bin both groups' rates per 1,000 words are compared, and the differences are
 * averaged with the smaller group's number of responses as weight.
 */
#ifndef RT_LENGTH_MATCH_H
#define RT_LENGTH_MATCH_H

#include "analyze/count_table.h"
#include "analyze/ratios.h"

typedef struct rt_length_match {
    double difference; /* NaN: no bin holds responses of both */
    rt_interval interval;
} rt_length_match;

/* Fills out[C]. rows_a, rows_b [count]: the same problems in either group, drawn together; both NULL: each group's own
 * problems, drawn apart. *matched: the sum of weights, responses of the smaller group in shared bins. */
retort_status rt_length_matched(const rt_count_table *table, const rt_token_group *a, const rt_token_group *b,
                                const int32_t *rows_a, const int32_t *rows_b, int64_t count, int64_t draws,
                                uint64_t seed, rt_length_match *out, int64_t *matched, retort_error *err);

#endif
