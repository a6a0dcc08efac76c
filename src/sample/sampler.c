/* Many prompts through one engine; responses handed on in order. */
#include "sample/sampler.h"

#include <stdio.h>

#include "sample/engine.h"

typedef struct sampler sampler;

typedef struct prompt_context {
    sampler *sampler;
    int64_t prompt;
} prompt_context;

struct sampler {
    int64_t n, jobs, finished, reported;
    rt_response *responses; /* [jobs]; ids NULL: not finished */
    prompt_context *contexts;
    rt_on_response on_done;
    void *context;
};

static retort_status report_done(sampler *s, retort_error *err) {
    while (s->reported < s->jobs && s->responses[s->reported].ids != NULL) {
        const int64_t job = s->reported++;
        if (s->on_done != NULL) RT_TRY(s->on_done(s->context, job / s->n, job % s->n, &s->responses[job], err));
    }
    return RETORT_OK;
}

static retort_status take_response(void *context, int64_t sample, rt_response *response, retort_error *err) {
    const prompt_context *c = context;
    c->sampler->responses[c->prompt * c->sampler->n + sample] = *response;
    c->sampler->finished++;
    return report_done(c->sampler, err);
}

static retort_status name_failure(void *context, int64_t sample, const retort_error *why, retort_error *err) {
    const prompt_context *c = context;
    return rt_fail(err, why->code, "prompt %lld, response %lld: %s", (long long)c->prompt + 1, (long long)sample + 1,
                   why->message);
}

static retort_status submit(sampler *s, rt_engine *engine, const rt_rules *rules, const rt_prompt *prompts,
                            int64_t count, retort_error *err) {
    for (int64_t p = 0; p < count; p++) {
        s->contexts[p] = (prompt_context){s, p};
        const rt_request request = {.prompt = prompts[p],
                                    .n = s->n,
                                    .rules = rules,
                                    .context = &s->contexts[p],
                                    .on_response = take_response,
                                    .on_failure = name_failure};
        const retort_status st = rt_engine_submit(engine, &request, NULL, err);
        if (st != RETORT_OK) return rt_fail_context(err, st, "prompt %lld", (long long)p + 1);
    }
    return RETORT_OK;
}

static retort_status run(const sampler *s, rt_engine *engine, const retort_progress *progress, const char *stage,
                         retort_error *err) {
    while (rt_engine_busy(engine)) {
        RT_CHECK(!rt_interrupted(), err, RETORT_ERR_INTERRUPTED, "interrupted after %lld of %lld responses",
                 (long long)s->finished, (long long)s->jobs);
        RT_TRY(rt_engine_step(engine, err));
        char message[64];
        snprintf(message, sizeof message, "%lld tokens", (long long)rt_engine_count(engine).sampled_tokens);
        rt_progress(progress, stage, (double)s->finished, (double)s->jobs, "responses", message);
    }
    return RETORT_OK;
}

retort_status rt_sample(rt_decoder *decoder, const rt_config *config, const rt_tokenizer *tokenizer,
                        const rt_prompt *prompts, int64_t num_prompts, int64_t n, const rt_sampling *settings,
                        rt_on_response on_done, void *context, const retort_progress *progress, const char *stage,
                        rt_response **out, retort_error *err) {
    *out = NULL;
    RT_CHECK(num_prompts >= 0 && n >= 1 && n <= INT32_MAX && num_prompts <= INT32_MAX, err, RETORT_ERR_USAGE,
             "%lld responses to each of %lld prompts cannot be sampled", (long long)n, (long long)num_prompts);
    sampler s = {.n = n, .jobs = num_prompts * n, .on_done = on_done, .context = context};
    rt_rules *rules = NULL;
    rt_engine *engine = NULL;
    retort_status st = rt_rules_create(config, tokenizer, settings, &rules, err);
    if (st == RETORT_OK) st = rt_engine_create(decoder, config, tokenizer, &engine, err);
    s.responses = rt_calloc((size_t)s.jobs, sizeof *s.responses);
    s.contexts = rt_calloc((size_t)num_prompts, sizeof *s.contexts);
    if (st == RETORT_OK && (s.responses == NULL || s.contexts == NULL))
        st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: %lld responses", (long long)s.jobs);
    if (st == RETORT_OK) st = submit(&s, engine, rules, prompts, num_prompts, err);
    if (st == RETORT_OK) st = run(&s, engine, progress, stage, err);
    if (st == RETORT_OK) {
        *out = s.responses;
        s.responses = NULL;
    }
    rt_engine_destroy(engine);
    rt_rules_destroy(rules);
    rt_responses_free(s.responses, s.jobs);
    rt_free(s.contexts);
    return st;
}
