#include "serve/format.h"

#include <math.h>
#include <string.h>

#include "text/bytes.h"

/* ---- errors ---- */

const char *rt_serve_error_type(int status) {
    switch (status) {
    case 401: return "authentication_error";
    case 404: return "not_found_error";
    case 429: return "rate_limit_error";
    case 503: return "overloaded_error";
    case 504: return "timeout_error";
    default: return status >= 500 ? "server_error" : "invalid_request_error";
    }
}

json_t *rt_serve_error(int status, const char *type, const char *param, const char *message) {
    const bool named = param != NULL && param[0] != '\0';
    return json_pack("{s:{s:o,s:s,s:o,s:i}}", "error", "message", rt_json_text(message, strlen(message)), "type", type,
                     "param", named ? json_string(param) : json_null(), "code", status);
}

/* ---- log-probabilities ---- */

/* The text that stands for a token: its bytes where they are UTF-8, else "bytes:\xe4\xb8" as the API has always spelt
 * them, so that two tokens never look alike. */
static json_t *token_text(const rt_serve_job *job, int32_t id, bool chat) {
    size_t length = 0;
    const char *bytes = rt_tokenizer_piece(job->model->tokenizer, id, &length);
    if (bytes == NULL) return json_string("");
    json_t *text = json_stringn(bytes, length);
    if (text != NULL || chat) return text != NULL ? text : rt_json_text(bytes, length);
    rt_buffer spelt = {0};
    retort_status st = rt_buffer_puts(&spelt, "bytes:", NULL);
    for (size_t i = 0; i < length && st == RETORT_OK; i++)
        st = rt_buffer_printf(&spelt, NULL, "\\x%02x", (unsigned char)bytes[i]);
    if (st == RETORT_OK) text = json_stringn(spelt.data, spelt.length);
    rt_buffer_free(&spelt);
    return text;
}

static json_t *token_bytes(const rt_serve_job *job, int32_t id) {
    size_t length = 0;
    const char *bytes = rt_tokenizer_piece(job->model->tokenizer, id, &length);
    json_t *list = json_array();
    for (size_t i = 0; i < length; i++) json_array_append_new(list, json_integer((unsigned char)bytes[i]));
    return list;
}

static json_t *number(float value) {
    return isnan(value) ? json_null() : json_real((double)value);
}

static json_t *chat_candidate(const rt_serve_job *job, int32_t id, float logp) {
    return json_pack("{s:o,s:o,s:o}", "token", token_text(job, id, true), "logprob", number(logp), "bytes",
                     token_bytes(job, id));
}

static json_t *chat_logprob(const rt_serve_job *job, const rt_token *token) {
    json_t *item = chat_candidate(job, token->id, token->logp), *best = json_array();
    for (int32_t i = 0; i < token->num_best; i++)
        json_array_append_new(best, chat_candidate(job, token->best[i].id, token->best[i].logp));
    if (json_object_set_new(item, "top_logprobs", best) == 0) return item;
    json_decref(item);
    return NULL;
}

/* Completions have four parallel lists; an item holds one entry of each. */
static json_t *completion_logprob(const rt_serve_job *job, const rt_token *token, int64_t offset) {
    json_t *best = isnan(token->logp) ? json_null() : json_object();
    for (int32_t i = 0; i < token->num_best; i++) {
        json_t *text = token_text(job, token->best[i].id, false);
        if (text != NULL && json_object_get(best, json_string_value(text)) == NULL)
            json_object_set_new(best, json_string_value(text), number(token->best[i].logp));
        json_decref(text);
    }
    return json_pack("{s:o,s:o,s:o,s:I}", "tokens", token_text(job, token->id, false), "token_logprobs",
                     number(token->logp), "top_logprobs", best, "text_offset", (json_int_t)offset);
}

json_t *rt_serve_logprob(const rt_serve_job *job, const rt_token *token, int64_t offset) {
    return job->params.chat ? chat_logprob(job, token) : completion_logprob(job, token, offset);
}

static json_t *gather(const json_t *first, const json_t *second, bool chat) {
    if (chat) return json_pack("{s:O}", "content", second);
    static const char *const KEYS[] = {"tokens", "token_logprobs", "top_logprobs", "text_offset"};
    json_t *lists = json_object();
    for (size_t k = 0; k < sizeof KEYS / sizeof KEYS[0]; k++) {
        json_t *list = json_array();
        for (size_t i = 0; i < json_array_size(first); i++)
            json_array_append(list, json_object_get(json_array_get(first, i), KEYS[k]));
        for (size_t i = 0; i < json_array_size(second); i++)
            json_array_append(list, json_object_get(json_array_get(second, i), KEYS[k]));
        json_object_set_new(lists, KEYS[k], list);
    }
    return lists;
}

/* Takes the unsent items of a choice; null where none were asked for. */
static json_t *take_logprobs(const rt_serve_job *job, rt_serve_choice *choice, const json_t *prompt) {
    if (!job->params.logprobs) return json_null();
    json_t *lists = gather(prompt, choice->logprobs, job->params.chat);
    if (job->params.chat) {
        json_decref(choice->logprobs);
        choice->logprobs = json_array();
    } else {
        json_array_clear(choice->logprobs);
    }
    return lists;
}

