#include "sample/continue.h"

#include <stdio.h>
#include <string.h>

#include "sample/engine.h"

typedef struct continuing {
    const rt_begun *begun;
    int64_t count, finished;
    rt_response *responses; /* [count] */
    int32_t **prompts;      /* [count] prompt and begun tokens; NULL once it is not needed */
    struct place {
        struct continuing *all;
        int64_t index;
    } * places; /* [count] */
} continuing;

static retort_status take_response(void *context, int64_t sample, rt_response *response, retort_error *err) {
    const struct place *place = context;
    (void)sample;
    (void)err;
    place->all->responses[place->index] = *response;
    place->all->finished++;
    rt_free(place->all->prompts[place->index]);
    place->all->prompts[place->index] = NULL;
    return RETORT_OK;
}

static retort_status name_failure(void *context, int64_t sample, const retort_error *why, retort_error *err) {
    const struct place *place = context;
    return rt_fail(err, why->code, "response %lld of %lld that go on (sample %lld): %s", (long long)place->index + 1,
                   (long long)place->all->count, (long long)sample + 1, why->message);
}

static retort_status submit(continuing *c, rt_engine *engine, const rt_rules *rules, int64_t i, retort_error *err) {
    const rt_begun *one = &c->begun[i];
    const size_t before = (size_t)one->prompt->count, begun = (size_t)one->count;
    RT_CHECK(one->count >= 1, err, RETORT_ERR_USAGE, "a response that goes on needs a token to go on from");
    int32_t *ids = c->prompts[i] = rt_malloc_array(before + begun, sizeof *ids);
    RT_CHECK(ids != NULL, err, RETORT_ERR_MEMORY, "out of memory: response of %zu tokens", begun);
    memcpy(ids, one->prompt->ids, before * sizeof *ids);
    memcpy(ids + before, one->ids, begun * sizeof *ids);
    c->places[i] = (struct place){c, i};
    const rt_request request = {.prompt = {ids, (int64_t)(before + begun), one->prompt->key},
                                .n = 1,
                                .first = one->sample,
                                .begun = one->count,
                                .rules = rules,
                                .context = &c->places[i],
                                .on_response = take_response,
                                .on_failure = name_failure};
    const retort_status st = rt_engine_submit(engine, &request, NULL, err);
    return st == RETORT_OK ? st : rt_fail_context(err, st, "response %lld that goes on", (long long)i + 1);
}

static retort_status run(const continuing *c, rt_engine *engine, const retort_progress *progress, const char *stage,
                         retort_error *err) {
    while (rt_engine_busy(engine)) {
        RT_CHECK(!rt_interrupted(), err, RETORT_ERR_INTERRUPTED, "interrupted after %lld of %lld responses",
                 (long long)c->finished, (long long)c->count);
        RT_TRY(rt_engine_step(engine, err));
        char message[64];
        snprintf(message, sizeof message, "%lld tokens", (long long)rt_engine_count(engine).sampled_tokens);
        rt_progress(progress, stage, (double)c->finished, (double)c->count, "responses", message);
    }
    return RETORT_OK;
}

static retort_status take_memory(continuing *c, retort_error *err) {
    c->responses = rt_calloc((size_t)c->count + 1, sizeof *c->responses);
    c->prompts = rt_calloc((size_t)c->count + 1, sizeof *c->prompts);
    c->places = rt_calloc((size_t)c->count + 1, sizeof *c->places);
    RT_CHECK(c->responses != NULL && c->prompts != NULL && c->places != NULL, err, RETORT_ERR_MEMORY,
             "out of memory: %lld responses", (long long)c->count);
    return RETORT_OK;
}

retort_status rt_continue(rt_decoder *decoder, const rt_config *config, const rt_tokenizer *tokenizer,
                          const rt_begun *begun, int64_t count, const rt_sampling *settings,
                          const retort_progress *progress, const char *stage, rt_response **out, retort_error *err) {
    continuing c = {.begun = begun, .count = count};
    rt_rules *rules = NULL;
    rt_engine *engine = NULL;
    *out = NULL;
    retort_status st = take_memory(&c, err);
    if (st == RETORT_OK) st = rt_rules_create(config, tokenizer, settings, &rules, err);
    if (st == RETORT_OK) st = rt_engine_create(decoder, config, tokenizer, &engine, err);
    for (int64_t i = 0; i < count && st == RETORT_OK; i++) st = submit(&c, engine, rules, i, err);
    if (st == RETORT_OK) st = run(&c, engine, progress, stage, err);
    rt_engine_destroy(engine);
    rt_rules_destroy(rules);
    for (int64_t i = 0; c.prompts != NULL && i < count; i++) rt_free(c.prompts[i]);
    rt_free(c.prompts);
    rt_free(c.places);
    if (st == RETORT_OK)
        *out = c.responses;
    else
        rt_responses_free(c.responses, c.responses != NULL ? count : 0);
    return st;
}

double rt_continue_flops(const rt_config *config, const rt_begun *begun, int64_t count, const rt_response *responses) {
    double flops = 0;
    for (int64_t i = 0; i < count; i++) {
        const double read = (double)(begun[i].prompt->count + begun[i].count), fed = (double)(responses[i].count - 1);
        flops += rt_model_forward_flops(config, read, read * (read + 1) / 2, 1);
        flops += rt_model_forward_flops(config, fed, fed * read + fed * (fed + 1) / 2, fed);
    }
    return flops;
}
