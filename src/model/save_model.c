#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/config_json.h"
#include "model/safetensors.h"
#include "model/weights.h"

/* Everything that is written into a folder: the shards, their index where there are several, and the two
 * configurations. All are written completely, and forced to disk, under temporary names before the first takes its
 * place: a full disk leaves the folder as it was. */
typedef struct saver {
    const rt_model *model;
    const char *dir;
    rt_dtype dtype;
    rt_st_tensor *list;
    int64_t count;
    rt_shard *shards;
    int64_t num_shards;
    rt_atomic_file *files; /* [num_files], in the order of name_of */
    int64_t num_files;
} saver;

static bool has_index(const saver *s) {
    return s->num_shards > 1;
}

static const char *name_of(const saver *s, int64_t number) {
    if (number < s->num_shards) return s->shards[number].file;
    if (number == s->num_files - 1) return "config.json";
    return number == s->num_files - 2 ? "generation_config.json" : RT_SHARDS_INDEX;
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

static retort_status write_configuration(const saver *s, int64_t number, retort_error *err) {
    const rt_config *config = &s->model->config;
    json_t *object = NULL;
    if (number == s->num_files - 1)
        RT_TRY(rt_config_to_json(config, s->dtype, &object, err));
    else if (number == s->num_files - 2)
        RT_TRY(rt_config_to_generation(config, &object, err));
    else
        RT_TRY(rt_shards_index(s->list, s->dtype, s->shards, s->num_shards, &object, err));
    return write_json(&s->files[number], object, real_digits(config), err);
}

static retort_status write_one(const saver *s, int64_t number, retort_error *err) {
    rt_atomic_file *file = &s->files[number];
    if (number < s->num_shards) {
        const rt_shard *shard = &s->shards[number];
        RT_TRY(rt_safetensors_stream(file, s->list + shard->first, shard->count, s->dtype, NULL, err));
    } else {
        RT_TRY(write_configuration(s, number, err));
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

/* "model-00003-of-00007.safetensors" */
static bool is_shard_name(const char *name) {
    int digits = 0, at = 0;
    return sscanf(name, "model-%5d-of-%5d.safetensors%n", &digits, &digits, &at) == 2 && at > 0 && name[at] == '\0';
}

static bool is_written(const saver *s, const char *name) {
    for (int64_t i = 0; i < s->num_files; i++)
        if (strcmp(name_of(s, i), name) == 0) return true;
    return false;
}

/* Weights that an earlier save left in the folder in another number of files would be read before the new ones, or lie
 * about for ever. */
static retort_status remove_stale(const saver *s, retort_error *err) {
    DIR *stream = opendir(s->dir);
    RT_CHECK(stream != NULL, err, RETORT_ERR_IO, "cannot open folder '%s': %s", s->dir, strerror(errno));
    const struct dirent *entry;
    retort_status st = RETORT_OK;
    while (st == RETORT_OK && (entry = readdir(stream)) != NULL) {
        const char *name = entry->d_name;
        const bool weights =
            strcmp(name, "model.safetensors") == 0 || strcmp(name, RT_SHARDS_INDEX) == 0 || is_shard_name(name);
        if (!weights || is_written(s, name)) continue;
        if (unlinkat(dirfd(stream), name, 0) != 0)
            st = rt_fail(err, RETORT_ERR_IO, "cannot remove '%s/%s', which new weights replace: %s", s->dir, name,
                         strerror(errno));
    }
    closedir(stream);
    return st;
}

static retort_status plan(saver *s, int64_t max_bytes, retort_error *err) {
    RT_TRY(rt_weights_list(&s->model->params, false, &s->list, &s->count, err));
    RT_TRY(rt_shards_plan(s->list, s->count, s->dtype, max_bytes, &s->shards, &s->num_shards, err));
    s->num_files = s->num_shards + (has_index(s) ? 3 : 2);
    s->files = rt_calloc((size_t)s->num_files, sizeof *s->files);
    RT_CHECK(s->files != NULL, err, RETORT_ERR_MEMORY, "out of memory while writing '%s'", s->dir);
    return RETORT_OK;
}

static retort_status write_all(saver *s, int64_t max_bytes, retort_error *err) {
    RT_TRY(plan(s, max_bytes, err));
    for (int64_t i = 0; i < s->num_files; i++) {
        RT_TRY(open_one(&s->files[i], s->dir, name_of(s, i), err));
        RT_TRY(write_one(s, i, err));
    }
    for (int64_t i = 0; i < s->num_files; i++) RT_TRY(rt_atomic_commit(&s->files[i], err));
    return remove_stale(s, err);
}

retort_status rt_model_save_shards(const rt_model *model, const char *dir, rt_dtype dtype, int64_t max_bytes,
                                   retort_error *err) {
    RT_TRY(rt_config_validate(&model->config, "the model to save", err));
    RT_CHECK(max_bytes > 0, err, RETORT_ERR_USAGE, "shards of %lld bytes", (long long)max_bytes);
    saver s = {.model = model, .dir = dir, .dtype = dtype};
    retort_status st = write_all(&s, max_bytes, err);
    for (int64_t i = 0; s.files != NULL && i < s.num_files; i++) rt_atomic_abort(&s.files[i]);
    rt_free(s.files);
    rt_free(s.shards);
    rt_free(s.list);
    return st;
}

retort_status rt_model_save(const rt_model *model, const char *dir, rt_dtype dtype, retort_error *err) {
    return rt_model_save_shards(model, dir, dtype, RT_SHARD_BYTES, err);
}
