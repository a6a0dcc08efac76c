#include "evaluate/keep.h"

#include <math.h>
#include <time.h>

#include "ask/keep.h"
#include "store/manifests.h"
#include "store/metrics.h"
#include "store/scores.h"

typedef struct keeper {
    const rt_keeping *what;
    rt_store *store;
    char run[65];
    int64_t now;
} keeper;

/* ---- figures ---- */

static double number_of(const json_t *value) {
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

/* interval: [low, high], or NULL for a figure without one. */
static retort_status put_metric(const keeper *k, const char *name, const char *method, const json_t *value, int64_t n,
                                const json_t *interval, retort_error *err) {
    const rt_stored_metric metric = {.run = k->run,
                                     .name = name,
                                     .method = method,
                                     .value = number_of(value),
                                     .n = n,
                                     .low = number_of(json_array_get(interval, 0)),
                                     .high = number_of(json_array_get(interval, 1)),
                                     .created = k->now};
    return rt_store_put_metric(k->store, &metric, err);
}

static retort_status put_both(const keeper *k, const char *name, const json_t *value, int64_t n, const json_t *problems,
                              const json_t *sampling, retort_error *err) {
    RT_TRY(put_metric(k, name, "problems", value, n, problems, err));
    return put_metric(k, name, "sampling", value, n, sampling, err);
}

static retort_status put_at(const keeper *k, const char *benchmark, const char *label, const char *key,
                            const json_t *score, int64_t n, retort_error *err) {
    char problems[40], sampling[40];
    const char *at;
    json_t *value;
    snprintf(problems, sizeof problems, "%s_interval", key);
    snprintf(sampling, sizeof sampling, "%s_sampling_interval", key);
    json_object_foreach(json_object_get(score, key), at, value) {
        char name[300];
        snprintf(name, sizeof name, "%.200s/%s@%s", benchmark, label, at);
        RT_TRY(put_both(k, name, value, n, json_object_get(json_object_get(score, problems), at),
                        json_object_get(json_object_get(score, sampling), at), err));
    }
    return RETORT_OK;
}

static retort_status put_curve(const keeper *k, const char *benchmark, const json_t *score, int64_t samples,
                               retort_error *err) {
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(score, "curve"), i, row) {
        char name[300];
        const json_t *budget = json_object_get(row, "budget");
        if (!json_is_integer(budget)) continue; /* the run without a budget */
        snprintf(name, sizeof name, "%.200s/budget-%lld/avg@%lld", benchmark, (long long)json_integer_value(budget),
                 (long long)samples);
        RT_TRY(put_both(k, name, json_object_get(row, "avg"), json_integer_value(json_object_get(row, "n")),
                        json_object_get(row, "problems_interval"), json_object_get(row, "sampling_interval"), err));
    }
    return RETORT_OK;
}

static retort_status put_figures(const keeper *k, int64_t i, retort_error *err) {
    static const char *const RATES[] = {"stop_rate",  "length_rate",        "unparsed_rate", "over_budget_rate",
                                        "error_rate", "completed_accuracy", "mean_length",   "median_length"};
    const json_t *score = k->what->scores[i];
    const char *benchmark = k->what->benchmarks->items[i].name;
    const int64_t n = k->what->rounds[i].set.count, samples = k->what->rounds[i].n;
    char name[300];
    snprintf(name, sizeof name, "%.200s/avg@%lld", benchmark, (long long)samples);
    RT_TRY(put_both(k, name, json_object_get(score, "avg"), n, json_object_get(score, "problems_interval"),
                    json_object_get(score, "sampling_interval"), err));
    RT_TRY(put_at(k, benchmark, "pass", "pass_at", score, n, err));
    RT_TRY(put_at(k, benchmark, "maj", "maj_at", score, n, err));
    for (size_t r = 0; r < sizeof RATES / sizeof *RATES; r++) {
        snprintf(name, sizeof name, "%.200s/%s", benchmark, RATES[r]);
        RT_TRY(put_metric(k, name, "", json_object_get(score, RATES[r]), n, NULL, err));
    }
    return put_curve(k, benchmark, score, samples, err);
}

/* ---- responses and scores ---- */

/* What makes a local response, but for problem and sample. */
static retort_status recipe_of(const keeper *k, int64_t i, rt_buffer *out, retort_error *err) {
    static const char *const NAMES[] = {"seed",     "temperature", "top_p",   "top_k", "min_p",   "ban_list",
                                        "ban_mode", "ban_penalty", "ban_cap", "dtype", "kv_dtype"};
    const json_t *options = json_object_get(k->what->manifest, "options");
    json_t *recipe =
        json_pack("{s:O, s:s, s:I}", "files", json_object_get(k->what->manifest, "files"), "prompts",
                  k->what->rounds[i].prompts, "max_new_tokens", (json_int_t)k->what->rounds[i].max_new_tokens);
    int bad = recipe == NULL;
    for (size_t o = 0; o < sizeof NAMES / sizeof *NAMES && bad == 0; o++)
        bad |= json_object_set(recipe, NAMES[o], json_object_get(options, NAMES[o]));
    const retort_status st = bad == 0 ? rt_json_dump(recipe, JSON_COMPACT | JSON_SORT_KEYS, out, err)
                                      : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: what made a response");
    json_decref(recipe);
    return st;
}

