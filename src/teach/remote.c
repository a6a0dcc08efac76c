/* The order of things: what is there already is read in, what is missing is asked for, and when all is in the store the
 * traces are written. */
#include "teach/remote.h"

#include <math.h>
#include <time.h>

#include "ask/ask.h"
#include "ask/keep.h"
#include "store/metrics.h"
#include "teach/batch.h"
#include "teach/import.h"
#include "teach/questions.h"
#include "teach/traces.h"

bool rt_teach_is_remote(const retort_teach_options *o) {
    return o->endpoint.base_url != NULL || o->batch_requests != NULL || o->batch_results != NULL ||
           o->import_traces != NULL;
}

static retort_status check_options(const retort_teach_options *o, retort_error *err) {
    const bool batch = o->batch_requests != NULL || o->batch_results != NULL;
    const char *who = o->endpoint.base_url != NULL ? "base_url"
                      : o->import_traces != NULL   ? "import_traces"
                      : o->batch_results != NULL   ? "batch_results"
                                                   : "batch_requests";
    RT_CHECK(o->store != NULL, err, RETORT_ERR_USAGE,
             "%s needs the option 'store': the file that keeps every reply, so that none is paid for twice", who);
    RT_CHECK(o->import_traces == NULL || (!batch && o->endpoint.base_url == NULL), err, RETORT_ERR_USAGE,
             "import_traces takes the place of a teacher; leave out base_url, batch_requests and batch_results");
    RT_CHECK(!batch || o->endpoint.model != NULL, err, RETORT_ERR_USAGE,
             "%s needs the option 'model': what the API calls it", who);
    return RETORT_OK;
}

/* ---- the run in the store ---- */

static retort_status put_metric(rt_store *store, const char *run, const char *name, int64_t value, retort_error *err) {
    const rt_stored_metric metric = {.run = run,
                                     .name = name,
                                     .method = "",
                                     .value = (double)value,
                                     .n = -1,
                                     .low = (double)NAN,
                                     .high = (double)NAN,
                                     .created = time(NULL)};
    return rt_store_put_metric(store, &metric, err);
}

static retort_status put_run(const retort_teach_options *options, const retort_teach_account *a, rt_store *store,
                             retort_error *err) {
    char run[65];
    const struct {
        const char *name;
        int64_t value;
    } figures[] = {{"traces", a->traces},     {"right", a->right},       {"wrong", a->wrong},
                   {"unparsed", a->unparsed}, {"left_out", a->left_out}, {"missing", a->missing}};
    RT_TRY(rt_ask_put_manifest(store, "teach", retort_teach_option_table, options, options->problems, run, err));
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        RT_TRY(put_metric(store, run, figures[i].name, figures[i].value, err));
    return RETORT_OK;
}

static retort_status finish(const retort_teach_options *options, const rt_trace_list *list, rt_store *store,
                            retort_teach_account *account, retort_error *err) {
    RT_TRY(rt_traces_write(options, list, store, account, err));
    RT_TRY(rt_store_begin(store, err));
    const retort_status st = put_run(options, account, store, err);
    if (st == RETORT_OK) return rt_store_commit(store, err);
    rt_store_rollback(store);
    return st;
}

/* ---- questions ---- */

static retort_status write_question(void *context, int64_t q, rt_buffer *body, char key[65], retort_error *err) {
    return rt_questions_write(context, q, body, key, err);
}

static const char *id_of(void *context, int64_t q) {
    return rt_questions_problem(context, q)->id;
}

static int64_t sample_of(void *context, int64_t q) {
    return rt_questions_sample(context, q);
}

static retort_status list_entries(const rt_questions *questions, rt_trace_list *list, retort_error *err) {
    rt_buffer body = {0};
    retort_status st = RETORT_OK;
    list->entries = rt_calloc((size_t)questions->count, sizeof *list->entries);
    RT_CHECK(list->entries != NULL, err, RETORT_ERR_MEMORY, "out of memory: list of traces");
    for (int64_t q = 0; q < questions->count && st == RETORT_OK; q++) {
        rt_trace_entry *entry = &list->entries[list->count++];
        entry->problem = rt_questions_problem(questions, q) - questions->problems->items;
        entry->sample = rt_questions_sample(questions, q);
        st = rt_questions_write(questions, q, &body, entry->key, err);
    }
    rt_buffer_free(&body);
    return st;
}

