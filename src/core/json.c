#include "core/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"

enum { JSON_LINE_MAXIMUM = 1 << 28 };

retort_status rt_json_parse(const char *text, size_t length, const char *what, json_t **out, retort_error *err) {
    json_error_t cause;
    *out = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &cause);
    /* jansson reports exhausted memory as an error without a place */
    RT_CHECK(*out != NULL || cause.line > 0, err, RETORT_ERR_MEMORY, "%s: out of memory while reading JSON", what);
    RT_CHECK(*out != NULL, err, RETORT_ERR_FORMAT, "%s is not valid JSON: %s at line %d, column %d", what, cause.text,
             cause.line, cause.column);
    return RETORT_OK;
}

/* jansson 2.14 goes on after some failed writes (of an object's key) and reports success, so the failure is kept here.
 */
typedef struct dump_state {
    rt_buffer *out;
    retort_status status;
} dump_state;

static int append_text(const char *bytes, size_t length, void *context) {
    dump_state *state = context;
    if (state->status == RETORT_OK) state->status = rt_buffer_append(state->out, bytes, length, NULL);
    return state->status == RETORT_OK ? 0 : -1;
}

retort_status rt_json_dump(const json_t *value, size_t flags, rt_buffer *out, retort_error *err) {
    dump_state state = {.out = out};
    const bool done = json_dump_callback(value, append_text, &state, flags) == 0;
    RT_CHECK(done && state.status == RETORT_OK, err, RETORT_ERR_MEMORY, "out of memory while making JSON text");
    return RETORT_OK;
}

retort_status rt_json_load(const char *path, json_t **out, retort_error *err) {
    rt_buffer text = {0};
    retort_status st = rt_file_read(path, &text, err);
    if (st == RETORT_OK) {
        rt_buffer what = {0};
        st = rt_buffer_printf(&what, err, "'%s'", path);
        if (st == RETORT_OK) st = rt_json_parse(text.data, text.length, what.data, out, err);
        rt_buffer_free(&what);
    }
    rt_buffer_free(&text);
    return st;
}

retort_status rt_json_save(const char *path, const json_t *value, retort_error *err) {
    rt_buffer text = {0};
    retort_status st = rt_json_dump(value, JSON_INDENT(2) | JSON_REAL_PRECISION(17), &text, err);
    if (st == RETORT_OK) st = rt_buffer_puts(&text, "\n", err);
    if (st == RETORT_OK) st = rt_file_write(path, text.data, text.length, err);
    rt_buffer_free(&text);
    return st;
}

static retort_status visit_line(const char *path, const char *line, size_t length, size_t number,
                                rt_jsonl_visitor visit, void *context, retort_error *err) {
    size_t start = 0;
    while (start < length && strchr(" \t\r\n", line[start]) != NULL && line[start] != '\0') start++;
    if (start == length) return RETORT_OK;
    json_error_t cause;
    json_t *object = json_loadb(line, length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &cause);
    RT_CHECK(object != NULL, err, RETORT_ERR_FORMAT, "'%s' line %zu is not valid JSON: %s (column %d)", path, number,
             cause.text, cause.column);
    retort_status st;
    if (!json_is_object(object))
        st = rt_fail(err, RETORT_ERR_FORMAT, "'%s' line %zu is not a JSON object", path, number);
    else
        st = visit(context, object, number, err);
    json_decref(object);
    return st;
}

retort_status rt_jsonl_read(const char *path, rt_jsonl_visitor visit, void *context, retort_error *err) {
    FILE *stream = fopen(path, "rb");
    RT_CHECK(stream != NULL, err, errno == ENOENT ? RETORT_ERR_NOT_FOUND : RETORT_ERR_IO, "cannot open '%s': %s", path,
             strerror(errno));
    char *line = NULL;
    size_t capacity = 0, number = 0;
    ssize_t length;
    retort_status st = RETORT_OK;
    while (st == RETORT_OK && (length = getline(&line, &capacity, stream)) >= 0) {
        number++;
        if (length > JSON_LINE_MAXIMUM)
            st = rt_fail(err, RETORT_ERR_FORMAT, "'%s' line %zu is longer than %d bytes", path, number,
                         JSON_LINE_MAXIMUM);
        else
            st = visit_line(path, line, (size_t)length, number, visit, context, err);
    }
    if (st == RETORT_OK && ferror(stream))
        st = rt_fail(err, RETORT_ERR_IO, "cannot read '%s': %s", path, strerror(errno));
    free(line);
    fclose(stream);
    return st;
}

retort_status rt_json_string(const json_t *object, const char *key, const char *where, const char **out,
                             retort_error *err) {
    const json_t *value = json_object_get(object, key);
    RT_CHECK(value != NULL, err, RETORT_ERR_FORMAT, "%s lacks the key '%s'", where, key);
    RT_CHECK(json_is_string(value), err, RETORT_ERR_FORMAT, "%s: '%s' must be a string", where, key);
    *out = json_string_value(value);
    return RETORT_OK;
}

retort_status rt_json_int(const json_t *object, const char *key, const char *where, long long minimum,
                          long long maximum, long long *out, retort_error *err) {
    const json_t *value = json_object_get(object, key);
    RT_CHECK(value != NULL, err, RETORT_ERR_FORMAT, "%s lacks the key '%s'", where, key);
    RT_CHECK(json_is_integer(value), err, RETORT_ERR_FORMAT, "%s: '%s' must be an integer", where, key);
    long long number = json_integer_value(value);
    RT_CHECK(number >= minimum && number <= maximum, err, RETORT_ERR_FORMAT, "%s: '%s' is %lld, outside %lld .. %lld",
             where, key, number, minimum, maximum);
    *out = number;
    return RETORT_OK;
}

retort_status rt_json_real(const json_t *object, const char *key, const char *where, double *out, retort_error *err) {
    const json_t *value = json_object_get(object, key);
    RT_CHECK(value != NULL, err, RETORT_ERR_FORMAT, "%s lacks the key '%s'", where, key);
    RT_CHECK(json_is_number(value), err, RETORT_ERR_FORMAT, "%s: '%s' must be a number", where, key);
    *out = json_number_value(value);
    return RETORT_OK;
}
