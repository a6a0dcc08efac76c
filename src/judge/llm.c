#include "judge/llm.h"

#include <string.h>
#include <time.h>

#include "analyze/jsonout.h"
#include "ask/ask.h"
#include "ask/endpoint.h"
#include "core/progress.h"
#include "judge/judgements.h"
#include "judge/prompt.h"
#include "judge/reply.h"
#include "judge/segments.h"
#include "store/judgements.h"

typedef struct judging { /* by one model */
    const rt_llm_judging *task;
    const char *model;
    rt_prompt prompt;
    json_t *extra;
    rt_store *store;
    int64_t *first; /* [items + 1]: number of each response's first segment */
    rt_buffer message;
    char id[300];
    int32_t judge; /* in the votes */
    int64_t replies[RT_REPLY_FAULTS];
    rt_quote_counts quotes;
} judging;

/* ---- questions: segment by segment, vote by vote ---- */

typedef struct question {
    int64_t item, segment, segments, vote;
    rt_segment part;
} question;

static question question_at(const judging *j, int64_t q) {
    const retort_behaviors_options *o = j->task->options;
    const int64_t number = q / o->votes;
    int64_t low = 0, high = j->task->items->count - 1;
    while (low < high) { /* the last response that begins at or before it */
        const int64_t middle = (low + high + 1) / 2;
        if (j->first[middle] <= number)
            low = middle;
        else
            high = middle - 1;
    }
    const rt_item *item = &j->task->items->items[low];
    question out = {low, number - j->first[low], j->first[low + 1] - j->first[low], q % o->votes, {0, 0}};
    rt_segment_at(item->text, item->length, (size_t)o->segment, (size_t)o->overlap, out.segment, &out.part);
    return out;
}

static retort_status write_question(void *context, int64_t q, rt_buffer *body, char key[65], retort_error *err) {
    judging *j = context;
    const retort_behaviors_options *o = j->task->options;
    const question at = question_at(j, q);
    const rt_item *item = &j->task->items->items[at.item];
    char check[13];
    rt_buffer_clear(body);
    rt_buffer_clear(&j->message);
    rt_prompt_check(&j->prompt, item->key, at.segment, check);
    /* A completion has no system message: both parts are one text there. */
    if (o->endpoint.api != RETORT_API_CHAT) RT_TRY(rt_buffer_printf(&j->message, err, "%s\n", j->prompt.system.data));
    RT_TRY(rt_prompt_write(&j->prompt, item->text + at.part.begin, at.part.end - at.part.begin, check, at.segment,
                           at.segments, &j->message, err));
    const rt_ask ask = {.chat = o->endpoint.api == RETORT_API_CHAT,
                        .stream = o->endpoint.stream,
                        .model = j->model,
                        .system = j->prompt.system.data,
                        .prompt = j->message.data,
                        .max_tokens = o->max_tokens,
                        .temperature = o->temperature,
                        .top_p = o->top_p,
                        .seed = o->seed + at.vote,
                        .extra = j->extra};
    RT_TRY(rt_ask_write(&ask, body, err));
    return rt_ask_key(&ask, item->key, at.vote, key, err);
}

static const char *id_of(void *context, int64_t q) {
    judging *j = context;
    const question at = question_at(j, q);
    const rt_items *items = j->task->items;
    snprintf(j->id, sizeof j->id, "judge/%.200s/%lld", items->problems.items[items->items[at.item].problem],
             (long long)at.segment);
    return j->id;
}

static int64_t sample_of(void *context, int64_t q) {
    return question_at(context, q).vote;
}

