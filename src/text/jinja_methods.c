/* Methods of strings and mappings, as Python has them. */
#include <stdio.h>
#include <string.h>

#include <utf8proc.h>

#include "text/bytes.h"
#include "text/jinja_internal.h"
#include "text/unicode.h"

static const char *const TEXT_METHODS[] = {"strip",        "lstrip",   "rstrip", "split", "rsplit", "splitlines",
                                           "startswith",   "endswith", "upper",  "lower", "title",  "capitalize",
                                           "replace",      "find",     "rfind",  "count", "join",   "removeprefix",
                                           "removesuffix", "isdigit",  NULL};
static const char *const MAPPING_METHODS[] = {"items", "keys", "values", "get", NULL};

bool jj_is_method(const jj_value *object, jj_text name) {
    const char *const *names = object->type == JJ_STR       ? TEXT_METHODS
                               : object->type == JJ_MAPPING ? MAPPING_METHODS
                                                            : NULL;
    for (; names != NULL && *names != NULL; names++) {
        if (jj_text_is(name, *names)) return true;
    }
    return false;
}

/* ---- helpers ---- */

static bool is_space(uint32_t code) {
    return rt_unicode_is_space(code) || (code >= 0x1C && code <= 0x1F);
}

static bool strips(const jj_text *characters, const char *at, size_t width, uint32_t code) {
    if (characters == NULL) return is_space(code);
    return characters->data != NULL && characters->length >= width &&
           memmem(characters->data, characters->length, at, width) != NULL;
}

jj_text jj_strip(jj_text text, const jj_text *characters, int which) {
    while ((which & 1) != 0 && text.length > 0) {
        uint32_t code = 0;
        int size = rt_utf8_char(text.data, text.length, &code);
        if (size == 0 || !strips(characters, text.data, (size_t)size, code)) break;
        text.data += size;
        text.length -= (size_t)size;
    }
    while ((which & 2) != 0 && text.length > 0) {
        size_t width = 1;
        uint32_t code = 0;
        while (width < 4 && width < text.length && (text.data[text.length - width] & 0xC0) == 0x80) width++;
        int size = rt_utf8_char(text.data + text.length - width, width, &code);
        if (size != (int)width || !strips(characters, text.data + text.length - width, width, code)) break;
        text.length -= width;
    }
    return text;
}

static jj_value from_text(jj_text text) {
    return jj_string(text.data, text.length);
}

/* Argument `place` as a text; *given false where it is missing or None. */
static retort_status text_argument(jj_run *run, const jj_arguments *a, int place, const char *name, jj_text *out,
                                   bool *given) {
    const jj_value *value = jj_argument(a, place, name);
    *given = value != NULL && value->type != JJ_NONE;
    if (!*given) return RETORT_OK;
    if (value->type != JJ_STR) {
        return jj_fail(run, RETORT_ERR_USAGE, "a method of a string is given a '%s' where a string is expected",
                       jj_type_name(value));
    }
    *out = value->as.text;
    return RETORT_OK;
}

static retort_status needed_text(jj_run *run, const jj_arguments *a, int place, jj_text *out) {
    bool given = false;
    RT_TRY(text_argument(run, a, place, NULL, out, &given));
    return given ? RETORT_OK : jj_fail(run, RETORT_ERR_USAGE, "a method of a string lacks an argument");
}

/* ---- case ---- */

enum { UPPER, LOWER, TITLE, CAPITALIZE };

static retort_status change_case(jj_run *run, jj_text text, int how, jj_value *out) {
    rt_buffer changed = {0};
    retort_status st = RETORT_OK;
    bool inside = false, first = true;
    for (size_t i = 0; i < text.length && st == RETORT_OK;) {
        uint32_t code = 0;
        int size = rt_utf8_char(text.data + i, text.length - i, &code);
        utf8proc_uint8_t bytes[4];
        bool up = how == UPPER || (how == TITLE && !inside) || (how == CAPITALIZE && first);
        utf8proc_int32_t other = (utf8proc_int32_t)code;
        if (size > 0) {
            other = !up ? utf8proc_tolower(other) : how == UPPER ? utf8proc_toupper(other) : utf8proc_totitle(other);
            utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)code);
            inside = category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL ||
                     category == UTF8PROC_CATEGORY_LT;
            st = rt_buffer_append(&changed, bytes, (size_t)utf8proc_encode_char(other, bytes), run->err);
        }
        first = false;
        i += size == 0 ? 1 : (size_t)size;
    }
    if (st == RETORT_OK) st = jj_new_string(run, changed.data, changed.length, out);
    rt_buffer_free(&changed);
    return st;
}

/* ---- splitting ---- */

typedef struct parts {
    jj_text *data;
    size_t count, capacity;
} parts;

