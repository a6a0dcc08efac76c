#include "analyze/token_report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/jsonout.h"

typedef struct group_work {
    const rt_token_settings *settings;
    const rt_count_table *table;
    const rt_token_group *group;
    const rt_lexicon *lexicon;
    rt_token_figures figures;
    rt_ratios ratios;
    double *values; /* [ratios] */
    double *drawn;  /* [ratios, draws] */
    int64_t draws;
    double responses, words, tokens; /* counted */
} group_work;

static void release(group_work *w) {
    rt_ratios_free(&w->ratios);
    rt_free(w->values);
    rt_free(w->drawn);
}

static retort_status prepare(group_work *w, uint64_t seed, retort_error *err) {
    RT_TRY(rt_token_ratios(w->table, w->group, &w->ratios, err));
    size_t ratios = (size_t)w->ratios.num_ratios;
    w->draws = rt_ratios_draws(&w->ratios, w->settings->resamples);
    w->values = rt_malloc_array(ratios, sizeof *w->values);
    w->drawn = rt_malloc_array(ratios * (size_t)w->draws, sizeof *w->drawn);
    RT_CHECK(w->values != NULL && w->drawn != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld resamples",
             (long long)w->draws);
    for (int64_t p = 0; p < w->group->problems.count; p++) {
        w->responses += (double)w->group->counts[p].responses;
        w->words += (double)w->group->counts[p].words;
        w->tokens += (double)w->group->counts[p].tokens;
    }
    RT_TRY(rt_ratios_value(&w->ratios, NULL, 0, w->values, err));
    return rt_ratios_bootstrap(&w->ratios, NULL, 0, w->draws, seed, w->drawn, err);
}

/* A value and its interval. Where nothing was found the bootstrap has nothing to draw: the upper end is then Poisson's,
 * 3.689 events (97.5 %), by what stands below the line. */
static void add_figure(group_work *w, json_t *row, const char *name, const char *interval_name, int64_t ratio,
                       double zero_high) {
    double value = w->values[ratio];
    rt_json_set_real(row, name, value);
    rt_interval interval = {value == 0 ? 0 : NAN, value == 0 ? zero_high : NAN};
    if (value > 0) interval = rt_drawn_interval(w->drawn + ratio * w->draws, w->draws, w->group->problems.count);
    rt_json_set_interval(row, interval_name, interval);
}

static const double ZERO_EVENTS = 3.6888794541139363; /* -ln 0.025 */

static json_t *left_out_json(const group_work *w) {
    json_t *rows = json_array();
    for (int r = RT_EMPTY; r < RT_LEFT_OUT_KINDS; r++) {
        bool counted = (r == RT_REPETITIVE && w->settings->rules->keep_repetitive) ||
                       (r == RT_TRUNCATED && w->settings->rules->keep_truncated);
        json_array_append_new(rows, json_pack("{s:s, s:I, s:I, s:b}", "reason", rt_left_out_name((rt_left_out)r),
                                              "responses", (json_int_t)w->group->reasons[r], "words",
                                              (json_int_t)w->group->reason_words[r], "counted", counted));
    }
    return rows;
}

static int64_t category_count(const group_work *w, int32_t category) {
    int64_t count = 0;
    for (int64_t p = 0; p < w->group->problems.count; p++)
        for (int d = 0; d < RT_DECILES; d++) count += w->group->counts[p].places[category * RT_DECILES + d];
    return count;
}

static int64_t entry_count(const group_work *w, int32_t entry) {
    int64_t count = 0;
    for (int64_t p = 0; p < w->group->problems.count; p++) count += w->group->counts[p].entries[entry];
    return count;
}

static json_t *category_json(group_work *w, int32_t c) {
    json_t *row = json_object();
    const rt_token_figures *f = &w->figures;
    double per_response = ZERO_EVENTS / w->responses;
    json_object_set_new(row, "category", json_string(w->lexicon->categories[c].name));
    json_object_set_new(row, "count", json_integer(category_count(w, c)));
    add_figure(w, row, "per_1000", "interval", rt_category_ratio(f, c, RT_FIGURE_PER_1000),
               1000 * ZERO_EVENTS / w->words);
    add_figure(w, row, "per_response", "per_response_interval", rt_category_ratio(f, c, RT_FIGURE_PER_RESPONSE),
               per_response);
    add_figure(w, row, "share", "share_interval", rt_category_ratio(f, c, RT_FIGURE_SHARE), fmin(1, per_response));
    add_figure(w, row, "in_first_words", "in_first_words_interval", rt_category_ratio(f, c, RT_FIGURE_FIRST),
               per_response);
    if (w->settings->rules->tokenizer != NULL)
        add_figure(w, row, "per_1000_tokens", "per_1000_tokens_interval", rt_category_ratio(f, c, RT_FIGURE_PER_TOKENS),
                   1000 * ZERO_EVENTS / w->tokens);
    return row;
}

