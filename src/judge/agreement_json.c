#include <math.h>
#include <string.h>

#include "analyze/jsonout.h"
#include "judge/summary.h"

/* The ratings of one behaviour by several raters: presence and counts, side by side. */
typedef struct sheet {
    const rt_judged_set *set;
    int64_t raters;
    double *present, *counts; /* [items][raters] */
    int32_t *cluster;         /* [items]: the problem */
} sheet;

static void sheet_free(sheet *s) {
    rt_free(s->present);
    rt_free(s->counts);
    rt_free(s->cluster);
}

static retort_status sheet_make(const rt_judged_set *set, int64_t raters, sheet *out, retort_error *err) {
    const int64_t units = set->items->count;
    size_t cells;
    *out = (sheet){.set = set, .raters = raters};
    if (!rt_mul_overflow((size_t)units, (size_t)raters, &cells)) {
        out->present = rt_malloc_array(cells, sizeof *out->present);
        out->counts = rt_malloc_array(cells, sizeof *out->counts);
        out->cluster = rt_malloc_array((size_t)units, sizeof *out->cluster);
    }
    if (out->present == NULL || out->counts == NULL || out->cluster == NULL) {
        sheet_free(out);
        return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: agreement on %lld responses", (long long)units);
    }
    for (int64_t u = 0; u < units; u++) out->cluster[u] = set->items->items[u].problem;
    for (size_t i = 0; i < cells; i++) out->present[i] = out->counts[i] = NAN;
    return RETORT_OK;
}

static void put(sheet *s, int64_t item, int64_t rater, double present, double count) {
    s->present[item * s->raters + rater] = present;
    s->counts[item * s->raters + rater] = count;
}

/* Column k gets the judge columns[k]; `count`: as many as the sheet has raters. */
static void fill_judges(sheet *s, const int32_t *columns, int32_t count, int32_t behavior) {
    const rt_votes *votes = s->set->votes;
    for (int64_t i = 0, run; i < votes->count; i += run) {
        run = rt_votes_run(votes, i);
        for (int32_t k = 0; k < count; k++) {
            if (columns[k] != votes->items[i].judge) continue;
            const rt_majority m = rt_votes_majority(votes->items + i, run, behavior);
            put(s, votes->items[i].item, k, m.present, m.count);
        }
    }
}

/* Column k gets vote k of one judge. */
static void fill_votes(sheet *s, int32_t judge, int32_t behavior) {
    const rt_votes *votes = s->set->votes;
    for (int64_t i = 0; i < votes->count; i++) {
        const rt_vote *v = &votes->items[i];
        if (v->judge != judge || v->vote >= s->raters || v->status != RT_JUDGED_OK ||
            v->counts[behavior] == RT_NOT_JUDGED)
            continue;
        put(s, v->item, v->vote, v->counts[behavior] > 0, v->counts[behavior]);
    }
}

static retort_status measure(const sheet *s, bool counts, rt_measure which, rt_coefficient *out, retort_error *err) {
    const rt_ratings ratings = {s->set->items->count, s->raters, s->set->items->problems.count,
                                counts ? s->counts : s->present, s->cluster};
    return rt_agreement(&ratings, which, s->set->seed, out, err);
}

static void set_coefficient(json_t *row, const char *name, const rt_coefficient *c) {
    char interval[64];
    snprintf(interval, sizeof interval, "%s_interval", name);
    rt_json_set_real(row, name, c->value);
    rt_json_set_interval(row, interval, c->interval);
}

/* Why a coefficient is missing, or how many of its draws are. */
static void set_note(json_t *row, const rt_coefficient *first, const rt_coefficient *second) {
    char note[200] = "";
    size_t at = 0;
    if (first->why != NULL) at += (size_t)snprintf(note, sizeof note, "presence: %s", first->why);
    if (second->why != NULL)
        at += (size_t)snprintf(note + at, sizeof note - at, "%scounts: %s", at > 0 ? "; " : "", second->why);
    if (first->undefined > 0)
        snprintf(note + at, sizeof note - at, "%s%.1f %% of draws undefined", at > 0 ? "; " : "",
                 100 * first->undefined);
    json_object_set_new(row, "note", json_string(note));
}

/* Two judges with the same name are told apart by the version of what they were told. */
static void name_judge(const rt_votes *votes, int32_t judge, char *out, size_t size) {
    const rt_judge *j = &votes->judges[judge];
    bool twice = false;
    for (int32_t i = 0; i < votes->judge_count; i++)
        twice = twice || (i != judge && strcmp(votes->judges[i].name, j->name) == 0);
    snprintf(out, size, twice ? "%s@%.16s" : "%s", j->name, j->version);
}

static double mean_of(const sheet *s, int64_t rater) {
    double sum = 0, n = 0;
    for (int64_t u = 0; u < s->set->items->count; u++) {
        bool all = true;
        for (int64_t k = 0; k < s->raters; k++) all = all && !isnan(s->counts[u * s->raters + k]);
        if (!all) continue;
        sum += s->counts[u * s->raters + rater];
        n++;
    }
    return n > 0 ? sum / n : NAN;
}

/* How many responses both, only the first, only the second and neither have the behaviour in. */
static void set_table(json_t *row, const sheet *s) {
    int64_t table[2][2] = {{0}};
    for (int64_t u = 0; u < s->set->items->count; u++) {
        const double a = s->present[2 * u], b = s->present[2 * u + 1];
        if (!isnan(a) && !isnan(b)) table[a > 0][b > 0]++;
    }
    json_object_set_new(row, "both", json_integer(table[1][1]));
    json_object_set_new(row, "only_a", json_integer(table[1][0]));
    json_object_set_new(row, "only_b", json_integer(table[0][1]));
    json_object_set_new(row, "neither", json_integer(table[0][0]));
}

