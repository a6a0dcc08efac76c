#include "judge/summary.h"

#include <math.h>

#include "analyze/jsonout.h"

/* Per problem: responses and words that were judged, and sums over them. */
typedef struct problem_sums {
    double responses, words, count, present;
} problem_sums;

typedef struct cell { /* one model, judge and behaviour */
    const rt_judged_set *set;
    int32_t model, judge, behavior;
    problem_sums *sums; /* [problems] */
    int64_t problems;   /* that have any */
    double spread, split;
} cell;

static void add_up(cell *c) {
    const rt_votes *votes = c->set->votes;
    for (int64_t p = 0; p < c->set->items->problems.count; p++) c->sums[p] = (problem_sums){0};
    c->spread = c->split = 0;
    for (int64_t i = 0, run; i < votes->count; i += run) {
        const rt_item *item = &c->set->items->items[votes->items[i].item];
        run = rt_votes_run(votes, i);
        if (item->model != c->model || votes->items[i].judge != c->judge) continue;
        const rt_majority m = rt_votes_majority(votes->items + i, run, c->behavior);
        if (isnan(m.count)) continue;
        problem_sums *sums = &c->sums[item->problem];
        sums->responses++;
        sums->words += (double)item->words;
        sums->count += m.count;
        sums->present += m.present;
        c->spread += m.spread;
        c->split += m.split;
    }
    c->problems = 0;
    for (int64_t p = 0; p < c->set->items->problems.count; p++) /* the others would only be drawn in vain */
        if (c->sums[p].responses > 0) c->sums[c->problems++] = c->sums[p];
}

static double total(const cell *c, size_t offset) {
    double sum = 0;
    for (int64_t p = 0; p < c->problems; p++) sum += *(const double *)((const char *)&c->sums[p] + offset);
    return sum;
}

/* Adds scale * above / below with its interval. */
static retort_status set_rate(const cell *c, json_t *out, const char *name, const char *interval_name, size_t above,
                              size_t below, double scale, retort_error *err) {
    const double denominator = total(c, below), value = denominator > 0 ? scale * total(c, above) / denominator : NAN;
    const char *base = (const char *)c->sums;
    const rt_rate rate = {(const double *)(base + above), (const double *)(base + below),
                          sizeof *c->sums / sizeof(double), scale};
    rt_interval interval = {NAN, NAN};
    const bool share = above == offsetof(problem_sums, present);
    /* No draw differs where every response is alike; what other problems would show is then only bounded by their
     * number. */
    if (share && (value == 0 || value == 1))
        interval = rt_wilson(value, (double)c->problems, RT_NORMAL_QUANTILE);
    else if (c->problems > 1 && !isnan(value))
        RT_TRY(rt_rate_interval(&rate, c->problems, c->set->seed + (uint64_t)c->behavior, &interval, err));
    rt_json_set_real(out, name, value);
    rt_json_set_interval(out, interval_name, interval);
    return RETORT_OK;
}

static retort_status behavior_json(cell *c, bool several, json_t *out, retort_error *err) {
    add_up(c);
    const double n = total(c, offsetof(problem_sums, responses));
    json_object_set_new(out, "n", json_integer((json_int_t)n));
    if (n <= 0) return RETORT_OK;
    RT_TRY(
        set_rate(c, out, "mean", "interval", offsetof(problem_sums, count), offsetof(problem_sums, responses), 1, err));
    RT_TRY(set_rate(c, out, "share", "share_interval", offsetof(problem_sums, present),
                    offsetof(problem_sums, responses), 1, err));
    RT_TRY(set_rate(c, out, "per_1000_words", "rate_interval", offsetof(problem_sums, count),
                    offsetof(problem_sums, words), 1000, err));
    if (!several) return RETORT_OK;
    rt_json_set_real(out, "spread", c->spread / n);
    rt_json_set_real(out, "split", c->split / n);
    return RETORT_OK;
}

typedef struct tally {
    int64_t votes, judged, status[3];
} tally;

static tally count_votes(const rt_judged_set *set, int32_t model, int32_t judge) {
    tally t = {0};
    for (int64_t i = 0, run; i < set->votes->count; i += run) {
        const rt_vote *v = &set->votes->items[i];
        run = rt_votes_run(set->votes, i);
        if (v->judge != judge || set->items->items[v->item].model != model) continue;
        bool any = false;
        for (int64_t k = 0; k < run; k++) {
            t.status[v[k].status]++;
            any = any || v[k].status == RT_JUDGED_OK;
        }
        t.votes += run;
        t.judged += any;
    }
    return t;
}

static retort_status judge_json(cell *c, const tally *t, json_t **out, retort_error *err) {
    const rt_judge *judge = &c->set->votes->judges[c->judge];
    json_t *behaviors = json_object();
    *out = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:o}", "judge", judge->name, "prompt_version", judge->version,
                     "votes", (json_int_t)t->votes, "judged", (json_int_t)t->judged, "unparsed",
                     (json_int_t)t->status[RT_JUDGED_UNPARSED], "refused", (json_int_t)t->status[RT_JUDGED_REFUSED],
                     "behaviors", behaviors);
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory: summary");
    for (c->behavior = 0; c->behavior < c->set->behaviors->count; c->behavior++) {
        if (judge->known != 0 && (judge->known >> c->behavior & 1) == 0) continue;
        json_t *entry = json_object();
        const retort_status st = behavior_json(c, judge->most_votes > 1, entry, err);
        json_object_set_new(behaviors, c->set->behaviors->items[c->behavior].name, entry);
        RT_TRY(st);
    }
    return RETORT_OK;
}

static retort_status model_json(cell *c, json_t *judges, retort_error *err) {
    for (c->judge = 0; c->judge < c->set->votes->judge_count; c->judge++) {
        const tally t = count_votes(c->set, c->model, c->judge);
        json_t *entry = NULL;
        if (t.votes == 0) continue;
        const retort_status st = judge_json(c, &t, &entry, err);
        json_array_append_new(judges, entry);
        RT_TRY(st);
    }
    return RETORT_OK;
}

static json_t *model_head(const rt_judged_set *set, int32_t model, json_t *judges) {
    int64_t responses = 0, truncated = 0;
    for (int64_t i = 0; i < set->items->count; i++) {
        const rt_item *item = &set->items->items[i];
        responses += item->model == model;
        truncated += item->model == model && item->truncated;
    }
    return json_pack("{s:s, s:I, s:I, s:o}", "model", set->items->models.items[model], "responses",
                     (json_int_t)responses, "truncated", (json_int_t)truncated, "judges", judges);
}

retort_status rt_summary_json(const rt_judged_set *set, json_t **out, retort_error *err) {
    *out = NULL;
    problem_sums *sums = rt_calloc((size_t)set->items->problems.count, sizeof *sums);
    RT_CHECK(sums != NULL, err, RETORT_ERR_MEMORY, "out of memory: summary");
    json_t *models = json_array();
    retort_status st = RETORT_OK;
    for (int32_t m = 0; m < set->items->models.count && st == RETORT_OK; m++) {
        cell c = {.set = set, .model = m, .sums = sums};
        json_t *judges = json_array();
        json_array_append_new(models, model_head(set, m, judges));
        st = model_json(&c, judges, err);
    }
    rt_free(sums);
    if (st == RETORT_OK)
        *out = models;
    else
        json_decref(models);
    return st;
}