static void add_categories(group_work *w, json_t *out) {
    json_t *categories = json_array(), *profile = json_array();
    for (int32_t c = 0; c < w->figures.categories; c++) {
        json_array_append_new(categories, category_json(w, c));
        for (int d = 0; d < RT_DECILES; d++) {
            json_t *row = json_pack("{s:s, s:i}", "category", w->lexicon->categories[c].name, "decile", d + 1);
            add_figure(w, row, "per_1000", "interval", rt_category_ratio(&w->figures, c, RT_FIGURE_DECILE + d), NAN);
            json_array_append_new(profile, row);
        }
    }
    json_object_set_new(out, "categories", categories);
    json_object_set_new(out, "profile", profile);
}

static retort_status add_correctness(group_work *w, json_t *out, retort_error *err) {
    int64_t problems, responses;
    RT_TRY(rt_token_mixed(w->group, &problems, &responses, err));
    json_t *rows = json_array();
    for (int32_t c = 0; c < w->figures.categories && problems > 0; c++) {
        json_t *row = json_pack("{s:s, s:I, s:I}", "category", w->lexicon->categories[c].name, "problems",
                                (json_int_t)problems, "responses", (json_int_t)responses);
        int64_t ratio = rt_category_ratio(&w->figures, c, RT_FIGURE_CORRECT);
        rt_json_set_real(row, "right_minus_wrong", w->values[ratio]);
        double *drawn = w->drawn + ratio * w->draws;
        rt_json_set_real(row, "p", rt_ratios_sign_flip(&w->ratios, ratio, w->draws, w->settings->seed));
        rt_json_set_interval(row, "interval", rt_drawn_interval(drawn, w->draws, problems));
        json_array_append_new(rows, row);
    }
    json_object_set_new(out, "correctness", rows);
    return RETORT_OK;
}

typedef struct ranked {
    int32_t entry;
    int64_t count;
} ranked;

static int by_count(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->count != y->count) return x->count < y->count ? 1 : -1;
    return (x->entry > y->entry) - (x->entry < y->entry);
}

static retort_status add_entries(group_work *w, json_t *out, retort_error *err) {
    ranked *order = rt_malloc_array((size_t)w->figures.entries, sizeof *order);
    RT_CHECK(order != NULL, err, RETORT_ERR_MEMORY, "out of memory: entries");
    for (int32_t e = 0; e < w->figures.entries; e++) order[e] = (ranked){e, entry_count(w, e)};
    qsort(order, (size_t)w->figures.entries, sizeof *order, by_count);
    json_t *rows = json_array();
    for (int32_t i = 0; i < w->figures.entries; i++) {
        const rt_lexicon_entry *entry = &w->lexicon->entries[order[i].entry];
        json_t *row = json_pack("{s:s, s:s, s:I}", "entry", entry->text, "category",
                                w->lexicon->categories[entry->category].name, "count", (json_int_t)order[i].count);
        add_figure(w, row, "per_1000", "interval", rt_entry_ratio(&w->figures, order[i].entry, false),
                   1000 * ZERO_EVENTS / w->words);
        add_figure(w, row, "per_response", "per_response_interval", rt_entry_ratio(&w->figures, order[i].entry, true),
                   ZERO_EVENTS / w->responses);
        json_array_append_new(rows, row);
    }
    rt_free(order);
    json_object_set_new(out, "entries", rows);
    return RETORT_OK;
}

static retort_status fill(group_work *w, const char *name, json_t *out, retort_error *err) {
    int64_t read = 0;
    for (int r = 0; r < RT_LEFT_OUT_KINDS; r++) read += w->group->reasons[r];
    json_object_set_new(out, "model", json_string(name));
    json_object_set_new(out, "responses", json_integer(read));
    json_object_set_new(out, "counted", json_integer((json_int_t)w->responses));
    json_object_set_new(out, "problems", json_integer(w->group->problems.count));
    json_object_set_new(out, "words", json_integer((json_int_t)w->words));
    rt_json_set_real(out, "words_per_response", w->words / w->responses);
    if (w->settings->rules->tokenizer != NULL) json_object_set_new(out, "tokens", json_integer((json_int_t)w->tokens));
    json_object_set_new(out, "unclosed_thoughts", json_integer(w->group->unclosed));
    json_object_set_new(out, "without_problem_id", json_integer(w->group->without_problem));
    json_object_set_new(out, "resamples", json_integer(w->draws));
    json_object_set_new(out, "left_out", left_out_json(w));
    add_categories(w, out);
    RT_TRY(add_correctness(w, out, err));
    return add_entries(w, out, err);
}

retort_status rt_token_group_json(const rt_token_settings *settings, const rt_count_table *table, int64_t group,
                                  json_t **out, retort_error *err) {
    group_work w = {.settings = settings,
                    .table = table,
                    .group = &table->groups[group],
                    .lexicon = settings->rules->lexicon,
                    .figures = {table->num_entries, table->num_categories}};
    *out = json_object();
    retort_status st = prepare(&w, settings->seed, err);
    if (st == RETORT_OK) st = fill(&w, table->names.names[group], *out, err);
    release(&w);
    if (st == RETORT_OK) return RETORT_OK;
    json_decref(*out);
    *out = NULL;
    return st;
}
