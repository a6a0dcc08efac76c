#include "core/yaml_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

/* libyaml's time grows with the square of the nesting depth, so depth is bounded as well as length. */
enum { MOST_BYTES = 1 << 20, MOST_DEPTH = 32 };

typedef struct tree_reader {
    const char *name;
    yaml_parser_t parser;
    yaml_event_t event; /* the current one; valid while `holding` */
    bool holding;
    retort_error *err;
} tree_reader;

static size_t line_of(const tree_reader *r) {
    return r->event.start_mark.line + 1;
}

static retort_status next(tree_reader *r) {
    if (r->holding) yaml_event_delete(&r->event);
    r->holding = yaml_parser_parse(&r->parser, &r->event) != 0;
    if (r->holding) return RETORT_OK;
    if (r->parser.error == YAML_MEMORY_ERROR) return rt_fail(r->err, RETORT_ERR_MEMORY, "out of memory: '%s'", r->name);
    return rt_fail(r->err, RETORT_ERR_FORMAT, "'%s' line %zu: %s", r->name, r->parser.problem_mark.line + 1,
                   r->parser.problem != NULL ? r->parser.problem : "broken YAML");
}

static json_t *plain_value(const char *text, size_t length) {
    char *end;
    if (length == 0 || strcmp(text, "~") == 0 || strcasecmp(text, "null") == 0) return json_null();
    if (strcasecmp(text, "true") == 0) return json_true();
    if (strcasecmp(text, "false") == 0) return json_false();
    errno = 0;
    const long long number = strtoll(text, &end, 10);
    if (*end == '\0' && errno == 0 && text[0] != '+' && text[0] != ' ') return json_integer(number);
    return json_stringn(text, length);
}

static retort_status read_scalar(tree_reader *r, json_t **out) {
    const char *text = (const char *)r->event.data.scalar.value;
    const size_t length = r->event.data.scalar.length;
    const bool plain = r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    RT_CHECK(strlen(text) == length, r->err, RETORT_ERR_FORMAT, "'%s' line %zu: a value holds a NUL character", r->name,
             line_of(r));
    *out = plain ? plain_value(text, length) : json_stringn(text, length);
    RT_CHECK(*out != NULL, r->err, RETORT_ERR_MEMORY, "out of memory: '%s'", r->name);
    return RETORT_OK;
}

static retort_status read_value(tree_reader *r, int depth, json_t **out);

static retort_status read_list(tree_reader *r, int depth, json_t *list) {
    for (;;) {
        json_t *item = NULL;
        RT_TRY(next(r));
        if (r->event.type == YAML_SEQUENCE_END_EVENT) return RETORT_OK;
        RT_TRY(read_value(r, depth + 1, &item));
        RT_CHECK(json_array_append_new(list, item) == 0, r->err, RETORT_ERR_MEMORY, "out of memory: '%s'", r->name);
    }
}

static retort_status read_mapping(tree_reader *r, int depth, json_t *object) {
    for (;;) {
        char key[128];
        json_t *item = NULL;
        RT_TRY(next(r));
        if (r->event.type == YAML_MAPPING_END_EVENT) return RETORT_OK;
        RT_CHECK(r->event.type == YAML_SCALAR_EVENT, r->err, RETORT_ERR_FORMAT,
                 "'%s' line %zu: a key must be a plain word", r->name, line_of(r));
        const size_t length = r->event.data.scalar.length;
        RT_CHECK(length > 0 && length < sizeof key && memchr(r->event.data.scalar.value, '\0', length) == NULL, r->err,
                 RETORT_ERR_FORMAT, "'%s' line %zu: a key must have 1 to %zu characters", r->name, line_of(r),
                 sizeof key - 1);
        memcpy(key, r->event.data.scalar.value, length);
        key[length] = '\0';
        RT_CHECK(json_object_get(object, key) == NULL, r->err, RETORT_ERR_FORMAT,
                 "'%s' line %zu: key '%s' is given twice", r->name, line_of(r), key);
        RT_TRY(next(r));
        RT_TRY(read_value(r, depth + 1, &item));
        RT_CHECK(json_object_set_new(object, key, item) == 0, r->err, RETORT_ERR_MEMORY, "out of memory: '%s'",
                 r->name);
    }
}

/* The value that starts at the current event; leaves its last event current. *out is NULL on failure. */
static retort_status read_value(tree_reader *r, int depth, json_t **out) {
    *out = NULL;
    RT_CHECK(depth < MOST_DEPTH, r->err, RETORT_ERR_FORMAT, "'%s' line %zu: nested deeper than %d levels", r->name,
             line_of(r), (int)MOST_DEPTH);
    const bool list = r->event.type == YAML_SEQUENCE_START_EVENT;
    switch (r->event.type) {
    case YAML_SCALAR_EVENT: return read_scalar(r, out);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT: break;
    case YAML_ALIAS_EVENT:
        return rt_fail(r->err, RETORT_ERR_FORMAT, "'%s' line %zu: aliases are not supported, write the value out",
                       r->name, line_of(r));
    default: return rt_fail(r->err, RETORT_ERR_FORMAT, "'%s' line %zu: a value is missing", r->name, line_of(r));
    }
    json_t *value = list ? json_array() : json_object();
    RT_CHECK(value != NULL, r->err, RETORT_ERR_MEMORY, "out of memory: '%s'", r->name);
    const retort_status st = list ? read_list(r, depth, value) : read_mapping(r, depth, value);
    if (st != RETORT_OK) {
        json_decref(value);
        return st;
    }
    *out = value;
    return RETORT_OK;
}

static retort_status read_document(tree_reader *r, json_t **out) {
    RT_TRY(next(r)); /* stream start */
    RT_TRY(next(r));
    RT_CHECK(r->event.type != YAML_STREAM_END_EVENT, r->err, RETORT_ERR_FORMAT, "'%s' is empty", r->name);
    RT_TRY(next(r));
    RT_TRY(read_value(r, 0, out));
    retort_status st = next(r); /* document end */
    if (st == RETORT_OK) st = next(r);
    if (st == RETORT_OK && r->event.type != YAML_STREAM_END_EVENT)
        st = rt_fail(r->err, RETORT_ERR_FORMAT, "'%s' line %zu: a second document starts here", r->name, line_of(r));
    if (st == RETORT_OK) return RETORT_OK;
    json_decref(*out);
    *out = NULL;
    return st;
}

retort_status rt_yaml_parse(const char *text, size_t length, const char *name, json_t **out, retort_error *err) {
    *out = NULL;
    RT_CHECK(length <= MOST_BYTES, err, RETORT_ERR_FORMAT, "'%s' is longer than %d bytes", name, (int)MOST_BYTES);
    tree_reader r = {.name = name, .err = err};
    RT_CHECK(yaml_parser_initialize(&r.parser) != 0, err, RETORT_ERR_MEMORY, "out of memory: '%s'", name);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, length);
    const retort_status st = read_document(&r, out);
    if (r.holding) yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    return st;
}

retort_status rt_yaml_load(const char *path, json_t **out, retort_error *err) {
    *out = NULL;
    rt_buffer text = {0};
    retort_status st = rt_file_read(path, &text, err);
    if (st == RETORT_OK) st = rt_yaml_parse(text.data != NULL ? text.data : "", text.length, path, out, err);
    rt_buffer_free(&text);
    return st;
}
