#include "judge/reply.h"

#include <string.h>
#include <strings.h>

#include "core/json.h"

enum { MOST_QUOTES = 500 };

static const char *const FAULTS[RT_REPLY_FAULTS] = {"good",       "refused",    "cut",      "no_json",
                                                    "other_form", "wrong_code", "unfounded"};

const char *rt_reply_fault_name(rt_reply_fault fault) {
    return FAULTS[fault];
}

rt_judged rt_reply_judged(rt_reply_fault fault) {
    if (fault == RT_REPLY_GOOD) return RT_JUDGED_OK;
    return fault == RT_REPLY_REFUSED ? RT_JUDGED_REFUSED : RT_JUDGED_UNPARSED;
}

/* ---- finding the object ---- */

static void skip_thought(const char **reply, size_t *length) {
    static const char CLOSE[] = "</think>";
    const char *last = NULL, *at = *reply;
    size_t left = *length;
    while ((at = memmem(at, left, CLOSE, sizeof CLOSE - 1)) != NULL) {
        last = at + sizeof CLOSE - 1;
        at = last;
        left = *length - (size_t)(at - *reply);
    }
    if (last == NULL) return;
    *length -= (size_t)(last - *reply);
    *reply = last;
}

/* Doubles backslashes that begin no escape of JSON; inside the object every backslash is in a string. */
static retort_status mend(const char *text, size_t length, rt_buffer *out, retort_error *err) {
    for (size_t i = 0; i < length; i++) {
        if (text[i] != '\\') {
            RT_TRY(rt_buffer_append(out, text + i, 1, err));
            continue;
        }
        const char next = i + 1 < length ? text[i + 1] : '\0';
        size_t hex = 0;
        while (next == 'u' && hex < 4 && i + 2 + hex < length &&
               strchr("0123456789abcdefABCDEF", text[i + 2 + hex]) != NULL && text[i + 2 + hex] != '\0')
            hex++;
        const bool known = next == 'u' ? hex == 4 : next != '\0' && strchr("\"\\/bfnrt", next) != NULL;
        RT_TRY(rt_buffer_puts(out, known ? "\\" : "\\\\", err));
        if (known) RT_TRY(rt_buffer_append(out, text + ++i, 1, err));
    }
    return RETORT_OK;
}

/* *out NULL where there is none. */
static retort_status find_object(const char *reply, size_t length, json_t **out, retort_error *err) {
    *out = NULL;
    const char *first = memchr(reply, '{', length), *last = memrchr(reply, '}', length);
    if (first == NULL || last == NULL || last < first) return RETORT_OK;
    const size_t size = (size_t)(last - first) + 1;
    if (rt_json_parse(first, size, "reply", out, NULL) == RETORT_OK) return RETORT_OK;
    rt_buffer mended = {0};
    const retort_status st = mend(first, size, &mended, err);
    if (st == RETORT_OK && rt_json_parse(mended.data, mended.length, "reply", out, NULL) != RETORT_OK) *out = NULL;
    rt_buffer_free(&mended);
    return st;
}

static bool declines(const char *reply, size_t length) {
    static const char *const WORDS[] = {
        "i'm sorry",     "i\xe2\x80\x99m sorry", "i am sorry", "sorry",         "i cannot",
        "i can't",       "i can\xe2\x80\x99t",   "i won't",    "i am unable",   "i'm unable",
        "i am not able", "i'm not able",         "as an ai",   "i must decline"};
    while (length > 0 && (*reply == ' ' || *reply == '\n' || *reply == '\t' || *reply == '\r')) {
        reply++;
        length--;
    }
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (length >= strlen(WORDS[i]) && strncasecmp(reply, WORDS[i], strlen(WORDS[i])) == 0) return true;
    return false;
}

/* ---- reading it ---- */

/* Every behaviour with a list, nothing else; entries {"quote": text}, further members of an entry allowed. */
static bool has_form(const json_t *object, const rt_behaviors *behaviors) {
    const json_t *all = json_object_get(object, "behaviors");
    if (!json_is_object(all) || json_object_size(all) != (size_t)behaviors->count) return false;
    size_t quotes = 0;
    for (int32_t b = 0; b < behaviors->count; b++) {
        const json_t *list = json_object_get(all, behaviors->items[b].name);
        if (!json_is_array(list)) return false;
        quotes += json_array_size(list);
        for (size_t i = 0; i < json_array_size(list); i++)
            if (!json_is_string(json_object_get(json_array_get(list, i), "quote"))) return false;
    }
    return quotes <= MOST_QUOTES;
}

static retort_status take_quotes(const rt_reply_reading *reading, const json_t *object, rt_passages *out,
                                 rt_quote_counts *counts, retort_error *err) {
    rt_quotable in = {.text = reading->text, .length = reading->length};
    retort_status st = RETORT_OK;
    for (int32_t b = 0; b < reading->behaviors->count && st == RETORT_OK; b++) {
        const json_t *list = json_object_get(json_object_get(object, "behaviors"), reading->behaviors->items[b].name);
        for (size_t i = 0; i < json_array_size(list) && st == RETORT_OK; i++) {
            const json_t *quote = json_object_get(json_array_get(list, i), "quote");
            rt_passage found;
            rt_quote_match match = RT_QUOTE_NONE;
            st = rt_quote_find(&in, json_string_value(quote), json_string_length(quote), b, out, &found, &match, err);
            counts->exact += match == RT_QUOTE_EXACT;
            counts->normal += match == RT_QUOTE_NORMAL;
            counts->rejected += match == RT_QUOTE_NONE && st == RETORT_OK;
            if (match != RT_QUOTE_NONE && st == RETORT_OK) st = rt_passages_add(out, found, err);
        }
    }
    rt_quotable_free(&in);
    return st;
}

retort_status rt_judge_reply_read(const rt_reply_reading *reading, const char *reply, size_t length,
                                  const char *finish_reason, rt_passages *out, rt_quote_counts *counts,
                                  rt_reply_fault *fault, retort_error *err) {
    json_t *object = NULL;
    out->count = 0;
    *counts = (rt_quote_counts){0};
    skip_thought(&reply, &length);
    RT_TRY(find_object(reply, length, &object, err));
    const bool cut = finish_reason != NULL && strcmp(finish_reason, "length") == 0;
    const bool filtered = finish_reason != NULL && strcmp(finish_reason, "content_filter") == 0;
    const char *check = json_string_value(json_object_get(object, "check"));
    retort_status st = RETORT_OK;
    *fault = RT_REPLY_GOOD;
    if (object == NULL)
        *fault = filtered || declines(reply, length) ? RT_REPLY_REFUSED : cut ? RT_REPLY_CUT : RT_REPLY_NO_JSON;
    else if (!has_form(object, reading->behaviors))
        *fault = RT_REPLY_FORM;
    else if (check == NULL || strcmp(check, reading->check) != 0)
        *fault = RT_REPLY_CHECK;
    else
        st = take_quotes(reading, object, out, counts, err);
    json_decref(object);
    if (out->count == 0 && counts->rejected > 0) *fault = RT_REPLY_UNFOUNDED;
    rt_passages_sort(out);
    return st;
}
