/* The scheduler: exactness over batches, threads and instruction sets; agreement with training; ends; refusals. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/progress.h"

enum { PROMPTS = 9, SAMPLES = 5, FRESH = 24, CONTEXT = 64, LONGEST = 30 };

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

static retort_status sample(const rt_model *model, int64_t slots, int64_t rows, const rt_prompt *prompts,
                            int64_t num_prompts, int64_t n, const rt_sampling *settings, rt_response **out,
                            retort_error *err) {
    rt_decoder *decoder = NULL;
    int64_t capacity = model->config.max_position_embeddings;
    *out = NULL;
    retort_status st = rt_decoder_create(model, slots, capacity, rows, &decoder, err);
    if (st == RETORT_OK) {
        st = rt_sample(decoder, &model->config, tokenizer, prompts, num_prompts, n, settings, NULL, NULL, NULL,
                       "sample", out, err);
    }
    rt_decoder_destroy(decoder);
    return st;
}

static void expect_same(const rt_response *a, const rt_response *b, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        assert_int_equal(a[i].count, b[i].count);
        assert_int_equal(a[i].finish, b[i].finish);
        assert_memory_equal(a[i].ids, b[i].ids, (size_t)a[i].count * sizeof *a[i].ids);
        assert_memory_equal(a[i].logp, b[i].logp, (size_t)a[i].count * sizeof *a[i].logp);
    }
}

/* One row at a time, prompts in one piece or in crumbs, more slots than jobs, fewer rows than slots. */
static void test_batch_threads_isa(void **state) {
    (void)state;
    retort_error err;
    rt_model model = make_model(tokenizer, 3, CONTEXT, 1);
    rt_prompt *prompts = make_prompts(tokenizer, PROMPTS, LONGEST, 1);
    rt_sampling settings = plain_sampling(FRESH);
    settings.temperature = 0.8f;
    settings.top_p = 0.97f;
    const int64_t total = PROMPTS * SAMPLES;
    rt_response *first = NULL;
    assert_ok(sample(&model, 1, 1, prompts, PROMPTS, SAMPLES, &settings, &first, &err));
    int stopped = 0;
    for (int64_t i = 0; i < total; i++) stopped += first[i].finish == RT_FINISH_STOP;
    print_message("# %d of %d responses stopped by themselves\n", stopped, (int)total);
    static const struct {
        int64_t slots, rows;
        int threads;
        rt_isa isa;
    } WAYS[] = {{7, 16, 1, RT_ISA_SCALAR}, {7, 3, 2, RT_ISA_AVX2},      {64, 64, 3, RT_ISA_AVX2},
                {64, 512, 1, RT_ISA_AVX2}, {64, 100, 2, RT_ISA_AVX512}, {2, 5, 2, RT_ISA_SCALAR}};
    const rt_isa before = rt_compute_isa();
    for (size_t k = 0; k < sizeof WAYS / sizeof *WAYS; k++) {
        if (rt_compute_use_isa(WAYS[k].isa, &err) != RETORT_OK) {
            print_message("# skipped: %s\n", err.message);
            continue;
        }
        rt_compute_set_threads(WAYS[k].threads);
        rt_response *again = NULL;
        assert_ok(sample(&model, WAYS[k].slots, WAYS[k].rows, prompts, PROMPTS, SAMPLES, &settings, &again, &err));
        expect_same(first, again, total);
        rt_responses_free(again, total);
    }
    rt_compute_set_threads(1);
    assert_ok(rt_compute_use_isa(before, &err));
    rt_responses_free(first, total);
    drop_prompts(prompts, PROMPTS);
    rt_model_release(&model);
}

/* A response is a function of its prompt, key and number: not of the prompts around it, nor of n. */
static void test_company_does_not_matter(void **state) {
    (void)state;
    retort_error err;
    rt_model model = make_model(tokenizer, 0, CONTEXT, 2);
    rt_prompt *prompts = make_prompts(tokenizer, PROMPTS, LONGEST, 2);
    rt_sampling settings = plain_sampling(FRESH);
    rt_response *all = NULL, *some = NULL;
    assert_ok(sample(&model, 8, 64, prompts, PROMPTS, SAMPLES, &settings, &all, &err));
    rt_prompt two[] = {prompts[6], prompts[3]};
    assert_ok(sample(&model, 8, 64, two, 2, 3, &settings, &some, &err));
    expect_same(all + 6 * SAMPLES, some, 3);
    expect_same(all + 3 * SAMPLES, some + 3, 3);
    rt_responses_free(some, 6);
    settings.seed++;
    assert_ok(sample(&model, 8, 64, two, 2, 3, &settings, &some, &err));
    int same = 0;
    for (int i = 0; i < 3; i++) {
        same += some[i].count == all[6 * SAMPLES + i].count &&
                memcmp(some[i].ids, all[6 * SAMPLES + i].ids, (size_t)some[i].count * 4) == 0;
    }
    assert_true(same < 3);
    rt_responses_free(some, 6);
    rt_responses_free(all, PROMPTS * SAMPLES);
    drop_prompts(prompts, PROMPTS);
    rt_model_release(&model);
}

