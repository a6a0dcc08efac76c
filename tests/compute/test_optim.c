/* AdamW against the oracle and against a double-precision trajectory; reductions over gradients. */
#include <math.h>

#include "harness.h"
#include "oracle.h"

static const int64_t SIZES[] = {1, 15, 16, 17, 1000, 16384, 16385, 70001, 300000};
enum { NUM_SIZES = sizeof SIZES / sizeof *SIZES, STEPS = 3 };

static rt_adamw_args args_of(int step) {
    return (rt_adamw_args){.lr = 1e-3,
                           .beta1 = 0.9,
                           .beta2 = 0.999,
                           .eps = 1e-8,
                           .weight_decay = 0.1,
                           .grad_scale = 0.37f,
                           .bias1 = 1 - pow(0.9, step),
                           .bias2 = 1 - pow(0.999, step)};
}

static void check_adamw(void *context) {
    int64_t n = *(int64_t *)context;
    float *p = normals(n, 1, 1), *m = floats(n), *v = floats(n), *p1 = copy_of(p, n), *m1 = floats(n), *v1 = floats(n);
    for (int step = 1; step <= STEPS; step++) {
        float *g = normals(n, 10 + (uint64_t)step, 0.1);
        rt_adamw_args args = args_of(step);
        oracle_adamw(n, p, g, m, v, &args);
        rt_adamw(n, p1, g, m1, v1, &args);
        free(g);
    }
    same_bits(p1, p, n, "parameters");
    same_bits(m1, m, n, "first moments");
    same_bits(v1, v, n, "second moments");
    free(p), free(m), free(v), free(p1), free(m1), free(v1);
}

static void check_reductions(void *context) {
    int64_t n = *(int64_t *)context;
    float *x = normals(n, 31, 3);
    double sum = rt_sum_squares(n, x), expected = oracle_sum_squares(n, x);
    assert_memory_equal(&sum, &expected, sizeof sum);
    assert_false(rt_has_nonfinite(n, x));
    static const float BAD[] = {INFINITY, -INFINITY, NAN};
    for (int64_t i = 0; i < n; i += n / 7 + 1) {
        float saved = x[i];
        x[i] = BAD[i % 3];
        assert_true(rt_has_nonfinite(n, x));
        x[i] = saved;
    }
    x[n - 1] = 3.4028235e38f;
    assert_false(rt_has_nonfinite(n, x));
    free(x);
}

static void adamw(void **state) {
    (void)state;
    for (int i = 0; i < NUM_SIZES; i++) {
        int64_t n = SIZES[i];
        each_setting(check_adamw, &n);
    }
}

static void reductions(void **state) {
    (void)state;
    for (int i = 0; i < NUM_SIZES; i++) {
        int64_t n = SIZES[i];
        each_setting(check_reductions, &n);
    }
    assert_true(rt_sum_squares(0, NULL) == 0);
}

/* Ten steps in double; floats stay within a few roundings of them. */
static void adamw_trajectory(void **state) {
    (void)state;
    assert_int_equal(rt_compute_init(NULL), RETORT_OK);
    enum { N = 100 };
    float *p = normals(N, 1, 1), *m = floats(N), *v = floats(N);
    double pd[N], md[N] = {0}, vd[N] = {0};
    for (int i = 0; i < N; i++) pd[i] = (double)p[i];
    for (int step = 1; step <= 10; step++) {
        float *g = normals(N, 40 + (uint64_t)step, 0.1);
        rt_adamw_args a = args_of(step);
        rt_adamw(N, p, g, m, v, &a);
        for (int i = 0; i < N; i++) {
            double x = (double)g[i] * (double)a.grad_scale;
            pd[i] *= 1 - a.lr * a.weight_decay;
            md[i] = a.beta1 * md[i] + (1 - a.beta1) * x;
            vd[i] = a.beta2 * vd[i] + (1 - a.beta2) * x * x;
            pd[i] -= a.lr / a.bias1 * md[i] / (sqrt(vd[i]) / sqrt(a.bias2) + a.eps);
        }
        free(g);
    }
    close_to(p, pd, N, 1e-6, "parameters");
    close_to(m, md, N, 1e-7, "first moments");
    close_to(v, vd, N, 1e-9, "second moments");
    free(p), free(m), free(v);
}

#include "adamw_golden.h"

/* Four steps of torch.optim.AdamW(foreach=False) on float32 (make_adamw_golden.py). */
static void adamw_golden(void **state) {
    (void)state;
    float p[GOLDEN_N], m[GOLDEN_N] = {0}, v[GOLDEN_N] = {0};
    memcpy(p, golden_start, sizeof p);
    for (int step = 1; step <= GOLDEN_STEPS; step++) {
        rt_adamw_args args = {.lr = GOLDEN_LR,
                              .beta1 = GOLDEN_BETA1,
                              .beta2 = GOLDEN_BETA2,
                              .eps = GOLDEN_EPS,
                              .weight_decay = GOLDEN_DECAY,
                              .grad_scale = 1.0f,
                              .bias1 = 1 - pow(GOLDEN_BETA1, step),
                              .bias2 = 1 - pow(GOLDEN_BETA2, step)};
        rt_adamw(GOLDEN_N, p, golden_grad[step - 1], m, v, &args);
        for (int i = 0; i < GOLDEN_N; i++) {
            float expected = golden_params[step - 1][i];
            if (!(fabsf(p[i] - expected) <= 1e-6f * fabsf(expected)))
                fail_msg("step %d, parameter %d: %.9g, torch has %.9g", step, i, (double)p[i], (double)expected);
        }
    }
    for (int i = 0; i < GOLDEN_N; i++) {
        assert_true(fabsf(m[i] - golden_m[i]) <= 1e-6f * fabsf(golden_m[i]));
        assert_true(fabsf(v[i] - golden_v[i]) <= 1e-6f * fabsf(golden_v[i]));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(adamw), cmocka_unit_test(adamw_trajectory),
                                       cmocka_unit_test(adamw_golden), cmocka_unit_test(reductions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
