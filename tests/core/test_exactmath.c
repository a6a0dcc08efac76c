/* Our elementary functions against the long double functions of libm, whose error is far below one double ulp. Bounds
 * are the largest errors measured over many more points, rounded up. */
#include "check.h"

#include <math.h>

#include "core/exactmath.h"
#include "core/random.h"

enum { POINTS = 40000 };

typedef double (*function)(double);
typedef long double (*reference)(long double);

static double ulps(double got, long double want) {
    double size = fabs((double)want), unit = nextafter(size, INFINITY) - size;
    return (double)(fabsl((long double)got - want) / (long double)unit);
}

static double worst(function f, reference g, double low, double high) {
    rt_rng rng = rt_rng_make(2, 0);
    double most = 0;
    for (int i = 0; i < POINTS; i++) {
        double x = low + (high - low) * rt_rng_double(&rng), error = ulps(f(x), g(x));
        if (!(error <= most)) most = error;
    }
    return most;
}

static void exponential(void **state) {
    (void)state;
    assert_true(worst(rt_exp, expl, -1, 1) < 1);
    assert_true(worst(rt_exp, expl, -708, 709) < 1);
    assert_true(worst(rt_exp, expl, -745, -708) < 1);
    assert_true(rt_exp(0) == 1);
    assert_true(rt_exp(-800) == 0 && isinf(rt_exp(800)) && isnan(rt_exp(NAN)));
    assert_true(rt_exp(-INFINITY) == 0 && isinf(rt_exp(INFINITY)));
}

static void logarithm(void **state) {
    (void)state;
    assert_true(worst(rt_log, logl, 0.5, 2) < 3);
    assert_true(worst(rt_log, logl, 0.999, 1.001) < 3);
    assert_true(worst(rt_log, logl, 2, 1e300) < 1);
    assert_true(worst(rt_log, logl, 1e-320, 1e-308) < 1);
    assert_true(rt_log(1) == 0);
    assert_true(rt_log(0) == -INFINITY && isnan(rt_log(-1)) && isnan(rt_log(NAN)) && isinf(rt_log(INFINITY)));
}

static void circle(void **state) {
    (void)state;
    assert_true(worst(rt_sin, sinl, -10, 10) < 2);
    assert_true(worst(rt_cos, cosl, -10, 10) < 2);
    assert_true(worst(rt_sin, sinl, -1e6, 1e6) < 3);
    assert_true(worst(rt_cos, cosl, -1e6, 1e6) < 3);
    /* Next to the zeros, where the reduction loses most. */
    for (int k = 1; k < 100000; k++) {
        double x = k * 1.57079632679489661923;
        assert_true(ulps(rt_sin(x), sinl(x)) < 1);
    }
    assert_true(rt_sin(0) == 0 && rt_cos(0) == 1);
}

static long double power_of_base(long double y) {
    return powl(10000, -y);
}

static double our_power_of_base(double y) {
    return rt_pow(10000, -y);
}

static void powers(void **state) {
    (void)state;
    /* The use in RoPE: base^(-2i/d). */
    assert_true(worst(our_power_of_base, power_of_base, 0, 1) < 20);
    assert_true(rt_pow(3, 0) == 1);
}

static void tails(void **state) {
    (void)state;
    for (double x = -5; x < 26; x += 0.01) {
        long double want = erfcl(x);
        assert_true(fabsl(((long double)rt_erfc(x) - want) / want) < 1e-11L);
    }
    for (double x = 0.01; x < 1000; x *= 1.003) {
        long double want = lgammal(x);
        assert_true(fabsl((long double)rt_lgamma(x) - want) < 2e-13L + 1e-14L * fabsl(want));
    }
}

/* The bits are part of the contract: a change here changes every trained model. */
static void same_bits_for_ever(void **state) {
    (void)state;
    static const struct {
        function f;
        const char *hash;
    } CASES[] = {
        {rt_exp, "7898593c45489fb04bf2027f8dc63ed53d6aa2f5e532675a4a9c974830753ec4"},
        {rt_log, "b5b18ec2d58270690f5fcf533e000f31a0247c0c2f0e9cc10ce62c5eb28e7873"},
        {rt_sin, "24f5c1f565a224197cc219ccf29d7dbf46e6b23e25c4922738c9cac0f485fc8e"},
        {rt_cos, "d5689a876f9a1113a1edcead133779fe42c2d1f27d36ae1c34019c7a002c077f"},
        {our_power_of_base, "3908f18597e500a53ee95a18c884eefca005c62fae496ec6b242dd94bb66e12e"},
        {rt_erfc, "233da6b1b4557fdf455adcc2e7fadb300f8cf0cc7b4e8bf1d8d1e8aed0730d39"},
        {rt_lgamma, "277d74a3cc7713c004ae735ec4ecd7c05bda966070bd9f7e1b705737c60f8fa6"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        static double values[4000];
        char hex[65];
        for (int j = 0; j < 4000; j++) values[j] = CASES[i].f(0.001 + 0.005 * j);
        rt_sha256(values, sizeof values, hex);
        if (strcmp(hex, CASES[i].hash) != 0) fail_msg("case %zu: %s", i, hex);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exponential), cmocka_unit_test(logarithm), cmocka_unit_test(circle),
        cmocka_unit_test(powers),      cmocka_unit_test(tails),     cmocka_unit_test(same_bits_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
