/* `retort eval`. */
#include <stdlib.h>
#include <string.h>

#include "evaluate/budget.h"
#include "evaluate/evaluating.h"
#include "evaluate/manifest.h"
#include "retort/plan.h"

static retort_status note(rt_evaluating *e, const char *text, retort_error *err) {
    RT_CHECK(json_array_append_new(e->notes, json_string(text)) == 0, err, RETORT_ERR_MEMORY, "out of memory: notes");
    return RETORT_OK;
}

/* ---- before ---- */

static retort_status load_benchmarks(rt_evaluating *e, retort_error *err) {
    const retort_eval_options *o = e->options;
    RT_CHECK(o->problems == NULL || o->tasks == NULL, err, RETORT_ERR_USAGE, "give problems or tasks, not both");
    if (o->tasks != NULL) return rt_benchmarks_known(o->tasks, o->data_dir, o->n, &e->benchmarks, err);
    if (o->problems != NULL) return rt_benchmarks_read(o->problems, o->n, &e->benchmarks, err);
    return rt_benchmarks_world(o->split, o->count, (uint64_t)o->problems_seed, o->n, &e->benchmarks, err);
}

/* A file for one benchmark, a folder with a file for each of several. */
static retort_status path_in(const rt_evaluating *e, const char *where, int64_t i, char **out, retort_error *err) {
    rt_buffer path = {0};
    const retort_status st = e->benchmarks.count == 1
                                 ? rt_buffer_puts(&path, where, err)
                                 : rt_buffer_printf(&path, err, "%s/%s.jsonl", where, e->benchmarks.items[i].name);
    *out = path.data;
    return st;
}

static retort_status read_earlier(rt_evaluating *e, int64_t i, retort_error *err) {
    char *path = NULL;
    retort_status st = path_in(e, e->options->extend, i, &path, err);
    if (st == RETORT_OK)
        st = rt_earlier_read(path, &e->benchmarks.items[i].problems, e->benchmarks.items[i].n, &e->earlier[i], err);
    rt_free(path);
    if (st == RETORT_OK) e->rounds[i].begun = &e->earlier[i];
    return st;
}

static retort_status make_rounds(rt_evaluating *e, retort_error *err) {
    const size_t count = (size_t)e->benchmarks.count;
    e->rounds = rt_calloc(count, sizeof *e->rounds);
    e->paths = rt_calloc(count, sizeof *e->paths);
    e->earlier = rt_calloc(count, sizeof *e->earlier);
    RT_CHECK(e->rounds != NULL && e->paths != NULL && e->earlier != NULL, err, RETORT_ERR_MEMORY,
             "out of memory: benchmarks");
    if (e->options->output != NULL && count > 1) RT_TRY(rt_make_dirs(e->options->output, err));
    for (int64_t i = 0; i < e->benchmarks.count; i++) {
        const rt_benchmark *one = &e->benchmarks.items[i];
        if (e->options->output != NULL) RT_TRY(path_in(e, e->options->output, i, &e->paths[i], err));
        e->rounds[i] = (rt_round){.benchmark = one->name, .problems = &one->problems, .n = one->n, .path = e->paths[i]};
        if (e->options->extend != NULL) RT_TRY(read_earlier(e, i, err));
    }
    return RETORT_OK;
}

/* \n in place. */
static retort_status closing_text(rt_evaluating *e, retort_error *err) {
    const char *text = e->options->budget_text;
    e->close = rt_strdup(text != NULL ? text : RT_CLOSE_THOUGHT);
    RT_CHECK(e->close != NULL, err, RETORT_ERR_MEMORY, "out of memory: text that closes a thought");
    if (text == NULL) return RETORT_OK;
    char *to = e->close;
    for (const char *from = text; *from != '\0'; from++) {
        const bool feed = from[0] == '\\' && from[1] == 'n';
        *to++ = feed ? '\n' : *from;
        from += feed;
    }
    *to = '\0';
    return RETORT_OK;
}

