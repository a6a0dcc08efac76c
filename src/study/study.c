#include "study/study.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/jsonout.h"
#include "compute/compute.h"
#include "core/file.h"
#include "core/progress.h"
#include "retort/report.h"

#define FIELD(name) offsetof(retort_study_options, name)
const retort_option retort_study_option_table[] = {
    {"recipe", RETORT_OPTION_STRING, FIELD(recipe), NULL, "FILE",
     "recipe: study options at its top level, training options in the sections distill, distill_rigid, rl, rl_after",
     "Study", 0, 0, NULL, false},
    {"out", RETORT_OPTION_STRING, FIELD(out), "out/study", "DIR", "folder of everything the study makes", NULL, 0, 0,
     NULL, false},
    {"base", RETORT_OPTION_STRING, FIELD(base), "assets/countdown-base", "DIR", "base model every arm starts from",
     NULL, 0, 0, NULL, false},
    {"quick", RETORT_OPTION_BOOL, FIELD(quick), "false", NULL,
     "the same walk with small numbers, in a minute or two: shows that everything works, decides nothing", NULL, 0, 0,
     NULL, false},
    {"seed", RETORT_OPTION_INT, FIELD(seed), "1", "N", "seed of problems, traces, training and sampling", NULL, 0, 1e9,
     NULL, false},
    {"threads", RETORT_OPTION_INT, FIELD(threads), "0", "N", "threads (0: all processors); never changes a result",
     NULL, 0, 1024, NULL, false},
    {"arms", RETORT_OPTION_LIST, FIELD(arms),
     "base,distilled,distilled-rigid,zero-rl,distilled-rl,distilled-banned,zero-rl-banned", "LIST",
     "arms to run; distilled-plain and distilled-sprinkled are there too (docs/rewrite.md), and claims about an arm "
     "that "
     "is not named are left out",
     NULL, 0, 0, NULL, false},
    {"examples", RETORT_OPTION_INT, FIELD(examples), "920", "N", "traces that a student is distilled from", "Data", 1,
     1e6, NULL, false},
    {"rl_problems", RETORT_OPTION_INT, FIELD(rl_problems), "18400", "N", "problems of the RL split", NULL, 1, 1e7, NULL,
     false},
    {"teacher_budget", RETORT_OPTION_INT, FIELD(teacher_budget), "900", "N",
     "characters after which the flexible teacher gives up on a problem (the trace stays in, as in the paper)", NULL,
     50, 1e6, NULL, false},
    {"test_problems", RETORT_OPTION_INT, FIELD(test_problems), "200", "N", "problems of the test split", "Evaluation",
     2, 1e6, NULL, false},
    {"hard_problems", RETORT_OPTION_INT, FIELD(hard_problems), "100", "N",
     "problems of the harder split (five numbers)", NULL, 2, 1e6, NULL, false},
    {"transfer_problems", RETORT_OPTION_INT, FIELD(transfer_problems), "100", "N",
     "problems of the transfer family (blanks)", NULL, 2, 1e6, NULL, false},
    {"samples", RETORT_OPTION_INT, FIELD(samples), "16", "N", "responses sampled for each problem (avg@N)", NULL, 2,
     1024, NULL, false},
    {"max_new_tokens", RETORT_OPTION_INT, FIELD(max_new_tokens), "384", "N", "longest response, in tokens", NULL, 1,
     1e6, NULL, false},
    {"batch", RETORT_OPTION_INT, FIELD(batch), "256", "N", "responses sampled at once; never changes a result", NULL, 1,
     4096, NULL, false},
    {"temperature", RETORT_OPTION_REAL, FIELD(temperature), "0.6", "T",
     "sampling temperature of every arm (0.6 and top-p 0.95 are DeepSeek-R1's evaluation settings)", NULL, 0, 10, NULL,
     false},
    {"top_p", RETORT_OPTION_REAL, FIELD(top_p), "0.95", "P", "nucleus sampling of every arm", NULL, 0, 1, NULL, false},
    {"browser_problems", RETORT_OPTION_INT, FIELD(browser_problems), "40", "N",
     "test problems whose responses the report shows", NULL, 0, 10000, NULL, false},
    {0}};

static const retort_recipe_part RECIPE_PARTS[] = {{NULL, retort_study_option_table},
                                                  {"distill", retort_distill_option_table},
                                                  {"distill_rigid", retort_distill_option_table},
                                                  {"rl", retort_rl_option_table},
                                                  {"rl_after", retort_rl_option_table},
                                                  {NULL, NULL}};

