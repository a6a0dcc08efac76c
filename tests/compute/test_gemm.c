/* Matrix products against the plain loop, by memcmp: shapes, strides, threads, instruction sets, packing, splits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "compute/compute.h"
#include "core/mem.h"
#include "oracle_gemm.h"

typedef enum form {
    FORM_NT,
    FORM_NN,
    FORM_TN,
    FORM_PACKED,
    FORM_NT_HALF,
    FORM_NN_HALF,
    FORM_PACKED_HALF,
    FORM_NT_INT8,
    FORM_NN_INT8,
    FORM_PACKED_INT8,
    FORMS
} form;
static const char *const form_names[] = {"nt",      "nn",          "tn",      "packed",  "nt bf16",
                                         "nn bf16", "packed bf16", "nt int8", "nn int8", "packed int8"};

static rt_format format_of(form f) {
    return f >= FORM_NT_INT8 ? RT_FORMAT_INT8 : f >= FORM_NT_HALF ? RT_FORMAT_BF16 : RT_FORMAT_F32;
}

static bool is_packed(form f) {
    return f == FORM_PACKED || f == FORM_PACKED_HALF || f == FORM_PACKED_INT8;
}

/* b is [n][k]. */
static bool is_transposed(form f) {
    return f != FORM_NN && f != FORM_TN && f != FORM_NN_HALF && f != FORM_NN_INT8;
}

typedef struct shape {
    int64_t m, n, k;
    int gap; /* lda - k and so on */
} shape;

static uint64_t state = 2024;

/* The instruction sets the processor has. */
static int isa_list(rt_isa *list) {
    int count = 0;
    for (int isa = RT_ISA_SCALAR; isa <= RT_ISA_AVX512; isa++) {
        if (rt_compute_use_isa((rt_isa)isa, NULL) == RETORT_OK)
            list[count++] = (rt_isa)isa;
        else
            print_message("# %s: skipped, the processor lacks it\n", rt_isa_name((rt_isa)isa));
    }
    return count;
}

static int64_t extent(int64_t rows, int64_t columns, int64_t ld) {
    return rows > 0 ? (rows - 1) * ld + columns : 0;
}

/* Operands end exactly where the matrix does, so that the address sanitizer sees a read behind it. */
typedef struct operands {
    shape s;
    form f;
    int64_t lda, ldb, ldc, size_a, size_b, size_c;
    float *a, *b, *c, *expected, *got;
    rt_matrix w; /* b in the form's format; b then holds what it stands for */
} operands;

static float *filled(int64_t n) {
    float *x = malloc((size_t)(n > 0 ? n : 1) * sizeof(float));
    assert_non_null(x);
    oracle_fill(n, &state, x);
    return x;
}

static void *taken(int64_t count, size_t size) {
    void *block = calloc((size_t)(count > 0 ? count : 1), size);
    assert_non_null(block);
    return block;
}

/* b without gaps, in another format than float. */
static void narrow(operands *o, int64_t rows, int64_t columns) {
    if (format_of(o->f) == RT_FORMAT_BF16) o->w.bf16 = taken(o->size_b, sizeof *o->w.bf16);
    if (format_of(o->f) == RT_FORMAT_INT8) {
        o->w.int8 = taken(o->size_b, 1);
        o->w.scale = taken(rows * rt_int8_groups(columns), sizeof *o->w.scale);
    }
    rt_matrix_encode(o->w, columns, 0, o->size_b, o->b);
    rt_matrix_decode(o->w, columns, 0, o->size_b, o->b);
}

