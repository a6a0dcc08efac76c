#include "evaluate/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "evaluate/budget.h"

/* ---- what a run is made of ---- */

retort_status rt_manifest_path(const char *output, bool folder, rt_buffer *out, retort_error *err) {
    static const char END[] = ".jsonl";
    size_t stem = strlen(output);
    if (folder) return rt_buffer_printf(out, err, "%s/manifest.json", output);
    if (stem > sizeof END - 1 && strcmp(output + stem - (sizeof END - 1), END) == 0) stem -= sizeof END - 1;
    return rt_buffer_printf(out, err, "%.*s.manifest.json", (int)stem, output);
}

static retort_status hash_into(json_t *object, const char *name, const char *path, retort_error *err) {
    char hex[65];
    RT_TRY(rt_sha256_file(path, hex, err));
    RT_CHECK(json_object_set_new(object, name, json_string(hex)) == 0, err, RETORT_ERR_FORMAT,
             "the name '%s' is not UTF-8", name);
    return RETORT_OK;
}

/* Files of a folder that decide what a model computes; those with this ending, or of this very name. */
static retort_status hash_some(const char *dir, const char *ending, const char *label, json_t *files,
                               retort_error *err) {
    char **names = NULL;
    int64_t count = 0;
    RT_TRY(rt_dir_list(dir, ending, &names, &count, err));
    retort_status st = RETORT_OK;
    for (int64_t i = 0; i < count; i++) {
        char *path = rt_path_join(dir, names[i]);
        rt_buffer name = {0};
        if (st == RETORT_OK && path == NULL) st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: name of a file");
        if (st == RETORT_OK) st = rt_buffer_printf(&name, err, "%s/%s", label, names[i]);
        if (st == RETORT_OK) st = hash_into(files, name.data, path, err);
        rt_buffer_free(&name);
        rt_free(path);
        rt_free(names[i]);
    }
    rt_free(names);
    return st;
}

/* Names without the folder's own, so that a folder may be moved. */
static retort_status hash_model(const char *where, const char *label, json_t *files, retort_error *err) {
    static const char *const ENDINGS[] = {
        "config.json", "tokenizer.json", "special_tokens_map.json", ".safetensors.index.json", ".safetensors",
        ".jinja",      ".gguf"};
    if (where == NULL) return RETORT_OK;
    if (!rt_path_is_dir(where)) return hash_into(files, label, where, err);
    for (size_t i = 0; i < sizeof ENDINGS / sizeof *ENDINGS; i++)
        RT_TRY(hash_some(where, ENDINGS[i], label, files, err));
    return RETORT_OK;
}

/* What changes no response: where things go, how hard a machine or an endpoint is pressed. Equal runs have equal
 * manifests. */
