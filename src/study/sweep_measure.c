#include <math.h>
#include <string.h>

#include "analyze/jsonout.h"
#include "study/sweep.h"

/* The figures of a sweep: one score a cell over all seeds, pairs of cells, curves, and what was to be decided. */

static rt_interval seeds_interval(const double *values, int n, double *mean) {
    double sum = 0, squares = 0;
    for (int i = 0; i < n; i++) sum += values[i];
    *mean = sum / n;
    if (n < 2) return (rt_interval){NAN, NAN};
    for (int i = 0; i < n; i++) squares += (values[i] - *mean) * (values[i] - *mean);
    const double half = rt_t_quantile(n - 1) * sqrt(squares / (n - 1) / n);
    return (rt_interval){fmax(*mean - half, 0), fmin(*mean + half, 1)};
}

/* The settings of a cell, into an object. */
static void set_place(const rt_sweep *sweep, json_t *object, const rt_cell *cell) {
    json_object_set_new(object, "teacher", json_string(rt_sweep_teacher_name(cell->teacher)));
    json_object_set_new(object, "examples", json_integer(cell->examples));
    json_object_set_new(object, "max_length", json_integer(cell->max_length));
    if (sweep->axes.exposure_count > 0)
        rt_json_set_real(object, "exposure", sweep->axes.exposures[cell->exposure]);
    else
        json_object_set_new(object, "exposure", json_null());
}

static void set_means(const rt_sweep *sweep, json_t *object, const rt_cell *cell) {
    double mean;
    const rt_interval interval = seeds_interval(cell->averages, sweep->axes.seeds.count, &mean);
    rt_json_set_real(object, "mean", mean);
    rt_json_set_interval(object, "seeds_interval", interval);
}

static json_t *cell_json(const rt_sweep *sweep, const rt_cell *cell) {
    json_t *object = json_object();
    set_place(sweep, object, cell);
    if (cell->teacher == RT_ARM_BASE) {
        json_object_del(object, "examples");
        json_object_del(object, "max_length");
    }
    set_means(sweep, object, cell);
    json_object_set(object, "score", cell->score);
    json_object_set(object, "seeds", cell->students);
    return object;
}

/* ---- pairs ---- */

static retort_status add_pair(const rt_sweep *sweep, json_t *pairs, const rt_cell *a, const rt_cell *b,
                              retort_error *err) {
    for (int what = 0; what < 2; what++) {
        rt_paired paired;
        int64_t k;
        char name[32] = "avg";
        RT_TRY(rt_compare_pass(&a->pooled, &b->pooled, what == 1, &k, &paired, err));
        if (what == 1) snprintf(name, sizeof name, "pass@%lld", (long long)k);
        json_t *entry = json_object(), *left = json_object(), *right = json_object();
        set_place(sweep, left, a);
        set_place(sweep, right, b);
        json_object_set_new(entry, "a", left);
        json_object_set_new(entry, "b", right);
        json_object_set_new(entry, "measure", json_string(name));
        rt_json_set_real(entry, "difference", paired.difference);
        rt_json_set_interval(entry, "interval", paired.interval);
        rt_json_set_real(entry, "p", paired.p);
        json_object_set_new(entry, "problems", json_integer(paired.problems));
        json_array_append_new(pairs, entry);
    }
    return RETORT_OK;
}

/* Each student with its base, with those of other teachers at the same settings, and with the next fewer examples. */
static retort_status add_pairs(const rt_sweep *sweep, json_t *pairs, retort_error *err) {
    const rt_sweep_axes *axes = &sweep->axes;
    for (int c = 0; c < sweep->cell_count; c++) {
        const rt_cell *cell = &sweep->cells[c];
        RT_TRY(add_pair(sweep, pairs, cell, &sweep->bases[cell->exposure], err));
        for (int t = 0; t < axes->teacher_count && axes->teachers[t] != cell->teacher; t++)
            RT_TRY(add_pair(sweep, pairs,
                            rt_sweep_find(sweep, cell->exposure, cell->max_length, axes->teachers[t], cell->examples),
                            cell, err));
        if (cell->examples != axes->examples.items[0]) /* examples vary fastest */
            RT_TRY(add_pair(sweep, pairs, cell, cell - 1, err));
    }
    return RETORT_OK;
}

/* ---- curves ---- */

static json_t *curve_point(const rt_sweep *sweep, const rt_cell *cell, json_t *x) {
    static const char *const KEYS[] = {"avg",         "problems_interval", "sampling_interval",
                                       "pass_at",     "pass_at_interval",  "unparsed_rate",
                                       "length_rate", "mean_length"};
    json_t *point = json_object();
    json_object_set_new(point, "x", x);
    set_means(sweep, point, cell);
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++)
        json_object_set(point, KEYS[i], json_object_get(cell->score, KEYS[i]));
    json_object_set_new(point, "n", json_integer(cell->pooled.count));
    return point;
}

