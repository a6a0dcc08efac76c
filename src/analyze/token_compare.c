#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/jsonout.h"
#include "analyze/length_match.h"
#include "analyze/token_report.h"

enum { LENGTH_RESAMPLES = 2000 };

/* Two groups side by side. */
typedef struct pair_work {
    const rt_token_settings *settings;
    const rt_count_table *table;
    const rt_token_group *groups[2];
    rt_token_figures figures;
    rt_ratios ratios[2];
    int32_t *rows[2]; /* common problems in either group */
    int64_t common, draws;
    bool paired;
    double *values[2];
    double *drawn[2], *difference;
    double *p; /* [ratios] */
} pair_work;

static void release(pair_work *w) {
    for (int s = 0; s < 2; s++) {
        rt_ratios_free(&w->ratios[s]);
        rt_free(w->rows[s]);
        rt_free(w->values[s]);
        rt_free(w->drawn[s]);
    }
    rt_free(w->difference);
    rt_free(w->p);
}

static retort_status find_common(pair_work *w, retort_error *err) {
    const rt_name_table *a = &w->groups[0]->problems, *b = &w->groups[1]->problems;
    for (int s = 0; s < 2; s++) {
        w->rows[s] = rt_malloc_array((size_t)a->count + 1, sizeof *w->rows[s]);
        RT_CHECK(w->rows[s] != NULL, err, RETORT_ERR_MEMORY, "out of memory: common problems");
    }
    for (int64_t i = 0; i < a->count; i++) {
        int64_t at = rt_name_find(b, a->names[i], strlen(a->names[i]));
        if (at < 0) continue;
        w->rows[0][w->common] = (int32_t)i;
        w->rows[1][w->common++] = (int32_t)at;
    }
    w->paired = w->common >= RT_PAIRED_PROBLEMS;
    return RETORT_OK;
}

static retort_status prepare(pair_work *w, retort_error *err) {
    RT_TRY(find_common(w, err));
    w->draws = w->settings->resamples;
    for (int s = 0; s < 2; s++) {
        RT_TRY(rt_token_ratios(w->table, w->groups[s], &w->ratios[s], err));
        int64_t draws = rt_ratios_draws(&w->ratios[s], w->settings->resamples);
        if (draws < w->draws) w->draws = draws;
    }
    size_t ratios = (size_t)w->ratios[0].num_ratios;
    w->difference = rt_malloc_array((size_t)w->draws + 1, sizeof *w->difference);
    RT_CHECK(w->difference != NULL, err, RETORT_ERR_MEMORY, "out of memory: resamples");
    for (int s = 0; s < 2; s++) {
        const int32_t *rows = w->paired ? w->rows[s] : NULL;
        uint64_t seed = w->settings->seed + (w->paired ? 0 : (uint64_t)s);
        w->values[s] = rt_malloc_array(ratios, sizeof(double));
        w->drawn[s] = rt_malloc_array(ratios * (size_t)w->draws + 1, sizeof(double));
        RT_CHECK(w->values[s] != NULL && w->drawn[s] != NULL, err, RETORT_ERR_MEMORY, "out of memory: resamples");
        RT_TRY(rt_ratios_value(&w->ratios[s], rows, w->common, w->values[s], err));
        RT_TRY(rt_ratios_bootstrap(&w->ratios[s], rows, w->common, w->draws, seed, w->drawn[s], err));
    }
    w->p = rt_malloc_array(ratios, sizeof *w->p);
    RT_CHECK(w->p != NULL, err, RETORT_ERR_MEMORY, "out of memory: permutations");
    return rt_ratios_permutation(&w->ratios[0], &w->ratios[1], w->rows[0], w->rows[1], w->common, w->paired, w->draws,
                                 w->settings->seed, w->p, err);
}

/* Problems that the smaller side's interval rests on. */
static int64_t problems_of(const pair_work *w) {
    int64_t a = w->groups[0]->problems.count, b = w->groups[1]->problems.count;
    return w->paired ? w->common : a < b ? a : b;
}

static void add_difference(pair_work *w, json_t *row, const char *name, const char *interval_name, int64_t ratio,
                           bool with_p) {
    const double *a = w->drawn[0] + ratio * w->draws, *b = w->drawn[1] + ratio * w->draws;
    for (int64_t d = 0; d < w->draws; d++) w->difference[d] = a[d] - b[d];
    rt_json_set_real(row, name, w->values[0][ratio] - w->values[1][ratio]);
    rt_json_set_interval(row, interval_name, rt_drawn_interval(w->difference, w->draws, problems_of(w)));
    if (with_p) rt_json_set_real(row, "p", w->p[ratio]);
}

static retort_status add_categories(pair_work *w, json_t *out, retort_error *err) {
    const rt_lexicon *lexicon = w->settings->rules->lexicon;
    rt_length_match matches[RT_LEXICON_MAX_CATEGORIES];
    int64_t matched, draws = w->draws < LENGTH_RESAMPLES ? w->draws : LENGTH_RESAMPLES;
    RT_TRY(rt_length_matched(w->table, w->groups[0], w->groups[1], w->paired ? w->rows[0] : NULL,
                             w->paired ? w->rows[1] : NULL, w->common, draws, w->settings->seed, matches, &matched,
                             err));
    json_t *rows = json_array();
    for (int32_t c = 0; c < w->figures.categories; c++) {
        json_t *row = json_pack("{s:s}", "category", lexicon->categories[c].name);
        const rt_token_figures *f = &w->figures;
        add_difference(w, row, "per_1000", "interval", rt_category_ratio(f, c, RT_FIGURE_PER_1000), true);
        add_difference(w, row, "per_response", "per_response_interval", rt_category_ratio(f, c, RT_FIGURE_PER_RESPONSE),
                       false);
        add_difference(w, row, "in_first_words", "in_first_words_interval", rt_category_ratio(f, c, RT_FIGURE_FIRST),
                       false);
        rt_json_set_real(row, "length_matched", matches[c].difference);
        rt_json_set_interval(row, "length_matched_interval", matches[c].interval);
        json_array_append_new(rows, row);
    }
    json_object_set_new(out, "length_matched_responses", json_integer(matched));
    json_object_set_new(out, "categories", rows);
    return RETORT_OK;
}

