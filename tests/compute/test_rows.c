/* Row kernels against the oracle, bit for bit, over odd widths. */
#include "harness.h"
#include "oracle.h"

typedef struct shape {
    int64_t rows, d;
} shape;

static const shape SHAPES[] = {{1, 1}, {3, 7}, {5, 16}, {17, 31}, {64, 192}, {33, 65}, {300, 130}, {2, 1000}};
enum { NUM_SHAPES = sizeof SHAPES / sizeof *SHAPES };

static void check_elementwise(void *context) {
    const shape *s = context;
    int64_t n = s->rows * s->d, ld = s->d + 3;
    float *x = normals(s->rows * ld, 1, 1), *y = copy_of(x, s->rows * ld), *bias = normals(s->d, 2, 1);
    oracle_bias_add(s->rows, s->d, bias, x, ld);
    rt_bias_add(s->rows, s->d, bias, y, ld);
    same_bits(y, x, s->rows * ld, "bias_add");
    float *sum = copy_of(bias, s->d);
    oracle_bias_grad(s->rows, s->d, x, ld, bias);
    rt_bias_grad(s->rows, s->d, x, ld, sum);
    same_bits(sum, bias, s->d, "bias_grad");
    float *a = normals(n, 3, 1), *b = normals(n, 4, 1), *c = copy_of(b, n);
    for (int64_t i = 0; i < n; i++) b[i] += a[i];
    rt_add(n, a, c);
    same_bits(c, b, n, "add");
    free(x), free(y), free(bias), free(sum), free(a), free(b), free(c);
}

static void check_rmsnorm(void *context) {
    const shape *s = context;
    int64_t rows = s->rows, d = s->d, n = rows * d;
    float *x = normals(n, 5, 2), *w = normals(d, 6, 1), *dy = normals(n, 7, 1), *dx = normals(n, 8, 1);
    float *y = floats(n), *y1 = floats(n), *r = floats(rows), *r1 = floats(rows), *dw = normals(d, 9, 1);
    float *dx1 = copy_of(dx, n), *dw1 = copy_of(dw, d);
    oracle_rmsnorm_forward(rows, d, x, w, 1e-6f, y, r);
    rt_rmsnorm_forward(rows, d, x, w, 1e-6f, y1, r1);
    same_bits(y1, y, n, "rmsnorm");
    same_bits(r1, r, rows, "rstd");
    rt_rmsnorm_forward(rows, d, x, w, 1e-6f, y1, NULL);
    same_bits(y1, y, n, "rmsnorm without rstd");
    for (int accumulate = 0; accumulate < 2; accumulate++) {
        oracle_rmsnorm_backward(rows, d, x, w, r, dy, dx, accumulate, dw);
        /* Gradients of a batch in two calls have the bits of one. */
        int64_t half = rows / 2;
        rt_rmsnorm_backward(half, d, x, w, r, dy, dx1, accumulate, dw1);
        rt_rmsnorm_backward(rows - half, d, x + half * d, w, r + half, dy + half * d, dx1 + half * d, accumulate, dw1);
        same_bits(dx1, dx, n, "rmsnorm dx");
        same_bits(dw1, dw, d, "rmsnorm dw");
    }
    memcpy(dx1, dy, (size_t)n * sizeof *dy);
    rt_rmsnorm_backward(rows, d, x, w, r, dx1, dx1, false, dw1);
    oracle_rmsnorm_backward(rows, d, x, w, r, dy, dx, false, dw);
    same_bits(dx1, dx, n, "rmsnorm dx in place of dy");
    free(x), free(w), free(dy), free(dx), free(y), free(y1), free(r), free(r1), free(dw), free(dx1), free(dw1);
}

static void check_swiglu(void *context) {
    const shape *s = context;
    int64_t n = s->rows * s->d;
    float *gate = normals(n, 10, 20), *up = normals(n, 11, 1), *dh = normals(n, 12, 1), *h = floats(n), *h1 = floats(n);
    float *dgate = floats(n), *dup = floats(n);
    oracle_swiglu_forward(n, gate, up, h);
    rt_swiglu_forward(n, gate, up, h1);
    same_bits(h1, h, n, "swiglu");
    oracle_swiglu_backward(n, gate, up, dh, dgate, dup);
    rt_swiglu_backward(n, gate, up, dh, gate, up); /* in place */
    same_bits(gate, dgate, n, "swiglu dgate");
    same_bits(up, dup, n, "swiglu dup");
    free(gate), free(up), free(dh), free(h), free(h1), free(dgate), free(dup);
}

static void check_embedding(void *context) {
    const shape *s = context;
    enum { VOCAB = 11 };
    float *table = normals(VOCAB * s->d, 13, 1), *dx = normals(s->rows * s->d, 14, 1), *x = floats(s->rows * s->d);
    float *dtable = copy_of(table, VOCAB * s->d), *dtable1 = copy_of(table, VOCAB * s->d);
    int32_t *ids = calloc((size_t)s->rows, sizeof *ids);
    rt_rng rng = rt_rng_make(15, 0);
    for (int64_t t = 0; t < s->rows; t++) ids[t] = (int32_t)rt_rng_below(&rng, VOCAB);
    rt_embedding_forward(s->rows, s->d, ids, table, x);
    for (int64_t t = 0; t < s->rows; t++) same_bits(x + t * s->d, table + ids[t] * s->d, s->d, "embedding");
    oracle_embedding_backward(s->rows, s->d, ids, dx, dtable);
    rt_embedding_backward(s->rows, s->d, ids, dx, dtable1);
    same_bits(dtable1, dtable, VOCAB * s->d, "embedding gradient");
    free(table), free(dx), free(x), free(dtable), free(dtable1), free(ids);
}

static void check_rope(void *context) {
    (void)context;
    enum { ROWS = 150, POSITIONS = 97, HEADS = 3 };
    static const int64_t WIDTHS[] = {2, 10, 32, 64, 66};
    for (size_t w = 0; w < sizeof WIDTHS / sizeof *WIDTHS; w++) {
        int64_t e = WIDTHS[w], ld = HEADS * e + 5;
        float *table = floats(POSITIONS * e), *x = normals(ROWS * ld, 16, 1), *y = copy_of(x, ROWS * ld);
        int32_t position[ROWS];
        for (int t = 0; t < ROWS; t++) position[t] = t * 7 % POSITIONS;
        float frequency[64];
        rt_rope_frequencies(e, 10000.0, frequency);
        rt_rope_table(POSITIONS, e, frequency, 1.25F, table);
        for (int inverse = 0; inverse < 2; inverse++) {
            oracle_rope(ROWS, HEADS, e, position, table, inverse, x, ld);
            rt_rope(ROWS, HEADS, e, position, table, inverse, y, ld);
            same_bits(y, x, ROWS * ld, "rope");
        }
        free(table), free(x), free(y);
    }
}

static void over_shapes(void (*check)(void *)) {
    for (size_t i = 0; i < NUM_SHAPES; i++) {
        shape s = SHAPES[i];
        each_setting(check, &s);
    }
}

static void elementwise(void **state) {
    (void)state;
    over_shapes(check_elementwise);
}
static void rmsnorm(void **state) {
    (void)state;
    over_shapes(check_rmsnorm);
}
static void swiglu(void **state) {
    (void)state;
    over_shapes(check_swiglu);
}
static void embedding(void **state) {
    (void)state;
    over_shapes(check_embedding);
}
static void rope(void **state) {
    (void)state;
    each_setting(check_rope, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elementwise), cmocka_unit_test(rmsnorm), cmocka_unit_test(swiglu),
        cmocka_unit_test(embedding),   cmocka_unit_test(rope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
