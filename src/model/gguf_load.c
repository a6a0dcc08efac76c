/* Weights out of a GGUF file. */
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "model/dtype.h"
#include "model/ggml.h"
#include "model/gguf_model.h"

/* The tensor of one of ours, of the right shape and a type that can be decoded. */
static retort_status match(const rt_gguf *file, const rt_tensor *tensor, const rt_gguf_tensor **out,
                           retort_error *err) {
    char name[RT_GGUF_NAME];
    RT_CHECK(rt_gguf_name_of(tensor->name, name), err, RETORT_ERR_UNSUPPORTED, "'%s': GGUF has no name for '%s'",
             file->path, tensor->name);
    const rt_gguf_tensor *found = rt_gguf_tensor_find(file, name);
    RT_CHECK(found != NULL, err, RETORT_ERR_NOT_FOUND, "'%s' lacks the tensor '%s'", file->path, name);
    const int64_t rows = tensor->shape[0], cols = tensor->dims == 2 ? tensor->shape[1] : 1;
    const bool same = tensor->dims == 2 ? found->dims == 2 && found->shape[0] == cols && found->shape[1] == rows
                                        : found->dims == 1 && found->shape[0] == rows;
    RT_CHECK(same, err, RETORT_ERR_FORMAT, "'%s': tensor '%s' has shape [%lld, %lld], expected [%lld, %lld]",
             file->path, name, (long long)found->shape[0], (long long)found->shape[1],
             (long long)(tensor->dims == 2 ? cols : rows), (long long)(tensor->dims == 2 ? rows : 1));
    RT_CHECK(rt_ggml_decodes(found->type), err, RETORT_ERR_UNSUPPORTED,
             "'%s': tensor '%s' has type %s, which is not supported; supported are F32, F16, BF16, Q8_0, Q4_0, Q4_1, "
             "Q5_0, Q5_1, Q4_K, Q5_K and Q6_K",
             file->path, name, rt_ggml_format_of(found->type)->name);
    *out = found;
    return RETORT_OK;
}

static bool is_extra(const rt_gguf_tensor *tensor) {
    return strcmp(tensor->name, "rope_freqs.weight") == 0; /* read with the configuration */
}

static retort_status match_all(const rt_gguf *file, const rt_params *layout, bool *wanted, retort_error *err) {
    for (int64_t i = 0; i < layout->num_tensors; i++) {
        const rt_gguf_tensor *found = NULL;
        RT_TRY(match(file, &layout->tensors[i], &found, err));
        wanted[found - file->tensors] = true;
    }
    for (int64_t i = 0; i < file->num_tensors; i++)
        RT_CHECK(wanted[i] || is_extra(&file->tensors[i]), err, RETORT_ERR_FORMAT,
                 "'%s' has the unexpected tensor '%s'", file->path, file->tensors[i].name);
    return RETORT_OK;
}

retort_status rt_gguf_check_weights(const rt_gguf *file, const rt_config *config, retort_error *err) {
    rt_params layout;
    RT_TRY(rt_params_layout(config, &layout, err));
    bool *wanted = rt_calloc((size_t)file->num_tensors + 1, sizeof *wanted);
    retort_status st = wanted != NULL
                           ? match_all(file, &layout, wanted, err)
                           : rt_fail(err, RETORT_ERR_MEMORY, "out of memory while checking '%s'", file->path);
    rt_free(wanted);
    rt_params_release(&layout);
    return st;
}

static retort_status check_finite(const rt_gguf *file, const char *name, const float *x, int64_t count, int64_t first,
                                  retort_error *err) {
    const int64_t bad = rt_find_nonfinite(x, count);
    RT_CHECK(bad < 0, err, RETORT_ERR_FORMAT, "'%s': tensor '%s' has the non-finite value %f at element %lld",
             file->path, name, (double)x[bad], (long long)(first + bad));
    return RETORT_OK;
}

/* A vector is permuted element by element. */
static retort_status read_vector(const rt_gguf *file, const rt_config *config, rt_params *params,
                                 const rt_tensor *tensor, const rt_gguf_tensor *from, float *whole, retort_error *err) {
    rt_ggml_decode(from->type, from->data, tensor->count, whole);
    RT_TRY(check_finite(file, from->name, whole, tensor->count, 0, err));
    for (int64_t r = 0; r < tensor->count; r++)
        rt_params_store(params, tensor, r, 1, &whole[rt_gguf_row(config, tensor->name, r)]);
    return RETORT_OK;
}

/* A tensor being read: rows are whole numbers of blocks. */
typedef struct reading {
    const rt_gguf *file;
    const rt_config *config;
    rt_params *params;
    const rt_tensor *tensor;
    const rt_gguf_tensor *from;
} reading;