static retort_status add_part(jj_run *run, parts *p, jj_text part) {
    if (p->count == p->capacity) {
        size_t capacity = p->capacity == 0 ? 16 : p->capacity * 2;
        jj_text *data = jj_alloc(&run->arena, capacity, sizeof *data, run->err);
        if (data == NULL) return run->err != NULL ? run->err->code : RETORT_ERR_MEMORY;
        if (p->count > 0) memcpy(data, p->data, p->count * sizeof *data);
        p->data = data;
        p->capacity = capacity;
    }
    p->data[p->count++] = part;
    return RETORT_OK;
}

static retort_status parts_value(jj_run *run, const parts *p, bool backwards, jj_value *out) {
    RT_TRY(jj_new_array(run, p->count, false, out));
    for (size_t i = 0; i < p->count; i++) {
        out->as.array->items[i] = from_text(p->data[backwards ? p->count - 1 - i : i]);
    }
    return RETORT_OK;
}

static retort_status split_space(jj_run *run, jj_text text, int64_t most, parts *p) {
    text = jj_strip(text, NULL, 1);
    while (text.length > 0) {
        size_t end = 0;
        if (most == 0) return add_part(run, p, jj_strip(text, NULL, 2));
        while (end < text.length) {
            uint32_t code = 0;
            int size = rt_utf8_char(text.data + end, text.length - end, &code);
            if (size > 0 && is_space(code)) break;
            end += size == 0 ? 1 : (size_t)size;
        }
        RT_TRY(add_part(run, p, (jj_text){text.data, end}));
        text = jj_strip((jj_text){text.data + end, text.length - end}, NULL, 1);
        most--;
    }
    return RETORT_OK;
}

static retort_status split_left(jj_run *run, jj_text text, jj_text by, int64_t most, parts *p) {
    for (; most != 0; most--) {
        const char *at = text.length > 0 ? memmem(text.data, text.length, by.data, by.length) : NULL;
        if (at == NULL) break;
        size_t before = (size_t)(at - text.data);
        RT_TRY(add_part(run, p, (jj_text){text.data, before}));
        text.data += before + by.length;
        text.length -= before + by.length;
    }
    return add_part(run, p, text);
}

/* The last place of `by`; SIZE_MAX: none. */
static size_t find_last(jj_text text, jj_text by) {
    for (size_t i = text.length + 1; i-- > 0;) {
        if (text.length - i >= by.length && (by.length == 0 || memcmp(text.data + i, by.data, by.length) == 0))
            return i;
    }
    return SIZE_MAX;
}

static retort_status split_right(jj_run *run, jj_text text, jj_text by, int64_t most, parts *p) {
    for (; most != 0; most--) {
        size_t at = find_last(text, by);
        if (at == SIZE_MAX) break;
        RT_TRY(add_part(run, p, (jj_text){text.data + at + by.length, text.length - at - by.length}));
        text.length = at;
    }
    return add_part(run, p, text);
}

static retort_status split(jj_run *run, jj_text text, const jj_arguments *a, bool right, jj_value *out) {
    parts p = {0};
    jj_text by = {NULL, 0};
    bool given = false;
    RT_TRY(jj_check_arguments(run, a, 0, 2));
    RT_TRY(text_argument(run, a, 0, "sep", &by, &given));
    const jj_value *limit = jj_argument(a, 1, "maxsplit");
    int64_t most = limit != NULL && limit->type == JJ_INT ? limit->as.integer : -1;
    if (given && by.length == 0) return jj_fail(run, RETORT_ERR_USAGE, "'split' by an empty string");
    if (!given && right && most >= 0)
        return jj_fail(run, RETORT_ERR_UNSUPPORTED, "'rsplit' without a separator is not supported");
    if (!given) {
        RT_TRY(split_space(run, text, most, &p));
    } else if (right) {
        RT_TRY(split_right(run, text, by, most, &p));
    } else {
        RT_TRY(split_left(run, text, by, most, &p));
    }
    return parts_value(run, &p, given && right, out);
}

static retort_status split_lines(jj_run *run, jj_text text, jj_value *out) {
    parts p = {0};
    while (text.length > 0) {
        size_t end = 0, width = 0;
        while (end < text.length && width == 0) {
            uint32_t code = 0;
            int size = rt_utf8_char(text.data + end, text.length - end, &code);
            size_t step = size == 0 ? 1 : (size_t)size;
            bool ends = (code >= 0x0A && code <= 0x0D) || (code >= 0x1C && code <= 0x1E) || code == 0x85 ||
                        code == 0x2028 || code == 0x2029;
            if (!ends || size == 0) {
                end += step;
                continue;
            }
            width = step;
            if (code == 0x0D && end + 1 < text.length && text.data[end + 1] == '\n') width = 2;
        }
        RT_TRY(add_part(run, &p, (jj_text){text.data, end}));
        text.data += end + width;
        text.length -= end + width;
    }
    return parts_value(run, &p, false, out);
}

