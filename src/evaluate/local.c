/* Evaluations of a model directory. */
#include "evaluate/local.h"

#include <stdlib.h>
#include <string.h>

#include "compute/ceilings.h"
#include "model/calibrate.h"
#include "model/cost.h"

/* ---- before the weights are read ---- */

static retort_status render_round(rt_local *l, int64_t r, const rt_prompting *prompting, retort_error *err) {
    rt_round *round = &l->rounds[r];
    const rt_problems *problems = round->problems;
    RT_CHECK(problems->count > 0 && round->n > 0, err, RETORT_ERR_USAGE,
             "there is nothing to evaluate: %lld problems, %lld samples", (long long)problems->count,
             (long long)round->n);
    rt_ids *ids = l->ids[r] = rt_calloc((size_t)problems->count, sizeof *ids);
    rt_prompt *prompts = l->prompts[r] = rt_calloc((size_t)problems->count, sizeof *prompts);
    RT_CHECK(ids != NULL && prompts != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld prompts",
             (long long)problems->count);
    rt_sha256("", 0, round->prompts);
    for (int64_t i = 0; i < problems->count; i++) {
        RT_TRY(rt_prompting_problem(prompting, problems->items[i].problem, &ids[i], err));
        RT_TRY(rt_prompting_hash(ids[i].data, ids[i].count, round->prompts, err));
        prompts[i] = (rt_prompt){ids[i].data, ids[i].count, rt_prompt_key(problems->items[i].id)};
        if (ids[i].count > l->longest) l->longest = ids[i].count;
    }
    l->responses += problems->count * round->n;
    return RETORT_OK;
}

static retort_status render_prompts(rt_local *l, retort_error *err) {
    l->ids = rt_calloc((size_t)l->num_rounds, sizeof *l->ids);
    l->prompts = rt_calloc((size_t)l->num_rounds, sizeof *l->prompts);
    RT_CHECK(l->ids != NULL && l->prompts != NULL, err, RETORT_ERR_MEMORY, "out of memory: prompts");
    rt_prompting prompting;
    RT_TRY(rt_prompting_load(l->what->model.dir, l->tokenizer, &l->what->prompting, &prompting, err));
    retort_status st = RETORT_OK;
    for (int64_t r = 0; r < l->num_rounds && st == RETORT_OK; r++) st = render_round(l, r, &prompting, err);
    rt_prompting_release(&prompting);
    return st;
}

/* Longest response, and the positions that a slot needs: with budgets, also those of an answer behind a closed thought.
 */
static retort_status size_responses(rt_local *l, retort_error *err) {
    const rt_evaluation *what = l->what;
    const int64_t context = rt_config_context(&l->model.config), left = context - l->longest;
    RT_CHECK(left >= 1, err, RETORT_ERR_USAGE, "a prompt has %lld tokens, as many as the model's context of %lld",
             (long long)l->longest, (long long)context);
    if (l->sampling.max_new_tokens == 0)
        l->sampling.max_new_tokens = left < RT_EVAL_MOST_TOKENS ? left : RT_EVAL_MOST_TOKENS;
    int64_t most = l->sampling.max_new_tokens;
    RT_CHECK(most <= left, err, RETORT_ERR_USAGE,
             "max_new_tokens %lld is more than the %lld that the longest prompt leaves of the model's context of %lld",
             (long long)most, (long long)left, (long long)context);
    if (what->num_budgets > 0) {
        RT_TRY(rt_tokenizer_encode(l->tokenizer, what->close, strlen(what->close), true, &l->close, err));
        const int64_t closed = what->budgets[what->num_budgets - 1] + l->close.count + what->answer_tokens;
        RT_CHECK(closed <= left, err, RETORT_ERR_USAGE,
                 "a budget of %lld tokens with %lld that close the thought and %lld for the answer does not fit: the "
                 "longest prompt leaves %lld of the model's context",
                 (long long)what->budgets[what->num_budgets - 1], (long long)l->close.count,
                 (long long)what->answer_tokens, (long long)left);
        if (closed > most) most = closed;
    }
    for (int64_t r = 0; r < l->num_rounds; r++) {
        const rt_earlier *begun = l->rounds[r].begun;
        RT_CHECK(begun == NULL || begun->longest < l->sampling.max_new_tokens, err, RETORT_ERR_USAGE,
                 "'%s' was cut at %lld tokens; to go on, max_new_tokens must be more than that", begun->path,
                 (long long)begun->longest);
    }
    l->capacity = l->longest + most;
    for (int64_t r = 0; r < l->num_rounds; r++) l->rounds[r].max_new_tokens = l->sampling.max_new_tokens;
    return RETORT_OK;
}