typedef enum axis { BY_EXAMPLES, BY_LENGTH, BY_EXPOSURE } axis;
static const char *const AXIS_NAMES[] = {"examples", "max_length", "exposure"};

static bool same_curve(const rt_cell *a, const rt_cell *b, axis by) {
    return a->teacher == b->teacher && (by == BY_EXAMPLES || a->examples == b->examples) &&
           (by == BY_LENGTH || a->max_length == b->max_length) && (by == BY_EXPOSURE || a->exposure == b->exposure);
}

static json_t *x_of(const rt_sweep *sweep, const rt_cell *cell, axis by) {
    if (by == BY_EXAMPLES) return json_integer(cell->examples);
    if (by == BY_EXPOSURE) return rt_json_number(sweep->axes.exposures[cell->exposure]);
    return cell->max_length > 0 ? json_integer(cell->max_length) : json_null();
}

static void add_curves(const rt_sweep *sweep, json_t *curves) {
    const int lengths[] = {sweep->axes.examples.count, sweep->axes.max_lengths.count, sweep->axes.exposure_count};
    for (int by = 0; by < 3; by++) {
        if (lengths[by] < 2) continue;
        for (int c = 0; c < sweep->cell_count; c++) {
            const rt_cell *first = &sweep->cells[c];
            int before = 0;
            while (before < c && !same_curve(&sweep->cells[before], first, (axis)by)) before++;
            if (before < c) continue; /* belongs to a curve that is there */
            json_t *curve = json_object(), *points = json_array();
            json_object_set_new(curve, "axis", json_string(AXIS_NAMES[by]));
            set_place(sweep, curve, first);
            json_object_set_new(curve, AXIS_NAMES[by], json_null());
            json_object_set_new(curve, "points", points);
            for (int k = c; k < sweep->cell_count; k++)
                if (same_curve(first, &sweep->cells[k], (axis)by))
                    json_array_append_new(
                        points, curve_point(sweep, &sweep->cells[k], x_of(sweep, &sweep->cells[k], (axis)by)));
            json_array_append_new(curves, curve);
        }
    }
}

static json_t *ints_json(const rt_int_list *list) {
    json_t *out = json_array();
    for (int i = 0; i < list->count; i++) json_array_append_new(out, json_integer(list->items[i]));
    return out;
}

static json_t *axes_json(const rt_sweep_axes *axes) {
    json_t *out = json_object(), *teachers = json_array(), *exposures = json_array();
    for (int i = 0; i < axes->teacher_count; i++)
        json_array_append_new(teachers, json_string(rt_sweep_teacher_name(axes->teachers[i])));
    for (int i = 0; i < axes->exposure_count; i++) json_array_append_new(exposures, rt_json_number(axes->exposures[i]));
    json_object_set_new(out, "seeds", ints_json(&axes->seeds));
    json_object_set_new(out, "examples", ints_json(&axes->examples));
    json_object_set_new(out, "teachers", teachers);
    json_object_set_new(out, "max_lengths", ints_json(&axes->max_lengths));
    json_object_set_new(out, "exposures", exposures);
    return out;
}

/* ---- claims: of the first cut and the first base ---- */

static const rt_cell *plain_cell(const rt_sweep *sweep, rt_arm_id teacher, int64_t examples) {
    return rt_sweep_find(sweep, 0, sweep->axes.max_lengths.items[0], teacher, examples);
}

static rt_finding judge_greater(const rt_paired *paired) {
    if (!(paired->p < RT_SIGNIFICANT)) return RT_UNDECIDED;
    return paired->difference > 0 ? RT_SUPPORTED : RT_CONTRADICTED;
}

static retort_status claim_more_examples(const rt_sweep *sweep, json_t *claims, rt_arm_id teacher, retort_error *err) {
    const rt_int_list *examples = &sweep->axes.examples;
    const int64_t most = examples->items[examples->count - 1], fewer = examples->items[examples->count - 2];
    rt_paired paired;
    char id[64], statement[160], detail[320];
    RT_TRY(rt_compare_accuracy(&plain_cell(sweep, teacher, most)->pooled, &plain_cell(sweep, teacher, fewer)->pooled,
                               &paired, err));
    const char *name = rt_sweep_teacher_name(teacher);
    snprintf(id, sizeof id, "more-examples-%s", name);
    snprintf(statement, sizeof statement, "More examples help: %lld %s traces teach more than %lld", (long long)most,
             name, (long long)fewer);
    snprintf(detail, sizeof detail,
             "test avg@n over %lld (seed, problem) pairs: %+.1f points [%+.1f, %+.1f], sign-flip p = %.4f",
             (long long)paired.problems, 100 * paired.difference, 100 * paired.interval.low, 100 * paired.interval.high,
             paired.p);
    rt_add_claim(claims, id, statement, judge_greater(&paired), paired.difference, paired.p, detail);
    return RETORT_OK;
}

