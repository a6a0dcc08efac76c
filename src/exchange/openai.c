/* Batch files of OpenAI's API (vLLM's run-batch and others have the same): a request, or a result, a line. */
#include <string.h>

#include "ask/endpoint.h"
#include "exchange/exchange.h"

/* ---- out ---- */

typedef struct exporter {
    const retort_store_options *options;
    rt_atomic_file *file;
} exporter;

static json_t *request_line(const rt_stored_response *r, json_t *request) {
    json_t *body = json_deep_copy(request);
    json_object_del(body, "stream");
    json_object_del(body, "stream_options");
    if (json_object_get(body, "model") == NULL) json_object_set_new(body, "model", json_string(r->model));
    const bool chat = json_object_get(body, "prompt") == NULL;
    return json_pack("{s:s,s:s,s:s,s:o}", "custom_id", r->key, "method", "POST", "url",
                     chat ? "/v1/chat/completions" : "/v1/completions", "body", body);
}

static json_t *choice_of(const rt_stored_response *r, bool chat) {
    json_t *choice = json_pack("{s:i,s:s?}", "index", 0, "finish_reason", r->finish_reason);
    if (chat) {
        json_t *message = json_pack("{s:s,s:s}", "role", "assistant", "content", r->text);
        if (r->reasoning != NULL) json_object_set_new(message, "reasoning_content", json_string(r->reasoning));
        json_object_set_new(choice, "message", message);
    } else {
        json_object_set_new(choice, "text", json_string(r->text));
    }
    if (r->token_ids != NULL) json_object_set_new(choice, "token_ids", json_loads(r->token_ids, 0, NULL));
    return choice;
}

static json_t *result_line(const rt_stored_response *r, const json_t *request) {
    const bool chat = json_object_get(request, "prompt") == NULL;
    json_t *body =
        json_pack("{s:s,s:s,s:s,s:[o]}", "id", r->key, "object", chat ? "chat.completion" : "text_completion", "model",
                  r->served_model != NULL ? r->served_model : r->model, "choices", choice_of(r, chat));
    if (r->prompt_tokens >= 0 || r->completion_tokens >= 0) {
        json_t *usage = json_object();
        if (r->prompt_tokens >= 0) json_object_set_new(usage, "prompt_tokens", json_integer(r->prompt_tokens));
        if (r->completion_tokens >= 0)
            json_object_set_new(usage, "completion_tokens", json_integer(r->completion_tokens));
        if (r->prompt_tokens >= 0 && r->completion_tokens >= 0)
            json_object_set_new(usage, "total_tokens", json_integer(r->prompt_tokens + r->completion_tokens));
        json_object_set_new(body, "usage", usage);
    }
    return json_pack("{s:s,s:s,s:{s:i,s:s,s:o},s:n}", "id", r->key, "custom_id", r->key, "response", "status_code", 200,
                     "request_id", r->key, "body", body, "error");
}

static retort_status export_one(void *context, const rt_stored_response *r, retort_error *err) {
    const exporter *e = context;
    json_t *request = NULL;
    if (e->options->model != NULL && strcmp(e->options->model, r->model) != 0) return RETORT_OK;
    RT_TRY(rt_request_of(r, &request, err));
    json_t *line =
        e->options->format == RETORT_STORE_OPENAI_REQUESTS ? request_line(r, request) : result_line(r, request);
    json_decref(request);
    return rt_jsonl_write(e->file, line, err);
}

retort_status rt_export_openai(rt_store *store, const retort_store_options *options, rt_atomic_file *file,
                               retort_error *err) {
    exporter e = {options, file};
    return rt_store_each(store, export_one, &e, err);
}

/* ---- in ---- */

