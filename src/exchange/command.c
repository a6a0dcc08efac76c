/* `retort store`: what a store holds, its check, and its ways in and out. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/exchange.h"
#include "store/manifests.h"
#include "store/metrics.h"
#include "store/rows.h"

#define ROW(name_, kind, ...)                                                                                          \
    { .name = #name_, .type = RETORT_OPTION_##kind, .offset = offsetof(retort_store_options, name_), __VA_ARGS__ }

/* The choices are in the order of retort_store_format and of rt_table. */
const retort_option retort_store_option_table[] = {
    ROW(store, STRING, .argument = "FILE", .group = "Input", .required = true,
        .help = "The run store; an import makes it if it does not exist."),
    ROW(check, BOOL, .help = "Reads the whole file and checks it for damage."),
    ROW(list, BOOL, .help = "Lists the runs with their figures, and the models."),
    ROW(import, LIST, .argument = "LIST", .help = "JSONL files to take in, all of them or, on an error, nothing."),
    ROW(requests, LIST, .argument = "LIST", .help = "With OpenAI batch results: the request files that they answer."),
    ROW(export, STRING, .argument = "FILE", .group = "Output", .help = "Writes the replies as JSONL."),
    ROW(format, CHOICE, .default_value = "rows", .argument = "NAME",
        .choices = "rows|trl|lighteval|openai-requests|openai-results", .group = "Shape",
        .help =
            "Every column of a table; conversations as TRL's trainers read them; lighteval's details; OpenAI's batch "
            "files."),
    ROW(table, CHOICE, .default_value = "responses", .argument = "NAME",
        .choices = "responses|problems|prompts|traces|scores|judgements|metrics|manifests",
        .help = "With rows: which table."),
    ROW(model, STRING, .argument = "NAME",
        .help = "Out: only this model's replies. In: the model where a line names none."),
    {0}};

/* ---- out ---- */

static retort_status write_file(rt_store *store, const retort_store_options *options, rt_atomic_file *file,
                                retort_error *err) {
    switch ((retort_store_format)options->format) {
    case RETORT_STORE_ROWS: return rt_export_rows(store, options, file, err);
    case RETORT_STORE_TRL: return rt_export_trl(store, options, file, err);
    case RETORT_STORE_LIGHTEVAL: return rt_export_lighteval(store, options, file, err);
    case RETORT_STORE_OPENAI_REQUESTS:
    case RETORT_STORE_OPENAI_RESULTS: return rt_export_openai(store, options, file, err);
    }
    return rt_fail(err, RETORT_ERR_STATE, "no such format");
}

static retort_status export_all(rt_store *store, const retort_store_options *options, retort_error *err) {
    rt_atomic_file file = {0};
    RT_TRY(rt_atomic_open(&file, options->export, err));
    const retort_status st = write_file(store, options, &file, err);
    if (st == RETORT_OK) return rt_atomic_commit(&file, err);
    rt_atomic_abort(&file);
    return st;
}

/* ---- in ---- */

typedef struct reading {
    rt_importer *importer;
    const char *path;
    bool requests;
} reading;

static retort_status import_line(void *context, json_t *line, size_t number, retort_error *err) {
    const reading *r = context;
    char where[320];
    snprintf(where, sizeof where, "'%.280s' line %zu", r->path, number);
    if (r->requests) return rt_import_request(r->importer, line, where, err);
    r->importer->lines++;
    switch ((retort_store_format)r->importer->options->format) {
    case RETORT_STORE_ROWS: return rt_import_row(r->importer, line, where, err);
    case RETORT_STORE_TRL: return rt_import_trl(r->importer, line, where, err);
    case RETORT_STORE_LIGHTEVAL: return rt_import_lighteval(r->importer, line, where, err);
    case RETORT_STORE_OPENAI_RESULTS: return rt_import_openai(r->importer, line, where, err);
    case RETORT_STORE_OPENAI_REQUESTS: break;
    }
    return rt_fail(err, RETORT_ERR_USAGE,
                   "requests alone are no replies; import the results (openai-results) with the option 'requests'");
}