/* The trainer's log-probabilities of a prompt and its response, as one document. */
static void trainer_logp(const rt_model *model, rt_workspace *ws, const rt_prompt *prompt, const rt_response *response,
                         float *logp) {
    retort_error err;
    int32_t ids[CONTEXT], target[CONTEXT], doc_start[2] = {0, 0};
    float all[CONTEXT];
    int64_t count = 0;
    for (int64_t i = 0; i < prompt->count; i++) ids[count++] = prompt->ids[i];
    for (int64_t i = 0; i + 1 < response->count; i++) ids[count++] = response->ids[i];
    for (int64_t i = 0; i < count; i++) {
        target[i] = i + 1 < prompt->count ? -1 : response->ids[i + 1 - prompt->count];
    }
    doc_start[1] = (int32_t)count;
    rt_batch batch = {count, ids, target, 1, doc_start};
    rt_objective objective = {.inv_temperature = 1, .logp = all};
    assert_ok(rt_model_run(model, ws, &batch, &objective, NULL, &err));
    memcpy(logp, all + prompt->count - 1, (size_t)response->count * sizeof *logp);
}

static void test_logp_equals_training(void **state) {
    (void)state;
    enum { MANY = 60, EACH = 9 };
    retort_error err;
    int64_t checked = 0;
    for (uint64_t seed = 0; seed < 2; seed++) {
        rt_model model = make_model(tokenizer, 3, CONTEXT, seed);
        rt_prompt *prompts = make_prompts(tokenizer, MANY, LONGEST, seed);
        rt_sampling settings = plain_sampling(FRESH);
        settings.temperature = seed == 0 ? 1.0f : 0.7f;
        settings.top_k = seed == 0 ? 0 : 40;
        rt_response *responses = NULL;
        assert_ok(sample(&model, 50, 128, prompts, MANY, EACH, &settings, &responses, &err));
        rt_workspace *ws = NULL;
        assert_ok(rt_workspace_create(&model.config, &(rt_workspace_shape){.max_tokens = CONTEXT}, &ws, &err));
        for (int64_t i = 0; i < MANY * EACH; i++) {
            float logp[FRESH];
            trainer_logp(&model, ws, &prompts[i / EACH], &responses[i], logp);
            assert_memory_equal(logp, responses[i].logp, (size_t)responses[i].count * sizeof *logp);
            checked++;
        }
        rt_workspace_destroy(ws);
        rt_responses_free(responses, MANY * EACH);
        drop_prompts(prompts, MANY);
        rt_model_release(&model);
    }
    print_message("# %lld sequences\n", (long long)checked);
    assert_true(checked >= 1000);
}

static void test_ends(void **state) {
    (void)state;
    retort_error err;
    rt_model model = make_model(tokenizer, 3, CONTEXT, 3);
    rt_prompt *prompts = make_prompts(tokenizer, PROMPTS, LONGEST, 3);
    const int64_t total = PROMPTS * SAMPLES, vocab = rt_tokenizer_vocab_size(tokenizer);
    rt_sampling settings = plain_sampling(FRESH);
    settings.ignore_eos = true;
    rt_response *full = NULL, *cut = NULL;
    assert_ok(sample(&model, 16, 64, prompts, PROMPTS, SAMPLES, &settings, &full, &err));
    for (int64_t i = 0; i < total; i++) {
        assert_int_equal(full[i].count, FRESH);
        assert_int_equal(full[i].finish, RT_FINISH_LENGTH);
        for (int64_t j = 0; j < FRESH; j++) assert_in_range(full[i].ids[j], 0, vocab - 1); /* never padding */
    }
    /* Stop ids: the same tokens up to and including the first of them. */
    int32_t stop_ids[20];
    for (int k = 0; k < 20; k++) stop_ids[k] = 257 + 5 * k;
    settings.stop_ids = stop_ids;
    settings.num_stop_ids = 20;
    assert_ok(sample(&model, 16, 64, prompts, PROMPTS, SAMPLES, &settings, &cut, &err));
    int64_t stopped = 0;
    for (int64_t i = 0; i < total; i++) {
        int64_t end = FRESH;
        for (int64_t j = FRESH - 1; j >= 0; j--) {
            for (int k = 0; k < 20; k++) end = full[i].ids[j] == stop_ids[k] ? j + 1 : end;
        }
        bool stops = false;
        for (int k = 0; k < 20; k++) stops = stops || full[i].ids[end - 1] == stop_ids[k];
        assert_int_equal(cut[i].count, end);
        assert_int_equal(cut[i].finish, stops ? RT_FINISH_STOP : RT_FINISH_LENGTH);
        assert_memory_equal(cut[i].ids, full[i].ids, (size_t)end * sizeof(int32_t));
        stopped += stops;
    }
    assert_true(stopped > 5 && stopped < total);
    rt_responses_free(cut, total);
    rt_responses_free(full, total);
    drop_prompts(prompts, PROMPTS);
    rt_model_release(&model);
}

