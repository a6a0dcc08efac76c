/* The engine: requests with settings of their own, coming and going between steps, beside what rt_sample gives each
 * alone; scoring of prompts beside the trainer; candidates, bias and penalties beside plain loops. */
#include "sample/engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sample/rules.h"
#include "support.h"

enum { CONTEXT = 64, LONGEST = 20, MAX_SAMPLES = 4 };

static rt_tokenizer *tokenizer;
static rt_model model;

static int set_up(void **state) {
    (void)state;
    tokenizer = make_tokenizer();
    model = make_model(tokenizer, 3, CONTEXT, 4);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    rt_model_release(&model);
    rt_tokenizer_destroy(tokenizer);
    return 0;
}

/* What a request has received so far. */
typedef struct inbox {
    rt_response responses[MAX_SAMPLES];
    int32_t streamed[MAX_SAMPLES][CONTEXT];
    int64_t num_streamed[MAX_SAMPLES];
    rt_token scored[CONTEXT];
    rt_candidate best[CONTEXT][RT_MAX_CANDIDATES];
    int64_t num_scored, num_done, num_failed;
} inbox;

static retort_status take_token(void *context, int64_t sample, const rt_token *token, retort_error *err) {
    (void)err;
    inbox *box = context;
    box->streamed[sample][box->num_streamed[sample]++] = token->id;
    for (int32_t i = 0; i < token->num_best; i++) {
        const bool sorted = i == 0 || token->best[i - 1].logp >= token->best[i].logp;
        assert_true(sorted);
        if (token->best[i].id == token->id) assert_true(token->best[i].logp == token->logp);
    }
    return RETORT_OK;
}

static retort_status take_score(void *context, int64_t index, const rt_token *token, retort_error *err) {
    (void)err;
    inbox *box = context;
    assert_int_equal(index, box->num_scored + 1); /* ascending from the second token */
    box->scored[index] = *token;
    memcpy(box->best[index], token->best, (size_t)token->num_best * sizeof *token->best);
    box->num_scored++;
    return RETORT_OK;
}

static retort_status take_response(void *context, int64_t sample, rt_response *response, retort_error *err) {
    (void)err;
    inbox *box = context;
    assert_null(box->responses[sample].ids);
    box->responses[sample] = *response;
    box->num_done++;
    return RETORT_OK;
}

static retort_status take_failure(void *context, int64_t sample, const retort_error *why, retort_error *err) {
    (void)err;
    (void)sample;
    inbox *box = context;
    assert_int_equal(why->code, RETORT_ERR_USAGE);
    box->num_failed++;
    return RETORT_OK;
}

static void empty(inbox *box) {
    for (int i = 0; i < MAX_SAMPLES; i++) {
        rt_free(box->responses[i].ids);
        rt_free(box->responses[i].logp);
        rt_free(box->responses[i].drawn);
    }
    *box = (inbox){0};
}

static rt_request make_request(const rt_prompt *prompt, int64_t n, const rt_rules *rules, inbox *box) {
    return (rt_request){.prompt = *prompt,
                        .n = n,
                        .rules = rules,
                        .context = box,
                        .on_token = take_token,
                        .on_response = take_response,
                        .on_failure = take_failure};
}

static rt_engine *make_engine(int64_t slots, int64_t rows, rt_decoder **decoder) {
    retort_error err;
    rt_engine *engine = NULL;
    assert_ok(rt_decoder_create(&model, slots, CONTEXT, rows, decoder, &err));
    assert_ok(rt_engine_create(*decoder, &model.config, tokenizer, &engine, &err));
    return engine;
}

static void expect_alone(const rt_prompt *prompt, int64_t n, const rt_sampling *settings, const inbox *box) {
    retort_error err;
    rt_decoder *decoder = NULL;
    rt_response *alone = NULL;
    assert_ok(rt_decoder_create(&model, 1, CONTEXT, 1, &decoder, &err));
    assert_ok(
        rt_sample(decoder, &model.config, tokenizer, prompt, 1, n, settings, NULL, NULL, NULL, "sample", &alone, &err));
    for (int64_t i = 0; i < n; i++) {
        const rt_response *r = &box->responses[i];
        assert_int_equal(r->count, alone[i].count);
        assert_int_equal(r->finish, alone[i].finish);
        assert_memory_equal(r->ids, alone[i].ids, (size_t)r->count * sizeof *r->ids);
        assert_memory_equal(r->logp, alone[i].logp, (size_t)r->count * sizeof *r->logp);
        assert_int_equal(box->num_streamed[i], r->count);
        assert_memory_equal(box->streamed[i], r->ids, (size_t)r->count * sizeof *r->ids);
    }
    rt_responses_free(alone, n);
    rt_decoder_destroy(decoder);
}

