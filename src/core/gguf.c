#include "core/gguf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "GGUF is little-endian and its numbers are copied as they are");

enum {
    MAGIC_LENGTH = 4,
    HEADER = 24,        /* magic, version, two counts */
    LEAST_VALUE = 13,   /* bytes of the smallest metadata entry: key length, type, one byte */
    LEAST_TENSOR = 32,  /* and of a tensor's: name length, dims, one size, type, offset */
    MAX_COUNT = 1 << 20 /* entries or tensors */
};
static const char MAGIC[] = "GGUF";

/* ---- the reading position ---- */

typedef struct cursor {
    rt_gguf *file;
    const unsigned char *data;
    size_t length, at;
} cursor;

static retort_status truncated(const cursor *c, const char *what, retort_error *err) {
    return rt_fail(err, RETORT_ERR_FORMAT, "'%s' is truncated: %s at byte %zu goes beyond its %zu bytes", c->file->path,
                   what, c->at, c->length);
}

static retort_status take(cursor *c, size_t bytes, const char *what, const unsigned char **out, retort_error *err) {
    if (bytes > c->length - c->at) return truncated(c, what, err);
    *out = c->data + c->at;
    c->at += bytes;
    return RETORT_OK;
}

static retort_status take_u32(cursor *c, const char *what, uint32_t *out, retort_error *err) {
    const unsigned char *bytes = NULL;
    RT_TRY(take(c, sizeof *out, what, &bytes, err));
    memcpy(out, bytes, sizeof *out);
    return RETORT_OK;
}

static retort_status take_u64(cursor *c, const char *what, uint64_t *out, retort_error *err) {
    const unsigned char *bytes = NULL;
    RT_TRY(take(c, sizeof *out, what, &bytes, err));
    memcpy(out, bytes, sizeof *out);
    return RETORT_OK;
}

static retort_status take_text(cursor *c, const char *what, rt_gguf_text *out, retort_error *err) {
    uint64_t length = 0;
    const unsigned char *bytes = NULL;
    RT_TRY(take_u64(c, what, &length, err));
    if (length > c->length - c->at) return truncated(c, what, err);
    RT_TRY(take(c, (size_t)length, what, &bytes, err));
    *out = (rt_gguf_text){(const char *)bytes, (size_t)length};
    return RETORT_OK;
}

/* ---- metadata ---- */