static retort_status describe(rt_evaluating *e, retort_error *err) {
    const retort_eval_options *o = e->options;
    int32_t num_budgets;
    RT_TRY(rt_budgets_parse(o->budget, &e->budgets, &num_budgets, err));
    RT_CHECK(num_budgets == 0 || o->extend == NULL, err, RETORT_ERR_USAGE,
             "budget and extend do not go together: budgets cut what extend makes longer");
    RT_TRY(closing_text(e, err));
    if (o->ban_list != NULL) RT_TRY(rt_ban_list_read(o->ban_list, &e->bans, err));
    e->what = (rt_evaluation){
        .model = {o->model, o->adapter, (rt_weights_form)o->dtype, (rt_dtype)o->kv_dtype},
        .name = o->model,
        .grader = (rt_grader)o->grader,
        .batch = o->batch,
        .memory_limit = o->memory_limit,
        .sampling = {.temperature = (float)o->temperature,
                     .top_p = (float)o->top_p,
                     .top_k = (int32_t)o->top_k,
                     .min_p = (float)o->min_p,
                     .seed = (uint64_t)o->seed,
                     .max_new_tokens = o->max_new_tokens,
                     .ban_mode = (rt_ban_mode)o->ban_mode,
                     .ban_penalty = (float)o->ban_penalty,
                     .ban_cap = (float)o->ban_cap},
        .bans = &e->bans,
        .prompting = {o->system_prompt, o->instruction},
        .budgets = e->budgets,
        .num_budgets = num_budgets,
        .close = e->close,
        .answer_tokens = o->answer_tokens,
        .stage = "eval",
    };
    return RETORT_OK;
}

static retort_status prepare(rt_evaluating *e, retort_error *err) {
    const retort_eval_options *o = e->options;
    RT_CHECK(o->model != NULL, err, RETORT_ERR_USAGE, "'--model %s' is required",
             o->endpoint.base_url != NULL ? "NAME" : "DIR");
    RT_CHECK(o->replay == NULL || o->output != NULL, err, RETORT_ERR_USAGE,
             "replay needs the option 'output': where the responses go");
    RT_CHECK(e->replayed == NULL || o->endpoint.base_url == NULL, err, RETORT_ERR_USAGE,
             "only a run of a model directory can be replayed; an endpoint's replies are in its store");
    e->notes = json_array();
    RT_CHECK(e->notes != NULL, err, RETORT_ERR_MEMORY, "out of memory: notes");
    RT_TRY(load_benchmarks(e, err));
    RT_TRY(make_rounds(e, err));
    RT_TRY(describe(e, err));
    /* A model that stands elsewhere now is still called what it was called. */
    const json_t *then = json_object_get(json_object_get(e->replayed, "options"), "model");
    if (json_is_string(then)) e->what.name = json_string_value(then);
    return RETORT_OK;
}

/* ---- manifests ---- */

static retort_status check_earlier_manifest(rt_evaluating *e, retort_error *err) {
    rt_buffer path = {0};
    json_t *then = NULL;
    bool same_program = true;
    retort_status st = rt_manifest_path(e->options->extend, e->benchmarks.count > 1, &path, err);
    if (st == RETORT_OK && !rt_path_exists(path.data))
        st =
            rt_fail(err, RETORT_ERR_NOT_FOUND,
                    "'%s' is missing: without the manifest of the shorter run nobody knows how it was made", path.data);
    if (st == RETORT_OK) st = rt_manifest_read(path.data, &then, err);
    if (st == RETORT_OK) st = rt_manifest_compare(then, e->manifest, path.data, true, &same_program, err);
    if (st == RETORT_OK && !same_program) st = note(e, "the shorter run was made by another build of retort", err);
    json_decref(then);
    rt_buffer_free(&path);
    return st;
}

