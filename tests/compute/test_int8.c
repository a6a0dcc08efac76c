/* The int8 format against its definition in compute.h, spelled out as plain arithmetic, under every instruction set. */
#include "harness.h"

#include <float.h>
#include <math.h>

static float bits(uint32_t x) {
    float y;
    memcpy(&y, &x, sizeof y);
    return y;
}

static void define(int64_t n, const float *x, int8_t *q, float *scale) {
    for (int64_t first = 0; first < n; first += 32) {
        const int64_t last = first + 32 < n ? first + 32 : n;
        float most = 0.0F;
        for (int64_t i = first; i < last; i++) most = fabsf(x[i]) > most ? fabsf(x[i]) : most;
        const float s = most / 127.0F;
        scale[first / 32] = s;
        for (int64_t i = first; i < last; i++) {
            const double y = s == 0.0F ? 0.0 : nearbyint((double)(x[i] / s));
            q[i] = (int8_t)(y > 127 ? 127 : y < -127 ? -127 : y);
        }
    }
}

static void against_definition(int64_t rows, int64_t columns, const float *x, bool finite) {
    const int64_t n = rows * columns, groups = rt_int8_groups(columns);
    int8_t *q = calloc((size_t)n, 1);
    int8_t *got_q = calloc((size_t)n, 1);
    float *scale = floats(rows * groups), *got_scale = floats(rows * groups), *back = floats(n);
    assert_true(q != NULL && got_q != NULL);
    for (int64_t r = 0; r < rows; r++) define(columns, x + r * columns, q + r * columns, scale + r * groups);
    const rt_matrix w = {.int8 = got_q, .scale = got_scale};
    rt_matrix_encode(w, columns, 0, n, x);
    assert_memory_equal(q, got_q, (size_t)n);
    assert_memory_equal(scale, got_scale, (size_t)(rows * groups) * sizeof *scale);
    /* From any place to any other, across rows. */
    for (int64_t first = 0; first < n; first += 1 + n / 7) {
        rt_matrix_decode(w, columns, first, n - first, back);
        for (int64_t i = first; i < n; i++) {
            const float want = scale[i / columns * groups + i % columns / 32] * (float)q[i];
            assert_memory_equal(&want, &back[i - first], sizeof want);
            if (finite) assert_true(fabsf(want) <= FLT_MAX);
        }
    }
    free(q);
    free(got_q);
    free(scale);
    free(got_scale);
    free(back);
}

static void on_each_isa(int64_t rows, int64_t columns, const float *x, bool finite) {
    for (int isa = RT_ISA_SCALAR; isa <= RT_ISA_AVX512; isa++)
        if (rt_compute_use_isa((rt_isa)isa, NULL) == RETORT_OK) against_definition(rows, columns, x, finite);
}

static void random_rows(void **unused) {
    (void)unused;
    static const int64_t columns[] = {1, 7, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 97, 1000};
    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
        float *x = normals(3 * columns[c], c, 0.02);
        on_each_isa(3, columns[c], x, true);
        free(x);
    }
}

/* Any bits that are a finite number, and groups of zeros, of subnormals, of one large among small. */
static void hard_groups(void **unused) {
    (void)unused;
    enum { N = 32 * 400 };
    float *x = floats(N);
    uint64_t state = 7;
    for (int i = 0; i < N; i++) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        const uint32_t random = (uint32_t)(state >> 32), group = (uint32_t)i / 32;
        const uint32_t exponent = group % 4 == 0 ? random >> 23 & 0xfe : group % 4 == 1 ? group % 16 : group % 128 + 90;
        x[i] = bits((random & 0x807fffffU) | (exponent < 254 ? exponent : 253) << 23);
        if (group % 4 == 1 && random % 3 == 0) x[i] = bits(random & 0x800000ffU);
        if (group % 16 == 3) x[i] = random % 2 != 0 ? 0.0F : -0.0F;
        if (group % 16 == 7) x[i] = bits(random & 0x8000007fU); /* the scale rounds to 0 or the smallest number */
    }
    on_each_isa(1, N, x, true);
    on_each_isa(10, N / 10, x, true);
    free(x);
}