/* ---- searching ---- */

static bool has_affix(jj_text text, jj_text part, bool end) {
    if (part.length > text.length) return false;
    return part.length == 0 ||
           memcmp(end ? text.data + text.length - part.length : text.data, part.data, part.length) == 0;
}

static retort_status affix_test(jj_run *run, jj_text text, const jj_arguments *a, bool end, jj_value *out) {
    RT_TRY(jj_check_arguments(run, a, 1, 1));
    const jj_value *value = jj_argument(a, 0, NULL);
    bool holds = false;
    if (value != NULL && value->type == JJ_ARRAY && value->tuple) {
        for (size_t i = 0; i < value->as.array->count; i++) {
            const jj_value *one = &value->as.array->items[i];
            holds = holds || (one->type == JJ_STR && has_affix(text, one->as.text, end));
        }
    } else {
        jj_text part = {"", 0};
        RT_TRY(needed_text(run, a, 0, &part));
        holds = has_affix(text, part, end);
    }
    *out = jj_boolean(holds);
    return RETORT_OK;
}

static retort_status find(jj_run *run, jj_text text, const jj_arguments *a, bool last, jj_value *out) {
    jj_text part = {"", 0};
    RT_TRY(jj_check_arguments(run, a, 1, 1));
    RT_TRY(needed_text(run, a, 0, &part));
    size_t at = SIZE_MAX;
    if (last) {
        at = find_last(text, part);
    } else if (part.length == 0) {
        at = 0;
    } else if (text.length > 0) {
        const char *place = memmem(text.data, text.length, part.data, part.length);
        if (place != NULL) at = (size_t)(place - text.data);
    }
    *out = jj_integer(at == SIZE_MAX ? -1 : (int64_t)jj_count_characters((jj_text){text.data, at}));
    return RETORT_OK;
}

static retort_status count(jj_run *run, jj_text text, const jj_arguments *a, jj_value *out) {
    jj_text part = {"", 0};
    parts p = {0};
    RT_TRY(jj_check_arguments(run, a, 1, 1));
    RT_TRY(needed_text(run, a, 0, &part));
    if (part.length == 0) {
        *out = jj_integer((int64_t)jj_count_characters(text) + 1);
        return RETORT_OK;
    }
    RT_TRY(split_left(run, text, part, -1, &p));
    *out = jj_integer((int64_t)p.count - 1);
    return RETORT_OK;
}

/* ---- making ---- */

static retort_status join(jj_run *run, jj_text by, const parts *p, jj_value *out) {
    rt_buffer text = {0};
    retort_status st = RETORT_OK;
    for (size_t i = 0; i < p->count && st == RETORT_OK; i++) {
        if (i > 0 && by.length > 0) st = rt_buffer_append(&text, by.data, by.length, run->err);
        if (st == RETORT_OK && p->data[i].length > 0) {
            st = rt_buffer_append(&text, p->data[i].data, p->data[i].length, run->err);
        }
    }
    if (st == RETORT_OK) st = jj_new_string(run, text.data, text.length, out);
    rt_buffer_free(&text);
    return st;
}

static retort_status join_list(jj_run *run, jj_text by, const jj_arguments *a, jj_value *out) {
    parts p = {0};
    jj_value items = {0};
    RT_TRY(jj_check_arguments(run, a, 1, 1));
    RT_TRY(jj_iterate(run, a->num_plain > 0 ? &a->plain[0] : &a->named[0], &items));
    for (size_t i = 0; i < items.as.array->count; i++) {
        const jj_value *one = &items.as.array->items[i];
        if (one->type != JJ_STR) return jj_fail(run, RETORT_ERR_USAGE, "'join' of a '%s'", jj_type_name(one));
        RT_TRY(add_part(run, &p, one->as.text));
    }
    return join(run, by, &p, out);
}

static retort_status replace(jj_run *run, jj_text text, const jj_arguments *a, jj_value *out) {
    jj_text from = {"", 0}, to = {"", 0};
    parts p = {0};
    RT_TRY(jj_check_arguments(run, a, 2, 3));
    RT_TRY(needed_text(run, a, 0, &from));
    RT_TRY(needed_text(run, a, 1, &to));
    const jj_value *limit = jj_argument(a, 2, "count");
    int64_t most = limit != NULL && limit->type == JJ_INT ? limit->as.integer : -1;
    if (from.length == 0) return jj_fail(run, RETORT_ERR_UNSUPPORTED, "'replace' of an empty string is not supported");
    RT_TRY(split_left(run, text, from, most, &p));
    return join(run, to, &p, out);
}