static retort_status before(void *context, const rt_round *rounds, int64_t count, retort_error *err) {
    rt_evaluating *e = context;
    (void)count;
    if (e->options->output == NULL && e->options->extend == NULL && e->options->store == NULL) return RETORT_OK;
    RT_TRY(rt_manifest_make(e->options, &e->benchmarks, rounds, &e->manifest, err));
    if (e->options->extend != NULL) RT_TRY(check_earlier_manifest(e, err));
    if (e->replayed == NULL) return RETORT_OK;
    bool same_program = true;
    RT_TRY(rt_manifest_compare(e->replayed, e->manifest, e->options->replay, false, &same_program, err));
    return same_program ? RETORT_OK : note(e, "the run was made by another build of retort", err);
}

static retort_status write_manifest(rt_evaluating *e, retort_error *err) {
    rt_buffer path = {0};
    if (e->options->output == NULL || e->manifest == NULL) return RETORT_OK;
    for (int64_t i = 0; i < e->benchmarks.count; i++)
        RT_TRY(rt_manifest_add_responses(e->manifest, i, &e->rounds[i], e->what.num_budgets, err));
    retort_status st = rt_manifest_path(e->options->output, e->benchmarks.count > 1, &path, err);
    if (st == RETORT_OK) st = rt_json_save(path.data, e->manifest, err);
    rt_buffer_free(&path);
    return st;
}

/* ---- the whole ---- */

static retort_status run_local(rt_evaluating *e, retort_error *err) {
    char lowered[200] = "";
    const rt_before hook = {before, e};
    RT_TRY(rt_compute_init(err));
    rt_compute_set_threads((int)e->options->threads);
    RT_TRY(rt_evaluate_local(&e->what, e->rounds, e->benchmarks.count, &hook, e->progress, lowered, err));
    return lowered[0] != '\0' ? note(e, lowered, err) : RETORT_OK;
}

static retort_status run_remote(rt_evaluating *e, retort_error *err) {
    const retort_eval_options *o = e->options;
    retort_endpoint_options endpoint = o->endpoint; /* its strings stay the options' */
    endpoint.model = o->model;
    const rt_remote remote = {.endpoint = &endpoint,
                              .store = o->store,
                              .template_dir = o->template_dir,
                              .temperature = o->temperature,
                              .top_p = o->top_p,
                              .min_p = o->min_p,
                              .top_k = o->top_k};
    const rt_before hook = {before, e};
    return rt_evaluate_remote(&e->what, &remote, e->rounds, e->benchmarks.count, &hook, e->progress, &e->account, err);
}

static int64_t count_missing(const rt_evaluating *e) {
    int64_t missing = 0;
    for (int64_t i = 0; i < e->benchmarks.count; i++) missing += e->rounds[i].missing;
    return missing;
}

/* What came back is scored and kept also where some is missing. */
static retort_status finish(rt_evaluating *e, retort_status done, char **json, retort_error *err) {
    retort_error later = {0};
    retort_error *to = done == RETORT_OK ? err : &later;
    const bool asked = e->options->endpoint.base_url == NULL || !e->options->endpoint.dry_run;
    if (asked && done == RETORT_OK) RT_TRY(write_manifest(e, to));
    const retort_status st = rt_eval_result(e, json, to);
    if (done != RETORT_OK) return done;
    if (st == RETORT_OK && e->replayed != NULL)
        return rt_manifest_compare_responses(e->replayed, e->manifest, e->options->replay, err);
    return st;
}

static void release(rt_evaluating *e) {
    for (int64_t i = 0; i < e->benchmarks.count; i++) {
        if (e->rounds != NULL) rt_round_free(&e->rounds[i], e->what.num_budgets);
        if (e->paths != NULL) rt_free(e->paths[i]);
        if (e->earlier != NULL) rt_earlier_free(&e->earlier[i]);
    }
    rt_free(e->rounds);
    rt_free(e->paths);
    rt_free(e->earlier);
    rt_benchmarks_free(&e->benchmarks);
    rt_ban_list_free(&e->bans);
    rt_free(e->budgets);
    rt_free(e->close);
    json_decref(e->manifest);
    json_decref(e->notes);
}