/* Requests with other temperatures, lengths and seeds, submitted at odd moments, some cancelled in flight: each of the
 * others gets what it gets alone. */
static void test_requests_do_not_know_each_other(void **state) {
    (void)state;
    enum { REQUESTS = 12 };
    retort_error err;
    rt_prompt *prompts = make_prompts(tokenizer, REQUESTS, LONGEST, 9);
    rt_sampling settings[REQUESTS];
    rt_rules *rules[REQUESTS];
    uint64_t tickets[REQUESTS];
    static inbox boxes[REQUESTS];
    rt_decoder *decoder;
    rt_engine *engine = make_engine(5, 7, &decoder);
    int submitted = 0;
    bool cancelled[REQUESTS] = {false};
    for (int step = 0; submitted < REQUESTS || rt_engine_busy(engine); step++) {
        if (submitted < REQUESTS && step % 3 == 0) {
            const int i = submitted++;
            settings[i] = plain_sampling(5 + 3 * i);
            settings[i].temperature = i % 4 == 0 ? 0 : 0.5f + 0.1f * (float)i;
            settings[i].seed = (uint64_t)i / 2;
            assert_ok(rt_rules_create(&model.config, tokenizer, &settings[i], &rules[i], &err));
            const rt_request request = make_request(&prompts[i], 1 + i % MAX_SAMPLES, rules[i], &boxes[i]);
            assert_ok(rt_engine_submit(engine, &request, &tickets[i], &err));
        }
        if (step % 7 == 5 && submitted > 2) {
            const int victim = submitted - 2;
            cancelled[victim] = rt_engine_cancel(engine, tickets[victim]) || cancelled[victim];
        }
        assert_ok(rt_engine_step(engine, &err));
    }
    int whole = 0;
    for (int i = 0; i < REQUESTS; i++) {
        assert_false(rt_engine_cancel(engine, tickets[i]));
        if (!cancelled[i]) expect_alone(&prompts[i], 1 + i % MAX_SAMPLES, &settings[i], &boxes[i]);
        whole += !cancelled[i];
        empty(&boxes[i]);
        rt_rules_destroy(rules[i]);
    }
    assert_in_range(whole, 4, REQUESTS - 1);
    const rt_engine_counts counts = rt_engine_count(engine);
    assert_int_equal(counts.running, 0);
    assert_int_equal(counts.waiting, 0);
    rt_engine_destroy(engine);
    rt_decoder_destroy(decoder);
    drop_prompts(prompts, REQUESTS);
}

static void trainer_scores(const rt_prompt *prompt, float *logp) {
    retort_error err;
    rt_workspace *ws = NULL;
    int32_t target[CONTEXT], doc_start[2] = {0, (int32_t)prompt->count};
    for (int64_t i = 0; i < prompt->count; i++) target[i] = i + 1 < prompt->count ? prompt->ids[i + 1] : -1;
    const rt_batch batch = {prompt->count, prompt->ids, target, 1, doc_start};
    const rt_objective objective = {.inv_temperature = 1, .logp = logp};
    assert_ok(rt_workspace_create(&model.config, &(rt_workspace_shape){.max_tokens = CONTEXT}, &ws, &err));
    assert_ok(rt_model_run(&model, ws, &batch, &objective, NULL, &err));
    rt_workspace_destroy(ws);
}

/* A scored prompt's log-probabilities are the trainer's, bit for bit, beside other work and with fewer rows of logits
 * than the prompt has tokens; the draw behind it is the same as without scoring. */