static retort_status read_inputs(rt_local *l, char note[200], retort_error *err) {
    const rt_evaluation *what = l->what;
    RT_TRY(rt_compute_init(err));
    RT_TRY(rt_model_source_peek(&what->model, &l->model.config, &l->lora, err));
    RT_TRY(rt_tokenizer_load(what->model.dir, &l->tokenizer, err));
    l->sampling = what->sampling;
    RT_TRY(render_prompts(l, err));
    RT_TRY(size_responses(l, err));
    if (what->bans != NULL && what->bans->count > 0) {
        const rt_ban_terms terms = {what->bans->patterns, what->bans->count, l->sampling.stop, l->sampling.num_stop};
        RT_TRY(rt_bans_create(l->tokenizer, NULL, &terms, &l->bans, err));
        l->sampling.bans = l->bans;
    }
    const rt_eval_size size = {.config = &l->model.config,
                               .lora = l->lora.r > 0 ? &l->lora : NULL,
                               .responses = l->responses,
                               .capacity = l->capacity,
                               .max_new_tokens = l->sampling.max_new_tokens,
                               .batch = what->batch,
                               .memory_limit = what->memory_limit};
    return rt_eval_memory(&size, &l->plan, &l->size, note, err);
}

/* ---- one round ---- */

retort_status rt_local_take(rt_taking *t, rt_response_set *set, int64_t problem, int64_t sample,
                            const rt_response *response, int64_t tokens, retort_error *err) {
    const rt_local *l = t->local;
    const rt_problem *asked = &t->round->problems->items[problem];
    rt_buffer text = {0};
    retort_status st = rt_response_text(&l->model.config, l->tokenizer, &l->sampling, response, &text, err);
    const rt_answered answered = {problem,      sample,        tokens,         response->finish,
                                  l->tokenizer, response->ids, response->count};
    if (st == RETORT_OK) st = rt_records_add(set, &answered, &text, &asked->question, l->what->grader, err);
    rt_buffer_free(&text);
    if (st != RETORT_OK || t->file.stream == NULL) return st;
    const rt_line line = {.benchmark = t->round->benchmark,
                          .model = l->what->name,
                          .problem = asked,
                          .record = &set->records[set->count - 1],
                          .ids = tokens == response->count ? response->ids : NULL};
    return rt_line_write(&t->file, &line, err);
}

static retort_status take_sampled(void *context, int64_t problem, int64_t sample, const rt_response *response,
                                  retort_error *err) {
    rt_taking *t = context;
    return rt_local_take(t, &t->round->set, problem, sample, response, response->count, err);
}

retort_status rt_local_join(const rt_begun *begun, const rt_response *rest, rt_response *out, retort_error *err) {
    const size_t first = (size_t)begun->count, second = (size_t)rest->count;
    *out = (rt_response){.count = begun->count + rest->count, .finish = rest->finish};
    out->ids = rt_malloc_array(first + second, sizeof *out->ids);
    RT_CHECK(out->ids != NULL, err, RETORT_ERR_MEMORY, "out of memory: response of %zu tokens", first + second);
    memcpy(out->ids, begun->ids, first * sizeof *out->ids);
    memcpy(out->ids + first, rest->ids, second * sizeof *out->ids);
    return RETORT_OK;
}

/* ---- the whole ---- */

static retort_status sample_fresh(rt_taking *t, int64_t r, retort_error *err) {
    rt_local *l = t->local;
    rt_round *round = t->round;
    rt_response *responses = NULL;
    RT_TRY(rt_sample(l->decoder, &l->model.config, l->tokenizer, l->prompts[r], round->problems->count, round->n,
                     &l->sampling, take_sampled, t, l->progress, l->what->stage, &responses, err));
    round->flops += rt_sample_flops(&l->model.config, l->prompts[r], round->problems->count, round->n, responses);
    const retort_status st = rt_local_budgets(l, r, responses, err);
    rt_responses_free(responses, round->problems->count * round->n);
    return st;
}

static retort_status run_round(rt_local *l, int64_t r, retort_error *err) {
    rt_round *round = &l->rounds[r];
    rt_taking t = {.local = l, .round = round};
    const int64_t total = round->problems->count * round->n;
    RT_TRY(rt_records_create(&round->set, l->what->name, round->problems->count, total, err));
    if (round->path != NULL) RT_TRY(rt_atomic_open(&t.file, round->path, err));
    retort_status st = round->begun != NULL ? rt_local_extend(&t, r, err) : sample_fresh(&t, r, err);
    if (st == RETORT_OK && round->set.count != total)
        st = rt_fail(err, RETORT_ERR_STATE, "%lld of %lld responses came back", (long long)round->set.count,
                     (long long)total);
    if (st == RETORT_OK && t.file.stream != NULL) st = rt_atomic_commit(&t.file, err);
    rt_atomic_abort(&t.file);
    return st;
}

