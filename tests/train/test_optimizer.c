/* Schedule, clipping and AdamW: ten steps against PyTorch, and what happens to bad numbers. */
#include "fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/optimizer.h"
#include "train/schedule.h"

/* A parameter block of a matrix and a vector, as the optimizer sees it. */
typedef struct block {
    float data[64];
    rt_tensor tensors[2];
    rt_params params;
} block;

static void make_block(block *b, int64_t matrix, int64_t vector) {
    *b = (block){.tensors = {{.name = "matrix", .count = matrix, .decay = true},
                             {.name = "vector", .offset = matrix, .count = vector}}};
    b->params = (rt_params){.data = b->data, .count = matrix + vector, .tensors = b->tensors, .num_tensors = 2};
}

static FILE *golden;

static double next(void) {
    char line[64];
    assert_non_null(fgets(line, sizeof line, golden));
    return strtod(line, NULL);
}

static void next_values(float *out, int64_t count) {
    for (int64_t i = 0; i < count; i++) out[i] = (float)next();
}

static void close_to(double got, double want, double tolerance) {
    if (!(fabs(got - want) <= tolerance * (1e-3 + fabs(want)))) fail_msg("got %.9g, want %.9g", got, want);
}

static void test_golden(void **state) {
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s/adamw.txt", getenv("RETORT_TEST_GOLDEN"));
    golden = fopen(path, "r");
    assert_non_null(golden);
    int64_t matrix = (int64_t)next(), vector = (int64_t)next(), count = matrix + vector;
    static block params, grads, m, v;
    make_block(&params, matrix, vector);
    make_block(&grads, matrix, vector);
    make_block(&m, matrix, vector);
    make_block(&v, matrix, vector);
    rt_optimizer optimizer = {.grads = grads.params, .m = m.params, .v = v.params, .beta1 = 0.9, .beta2 = 0.95};
    optimizer.epsilon = 1e-8;
    optimizer.weight_decay = 0.1;
    optimizer.max_norm = 1;
    const retort_training_options options = {
        .learning_rate = 0.05, .lr_scheduler_type = RETORT_SCHEDULE_COSINE, .warmup_ratio = 0.2, .min_lr_rate = 0.1};
    rt_schedule schedule = rt_schedule_make(&options, 10);
    next_values(params.data, count);
    for (int step = 0; step < 10; step++) {
        double norm, rate = rt_schedule_rate(&schedule, step);
        float want[64];
        next_values(grads.data, count);
        close_to(rate, next(), 1e-12);
        double want_norm = next();
        assert_ok(rt_optimizer_update(&optimizer, &params.params, rate, &norm, &fixture_error));
        close_to(norm, want_norm, 1e-6);
        next_values(want, count);
        for (int64_t i = 0; i < count; i++) close_to((double)params.data[i], (double)want[i], 1e-5);
        for (int64_t i = 0; i < count; i++) assert_true(grads.data[i] == 0);
    }
    fclose(golden);
}

static void test_nonfinite_gradient_changes_nothing(void **state) {
    (void)state;
    static block params, grads, m, v;
    make_block(&params, 4, 4);
    make_block(&grads, 4, 4);
    make_block(&m, 4, 4);
    make_block(&v, 4, 4);
    for (int i = 0; i < 8; i++) params.data[i] = m.data[i] = v.data[i] = (float)i;
    block before = params, m_before = m, v_before = v;
    rt_optimizer optimizer = {.grads = grads.params, .m = m.params, .v = v.params, .updates = 3};
    const float bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 3; i++) {
        double norm;
        grads.data[5] = bad[i];
        assert_int_equal(rt_optimizer_update(&optimizer, &params.params, 1, &norm, &fixture_error), RETORT_ERR_NUMERIC);
        assert_non_null(strstr(fixture_error.message, "'vector'"));
        assert_int_equal(optimizer.updates, 3);
        assert_memory_equal(params.data, before.data, sizeof before.data);
        assert_memory_equal(m.data, m_before.data, sizeof m_before.data);
        assert_memory_equal(v.data, v_before.data, sizeof v_before.data);
    }
}

static void test_schedules(void **state) {
    (void)state;
    retort_training_options options = {.learning_rate = 2, .lr_scheduler_type = RETORT_SCHEDULE_LINEAR};
    options.warmup_ratio = 0.15; /* 1.5 of 10 updates: 2 */
    rt_schedule s = rt_schedule_make(&options, 10);
    assert_int_equal(s.warmup, 2);
    assert_true(rt_schedule_rate(&s, 0) == 0 && rt_schedule_rate(&s, 1) == 1 && rt_schedule_rate(&s, 2) == 2);
    close_to(rt_schedule_rate(&s, 6), 1, 1e-15);
    assert_true(rt_schedule_rate(&s, 10) == 0 && rt_schedule_rate(&s, 99) == 0);
    options.lr_scheduler_type = RETORT_SCHEDULE_CONSTANT;
    s = rt_schedule_make(&options, 10);
    assert_true(rt_schedule_rate(&s, 9) == 2);
    options.lr_scheduler_type = RETORT_SCHEDULE_COSINE;
    options.min_lr_rate = 0.25;
    s = rt_schedule_make(&options, 10);
    close_to(rt_schedule_rate(&s, 6), 2 * (0.5 * 0.75 + 0.25), 1e-15);
    close_to(rt_schedule_rate(&s, 10), 0.5, 1e-15);
    options.warmup_ratio = 1; /* all of it is warm-up */
    s = rt_schedule_make(&options, 4);
    assert_true(rt_schedule_rate(&s, 3) == 1.5 && rt_schedule_rate(&s, 4) == 0.5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_nonfinite_gradient_changes_nothing),
        cmocka_unit_test(test_schedules),
    };
    return cmocka_run_group_tests_name("optimizer", tests, NULL, NULL);
}
