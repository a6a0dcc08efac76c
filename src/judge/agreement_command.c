/* `retort agreement`: judgements from files and run stores in one table, and how far those who made them agree. */
#include <string.h>

#include "analyze/jsonout.h"
#include "analyze/responses.h"
#include "judge/summary.h"
#include "retort/judge.h"
#include "store/judgements.h"

#define ROW(name_, kind, ...)                                                                                          \
    { .name = #name_, .type = RETORT_OPTION_##kind, .offset = offsetof(retort_agreement_options, name_), __VA_ARGS__ }

const retort_option retort_agreement_option_table[] = {
    ROW(judgements, LIST, .argument = "FILES", .group = "Input", .required = true,
        .help =
            "Judgements: JSONL as `retort behaviors --output` writes it, and run stores with judgements or labels."),
    ROW(responses, LIST, .argument = "FILES",
        .help = "The responses that a run store's judgements are about, JSONL; needed for a store."),
    ROW(seed, INT, .default_value = "401", .argument = "N", .minimum = 0, .maximum = 1e9, .group = "Statistics",
        .help = "Seed of the bootstrap."),
    {0}};

typedef struct gathering {
    rt_behaviors behaviors; /* names only, in the order in which they came */
    rt_items items;         /* of files: names and numbers only */
    rt_names known;         /* "model\nproblem\nsample", numbered as the items */
    json_t *keys;           /* the items' keys in a store */
    rt_votes votes;
    const char *path;
    int64_t unknown; /* judgements of a store about other responses */
    char last[65];   /* the response key that was counted there */
} gathering;

static void release(gathering *g) {
    rt_behaviors_free(&g->behaviors);
    rt_items_free(&g->items);
    rt_names_free(&g->known);
    json_decref(g->keys);
    rt_votes_free(&g->votes);
}

static retort_status number_behavior(gathering *g, const char *name, int32_t *out, retort_error *err) {
    *out = rt_behaviors_find(&g->behaviors, name);
    if (*out >= 0) return RETORT_OK;
    RT_CHECK(g->behaviors.count < RT_MOST_JUDGED, err, RETORT_ERR_FORMAT, "'%s': more than %d different behaviours",
             g->path, (int)RT_MOST_JUDGED);
    rt_behavior *b = &g->behaviors.items[g->behaviors.count];
    *b = (rt_behavior){.name = rt_strdup(name)};
    RT_CHECK(b->name != NULL, err, RETORT_ERR_MEMORY, "out of memory: behaviours");
    *out = g->behaviors.count++;
    return RETORT_OK;
}

/* The item of this response, added if it is new. */
static retort_status number_item(gathering *g, const char *model, const char *problem, int64_t sample, int64_t *out,
                                 retort_error *err) {
    rt_buffer name = {0};
    rt_item item = {.sample = (int32_t)sample};
    int64_t at;
    RT_TRY(rt_buffer_printf(&name, err, "%s\n%s\n%lld", model, problem, (long long)sample));
    retort_status st = rt_names_number(&g->known, name.data, out, err);
    rt_buffer_free(&name);
    if (st != RETORT_OK || *out < g->items.count) return st;
    RT_TRY(rt_names_number(&g->items.models, model, &at, err));
    item.model = (int32_t)at;
    RT_TRY(rt_names_number(&g->items.problems, problem, &at, err));
    item.problem = (int32_t)at;
    return rt_items_push(&g->items, &item, err);
}

static rt_vote blank_vote(void) {
    rt_vote vote = {0};
    for (int b = 0; b < RT_MOST_JUDGED; b++) vote.counts[b] = RT_NOT_JUDGED;
    return vote;
}

/* ---- files ---- */

static retort_status take_counts(gathering *g, const json_t *object, const char *where, rt_vote *vote,
                                 retort_error *err) {
    const json_t *behaviors = json_object_get(object, "behaviors");
    const char *name;
    json_t *list;
    if (vote->status != RT_JUDGED_OK) return RETORT_OK;
    RT_CHECK(json_is_object(behaviors), err, RETORT_ERR_FORMAT, "%s: 'behaviors' is missing or no object", where);
    json_object_foreach((json_t *)(uintptr_t)behaviors, name, list) {
        int32_t b;
        RT_CHECK(json_is_array(list) && json_array_size(list) <= INT32_MAX, err, RETORT_ERR_FORMAT,
                 "%s: 'behaviors.%.60s' is no list", where, name);
        RT_TRY(number_behavior(g, name, &b, err));
        vote->counts[b] = (int32_t)json_array_size(list);
    }
    return RETORT_OK;
}

static retort_status take_line(void *context, json_t *object, size_t line, retort_error *err) {
    gathering *g = context;
    char where[600], digits[32];
    const char *model, *problem, *judge, *status, *version = "";
    long long sample = 0, number = 0;
    rt_vote vote = blank_vote();
    snprintf(where, sizeof where, "'%s' line %zu", g->path, line);
    RT_TRY(rt_json_string(object, "model", where, &model, err));
    RT_TRY(rt_response_problem(object, where, digits, &problem, err));
    RT_TRY(rt_json_string(object, "judge", where, &judge, err));
    RT_TRY(rt_json_string(object, "status", where, &status, err));
    if (json_object_get(object, "prompt_version") != NULL)
        RT_TRY(rt_json_string(object, "prompt_version", where, &version, err));
    if (json_object_get(object, "sample") != NULL)
        RT_TRY(rt_json_int(object, "sample", where, 0, INT32_MAX, &sample, err));
    if (json_object_get(object, "vote") != NULL) RT_TRY(rt_json_int(object, "vote", where, 0, 99, &number, err));
    RT_CHECK(rt_judged_parse(status, &vote.status), err, RETORT_ERR_FORMAT,
             "%s: 'status' is '%.40s', must be ok, unparsed or refused", where, status);
    vote.vote = (int32_t)number;
    RT_TRY(number_item(g, model, problem, sample, &vote.item, err));
    RT_TRY(rt_votes_judge(&g->votes, judge, version, &vote.judge, err));
    RT_TRY(take_counts(g, object, where, &vote, err));
    return rt_votes_add(&g->votes, &vote, err);
}

/* ---- stores ---- */

typedef struct responses {
    gathering *g;
    rt_items read;
} responses;

static retort_status note_key(void *context, const rt_item *item, int64_t index, retort_error *err) {
    const responses *r = context;
    int64_t number;
    (void)index;
    RT_TRY(number_item(r->g, r->read.models.items[item->model], r->read.problems.items[item->problem], item->sample,
                       &number, err));
    RT_CHECK(json_object_set_new(r->g->keys, item->key, json_integer(number)) == 0, err, RETORT_ERR_MEMORY,
             "out of memory: responses");
    return RETORT_OK;
}

/* Rows come by response, judge, version, vote and behaviour: those of one vote stand together. */
static retort_status take_row(void *context, const rt_stored_judgement *row, retort_error *err) {
    gathering *g = context;
    const json_t *at = json_object_get(g->keys, row->response_key);
    int32_t b;
    rt_vote vote = blank_vote();
    if (at == NULL) {
        g->unknown += strcmp(g->last, row->response_key) != 0;
        snprintf(g->last, sizeof g->last, "%s", row->response_key);
        return RETORT_OK;
    }
    RT_CHECK(rt_judged_parse(row->status, &vote.status) && row->vote < 100, err, RETORT_ERR_FORMAT,
             "'%s': a judgement with status '%.40s' and vote %lld", g->path, row->status, (long long)row->vote);
    vote.item = json_integer_value(at);
    vote.vote = (int32_t)row->vote;
    RT_TRY(rt_votes_judge(&g->votes, row->judge, row->prompt_version, &vote.judge, err));
    rt_vote *last = g->votes.count > 0 ? &g->votes.items[g->votes.count - 1] : NULL;
    if (last == NULL || last->item != vote.item || last->judge != vote.judge || last->vote != vote.vote) {
        RT_TRY(rt_votes_add(&g->votes, &vote, err));
        last = &g->votes.items[g->votes.count - 1];
    }
    if (row->behavior[0] == '\0' || row->status[0] != 'o') return RETORT_OK;
    RT_TRY(number_behavior(g, row->behavior, &b, err));
    last->counts[b] = (int32_t)(row->count < INT32_MAX ? row->count : INT32_MAX);
    g->votes.judges[last->judge].known |= (uint32_t)1 << b;
    return RETORT_OK;
}

static retort_status is_store(const char *path, bool *out, retort_error *err) {
    static const char MAGIC[] = "SQLite format 3";
    char start[sizeof MAGIC] = "";
    FILE *file = fopen(path, "rb");
    RT_CHECK(file != NULL, err, RETORT_ERR_NOT_FOUND, "cannot open '%s'", path);
    *out = fread(start, 1, sizeof start, file) == sizeof start && memcmp(start, MAGIC, sizeof MAGIC) == 0;
    fclose(file);
    return RETORT_OK;
}

static retort_status read_store(gathering *g, retort_error *err) {
    rt_store *store = NULL;
    RT_CHECK(json_object_size(g->keys) > 0, err, RETORT_ERR_USAGE,
             "'%s' is a run store: its judgements need --responses, the files that they are about", g->path);
    RT_TRY(rt_store_open(g->path, &store, err));
    const retort_status st = rt_store_each_judgement(store, NULL, take_row, g, err);
    rt_store_close(store);
    return st;
}

/* ---- the command ---- */

typedef retort_status (*file_reader)(gathering *g, const char *path, retort_error *err);

static retort_status read_judgements(gathering *g, const char *path, retort_error *err) {
    bool store = false;
    g->path = path;
    RT_TRY(is_store(path, &store, err));
    return store ? read_store(g, err) : rt_jsonl_read(path, take_line, g, err);
}

/* The responses are read into a set of their own, and only their names and keys kept. */
static retort_status read_responses(gathering *g, const char *path, retort_error *err) {
    responses r = {.g = g};
    const rt_items_reading reading = {.visit = note_key, .context = &r};
    const retort_status st = rt_items_read(path, &reading, &r.read, err);
    rt_items_free(&r.read);
    return st;
}

static retort_status each_file(gathering *g, const char *list, file_reader read, retort_error *err) {
    char *files = rt_strdup(list), *rest = NULL;
    RT_CHECK(files != NULL, err, RETORT_ERR_MEMORY, "out of memory: list of files");
    retort_status st = RETORT_OK;
    for (char *name = strtok_r(files, ",", &rest); name != NULL && st == RETORT_OK; name = strtok_r(NULL, ",", &rest))
        st = read(g, name, err);
    rt_free(files);
    return st;
}

static retort_status check_once(const gathering *g, retort_error *err) {
    for (int64_t i = 1; i < g->votes.count; i++) {
        const rt_vote *a = &g->votes.items[i - 1], *b = &g->votes.items[i];
        const rt_item *item = &g->items.items[a->item];
        RT_CHECK(a->item != b->item || a->judge != b->judge || a->vote != b->vote, err, RETORT_ERR_FORMAT,
                 "judge '%s' has judged sample %d of problem '%s' by '%s' twice; is a file named twice?",
                 g->votes.judges[a->judge].name, (int)item->sample, g->items.problems.items[item->problem],
                 g->items.models.items[item->model]);
    }
    return RETORT_OK;
}

/* Who judged how much. */
static json_t *judges_json(const gathering *g) {
    json_t *rows = json_array();
    for (int32_t j = 0; j < g->votes.judge_count; j++) {
        int64_t count = 0, status[3] = {0};
        for (int64_t i = 0; i < g->votes.count; i++) {
            if (g->votes.items[i].judge != j) continue;
            count++;
            status[g->votes.items[i].status]++;
        }
        json_array_append_new(rows, json_pack("{s:s, s:I, s:I, s:I, s:I, s:s}", "judge", g->votes.judges[j].name,
                                              "judgements", (json_int_t)count, "ok", (json_int_t)status[RT_JUDGED_OK],
                                              "unparsed", (json_int_t)status[RT_JUDGED_UNPARSED], "refused",
                                              (json_int_t)status[RT_JUDGED_REFUSED], "prompt_version",
                                              g->votes.judges[j].version));
    }
    return rows;
}

static retort_status gather(gathering *g, const retort_agreement_options *options, char **json, retort_error *err) {
    json_t *agreement = NULL;
    g->keys = json_object();
    RT_CHECK(g->keys != NULL, err, RETORT_ERR_MEMORY, "out of memory: agreement");
    if (options->responses != NULL) RT_TRY(each_file(g, options->responses, read_responses, err));
    RT_TRY(each_file(g, options->judgements, read_judgements, err));
    RT_CHECK(g->votes.count > 0, err, RETORT_ERR_FORMAT, "no judgement of these responses was found");
    rt_votes_sort(&g->votes);
    RT_TRY(check_once(g, err));
    const rt_judged_set set = {&g->items, &g->votes, &g->behaviors, (uint64_t)options->seed};
    RT_TRY(rt_agreement_json(&set, &agreement, err));
    json_t *result = json_pack("{s:I, s:I, s:o, s:o}", "responses", (json_int_t)g->items.count, "of_other_responses",
                               (json_int_t)g->unknown, "judges", judges_json(g), "agreement", agreement);
    return rt_json_result(result, json, err);
}

retort_status retort_agreement(const retort_agreement_options *options, char **json, retort_error *err) {
    *json = NULL;
    RT_TRY(retort_options_check(retort_agreement_option_table, options, err));
    gathering g = {0};
    rt_phrases_init(&g.behaviors.phrases);
    const retort_status st = gather(&g, options, json, err);
    release(&g);
    return st;
}
