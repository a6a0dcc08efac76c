#include "check.h"

#include <math.h>

#include "core/random.h"

/* Known answers of philox4x32 with 10 rounds, from the file tests/kat_vectors of Random123 1.14. */
static void known_answers(void **state) {
    (void)state;
    static const uint32_t VECTORS[3][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e, 0xa20bc7c6,
         0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb, 0x5001e420,
         0x24126ea1},
    };
    for (size_t i = 0; i < 3; i++) {
        uint32_t out[4];
        rt_philox(VECTORS[i], VECTORS[i] + 4, out);
        assert_memory_equal(out, VECTORS[i] + 6, sizeof out);
    }
}

/* Pearson's statistic over equal bins; for 255 degrees of freedom its deviation from 255 is about 22.6, so that 140
 * away is six of them. */
static void assert_uniform(const int *bins, int draws) {
    double expected = draws / 256.0, statistic = 0;
    for (int i = 0; i < 256; i++) statistic += (bins[i] - expected) * (bins[i] - expected) / expected;
    assert_true(fabs(statistic - 255) < 140);
}

static void draws_are_uniform(void **state) {
    (void)state;
    enum { DRAWS = 1 << 18 };
    int bins[256] = {0}, wide[256] = {0}, across[256] = {0};
    rt_rng rng = rt_rng_make(7, 3);
    for (int i = 0; i < DRAWS; i++) {
        double x = rt_rng_double(&rng);
        assert_true(x >= 0 && x < 1);
        bins[(int)(x * 256)]++;
        wide[rt_rng_below(&rng, 256 * 3) / 3]++;
        /* Neighbouring streams, as neighbouring samples of one prompt use them. */
        float u = rt_uniform_at(7, (uint64_t)i, 0);
        assert_true(u >= 0 && u < 1);
        across[(int)(u * 256)]++;
    }
    assert_uniform(bins, DRAWS);
    assert_uniform(wide, DRAWS);
    assert_uniform(across, DRAWS);
}

static void bounds_hold(void **state) {
    (void)state;
    rt_rng rng = rt_rng_make(1, 2);
    int seen[3] = {0};
    for (int i = 0; i < 3000; i++) seen[rt_rng_below(&rng, 3)]++;
    for (int i = 0; i < 3; i++) assert_in_range(seen[i], 850, 1150);
    for (int i = 0; i < 10; i++) assert_int_equal(rt_rng_below(&rng, 1), 0);
    for (int i = 0; i < 1000; i++) assert_true(rt_rng_below(&rng, 0x80000001u) <= 0x80000000u);
}

static void normal_moments(void **state) {
    (void)state;
    enum { DRAWS = 200000 };
    rt_rng rng = rt_rng_make(11, 0);
    double sum = 0, squares = 0, fourth = 0;
    for (int i = 0; i < DRAWS; i++) {
        double x = rt_rng_normal(&rng);
        sum += x;
        squares += x * x;
        fourth += x * x * x * x;
    }
    assert_true(fabs(sum / DRAWS) < 0.012);
    assert_true(fabs(squares / DRAWS - 1) < 0.02);
    assert_true(fabs(fourth / DRAWS - 3) < 0.15);
}

/* A draw depends on its key and counter only, and different keys give different draws. */
static void pure_function(void **state) {
    (void)state;
    rt_rng a = rt_rng_make(5, 6), b = rt_rng_make(5, 6), other = rt_rng_make(5, 7);
    int equal = 0;
    for (int i = 0; i < 100; i++) {
        uint32_t x = rt_rng_u32(&a);
        assert_int_equal(x, rt_rng_u32(&b));
        equal += x == rt_rng_u32(&other);
    }
    assert_true(equal < 3);
    rt_rng resumed = {5, 6, a.index};
    assert_int_equal(rt_rng_u32(&a), rt_rng_u32(&resumed));
    float u = rt_uniform_at(9, 1ull << 40, 1ull << 35);
    assert_true(u == rt_uniform_at(9, 1ull << 40, 1ull << 35));
    assert_true(u != rt_uniform_at(9, 1ull << 40, 0));
    assert_true(u != rt_uniform_at(9, 0, 1ull << 35));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),  cmocka_unit_test(draws_are_uniform), cmocka_unit_test(bounds_hold),
        cmocka_unit_test(normal_moments), cmocka_unit_test(pure_function),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