static size_t size_of(uint32_t type) {
    static const size_t SIZES[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    return SIZES[type];
}

static retort_status skip_strings(cursor *c, uint64_t count, const char *key, retort_error *err) {
    rt_gguf_text text = {0};
    for (uint64_t i = 0; i < count; i++) RT_TRY(take_text(c, key, &text, err));
    return RETORT_OK;
}

static retort_status check_bools(const cursor *c, const rt_gguf_value *value, retort_error *err) {
    for (size_t i = 0; i < value->bytes; i++)
        RT_CHECK(value->data[i] <= 1, err, RETORT_ERR_FORMAT, "'%s': '%.200s' has a boolean of value %d", c->file->path,
                 value->key, (int)value->data[i]);
    return RETORT_OK;
}

static retort_status read_payload(cursor *c, rt_gguf_value *value, retort_error *err) {
    const size_t start = c->at;
    const uint32_t type = (uint32_t)value->element;
    if (type == RT_GGUF_STRING) {
        RT_TRY(skip_strings(c, value->count, value->key, err));
    } else {
        size_t bytes = 0;
        const unsigned char *data = NULL;
        if (rt_mul_overflow((size_t)value->count, size_of(type), &bytes)) return truncated(c, value->key, err);
        RT_TRY(take(c, bytes, value->key, &data, err));
    }
    value->data = c->data + start;
    value->bytes = c->at - start;
    return type == RT_GGUF_BOOL ? check_bools(c, value, err) : RETORT_OK;
}

static retort_status check_type(const cursor *c, const char *key, uint32_t type, retort_error *err) {
    RT_CHECK(type <= RT_GGUF_F64, err, RETORT_ERR_FORMAT, "'%s': '%.200s' has the unknown metadata type %u",
             c->file->path, key, type);
    return RETORT_OK;
}

static retort_status read_value(cursor *c, rt_gguf_value *value, retort_error *err) {
    uint32_t type = 0, element = 0;
    RT_TRY(take_u32(c, value->key, &type, err));
    RT_TRY(check_type(c, value->key, type, err));
    value->type = value->element = (rt_gguf_type)type;
    value->count = 1;
    if (type == RT_GGUF_ARRAY) {
        RT_TRY(take_u32(c, value->key, &element, err));
        RT_TRY(check_type(c, value->key, element, err));
        RT_CHECK(element != RT_GGUF_ARRAY, err, RETORT_ERR_UNSUPPORTED,
                 "'%s': '%.200s' is an array of arrays, which is not supported", c->file->path, value->key);
        RT_TRY(take_u64(c, value->key, &value->count, err));
        value->element = (rt_gguf_type)element;
    }
    return read_payload(c, value, err);
}

static int compare_key(const void *left, const void *right) {
    return strcmp(((const rt_gguf_value *)left)->key, ((const rt_gguf_value *)right)->key);
}

/* The keys' texts go, with a NUL behind each, to a block that is as long as all of them could be: the bytes of the
 * file that are left. Their number is known only at the end, so two passes measure and fill. */
static retort_status read_values(cursor *c, bool fill, size_t *key_bytes, retort_error *err) {
    rt_gguf *file = c->file;
    size_t used = 0;
    for (int64_t i = 0; i < file->num_values; i++) {
        rt_gguf_text key = {0};
        RT_TRY(take_text(c, "a metadata key", &key, err));
        RT_CHECK(key.length > 0 && memchr(key.data, '\0', key.length) == NULL, err, RETORT_ERR_FORMAT,
                 "'%s': metadata entry %lld has an empty key or one with a NUL", file->path, (long long)i);
        rt_gguf_value scratch = {.key = "a metadata value"}, *value = fill ? &file->values[i] : &scratch;
        if (fill) {
            memcpy(file->keys + used, key.data, key.length);
            file->keys[used + key.length] = '\0';
            value->key = file->keys + used;
        }
        used += key.length + 1;
        RT_TRY(read_value(c, value, err));
    }
    *key_bytes = used;
    return RETORT_OK;
}

static retort_status read_metadata(cursor *c, retort_error *err) {
    rt_gguf *file = c->file;
    const size_t start = c->at;
    size_t key_bytes = 0;
    RT_TRY(read_values(c, false, &key_bytes, err));
    file->values = rt_calloc((size_t)file->num_values + 1, sizeof *file->values);
    file->keys = rt_malloc(key_bytes + 1);
    RT_CHECK(file->values != NULL && file->keys != NULL, err, RETORT_ERR_MEMORY, "'%s': out of memory for %lld keys",
             file->path, (long long)file->num_values);
    c->at = start;
    RT_TRY(read_values(c, true, &key_bytes, err));
    if (file->num_values > 0) qsort(file->values, (size_t)file->num_values, sizeof *file->values, compare_key);
    for (int64_t i = 1; i < file->num_values; i++)
        RT_CHECK(strcmp(file->values[i - 1].key, file->values[i].key) != 0, err, RETORT_ERR_FORMAT,
                 "'%s': metadata key '%.200s' is there twice", file->path, file->values[i].key);
    return RETORT_OK;
}

static retort_status read_alignment(rt_gguf *file, retort_error *err) {
    int64_t alignment = 32;
    RT_TRY(rt_gguf_int(file, "general.alignment", false, 1, 1 << 30, &alignment, err));
    RT_CHECK((alignment & (alignment - 1)) == 0, err, RETORT_ERR_FORMAT,
             "'%s': 'general.alignment' is %lld, must be a power of two", file->path, (long long)alignment);
    file->alignment = (uint32_t)alignment;
    return RETORT_OK;
}

/* ---- tensors ---- */

static retort_status read_name(cursor *c, rt_gguf_tensor *tensor, retort_error *err) {
    rt_gguf_text name = {0};
    RT_TRY(take_text(c, "a tensor's name", &name, err));
    RT_CHECK(name.length > 0 && name.length < RT_GGUF_NAME && memchr(name.data, '\0', name.length) == NULL, err,
             RETORT_ERR_FORMAT, "'%s': a tensor's name at byte %zu is empty, has a NUL or is longer than %d bytes",
             c->file->path, c->at - name.length, RT_GGUF_NAME - 1);
    memcpy(tensor->name, name.data, name.length);
    return RETORT_OK;
}

static retort_status read_shape(cursor *c, rt_gguf_tensor *tensor, retort_error *err) {
    uint32_t dims = 0;
    RT_TRY(take_u32(c, tensor->name, &dims, err));
    RT_CHECK(dims >= 1 && dims <= RT_GGUF_MAX_DIMS, err, RETORT_ERR_FORMAT,
             "'%s': tensor '%s' has %u dimensions, must have 1 to %d", c->file->path, tensor->name, dims,
             RT_GGUF_MAX_DIMS);
    tensor->dims = (int32_t)dims;
    for (int i = 0; i < RT_GGUF_MAX_DIMS; i++) tensor->shape[i] = 1;
    size_t count = 1;
    for (uint32_t i = 0; i < dims; i++) {
        uint64_t size = 0;
        RT_TRY(take_u64(c, tensor->name, &size, err));
        RT_CHECK(size >= 1 && size <= INT64_MAX && !rt_mul_overflow(count, (size_t)size, &count) && count <= INT64_MAX,
                 err, RETORT_ERR_FORMAT, "'%s': tensor '%s' has an impossible size %llu in dimension %u", c->file->path,
                 tensor->name, (unsigned long long)size, i);
        tensor->shape[i] = (int64_t)size;
    }
    tensor->count = (int64_t)count;
    return RETORT_OK;
}

static retort_status read_tensor(cursor *c, rt_gguf_tensor *tensor, retort_error *err) {
    const char *path = c->file->path;
    RT_TRY(read_name(c, tensor, err));
    RT_TRY(read_shape(c, tensor, err));
    RT_TRY(take_u32(c, tensor->name, &tensor->type, err));
    RT_TRY(take_u64(c, tensor->name, &tensor->offset, err));
    const rt_ggml_format *format = rt_ggml_format_of(tensor->type);
    RT_CHECK(format != NULL, err, RETORT_ERR_UNSUPPORTED, "'%s': tensor '%s' has the unknown type %u", path,
             tensor->name, tensor->type);
    RT_CHECK((size_t)tensor->shape[0] % format->block == 0, err, RETORT_ERR_FORMAT,
             "'%s': tensor '%s' has rows of %lld elements, no multiple of the %zu of a %s block", path, tensor->name,
             (long long)tensor->shape[0], format->block, format->name);
    RT_CHECK(!rt_mul_overflow((size_t)tensor->count / format->block, format->block_size, &tensor->bytes), err,
             RETORT_ERR_FORMAT, "'%s': the size of tensor '%s' overflows 64 bits", path, tensor->name);
    RT_CHECK(tensor->offset % c->file->alignment == 0, err, RETORT_ERR_FORMAT,
             "'%s': tensor '%s' begins at byte %llu of the data, no multiple of the alignment %u", path, tensor->name,
             (unsigned long long)tensor->offset, c->file->alignment);
    return RETORT_OK;
}

static int compare_offset(const void *left, const void *right) {
    const rt_gguf_tensor *a = left, *b = right;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

static int compare_name(const void *left, const void *right) {
    return strcmp(((const rt_gguf_tensor *)left)->name, ((const rt_gguf_tensor *)right)->name);
}

/* Each tensor ends inside the file and not behind the beginning of the next. */
static retort_status place_tensors(cursor *c, retort_error *err) {
    rt_gguf *file = c->file;
    const size_t mask = file->alignment - 1U;
    const size_t padding = (file->alignment - (c->at & mask)) & mask;
    if (padding > c->length - c->at) return truncated(c, "the tensors' data", err);
    const unsigned char *data = c->data + c->at + padding;
    const size_t length = c->length - c->at - padding;
    uint64_t end = 0;
    const char *before = NULL;
    for (int64_t i = 0; i < file->num_tensors; i++) {
        rt_gguf_tensor *tensor = &file->tensors[i];
        RT_CHECK(tensor->offset <= length && tensor->bytes <= length - tensor->offset, err, RETORT_ERR_FORMAT,
                 "'%s' is truncated: tensor '%s' needs %zu bytes from byte %llu of the data, of which there are %zu",
                 file->path, tensor->name, tensor->bytes, (unsigned long long)tensor->offset, length);
        RT_CHECK(tensor->offset >= end, err, RETORT_ERR_FORMAT, "'%s': tensors '%s' and '%s' overlap", file->path,
                 before, tensor->name);
        end = tensor->offset + tensor->bytes;
        before = tensor->name;
        tensor->data = data + tensor->offset;
    }
    return RETORT_OK;
}

static retort_status read_tensors(cursor *c, retort_error *err) {
    rt_gguf *file = c->file;
    file->tensors = rt_calloc((size_t)file->num_tensors + 1, sizeof *file->tensors);
    RT_CHECK(file->tensors != NULL, err, RETORT_ERR_MEMORY, "'%s': out of memory for %lld tensors", file->path,
             (long long)file->num_tensors);
    for (int64_t i = 0; i < file->num_tensors; i++) RT_TRY(read_tensor(c, &file->tensors[i], err));
    if (file->num_tensors == 0) return RETORT_OK; /* a vocabulary alone: nothing needs to follow */
    qsort(file->tensors, (size_t)file->num_tensors, sizeof *file->tensors, compare_offset);
    RT_TRY(place_tensors(c, err));
    qsort(file->tensors, (size_t)file->num_tensors, sizeof *file->tensors, compare_name);
    for (int64_t i = 1; i < file->num_tensors; i++)
        RT_CHECK(strcmp(file->tensors[i - 1].name, file->tensors[i].name) != 0, err, RETORT_ERR_FORMAT,
                 "'%s': tensor '%s' is there twice", file->path, file->tensors[i].name);
    return RETORT_OK;
}

/* ---- the whole ---- */

static retort_status read_version(cursor *c, retort_error *err) {
    rt_gguf *file = c->file;
    RT_CHECK(c->length >= HEADER && memcmp(c->data, MAGIC, MAGIC_LENGTH) == 0, err, RETORT_ERR_FORMAT,
             "'%s' is no GGUF file: it does not begin with \"GGUF\" and a header", file->path);
    c->at = MAGIC_LENGTH;
    RT_TRY(take_u32(c, "the version", &file->version, err));
    RT_CHECK((file->version & 0xffffU) != 0, err, RETORT_ERR_UNSUPPORTED,
             "'%s' is a big-endian GGUF file, which is not supported; convert it again on a little-endian machine",
             file->path);
    RT_CHECK(file->version == 2 || file->version == 3, err, RETORT_ERR_UNSUPPORTED,
             "'%s' has GGUF version %u, only 2 and 3 are supported", file->path, file->version);
    return RETORT_OK;
}

/* A count that the bytes behind it could not hold would let a small file ask for much memory. */
static retort_status read_count(cursor *c, const char *what, size_t least, int64_t *out, retort_error *err) {
    uint64_t count = 0;
    RT_TRY(take_u64(c, what, &count, err));
    RT_CHECK(count <= MAX_COUNT && count <= c->length / least, err, RETORT_ERR_FORMAT,
             "'%s' claims to have %llu %s, more than its %zu bytes can hold", c->file->path, (unsigned long long)count,
             what, c->length);
    *out = (int64_t)count;
    return RETORT_OK;
}

static retort_status parse(cursor *c, retort_error *err) {
    RT_TRY(read_version(c, err));
    RT_TRY(read_count(c, "tensors", LEAST_TENSOR, &c->file->num_tensors, err));
    RT_TRY(read_count(c, "metadata entries", LEAST_VALUE, &c->file->num_values, err));
    RT_TRY(read_metadata(c, err));
    RT_TRY(read_alignment(c->file, err));
    return read_tensors(c, err);
}

retort_status rt_gguf_parse(const void *bytes, size_t length, const char *path, rt_gguf *out, retort_error *err) {
    *out = (rt_gguf){.path = rt_strdup(path)};
    RT_CHECK(out->path != NULL, err, RETORT_ERR_MEMORY, "out of memory while opening '%s'", path);
    cursor c = {.file = out, .data = bytes, .length = length};
    retort_status st = parse(&c, err);
    if (st != RETORT_OK) rt_gguf_close(out);
    return st;
}

retort_status rt_gguf_open(const char *path, rt_gguf *out, retort_error *err) {
    *out = (rt_gguf){0};
    rt_mapping mapping;
    RT_TRY(rt_map_file(path, &mapping, err));
    retort_status st = rt_gguf_parse(mapping.data, mapping.length, path, out, err);
    if (st != RETORT_OK)
        rt_unmap_file(&mapping);
    else
        out->mapping = mapping;
    return st;
}

void rt_gguf_close(rt_gguf *file) {
    rt_free(file->path);
    rt_free(file->values);
    rt_free(file->keys);
    rt_free(file->tensors);
    if (file->mapping.data != NULL) rt_unmap_file(&file->mapping);
    *file = (rt_gguf){0};
}

bool rt_gguf_is(const char *path) {
    if (rt_path_is_dir(path)) return false;
    FILE *stream = fopen(path, "rb");
    if (stream == NULL) return false;
    char magic[MAGIC_LENGTH];
    const bool same = fread(magic, 1, sizeof magic, stream) == sizeof magic && memcmp(magic, MAGIC, sizeof magic) == 0;
    fclose(stream);
    return same;
}
