/* safetensors files: a strict reader and a streaming writer.
 *
 * The format: an unsigned 64-bit little-endian length N, then N bytes of JSON, then the data. The JSON object maps each
 * tensor's name to {"dtype": "F32", "shape": [V, D], "data_offsets": [begin, end]}, offsets counted from the start of
 * the data; "__metadata__" maps strings to strings.
 *
 * A whole list of float tensors, as a training checkpoint needs it, takes one call each way:
 *
 *     rt_st_tensor list[] = {
 *         {.name = "moment1", .dims = 1, .shape = {n}, .data = m},
 *         {.name = "moment2", .dims = 1, .shape = {n}, .data = v},
 *     };
 *     const char *const notes[] = {"step", "1200", NULL};
 *     rt_safetensors_write("optimizer.safetensors", list, 2, RT_DTYPE_F32, notes, err);
 *     ...
 *     rt_safetensors_read_all("optimizer.safetensors", list, 2, err);   // fills m and v
 *
 * Reading is all or nothing in its checks: each listed tensor must be there with this shape and a float type (F32, BF16
 * or F16, decoded exactly), no other tensor may be there, and all values must be finite; the data are touched only when
 * every name and shape has passed. Writing goes through a temporary file, so that a full disk leaves nothing behind.
 *
 * Errors name the file and the tensor. RETORT_ERR_FORMAT: the file breaks its format, or does not fit the list;
 * RETORT_ERR_NOT_FOUND: no such file, or a listed tensor is missing; RETORT_ERR_UNSUPPORTED: a type that is no float;
 * RETORT_ERR_NUMERIC: a value to be written is not finite, or would not be in the file's type; RETORT_ERR_IO,
 * RETORT_ERR_MEMORY.
 */
#ifndef RT_SAFETENSORS_H
#define RT_SAFETENSORS_H

#include "core/file.h"
#include "core/json.h"
#include "model/dtype.h"

enum { RT_ST_MAX_DIMS = 8 };

/* ---- whole lists ---- */

typedef struct rt_st_tensor {
    const char *name;
    int64_t shape[RT_ST_MAX_DIMS]; /* the first `dims` count; dims 0 is a scalar */
    int32_t dims;
    float *data;      /* product of the shape floats, borrowed; NULL in a list to check: not read */
    rt_matrix narrow; /* instead of data, for writing: a matrix in another format, which is widened */
} rt_st_tensor;

/* metadata: NULL, or key, value, key, value, ..., NULL. "format": "pt" is always written, which transformers asks for.
 * Tensors lie in the file in the order of the list. */
retort_status rt_safetensors_write(const char *path, const rt_st_tensor *tensors, int64_t count, rt_dtype dtype,
                                   const char *const *metadata, retort_error *err);
/* Fills each tensor's data. On failure the data may be partly filled. */
retort_status rt_safetensors_read_all(const char *path, const rt_st_tensor *tensors, int64_t count, retort_error *err);

/* ---- the parts they are made of ---- */

/* Appends the file's bytes to an open atomic file, which the caller commits or aborts. */
retort_status rt_safetensors_stream(rt_atomic_file *file, const rt_st_tensor *tensors, int64_t count, rt_dtype dtype,
                                    const char *const *metadata, retort_error *err);

typedef struct rt_st_entry {
    const char *name;  /* borrowed from the file's header */
    const char *dtype; /* any type of the format: "F32", "I64", ... */
    int64_t shape[RT_ST_MAX_DIMS];
    int32_t dims;
    int64_t count;             /* product of the shape */
    const unsigned char *data; /* borrowed from the mapping; little-endian, not aligned */
    size_t bytes;
} rt_st_entry;

typedef struct rt_safetensors {
    char *path; /* as given, for messages */
    rt_mapping mapping;
    json_t *header;
    rt_st_entry *entries; /* sorted by name */
    int64_t count;
} rt_safetensors;

/* Maps the file and checks the whole header: length within 100,000,000 bytes and the file; JSON without duplicate keys;
 * known types; non-negative shapes whose product does not overflow; offsets that cover the data from 0 to the end of
 * the file without holes or overlap, each range as long as shape and type say. On failure *out is all zero. */
retort_status rt_safetensors_open(const char *path, rt_safetensors *out, retort_error *err);
/* The same over bytes in memory, which must outlive *out; `path` only names them in messages. */
retort_status rt_safetensors_parse(const void *bytes, size_t length, const char *path, rt_safetensors *out,
                                   retort_error *err);
void rt_safetensors_close(rt_safetensors *file);

/* NULL where there is no such tensor or key. */
const rt_st_entry *rt_safetensors_find(const rt_safetensors *file, const char *name);
const char *rt_safetensors_metadata(const rt_safetensors *file, const char *key);

/* Checks names, shapes and float types against the list: nothing missing, nothing else there. Reads no data. */
retort_status rt_safetensors_match(const rt_safetensors *file, const rt_st_tensor *tensors, int64_t count,
                                   retort_error *err);
/* The same for one tensor of the file, by shape and type. */
retort_status rt_safetensors_match_one(const rt_safetensors *file, const rt_st_entry *entry, const rt_st_tensor *tensor,
                                       retort_error *err);
/* These bytes have been read and will not be again soon: their pages are given back to the system (reading them again
 * is correct, but slower). Nothing happens over bytes in memory. */
void rt_safetensors_forget(const rt_safetensors *file, const unsigned char *data, size_t length);
/* Decodes one tensor of float type into out[entry->count]; all values must be finite. */
retort_status rt_safetensors_decode(const rt_safetensors *file, const rt_st_entry *entry, float *out,
                                    retort_error *err);

#endif
