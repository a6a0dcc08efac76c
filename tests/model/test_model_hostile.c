/* Wrong numbers, wrong order, no memory: an error with a message each time, and nothing broken afterwards. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/mem.h"
#include "fixture.h"

/* The sanitizer build must answer an impossible allocation as malloc does, not by aborting. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__asan_default_options(void) {
    return "allocator_may_return_null=1";
}

enum { TOKENS = 300 };

typedef struct stage {
    rt_config config;
    rt_model model;
    rt_workspace *ws;
    record r;
} stage;

static int setup(void **state) {
    retort_error err;
    stage *s = calloc(1, sizeof *s);
    must(rt_compute_init(&err), &err);
    rt_compute_set_threads(1);
    s->config = fixture_config(true, true);
    s->model = fixture_model(&s->config, 31);
    s->r = record_create(&s->config, TOKENS);
    must(rt_workspace_create(&s->config, &(rt_workspace_shape){.max_tokens = TOKENS}, &s->ws, &err), &err);
    *state = s;
    return 0;
}

static int teardown(void **state) {
    stage *s = *state;
    rt_workspace_destroy(s->ws);
    record_release(&s->r);
    rt_model_release(&s->model);
    free(s);
    return 0;
}

static void ones(void *context, int64_t first, int64_t count, const float *logp, const float *entropy,
                 float *coefficient) {
    (void)context;
    (void)first;
    (void)logp;
    (void)entropy;
    for (int64_t i = 0; i < count; i++) coefficient[i] = 1.0F;
}

static retort_status run(stage *s, const rt_batch *batch, char *message) {
    retort_error err = {0};
    const rt_objective objective = {.inv_temperature = 1.0F, .logp = s->r.logp, .weight = ones};
    retort_status status = rt_model_run(&s->model, s->ws, batch, &objective, &s->r.grads, &err);
    if (message != NULL) memcpy(message, err.message, sizeof err.message);
    return status;
}

static void test_bad_batches(void **state) {
    stage *s = *state;
    int32_t ids[TOKENS] = {0}, target[TOKENS], start[] = {0, 4, 10};
    for (int i = 0; i < TOKENS; i++) target[i] = i % 3;
    rt_batch batch = {10, ids, target, 2, start};
    char message[1024];
    assert_int_equal(run(s, &batch, NULL), RETORT_OK);
    const int32_t bad_ids[] = {-1, 211, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < 4; i++) {
        ids[7] = bad_ids[i];
        assert_int_equal(run(s, &batch, message), RETORT_ERR_FORMAT);
        assert_non_null(strstr(message, "token 7"));
        ids[7] = 0;
        target[9] = bad_ids[i] == -1 ? -2 : bad_ids[i];
        assert_int_equal(run(s, &batch, message), RETORT_ERR_FORMAT);
        assert_non_null(strstr(message, "token 9"));
        target[9] = 0;
    }
    const int32_t bad_starts[][3] = {{1, 4, 10}, {0, -1, 10}, {0, 11, 10}, {0, 4, 9}, {0, 4, 11}, {0, 7, 6}};
    for (size_t i = 0; i < sizeof bad_starts / sizeof bad_starts[0]; i++) {
        batch.doc_start = bad_starts[i];
        assert_int_equal(run(s, &batch, message), RETORT_ERR_FORMAT);
        assert_non_null(strstr(message, "document"));
    }
    batch.doc_start = (const int32_t[]){0, 0, 129};
    batch.tokens = 129; /* the context is 128 */
    assert_int_equal(run(s, &batch, message), RETORT_ERR_FORMAT);
    assert_non_null(strstr(message, "128"));
    batch.tokens = TOKENS + 1;
    assert_int_equal(run(s, &batch, NULL), RETORT_ERR_FORMAT);
    batch.tokens = -1;
    assert_int_equal(run(s, &batch, NULL), RETORT_ERR_FORMAT);
    batch = (rt_batch){10, ids, target, 0, start};
    assert_int_equal(run(s, &batch, NULL), RETORT_ERR_FORMAT);
    batch.docs = -1;
    assert_int_equal(run(s, &batch, NULL), RETORT_ERR_FORMAT);
}

static void assert_no_gradient(const stage *s) {
    for (int64_t i = 0; i < s->r.grads.count; i++) assert_true(s->r.grads.data[i] == 0.0F);
}

