/* Number formats, and safetensors files: round trips, the format's text, every kind of broken file. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/random.h"
#include "disk_fixture.h"
#include "model/safetensors.h"

static uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static float decode(rt_dtype dtype, uint16_t half) {
    float x;
    rt_dtype_decode(dtype, &half, 1, &x);
    return x;
}

static uint16_t encode(rt_dtype dtype, float x) {
    uint16_t half;
    rt_dtype_encode(dtype, &x, 1, &half);
    return half;
}

/* ---- number formats ---- */

static void test_known_values(void **state) {
    (void)state;
    const struct {
        rt_dtype dtype;
        uint16_t bits;
        float value;
    } known[] = {
        {RT_DTYPE_F16, 0x0000, 0.0F},         {RT_DTYPE_F16, 0x3c00, 1.0F},        {RT_DTYPE_F16, 0xc000, -2.0F},
        {RT_DTYPE_F16, 0x7bff, 65504.0F},     {RT_DTYPE_F16, 0x0400, 0x1p-14F},    {RT_DTYPE_F16, 0x0001, 0x1p-24F},
        {RT_DTYPE_F16, 0x03ff, 0x1.ff8p-15F}, {RT_DTYPE_F16, 0x3555, 0x1.554p-2F}, {RT_DTYPE_BF16, 0x3f80, 1.0F},
        {RT_DTYPE_BF16, 0xbf80, -1.0F},       {RT_DTYPE_BF16, 0x4049, 3.140625F},  {RT_DTYPE_BF16, 0x0001, 0x1p-133F},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        assert_int_equal(bits_of(decode(known[i].dtype, known[i].bits)), bits_of(known[i].value));
        assert_int_equal(encode(known[i].dtype, known[i].value), known[i].bits);
    }
    assert_int_equal(encode(RT_DTYPE_F16, -0.0F), 0x8000);
    assert_int_equal(encode(RT_DTYPE_F16, 65519.996F), 0x7bff);
    assert_int_equal(encode(RT_DTYPE_F16, 65520.0F), 0x7c00);
    assert_int_equal(encode(RT_DTYPE_F16, 1e30F), 0x7c00);
    assert_int_equal(encode(RT_DTYPE_BF16, 3.4028235e38F), 0x7f80);
    assert_int_equal(encode(RT_DTYPE_F16, 0x1p-25F), 0); /* a tie goes to the even zero */
    assert_int_equal(encode(RT_DTYPE_F16, 0x1.000002p-25F), 1);
    assert_int_equal(encode(RT_DTYPE_F16, float_of(0x00000001)), 0);
}

/* All 65536 values of both formats come back from float; NaN stays NaN. */
static void test_round_trip_all(void **state) {
    (void)state;
    const rt_dtype dtypes[] = {RT_DTYPE_BF16, RT_DTYPE_F16};
    for (size_t d = 0; d < 2; d++) {
        const uint16_t exponent = dtypes[d] == RT_DTYPE_F16 ? 0x7c00 : 0x7f80;
        for (uint32_t half = 0; half < 65536; half++) {
            const uint16_t bits = (uint16_t)half;
            const float x = decode(dtypes[d], bits);
            const bool finite = (bits & exponent) != exponent;
            assert_int_equal(rt_find_nonfinite(&x, 1), finite ? -1 : 0);
            assert_int_equal(rt_dtype_find_nonfinite(dtypes[d], &bits, 1), finite ? -1 : 0);
            if (x != x)
                assert_true(decode(dtypes[d], encode(dtypes[d], x)) != x);
            else
                assert_int_equal(encode(dtypes[d], x), bits);
        }
    }
}

/* Between each pair of neighbours: the midpoint (exact as a float) goes to the even one, the floats next to the
 * midpoint to the nearer one. */
