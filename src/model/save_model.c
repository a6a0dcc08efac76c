#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/config_json.h"
#include "model/safetensors.h"
#include "model/weights.h"

/* The three files are written completely, and forced to disk, under temporary names before the first takes its place:
 * a full disk leaves the folder as it was. */
enum { WEIGHTS, GENERATION, CONFIG, FILES };
static const char *const file_names[FILES] = {"model.safetensors", "generation_config.json", "config.json"};

static retort_status write_weights(rt_atomic_file *file, const rt_model *model, rt_dtype dtype, retort_error *err) {
    rt_st_tensor *list;
    int64_t count;
    RT_TRY(rt_weights_list(&model->params, false, &list, &count, err));
    retort_status st = rt_safetensors_stream(file, list, count, dtype, NULL, err);
    rt_free(list);
    return st;
}

/* The fewest digits, from 15, that give each real of the configuration back: 1e-06 instead of 9.9999999999999995e-07.
 */
static size_t real_digits(const rt_config *config) {
    const rt_rope_config *rope = &config->rope;
    const double reals[] = {
        rope->theta,          rope->factor,         rope->low_freq_factor,    rope->high_freq_factor,
        rope->beta_fast,      rope->beta_slow,      rope->attention_factor,   rope->mscale,
        rope->mscale_all_dim, config->rms_norm_eps, config->initializer_range};
    size_t digits = 15;
    for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++) {
        char text[40];
        while (digits < 17) {
            snprintf(text, sizeof text, "%.*g", (int)digits, reals[i]);
            if (strtod(text, NULL) == reals[i]) break;
            digits++;
        }
    }
    return digits;
}

static retort_status write_json(rt_atomic_file *file, json_t *object, size_t digits, retort_error *err) {
    rt_buffer text = {0};
    retort_status st = rt_json_dump(object, JSON_INDENT(2) | JSON_REAL_PRECISION(digits), &text, err);
    json_decref(object);
    if (st == RETORT_OK) st = rt_buffer_puts(&text, "\n", err);
    if (st == RETORT_OK) st = rt_atomic_write(file, text.data, text.length, err);
    rt_buffer_free(&text);
    return st;
}

static retort_status write_one(rt_atomic_file *file, int which, const rt_model *model, rt_dtype dtype,
                               retort_error *err) {
    json_t *object = NULL;
    switch (which) {
    case WEIGHTS: RT_TRY(write_weights(file, model, dtype, err)); break;
    case GENERATION:
        RT_TRY(rt_config_to_generation(&model->config, &object, err));
        RT_TRY(write_json(file, object, real_digits(&model->config), err));
        break;
    default:
        RT_TRY(rt_config_to_json(&model->config, dtype, &object, err));
        RT_TRY(write_json(file, object, real_digits(&model->config), err));
    }
    RT_CHECK(fflush(file->stream) == 0 && fsync(fileno(file->stream)) == 0, err, RETORT_ERR_IO,
             "cannot write '%s': %s; free some space or choose another folder", file->temporary, strerror(errno));
    return RETORT_OK;
}

static retort_status open_one(rt_atomic_file *file, const char *dir, const char *name, retort_error *err) {
    char *path = rt_path_join(dir, name);
    RT_CHECK(path != NULL, err, RETORT_ERR_MEMORY, "out of memory while writing '%s'", dir);
    retort_status st = rt_path_is_dir(path)
                           ? rt_fail(err, RETORT_ERR_IO, "cannot write '%s': a folder of that name is in the way", path)
                           : rt_atomic_open(file, path, err);
    rt_free(path);
    return st;
}

retort_status rt_model_save(const rt_model *model, const char *dir, rt_dtype dtype, retort_error *err) {
    RT_TRY(rt_config_validate(&model->config, "the model to save", err));
    rt_atomic_file files[FILES] = {0};
    retort_status st = RETORT_OK;
    for (int i = 0; i < FILES && st == RETORT_OK; i++) {
        st = open_one(&files[i], dir, file_names[i], err);
        if (st == RETORT_OK) st = write_one(&files[i], i, model, dtype, err);
    }
    for (int i = 0; i < FILES && st == RETORT_OK; i++) st = rt_atomic_commit(&files[i], err);
    for (int i = 0; i < FILES; i++) rt_atomic_abort(&files[i]);
    return st;
}
