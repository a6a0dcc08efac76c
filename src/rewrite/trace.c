#include "rewrite/trace.h"

#include <string.h>

/* The last message, if it is the assistant's. */
static json_t *last_message(const json_t *object) {
    json_t *messages = json_object_get(object, "messages");
    const size_t count = json_array_size(messages);
    json_t *last = count > 0 ? json_array_get(messages, count - 1) : NULL;
    const char *role = json_string_value(json_object_get(last, "role"));
    return role != NULL && strcmp(role, "assistant") == 0 ? last : NULL;
}

retort_status rt_trace_find(const json_t *object, const char *path, size_t line, rt_trace_text *out,
                            retort_error *err) {
    static const char *const KEYS[] = {"response", "completion", "messages"};
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
        const json_t *value =
            i < 2 ? json_object_get(object, KEYS[i]) : json_object_get(last_message(object), "content");
        if (!json_is_string(value)) continue;
        *out = (rt_trace_text){KEYS[i], json_string_value(value), json_string_length(value)};
        return RETORT_OK;
    }
    return rt_fail(err, RETORT_ERR_FORMAT,
                   "'%s' line %zu is no trace: it has no response, no completion, and no messages that end with the "
                   "assistant's",
                   path, line);
}

static retort_status check_plain(const rt_marks *marks, const char *text, size_t length, retort_error *err) {
    rt_marked counts = {0};
    bool absent = false;
    char word[32];
    rt_marked_count(text, length, &counts);
    RT_CHECK(rt_marked_total(&counts) == 0, err, RETORT_ERR_FORMAT, "the rewritten text still holds %lld marked tokens",
             (long long)rt_marked_total(&counts));
    RT_TRY(rt_marks_absent(marks, text, length, &absent, word, err));
    RT_CHECK(absent, err, RETORT_ERR_FORMAT, "the rewritten text still holds '%s'", word);
    return RETORT_OK;
}

retort_status rt_restyled_check(int style, const rt_marks *marks, const rt_trace_text *original, const char *text,
                                size_t length, retort_error *err) {
    size_t where = 0;
    RT_CHECK(rt_same_skeleton(original->text, original->length, text, length, &where), err, RETORT_ERR_FORMAT,
             "the rewritten text does not keep the numbers and equations of its original, from byte %zu on", where + 1);
    if (style == RETORT_REWRITE_PLAIN) return check_plain(marks, text, length, err);
    rt_marked before = {0}, after = {0};
    rt_marked_count(original->text, original->length, &before);
    rt_marked_count(text, length, &after);
    RT_CHECK(rt_marked_total(&after) >= rt_marked_total(&before), err, RETORT_ERR_FORMAT,
             "the rewritten text holds fewer marked tokens than its original");
    return RETORT_OK;
}

retort_status rt_trace_write(rt_atomic_file *file, json_t *object, const rt_trace_text *trace, const char *text,
                             size_t length, int style, const char *by, retort_error *err) {
    static const char *const STYLES[] = {"plain", "sprinkled"};
    const bool chat = strcmp(trace->key, "messages") == 0;
    json_t *home = chat ? last_message(object) : object, *value = json_stringn(text, length);
    int failed = json_object_set_new(home, chat ? "content" : trace->key, value);
    failed |= json_object_set_new(object, "style", json_string(STYLES[style]));
    if (by != NULL) failed |= json_object_set_new(object, "rewritten_by", json_string(by));
    RT_CHECK(!failed, err, RETORT_ERR_MEMORY, "out of memory: a rewritten trace");
    return rt_jsonl_write(file, json_incref(object), err);
}