char *rt_study_shipped(const char *name) {
    if (rt_path_exists(name)) return rt_strdup(name);
    char *installed = rt_path_join(RETORT_DATADIR, name);
    if (installed != NULL && rt_path_exists(installed)) return installed;
    rt_free(installed);
    return rt_strdup(name);
}

retort_status retort_study_load(retort_study_options *options, const char *recipe, bool quick, retort_error *err) {
    RT_TRY(retort_options_defaults(retort_study_option_table, options, err));
    char *path = recipe != NULL ? rt_strdup(recipe)
                                : rt_study_shipped(quick ? "recipes/study-quick.yaml" : "recipes/study.yaml");
    RT_CHECK(path != NULL, err, RETORT_ERR_MEMORY, "out of memory: recipe path");
    retort_status st = retort_recipe_check(path, RECIPE_PARTS, err);
    if (st == RETORT_OK) st = retort_options_load_yaml(retort_study_option_table, options, path, NULL, err);
    if (st == RETORT_OK) {
        st = retort_options_set(retort_study_option_table, options, "recipe", path, err);
        options->quick = quick;
    }
    rt_free(path);
    if (st == RETORT_OK && !rt_path_exists(options->base)) {
        char *base = rt_study_shipped(options->base);
        RT_CHECK(base != NULL, err, RETORT_ERR_MEMORY, "out of memory: base path");
        st = retort_options_set(retort_study_option_table, options, "base", base, err);
        rt_free(base);
    }
    return st;
}

static retort_status load_sections(rt_study *study, retort_error *err) {
    const char *recipe = study->options->recipe;
    RT_TRY(retort_options_defaults(retort_distill_option_table, &study->distill, err));
    RT_TRY(retort_options_defaults(retort_distill_option_table, &study->distill_rigid, err));
    RT_TRY(retort_options_defaults(retort_rl_option_table, &study->rl, err));
    RT_TRY(retort_options_defaults(retort_rl_option_table, &study->rl_after, err));
    RT_TRY(retort_options_load_yaml(retort_distill_option_table, &study->distill, recipe, "distill", err));
    RT_TRY(retort_options_load_yaml(retort_distill_option_table, &study->distill_rigid, recipe, "distill_rigid", err));
    RT_TRY(retort_options_load_yaml(retort_rl_option_table, &study->rl, recipe, "rl", err));
    RT_TRY(retort_options_load_yaml(retort_rl_option_table, &study->rl_after, recipe, "rl_after", err));
    /* One seed rules the study; each arm derives its own. */
    int64_t seed = study->options->seed;
    study->distill.train.seed = study->distill_rigid.train.seed = seed;
    study->rl.train.seed = study->rl_after.train.seed = seed;
    return RETORT_OK;
}

static void release(rt_study *study) {
    retort_options_release(retort_distill_option_table, &study->distill);
    retort_options_release(retort_distill_option_table, &study->distill_rigid);
    retort_options_release(retort_rl_option_table, &study->rl);
    retort_options_release(retort_rl_option_table, &study->rl_after);
    for (int s = 0; s < RT_EVAL_SPLITS; s++) rt_problems_free(&study->problems[s]);
    for (int a = 0; a < RT_ARMS; a++) {
        for (int s = 0; s < RT_EVAL_SPLITS; s++) rt_response_set_free(&study->responses[a][s]);
        json_decref(study->accounts[a]);
    }
    json_decref(study->times);
}

static retort_status make_folders(const rt_study *study, retort_error *err) {
    static const char *const FOLDERS[] = {"stages", "data", "traces", "models", "responses"};
    for (size_t i = 0; i < sizeof FOLDERS / sizeof FOLDERS[0]; i++) {
        char path[4096];
        RT_TRY(rt_study_path(study, path, err, "%s", FOLDERS[i]));
        RT_TRY(rt_make_dirs(path, err));
    }
    return RETORT_OK;
}

/* Options that name places or only change time would make two equal studies differ. */
static bool is_setting(const char *name) {
    static const char *const NOT[] = {"recipe",       "out",   "base",    "threads", "batch",
                                      "output_dir",   "model", "dataset", "resume",  "micro_batch_tokens",
                                      "rollout_batch"};
    for (size_t i = 0; i < sizeof NOT / sizeof NOT[0]; i++)
        if (strcmp(name, NOT[i]) == 0) return false;
    return true;
}

