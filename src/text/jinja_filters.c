/* Filters: "x | NAME". */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/jinja_internal.h"

typedef retort_status (*filter)(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out);

/* ---- helpers ---- */

static retort_status text_of(jj_run *run, const jj_arguments *a, int place, const char *name, jj_text *out) {
    const jj_value *value = jj_argument(a, place, name);
    return value == NULL ? RETORT_OK : jj_to_str(run, value, out);
}

static bool flag_of(const jj_arguments *a, int place, const char *name) {
    const jj_value *value = jj_argument(a, place, name);
    return value != NULL && jj_truth(value);
}

/* A method of the value's text, as the filters of the same name are. */
static retort_status as_method(jj_run *run, const jj_value *value, const char *name, const jj_arguments *a,
                               jj_value *out) {
    jj_value text = {.type = JJ_STR};
    RT_TRY(jj_to_str(run, value, &text.as.text));
    return jj_call_method(run, &text, (jj_text){name, strlen(name)}, a, out);
}

/* A member by its name, which may be a path with dots or a number. */
static retort_status member(jj_run *run, const jj_value *value, jj_text path, jj_value *out) {
    *out = *value;
    while (path.length > 0) {
        const char *dot = memchr(path.data, '.', path.length);
        jj_text part = {path.data, dot != NULL ? (size_t)(dot - path.data) : path.length};
        jj_value key = jj_string(part.data, part.length), next;
        if (part.length > 0 && part.length < 10 && strspn(part.data, "0123456789") >= part.length) {
            key = jj_integer(strtoll(part.data, NULL, 10));
        }
        RT_TRY(jj_get_item(run, out, &key, &next));
        *out = next;
        size_t used = part.length + (dot != NULL ? 1 : 0);
        path.data += used;
        path.length -= used;
    }
    return RETORT_OK;
}

/* ---- texts ---- */

static retort_status filter_trim(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out) {
    return as_method(run, value, "strip", a, out);
}

static retort_status filter_upper(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out) {
    return as_method(run, value, "upper", a, out);
}

static retort_status filter_lower(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out) {
    return as_method(run, value, "lower", a, out);
}

static retort_status filter_capitalize(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out) {
    return as_method(run, value, "capitalize", a, out);
}

static retort_status filter_title(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out) {
    return as_method(run, value, "title", a, out);
}

static retort_status filter_replace(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out) {
    return as_method(run, value, "replace", a, out);
}

static retort_status filter_string(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out) {
    RT_TRY(jj_check_arguments(run, a, 0, 0));
    *out = (jj_value){.type = JJ_STR};
    return jj_to_str(run, value, &out->as.text);
}

/* The lines but the first (and, without `blank`, empty ones) moved right. */
static retort_status put_indented(jj_run *run, jj_text text, jj_text by, bool first, bool blank, rt_buffer *out) {
    for (size_t line = 0;; line++) {
        const char *end = text.length > 0 ? memchr(text.data, '\n', text.length) : NULL;
        size_t length = end != NULL ? (size_t)(end - text.data) : text.length;
        if ((line > 0 || first) && (length > 0 || blank)) RT_TRY(rt_buffer_append(out, by.data, by.length, run->err));
        RT_TRY(rt_buffer_append(out, text.data, length + (end != NULL), run->err));
        if (end == NULL) return RETORT_OK;
        text.data += length + 1;
        text.length -= length + 1;
    }
}

static retort_status filter_indent(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out) {
    static const char SPACES[] = "                                                                ";
    RT_TRY(jj_check_arguments(run, a, 0, 3));
    const jj_value *width = jj_argument(a, 0, "width");
    jj_text by = {SPACES, 4}, text;
    if (width != NULL && width->type == JJ_STR) {
        by = width->as.text;
    } else if (width != NULL) {
        if (width->type != JJ_INT || width->as.integer < 0 || width->as.integer > (int64_t)sizeof SPACES - 1) {
            return jj_fail(run, RETORT_ERR_UNSUPPORTED, "filter 'indent' needs a width of 0 to %zu", sizeof SPACES - 1);
        }
        by.length = (size_t)width->as.integer;
    }
    rt_buffer moved = {0};
    RT_TRY(jj_to_str(run, value, &text));
    retort_status st = put_indented(run, text, by, flag_of(a, 1, "first"), flag_of(a, 2, "blank"), &moved);
    if (st == RETORT_OK) st = jj_new_string(run, moved.data, moved.length, out);
    rt_buffer_free(&moved);
    return st;
}