static void test_stop_strings(void **state) {
    (void)state;
    retort_error err;
    rt_model model = make_model(tokenizer, 0, CONTEXT, 4);
    rt_prompt *prompts = make_prompts(tokenizer, PROMPTS, LONGEST, 4);
    const int64_t total = PROMPTS * SAMPLES;
    rt_sampling settings = plain_sampling(FRESH);
    rt_response *full = NULL, *cut = NULL;
    assert_ok(sample(&model, 16, 64, prompts, PROMPTS, SAMPLES, &settings, &full, &err));
    static const char *const STOP[] = {"it", "a", " s", "ababc", "ee"};
    rt_sampling stopping = settings;
    stopping.stop = STOP;
    stopping.num_stop = 5;
    assert_ok(sample(&model, 16, 64, prompts, PROMPTS, SAMPLES, &stopping, &cut, &err));
    int64_t hit = 0;
    for (int64_t i = 0; i < total; i++) {
        rt_buffer whole = {0}, text = {0};
        assert_ok(rt_response_text(&model.config, tokenizer, &settings, &full[i], &whole, &err));
        assert_ok(rt_response_text(&model.config, tokenizer, &stopping, &cut[i], &text, &err));
        assert_ok(rt_buffer_puts(&whole, "", &err));
        assert_ok(rt_buffer_puts(&text, "", &err));
        char *first = NULL;
        for (int k = 0; k < 5; k++) {
            char *at = memmem(whole.data, whole.length, STOP[k], strlen(STOP[k]));
            if (at != NULL && (first == NULL || at < first)) first = at;
        }
        size_t expected = first != NULL ? (size_t)(first - whole.data) : whole.length;
        assert_int_equal(text.length, expected);
        assert_memory_equal(text.data, whole.data, expected);
        assert_memory_equal(cut[i].ids, full[i].ids, (size_t)cut[i].count * sizeof(int32_t));
        if (first != NULL) {
            assert_int_equal(cut[i].finish, RT_FINISH_STOP);
            assert_true(cut[i].count <= full[i].count);
        } else {
            assert_int_equal(cut[i].count, full[i].count);
        }
        hit += first != NULL;
        rt_buffer_free(&whole);
        rt_buffer_free(&text);
    }
    assert_true(hit > 5);
    print_message("# %lld of %lld responses hold a stop string\n", (long long)hit, (long long)total);
    rt_responses_free(cut, total);
    rt_responses_free(full, total);
    drop_prompts(prompts, PROMPTS);
    rt_model_release(&model);
}

/* Greedy decoding against one forward pass for each token. */
static void test_greedy(void **state) {
    (void)state;
    retort_error err;
    rt_model model = make_model(tokenizer, 0, CONTEXT, 5);
    rt_prompt *prompts = make_prompts(tokenizer, 4, LONGEST, 5);
    rt_sampling settings = plain_sampling(8);
    settings.temperature = 0;
    settings.ignore_eos = true;
    rt_response *responses = NULL;
    assert_ok(sample(&model, 3, 9, prompts, 4, 2, &settings, &responses, &err));
    expect_same(responses, responses + 1, 1);
    rt_workspace *ws = NULL;
    assert_ok(rt_workspace_create(&model.config, &(rt_workspace_shape){.max_tokens = CONTEXT}, &ws, &err));
    for (int p = 0; p < 4; p++) {
        rt_response *r = &responses[p * 2];
        for (int64_t j = 0; j < r->count; j++) {
            rt_response other = *r;
            other.count = j + 1;
            float chosen[FRESH], logp[FRESH];
            trainer_logp(&model, ws, &prompts[p], &other, chosen);
            int32_t kept = r->ids[j];
            for (int32_t id = 0; id < model.config.vocab_size; id += 7) {
                r->ids[j] = id;
                trainer_logp(&model, ws, &prompts[p], &other, logp);
                assert_true(logp[j] <= chosen[j]);
            }
            r->ids[j] = kept;
        }
    }
    rt_workspace_destroy(ws);
    rt_responses_free(responses, 8);
    drop_prompts(prompts, 4);
    rt_model_release(&model);
}