retort_status rt_settings_json(const retort_option *table, const void *options, json_t **out, retort_error *err) {
    *out = json_object();
    for (const retort_option *option = table; option->name != NULL; option++) {
        if (!is_setting(option->name)) continue;
        char *value = NULL;
        RT_TRY(retort_options_get(table, options, option->name, &value, err));
        json_object_set_new(*out, option->name, value != NULL ? json_string(value) : json_null());
        free(value);
    }
    return RETORT_OK;
}

static retort_status settings_json(const rt_study *study, json_t *report, retort_error *err) {
    const struct {
        const char *name;
        const retort_option *table;
        const void *options;
    } parts[] = {{"study", retort_study_option_table, study->options},
                 {"distill", retort_distill_option_table, &study->distill},
                 {"distill_rigid", retort_distill_option_table, &study->distill_rigid},
                 {"rl", retort_rl_option_table, &study->rl},
                 {"rl_after", retort_rl_option_table, &study->rl_after}};
    json_t *settings = json_object();
    json_object_set_new(report, "settings", settings);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        json_t *part;
        RT_TRY(rt_settings_json(parts[i].table, parts[i].options, &part, err));
        json_object_set_new(settings, parts[i].name, part);
    }
    return RETORT_OK;
}

static void arms_json(const rt_study *study, json_t *report) {
    json_t *arms = json_array();
    json_object_set_new(report, "arms", arms);
    for (int a = 0; a < RT_ARMS; a++) {
        const rt_arm *arm = &RT_ARM_TABLE[a];
        if (!study->on[a]) continue;
        json_t *entry = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "name", arm->name, "label", arm->label,
                                  "description", arm->description, "weights", RT_ARM_TABLE[arm->weights].name,
                                  "starts_from", RT_ARM_TABLE[arm->starts_from].name, "banned", (int)arm->banned);
        json_t *account = study->accounts[arm->weights];
        if (account != NULL) json_object_set(entry, "training", account);
        json_array_append_new(arms, entry);
    }
}

/* What the base's own training cost, from the account that `retort pretrain` leaves beside the weights; null for a base
 * that came from elsewhere. */
static void pretraining_json(const rt_study *study, json_t *report) {
    char *path = rt_path_join(study->options->base, "trainer_state.json");
    json_t *state = NULL, *account = NULL;
    if (path != NULL && rt_json_load(path, &state, NULL) == RETORT_OK) account = json_object_get(state, "account");
    json_object_set_new(report, "pretraining", json_is_object(account) ? json_deep_copy(account) : json_null());
    json_decref(state);
    rt_free(path);
}

/* The kinds of traces in teachers_json's order. */
static bool was_taught(const rt_study *study, size_t kind) {
    static const rt_arm_id ARMS[] = {RT_ARM_DISTILLED, RT_ARM_RIGID, RT_ARM_PLAIN, RT_ARM_SPRINKLED};
    return study->on[ARMS[kind]];
}

static retort_status teachers_json(const rt_study *study, json_t *report, retort_error *err) {
    json_t *teachers = json_array();
    json_object_set_new(report, "teachers", teachers);
    static const char *const NAMES[] = {"flexible", "rigid", "plain", "sprinkled"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        char path[4096];
        json_t *stamp;
        if (!was_taught(study, i)) continue;
        RT_TRY(rt_study_path(study, path, err, "stages/traces-%s.json", NAMES[i]));
        RT_TRY(rt_json_load(path, &stamp, err));
        json_t *entry = json_deep_copy(json_object_get(stamp, "account"));
        json_decref(stamp);
        json_object_set_new(entry, "teacher", json_string(NAMES[i]));
        json_array_append_new(teachers, entry);
    }
    return RETORT_OK;
}