static retort_status pair_json(sheet *s, int32_t a, int32_t b, int32_t behavior, json_t *rows, retort_error *err) {
    rt_coefficient presence, counts;
    char first[200], second[200];
    fill_judges(s, (const int32_t[]){a, b}, 2, behavior);
    RT_TRY(measure(s, false, RT_KAPPA, &presence, err));
    RT_TRY(measure(s, true, RT_ALPHA_INTERVAL, &counts, err));
    name_judge(s->set->votes, a, first, sizeof first);
    name_judge(s->set->votes, b, second, sizeof second);
    json_t *row = json_pack("{s:s, s:s, s:s, s:I}", "behavior", s->set->behaviors->items[behavior].name, "a", first,
                            "b", second, "n", (json_int_t)presence.units);
    RT_CHECK(row != NULL, err, RETORT_ERR_MEMORY, "out of memory: agreement");
    json_array_append_new(rows, row);
    rt_json_set_real(row, "agreement", presence.agreement);
    set_coefficient(row, "kappa", &presence);
    set_coefficient(row, "count_alpha", &counts);
    rt_json_set_real(row, "mean_a", mean_of(s, 0));
    rt_json_set_real(row, "mean_b", mean_of(s, 1));
    set_note(row, &presence, &counts);
    json_object_set_new(row, "problems", json_integer(presence.clusters));
    rt_json_set_real(row, "count_agreement", counts.agreement);
    set_table(row, s);
    return RETORT_OK;
}

static retort_status group_json(const sheet *s, const char *who, int32_t behavior, json_t *rows, retort_error *err) {
    rt_coefficient fleiss, alpha, counts;
    RT_TRY(measure(s, false, RT_FLEISS, &fleiss, err));
    RT_TRY(measure(s, false, RT_ALPHA_NOMINAL, &alpha, err));
    RT_TRY(measure(s, true, RT_ALPHA_INTERVAL, &counts, err));
    json_t *row =
        json_pack("{s:s, s:s, s:I, s:I, s:I}", "behavior", s->set->behaviors->items[behavior].name, "raters", who,
                  "count", (json_int_t)s->raters, "n", (json_int_t)alpha.units, "n_complete", (json_int_t)fleiss.units);
    RT_CHECK(row != NULL, err, RETORT_ERR_MEMORY, "out of memory: agreement");
    json_array_append_new(rows, row);
    set_coefficient(row, "fleiss", &fleiss);
    set_coefficient(row, "alpha", &alpha);
    set_coefficient(row, "count_alpha", &counts);
    set_note(row, &alpha, &counts);
    return RETORT_OK;
}

static retort_status all_pairs(const rt_judged_set *set, json_t *rows, retort_error *err) {
    retort_status st = RETORT_OK;
    for (int32_t b = 0; b < set->behaviors->count; b++)
        for (int32_t i = 0; i < set->votes->judge_count; i++)
            for (int32_t k = i + 1; k < set->votes->judge_count && st == RETORT_OK; k++) {
                sheet s;
                if ((set->votes->judges[i].known & set->votes->judges[k].known & (uint32_t)1 << b) == 0) continue;
                RT_TRY(sheet_make(set, 2, &s, err));
                st = pair_json(&s, i, k, b, rows, err);
                sheet_free(&s);
            }
    return st;
}

static retort_status all_votes(const rt_judged_set *set, json_t *rows, retort_error *err) {
    retort_status st = RETORT_OK;
    for (int32_t j = 0; j < set->votes->judge_count; j++) {
        const int32_t most = set->votes->judges[j].most_votes;
        char who[240], name[200];
        name_judge(set->votes, j, name, sizeof name);
        snprintf(who, sizeof who, "votes of %s", name);
        for (int32_t b = 0; most > 1 && b < set->behaviors->count && st == RETORT_OK; b++) {
            sheet s;
            RT_TRY(sheet_make(set, most, &s, err));
            fill_votes(&s, j, b);
            st = group_json(&s, who, b, rows, err);
            sheet_free(&s);
        }
    }
    return st;
}

static retort_status all_judges(const rt_judged_set *set, json_t *rows, retort_error *err) {
    retort_status st = RETORT_OK;
    int32_t columns[RT_MOST_VALUES], count = 0;
    for (int32_t b = 0; b < set->behaviors->count && st == RETORT_OK; b++) {
        sheet s;
        count = 0;
        for (int32_t j = 0; j < set->votes->judge_count && count < RT_MOST_VALUES; j++)
            if (set->votes->judges[j].known >> b & 1) columns[count++] = j;
        if (count < 3) continue;
        RT_TRY(sheet_make(set, count, &s, err));
        fill_judges(&s, columns, count, b);
        st = group_json(&s, "all judges", b, rows, err);
        sheet_free(&s);
    }
    return st;
}

retort_status rt_agreement_json(const rt_judged_set *set, json_t **out, retort_error *err) {
    json_t *pairs = json_array(), *votes = json_array(), *all = json_array();
    *out = json_pack("{s:o, s:o, s:o}", "pairs", pairs, "votes", votes, "all", all);
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory: agreement");
    retort_status st = all_pairs(set, pairs, err);
    if (st == RETORT_OK) st = all_votes(set, votes, err);
    if (st == RETORT_OK) st = all_judges(set, all, err);
    if (st == RETORT_OK) return st;
    json_decref(*out);
    *out = NULL;
    return st;
}
