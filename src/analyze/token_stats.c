#include "analyze/token_stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/jsonout.h"

typedef struct problem_counts {
    double category[RT_CATEGORIES], lexemes;
} problem_counts;

static retort_status count_by_problem(const rt_response_set *set, problem_counts **out, retort_error *err) {
    *out = rt_calloc((size_t)set->problems, sizeof **out);
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory: token counts of %lld problems",
             (long long)set->problems);
    for (int64_t i = 0; i < set->count; i++) {
        const rt_record *record = &set->records[i];
        problem_counts *counts = &(*out)[record->problem];
        rt_lexeme lexeme;
        for (size_t at = 0; rt_lexeme_next(record->text, record->length, &at, &lexeme);) {
            counts->category[rt_lexeme_category(&lexeme)]++;
            counts->lexemes++;
        }
    }
    return RETORT_OK;
}

retort_status rt_category_rates(const rt_response_set *set, rt_category category, double **out, retort_error *err) {
    problem_counts *counts;
    RT_TRY(count_by_problem(set, &counts, err));
    *out = rt_malloc_array((size_t)set->problems, sizeof **out);
    if (*out == NULL) {
        rt_free(counts);
        return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: rates of %lld problems", (long long)set->problems);
    }
    for (int64_t p = 0; p < set->problems; p++)
        (*out)[p] = counts[p].lexemes > 0 ? 1000 * counts[p].category[category] / counts[p].lexemes : 0;
    rt_free(counts);
    return RETORT_OK;
}

static retort_status rates_json(const rt_response_set *set, uint64_t seed, json_t *rates, double *lexemes,
                                retort_error *err) {
    problem_counts *counts;
    RT_TRY(count_by_problem(set, &counts, err));
    retort_status st = RETORT_OK;
    *lexemes = 0;
    for (int64_t p = 0; p < set->problems; p++) *lexemes += counts[p].lexemes;
    for (int c = 1; c < RT_CATEGORIES && st == RETORT_OK; c++) {
        double hits = 0;
        for (int64_t p = 0; p < set->problems; p++) hits += counts[p].category[c];
        rt_rate pooled = {&counts->category[c], &counts->lexemes, sizeof *counts / sizeof(double), 1000};
        rt_interval interval;
        st = rt_rate_interval(&pooled, set->problems, seed + (uint64_t)c, &interval, err);
        json_t *rate = json_object();
        rt_json_set_real(rate, "per_1000", *lexemes > 0 ? 1000 * hits / *lexemes : 0);
        rt_json_set_interval(rate, "interval", interval);
        rt_json_set_real(rate, "per_response", set->count > 0 ? hits / (double)set->count : 0);
        json_object_set_new(rates, rt_category_name((rt_category)c), rate);
    }
    rt_free(counts);
    return st;
}

/* Words of the two listed categories, most frequent first. */
static int by_count(const void *a, const void *b) {
    const rt_term *const *x = a, *const *y = b;
    if ((*x)->count != (*y)->count) return (*x)->count < (*y)->count ? 1 : -1;
    return strcmp((*x)->text, (*y)->text);
}

static retort_status words_json(const rt_term_table *table, json_t *words, retort_error *err) {
    const rt_term **listed = rt_malloc_array((size_t)table->count + 1, sizeof *listed);
    RT_CHECK(listed != NULL, err, RETORT_ERR_MEMORY, "out of memory: word list");
    size_t n = 0;
    for (int64_t i = 0; i < table->count; i++)
        if (rt_category_words(table->terms[i].category) != NULL) listed[n++] = &table->terms[i];
    qsort(listed, n, sizeof *listed, by_count);
    for (size_t i = 0; i < n; i++) {
        json_t *word = json_object();
        json_object_set_new(word, "word", json_string(listed[i]->text));
        json_object_set_new(word, "category", json_string(rt_category_name(listed[i]->category)));
        json_object_set_new(word, "count", json_integer(listed[i]->count));
        rt_json_set_real(word, "per_1000", 1000 * (double)listed[i]->count / (double)table->total);
        json_array_append_new(words, word);
    }
    rt_free(listed);
    return RETORT_OK;
}

retort_status rt_token_stats_json(const rt_response_set *set, const rt_term_table *table, uint64_t seed, json_t **out,
                                  retort_error *err) {
    json_t *stats = json_object(), *rates = json_object(), *words = json_array();
    double lexemes = 0;
    retort_status st = rates_json(set, seed, rates, &lexemes, err);
    if (st == RETORT_OK) st = words_json(table, words, err);
    json_object_set_new(stats, "responses", json_integer(set->count));
    rt_json_set_real(stats, "lexemes", lexemes);
    json_object_set_new(stats, "rates", rates);
    json_object_set_new(stats, "words", words);
    if (st != RETORT_OK) {
        json_decref(stats);
        return st;
    }
    *out = stats;
    return RETORT_OK;
}
