#include "ask/endpoint.h"

#include <string.h>

/* ---- asking ---- */

static json_t *messages_of(const rt_ask *ask) {
    json_t *user = json_pack("{s:s,s:s}", "role", "user", "content", ask->prompt);
    if (ask->system == NULL) return json_pack("[o]", user);
    return json_pack("[{s:s,s:s},o]", "role", "system", "content", ask->system, user);
}

retort_status rt_ask_write(const rt_ask *ask, rt_buffer *out, retort_error *err) {
    json_t *body = json_object();
    int bad = json_object_set_new(body, "model", json_string(ask->model));
    if (ask->chat)
        bad |= json_object_set_new(body, "messages", messages_of(ask));
    else
        bad |= json_object_set_new(body, "prompt", json_string(ask->prompt));
    bad |= json_object_set_new(body, "max_tokens", json_integer(ask->max_tokens));
    bad |= json_object_set_new(body, "temperature", json_real(ask->temperature));
    bad |= json_object_set_new(body, "top_p", json_real(ask->top_p));
    if (ask->seed >= 0) bad |= json_object_set_new(body, "seed", json_integer(ask->seed));
    if (ask->stream) {
        bad |= json_object_set_new(body, "stream", json_true());
        bad |= json_object_set_new(body, "stream_options", json_pack("{s:b}", "include_usage", 1));
    }
    if (ask->extra != NULL) bad |= json_object_update(body, (json_t *)(uintptr_t)ask->extra);
    retort_status st = bad == 0 ? rt_json_dump(body, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(15), out, err)
                                : rt_fail(err, RETORT_ERR_FORMAT, "the prompt is not UTF-8");
    json_decref(body);
    return st;
}

retort_status rt_ask_key(const rt_ask *ask, const char *id, int64_t sample, char key[65], retort_error *err) {
    rt_ask whole = *ask;
    rt_buffer text = {0};
    whole.stream = false;
    retort_status st = rt_buffer_printf(&text, err, "%s\n%lld\n", id, (long long)sample);
    if (st == RETORT_OK) st = rt_ask_write(&whole, &text, err);
    if (st == RETORT_OK) rt_sha256(text.data, text.length, key);
    rt_buffer_free(&text);
    return st;
}

retort_status rt_ask_extra(const char *text, json_t **out, retort_error *err) {
    *out = NULL;
    if (text == NULL) return RETORT_OK;
    RT_TRY(rt_json_parse(text, strlen(text), "'extra_body'", out, err));
    if (json_is_object(*out)) return RETORT_OK;
    json_decref(*out);
    *out = NULL;
    return rt_fail(err, RETORT_ERR_USAGE, "'extra_body' must be a JSON object");
}

/* ---- replies ---- */

void rt_reply_clear(rt_reply *reply) {
    rt_buffer_clear(&reply->text);
    rt_buffer_clear(&reply->reasoning);
    rt_buffer_clear(&reply->token_ids);
    rt_buffer_clear(&reply->line);
    reply->finish_reason[0] = reply->model[0] = '\0';
    reply->usage = reply->ended = false;
    reply->prompt_tokens = reply->completion_tokens = -1;
}

void rt_reply_free(rt_reply *reply) {
    rt_buffer_free(&reply->text);
    rt_buffer_free(&reply->reasoning);
    rt_buffer_free(&reply->token_ids);
    rt_buffer_free(&reply->line);
    *reply = (rt_reply){0};
}

static int64_t count_of(const json_t *usage, const char *key) {
    const json_t *value = json_object_get(usage, key);
    return json_is_integer(value) && json_integer_value(value) >= 0 ? json_integer_value(value) : -1;
}

static void take_usage(rt_reply *reply, const json_t *body) {
    const json_t *usage = json_object_get(body, "usage");
    const char *model = json_string_value(json_object_get(body, "model"));
    if (model != NULL) snprintf(reply->model, sizeof reply->model, "%s", model);
    if (!json_is_object(usage)) return;
    reply->usage = true;
    reply->prompt_tokens = count_of(usage, "prompt_tokens");
    reply->completion_tokens = count_of(usage, "completion_tokens");
}

static retort_status check_error(const json_t *body, retort_error *err) {
    const json_t *error = json_object_get(body, "error");
    if (error == NULL || json_is_null(error)) return RETORT_OK;
    const char *text = json_string_value(json_is_object(error) ? json_object_get(error, "message") : error);
    return rt_fail(err, RETORT_ERR_FORMAT, "the endpoint answered with an error: %.500s",
                   text != NULL ? text : "(without a message)");
}

static retort_status append_text(rt_buffer *out, const json_t *value, const char *what, retort_error *err) {
    if (value == NULL || json_is_null(value)) return RETORT_OK;
    RT_CHECK(json_is_string(value), err, RETORT_ERR_FORMAT, "the endpoint's '%s' is no text", what);
    return rt_buffer_append(out, json_string_value(value), json_string_length(value), err);
}