/* Ties go to the even neighbour; the largest of a group is 127 on either side; -0 comes back as 0. */
static void known_values(void **unused) {
    (void)unused;
    const float x[] = {127.0F, -127.0F, 0.5F, 1.5F, -2.5F, 2.5F, 126.5F, -0.0F, -0.4F, 63.49F};
    const int8_t want[] = {127, -127, 0, 2, -2, 2, 126, 0, 0, 63};
    int8_t q[10];
    float scale[1], back[10];
    const rt_matrix w = {.int8 = q, .scale = scale};
    rt_matrix_encode(w, 10, 0, 10, x);
    assert_true(scale[0] == 1.0F);
    assert_memory_equal(q, want, sizeof q);
    rt_matrix_decode(w, 10, 0, 10, back);
    for (int i = 0; i < 10; i++) assert_true(back[i] == (float)want[i] && !signbit(back[i] == 0 ? back[i] : 0.0F));
    assert_int_equal(rt_int8_groups(1), 1);
    assert_int_equal(rt_int8_groups(32), 1);
    assert_int_equal(rt_int8_groups(33), 2);
}

/* What stands for the largest floats may be beyond them: it must show, not wrap. */
static void at_the_end_of_the_range(void **unused) {
    (void)unused;
    int infinite = 0;
    for (uint32_t i = 0; i < 2000; i++) {
        const float x = bits(0x7f7fffffU - i);
        int8_t q;
        float scale, back;
        rt_matrix_encode((rt_matrix){.int8 = &q, .scale = &scale}, 1, 0, 1, &x);
        rt_matrix_decode((rt_matrix){.int8 = &q, .scale = &scale}, 1, 0, 1, &back);
        assert_int_equal(q, 127);
        assert_true(back == back);
        infinite += back > FLT_MAX;
        if (back <= FLT_MAX) assert_true(fabs((double)back - (double)x) <= ldexp(1, 104));
    }
    print_message("# %d of the 2000 largest floats have no finite int8\n", infinite);
}

/* Encoding what int8 stands for changes nothing: weights that were stored so are read back. */
static void encoding_again(void **unused) {
    (void)unused;
    enum { N = 32 * 1000 };
    float *once = floats(N), *twice = floats(N), scale[N / 32];
    int8_t *q = calloc(N, 1);
    assert_non_null(q);
    const rt_matrix w = {.int8 = q, .scale = scale};
    /* Scales of 16 bits, as Q8_0 of llama.cpp has them: 127 s is exact. */
    for (int i = 0; i < N; i++) {
        const float s = (float)(1 + i / 32) * 0x1p-12F;
        once[i] = s * (i % 32 == 5 ? 127.0F : (float)((i * 37) % 255 - 127));
    }
    rt_matrix_encode(w, N, 0, N, once);
    rt_matrix_decode(w, N, 0, N, twice);
    assert_memory_equal(once, twice, N * sizeof *once);
    free(once);
    free(twice);
    free(q);
}

static void sizes(void **unused) {
    (void)unused;
    assert_int_equal(rt_packed_bytes(16, 32, RT_FORMAT_INT8), 16 * 32 + 16 * 4);
    assert_int_equal(rt_packed_bytes(17, 33, RT_FORMAT_INT8), 2 * (16 * 33 + 2 * 16 * 4));
    assert_true(rt_packed_bytes(INT64_MAX, INT64_MAX, RT_FORMAT_INT8) == SIZE_MAX);
    assert_true(rt_packed_bytes(16, INT64_MAX / 16, RT_FORMAT_INT8) > (size_t)INT64_MAX - 64);
    assert_true(rt_packed_bytes(0, 1, RT_FORMAT_INT8) == SIZE_MAX);
}

int main(void) {
    retort_error err;
    if (rt_compute_init(&err) != RETORT_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_rows),    cmocka_unit_test(hard_groups),
        cmocka_unit_test(known_values),   cmocka_unit_test(at_the_end_of_the_range),
        cmocka_unit_test(encoding_again), cmocka_unit_test(sizes),
    };
    return cmocka_run_group_tests_name("int8", tests, NULL, NULL);
}
