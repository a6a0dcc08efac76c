/* GGUF files (llama.cpp, Ollama, LM Studio): metadata and tensors of a model in one file. A strict reader and a writer.
 *
 * The format, all of it little-endian: "GGUF", version (2 or 3), number of tensors, number of metadata entries; then
 * the entries (key, type, value), the list of tensors (name, shape, type, offset), and, from the next multiple of
 * "general.alignment" (32 unless the metadata say otherwise), the tensors' data.
 *
 *     rt_gguf file;
 *     RT_TRY(rt_gguf_open("model.gguf", &file, err));                   // maps it, checks everything but the weights
 *     const rt_gguf_value *blocks = rt_gguf_find(&file, "llama.block_count");
 *     const rt_gguf_tensor *embed = rt_gguf_tensor_find(&file, "token_embd.weight");
 *     ...                                                               // embed->data, embed->bytes: still encoded
 *     rt_gguf_close(&file);
 *
 * It stands in core because both src/model (weights, configuration) and src/text (tokenizer, chat template) read the
 * same file. What the blocks of a quantised tensor mean is src/model/ggml.h.
 *
 * Errors name the file and the key or tensor. RETORT_ERR_FORMAT: the file breaks its format; RETORT_ERR_UNSUPPORTED:
 * another version, byte order or a tensor type this reader does not know; RETORT_ERR_NOT_FOUND, RETORT_ERR_IO,
 * RETORT_ERR_MEMORY.
 */
#ifndef RT_CORE_GGUF_H
#define RT_CORE_GGUF_H

#include <stdbool.h>
#include <stdint.h>

#include "core/file.h"

/* ---- tensor types ---- */

/* The numbers are those of the file format; only types that this program decodes or writes have a name here. */
typedef enum rt_ggml_type {
    RT_GGML_F32 = 0,
    RT_GGML_F16 = 1,
    RT_GGML_Q4_0 = 2,
    RT_GGML_Q4_1 = 3,
    RT_GGML_Q5_0 = 6,
    RT_GGML_Q5_1 = 7,
    RT_GGML_Q8_0 = 8,
    RT_GGML_Q4_K = 12,
    RT_GGML_Q5_K = 13,
    RT_GGML_Q6_K = 14,
    RT_GGML_BF16 = 30
} rt_ggml_type;

typedef struct rt_ggml_format {
    const char *name;  /* "Q4_K" */
    size_t block;      /* elements that are encoded together; a row is a whole number of blocks */
    size_t block_size; /* their bytes */
} rt_ggml_format;

/* Every type that a file may hold, also those that are not decoded (Q2_K, IQ4_XS, I32, ...); NULL for a number that is
 * none. */
const rt_ggml_format *rt_ggml_format_of(uint32_t type);

/* ---- reading ---- */

typedef enum rt_gguf_type {
    RT_GGUF_U8,
    RT_GGUF_I8,
    RT_GGUF_U16,
    RT_GGUF_I16,
    RT_GGUF_U32,
    RT_GGUF_I32,
    RT_GGUF_F32,
    RT_GGUF_BOOL,
    RT_GGUF_STRING,
    RT_GGUF_ARRAY,
    RT_GGUF_U64,
    RT_GGUF_I64,
    RT_GGUF_F64
} rt_gguf_type;

typedef struct rt_gguf_value {
    const char *key; /* owned by the file, NUL-terminated */
    rt_gguf_type type;
    rt_gguf_type element; /* of an ARRAY; equal to type otherwise */
    uint64_t count;       /* elements of an ARRAY; 1 otherwise */
    const unsigned char
        *data; /* borrowed from the mapping, not aligned; strings with their 64-bit lengths before them */
    size_t bytes;
} rt_gguf_value;

enum { RT_GGUF_MAX_DIMS = 4, RT_GGUF_NAME = 64 };

typedef struct rt_gguf_tensor {
    char name[RT_GGUF_NAME];
    int64_t shape[RT_GGUF_MAX_DIMS]; /* as in the file: the row's length comes first; 1 beyond dims */
    int32_t dims;
    uint32_t type; /* an rt_ggml_type, or another that rt_ggml_format_of knows */
    int64_t count; /* product of the shape */
    uint64_t offset;
    const unsigned char *data; /* borrowed from the mapping */
    size_t bytes;
} rt_gguf_tensor;

typedef struct rt_gguf {
    char *path; /* as given, for messages */
    rt_mapping mapping;
    uint32_t version, alignment;
    rt_gguf_value *values; /* sorted by key */
    int64_t num_values;
    char *keys;              /* the keys' texts */
    rt_gguf_tensor *tensors; /* sorted by name */
    int64_t num_tensors;
} rt_gguf;

/* Whether the path is a plain file that begins with GGUF's magic number. Where a model folder is accepted, so is such a
 * file. */
bool rt_gguf_is(const char *path);

/* Maps the file and checks all of its structure: counts and lengths against the bytes that are there, keys and names
 * unique and free of NUL, arrays not nested, booleans 0 or 1, an alignment that is a power of two, shapes of whole
 * blocks whose product does not overflow, tensors aligned, inside the file and not overlapping. On failure *out is all
 * zero. */