/* DeepSeek, SGLang and llama.cpp call a model's thought "reasoning_content", vLLM and OpenRouter "reasoning". */
static retort_status take_message(rt_reply *reply, const json_t *message, retort_error *err) {
    const json_t *thought = json_object_get(message, "reasoning_content");
    if (thought == NULL || json_is_null(thought)) thought = json_object_get(message, "reasoning");
    RT_TRY(append_text(&reply->reasoning, thought, "reasoning_content", err));
    return append_text(&reply->text, json_object_get(message, "content"), "content", err);
}

static retort_status take_token_ids(rt_reply *reply, const json_t *choice, retort_error *err) {
    size_t i;
    json_t *id;
    json_array_foreach(json_object_get(choice, "token_ids"), i, id) {
        RT_CHECK(json_is_integer(id), err, RETORT_ERR_FORMAT, "the endpoint's 'token_ids' are no integers");
        RT_TRY(rt_buffer_printf(&reply->token_ids, err, "%s%lld", reply->token_ids.length > 0 ? "," : "",
                                (long long)json_integer_value(id)));
    }
    return RETORT_OK;
}

static retort_status take_choice(rt_reply *reply, const json_t *choice, const char *member, retort_error *err) {
    const char *reason = json_string_value(json_object_get(choice, "finish_reason"));
    if (reason != NULL) snprintf(reply->finish_reason, sizeof reply->finish_reason, "%s", reason);
    RT_TRY(take_token_ids(reply, choice, err));
    if (member == NULL) return append_text(&reply->text, json_object_get(choice, "text"), "text", err);
    const json_t *message = json_object_get(choice, member);
    return json_is_object(message) ? take_message(reply, message, err) : RETORT_OK;
}

retort_status rt_reply_parse(rt_reply *reply, const char *body, size_t length, bool chat, retort_error *err) {
    json_t *object = NULL;
    rt_reply_clear(reply);
    RT_TRY(rt_json_parse(body, length, "the endpoint's answer", &object, err));
    const json_t *choice = json_array_get(json_object_get(object, "choices"), 0);
    const json_t *content = chat ? json_object_get(choice, "message") : json_object_get(choice, "text");
    retort_status st = check_error(object, err);
    if (st == RETORT_OK && !(chat ? json_is_object(content) : json_is_string(content)))
        st = rt_fail(err, RETORT_ERR_FORMAT, "the endpoint's answer has no 'choices[0].%s'", chat ? "message" : "text");
    if (st == RETORT_OK) st = take_choice(reply, choice, chat ? "message" : NULL, err);
    if (st == RETORT_OK) take_usage(reply, object);
    json_decref(object);
    return st;
}

/* ---- streams ---- */

static retort_status take_event(rt_reply *reply, const char *data, size_t length, bool chat, retort_error *err) {
    if (length == 6 && memcmp(data, "[DONE]", 6) == 0) {
        reply->ended = true;
        return RETORT_OK;
    }
    json_t *object = NULL;
    RT_TRY(rt_json_parse(data, length, "an event of the endpoint's stream", &object, err));
    retort_status st = check_error(object, err);
    const json_t *choice = json_array_get(json_object_get(object, "choices"), 0);
    if (st == RETORT_OK && choice != NULL) st = take_choice(reply, choice, chat ? "delta" : NULL, err);
    if (st == RETORT_OK) take_usage(reply, object);
    json_decref(object);
    return st;
}

/* Only "data" fields matter here; comments (": keep-alive"), events' names and empty lines are passed over. */
static retort_status take_line(rt_reply *reply, bool chat, retort_error *err) {
    const char *line = reply->line.data;
    size_t length = reply->line.length;
    if (length > 0 && line[length - 1] == '\r') length--;
    if (length < 5 || memcmp(line, "data:", 5) != 0) return RETORT_OK;
    const size_t skip = length > 5 && line[5] == ' ' ? 6 : 5;
    return length > skip ? take_event(reply, line + skip, length - skip, chat, err) : RETORT_OK;
}

retort_status rt_reply_feed(rt_reply *reply, const char *bytes, size_t length, bool chat, retort_error *err) {
    if (reply->line.maximum == 0) reply->line.maximum = 16 << 20;
    while (length > 0 && !reply->ended) {
        const char *end = memchr(bytes, '\n', length);
        const size_t part = end != NULL ? (size_t)(end - bytes) : length;
        RT_TRY(rt_buffer_append(&reply->line, bytes, part, err));
        if (end == NULL) return RETORT_OK;
        RT_TRY(take_line(reply, chat, err));
        rt_buffer_clear(&reply->line);
        bytes += part + 1;
        length -= part + 1;
    }
    return RETORT_OK;
}

retort_status rt_reply_finish(rt_reply *reply, bool chat, retort_error *err) {
    if (!reply->ended && reply->line.length > 0) RT_TRY(take_line(reply, chat, err));
    RT_CHECK(reply->ended || reply->finish_reason[0] != '\0', err, RETORT_ERR_FORMAT,
             "the endpoint's stream broke off before the reply was finished");
    return RETORT_OK;
}