retort_status rt_import_request(rt_importer *m, const json_t *line, const char *where, retort_error *err) {
    const char *id = json_string_value(json_object_get(line, "custom_id"));
    json_t *body = json_object_get(line, "body");
    RT_CHECK(id != NULL && json_is_object(body), err, RETORT_ERR_FORMAT,
             "%s is no batch request: it needs 'custom_id' and 'body'", where);
    RT_CHECK(json_is_array(json_object_get(body, "messages")) || json_is_string(json_object_get(body, "prompt")), err,
             RETORT_ERR_FORMAT, "%s: the body has neither 'messages' nor a 'prompt' that is text", where);
    RT_CHECK(json_object_get(m->requests, id) == NULL, err, RETORT_ERR_FORMAT, "%s: the custom_id '%.80s' comes twice",
             where, id);
    RT_CHECK(json_object_set(m->requests, id, body) == 0, err, RETORT_ERR_MEMORY, "out of memory: requests");
    return RETORT_OK;
}

static retort_status take_result(rt_importer *m, const char *id, const json_t *request, const rt_reply *reply,
                                 const char *where, retort_error *err) {
    const bool is_key = strlen(id) == 64 && strspn(id, "0123456789abcdef") == 64;
    json_t *ids = NULL;
    if (reply->token_ids.length > 0) {
        rt_buffer text = {0};
        retort_status st = rt_buffer_printf(&text, err, "[%s]", reply->token_ids.data);
        if (st == RETORT_OK) st = rt_json_parse(text.data, text.length, "token_ids", &ids, err);
        rt_buffer_free(&text);
        RT_TRY(st);
    }
    const rt_imported imported = {.key = is_key ? id : NULL,
                                  .problem_id = is_key ? NULL : id,
                                  .sample = -1,
                                  .model = json_string_value(json_object_get(request, "model")),
                                  .request = request,
                                  .text = reply->text.length > 0 ? reply->text.data : "",
                                  .reasoning = reply->reasoning.length > 0 ? reply->reasoning.data : NULL,
                                  .finish_reason = reply->finish_reason[0] != '\0' ? reply->finish_reason : NULL,
                                  .served_model = reply->model[0] != '\0' ? reply->model : NULL,
                                  .token_ids = ids,
                                  .prompt_tokens = reply->prompt_tokens,
                                  .completion_tokens = reply->completion_tokens};
    const retort_status st = rt_import_reply(m, &imported, where, NULL, err);
    json_decref(ids);
    return st;
}

static retort_status read_result(const json_t *line, bool chat, rt_reply *reply, const char *where, retort_error *err) {
    const json_t *error = json_object_get(line, "error"), *response = json_object_get(line, "response");
    const json_t *body = json_object_get(response, "body"), *status = json_object_get(response, "status_code");
    rt_buffer text = {0};
    RT_CHECK((error == NULL || json_is_null(error)) && json_is_object(body) &&
                 (status == NULL || json_integer_value(status) == 200),
             err, RETORT_ERR_FORMAT, "%s is a request that failed; only replies can be stored (take its line out)",
             where);
    retort_status st = rt_json_dump(body, JSON_COMPACT, &text, err);
    if (st == RETORT_OK) st = rt_reply_parse(reply, text.data, text.length, chat, err);
    if (st != RETORT_OK) rt_fail_context(err, st, "%s", where);
    rt_buffer_free(&text);
    return st;
}

retort_status rt_import_openai(rt_importer *m, const json_t *line, const char *where, retort_error *err) {
    const char *id = json_string_value(json_object_get(line, "custom_id"));
    RT_CHECK(id != NULL, err, RETORT_ERR_FORMAT, "%s has no 'custom_id'; this is no batch result", where);
    const json_t *request = json_object_get(m->requests, id);
    RT_CHECK(request != NULL, err, RETORT_ERR_FORMAT, "%s: no request has the custom_id '%.80s'", where, id);
    rt_reply reply = {0};
    retort_status st = read_result(line, json_object_get(request, "messages") != NULL, &reply, where, err);
    if (st == RETORT_OK) st = take_result(m, id, request, &reply, where, err);
    rt_reply_free(&reply);
    return st;
}
