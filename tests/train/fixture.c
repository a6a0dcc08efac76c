#include "fixture.h"
#include "core/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/world.h"

retort_error fixture_error;
static char folder[64];

int fixture_create(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/retort-train-XXXXXX");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

int fixture_remove(void **state) {
    (void)state;
    return rt_remove_tree(folder, NULL) == RETORT_OK ? 0 : -1;
}

char *fixture_path(const char *name) {
    static char paths[32][256];
    static int next;
    char *path = paths[next++ % 32];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

void fixture_write(const char *name, const char *text) {
    assert_ok(rt_file_write(fixture_path(name), text, strlen(text), &fixture_error));
}

const char *fixture_sha(const char *run, const char *file) {
    static char digests[32][65];
    static int next;
    char name[128], *hex = digests[next++ % 32];
    snprintf(name, sizeof name, "%s/%s", run, file);
    assert_ok(rt_sha256_file(fixture_path(name), hex, &fixture_error));
    return hex;
}

void fixture_set(const retort_option *table, void *options, const char *name, const char *value) {
    assert_ok(retort_options_set(table, options, name, value, &fixture_error));
}

/* ---- options ---- */

void fixture_pretrain_options(retort_pretrain_options *options, const char *run) {
    static const char *const values[][2] = {{"vocab_size", "320"},
                                            {"hidden_size", "32"},
                                            {"intermediate_size", "48"},
                                            {"num_hidden_layers", "2"},
                                            {"num_attention_heads", "2"},
                                            {"num_key_value_heads", "1"},
                                            {"tokenizer_documents", "60"},
                                            {"batch_tokens", "600"},
                                            {"max_position_embeddings", "512"},
                                            {"max_steps", "6"},
                                            {"micro_batch_tokens", "200"},
                                            {"dtype", "f32"},
                                            {"save_steps", "0"},
                                            {"warmup_ratio", "0"}};
    const retort_option *table = retort_pretrain_option_table;
    assert_ok(retort_options_defaults(table, options, &fixture_error));
    fixture_set(table, options, "output_dir", fixture_path(run));
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        fixture_set(table, options, values[i][0], values[i][1]);
}

void fixture_distill_options(retort_distill_options *options, const char *run) {
    const retort_option *table = retort_distill_option_table;
    assert_ok(retort_options_defaults(table, options, &fixture_error));
    fixture_set(table, options, "output_dir", fixture_path(run));
    fixture_set(table, options, "model", fixture_path("base"));
    fixture_set(table, options, "dataset", fixture_path("distill.jsonl"));
    static const char *const values[][2] = {
        {"num_train_epochs", "2"}, {"train_batch_size", "4"}, {"save_steps", "0"}, {"micro_batch_tokens", "300"},
        {"truncate", "true"},      {"max_length", "160"},     {"threads", "1"}};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        fixture_set(table, options, values[i][0], values[i][1]);
}

void fixture_rl_options(retort_rl_options *options, const char *run) {
    const retort_option *table = retort_rl_option_table;
    assert_ok(retort_options_defaults(table, options, &fixture_error));
    fixture_set(table, options, "output_dir", fixture_path(run));
    fixture_set(table, options, "model", fixture_path("base"));
    fixture_set(table, options, "dataset", fixture_path("problems.jsonl"));
    static const char *const values[][2] = {
        {"prompts_per_step", "4"}, {"num_generations", "8"}, {"max_completion_length", "24"}, {"max_steps", "4"},
        {"probe_problems", "4"},   {"rollout_batch", "8"},   {"micro_batch_tokens", "300"},   {"save_steps", "0"},
        {"threads", "1"}};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        fixture_set(table, options, values[i][0], values[i][1]);
}

/* ---- models and data ---- */

void fixture_base(void) {
    if (rt_path_exists(fixture_path("base/model.safetensors"))) return;
    retort_pretrain_options options;
    fixture_pretrain_options(&options, "base");
    options.train.max_steps = 8;
    options.train.threads = 1;
    assert_ok(retort_pretrain(&options, NULL, NULL, &fixture_error));
    retort_options_release(retort_pretrain_option_table, &options);
}

void fixture_problems(const char *name, int count) {
    rt_problems problems = {0};
    assert_ok(rt_world_problems(RT_SPLIT_RL, count, 5, &problems, &fixture_error));
    assert_ok(rt_problems_write(fixture_path(name), &problems, &fixture_error));
    rt_problems_free(&problems);
}

void fixture_examples(const char *name, int count) {
    rt_problems problems = {0};
    rt_buffer response = {0}, text = {0};
    assert_ok(rt_world_problems(RT_SPLIT_DISTILL, count, 5, &problems, &fixture_error));
    for (int i = 0; i < count; i++) {
        rt_buffer_clear(&response);
        assert_ok(rt_teacher_write(RT_TEACHER_TERSE, &problems.items[i], 5, 400, &response, &fixture_error));
        json_t *line = json_pack("{s:s, s:s, s:s}", "id", problems.items[i].id, "problem", problems.items[i].problem,
                                 "response", response.data);
        char *dumped = json_dumps(line, JSON_COMPACT);
        assert_ok(rt_buffer_printf(&text, &fixture_error, "%s\n", dumped));
        free(dumped);
        json_decref(line);
    }
    fixture_write(name, text.data);
    rt_buffer_free(&response);
    rt_buffer_free(&text);
    rt_problems_free(&problems);
}

/* ---- interrupts ---- */

static void stop_when_due(void *context, const char *stage, double done, double total, const char *unit,
                          const char *message) {
    (void)total;
    (void)unit;
    (void)message;
    fixture_stopper *stopper = context;
    if (stopper->fired || strcmp(stage, stopper->stage) != 0 || done < stopper->after) return;
    stopper->fired = true;
    retort_interrupt();
}

void fixture_stop_after(fixture_stopper *stopper, const char *stage, double after) {
    rt_progress_set_interval(0); /* steps here take less time than reports are apart */
    *stopper = (fixture_stopper){.stage = stage, .after = after};
    stopper->progress = (retort_progress){stop_when_due, stopper};
}

/* ---- metrics ---- */

typedef struct lines {
    json_t *all; /* array of objects */
} lines;

static retort_status collect(void *context, json_t *object, size_t line, retort_error *err) {
    (void)line;
    (void)err;
    return json_array_append(((lines *)context)->all, object) == 0 ? RETORT_OK : RETORT_ERR_MEMORY;
}

static json_t *read_metrics(const char *run) {
    char name[128];
    snprintf(name, sizeof name, "%s/metrics.jsonl", run);
    lines l = {json_array()};
    assert_ok(rt_jsonl_read(fixture_path(name), collect, &l, &fixture_error));
    return l.all;
}

int fixture_metric_lines(const char *run) {
    json_t *all = read_metrics(run);
    int count = (int)json_array_size(all);
    json_decref(all);
    return count;
}

static bool find_metric(const char *run, int step, const char *key, double *value) {
    json_t *all = read_metrics(run), *line;
    size_t i;
    bool found = false;
    json_array_foreach(all, i, line) {
        if (json_integer_value(json_object_get(line, "step")) != step) continue;
        const json_t *number = json_object_get(line, key);
        found = number != NULL;
        *value = json_number_value(number);
    }
    json_decref(all);
    return found;
}

double fixture_metric(const char *run, int step, const char *key) {
    double value = 0;
    if (!find_metric(run, step, key, &value)) fail_msg("no '%s' at step %d of '%s'", key, step, run);
    return value;
}

bool fixture_has_metric(const char *run, int step, const char *key) {
    double value;
    return find_metric(run, step, key, &value);
}

static json_t *without_times(const char *run) {
    json_t *all = read_metrics(run), *line;
    size_t i;
    json_array_foreach(all, i, line) {
        json_object_del(line, "step_time");
        json_object_del(line, "rollout_time");
        json_object_del(line, "tokens_per_second");
        json_object_del(line, "eta");
    }
    return all;
}

void fixture_same_metrics(const char *a, const char *b) {
    json_t *x = without_times(a), *y = without_times(b);
    char *left = json_dumps(x, JSON_INDENT(1)), *right = json_dumps(y, JSON_INDENT(1));
    assert_string_equal(left, right);
    free(left);
    free(right);
    json_decref(x);
    json_decref(y);
}