static void make(operands *o, form f, shape s) {
    *o = (operands){.s = s, .f = f};
    int64_t a_rows = f == FORM_TN ? s.k : s.m, a_columns = f == FORM_TN ? s.m : s.k;
    bool transposed = is_transposed(f);
    int64_t b_rows = transposed ? s.n : s.k, b_columns = transposed ? s.k : s.n;
    o->lda = a_columns + s.gap;
    o->ldb = b_columns + (format_of(f) != RT_FORMAT_F32 ? 0 : s.gap / 2);
    o->ldc = s.n + s.gap;
    o->size_a = extent(a_rows, a_columns, o->lda);
    o->size_b = extent(b_rows, b_columns, o->ldb);
    o->size_c = extent(s.m, s.n, o->ldc);
    o->a = filled(o->size_a);
    o->b = filled(o->size_b);
    o->c = filled(o->size_c);
    o->expected = filled(o->size_c);
    o->got = filled(o->size_c);
    if (format_of(f) == RT_FORMAT_F32)
        o->w.f32 = o->b;
    else
        narrow(o, b_rows, b_columns);
}

static void release(operands *o) {
    free(o->a);
    free(o->b);
    free(o->c);
    free(o->expected);
    free(o->got);
    free(o->w.bf16);
    free(o->w.int8);
    free(o->w.scale);
}

static void oracle(operands *o, bool accumulate) {
    bool tn = o->f == FORM_TN, transposed = is_transposed(o->f);
    oracle_matrix a = {o->a, tn ? 1 : o->lda, tn ? o->lda : 1};
    oracle_matrix b = {o->b, transposed ? 1 : o->ldb, transposed ? o->ldb : 1};
    memcpy(o->expected, o->c, (size_t)o->size_c * sizeof(float));
    oracle_gemm(o->s.m, o->s.n, o->s.k, a, b, o->expected, o->ldc, accumulate);
}

static void run(operands *o, bool accumulate) {
    const shape *s = &o->s;
    memcpy(o->got, o->c, (size_t)o->size_c * sizeof(float));
    if (o->f == FORM_NT)
        rt_matmul_nt(s->m, s->n, s->k, o->a, o->lda, o->b, o->ldb, o->got, o->ldc, accumulate);
    else if (o->f == FORM_NN)
        rt_matmul_nn(s->m, s->n, s->k, o->a, o->lda, o->b, o->ldb, o->got, o->ldc, accumulate);
    else if (o->f == FORM_TN)
        rt_matmul_tn(s->m, s->n, s->k, o->a, o->lda, o->b, o->ldb, o->got, o->ldc, accumulate);
    else if (!is_packed(o->f) && is_transposed(o->f))
        rt_linear_forward(s->m, s->n, s->k, o->a, o->lda, o->w, o->got, o->ldc, accumulate);
    else if (!is_packed(o->f))
        rt_linear_backward(s->m, s->n, s->k, o->a, o->lda, o->w, o->got, o->ldc, accumulate);
    else {
        rt_packed packed;
        assert_int_equal(o->f != FORM_PACKED ? rt_pack_matrix(s->n, s->k, o->w, &packed, NULL)
                                             : rt_pack_weight(s->n, s->k, o->b, o->ldb, &packed, NULL),
                         RETORT_OK);
        if (accumulate)
            rt_matmul_packed_add(s->m, o->a, o->lda, &packed, o->got, o->ldc);
        else
            rt_matmul_packed(s->m, o->a, o->lda, &packed, o->got, o->ldc);
        rt_packed_release(&packed);
    }
}

static void expect_same(const operands *o, bool accumulate) {
    if (memcmp(o->got, o->expected, (size_t)o->size_c * sizeof(float)) == 0) return;
    int64_t at = 0;
    while (memcmp(o->got + at, o->expected + at, sizeof(float)) == 0) at++;
    fail_msg("%s m=%lld n=%lld k=%lld gap=%d accumulate=%d isa=%s threads=%d: c[%lld][%lld] is %a, not %a",
             form_names[o->f], (long long)o->s.m, (long long)o->s.n, (long long)o->s.k, o->s.gap, accumulate,
             rt_isa_name(rt_compute_isa()), rt_compute_threads(), (long long)(at / o->ldc), (long long)(at % o->ldc),
             (double)o->got[at], (double)o->expected[at]);
}

