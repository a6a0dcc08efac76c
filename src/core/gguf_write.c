#include <string.h>

#include "core/gguf.h"

enum { ALIGNMENT = 32, VERSION = 3 };

static retort_status put_bytes(rt_buffer *buffer, const void *bytes, size_t length, retort_error *err) {
    return rt_buffer_append(buffer, bytes, length, err);
}

static retort_status put_text(rt_buffer *buffer, const char *text, retort_error *err) {
    const uint64_t length = strlen(text);
    RT_TRY(put_bytes(buffer, &length, sizeof length, err));
    return put_bytes(buffer, text, (size_t)length, err);
}

static retort_status put_key(rt_gguf_writer *writer, const char *key, rt_gguf_type type, retort_error *err) {
    const uint32_t number = (uint32_t)type;
    if (writer->values.maximum == 0) writer->values.maximum = (size_t)1 << 32;
    writer->num_values++;
    RT_TRY(put_text(&writer->values, key, err));
    return put_bytes(&writer->values, &number, sizeof number, err);
}

static retort_status put_array(rt_gguf_writer *writer, const char *key, rt_gguf_type element, int64_t count,
                               retort_error *err) {
    const uint32_t number = (uint32_t)element;
    const uint64_t length = (uint64_t)count;
    RT_TRY(put_key(writer, key, RT_GGUF_ARRAY, err));
    RT_TRY(put_bytes(&writer->values, &number, sizeof number, err));
    return put_bytes(&writer->values, &length, sizeof length, err);
}

retort_status rt_gguf_put_u32(rt_gguf_writer *writer, const char *key, uint32_t value, retort_error *err) {
    RT_TRY(put_key(writer, key, RT_GGUF_U32, err));
    return put_bytes(&writer->values, &value, sizeof value, err);
}

retort_status rt_gguf_put_f32(rt_gguf_writer *writer, const char *key, float value, retort_error *err) {
    RT_TRY(put_key(writer, key, RT_GGUF_F32, err));
    return put_bytes(&writer->values, &value, sizeof value, err);
}

retort_status rt_gguf_put_bool(rt_gguf_writer *writer, const char *key, bool value, retort_error *err) {
    const unsigned char byte = value ? 1 : 0;
    RT_TRY(put_key(writer, key, RT_GGUF_BOOL, err));
    return put_bytes(&writer->values, &byte, sizeof byte, err);
}

retort_status rt_gguf_put_string(rt_gguf_writer *writer, const char *key, const char *text, retort_error *err) {
    RT_TRY(put_key(writer, key, RT_GGUF_STRING, err));
    return put_text(&writer->values, text, err);
}

retort_status rt_gguf_put_strings(rt_gguf_writer *writer, const char *key, const char *const *texts, int64_t count,
                                  retort_error *err) {
    RT_TRY(put_array(writer, key, RT_GGUF_STRING, count, err));
    for (int64_t i = 0; i < count; i++) RT_TRY(put_text(&writer->values, texts[i], err));
    return RETORT_OK;
}

retort_status rt_gguf_put_i32s(rt_gguf_writer *writer, const char *key, const int32_t *values, int64_t count,
                               retort_error *err) {
    RT_TRY(put_array(writer, key, RT_GGUF_I32, count, err));
    return put_bytes(&writer->values, values, (size_t)count * sizeof *values, err);
}

retort_status rt_gguf_put_f32s(rt_gguf_writer *writer, const char *key, const float *values, int64_t count,
                               retort_error *err) {
    RT_TRY(put_array(writer, key, RT_GGUF_F32, count, err));
    return put_bytes(&writer->values, values, (size_t)count * sizeof *values, err);
}

