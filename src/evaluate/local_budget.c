/* Thoughts closed at a budget, and what the model answers then. */
#include <string.h>

#include "evaluate/budget.h"
#include "evaluate/local.h"

/* The responses at one budget: those that it closes go on behind the closing text, the others stay. */
typedef struct closing {
    rt_begun *begun; /* [count] */
    int32_t *ids;    /* their tokens: the thought and what closes it */
    int64_t count;
    int64_t *of; /* [responses] index into begun, or -1 */
} closing;

static retort_status close_thoughts(const rt_local *l, int64_t r, const rt_response *responses, int64_t budget,
                                    closing *c, retort_error *err) {
    const rt_round *round = &l->rounds[r];
    const int64_t total = round->problems->count * round->n, length = budget + l->close.count;
    *c = (closing){.of = rt_malloc_array((size_t)total, sizeof *c->of)};
    RT_CHECK(c->of != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld responses", (long long)total);
    for (int64_t i = 0; i < total; i++)
        c->of[i] = rt_budget_closes(l->tokenizer, &responses[i], budget) ? c->count++ : -1;
    size_t ids;
    c->begun = rt_malloc_array((size_t)c->count + 1, sizeof *c->begun);
    c->ids = rt_mul_overflow((size_t)c->count, (size_t)length, &ids) ? NULL : rt_malloc_array(ids + 1, sizeof *c->ids);
    RT_CHECK(c->begun != NULL && c->ids != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld thoughts",
             (long long)c->count);
    for (int64_t i = 0; i < total; i++) {
        if (c->of[i] < 0) continue;
        int32_t *to = c->ids + c->of[i] * length;
        memcpy(to, responses[i].ids, (size_t)budget * sizeof *to);
        memcpy(to + budget, l->close.data, (size_t)l->close.count * sizeof *to);
        c->begun[c->of[i]] = (rt_begun){&l->prompts[r][i / round->n], i % round->n, to, length};
    }
    return RETORT_OK;
}

static void closing_free(closing *c) {
    rt_free(c->begun);
    rt_free(c->ids);
    rt_free(c->of);
}

static retort_status take_closed(rt_taking *t, const rt_response *responses, const closing *c, const rt_response *rest,
                                 rt_budgeted *out, retort_error *err) {
    const rt_round *round = t->round;
    const int64_t total = round->problems->count * round->n;
    RT_TRY(rt_records_create(&out->set, t->local->what->name, round->problems->count, total, err));
    out->closed = c->count;
    for (int64_t i = 0; i < total; i++) {
        const int64_t at = c->of[i], p = i / round->n, s = i % round->n;
        if (at < 0) {
            RT_TRY(rt_local_take(t, &out->set, p, s, &responses[i], responses[i].count, err));
            continue;
        }
        rt_response whole;
        RT_TRY(rt_local_join(&c->begun[at], &rest[at], &whole, err));
        const retort_status st = rt_local_take(t, &out->set, p, s, &whole, whole.count - t->local->close.count,
                                               err); /* not sampled: the closing */
        rt_free(whole.ids);
        RT_TRY(st);
    }
    return RETORT_OK;
}

static retort_status run_budget(rt_local *l, int64_t r, const rt_response *responses, int64_t budget, rt_budgeted *out,
                                retort_error *err) {
    rt_round *round = &l->rounds[r];
    rt_taking t = {.local = l, .round = round};
    closing c = {0};
    rt_response *rest = NULL;
    rt_buffer path = {0};
    rt_sampling settings = l->sampling;
    settings.max_new_tokens = budget + l->close.count + l->what->answer_tokens;
    out->tokens = budget;
    retort_status st = close_thoughts(l, r, responses, budget, &c, err);
    if (st == RETORT_OK)
        st = rt_continue(l->decoder, &l->model.config, l->tokenizer, c.begun, c.count, &settings, l->progress,
                         l->what->stage, &rest, err);
    if (st == RETORT_OK && round->path != NULL) {
        st = rt_budget_path(round->path, budget, &path, err);
        if (st == RETORT_OK) st = rt_atomic_open(&t.file, path.data, err);
    }
    if (st == RETORT_OK) st = take_closed(&t, responses, &c, rest, out, err);
    if (st == RETORT_OK) round->flops += rt_continue_flops(&l->model.config, c.begun, c.count, rest);
    if (st == RETORT_OK && t.file.stream != NULL) st = rt_atomic_commit(&t.file, err);
    rt_atomic_abort(&t.file);
    rt_responses_free(rest, rest != NULL ? c.count : 0);
    rt_buffer_free(&path);
    closing_free(&c);
    return st;
}

retort_status rt_local_budgets(rt_local *l, int64_t r, const rt_response *responses, retort_error *err) {
    rt_round *round = &l->rounds[r];
    if (l->what->num_budgets == 0) return RETORT_OK;
    round->budgeted = rt_calloc((size_t)l->what->num_budgets, sizeof *round->budgeted);
    RT_CHECK(round->budgeted != NULL, err, RETORT_ERR_MEMORY, "out of memory: budgets");
    for (int32_t b = 0; b < l->what->num_budgets; b++)
        RT_TRY(run_budget(l, r, responses, l->what->budgets[b], &round->budgeted[b], err));
    return RETORT_OK;
}
