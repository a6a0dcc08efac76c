#include "model/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_MAXIMUM = 100000000, LENGTH_BYTES = 8, SHAPE_TEXT = 24 * RT_ST_MAX_DIMS };

static const struct {
    const char *name;
    size_t size;
} known_types[] = {
    {"F32", 4}, {"BF16", 2}, {"F16", 2}, {"F64", 8}, {"I64", 8},     {"U64", 8},     {"I32", 4},  {"U32", 4},
    {"I16", 2}, {"U16", 2},  {"I8", 1},  {"U8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1}, {"BOOL", 1},
};

/* The table's own string, which outlives any file; NULL for an unknown type. */
static const char *find_type(const json_t *value, size_t *size) {
    const char *name = json_string_value(value);
    for (size_t i = 0; name != NULL && i < sizeof known_types / sizeof known_types[0]; i++) {
        if (strcmp(known_types[i].name, name) != 0) continue;
        *size = known_types[i].size;
        return json_string_length(value) == strlen(name) ? known_types[i].name : NULL;
    }
    return NULL;
}

static const char *shape_text(const int64_t *shape, int32_t dims, char text[SHAPE_TEXT]) {
    size_t at = 0;
    text[at++] = '[';
    for (int32_t i = 0; i < dims; i++)
        at += (size_t)snprintf(text + at, SHAPE_TEXT - at, i == 0 ? "%lld" : ", %lld", (long long)shape[i]);
    text[at++] = ']';
    text[at] = '\0';
    return text;
}

/* ---- header ---- */

static retort_status read_shape(const json_t *value, size_t type_size, const char *path, rt_st_entry *entry,
                                retort_error *err) {
    RT_CHECK(json_is_array(value), err, RETORT_ERR_FORMAT, "'%s': tensor '%.200s' has no array 'shape'", path,
             entry->name);
    RT_CHECK(json_array_size(value) <= RT_ST_MAX_DIMS, err, RETORT_ERR_UNSUPPORTED,
             "'%s': tensor '%.200s' has %zu dimensions, at most %d are supported", path, entry->name,
             json_array_size(value), RT_ST_MAX_DIMS);
    entry->dims = (int32_t)json_array_size(value);
    size_t bytes = type_size;
    bool overflow = false;
    for (int32_t i = 0; i < entry->dims; i++) {
        const json_t *size = json_array_get(value, (size_t)i);
        RT_CHECK(json_is_integer(size) && json_integer_value(size) >= 0, err, RETORT_ERR_FORMAT,
                 "'%s': tensor '%.200s' has a shape of other than whole non-negative sizes", path, entry->name);
        entry->shape[i] = json_integer_value(size);
        overflow = rt_mul_overflow(bytes, (size_t)entry->shape[i], &bytes) || overflow;
    }
    RT_CHECK(!overflow && bytes <= INT64_MAX, err, RETORT_ERR_FORMAT,
             "'%s': the size of tensor '%.200s' overflows 64 bits", path, entry->name);
    entry->bytes = bytes;
    entry->count = (int64_t)(bytes / type_size);
    return RETORT_OK;
}

static retort_status read_offsets(const json_t *value, const char *path, const unsigned char *data, size_t data_length,
                                  rt_st_entry *entry, retort_error *err) {
    const json_t *first = json_array_get(value, 0), *second = json_array_get(value, 1);
    RT_CHECK(json_array_size(value) == 2 && json_is_integer(first) && json_is_integer(second), err, RETORT_ERR_FORMAT,
             "'%s': tensor '%.200s' has no 'data_offsets' of two integers", path, entry->name);
    const long long begin = json_integer_value(first), end = json_integer_value(second);
    RT_CHECK(begin >= 0 && begin <= end && (unsigned long long)end <= data_length, err, RETORT_ERR_FORMAT,
             "'%s': data_offsets [%lld, %lld] of tensor '%.200s' lie outside the file's %zu bytes of data", path, begin,
             end, entry->name, data_length);
    char shape[SHAPE_TEXT];
    RT_CHECK((size_t)(end - begin) == entry->bytes, err, RETORT_ERR_FORMAT,
             "'%s': data_offsets [%lld, %lld] of tensor '%.200s' hold %lld bytes, but shape %s of %s takes %zu", path,
             begin, end, entry->name, end - begin, shape_text(entry->shape, entry->dims, shape), entry->dtype,
             entry->bytes);
    entry->data = data + begin;
    return RETORT_OK;
}

static retort_status read_entry(const char *name, const json_t *value, const char *path, const unsigned char *data,
                                size_t data_length, rt_st_entry *entry, retort_error *err) {
    *entry = (rt_st_entry){.name = name};
    RT_CHECK(json_is_object(value), err, RETORT_ERR_FORMAT, "'%s': the header's '%.200s' is not an object", path, name);
    const json_t *dtype = json_object_get(value, "dtype");
    RT_CHECK(json_is_string(dtype), err, RETORT_ERR_FORMAT, "'%s': tensor '%.200s' has no string 'dtype'", path, name);
    size_t type_size = 0;
    entry->dtype = find_type(dtype, &type_size);
    RT_CHECK(entry->dtype != NULL, err, RETORT_ERR_FORMAT, "'%s': tensor '%.200s' has the unknown dtype '%.40s'", path,
             name, json_string_value(dtype));
    RT_TRY(read_shape(json_object_get(value, "shape"), type_size, path, entry, err));
    RT_TRY(read_offsets(json_object_get(value, "data_offsets"), path, data, data_length, entry, err));
    RT_CHECK(json_object_size(value) == 3, err, RETORT_ERR_FORMAT,
             "'%s': tensor '%.200s' has keys other than 'dtype', 'shape' and 'data_offsets'", path, name);
    return RETORT_OK;
}

static retort_status check_metadata(const json_t *metadata, const char *path, retort_error *err) {
    RT_CHECK(json_is_object(metadata), err, RETORT_ERR_FORMAT, "'%s': '__metadata__' is not an object", path);
    const char *key;
    const json_t *value;
    json_t *object = (json_t *)(uintptr_t)metadata; /* jansson's iteration takes no const */
    json_object_foreach(object, key, value) RT_CHECK(json_is_string(value), err, RETORT_ERR_FORMAT,
                                                     "'%s': '__metadata__' key '%.200s' is not a string", path, key);
    return RETORT_OK;
}

/* By place in the file; of two at one place the empty one comes first. */
static int compare_place(const void *left, const void *right) {
    const rt_st_entry *a = left, *b = right;
    if (a->data != b->data) return a->data < b->data ? -1 : 1;
    return (a->bytes > b->bytes) - (a->bytes < b->bytes);
}

static int compare_name(const void *left, const void *right) {
    return strcmp(((const rt_st_entry *)left)->name, ((const rt_st_entry *)right)->name);
}

/* Ranges that follow one another from the first to the last byte can neither overlap nor leave a hole, in which a file
 * might carry something else. */
static retort_status check_coverage(const rt_safetensors *file, const unsigned char *data, size_t data_length,
                                    retort_error *err) {
    const unsigned char *expected = data;
    for (int64_t i = 0; i < file->count; i++) {
        const rt_st_entry *entry = &file->entries[i];
        RT_CHECK(entry->data == expected, err, RETORT_ERR_FORMAT,
                 "'%s': tensor '%.200s' begins at byte %zu of the data, %s byte %zu where the one before it ends",
                 file->path, entry->name, (size_t)(entry->data - data),
                 entry->data < expected ? "overlapping" : "leaving a hole after", (size_t)(expected - data));
        expected += entry->bytes;
    }
    RT_CHECK((size_t)(expected - data) == data_length, err, RETORT_ERR_FORMAT,
             "'%s': the tensors end at byte %zu of the data, but %zu bytes are there", file->path,
             (size_t)(expected - data), data_length);
    return RETORT_OK;
}

static retort_status read_entries(rt_safetensors *file, const unsigned char *data, size_t data_length,
                                  retort_error *err) {
    RT_CHECK(json_is_object(file->header), err, RETORT_ERR_FORMAT, "'%s': the header is not a JSON object", file->path);
    file->entries = rt_calloc(json_object_size(file->header), sizeof *file->entries);
    RT_CHECK(file->entries != NULL, err, RETORT_ERR_MEMORY, "'%s': out of memory for %zu tensors", file->path,
             json_object_size(file->header));
    const char *name;
    const json_t *value;
    json_object_foreach(file->header, name, value) {
        if (strcmp(name, "__metadata__") == 0)
            RT_TRY(check_metadata(value, file->path, err));
        else
            RT_TRY(read_entry(name, value, file->path, data, data_length, &file->entries[file->count++], err));
    }
    if (file->count > 0) qsort(file->entries, (size_t)file->count, sizeof *file->entries, compare_place);
    RT_TRY(check_coverage(file, data, data_length, err));
    if (file->count > 0) qsort(file->entries, (size_t)file->count, sizeof *file->entries, compare_name);
    return RETORT_OK;
}

static retort_status parse(rt_safetensors *file, const unsigned char *bytes, size_t length, retort_error *err) {
    RT_CHECK(length >= LENGTH_BYTES, err, RETORT_ERR_FORMAT,
             "'%s' is truncated: %zu bytes are too few for a safetensors header", file->path, length);
    uint64_t header = 0;
    for (int i = LENGTH_BYTES - 1; i >= 0; i--) header = header << 8 | bytes[i];
    RT_CHECK(header <= HEADER_MAXIMUM, err, RETORT_ERR_FORMAT,
             "'%s': the header length %llu is more than %d; this is no safetensors file", file->path,
             (unsigned long long)header, HEADER_MAXIMUM);
    RT_CHECK(header <= length - LENGTH_BYTES, err, RETORT_ERR_FORMAT,
             "'%s' is truncated: its header of %llu bytes ends after the file's %zu", file->path,
             (unsigned long long)header, length);
    char what[512];
    snprintf(what, sizeof what, "'%.400s': the header", file->path);
    RT_TRY(rt_json_parse((const char *)bytes + LENGTH_BYTES, (size_t)header, what, &file->header, err));
    const size_t start = LENGTH_BYTES + (size_t)header;
    return read_entries(file, bytes + start, length - start, err);
}

retort_status rt_safetensors_parse(const void *bytes, size_t length, const char *path, rt_safetensors *out,
                                   retort_error *err) {
    *out = (rt_safetensors){.path = rt_strdup(path)};
    RT_CHECK(out->path != NULL, err, RETORT_ERR_MEMORY, "out of memory while opening '%s'", path);
    retort_status st = parse(out, bytes, length, err);
    if (st != RETORT_OK) rt_safetensors_close(out);
    return st;
}

retort_status rt_safetensors_open(const char *path, rt_safetensors *out, retort_error *err) {
    *out = (rt_safetensors){0};
    rt_mapping mapping;
    RT_TRY(rt_map_file(path, &mapping, err));
    retort_status st = rt_safetensors_parse(mapping.data, mapping.length, path, out, err);
    if (st != RETORT_OK)
        rt_unmap_file(&mapping);
    else
        out->mapping = mapping;
    return st;
}

void rt_safetensors_close(rt_safetensors *file) {
    rt_free(file->path);
    rt_free(file->entries);
    json_decref(file->header);
    if (file->mapping.data != NULL) rt_unmap_file(&file->mapping);
    *file = (rt_safetensors){0};
}

void rt_safetensors_forget(const rt_safetensors *file, const unsigned char *data, size_t length) {
    if (file->mapping.data != NULL) rt_map_forget(&file->mapping, (size_t)(data - file->mapping.data), length);
}

/* ---- content ---- */

const rt_st_entry *rt_safetensors_find(const rt_safetensors *file, const char *name) {
    const rt_st_entry key = {.name = name};
    if (file->count == 0) return NULL;
    return bsearch(&key, file->entries, (size_t)file->count, sizeof *file->entries, compare_name);
}

const char *rt_safetensors_metadata(const rt_safetensors *file, const char *key) {
    return json_string_value(json_object_get(json_object_get(file->header, "__metadata__"), key));
}

retort_status rt_safetensors_match_one(const rt_safetensors *file, const rt_st_entry *entry, const rt_st_tensor *tensor,
                                       retort_error *err) {
    char found[SHAPE_TEXT], needed[SHAPE_TEXT];
    const bool same = entry->dims == tensor->dims &&
                      memcmp(entry->shape, tensor->shape, (size_t)tensor->dims * sizeof *tensor->shape) == 0;
    RT_CHECK(same, err, RETORT_ERR_FORMAT, "'%s': tensor '%s' has shape %s, expected %s", file->path, tensor->name,
             shape_text(entry->shape, entry->dims, found), shape_text(tensor->shape, tensor->dims, needed));
    rt_dtype dtype;
    RT_CHECK(rt_dtype_from_name(entry->dtype, &dtype), err, RETORT_ERR_UNSUPPORTED,
             "'%s': tensor '%s' has dtype %s, expected F32, BF16 or F16", file->path, tensor->name, entry->dtype);
    return RETORT_OK;
}

retort_status rt_safetensors_match(const rt_safetensors *file, const rt_st_tensor *tensors, int64_t count,
                                   retort_error *err) {
    bool *wanted = rt_calloc((size_t)file->count, sizeof *wanted);
    RT_CHECK(wanted != NULL, err, RETORT_ERR_MEMORY, "out of memory while checking '%s'", file->path);
    retort_status st = RETORT_OK;
    for (int64_t i = 0; i < count && st == RETORT_OK; i++) {
        const rt_st_entry *entry = rt_safetensors_find(file, tensors[i].name);
        st = entry != NULL
                 ? rt_safetensors_match_one(file, entry, &tensors[i], err)
                 : rt_fail(err, RETORT_ERR_NOT_FOUND, "'%s' lacks the tensor '%s'", file->path, tensors[i].name);
        if (st == RETORT_OK) wanted[entry - file->entries] = true;
    }
    for (int64_t i = 0; i < file->count && st == RETORT_OK; i++)
        if (!wanted[i])
            st = rt_fail(err, RETORT_ERR_FORMAT, "'%s' has the unexpected tensor '%.200s'", file->path,
                         file->entries[i].name);
    rt_free(wanted);
    return st;
}

retort_status rt_safetensors_decode(const rt_safetensors *file, const rt_st_entry *entry, float *out,
                                    retort_error *err) {
    rt_dtype dtype;
    RT_CHECK(rt_dtype_from_name(entry->dtype, &dtype), err, RETORT_ERR_UNSUPPORTED,
             "'%s': tensor '%.200s' has dtype %s, expected F32, BF16 or F16", file->path, entry->name, entry->dtype);
    rt_dtype_decode(dtype, entry->data, entry->count, out);
    rt_safetensors_forget(file, entry->data, entry->bytes);
    const int64_t bad = rt_find_nonfinite(out, entry->count);
    RT_CHECK(bad < 0, err, RETORT_ERR_FORMAT, "'%s': tensor '%.200s' has the non-finite value %f at element %lld",
             file->path, entry->name, (double)out[bad], (long long)bad);
    return RETORT_OK;
}

retort_status rt_safetensors_read_all(const char *path, const rt_st_tensor *tensors, int64_t count, retort_error *err) {
    rt_safetensors file = {0};
    RT_TRY(rt_safetensors_open(path, &file, err));
    retort_status st = rt_safetensors_match(&file, tensors, count, err);
    for (int64_t i = 0; i < count && st == RETORT_OK; i++)
        if (tensors[i].data != NULL)
            st = rt_safetensors_decode(&file, rt_safetensors_find(&file, tensors[i].name), tensors[i].data, err);
    rt_safetensors_close(&file);
    return st;
}
