#include "teach/batch.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ask/endpoint.h"
#include "ask/keep.h"
#include "ask/prices.h"
#include "core/file.h"

/* ---- requests ---- */

static retort_status write_request(rt_atomic_file *file, const rt_questions *questions, const char *key,
                                   const rt_buffer *body, retort_error *err) {
    const bool chat = questions->options->endpoint.api == RETORT_API_CHAT;
    json_t *request = NULL;
    RT_TRY(rt_json_parse(body->data, body->length, "request", &request, err));
    return rt_jsonl_write(file,
                          json_pack("{s:s,s:s,s:s,s:o}", "custom_id", key, "method", "POST", "url",
                                    chat ? "/v1/chat/completions" : "/v1/completions", "body", request),
                          err);
}

static retort_status write_requests(rt_atomic_file *file, const rt_questions *questions, rt_store *store,
                                    rt_buffer *body, int64_t *count, retort_error *err) {
    for (int64_t q = 0; q < questions->count; q++) {
        char key[65];
        bool has;
        RT_TRY(rt_questions_write(questions, q, body, key, err));
        RT_TRY(rt_store_has(store, key, &has, err));
        if (has) continue;
        RT_TRY(write_request(file, questions, key, body, err));
        ++*count;
    }
    return RETORT_OK;
}

retort_status rt_batch_write(const rt_questions *questions, rt_store *store, retort_teach_account *account,
                             retort_error *err) {
    rt_questions whole = *questions;
    rt_atomic_file file = {0};
    rt_buffer body = {0};
    whole.whole = true;
    RT_TRY(rt_atomic_open(&file, questions->options->batch_requests, err));
    retort_status st = write_requests(&file, &whole, store, &body, &account->batch_written, err);
    if (st == RETORT_OK)
        st = rt_atomic_commit(&file, err);
    else
        rt_atomic_abort(&file);
    rt_buffer_free(&body);
    return st;
}

/* ---- results ---- */

typedef struct known_key {
    char key[65];
    int64_t question;
} known_key;

typedef struct reader {
    const rt_questions *questions;
    rt_store *store;
    retort_teach_account *account;
    rt_findings *findings;
    const char *path;
    known_key *keys; /* [questions], sorted */
    rt_price price;
    rt_reply reply;
    rt_buffer body, text;
} reader;

static int compare_keys(const void *a, const void *b) {
    return strcmp(((const known_key *)a)->key, ((const known_key *)b)->key);
}

static retort_status list_keys(reader *r, retort_error *err) {
    const int64_t count = r->questions->count;
    r->keys = rt_calloc((size_t)count, sizeof *r->keys);
    RT_CHECK(r->keys != NULL, err, RETORT_ERR_MEMORY, "out of memory: keys of the questions");
    for (int64_t q = 0; q < count; q++) {
        RT_TRY(rt_questions_write(r->questions, q, &r->body, r->keys[q].key, err));
        r->keys[q].question = q;
    }
    qsort(r->keys, (size_t)count, sizeof *r->keys, compare_keys);
    return RETORT_OK;
}

static retort_status take_reply(reader *r, int64_t q, retort_error *err) {
    const rt_reply *reply = &r->reply;
    const bool priced = rt_price_known(&r->price) && reply->prompt_tokens >= 0 && reply->completion_tokens >= 0;
    const double cost =
        priced ? rt_price_of(&r->price, (double)reply->prompt_tokens, (double)reply->completion_tokens) : -1;
    char key[65];
    bool fresh = false;
    RT_TRY(rt_questions_write(r->questions, q, &r->body, key, err));
    const char *slash = strrchr(r->path, '/');
    char source[300];
    snprintf(source, sizeof source, "batch file %.280s", slash != NULL ? slash + 1 : r->path);
    const rt_stored_response row = {.key = key,
                                    .problem_id = rt_questions_problem(r->questions, q)->id,
                                    .sample = rt_questions_sample(r->questions, q),
                                    .model = r->questions->options->endpoint.model,
                                    .source = source,
                                    .cost = cost,
                                    .seconds = -1,
                                    .first_token_seconds = -1,
                                    .created = time(NULL)};
    RT_TRY(rt_ask_put_reply(r->store, row, reply, &r->body, &fresh, err));
    r->account->imported += fresh;
    r->account->imported_again += !fresh;
    if (!fresh) return RETORT_OK;
    if (cost > 0) r->account->endpoint.cost += cost;
    r->account->endpoint.cut += strcmp(reply->finish_reason, "length") == 0;
    if (reply->completion_tokens < 0) r->account->endpoint.without_usage++;
    r->account->endpoint.prompt_tokens += reply->prompt_tokens > 0 ? reply->prompt_tokens : 0;
    r->account->endpoint.completion_tokens += reply->completion_tokens > 0 ? reply->completion_tokens : 0;
    return RETORT_OK;
}

