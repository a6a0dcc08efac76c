/* Paths that are answered at once: models, tokens, metrics. */
#include <string.h>

#include "serve/server.h"

json_t *rt_serve_models(const rt_server *server) {
    const rt_serve_model *m = &server->model;
    return json_pack("{s:s,s:[{s:s,s:s,s:I,s:s,s:I}]}", "object", "list", "data", "id", m->name, "object", "model",
                     "created", (json_int_t)m->created, "owned_by", "retort", "max_model_len",
                     (json_int_t)m->max_model_len);
}

/* ---- tokens ---- */

static bool refuse(rt_params_error *why, const char *param, const char *text) {
    snprintf(why->param, sizeof why->param, "%s", param);
    rt_fail(&why->reason, RETORT_ERR_USAGE, "'%s' %s", param, text);
    return false;
}

static bool flag(const json_t *body, const char *key, bool otherwise) {
    const json_t *value = json_object_get(body, key);
    return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

static json_t *list_tokens(const rt_server *server, const rt_ids *ids, bool with_pieces) {
    json_t *list = json_array();
    for (int64_t i = 0; i < ids->count; i++) {
        size_t length = 0;
        const char *piece = with_pieces ? rt_tokenizer_piece(server->model.tokenizer, ids->data[i], &length) : NULL;
        json_t *item = piece == NULL ? json_integer(ids->data[i])
                                     : json_pack("{s:i,s:o}", "id", ids->data[i], "piece", rt_json_text(piece, length));
        json_array_append_new(list, item);
    }
    return list;
}

/* llama.cpp's form ("content", nothing added unless asked for) and vLLM's ("prompt", with the tokenizer's own tokens).
 */
bool rt_serve_tokenize(const rt_server *server, const json_t *body, json_t **out, rt_params_error *why) {
    const json_t *content = json_object_get(body, "content"), *prompt = json_object_get(body, "prompt");
    const json_t *text = content != NULL ? content : prompt;
    if (!json_is_string(text)) return refuse(why, "prompt", "(or 'content') must be a text");
    const bool special = content != NULL ? flag(body, "add_special", false) : flag(body, "add_special_tokens", true);
    rt_ids ids = {0};
    retort_status st = rt_tokenizer_encode_spans(
        server->model.tokenizer, json_string_value(text), json_string_length(text),
        RT_ENCODE_PARSE_SPECIAL | (special ? RT_ENCODE_POST_PROCESS : 0), &ids, NULL, &why->reason);
    *out = st == RETORT_OK
               ? json_pack("{s:o,s:I,s:I}", "tokens", list_tokens(server, &ids, flag(body, "with_pieces", false)),
                           "count", (json_int_t)ids.count, "max_model_len", (json_int_t)server->model.max_model_len)
               : NULL;
    rt_ids_free(&ids);
    return st == RETORT_OK;
}

bool rt_serve_detokenize(const rt_server *server, const json_t *body, json_t **out, rt_params_error *why) {
    const json_t *tokens = json_object_get(body, "tokens");
    if (!json_is_array(tokens)) return refuse(why, "tokens", "must be a list of token ids");
    rt_ids ids = {0};
    rt_buffer text = {0};
    bool good = true;
    for (size_t i = 0; good && i < json_array_size(tokens); i++) {
        const json_t *item = json_array_get(tokens, i);
        const json_int_t id = json_integer_value(item);
        if (!json_is_integer(item) || id < 0 || id >= server->model.config.vocab_size)
            good = refuse(why, "tokens", "has an item that is no token id of this model");
        else
            good = rt_ids_push(&ids, (int32_t)id, &why->reason) == RETORT_OK;
    }
    good = good && rt_tokenizer_decode_text(server->model.tokenizer, ids.data, ids.count, false, &text, &why->reason) ==
                       RETORT_OK;
    if (good)
        *out = json_pack("{s:o,s:o}", "content", rt_json_text(text.length > 0 ? text.data : "", text.length), "prompt",
                         rt_json_text(text.length > 0 ? text.data : "", text.length));
    rt_ids_free(&ids);
    rt_buffer_free(&text);
    return good;
}

/* ---- metrics ---- */

static retort_status put_metric(rt_buffer *out, const char *name, const char *type, const char *help, long long value,
                                retort_error *err) {
    return rt_buffer_printf(out, err, "# HELP retort_%s %s\n# TYPE retort_%s %s\nretort_%s %lld\n", name, help, name,
                            type, name, value);
}

retort_status rt_serve_metrics_text(rt_server *server, rt_buffer *out, retort_error *err) {
    rt_serve_metrics *m = &server->metrics;
    const struct {
        const char *name, *type, *help;
        atomic_llong *value;
    } rows[] = {
        {"generation_tokens_total", "counter", "Tokens sampled.", &m->sampled},
        {"prompt_tokens_total", "counter", "Prompt tokens fed; a shared prompt counts once.", &m->fed},
        {"engine_steps_total", "counter", "Steps of the decoder.", &m->steps},
        {"requests_abandoned_total", "counter", "Requests whose client left before the answer.", &m->abandoned},
        {"responses_running", "gauge", "Responses being sampled.", &m->running},
        {"responses_waiting", "gauge", "Responses waiting for a place in the batch.", &m->waiting},
        {"responses_put_off_total", "counter", "Responses that gave their cache back and went on later.", &m->put_off},
        {"connections", "gauge", "Open connections.", &m->connections},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        RT_TRY(put_metric(out, rows[i].name, rows[i].type, rows[i].help, atomic_load(rows[i].value), err));
    RT_TRY(rt_buffer_puts(out,
                          "# HELP retort_http_responses_total Answers by class of status.\n"
                          "# TYPE retort_http_responses_total counter\n",
                          err));
    for (int c = 2; c <= 5; c++) {
        RT_TRY(rt_buffer_printf(out, err, "retort_http_responses_total{class=\"%dxx\"} %lld\n", c,
                                (long long)atomic_load(&m->requests[c])));
    }
    return RETORT_OK;
}