/* The oracle once, then every instruction set and thread count. */
static void check_shape(form f, shape s, int threads_max) {
    rt_isa isas[3];
    int isa_count = isa_list(isas);
    operands o;
    make(&o, f, s);
    for (int accumulate = 0; accumulate < 2; accumulate++) {
        oracle(&o, accumulate != 0);
        for (int i = 0; i < isa_count; i++) {
            assert_int_equal(rt_compute_use_isa(isas[i], NULL), RETORT_OK);
            for (int threads = 1; threads <= threads_max; threads++) {
                rt_compute_set_threads(threads);
                run(&o, accumulate != 0);
                expect_same(&o, accumulate != 0);
            }
        }
    }
    release(&o);
}

static int64_t between(int64_t low, int64_t high) {
    return low + (int64_t)(oracle_random(&state) % (uint64_t)(high - low + 1));
}

static void random_small_shapes(void **unused) {
    (void)unused;
    for (int round = 0; round < 400; round++) {
        shape s = {between(1, 70), between(1, 70), between(1, 70), (int)between(0, 9)};
        if (round % 3 == 0) *(round % 2 ? &s.m : &s.n) = between(1, 17);
        check_shape((form)(round % FORMS), s, 1);
    }
}

/* All heights and widths of tiles, with and without ragged ends. */
static void every_tile(void **unused) {
    (void)unused;
    for (int64_t m = 1; m <= 27; m++) {
        static const int64_t widths[] = {1, 15, 16, 17, 31, 32, 33, 48, 63, 64, 96, 127, 129, 145};
        int64_t n = widths[(size_t)m % 14];
        for (int f = 0; f < FORMS; f++) {
            check_shape((form)f, (shape){m, n, 19, (int)(m % 3)}, 1);
            check_shape((form)f, (shape){m, 257, 5, 0}, 1);
        }
    }
}

/* Large enough for a team of threads, and across the block boundaries of k, n and m (gemm.h). */
static void block_boundaries_and_threads(void **unused) {
    (void)unused;
    static const shape shapes[] = {{7, 530, 257, 3}, {50, 65, 256, 0},  {31, 49, 1024, 0}, {14, 100, 1000, 24},
                                   {33, 66, 513, 5}, {1, 1100, 700, 0}, {3, 513, 511, 1},  {200, 17, 260, 2},
                                   {400, 20, 90, 0}, {13, 33, 1030, 7}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int f = 0; f < FORMS; f++) check_shape((form)f, shapes[i], 3);
}

/* k in one call, or in three calls that continue each other. */
static void splits_of_k(void **unused) {
    (void)unused;
    rt_isa isas[3];
    int isa_count = isa_list(isas);
    operands o;
    make(&o, FORM_TN, (shape){45, 70, 400, 3});
    oracle(&o, true);
    for (int i = 0; i < isa_count; i++) {
        assert_int_equal(rt_compute_use_isa(isas[i], NULL), RETORT_OK);
        for (int round = 0; round < 8; round++) {
            int64_t cuts[4] = {0, between(0, 200), between(200, 400), 400};
            rt_compute_set_threads(1 + round % 3);
            memcpy(o.got, o.c, (size_t)o.size_c * sizeof(float));
            for (int part = 0; part < 3; part++) {
                int64_t p = cuts[part];
                rt_matmul_tn(o.s.m, o.s.n, cuts[part + 1] - p, o.a + p * o.lda, o.lda, o.b + p * o.ldb, o.ldb, o.got,
                             o.ldc, true);
            }
            expect_same(&o, true);
        }
    }
    release(&o);
}

/* A row's result does not depend on which rows are beside it. */
static void alone_or_together(form f) {
    rt_isa isas[3];
    int isa_count = isa_list(isas);
    operands o;
    make(&o, f, (shape){70, 200, 300, 0});
    oracle(&o, false);
    rt_packed packed;
    assert_int_equal(rt_pack_matrix(o.s.n, o.s.k, o.w, &packed, NULL), RETORT_OK);
    for (int i = 0; i < isa_count; i++) {
        /* Packed under one instruction set, used under all. */
        assert_int_equal(rt_compute_use_isa(isas[i], NULL), RETORT_OK);
        for (int64_t rows = 1; rows <= 16; rows++) {
            rt_compute_set_threads((int)(1 + rows % 3));
            for (int64_t first = 0; first < o.s.m; first += rows) {
                int64_t count = o.s.m - first < rows ? o.s.m - first : rows;
                rt_matmul_packed(count, o.a + first * o.lda, o.lda, &packed, o.got + first * o.ldc, o.ldc);
            }
            expect_same(&o, false);
        }
    }
    rt_packed_release(&packed);
    release(&o);
}