/* A row to its place. What the format it is held in rounds to infinity is an error too. */
static retort_status read_row(const reading *r, int64_t row, float *x, retort_error *err) {
    const int64_t cols = r->tensor->shape[1], stored = rt_gguf_row(r->config, r->tensor->name, row);
    const size_t stride = r->from->bytes / (size_t)r->tensor->shape[0];
    rt_ggml_decode(r->from->type, r->from->data + (size_t)stored * stride, cols, x);
    RT_TRY(check_finite(r->file, r->from->name, x, cols, stored * cols, err));
    rt_params_store(r->params, r->tensor, row * cols, cols, x);
    if (r->tensor->format == RT_FORMAT_F32) return RETORT_OK;
    rt_params_fetch(r->params, r->tensor, row * cols, cols, x);
    return check_finite(r->file, r->from->name, x, cols, stored * cols, err);
}

/* All threads, each with a row of memory; the error told is the first row's. */
static retort_status read_rows(const reading *r, int threads, float *memory, retort_error *err) {
    const int64_t rows = r->tensor->shape[0], cols = r->tensor->shape[1];
    int64_t bad = INT64_MAX;
#pragma omp parallel for reduction(min : bad) num_threads(threads)
    for (int64_t row = 0; row < rows; row++) {
        float *x = memory + omp_get_thread_num() * cols;
        if (read_row(r, row, x, NULL) != RETORT_OK && row < bad) bad = row;
    }
    return bad == INT64_MAX ? RETORT_OK : read_row(r, bad, memory, err);
}

static retort_status read_tensor(const rt_gguf *file, const rt_config *config, rt_params *params,
                                 const rt_tensor *tensor, retort_error *err) {
    const rt_gguf_tensor *from = NULL;
    RT_TRY(match(file, tensor, &from, err));
    const bool matrix = tensor->dims == 2;
    const int threads = matrix && !omp_in_parallel() ? rt_compute_threads() : 1;
    size_t count = (size_t)tensor->count;
    if (matrix && rt_mul_overflow((size_t)threads, (size_t)tensor->shape[1], &count)) count = SIZE_MAX;
    float *memory = rt_malloc_array(count, sizeof *memory);
    RT_CHECK(memory != NULL, err, RETORT_ERR_MEMORY, "'%s': out of memory for '%s'", file->path, from->name);
    const reading r = {file, config, params, tensor, from};
    retort_status st =
        matrix ? read_rows(&r, threads, memory, err) : read_vector(file, config, params, tensor, from, memory, err);
    rt_free(memory);
    return st;
}

retort_status rt_gguf_read_weights(const rt_gguf *file, const rt_config *config, rt_params *params, retort_error *err) {
    for (int64_t i = 0; i < params->num_tensors; i++)
        RT_TRY(read_tensor(file, config, params, &params->tensors[i], err));
    return RETORT_OK;
}

static rt_dtype dtype_of_file(const rt_gguf *file) {
    for (int64_t i = 0; i < file->num_tensors; i++)
        if (file->tensors[i].dims == 2 && file->tensors[i].type != RT_GGML_BF16) return RT_DTYPE_F32;
    return RT_DTYPE_BF16;
}

static rt_dtype dtype_of(const rt_gguf *file, rt_weights_form form) {
    return rt_weights_form_dtype(form, dtype_of_file(file));
}

static retort_status load(const rt_gguf *file, rt_weights_form form, rt_model *model, retort_error *err) {
    RT_TRY(rt_gguf_config(file, &model->config, err));
    model->config.weights_dtype = dtype_of(file, form);
    RT_TRY(rt_gguf_check_weights(file, &model->config, err));
    RT_TRY(rt_params_create(&model->config, &model->params, err));
    return rt_gguf_read_weights(file, &model->config, &model->params, err);
}

retort_status rt_gguf_peek(const char *path, rt_weights_form form, rt_config *out, retort_error *err) {
    rt_gguf file;
    RT_TRY(rt_gguf_open(path, &file, err));
    retort_status st = rt_gguf_config(&file, out, err);
    if (st == RETORT_OK) out->weights_dtype = dtype_of(&file, form);
    rt_gguf_close(&file);
    return st;
}

retort_status rt_gguf_load_model(const char *path, rt_weights_form form, rt_model *out, retort_error *err) {
    *out = (rt_model){0};
    rt_gguf file;
    rt_model model = {0};
    RT_TRY(rt_gguf_open(path, &file, err));
    retort_status st = load(&file, form, &model, err);
    rt_gguf_close(&file);
    if (st != RETORT_OK) {
        rt_model_release(&model);
        return st;
    }
    *out = model;
    return RETORT_OK;
}