static void expect_refusal(const rt_model *model, const rt_prompt *prompts, int64_t count, const rt_sampling *settings,
                           retort_status status, const char *message) {
    retort_error err = {0};
    rt_response *out = NULL;
    retort_status st = sample(model, 4, 16, prompts, count, 2, settings, &out, &err);
    if (st != status || strstr(err.message, message) == NULL) fail_msg("%s: '%s'", retort_status_name(st), err.message);
    assert_null(out);
}

static void test_refusals(void **state) {
    (void)state;
    rt_model model = make_model(tokenizer, 0, CONTEXT, 6);
    rt_prompt *prompts = make_prompts(tokenizer, 3, LONGEST, 6);
    const rt_sampling good = plain_sampling(FRESH);
    rt_sampling bad = good;
    bad.temperature = -1;
    expect_refusal(&model, prompts, 3, &bad, RETORT_ERR_USAGE, "temperature");
    bad.temperature = NAN;
    expect_refusal(&model, prompts, 3, &bad, RETORT_ERR_USAGE, "temperature");
    bad = good;
    bad.top_p = 0;
    expect_refusal(&model, prompts, 3, &bad, RETORT_ERR_USAGE, "top_p");
    bad = good;
    bad.min_p = 1.5f;
    expect_refusal(&model, prompts, 3, &bad, RETORT_ERR_USAGE, "min_p");
    bad = good;
    bad.top_k = -1;
    expect_refusal(&model, prompts, 3, &bad, RETORT_ERR_USAGE, "top_k");
    bad = good;
    bad.max_new_tokens = 0;
    expect_refusal(&model, prompts, 3, &bad, RETORT_ERR_USAGE, "max_new_tokens");
    bad.max_new_tokens = CONTEXT;
    expect_refusal(&model, prompts, 3, &bad, RETORT_ERR_USAGE, "more than the model's context of 64");
    bad = good;
    bad.num_stop = 1;
    bad.stop = (const char *const[]){""};
    expect_refusal(&model, prompts, 3, &bad, RETORT_ERR_USAGE, "stop string 1 has 0 bytes");
    bad = good;
    bad.num_stop_ids = 1;
    bad.stop_ids = (const int32_t[]){4000};
    expect_refusal(&model, prompts, 3, &bad, RETORT_ERR_USAGE, "stop id 4000 is outside");
    rt_prompt broken[2] = {prompts[0], {NULL, 0, 1}};
    expect_refusal(&model, broken, 2, &good, RETORT_ERR_FORMAT, "prompt 2: the prompt is empty");
    broken[1] = (rt_prompt){(const int32_t[]){5, -1}, 2, 1};
    expect_refusal(&model, broken, 2, &good, RETORT_ERR_FORMAT, "prompt 2: the prompt has token id -1");
    broken[1] = (rt_prompt){(const int32_t[]){5, 4000}, 2, 1};
    expect_refusal(&model, broken, 2, &good, RETORT_ERR_FORMAT, "prompt 2: the prompt has token id 4000");
    uint8_t *banned = malloc((size_t)model.config.vocab_size);
    memset(banned, 1, (size_t)model.config.vocab_size);
    bad = good;
    bad.banned = banned;
    expect_refusal(&model, prompts, 3, &bad, RETORT_ERR_USAGE, "every token is banned");
    free(banned);
    model.params.norm[3] = NAN;
    expect_refusal(&model, prompts, 3, &good, RETORT_ERR_NUMERIC, "not finite at token 1");
    drop_prompts(prompts, 3);
    rt_model_release(&model);
}

