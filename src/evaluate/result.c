/* What an evaluation came to, as JSON. */
#include <math.h>

#include "analyze/jsonout.h"
#include "evaluate/budget.h"
#include "evaluate/evaluating.h"
#include "evaluate/keep.h"

static retort_status add_graders(const rt_round *round, json_t *score, retort_error *err) {
    const rt_problems *problems = round->problems;
    const char **ids = rt_malloc_array((size_t)problems->count, sizeof *ids);
    RT_CHECK(ids != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld problems", (long long)problems->count);
    for (int64_t i = 0; i < problems->count; i++) ids[i] = problems->items[i].id;
    const retort_status st = rt_graders_json(&round->set, ids, score, err);
    rt_free(ids);
    return st;
}

/* A score needs a response to every problem. */
static bool is_complete(const rt_response_set *set, const rt_problems *problems) {
    int64_t seen = 0, last = -1;
    for (int64_t i = 0; i < set->count; i++) {
        seen += set->records[i].problem != last; /* records are problem-major */
        last = set->records[i].problem;
    }
    return seen == problems->count;
}

static retort_status add_scores(const rt_evaluating *e, const rt_round *round, json_t **score, retort_error *err) {
    if (!is_complete(&round->set, round->problems)) {
        *score = json_pack("{s:I, s:n}", "n_problems", (json_int_t)round->problems->count, "avg");
        RT_CHECK(*score != NULL, err, RETORT_ERR_MEMORY, "out of memory: score");
        return RETORT_OK;
    }
    RT_TRY(rt_score_json(&round->set, score, err));
    RT_TRY(add_graders(round, *score, err));
    if (e->what.num_budgets == 0 || round->missing > 0) return RETORT_OK;
    json_t *curve = NULL;
    RT_TRY(rt_budget_curve(round, e->what.num_budgets, &curve, err));
    json_object_set_new(*score, "curve", curve);
    return RETORT_OK;
}

static retort_status score_round(const rt_evaluating *e, int64_t i, json_t **out, retort_error *err) {
    const rt_round *round = &e->rounds[i];
    json_t *score = NULL;
    const retort_status st = add_scores(e, round, &score, err);
    if (st != RETORT_OK) {
        json_decref(score);
        return st;
    }
    const double total = (double)(round->problems->count * round->n);
    json_object_set_new(score, "benchmark", json_string(round->benchmark));
    json_object_set_new(score, "grader", json_string(rt_grader_name(e->what.grader)));
    json_object_set_new(score, "errors", json_integer(round->missing));
    rt_json_set_real(score, "error_rate", (double)round->missing / total);
    if (round->begun != NULL) json_object_set_new(score, "extended", json_integer(round->extended));
    if (round->without_tokens > 0) {
        json_object_set_new(score, "responses_without_length", json_integer(round->without_tokens));
        rt_json_set_real(score, "mean_length", (double)NAN);
        rt_json_set_real(score, "median_length", (double)NAN);
    }
    if (e->options->endpoint.base_url == NULL) rt_json_set_real(score, "flops", round->flops);
    *out = score;
    return RETORT_OK;
}

static void add_settings(const rt_evaluating *e, json_t *result) {
    const retort_eval_options *o = e->options;
    json_object_set_new(result, "model", json_string(o->model));
    json_t *sampling = json_pack("{s:I, s:I, s:I}", "seed", (json_int_t)o->seed, "max_new_tokens",
                                 (json_int_t)e->rounds[0].max_new_tokens, "top_k", (json_int_t)o->top_k);
    rt_json_set_real(sampling, "temperature", o->temperature);
    rt_json_set_real(sampling, "top_p", o->top_p);
    rt_json_set_real(sampling, "min_p", o->min_p);
    json_object_set_new(result, "sampling", sampling);
    if (json_array_size(e->notes) > 0) json_object_set(result, "notes", e->notes);
    if (o->endpoint.base_url == NULL) return;
    const rt_ask_account *a = &e->account;
    json_t *account = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "asked", (json_int_t)a->asked, "reused",
                                (json_int_t)a->reused, "failed", (json_int_t)a->failed, "cut", (json_int_t)a->cut,
                                "prompt_tokens", (json_int_t)a->prompt_tokens, "completion_tokens",
                                (json_int_t)a->completion_tokens, "without_usage", (json_int_t)a->without_usage);
    rt_json_set_real(account, "cost", a->cost >= 0 ? a->cost : (double)NAN);
    if (o->endpoint.dry_run) {
        json_object_set_new(account, "estimated_tokens", json_integer(a->estimated_tokens));
        rt_json_set_real(account, "estimated_cost", a->estimated_cost >= 0 ? a->estimated_cost : (double)NAN);
    }
    json_object_set_new(result, "account", account);
}

/* A row of the table over all benchmarks. */
static json_t *summary_of(const json_t *score) {
    static const char *const KEYS[] = {"benchmark",         "n_problems",        "n_samples",          "avg",
                                       "sampling_interval", "problems_interval", "completed_accuracy", "stop_rate",
                                       "length_rate",       "unparsed_rate",     "error_rate",         "mean_length"};
    json_t *row = json_object();
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
        json_t *value = json_object_get(score, KEYS[i]);
        json_object_set(row, KEYS[i], value != NULL ? value : json_null());
    }
    return row;
}

/* One score, or a table over all and each of them. */
static json_t *join_scores(json_t *const *scores, int64_t count) {
    if (count == 1) return json_incref(scores[0]);
    json_t *summary = json_array(), *list = json_array();
    for (int64_t i = 0; i < count; i++) {
        json_array_append_new(summary, summary_of(scores[i]));
        json_array_append(list, scores[i]);
    }
    return json_pack("{s:o, s:o}", "summary", summary, "benchmarks", list);
}

static retort_status keep(const rt_evaluating *e, json_t *const *scores, retort_error *err) {
    if (e->options->store == NULL) return RETORT_OK;
    const rt_keeping keeping = {.store = e->options->store,
                                .model = e->what.name,
                                .manifest = e->manifest,
                                .benchmarks = &e->benchmarks,
                                .rounds = e->rounds,
                                .scores = (const json_t *const *)scores};
    return rt_eval_keep(&keeping, err);
}

static retort_status make_scores(const rt_evaluating *e, json_t **scores, char **json, retort_error *err) {
    for (int64_t i = 0; i < e->benchmarks.count; i++) RT_TRY(score_round(e, i, &scores[i], err));
    RT_TRY(keep(e, scores, err));
    json_t *result = join_scores(scores, e->benchmarks.count);
    RT_CHECK(result != NULL, err, RETORT_ERR_MEMORY, "out of memory: result");
    add_settings(e, result);
    return rt_json_result(result, json, err);
}

retort_status rt_eval_result(const rt_evaluating *e, char **json, retort_error *err) {
    if (e->options->endpoint.dry_run && e->options->endpoint.base_url != NULL) {
        json_t *estimate = json_object();
        RT_CHECK(estimate != NULL, err, RETORT_ERR_MEMORY, "out of memory: result");
        add_settings(e, estimate);
        return rt_json_result(estimate, json, err);
    }
    json_t **scores = rt_calloc((size_t)e->benchmarks.count, sizeof *scores);
    RT_CHECK(scores != NULL, err, RETORT_ERR_MEMORY, "out of memory: scores");
    const retort_status st = make_scores(e, scores, json, err);
    for (int64_t i = 0; i < e->benchmarks.count; i++) json_decref(scores[i]);
    rt_free(scores);
    return st;
}
