#include "model/safetensors.h"

enum { CHUNK = 8192 }; /* floats converted and written at a time */

static retort_status tensor_bytes(const rt_st_tensor *tensor, rt_dtype dtype, const char *path, size_t *out,
                                  retort_error *err) {
    RT_CHECK(tensor->dims >= 0 && tensor->dims <= RT_ST_MAX_DIMS, err, RETORT_ERR_STATE,
             "'%s': tensor '%s' has %d dimensions", path, tensor->name, (int)tensor->dims);
    size_t bytes = rt_dtype_size(dtype);
    bool bad = false;
    for (int32_t i = 0; i < tensor->dims; i++)
        bad = tensor->shape[i] < 0 || rt_mul_overflow(bytes, (size_t)tensor->shape[i], &bytes) || bad;
    RT_CHECK(!bad && bytes <= INT64_MAX, err, RETORT_ERR_STATE, "'%s': the size of tensor '%s' overflows 64 bits", path,
             tensor->name);
    *out = bytes;
    return RETORT_OK;
}

static json_t *shape_array(const rt_st_tensor *tensor) {
    json_t *shape = json_array();
    for (int32_t i = 0; i < tensor->dims && shape != NULL; i++) {
        if (json_array_append_new(shape, json_integer(tensor->shape[i])) == 0) continue;
        json_decref(shape);
        shape = NULL;
    }
    return shape;
}

static retort_status add_metadata(json_t *header, const char *const *metadata, retort_error *err) {
    json_t *object = json_pack("{s:s}", "format", "pt");
    bool failed = object == NULL;
    for (size_t i = 0; !failed && metadata != NULL && metadata[i] != NULL; i += 2)
        failed = json_object_set_new(object, metadata[i], json_string(metadata[i + 1])) != 0;
    if (failed) {
        json_decref(object);
        return rt_fail(err, RETORT_ERR_MEMORY, "cannot make the metadata of a safetensors header");
    }
    RT_CHECK(json_object_set_new(header, "__metadata__", object) == 0, err, RETORT_ERR_MEMORY,
             "out of memory for a safetensors header");
    return RETORT_OK;
}

static retort_status fill_header(json_t *header, const char *path, const rt_st_tensor *tensors, int64_t count,
                                 rt_dtype dtype, const char *const *metadata, retort_error *err) {
    RT_TRY(add_metadata(header, metadata, err));
    size_t begin = 0;
    for (int64_t i = 0; i < count; i++) {
        const rt_st_tensor *tensor = &tensors[i];
        size_t bytes = 0, end = 0;
        RT_TRY(tensor_bytes(tensor, dtype, path, &bytes, err));
        RT_CHECK(!__builtin_add_overflow(begin, bytes, &end) && end <= INT64_MAX, err, RETORT_ERR_STATE,
                 "'%s': the sizes of the tensors overflow 64 bits", path);
        RT_CHECK(json_object_get(header, tensor->name) == NULL, err, RETORT_ERR_STATE,
                 "'%s': two tensors have the name '%s'", path, tensor->name);
        json_t *entry = json_pack("{s:s, s:o, s:[I, I]}", "dtype", rt_dtype_name(dtype), "shape", shape_array(tensor),
                                  "data_offsets", (json_int_t)begin, (json_int_t)end);
        RT_CHECK(entry != NULL && json_object_set_new(header, tensor->name, entry) == 0, err, RETORT_ERR_MEMORY,
                 "'%s': cannot make the header entry of tensor '%s'", path, tensor->name);
        begin = end;
    }
    return RETORT_OK;
}

/* The JSON text is padded with spaces to a multiple of 8, so that the data begin aligned. */
static retort_status write_header(rt_atomic_file *file, const json_t *header, retort_error *err) {
    rt_buffer text = {0};
    retort_status st = rt_json_dump(header, JSON_COMPACT, &text, err);
    while (st == RETORT_OK && text.length % 8 != 0) st = rt_buffer_puts(&text, " ", err);
    unsigned char prefix[8];
    for (int i = 0; i < 8; i++) prefix[i] = (unsigned char)((uint64_t)text.length >> (8 * i));
    if (st == RETORT_OK) st = rt_atomic_write(file, prefix, sizeof prefix, err);
    if (st == RETORT_OK) st = rt_atomic_write(file, text.data, text.length, err);
    rt_buffer_free(&text);
    return st;
}

static retort_status write_tensor(rt_atomic_file *file, const rt_st_tensor *tensor, int64_t count, rt_dtype dtype,
                                  retort_error *err) {
    unsigned char bytes[CHUNK * sizeof(float)];
    float widened[CHUNK];
    for (int64_t start = 0; start < count; start += CHUNK) {
        const int64_t n = count - start < CHUNK ? count - start : CHUNK;
        const float *values = tensor->data != NULL ? tensor->data + start : widened;
        if (tensor->data == NULL) rt_matrix_decode(tensor->narrow, tensor->shape[1], start, n, widened);
        rt_dtype_encode(dtype, values, n, bytes);
        const int64_t bad = rt_dtype_find_nonfinite(dtype, bytes, n);
        RT_CHECK(bad < 0, err, RETORT_ERR_NUMERIC,
                 "cannot write '%s': tensor '%s' has the value %g at element %lld, which is not a finite number in %s",
                 file->path, tensor->name, (double)values[bad], (long long)(start + bad), rt_dtype_name(dtype));
        RT_TRY(rt_atomic_write(file, bytes, (size_t)n * rt_dtype_size(dtype), err));
    }
    return RETORT_OK;
}

retort_status rt_safetensors_stream(rt_atomic_file *file, const rt_st_tensor *tensors, int64_t count, rt_dtype dtype,
                                    const char *const *metadata, retort_error *err) {
    json_t *header = json_object();
    RT_CHECK(header != NULL, err, RETORT_ERR_MEMORY, "out of memory for the header of '%s'", file->path);
    retort_status st = fill_header(header, file->path, tensors, count, dtype, metadata, err);
    if (st == RETORT_OK) st = write_header(file, header, err);
    json_decref(header);
    for (int64_t i = 0; i < count && st == RETORT_OK; i++) {
        size_t bytes = 0;
        st = tensor_bytes(&tensors[i], dtype, file->path, &bytes, err);
        if (st == RETORT_OK) st = write_tensor(file, &tensors[i], (int64_t)(bytes / rt_dtype_size(dtype)), dtype, err);
    }
    return st;
}

retort_status rt_safetensors_write(const char *path, const rt_st_tensor *tensors, int64_t count, rt_dtype dtype,
                                   const char *const *metadata, retort_error *err) {
    rt_atomic_file file;
    RT_TRY(rt_atomic_open(&file, path, err));
    retort_status st = rt_safetensors_stream(&file, tensors, count, dtype, metadata, err);
    if (st != RETORT_OK) {
        rt_atomic_abort(&file);
        return st;
    }
    return rt_atomic_commit(&file, err);
}
