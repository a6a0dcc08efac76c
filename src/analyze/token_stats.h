/* Token statistics: rates per category with intervals, word counts, and the tokens that tell two models apart.
 * Counting rule: text/lexeme.h. */
#ifndef RT_TOKEN_STATS_H
#define RT_TOKEN_STATS_H

#include "analyze/responses.h"
#include "text/lexeme.h"

/* One lexical token type (words in lower case) with its count. */
typedef struct rt_term {
    char *text;
    rt_category category;
    int64_t count;
} rt_term;

typedef struct rt_term_table {
    rt_term *terms; /* sorted by text */
    int64_t count;
    int64_t total; /* sum of counts */
} rt_term_table;

void rt_term_table_free(rt_term_table *table);

/* Counts the terms of texts that come one by one. Zero-initialise; finish gives the table and empties the counter. */
typedef struct rt_term_counter {
    rt_term *slots;
    size_t capacity;
    int64_t count, total;
} rt_term_counter;
retort_status rt_term_counter_add(rt_term_counter *counter, const char *text, size_t length, retort_error *err);
void rt_term_counter_finish(rt_term_counter *counter, rt_term_table *out);
void rt_term_counter_free(rt_term_counter *counter);

retort_status rt_terms_count(const rt_response_set *set, rt_term_table *out, retort_error *err);

/* {responses, lexemes, rates {category: {per_1000, interval, per_response}}, words [...]}; intervals by bootstrap over
 * problems of the ratio of sums. */
retort_status rt_token_stats_json(const rt_response_set *set, const rt_term_table *table, uint64_t seed, json_t **out,
                                  retort_error *err);

/* Rate per 1,000 lexical tokens of one category for each problem (its samples pooled): the paired unit of tests. */
retort_status rt_category_rates(const rt_response_set *set, rt_category category, double **out, retort_error *err);

/* The `top` most distinctive tokens on either side, by the z-score of the log-odds ratio with an informative Dirichlet
 * prior (Monroe, Colaresi and Quinn 2008, equations 16, 19, 20, 22): prior counts are the pooled counts scaled to sum
 * to a tenth of the smaller model's total. z > 0: more typical of a. */
retort_status rt_distinctive_json(const rt_term_table *a, const rt_term_table *b, int64_t top, json_t **out,
                                  retort_error *err);

#endif