static retort_status filter_tojson(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out) {
    const jj_value *indent = jj_argument(a, 1, "indent"), *separators = jj_argument(a, 2, "separators");
    int64_t width = indent != NULL && indent->type == JJ_INT ? indent->as.integer : -1;
    jj_text part[2] = {{width >= 0 ? "," : ", ", width >= 0 ? 1 : 2}, {": ", 2}};
    RT_TRY(jj_check_arguments(run, a, 0, 4));
    if (flag_of(a, 0, "ensure_ascii") || width > 64) {
        return jj_fail(run, RETORT_ERR_UNSUPPORTED, "filter 'tojson' with these arguments is not supported");
    }
    if (separators != NULL && separators->type == JJ_ARRAY && separators->as.array->count == 2) {
        for (int i = 0; i < 2; i++) RT_TRY(jj_to_str(run, &separators->as.array->items[i], &part[i]));
    }
    jj_value item = {0}, key = {0};
    RT_TRY(jj_new_string(run, part[0].data, part[0].length, &item)); /* ended by NUL */
    RT_TRY(jj_new_string(run, part[1].data, part[1].length, &key));
    rt_buffer json = {0};
    retort_status st =
        jj_put_json(run, value, (int)width, flag_of(a, 3, "sort_keys"), item.as.text.data, key.as.text.data, 0, &json);
    if (st == RETORT_OK) st = jj_new_string(run, json.data, json.length, out);
    rt_buffer_free(&json);
    return st;
}

/* ---- numbers ---- */

static retort_status filter_int(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out) {
    RT_TRY(jj_check_arguments(run, a, 0, 1));
    const jj_value *otherwise = jj_argument(a, 0, "default");
    *out = otherwise != NULL ? *otherwise : jj_integer(0);
    if (value->type == JJ_INT) *out = *value;
    if (value->type == JJ_BOOLEAN) *out = jj_integer(value->as.boolean);
    if (value->type == JJ_FLOAT && fabs(value->as.real) < 9e18) *out = jj_integer((int64_t)value->as.real);
    if (value->type != JJ_STR) return RETORT_OK;
    jj_value copy = {0};
    char *end;
    jj_text text = jj_strip(value->as.text, NULL, 3);
    RT_TRY(jj_new_string(run, text.data, text.length, &copy));
    double real = strtod(copy.as.text.data, &end);
    if (text.length > 0 && *end == '\0' && fabs(real) < 9e15) *out = jj_integer((int64_t)real);
    return RETORT_OK;
}

static retort_status filter_float(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out) {
    RT_TRY(jj_check_arguments(run, a, 0, 1));
    const jj_value *otherwise = jj_argument(a, 0, "default");
    *out = otherwise != NULL ? *otherwise : (jj_value){.type = JJ_FLOAT};
    if (value->type == JJ_FLOAT) *out = *value;
    if (value->type == JJ_INT) *out = (jj_value){.type = JJ_FLOAT, .as.real = (double)value->as.integer};
    if (value->type != JJ_STR) return RETORT_OK;
    jj_value copy = {0};
    char *end;
    jj_text text = jj_strip(value->as.text, NULL, 3);
    RT_TRY(jj_new_string(run, text.data, text.length, &copy));
    double real = strtod(copy.as.text.data, &end);
    if (text.length > 0 && *end == '\0') *out = (jj_value){.type = JJ_FLOAT, .as.real = real};
    return RETORT_OK;
}

static retort_status filter_abs(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out) {
    RT_TRY(jj_check_arguments(run, a, 0, 0));
    *out = *value;
    if (value->type == JJ_INT && value->as.integer > INT64_MIN) {
        out->as.integer = value->as.integer < 0 ? -value->as.integer : value->as.integer;
    } else if (value->type == JJ_FLOAT) {
        out->as.real = fabs(value->as.real);
    } else {
        return jj_fail(run, RETORT_ERR_USAGE, "filter 'abs' needs a number, not '%s'", jj_type_name(value));
    }
    return RETORT_OK;
}

