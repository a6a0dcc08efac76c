/* Fuzz target of CSV files: any bytes; what was read and is written again as CSV reads as the same rows. */
#include <stdlib.h>
#include <string.h>

#include "data/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static retort_status append_field(rt_buffer *out, const char *text) {
    retort_error err;
    if (rt_buffer_puts(out, "\"", &err) != RETORT_OK) abort();
    for (; *text != '\0'; text++)
        if (rt_buffer_append(out, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1, &err) != RETORT_OK) abort();
    return rt_buffer_puts(out, "\"", &err);
}

/* Rows as CSV with every field in quotes, each row behind the header that its object has. */
static retort_status write_row(void *context, json_t *row, size_t line, retort_error *err) {
    const char *key;
    json_t *value;
    rt_buffer *out = context;
    (void)line;
    bool first = out->length > 0;
    if (out->length == 0) {
        json_object_foreach(row, key, value) {
            if (out->length > 0 && rt_buffer_puts(out, ",", err) != RETORT_OK) abort();
            if (append_field(out, key) != RETORT_OK) abort();
        }
        first = true;
    }
    if (rt_buffer_puts(out, "\n", err) != RETORT_OK) abort();
    json_object_foreach(row, key, value) {
        if (!first && rt_buffer_puts(out, ",", err) != RETORT_OK) abort();
        first = false;
        if (append_field(out, json_string_value(value)) != RETORT_OK) abort();
    }
    return RETORT_OK;
}

static retort_status dump_row(void *context, json_t *row, size_t line, retort_error *err) {
    (void)line;
    return rt_json_dump(row, JSON_COMPACT, context, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *bytes = (const char *)data;
    rt_buffer csv = {0}, rows = {0}, again = {0};
    retort_error err = {0};
    if (memchr(data, 0, size) == NULL && rt_csv_parse("f.csv", bytes, size, write_row, &csv, &err) == RETORT_OK &&
        csv.length > 0) {
        if (rt_csv_parse("f.csv", bytes, size, dump_row, &rows, &err) != RETORT_OK) abort();
        if (rt_csv_parse("f.csv", csv.data, csv.length, dump_row, &again, &err) != RETORT_OK) abort();
        if (rows.length != again.length || memcmp(rows.data, again.data, rows.length) != 0) abort();
    }
    rt_buffer_free(&csv);
    rt_buffer_free(&rows);
    rt_buffer_free(&again);
    return 0;
}
