#include "train/state.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"

static retort_status out_of_memory(retort_error *err) {
    return rt_fail(err, RETORT_ERR_MEMORY, "out of memory while handling the training state");
}

/* ---- counters ---- */

/* The account's fields by name, so that reading and writing cannot disagree. */
typedef struct account_field {
    const char *name;
    size_t offset;
    bool whole; /* int64_t, else double */
} account_field;

#define WHOLE(field)                                                                                                   \
    { #field, offsetof(retort_training_account, field), true }
#define REAL(field)                                                                                                    \
    { #field, offsetof(retort_training_account, field), false }
static const account_field ACCOUNT[] = {
    WHOLE(steps),           WHOLE(examples),   WHOLE(distinct_problems), REAL(trained_tokens), REAL(supervised_tokens),
    REAL(generated_tokens), REAL(train_flops), REAL(rollout_flops),      REAL(seconds),        REAL(final_loss)};
enum { ACCOUNT_FIELDS = sizeof ACCOUNT / sizeof ACCOUNT[0] };

static json_t *account_to_json(const retort_training_account *account) {
    json_t *object = json_object();
    for (size_t i = 0; object != NULL && i < ACCOUNT_FIELDS; i++) {
        const char *field = (const char *)account + ACCOUNT[i].offset;
        json_t *value = ACCOUNT[i].whole ? json_integer(*(const int64_t *)(const void *)field)
                                         : json_real(*(const double *)(const void *)field);
        if (json_object_set_new(object, ACCOUNT[i].name, value) == 0) continue;
        json_decref(object);
        object = NULL;
    }
    return object;
}

static retort_status account_from_json(const json_t *object, const char *where, retort_training_account *account,
                                       retort_error *err) {
    for (size_t i = 0; i < ACCOUNT_FIELDS; i++) {
        char *field = (char *)account + ACCOUNT[i].offset;
        long long whole = 0;
        if (ACCOUNT[i].whole) {
            RT_TRY(rt_json_int(object, ACCOUNT[i].name, where, 0, INT64_MAX, &whole, err));
            *(int64_t *)(void *)field = whole;
        } else {
            RT_TRY(rt_json_real(object, ACCOUNT[i].name, where, (double *)(void *)field, err));
        }
    }
    return RETORT_OK;
}

static retort_status add_counters(const rt_trainer *trainer, const rt_task *task, json_t *state, retort_error *err) {
    json_t *account = account_to_json(&trainer->account), *cursor = json_object();
    retort_status st = RETORT_OK;
    if (cursor != NULL && task != NULL) st = task->save(task->context, cursor, err);
    bool failed = json_object_set_new(state, "step", json_integer(trainer->step)) != 0;
    failed |= json_object_set_new(state, "updates", json_integer(trainer->optimizer.updates)) != 0;
    failed |= json_object_set_new(state, "account", account) != 0;
    failed |= json_object_set_new(state, "cursor", cursor) != 0;
    return st == RETORT_OK && failed ? out_of_memory(err) : st;
}

retort_status rt_state_write(const rt_trainer *trainer, const rt_task *task, json_t **out, retort_error *err) {
    json_t *state = NULL;
    RT_TRY(rt_identity_to_json(&trainer->identity, &state, err));
    retort_status st = add_counters(trainer, task, state, err);
    if (st != RETORT_OK) {
        json_decref(state);
        return st;
    }
    *out = state;
    return RETORT_OK;
}

retort_status rt_state_read(rt_trainer *trainer, const json_t *state, const char *where, retort_error *err) {
    long long step = 0, updates = 0;
    RT_TRY(rt_json_int(state, "step", where, 0, trainer->identity.total_steps, &step, err));
    RT_TRY(rt_json_int(state, "updates", where, 0, INT64_MAX, &updates, err));
    RT_TRY(account_from_json(json_object_get(state, "account"), where, &trainer->account, err));
    trainer->step = step;
    trainer->optimizer.updates = updates;
    json_decref(trainer->cursor);
    trainer->cursor = json_incref(json_object_get(state, "cursor"));
    return RETORT_OK;
}

/* ---- metrics ---- */

retort_status rt_metric(json_t *metrics, const char *key, double value, retort_error *err) {
    json_t *number = isfinite(value) ? json_real(value) : json_null();
    return json_object_set_new(metrics, key, number) == 0 ? RETORT_OK : out_of_memory(err);
}

retort_status rt_metric_int(json_t *metrics, const char *key, int64_t value, retort_error *err) {
    return json_object_set_new(metrics, key, json_integer(value)) == 0 ? RETORT_OK : out_of_memory(err);
}

typedef struct kept_lines {
    rt_buffer text;
    int64_t last_step;
} kept_lines;

static retort_status append_line(rt_buffer *text, const json_t *object, retort_error *err) {
    RT_TRY(rt_json_dump(object, JSON_COMPACT | JSON_REAL_PRECISION(9), text, err));
    return rt_buffer_puts(text, "\n", err);
}

static retort_status keep_line(void *context, json_t *object, size_t line, retort_error *err) {
    (void)line;
    kept_lines *kept = context;
    const json_t *step = json_object_get(object, "step");
    bool wanted = json_is_integer(step) && json_integer_value(step) <= kept->last_step;
    return wanted ? append_line(&kept->text, object, err) : RETORT_OK;
}

/* A line that a kill cut short is the file's last one; everything before it is kept. */
static retort_status drop_later_lines(const char *path, int64_t last_step, retort_error *err) {
    kept_lines kept = {.last_step = last_step};
    kept.text.maximum = (size_t)1 << 32;
    retort_status st = rt_jsonl_read(path, keep_line, &kept, NULL);
    if (st == RETORT_OK || st == RETORT_ERR_FORMAT) {
        const char *text = kept.text.data != NULL ? kept.text.data : "";
        st = rt_file_write(path, text, kept.text.length, err);
    } else {
        st = rt_fail(err, st, "cannot read '%s'", path);
    }
    rt_buffer_free(&kept.text);
    return st;
}

retort_status rt_metrics_open(rt_trainer *trainer, retort_error *err) {
    char *path = trainer->metrics_path = rt_path_join(trainer->options->output_dir, "metrics.jsonl");
    if (path == NULL) return out_of_memory(err);
    bool fresh = trainer->step == 0;
    if (!fresh && rt_path_exists(path)) RT_TRY(drop_later_lines(path, trainer->step, err));
    trainer->metrics = fopen(path, fresh ? "wb" : "ab");
    RT_CHECK(trainer->metrics != NULL, err, RETORT_ERR_IO, "cannot write '%s': %s", path, strerror(errno));
    return RETORT_OK;
}

retort_status rt_trainer_log(rt_trainer *trainer, const json_t *metrics, retort_error *err) {
    rt_buffer text = {0};
    retort_status st = append_line(&text, metrics, err);
    if (st == RETORT_OK) {
        bool written = fwrite(text.data, 1, text.length, trainer->metrics) == text.length;
        if (!written || fflush(trainer->metrics) != 0)
            st = rt_fail(err, RETORT_ERR_IO, "cannot write '%s': %s; free some space and go on with --resume",
                         trainer->metrics_path, strerror(errno));
    }
    rt_buffer_free(&text);
    return st;
}