/* ---- lists ---- */

static retort_status filter_length(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out) {
    RT_TRY(jj_check_arguments(run, a, 0, 0));
    switch (value->type) {
    case JJ_UNDEFINED: *out = jj_integer(0); return RETORT_OK;
    case JJ_STR: *out = jj_integer((int64_t)jj_count_characters(value->as.text)); return RETORT_OK;
    case JJ_ARRAY: *out = jj_integer((int64_t)value->as.array->count); return RETORT_OK;
    case JJ_MAPPING: *out = jj_integer((int64_t)value->as.mapping->count); return RETORT_OK;
    default: return jj_fail(run, RETORT_ERR_USAGE, "a '%s' has no length", jj_type_name(value));
    }
}

static retort_status filter_first(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out) {
    jj_value items = {0};
    RT_TRY(jj_check_arguments(run, a, 0, 0));
    RT_TRY(jj_iterate(run, value, &items));
    *out = items.as.array->count > 0 ? items.as.array->items[0] : jj_undefined((jj_text){"first of nothing", 16});
    return RETORT_OK;
}

static retort_status filter_last(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out) {
    jj_value items = {0};
    RT_TRY(jj_check_arguments(run, a, 0, 0));
    RT_TRY(jj_iterate(run, value, &items));
    size_t count = items.as.array->count;
    *out = count > 0 ? items.as.array->items[count - 1] : jj_undefined((jj_text){"last of nothing", 15});
    return RETORT_OK;
}

static retort_status filter_list(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out) {
    RT_TRY(jj_check_arguments(run, a, 0, 0));
    RT_TRY(jj_iterate(run, value, out));
    out->tuple = false;
    return RETORT_OK;
}

static retort_status filter_reverse(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out) {
    jj_value items = {0};
    RT_TRY(jj_check_arguments(run, a, 0, 0));
    RT_TRY(jj_iterate(run, value, &items));
    size_t count = items.as.array->count;
    RT_TRY(jj_new_array(run, count, false, out));
    for (size_t i = 0; i < count; i++) out->as.array->items[i] = items.as.array->items[count - 1 - i];
    if (value->type != JJ_STR) return RETORT_OK;
    jj_value empty = jj_string("", 0);
    jj_arguments list = {.where = "filter 'reverse'", .plain = {*out}, .num_plain = 1};
    return jj_call_method(run, &empty, (jj_text){"join", 4}, &list, out);
}

static retort_status filter_join(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out) {
    jj_value items, by = jj_string("", 0), texts;
    jj_text path = {"", 0};
    RT_TRY(jj_check_arguments(run, a, 0, 2));
    RT_TRY(text_of(run, a, 0, "d", &by.as.text));
    RT_TRY(text_of(run, a, 1, "attribute", &path));
    RT_TRY(jj_iterate(run, value, &items));
    RT_TRY(jj_new_array(run, items.as.array->count, false, &texts));
    for (size_t i = 0; i < items.as.array->count; i++) {
        jj_value one, *to = &texts.as.array->items[i];
        RT_TRY(member(run, &items.as.array->items[i], path, &one));
        to->type = JJ_STR;
        RT_TRY(jj_to_str(run, &one, &to->as.text));
    }
    jj_arguments list = {.where = "filter 'join'", .plain = {texts}, .num_plain = 1};
    return jj_call_method(run, &by, (jj_text){"join", 4}, &list, out);
}

static retort_status filter_items(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out) {
    if (value->type == JJ_UNDEFINED) return jj_new_array(run, 0, false, out);
    if (value->type != JJ_MAPPING) {
        return jj_fail(run, RETORT_ERR_USAGE, "filter 'items' needs a mapping, not '%s'", jj_type_name(value));
    }
    return jj_call_method(run, value, (jj_text){"items", 5}, a, out);
}