static retort_status write_manifest(const rt_study *study, const json_t *report, retort_error *err) {
    json_t *hashes = json_object();
    retort_status st = RETORT_OK;
    for (int a = 0; a < RT_ARMS && st == RETORT_OK; a++) {
        if (RT_ARM_TABLE[a].banned || !study->on[a]) continue;
        char dir[4096], path[4096 + 32], hex[65];
        st = rt_arm_model_dir(study, (rt_arm_id)a, dir, err);
        if (st != RETORT_OK) break;
        snprintf(path, sizeof path, "%s/model.safetensors", dir);
        st = rt_sha256_file(path, hex, err);
        if (st == RETORT_OK) json_object_set_new(hashes, RT_ARM_TABLE[a].name, json_string(hex));
    }
    const bool *on = study->on;
    const struct {
        const char *name;
        bool made;
    } parts[] = {{"data/distill.jsonl", true},
                 {"data/rl.jsonl", on[RT_ARM_ZERO_RL] || on[RT_ARM_DISTILLED_RL]},
                 {"data/test.jsonl", true},
                 {"data/hard.jsonl", true},
                 {"data/transfer.jsonl", true},
                 {"traces/flexible.jsonl", on[RT_ARM_DISTILLED] || on[RT_ARM_PLAIN] || on[RT_ARM_SPRINKLED]},
                 {"traces/rigid.jsonl", on[RT_ARM_RIGID] || on[RT_ARM_SPRINKLED]},
                 {"traces/plain.jsonl", on[RT_ARM_PLAIN]},
                 {"traces/sprinkled.jsonl", on[RT_ARM_SPRINKLED]}};
    json_t *files = json_object();
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && st == RETORT_OK; i++) {
        char path[4096], hex[65];
        if (!parts[i].made) continue;
        st = rt_study_path(study, path, err, "%s", parts[i].name);
        if (st == RETORT_OK) st = rt_sha256_file(path, hex, err);
        if (st == RETORT_OK) json_object_set_new(files, parts[i].name, json_string(hex));
    }
    json_t *manifest =
        json_pack("{s:s, s:s, s:s, s:i, s:O, s:o, s:o, s:O}", "retort", RETORT_VERSION, "compiler", __VERSION__,
                  "instruction_set", rt_isa_name(rt_compute_isa()), "threads", rt_compute_threads(), "settings",
                  json_object_get(report, "settings"), "weights", hashes, "files", files, "times", study->times);
    if (st == RETORT_OK && manifest == NULL) st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: manifest");
    char path[4096];
    if (st == RETORT_OK) st = rt_study_path(study, path, err, "manifest.json");
    if (st == RETORT_OK) st = rt_json_save(path, manifest, err);
    json_decref(manifest);
    return st;
}

static retort_status write_report(rt_study *study, retort_error *err) {
    json_t *report = json_object();
    json_object_set_new(report, "title",
                        json_string("Why does distillation outperform zero-RL? The head-to-head in miniature"));
    json_object_set_new(report, "retort", json_string(RETORT_VERSION));
    json_object_set_new(report, "seed", json_integer(study->options->seed));
    json_object_set_new(report, "quick", json_boolean(study->options->quick));
    retort_status st = settings_json(study, report, err);
    arms_json(study, report);
    pretraining_json(study, report);
    if (st == RETORT_OK) st = teachers_json(study, report, err);
    if (st == RETORT_OK) st = rt_study_measure(study, report, err);
    if (st == RETORT_OK) st = rt_study_claims(study, report, err);
    if (st == RETORT_OK) st = rt_study_curves(study, report, err);
    if (st == RETORT_OK) st = rt_study_browser(study, report, err);
    json_object_set(report, "times", study->times);
    char path[4096];
    if (st == RETORT_OK) st = rt_study_path(study, path, err, "report.json");
    if (st == RETORT_OK) st = rt_json_save(path, report, err);
    if (st == RETORT_OK) st = write_manifest(study, report, err);
    json_decref(report);
    if (st != RETORT_OK) return st;
    retort_report_options page;
    RT_TRY(retort_options_defaults(retort_report_option_table, &page, err));
    st = retort_options_set(retort_report_option_table, &page, "input", path, err);
    if (st == RETORT_OK) st = retort_report(&page, study->progress, err);
    retort_options_release(retort_report_option_table, &page);
    return st;
}

retort_status retort_study(const retort_study_options *options, const retort_progress *progress, retort_error *err) {
    RT_TRY(retort_options_check(retort_study_option_table, options, err));
    RT_CHECK(options->recipe != NULL, err, RETORT_ERR_USAGE,
             "a study needs a recipe; fill options by retort_study_load");
    rt_study study = {.options = options, .progress = progress, .times = json_object()};
    double started = rt_now();
    retort_status st = rt_compute_init(err);
    if (st == RETORT_OK) {
        rt_compute_set_threads((int)options->threads);
        st = load_sections(&study, err);
    }
    if (st == RETORT_OK) st = rt_study_choose_arms(&study, err);
    if (st == RETORT_OK) st = make_folders(&study, err);
    if (st == RETORT_OK) st = rt_study_make_data(&study, err);
    if (st == RETORT_OK) st = rt_study_train(&study, err);
    if (st == RETORT_OK) st = rt_study_sample(&study, err);
    if (st == RETORT_OK) {
        rt_json_set_real(study.times, "total", rt_now() - started);
        rt_progress(progress, "report", 0, 1, "page", NULL);
        st = write_report(&study, err);
    }
    release(&study);
    return st;
}
