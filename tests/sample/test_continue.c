/* A response that was cut and goes on is the response that never was cut, bit for bit. */
#include "support.h"

#include <string.h>

#include "sample/continue.h"

enum { PROMPTS = 5, SAMPLES = 4, ALL = PROMPTS * SAMPLES, WHOLE = 30, CONTEXT = 64, LONGEST = 20 };

static rt_tokenizer *tokenizer;

static int set_up(void **state) {
    (void)state;
    tokenizer = make_tokenizer();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    rt_tokenizer_destroy(tokenizer);
    return 0;
}

static rt_response *sample_to(rt_decoder *decoder, const rt_model *model, const rt_prompt *prompts,
                              rt_sampling settings, int64_t tokens) {
    rt_response *out = NULL;
    retort_error err;
    settings.max_new_tokens = tokens;
    assert_ok(rt_sample(decoder, &model->config, tokenizer, prompts, PROMPTS, SAMPLES, &settings, NULL, NULL, NULL,
                        "sample", &out, &err));
    return out;
}

/* Cuts at `cut` tokens, goes on to WHOLE; returns how many went on. */
static int64_t expect_whole(rt_decoder *decoder, const rt_model *model, const rt_prompt *prompts,
                            const rt_sampling *given, int64_t cut, const rt_response *whole) {
    retort_error err;
    rt_sampling settings = *given;
    rt_begun begun[ALL];
    rt_response *first = sample_to(decoder, model, prompts, settings, cut), *rest = NULL;
    int64_t index[ALL], count = 0;
    for (int64_t i = 0; i < ALL; i++) {
        if (first[i].finish != RT_FINISH_LENGTH) continue;
        index[count] = i;
        begun[count++] = (rt_begun){&prompts[i / SAMPLES], i % SAMPLES, first[i].ids, first[i].count};
    }
    settings.max_new_tokens = WHOLE;
    assert_ok(rt_continue(decoder, &model->config, tokenizer, begun, count, &settings, NULL, "extend", &rest, &err));
    for (int64_t i = 0; i < count; i++) {
        const rt_response *all = &whole[index[i]];
        assert_int_equal(all->count, cut + rest[i].count);
        assert_int_equal(all->finish, rest[i].finish);
        assert_memory_equal(all->ids, begun[i].ids, (size_t)cut * sizeof *all->ids);
        assert_memory_equal(all->ids + cut, rest[i].ids, (size_t)rest[i].count * sizeof *all->ids);
        assert_memory_equal(all->logp + cut, rest[i].logp, (size_t)rest[i].count * sizeof *all->logp);
    }
    rt_responses_free(rest, count);
    rt_responses_free(first, ALL);
    return count;
}

static void test_goes_on(void **state) {
    (void)state;
    retort_error err;
    rt_model model = make_model(tokenizer, 3, CONTEXT, 1);
    rt_prompt *prompts = make_prompts(tokenizer, PROMPTS, LONGEST, 1);
    rt_sampling settings = plain_sampling(WHOLE);
    settings.temperature = 0.9f;
    settings.top_p = 0.95f;
    static const struct {
        int64_t slots, rows;
        int threads;
    } WAYS[] = {{1, 1, 1}, {7, 3, 2}, {32, 512, 2}};
    for (size_t w = 0; w < sizeof WAYS / sizeof *WAYS; w++) {
        rt_decoder *decoder = NULL;
        rt_compute_set_threads(WAYS[w].threads);
        assert_ok(rt_decoder_create(&model, WAYS[w].slots, CONTEXT, WAYS[w].rows, &decoder, &err));
        rt_response *whole = sample_to(decoder, &model, prompts, settings, WHOLE);
        int64_t went_on = 0;
        for (int64_t cut = 1; cut < WHOLE; cut += 7)
            went_on += expect_whole(decoder, &model, prompts, &settings, cut, whole);
        assert_true(went_on > ALL);
        rt_responses_free(whole, ALL);
        rt_decoder_destroy(decoder);
    }
    rt_compute_set_threads(1);
    drop_prompts(prompts, PROMPTS);
    rt_model_release(&model);
}