static void test_empty_batches(void **state) {
    stage *s = *state;
    int32_t ids[10] = {0}, target[10], start[] = {0, 0, 4, 4, 10, 10};
    for (int i = 0; i < 10; i++) target[i] = -1;
    memset(s->r.grads.data, 0, (size_t)s->r.grads.count * sizeof(float));
    rt_workspace_flush_grads(s->ws, &s->r.grads);
    memset(s->r.grads.data, 0, (size_t)s->r.grads.count * sizeof(float));
    assert_int_equal(run(s, &(rt_batch){0}, NULL), RETORT_OK);
    assert_int_equal(run(s, &(rt_batch){0, ids, target, 1, (int32_t[]){0, 0}}, NULL), RETORT_OK);
    s->r.logp[3] = 5.0F;
    assert_int_equal(run(s, &(rt_batch){10, ids, target, 5, start}, NULL), RETORT_OK);
    assert_true(s->r.logp[3] == 0.0F);
    rt_workspace_flush_grads(s->ws, &s->r.grads);
    assert_no_gradient(s);
    target[3] = 1;
    assert_int_equal(run(s, &(rt_batch){10, ids, target, 5, start}, NULL), RETORT_OK);
    assert_true(s->r.logp[3] < 0.0F && s->r.logp[9] == 0.0F);
}

static void test_bad_calls(void **state) {
    stage *s = *state;
    retort_error err;
    rt_objective objective = {.inv_temperature = 1.0F, .logp = s->r.logp, .weight = ones};
    const rt_batch batch = {0};
    assert_int_equal(rt_model_run(&s->model, s->ws, &batch, &objective, NULL, &err), RETORT_ERR_USAGE);
    objective.inv_temperature = 0.0F;
    assert_int_equal(rt_model_run(&s->model, s->ws, &batch, &objective, &s->r.grads, &err), RETORT_ERR_USAGE);
    objective.inv_temperature = NAN;
    assert_int_equal(rt_model_run(&s->model, s->ws, &batch, &objective, &s->r.grads, &err), RETORT_ERR_USAGE);
    objective = (rt_objective){.inv_temperature = 1.0F};
    assert_int_equal(rt_model_run(&s->model, s->ws, &batch, &objective, NULL, &err), RETORT_ERR_USAGE);
    rt_config wider = s->config;
    wider.hidden_size *= 2;
    rt_model other = {.config = wider};
    objective.logp = s->r.logp;
    assert_int_equal(rt_model_run(&other, s->ws, &batch, &objective, NULL, &err), RETORT_ERR_STATE);
}

