/* Expressions. */
#include <math.h>
#include <string.h>

#include "text/bytes.h"
#include "text/jinja_internal.h"

/* ---- variables ---- */

const jj_variable *jj_find(const jj_scope *scope, jj_text name) {
    for (; scope != NULL; scope = scope->parent) {
        for (const jj_variable *v = scope->variables; v != NULL; v = v->next) {
            if (v->name.length == name.length && memcmp(v->name.data, name.data, name.length) == 0) return v;
        }
    }
    return NULL;
}

retort_status jj_define(jj_run *run, jj_scope *scope, jj_text name, const jj_value *value) {
    for (jj_variable *v = scope->variables; v != NULL; v = v->next) {
        if (v->name.length == name.length && memcmp(v->name.data, name.data, name.length) == 0) {
            v->value = *value;
            return RETORT_OK;
        }
    }
    jj_variable *fresh = jj_alloc(&run->arena, 1, sizeof *fresh, run->err);
    if (fresh == NULL) return run->err != NULL ? run->err->code : RETORT_ERR_MEMORY;
    *fresh = (jj_variable){.name = name, .value = *value, .next = scope->variables};
    scope->variables = fresh;
    return RETORT_OK;
}

static retort_status eval_variable(const jj_scope *scope, jj_text name, jj_value *out) {
    const jj_variable *v = jj_find(scope, name);
    if (v != NULL) {
        *out = v->value;
    } else if (jj_is_function(name)) {
        *out = (jj_value){.type = JJ_FUNCTION, .as.text = name};
    } else {
        *out = jj_undefined(name);
    }
    return RETORT_OK;
}

/* ---- members ---- */

static retort_status loop_attribute(jj_run *run, const jj_loop *loop, jj_text name, jj_value *out) {
    int64_t index = (int64_t)loop->index, count = (int64_t)loop->items->count;
    if (jj_text_is(name, "index"))
        *out = jj_integer(index + 1);
    else if (jj_text_is(name, "index0"))
        *out = jj_integer(index);
    else if (jj_text_is(name, "revindex"))
        *out = jj_integer(count - index);
    else if (jj_text_is(name, "revindex0"))
        *out = jj_integer(count - index - 1);
    else if (jj_text_is(name, "first"))
        *out = jj_boolean(index == 0);
    else if (jj_text_is(name, "last"))
        *out = jj_boolean(index + 1 == count);
    else if (jj_text_is(name, "length"))
        *out = jj_integer(count);
    else if (jj_text_is(name, "depth"))
        *out = jj_integer(1);
    else if (jj_text_is(name, "depth0"))
        *out = jj_integer(0);
    else if (jj_text_is(name, "previtem"))
        *out = index > 0 ? loop->items->items[index - 1] : jj_undefined(name);
    else if (jj_text_is(name, "nextitem"))
        *out = index + 1 < count ? loop->items->items[index + 1] : jj_undefined(name);
    else
        return jj_fail(run, RETORT_ERR_UNSUPPORTED, "'loop.%.*s' is not supported", JJ_MESSAGE_TEXT(name));
    return RETORT_OK;
}

static retort_status fail_undefined(jj_run *run, const jj_value *value, const char *doing) {
    return jj_fail(run, RETORT_ERR_USAGE, "'%.*s' is undefined, and %s needs a value", JJ_MESSAGE_TEXT(value->as.text),
                   doing);
}

retort_status jj_get_attribute(jj_run *run, const jj_value *object, jj_text name, jj_value *out) {
    *out = jj_undefined(name);
    if (object->type == JJ_UNDEFINED) return fail_undefined(run, object, "reading a member");
    if (object->type == JJ_LOOP) return loop_attribute(run, object->as.loop, name, out);
    if (object->type == JJ_MAPPING || object->type == JJ_NAMESPACE) {
        const jj_value *found = jj_lookup_text(object->as.mapping, name);
        if (found != NULL) *out = *found;
    }
    return RETORT_OK;
}

/* The byte where the character with this number begins. */
static size_t character_offset(jj_text text, size_t number) {
    size_t at = 0;
    while (number > 0 && at < text.length) {
        int size = rt_utf8_char(text.data + at, text.length - at, NULL);
        at += size == 0 ? 1 : (size_t)size;
        number--;
    }
    return at;
}