static void rows_alone_or_together(void **unused) {
    (void)unused;
    alone_or_together(FORM_PACKED);
    alone_or_together(FORM_PACKED_HALF);
    alone_or_together(FORM_PACKED_INT8);
}

/* Rows of a packed weight are the weight's rows, in any format, also in its last, ragged panel. */
static void rows_of_packed(void **unused) {
    (void)unused;
    enum { ROWS = 4 * 75 };
    int32_t row[ROWS];
    for (int t = 0; t < ROWS; t++) row[t] = t * 31 % 75;
    for (int f = 0; f < FORMS; f++) {
        if (!is_packed((form)f)) continue;
        operands o;
        rt_packed packed;
        make(&o, (form)f, (shape){1, 75, 37, 0});
        assert_int_equal(rt_pack_matrix(o.s.n, o.s.k, o.w, &packed, NULL), RETORT_OK);
        float *got = filled(ROWS * o.s.k);
        for (int threads = 1; threads <= 3; threads++) {
            rt_compute_set_threads(threads);
            memset(got, 0xff, (size_t)(ROWS * o.s.k) * sizeof *got);
            rt_packed_rows(ROWS, row, &packed, got);
            for (int t = 0; t < ROWS; t++)
                assert_memory_equal(got + t * o.s.k, o.b + row[t] * o.s.k, (size_t)o.s.k * sizeof *got);
        }
        free(got);
        rt_packed_release(&packed);
        release(&o);
    }
}

/* Rounding against the definition: the nearest of the two neighbours, the even one on a tie. */
static void rounding_to_bf16(void **unused) {
    (void)unused;
    const float exact[] = {0.0f, -0.0f, 1.0f, 0x1p-133f, -0x1.fep127f, INFINITY, -INFINITY};
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++) {
        float x = exact[i];
        rt_bf16_round(1, &x);
        assert_memory_equal(&x, &exact[i], sizeof x);
    }
    const float pairs[][2] = {{0x1.01p0f, 0x1.0p0f},      {0x1.03p0f, 0x1.04p0f},      {0x1.010002p0f, 0x1.02p0f},
                              {-0x1.03p-9f, -0x1.04p-9f}, {0x1.ff8p127f, INFINITY},    {0x1.fefffep127f, 0x1.fep127f},
                              {0x1.8p-134f, 0x1p-133f},   {0x1.0002p-134f, 0x1p-133f}, {0x1p-134f, 0.0f}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        float x = pairs[i][0];
        rt_bf16_round(1, &x);
        if (memcmp(&x, &pairs[i][1], sizeof x) != 0)
            fail_msg("%a rounds to %a, not %a", (double)pairs[i][0], (double)pairs[i][1], (double)x);
    }
    float nan = NAN;
    rt_bf16_round(1, &nan);
    assert_true(isnan(nan));
}

static void nan_and_inf_pass_through(void **unused) {
    (void)unused;
    rt_isa isas[3];
    int isa_count = isa_list(isas);
    for (int f = 0; f < FORMS; f++) {
        operands o;
        if (format_of((form)f) == RT_FORMAT_INT8) continue; /* its weights are finite */
        make(&o, (form)f, (shape){14, 37, 21, 0});
        o.a[5] = INFINITY;
        o.a[100] = NAN;
        o.b[17] = -INFINITY;
        o.b[230] = NAN;
        o.b[400] = 0.0f;
        if (o.w.bf16 != NULL) rt_bf16_encode(o.size_b, o.b, o.w.bf16);
        oracle(&o, false);
        for (int i = 0; i < isa_count; i++) {
            assert_int_equal(rt_compute_use_isa(isas[i], NULL), RETORT_OK);
            run(&o, false);
            /* Which payload a NaN carries on is the processor's choice; that it is one is ours. */
            for (int64_t j = 0; j < o.size_c; j++) {
                if (isnan(o.expected[j]))
                    assert_true(isnan(o.got[j]));
                else
                    assert_memory_equal(&o.got[j], &o.expected[j], sizeof(float));
            }
        }
        release(&o);
    }
}