static void test_bad_configs(void **state) {
    const stage *s = *state;
    const struct {
        size_t offset;
        int64_t value;
    } cases[] = {
        {offsetof(rt_config, vocab_size), 0},
        {offsetof(rt_config, vocab_size), INT64_MAX},
        {offsetof(rt_config, hidden_size), -5},
        {offsetof(rt_config, hidden_size), (int64_t)1 << 40},
        {offsetof(rt_config, intermediate_size), 0},
        {offsetof(rt_config, num_hidden_layers), 0},
        {offsetof(rt_config, num_hidden_layers), INT64_MIN},
        {offsetof(rt_config, num_attention_heads), 7},
        {offsetof(rt_config, num_key_value_heads), 0},
        {offsetof(rt_config, head_dim), 9},
        {offsetof(rt_config, max_position_embeddings), 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rt_config bad = s->config;
        retort_error err = {0};
        rt_params params;
        memcpy((char *)&bad + cases[i].offset, &cases[i].value, sizeof cases[i].value);
        assert_int_equal(rt_config_validate(&bad, "x/config.json", &err), RETORT_ERR_FORMAT);
        assert_non_null(strstr(err.message, "x/config.json"));
        assert_int_equal(rt_params_create(&bad, &params, &err), RETORT_ERR_FORMAT);
        assert_null(params.data);
    }
    rt_config bad = s->config;
    bad.rms_norm_eps = NAN;
    assert_int_equal(rt_config_validate(&bad, "c", NULL), RETORT_ERR_FORMAT);
    bad = s->config;
    bad.rope.theta = 0;
    assert_int_equal(rt_config_validate(&bad, "c", NULL), RETORT_ERR_FORMAT);
    bad = s->config;
    bad.num_eos = 9;
    assert_int_equal(rt_config_validate(&bad, "c", NULL), RETORT_ERR_FORMAT);
    bad.num_eos = 1;
    bad.eos_token_id[0] = 211;
    assert_int_equal(rt_config_validate(&bad, "c", NULL), RETORT_ERR_FORMAT);
    bad.eos_token_id[0] = 210;
    assert_int_equal(rt_config_validate(&bad, "c", NULL), RETORT_OK);
}

/* The largest configuration that passes must not overflow anything either. */
static void test_enormous(void **state) {
    const stage *s = *state;
    rt_config big = s->config;
    rt_workspace *ws = NULL;
    rt_params params;
    retort_error err;
    big.vocab_size = 1 << 24;
    big.hidden_size = big.intermediate_size = 1 << 20;
    big.num_hidden_layers = big.num_attention_heads = big.num_key_value_heads = 1 << 12;
    big.head_dim = 1 << 10;
    assert_int_equal(rt_params_create(&big, &params, &err), RETORT_ERR_MEMORY);
    assert_int_equal(rt_workspace_create(&big, &(rt_workspace_shape){.max_tokens = 1 << 28}, &ws, &err),
                     RETORT_ERR_MEMORY);
    assert_null(ws);
    assert_int_equal(rt_workspace_create(&s->config, &(rt_workspace_shape){.max_tokens = 0}, &ws, &err),
                     RETORT_ERR_USAGE);
    assert_int_equal(rt_workspace_create(&s->config, &(rt_workspace_shape){.max_tokens = INT64_MAX}, &ws, &err),
                     RETORT_ERR_USAGE);
    assert_true(rt_workspace_bytes(&s->config, &(rt_workspace_shape){.max_tokens = INT64_MAX}) == SIZE_MAX);
    assert_true(rt_decoder_bytes(&s->config, NULL, 1, 129, 1) == SIZE_MAX);
    const size_t one = rt_decoder_bytes(&s->config, NULL, 1, 128, 1),
                 two = rt_decoder_bytes(&s->config, NULL, 2, 128, 1);
    assert_true(one > (size_t)s->model.params.count * sizeof(float));
    assert_true(two - one >= sizeof(float) * 3 * 2 * 2 * 128 * 8); /* layers, k and v, G, positions, E */
}

static void test_bad_steps(void **state) {
    const stage *s = *state;
    rt_decoder *dec;
    retort_error err;
    float logits[4 * 211];
    const bool want[4] = {true, true, true, true};
    must(rt_decoder_create(&s->model, 2, 8, 4, &dec, &err), &err);
    const struct {
        int64_t rows;
        int32_t slot[4], position[4], ids[4];
        retort_status status;
    } steps[] = {
        {0, {0}, {0}, {0}, RETORT_OK},
        {5, {0}, {0}, {0}, RETORT_ERR_USAGE},
        {-1, {0}, {0}, {0}, RETORT_ERR_USAGE},
        {1, {2}, {0}, {0}, RETORT_ERR_USAGE},
        {1, {-1}, {0}, {0}, RETORT_ERR_USAGE},
        {1, {0}, {0}, {211}, RETORT_ERR_FORMAT},
        {1, {0}, {0}, {-1}, RETORT_ERR_FORMAT},
        {1, {0}, {1}, {0}, RETORT_ERR_USAGE},             /* a gap */
        {3, {0, 0, 0}, {0, 1, 3}, {0}, RETORT_ERR_USAGE}, /* a gap within the step */
        {2, {0, 0}, {0, 0}, {0}, RETORT_ERR_USAGE},       /* twice the same */
        {3, {0, 1, 0}, {0, 0, 1}, {0}, RETORT_OK},        /* interleaved slots are fine */
        {2, {0, 1}, {2, 3}, {0}, RETORT_ERR_USAGE},       /* nothing of a failed step stays */
        {1, {0}, {3}, {0}, RETORT_ERR_USAGE},
        {4, {0, 0, 0, 0}, {2, 3, 4, 5}, {0}, RETORT_OK},
        {2, {0, 0}, {6, 7}, {0}, RETORT_OK},
        {1, {0}, {8}, {0}, RETORT_ERR_USAGE}, /* full */
        {1, {0}, {3}, {0}, RETORT_OK},        /* going back drops the rest */
        {1, {0}, {5}, {0}, RETORT_ERR_USAGE},
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        retort_status status =
            rt_decoder_step(dec, steps[i].rows, steps[i].slot, steps[i].position, steps[i].ids, want, logits, &err);
        if (status != steps[i].status) fail_msg("step %zu: %s", i, retort_status_name(status));
    }
    assert_int_equal(rt_decoder_copy_prefix(dec, 0, 1, 5), RETORT_ERR_USAGE); /* slot 0 holds 4 */
    assert_int_equal(rt_decoder_copy_prefix(dec, 0, 2, 1), RETORT_ERR_USAGE);
    assert_int_equal(rt_decoder_copy_prefix(dec, -1, 0, 1), RETORT_ERR_USAGE);
    assert_int_equal(rt_decoder_copy_prefix(dec, 0, 1, 4), RETORT_OK);
    rt_model other = {.config = s->config};
    other.config.hidden_size = 80;
    assert_int_equal(rt_decoder_update(dec, &other), RETORT_ERR_STATE);
    rt_decoder_destroy(dec);
    assert_int_equal(rt_decoder_create(&s->model, 0, 8, 4, &dec, &err), RETORT_ERR_USAGE);
    assert_int_equal(rt_decoder_create(&s->model, 1, 129, 4, &dec, &err), RETORT_ERR_USAGE);
    assert_int_equal(rt_decoder_create(&s->model, 1, 8, 0, &dec, &err), RETORT_ERR_USAGE);
    assert_null(dec);
}

/* Every allocation of a creation fails once: an error, no leak (seen by the sanitizer build), no crash. */
/* A context that was never computed: room is taken and given back, and the next token can be drawn behind it. */
static void test_filled_contexts(void **state) {
    stage *s = *state;
    retort_error err = {0};
    enum { CAPACITY = 120, SLOTS = 3 };
    const rt_decoder_size size = {.slots = SLOTS, .capacity = CAPACITY, .rows = SLOTS, .blocks = 3};
    rt_decoder *decoder = NULL;
    int64_t num_free = 0;
    must(rt_decoder_create_sized(&s->model, &size, &decoder, &err), &err);
    assert_int_equal(rt_decoder_fill(decoder, -1, 1, &err), RETORT_ERR_USAGE);
    assert_int_equal(rt_decoder_fill(decoder, SLOTS, 1, &err), RETORT_ERR_USAGE);
    assert_int_equal(rt_decoder_fill(decoder, 0, -1, &err), RETORT_ERR_USAGE);
    assert_int_equal(rt_decoder_fill(decoder, 0, CAPACITY + 1, &err), RETORT_ERR_USAGE);
    must(rt_decoder_fill(decoder, 0, 0, &err), &err);
    must(rt_decoder_fill(decoder, 0, 119, &err), &err); /* two blocks of 64 */
    (void)rt_decoder_blocks(decoder, &num_free);
    assert_int_equal(num_free, 1);
    assert_int_equal(rt_decoder_fill(decoder, 1, 65, &err), RETORT_ERR_STATE);
    must(rt_decoder_fill(decoder, 1, 10, &err), &err);
    const int32_t slot[] = {0, 1}, ids[] = {1, 2}, position[] = {119, 10}, gap[] = {119, 12};
    const bool want[] = {true, true};
    float *logits = rt_calloc((size_t)(2 * s->config.vocab_size), sizeof *logits);
    assert_non_null(logits);
    assert_int_equal(rt_decoder_step(decoder, 2, slot, gap, ids, want, logits, &err), RETORT_ERR_USAGE);
    must(rt_decoder_step(decoder, 2, slot, position, ids, want, logits, &err), &err);
    for (int64_t i = 0; i < 2 * s->config.vocab_size; i++) assert_true(isfinite(logits[i]));
    must(rt_decoder_fill(decoder, 0, 20, &err), &err); /* what it held is free again */
    (void)rt_decoder_blocks(decoder, &num_free);
    assert_int_equal(num_free, 1);
    rt_free(logits);
    rt_decoder_destroy(decoder);
}

static void test_no_memory(void **state) {
    const stage *s = *state;
    retort_error err;
    for (int what = 0; what < 3; what++) {
        retort_status status = RETORT_ERR_MEMORY;
        for (long fail = 0; status != RETORT_OK; fail++) {
            rt_params params = {0};
            rt_workspace *ws = NULL;
            rt_decoder *dec = NULL;
            rt_fail_alloc(fail, false);
            if (what == 0) status = rt_params_create(&s->config, &params, &err);
            if (what == 1)
                status = rt_workspace_create(&s->config, &(rt_workspace_shape){.max_tokens = 32, .recompute = true},
                                             &ws, &err);
            if (what == 2) status = rt_decoder_create(&s->model, 2, 16, 4, &dec, &err);
            rt_fail_alloc(-1, false);
            assert_true(status == RETORT_OK || status == RETORT_ERR_MEMORY);
            assert_true(fail < 1000);
            rt_params_release(&params);
            rt_workspace_destroy(ws);
            rt_decoder_destroy(dec);
        }
    }
}

static void test_flops(void **state) {
    (void)state;
    const rt_config c = {.vocab_size = 100,
                         .hidden_size = 8,
                         .intermediate_size = 16,
                         .num_hidden_layers = 2,
                         .num_attention_heads = 4,
                         .num_key_value_heads = 2,
                         .head_dim = 4};
    /* a layer: q 8x16, k and v 8x8, o 16x8, three of 8x16; scores and values 16 a key each */
    const double layer = 2.0 * (8 * 16 + 2 * 8 * 8 + 16 * 8 + 3 * 8 * 16) * 3 + 2.0 * 2 * 16 * 6;
    assert_true(rt_model_forward_flops(&c, 3, 6, 2) == 2 * layer + 2.0 * 2 * 8 * 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_batches),     cmocka_unit_test(test_empty_batches), cmocka_unit_test(test_bad_calls),
        cmocka_unit_test(test_bad_configs),     cmocka_unit_test(test_enormous),      cmocka_unit_test(test_bad_steps),
        cmocka_unit_test(test_filled_contexts), cmocka_unit_test(test_no_memory),     cmocka_unit_test(test_flops),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