static jj_value part_of_text(jj_text text, size_t from, size_t count) {
    size_t begin = character_offset(text, from);
    jj_text rest = {text.data + begin, text.length - begin};
    return jj_string(rest.data, character_offset(rest, count));
}

retort_status jj_get_item(jj_run *run, const jj_value *object, const jj_value *key, jj_value *out) {
    jj_text name = key->type == JJ_STR ? key->as.text : (jj_text){"item", 4};
    *out = jj_undefined(name);
    if (object->type == JJ_UNDEFINED) return fail_undefined(run, object, "a subscript");
    if (object->type == JJ_MAPPING) {
        const jj_value *found = jj_lookup(object->as.mapping, key);
        if (found != NULL) *out = *found;
        return RETORT_OK;
    }
    if (key->type == JJ_STR) return jj_get_attribute(run, object, name, out);
    if (key->type != JJ_INT || (object->type != JJ_ARRAY && object->type != JJ_STR)) return RETORT_OK;
    bool text = object->type == JJ_STR;
    int64_t count = (int64_t)(text ? jj_count_characters(object->as.text) : object->as.array->count);
    int64_t place = key->as.integer < 0 ? key->as.integer + count : key->as.integer;
    if (place < 0 || place >= count) return RETORT_OK;
    *out = text ? part_of_text(object->as.text, (size_t)place, 1) : object->as.array->items[place];
    return RETORT_OK;
}

/* A slice's bound as Python takes it, in [low, high]. */
static retort_status slice_bound(jj_run *run, const jj_value *value, int64_t count, int64_t otherwise, int64_t low,
                                 int64_t high, int64_t *out) {
    *out = otherwise;
    if (value->type == JJ_NONE) return RETORT_OK;
    if (value->type != JJ_INT) return jj_fail(run, RETORT_ERR_USAGE, "a slice's bound is a '%s'", jj_type_name(value));
    int64_t bound = value->as.integer < 0 ? value->as.integer + count : value->as.integer;
    *out = bound < low ? low : bound > high ? high : bound;
    return RETORT_OK;
}

static retort_status take_slice(jj_run *run, const jj_value *object, const jj_value part[3], jj_value *out) {
    jj_value items = {0};
    if (object->type == JJ_UNDEFINED) return fail_undefined(run, object, "a slice");
    if (object->type != JJ_ARRAY && object->type != JJ_STR) {
        return jj_fail(run, RETORT_ERR_USAGE, "a '%s' cannot be sliced", jj_type_name(object));
    }
    RT_TRY(jj_iterate(run, object, &items));
    int64_t count = (int64_t)items.as.array->count, step = 1, begin, end;
    if (part[2].type == JJ_INT) step = part[2].as.integer;
    if (step == 0 || (part[2].type != JJ_INT && part[2].type != JJ_NONE)) {
        return jj_fail(run, RETORT_ERR_USAGE, "a slice's step is no number or 0");
    }
    if (step > count) step = count + 1;
    if (step < -count) step = -count - 1;
    bool up = step > 0;
    RT_TRY(slice_bound(run, &part[0], count, up ? 0 : count - 1, up ? 0 : -1, up ? count : count - 1, &begin));
    RT_TRY(slice_bound(run, &part[1], count, up ? count : -1, up ? 0 : -1, up ? count : count - 1, &end));
    size_t taken = 0;
    for (int64_t i = begin; up ? i < end : i > end; i += step) taken++;
    jj_value list = {0};
    RT_TRY(jj_new_array(run, taken, object->tuple, &list));
    taken = 0;
    for (int64_t i = begin; up ? i < end : i > end; i += step) list.as.array->items[taken++] = items.as.array->items[i];
    *out = list;
    if (object->type == JJ_ARRAY) return RETORT_OK;
    size_t length = 0;
    for (size_t i = 0; i < taken; i++) length += list.as.array->items[i].as.text.length;
    char *joined = jj_alloc(&run->arena, length + 1, 1, run->err);
    if (joined == NULL) return run->err != NULL ? run->err->code : RETORT_ERR_MEMORY;
    *out = jj_string(joined, length);
    for (size_t i = 0; i < taken; i++) {
        jj_text c = list.as.array->items[i].as.text;
        memcpy(joined, c.data, c.length);
        joined += c.length;
    }
    return RETORT_OK;
}

