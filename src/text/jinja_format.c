/* Values as text: Python's str() and repr(), and json.dumps. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/bytes.h"
#include "text/jinja_internal.h"

/* The fewest digits that read back as the same number, in Python's layout. */
static retort_status put_real(double value, rt_buffer *out, retort_error *err) {
    char text[40];
    if (!isfinite(value)) return rt_buffer_puts(out, isnan(value) ? "nan" : value > 0 ? "inf" : "-inf", err);
    int digits = 1;
    for (; digits < 17; digits++) {
        snprintf(text, sizeof text, "%.*e", digits - 1, value);
        if (!(strtod(text, NULL) < value) && !(strtod(text, NULL) > value)) break;
    }
    snprintf(text, sizeof text, "%.*e", digits - 1, value);
    int exponent = atoi(strchr(text, 'e') + 1);
    if (exponent >= -4 && exponent < 16) {
        int decimals = digits - 1 - exponent;
        return rt_buffer_printf(out, err, "%.*f", decimals < 1 ? 1 : decimals, value);
    }
    return rt_buffer_puts(out, text, err); /* C writes e-05 and e+16 as Python does */
}

static retort_status put_quoted(jj_text text, rt_buffer *out, retort_error *err) {
    bool single = memchr(text.data, '\'', text.length) != NULL, twice = memchr(text.data, '"', text.length) != NULL;
    char quote = single && !twice ? '"' : '\'';
    RT_TRY(rt_buffer_append(out, &quote, 1, err));
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        const char *known = c != '\0' ? strchr("\n\r\t", c) : NULL;
        if (known != NULL) {
            RT_TRY(rt_buffer_puts(out, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t", err));
        } else if ((uint8_t)c < 32 || c == 127) {
            RT_TRY(rt_buffer_printf(out, err, "\\x%02x", (unsigned)(uint8_t)c));
        } else {
            if (c == quote || c == '\\') RT_TRY(rt_buffer_puts(out, "\\", err));
            RT_TRY(rt_buffer_append(out, &c, 1, err));
        }
    }
    return rt_buffer_append(out, &quote, 1, err);
}

static retort_status put_repr(jj_run *run, const jj_value *value, int depth, rt_buffer *out);

static retort_status put_members(jj_run *run, const jj_mapping *m, int depth, rt_buffer *out) {
    RT_TRY(rt_buffer_puts(out, "{", run->err));
    for (size_t i = 0; i < m->count; i++) {
        if (i > 0) RT_TRY(rt_buffer_puts(out, ", ", run->err));
        RT_TRY(put_repr(run, &m->keys[i], depth + 1, out));
        RT_TRY(rt_buffer_puts(out, ": ", run->err));
        RT_TRY(put_repr(run, &m->values[i], depth + 1, out));
    }
    return rt_buffer_puts(out, "}", run->err);
}

static retort_status put_repr(jj_run *run, const jj_value *value, int depth, rt_buffer *out) {
    if (depth > JJ_MAX_DEPTH) return jj_fail(run, RETORT_ERR_UNSUPPORTED, "a value is nested too deep to be printed");
    switch (value->type) {
    case JJ_UNDEFINED: return rt_buffer_puts(out, depth == 0 ? "" : "Undefined", run->err);
    case JJ_NONE: return rt_buffer_puts(out, "None", run->err);
    case JJ_BOOLEAN: return rt_buffer_puts(out, value->as.boolean ? "True" : "False", run->err);
    case JJ_INT: return rt_buffer_printf(out, run->err, "%lld", (long long)value->as.integer);
    case JJ_FLOAT: return put_real(value->as.real, out, run->err);
    case JJ_STR: return put_quoted(value->as.text, out, run->err);
    case JJ_MAPPING: return put_members(run, value->as.mapping, depth, out);
    case JJ_ARRAY:
        RT_TRY(rt_buffer_puts(out, value->tuple ? "(" : "[", run->err));
        for (size_t i = 0; i < value->as.array->count; i++) {
            if (i > 0) RT_TRY(rt_buffer_puts(out, ", ", run->err));
            RT_TRY(put_repr(run, &value->as.array->items[i], depth + 1, out));
        }
        if (value->tuple && value->as.array->count == 1) RT_TRY(rt_buffer_puts(out, ",", run->err));
        return rt_buffer_puts(out, value->tuple ? ")" : "]", run->err);
    default: return jj_fail(run, RETORT_ERR_UNSUPPORTED, "a '%s' cannot be printed", jj_type_name(value));
    }
}

retort_status jj_put_str(jj_run *run, const jj_value *value, rt_buffer *out) {
    if (value->type != JJ_STR) return put_repr(run, value, 0, out);
    return value->as.text.length == 0 ? RETORT_OK
                                      : rt_buffer_append(out, value->as.text.data, value->as.text.length, run->err);
}

retort_status jj_to_str(jj_run *run, const jj_value *value, jj_text *out) {
    if (value->type == JJ_STR) {
        *out = value->as.text;
        return RETORT_OK;
    }
    rt_buffer text = {0};
    jj_value copy = {0};
    retort_status st = jj_put_str(run, value, &text);
    if (st == RETORT_OK) st = jj_new_string(run, text.data, text.length, &copy);
    rt_buffer_free(&text);
    *out = copy.as.text;
    return st;
}

/* ---- JSON ---- */

static retort_status put_json_string(jj_text text, rt_buffer *out, retort_error *err) {
    static const char NAMES[] = "nrtbf\"\\", VALUES[] = "\n\r\t\b\f\"\\";
    RT_TRY(rt_buffer_puts(out, "\"", err));
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        const char *known = c != '\0' ? strchr(VALUES, c) : NULL;
        if (known != NULL) {
            char escape[2] = {'\\', NAMES[known - VALUES]};
            RT_TRY(rt_buffer_append(out, escape, 2, err));
        } else if ((uint8_t)c < 32) {
            RT_TRY(rt_buffer_printf(out, err, "\\u%04x", (unsigned)(uint8_t)c));
        } else {
            RT_TRY(rt_buffer_append(out, &c, 1, err));
        }
    }
    return rt_buffer_puts(out, "\"", err);
}

