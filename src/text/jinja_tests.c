/* Tests: "x is NAME". */
#include <string.h>

#include <utf8proc.h>

#include "text/bytes.h"
#include "text/jinja_internal.h"

/* Python's islower and isupper: a cased letter is there, and none of the other case. */
static bool is_case(const jj_value *value, bool lower) {
    bool found = false;
    if (value->type != JJ_STR) return false;
    for (size_t i = 0; i < value->as.text.length;) {
        uint32_t code = 0;
        int size = rt_utf8_char(value->as.text.data + i, value->as.text.length - i, &code);
        utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)code);
        bool is_lower = category == UTF8PROC_CATEGORY_LL, is_upper = category == UTF8PROC_CATEGORY_LU;
        if (lower ? is_upper : is_lower) return false;
        found = found || (lower ? is_lower : is_upper);
        i += size == 0 ? 1 : (size_t)size;
    }
    return found;
}

static bool plain_test(const jj_value *v, const char *name, bool *known) {
    jj_type t = v->type;
    *known = true;
    if (strcmp(name, "defined") == 0) return t != JJ_UNDEFINED;
    if (strcmp(name, "undefined") == 0) return t == JJ_UNDEFINED;
    if (strcmp(name, "none") == 0) return t == JJ_NONE;
    if (strcmp(name, "string") == 0) return t == JJ_STR;
    if (strcmp(name, "number") == 0) return t == JJ_INT || t == JJ_FLOAT || t == JJ_BOOLEAN;
    if (strcmp(name, "integer") == 0) return t == JJ_INT;
    if (strcmp(name, "float") == 0) return t == JJ_FLOAT;
    if (strcmp(name, "boolean") == 0) return t == JJ_BOOLEAN;
    if (strcmp(name, "true") == 0) return t == JJ_BOOLEAN && v->as.boolean;
    if (strcmp(name, "false") == 0) return t == JJ_BOOLEAN && !v->as.boolean;
    if (strcmp(name, "mapping") == 0) return t == JJ_MAPPING;
    if (strcmp(name, "sequence") == 0) return t == JJ_STR || t == JJ_ARRAY || t == JJ_MAPPING || t == JJ_UNDEFINED;
    if (strcmp(name, "iterable") == 0) {
        return t == JJ_STR || t == JJ_ARRAY || t == JJ_MAPPING || t == JJ_UNDEFINED || t == JJ_LOOP;
    }
    if (strcmp(name, "callable") == 0) return t == JJ_FUNCTION || t == JJ_CALLABLE;
    if (strcmp(name, "lower") == 0) return is_case(v, true);
    if (strcmp(name, "upper") == 0) return is_case(v, false);
    *known = false;
    return false;
}

static retort_status number_test(jj_run *run, const jj_value *v, jj_text name, const jj_arguments *a, bool *out) {
    int64_t divisor = 2, wanted = jj_text_is(name, "odd") ? 1 : 0;
    if (jj_text_is(name, "divisibleby")) {
        RT_TRY(jj_check_arguments(run, a, 1, 1));
        const jj_value *by = jj_argument(a, 0, "num");
        if (by == NULL || by->type != JJ_INT || by->as.integer == 0) {
            return jj_fail(run, RETORT_ERR_USAGE, "test 'divisibleby' needs an integer other than 0");
        }
        divisor = by->as.integer;
    }
    if (v->type != JJ_INT) {
        return jj_fail(run, RETORT_ERR_USAGE, "test '%.*s' needs an integer, not '%s'", JJ_MESSAGE_TEXT(name),
                       jj_type_name(v));
    }
    int64_t rest = divisor == -1 ? 0 : v->as.integer % divisor;
    *out = (rest != 0) == (wanted != 0);
    return RETORT_OK;
}

/* The comparisons that are also written with words. */
static const char *comparison(jj_text name) {
    static const char *const NAMES[][2] = {{"eq", "=="},      {"equalto", "=="}, {"ne", "!="},    {"lt", "<"},
                                           {"lessthan", "<"}, {"le", "<="},      {"gt", ">"},     {"greaterthan", ">"},
                                           {"ge", ">="},      {"in", "in"},      {"sameas", "=="}};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (jj_text_is(name, NAMES[i][0])) return NAMES[i][1];
    }
    return NULL;
}

static retort_status compare_test(jj_run *run, const jj_value *v, jj_text name, const jj_arguments *a, bool *out) {
    const char *op = comparison(name);
    RT_TRY(jj_check_arguments(run, a, 1, 1));
    jj_node right = {.kind = JJ_LITERAL, .line = run->line, .value = a->num_plain > 0 ? a->plain[0] : a->named[0]};
    jj_node left = {.kind = JJ_LITERAL, .line = run->line, .value = *v};
    jj_node link = {.kind = JJ_UNARY, .line = run->line, .text = {op, strlen(op)}, .a = &right};
    jj_node node = {.kind = JJ_COMPARE, .line = run->line, .a = &left, .items = &link};
    jj_value holds = {0};
    if (jj_text_is(name, "sameas") && v->type != right.value.type) {
        *out = false;
        return RETORT_OK;
    }
    RT_TRY(jj_eval(run, NULL, &node, &holds));
    *out = jj_truth(&holds);
    return RETORT_OK;
}

retort_status jj_apply_test(jj_run *run, const jj_value *value, jj_text name, const jj_arguments *arguments,
                            bool *out) {
    char text[32];
    bool known = false;
    if (jj_text_is(name, "odd") || jj_text_is(name, "even") || jj_text_is(name, "divisibleby")) {
        return number_test(run, value, name, arguments, out);
    }
    if (comparison(name) != NULL) return compare_test(run, value, name, arguments, out);
    if (name.length < sizeof text) {
        memcpy(text, name.data, name.length);
        text[name.length] = '\0';
        *out = plain_test(value, text, &known);
    }
    if (!known) return jj_fail(run, RETORT_ERR_UNSUPPORTED, "test '%.*s' is not supported", JJ_MESSAGE_TEXT(name));
    return jj_check_arguments(run, arguments, 0, 0);
}