static void release(rt_local *l) {
    for (int64_t r = 0; r < l->num_rounds; r++) {
        for (int64_t i = 0; l->ids != NULL && l->ids[r] != NULL && i < l->rounds[r].problems->count; i++)
            rt_ids_free(&l->ids[r][i]);
        if (l->ids != NULL) rt_free(l->ids[r]);
        if (l->prompts != NULL) rt_free(l->prompts[r]);
    }
    rt_free(l->ids);
    rt_free(l->prompts);
    rt_ids_free(&l->close);
    rt_bans_destroy(l->bans);
    rt_decoder_destroy(l->decoder);
    rt_tokenizer_destroy(l->tokenizer);
    rt_model_release(&l->model);
}

static retort_status run(rt_local *l, const rt_before *before, char note[200], retort_error *err) {
    RT_TRY(read_inputs(l, note, err));
    RT_TRY(rt_plan_check(&l->plan, err));
    if (before != NULL) RT_TRY(before->call(before->context, l->rounds, l->num_rounds, err));
    RT_TRY(rt_model_open(&l->what->model, &l->model, err));
    RT_TRY(rt_sampling_decoder_taking(&l->model, &l->size, &l->decoder, err));
    for (int64_t r = 0; r < l->num_rounds; r++) RT_TRY(run_round(l, r, err));
    return RETORT_OK;
}

retort_status rt_evaluate_local(const rt_evaluation *what, rt_round *rounds, int64_t count, const rt_before *before,
                                const retort_progress *progress, char note[200], retort_error *err) {
    char unheard[200];
    rt_local l = {.what = what, .rounds = rounds, .num_rounds = count, .progress = progress};
    const retort_status st = run(&l, before, note != NULL ? note : unheard, err);
    release(&l);
    return st;
}

static retort_status predict(rt_local *l, const retort_machine *machine, retort_error *err) {
    rt_plan *plan = &l->plan;
    RT_TRY(rt_plan_elsewhere(plan, machine, err));
    RT_TRY(rt_ceilings_of(machine, &plan->machine, err));
    for (int64_t r = 0; r < l->num_rounds; r++) {
        rt_sampling_load load = {.prompts = (double)l->rounds[r].problems->count,
                                 .n = (double)l->rounds[r].n,
                                 .fresh = (double)l->sampling.max_new_tokens,
                                 .slots = (double)l->size.slots};
        for (int64_t i = 0; i < l->rounds[r].problems->count; i++)
            load.prompt += (double)l->prompts[r][i].count / load.prompts;
        rt_cost_add(&plan->sample_cost, rt_sampling_cost(&l->model.config, &load, &plan->machine));
    }
    return RETORT_OK;
}

retort_status rt_evaluate_plan(const rt_evaluation *what, const retort_machine *machine, rt_round *rounds,
                               int64_t count, rt_plan *plan, char note[200], retort_error *err) {
    rt_local l = {.what = what, .rounds = rounds, .num_rounds = count};
    double seconds = 0;
    retort_status st = read_inputs(&l, note, err);
    for (int64_t r = 0; r < count && st == RETORT_OK; r++)
        for (int64_t i = 0; i < rounds[r].problems->count; i++)
            l.plan.sample_flops +=
                rt_sample_most_flops(&l.model.config, l.prompts[r][i].count, rounds[r].n, l.sampling.max_new_tokens);
    if (st == RETORT_OK) st = predict(&l, machine, err);
    if (st == RETORT_OK) st = rt_calibrate_decoding(&l.model.config, l.size.slots, &seconds, err);
    l.plan.sample_seconds = seconds * l.plan.sample_flops;
    *plan = l.plan;
    release(&l);
    return st;
}

void rt_round_free(rt_round *round, int32_t num_budgets) {
    rt_response_set_free(&round->set);
    for (int32_t b = 0; round->budgeted != NULL && b < num_budgets; b++) rt_response_set_free(&round->budgeted[b].set);
    rt_free(round->budgeted);
    rt_free(round->keys);
    *round = (rt_round){0};
}

retort_status rt_evaluate(const rt_evaluation *what, const retort_progress *progress, rt_response_set *out,
                          double *flops, retort_error *err) {
    rt_round round = {.problems = what->problems, .n = what->n, .path = what->path};
    const retort_status st = rt_evaluate_local(what, &round, 1, NULL, progress, NULL, err);
    *out = (rt_response_set){0};
    if (st == RETORT_OK) {
        *out = round.set;
        round.set = (rt_response_set){0};
        if (flops != NULL) *flops = round.flops;
    }
    rt_round_free(&round, what->num_budgets);
    return st;
}
