/* Conversations as TRL's trainers read them: {"messages": [...]}, or {"prompt", "completion"}. Further members of ours
 * ("id", "sample", "model", "key") are passed over by TRL. */
#include <string.h>

#include "exchange/exchange.h"

/* ---- out ---- */

typedef struct exporter {
    const retort_store_options *options;
    rt_atomic_file *file;
} exporter;

/* The request's messages and the reply; a completion's prompt counts as the user's. */
static retort_status conversation_of(const rt_stored_response *r, const json_t *request, json_t **out,
                                     retort_error *err) {
    const json_t *asked = json_object_get(request, "messages"), *prompt = json_object_get(request, "prompt");
    rt_buffer text = {0};
    RT_TRY(rt_store_compose(r, &text, err));
    json_t *messages = json_is_array(asked) ? json_deep_copy(asked) : json_array();
    if (!json_is_array(asked) && json_is_string(prompt))
        json_array_append_new(messages, json_pack("{s:O,s:s}", "content", prompt, "role", "user"));
    json_array_append_new(messages,
                          json_pack("{s:s,s:s}", "content", text.length > 0 ? text.data : "", "role", "assistant"));
    *out = json_pack("{s:s,s:I,s:s,s:s,s:o}", "id", r->problem_id, "sample", (json_int_t)r->sample, "model", r->model,
                     "key", r->key, "messages", messages);
    rt_buffer_free(&text);
    return RETORT_OK;
}

static retort_status export_one(void *context, const rt_stored_response *r, retort_error *err) {
    const exporter *e = context;
    json_t *request = NULL, *line = NULL;
    if (e->options->model != NULL && strcmp(e->options->model, r->model) != 0) return RETORT_OK;
    RT_TRY(rt_request_of(r, &request, err));
    const retort_status st = conversation_of(r, request, &line, err);
    json_decref(request);
    RT_TRY(st);
    return rt_jsonl_write(e->file, line, err);
}

retort_status rt_export_trl(rt_store *store, const retort_store_options *options, rt_atomic_file *file,
                            retort_error *err) {
    exporter e = {options, file};
    return rt_store_each(store, export_one, &e, err);
}

/* ---- in ---- */

static bool is_message(const json_t *message) {
    return json_is_string(json_object_get(message, "role")) && json_is_string(json_object_get(message, "content"));
}

/* A text, or a list of messages, as a list of messages; NULL: neither. */
static json_t *messages_of(const json_t *value, const char *role) {
    if (json_is_string(value)) return json_pack("[{s:s,s:O}]", "role", role, "content", value);
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!is_message(json_array_get(value, i))) return NULL;
    return json_array_size(value) > 0 ? json_deep_copy(value) : NULL;
}

/* All messages of a line, the reply last. */
static json_t *conversation(const json_t *line) {
    json_t *all = messages_of(json_object_get(line, "messages"), "user");
    if (json_is_string(json_object_get(line, "messages"))) {
        json_decref(all);
        return NULL;
    }
    if (all != NULL) return all;
    json_t *asked = messages_of(json_object_get(line, "prompt"), "user"),
           *answer = messages_of(json_object_get(line, "completion"), "assistant");
    if (asked == NULL || json_array_size(answer) != 1 || json_array_extend(asked, answer) != 0) {
        json_decref(asked);
        asked = NULL;
    }
    json_decref(answer);
    return asked;
}

static const char *text_of(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

static retort_status import_messages(rt_importer *m, const json_t *line, json_t *messages, const char *where,
                                     retort_error *err) {
    const size_t last = json_array_size(messages) - 1;
    json_t *reply = json_incref(json_array_get(messages, last)), *sample = json_object_get(line, "sample");
    json_array_remove(messages, last);
    json_t *request = json_pack("{s:O}", "messages", messages);
    const rt_imported imported = {
        .key = text_of(line, "key"),
        .problem_id = text_of(line, "id") != NULL ? text_of(line, "id") : text_of(line, "problem_id"),
        .sample = json_is_integer(sample) && json_integer_value(sample) >= 0 ? json_integer_value(sample) : -1,
        .model = text_of(line, "model"),
        .request = request,
        .text = text_of(reply, "content"),
        .reasoning = text_of(reply, "reasoning_content"),
        .finish_reason = text_of(line, "finish_reason"),
        .prompt_tokens = -1,
        .completion_tokens = -1};
    const retort_status st =
        strcmp(text_of(reply, "role"), "assistant") == 0
            ? rt_import_reply(m, &imported, where, NULL, err)
            : rt_fail(err, RETORT_ERR_FORMAT, "%s: the last message is not the assistant's", where);
    json_decref(request);
    json_decref(reply);
    return st;
}

retort_status rt_import_trl(rt_importer *m, const json_t *line, const char *where, retort_error *err) {
    json_t *messages = conversation(line);
    RT_CHECK(messages != NULL, err, RETORT_ERR_FORMAT,
             "%s has neither 'messages' (each with role and content) nor 'prompt' and 'completion'", where);
    const retort_status st = import_messages(m, line, messages, where, err);
    json_decref(messages);
    return st;
}
