/* lighteval's details (version 0.10 and later, where they are one row a problem with doc, model_response and metric),
 * as JSONL; lighteval itself writes Parquet, which `datasets` turns into this. */
#include <string.h>
#include <time.h>

#include "exchange/exchange.h"
#include "store/problems.h"
#include "store/scores.h"

/* ---- out ---- */

/* The rows of one problem are collected: samples of one prompt are one row. */
typedef struct exporter {
    const retort_store_options *options;
    rt_store *store;
    rt_atomic_file *file;
    json_t *rows;    /* of the problem at hand */
    rt_buffer id;    /* of that problem */
    rt_buffer model; /* of all rows */
} exporter;

/* The score of a row is an average over its samples; where one has no score there is none. */
static void finish_metric(json_t *row, size_t samples) {
    json_t *metric = json_object_get(row, "metric");
    const json_int_t right = json_integer_value(json_object_get(metric, "right"));
    const json_int_t scored = json_integer_value(json_object_get(metric, "scored"));
    json_object_clear(metric);
    if (scored == (json_int_t)samples) json_object_set_new(metric, "strict", json_real((double)right / (double)scored));
}

static retort_status flush(exporter *e, retort_error *err) {
    size_t i;
    json_t *row;
    json_array_foreach(e->rows, i, row) {
        const size_t samples = json_array_size(json_object_get(json_object_get(row, "model_response"), "text"));
        finish_metric(row, samples);
        json_object_set_new(json_object_get(row, "doc"), "num_samples", json_integer((json_int_t)samples));
        RT_TRY(rt_jsonl_write(e->file, json_incref(row), err));
    }
    json_array_clear(e->rows);
    return RETORT_OK;
}

static const char *content_of(const json_t *messages, const char *role) {
    for (size_t i = json_array_size(messages); i > 0; i--) {
        const json_t *message = json_array_get(messages, i - 1);
        const char *own = json_string_value(json_object_get(message, "role"));
        if (own != NULL && strcmp(own, role) == 0) return json_string_value(json_object_get(message, "content"));
    }
    return NULL;
}

static json_t *new_row(const rt_stored_response *r, const json_t *request, const char *gold) {
    const json_t *messages = json_object_get(request, "messages"), *prompt = json_object_get(request, "prompt");
    const char *query = messages != NULL ? content_of(messages, "user") : json_string_value(prompt);
    json_t *input = messages != NULL ? json_deep_copy(messages) : prompt != NULL ? json_deep_copy(prompt) : json_null();
    json_t *size = json_object_get(request, "max_tokens");
    return json_pack(
        "{s:{s:s,s:[s],s:i,s:s?,s:{s:s,s:[],s:[],s:[]},s:s,s:s,s:[s],s:o},s:{s:o,s:[],s:[],s:[],s:[]},s:{}}", "doc",
        "query", query != NULL ? query : "", "choices", gold, "gold_index", 0, "instruction",
        content_of(messages, "system"), "specific", "model", r->model, "keys", "samples", "verdicts", "id",
        r->problem_id, "task_name", "retort", "sampling_methods", "GENERATIVE", "generation_size",
        size != NULL ? json_incref(size) : json_null(), "model_response", "input", input, "input_tokens", "text",
        "output_tokens", "reasonings", "metric");
}

static json_t *find_row(exporter *e, const rt_stored_response *r, const json_t *request, const char *gold) {
    const json_t *wanted = json_object_get(request, "messages");
    if (wanted == NULL) wanted = json_object_get(request, "prompt");
    size_t i;
    json_t *row;
    json_array_foreach(e->rows, i, row) {
        const json_t *input = json_object_get(json_object_get(row, "model_response"), "input");
        if (json_equal(wanted, input) != 0 || (wanted == NULL && json_is_null(input))) return row;
    }
    row = new_row(r, request, gold);
    if (row != NULL) json_array_append_new(e->rows, row);
    return row;
}

static void add_sample(json_t *row, const rt_stored_response *r, const char *verdict) {
    json_t *response = json_object_get(row, "model_response"), *specific, *metric = json_object_get(row, "metric");
    specific = json_object_get(json_object_get(row, "doc"), "specific");
    json_t *ids = r->token_ids != NULL ? json_loads(r->token_ids, 0, NULL) : json_array();
    json_array_append_new(json_object_get(response, "text"), json_string(r->text));
    json_array_append_new(json_object_get(response, "output_tokens"), ids != NULL ? ids : json_array());
    json_array_append_new(json_object_get(response, "reasonings"),
                          r->reasoning != NULL ? json_string(r->reasoning) : json_null());
    json_array_append_new(json_object_get(specific, "keys"), json_string(r->key));
    json_array_append_new(json_object_get(specific, "samples"), json_integer(r->sample));
    json_array_append_new(json_object_get(specific, "verdicts"), verdict != NULL ? json_string(verdict) : json_null());
    if (verdict == NULL) return;
    const json_int_t right = json_integer_value(json_object_get(metric, "right"));
    const json_int_t scored = json_integer_value(json_object_get(metric, "scored"));
    json_object_set_new(metric, "right", json_integer(right + (strcmp(verdict, "right") == 0)));
    json_object_set_new(metric, "scored", json_integer(scored + 1));
}

