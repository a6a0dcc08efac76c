/* Pre-training and distillation: what they learn, that nothing but seed, data and hyper-parameters moves a bit, and
 * that stopping and going on changes nothing. */
#include "fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char WEIGHTS[] = "model.safetensors";

static retort_status pretrain(const char *run, const char *const (*set)[2], const retort_progress *progress) {
    retort_pretrain_options options;
    fixture_pretrain_options(&options, run);
    for (; set != NULL && (*set)[0] != NULL; set++)
        fixture_set(retort_pretrain_option_table, &options, (*set)[0], (*set)[1]);
    retort_status st = retort_pretrain(&options, progress, NULL, &fixture_error);
    retort_options_release(retort_pretrain_option_table, &options);
    return st;
}

static retort_status distill(const char *run, const char *const (*set)[2], const retort_progress *progress,
                             retort_training_account *account) {
    retort_distill_options options;
    fixture_distill_options(&options, run);
    for (; set != NULL && (*set)[0] != NULL; set++)
        fixture_set(retort_distill_option_table, &options, (*set)[0], (*set)[1]);
    retort_status st = retort_distill(&options, progress, account, &fixture_error);
    retort_options_release(retort_distill_option_table, &options);
    return st;
}

typedef const char *const settings[8][2]; /* the rest is NULL */

static int set_up(void **state) {
    if (fixture_create(state) != 0) return -1;
    fixture_base();
    fixture_examples("distill.jsonl", 18);
    return 0;
}

static void test_pretrain_learns(void **state) {
    (void)state;
    settings longer = {{"max_steps", "40"}, {"dtype", "bf16"}};
    assert_ok(pretrain("learn", longer, NULL));
    assert_int_equal(fixture_metric_lines("learn"), 40);
    assert_true(fixture_metric("learn", 40, "loss") < 0.85 * fixture_metric("learn", 1, "loss"));
    assert_true(rt_path_exists(fixture_path("learn/tokenizer.json")));
    assert_false(rt_path_exists(fixture_path("learn/tokenizer.tmp")));
    assert_true(fixture_metric("learn", 40, "learning_rate") < 0.12 * 2e-3);
}

static void test_distill_learns(void **state) {
    (void)state;
    settings longer = {{"num_train_epochs", "12"}, {"learning_rate", "3e-3"}};
    retort_training_account account;
    assert_ok(distill("learned", longer, NULL, &account));
    assert_int_equal(account.steps, 60);
    assert_int_equal(account.examples, 216);
    assert_int_equal(account.distinct_problems, 18);
    assert_true(fixture_metric("learned", 60, "loss") < 0.6 * fixture_metric("learned", 1, "loss"));
    assert_true(account.supervised_tokens < account.trained_tokens);
    assert_true(account.train_flops > 6e4 * account.trained_tokens);
    assert_true(account.generated_tokens == 0 && account.rollout_flops == 0);
    assert_true(account.final_loss == fixture_metric("learned", 60, "loss") || account.final_loss > 0);
}

/* The law: memory and threads never move a bit. */
static void test_same_bits(void **state) {
    (void)state;
    assert_ok(distill("plain", NULL, NULL, NULL));
    static const struct {
        const char *run;
        settings set;
    } variants[] = {{"single", {{"micro_batch_tokens", "1"}}},
                    {"all", {{"micro_batch_tokens", "100000"}}},
                    {"one", {{"threads", "1"}}},
                    {"two", {{"threads", "2"}}},
                    {"three", {{"threads", "3"}, {"gradient_checkpointing", "true"}}}};
    const char *want = fixture_sha("plain", WEIGHTS);
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
        assert_ok(distill(variants[i].run, variants[i].set, NULL, NULL));
        assert_string_equal(fixture_sha(variants[i].run, WEIGHTS), want);
        fixture_same_metrics("plain", variants[i].run);
    }
    settings seed = {{"seed", "2"}};
    assert_ok(distill("seeded", seed, NULL, NULL));
    assert_string_not_equal(fixture_sha("seeded", WEIGHTS), want);
}