static void test_rounding_all(void **state) {
    (void)state;
    const rt_dtype dtypes[] = {RT_DTYPE_BF16, RT_DTYPE_F16};
    const uint16_t last[] = {0x7f7f, 0x7bff};
    for (size_t d = 0; d < 2; d++) {
        for (uint16_t low = 0; low < last[d]; low++) {
            const uint16_t high = (uint16_t)(low + 1), even = low % 2 == 0 ? low : high;
            const float a = decode(dtypes[d], low), b = decode(dtypes[d], high), middle = a + (b - a) / 2;
            const uint32_t bits = bits_of(middle);
            assert_int_equal(encode(dtypes[d], middle), even);
            assert_int_equal(encode(dtypes[d], -middle), even | 0x8000);
            assert_int_equal(encode(dtypes[d], float_of(bits + 1)), high);
            assert_int_equal(encode(dtypes[d], float_of(bits - 1)), low);
        }
    }
}

/* ---- round trips ---- */

enum { ROWS = 37, COLS = 513, LENGTH = 20011 };

static void random_floats(float *x, int64_t count, uint64_t seed) {
    rt_rng rng = rt_rng_make(seed, 0);
    for (int64_t i = 0; i < count; i++) x[i] = (float)rt_rng_normal(&rng);
}

static void test_write_and_read(void **state) {
    (void)state;
    static float matrix[ROWS * COLS], vector[LENGTH], scalar[1], back_m[ROWS * COLS], back_v[LENGTH], back_s[1];
    random_floats(matrix, ROWS * COLS, 1);
    random_floats(vector, LENGTH, 2);
    scalar[0] = -0.0F;
    const rt_st_tensor list[] = {
        {.name = "zeta \"quoted\"", .dims = 2, .shape = {ROWS, COLS}, .data = matrix},
        {.name = "alpha", .dims = 1, .shape = {LENGTH}, .data = vector},
        {.name = "empty", .dims = 2, .shape = {0, 5}, .data = scalar},
        {.name = "scalar", .dims = 0, .data = scalar},
    };
    const char *const notes[] = {"step", "1200", "seed", "7", NULL};
    const char *path = in_scratch("list.safetensors");
    retort_error err;
    for (int dtype = RT_DTYPE_F32; dtype <= RT_DTYPE_F16; dtype++) {
        assert_int_equal(rt_safetensors_write(path, list, 4, (rt_dtype)dtype, notes, &err), RETORT_OK);
        rt_st_tensor back[] = {list[3], list[1], list[2], list[0]};
        back[0].data = back_s;
        back[1].data = back_v;
        back[3].data = back_m;
        assert_int_equal(rt_safetensors_read_all(path, back, 4, &err), RETORT_OK);
        for (int64_t i = 0; i < ROWS * COLS; i++) {
            unsigned char bytes[4];
            float rounded;
            rt_dtype_encode((rt_dtype)dtype, &matrix[i], 1, bytes);
            rt_dtype_decode((rt_dtype)dtype, bytes, 1, &rounded);
            assert_int_equal(bits_of(back_m[i]), bits_of(rounded));
        }
        if (dtype == RT_DTYPE_F32) assert_memory_equal(back_v, vector, sizeof vector);
        assert_int_equal(bits_of(back_s[0]), 0x80000000U);
        rt_safetensors file;
        assert_int_equal(rt_safetensors_open(path, &file, &err), RETORT_OK);
        assert_string_equal(rt_safetensors_metadata(&file, "step"), "1200");
        assert_string_equal(rt_safetensors_metadata(&file, "format"), "pt");
        assert_null(rt_safetensors_metadata(&file, "none"));
        assert_int_equal(file.count, 4);
        assert_int_equal((uintptr_t)rt_safetensors_find(&file, list[0].name)->data % 8, 0);
        assert_null(rt_safetensors_find(&file, "beta"));
        rt_safetensors_close(&file);
    }
}