static retort_status number_segments(judging *j, retort_error *err) {
    const rt_items *items = j->task->items;
    j->first = rt_malloc_array((size_t)items->count + 1, sizeof *j->first);
    RT_CHECK(j->first != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld responses", (long long)items->count);
    j->first[0] = 0;
    for (int64_t i = 0; i < items->count; i++) {
        rt_segment *parts = NULL;
        int64_t count = 0;
        RT_TRY(rt_segments_cut(items->items[i].text, items->items[i].length, (size_t)j->task->options->segment,
                               (size_t)j->task->options->overlap, &parts, &count, err));
        rt_free(parts);
        j->first[i + 1] = j->first[i] + count;
    }
    return RETORT_OK;
}

/* ---- replies ---- */

/* One segment's reply; its passages go behind those that are there, in bytes of the response. */
static retort_status read_segment(judging *j, int64_t q, rt_passages *all, rt_reply_fault *fault, retort_error *err) {
    const question at = question_at(j, q);
    const rt_item *item = &j->task->items->items[at.item];
    rt_buffer body = {0};
    char key[65], check[13];
    rt_stored_response reply;
    rt_passages found = {0};
    rt_quote_counts counts;
    retort_status st = write_question(j, q, &body, key, err);
    rt_buffer_free(&body);
    RT_TRY(st);
    st = rt_store_get(j->store, key, &reply, err);
    RT_CHECK(st != RETORT_ERR_NOT_FOUND, err, RETORT_ERR_IO, "the reply about '%s' is missing from the store",
             id_of(j, q));
    RT_TRY(st);
    rt_prompt_check(&j->prompt, item->key, at.segment, check);
    const rt_reply_reading reading = {j->task->behaviors, check, item->text + at.part.begin,
                                      at.part.end - at.part.begin};
    st =
        rt_judge_reply_read(&reading, reply.text, strlen(reply.text), reply.finish_reason, &found, &counts, fault, err);
    for (size_t i = 0; i < found.count && st == RETORT_OK; i++) {
        const rt_passage p = found.items[i];
        st = rt_passages_add(all, (rt_passage){p.behavior, p.begin + at.part.begin, p.end + at.part.begin}, err);
    }
    rt_passages_free(&found);
    j->replies[*fault]++;
    j->quotes.exact += counts.exact;
    j->quotes.normal += counts.normal;
    j->quotes.rejected += counts.rejected;
    return st;
}

/* A vote is read where all its segments are; a refusal of one is a refusal. */
static retort_status read_vote(judging *j, int64_t item, int64_t vote, rt_vote *out, rt_passages *passages,
                               retort_error *err) {
    *out = (rt_vote){.item = item, .judge = j->judge, .vote = (int32_t)vote, .status = RT_JUDGED_OK};
    passages->count = 0;
    for (int64_t s = j->first[item]; s < j->first[item + 1]; s++) {
        rt_reply_fault fault;
        RT_TRY(read_segment(j, s * j->task->options->votes + vote, passages, &fault, err));
        const rt_judged judged = rt_reply_judged(fault);
        if (judged > out->status) out->status = judged;
    }
    if (out->status != RT_JUDGED_OK) passages->count = 0;
    rt_passages_merge(passages);
    rt_vote_count(passages, j->task->behaviors, UINT32_MAX, out);
    return RETORT_OK;
}

static retort_status store_vote(judging *j, const rt_item *item, const rt_vote *vote, const rt_passages *passages,
                                retort_error *err) {
    json_t *all = rt_judgement_spans(item->text, j->task->behaviors, vote, passages);
    retort_status st = RETORT_OK;
    for (int32_t b = 0; b < j->task->behaviors->count && st == RETORT_OK; b++) {
        const char *name = j->task->behaviors->items[b].name;
        const json_t *list = json_object_get(all, name);
        rt_buffer text = {0};
        st = list != NULL ? rt_json_dump(list, JSON_COMPACT, &text, err) : rt_buffer_puts(&text, "[]", err);
        const rt_stored_judgement row = {.response_key = item->key,
                                         .judge = j->model,
                                         .prompt_version = j->prompt.version,
                                         .vote = vote->vote,
                                         .behavior = name,
                                         .status = rt_judged_name(vote->status),
                                         .count = (int64_t)json_array_size(list),
                                         .spans = text.data,
                                         .created = time(NULL)};
        if (st == RETORT_OK) st = rt_store_put_judgement(j->store, &row, err);
        rt_buffer_free(&text);
    }
    json_decref(all);
    return st;
}

static retort_status read_response(judging *j, int64_t i, rt_passages *passages, rt_votes *votes, retort_error *err) {
    const rt_item *item = &j->task->items->items[i];
    for (int64_t v = 0; v < j->task->options->votes; v++) {
        rt_vote vote;
        RT_TRY(read_vote(j, i, v, &vote, passages, err));
        RT_TRY(rt_votes_add(votes, &vote, err));
        RT_TRY(store_vote(j, item, &vote, passages, err));
        RT_TRY(j->task->visit(j->task->context, item, &votes->judges[j->judge], &vote, passages, err));
    }
    return RETORT_OK;
}

static retort_status read_all(judging *j, rt_votes *votes, retort_error *err) {
    rt_passages passages = {0};
    RT_TRY(rt_votes_judge(votes, j->model, j->prompt.version, &j->judge, err));
    retort_status st = rt_store_begin(j->store, err);
    for (int64_t i = 0; i < j->task->items->count && st == RETORT_OK; i++)
        st = rt_interrupted() ? rt_fail(err, RETORT_ERR_INTERRUPTED, "interrupted; the replies are in the store")
                              : read_response(j, i, &passages, votes, err);
    if (st == RETORT_OK) st = rt_store_commit(j->store, err);
    if (st != RETORT_OK) rt_store_rollback(j->store);
    rt_passages_free(&passages);
    return st;
}

/* ---- the account ---- */

static json_t *account_json(const judging *j, const rt_ask_account *a, bool dry_run) {
    json_t *out = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "judge", j->model, "prompt_version", j->prompt.version,
                            "asked", (json_int_t)a->asked, "reused", (json_int_t)a->reused, "prompt_tokens",
                            (json_int_t)a->prompt_tokens, "completion_tokens", (json_int_t)a->completion_tokens);
    if (dry_run) {
        json_object_set_new(out, "estimated_tokens", json_integer(a->estimated_tokens));
        rt_json_set_real(out, "estimated_cost", a->estimated_cost >= 0 ? a->estimated_cost : -1);
        return out;
    }
    rt_json_set_real(out, "cost", a->cost);
    json_t *replies = json_object();
    for (int f = 0; f < RT_REPLY_FAULTS; f++)
        json_object_set_new(replies, rt_reply_fault_name((rt_reply_fault)f), json_integer(j->replies[f]));
    json_object_set_new(out, "replies", replies);
    json_object_set_new(out, "quotes",
                        json_pack("{s:I, s:I, s:I}", "exact", (json_int_t)j->quotes.exact, "normalised",
                                  (json_int_t)j->quotes.normal, "rejected", (json_int_t)j->quotes.rejected));
    return out;
}

