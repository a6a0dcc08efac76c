/* Typed access to the metadata of a GGUF file. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/gguf.h"

const rt_gguf_value *rt_gguf_find(const rt_gguf *file, const char *key) {
    int64_t low = 0, high = file->num_values;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        const int order = strcmp(key, file->values[middle].key);
        if (order == 0) return &file->values[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const rt_gguf_tensor *rt_gguf_tensor_find(const rt_gguf *file, const char *name) {
    int64_t low = 0, high = file->num_tensors;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        const int order = strcmp(name, file->tensors[middle].name);
        if (order == 0) return &file->tensors[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* NULL without an error where the key is missing and not needed. */
static retort_status find(const rt_gguf *file, const char *key, bool needed, const rt_gguf_value **out,
                          retort_error *err) {
    *out = rt_gguf_find(file, key);
    RT_CHECK(*out != NULL || !needed, err, RETORT_ERR_FORMAT, "'%s' lacks the metadata '%s'", file->path, key);
    return RETORT_OK;
}

/* An integer of any width; false for other types and for what is beyond 63 bits. */
static bool read_int(rt_gguf_type type, const unsigned char *data, int64_t *out) {
#define RT_READ_AS(name, c_type)                                                                                       \
    case name: {                                                                                                       \
        c_type value;                                                                                                  \
        memcpy(&value, data, sizeof value);                                                                            \
        *out = (int64_t)value;                                                                                         \
        return true;                                                                                                   \
    }
    switch (type) {
        RT_READ_AS(RT_GGUF_U8, uint8_t)
        RT_READ_AS(RT_GGUF_I8, int8_t)
        RT_READ_AS(RT_GGUF_U16, uint16_t)
        RT_READ_AS(RT_GGUF_I16, int16_t)
        RT_READ_AS(RT_GGUF_U32, uint32_t)
        RT_READ_AS(RT_GGUF_I32, int32_t)
        RT_READ_AS(RT_GGUF_I64, int64_t)
    case RT_GGUF_U64: {
        uint64_t value;
        memcpy(&value, data, sizeof value);
        *out = (int64_t)value;
        return value <= INT64_MAX;
    }
    default: return false;
    }
#undef RT_READ_AS
}

retort_status rt_gguf_int(const rt_gguf *file, const char *key, bool needed, int64_t minimum, int64_t maximum,
                          int64_t *out, retort_error *err) {
    const rt_gguf_value *value;
    RT_TRY(find(file, key, needed, &value, err));
    if (value == NULL) return RETORT_OK;
    int64_t number = 0;
    RT_CHECK(read_int(value->type, value->data, &number), err, RETORT_ERR_FORMAT,
             "'%s': the metadata '%s' is not one whole number", file->path, key);
    RT_CHECK(number >= minimum && number <= maximum, err, RETORT_ERR_FORMAT,
             "'%s': the metadata '%s' is %lld, must be between %lld and %lld", file->path, key, (long long)number,
             (long long)minimum, (long long)maximum);
    *out = number;
    return RETORT_OK;
}

static double shortest(float value) {
    char text[40];
    for (int digits = 1; digits < 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value) return strtod(text, NULL);
    }
    return (double)value;
}

retort_status rt_gguf_real(const rt_gguf *file, const char *key, bool needed, double *out, retort_error *err) {
    const rt_gguf_value *value;
    RT_TRY(find(file, key, needed, &value, err));
    if (value == NULL) return RETORT_OK;
    double number = 0;
    int64_t whole = 0;
    bool good = true;
    if (value->type == RT_GGUF_F32) {
        float single;
        memcpy(&single, value->data, sizeof single);
        number = isfinite(single) ? shortest(single) : (double)single;
    } else if (value->type == RT_GGUF_F64) {
        memcpy(&number, value->data, sizeof number);
    } else {
        good = read_int(value->type, value->data, &whole);
        number = (double)whole;
    }
    RT_CHECK(good && isfinite(number), err, RETORT_ERR_FORMAT, "'%s': the metadata '%s' is not one finite number",
             file->path, key);
    *out = number;
    return RETORT_OK;
}