static retort_status check_model(exporter *e, const char *model, retort_error *err) {
    if (e->model.length == 0) return rt_buffer_puts(&e->model, model, err);
    RT_CHECK(strcmp(e->model.data, model) == 0, err, RETORT_ERR_USAGE,
             "'%s' holds replies of '%s' and of '%s'; details are of one model, name it with the option 'model'",
             rt_store_path(e->store), e->model.data, model);
    return RETORT_OK;
}

static retort_status export_one(void *context, const rt_stored_response *r, retort_error *err) {
    exporter *e = context;
    rt_stored_problem problem;
    rt_stored_score score;
    json_t *request = NULL;
    rt_buffer gold = {0};
    if (e->options->model != NULL && strcmp(e->options->model, r->model) != 0) return RETORT_OK;
    RT_TRY(check_model(e, r->model, err));
    if (e->id.length == 0 || strcmp(e->id.data, r->problem_id) != 0) {
        RT_TRY(flush(e, err));
        rt_buffer_clear(&e->id);
        RT_TRY(rt_buffer_puts(&e->id, r->problem_id, err));
    }
    retort_status st = rt_store_get_problem(e->store, r->problem_id, &problem, err);
    if (st != RETORT_OK && st != RETORT_ERR_NOT_FOUND) return st;
    if (st == RETORT_OK && problem.answer != NULL) RT_TRY(rt_buffer_puts(&gold, problem.answer, err));
    st = rt_store_get_score(e->store, r->key, "strict", &score, err);
    const bool scored = st == RETORT_OK;
    if (scored || st == RETORT_ERR_NOT_FOUND) st = rt_request_of(r, &request, err);
    if (st == RETORT_OK) {
        json_t *row = find_row(e, r, request, gold.length > 0 ? gold.data : "");
        if (row != NULL)
            add_sample(row, r, scored ? score.verdict : NULL);
        else
            st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: details");
    }
    json_decref(request);
    rt_buffer_free(&gold);
    return st;
}

retort_status rt_export_lighteval(rt_store *store, const retort_store_options *options, rt_atomic_file *file,
                                  retort_error *err) {
    exporter e = {.options = options, .store = store, .file = file, .rows = json_array()};
    retort_status st = rt_store_each(store, export_one, &e, err);
    if (st == RETORT_OK) st = flush(&e, err);
    json_decref(e.rows);
    rt_buffer_free(&e.id);
    rt_buffer_free(&e.model);
    return st;
}

/* ---- in ---- */

/* lighteval's documentation writes the columns with underscores round them, its code without. */
static json_t *member(const json_t *line, const char *plain, const char *documented) {
    json_t *value = json_object_get(line, plain);
    return value != NULL ? value : json_object_get(line, documented);
}

static const char *text_of(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

/* What was asked: the messages or the prompt that the row has, else the doc's instruction and query. */
static json_t *request_of(const json_t *doc, const json_t *response) {
    json_t *input = json_object_get(response, "input"), *size = json_object_get(doc, "generation_size");
    json_t *request = NULL;
    const char *system = text_of(doc, "instruction"), *query = text_of(doc, "query");
    if (json_array_size(input) > 0 && json_is_object(json_array_get(input, 0)))
        request = json_pack("{s:O}", "messages", input);
    else if (json_is_string(input))
        request = json_pack("{s:O}", "prompt", input);
    else if (system == NULL)
        request = json_pack("{s:[{s:s,s:s}]}", "messages", "role", "user", "content", query);
    else
        request = json_pack("{s:[{s:s,s:s},{s:s,s:s}]}", "messages", "role", "system", "content", system, "role",
                            "user", "content", query);
    if (json_is_integer(size)) json_object_set(request, "max_tokens", size);
    return request;
}

static retort_status put_score(rt_importer *m, const char *key, const char *grader, const char *verdict,
                               retort_error *err) {
    rt_stored_score known;
    const retort_status st = rt_store_get_score(m->store, key, grader, &known, err);
    if (st != RETORT_ERR_NOT_FOUND) return st; /* what is there stays as it is */
    const rt_stored_score score = {.response_key = key, .grader = grader, .verdict = verdict, .created = time(NULL)};
    return rt_store_put_score(m->store, &score, err);
}

/* A metric of one sample that is 0 or 1 is a verdict; averages over samples are not. */
static retort_status put_scores(rt_importer *m, const json_t *metrics, const char *key, retort_error *err) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)metrics, name, value) {
        const double number = json_number_value(value);
        char grader[120];
        if (!json_is_number(value) || (number < 1 && number > 0) || number < 0 || number > 1) continue;
        if (strcmp(name, "strict") == 0) continue; /* of our own: each sample's verdict is in the doc */
        snprintf(grader, sizeof grader, "lighteval:%.80s", name);
        RT_TRY(put_score(m, key, grader, number > 0 ? "right" : "wrong", err));
    }
    return RETORT_OK;
}

