#include "retort/store.h"

#include <stdlib.h>
#include <string.h>

#include "store/store.h"

#define ROW(name_, kind, ...)                                                                                          \
    { .name = #name_, .type = RETORT_OPTION_##kind, .offset = offsetof(retort_store_options, name_), __VA_ARGS__ }

const retort_option retort_store_option_table[] = {
    ROW(store, STRING, .argument = "FILE", .group = "Input", .required = true, .help = "The run store."),
    ROW(check, BOOL, .help = "Reads the whole file and checks it for damage."),
    ROW(export, STRING, .argument = "FILE", .group = "Output", .help = "Writes the replies as JSONL."),
    ROW(format, CHOICE, .default_value = "rows", .argument = "NAME", .choices = "rows|trl",
        .help = "Every column of each reply, or conversations as TRL's trainers read them."),
    {0}};

static json_t *text_or_null(const char *text) {
    return text != NULL ? json_string(text) : json_null();
}

static json_t *count_or_null(int64_t count) {
    return count >= 0 ? json_integer(count) : json_null();
}

static json_t *real_or_null(double value) {
    return value >= 0 ? json_real(value) : json_null();
}

static retort_status row_of(const rt_stored_response *r, json_t **out, retort_error *err) {
    json_t *request = NULL;
    RT_TRY(rt_json_parse(r->request, strlen(r->request), "stored request", &request, err));
    *out = json_pack("{s:s,s:s,s:I,s:s,s:s,s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:I}", "key", r->key, "problem_id",
                     r->problem_id, "sample", (json_int_t)r->sample, "model", r->model, "source", r->source, "request",
                     request, "text", r->text, "reasoning", text_or_null(r->reasoning), "finish_reason",
                     text_or_null(r->finish_reason), "served_model", text_or_null(r->served_model), "prompt_tokens",
                     count_or_null(r->prompt_tokens), "completion_tokens", count_or_null(r->completion_tokens), "cost",
                     real_or_null(r->cost), "seconds", real_or_null(r->seconds), "first_token_seconds",
                     real_or_null(r->first_token_seconds), "created", (json_int_t)r->created);
    return RETORT_OK;
}

/* The request's messages and the reply; a completion's prompt counts as the user's. */
static retort_status conversation_of(const rt_stored_response *r, json_t **out, retort_error *err) {
    json_t *request = NULL;
    rt_buffer text = {0};
    RT_TRY(rt_json_parse(r->request, strlen(r->request), "stored request", &request, err));
    const retort_status st = rt_store_compose(r, &text, err);
    const json_t *asked = json_object_get(request, "messages");
    json_t *messages = json_is_array(asked)
                           ? json_deep_copy(asked)
                           : json_pack("[{s:s,s:O}]", "role", "user", "content", json_object_get(request, "prompt"));
    json_array_append_new(messages,
                          json_pack("{s:s,s:s}", "role", "assistant", "content", text.length > 0 ? text.data : ""));
    if (st == RETORT_OK)
        *out = json_pack("{s:s,s:I,s:s,s:o}", "id", r->problem_id, "sample", (json_int_t)r->sample, "model", r->model,
                         "messages", messages);
    else
        json_decref(messages);
    json_decref(request);
    rt_buffer_free(&text);
    return st;
}

typedef struct exporter {
    rt_atomic_file file;
    int format;
} exporter;

static retort_status export_one(void *context, const rt_stored_response *r, retort_error *err) {
    exporter *e = context;
    json_t *line = NULL;
    RT_TRY(e->format == RETORT_STORE_TRL ? conversation_of(r, &line, err) : row_of(r, &line, err));
    return rt_jsonl_write(&e->file, line, err);
}

static retort_status export_all(rt_store *store, const retort_store_options *options, retort_error *err) {
    exporter e = {.format = options->format};
    RT_TRY(rt_atomic_open(&e.file, options->export, err));
    const retort_status st = rt_store_each(store, export_one, &e, err);
    if (st == RETORT_OK) return rt_atomic_commit(&e.file, err);
    rt_atomic_abort(&e.file);
    return st;
}

static retort_status describe(rt_store *store, char **out, retort_error *err) {
    rt_store_totals t;
    rt_buffer text = {0};
    RT_TRY(rt_store_total(store, &t, err));
    json_t *all =
        json_pack("{s:I,s:I,s:I,s:{s:I,s:I,s:I},s:I,s:I,s:I,s:f,s:I}", "responses", (json_int_t)t.responses, "problems",
                  (json_int_t)t.problems, "models", (json_int_t)t.models, "finish_reasons", "stop",
                  (json_int_t)t.stopped, "length", (json_int_t)t.cut, "other", (json_int_t)t.other, "prompt_tokens",
                  (json_int_t)t.prompt_tokens, "completion_tokens", (json_int_t)t.completion_tokens, "without_usage",
                  (json_int_t)t.without_usage, "cost", t.cost, "without_cost", (json_int_t)t.without_cost);
    RT_CHECK(all != NULL, err, RETORT_ERR_MEMORY, "out of memory: totals");
    const retort_status st = rt_json_dump(all, JSON_INDENT(2) | JSON_REAL_PRECISION(12), &text, err);
    json_decref(all);
    *out = st == RETORT_OK ? strdup(text.data) : NULL; /* the caller frees with free */
    rt_buffer_free(&text);
    RT_TRY(st);
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory: totals");
    return RETORT_OK;
}

retort_status retort_store(const retort_store_options *options, char **out, retort_error *err) {
    rt_store *store = NULL;
    *out = NULL;
    /* Opening would make it. */
    RT_CHECK(rt_path_exists(options->store), err, RETORT_ERR_NOT_FOUND, "there is no store '%s'", options->store);
    RT_TRY(rt_store_open(options->store, &store, err));
    retort_status st = options->check ? rt_store_check(store, err) : RETORT_OK;
    if (st == RETORT_OK && options->export != NULL) st = export_all(store, options, err);
    if (st == RETORT_OK) st = describe(store, out, err);
    rt_store_close(store);
    return st;
}