/* What bans and stop strings remember of the text is remembered over the cut. */
static void test_bans_and_stops_go_on(void **state) {
    (void)state;
    retort_error err;
    rt_model model = make_model(tokenizer, 3, CONTEXT, 1);
    rt_prompt *prompts = make_prompts(tokenizer, PROMPTS, LONGEST, 1);
    rt_sampling settings = plain_sampling(WHOLE);
    static const char *const STOPS[] = {"ab", "e t", "12"};
    static const rt_pattern WORDS[] = {{.text = "a"}, {.text = "so"}, {.text = "the"}, {.text = "e"}, {.text = "in"}};
    static const rt_ban_terms TERMS = {WORDS, 5, STOPS, 3};
    rt_bans *bans = NULL;
    rt_decoder *decoder = NULL;
    assert_ok(rt_bans_create(tokenizer, NULL, &TERMS, &bans, &err));
    assert_ok(rt_decoder_create(&model, 6, CONTEXT, 40, &decoder, &err));
    settings.bans = bans;
    settings.stop = STOPS;
    settings.num_stop = 3;
    rt_response *whole = sample_to(decoder, &model, prompts, settings, WHOLE);
    int64_t went_on = 0;
    for (int64_t cut = 1; cut < WHOLE; cut++) went_on += expect_whole(decoder, &model, prompts, &settings, cut, whole);
    assert_true(went_on > ALL);
    rt_responses_free(whole, ALL);
    rt_decoder_destroy(decoder);
    rt_bans_destroy(bans);
    drop_prompts(prompts, PROMPTS);
    rt_model_release(&model);
}

/* With a cache that is too small for all at once, responses that wait and go on later are the same. */
static void test_little_memory(void **state) {
    (void)state;
    enum { LONG = 190, CUT = 70 };
    retort_error err;
    rt_model model = make_model(tokenizer, 0, 256, 1);
    rt_prompt *prompts = make_prompts(tokenizer, PROMPTS, LONGEST, 1);
    rt_sampling settings = plain_sampling(LONG);
    const rt_decoder_size large = {.slots = ALL, .capacity = 256, .rows = 256};
    const rt_decoder_size small = {.slots = ALL, .capacity = 256, .rows = 256, .blocks = 3 * rt_kv_blocks(256)};
    rt_decoder *decoder = NULL;
    assert_ok(rt_decoder_create_sized(&model, &large, &decoder, &err));
    rt_response *whole = sample_to(decoder, &model, prompts, settings, LONG), *rest = NULL;
    rt_decoder_destroy(decoder);
    rt_begun begun[ALL];
    int64_t of[ALL], count = 0;
    for (int64_t i = 0; i < ALL; i++) {
        if (whole[i].count <= CUT) continue;
        of[count] = i;
        begun[count++] = (rt_begun){&prompts[i / SAMPLES], i % SAMPLES, whole[i].ids, CUT};
    }
    assert_true(count >= 6);
    assert_ok(rt_decoder_create_sized(&model, &small, &decoder, &err));
    assert_ok(rt_continue(decoder, &model.config, tokenizer, begun, count, &settings, NULL, "extend", &rest, &err));
    for (int64_t i = 0; i < count; i++) {
        const rt_response *all = &whole[of[i]];
        assert_int_equal(all->count, CUT + rest[i].count);
        assert_int_equal(all->finish, rest[i].finish);
        assert_memory_equal(all->ids + CUT, rest[i].ids, (size_t)rest[i].count * sizeof *all->ids);
        assert_memory_equal(all->logp + CUT, rest[i].logp, (size_t)rest[i].count * sizeof *all->logp);
    }
    rt_responses_free(rest, count);
    rt_responses_free(whole, ALL);
    rt_decoder_destroy(decoder);
    drop_prompts(prompts, PROMPTS);
    rt_model_release(&model);
}

static void test_refusals(void **state) {
    (void)state;
    retort_error err;
    rt_model model = make_model(tokenizer, 0, CONTEXT, 1);
    rt_prompt *prompts = make_prompts(tokenizer, 1, LONGEST, 1);
    rt_decoder *decoder = NULL;
    rt_response *out = NULL;
    assert_ok(rt_decoder_create(&model, 2, CONTEXT, 40, &decoder, &err));
    const int32_t ids[] = {1, 2, 3};
    const rt_begun long_already = {prompts, 0, ids, 3}, empty = {prompts, 0, ids, 0};
    rt_sampling settings = plain_sampling(3);
    assert_int_equal(rt_continue(decoder, &model.config, tokenizer, &long_already, 1, &settings, NULL, "", &out, &err),
                     RETORT_ERR_USAGE);
    assert_non_null(strstr(err.message, "of 3 tokens cannot go on to 3"));
    settings.max_new_tokens = 9;
    assert_int_equal(rt_continue(decoder, &model.config, tokenizer, &empty, 1, &settings, NULL, "", &out, &err),
                     RETORT_ERR_USAGE);
    settings.presence_penalty = 1;
    assert_int_equal(rt_continue(decoder, &model.config, tokenizer, &long_already, 1, &settings, NULL, "", &out, &err),
                     RETORT_ERR_USAGE);
    assert_null(out);
    assert_ok(rt_continue(decoder, &model.config, tokenizer, NULL, 0, &settings, NULL, "", &out, &err));
    rt_responses_free(out, 0);
    rt_decoder_destroy(decoder);
    drop_prompts(prompts, 1);
    rt_model_release(&model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goes_on),
        cmocka_unit_test(test_bans_and_stops_go_on),
        cmocka_unit_test(test_little_memory),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests_name("sample_continue", tests, set_up, tear_down);
}