/* The bytes of a file, once and for all. */
static void test_text(void **state) {
    (void)state;
    float x[2] = {1.0F, 2.0F}, y[1] = {3.0F};
    const rt_st_tensor list[] = {{.name = "x", .dims = 1, .shape = {2}, .data = x},
                                 {.name = "y", .dims = 2, .shape = {1, 1}, .data = y}};
    const char *path = in_scratch("text.safetensors");
    assert_int_equal(rt_safetensors_write(path, list, 2, RT_DTYPE_F32, NULL, NULL), RETORT_OK);
    rt_buffer bytes = {0};
    assert_int_equal(rt_file_read(path, &bytes, NULL), RETORT_OK);
    const char header[] =
        "{\"__metadata__\":{\"format\":\"pt\"},\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":"
        "[0,8]},\"y\":{\"dtype\":\"F32\",\"shape\":[1,1],\"data_offsets\":[8,12]}}";
    const size_t padded = (sizeof header - 1 + 7) / 8 * 8;
    assert_int_equal(bytes.length, 8 + padded + 12);
    assert_int_equal((unsigned char)bytes.data[0], padded);
    assert_memory_equal(bytes.data + 8, header, sizeof header - 1);
    for (size_t i = sizeof header - 1; i < padded; i++) assert_int_equal(bytes.data[8 + i], ' ');
    assert_memory_equal(bytes.data + 8 + padded, x, sizeof x);
    assert_memory_equal(bytes.data + 8 + padded + 8, y, sizeof y);
    rt_buffer_free(&bytes);
}

/* ---- broken files ---- */

static const char zeros[64];

static void expect_bad(const char *header, size_t data_length, retort_status code, const char *cause) {
    const char *path = in_scratch("bad.safetensors");
    put_safetensors(path, strlen(header), header, zeros, data_length);
    rt_safetensors file;
    retort_error err;
    retort_status st = rt_safetensors_open(path, &file, &err);
    expect_error(st, &err, code, "'%s'%s", path, cause);
    assert_null(file.header);
}

static void test_broken_length(void **state) {
    (void)state;
    const char *path = in_scratch("length.safetensors");
    rt_safetensors file;
    retort_error err;
    put_safetensors(path, UINT64_C(1) << 63, "{}", zeros, 0);
    expect_error(rt_safetensors_open(path, &file, &err), &err, RETORT_ERR_FORMAT,
                 "'%s': the header length 9223372036854775808 is more than 100000000; this is no safetensors file",
                 path);
    put_safetensors(path, 100000001, "{}", zeros, 0);
    expect_error(rt_safetensors_open(path, &file, &err), &err, RETORT_ERR_FORMAT,
                 "'%s': the header length 100000001 is more than 100000000; this is no safetensors file", path);
    put_safetensors(path, 3, "{}", zeros, 0);
    expect_error(rt_safetensors_open(path, &file, &err), &err, RETORT_ERR_FORMAT,
                 "'%s' is truncated: its header of 3 bytes ends after the file's 10", path);
    put_file(path, "\2\0\0\0\0\0\0", 7);
    expect_error(rt_safetensors_open(path, &file, &err), &err, RETORT_ERR_FORMAT,
                 "'%s' is truncated: 7 bytes are too few for a safetensors header", path);
    put_file(path, "", 0);
    expect_error(rt_safetensors_open(path, &file, &err), &err, RETORT_ERR_FORMAT,
                 "'%s' is truncated: 0 bytes are too few for a safetensors header", path);
    assert_int_equal(unlink(path), 0);
    expect_error(rt_safetensors_open(path, &file, &err), &err, RETORT_ERR_NOT_FOUND,
                 "cannot open '%s': No such file or directory", path);
}

static void test_broken_json(void **state) {
    (void)state;
    expect_bad("", 0, RETORT_ERR_FORMAT,
               ": the header is not valid JSON: '[' or '{' expected near end of file at line 1, column 0");
    expect_bad("[]", 0, RETORT_ERR_FORMAT, ": the header is not a JSON object");
    expect_bad("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
               "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
               2, RETORT_ERR_FORMAT,
               ": the header is not valid JSON: duplicate object key near '\"a\"' at line 1, column 56");
    expect_bad("{\"a\":1}", 0, RETORT_ERR_FORMAT, ": the header's 'a' is not an object");
    expect_bad("{\"__metadata__\":[]}", 0, RETORT_ERR_FORMAT, ": '__metadata__' is not an object");
    expect_bad("{\"__metadata__\":{\"k\":1}}", 0, RETORT_ERR_FORMAT, ": '__metadata__' key 'k' is not a string");
}

