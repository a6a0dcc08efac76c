#include "report/run_store.h"

#include <errno.h>
#include <string.h>

#include "core/progress.h"
#include "store/judgements.h"
#include "store/problems.h"
#include "store/scores.h"

retort_status rt_run_is_store(const char *path, bool *out, retort_error *err) {
    static const char SQLITE[] = "SQLite format 3";
    char head[sizeof SQLITE] = {0};
    FILE *file = fopen(path, "rb");
    RT_CHECK(file != NULL, err, RETORT_ERR_IO, "cannot open '%s': %s", path, strerror(errno));
    size_t got = fread(head, 1, sizeof head, file);
    (void)fclose(file);
    *out = got == sizeof head && memcmp(head, SQLITE, sizeof SQLITE) == 0;
    return RETORT_OK;
}

/* A visit must not call the store it visits, so what belongs to a row is looked up through a second connection. */
typedef struct store_reader {
    rt_run_reader *reader;
    rt_store *lookup;
} store_reader;

static retort_status find_verdict(rt_store *store, const char *key, rt_record *record, retort_error *err) {
    static const rt_grader ORDER[] = {RT_GRADER_TOLERANT, RT_GRADER_STRICT};
    for (size_t i = 0; i < sizeof ORDER / sizeof ORDER[0] && !record->graded; i++) {
        rt_stored_score score;
        retort_status st = rt_store_get_score(store, key, rt_grader_name(ORDER[i]), &score, err);
        if (st == RETORT_ERR_NOT_FOUND) continue;
        RT_TRY(st);
        record->graded = rt_verdict_parse(score.verdict, &record->verdict);
        RT_CHECK(record->graded, err, RETORT_ERR_FORMAT, "'%s': a verdict '%.40s' is not known", rt_store_path(store),
                 score.verdict);
    }
    return RETORT_OK;
}

/* What a grader needs of the problem, with its statement under "problem"; NULL in *out where the store has none. */
static retort_status find_problem(rt_store *store, const char *id, json_t **out, retort_error *err) {
    rt_stored_problem problem;
    *out = NULL;
    retort_status st = rt_store_get_problem(store, id, &problem, err);
    if (st == RETORT_ERR_NOT_FOUND) return RETORT_OK;
    RT_TRY(st);
    if (problem.gold != NULL)
        RT_TRY(rt_json_parse(problem.gold, strlen(problem.gold), id, out, err));
    else
        *out = json_object();
    json_object_set_new(*out, "problem", json_string(problem.problem));
    return RETORT_OK;
}

static retort_status take_reply(const store_reader *store, const rt_stored_response *stored, rt_run_arrival *new,
                                retort_error *err) {
    rt_buffer text = {0};
    json_t *problem = NULL;
    retort_status st = rt_store_compose(stored, &text, err);
    if (st == RETORT_OK) st = find_verdict(store->lookup, stored->key, &new->record, err);
    if (st == RETORT_OK) st = find_problem(store->lookup, stored->problem_id, &problem, err);
    new->record.text = text.data;
    new->record.length = text.length;
    new->statement = json_string_value(json_object_get(problem, "problem"));
    if (st == RETORT_OK) st = rt_run_take(store->reader, new, problem, stored->problem_id, err);
    json_decref(problem);
    rt_buffer_free(&text);
    return st;
}

static retort_status read_reply(void *context, const rt_stored_response *stored, retort_error *err) {
    const store_reader *store = context;
    const rt_run_source *source = store->reader->source;
    RT_CHECK(!rt_interrupted(), err, RETORT_ERR_INTERRUPTED, "stopped; nothing was written");
    RT_CHECK(stored->sample >= 0 && stored->sample <= INT32_MAX, err, RETORT_ERR_FORMAT,
             "'%s': a reply to problem '%.60s' has the sample number %lld", source->path, stored->problem_id,
             (long long)stored->sample);
    rt_run_arrival new = {.model = source->model != NULL ? source->model : stored->model,
                          .benchmark = source->benchmark != NULL ? source->benchmark : "all",
                          .problem = stored->problem_id,
                          .has_tokens = stored->completion_tokens >= 0,
                          .has_finish = stored->finish_reason != NULL};
    bool cut = stored->finish_reason != NULL && strcmp(stored->finish_reason, "length") == 0;
    new.record = (rt_record){.sample = (int32_t)stored->sample,
                             .tokens = new.has_tokens ? stored->completion_tokens : 0,
                             .finish = cut ? RT_FINISH_LENGTH : RT_FINISH_STOP,
                             .verdict = RT_UNPARSED};
    return take_reply(store, stored, &new, err);
}