/* The reply of a line that has one; RETORT_ERR_FORMAT with why it has none. */
static retort_status read_reply(reader *r, const json_t *object, retort_error *err) {
    const json_t *error = json_object_get(object, "error"), *response = json_object_get(object, "response");
    const bool chat = r->questions->options->endpoint.api == RETORT_API_CHAT;
    const char *text = json_string_value(json_object_get(error, "message"));
    RT_CHECK(error == NULL || json_is_null(error), err, RETORT_ERR_FORMAT, "the API reports: %.300s",
             text != NULL ? text : "an error without a message");
    const json_t *body = json_object_get(response, "body"), *status = json_object_get(response, "status_code");
    rt_buffer_clear(&r->text);
    RT_CHECK(json_is_object(body), err, RETORT_ERR_FORMAT, "the result has no 'response.body'");
    RT_TRY(rt_json_dump(body, JSON_COMPACT, &r->text, err));
    RT_TRY(rt_reply_parse(&r->reply, r->text.data, r->text.length, chat, err));
    RT_CHECK(status == NULL || json_integer_value(status) == 200, err, RETORT_ERR_FORMAT, "the request got HTTP %lld",
             (long long)json_integer_value(status));
    return RETORT_OK;
}

static retort_status read_line(void *context, json_t *object, size_t line, retort_error *err) {
    reader *r = context;
    const char *id = json_string_value(json_object_get(object, "custom_id"));
    known_key wanted = {.question = -1};
    RT_CHECK(id != NULL, err, RETORT_ERR_FORMAT, "'%s' line %zu: no 'custom_id'; this is no batch result", r->path,
             line);
    snprintf(wanted.key, sizeof wanted.key, "%s", id);
    const known_key *found = bsearch(&wanted, r->keys, (size_t)r->questions->count, sizeof wanted, compare_keys);
    if (found == NULL || strlen(id) != 64) {
        r->account->import_unmatched++;
        return rt_findings_add_unmatched(r->findings, r->path, line, id, "a request of another run", err);
    }
    retort_error why = {0};
    const retort_status st = read_reply(r, object, &why);
    if (st == RETORT_OK) return take_reply(r, found->question, err);
    if (st != RETORT_ERR_FORMAT) {
        if (err != NULL) *err = why;
        return st;
    }
    r->account->import_failed++;
    return rt_findings_add_failed(r->findings, r->path, line, rt_questions_problem(r->questions, found->question)->id,
                                  why.message, err);
}

static retort_status read_files(reader *r, retort_error *err) {
    const retort_endpoint_options *o = &r->questions->options->endpoint;
    r->price = (rt_price){o->price_input, o->price_output};
    if (o->prices != NULL) RT_TRY(rt_price_read(o->prices, o->model, &r->price, err));
    RT_TRY(list_keys(r, err));
    char *list = rt_strdup(r->questions->options->batch_results), *rest = NULL;
    RT_CHECK(list != NULL, err, RETORT_ERR_MEMORY, "out of memory: list of files");
    retort_status st = RETORT_OK;
    for (char *path = strtok_r(list, ",", &rest); path != NULL && st == RETORT_OK; path = strtok_r(NULL, ",", &rest)) {
        r->path = path;
        st = rt_jsonl_read(path, read_line, r, err);
    }
    rt_free(list);
    if (!rt_price_known(&r->price)) r->account->endpoint.cost = -1;
    return st;
}

retort_status rt_batch_read(const rt_questions *questions, rt_store *store, retort_teach_account *account,
                            rt_findings *findings, retort_error *err) {
    rt_questions whole = *questions;
    whole.whole = true;
    reader r = {.questions = &whole, .store = store, .account = account, .findings = findings};
    const retort_status st = read_files(&r, err);
    rt_free(r.keys);
    rt_reply_free(&r.reply);
    rt_buffer_free(&r.body);
    rt_buffer_free(&r.text);
    return st;
}