retort_status rt_gguf_bool(const rt_gguf *file, const char *key, bool needed, bool *out, retort_error *err) {
    const rt_gguf_value *value;
    RT_TRY(find(file, key, needed, &value, err));
    if (value == NULL) return RETORT_OK;
    RT_CHECK(value->type == RT_GGUF_BOOL, err, RETORT_ERR_FORMAT, "'%s': the metadata '%s' is not true or false",
             file->path, key);
    *out = value->data[0] != 0;
    return RETORT_OK;
}

/* The text at data, whose length stands before it; the reader has checked that it is whole. */
static rt_gguf_text text_at(const unsigned char *data) {
    uint64_t length;
    memcpy(&length, data, sizeof length);
    return (rt_gguf_text){(const char *)data + sizeof length, (size_t)length};
}

retort_status rt_gguf_string(const rt_gguf *file, const char *key, bool needed, char **out, retort_error *err) {
    const rt_gguf_value *value;
    *out = NULL;
    RT_TRY(find(file, key, needed, &value, err));
    if (value == NULL) return RETORT_OK;
    RT_CHECK(value->type == RT_GGUF_STRING, err, RETORT_ERR_FORMAT, "'%s': the metadata '%s' is not a string",
             file->path, key);
    const rt_gguf_text text = text_at(value->data);
    RT_CHECK(memchr(text.data, '\0', text.length) == NULL, err, RETORT_ERR_FORMAT,
             "'%s': the metadata '%s' has a NUL character", file->path, key);
    *out = rt_strndup(text.data, text.length);
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "'%s': out of memory for '%s'", file->path, key);
    return RETORT_OK;
}

static retort_status find_array(const rt_gguf *file, const char *key, const rt_gguf_value **out, retort_error *err) {
    RT_TRY(find(file, key, true, out, err));
    RT_CHECK((*out)->type == RT_GGUF_ARRAY, err, RETORT_ERR_FORMAT, "'%s': the metadata '%s' is not an array",
             file->path, key);
    return RETORT_OK;
}

retort_status rt_gguf_texts(const rt_gguf *file, const char *key, rt_gguf_text **out, int64_t *count,
                            retort_error *err) {
    const rt_gguf_value *value;
    RT_TRY(find_array(file, key, &value, err));
    RT_CHECK(value->element == RT_GGUF_STRING, err, RETORT_ERR_FORMAT, "'%s': '%s' is not an array of strings",
             file->path, key);
    rt_gguf_text *texts = rt_malloc_array((size_t)value->count + 1, sizeof *texts);
    RT_CHECK(texts != NULL, err, RETORT_ERR_MEMORY, "'%s': out of memory for '%s'", file->path, key);
    const unsigned char *at = value->data;
    for (uint64_t i = 0; i < value->count; i++) {
        texts[i] = text_at(at);
        at += sizeof(uint64_t) + texts[i].length;
    }
    *out = texts;
    *count = (int64_t)value->count;
    return RETORT_OK;
}

retort_status rt_gguf_numbers(const rt_gguf *file, const char *key, double **out, int64_t *count, retort_error *err) {
    const rt_gguf_value *value;
    RT_TRY(find_array(file, key, &value, err));
    double *numbers = rt_malloc_array((size_t)value->count + 1, sizeof *numbers);
    RT_CHECK(numbers != NULL, err, RETORT_ERR_MEMORY, "'%s': out of memory for '%s'", file->path, key);
    const size_t size = value->count > 0 ? value->bytes / (size_t)value->count : 0;
    bool good = value->element != RT_GGUF_STRING;
    for (uint64_t i = 0; i < value->count && good; i++) {
        const unsigned char *at = value->data + i * size;
        int64_t whole = 0;
        if (value->element == RT_GGUF_F32) {
            float single;
            memcpy(&single, at, sizeof single);
            numbers[i] = (double)single;
        } else if (value->element == RT_GGUF_F64) {
            memcpy(&numbers[i], at, sizeof *numbers);
        } else {
            good = read_int(value->element, at, &whole);
            numbers[i] = (double)whole;
        }
    }
    if (!good) {
        rt_free(numbers);
        return rt_fail(err, RETORT_ERR_FORMAT, "'%s': the metadata '%s' is not an array of numbers", file->path, key);
    }
    *out = numbers;
    *count = (int64_t)value->count;
    return RETORT_OK;
}