static bool changes_nothing(const char *name) {
    static const char *const NAMES[] = {"output",  "replay",       "store",       "batch",
                                        "threads", "memory_limit", "concurrency", "requests_per_minute",
                                        "retries", "retry_pause",  "timeout",     "first_token_timeout",
                                        "stream",  "api_key_file", "max_cost",    "tokens_per_minute",
                                        "dry_run", "prices",       "price_input", "price_output"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (strcmp(name, NAMES[i]) == 0) return true;
    return false;
}

static retort_status add_options(const retort_eval_options *options, json_t *manifest, retort_error *err) {
    json_t *all = json_object();
    json_object_set_new(manifest, "options", all);
    for (const retort_option *option = retort_eval_option_table; option->name != NULL; option++) {
        char *text = NULL;
        if (changes_nothing(option->name)) continue;
        RT_TRY(retort_options_get(retort_eval_option_table, options, option->name, &text, err));
        const int bad = json_object_set_new(all, option->name, json_string(text));
        free(text);
        RT_CHECK(bad == 0, err, RETORT_ERR_FORMAT, "option '%s' is not UTF-8", option->name);
    }
    return RETORT_OK;
}

static retort_status add_benchmarks(const rt_benchmarks *benchmarks, const rt_round *rounds, json_t *manifest,
                                    retort_error *err) {
    json_t *list = json_array();
    json_object_set_new(manifest, "benchmarks", list);
    for (int64_t i = 0; i < benchmarks->count; i++) {
        char hex[65];
        RT_TRY(rt_benchmark_hash(&benchmarks->items[i], hex, err));
        json_t *one =
            json_pack("{s:s, s:I, s:I, s:s, s:s}", "name", benchmarks->items[i].name, "n", (json_int_t)rounds[i].n,
                      "problems", (json_int_t)rounds[i].problems->count, "data", hex, "prompts", rounds[i].prompts);
        RT_CHECK(json_array_append_new(list, one) == 0, err, RETORT_ERR_FORMAT, "a benchmark's name is not UTF-8");
    }
    return RETORT_OK;
}

static retort_status fill(const retort_eval_options *options, const rt_benchmarks *benchmarks, const rt_round *rounds,
                          json_t *manifest, retort_error *err) {
    json_t *files = json_object();
    RT_TRY(hash_into(manifest, "binary", "/proc/self/exe", err));
    RT_TRY(add_options(options, manifest, err));
    json_object_set_new(manifest, "files", files);
    if (options->endpoint.base_url == NULL) {
        RT_TRY(hash_model(options->model, "model", files, err));
        RT_TRY(hash_model(options->adapter, "adapter", files, err));
    }
    return add_benchmarks(benchmarks, rounds, manifest, err);
}

retort_status rt_manifest_make(const retort_eval_options *options, const rt_benchmarks *benchmarks,
                               const rt_round *rounds, json_t **out, retort_error *err) {
    json_t *manifest = json_pack("{s:i, s:s, s:s}", "retort_manifest", 1, "kind", "eval", "version", RETORT_VERSION);
    RT_CHECK(manifest != NULL, err, RETORT_ERR_MEMORY, "out of memory: manifest");
    const retort_status st = fill(options, benchmarks, rounds, manifest, err);
    if (st == RETORT_OK)
        *out = manifest;
    else
        json_decref(manifest);
    return st;
}

retort_status rt_manifest_add_responses(json_t *manifest, int64_t i, const rt_round *round, int32_t num_budgets,
                                        retort_error *err) {
    json_t *one = json_array_get(json_object_get(manifest, "benchmarks"), (size_t)i), *hashes = json_object();
    json_object_set_new(one, "responses", hashes);
    RT_TRY(hash_into(hashes, "responses", round->path, err));
    for (int32_t b = 0; b < num_budgets; b++) {
        char name[40];
        rt_buffer path = {0};
        snprintf(name, sizeof name, "budget-%lld", (long long)round->budgeted[b].tokens);
        retort_status st = rt_budget_path(round->path, round->budgeted[b].tokens, &path, err);
        if (st == RETORT_OK) st = hash_into(hashes, name, path.data, err);
        rt_buffer_free(&path);
        RT_TRY(st);
    }
    return RETORT_OK;
}

/* ---- reading ---- */

retort_status rt_manifest_read(const char *path, json_t **out, retort_error *err) {
    RT_TRY(rt_json_load(path, out, err));
    const bool known = json_is_integer(json_object_get(*out, "retort_manifest")) &&
                       json_integer_value(json_object_get(*out, "retort_manifest")) == 1 &&
                       json_is_string(json_object_get(*out, "kind")) &&
                       strcmp(json_string_value(json_object_get(*out, "kind")), "eval") == 0 &&
                       json_is_object(json_object_get(*out, "options")) &&
                       json_is_object(json_object_get(*out, "files")) &&
                       json_is_array(json_object_get(*out, "benchmarks"));
    if (known) return RETORT_OK;
    json_decref(*out);
    *out = NULL;
    return rt_fail(err, RETORT_ERR_FORMAT, "'%s' is no manifest of eval (of version 1)", path);
}

retort_status rt_manifest_options(const json_t *manifest, retort_eval_options *options, retort_error *err) {
    const char *name;
    json_t *text;
    json_object_foreach(json_object_get(manifest, "options"), name, text) {
        RT_CHECK(json_is_string(text), err, RETORT_ERR_FORMAT, "the manifest's option '%s' is no text", name);
        RT_TRY(retort_options_set(retort_eval_option_table, options, name, json_string_value(text), err));
    }
    return RETORT_OK;
}

/* ---- comparing ---- */

typedef struct differences {
    rt_buffer lines;
    int count;
} differences;

static const char *shown(const json_t *value) {
    return json_is_string(value) ? json_string_value(value) : "(none)";
}

static retort_status differ(differences *d, const char *what, const json_t *then, const json_t *now,
                            retort_error *err) {
    if (then == now || (then != NULL && now != NULL && json_equal(then, now))) return RETORT_OK;
    d->count++;
    return rt_buffer_printf(&d->lines, err, "  %s: %.64s then, %.64s now\n", what, shown(then), shown(now));
}

/* Members of both objects. */
static retort_status differ_all(differences *d, const char *prefix, const json_t *then, const json_t *now,
                                retort_error *err) {
    const char *name;
    json_t *value;
    char what[200];
    json_object_foreach((json_t *)(uintptr_t)then, name, value) {
        snprintf(what, sizeof what, "%s%s", prefix, name);
        RT_TRY(differ(d, what, value, json_object_get(now, name), err));
    }
    json_object_foreach((json_t *)(uintptr_t)now, name, value) {
        if (json_object_get(then, name) != NULL) continue;
        snprintf(what, sizeof what, "%s%s", prefix, name);
        RT_TRY(differ(d, what, NULL, value, err));
    }
    return RETORT_OK;
}

static retort_status differ_benchmarks(differences *d, const json_t *then, const json_t *now, retort_error *err) {
    static const char *const WHAT[] = {"data", "prompts"};
    const size_t count = json_array_size(then);
    RT_CHECK(count == json_array_size(now), err, RETORT_ERR_USAGE, "%zu benchmarks then, %zu now", count,
             json_array_size(now));
    for (size_t i = 0; i < count; i++) {
        const json_t *a = json_array_get(then, i), *b = json_array_get(now, i);
        for (size_t w = 0; w < sizeof WHAT / sizeof *WHAT; w++) {
            char what[200];
            snprintf(what, sizeof what, "%s of %.100s", w == 0 ? "problems and answers" : "rendered prompts",
                     shown(json_object_get(a, "name")));
            RT_TRY(differ(d, what, json_object_get(a, WHAT[w]), json_object_get(b, WHAT[w]), err));
        }
        const json_int_t n = json_integer_value(json_object_get(a, "n")),
                         m = json_integer_value(json_object_get(b, "n"));
        RT_CHECK(n == m, err, RETORT_ERR_USAGE, "%lld samples of a problem then, %lld now", (long long)n, (long long)m);
    }
    return RETORT_OK;
}

static retort_status differ_sampling(differences *d, const json_t *then, const json_t *now, retort_error *err) {
    static const char *const NAMES[] = {"seed",     "temperature", "top_p",   "top_k", "min_p",   "ban_list",
                                        "ban_mode", "ban_penalty", "ban_cap", "dtype", "kv_dtype"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        RT_TRY(differ(d, NAMES[i], json_object_get(then, NAMES[i]), json_object_get(now, NAMES[i]), err));
    return RETORT_OK;
}

retort_status rt_manifest_compare(const json_t *then, const json_t *now, const char *path, bool sampling, bool *binary,
                                  retort_error *err) {
    differences d = {0};
    *binary = json_equal(json_object_get(then, "binary"), json_object_get(now, "binary")) != 0;
    retort_status st = differ_all(&d, "", json_object_get(then, "files"), json_object_get(now, "files"), err);
    if (st == RETORT_OK)
        st = differ_benchmarks(&d, json_object_get(then, "benchmarks"), json_object_get(now, "benchmarks"), err);
    if (st == RETORT_OK && sampling)
        st = differ_sampling(&d, json_object_get(then, "options"), json_object_get(now, "options"), err);
    if (st == RETORT_OK && d.count > 0) {
        st = rt_fail(err, RETORT_ERR_USAGE, "this is not the run of '%s': %d difference%s", path, d.count,
                     d.count > 1 ? "s" : "");
        rt_fail_detail(err, d.lines.data);
    }
    rt_buffer_free(&d.lines);
    return st;
}

retort_status rt_manifest_compare_responses(const json_t *then, const json_t *now, const char *path,
                                            retort_error *err) {
    const json_t *a = json_object_get(then, "benchmarks"), *b = json_object_get(now, "benchmarks");
    differences d = {0};
    retort_status st = RETORT_OK;
    for (size_t i = 0; i < json_array_size(a) && st == RETORT_OK; i++) {
        char prefix[120];
        snprintf(prefix, sizeof prefix, "%.100s: ", shown(json_object_get(json_array_get(a, i), "name")));
        st = differ_all(&d, prefix, json_object_get(json_array_get(a, i), "responses"),
                        json_object_get(json_array_get(b, i), "responses"), err);
    }
    if (st == RETORT_OK && d.count > 0) {
        st = rt_fail(err, RETORT_ERR_STATE, "the responses are not those of '%s', although nothing else differs", path);
        rt_fail_detail(err, d.lines.data);
    }
    rt_buffer_free(&d.lines);
    return st;
}
