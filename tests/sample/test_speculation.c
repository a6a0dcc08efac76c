/* Guessed tokens change the number of steps and nothing else: ids, log-probabilities and ends of all responses, under
 * every kind of rule, for any number of slots, rows and guesses. */
#include <stdlib.h>
#include <string.h>

#include "sample/engine.h"
#include "support.h"

enum { CONTEXT = 200, PROMPTS = 6, SAMPLES = 3, ALL = PROMPTS * SAMPLES };

static rt_tokenizer *tokenizer;
static rt_model model;
static rt_prompt *prompts;

static int set_up(void **state) {
    (void)state;
    tokenizer = make_tokenizer();
    model = make_model(tokenizer, 3, CONTEXT, 4);
    prompts = make_prompts(tokenizer, PROMPTS, 40, 9);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    drop_prompts(prompts, PROMPTS);
    rt_model_release(&model);
    rt_tokenizer_destroy(tokenizer);
    return 0;
}

static rt_response *sample(const rt_sampling *settings, int64_t slots, int64_t rows, int64_t blocks) {
    retort_error err;
    rt_decoder *decoder = NULL;
    rt_response *out = NULL;
    const rt_decoder_size size = {.slots = slots, .capacity = CONTEXT, .rows = rows, .blocks = blocks};
    assert_ok(rt_decoder_create_sized(&model, &size, &decoder, &err));
    assert_ok(rt_sample(decoder, &model.config, tokenizer, prompts, PROMPTS, SAMPLES, settings, NULL, NULL, NULL,
                        "sample", &out, &err));
    rt_decoder_destroy(decoder);
    return out;
}

static void expect_same(const rt_response *a, const rt_response *b) {
    for (int i = 0; i < ALL; i++) {
        assert_int_equal(a[i].count, b[i].count);
        assert_int_equal(a[i].finish, b[i].finish);
        assert_memory_equal(a[i].ids, b[i].ids, (size_t)a[i].count * sizeof *a[i].ids);
        assert_memory_equal(a[i].logp, b[i].logp, (size_t)a[i].count * sizeof *a[i].logp);
        assert_memory_equal(a[i].drawn, b[i].drawn, (size_t)a[i].count * sizeof *a[i].drawn);
    }
}

static const char *const STOPS[] = {"ab", "e t"};
static const rt_pattern WORDS[] = {{.text = "so"}, {.text = "the"}, {.text = "a"}};
static const rt_ban_terms TERMS = {WORDS, 3, NULL, 0};

static rt_sampling settings_of(int which, rt_bans *bans) {
    rt_sampling settings = plain_sampling(120);
    settings.ignore_eos = true;
    settings.temperature = which == 0 ? 0 : 0.4f;
    if (which == 2) settings.bans = bans;
    if (which == 3) settings.stop = STOPS, settings.num_stop = 2;
    if (which == 4) settings.presence_penalty = 0.3f, settings.frequency_penalty = 0.2f;
    if (which == 5) settings.ignore_eos = false, settings.top_p = 0.8f;
    return settings;
}

static void test_same_bits(void **state) {
    (void)state;
    static const int64_t WAYS[][3] = {{1, 1, 0},  {1, 64, 0}, {3, 4, 0},
                                      {5, 64, 0}, {5, 9, 9},  {20, 64, 0}}; /* slots, rows, blocks */
    retort_error err;
    rt_bans *bans = NULL;
    assert_ok(rt_bans_create(tokenizer, NULL, &TERMS, &bans, &err));
    for (int which = 0; which < 6; which++) {
        rt_sampling settings = settings_of(which, bans);
        rt_response *plain = sample(&settings, 4, 32, 0);
        for (size_t w = 0; w < sizeof WAYS / sizeof *WAYS; w++) {
            settings.speculative_tokens = w % 2 == 0 ? 8 : 3;
            rt_response *guessed = sample(&settings, WAYS[w][0], WAYS[w][1], WAYS[w][2]);
            expect_same(plain, guessed);
            rt_responses_free(guessed, ALL);
        }
        rt_responses_free(plain, ALL);
    }
    rt_bans_destroy(bans);
}

static retort_status drop_response(void *context, int64_t sample_index, rt_response *response, retort_error *err) {
    (void)context, (void)sample_index, (void)err;
    rt_free(response->ids);
    rt_free(response->logp);
    rt_free(response->drawn);
    return RETORT_OK;
}

/* Each guess that is right saves a step. */
static void test_fewer_steps(void **state) {
    (void)state;
    retort_error err;
    int steps[2];
    for (int guess = 0; guess < 2; guess++) {
        rt_sampling settings = settings_of(0, NULL);
        rt_decoder *decoder = NULL;
        rt_engine *engine = NULL;
        rt_rules *rules = NULL;
        settings.speculative_tokens = guess == 0 ? 0 : 6;
        assert_ok(rt_decoder_create(&model, 1, CONTEXT, 64, &decoder, &err));
        assert_ok(rt_engine_create(decoder, &model.config, tokenizer, &engine, &err));
        assert_ok(rt_rules_create(&model.config, tokenizer, &settings, &rules, &err));
        const rt_request request = {.prompt = prompts[0], .n = 1, .rules = rules, .on_response = drop_response};
        assert_ok(rt_engine_submit(engine, &request, NULL, &err));
        for (steps[guess] = 0; rt_engine_busy(engine); steps[guess]++) assert_ok(rt_engine_step(engine, &err));
        const rt_engine_counts counts = rt_engine_count(engine);
        assert_int_equal(counts.sampled_tokens, 120);
        if (guess == 0) assert_int_equal(counts.guessed, 0);
        if (guess == 1) {
            assert_true(counts.guessed_right >= 5 && counts.guessed >= counts.guessed_right);
            assert_int_equal(steps[1], steps[0] - (int)counts.guessed_right);
        }
        rt_rules_destroy(rules);
        rt_engine_destroy(engine);
        rt_decoder_destroy(decoder);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_bits), cmocka_unit_test(test_fewer_steps)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