/* ---- responses ---- */

static json_t *finish_reason(const rt_serve_choice *choice) {
    if (!choice->done) return json_null();
    return json_string(choice->finish == RT_FINISH_STOP ? "stop" : "length");
}

static json_t *usage(const rt_serve_job *job) {
    int64_t prompt = 0, completion = 0;
    for (int64_t p = 0; p < job->num_prompts; p++) prompt += job->prompts[p].count;
    for (int64_t c = 0; c < job->num_choices; c++) completion += job->choices[c].tokens;
    return json_pack("{s:I,s:I,s:I}", "prompt_tokens", (json_int_t)prompt, "completion_tokens", (json_int_t)completion,
                     "total_tokens", (json_int_t)(prompt + completion));
}

static json_t *envelope(const rt_serve_job *job, bool chunk, json_t *choices) {
    const char *object = !job->params.chat ? "text_completion" : chunk ? "chat.completion.chunk" : "chat.completion";
    return json_pack("{s:s,s:s,s:I,s:s,s:s,s:o}", "id", job->id, "object", object, "created", (json_int_t)job->created,
                     "model", job->model->name, "system_fingerprint", job->model->fingerprint, "choices", choices);
}

static json_t *whole_choice(const rt_serve_job *job, int64_t index) {
    rt_serve_choice *choice = &job->choices[index];
    const rt_serve_prompt *prompt = &job->prompts[index / job->params.n];
    json_t *logprobs = take_logprobs(job, choice, prompt->scores);
    const char *text = choice->sent > 0 ? choice->text.data : "";
    if (job->params.chat)
        return json_pack("{s:I,s:{s:s,s:o},s:o,s:o}", "index", (json_int_t)index, "message", "role", "assistant",
                         "content", rt_json_text(text, choice->sent), "logprobs", logprobs, "finish_reason",
                         finish_reason(choice));
    rt_buffer both = {0};
    json_t *item = NULL;
    retort_status st = rt_buffer_append(&both, prompt->text.data, prompt->text.length, NULL);
    if (st == RETORT_OK) st = rt_buffer_append(&both, text, choice->sent, NULL);
    if (st == RETORT_OK)
        item = json_pack("{s:I,s:o,s:o,s:o}", "index", (json_int_t)index, "text", rt_json_text(both.data, both.length),
                         "logprobs", logprobs, "finish_reason", finish_reason(choice));
    else
        json_decref(logprobs);
    rt_buffer_free(&both);
    return item;
}

json_t *rt_serve_response(const rt_serve_job *job) {
    json_t *choices = json_array();
    for (int64_t i = 0; i < job->num_choices; i++) json_array_append_new(choices, whole_choice(job, i));
    if (json_array_size(choices) != (size_t)job->num_choices) {
        json_decref(choices);
        return NULL;
    }
    json_t *response = envelope(job, false, choices);
    if (json_object_set_new(response, "usage", usage(job)) == 0) return response;
    json_decref(response);
    return NULL;
}

json_t *rt_serve_chunk(const rt_serve_job *job, int64_t index, size_t length, bool last) {
    rt_serve_choice *choice = &job->choices[index];
    json_t *logprobs = take_logprobs(job, choice, NULL), *reason = last ? finish_reason(choice) : json_null();
    json_t *text = length > 0 || !job->params.chat
                       ? rt_json_text(length > 0 ? choice->text.data + choice->sent : "", length)
                       : NULL;
    json_t *item;
    if (!job->params.chat) {
        item = json_pack("{s:I,s:o,s:o,s:o}", "index", (json_int_t)index, "text", text, "logprobs", logprobs,
                         "finish_reason", reason);
    } else {
        json_t *delta = json_object();
        if (!choice->started) json_object_set_new(delta, "role", json_string("assistant"));
        if (!choice->started && text == NULL) text = json_string("");
        if (text != NULL) json_object_set_new(delta, "content", text);
        item = json_pack("{s:I,s:o,s:o,s:o}", "index", (json_int_t)index, "delta", delta, "logprobs", logprobs,
                         "finish_reason", reason);
    }
    return item != NULL ? envelope(job, true, json_pack("[o]", item)) : NULL;
}

json_t *rt_serve_usage_chunk(const rt_serve_job *job) {
    json_t *chunk = envelope(job, true, json_array());
    if (json_object_set_new(chunk, "usage", usage(job)) == 0) return chunk;
    json_decref(chunk);
    return NULL;
}

retort_status rt_serve_put_event(rt_buffer *out, json_t *event, retort_error *err) {
    RT_CHECK(event != NULL, err, RETORT_ERR_MEMORY, "out of memory: event of a stream");
    retort_status st = rt_buffer_puts(out, "data: ", err);
    if (st == RETORT_OK) st = rt_json_dump(event, JSON_COMPACT | JSON_REAL_PRECISION(9), out, err);
    if (st == RETORT_OK) st = rt_buffer_puts(out, "\n\n", err);
    json_decref(event);
    return st;
}
