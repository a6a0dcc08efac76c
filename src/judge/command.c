/* `retort behaviors`: judges in turn, their votes in one table, figures from it. */
#include <string.h>

#include "analyze/behavior_stats.h"
#include "analyze/jsonout.h"
#include "core/progress.h"
#include "judge/exact.h"
#include "judge/judgements.h"
#include "judge/llm.h"
#include "judge/rules.h"
#include "judge/summary.h"
#include "retort/judge.h"

typedef enum offline_judge { JUDGE_EXACT, JUDGE_RULES, OFFLINE_JUDGES } offline_judge;
static const char *const OFFLINE_NAMES[OFFLINE_JUDGES] = {"exact", "rules"};

typedef struct run {
    const retort_behaviors_options *options;
    const retort_progress *progress;
    rt_behaviors behaviors;
    rt_problems problems;
    rt_items items;
    rt_votes votes;
    bool wanted[OFFLINE_JUDGES], asked_for_exact;
    int32_t number[OFFLINE_JUDGES]; /* in votes.judges; -1: not yet */
    rt_rules_work work;
    rt_passages spans;
    rt_atomic_file output;
    rt_world_behaviors *counts; /* [items.count]: everything the grammar tells, of responses to the world's problems */
    int64_t worlds, counts_capacity;
    json_t *endpoint;
} run;

static void release(run *r) {
    rt_behaviors_free(&r->behaviors);
    rt_problems_free(&r->problems);
    rt_items_free(&r->items);
    rt_votes_free(&r->votes);
    rt_rules_work_free(&r->work);
    rt_passages_free(&r->spans);
    rt_free(r->counts);
    rt_atomic_abort(&r->output);
    json_decref(r->endpoint);
}

/* ---- offline judges, while the responses are read ---- */

static retort_status file_vote(run *r, offline_judge which, const rt_item *item, int64_t index, uint32_t known,
                               retort_error *err) {
    rt_vote vote = {.item = index};
    if (r->number[which] < 0) {
        char version[80];
        snprintf(version, sizeof version, "%s:%s", r->behaviors.name, r->behaviors.sha256);
        RT_TRY(rt_votes_judge(&r->votes, OFFLINE_NAMES[which], which == JUDGE_EXACT ? "world" : version,
                              &r->number[which], err));
    }
    vote.judge = r->number[which];
    rt_vote_count(&r->spans, &r->behaviors, known, &vote);
    RT_TRY(rt_votes_add(&r->votes, &vote, err));
    if (r->output.stream == NULL) return RETORT_OK;
    return rt_judgement_write(&r->output, &r->items, item, item->text, &r->behaviors, &r->votes.judges[vote.judge],
                              &vote, &r->spans, err);
}

static uint32_t known_to_rules(const rt_behaviors *behaviors) {
    uint32_t known = 0;
    for (int32_t b = 0; b < behaviors->count; b++)
        if (behaviors->items[b].rule_count > 0) known |= (uint32_t)1 << b;
    return known;
}