static retort_status eval_slice(jj_run *run, jj_scope *scope, const jj_node *node, const jj_value *object,
                                jj_value *out) {
    jj_value part[3] = {JJ_NOTHING, JJ_NOTHING, JJ_NOTHING};
    if (node->b != NULL) RT_TRY(jj_eval(run, scope, node->b, &part[0]));
    if (node->c != NULL) RT_TRY(jj_eval(run, scope, node->c, &part[1]));
    if (node->d != NULL) RT_TRY(jj_eval(run, scope, node->d, &part[2]));
    run->line = node->line;
    return take_slice(run, object, part, out);
}

/* ---- operators ---- */

static bool as_number(const jj_value *v, double *real, int64_t *integer, bool *is_real) {
    *is_real = v->type == JJ_FLOAT;
    *integer = v->type == JJ_INT ? v->as.integer : v->type == JJ_BOOLEAN ? (int64_t)v->as.boolean : 0;
    *real = *is_real ? v->as.real : (double)*integer;
    return v->type == JJ_FLOAT || v->type == JJ_INT || v->type == JJ_BOOLEAN;
}

static jj_value real_value(double value) {
    return (jj_value){.type = JJ_FLOAT, .as.real = value};
}

static retort_status integer_arithmetic(jj_run *run, jj_text op, int64_t a, int64_t b, jj_value *out) {
    int64_t result = 0;
    bool overflow = false;
    char c = op.length == 2 ? (op.data[0] == '/' ? 'd' : 'p') : op.data[0];
    if (c == '+') overflow = __builtin_add_overflow(a, b, &result);
    if (c == '-') overflow = __builtin_sub_overflow(a, b, &result);
    if (c == '*') overflow = __builtin_mul_overflow(a, b, &result);
    if (c == 'd' || c == '%' || c == '/') {
        if (b == 0) return jj_fail(run, RETORT_ERR_USAGE, "division by zero");
        overflow = a == INT64_MIN && b == -1;
    }
    if (c == '/' && !overflow) {
        *out = real_value((double)a / (double)b);
        return RETORT_OK;
    }
    if ((c == 'd' || c == '%') && !overflow) {
        int64_t rest = a % b;
        if (rest != 0 && (rest < 0) != (b < 0)) rest += b;
        result = c == '%' ? rest : (a - rest) / b;
    }
    if (c == 'p') {
        if (b < 0) return jj_fail(run, RETORT_ERR_UNSUPPORTED, "'**' with a negative exponent is not supported");
        result = 1;
        for (int64_t i = 0; i < b && !overflow && result != 0; i++) {
            if (a == 1) break;
            overflow = __builtin_mul_overflow(result, a, &result) || i > 64;
        }
    }
    if (overflow) return jj_fail(run, RETORT_ERR_UNSUPPORTED, "an integer of more than 64 bits is not supported");
    *out = jj_integer(result);
    return RETORT_OK;
}

static retort_status real_arithmetic(jj_run *run, jj_text op, double a, double b, jj_value *out) {
    if (jj_text_is(op, "+"))
        *out = real_value(a + b);
    else if (jj_text_is(op, "-"))
        *out = real_value(a - b);
    else if (jj_text_is(op, "*"))
        *out = real_value(a * b);
    else if (!(b != 0) && !jj_text_is(op, "**"))
        return jj_fail(run, RETORT_ERR_USAGE, "division by zero");
    else if (jj_text_is(op, "/"))
        *out = real_value(a / b);
    else if (jj_text_is(op, "//"))
        *out = real_value(floor(a / b));
    else
        return jj_fail(run, RETORT_ERR_UNSUPPORTED, "'%.*s' of a float is not supported", JJ_MESSAGE_TEXT(op));
    return RETORT_OK;
}

static retort_status join_texts(jj_run *run, jj_text a, jj_text b, jj_value *out) {
    char *joined = jj_alloc(&run->arena, a.length + b.length + 1, 1, run->err);
    if (joined == NULL) return run->err != NULL ? run->err->code : RETORT_ERR_MEMORY;
    if (a.length > 0) memcpy(joined, a.data, a.length);
    if (b.length > 0) memcpy(joined + a.length, b.data, b.length);
    *out = jj_string(joined, a.length + b.length);
    return RETORT_OK;
}

