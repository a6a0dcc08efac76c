/* What can go wrong in a run: bad options, bad numbers, folders that cannot be written, a full disk. */
#include "fixture.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/model.h"
#include "text/tokenizer.h"

static int set_up(void **state) {
    if (fixture_create(state) != 0) return -1;
    fixture_base();
    fixture_examples("distill.jsonl", 12);
    return 0;
}

static void expect(retort_status got, retort_status want, const char *says) {
    if (got != want || strstr(fixture_error.message, says) == NULL)
        fail_msg("got %s: %s", retort_status_name(got), fixture_error.message);
}

static retort_status distill(retort_distill_options *options) {
    retort_status st = retort_distill(options, NULL, NULL, &fixture_error);
    retort_options_release(retort_distill_option_table, options);
    return st;
}

static void test_options(void **state) {
    (void)state;
    retort_distill_options options;
    fixture_distill_options(&options, "run");
    options.train_batch_size = 0; /* set by hand, past the table's check */
    expect(distill(&options), RETORT_ERR_USAGE, "'train_batch_size'");
    fixture_distill_options(&options, "run");
    options.train.learning_rate = (double)NAN;
    expect(distill(&options), RETORT_ERR_USAGE, "'learning_rate'");
    fixture_distill_options(&options, "run");
    options.train.lr_scheduler_type = 9;
    expect(distill(&options), RETORT_ERR_USAGE, "'lr_scheduler_type'");
    fixture_distill_options(&options, "run");
    options.max_length = 5000;
    expect(distill(&options), RETORT_ERR_USAGE, "'max_length'");
    fixture_distill_options(&options, "run");
    options.num_train_epochs = 0;
    expect(distill(&options), RETORT_ERR_USAGE, "nothing to train");
    fixture_distill_options(&options, "run");
    fixture_set(retort_distill_option_table, &options, "model", fixture_path("nowhere"));
    expect(distill(&options), RETORT_ERR_NOT_FOUND, "nowhere");
    fixture_distill_options(&options, "run");
    fixture_set(retort_distill_option_table, &options, "dataset", "");
    expect(distill(&options), RETORT_ERR_USAGE, "'dataset' is required");
    assert_false(rt_path_exists(fixture_path("run"))); /* nothing is written before all input was read */
    retort_pretrain_options pretrain;
    fixture_pretrain_options(&pretrain, "run");
    pretrain.num_attention_heads = 3;
    expect(retort_pretrain(&pretrain, NULL, NULL, &fixture_error), RETORT_ERR_USAGE, "'num_attention_heads'");
    pretrain.train.max_steps = 0;
    expect(retort_pretrain(&pretrain, NULL, NULL, &fixture_error), RETORT_ERR_USAGE, "'max_steps'");
    retort_options_release(retort_pretrain_option_table, &pretrain);
}

/* Weights so large that the forward pass overflows. */
static void test_nonfinite_loss(void **state) {
    (void)state;
    rt_model model = {0};
    assert_ok(rt_model_load(fixture_path("base"), &model, &fixture_error));
    for (int64_t i = 0; i < model.params.count; i++) model.params.data[i] *= 1e30F;
    assert_ok(rt_make_dirs(fixture_path("huge"), &fixture_error));
    assert_ok(rt_model_save(&model, fixture_path("huge"), RT_DTYPE_F32, &fixture_error));
    assert_ok(rt_tokenizer_copy_files(fixture_path("base"), fixture_path("huge"), &fixture_error));
    rt_model_release(&model);
    retort_distill_options options;
    fixture_distill_options(&options, "nan");
    fixture_set(retort_distill_option_table, &options, "model", fixture_path("huge"));
    retort_status st = distill(&options);
    expect(st, RETORT_ERR_NUMERIC, "step 1: ");
    expect(st, RETORT_ERR_NUMERIC, "not finite");
    assert_false(rt_path_exists(fixture_path("nan/model.safetensors")));
}

/* A rate that drives the weights to infinity after some steps: the checkpoint before it stays. */
static void test_divergence_keeps_the_checkpoint(void **state) {
    (void)state;
    retort_distill_options options;
    fixture_distill_options(&options, "diverged");
    options.train.learning_rate = 10;
    options.train.weight_decay = 10;
    options.train.max_grad_norm = 0;
    options.train.max_steps = 400;
    options.train.save_steps = 1;
    options.train.warmup_ratio = 0;
    options.train.lr_scheduler_type = RETORT_SCHEDULE_CONSTANT;
    expect(distill(&options), RETORT_ERR_NUMERIC, "not finite");
    assert_non_null(strstr(fixture_error.message, "step "));
    assert_false(rt_path_exists(fixture_path("diverged/model.safetensors")));
}

