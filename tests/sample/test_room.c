/* A cache smaller than the batch could fill: responses are put off, fed again and go on, and every one has the bits
 * that it has with room for all. */
#include "sample/engine.h"

#include <stdlib.h>
#include <string.h>

#include "sample/rules.h"
#include "support.h"

enum { CONTEXT = 400, REQUESTS = 14, MAX_SAMPLES = 4, SLOTS = 7, ROWS = 40, PER_SLOT = 7 };

static rt_tokenizer *tokenizer;
static rt_model model;
static rt_prompt *prompts;
static rt_sampling settings[REQUESTS];
static rt_rules *rules[REQUESTS];

static int set_up(void **state) {
    (void)state;
    retort_error err;
    tokenizer = make_tokenizer();
    model = make_model(tokenizer, 0, CONTEXT, 4);
    prompts = make_prompts(tokenizer, REQUESTS, 190, 9);
    for (int i = 0; i < REQUESTS; i++) {
        settings[i] = plain_sampling(20 + 14 * i); /* 202 at most, so that the longest fit */
        settings[i].temperature = i % 4 == 0 ? 0 : 0.6f + 0.05f * (float)i;
        settings[i].seed = (uint64_t)i / 2;
        settings[i].ignore_eos = i % 3 != 0;
        assert_ok(rt_rules_create(&model.config, tokenizer, &settings[i], &rules[i], &err));
    }
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    for (int i = 0; i < REQUESTS; i++) rt_rules_destroy(rules[i]);
    drop_prompts(prompts, REQUESTS);
    rt_model_release(&model);
    rt_tokenizer_destroy(tokenizer);
    return 0;
}

typedef struct inbox {
    rt_response responses[MAX_SAMPLES];
    int64_t num_done;
    double scored;
    int64_t num_scored;
} inbox;

static retort_status take_response(void *context, int64_t sample, rt_response *response, retort_error *err) {
    (void)err;
    inbox *box = context;
    assert_null(box->responses[sample].ids);
    box->responses[sample] = *response;
    box->num_done++;
    return RETORT_OK;
}

static retort_status take_score(void *context, int64_t index, const rt_token *token, retort_error *err) {
    (void)err;
    inbox *box = context;
    assert_int_equal(index, ++box->num_scored);
    box->scored += (double)token->logp * (double)index;
    return RETORT_OK;
}

static void empty(inbox *boxes) {
    for (int i = 0; i < REQUESTS; i++) {
        for (int k = 0; k < MAX_SAMPLES; k++) {
            rt_free(boxes[i].responses[k].ids);
            rt_free(boxes[i].responses[k].logp);
            rt_free(boxes[i].responses[k].drawn);
        }
        boxes[i] = (inbox){0};
    }
}

/* Request i comes at step 2 i; the fourth is taken back at step 20 and the sixth only scores its prompt. */
static rt_engine_counts run(int64_t blocks, inbox *boxes) {
    retort_error err;
    rt_decoder *decoder = NULL;
    rt_engine *engine = NULL;
    uint64_t ticket = 0;
    int64_t num_free;
    const rt_decoder_size size = {.slots = SLOTS, .capacity = CONTEXT, .rows = ROWS, .blocks = blocks};
    assert_ok(rt_decoder_create_sized(&model, &size, &decoder, &err));
    assert_ok(rt_engine_create(decoder, &model.config, tokenizer, &engine, &err));
    for (int step = 0; step < 2 * REQUESTS || rt_engine_busy(engine); step++) {
        const int i = step / 2;
        if (i < REQUESTS && step % 2 == 0) {
            rt_request request = {.prompt = prompts[i],
                                  .n = i == 5 ? 1 : 1 + i % MAX_SAMPLES,
                                  .rules = rules[i],
                                  .only_prompt = i == 5,
                                  .score_prompt = i % 5 == 0,
                                  .context = &boxes[i],
                                  .on_prompt_token = take_score,
                                  .on_response = take_response};
            assert_ok(rt_engine_submit(engine, &request, i == 3 ? &ticket : NULL, &err));
        }
        if (step == 20) rt_engine_cancel(engine, ticket);
        assert_ok(rt_engine_step(engine, &err));
        assert_in_range(step, 0, 100000); /* it ends */
    }
    const rt_engine_counts counts = rt_engine_count(engine);
    assert_int_equal(counts.running, 0);
    assert_int_equal(counts.waiting, 0);
    const int64_t all = rt_decoder_blocks(decoder, &num_free);
    assert_int_equal(num_free, all); /* nothing is held any more */
    rt_engine_destroy(engine);
    rt_decoder_destroy(decoder);
    return counts;
}

static void test_same_bits(void **state) {
    (void)state;
    static inbox ample[REQUESTS], tight[REQUESTS];
    rt_engine_counts counts = run(0, ample);
    assert_int_equal(counts.put_off, 0);
    assert_int_equal(counts.fed_again, 0);
    int64_t put_off = 0;
    for (int64_t blocks = PER_SLOT; blocks < SLOTS * PER_SLOT; blocks += blocks < 16 ? 1 : 8) {
        counts = run(blocks, tight);
        put_off += counts.put_off;
        if (blocks == PER_SLOT + 3) assert_true(counts.put_off > 0 && counts.fed_again > 0);
        for (int i = 0; i < REQUESTS; i++) {
            if (i == 3) continue; /* taken back at another moment of its life */
            assert_int_equal(tight[i].num_done, ample[i].num_done);
            assert_int_equal(tight[i].num_done, i == 5 ? 1 : 1 + i % MAX_SAMPLES);
            assert_int_equal(tight[i].num_scored, ample[i].num_scored);
            assert_true(tight[i].scored == ample[i].scored);
            for (int k = 0; k < tight[i].num_done; k++) {
                const rt_response *a = &ample[i].responses[k], *b = &tight[i].responses[k];
                assert_int_equal(a->count, b->count);
                assert_int_equal(a->finish, b->finish);
                assert_memory_equal(a->ids, b->ids, (size_t)a->count * sizeof *a->ids);
                assert_memory_equal(a->logp, b->logp, (size_t)a->count * sizeof *a->logp);
            }
        }
        empty(tight);
    }
    assert_true(put_off > 20);
    empty(ample);
}

/* A cache that cannot hold one response is refused before anything begins. */
static void test_refused(void **state) {
    (void)state;
    retort_error err;
    rt_decoder *decoder = NULL;
    const rt_decoder_size size = {.slots = 2, .capacity = CONTEXT, .rows = 4, .blocks = PER_SLOT - 1};
    assert_int_equal(rt_decoder_create_sized(&model, &size, &decoder, &err), RETORT_ERR_USAGE);
    assert_non_null(strstr(err.message, "a cache of 384 positions, but one sequence can have 400"));
    assert_null(decoder);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_bits), cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