static void test_scores_are_the_trainers(void **state) {
    (void)state;
    enum { PROMPTS = 4 };
    retort_error err;
    rt_prompt *prompts = make_prompts(tokenizer, PROMPTS, LONGEST, 3);
    const rt_sampling settings = plain_sampling(8);
    rt_rules *rules = NULL;
    assert_ok(rt_rules_create(&model.config, tokenizer, &settings, &rules, &err));
    static inbox boxes[PROMPTS];
    rt_decoder *decoder;
    rt_engine *engine = make_engine(3, 11, &decoder);
    for (int i = 0; i < PROMPTS; i++) {
        rt_request request = make_request(&prompts[i], i == 1 ? 3 : 1, rules, &boxes[i]);
        request.score_prompt = true;
        request.only_prompt = i == 2;
        request.num_best = 5;
        request.on_prompt_token = take_score;
        assert_ok(rt_engine_submit(engine, &request, NULL, &err));
    }
    while (rt_engine_busy(engine)) assert_ok(rt_engine_step(engine, &err));
    for (int i = 0; i < PROMPTS; i++) {
        float logp[CONTEXT];
        trainer_scores(&prompts[i], logp);
        assert_int_equal(boxes[i].num_scored, prompts[i].count - 1);
        for (int64_t t = 1; t < prompts[i].count; t++) {
            assert_int_equal(boxes[i].scored[t].id, prompts[i].ids[t]);
            assert_memory_equal(&boxes[i].scored[t].logp, &logp[t - 1], sizeof *logp);
            assert_int_equal(boxes[i].scored[t].num_best, 5);
            assert_true(boxes[i].best[t][0].logp >= boxes[i].scored[t].logp);
        }
        if (i == 2)
            assert_int_equal(boxes[i].responses[0].count, 0);
        else
            expect_alone(&prompts[i], i == 1 ? 3 : 1, &settings, &boxes[i]);
        empty(&boxes[i]);
    }
    rt_engine_destroy(engine);
    rt_decoder_destroy(decoder);
    rt_rules_destroy(rules);
    drop_prompts(prompts, PROMPTS);
}

/* A request whose every token is banned fails alone. */
static void test_failure_stays_with_its_request(void **state) {
    (void)state;
    retort_error err;
    rt_prompt *prompts = make_prompts(tokenizer, 2, LONGEST, 5);
    uint8_t *all = malloc((size_t)model.config.vocab_size);
    memset(all, 1, (size_t)model.config.vocab_size);
    const rt_sampling good = plain_sampling(6);
    rt_sampling bad = good;
    bad.banned = all;
    rt_rules *good_rules, *bad_rules;
    assert_ok(rt_rules_create(&model.config, tokenizer, &good, &good_rules, &err));
    assert_ok(rt_rules_create(&model.config, tokenizer, &bad, &bad_rules, &err));
    static inbox boxes[2];
    rt_decoder *decoder;
    rt_engine *engine = make_engine(4, 16, &decoder);
    rt_request request = make_request(&prompts[0], 2, bad_rules, &boxes[0]);
    assert_ok(rt_engine_submit(engine, &request, NULL, &err));
    request = make_request(&prompts[1], 2, good_rules, &boxes[1]);
    assert_ok(rt_engine_submit(engine, &request, NULL, &err));
    while (rt_engine_busy(engine)) assert_ok(rt_engine_step(engine, &err));
    assert_int_equal(boxes[0].num_failed, 2);
    assert_int_equal(boxes[0].num_done, 0);
    expect_alone(&prompts[1], 2, &good, &boxes[1]);
    empty(&boxes[1]);
    rt_engine_destroy(engine);
    rt_decoder_destroy(decoder);
    rt_rules_destroy(good_rules);
    rt_rules_destroy(bad_rules);
    free(all);
    drop_prompts(prompts, 2);
}

