/* One table serves all: Cohen's joint counts of (first rater's value, second rater's value), or the coincidences of
 * Krippendorff, where each unit with m ratings adds 1 / (m - 1) for each ordered pair. Fleiss' kappa is a function of
 * the coincidences too. A draw of the bootstrap only adds up its units' pairs again. */
#include "judge/agreement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

typedef struct workspace {
    const rt_ratings *ratings;
    rt_measure measure;
    double *levels; /* the different values, ascending */
    int64_t level_count;
    int32_t *code;            /* [units][raters]: index into levels; -1: not rated */
    int64_t *units, *offsets; /* usable units by cluster; offsets [used clusters + 1] */
    int64_t used, clusters;
    double *table, *rows, *columns; /* [levels][levels], [levels] */
    int64_t undefined;              /* draws */
} workspace;

static bool is_cohen(rt_measure measure) {
    return measure == RT_KAPPA || measure == RT_KAPPA_LINEAR || measure == RT_KAPPA_QUADRATIC;
}

static int compare_doubles(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* ---- setting up ---- */

static int64_t rated(const rt_ratings *r, int64_t unit) {
    int64_t count = 0;
    for (int64_t i = 0; i < r->raters; i++) count += !isnan(r->values[unit * r->raters + i]);
    return count;
}

static bool is_usable(const rt_ratings *r, rt_measure measure, int64_t unit) {
    const int64_t count = rated(r, unit);
    return measure <= RT_FLEISS ? count == r->raters : count >= 2;
}

/* The different values of the usable units. */
static void find_levels(workspace *w) {
    const rt_ratings *r = w->ratings;
    int64_t count = 0;
    for (int64_t i = 0; i < w->used; i++)
        for (int64_t k = 0; k < r->raters; k++) {
            const double value = r->values[w->units[i] * r->raters + k];
            if (!isnan(value)) w->levels[count++] = value;
        }
    if (count > 1) qsort(w->levels, (size_t)count, sizeof *w->levels, compare_doubles);
    for (int64_t i = 0; i < count; i++)
        if (w->level_count == 0 || w->levels[i] > w->levels[w->level_count - 1])
            w->levels[w->level_count++] = w->levels[i];
}

static void find_codes(workspace *w) {
    const int64_t count = w->ratings->units * w->ratings->raters;
    for (int64_t i = 0; i < count; i++) {
        const double value = w->ratings->values[i];
        w->code[i] = -1;
        if (isnan(value)) continue;
        const double *found = bsearch(&value, w->levels, (size_t)w->level_count, sizeof *w->levels, compare_doubles);
        if (found != NULL) w->code[i] = (int32_t)(found - w->levels);
    }
}

/* Usable units, cluster by cluster, by counting; clusters without any are dropped. */
static retort_status group_units(workspace *w, retort_error *err) {
    const rt_ratings *r = w->ratings;
    int64_t *counts = rt_calloc((size_t)r->clusters + 1, sizeof *counts);
    RT_CHECK(counts != NULL, err, RETORT_ERR_MEMORY, "out of memory: agreement");
    for (int64_t u = 0; u < r->units; u++)
        if (is_usable(r, w->measure, u)) counts[r->cluster[u] + 1]++;
    for (int64_t c = 0; c < r->clusters; c++) {
        if (counts[c + 1] > 0) w->offsets[w->clusters++] = counts[c];
        counts[c + 1] += counts[c];
    }
    w->used = w->offsets[w->clusters] = counts[r->clusters];
    for (int64_t u = 0; u < r->units; u++)
        if (is_usable(r, w->measure, u)) w->units[counts[r->cluster[u]]++] = u;
    rt_free(counts);
    return RETORT_OK;
}

static void release(workspace *w) {
    rt_free(w->levels);
    rt_free(w->code);
    rt_free(w->units);
    rt_free(w->offsets);
    rt_free(w->table);
    rt_free(w->rows);
    rt_free(w->columns);
}

static retort_status set_up(workspace *w, retort_error *err) {
    const rt_ratings *r = w->ratings;
    size_t cells;
    RT_CHECK(!rt_mul_overflow((size_t)r->units, (size_t)r->raters, &cells), err, RETORT_ERR_MEMORY,
             "out of memory: %lld units", (long long)r->units);
    w->levels = rt_malloc_array(cells, sizeof *w->levels);
    w->code = rt_malloc_array(cells, sizeof *w->code);
    w->units = rt_malloc_array((size_t)r->units, sizeof *w->units);
    w->offsets = rt_calloc((size_t)r->clusters + 1, sizeof *w->offsets);
    RT_CHECK(w->levels != NULL && w->code != NULL && w->units != NULL && w->offsets != NULL, err, RETORT_ERR_MEMORY,
             "out of memory: agreement of %lld units", (long long)r->units);
    RT_TRY(group_units(w, err));
    find_levels(w);
    if (w->level_count > RT_MOST_VALUES) return RETORT_OK;
    find_codes(w);
    const size_t levels = (size_t)(w->level_count > 0 ? w->level_count : 1);
    w->table = rt_malloc_array(levels * levels, sizeof *w->table);
    w->rows = rt_malloc_array(levels, sizeof *w->rows);
    w->columns = rt_malloc_array(levels, sizeof *w->columns);
    RT_CHECK(w->table != NULL && w->rows != NULL && w->columns != NULL, err, RETORT_ERR_MEMORY,
             "out of memory: agreement over %zu values", levels);
    return RETORT_OK;
}

/* ---- one table ---- */

static void clear_table(workspace *w) {
    memset(w->table, 0, (size_t)(w->level_count * w->level_count) * sizeof *w->table);
}

static void add_unit(workspace *w, int64_t unit) {
    const int64_t raters = w->ratings->raters, levels = w->level_count;
    const int32_t *code = w->code + unit * raters;
    if (is_cohen(w->measure)) {
        w->table[code[0] * levels + code[1]]++;
        return;
    }
    const double weight = 1 / (double)(rated(w->ratings, unit) - 1);
    for (int64_t i = 0; i < raters; i++)
        for (int64_t k = 0; k < raters; k++)
            if (i != k && code[i] >= 0 && code[k] >= 0) w->table[code[i] * levels + code[k]] += weight;
}

/* Sums of rows and columns; returns that of all. */
static double margins(workspace *w) {
    const int64_t levels = w->level_count;
    double total = 0;
    for (int64_t i = 0; i < levels; i++) w->rows[i] = w->columns[i] = 0;
    for (int64_t i = 0; i < levels; i++)
        for (int64_t k = 0; k < levels; k++) {
            w->rows[i] += w->table[i * levels + k];
            w->columns[k] += w->table[i * levels + k];
            total += w->table[i * levels + k];
        }
    return total;
}

/* How far apart two different values are. Ordinal: by the ratings between them, half of their own included. */
static double distance(const workspace *w, int64_t i, int64_t k) {
    const double apart = fabs(w->levels[i] - w->levels[k]);
    double between = 0;
    switch (w->measure) {
    case RT_KAPPA:
    case RT_FLEISS:
    case RT_ALPHA_NOMINAL: return 1;
    case RT_KAPPA_LINEAR: return apart;
    case RT_KAPPA_QUADRATIC:
    case RT_ALPHA_INTERVAL: return apart * apart;
    case RT_ALPHA_ORDINAL:
        for (int64_t g = i < k ? i : k; g <= (i < k ? k : i); g++) between += w->rows[g];
        between -= (w->rows[i] + w->rows[k]) / 2;
        return between * between;
    }
    return 1;
}

/* 1 - observed / expected disagreement; NaN where none is expected. */
static double coefficient(workspace *w) {
    const int64_t levels = w->level_count;
    const double total = margins(w);
    double observed = 0, expected = 0;
    for (int64_t i = 0; i < levels; i++)
        for (int64_t k = 0; k < levels; k++) {
            if (i == k || (w->table[i * levels + k] <= 0 && w->rows[i] * w->columns[k] <= 0)) continue;
            const double d = distance(w, i, k);
            observed += w->table[i * levels + k] * d;
            expected += w->rows[i] * w->columns[k] * d;
        }
    if (total <= 0 || expected <= 0) return NAN;
    /* Alpha draws the second rating of a chance pair from what the first has left. */
    const double pairs = w->measure >= RT_ALPHA_NOMINAL ? total - 1 : total;
    return 1 - pairs * observed / expected;
}

static double equal_share(const workspace *w) {
    double equal = 0, total = 0;
    for (int64_t i = 0; i < w->level_count * w->level_count; i++) {
        total += w->table[i];
        if (i % (w->level_count + 1) == 0) equal += w->table[i];
    }
    return total > 0 ? equal / total : NAN;
}

static double coefficient_at(const void *context, const int32_t *index, int64_t count) {
    workspace *w = *(workspace *const *)context;
    clear_table(w);
    for (int64_t i = 0; i < count; i++)
        for (int64_t u = w->offsets[index[i]]; u < w->offsets[index[i] + 1]; u++) add_unit(w, w->units[u]);
    const double value = coefficient(w);
    w->undefined += isnan(value);
    return value;
}

static const char *reason(const workspace *w) {
    if (w->used == 0) return w->measure <= RT_FLEISS ? "no response was rated by all" : "no response was rated twice";
    if (w->level_count > RT_MOST_VALUES) return "too many different values";
    return "all ratings are the same";
}

static retort_status measure(workspace *w, uint64_t seed, rt_coefficient *out, retort_error *err) {
    RT_TRY(set_up(w, err));
    out->units = w->used;
    out->clusters = w->clusters;
    out->why = reason(w);
    if (w->used == 0 || w->level_count > RT_MOST_VALUES) return RETORT_OK;
    clear_table(w);
    for (int64_t i = 0; i < w->used; i++) add_unit(w, w->units[i]);
    out->agreement = equal_share(w);
    out->value = coefficient(w);
    if (isnan(out->value)) return RETORT_OK;
    out->why = NULL;
    if (w->clusters < 2) return RETORT_OK;
    RT_TRY(rt_bootstrap(coefficient_at, &w, w->clusters, RT_AGREEMENT_DRAWS, seed, &out->interval, err));
    out->undefined = (double)w->undefined / RT_AGREEMENT_DRAWS;
    if (2 * w->undefined > RT_AGREEMENT_DRAWS) out->interval = (rt_interval){NAN, NAN};
    return RETORT_OK;
}

retort_status rt_agreement(const rt_ratings *ratings, rt_measure which, uint64_t seed, rt_coefficient *out,
                           retort_error *err) {
    *out = (rt_coefficient){.value = NAN, .agreement = NAN, .interval = {NAN, NAN}};
    RT_CHECK(!is_cohen(which) || ratings->raters == 2, err, RETORT_ERR_USAGE,
             "Cohen's kappa is for two raters, these are %lld", (long long)ratings->raters);
    RT_CHECK(ratings->clusters <= INT32_MAX, err, RETORT_ERR_USAGE, "too many problems");
    workspace w = {.ratings = ratings, .measure = which};
    const retort_status st = measure(&w, seed, out, err);
    release(&w);
    return st;
}
