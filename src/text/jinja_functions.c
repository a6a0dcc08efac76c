/* The functions a template can call. */
#include <stdio.h>
#include <string.h>

#include "text/jinja_internal.h"

static retort_status call_raise(jj_run *run, const jj_arguments *a, jj_value *out) {
    jj_text text = {"", 0};
    *out = JJ_NOTHING;
    RT_TRY(jj_check_arguments(run, a, 1, 1));
    const jj_value *message = jj_argument(a, 0, "message");
    if (message != NULL) RT_TRY(jj_to_str(run, message, &text));
    return jj_fail(run, RETORT_ERR_USAGE, "the template refuses these messages: %.*s",
                   (int)(text.length < 400 ? text.length : 400), text.data);
}

static retort_status call_strftime(jj_run *run, const jj_arguments *a, jj_value *out) {
    char format[128], text[512];
    struct tm parts;
    RT_TRY(jj_check_arguments(run, a, 1, 1));
    const jj_value *value = jj_argument(a, 0, "format");
    if (value == NULL || value->type != JJ_STR || value->as.text.length >= sizeof format) {
        return jj_fail(run, RETORT_ERR_USAGE, "strftime_now needs a format of less than %zu bytes", sizeof format);
    }
    memcpy(format, value->as.text.data, value->as.text.length);
    format[value->as.text.length] = '\0';
    size_t length = localtime_r(&run->now, &parts) != NULL ? strftime(text, sizeof text, format, &parts) : 0;
    if (length == 0 && format[0] != '\0')
        return jj_fail(run, RETORT_ERR_USAGE, "strftime_now cannot write '%s'", format);
    return jj_new_string(run, text, length, out);
}

/* namespace(a=1) and dict(a=1); a mapping as the first argument is taken over. */
static retort_status call_mapping(jj_run *run, const jj_arguments *a, jj_type type, jj_value *out) {
    RT_TRY(jj_new_mapping(run, out));
    if (a->num_plain > 1) return jj_fail(run, RETORT_ERR_UNSUPPORTED, "more than one mapping is not supported");
    if (a->num_plain == 1) {
        const jj_value *from = &a->plain[0];
        if (from->type != JJ_MAPPING) {
            return jj_fail(run, RETORT_ERR_UNSUPPORTED, "a mapping from a '%s' is not supported", jj_type_name(from));
        }
        for (size_t i = 0; i < from->as.mapping->count; i++) {
            RT_TRY(jj_mapping_set(run, out->as.mapping, &from->as.mapping->keys[i], &from->as.mapping->values[i]));
        }
    }
    for (int i = 0; i < a->num_named; i++) {
        jj_value key = jj_string(a->names[i].data, a->names[i].length);
        RT_TRY(jj_mapping_set(run, out->as.mapping, &key, &a->named[i]));
    }
    out->type = type;
    return RETORT_OK;
}

static retort_status call_range(jj_run *run, const jj_arguments *a, jj_value *out) {
    enum { MAX_RANGE = 100000 }; /* Jinja's sandbox has the same limit */
    int64_t bound[3] = {0, 0, 1};
    RT_TRY(jj_check_arguments(run, a, 1, 3));
    for (int i = 0; i < a->num_plain; i++) {
        if (a->plain[i].type != JJ_INT) return jj_fail(run, RETORT_ERR_USAGE, "range needs integers");
        bound[a->num_plain == 1 ? 1 : i] = a->plain[i].as.integer;
    }
    if (bound[2] == 0 || a->num_named > 0) return jj_fail(run, RETORT_ERR_USAGE, "range needs a step other than 0");
    size_t count = 0;
    int64_t at = bound[0];
    for (; bound[2] > 0 ? at < bound[1] : at > bound[1]; count++) {
        if (count == MAX_RANGE)
            return jj_fail(run, RETORT_ERR_UNSUPPORTED, "a range of more than %d is too long", MAX_RANGE);
        if (__builtin_add_overflow(at, bound[2], &at))
            return jj_fail(run, RETORT_ERR_UNSUPPORTED, "a range is too long");
    }
    RT_TRY(jj_new_array(run, count, false, out));
    for (size_t i = 0; i < count; i++) out->as.array->items[i] = jj_integer(bound[0] + (int64_t)i * bound[2]);
    return RETORT_OK;
}

bool jj_is_function(jj_text name) {
    static const char *const NAMES[] = {"raise_exception", "strftime_now", "namespace", "dict", "range"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (jj_text_is(name, NAMES[i])) return true;
    }
    return false;
}

retort_status jj_call_function(jj_run *run, jj_text name, const jj_arguments *arguments, jj_value *out) {
    if (jj_text_is(name, "raise_exception")) return call_raise(run, arguments, out);
    if (jj_text_is(name, "strftime_now")) return call_strftime(run, arguments, out);
    if (jj_text_is(name, "namespace")) return call_mapping(run, arguments, JJ_NAMESPACE, out);
    if (jj_text_is(name, "dict")) return call_mapping(run, arguments, JJ_MAPPING, out);
    return call_range(run, arguments, out);
}