static void test_same_bits_pretrain(void **state) {
    (void)state;
    assert_ok(pretrain("p-plain", NULL, NULL));
    settings single = {{"micro_batch_tokens", "1"}, {"threads", "1"}};
    settings all = {{"micro_batch_tokens", "100000"}, {"threads", "3"}};
    assert_ok(pretrain("p-single", single, NULL));
    assert_ok(pretrain("p-all", all, NULL));
    assert_string_equal(fixture_sha("p-single", WEIGHTS), fixture_sha("p-plain", WEIGHTS));
    assert_string_equal(fixture_sha("p-all", WEIGHTS), fixture_sha("p-plain", WEIGHTS));
    fixture_same_metrics("p-plain", "p-all");
}

/* Stops after every single step and goes on each time. */
static void test_interrupt_distill(void **state) {
    (void)state;
    settings resume = {{"resume", "true"}};
    assert_ok(distill("whole", NULL, NULL, NULL));
    int stops = 0;
    fixture_stopper stopper[32];
    for (; stops < 31; stops++) {
        fixture_stop_after(&stopper[stops], "distill", 1);
        retort_status st = distill("stopped", resume, &stopper[stops].progress, NULL);
        retort_interrupt_clear();
        if (st == RETORT_OK) break;
        assert_int_equal(st, RETORT_ERR_INTERRUPTED);
        assert_non_null(strstr(fixture_error.message, "--resume"));
    }
    assert_int_equal(stops, 9); /* of 10 steps */
    assert_string_equal(fixture_sha("stopped", WEIGHTS), fixture_sha("whole", WEIGHTS));
    fixture_same_metrics("whole", "stopped");
}

static void test_interrupt_pretrain(void **state) {
    (void)state;
    settings resume = {{"resume", "true"}};
    assert_ok(pretrain("p-whole", NULL, NULL));
    fixture_stopper first, second;
    fixture_stop_after(&first, "pretrain", 1);
    assert_int_equal(pretrain("p-stopped", NULL, &first.progress), RETORT_ERR_INTERRUPTED);
    retort_interrupt_clear();
    fixture_stop_after(&second, "pretrain", 2);
    assert_int_equal(pretrain("p-stopped", resume, &second.progress), RETORT_ERR_INTERRUPTED);
    retort_interrupt_clear();
    assert_ok(pretrain("p-stopped", resume, NULL));
    assert_string_equal(fixture_sha("p-stopped", WEIGHTS), fixture_sha("p-whole", WEIGHTS));
    fixture_same_metrics("p-whole", "p-stopped");
}

/* A child is killed at a random moment, again and again until one reaches the end. */
static void test_kill(void **state) {
    (void)state;
    settings saving = {{"save_steps", "2"}, {"resume", "true"}, {"threads", "1"}};
    assert_ok(distill("unharmed", NULL, NULL, NULL));
    bool done = false;
    for (int attempt = 0; attempt < 40 && !done; attempt++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) _exit(distill("killed", saving, NULL, NULL) == RETORT_OK ? 0 : 1);
        usleep((useconds_t)(20000 + 37000 * attempt));
        kill(child, SIGKILL);
        int status;
        waitpid(child, &status, 0);
        done = WIFEXITED(status);
        if (done) assert_int_equal(WEXITSTATUS(status), 0);
    }
    if (!done) assert_ok(distill("killed", saving, NULL, NULL));
    assert_string_equal(fixture_sha("killed", WEIGHTS), fixture_sha("unharmed", WEIGHTS));
    fixture_same_metrics("unharmed", "killed");
}

