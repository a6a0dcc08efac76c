/* Values of the template engine: memory, truth, equality, order, and what JSON becomes. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text/bytes.h"
#include "text/jinja_internal.h"

/* ---- memory ---- */

enum { BLOCK_SIZE = 1 << 16 };

typedef struct jj_block {
    struct jj_block *next;
    size_t used, size;
    max_align_t data[];
} jj_block;

void *jj_alloc(jj_arena *arena, size_t count, size_t size, retort_error *err) {
    size_t bytes;
    if (rt_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 2) bytes = SIZE_MAX / 2;
    bytes = (bytes + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (arena->maximum > 0 && bytes > arena->maximum - arena->used) {
        rt_fail(err, RETORT_ERR_UNSUPPORTED, "the template needs more than %zu MiB of memory", arena->maximum >> 20);
        return NULL;
    }
    jj_block *block = arena->blocks;
    if (block == NULL || block->size - block->used < bytes) {
        size_t room = bytes > BLOCK_SIZE ? bytes : BLOCK_SIZE;
        block = rt_calloc(1, sizeof *block + room);
        if (block == NULL) {
            rt_fail(err, RETORT_ERR_MEMORY, "out of memory: template");
            return NULL;
        }
        block->size = room;
        block->next = arena->blocks;
        arena->blocks = block;
    }
    void *out = (char *)block->data + block->used;
    block->used += bytes;
    arena->used += bytes;
    return out;
}

void jj_arena_free(jj_arena *arena) {
    while (arena->blocks != NULL) {
        jj_block *next = arena->blocks->next;
        rt_free(arena->blocks);
        arena->blocks = next;
    }
    arena->used = 0;
}

retort_status jj_fail(jj_run *run, retort_status status, const char *fmt, ...) {
    char message[512];
    va_list arguments;
    va_start(arguments, fmt);
    vsnprintf(message, sizeof message, fmt, arguments);
    va_end(arguments);
    return rt_fail(run->err, status, "line %d: %s", run->line, message);
}

static retort_status no_memory(const jj_run *run) {
    return run->err != NULL && run->err->code != RETORT_OK ? run->err->code : RETORT_ERR_MEMORY;
}

/* ---- making ---- */

const jj_value JJ_NOTHING = {.type = JJ_NONE};

jj_value jj_boolean(bool value) {
    return (jj_value){.type = JJ_BOOLEAN, .as.boolean = value};
}

jj_value jj_integer(int64_t value) {
    return (jj_value){.type = JJ_INT, .as.integer = value};
}

jj_value jj_string(const char *data, size_t length) {
    return (jj_value){.type = JJ_STR, .as.text = {data, length}};
}

jj_value jj_undefined(jj_text name) {
    return (jj_value){.type = JJ_UNDEFINED, .as.text = name};
}

retort_status jj_new_string(jj_run *run, const char *data, size_t length, jj_value *out) {
    char *copy = jj_alloc(&run->arena, length + 1, 1, run->err);
    if (copy == NULL) return no_memory(run);
    if (length > 0) memcpy(copy, data, length);
    *out = jj_string(copy, length);
    return RETORT_OK;
}

retort_status jj_new_array(jj_run *run, size_t count, bool tuple, jj_value *out) {
    jj_array *array = jj_alloc(&run->arena, 1, sizeof *array, run->err);
    if (array == NULL) return no_memory(run);
    array->items = jj_alloc(&run->arena, count + 1, sizeof *array->items, run->err);
    if (array->items == NULL) return no_memory(run);
    array->count = count;
    *out = (jj_value){.type = JJ_ARRAY, .tuple = tuple, .as.array = array};
    return RETORT_OK;
}

retort_status jj_new_mapping(jj_run *run, jj_value *out) {
    jj_mapping *mapping = jj_alloc(&run->arena, 1, sizeof *mapping, run->err);
    if (mapping == NULL) return no_memory(run);
    *out = (jj_value){.type = JJ_MAPPING, .as.mapping = mapping};
    return RETORT_OK;
}

retort_status jj_mapping_set(jj_run *run, jj_mapping *mapping, const jj_value *key, const jj_value *value) {
    jj_value *there = (jj_value *)(uintptr_t)jj_lookup(mapping, key);
    if (there != NULL) {
        *there = *value;
        return RETORT_OK;
    }
    if (mapping->count == mapping->capacity) {
        size_t capacity = mapping->capacity == 0 ? 8 : mapping->capacity * 2;
        jj_value *keys = jj_alloc(&run->arena, capacity * 2, sizeof *keys, run->err);
        if (keys == NULL) return no_memory(run);
        if (mapping->count > 0) {
            memcpy(keys, mapping->keys, mapping->count * sizeof *keys);
            memcpy(keys + capacity, mapping->values, mapping->count * sizeof *keys);
        }
        mapping->keys = keys;
        mapping->values = keys + capacity;
        mapping->capacity = capacity;
    }
    mapping->keys[mapping->count] = *key;
    mapping->values[mapping->count++] = *value;
    return RETORT_OK;
}

static retort_status from_container(jj_run *run, const json_t *json, int depth, jj_value *out) {
    if (json_is_array(json)) {
        RT_TRY(jj_new_array(run, json_array_size(json), false, out));
        for (size_t i = 0; i < out->as.array->count; i++) {
            RT_TRY(jj_from_json(run, json_array_get(json, i), depth + 1, &out->as.array->items[i]));
        }
        return RETORT_OK;
    }
    const char *key;
    json_t *value;
    RT_TRY(jj_new_mapping(run, out));
    json_object_foreach((json_t *)(uintptr_t)json, key, value) {
        jj_value name = jj_string(key, strlen(key)), one;
        RT_TRY(jj_from_json(run, value, depth + 1, &one));
        RT_TRY(jj_mapping_set(run, out->as.mapping, &name, &one));
    }
    return RETORT_OK;
}

retort_status jj_from_json(jj_run *run, const json_t *json, int depth, jj_value *out) {
    if (depth > JJ_MAX_DEPTH) return jj_fail(run, RETORT_ERR_UNSUPPORTED, "messages are nested too deep");
    *out = JJ_NOTHING;
    switch (json_typeof(json)) {
    case JSON_TRUE: *out = jj_boolean(true); break;
    case JSON_FALSE: *out = jj_boolean(false); break;
    case JSON_NULL: break;
    case JSON_INTEGER: *out = jj_integer(json_integer_value(json)); break;
    case JSON_REAL: *out = (jj_value){.type = JJ_FLOAT, .as.real = json_real_value(json)}; break;
    case JSON_STRING: *out = jj_string(json_string_value(json), json_string_length(json)); break;
    default: return from_container(run, json, depth, out);
    }
    return RETORT_OK;
}

/* ---- asking ---- */

bool jj_text_is(jj_text text, const char *other) {
    return text.length == strlen(other) && memcmp(text.data, other, text.length) == 0;
}

const char *jj_type_name(const jj_value *value) {
    switch (value->type) {
    case JJ_UNDEFINED: return "Undefined";
    case JJ_NONE: return "None";
    case JJ_BOOLEAN: return "bool";
    case JJ_INT: return "int";
    case JJ_FLOAT: return "float";
    case JJ_STR: return "str";
    case JJ_ARRAY: return value->tuple ? "tuple" : "list";
    case JJ_MAPPING: return "dict";
    case JJ_NAMESPACE: return "namespace";
    case JJ_FUNCTION: return "function";
    case JJ_CALLABLE: return "macro";
    case JJ_LOOP: return "loop";
    }
    return "";
}

bool jj_truth(const jj_value *value) {
    switch (value->type) {
    case JJ_UNDEFINED:
    case JJ_NONE: return false;
    case JJ_BOOLEAN: return value->as.boolean;
    case JJ_INT: return value->as.integer != 0;
    case JJ_FLOAT: return value->as.real != 0;
    case JJ_STR: return value->as.text.length > 0;
    case JJ_ARRAY: return value->as.array->count > 0;
    case JJ_MAPPING: return value->as.mapping->count > 0;
    default: return true;
    }
}

static bool is_number(const jj_value *v, double *real) {
    switch (v->type) {
    case JJ_FLOAT: *real = v->as.real; return true;
    case JJ_INT: *real = (double)v->as.integer; return true;
    case JJ_BOOLEAN: *real = v->as.boolean; return true;
    default: *real = 0; return false;
    }
}

static int64_t whole(const jj_value *v) {
    return v->type == JJ_BOOLEAN ? (int64_t)v->as.boolean : v->as.integer;
}

bool jj_equal(const jj_value *a, const jj_value *b, int depth) {
    double x, y;
    if (depth > JJ_MAX_DEPTH) return false;
    bool numbers = is_number(a, &x);
    if (numbers && is_number(b, &y)) {
        if (a->type != JJ_FLOAT && b->type != JJ_FLOAT) return whole(a) == whole(b);
        return !(x < y) && !(x > y) && !(x != x) && !(y != y);
    }
    if (a->type != b->type) return false;
    switch (a->type) {
    case JJ_UNDEFINED:
    case JJ_NONE: return true;
    case JJ_STR:
        return a->as.text.length == b->as.text.length &&
               (a->as.text.length == 0 || memcmp(a->as.text.data, b->as.text.data, a->as.text.length) == 0);
    case JJ_ARRAY:
        if (a->tuple != b->tuple || a->as.array->count != b->as.array->count) return false;
        for (size_t i = 0; i < a->as.array->count; i++) {
            if (!jj_equal(&a->as.array->items[i], &b->as.array->items[i], depth + 1)) return false;
        }
        return true;
    case JJ_MAPPING:
        if (a->as.mapping->count != b->as.mapping->count) return false;
        for (size_t i = 0; i < a->as.mapping->count; i++) {
            const jj_value *other = jj_lookup(b->as.mapping, &a->as.mapping->keys[i]);
            if (other == NULL || !jj_equal(&a->as.mapping->values[i], other, depth + 1)) return false;
        }
        return true;
    default: return a->as.mapping == b->as.mapping;
    }
}

const jj_value *jj_lookup(const jj_mapping *mapping, const jj_value *key) {
    for (size_t i = 0; i < mapping->count; i++) {
        if (jj_equal(&mapping->keys[i], key, 0)) return &mapping->values[i];
    }
    return NULL;
}

const jj_value *jj_lookup_text(const jj_mapping *mapping, jj_text key) {
    jj_value value = jj_string(key.data, key.length);
    return jj_lookup(mapping, &value);
}

retort_status jj_compare(jj_run *run, const jj_value *a, const jj_value *b, int *order) {
    double x, y;
    bool numbers = is_number(a, &x);
    if (numbers && is_number(b, &y)) {
        *order = (x > y) - (x < y);
        if (a->type != JJ_FLOAT && b->type != JJ_FLOAT) *order = (whole(a) > whole(b)) - (whole(a) < whole(b));
        return RETORT_OK;
    }
    if (a->type == JJ_STR && b->type == JJ_STR) { /* UTF-8 sorts as its code points do */
        jj_text p = a->as.text, q = b->as.text;
        size_t least = p.length < q.length ? p.length : q.length;
        int first = least > 0 ? memcmp(p.data, q.data, least) : 0;
        *order = first != 0 ? first : (p.length > q.length) - (p.length < q.length);
        return RETORT_OK;
    }
    if (a->type == JJ_ARRAY && b->type == JJ_ARRAY && a->tuple == b->tuple) {
        const jj_array *p = a->as.array, *q = b->as.array;
        if (++run->depth > 2 * JJ_MAX_DEPTH) return jj_fail(run, RETORT_ERR_UNSUPPORTED, "lists are nested too deep");
        for (size_t i = 0; i < p->count && i < q->count; i++) {
            RT_TRY(jj_compare(run, &p->items[i], &q->items[i], order));
            if (*order != 0) {
                run->depth--;
                return RETORT_OK;
            }
        }
        run->depth--;
        *order = (p->count > q->count) - (p->count < q->count);
        return RETORT_OK;
    }
    return jj_fail(run, RETORT_ERR_USAGE, "'%s' and '%s' have no order", jj_type_name(a), jj_type_name(b));
}

size_t jj_count_characters(jj_text text) {
    size_t count = 0;
    for (size_t i = 0; i < text.length; i++) count += (text.data[i] & 0xC0) != 0x80;
    return count;
}

static retort_status characters(jj_run *run, jj_text text, jj_value *out) {
    RT_TRY(jj_new_array(run, jj_count_characters(text), false, out));
    size_t at = 0;
    for (size_t i = 0; i < out->as.array->count && at < text.length; i++) {
        int size = rt_utf8_char(text.data + at, text.length - at, NULL);
        size_t width = size == 0 ? 1 : (size_t)size;
        out->as.array->items[i] = jj_string(text.data + at, width);
        at += width;
    }
    return RETORT_OK;
}

retort_status jj_iterate(jj_run *run, const jj_value *value, jj_value *out) {
    switch (value->type) {
    case JJ_ARRAY: *out = *value; return RETORT_OK;
    case JJ_UNDEFINED: return jj_new_array(run, 0, false, out);
    case JJ_STR: return characters(run, value->as.text, out);
    case JJ_MAPPING:
        RT_TRY(jj_new_array(run, value->as.mapping->count, false, out));
        for (size_t i = 0; i < value->as.mapping->count; i++) out->as.array->items[i] = value->as.mapping->keys[i];
        return RETORT_OK;
    default: return jj_fail(run, RETORT_ERR_USAGE, "'%s' is not iterable", jj_type_name(value));
    }
}

/* ---- arguments ---- */

const jj_value *jj_argument(const jj_arguments *arguments, int place, const char *name) {
    if (place >= 0 && place < arguments->num_plain) return &arguments->plain[place];
    for (int i = 0; i < arguments->num_named; i++) {
        if (name != NULL && jj_text_is(arguments->names[i], name)) return &arguments->named[i];
    }
    return NULL;
}

retort_status jj_check_arguments(jj_run *run, const jj_arguments *arguments, int least, int most) {
    int count = arguments->num_plain + arguments->num_named;
    if (count >= least && count <= most) return RETORT_OK;
    return jj_fail(run, RETORT_ERR_UNSUPPORTED, "%s with %d arguments is not supported", arguments->where, count);
}
