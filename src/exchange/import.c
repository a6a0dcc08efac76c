/* What every shape's import shares: a key, a problem and a sample for a reply that may lack them. */
#include <string.h>
#include <time.h>

#include "ask/keep.h"
#include "exchange/exchange.h"
#include "store/prompts.h"

static bool is_key(const char *text) {
    return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static retort_status dump(const json_t *value, rt_buffer *out, retort_error *err) {
    return rt_json_dump(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY, out, err);
}

/* A reply without an id belongs to the problem that the store has asked with this prompt, or to one that is named after
 * the prompt. */
static retort_status find_problem(rt_importer *m, const json_t *request, rt_buffer *id, retort_error *err) {
    const json_t *prompt = json_object_get(request, "messages");
    rt_buffer text = {0};
    rt_stored_prompt known;
    char sha256[65];
    if (prompt == NULL) prompt = json_object_get(request, "prompt");
    RT_TRY(dump(prompt, &text, err));
    rt_sha256(text.data, text.length, sha256);
    rt_buffer_free(&text);
    const retort_status st = rt_store_get_prompt(m->store, sha256, &known, err);
    if (st == RETORT_OK) return rt_buffer_puts(id, known.problem_id, err);
    if (st != RETORT_ERR_NOT_FOUND) return st;
    return rt_buffer_printf(id, err, "prompt-%.16s", sha256);
}

static retort_status make_key(const rt_imported *r, const char *id, const char *model, const char *request,
                              char key[65], retort_error *err) {
    rt_buffer text = {0};
    retort_status st =
        rt_buffer_printf(&text, err, "import\n%s\n%lld\n%s\n%s\n", id, (long long)r->sample, model, request);
    if (st == RETORT_OK) st = rt_buffer_puts(&text, r->text, err);
    if (st == RETORT_OK && r->reasoning != NULL) st = rt_buffer_printf(&text, err, "\n%s", r->reasoning);
    if (st == RETORT_OK) rt_sha256(text.data, text.length, key);
    rt_buffer_free(&text);
    return st;
}

static retort_status put(rt_importer *m, const rt_imported *r, const char *id, const char *model, const char *request,
                         const char *ids, char key[65], retort_error *err) {
    bool has, fresh = false;
    int64_t sample = r->sample;
    if (r->key != NULL)
        snprintf(key, 65, "%s", r->key);
    else
        RT_TRY(make_key(r, id, model, request, key, err));
    RT_TRY(rt_store_has(m->store, key, &has, err));
    if (!has && sample < 0) RT_TRY(rt_store_count_samples(m->store, id, model, &sample, err));
    const rt_stored_response row = {.key = key,
                                    .problem_id = id,
                                    .sample = sample,
                                    .model = model,
                                    .source = "import",
                                    .request = request,
                                    .text = r->text,
                                    .reasoning = r->reasoning,
                                    .finish_reason = r->finish_reason,
                                    .served_model = r->served_model,
                                    .prompt_tokens = r->prompt_tokens,
                                    .completion_tokens = r->completion_tokens,
                                    .cost = -1,
                                    .seconds = -1,
                                    .first_token_seconds = -1,
                                    .created = time(NULL),
                                    .token_ids = ids};
    if (!has) RT_TRY(rt_ask_put_row(m->store, row, &fresh, err));
    m->taken += fresh;
    m->again += !fresh;
    return RETORT_OK;
}

retort_status rt_import_reply(rt_importer *m, const rt_imported *r, const char *where, char key[65],
                              retort_error *err) {
    const char *model = r->model != NULL ? r->model : m->options->model;
    rt_buffer id = {0}, request = {0}, ids = {0};
    char made[65];
    RT_CHECK(model != NULL, err, RETORT_ERR_USAGE, "%s names no model; give the option 'model'", where);
    RT_CHECK(r->key == NULL || is_key(r->key), err, RETORT_ERR_FORMAT, "%s: the key is no SHA-256 in hexadecimal",
             where);
    retort_status st = dump(r->request, &request, err);
    if (st == RETORT_OK)
        st = r->problem_id != NULL ? rt_buffer_puts(&id, r->problem_id, err) : find_problem(m, r->request, &id, err);
    if (st == RETORT_OK && json_array_size(r->token_ids) > 0) st = dump(r->token_ids, &ids, err);
    if (st == RETORT_OK)
        st = put(m, r, id.length > 0 ? id.data : "", model, request.data, ids.data, key != NULL ? key : made, err);
    rt_buffer_free(&id);
    rt_buffer_free(&request);
    rt_buffer_free(&ids);
    return st;
}

retort_status rt_request_of(const rt_stored_response *response, json_t **out, retort_error *err) {
    json_t *request = NULL;
    rt_buffer sorted = {0};
    RT_TRY(rt_json_parse(response->request, strlen(response->request), "stored request", &request, err));
    retort_status st = dump(request, &sorted, err);
    if (st == RETORT_OK) st = rt_json_parse(sorted.data, sorted.length, "stored request", out, err);
    json_decref(request);
    rt_buffer_free(&sorted);
    return st;
}