/* Stable, by insertion: lists of chat templates are short. */
static retort_status sort(jj_run *run, const jj_array *items, jj_text path, bool reverse, bool fold, jj_value *out) {
    jj_value keys = {0};
    RT_TRY(jj_new_array(run, items->count, false, out));
    RT_TRY(jj_new_array(run, items->count, false, &keys));
    for (size_t i = 0; i < items->count; i++) {
        jj_value key = {0};
        size_t j = i;
        RT_TRY(member(run, &items->items[i], path, &key));
        if (fold && key.type == JJ_STR)
            RT_TRY(filter_lower(run, &key, &(jj_arguments){.where = "filter 'sort'"}, &key));
        for (; j > 0; j--) {
            int order = 0;
            if (++run->steps > run->limits->steps)
                return jj_fail(run, RETORT_ERR_UNSUPPORTED, "sorting takes too many steps");
            RT_TRY(jj_compare(run, &keys.as.array->items[j - 1], &key, &order));
            if (reverse ? order >= 0 : order <= 0) break;
            keys.as.array->items[j] = keys.as.array->items[j - 1];
            out->as.array->items[j] = out->as.array->items[j - 1];
        }
        keys.as.array->items[j] = key;
        out->as.array->items[j] = items->items[i];
    }
    return RETORT_OK;
}

static retort_status filter_sort(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out) {
    jj_value items = {0};
    jj_text path = {"", 0};
    RT_TRY(jj_check_arguments(run, a, 0, 3));
    RT_TRY(jj_iterate(run, value, &items));
    RT_TRY(text_of(run, a, 2, "attribute", &path));
    return sort(run, items.as.array, path, flag_of(a, 0, "reverse"), !flag_of(a, 1, "case_sensitive"), out);
}

static retort_status filter_dictsort(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out) {
    jj_value items = {0};
    RT_TRY(jj_check_arguments(run, a, 0, 0));
    RT_TRY(filter_items(run, value, a, &items));
    return sort(run, items.as.array, (jj_text){"0", 1}, false, true, out);
}

static retort_status filter_unique(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out) {
    jj_value items = {0};
    RT_TRY(jj_check_arguments(run, a, 0, 0));
    RT_TRY(jj_iterate(run, value, &items));
    RT_TRY(jj_new_array(run, items.as.array->count, false, out));
    size_t kept = 0;
    for (size_t i = 0; i < items.as.array->count; i++) {
        bool seen = false;
        for (size_t j = 0; j < kept && !seen; j++) {
            seen = jj_equal(&items.as.array->items[i], &out->as.array->items[j], 0);
            run->steps++;
        }
        if (!seen) out->as.array->items[kept++] = items.as.array->items[i];
        if (run->steps > run->limits->steps)
            return jj_fail(run, RETORT_ERR_UNSUPPORTED, "'unique' takes too many steps");
    }
    out->as.array->count = kept;
    return RETORT_OK;
}

/* ---- select, reject, map ---- */

/* Arguments from the given place on. */
static jj_arguments rest_of(const jj_arguments *a, int from) {
    jj_arguments rest = {.where = a->where};
    for (int i = from; i < a->num_plain; i++) rest.plain[rest.num_plain++] = a->plain[i];
    return rest;
}

static retort_status choose(jj_run *run, const jj_value *value, const jj_arguments *a, bool attribute, bool keep,
                            jj_value *out) {
    jj_value items = {0};
    jj_text path = {"", 0}, test = {"", 0};
    int first = attribute ? 1 : 0;
    RT_TRY(jj_check_arguments(run, a, first, JJ_MAX_ARGUMENTS));
    if (attribute) RT_TRY(text_of(run, a, 0, "attribute", &path));
    RT_TRY(text_of(run, a, first, NULL, &test));
    jj_arguments rest = rest_of(a, first + 1);
    RT_TRY(jj_iterate(run, value, &items));
    RT_TRY(jj_new_array(run, items.as.array->count, false, out));
    size_t kept = 0;
    for (size_t i = 0; i < items.as.array->count; i++) {
        jj_value one = {0};
        RT_TRY(member(run, &items.as.array->items[i], path, &one));
        bool holds = jj_truth(&one);
        if (test.length > 0) RT_TRY(jj_apply_test(run, &one, test, &rest, &holds));
        if (holds == keep) out->as.array->items[kept++] = items.as.array->items[i];
    }
    out->as.array->count = kept;
    return RETORT_OK;
}

