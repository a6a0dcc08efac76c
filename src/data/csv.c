#include "data/csv.h"

#include <string.h>

typedef struct scanner {
    const char *path, *at, *end;
    size_t line; /* of `at`, from 1 */
    rt_buffer field;
    bool quoted; /* the field had quotes: "" is a field, an empty line is none */
} scanner;

static bool is_line_end(const scanner *s) {
    return s->at == s->end || *s->at == '\n' || (*s->at == '\r' && (s->at + 1 == s->end || s->at[1] == '\n'));
}

static retort_status read_quoted(scanner *s, retort_error *err) {
    const size_t opened = s->line;
    for (s->at++;; s->at++) {
        RT_CHECK(s->at < s->end, err, RETORT_ERR_FORMAT, "'%s' line %zu: a quote is opened here and never closed",
                 s->path, opened);
        if (*s->at == '"') {
            s->at++;
            if (s->at == s->end || *s->at != '"') break;
        }
        s->line += *s->at == '\n';
        RT_TRY(rt_buffer_append(&s->field, s->at, 1, err));
    }
    RT_CHECK(is_line_end(s) || *s->at == ',', err, RETORT_ERR_FORMAT,
             "'%s' line %zu: text behind a closing quote; a quote inside a field is written twice", s->path, s->line);
    return RETORT_OK;
}

/* Leaves `at` behind the field, on its comma or line end. */
static retort_status read_field(scanner *s, retort_error *err) {
    rt_buffer_clear(&s->field);
    s->quoted = s->at < s->end && *s->at == '"';
    if (s->quoted) return read_quoted(s, err);
    const char *begin = s->at;
    while (!is_line_end(s) && *s->at != ',') s->at++;
    return rt_buffer_append(&s->field, begin, (size_t)(s->at - begin), err);
}

/* A record as a list of strings; *blank where it is an empty line. */
static retort_status read_record(scanner *s, json_t *fields, bool *blank, retort_error *err) {
    const size_t line = s->line;
    for (;;) {
        RT_TRY(read_field(s, err));
        json_t *text = json_stringn(s->field.data != NULL ? s->field.data : "", s->field.length);
        RT_CHECK(text != NULL, err, RETORT_ERR_FORMAT, "'%s' line %zu: not UTF-8; save the file as UTF-8", s->path,
                 line);
        RT_CHECK(json_array_append_new(fields, text) == 0, err, RETORT_ERR_MEMORY, "'%s': out of memory", s->path);
        if (is_line_end(s)) break;
        s->at++; /* the comma */
    }
    *blank = json_array_size(fields) == 1 && s->field.length == 0 && !s->quoted;
    if (s->at < s->end && *s->at == '\r') s->at++;
    if (s->at < s->end) s->at++;
    s->line++;
    return RETORT_OK;
}

static retort_status check_header(const scanner *s, const json_t *header, retort_error *err) {
    for (size_t i = 0; i < json_array_size(header); i++)
        for (size_t j = 0; j < i; j++)
            RT_CHECK(!json_equal(json_array_get(header, i), json_array_get(header, j)), err, RETORT_ERR_FORMAT,
                     "'%s': the column '%s' occurs twice", s->path, json_string_value(json_array_get(header, i)));
    return RETORT_OK;
}

static retort_status visit_row(const scanner *s, const json_t *header, const json_t *fields, size_t line,
                               rt_jsonl_visitor visit, void *context, retort_error *err) {
    const size_t wanted = json_array_size(header), found = json_array_size(fields);
    RT_CHECK(wanted == found, err, RETORT_ERR_FORMAT, "'%s' line %zu: %zu fields, but the header has %zu", s->path,
             line, found, wanted);
    json_t *row = json_object();
    int bad = row == NULL;
    for (size_t i = 0; i < wanted && bad == 0; i++)
        bad |= json_object_set(row, json_string_value(json_array_get(header, i)), json_array_get(fields, i));
    retort_status st = bad == 0 ? visit(context, row, line, err)
                                : rt_fail(err, RETORT_ERR_MEMORY, "'%s' line %zu: out of memory", s->path, line);
    json_decref(row);
    return st;
}

/* One record: the header if there is none yet, else a row. */
static retort_status take_record(scanner *s, json_t **header, rt_jsonl_visitor visit, void *context,
                                 retort_error *err) {
    const size_t line = s->line;
    json_t *fields = json_array();
    RT_CHECK(fields != NULL, err, RETORT_ERR_MEMORY, "'%s': out of memory", s->path);
    bool blank = false;
    retort_status st = read_record(s, fields, &blank, err);
    if (st == RETORT_OK && !blank && *header == NULL) {
        st = check_header(s, fields, err);
        *header = json_incref(fields);
    } else if (st == RETORT_OK && !blank) {
        st = visit_row(s, *header, fields, line, visit, context, err);
    }
    json_decref(fields);
    return st;
}

retort_status rt_csv_parse(const char *path, const char *bytes, size_t length, rt_jsonl_visitor visit, void *context,
                           retort_error *err) {
    scanner s = {.path = path, .at = bytes, .end = bytes + length, .line = 1};
    json_t *header = NULL;
    if (length >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) s.at += 3;
    retort_status st = RETORT_OK;
    while (st == RETORT_OK && s.at < s.end) st = take_record(&s, &header, visit, context, err);
    if (st == RETORT_OK && header == NULL)
        st = rt_fail(err, RETORT_ERR_FORMAT, "'%s' is empty; its first line must name the columns", path);
    json_decref(header);
    rt_buffer_free(&s.field);
    return st;
}

retort_status rt_csv_read(const char *path, rt_jsonl_visitor visit, void *context, retort_error *err) {
    rt_buffer file = {0};
    retort_status st = rt_file_read(path, &file, err);
    if (st == RETORT_OK) st = rt_csv_parse(path, file.length > 0 ? file.data : "", file.length, visit, context, err);
    rt_buffer_free(&file);
    return st;
}