static void test_complete_run_is_not_run_again(void **state) {
    (void)state;
    settings resume = {{"resume", "true"}};
    retort_training_account first, second;
    assert_ok(distill("twice", NULL, NULL, &first));
    fixture_stopper stopper;
    fixture_stop_after(&stopper, "distill", 0);
    assert_ok(distill("twice", resume, &stopper.progress, &second));
    assert_false(stopper.fired);
    assert_memory_equal(&first, &second, sizeof first);
    /* A damaged result is made again. */
    char *path = fixture_path("twice/model.safetensors");
    assert_int_equal(truncate(path, 1000), 0);
    assert_ok(distill("twice", resume, NULL, &second));
    assert_int_equal(second.steps, first.steps);
    assert_ok(distill("whole-again", NULL, NULL, NULL));
    assert_string_equal(fixture_sha("twice", WEIGHTS), fixture_sha("whole-again", WEIGHTS));
}

static void test_other_hyper_parameters_are_refused(void **state) {
    (void)state;
    fixture_stopper stopper;
    fixture_stop_after(&stopper, "distill", 1);
    assert_int_equal(distill("refused", NULL, &stopper.progress, NULL), RETORT_ERR_INTERRUPTED);
    retort_interrupt_clear();
    /* Without --resume nothing is touched. */
    assert_int_equal(distill("refused", NULL, NULL, NULL), RETORT_ERR_STATE);
    assert_non_null(strstr(fixture_error.message, "--resume"));
    static const struct {
        settings set;
        const char *named;
    } cases[] = {{{{"resume", "true"}, {"learning_rate", "1e-3"}}, "'learning_rate' was 0.0005"},
                 {{{"resume", "true"}, {"seed", "3"}}, "'seed'"},
                 {{{"resume", "true"}, {"num_train_epochs", "3"}}, "'num_train_epochs'"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(distill("refused", cases[i].set, NULL, NULL), RETORT_ERR_STATE);
        assert_non_null(strstr(fixture_error.message, cases[i].named));
    }
    fixture_examples("other.jsonl", 17);
    retort_distill_options options;
    fixture_distill_options(&options, "refused");
    options.train.resume = true;
    fixture_set(retort_distill_option_table, &options, "dataset", fixture_path("other.jsonl"));
    assert_int_equal(retort_distill(&options, NULL, NULL, &fixture_error), RETORT_ERR_STATE);
    assert_non_null(strstr(fixture_error.message, "'dataset'"));
    retort_options_release(retort_distill_option_table, &options);
    /* What only changes memory, speed and logging may differ. */
    settings allowed = {{"resume", "true"},  {"micro_batch_tokens", "50"}, {"threads", "1"},
                        {"save_steps", "3"}, {"logging_steps", "2"},       {NULL, NULL}};
    assert_ok(distill("refused", allowed, NULL, NULL));
}

static void test_save_total_limit(void **state) {
    (void)state;
    settings keep_two = {{"save_steps", "1"}, {"save_total_limit", "2"}};
    assert_ok(distill("limited", keep_two, NULL, NULL));
    assert_true(rt_path_is_dir(fixture_path("limited/checkpoint-9")));
    assert_true(rt_path_is_dir(fixture_path("limited/checkpoint-8")));
    assert_false(rt_path_exists(fixture_path("limited/checkpoint-7")));
    /* A checkpoint is a model folder. */
    assert_true(rt_path_exists(fixture_path("limited/checkpoint-9/config.json")));
    assert_true(rt_path_exists(fixture_path("limited/checkpoint-9/tokenizer.json")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pretrain_learns),
        cmocka_unit_test(test_distill_learns),
        cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_same_bits_pretrain),
        cmocka_unit_test(test_interrupt_distill),
        cmocka_unit_test(test_interrupt_pretrain),
        cmocka_unit_test(test_kill),
        cmocka_unit_test(test_complete_run_is_not_run_again),
        cmocka_unit_test(test_other_hyper_parameters_are_refused),
        cmocka_unit_test(test_save_total_limit),
    };
    return cmocka_run_group_tests_name("supervised", tests, set_up, fixture_remove);
}