static retort_status strip(jj_run *run, jj_text text, const jj_arguments *a, int which, jj_value *out) {
    jj_text characters = {NULL, 0};
    bool given = false;
    RT_TRY(jj_check_arguments(run, a, 0, 1));
    RT_TRY(text_argument(run, a, 0, "chars", &characters, &given));
    *out = from_text(jj_strip(text, given ? &characters : NULL, which));
    return RETORT_OK;
}

static retort_status remove_affix(jj_run *run, jj_text text, const jj_arguments *a, bool end, jj_value *out) {
    jj_text part = {"", 0};
    RT_TRY(jj_check_arguments(run, a, 1, 1));
    RT_TRY(needed_text(run, a, 0, &part));
    if (has_affix(text, part, end)) {
        if (!end) text.data += part.length;
        text.length -= part.length;
    }
    *out = from_text(text);
    return RETORT_OK;
}

static bool is_digits(jj_text text) {
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return false;
    }
    return text.length > 0;
}

static retort_status text_method(jj_run *run, jj_text text, jj_text name, const jj_arguments *a, jj_value *out) {
    if (jj_text_is(name, "strip")) return strip(run, text, a, 3, out);
    if (jj_text_is(name, "lstrip")) return strip(run, text, a, 1, out);
    if (jj_text_is(name, "rstrip")) return strip(run, text, a, 2, out);
    if (jj_text_is(name, "split")) return split(run, text, a, false, out);
    if (jj_text_is(name, "rsplit")) return split(run, text, a, true, out);
    if (jj_text_is(name, "startswith")) return affix_test(run, text, a, false, out);
    if (jj_text_is(name, "endswith")) return affix_test(run, text, a, true, out);
    if (jj_text_is(name, "replace")) return replace(run, text, a, out);
    if (jj_text_is(name, "find")) return find(run, text, a, false, out);
    if (jj_text_is(name, "rfind")) return find(run, text, a, true, out);
    if (jj_text_is(name, "count")) return count(run, text, a, out);
    if (jj_text_is(name, "join")) return join_list(run, text, a, out);
    if (jj_text_is(name, "removeprefix")) return remove_affix(run, text, a, false, out);
    if (jj_text_is(name, "removesuffix")) return remove_affix(run, text, a, true, out);
    RT_TRY(jj_check_arguments(run, a, 0, 0));
    if (jj_text_is(name, "splitlines")) return split_lines(run, text, out);
    if (jj_text_is(name, "upper")) return change_case(run, text, UPPER, out);
    if (jj_text_is(name, "lower")) return change_case(run, text, LOWER, out);
    if (jj_text_is(name, "title")) return change_case(run, text, TITLE, out);
    if (jj_text_is(name, "capitalize")) return change_case(run, text, CAPITALIZE, out);
    *out = jj_boolean(is_digits(text));
    return RETORT_OK;
}

/* ---- mappings ---- */

static retort_status mapping_method(jj_run *run, const jj_mapping *m, jj_text name, const jj_arguments *a,
                                    jj_value *out) {
    if (jj_text_is(name, "get")) {
        RT_TRY(jj_check_arguments(run, a, 1, 2));
        const jj_value *key = jj_argument(a, 0, NULL), *otherwise = jj_argument(a, 1, "default");
        const jj_value *found = key != NULL ? jj_lookup(m, key) : NULL;
        *out = found != NULL ? *found : otherwise != NULL ? *otherwise : JJ_NOTHING;
        return RETORT_OK;
    }
    RT_TRY(jj_check_arguments(run, a, 0, 0));
    RT_TRY(jj_new_array(run, m->count, false, out));
    for (size_t i = 0; i < m->count; i++) {
        jj_value *item = &out->as.array->items[i];
        *item = jj_text_is(name, "keys") ? m->keys[i] : m->values[i];
        if (!jj_text_is(name, "items")) continue;
        RT_TRY(jj_new_array(run, 2, true, item));
        item->as.array->items[0] = m->keys[i];
        item->as.array->items[1] = m->values[i];
    }
    return RETORT_OK;
}

retort_status jj_call_method(jj_run *run, const jj_value *object, jj_text name, const jj_arguments *arguments,
                             jj_value *out) {
    char where[64];
    jj_arguments named = *arguments;
    snprintf(where, sizeof where, "method '%.*s'", (int)(name.length < 40 ? name.length : 40), name.data);
    named.where = where;
    if (object->type == JJ_STR) return text_method(run, object->as.text, name, &named, out);
    return mapping_method(run, object->as.mapping, name, &named, out);
}
