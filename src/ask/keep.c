#include "ask/keep.h"

#include <string.h>
#include <time.h>

#include "store/manifests.h"
#include "store/problems.h"
#include "store/prompts.h"

/* The prompt of a request (its messages, or its prompt) as a row of prompts; *found false where it has none. */
static retort_status put_prompt(rt_store *store, const rt_stored_response *row, bool *found, char sha256[65],
                                retort_error *err) {
    json_t *request = NULL;
    rt_buffer text = {0};
    RT_TRY(rt_json_parse(row->request, strlen(row->request), "request", &request, err));
    const json_t *prompt = json_object_get(request, "messages");
    if (prompt == NULL) prompt = json_object_get(request, "prompt");
    *found = prompt != NULL;
    retort_status st = RETORT_OK;
    if (*found) st = rt_json_dump(prompt, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY, &text, err);
    if (*found && st == RETORT_OK)
        st = rt_store_put_prompt(store, row->problem_id, text.data, row->created, sha256, err);
    rt_buffer_free(&text);
    json_decref(request);
    return st;
}

retort_status rt_ask_put_row(rt_store *store, rt_stored_response row, bool *fresh, retort_error *err) {
    char sha256[65];
    bool found;
    RT_TRY(put_prompt(store, &row, &found, sha256, err));
    row.prompt_sha256 = found ? sha256 : NULL;
    return rt_store_put(store, &row, fresh, err);
}

static const char *text_or(const rt_buffer *text, const char *otherwise) {
    return text->length > 0 ? text->data : otherwise;
}

static retort_status put_both(rt_store *store, rt_stored_response row, const rt_reply *reply, const rt_buffer *body,
                              bool *fresh, retort_error *err) {
    rt_buffer ids = {0};
    retort_status st = RETORT_OK;
    if (reply->token_ids.length > 0) st = rt_buffer_printf(&ids, err, "[%s]", reply->token_ids.data);
    row.request = body->data;
    row.text = text_or(&reply->text, "");
    row.reasoning = text_or(&reply->reasoning, NULL);
    row.finish_reason = reply->finish_reason[0] != '\0' ? reply->finish_reason : NULL;
    row.served_model = reply->model[0] != '\0' ? reply->model : NULL;
    row.prompt_tokens = reply->prompt_tokens;
    row.completion_tokens = reply->completion_tokens;
    row.token_ids = ids.data;
    if (st == RETORT_OK) st = rt_ask_put_row(store, row, fresh, err);
    rt_buffer_free(&ids);
    return st;
}

retort_status rt_ask_put_reply(rt_store *store, rt_stored_response row, const rt_reply *reply, const rt_buffer *body,
                               bool *fresh, retort_error *err) {
    RT_TRY(rt_store_begin(store, err));
    const retort_status st = put_both(store, row, reply, body, fresh, err);
    if (st == RETORT_OK) return rt_store_commit(store, err);
    rt_store_rollback(store);
    return st;
}

/* ---- problems ---- */

static retort_status put_problem(rt_store *store, const rt_problem *problem, const char *origin, int64_t created,
                                 retort_error *err) {
    json_t *gold = json_object();
    rt_buffer text = {0};
    retort_status st = RETORT_OK;
    if (gold == NULL || !rt_problem_write_gold(problem, gold))
        st = rt_fail(err, RETORT_ERR_FORMAT, "problem '%s': the answer is not UTF-8", problem->id);
    if (st == RETORT_OK && json_object_size(gold) > 0)
        st = rt_json_dump(gold, JSON_COMPACT | JSON_SORT_KEYS, &text, err);
    const rt_stored_problem row = {.id = problem->id,
                                   .problem = problem->problem,
                                   .answer = problem->answer,
                                   .gold = text.data,
                                   .origin = origin,
                                   .created = created};
    if (st == RETORT_OK) st = rt_store_put_problem(store, &row, err);
    rt_buffer_free(&text);
    json_decref(gold);
    return st;
}

retort_status rt_ask_put_problems(rt_store *store, const rt_problems *problems, int64_t count, const char *path,
                                  retort_error *err) {
    const char *slash = strrchr(path, '/'), *origin = slash != NULL ? slash + 1 : path;
    const int64_t now = time(NULL);
    RT_TRY(rt_store_begin(store, err));
    retort_status st = RETORT_OK;
    for (int64_t i = 0; i < count && st == RETORT_OK; i++)
        st = put_problem(store, &problems->items[i], origin, now, err);
    if (st == RETORT_OK) return rt_store_commit(store, err);
    rt_store_rollback(store);
    return st;
}

/* ---- manifests ---- */

static bool changes_nothing(const char *name) {
    static const char *const NAMES[] = {
        "problems",    "output",  "store",        "api_key_file",        "base_url",          "stream",
        "concurrency", "retries", "retry_pause",  "requests_per_minute", "tokens_per_minute", "timeout",
        "price_input", "prices",  "price_output", "first_token_timeout", "max_cost",          "dry_run"};
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        if (strcmp(name, NAMES[i]) == 0) return true;
    return false;
}

static retort_status list_options(const retort_option *table, const void *options, json_t *out, retort_error *err) {
    for (const retort_option *option = table; option->name != NULL; option++) {
        if (changes_nothing(option->name)) continue;
        char *text = NULL;
        RT_TRY(retort_options_get(table, options, option->name, &text, err));
        const bool added = json_object_set_new(out, option->name, rt_json_text(text, strlen(text))) == 0;
        rt_free(text);
        RT_CHECK(added, err, RETORT_ERR_MEMORY, "out of memory: manifest");
    }
    return RETORT_OK;
}

retort_status rt_ask_put_manifest(rt_store *store, const char *command, const retort_option *table, const void *options,
                                  const char *problems, char run[65], retort_error *err) {
    char sha256[65];
    rt_buffer text = {0};
    json_t *list = json_object();
    RT_TRY(rt_sha256_file(problems, sha256, err));
    json_t *all = json_pack("{s:s,s:s,s:s,s:O}", "command", command, "retort", RETORT_VERSION, "problems_sha256",
                            sha256, "options", list);
    retort_status st = all != NULL ? list_options(table, options, list, err)
                                   : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: manifest");
    if (st == RETORT_OK) st = rt_json_dump(all, JSON_COMPACT | JSON_SORT_KEYS, &text, err);
    if (st == RETORT_OK) st = rt_store_put_manifest(store, command, text.data, time(NULL), run, err);
    rt_buffer_free(&text);
    json_decref(all);
    json_decref(list);
    return st;
}