static void test_unwritable(void **state) {
    (void)state;
    retort_distill_options options;
    fixture_write("file", "in the way");
    fixture_distill_options(&options, "file/run");
    expect(distill(&options), RETORT_ERR_IO, "file");
    fixture_distill_options(&options, "run");
    fixture_set(retort_distill_option_table, &options, "output_dir", "/proc/retort");
    expect(distill(&options), RETORT_ERR_IO, "/proc/retort");
    if (geteuid() == 0) return; /* root writes everywhere */
    mkdir(fixture_path("locked"), 0500);
    fixture_distill_options(&options, "locked/run");
    expect(distill(&options), RETORT_ERR_IO, "locked");
}

/* In a child no file may grow beyond `limit` bytes, which is how a full disk looks. Exit codes: 0 done, 1 the failure
 * that a full disk should give, 2 anything else. */
static int in_small_space(retort_distill_options *options, rlim_t limit) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit space = {limit, limit};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &space);
        retort_status st = retort_distill(options, NULL, NULL, &fixture_error);
        bool told = strstr(fixture_error.message, "cannot") != NULL;
        _exit(st == RETORT_OK ? 0 : st == RETORT_ERR_IO && told ? 1 : 2);
    }
    int status;
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_full_disk(void **state) {
    (void)state;
    retort_distill_options options;
    fixture_distill_options(&options, "undisturbed");
    assert_ok(distill(&options));
    /* Two steps in peace, then the disk is full at the next checkpoint. */
    fixture_distill_options(&options, "full");
    fixture_stopper stopper;
    fixture_stop_after(&stopper, "distill", 1);
    assert_int_equal(retort_distill(&options, &stopper.progress, NULL, &fixture_error), RETORT_ERR_INTERRUPTED);
    retort_interrupt_clear();
    assert_true(rt_path_is_dir(fixture_path("full/checkpoint-1")));
    const char *before = fixture_sha("full/checkpoint-1", "optimizer.safetensors");
    options.train.resume = true;
    options.train.save_steps = 1;
    /* Room for the weights, then only for the small files, then not even for a line of metrics. */
    assert_int_equal(in_small_space(&options, 150000), 1);
    assert_int_equal(in_small_space(&options, 20000), 1);
    assert_int_equal(in_small_space(&options, 100), 1);
    assert_string_equal(fixture_sha("full/checkpoint-1", "optimizer.safetensors"), before);
    assert_false(rt_path_exists(fixture_path("full/checkpoint-2")));
    assert_false(rt_path_exists(fixture_path("full/checkpoint-2.tmp")));
    assert_ok(retort_distill(&options, NULL, NULL, &fixture_error));
    retort_options_release(retort_distill_option_table, &options);
    assert_string_equal(fixture_sha("full", "model.safetensors"), fixture_sha("undisturbed", "model.safetensors"));
}

/* A checkpoint that was damaged afterwards is refused, never half-used. */
static void test_damaged_checkpoint(void **state) {
    (void)state;
    static const char *const files[] = {"optimizer.safetensors", "model.safetensors", "trainer_state.json",
                                        "config.json"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char run[32], path[80];
        snprintf(run, sizeof run, "damaged%zu", i);
        snprintf(path, sizeof path, "%s/checkpoint-1/%s", run, files[i]);
        retort_distill_options options;
        fixture_distill_options(&options, run);
        fixture_stopper stopper;
        fixture_stop_after(&stopper, "distill", 1);
        assert_int_equal(retort_distill(&options, &stopper.progress, NULL, &fixture_error), RETORT_ERR_INTERRUPTED);
        retort_interrupt_clear();
        assert_int_equal(truncate(fixture_path(path), 200), 0);
        options.train.resume = true;
        expect(distill(&options), RETORT_ERR_FORMAT, files[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_nonfinite_loss),
        cmocka_unit_test(test_divergence_keeps_the_checkpoint),
        cmocka_unit_test(test_unwritable),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_damaged_checkpoint),
    };
    return cmocka_run_group_tests_name("failures", tests, set_up, fixture_remove);
}