retort_status rt_gguf_open(const char *path, rt_gguf *out, retort_error *err);
/* The same over bytes in memory, which must outlive *out; `path` only names them in messages. */
retort_status rt_gguf_parse(const void *bytes, size_t length, const char *path, rt_gguf *out, retort_error *err);
void rt_gguf_close(rt_gguf *file);

/* NULL where there is none. */
const rt_gguf_value *rt_gguf_find(const rt_gguf *file, const char *key);
const rt_gguf_tensor *rt_gguf_tensor_find(const rt_gguf *file, const char *name);

/* Scalars. A missing key leaves *out as it is where `needed` is false, and is RETORT_ERR_FORMAT otherwise; a value of
 * another type always is. Integers of every width and sign are accepted, reals may be integers. */
retort_status rt_gguf_int(const rt_gguf *file, const char *key, bool needed, int64_t minimum, int64_t maximum,
                          int64_t *out, retort_error *err);
/* A float of 32 bits becomes the double of the fewest decimal digits that is that float: 1e-05, not
 * 9.999999747378752e-06. Must be finite. */
retort_status rt_gguf_real(const rt_gguf *file, const char *key, bool needed, double *out, retort_error *err);
retort_status rt_gguf_bool(const rt_gguf *file, const char *key, bool needed, bool *out, retort_error *err);
/* *out is a fresh string, owned by the caller (rt_free); NULL where the key is missing and not needed. A NUL inside is
 * RETORT_ERR_FORMAT. */
retort_status rt_gguf_string(const rt_gguf *file, const char *key, bool needed, char **out, retort_error *err);

/* A text in the mapping, not NUL-terminated. */
typedef struct rt_gguf_text {
    const char *data;
    size_t length;
} rt_gguf_text;
/* The texts of an array of strings; *out is owned by the caller (rt_free). The key is needed. */
retort_status rt_gguf_texts(const rt_gguf *file, const char *key, rt_gguf_text **out, int64_t *count,
                            retort_error *err);
/* The numbers of an array of integers (any width) or of floats, as doubles; likewise. */
retort_status rt_gguf_numbers(const rt_gguf *file, const char *key, double **out, int64_t *count, retort_error *err);

/* ---- writing ---- */

/* Metadata and tensors are declared first, in the order in which they will stand in the file; then the header is
 * written to an open atomic file, then the bytes of each tensor in the same order:
 *
 *     rt_gguf_writer writer = {0};
 *     RT_TRY(rt_gguf_put_string(&writer, "general.architecture", "llama", err));
 *     RT_TRY(rt_gguf_declare(&writer, "token_embd.weight", RT_GGML_F16, 2, (const int64_t[]){d, v}, err));
 *     RT_TRY(rt_gguf_write_header(&writer, &file, err));
 *     RT_TRY(rt_gguf_write_tensor(&writer, &file, bytes, length, err));  // in pieces, until the tensor is whole
 *     RT_TRY(rt_gguf_write_end(&writer, &file, err));                    // every declared byte has been written
 *     rt_gguf_writer_free(&writer);
 */
typedef struct rt_gguf_writer {
    rt_buffer values, tensors; /* zero-initialise */
    uint64_t num_values, num_tensors;
    uint64_t *sizes;      /* [num_tensors] */
    uint64_t data;        /* bytes of data declared */
    uint64_t at, written; /* the tensor being written, and its bytes that are */
} rt_gguf_writer;

retort_status rt_gguf_put_u32(rt_gguf_writer *writer, const char *key, uint32_t value, retort_error *err);
retort_status rt_gguf_put_f32(rt_gguf_writer *writer, const char *key, float value, retort_error *err);
retort_status rt_gguf_put_bool(rt_gguf_writer *writer, const char *key, bool value, retort_error *err);
retort_status rt_gguf_put_string(rt_gguf_writer *writer, const char *key, const char *text, retort_error *err);
/* texts[count], NUL-terminated. */
retort_status rt_gguf_put_strings(rt_gguf_writer *writer, const char *key, const char *const *texts, int64_t count,
                                  retort_error *err);
retort_status rt_gguf_put_i32s(rt_gguf_writer *writer, const char *key, const int32_t *values, int64_t count,
                               retort_error *err);
retort_status rt_gguf_put_f32s(rt_gguf_writer *writer, const char *key, const float *values, int64_t count,
                               retort_error *err);
/* shape in the file's order, row length first. */
retort_status rt_gguf_declare(rt_gguf_writer *writer, const char *name, rt_ggml_type type, int32_t dims,
                              const int64_t *shape, retort_error *err);
retort_status rt_gguf_write_header(rt_gguf_writer *writer, rt_atomic_file *file, retort_error *err);
retort_status rt_gguf_write_tensor(rt_gguf_writer *writer, rt_atomic_file *file, const void *bytes, size_t length,
                                   retort_error *err);
/* RETORT_ERR_STATE if bytes are missing. */
retort_status rt_gguf_write_end(rt_gguf_writer *writer, rt_atomic_file *file, retort_error *err);
void rt_gguf_writer_free(rt_gguf_writer *writer);

#endif
