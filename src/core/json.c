#include "core/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"

enum { JSON_LINE_MAXIMUM = 1 << 28 };

static retort_status parse(const char *text, size_t length, const char *what, bool big_integers, json_t **out,
                           retort_error *err) {
    json_error_t cause;
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL;
    *out = json_loadb(text, length, flags, &cause);
    if (*out == NULL && big_integers && json_error_code(&cause) == json_error_numeric_overflow) {
        *out = json_loadb(text, length, flags | JSON_DECODE_INT_AS_REAL, &cause);
    }
    /* jansson reports exhausted memory as an error without a place */
    RT_CHECK(*out != NULL || cause.line > 0, err, RETORT_ERR_MEMORY, "%s: out of memory while reading JSON", what);
    RT_CHECK(*out != NULL, err, RETORT_ERR_FORMAT, "%s is not valid JSON: %s at line %d, column %d", what, cause.text,
             cause.line, cause.column);
    return RETORT_OK;
}

retort_status rt_json_parse(const char *text, size_t length, const char *what, json_t **out, retort_error *err) {
    return parse(text, length, what, false, out, err);
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

static retort_status load(const char *path, bool big_integers, json_t **out, retort_error *err) {
    rt_buffer text = {0};
    retort_status st = rt_file_read(path, &text, err);
    if (st == RETORT_OK) {
        rt_buffer what = {0};
        st = rt_buffer_printf(&what, err, "'%s'", path);
        if (st == RETORT_OK) st = parse(text.data, text.length, what.data, big_integers, out, err);
        rt_buffer_free(&what);
    }
    rt_buffer_free(&text);
    return st;
}

retort_status rt_json_load(const char *path, json_t **out, retort_error *err) {
    return load(path, false, out, err);
}

retort_status rt_json_load_loose(const char *path, json_t **out, retort_error *err) {
    return load(path, true, out, err);
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

retort_status rt_jsonl_write(rt_atomic_file *file, json_t *object, retort_error *err) {
    RT_CHECK(object != NULL, err, RETORT_ERR_MEMORY, "out of memory: a line of '%s'", file->path);
    rt_buffer line = {0};
    retort_status st = rt_json_dump(object, JSON_COMPACT, &line, err);
    if (st == RETORT_OK) st = rt_buffer_puts(&line, "\n", err);
    if (st == RETORT_OK) st = rt_atomic_write(file, line.data, line.length, err);
    rt_buffer_free(&line);
    json_decref(object);
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

/* Length of the UTF-8 character at b (RFC 3629: no overlong forms, no surrogates) or, where there is none, of the bytes
 * that one U+FFFD stands for: a maximal subpart (Unicode, section 3.9), as Python's decoder counts them. */
static size_t utf8_span(const unsigned char *b, size_t left, bool *valid) {
    *valid = b[0] < 0x80;
    size_t n = b[0] >= 0xC2 && b[0] <= 0xDF   ? 2
               : b[0] >= 0xE0 && b[0] <= 0xEF ? 3
               : b[0] >= 0xF0 && b[0] <= 0xF4 ? 4
                                              : 1;
    if (n == 1) return 1;
    unsigned char low = b[0] == 0xE0 ? 0xA0 : b[0] == 0xF0 ? 0x90 : 0x80;
    unsigned char high = b[0] == 0xED ? 0x9F : b[0] == 0xF4 ? 0x8F : 0xBF;
    for (size_t i = 1; i < n; i++) {
        if (i == left || b[i] < low || b[i] > high) return i;
        low = 0x80;
        high = 0xBF;
    }
    *valid = true;
    return n;
}

json_t *rt_json_text(const char *bytes, size_t length) {
    json_t *text = json_stringn(bytes, length);
    if (text != NULL) return text;
    char *repaired = rt_malloc_array(length + 1, 3);
    if (repaired == NULL) return NULL;
    size_t out = 0;
    for (size_t at = 0; at < length;) {
        bool valid;
        size_t n = utf8_span((const unsigned char *)bytes + at, length - at, &valid);
        memcpy(repaired + out, valid ? bytes + at : "\xEF\xBF\xBD", valid ? n : 3);
        out += valid ? n : 3;
        at += n;
    }
    text = json_stringn(repaired, out);
    rt_free(repaired);
    return text;
}
