#include "check.h"

#include "core/mem.h"

static void sizes_are_checked(void **state) {
    (void)state;
    assert_null(rt_malloc_array(SIZE_MAX / 2, 3));
    assert_null(rt_calloc(SIZE_MAX / 2, 3));
    assert_null(rt_realloc_array(NULL, SIZE_MAX / 2, 3));
    assert_null(rt_aligned_alloc(SIZE_MAX / 2, 3));
    assert_null(rt_aligned_alloc(SIZE_MAX - 8, 1));
    size_t product = 0;
    assert_true(rt_mul_overflow(SIZE_MAX, 2, &product));
    assert_false(rt_mul_overflow(6, 7, &product));
    assert_int_equal(product, 42);
    void *nothing = rt_malloc(0);
    assert_non_null(nothing);
    rt_free(nothing);
    rt_free(NULL);
}

static void aligned_and_zeroed(void **state) {
    (void)state;
    static const size_t SIZES[] = {1, 63, 64, 65, 4096, (2 << 20) - 1, 2 << 20, (5 << 20) + 3};
    for (size_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
        unsigned char *block = rt_aligned_alloc(SIZES[i], 1);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % 64, 0);
        for (size_t j = 0; j < SIZES[i]; j++) assert_int_equal(block[j], 0);
        rt_free(block);
    }
}

static void buffer_grows(void **state) {
    (void)state;
    rt_buffer buffer = {0};
    retort_error err = {0};
    for (int i = 0; i < 1000; i++) assert_int_equal(rt_buffer_printf(&buffer, &err, "%d,", i), RETORT_OK);
    assert_int_equal(buffer.length, 10 * 2 + 90 * 3 + 900 * 4);
    assert_int_equal(strlen(buffer.data), buffer.length);
    assert_int_equal(rt_buffer_append(&buffer, "a\0b", 3, &err), RETORT_OK);
    assert_memory_equal(buffer.data + buffer.length - 3, "a\0b", 4);
    rt_buffer_clear(&buffer);
    assert_int_equal(buffer.length, 0);
    assert_string_equal(buffer.data, "");
    rt_buffer_free(&buffer);
    assert_null(buffer.data);
}

static void buffer_has_a_maximum(void **state) {
    (void)state;
    rt_buffer buffer = {.maximum = 16};
    retort_error err = {0};
    assert_int_equal(rt_buffer_puts(&buffer, "0123456789", &err), RETORT_OK);
    assert_int_equal(rt_buffer_puts(&buffer, "0123456789", &err), RETORT_ERR_MEMORY);
    assert_says(&err, "maximum of 16 bytes");
    assert_string_equal(buffer.data, "0123456789");
    assert_int_equal(rt_buffer_append(&buffer, "x", SIZE_MAX, &err), RETORT_ERR_MEMORY);
    rt_buffer_free(&buffer);
}

/* Every allocation in turn fails, once and for good: an error comes back and nothing leaks (the sanitizer run sees). */
static void failed_allocations(void **state) {
    (void)state;
    for (int persistent = 0; persistent < 2; persistent++) {
        for (long n = 0; n < 3; n++) {
            rt_buffer buffer = {0};
            retort_error err = {0};
            rt_fail_alloc(n, persistent == 1);
            retort_status st = RETORT_OK;
            for (int i = 0; st == RETORT_OK && i < 100; i++) st = rt_buffer_puts(&buffer, "twelve bytes", &err);
            rt_fail_alloc(-1, false);
            assert_int_equal(st, RETORT_ERR_MEMORY);
            assert_says(&err, "out of memory");
            rt_buffer_free(&buffer);
        }
    }
}

static void errors_chain(void **state) {
    (void)state;
    retort_error err = {0};
    assert_int_equal(rt_fail(&err, RETORT_ERR_FORMAT, "bad %s", "thing"), RETORT_ERR_FORMAT);
    assert_int_equal(rt_fail_context(&err, RETORT_ERR_IO, "'%s'", "file"), RETORT_ERR_IO);
    assert_string_equal(err.message, "'file': bad thing");
    assert_int_equal(err.code, RETORT_ERR_IO);
    assert_int_equal(rt_fail(NULL, RETORT_ERR_IO, "nobody listens"), RETORT_ERR_IO);
    char longest[3000];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    rt_fail(&err, RETORT_ERR_IO, "%s", longest);
    rt_fail_context(&err, RETORT_ERR_IO, "%s", longest);
    assert_int_equal(strnlen(err.message, sizeof err.message) < sizeof err.message, 1);
    for (int code = 0; code < 40; code++) assert_non_null(retort_status_name((retort_status)code));
    assert_int_equal(retort_exit_code(RETORT_OK), 0);
    assert_int_equal(retort_exit_code(RETORT_ERR_NUMERIC), 1);
    assert_int_equal(retort_exit_code(RETORT_ERR_NOT_FOUND), 2);
    assert_int_equal(retort_exit_code(RETORT_ERR_INTERRUPTED), 130);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_checked),    cmocka_unit_test(aligned_and_zeroed), cmocka_unit_test(buffer_grows),
        cmocka_unit_test(buffer_has_a_maximum), cmocka_unit_test(failed_allocations), cmocka_unit_test(errors_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