static retort_status read_files(rt_importer *importer, const char *files, bool requests, retort_error *err) {
    char *list = rt_strdup(files), *rest = NULL;
    RT_CHECK(list != NULL, err, RETORT_ERR_MEMORY, "out of memory: list of files");
    retort_status st = RETORT_OK;
    for (char *path = strtok_r(list, ",", &rest); path != NULL && st == RETORT_OK; path = strtok_r(NULL, ",", &rest)) {
        reading r = {importer, path, requests};
        st = rt_jsonl_read(path, import_line, &r, err);
    }
    rt_free(list);
    return st;
}

static retort_status import_all(rt_store *store, rt_importer *importer, retort_error *err) {
    const retort_store_options *o = importer->options;
    RT_CHECK(o->format != RETORT_STORE_OPENAI_RESULTS || o->requests != NULL, err, RETORT_ERR_USAGE,
             "batch results do not say what was asked; name the request files with the option 'requests'");
    importer->store = store;
    importer->requests = json_object();
    RT_CHECK(importer->requests != NULL, err, RETORT_ERR_MEMORY, "out of memory: requests");
    retort_status st = o->requests != NULL ? read_files(importer, o->requests, true, err) : RETORT_OK;
    if (st == RETORT_OK) st = rt_store_begin(store, err);
    if (st == RETORT_OK) {
        st = read_files(importer, o->import, false, err);
        if (st == RETORT_OK)
            st = rt_store_commit(store, err);
        else
            rt_store_rollback(store);
    }
    json_decref(importer->requests);
    return st;
}

/* ---- what is in it ---- */

static retort_status describe_totals(rt_store *store, json_t **out, retort_error *err) {
    rt_store_totals t;
    RT_TRY(rt_store_total(store, &t, err));
    *out = json_pack("{s:I,s:I,s:I,s:{s:I,s:I,s:I},s:I,s:I,s:I,s:f,s:I}", "responses", (json_int_t)t.responses,
                     "problems", (json_int_t)t.problems, "models", (json_int_t)t.models, "finish_reasons", "stop",
                     (json_int_t)t.stopped, "length", (json_int_t)t.cut, "other", (json_int_t)t.other, "prompt_tokens",
                     (json_int_t)t.prompt_tokens, "completion_tokens", (json_int_t)t.completion_tokens, "without_usage",
                     (json_int_t)t.without_usage, "cost", t.cost, "without_cost", (json_int_t)t.without_cost);
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory: totals");
    return RETORT_OK;
}

static retort_status describe_tables(rt_store *store, json_t *all, retort_error *err) {
    json_t *tables = json_object();
    retort_status st = RETORT_OK;
    for (int i = 0; i < RT_TABLES && st == RETORT_OK; i++) {
        int64_t count = 0;
        st = rt_table_count(store, (rt_table)i, &count, err);
        json_object_set_new(tables, rt_table_name((rt_table)i), json_integer(count));
    }
    const bool added = json_object_set_new(all, "rows", tables) == 0;
    RT_TRY(st);
    RT_CHECK(added, err, RETORT_ERR_MEMORY, "out of memory: totals");
    return RETORT_OK;
}

typedef struct listing {
    rt_store *store;
    json_t *runs, *figures;
} listing;