/* Without an endpoint: are all replies there? */
static retort_status count_missing(const rt_trace_list *list, rt_store *store, retort_teach_account *account,
                                   int64_t *missing, retort_error *err) {
    *missing = 0;
    for (int64_t i = 0; i < list->count; i++) {
        bool has;
        RT_TRY(rt_store_has(store, list->entries[i].key, &has, err));
        account->endpoint.reused += has;
        *missing += !has;
    }
    return RETORT_OK;
}

static retort_status ask_and_write(rt_questions *questions, rt_store *store, rt_trace_list *list,
                                   const retort_progress *progress, retort_teach_account *account,
                                   rt_findings *findings, retort_error *err) {
    const retort_teach_options *o = questions->options;
    const rt_ask_source source = {
        .count = questions->count, .write = write_question, .id = id_of, .sample = sample_of, .context = questions};
    if (o->batch_results != NULL) RT_TRY(rt_batch_read(questions, store, account, findings, err));
    if (o->batch_requests != NULL) RT_TRY(rt_batch_write(questions, store, account, err));
    if (o->endpoint.base_url != NULL) {
        const rt_ask_account read = account->endpoint;
        RT_TRY(rt_ask_all(&o->endpoint, &source, store, "teach", progress, &account->endpoint, err));
        if (account->endpoint.cost >= 0 && read.cost > 0) account->endpoint.cost += read.cost;
        account->endpoint.cut += read.cut;
        account->endpoint.without_usage += read.without_usage;
        account->endpoint.prompt_tokens += read.prompt_tokens;
        account->endpoint.completion_tokens += read.completion_tokens;
        if (o->endpoint.dry_run) return RETORT_OK;
    }
    RT_TRY(list_entries(questions, list, err));
    if (o->endpoint.base_url == NULL) {
        int64_t missing;
        if (o->batch_results == NULL) account->endpoint.cost = -1;
        RT_TRY(count_missing(list, store, account, &missing, err));
        if (missing > 0 && o->batch_requests != NULL) return RETORT_OK; /* they are written down; results come later */
        RT_CHECK(missing == 0, err, RETORT_ERR_IO,
                 "%lld of %lld replies are missing in '%s'; write them down with batch_requests, or give a base_url",
                 (long long)missing, (long long)list->count, o->store);
    }
    return finish(o, list, store, account, err);
}

/* ---- the whole ---- */

static retort_status run(const retort_teach_options *options, rt_questions *questions, rt_store *store,
                         rt_trace_list *list, int64_t count, const retort_progress *progress,
                         retort_teach_account *account, rt_findings *findings, retort_error *err) {
    if (!options->endpoint.dry_run) RT_TRY(rt_ask_put_problems(store, list->problems, count, options->problems, err));
    if (options->import_traces == NULL) return ask_and_write(questions, store, list, progress, account, findings, err);
    account->endpoint.cost = -1;
    RT_TRY(rt_import_traces(options, count, store, list, account, findings, err));
    return finish(options, list, store, account, err);
}

retort_status rt_teach_remote(const retort_teach_options *options, const rt_problems *problems, int64_t count,
                              const retort_progress *progress, retort_teach_account *account, rt_findings *findings,
                              retort_error *err) {
    rt_questions questions = {0};
    rt_trace_list list = {.problems = problems};
    rt_store *store = NULL;
    RT_TRY(check_options(options, err));
    RT_TRY(rt_questions_create(options, problems, count, &questions, err));
    retort_status st = rt_store_open(options->store, &store, err);
    if (st == RETORT_OK) st = run(options, &questions, store, &list, count, progress, account, findings, err);
    rt_store_close(store);
    rt_free(list.entries);
    rt_questions_release(&questions);
    return st;
}