static retort_status join_arrays(jj_run *run, const jj_value *a, const jj_value *b, jj_value *out) {
    const jj_array *p = a->as.array, *q = b->as.array;
    RT_TRY(jj_new_array(run, p->count + q->count, a->tuple, out));
    if (p->count > 0) memcpy(out->as.array->items, p->items, p->count * sizeof *p->items);
    if (q->count > 0) memcpy(out->as.array->items + p->count, q->items, q->count * sizeof *q->items);
    return RETORT_OK;
}

static retort_status repeat_text(jj_run *run, jj_text text, int64_t count, jj_value *out) {
    size_t times = count > 0 ? (size_t)count : 0;
    char *joined = jj_alloc(&run->arena, times, text.length + 1, run->err);
    if (joined == NULL) return run->err != NULL ? run->err->code : RETORT_ERR_MEMORY;
    for (size_t i = 0; i < times && text.length > 0; i++) memcpy(joined + i * text.length, text.data, text.length);
    *out = jj_string(joined, times * text.length);
    return RETORT_OK;
}

static retort_status binary(jj_run *run, jj_text op, const jj_value *a, const jj_value *b, jj_value *out) {
    double x, y;
    int64_t i, j;
    bool real_a, real_b;
    if (jj_text_is(op, "~")) {
        jj_text left, right;
        RT_TRY(jj_to_str(run, a, &left));
        RT_TRY(jj_to_str(run, b, &right));
        return join_texts(run, left, right, out);
    }
    if (a->type == JJ_UNDEFINED) return fail_undefined(run, a, "an operator");
    if (b->type == JJ_UNDEFINED) return fail_undefined(run, b, "an operator");
    bool left = as_number(a, &x, &i, &real_a), right = as_number(b, &y, &j, &real_b);
    if (left && right) {
        return real_a || real_b ? real_arithmetic(run, op, x, y, out) : integer_arithmetic(run, op, i, j, out);
    }
    if (jj_text_is(op, "+")) {
        if (a->type == JJ_STR && b->type == JJ_STR) return join_texts(run, a->as.text, b->as.text, out);
        if (a->type == JJ_ARRAY && b->type == JJ_ARRAY && a->tuple == b->tuple) return join_arrays(run, a, b, out);
    }
    if (jj_text_is(op, "*") && a->type == JJ_STR && b->type == JJ_INT) return repeat_text(run, a->as.text, j, out);
    if (jj_text_is(op, "*") && b->type == JJ_STR && a->type == JJ_INT) return repeat_text(run, b->as.text, i, out);
    return jj_fail(run, RETORT_ERR_USAGE, "'%.*s' between '%s' and '%s' is not possible", JJ_MESSAGE_TEXT(op),
                   jj_type_name(a), jj_type_name(b));
}

static retort_status contains(jj_run *run, const jj_value *container, const jj_value *value, bool *out) {
    *out = false;
    if (container->type == JJ_STR) {
        if (value->type != JJ_STR) {
            return jj_fail(run, RETORT_ERR_USAGE, "'in' a string needs a string, not '%s'", jj_type_name(value));
        }
        jj_text text = container->as.text, part = value->as.text;
        *out = part.length == 0 || (text.length > 0 && memmem(text.data, text.length, part.data, part.length) != NULL);
        return RETORT_OK;
    }
    if (container->type == JJ_MAPPING) {
        *out = jj_lookup(container->as.mapping, value) != NULL;
        return RETORT_OK;
    }
    jj_value items = {0};
    RT_TRY(jj_iterate(run, container, &items));
    for (size_t i = 0; i < items.as.array->count && !*out; i++) *out = jj_equal(&items.as.array->items[i], value, 0);
    return RETORT_OK;
}

static retort_status compare_one(jj_run *run, jj_text op, const jj_value *a, const jj_value *b, bool *out) {
    int order = 0;
    if (jj_text_is(op, "==") || jj_text_is(op, "!=")) {
        *out = jj_equal(a, b, 0) == jj_text_is(op, "==");
        return RETORT_OK;
    }
    if (jj_text_is(op, "in") || jj_text_is(op, "not in")) {
        RT_TRY(contains(run, b, a, out));
        *out = *out == jj_text_is(op, "in");
        return RETORT_OK;
    }
    RT_TRY(jj_compare(run, a, b, &order));
    *out = jj_text_is(op, "<")    ? order < 0
           : jj_text_is(op, ">")  ? order > 0
           : jj_text_is(op, "<=") ? order <= 0
                                  : order >= 0;
    return RETORT_OK;
}