static json_t *real_or_null(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static retort_status list_metric(void *context, const rt_stored_metric *m, retort_error *err) {
    listing *l = context;
    json_t *figure = json_pack("{s:s,s:s,s:s,s:o,s:o,s:[o,o]}", "run", m->run, "name", m->name, "method", m->method,
                               "value", real_or_null(m->value), "n", m->n >= 0 ? json_integer(m->n) : json_null(),
                               "interval", real_or_null(m->low), real_or_null(m->high));
    RT_CHECK(json_array_append_new(l->figures, figure) == 0, err, RETORT_ERR_MEMORY, "out of memory: figures");
    return RETORT_OK;
}

static retort_status list_run(void *context, const rt_stored_manifest *m, retort_error *err) {
    listing *l = context;
    json_t *run = json_pack("{s:s,s:s,s:I}", "run", m->sha256, "command", m->kind, "created", (json_int_t)m->created);
    RT_CHECK(json_array_append_new(l->runs, run) == 0, err, RETORT_ERR_MEMORY, "out of memory: runs");
    return RETORT_OK;
}

static retort_status list_model(void *context, const rt_stored_model *m, retort_error *err) {
    json_t *model =
        json_pack("{s:s,s:I,s:I,s:I,s:I}", "model", m->model, "problems", (json_int_t)m->problems, "responses",
                  (json_int_t)m->responses, "right", (json_int_t)m->right, "scored", (json_int_t)m->scored);
    RT_CHECK(json_array_append_new(context, model) == 0, err, RETORT_ERR_MEMORY, "out of memory: models");
    return RETORT_OK;
}

static retort_status describe_runs(rt_store *store, json_t *all, retort_error *err) {
    json_t *models = json_array();
    listing l = {store, json_array(), json_array()};
    retort_status st = rt_store_each_model(store, list_model, models, err);
    if (st == RETORT_OK) st = rt_store_each_manifest(store, list_run, &l, err);
    if (st == RETORT_OK) st = rt_store_each_metric(store, NULL, list_metric, &l, err);
    int bad = json_object_set_new(all, "by_model", models);
    bad |= json_object_set_new(all, "runs", l.runs);
    bad |= json_object_set_new(all, "figures", l.figures);
    RT_TRY(st);
    RT_CHECK(bad == 0, err, RETORT_ERR_MEMORY, "out of memory: runs");
    return RETORT_OK;
}

static retort_status describe(rt_store *store, const rt_importer *importer, json_t **out, retort_error *err) {
    const retort_store_options *o = importer->options;
    RT_TRY(describe_totals(store, out, err));
    RT_TRY(describe_tables(store, *out, err));
    if (o->list) RT_TRY(describe_runs(store, *out, err));
    if (o->import == NULL) return RETORT_OK;
    json_t *imported = json_pack("{s:I,s:I,s:I}", "lines", (json_int_t)importer->lines, "taken",
                                 (json_int_t)importer->taken, "there_already", (json_int_t)importer->again);
    RT_CHECK(json_object_set_new(*out, "import", imported) == 0, err, RETORT_ERR_MEMORY, "out of memory: totals");
    return RETORT_OK;
}

static retort_status dump(const json_t *all, char **out, retort_error *err) {
    rt_buffer text = {0};
    const retort_status st = rt_json_dump(all, JSON_INDENT(2) | JSON_REAL_PRECISION(12), &text, err);
    *out = st == RETORT_OK ? strdup(text.data) : NULL; /* the caller frees with free */
    rt_buffer_free(&text);
    RT_TRY(st);
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory: totals");
    return RETORT_OK;
}

retort_status retort_store(const retort_store_options *options, char **out, retort_error *err) {
    rt_store *store = NULL;
    rt_importer importer = {.options = options};
    json_t *all = NULL;
    *out = NULL;
    /* Opening would make it. */
    RT_CHECK(options->import != NULL || rt_path_exists(options->store), err, RETORT_ERR_NOT_FOUND,
             "there is no store '%s'", options->store);
    RT_TRY(rt_store_open(options->store, &store, err));
    retort_status st = options->check ? rt_store_check(store, err) : RETORT_OK;
    if (st == RETORT_OK && options->import != NULL) st = import_all(store, &importer, err);
    if (st == RETORT_OK && options->export != NULL) st = export_all(store, options, err);
    if (st == RETORT_OK) st = describe(store, &importer, &all, err);
    if (st == RETORT_OK) st = dump(all, out, err);
    json_decref(all);
    rt_store_close(store);
    return st;
}