/* The smallest number of examples from which on flexible minus rigid is significantly positive, up to the largest. */
static retort_status claim_pays_from(const rt_sweep *sweep, json_t *claims, retort_error *err) {
    const rt_int_list *examples = &sweep->axes.examples;
    int64_t from = -1;
    rt_paired largest = {0};
    char detail[1024] = "", statement[160];
    size_t at = 0;
    bool unbroken = true;
    for (int e = examples->count - 1; e >= 0; e--) {
        rt_paired paired;
        const int64_t n = examples->items[e];
        RT_TRY(rt_compare_accuracy(&plain_cell(sweep, RT_ARM_DISTILLED, n)->pooled,
                                   &plain_cell(sweep, RT_ARM_RIGID, n)->pooled, &paired, err));
        if (e == examples->count - 1) largest = paired;
        unbroken = unbroken && judge_greater(&paired) == RT_SUPPORTED;
        if (unbroken) from = n;
        if (at < sizeof detail - 100)
            at += (size_t)snprintf(detail + at, sizeof detail - at, "%s%lld: %+.1f points [%+.1f, %+.1f], p = %.4f",
                                   at > 0 ? "; " : "flexible minus rigid, test avg@n, by examples: ", (long long)n,
                                   100 * paired.difference, 100 * paired.interval.low, 100 * paired.interval.high,
                                   paired.p);
    }
    if (from >= 0)
        snprintf(statement, sizeof statement,
                 "A flexible teacher's traces help more than a rigid teacher's, from %lld examples on",
                 (long long)from);
    else
        snprintf(statement, sizeof statement, "A flexible teacher's traces help more than a rigid teacher's");
    rt_add_claim(claims, "pays-from", statement, judge_greater(&largest), largest.difference, largest.p, detail);
    return RETORT_OK;
}

static retort_status add_claims(const rt_sweep *sweep, json_t *claims, retort_error *err) {
    const rt_sweep_axes *axes = &sweep->axes;
    const int64_t most = axes->examples.items[axes->examples.count - 1];
    const rt_response_set *sets[RT_ARMS] = {NULL};
    for (int t = 0; t < axes->teacher_count; t++)
        sets[axes->teachers[t]] = &plain_cell(sweep, axes->teachers[t], most)->pooled;
    RT_TRY(rt_style_claims(sets, claims, err));
    for (int t = 0; t < axes->teacher_count && axes->examples.count > 1; t++)
        RT_TRY(claim_more_examples(sweep, claims, axes->teachers[t], err));
    if (sets[RT_ARM_DISTILLED] != NULL && sets[RT_ARM_RIGID] != NULL) return claim_pays_from(sweep, claims, err);
    return RETORT_OK;
}

/* ---- the whole ---- */

static retort_status score_all(rt_sweep *sweep, retort_error *err) {
    const int bases = sweep->axes.exposure_count > 0 ? sweep->axes.exposure_count : 1;
    for (int c = 0; c < sweep->cell_count; c++)
        RT_TRY(rt_score_json(&sweep->cells[c].pooled, &sweep->cells[c].score, err));
    for (int x = 0; x < bases; x++) RT_TRY(rt_score_json(&sweep->bases[x].pooled, &sweep->bases[x].score, err));
    return RETORT_OK;
}

static void add_score(json_t *scores, rt_arm_id arm, const json_t *score) {
    json_t *entry = json_pack("{s:s, s:s}", "arm", RT_ARM_TABLE[arm].name, "split", "test");
    json_object_update(entry, (json_t *)(uintptr_t)score);
    json_array_append_new(scores, entry);
}

retort_status rt_sweep_measure(rt_sweep *sweep, json_t *report, retort_error *err) {
    const rt_sweep_axes *axes = &sweep->axes;
    json_t *scores = json_array(), *claims = json_array(), *section = json_object(), *bases = json_array(),
           *cells = json_array(), *pairs = json_array(), *curves = json_array();
    json_object_set_new(report, "scores", scores);
    json_object_set_new(report, "claims", claims);
    json_object_set_new(report, "sweep", section);
    json_object_set_new(section, "axes", axes_json(axes));
    json_object_set_new(section, "base", bases);
    json_object_set_new(section, "cells", cells);
    json_object_set_new(section, "pairs", pairs);
    json_object_set_new(section, "curves", curves);
    RT_TRY(score_all(sweep, err));
    for (int x = 0; x == 0 || x < axes->exposure_count; x++)
        json_array_append_new(bases, cell_json(sweep, &sweep->bases[x]));
    for (int c = 0; c < sweep->cell_count; c++) json_array_append_new(cells, cell_json(sweep, &sweep->cells[c]));
    add_curves(sweep, curves);
    add_score(scores, RT_ARM_BASE, sweep->bases[0].score);
    for (int t = 0; t < axes->teacher_count; t++)
        add_score(scores, axes->teachers[t],
                  plain_cell(sweep, axes->teachers[t], axes->examples.items[axes->examples.count - 1])->score);
    RT_TRY(add_pairs(sweep, pairs, err));
    return add_claims(sweep, claims, err);
}
