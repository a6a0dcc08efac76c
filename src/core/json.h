/* Glue over jansson: strict loading, named errors, line-by-line JSONL. */
#ifndef RT_CORE_JSON_H
#define RT_CORE_JSON_H

#include <jansson.h>
#include <stdbool.h>

#include "core/file.h"

/* Parses one JSON document; duplicate keys are errors. `what` names it in messages. Caller json_decref()s *out. */
retort_status rt_json_parse(const char *text, size_t length, const char *what, json_t **out, retort_error *err);
retort_status rt_json_load(const char *path, json_t **out, retort_error *err);
/* For files that may hold integers beyond 64 bits (transformers writes "model_max_length": 10^30): where there are any,
 * all numbers of the document are reals. */
retort_status rt_json_load_loose(const char *path, json_t **out, retort_error *err);
/* Appends the text of a value; flags are jansson's (JSON_COMPACT, ...). */
retort_status rt_json_dump(const json_t *value, size_t flags, rt_buffer *out, retort_error *err);
/* Atomic write, indented by 2, keys in insertion order, reals with 17 significant digits or fewer that round-trip. */
retort_status rt_json_save(const char *path, const json_t *value, retort_error *err);

/* Calls visit for each non-empty line of a JSONL file, with the 1-based line number; stops at its first failure.
 * A line that is no JSON object is an error that names file and line. The object is borrowed. */
typedef retort_status (*rt_jsonl_visitor)(void *context, json_t *object, size_t line, retort_error *err);
retort_status rt_jsonl_read(const char *path, rt_jsonl_visitor visit, void *context, retort_error *err);

/* Writes an object as one line of JSONL. NULL (json_pack failed) is RETORT_ERR_MEMORY. Takes the object's reference. */
retort_status rt_jsonl_write(rt_atomic_file *file, json_t *object, retort_error *err);

/* Typed access to an object's member: an error if it is missing or of another type; `where` names the object
 * ("'config.json'"). Strings are borrowed from the object. */
retort_status rt_json_string(const json_t *object, const char *key, const char *where, const char **out,
                             retort_error *err);
retort_status rt_json_int(const json_t *object, const char *key, const char *where, long long minimum,
                          long long maximum, long long *out, retort_error *err);
retort_status rt_json_real(const json_t *object, const char *key, const char *where, double *out, retort_error *err);

/* A JSON string of bytes that may not be UTF-8 (a response cut inside a character): each invalid part becomes U+FFFD.
 * NULL when out of memory. */
json_t *rt_json_text(const char *bytes, size_t length);

#endif
