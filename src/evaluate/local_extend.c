/* Responses of a shorter run that go on. */
#include <string.h>

#include "evaluate/local.h"

/* The text of a cut response must be what its tokens spell with this tokenizer. */
static retort_status check_begun(const rt_local *l, const rt_earlier *earlier, const rt_earlier_response *one,
                                 retort_error *err) {
    RT_CHECK(one->ids != NULL && one->tokens > 0, err, RETORT_ERR_FORMAT,
             "'%s' has a cut response without 'token_ids', from which nothing can go on", earlier->path);
    for (int64_t i = 0; i < one->tokens; i++)
        RT_CHECK(one->ids[i] < l->model.config.vocab_size, err, RETORT_ERR_FORMAT,
                 "'%s' has token id %d, which the model does not know", earlier->path, one->ids[i]);
    const rt_response response = {.ids = one->ids, .count = one->tokens, .finish = RT_FINISH_LENGTH};
    rt_buffer text = {0};
    retort_status st = rt_response_text(&l->model.config, l->tokenizer, &l->sampling, &response, &text, err);
    json_t *spelled = st == RETORT_OK ? rt_json_text(text.data != NULL ? text.data : "", text.length) : NULL;
    const bool same = spelled != NULL && json_equal(spelled, json_object_get(one->line, "text")) != 0;
    json_decref(spelled);
    rt_buffer_free(&text);
    RT_TRY(st);
    RT_CHECK(same, err, RETORT_ERR_FORMAT,
             "'%s' has a response whose 'token_ids' do not spell its 'text' with this model's tokenizer",
             earlier->path);
    return RETORT_OK;
}

/* A response that was finished before stays; its grades are given anew. */
static retort_status keep_finished(rt_taking *t, int64_t i, const rt_earlier_response *one, retort_error *err) {
    const rt_round *round = t->round;
    const rt_problem *asked = &round->problems->items[i / round->n];
    rt_response_set *set = &t->round->set;
    const rt_answered answered = {
        .problem = i / round->n, .sample = i % round->n, .tokens = one->tokens, .finish = RT_FINISH_STOP};
    rt_buffer text = {0};
    RT_TRY(rt_buffer_append(&text, one->text, one->length, err));
    retort_status st = rt_records_add(set, &answered, &text, &asked->question, t->local->what->grader, err);
    rt_buffer_free(&text);
    RT_TRY(st);
    rt_record *record = &set->records[set->count - 1];
    record->answer_tokens = json_integer_value(json_object_get(one->line, "answer_tokens"));
    if (t->file.stream == NULL) return RETORT_OK;
    const rt_line line = {
        .benchmark = round->benchmark, .model = t->local->what->name, .problem = asked, .record = record};
    return rt_line_write(&t->file, &line, err);
}

static retort_status take_extended(rt_taking *t, const rt_begun *begun, const rt_response *rest, retort_error *err) {
    const rt_round *round = t->round;
    int64_t at = 0;
    for (int64_t i = 0; i < round->begun->count; i++) {
        if (!round->begun->items[i].cut) {
            RT_TRY(keep_finished(t, i, &round->begun->items[i], err));
            continue;
        }
        rt_response whole;
        RT_TRY(rt_local_join(&begun[at], &rest[at], &whole, err));
        const retort_status st = rt_local_take(t, &t->round->set, i / round->n, i % round->n, &whole, whole.count, err);
        rt_free(whole.ids);
        RT_TRY(st);
        at++;
    }
    return RETORT_OK;
}

retort_status rt_local_extend(rt_taking *t, int64_t r, retort_error *err) {
    rt_local *l = t->local;
    rt_round *round = t->round;
    const rt_earlier *earlier = round->begun;
    rt_begun *begun = rt_malloc_array((size_t)earlier->count + 1, sizeof *begun);
    rt_response *rest = NULL;
    RT_CHECK(begun != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld responses", (long long)earlier->count);
    retort_status st = RETORT_OK;
    for (int64_t i = 0; i < earlier->count && st == RETORT_OK; i++) {
        const rt_earlier_response *one = &earlier->items[i];
        if (!one->cut) continue;
        st = check_begun(l, earlier, one, err);
        begun[round->extended++] = (rt_begun){&l->prompts[r][i / round->n], i % round->n, one->ids, one->tokens};
    }
    if (st == RETORT_OK)
        st = rt_continue(l->decoder, &l->model.config, l->tokenizer, begun, round->extended, &l->sampling, l->progress,
                         l->what->stage, &rest, err);
    if (st == RETORT_OK) st = take_extended(t, begun, rest, err);
    if (st == RETORT_OK) round->flops += rt_continue_flops(&l->model.config, begun, round->extended, rest);
    rt_responses_free(rest, rest != NULL ? round->extended : 0);
    rt_free(begun);
    return st;
}
