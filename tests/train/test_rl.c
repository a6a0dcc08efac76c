/* Zero-RL runs: exact ratios, the same bits whatever the machine does, stops and kills, metrics and the account. */
#include "fixture.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char WEIGHTS[] = "model.safetensors";
typedef const char *const settings[8][2]; /* the rest is NULL */

static retort_status rl(const char *run, const char *const (*set)[2], const retort_progress *progress,
                        retort_training_account *account) {
    retort_rl_options options;
    fixture_rl_options(&options, run);
    for (; set != NULL && (*set)[0] != NULL; set++) fixture_set(retort_rl_option_table, &options, (*set)[0], (*set)[1]);
    retort_status st = retort_rl(&options, progress, account, &fixture_error);
    retort_options_release(retort_rl_option_table, &options);
    return st;
}

/* The base is distilled a little first, so that its answers can be read and some groups have variance. */
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
    /* The student becomes the base of these tests. */
    assert_ok(rt_remove_tree(fixture_path("base"), &fixture_error));
    assert_int_equal(rename(fixture_path("student"), fixture_path("base")), 0);
    return 0;
}

static void test_metrics(void **state) {
    (void)state;
    settings set = {{"max_steps", "5"}, {"beta", "0.01"}, {"learning_rate", "1e-3"}};
    retort_training_account account;
    assert_ok(rl("run", set, NULL, &account));
    assert_int_equal(fixture_metric_lines("run"), 6);
    static const char *const keys[] = {"reward",
                                       "reward_std",
                                       "frac_reward_zero_std",
                                       "kl",
                                       "entropy",
                                       "num_tokens",
                                       "completions/mean_length",
                                       "completions/clipped_ratio",
                                       "clip_ratio/region_mean",
                                       "rewards/accuracy/mean",
                                       "rewards/format/mean",
                                       "loss",
                                       "grad_norm",
                                       "learning_rate",
                                       "step_time",
                                       "tokens_per_second",
                                       "eta",
                                       "epoch"};
    for (int step = 1; step <= 5; step++) {
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) assert_true(fixture_has_metric("run", step, keys[i]));
        assert_true(fixture_metric("run", step, "ratio_deviation") == 0);
        double accuracy = fixture_metric("run", step, "rewards/accuracy/mean");
        double format = fixture_metric("run", step, "rewards/format/mean");
        double reward = fixture_metric("run", step, "reward");
        assert_true(fabs(reward - accuracy - 0.1 * (format - accuracy)) < 1e-7);
        assert_true(fixture_metric("run", step, "completions/mean_length") <= 24);
    }
    double mixed = fixture_metric("run", 0, "probe/mixed"), wrong = fixture_metric("run", 0, "probe/all_wrong");
    assert_true(fabs(mixed + wrong + fixture_metric("run", 0, "probe/all_right") - 1) < 1e-9);
    assert_true(fixture_metric("run", 1, "kl") == 0 && fixture_metric("run", 5, "kl") > 0);
    assert_int_equal(account.steps, 5);
    assert_int_equal(account.examples, 20);
    assert_int_equal(account.distinct_problems, 10);
    assert_true(account.generated_tokens > 0 && account.rollout_flops > 0 && account.train_flops > 0);
}

static void test_same_bits(void **state) {
    (void)state;
    assert_ok(rl("plain", NULL, NULL, NULL));
    static const struct {
        const char *run;
        settings set;
    } variants[] = {{"single", {{"micro_batch_tokens", "1"}, {"rollout_batch", "1"}}},
                    {"all", {{"micro_batch_tokens", "100000"}, {"rollout_batch", "64"}}},
                    {"two", {{"threads", "2"}, {"rollout_batch", "3"}}},
                    {"three", {{"threads", "3"}, {"gradient_checkpointing", "true"}}}};
    const char *want = fixture_sha("plain", WEIGHTS);
    double learned = 0; /* the runs below would prove little if no step taught anything */
    for (int step = 1; step <= 4; step++) learned += 1 - fixture_metric("plain", step, "frac_reward_zero_std");
    assert_true(learned >= 1);
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
        assert_ok(rl(variants[i].run, variants[i].set, NULL, NULL));
        assert_string_equal(fixture_sha(variants[i].run, WEIGHTS), want);
        fixture_same_metrics("plain", variants[i].run);
    }
    settings seed = {{"seed", "2"}};
    assert_ok(rl("seeded", seed, NULL, NULL));
    assert_string_not_equal(fixture_sha("seeded", WEIGHTS), want);
}

/* Stops in the probe, after each step and in the middle of a rollout, and goes on each time. */
static void test_interrupt(void **state) {
    (void)state;
    settings plain = {{"num_iterations", "2"}, {"steps_per_generation", "2"}, {"dynamic_sampling", "true"}};
    settings resume = {
        {"num_iterations", "2"}, {"steps_per_generation", "2"}, {"dynamic_sampling", "true"}, {"resume", "true"}};
    assert_ok(rl("whole", plain, NULL, NULL));
    static const char *const stages[] = {"probe", "rl", "rollout", "rl", "rl"};
    fixture_stopper stopper[5];
    int stops = 0;
    for (size_t i = 0; i < 5; i++) {
        fixture_stop_after(&stopper[i], stages[i], stages[i][1] == 'l' ? 1 : 0);
        retort_status st = rl("stopped", resume, &stopper[i].progress, NULL);
        retort_interrupt_clear();
        if (st == RETORT_OK) break;
        assert_int_equal(st, RETORT_ERR_INTERRUPTED);
        stops++;
    }
    assert_true(stops >= 3);
    assert_ok(rl("stopped", resume, NULL, NULL));
    assert_string_equal(fixture_sha("stopped", WEIGHTS), fixture_sha("whole", WEIGHTS));
    fixture_same_metrics("whole", "stopped");
}