/* Entries that neither side holds have nothing to compare. */
static void add_entries(pair_work *w, json_t *out) {
    const rt_lexicon *lexicon = w->settings->rules->lexicon;
    json_t *rows = json_array();
    for (int32_t e = 0; e < w->figures.entries; e++) {
        int64_t ratio = rt_entry_ratio(&w->figures, e, false);
        bool found = w->values[0][ratio] > 0 || w->values[1][ratio] > 0;
        if (!found) continue;
        const rt_lexicon_entry *entry = &lexicon->entries[e];
        json_t *row =
            json_pack("{s:s, s:s}", "entry", entry->text, "category", lexicon->categories[entry->category].name);
        rt_json_set_real(row, "per_1000_a", w->values[0][ratio]);
        rt_json_set_real(row, "per_1000_b", w->values[1][ratio]);
        add_difference(w, row, "difference", "interval", ratio, true);
        json_array_append_new(rows, row);
    }
    json_object_set_new(out, "entries", rows);
}

static retort_status fill(pair_work *w, json_t *out, retort_error *err) {
    json_object_set_new(out, "problems_a", json_integer(w->groups[0]->problems.count));
    json_object_set_new(out, "problems_b", json_integer(w->groups[1]->problems.count));
    json_object_set_new(out, "problems_common", json_integer(w->common));
    json_object_set_new(out, "paired", json_boolean(w->paired));
    json_object_set_new(out, "resamples", json_integer(w->draws));
    RT_TRY(add_categories(w, out, err));
    add_entries(w, out);
    json_t *distinctive;
    RT_TRY(rt_vocabulary_distinctive(&w->groups[0]->vocabulary, &w->groups[1]->vocabulary, w->settings->top,
                                     &distinctive, err));
    json_object_set_new(out, "distinctive", distinctive);
    return RETORT_OK;
}

retort_status rt_token_pair_json(const rt_token_settings *settings, const rt_count_table *table, int64_t a, int64_t b,
                                 json_t **out, retort_error *err) {
    pair_work w = {.settings = settings,
                   .table = table,
                   .groups = {&table->groups[a], &table->groups[b]},
                   .figures = {table->num_entries, table->num_categories}};
    *out = json_pack("{s:s, s:s}", "a", table->names.names[a], "b", table->names.names[b]);
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory: comparison");
    retort_status st = prepare(&w, err);
    if (st == RETORT_OK) st = fill(&w, *out, err);
    release(&w);
    if (st == RETORT_OK) return RETORT_OK;
    json_decref(*out);
    *out = NULL;
    return st;
}

/* Multiplicity. */

typedef struct test {
    json_t *row;
    double p, adjusted;
} test;

static int by_p(const void *a, const void *b) {
    double x = ((const test *)a)->p, y = ((const test *)b)->p;
    return (x > y) - (x < y);
}

static int64_t gather(const json_t *comparisons, const char *list, test *tests) {
    int64_t n = 0;
    size_t i, k;
    json_t *comparison, *row;
    json_array_foreach((json_t *)(uintptr_t)comparisons, i, comparison)
        json_array_foreach(json_object_get(comparison, list), k, row) {
        const json_t *p = json_object_get(row, "p");
        if (!json_is_number(p)) continue; /* nothing to compare on one side */
        if (tests != NULL) tests[n] = (test){row, json_number_value(p), 1};
        n++;
    }
    return n;
}

static void holm(test *tests, int64_t n) {
    double highest = 0;
    for (int64_t i = 0; i < n; i++) {
        highest = fmax(highest, fmin(1, (double)(n - i) * tests[i].p));
        tests[i].adjusted = highest;
    }
}

static void benjamini_hochberg(test *tests, int64_t n) {
    double lowest = 1;
    for (int64_t i = n; i-- > 0;) {
        lowest = fmin(lowest, (double)n / (double)(i + 1) * tests[i].p);
        tests[i].adjusted = lowest;
    }
}

static retort_status adjust(json_t *comparisons, const char *list, const char *key, void (*method)(test *, int64_t),
                            retort_error *err) {
    int64_t n = gather(comparisons, list, NULL);
    test *tests = rt_malloc_array((size_t)n + 1, sizeof *tests);
    RT_CHECK(tests != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld tests", (long long)n);
    gather(comparisons, list, tests);
    if (n > 0) qsort(tests, (size_t)n, sizeof *tests, by_p);
    method(tests, n);
    for (int64_t i = 0; i < n; i++) rt_json_set_real(tests[i].row, key, tests[i].adjusted);
    rt_free(tests);
    return RETORT_OK;
}

retort_status rt_token_adjust(json_t *comparisons, retort_error *err) {
    RT_TRY(adjust(comparisons, "categories", "p_holm", holm, err));
    return adjust(comparisons, "entries", "q", benjamini_hochberg, err);
}