typedef struct writer {
    jj_run *run;
    int indent; /* -1: all on one line */
    bool sort_keys;
    const char *item_separator, *key_separator;
    rt_buffer *out;
} writer;

static retort_status put_value(const writer *w, const jj_value *value, int level);

static retort_status new_line(const writer *w, int level) {
    if (w->indent < 0) return RETORT_OK;
    RT_TRY(rt_buffer_puts(w->out, "\n", w->run->err));
    for (int i = 0; i < level * w->indent; i++) RT_TRY(rt_buffer_puts(w->out, " ", w->run->err));
    return RETORT_OK;
}

static retort_status put_json_key(const writer *w, const jj_value *key) {
    if (key->type == JJ_STR) return put_json_string(key->as.text, w->out, w->run->err);
    if (key->type != JJ_INT) return jj_fail(w->run, RETORT_ERR_UNSUPPORTED, "filter 'tojson': a key is no string");
    return rt_buffer_printf(w->out, w->run->err, "\"%lld\"", (long long)key->as.integer);
}

/* The place of the i-th key: as it stands, or in order (selection; objects here are small). */
static retort_status key_order(const writer *w, const jj_mapping *m, size_t *order) {
    for (size_t i = 0; i < m->count; i++) {
        size_t j = i;
        for (int compared = 0; w->sort_keys && j > 0; j--) {
            RT_TRY(jj_compare(w->run, &m->keys[i], &m->keys[order[j - 1]], &compared));
            if (compared >= 0) break;
            order[j] = order[j - 1];
        }
        order[j] = i;
    }
    return RETORT_OK;
}

static retort_status put_object(const writer *w, const jj_mapping *m, int level) {
    if (m->count == 0) return rt_buffer_puts(w->out, "{}", w->run->err);
    size_t *order = jj_alloc(&w->run->arena, m->count, sizeof *order, w->run->err);
    if (order == NULL) return RETORT_ERR_MEMORY;
    RT_TRY(key_order(w, m, order));
    RT_TRY(rt_buffer_puts(w->out, "{", w->run->err));
    for (size_t i = 0; i < m->count; i++) {
        if (i > 0) RT_TRY(rt_buffer_puts(w->out, w->item_separator, w->run->err));
        RT_TRY(new_line(w, level + 1));
        RT_TRY(put_json_key(w, &m->keys[order[i]]));
        RT_TRY(rt_buffer_puts(w->out, w->key_separator, w->run->err));
        RT_TRY(put_value(w, &m->values[order[i]], level + 1));
    }
    RT_TRY(new_line(w, level));
    return rt_buffer_puts(w->out, "}", w->run->err);
}

static retort_status put_list(const writer *w, const jj_array *a, int level) {
    if (a->count == 0) return rt_buffer_puts(w->out, "[]", w->run->err);
    RT_TRY(rt_buffer_puts(w->out, "[", w->run->err));
    for (size_t i = 0; i < a->count; i++) {
        if (i > 0) RT_TRY(rt_buffer_puts(w->out, w->item_separator, w->run->err));
        RT_TRY(new_line(w, level + 1));
        RT_TRY(put_value(w, &a->items[i], level + 1));
    }
    RT_TRY(new_line(w, level));
    return rt_buffer_puts(w->out, "]", w->run->err);
}

static retort_status put_value(const writer *w, const jj_value *value, int level) {
    if (level > JJ_MAX_DEPTH) return jj_fail(w->run, RETORT_ERR_UNSUPPORTED, "filter 'tojson': nested too deep");
    switch (value->type) {
    case JJ_NONE: return rt_buffer_puts(w->out, "null", w->run->err);
    case JJ_BOOLEAN: return rt_buffer_puts(w->out, value->as.boolean ? "true" : "false", w->run->err);
    case JJ_INT: return rt_buffer_printf(w->out, w->run->err, "%lld", (long long)value->as.integer);
    case JJ_FLOAT:
        if (isfinite(value->as.real)) return put_real(value->as.real, w->out, w->run->err);
        return rt_buffer_puts(w->out,
                              isnan(value->as.real) ? "NaN"
                              : value->as.real > 0  ? "Infinity"
                                                    : "-Infinity",
                              w->run->err);
    case JJ_STR: return put_json_string(value->as.text, w->out, w->run->err);
    case JJ_ARRAY: return put_list(w, value->as.array, level);
    case JJ_MAPPING: return put_object(w, value->as.mapping, level);
    default: return jj_fail(w->run, RETORT_ERR_USAGE, "filter 'tojson': a '%s' is no JSON", jj_type_name(value));
    }
}

retort_status jj_put_json(jj_run *run, const jj_value *value, int indent, bool sort_keys, const char *item_separator,
                          const char *key_separator, int level, rt_buffer *out) {
    writer w = {run, indent, sort_keys, item_separator, key_separator, out};
    return put_value(&w, value, level);
}