static void empty_products(void **unused) {
    (void)unused;
    float a = 2.0f, b = 3.0f, c[2] = {5.0f, 7.0f};
    rt_matmul_nt(1, 2, 0, &a, 1, &b, 1, c, 2, true);
    assert_true(c[0] == 5.0f && c[1] == 7.0f);
    rt_matmul_nn(0, 2, 1, &a, 1, &b, 1, c, 2, false);
    rt_matmul_tn(1, 0, 1, &a, 1, &b, 1, c, 2, false);
    assert_true(c[0] == 5.0f && c[1] == 7.0f);
    rt_matmul_nt(1, 2, 0, &a, 1, &b, 1, c, 2, false);
    assert_true(c[0] == 0.0f && c[1] == 0.0f);
}

static void set_up_and_errors(void **unused) {
    (void)unused;
    retort_error err;
    const char *wanted = getenv("RETORT_ISA");
    char *kept = wanted != NULL ? strdup(wanted) : NULL;
    setenv("RETORT_ISA", "mmx", 1);
    assert_int_equal(rt_compute_init(&err), RETORT_ERR_USAGE);
    assert_non_null(strstr(err.message, "'mmx'"));
    setenv("RETORT_ISA", "scalar", 1);
    assert_int_equal(rt_compute_init(&err), RETORT_OK);
    assert_int_equal(rt_compute_isa(), RT_ISA_SCALAR);
    if (kept != NULL)
        setenv("RETORT_ISA", kept, 1);
    else
        unsetenv("RETORT_ISA");
    free(kept);
    assert_int_equal(rt_compute_init(&err), RETORT_OK);
    rt_packed packed;
    float w = 1.0f;
    assert_int_equal(rt_pack_weight(INT64_MAX, INT64_MAX, &w, 1, &packed, &err), RETORT_ERR_MEMORY);
    assert_null(packed.data);
    assert_int_equal(rt_pack_weight(0, 3, &w, 1, &packed, &err), RETORT_ERR_USAGE);
    rt_compute_set_threads(0);
    assert_true(rt_compute_threads() >= 1);
    rt_compute_set_threads(3);
    assert_int_equal(rt_compute_threads(), 3);
    assert_string_equal(rt_isa_name(RT_ISA_AVX2), "avx2");
    /* Without memory for more scratch the thread count stays within what there is. */
    rt_fail_alloc(0, true);
    rt_compute_set_threads(64);
    rt_fail_alloc(-1, false);
    assert_in_range(rt_compute_threads(), 1, 63);
}

/* Inside a caller's parallel region a product runs on the thread that calls it. */
static void inside_a_parallel_region(void **unused) {
    (void)unused;
    rt_compute_set_threads(3);
    operands o[3];
    for (int i = 0; i < 3; i++) {
        make(&o[i], (form)i, (shape){70, 90, 130, 0});
        oracle(&o[i], false);
    }
#pragma omp parallel for num_threads(3) schedule(static, 1)
    for (int i = 0; i < 3; i++) run(&o[i], false);
    for (int i = 0; i < 3; i++) {
        expect_same(&o[i], false);
        release(&o[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_up_and_errors),
        cmocka_unit_test(random_small_shapes),
        cmocka_unit_test(every_tile),
        cmocka_unit_test(block_boundaries_and_threads),
        cmocka_unit_test(splits_of_k),
        cmocka_unit_test(rows_alone_or_together),
        cmocka_unit_test(rows_of_packed),
        cmocka_unit_test(rounding_to_bf16),
        cmocka_unit_test(nan_and_inf_pass_through),
        cmocka_unit_test(empty_products),
        cmocka_unit_test(inside_a_parallel_region),
    };
    return cmocka_run_group_tests_name("gemm", tests, NULL, NULL);
}