/* Two connections to one file; either both are open or none is. */
static retort_status open_both(const char *path, rt_store **visited, rt_store **lookup, retort_error *err) {
    RT_TRY(rt_store_open(path, visited, err));
    retort_status st = rt_store_open(path, lookup, err);
    if (st != RETORT_OK) rt_store_close(*visited);
    return st;
}

retort_status rt_run_store_read(rt_run_reader *reader, retort_error *err) {
    rt_store *visited;
    store_reader store = {.reader = reader};
    RT_TRY(open_both(reader->source->path, &visited, &store.lookup, err));
    retort_status st = rt_store_each(visited, read_reply, &store, err);
    rt_store_close(visited);
    rt_store_close(store.lookup);
    return st;
}

/* ---- judgements -------------------------------------------------------------------------------------------------- */

/* Rows of one vote come one behind another, a behaviour each: they are gathered into the form of a line of JSONL. */
typedef struct vote_gatherer {
    const rt_run_source *source;
    rt_store *lookup;
    rt_judgements *out;
    json_t *line;                /* the vote in work, or NULL */
    char *key, *judge, *version; /* whose it is */
    int64_t vote;
} vote_gatherer;

static void drop_vote(vote_gatherer *gatherer) {
    json_decref(gatherer->line);
    rt_free(gatherer->key);
    rt_free(gatherer->judge);
    rt_free(gatherer->version);
    gatherer->line = NULL;
    gatherer->key = gatherer->judge = gatherer->version = NULL;
}

static retort_status finish_vote(vote_gatherer *gatherer, retort_error *err) {
    retort_status st = RETORT_OK;
    if (gatherer->line != NULL) st = rt_judgement_add(gatherer->out, gatherer->line, gatherer->source->path, err);
    drop_vote(gatherer);
    return st;
}

/* A judgement of a reply that the store does not have says nothing about any response here. */
static retort_status begin_vote(vote_gatherer *gatherer, const rt_stored_judgement *row, retort_error *err) {
    rt_stored_response response;
    retort_status st = rt_store_get(gatherer->lookup, row->response_key, &response, err);
    if (st == RETORT_ERR_NOT_FOUND) return RETORT_OK;
    RT_TRY(st);
    const char *model = gatherer->source->model != NULL ? gatherer->source->model : response.model;
    gatherer->line =
        json_pack("{s:s, s:s, s:I, s:s, s:s, s:I, s:s, s:{}}", "model", model, "problem_id", response.problem_id,
                  "sample", (json_int_t)response.sample, "judge", row->judge, "prompt_version", row->prompt_version,
                  "vote", (json_int_t)row->vote, "status", row->status, "behaviors");
    gatherer->key = rt_strdup(row->response_key);
    gatherer->judge = rt_strdup(row->judge);
    gatherer->version = rt_strdup(row->prompt_version);
    gatherer->vote = row->vote;
    RT_CHECK(gatherer->line && gatherer->key && gatherer->judge && gatherer->version, err, RETORT_ERR_MEMORY,
             "out of memory: a judgement");
    return RETORT_OK;
}

static bool same_vote(const vote_gatherer *gatherer, const rt_stored_judgement *row) {
    return gatherer->line != NULL && gatherer->vote == row->vote && strcmp(gatherer->key, row->response_key) == 0 &&
           strcmp(gatherer->judge, row->judge) == 0 && strcmp(gatherer->version, row->prompt_version) == 0;
}

static retort_status gather_row(void *context, const rt_stored_judgement *row, retort_error *err) {
    vote_gatherer *gatherer = context;
    if (!same_vote(gatherer, row)) {
        RT_TRY(finish_vote(gatherer, err));
        RT_TRY(begin_vote(gatherer, row, err));
    }
    if (gatherer->line == NULL) return RETORT_OK;
    if (strcmp(row->status, "ok") != 0) json_object_set_new(gatherer->line, "status", json_string(row->status));
    if (row->behavior[0] == '\0') return RETORT_OK;
    json_t *spans;
    RT_TRY(rt_json_parse(row->spans, strlen(row->spans), gatherer->source->path, &spans, err));
    json_object_set_new(json_object_get(gatherer->line, "behaviors"), row->behavior, spans);
    return RETORT_OK;
}

retort_status rt_run_store_judgements(const rt_run_source *source, rt_judgements *out, retort_error *err) {
    rt_store *visited;
    vote_gatherer gatherer = {.source = source, .out = out};
    RT_TRY(open_both(source->path, &visited, &gatherer.lookup, err));
    retort_status st = rt_store_each_judgement(visited, NULL, gather_row, &gatherer, err);
    if (st == RETORT_OK) st = finish_vote(&gatherer, err);
    drop_vote(&gatherer);
    rt_store_close(visited);
    rt_store_close(gatherer.lookup);
    return st;
}