static retort_status filter_select(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out) {
    return choose(run, value, a, false, true, out);
}

static retort_status filter_reject(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out) {
    return choose(run, value, a, false, false, out);
}

static retort_status filter_selectattr(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out) {
    return choose(run, value, a, true, true, out);
}

static retort_status filter_rejectattr(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out) {
    return choose(run, value, a, true, false, out);
}

static retort_status filter_map(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out) {
    jj_value items = {0};
    jj_text path = {"", 0}, name = {"", 0};
    const jj_value *attribute = jj_argument(a, -1, "attribute"), *otherwise = jj_argument(a, -1, "default");
    if (attribute != NULL) {
        RT_TRY(jj_to_str(run, attribute, &path));
    } else {
        RT_TRY(jj_check_arguments(run, a, 1, JJ_MAX_ARGUMENTS));
        RT_TRY(text_of(run, a, 0, NULL, &name));
    }
    jj_arguments rest = rest_of(a, 1);
    RT_TRY(jj_iterate(run, value, &items));
    RT_TRY(jj_new_array(run, items.as.array->count, false, out));
    for (size_t i = 0; i < items.as.array->count; i++) {
        jj_value *to = &out->as.array->items[i];
        const jj_value *one = &items.as.array->items[i];
        if (attribute == NULL) {
            RT_TRY(jj_apply_filter(run, one, name, &rest, to));
            continue;
        }
        RT_TRY(member(run, one, path, to));
        if (to->type == JJ_UNDEFINED && otherwise != NULL) *to = *otherwise;
    }
    return RETORT_OK;
}

/* ---- the rest ---- */

static retort_status filter_default(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out) {
    RT_TRY(jj_check_arguments(run, a, 0, 2));
    const jj_value *otherwise = jj_argument(a, 0, "default_value");
    bool missing = value->type == JJ_UNDEFINED || (flag_of(a, 1, "boolean") && !jj_truth(value));
    *out = !missing ? *value : otherwise != NULL ? *otherwise : jj_string("", 0);
    return RETORT_OK;
}

static retort_status filter_safe(jj_run *run, const jj_value *value, const jj_arguments *a, jj_value *out) {
    return filter_string(run, value, a, out);
}

static const struct {
    const char *name;
    filter run;
} FILTERS[] = {{"abs", filter_abs},
               {"capitalize", filter_capitalize},
               {"count", filter_length},
               {"d", filter_default},
               {"default", filter_default},
               {"dictsort", filter_dictsort},
               {"first", filter_first},
               {"float", filter_float},
               {"indent", filter_indent},
               {"int", filter_int},
               {"items", filter_items},
               {"join", filter_join},
               {"last", filter_last},
               {"length", filter_length},
               {"list", filter_list},
               {"lower", filter_lower},
               {"map", filter_map},
               {"reject", filter_reject},
               {"rejectattr", filter_rejectattr},
               {"replace", filter_replace},
               {"reverse", filter_reverse},
               {"safe", filter_safe},
               {"select", filter_select},
               {"selectattr", filter_selectattr},
               {"sort", filter_sort},
               {"string", filter_string},
               {"tojson", filter_tojson},
               {"title", filter_title},
               {"trim", filter_trim},
               {"unique", filter_unique},
               {"upper", filter_upper}};

retort_status jj_apply_filter(jj_run *run, const jj_value *value, jj_text name, const jj_arguments *arguments,
                              jj_value *out) {
    for (size_t i = 0; i < sizeof FILTERS / sizeof *FILTERS; i++) {
        if (!jj_text_is(name, FILTERS[i].name)) continue;
        char where[40];
        jj_arguments named = *arguments;
        snprintf(where, sizeof where, "filter '%s'", FILTERS[i].name);
        named.where = where;
        return FILTERS[i].run(run, value, &named, out);
    }
    return jj_fail(run, RETORT_ERR_UNSUPPORTED, "filter '%.*s' is not supported", JJ_MESSAGE_TEXT(name));
}