static void test_broken_entries(void **state) {
    (void)state;
    const struct {
        const char *entry, *cause;
        retort_status code;
    } cases[] = {
        {"\"shape\":[1],\"data_offsets\":[0,4]", ": tensor 'a' has no string 'dtype'", RETORT_ERR_FORMAT},
        {"\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]", ": tensor 'a' has the unknown dtype 'F31'",
         RETORT_ERR_FORMAT},
        {"\"dtype\":\"F32\\u0000\",\"shape\":[1],\"data_offsets\":[0,4]", ": tensor 'a' has the unknown dtype 'F32'",
         RETORT_ERR_FORMAT},
        {"\"dtype\":\"F32\",\"data_offsets\":[0,4]", ": tensor 'a' has no array 'shape'", RETORT_ERR_FORMAT},
        {"\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]",
         ": tensor 'a' has a shape of other than whole non-negative sizes", RETORT_ERR_FORMAT},
        {"\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]",
         ": tensor 'a' has a shape of other than whole non-negative sizes", RETORT_ERR_FORMAT},
        {"\"dtype\":\"F32\",\"shape\":[4611686018427387904,8],\"data_offsets\":[0,0]",
         ": the size of tensor 'a' overflows 64 bits", RETORT_ERR_FORMAT},
        {"\"dtype\":\"F32\",\"shape\":[4294967296,1073741824],\"data_offsets\":[0,0]",
         ": the size of tensor 'a' overflows 64 bits", RETORT_ERR_FORMAT},
        {"\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]",
         ": tensor 'a' has 9 dimensions, at most 8 are supported", RETORT_ERR_UNSUPPORTED},
        {"\"dtype\":\"F32\",\"shape\":[1]", ": tensor 'a' has no 'data_offsets' of two integers", RETORT_ERR_FORMAT},
        {"\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]",
         ": tensor 'a' has no 'data_offsets' of two integers", RETORT_ERR_FORMAT},
        {"\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]",
         ": data_offsets [0, 8] of tensor 'a' lie outside the file's 4 bytes of data", RETORT_ERR_FORMAT},
        {"\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]",
         ": data_offsets [4, 0] of tensor 'a' lie outside the file's 4 bytes of data", RETORT_ERR_FORMAT},
        {"\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]",
         ": data_offsets [-4, 0] of tensor 'a' lie outside the file's 4 bytes of data", RETORT_ERR_FORMAT},
        {"\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,4]",
         ": data_offsets [0, 4] of tensor 'a' hold 4 bytes, but shape [1, 2] of F32 takes 8", RETORT_ERR_FORMAT},
        {"\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":[0,4]",
         ": data_offsets [0, 4] of tensor 'a' hold 4 bytes, but shape [] of F16 takes 2", RETORT_ERR_FORMAT},
        {"\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"more\":0",
         ": tensor 'a' has keys other than 'dtype', 'shape' and 'data_offsets'", RETORT_ERR_FORMAT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char header[256];
        snprintf(header, sizeof header, "{\"a\":{%s}}", cases[i].entry);
        expect_bad(header, 4, cases[i].code, cases[i].cause);
    }
}

static void test_broken_coverage(void **state) {
    (void)state;
    const char two[] = "{\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[%d,%d]},"
                       "\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[%d,%d]}}";
    char header[256];
    snprintf(header, sizeof header, two, 2, 6, 0, 4);
    expect_bad(header, 6, RETORT_ERR_FORMAT,
               ": tensor 'b' begins at byte 2 of the data, overlapping byte 4 where the one before it ends");
    snprintf(header, sizeof header, two, 6, 10, 0, 4);
    expect_bad(header, 10, RETORT_ERR_FORMAT,
               ": tensor 'b' begins at byte 6 of the data, leaving a hole after byte 4 where the one before it ends");
    snprintf(header, sizeof header, two, 5, 9, 1, 5);
    expect_bad(header, 9, RETORT_ERR_FORMAT,
               ": tensor 'a' begins at byte 1 of the data, leaving a hole after byte 0 where the one before it ends");
    snprintf(header, sizeof header, two, 4, 8, 0, 4);
    expect_bad(header, 9, RETORT_ERR_FORMAT, ": the tensors end at byte 8 of the data, but 9 bytes are there");
    expect_bad("{}", 1, RETORT_ERR_FORMAT, ": the tensors end at byte 0 of the data, but 1 bytes are there");
}

/* An untouched copy of a good file, cut at every length: each an error, none a crash. */
static void test_truncated_everywhere(void **state) {
    (void)state;
    float x[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    const rt_st_tensor list[] = {{.name = "x", .dims = 1, .shape = {5}, .data = x},
                                 {.name = "y", .dims = 1, .shape = {3}, .data = x + 5}};
    const char *path = in_scratch("cut.safetensors");
    assert_int_equal(rt_safetensors_write(path, list, 2, RT_DTYPE_F32, NULL, NULL), RETORT_OK);
    rt_buffer bytes = {0};
    assert_int_equal(rt_file_read(path, &bytes, NULL), RETORT_OK);
    for (size_t length = 0; length < bytes.length; length++) {
        char *cut = malloc(length > 0 ? length : 1); /* its own block, so that sanitizers see its end */
        memcpy(cut, bytes.data, length);
        rt_safetensors file;
        retort_error err;
        assert_int_equal(rt_safetensors_parse(cut, length, path, &file, &err), RETORT_ERR_FORMAT);
        assert_non_null(strstr(err.message, path));
        free(cut);
    }
    rt_buffer_free(&bytes);
}

static void test_list_mismatch(void **state) {
    (void)state;
    float x[6] = {0}, y[6];
    const char *path = in_scratch("match.safetensors");
    rt_st_tensor list[] = {{.name = "x", .dims = 2, .shape = {2, 3}, .data = x},
                           {.name = "more", .dims = 1, .shape = {1}, .data = x}};
    retort_error err;
    assert_int_equal(rt_safetensors_write(path, list, 1, RT_DTYPE_F32, NULL, &err), RETORT_OK);
    expect_error(rt_safetensors_read_all(path, list, 2, &err), &err, RETORT_ERR_NOT_FOUND,
                 "'%s' lacks the tensor 'more'", path);
    rt_st_tensor wrong = {.name = "x", .dims = 2, .shape = {3, 2}, .data = y};
    expect_error(rt_safetensors_read_all(path, &wrong, 1, &err), &err, RETORT_ERR_FORMAT,
                 "'%s': tensor 'x' has shape [2, 3], expected [3, 2]", path);
    wrong = (rt_st_tensor){.name = "x", .dims = 1, .shape = {6}, .data = y};
    expect_error(rt_safetensors_read_all(path, &wrong, 1, &err), &err, RETORT_ERR_FORMAT,
                 "'%s': tensor 'x' has shape [2, 3], expected [6]", path);
    expect_error(rt_safetensors_read_all(path, list, 0, &err), &err, RETORT_ERR_FORMAT,
                 "'%s' has the unexpected tensor 'x'", path);
    put_safetensors(path, 54, "{\"x\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]}}", zeros, 8);
    wrong = (rt_st_tensor){.name = "x", .dims = 1, .shape = {1}, .data = y};
    expect_error(rt_safetensors_read_all(path, &wrong, 1, &err), &err, RETORT_ERR_UNSUPPORTED,
                 "'%s': tensor 'x' has dtype I64, expected F32, BF16 or F16", path);
    const uint16_t nan[2] = {0x3c00, 0x7e00};
    put_safetensors(path, 54, "{\"x\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,4]}}", nan, 4);
    wrong.shape[0] = 2;
    expect_error(rt_safetensors_read_all(path, &wrong, 1, &err), &err, RETORT_ERR_FORMAT,
                 "'%s': tensor 'x' has the non-finite value nan at element 1", path);
}

/* ---- failing writes leave nothing, and keep what was there ---- */

static void expect_old_content(const char *dir, const char *path) {
    rt_buffer bytes = {0};
    assert_int_equal(files_in(dir), 1);
    assert_int_equal(rt_file_read(path, &bytes, NULL), RETORT_OK);
    assert_string_equal(bytes.data, "old");
    rt_buffer_free(&bytes);
}

static void test_failing_writes(void **state) {
    (void)state;
    const char *dir = in_scratch("full"), *path = in_scratch("full/w.safetensors");
    const char *temporary = in_scratch("full/w.safetensors.tmp");
    retort_error err;
    assert_int_equal(rt_make_dirs(dir, &err), RETORT_OK);
    put_file(path, "old", 3);
    static float x[LENGTH];
    random_floats(x, LENGTH, 3);
    rt_st_tensor list[] = {{.name = "x", .dims = 1, .shape = {LENGTH}, .data = x},
                           {.name = "x", .dims = 1, .shape = {1}, .data = x}};

    assert_int_equal(symlink("/dev/full", temporary), 0);
    expect_error(rt_safetensors_write(path, list, 1, RT_DTYPE_F32, NULL, &err), &err, RETORT_ERR_IO,
                 "cannot write '%s': No space left on device; free some space or choose another folder", temporary);
    expect_old_content(dir, path);

    struct rlimit saved, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &saved), 0);
    small = (struct rlimit){.rlim_cur = 1000, .rlim_max = saved.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    retort_status st = rt_safetensors_write(path, list, 1, RT_DTYPE_F32, NULL, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &saved), 0);
    expect_error(st, &err, RETORT_ERR_IO, "cannot write '%s': File too large; free some space or choose another folder",
                 temporary);
    expect_old_content(dir, path);

    expect_error(rt_safetensors_write(path, list, 2, RT_DTYPE_F32, NULL, &err), &err, RETORT_ERR_STATE,
                 "'%s': two tensors have the name 'x'", path);
    expect_old_content(dir, path);
    x[12345] = float_of(0xff800000);
    expect_error(
        rt_safetensors_write(path, list, 1, RT_DTYPE_F32, NULL, &err), &err, RETORT_ERR_NUMERIC,
        "cannot write '%s': tensor 'x' has the value -inf at element 12345, which is not a finite number in F32", path);
    x[12345] = 70000.0F;
    expect_error(
        rt_safetensors_write(path, list, 1, RT_DTYPE_F16, NULL, &err), &err, RETORT_ERR_NUMERIC,
        "cannot write '%s': tensor 'x' has the value 70000 at element 12345, which is not a finite number in F16",
        path);
    expect_old_content(dir, path);
    const char *nowhere = in_scratch("nowhere/w.safetensors");
    expect_error(rt_safetensors_write(nowhere, list, 1, RT_DTYPE_F32, NULL, &err), &err, RETORT_ERR_IO,
                 "cannot write '%s.tmp': No such file or directory", nowhere);
}

static int leave(void **state) {
    (void)state;
    scratch_remove();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_values),
        cmocka_unit_test(test_round_trip_all),
        cmocka_unit_test(test_rounding_all),
        cmocka_unit_test(test_write_and_read),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_broken_length),
        cmocka_unit_test(test_broken_json),
        cmocka_unit_test(test_broken_entries),
        cmocka_unit_test(test_broken_coverage),
        cmocka_unit_test(test_truncated_everywhere),
        cmocka_unit_test(test_list_mismatch),
        cmocka_unit_test(test_failing_writes),
    };
    return cmocka_run_group_tests(tests, NULL, leave);
}