static retort_status eval_compare(jj_run *run, jj_scope *scope, const jj_node *node, jj_value *out) {
    jj_value left = {0}, right = {0};
    bool holds = true;
    RT_TRY(jj_eval(run, scope, node->a, &left));
    for (const jj_node *o = node->items; o != NULL && holds; o = o->next) {
        RT_TRY(jj_eval(run, scope, o->a, &right));
        run->line = o->line;
        RT_TRY(compare_one(run, o->text, &left, &right, &holds));
        left = right;
    }
    *out = jj_boolean(holds);
    return RETORT_OK;
}

static retort_status eval_unary(jj_run *run, jj_scope *scope, const jj_node *node, jj_value *out) {
    jj_value value = {0}, zero = jj_integer(0);
    RT_TRY(jj_eval(run, scope, node->a, &value));
    run->line = node->line;
    if (value.type == JJ_FLOAT) {
        *out = real_value(jj_text_is(node->text, "-") ? -value.as.real : value.as.real);
        return RETORT_OK;
    }
    return binary(run, node->text, &zero, &value, out);
}

/* ---- calls ---- */

static retort_status eval_arguments(jj_run *run, jj_scope *scope, const jj_node *items, jj_arguments *out) {
    for (const jj_node *i = items; i != NULL; i = i->next) {
        bool named = i->kind == JJ_KEYWORD;
        int *count = named ? &out->num_named : &out->num_plain;
        if (*count == JJ_MAX_ARGUMENTS) {
            return jj_fail(run, RETORT_ERR_UNSUPPORTED, "more than %d arguments are not supported", JJ_MAX_ARGUMENTS);
        }
        RT_TRY(jj_eval(run, scope, named ? i->a : i, named ? &out->named[*count] : &out->plain[*count]));
        if (named) out->names[*count] = i->text;
        (*count)++;
    }
    return RETORT_OK;
}

static retort_status eval_call(jj_run *run, jj_scope *scope, const jj_node *node, jj_value *out) {
    jj_arguments arguments = {.where = "a call"};
    jj_value callee = {0};
    if (node->a->kind == JJ_ATTRIBUTE) {
        jj_value object = {0};
        RT_TRY(jj_eval(run, scope, node->a->a, &object));
        if (jj_is_method(&object, node->a->text)) {
            RT_TRY(eval_arguments(run, scope, node->items, &arguments));
            run->line = node->line;
            return jj_call_method(run, &object, node->a->text, &arguments, out);
        }
        run->line = node->line;
        RT_TRY(jj_get_attribute(run, &object, node->a->text, &callee));
        if (callee.type != JJ_CALLABLE) {
            return jj_fail(run, RETORT_ERR_UNSUPPORTED, "method '%.*s' of '%s' is not supported",
                           JJ_MESSAGE_TEXT(node->a->text), jj_type_name(&object));
        }
    } else {
        RT_TRY(jj_eval(run, scope, node->a, &callee));
    }
    RT_TRY(eval_arguments(run, scope, node->items, &arguments));
    run->line = node->line;
    if (callee.type == JJ_CALLABLE) return jj_call_macro(run, callee.as.closure, &arguments, out);
    if (callee.type == JJ_FUNCTION) return jj_call_function(run, callee.as.text, &arguments, out);
    if (callee.type == JJ_UNDEFINED) {
        return jj_fail(run, RETORT_ERR_UNSUPPORTED, "function '%.*s' is not supported",
                       JJ_MESSAGE_TEXT(callee.as.text));
    }
    return jj_fail(run, RETORT_ERR_USAGE, "a '%s' cannot be called", jj_type_name(&callee));
}

static retort_status eval_filter(jj_run *run, jj_scope *scope, const jj_node *node, jj_value *out) {
    jj_arguments arguments = {.where = "a filter"};
    jj_value value = {0};
    RT_TRY(jj_eval(run, scope, node->a, &value));
    RT_TRY(eval_arguments(run, scope, node->items, &arguments));
    run->line = node->line;
    return jj_apply_filter(run, &value, node->text, &arguments, out);
}

static retort_status eval_test(jj_run *run, jj_scope *scope, const jj_node *node, jj_value *out) {
    jj_arguments arguments = {.where = "a test"};
    jj_value value = {0};
    bool holds = false;
    RT_TRY(jj_eval(run, scope, node->a, &value));
    RT_TRY(eval_arguments(run, scope, node->items, &arguments));
    run->line = node->line;
    RT_TRY(jj_apply_test(run, &value, node->text, &arguments, &holds));
    *out = jj_boolean(holds);
    return RETORT_OK;
}

