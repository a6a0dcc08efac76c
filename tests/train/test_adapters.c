/* Training low-rank adapters: the same bits whatever the machine does, stops, PEFT folders, exact ratios in RL, and the
 * merged model. */
#include "fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/lora.h"
#include "retort/model.h"
#include "text/tokenizer.h"

static const char ADAPTER[] = "adapter_model.safetensors";
typedef const char *const settings[8][2]; /* the rest is NULL */

static void apply(const retort_option *table, void *options, const char *const (*set)[2]) {
    fixture_set(table, options, "use_peft", "true");
    for (; set != NULL && (*set)[0] != NULL; set++) fixture_set(table, options, (*set)[0], (*set)[1]);
}

static retort_status distill(const char *run, const char *const (*set)[2], const retort_progress *progress) {
    retort_distill_options options;
    fixture_distill_options(&options, run);
    apply(retort_distill_option_table, &options, set);
    retort_status st = retort_distill(&options, progress, NULL, &fixture_error);
    retort_options_release(retort_distill_option_table, &options);
    return st;
}

static retort_status rl(const char *run, const char *const (*set)[2], const retort_progress *progress) {
    retort_rl_options options;
    fixture_rl_options(&options, run);
    apply(retort_rl_option_table, &options, set);
    retort_status st = retort_rl(&options, progress, NULL, &fixture_error);
    retort_options_release(retort_rl_option_table, &options);
    return st;
}

/* The base can answer a little, so that some groups of RL have variance. */
static int set_up(void **state) {
    if (fixture_create(state) != 0) return -1;
    fixture_base();
    fixture_examples("distill.jsonl", 48);
    fixture_problems("problems.jsonl", 10);
    retort_distill_options options;
    fixture_distill_options(&options, "student");
    options.num_train_epochs = 40;
    options.train.learning_rate = 4e-3;
    assert_ok(retort_distill(&options, NULL, NULL, &fixture_error));
    retort_options_release(retort_distill_option_table, &options);
    assert_ok(rt_remove_tree(fixture_path("base"), &fixture_error));
    assert_int_equal(rename(fixture_path("student"), fixture_path("base")), 0);
    return 0;
}

static void test_distill_same_bits(void **state) {
    (void)state;
    settings plain = {{"lora_r", "4"}, {"learning_rate", "1e-3"}};
    assert_ok(distill("plain", plain, NULL));
    static const struct {
        const char *run;
        settings set;
    } variants[] = {
        {"single", {{"lora_r", "4"}, {"learning_rate", "1e-3"}, {"micro_batch_tokens", "1"}}},
        {"all", {{"lora_r", "4"}, {"learning_rate", "1e-3"}, {"micro_batch_tokens", "100000"}}},
        {"three", {{"lora_r", "4"}, {"learning_rate", "1e-3"}, {"threads", "3"}, {"gradient_checkpointing", "true"}}}};
    const char *want = fixture_sha("plain", ADAPTER);
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
        assert_ok(distill(variants[i].run, variants[i].set, NULL));
        assert_string_equal(fixture_sha(variants[i].run, ADAPTER), want);
    }
    const int last = fixture_metric_lines("plain");
    double first_losses = 0, last_losses = 0;
    for (int i = 0; i < 8; i++) {
        first_losses += fixture_metric("plain", 1 + i, "loss");
        last_losses += fixture_metric("plain", last - i, "loss");
    }
    assert_true(last_losses < first_losses);
    assert_false(rt_path_exists(fixture_path("plain/model.safetensors")));
    assert_true(rt_path_exists(fixture_path("plain/tokenizer.json")));
    settings half = {{"lora_r", "4"}, {"learning_rate", "1e-3"}, {"dtype", "bf16"}};
    assert_ok(distill("half", half, NULL)); /* the base is rounded: another model */
    assert_string_not_equal(fixture_sha("half", ADAPTER), want);
}

