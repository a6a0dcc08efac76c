/* What rises when the banned falls: one model's responses to the same problems, free and under a ban.
 *
 * Terms are words ([A-Za-z']+ in lower case) and phrases of them with nothing but white space between. Every problem
 * that both sides answered is one observation: a term's rate is its occurrences by all words, over all problems
 * together, and the variance of the difference of the two rates is that of a ratio of sums over problems (linearised),
 * each problem with both its sides, so that what is common to them cancels. Intervals are Student's t over problems;
 * p-values of the same t are turned into q-values over all terms that were tested (Benjamini and Hochberg 1995). A term
 * is tested if it occurs often enough on both sides together, which does not depend on how the two differ. */
#ifndef RT_SUBSTITUTION_H
#define RT_SUBSTITUTION_H

#include "core/json.h"

typedef struct rt_substitution_options {
    int64_t phrase; /* longest phrase, in words */
    int64_t least;  /* occurrences that a tested term has */
    int64_t top;    /* terms listed on each side */
} rt_substitution_options;

enum { RT_SUBSTITUTION_TERMS = 1 << 20 };

/* {problems, free, banned {responses, words, words_per_response, accuracy}, words_per_response, accuracy (banned minus
 * free, each with its interval; null where it is not known), terms, left_out, tested, risen, fallen (how many with q <=
 * 0.05), rising, falling: [{term, free, banned (occurrences per 1,000 words), count_free, count_banned, difference,
 * interval, log_odds, p, q, begins_like}]}. begins_like: a term that vanished and with which this one begins, such as
 * "soo": a way round the ban rather than a substitute. RETORT_ERR_FORMAT: no problem is in both. */
retort_status rt_substitution(const char *free_path, const char *banned_path, const rt_substitution_options *options,
                              json_t **out, retort_error *err);

#endif