/* What we wrote ourselves: the strict grader's verdict on each sample. */
static retort_status put_verdict(rt_importer *m, const json_t *specific, size_t i, const char *key, retort_error *err) {
    static const char *const KNOWN[] = {"right", "wrong", "unparsed", "over-budget"};
    const char *verdict = json_string_value(json_array_get(json_object_get(specific, "verdicts"), i));
    for (size_t k = 0; verdict != NULL && k < sizeof KNOWN / sizeof KNOWN[0]; k++)
        if (strcmp(verdict, KNOWN[k]) == 0) return put_score(m, key, "strict", verdict, err);
    return RETORT_OK;
}

typedef struct details {
    const json_t *doc, *response, *metric, *texts, *specific;
    json_t *request;
    const char *where;
} details;

static retort_status import_sample(rt_importer *m, const details *d, size_t i, retort_error *err) {
    const json_t *keys = json_object_get(d->specific, "keys"), *samples = json_object_get(d->specific, "samples");
    const json_t *ids = json_array_get(json_object_get(d->response, "output_tokens"), i);
    const json_t *sample = json_array_get(samples, i);
    const char *id = text_of(d->doc, "id");
    char key[65];
    RT_CHECK(json_is_string(json_array_get(d->texts, i)), err, RETORT_ERR_FORMAT, "%s: 'text' holds what is no text",
             d->where);
    const bool given = json_is_integer(sample) && json_integer_value(sample) >= 0;
    const rt_imported imported = {.key = json_string_value(json_array_get(keys, i)),
                                  .problem_id = id != NULL && id[0] != '\0' ? id : NULL,
                                  .sample = given ? json_integer_value(sample) : (int64_t)i,
                                  .model = text_of(d->specific, "model"),
                                  .request = d->request,
                                  .text = json_string_value(json_array_get(d->texts, i)),
                                  .reasoning =
                                      json_string_value(json_array_get(json_object_get(d->response, "reasonings"), i)),
                                  .token_ids = ids,
                                  .prompt_tokens = -1,
                                  .completion_tokens = json_array_size(ids) > 0 ? (int64_t)json_array_size(ids) : -1};
    RT_TRY(rt_import_reply(m, &imported, d->where, key, err));
    RT_TRY(put_verdict(m, d->specific, i, key, err));
    return json_array_size(d->texts) == 1 ? put_scores(m, d->metric, key, err) : RETORT_OK;
}

/* The gold answer, where the doc has one and the store does not know the problem. */
static retort_status put_problem(rt_importer *m, const json_t *doc, retort_error *err) {
    const char *id = text_of(doc, "id");
    const json_t *index = json_object_get(doc, "gold_index");
    if (json_is_array(index)) index = json_array_get(index, 0);
    const json_int_t at = json_integer_value(index);
    const json_t *choice = at >= 0 ? json_array_get(json_object_get(doc, "choices"), (size_t)at) : NULL;
    rt_stored_problem known;
    if (id == NULL || id[0] == '\0' || !json_is_integer(index) || json_string_length(choice) == 0) return RETORT_OK;
    const retort_status st = rt_store_get_problem(m->store, id, &known, err);
    if (st != RETORT_ERR_NOT_FOUND) return st;
    const rt_stored_problem problem = {.id = id,
                                       .problem = text_of(doc, "query"),
                                       .answer = json_string_value(choice),
                                       .origin = text_of(doc, "task_name"),
                                       .created = time(NULL)};
    return rt_store_put_problem(m->store, &problem, err);
}

retort_status rt_import_lighteval(rt_importer *m, const json_t *line, const char *where, retort_error *err) {
    details d = {.doc = member(line, "doc", "__doc__"),
                 .response = member(line, "model_response", "__model_response__"),
                 .metric = member(line, "metric", "__metric__"),
                 .where = where};
    d.texts = json_object_get(d.response, "text");
    d.specific = json_object_get(d.doc, "specific");
    RT_CHECK(json_is_string(json_object_get(d.doc, "query")) && json_is_array(d.texts), err, RETORT_ERR_FORMAT,
             "%s has no 'doc' with a 'query' and 'model_response' with 'text': no details of lighteval 0.10 or later",
             where);
    RT_TRY(put_problem(m, d.doc, err));
    d.request = request_of(d.doc, d.response);
    RT_CHECK(d.request != NULL, err, RETORT_ERR_MEMORY, "out of memory: request");
    retort_status st = RETORT_OK;
    for (size_t i = 0; i < json_array_size(d.texts) && st == RETORT_OK; i++) st = import_sample(m, &d, i, err);
    json_decref(d.request);
    return st;
}