/* An int8 base is, bit for bit, the float32 model that its weights stand for: losses, adapters, rollouts. */
static void test_int8_base(void **state) {
    (void)state;
    rt_model base;
    assert_ok(rt_model_load_as(fixture_path("base"), RT_WEIGHTS_INT8, &base, &fixture_error));
    assert_ok(rt_make_dirs(fixture_path("widened"), &fixture_error));
    assert_ok(rt_tokenizer_copy_files(fixture_path("base"), fixture_path("widened"), &fixture_error));
    assert_ok(rt_model_save(&base, fixture_path("widened"), RT_DTYPE_F32, &fixture_error));
    rt_model_release(&base);
    const char *const models[2][2] = {{"base", "int8"}, {"widened", "f32"}};
    char run[2][32];
    for (int i = 0; i < 2; i++) {
        char *dir = strdup(fixture_path(models[i][0]));
        settings set = {{"model", dir}, {"lora_r", "4"}, {"learning_rate", "1e-3"}, {"dtype", models[i][1]}};
        snprintf(run[i], sizeof run[i], "sft-%s", models[i][1]);
        assert_ok(distill(run[i], set, NULL));
        settings rl_set = {
            {"model", dir}, {"max_steps", "3"}, {"beta", "0.05"}, {"learning_rate", "2e-3"}, {"dtype", models[i][1]}};
        snprintf(run[i], sizeof run[i], "rl-%s", models[i][1]);
        assert_ok(rl(run[i], rl_set, NULL));
        for (int step = 1; step <= 3; step++) assert_true(fixture_metric(run[i], step, "ratio_deviation") == 0);
        free(dir);
    }
    assert_string_equal(fixture_sha("sft-int8", ADAPTER), fixture_sha("sft-f32", ADAPTER));
    assert_string_equal(fixture_sha("rl-int8", ADAPTER), fixture_sha("rl-f32", ADAPTER));
    fixture_same_metrics("sft-int8", "sft-f32");
    fixture_same_metrics("rl-int8", "rl-f32");
    assert_string_not_equal(fixture_sha("sft-int8", ADAPTER), fixture_sha("plain", ADAPTER));
}

static void test_distill_resumes(void **state) {
    (void)state;
    settings plain = {{"lora_target_modules", "q_proj,v_proj"}},
             resume = {{"lora_target_modules", "q_proj,v_proj"}, {"resume", "true"}};
    assert_ok(distill("whole", plain, NULL));
    fixture_stopper stopper;
    for (int i = 0; i < 2; i++) {
        fixture_stop_after(&stopper, "distill", 1);
        assert_int_equal(distill("stopped", resume, &stopper.progress), RETORT_ERR_INTERRUPTED);
        retort_interrupt_clear();
    }
    settings other = {{"lora_target_modules", "q_proj,v_proj"}, {"resume", "true"}, {"lora_r", "3"}};
    assert_int_equal(distill("stopped", other, NULL), RETORT_ERR_STATE);
    assert_non_null(strstr(fixture_error.message, "lora_r"));
    settings none = {{"resume", "true"}};
    assert_int_equal(distill("stopped", none, NULL), RETORT_ERR_STATE);
    assert_non_null(strstr(fixture_error.message, "'lora_target_modules' was q_proj,v_proj"));
    assert_ok(distill("stopped", resume, NULL));
    assert_string_equal(fixture_sha("stopped", ADAPTER), fixture_sha("whole", ADAPTER));
    fixture_same_metrics("whole", "stopped");
    assert_ok(distill("stopped", resume, NULL)); /* complete: nothing is run again */
}

static void test_rl_is_on_policy(void **state) {
    (void)state;
    static const settings sets[] = {
        {{"max_steps", "3"}, {"beta", "0.05"}, {"learning_rate", "2e-3"}},
        {{"max_steps", "3"}, {"temperature", "0.8"}, {"dtype", "bf16"}, {"num_iterations", "2"}, {"beta", "0.01"}},
        {{"max_steps", "3"}, {"temperature", "0.9"}, {"dtype", "bf16"}, {"kv_dtype", "bf16"}, {"beta", "0.01"}},
        {{"max_steps", "3"}, {"use_peft", "false"}, {"kv_dtype", "bf16"}, {"beta", "0.01"}, {"num_iterations", "2"}},
        {{"max_steps", "2"}, {"lora_r", "3"}, {"lora_alpha", "1.5"}, {"lora_target_modules", "o_proj,down_proj"}}};
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        char run[32];
        snprintf(run, sizeof run, "rl%zu", i);
        assert_ok(rl(run, sets[i], NULL));
        assert_true(fixture_metric(run, 1, "ratio_deviation") == 0);
        assert_true(fixture_metric(run, 2, "ratio_deviation") == 0);
    }
    /* The reference is the base without adapters. */
    assert_true(fixture_metric("rl0", 1, "kl") == 0 && fixture_metric("rl0", 3, "kl") > 0);
    settings threads = {{"max_steps", "3"},           {"beta", "0.05"},
                        {"learning_rate", "2e-3"},    {"rollout_batch", "3"},
                        {"micro_batch_tokens", "70"}, {"threads", "2"}};
    assert_ok(rl("rl-other", threads, NULL));
    assert_string_equal(fixture_sha("rl-other", ADAPTER), fixture_sha("rl0", ADAPTER));
    fixture_stopper stopper;
    settings resume = {{"max_steps", "3"}, {"beta", "0.05"}, {"learning_rate", "2e-3"}, {"resume", "true"}};
    fixture_stop_after(&stopper, "rl", 1);
    assert_int_equal(rl("rl-stopped", resume, &stopper.progress), RETORT_ERR_INTERRUPTED);
    retort_interrupt_clear();
    assert_ok(rl("rl-stopped", resume, NULL));
    assert_string_equal(fixture_sha("rl-stopped", ADAPTER), fixture_sha("rl0", ADAPTER));
}