static void test_adjusted_logits(void **state) {
    (void)state;
    enum { V = 40 };
    retort_error err;
    float logits[V], out[V];
    uint32_t mark[V] = {0};
    const int32_t ids[] = {3, 7, 3, 3, 11};
    for (int i = 0; i < V; i++) logits[i] = (float)i * 0.25f;
    const rt_bias bias[] = {{5, -100}, {7, 1.5f}};
    rt_sampling settings = plain_sampling(4);
    settings.bias = bias;
    settings.num_bias = 2;
    settings.presence_penalty = 0.5f;
    settings.frequency_penalty = 0.25f;
    rt_rules *rules = NULL;
    assert_ok(rt_rules_create(&model.config, tokenizer, &settings, &rules, &err));
    const uint64_t banned[] = {(uint64_t)1 << 7 | (uint64_t)1 << 20 | (uint64_t)1 << 63};
    for (int penalty = 0; penalty < 2; penalty++) {
        assert_true(rt_rules_adjust(rules, NULL));
        rt_rules_adjusted(rules, V, logits, ids, 5, banned, mark, out);
        for (int i = 0; i < V; i++) {
            float expected = logits[i] + (i == 5 ? -100.0f : i == 7 ? 1.5f : 0.0f);
            const int times = i == 3 ? 3 : i == 7 || i == 11 ? 1 : 0;
            if (times > 0) expected = expected - (float)times * 0.25f - 0.5f;
            if (penalty > 0 && (i == 7 || i == 20)) expected -= 2.5f;
            assert_true(out[i] == expected);
            assert_int_equal(mark[i], 0);
        }
        rt_rules_destroy(rules);
        settings.ban_mode = RT_BAN_PENALTY;
        settings.ban_penalty = 2.5f;
        assert_ok(rt_rules_create(&model.config, tokenizer, &settings, &rules, &err));
    }
    rt_rules_destroy(rules);
    settings.num_bias = 0;
    settings.presence_penalty = settings.frequency_penalty = 0;
    assert_ok(rt_rules_create(&model.config, tokenizer, &settings, &rules, &err));
    assert_true(!rt_rules_adjust(rules, NULL) && rt_rules_adjust(rules, banned));
    rt_rules_destroy(rules);
    settings.ban_cap = 1.5f;
    assert_int_equal(rt_rules_create(&model.config, tokenizer, &settings, &rules, &err), RETORT_ERR_USAGE);
    settings.ban_cap = 0;
    settings.ban_penalty = -1;
    assert_int_equal(rt_rules_create(&model.config, tokenizer, &settings, &rules, &err), RETORT_ERR_USAGE);
    settings.ban_penalty = 0;
    const rt_bias outside[] = {{(int32_t)model.config.vocab_size, 1}}, endless[] = {{1, INFINITY}};
    settings.num_bias = 1;
    settings.bias = outside;
    assert_int_equal(rt_rules_create(&model.config, tokenizer, &settings, &rules, &err), RETORT_ERR_USAGE);
    settings.bias = endless;
    assert_int_equal(rt_rules_create(&model.config, tokenizer, &settings, &rules, &err), RETORT_ERR_USAGE);
}

/* A bias that forbids all but one token leaves it; its log-probability stays the model's own. */
static void test_bias_changes_draws_not_logprobs(void **state) {
    (void)state;
    retort_error err;
    rt_prompt *prompts = make_prompts(tokenizer, 1, LONGEST, 6);
    const rt_bias bias[] = {{9, 1e6f}};
    rt_sampling settings = plain_sampling(5);
    settings.bias = bias;
    settings.num_bias = 1;
    settings.ignore_eos = true;
    rt_decoder *decoder = NULL;
    rt_response *r = NULL;
    assert_ok(rt_decoder_create(&model, 1, CONTEXT, 8, &decoder, &err));
    assert_ok(
        rt_sample(decoder, &model.config, tokenizer, prompts, 1, 1, &settings, NULL, NULL, NULL, "sample", &r, &err));
    assert_int_equal(r->count, 5);
    rt_prompt document = {.count = prompts[0].count + 5};
    int32_t *ids = calloc((size_t)document.count, sizeof *ids);
    memcpy(ids, prompts[0].ids, (size_t)prompts[0].count * sizeof *ids);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(r->ids[i], 9);
        ids[prompts[0].count + i] = 9;
    }
    document.ids = ids;
    float logp[CONTEXT];
    trainer_scores(&document, logp);
    assert_memory_equal(r->logp, logp + prompts[0].count - 1, 5 * sizeof *logp);
    free(ids);
    rt_responses_free(r, 1);
    rt_decoder_destroy(decoder);
    drop_prompts(prompts, 1);
}

int main(void) {
    retort_error err;
    if (rt_compute_init(&err) != RETORT_OK) return 1;
    rt_compute_set_threads(1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_do_not_know_each_other), cmocka_unit_test(test_scores_are_the_trainers),
        cmocka_unit_test(test_failure_stays_with_its_request),  cmocka_unit_test(test_adjusted_logits),
        cmocka_unit_test(test_bias_changes_draws_not_logprobs),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
