#include "report/sheets.h"

#include <string.h>

static retort_status put_text(const char *text, size_t length, rt_buffer *out, retort_error *err) {
    bool formula = length > 1 && strchr("=+-@\t\r", text[0]) != NULL;
    bool quoted = false;
    for (size_t i = 0; i < length && !quoted; i++) quoted = text[i] == '\0' || strchr(",\"\n\r", text[i]) != NULL;
    if (quoted) RT_TRY(rt_buffer_puts(out, "\"", err));
    if (formula) RT_TRY(rt_buffer_puts(out, "'", err));
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"') RT_TRY(rt_buffer_puts(out, "\"", err));
        RT_TRY(rt_buffer_append(out, &text[i], 1, err));
    }
    return quoted ? rt_buffer_puts(out, "\"", err) : RETORT_OK;
}

static retort_status put_cell(const json_t *cell, rt_buffer *out, retort_error *err) {
    if (json_is_null(cell)) return RETORT_OK;
    if (json_is_string(cell)) return put_text(json_string_value(cell), json_string_length(cell), out, err);
    return rt_json_dump(cell, JSON_ENCODE_ANY | JSON_REAL_PRECISION(12), out, err);
}

retort_status rt_sheet_csv(const json_t *chart, rt_buffer *out, retort_error *err) {
    const json_t *columns = json_object_get(chart, "columns"), *rows = json_object_get(chart, "rows");
    for (size_t c = 0; c < json_array_size(columns); c++) {
        if (c > 0) RT_TRY(rt_buffer_puts(out, ",", err));
        RT_TRY(put_cell(json_object_get(json_array_get(columns, c), "key"), out, err));
    }
    RT_TRY(rt_buffer_puts(out, "\n", err));
    for (size_t r = 0; r < json_array_size(rows); r++) {
        for (size_t c = 0; c < json_array_size(columns); c++) {
            if (c > 0) RT_TRY(rt_buffer_puts(out, ",", err));
            RT_TRY(put_cell(json_array_get(json_array_get(rows, r), c), out, err));
        }
        RT_TRY(rt_buffer_puts(out, "\n", err));
    }
    return RETORT_OK;
}

retort_status rt_sheet_json(const json_t *chart, rt_buffer *out, retort_error *err) {
    const json_t *columns = json_object_get(chart, "columns"), *rows = json_object_get(chart, "rows");
    json_t *list = json_array(), *sheet = json_object();
    static const char *const KEPT[] = {"id", "title", "note"};
    for (size_t i = 0; i < sizeof KEPT / sizeof KEPT[0]; i++)
        json_object_set(sheet, KEPT[i], json_object_get(chart, KEPT[i]));
    for (size_t r = 0; r < json_array_size(rows); r++) {
        json_t *row = json_object();
        for (size_t c = 0; c < json_array_size(columns); c++)
            json_object_set(row, json_string_value(json_object_get(json_array_get(columns, c), "key")),
                            json_array_get(json_array_get(rows, r), c));
        json_array_append_new(list, row);
    }
    json_object_set_new(sheet, "rows", list);
    retort_status st = rt_json_dump(sheet, JSON_INDENT(1) | JSON_REAL_PRECISION(12), out, err);
    json_decref(sheet);
    return st == RETORT_OK ? rt_buffer_puts(out, "\n", err) : st;
}

static retort_status write_sheet(const char *folder, const char *id, const char *ending, const rt_buffer *text,
                                 retort_error *err) {
    char name[64];
    snprintf(name, sizeof name, "%s.%s", id, ending);
    char *path = rt_path_join(folder, name);
    RT_CHECK(path != NULL, err, RETORT_ERR_MEMORY, "out of memory: path of a table");
    retort_status st = rt_file_write(path, text->data, text->length, err);
    rt_free(path);
    return st;
}

retort_status rt_sheets_write(const json_t *charts, const char *folder, retort_error *err) {
    rt_buffer text = {0};
    retort_status st = RETORT_OK;
    for (size_t i = 0; i < json_array_size(charts) && st == RETORT_OK; i++) {
        const json_t *chart = json_array_get(charts, i);
        const char *id = json_string_value(json_object_get(chart, "id"));
        if (json_array_size(json_object_get(chart, "rows")) == 0) continue;
        rt_buffer_clear(&text);
        st = rt_sheet_csv(chart, &text, err);
        if (st == RETORT_OK) st = write_sheet(folder, id, "csv", &text, err);
        rt_buffer_clear(&text);
        if (st == RETORT_OK) st = rt_sheet_json(chart, &text, err);
        if (st == RETORT_OK) st = write_sheet(folder, id, "json", &text, err);
    }
    rt_buffer_free(&text);
    return st;
}