static retort_status put_response(const keeper *k, int64_t i, const rt_record *record, const char *recipe, char key[65],
                                  retort_error *err) {
    const char *id = k->what->rounds[i].problems->items[record->problem].id;
    rt_buffer asked = {0}, request = {0};
    json_t *text = rt_json_text(record->text, record->length);
    retort_status st = text != NULL ? RETORT_OK : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: response text");
    if (st == RETORT_OK) st = rt_buffer_printf(&asked, err, "local\n%s\n%s\n%d\n", recipe, id, (int)record->sample);
    if (st == RETORT_OK) st = rt_buffer_printf(&request, err, "{\"manifest\":\"%s\"}", k->run);
    if (st == RETORT_OK) {
        rt_sha256(asked.data, asked.length, key);
        const rt_stored_response row = {.key = key,
                                        .problem_id = id,
                                        .sample = record->sample,
                                        .model = k->what->model,
                                        .source = "local",
                                        .request = request.data,
                                        .text = json_string_value(text),
                                        .finish_reason = record->finish == RT_FINISH_STOP ? "stop" : "length",
                                        .prompt_tokens = -1,
                                        .completion_tokens = record->tokens,
                                        .cost = -1,
                                        .seconds = -1,
                                        .first_token_seconds = -1,
                                        .created = k->now};
        st = rt_store_put(k->store, &row, NULL, err);
    }
    json_decref(text);
    rt_buffer_free(&asked);
    rt_buffer_free(&request);
    return st;
}

static retort_status put_scores(const keeper *k, const rt_record *record, const char *key, retort_error *err) {
    for (int g = 0; g < RT_GRADERS; g++) {
        const rt_stored_score score = {.response_key = key,
                                       .grader = rt_grader_name((rt_grader)g),
                                       .verdict = rt_verdict_name(record->by[g]),
                                       .reason = g == RT_GRADER_STRICT ? record->reason : NULL,
                                       .created = k->now};
        RT_TRY(rt_store_put_score(k->store, &score, err));
    }
    return RETORT_OK;
}

static retort_status put_round(const keeper *k, int64_t i, bool local, retort_error *err) {
    const rt_round *round = &k->what->rounds[i];
    rt_buffer recipe = {0};
    retort_status st = local ? recipe_of(k, i, &recipe, err) : RETORT_OK;
    for (int64_t r = 0; r < round->set.count && st == RETORT_OK && (local || round->keys != NULL); r++) {
        const rt_record *record = &round->set.records[r];
        char made[65];
        const char *key = local ? made : round->keys[record->problem * round->n + record->sample];
        if (local) st = put_response(k, i, record, recipe.data, made, err);
        if (st == RETORT_OK) st = put_scores(k, record, key, err);
    }
    rt_buffer_free(&recipe);
    return st == RETORT_OK ? put_figures(k, i, err) : st;
}

/* ---- the whole ---- */

static retort_status put_manifest(keeper *k, retort_error *err) {
    rt_buffer text = {0};
    retort_status st = rt_json_dump(k->what->manifest, JSON_COMPACT | JSON_SORT_KEYS, &text, err);
    if (st == RETORT_OK) st = rt_store_put_manifest(k->store, "eval", text.data, k->now, k->run, err);
    rt_buffer_free(&text);
    return st;
}

static retort_status keep_all(keeper *k, retort_error *err) {
    const rt_benchmarks *benchmarks = k->what->benchmarks;
    const bool local = json_object_size(json_object_get(k->what->manifest, "files")) > 0;
    for (int64_t i = 0; i < benchmarks->count; i++) {
        const rt_benchmark *one = &benchmarks->items[i];
        RT_TRY(rt_ask_put_problems(k->store, &one->problems, one->problems.count,
                                   one->path != NULL ? one->path : one->name, err));
    }
    RT_TRY(rt_store_begin(k->store, err));
    retort_status st = put_manifest(k, err);
    for (int64_t i = 0; i < benchmarks->count && st == RETORT_OK; i++) st = put_round(k, i, local, err);
    if (st == RETORT_OK) st = rt_store_commit(k->store, err);
    if (st != RETORT_OK) rt_store_rollback(k->store);
    return st;
}

retort_status rt_eval_keep(const rt_keeping *keeping, retort_error *err) {
    keeper k = {.what = keeping, .now = time(NULL)};
    RT_TRY(rt_store_open(keeping->store, &k.store, err));
    const retort_status st = keep_all(&k, err);
    rt_store_close(k.store);
    return st;
}
