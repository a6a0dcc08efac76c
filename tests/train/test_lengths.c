/* The histogram of lengths: every example in its bin, ranks, and what a limit would cut off. */
#include "fixture.h"

#include <string.h>

#include "train/lengths.h"

static void test_figures(void **state) {
    (void)state;
    int64_t length[100];
    for (int i = 0; i < 100; i++) length[i] = 100 - i; /* 1 .. 100 */
    rt_lengths l = rt_lengths_of(length, 100, 90);
    assert_int_equal(l.count, 100);
    assert_int_equal(l.tokens, 5050);
    assert_int_equal(l.shortest, 1);
    assert_int_equal(l.median, 50);
    assert_int_equal(l.p90, 90);
    assert_int_equal(l.p99, 99);
    assert_int_equal(l.longest, 100);
    assert_int_equal(l.longer, 10);
    assert_int_equal(l.lost, 55);
    assert_int_equal(l.width, 10);
    assert_int_equal(l.num_bins, 10);
    for (int i = 0; i < 10; i++) assert_int_equal(l.bins[i], 10);
}

static void test_bins_hold_all(void **state) {
    (void)state;
    static const int64_t LONGEST[] = {1, 2, 11, 12, 13, 24, 25, 120, 121, 8192, 999983, INT64_C(4000000000)};
    for (size_t k = 0; k < sizeof LONGEST / sizeof LONGEST[0]; k++) {
        int64_t length[3] = {LONGEST[k], 1, (LONGEST[k] + 1) / 2}, sum = 0;
        rt_lengths l = rt_lengths_of(length, 3, 0);
        assert_in_range(l.num_bins, 1, RT_LENGTH_BINS);
        for (int i = 0; i < l.num_bins; i++) sum += l.bins[i];
        assert_int_equal(sum, 3);
        assert_true(l.bins[l.num_bins - 1] > 0 && l.origin + l.num_bins * l.width >= LONGEST[k]);
        assert_int_equal(l.longer, 0);
    }
}

static void test_forms(void **state) {
    (void)state;
    int64_t length[] = {3, 12, 7};
    rt_lengths l = rt_lengths_of(length, 3, 10);
    rt_buffer text = {0};
    json_t *object = NULL;
    assert_ok(rt_lengths_text(&l, &text, &fixture_error));
    assert_non_null(strstr(text.data, "3 examples, 22 tokens: shortest 3, median 7, 90 % up to 12"));
    assert_non_null(strstr(text.data, "       7 - 7               1  ####"));
    assert_non_null(strstr(text.data, "longer than 10: 1 examples (33.3 %); a cut would lose 2 tokens (9.1 %)"));
    assert_ok(rt_lengths_json(&l, &object, &fixture_error));
    assert_int_equal(json_integer_value(json_object_get(object, "lost_tokens")), 2);
    assert_int_equal(json_array_size(json_object_get(object, "histogram")), 10);
    json_decref(object);
    rt_buffer_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures),
        cmocka_unit_test(test_bins_hold_all),
        cmocka_unit_test(test_forms),
    };
    return cmocka_run_group_tests_name("lengths", tests, NULL, NULL);
}
