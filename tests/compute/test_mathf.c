/* The elementary functions: error against double over a dense sweep of floats, special values, and the same bits in
 * kernels (through swiglu and logsumexp) as in scalar form. */
#include <math.h>

#include "compute/mathf.h"
#include "harness.h"

/* |y - exact| in units of the last place of a float of that size (subnormal spacing below 2^-126). */
static double ulps(float y, double exact) {
    int exponent;
    (void)frexp(exact, &exponent);
    if (exponent < -125) exponent = -125;
    return fabs((double)y - exact) / ldexp(1.0, exponent - 24);
}

static void exp_accuracy(void **state) {
    (void)state;
    double worst = 0;
    /* Every 509th float from -104 to 89, both signs. */
    for (uint32_t bits = 0; bits < 0x42D10000u; bits += 509)
        for (int sign = 0; sign < 2; sign++) {
            float x = rt_float_of_bits((int32_t)(bits | (sign ? 0x80000000u : 0)));
            if (x > 88.72f || x < -103.9f) continue;
            double u = ulps(rt_expf(x), exp((double)x));
            if (u > worst) worst = u;
        }
    print_message("# exp: largest error %.3f ulp\n", worst);
    assert_true(worst < 1.0);
}

static void exp_specials(void **state) {
    (void)state;
    assert_true(rt_expf(0.0f) == 1.0f && rt_expf(-0.0f) == 1.0f);
    assert_true(rt_expf(-INFINITY) == 0.0f && !signbit(rt_expf(-INFINITY)));
    assert_true(rt_expf(-104.5f) == 0.0f && rt_expf(-1e30f) == 0.0f);
    assert_true(rt_expf(-103.0f) > 0.0f && rt_expf(-103.9f) == 0x1p-149f);
    assert_true(rt_expf(88.7f) < INFINITY && rt_expf(88.8f) == INFINITY);
    assert_true(rt_expf(INFINITY) == INFINITY && rt_expf(1e30f) == INFINITY);
    assert_true(isnan(rt_expf(NAN)));
}

static void log_accuracy(void **state) {
    (void)state;
    double worst = 0;
    for (uint32_t bits = 1; bits < 0x7F800000u; bits += 8191) {
        float x = rt_float_of_bits((int32_t)bits);
        double u = ulps(rt_logf(x), log((double)x));
        if (u > worst) worst = u;
    }
    print_message("# log: largest error %.3f ulp\n", worst);
    assert_true(worst < 0.51);
    assert_true(rt_logf(1.0f) == 0.0f && rt_logf(0.0f) == -INFINITY && rt_logf(INFINITY) == INFINITY);
    assert_true(isnan(rt_logf(-1.0f)) && isnan(rt_logf(NAN)));
}

/* The lanes of exp and division, seen through silu, on a sweep that reaches every branch of the scaling. */
static void check_lanes(void *context) {
    float *x = context;
    enum { N = 60000 };
    float *one = floats(N), *y = floats(N), *expected = floats(N);
    for (int i = 0; i < N; i++) {
        one[i] = 1.0f;
        expected[i] = rt_siluf(x[i]);
    }
    rt_swiglu_forward(N, x, one, y);
    same_bits(y, expected, N, "silu");
    for (int i = 0; i < N; i += 7) {
        float pair[2] = {0.0f, x[i]}, m = x[i] > 0 ? x[i] : 0.0f;
        float lse = m + rt_logf(rt_expf(0.0f - m) + rt_expf(x[i] - m)), got = rt_logsumexp(2, pair, 1.0f);
        same_bits(&got, &lse, 1, "logsumexp of two");
    }
    free(one), free(y), free(expected);
}

static void lanes_agree(void **state) {
    (void)state;
    float *x = floats(60000);
    for (int i = 0; i < 60000; i++) x[i] = (float)(i - 30000) / 250.0f;
    x[0] = -1e38f, x[1] = -3.4e38f, x[2] = 3.4e38f, x[3] = 1e-45f, x[4] = -0.0f;
    each_setting(check_lanes, x);
    free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(exp_accuracy), cmocka_unit_test(exp_specials),
                                       cmocka_unit_test(log_accuracy), cmocka_unit_test(lanes_agree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