static retort_status ask_and_read(judging *j, const retort_progress *progress, rt_votes *votes, json_t *accounts,
                                  retort_error *err) {
    const retort_behaviors_options *o = j->task->options;
    retort_endpoint_options endpoint = o->endpoint;
    rt_ask_account account = {0};
    endpoint.model = (char *)(uintptr_t)j->model;
    RT_TRY(number_segments(j, err));
    const rt_ask_source source = {.count = j->first[j->task->items->count] * o->votes,
                                  .write = write_question,
                                  .id = id_of,
                                  .sample = sample_of,
                                  .context = j};
    RT_TRY(rt_ask_all(&endpoint, &source, j->store, "judge", progress, &account, err));
    if (!endpoint.dry_run) RT_TRY(read_all(j, votes, err));
    RT_CHECK(json_array_append_new(accounts, account_json(j, &account, endpoint.dry_run)) == 0, err, RETORT_ERR_MEMORY,
             "out of memory: account");
    return RETORT_OK;
}

static retort_status judge_as(const rt_llm_judging *task, const char *model, rt_store *store,
                              const retort_progress *progress, rt_votes *votes, json_t *accounts, retort_error *err) {
    judging j = {.task = task, .model = model, .store = store};
    RT_TRY(rt_prompt_load(task->options->prompt, task->behaviors, &j.prompt, err));
    retort_status st = rt_ask_extra(task->options->endpoint.extra_body, &j.extra, err);
    if (st == RETORT_OK) st = ask_and_read(&j, progress, votes, accounts, err);
    rt_prompt_free(&j.prompt);
    json_decref(j.extra);
    rt_free(j.first);
    rt_buffer_free(&j.message);
    return st;
}

retort_status rt_llm_check(const retort_behaviors_options *o, retort_error *err) {
    if (o->endpoint.base_url == NULL) {
        RT_CHECK(o->endpoint.model == NULL && o->store == NULL, err, RETORT_ERR_USAGE,
                 "'%s' is for a judge at an endpoint; name it with base_url", o->store != NULL ? "store" : "model");
        return RETORT_OK;
    }
    RT_CHECK(o->endpoint.model != NULL, err, RETORT_ERR_USAGE, "base_url needs the option 'model': who judges");
    RT_CHECK(o->store != NULL, err, RETORT_ERR_USAGE,
             "base_url needs the option 'store': the file that keeps every reply, so that none is paid for twice");
    RT_CHECK(o->overlap * 2 <= o->segment, err, RETORT_ERR_USAGE, "'overlap' is %lld, more than half of segment %lld",
             (long long)o->overlap, (long long)o->segment);
    RT_CHECK(o->votes == 1 || o->temperature > 0, err, RETORT_ERR_USAGE,
             "%lld votes at temperature 0 would be one vote counted often; set a temperature", (long long)o->votes);
    return RETORT_OK;
}

retort_status rt_llm_judge(const rt_llm_judging *task, const retort_progress *progress, rt_votes *votes,
                           json_t **account, retort_error *err) {
    rt_store *store = NULL;
    char *models = rt_strdup(task->options->endpoint.model), *rest = NULL;
    RT_CHECK(models != NULL, err, RETORT_ERR_MEMORY, "out of memory: judges");
    json_t *accounts = json_array();
    retort_status st = rt_store_open(task->options->store, &store, err);
    for (char *name = strtok_r(models, ",", &rest); name != NULL && st == RETORT_OK; name = strtok_r(NULL, ",", &rest))
        st = judge_as(task, name, store, progress, votes, accounts, err);
    rt_store_close(store);
    rt_free(models);
    if (st == RETORT_OK)
        *account = accounts;
    else
        json_decref(accounts);
    return st;
}