static retort_status count_world(run *r, const rt_item *item, int64_t index, retort_error *err) {
    if (index >= r->counts_capacity) {
        const int64_t capacity = index < 128 ? 256 : index * 2;
        rt_world_behaviors *grown = rt_realloc_array(r->counts, (size_t)capacity, sizeof *grown);
        RT_CHECK(grown != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld responses", (long long)capacity);
        r->counts = grown;
        r->counts_capacity = capacity;
    }
    rt_world_behaviors_count(&item->question, item->text, item->length, &r->counts[index]);
    r->spans.count = 0;
    RT_TRY(rt_exact_judge(&r->behaviors, &item->question, item->text, item->length, &r->spans, err));
    return file_vote(r, JUDGE_EXACT, item, index, rt_exact_known(&r->behaviors), err);
}

static retort_status judge_offline(void *context, const rt_item *item, int64_t index, retort_error *err) {
    run *r = context;
    RT_CHECK(!rt_interrupted(), err, RETORT_ERR_INTERRUPTED, "interrupted; nothing was written");
    r->worlds += item->world;
    RT_CHECK(item->world || !r->asked_for_exact, err, RETORT_ERR_USAGE,
             "the exact judge is for problems of the embedded world, and '%s' is none",
             r->items.problems.items[item->problem]);
    if (r->wanted[JUDGE_EXACT] && item->world) RT_TRY(count_world(r, item, index, err));
    if (r->wanted[JUDGE_RULES]) {
        r->spans.count = 0;
        RT_TRY(rt_rules_judge(&r->behaviors, item->text, item->length, &r->work, &r->spans, err));
        RT_TRY(file_vote(r, JUDGE_RULES, item, index, known_to_rules(&r->behaviors), err));
    }
    return RETORT_OK;
}

static retort_status read_judges(run *r, retort_error *err) {
    const char *list = r->options->judges;
    for (int j = 0; j < OFFLINE_JUDGES; j++) {
        r->wanted[j] = list == NULL;
        r->number[j] = -1;
    }
    while (list != NULL && *list != '\0') {
        const size_t length = strcspn(list, ",");
        bool known = length == 4 && strncmp(list, "none", 4) == 0;
        for (int j = 0; j < OFFLINE_JUDGES; j++)
            if (strlen(OFFLINE_NAMES[j]) == length && strncmp(OFFLINE_NAMES[j], list, length) == 0)
                known = r->wanted[j] = true;
        RT_CHECK(known, err, RETORT_ERR_USAGE, "there is no judge '%.*s'; exact, rules and none are", (int)length,
                 list);
        list += length;
        list += *list == ',';
    }
    r->asked_for_exact = r->options->judges != NULL && r->wanted[JUDGE_EXACT];
    return RETORT_OK;
}

static retort_status read_responses(run *r, retort_error *err) {
    const retort_behaviors_options *o = r->options;
    const bool model = o->endpoint.base_url != NULL;
    if (o->problems != NULL) RT_TRY(rt_problems_read(o->problems, &r->problems, err));
    const rt_items_reading reading = {.problems = o->problems != NULL ? &r->problems : NULL,
                                      .keep_texts = model,
                                      .visit = judge_offline,
                                      .context = r};
    char *files = rt_strdup(o->responses), *rest = NULL;
    RT_CHECK(files != NULL, err, RETORT_ERR_MEMORY, "out of memory: list of files");
    retort_status st = RETORT_OK;
    for (char *name = strtok_r(files, ",", &rest); name != NULL && st == RETORT_OK; name = strtok_r(NULL, ",", &rest))
        st = rt_items_read(name, &reading, &r->items, err);
    rt_free(files);
    if (st == RETORT_OK && r->items.count == 0) st = rt_fail(err, RETORT_ERR_USAGE, "no responses file was named");
    return st;
}

/* ---- a language model ---- */

static retort_status file_model_vote(void *context, const rt_item *item, const rt_judge *judge, const rt_vote *vote,
                                     const rt_passages *spans, retort_error *err) {
    run *r = context;
    if (r->output.stream == NULL) return RETORT_OK;
    return rt_judgement_write(&r->output, &r->items, item, item->text, &r->behaviors, judge, vote, spans, err);
}

static retort_status judge_by_model(run *r, retort_error *err) {
    if (r->options->endpoint.base_url == NULL) return RETORT_OK;
    const rt_llm_judging judging = {
        .options = r->options, .items = &r->items, .behaviors = &r->behaviors, .visit = file_model_vote, .context = r};
    return rt_llm_judge(&judging, r->progress, &r->votes, &r->endpoint, err);
}

/* ---- the result ---- */

/* Adds "counts" to each model: all that the world's grammar tells. */
static retort_status add_world_counts(const run *r, json_t *models, retort_error *err) {
    const int64_t problems = r->items.problems.count;
    rt_behavior_sums *sums = rt_malloc_array((size_t)problems, sizeof *sums);
    RT_CHECK(sums != NULL, err, RETORT_ERR_MEMORY, "out of memory: behaviours of %lld problems", (long long)problems);
    retort_status st = RETORT_OK;
    for (int32_t m = 0; m < r->items.models.count && st == RETORT_OK; m++) {
        json_t *counts = NULL;
        memset(sums, 0, (size_t)problems * sizeof *sums);
        for (int64_t i = 0; i < r->items.count; i++)
            if (r->items.items[i].model == m) rt_behavior_sums_add(&sums[r->items.items[i].problem], &r->counts[i]);
        st = rt_behavior_sums_json(sums, problems, (uint64_t)r->options->seed, &counts, err);
        if (st == RETORT_OK) json_object_set_new(json_array_get(models, (size_t)m), "counts", counts);
    }
    rt_free(sums);
    return st;
}

static retort_status result_of(run *r, char **json, retort_error *err) {
    const rt_judged_set set = {&r->items, &r->votes, &r->behaviors, (uint64_t)r->options->seed};
    json_t *models = NULL, *agreement = NULL;
    rt_votes_sort(&r->votes);
    RT_TRY(rt_summary_json(&set, &models, err));
    retort_status st = RETORT_OK;
    if (r->worlds == r->items.count && r->wanted[JUDGE_EXACT]) st = add_world_counts(r, models, err);
    if (st == RETORT_OK) st = rt_agreement_json(&set, &agreement, err);
    if (st != RETORT_OK) {
        json_decref(models);
        return st;
    }
    json_t *result = json_pack("{s:s, s:s, s:o, s:o}", "behaviors", r->behaviors.name, "sha256", r->behaviors.sha256,
                               "models", models, "agreement", agreement);
    if (r->endpoint != NULL) json_object_set(result, "endpoint", r->endpoint);
    return rt_json_result(result, json, err);
}

static retort_status judge_all(run *r, char **json, retort_error *err) {
    RT_TRY(rt_behaviors_load(r->options->behaviors, &r->behaviors, err));
    RT_TRY(read_judges(r, err));
    RT_TRY(rt_llm_check(r->options, err));
    if (r->options->output != NULL) RT_TRY(rt_atomic_open(&r->output, r->options->output, err));
    RT_TRY(read_responses(r, err));
    RT_TRY(judge_by_model(r, err));
    RT_CHECK(r->votes.count > 0 || r->options->endpoint.dry_run, err, RETORT_ERR_USAGE,
             "nobody judges: name a judge, or an endpoint with base_url");
    RT_TRY(result_of(r, json, err));
    return r->output.stream != NULL ? rt_atomic_commit(&r->output, err) : RETORT_OK;
}

retort_status retort_behaviors(const retort_behaviors_options *options, const retort_progress *progress, char **json,
                               retort_error *err) {
    *json = NULL;
    RT_TRY(retort_options_check(retort_behaviors_option_table, options, err));
    run r = {.options = options, .progress = progress};
    retort_status st = judge_all(&r, json, err);
    if (st != RETORT_OK && *json != NULL) {
        rt_free(*json);
        *json = NULL;
    }
    release(&r);
    return st;
}