static void test_merge(void **state) {
    (void)state;
    settings set = {{"lora_r", "4"}, {"learning_rate", "1e-3"}};
    assert_ok(distill("adapter", set, NULL));
    retort_merge_options options;
    assert_ok(retort_options_defaults(retort_merge_option_table, &options, &fixture_error));
    fixture_set(retort_merge_option_table, &options, "in", fixture_path("base"));
    fixture_set(retort_merge_option_table, &options, "adapter", fixture_path("adapter"));
    fixture_set(retort_merge_option_table, &options, "out", fixture_path("base"));
    assert_int_equal(retort_model_merge(&options, &fixture_error), RETORT_ERR_USAGE);
    fixture_set(retort_merge_option_table, &options, "out", fixture_path("merged"));
    assert_ok(retort_model_merge(&options, &fixture_error));
    retort_options_release(retort_merge_option_table, &options);
    assert_true(rt_path_exists(fixture_path("merged/tokenizer.json")));
    rt_model base, merged;
    const rt_model_source source = {fixture_path("base"), fixture_path("adapter"), RT_WEIGHTS_AUTO, RT_DTYPE_F32};
    assert_ok(rt_model_open(&source, &base, &fixture_error));
    assert_ok(rt_model_load(fixture_path("merged"), &merged, &fixture_error));
    rt_lora_pair p;
    assert_true(rt_lora_pair_of(base.lora, &base.lora->params, 1, RT_LORA_V, &p));
    const float *before = base.params.layers[1].v_w.f32, *after = merged.params.layers[1].v_w.f32;
    for (int64_t i = 0; i < p.out; i++) {
        for (int64_t j = 0; j < p.in; j++) {
            float sum = 0;
            for (int64_t k = 0; k < 4; k++) sum = fmaf(p.b[i * 4 + k], p.a[k * p.in + j], sum);
            assert_true(after[i * p.in + j] == before[i * p.in + j] + sum * base.lora->scale);
        }
    }
    assert_memory_equal(base.params.embed.f32, merged.params.embed.f32,
                        (size_t)(base.config.vocab_size * base.config.hidden_size) * sizeof(float));
    rt_model_release(&base);
    rt_model_release(&merged);
}

static void test_refusals(void **state) {
    (void)state;
    retort_distill_options options;
    fixture_distill_options(&options, "refused");
    fixture_set(retort_distill_option_table, &options, "dtype", "bf16");
    assert_int_equal(retort_distill(&options, NULL, NULL, &fixture_error), RETORT_ERR_USAGE);
    assert_non_null(strstr(fixture_error.message, "use_peft"));
    fixture_set(retort_distill_option_table, &options, "dtype", "int8");
    assert_int_equal(retort_distill(&options, NULL, NULL, &fixture_error), RETORT_ERR_USAGE);
    assert_non_null(strstr(fixture_error.message, "'dtype' is int8 without 'use_peft'"));
    fixture_set(retort_distill_option_table, &options, "use_peft", "true");
    fixture_set(retort_distill_option_table, &options, "lora_target_modules", "q_proj,embed_tokens");
    assert_int_equal(retort_distill(&options, NULL, NULL, &fixture_error), RETORT_ERR_UNSUPPORTED);
    assert_non_null(strstr(fixture_error.message, "'embed_tokens'"));
    assert_false(rt_path_exists(fixture_path("refused")));
    retort_options_release(retort_distill_option_table, &options);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distill_same_bits),
        cmocka_unit_test(test_distill_resumes),
        cmocka_unit_test(test_int8_base),
        cmocka_unit_test(test_rl_is_on_policy),
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests_name("adapters", tests, set_up, fixture_remove);
}