static retort_status evaluate(const retort_eval_options *options, const json_t *replayed,
                              const retort_progress *progress, char **json, retort_error *err) {
    rt_evaluating e = {.options = options, .progress = progress, .replayed = replayed};
    retort_status st = prepare(&e, err);
    if (st == RETORT_OK) {
        const bool elsewhere = options->endpoint.base_url != NULL;
        st = elsewhere ? run_remote(&e, err) : run_local(&e, err);
        if (st == RETORT_OK || (elsewhere && st == RETORT_ERR_IO && count_missing(&e) > 0))
            st = finish(&e, st, json, err);
    }
    release(&e);
    return st;
}

/* An option that says where a thing is now; the rest is the manifest's. */
static retort_status overlay(const retort_eval_options *given, retort_eval_options *out, retort_error *err) {
    static const char *const NAMES[] = {"model",  "adapter", "problems", "output",
                                        "replay", "batch",   "threads",  "memory_limit"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        char *text = NULL;
        RT_TRY(retort_options_get(retort_eval_option_table, given, NAMES[i], &text, err));
        const retort_status st = text[0] == '\0' && strcmp(NAMES[i], "output") != 0
                                     ? RETORT_OK
                                     : retort_options_set(retort_eval_option_table, out, NAMES[i], text, err);
        free(text);
        RT_TRY(st);
    }
    if (strcmp(given->data_dir, "data") != 0) /* where a folder of its own was given */
        return retort_options_set(retort_eval_option_table, out, "data_dir", given->data_dir, err);
    return RETORT_OK;
}

static retort_status replay(const retort_eval_options *given, const retort_progress *progress, char **json,
                            retort_error *err) {
    json_t *manifest = NULL;
    retort_eval_options options = {0};
    RT_TRY(rt_manifest_read(given->replay, &manifest, err));
    retort_status st = retort_options_defaults(retort_eval_option_table, &options, err);
    if (st == RETORT_OK) st = rt_manifest_options(manifest, &options, err);
    if (st == RETORT_OK) st = overlay(given, &options, err);
    if (st == RETORT_OK) st = evaluate(&options, manifest, progress, json, err);
    retort_options_release(retort_eval_option_table, &options);
    json_decref(manifest);
    return st;
}

retort_status retort_eval(const retort_eval_options *options, const retort_progress *progress, char **json,
                          retort_error *err) {
    *json = NULL;
    RT_TRY(retort_options_check(retort_eval_option_table, options, err));
    return options->replay != NULL ? replay(options, progress, json, err)
                                   : evaluate(options, NULL, progress, json, err);
}

retort_status retort_eval_plan(const retort_eval_options *options, const retort_machine *machine, bool json, char **out,
                               size_t *length, retort_error *err) {
    rt_evaluating e = {.options = options};
    rt_plan plan;
    char lowered[200];
    *out = NULL;
    RT_CHECK(options->endpoint.base_url == NULL && options->replay == NULL, err, RETORT_ERR_USAGE,
             "a plan is made for a model directory; for an endpoint --dry-run tells tokens and cost");
    retort_status st = prepare(&e, err);
    if (st == RETORT_OK) st = rt_compute_init(err);
    if (st == RETORT_OK) rt_compute_set_threads((int)options->threads);
    if (st == RETORT_OK) st = rt_evaluate_plan(&e.what, machine, e.rounds, e.benchmarks.count, &plan, lowered, err);
    json_t *more = st == RETORT_OK && lowered[0] != '\0' ? json_pack("{s:s}", "note", lowered) : NULL;
    if (st == RETORT_OK) st = rt_plan_result(&plan, json, more, out, length, err);
    json_decref(more);
    release(&e);
    return st;
}