/* The context can be filled to its last position. */
static void test_full_context(void **state) {
    (void)state;
    retort_error err;
    rt_model model = make_model(tokenizer, 0, CONTEXT, 7);
    int32_t ids[CONTEXT];
    for (int i = 0; i < CONTEXT; i++) ids[i] = 1 + i;
    rt_sampling settings = plain_sampling(1);
    settings.ignore_eos = true;
    for (int64_t length = 1; length < CONTEXT; length += 31) {
        rt_prompt prompt = {ids, length, 1};
        settings.max_new_tokens = CONTEXT - length;
        rt_response *out = NULL;
        assert_ok(sample(&model, 3, 16, &prompt, 1, 4, &settings, &out, &err));
        for (int i = 0; i < 4; i++) assert_int_equal(out[i].count, CONTEXT - length);
        rt_responses_free(out, 4);
    }
    rt_response *none = NULL;
    assert_ok(sample(&model, 3, 16, NULL, 0, 4, &settings, &none, &err));
    assert_non_null(none);
    rt_responses_free(none, 0);
    rt_model_release(&model);
}

typedef struct order {
    int64_t next, fail_at;
    bool interrupt;
} order;

static retort_status on_done(void *context, int64_t prompt, int64_t number, const rt_response *response,
                             retort_error *err) {
    order *o = context;
    assert_int_equal(prompt * SAMPLES + number, o->next);
    assert_true(response->count > 0);
    if (o->next++ == o->fail_at) return rt_fail(err, RETORT_ERR_IO, "disk full");
    if (o->interrupt) retort_interrupt();
    return RETORT_OK;
}

static void test_callback(void **state) {
    (void)state;
    retort_error err;
    rt_model model = make_model(tokenizer, 0, CONTEXT, 8);
    rt_prompt *prompts = make_prompts(tokenizer, PROMPTS, LONGEST, 8);
    rt_sampling settings = plain_sampling(FRESH);
    rt_decoder *decoder = NULL;
    assert_ok(rt_decoder_create(&model, 7, CONTEXT, 20, &decoder, &err));
    rt_response *out = NULL;
    order o = {0, -1, false};
    assert_ok(rt_sample(decoder, &model.config, tokenizer, prompts, PROMPTS, SAMPLES, &settings, on_done, &o, NULL,
                        "sample", &out, &err));
    assert_int_equal(o.next, PROMPTS * SAMPLES);
    double flops = rt_sample_flops(&model.config, prompts, PROMPTS, SAMPLES, out);
    assert_true(flops > 1e6 && isfinite(flops));
    rt_responses_free(out, PROMPTS * SAMPLES);
    o = (order){0, 4, false};
    assert_int_equal(rt_sample(decoder, &model.config, tokenizer, prompts, PROMPTS, SAMPLES, &settings, on_done, &o,
                               NULL, "sample", &out, &err),
                     RETORT_ERR_IO);
    assert_int_equal(o.next, 5);
    o = (order){0, -1, true};
    assert_int_equal(rt_sample(decoder, &model.config, tokenizer, prompts, PROMPTS, SAMPLES, &settings, on_done, &o,
                               NULL, "sample", &out, &err),
                     RETORT_ERR_INTERRUPTED);
    retort_interrupt_clear();
    assert_null(out);
    rt_decoder_destroy(decoder);
    drop_prompts(prompts, PROMPTS);
    rt_model_release(&model);
}

static void test_allocation_failures(void **state) {
    (void)state;
    retort_error err;
    rt_model model = make_model(tokenizer, 3, CONTEXT, 9);
    rt_prompt *prompts = make_prompts(tokenizer, 3, LONGEST, 9);
    rt_sampling settings = plain_sampling(6);
    settings.stop = (const char *const[]){"xyz"};
    settings.num_stop = 1;
    rt_decoder *decoder = NULL;
    assert_ok(rt_decoder_create(&model, 4, CONTEXT, 16, &decoder, &err));
    for (int persistent = 0; persistent < 2; persistent++) {
        retort_status st = RETORT_ERR_MEMORY;
        for (long n = 0; st != RETORT_OK; n++) {
            rt_response *out = NULL;
            rt_fail_alloc(n, persistent != 0);
            st = rt_sample(decoder, &model.config, tokenizer, prompts, 3, 2, &settings, NULL, NULL, NULL, "sample",
                           &out, &err);
            rt_fail_alloc(-1, false);
            if (st != RETORT_OK) assert_int_equal(st, RETORT_ERR_MEMORY);
            rt_responses_free(out, 6);
        }
    }
    rt_decoder_destroy(decoder);
    drop_prompts(prompts, 3);
    rt_model_release(&model);
}

int main(void) {
    retort_error err;
    if (rt_compute_init(&err) != RETORT_OK) return 1;
    rt_compute_set_threads(1); /* small work: more threads would only wait for each other */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batch_threads_isa),
        cmocka_unit_test(test_company_does_not_matter),
        cmocka_unit_test(test_logp_equals_training),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_stop_strings),
        cmocka_unit_test(test_greedy),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_full_context),
        cmocka_unit_test(test_callback),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