static uint64_t padded(uint64_t bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

retort_status rt_gguf_declare(rt_gguf_writer *writer, const char *name, rt_ggml_type type, int32_t dims,
                              const int64_t *shape, retort_error *err) {
    const rt_ggml_format *format = rt_ggml_format_of((uint32_t)type);
    RT_CHECK(strlen(name) < RT_GGUF_NAME && dims >= 1 && dims <= RT_GGUF_MAX_DIMS && format != NULL &&
                 (size_t)shape[0] % format->block == 0,
             err, RETORT_ERR_STATE, "tensor '%s' cannot be written to a GGUF file", name);
    size_t bytes = format->block_size;
    bool bad = false;
    for (int32_t i = 0; i < dims; i++)
        bad = rt_mul_overflow(bytes, (size_t)shape[i] / (i == 0 ? format->block : 1), &bytes) || bad;
    RT_CHECK(!bad && bytes <= INT64_MAX / 2 && writer->data <= INT64_MAX / 2, err, RETORT_ERR_STATE,
             "the size of tensor '%s' overflows 64 bits", name);
    uint64_t *sizes = rt_realloc_array(writer->sizes, (size_t)writer->num_tensors + 1, sizeof *sizes);
    RT_CHECK(sizes != NULL, err, RETORT_ERR_MEMORY, "out of memory for a list of tensors");
    writer->sizes = sizes;
    sizes[writer->num_tensors++] = bytes;
    const uint32_t number = (uint32_t)type, rank = (uint32_t)dims;
    RT_TRY(put_text(&writer->tensors, name, err));
    RT_TRY(put_bytes(&writer->tensors, &rank, sizeof rank, err));
    RT_TRY(put_bytes(&writer->tensors, shape, (size_t)dims * sizeof *shape, err));
    RT_TRY(put_bytes(&writer->tensors, &number, sizeof number, err));
    RT_TRY(put_bytes(&writer->tensors, &writer->data, sizeof writer->data, err));
    writer->data += padded(bytes);
    return RETORT_OK;
}

static retort_status write_padding(rt_atomic_file *file, uint64_t bytes, retort_error *err) {
    static const unsigned char ZEROS[ALIGNMENT];
    return rt_atomic_write(file, ZEROS, (size_t)(padded(bytes) - bytes), err);
}

retort_status rt_gguf_write_header(rt_gguf_writer *writer, rt_atomic_file *file, retort_error *err) {
    const uint32_t version = VERSION;
    RT_TRY(rt_atomic_write(file, "GGUF", 4, err));
    RT_TRY(rt_atomic_write(file, &version, sizeof version, err));
    RT_TRY(rt_atomic_write(file, &writer->num_tensors, sizeof writer->num_tensors, err));
    RT_TRY(rt_atomic_write(file, &writer->num_values, sizeof writer->num_values, err));
    RT_TRY(rt_atomic_write(file, writer->values.data, writer->values.length, err));
    RT_TRY(rt_atomic_write(file, writer->tensors.data, writer->tensors.length, err));
    return write_padding(file, 24 + writer->values.length + writer->tensors.length, err);
}

retort_status rt_gguf_write_tensor(rt_gguf_writer *writer, rt_atomic_file *file, const void *bytes, size_t length,
                                   retort_error *err) {
    RT_CHECK(writer->at < writer->num_tensors && length <= writer->sizes[writer->at] - writer->written, err,
             RETORT_ERR_STATE, "'%s': more bytes than the tensors were declared to have", file->path);
    RT_TRY(rt_atomic_write(file, bytes, length, err));
    writer->written += length;
    if (writer->written < writer->sizes[writer->at]) return RETORT_OK;
    RT_TRY(write_padding(file, writer->written, err));
    writer->written = 0;
    writer->at++;
    return RETORT_OK;
}

retort_status rt_gguf_write_end(rt_gguf_writer *writer, rt_atomic_file *file, retort_error *err) {
    RT_CHECK(writer->at == writer->num_tensors, err, RETORT_ERR_STATE, "'%s': tensor %llu is not whole", file->path,
             (unsigned long long)writer->at);
    return RETORT_OK;
}

void rt_gguf_writer_free(rt_gguf_writer *writer) {
    rt_buffer_free(&writer->values);
    rt_buffer_free(&writer->tensors);
    rt_free(writer->sizes);
    *writer = (rt_gguf_writer){0};
}