/* ---- literals ---- */

static retort_status eval_list(jj_run *run, jj_scope *scope, const jj_node *node, jj_value *out) {
    size_t count = 0;
    for (const jj_node *i = node->items; i != NULL; i = i->next) count++;
    RT_TRY(jj_new_array(run, count, node->kind == JJ_TUPLE, out));
    count = 0;
    for (const jj_node *i = node->items; i != NULL; i = i->next) {
        RT_TRY(jj_eval(run, scope, i, &out->as.array->items[count++]));
    }
    return RETORT_OK;
}

static retort_status eval_dict(jj_run *run, jj_scope *scope, const jj_node *node, jj_value *out) {
    RT_TRY(jj_new_mapping(run, out));
    for (const jj_node *i = node->items; i != NULL; i = i->next->next) {
        jj_value key = {0}, value = {0};
        RT_TRY(jj_eval(run, scope, i, &key));
        RT_TRY(jj_eval(run, scope, i->next, &value));
        RT_TRY(jj_mapping_set(run, out->as.mapping, &key, &value));
    }
    return RETORT_OK;
}

static retort_status eval_node(jj_run *run, jj_scope *scope, const jj_node *node, jj_value *out) {
    jj_value a = {0}, b = {0};
    switch (node->kind) {
    case JJ_LITERAL: *out = node->value; return RETORT_OK;
    case JJ_VARIABLE: return eval_variable(scope, node->text, out);
    case JJ_LIST:
    case JJ_TUPLE: return eval_list(run, scope, node, out);
    case JJ_DICT: return eval_dict(run, scope, node, out);
    case JJ_CALL: return eval_call(run, scope, node, out);
    case JJ_FILTER: return eval_filter(run, scope, node, out);
    case JJ_TEST: return eval_test(run, scope, node, out);
    case JJ_UNARY: return eval_unary(run, scope, node, out);
    case JJ_COMPARE: return eval_compare(run, scope, node, out);
    default: break;
    }
    if (node->kind == JJ_CAPTURED) return eval_variable(scope, (jj_text){" captured", 9}, out);
    RT_TRY(jj_eval(run, scope, node->a, &a));
    run->line = node->line;
    switch (node->kind) {
    case JJ_ATTRIBUTE: return jj_get_attribute(run, &a, node->text, out);
    case JJ_SLICE: return eval_slice(run, scope, node, &a, out);
    case JJ_NOT: *out = jj_boolean(!jj_truth(&a)); return RETORT_OK;
    case JJ_AND: *out = a; return jj_truth(&a) ? jj_eval(run, scope, node->b, out) : RETORT_OK;
    case JJ_OR: *out = a; return jj_truth(&a) ? RETORT_OK : jj_eval(run, scope, node->b, out);
    case JJ_CHOICE:
        if (jj_truth(&a)) return jj_eval(run, scope, node->b, out);
        *out = jj_undefined((jj_text){"the inline if without else", 26});
        return node->c != NULL ? jj_eval(run, scope, node->c, out) : RETORT_OK;
    case JJ_ITEM:
    case JJ_BINARY:
        RT_TRY(jj_eval(run, scope, node->b, &b));
        run->line = node->line;
        return node->kind == JJ_ITEM ? jj_get_item(run, &a, &b, out) : binary(run, node->text, &a, &b, out);
    default: return jj_fail(run, RETORT_ERR_UNSUPPORTED, "an expression is not supported");
    }
}

retort_status jj_count_step(jj_run *run, const jj_node *node) {
    run->line = node->line;
    if (++run->steps > run->limits->steps) {
        return jj_fail(run, RETORT_ERR_UNSUPPORTED, "the template takes more than %lld steps",
                       (long long)run->limits->steps);
    }
    if (run->depth > 2 * JJ_MAX_DEPTH) return jj_fail(run, RETORT_ERR_UNSUPPORTED, "the template is nested too deep");
    return RETORT_OK;
}

retort_status jj_eval(jj_run *run, jj_scope *scope, const jj_node *node, jj_value *out) {
    RT_TRY(jj_count_step(run, node));
    run->depth++;
    retort_status st = eval_node(run, scope, node, out);
    run->depth--;
    return st;
}