static void test_kill(void **state) {
    (void)state;
    settings saving = {{"save_steps", "1"}, {"resume", "true"}, {"beta", "0.1"}, {"temperature", "0.8"}};
    settings plain = {{"beta", "0.1"}, {"temperature", "0.8"}};
    assert_ok(rl("unharmed", plain, NULL, NULL));
    bool done = false;
    for (int attempt = 0; attempt < 30 && !done; attempt++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) _exit(rl("killed", saving, NULL, NULL) == RETORT_OK ? 0 : 1);
        usleep((useconds_t)(20000 + 41000 * attempt));
        kill(child, SIGKILL);
        int status;
        waitpid(child, &status, 0);
        done = WIFEXITED(status);
        if (done) assert_int_equal(WEXITSTATUS(status), 0);
    }
    if (!done) assert_ok(rl("killed", saving, NULL, NULL));
    assert_string_equal(fixture_sha("killed", WEIGHTS), fixture_sha("unharmed", WEIGHTS));
    fixture_same_metrics("unharmed", "killed");
}

/* Every combination of the options that change the loss runs, with exact ratios at each rollout's first update. */
static void test_options_run(void **state) {
    (void)state;
    static const settings sets[] = {
        {{"loss_type", "grpo"}, {"reward", "signed"}, {"scale_rewards", "batch"}, {"max_steps", "2"}},
        {{"loss_type", "bnpo"}, {"mask_truncated_completions", "true"}, {"temperature", "1.2"}, {"max_steps", "2"}},
        {{"loss_type", "dr_grpo"}, {"scale_rewards", "none"}, {"top_p", "0.9"}, {"max_steps", "2"}},
        {{"dynamic_sampling", "true"}, {"max_refills", "3"}, {"top_k", "20"}, {"max_steps", "2"}},
        {{"num_iterations", "3"}, {"steps_per_generation", "5"}, {"min_p", "0.02"}, {"max_steps", "2"}},
        {{"max_completion_length", "2"}, {"mask_truncated_completions", "true"}, {"max_steps", "2"}}};
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        char run[32];
        snprintf(run, sizeof run, "options%zu", i);
        assert_ok(rl(run, sets[i], NULL, NULL));
        assert_true(fixture_metric(run, 1, "ratio_deviation") == 0);
        assert_true(fixture_metric(run, 2, "ratio_deviation") == 0);
    }
    assert_true(fixture_metric("options3", 1, "sampling/groups") >= 4);
    assert_true(fixture_metric("options5", 1, "completions/clipped_ratio") > 0.25);
    assert_true(fixture_has_metric("options5", 1, "alarms"));
}

static void test_refusals(void **state) {
    (void)state;
    fixture_stopper stopper;
    fixture_stop_after(&stopper, "rl", 1);
    assert_int_equal(rl("refused", NULL, &stopper.progress, NULL), RETORT_ERR_INTERRUPTED);
    retort_interrupt_clear();
    settings other = {{"resume", "true"}, {"num_generations", "9"}};
    assert_int_equal(rl("refused", other, NULL, NULL), RETORT_ERR_STATE);
    assert_non_null(strstr(fixture_error.message, "'num_generations' was 8 and is now 9"));
    settings fits = {{"resume", "true"}, {"rollout_batch", "2"}, {"micro_batch_tokens", "70"}};
    assert_ok(rl("refused", fits, NULL, NULL));
    settings long_context = {{"max_completion_length", "5000"}};
    assert_int_equal(rl("long", long_context, NULL, NULL), RETORT_ERR_USAGE);
    assert_non_null(strstr(fixture_error.message, "context"));
    fixture_write("empty.jsonl", "");
    fixture_write("unanswered.jsonl", "{\"id\": \"x\", \"problem\": \"Why?\"}\n");
    retort_rl_options options;
    fixture_rl_options(&options, "bad");
    fixture_set(retort_rl_option_table, &options, "dataset", fixture_path("empty.jsonl"));
    assert_int_equal(retort_rl(&options, NULL, NULL, &fixture_error), RETORT_ERR_FORMAT);
    fixture_set(retort_rl_option_table, &options, "dataset", fixture_path("unanswered.jsonl"));
    assert_int_equal(retort_rl(&options, NULL, NULL, &fixture_error), RETORT_ERR_FORMAT);
    assert_non_null(strstr(fixture_error.message, "'x'"));
    retort_options_release(retort_rl_option_table, &options);
    assert_false(rt_path_exists(fixture_path("bad")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metrics), cmocka_unit_test(test_same_bits),   cmocka_unit_test(test_interrupt),
        cmocka_unit_test(test_kill),    cmocka_unit_test(test_options_run), cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests_name("rl", tests, set_up, fixture_remove);
}
