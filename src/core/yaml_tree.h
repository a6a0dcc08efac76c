/* A YAML document as a JSON tree, for files whose shape is richer than a recipe's (behaviours, lexicons). */
#ifndef RT_CORE_YAML_TREE_H
#define RT_CORE_YAML_TREE_H

#include "core/json.h"

/* Mappings become objects, sequences arrays; a plain true or false a boolean, a plain decimal integer an integer, a
 * plain null or nothing JSON null, and every other scalar a string. Refused with file and line: aliases, a key given
 * twice, a key that is no scalar, a second document, text that is not UTF-8, more than 32 levels, more than 1 MiB.
 * `name` stands for the file in messages. An empty document is an error. Caller json_decref()s *out. */
retort_status rt_yaml_parse(const char *text, size_t length, const char *name, json_t **out, retort_error *err);
retort_status rt_yaml_load(const char *path, json_t **out, retort_error *err);

#endif
