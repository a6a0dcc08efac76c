#include "study/stage.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/progress.h"

retort_status rt_inputs_add(rt_inputs *inputs, retort_error *err, const char *fmt, ...) {
    char line[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    return rt_buffer_printf(&inputs->text, err, "%s\n", line);
}

retort_status rt_inputs_add_file(rt_inputs *inputs, const char *path, retort_error *err) {
    char hash[65];
    RT_TRY(rt_sha256_file(path, hash, err));
    return rt_buffer_printf(&inputs->text, err, "file %s\n", hash);
}

/* By the law of exactness these change time and memory, never bits. */
static bool changes_no_result(const char *name) {
    static const char *const NAMES[] = {"output_dir",
                                        "model",
                                        "dataset",
                                        "threads",
                                        "resume",
                                        "logging_steps",
                                        "save_steps",
                                        "micro_batch_tokens",
                                        "gradient_checkpointing",
                                        "save_total_limit",
                                        "rollout_batch",
                                        "probe_problems"};
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        if (strcmp(name, NAMES[i]) == 0) return true;
    return false;
}

retort_status rt_inputs_add_options(rt_inputs *inputs, const retort_option *table, const void *options,
                                    retort_error *err) {
    for (const retort_option *option = table; option->name != NULL; option++) {
        if (changes_no_result(option->name)) continue;
        char *value = NULL;
        RT_TRY(retort_options_get(table, options, option->name, &value, err));
        retort_status st =
            rt_buffer_printf(&inputs->text, err, "%s=%s\n", option->name, value != NULL ? value : "(unset)");
        free(value);
        RT_TRY(st);
    }
    return RETORT_OK;
}

void rt_inputs_free(rt_inputs *inputs) {
    rt_buffer_free(&inputs->text);
}

/* A stamp that cannot be read is as good as none: the stage runs again. */
static void look_up(rt_stage *stage) {
    json_t *stamp = NULL;
    if (rt_json_load(stage->path, &stamp, NULL) != RETORT_OK) return;
    const char *inputs = json_string_value(json_object_get(stamp, "inputs"));
    json_t *account = json_object_get(stamp, "account");
    if (inputs != NULL && strcmp(inputs, stage->inputs) == 0 && json_is_object(account)) {
        stage->done = true;
        stage->account = json_incref(account);
        stage->seconds = json_number_value(json_object_get(stamp, "seconds"));
    }
    json_decref(stamp);
}

retort_status rt_stage_begin(const char *out_dir, const char *name, const rt_inputs *inputs, rt_stage *stage,
                             retort_error *err) {
    memset(stage, 0, sizeof *stage);
    snprintf(stage->name, sizeof stage->name, "%s", name);
    int written = snprintf(stage->path, sizeof stage->path, "%s/stages/%s.json", out_dir, name);
    RT_CHECK(written > 0 && (size_t)written < sizeof stage->path, err, RETORT_ERR_USAGE, "the path '%s' is too long",
             out_dir);
    rt_sha256(inputs->text.data != NULL ? inputs->text.data : "", inputs->text.length, stage->inputs);
    look_up(stage);
    if (stage->account == NULL) stage->account = json_object();
    RT_CHECK(stage->account != NULL, err, RETORT_ERR_MEMORY, "out of memory: stage '%s'", name);
    stage->started = rt_now();
    return RETORT_OK;
}

retort_status rt_stage_end(rt_stage *stage, retort_error *err) {
    if (stage->done) return RETORT_OK;
    stage->seconds = rt_now() - stage->started;
    json_t *stamp = json_pack("{s:s, s:s, s:f, s:O}", "stage", stage->name, "inputs", stage->inputs, "seconds",
                              stage->seconds, "account", stage->account);
    RT_CHECK(stamp != NULL, err, RETORT_ERR_MEMORY, "out of memory: stamp of stage '%s'", stage->name);
    retort_status st = rt_json_save(stage->path, stamp, err);
    json_decref(stamp);
    return st;
}

void rt_stage_release(rt_stage *stage) {
    json_decref(stage->account);
    stage->account = NULL;
}
