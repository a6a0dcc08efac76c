/* The part of Jinja that models' chat templates use, as Jinja 3.1 renders it with trim_blocks and lstrip_blocks.
 *
 * A template comes from a model's files and is hostile: it can reach nothing but the values it is given, and it runs
 * under limits (steps, output, memory, depth). What is not implemented is an error that names it and its line.
 *
 * Statements: for (with if and else, break, continue), if, set (also as a block), macro, raw, generation. Expressions:
 * all operators, slices, tests, filters and methods of strings and mappings; the lists are in jinja_filters.c,
 * jinja_tests.c and jinja_methods.c. Functions: raise_exception, strftime_now, namespace, range, dict.
 */
#ifndef RT_TEXT_JINJA_H
#define RT_TEXT_JINJA_H

#include <stdint.h>
#include <time.h>

#include "core/json.h"

typedef struct rt_jinja rt_jinja;

/* `name` stands in messages ("chat template of 'dir'"). The text is copied. */
retort_status rt_jinja_compile(const char *name, const char *text, size_t length, rt_jinja **out, retort_error *err);
void rt_jinja_destroy(rt_jinja *jinja);

typedef struct rt_jinja_limits {
    int64_t steps; /* evaluated nodes */
    size_t output; /* bytes */
    size_t memory; /* bytes of values */
} rt_jinja_limits;
extern const rt_jinja_limits RT_JINJA_LIMITS; /* 20 million steps, 64 MiB, 512 MiB */

/* Appends the template rendered with the members of `context` (an object) as variables. `now` is what strftime_now
 * formats, in local time. raise_exception is RETORT_ERR_USAGE with its message, a limit RETORT_ERR_UNSUPPORTED.
 * Thread-safe on a const template. */
retort_status rt_jinja_render(const rt_jinja *jinja, const json_t *context, time_t now, const rt_jinja_limits *limits,
                              rt_buffer *out, retort_error *err);

#endif
