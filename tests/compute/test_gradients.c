/* Every backward kernel against central differences of its forward pass, written again here in double. */
#include <math.h>

#include "harness.h"

/* A loss of one double array x[n]; others are in the context. */
typedef double (*loss_of)(const double *x, const void *context);

static void differences(loss_of loss, const void *context, double *x, int64_t n, double *gradient) {
    const double step = 1e-5;
    for (int64_t i = 0; i < n; i++) {
        double at = x[i];
        x[i] = at + step;
        double up = loss(x, context);
        x[i] = at - step;
        gradient[i] = (up - loss(x, context)) / (2 * step);
        x[i] = at;
    }
}

/* All arguments of an operation in one block of doubles, so that one call differentiates by all of them. */
typedef struct block {
    int64_t n;
    float *x;
    double *wide, *gradient;
} block;

static block block_make(int64_t n, uint64_t seed) {
    block b = {n, normals(n, seed, 0.7), calloc((size_t)n, sizeof(double)), calloc((size_t)n, sizeof(double))};
    for (int64_t i = 0; i < n; i++) b.wide[i] = (double)b.x[i];
    return b;
}

static void block_release(block *b) {
    free(b->x), free(b->wide), free(b->gradient);
}

static const double TOLERANCE = 3e-6;

/* ---- rmsnorm: x [ROWS][D], w [D] ---- */

enum { ROWS = 5, D = 19, EPS_INVERSE = 1000 };

static double rmsnorm_loss(const double *x, const void *context) {
    const float *dy = context;
    const double *w = x + ROWS * D;
    double loss = 0;
    for (int t = 0; t < ROWS; t++) {
        double squares = 0;
        for (int j = 0; j < D; j++) squares += x[t * D + j] * x[t * D + j];
        double r = 1 / sqrt(squares / D + 1.0 / EPS_INVERSE);
        for (int j = 0; j < D; j++) loss += (double)dy[t * D + j] * x[t * D + j] * r * w[j];
    }
    return loss;
}

static void rmsnorm(void **state) {
    (void)state;
    block b = block_make(ROWS * D + D, 1);
    float *dy = normals(ROWS * D, 2, 1), *gradient = floats(b.n), y[ROWS * D], r[ROWS];
    const float *w = b.x + ROWS * D;
    differences(rmsnorm_loss, dy, b.wide, b.n, b.gradient);
    rt_rmsnorm_forward(ROWS, D, b.x, w, 1.0f / EPS_INVERSE, y, r);
    rt_rmsnorm_backward(ROWS, D, b.x, w, r, dy, gradient, false, gradient + ROWS * D);
    close_to(gradient, b.gradient, b.n, TOLERANCE, "rmsnorm");
    block_release(&b), free(dy), free(gradient);
}

/* ---- swiglu: gate [N], up [N] ---- */

enum { N = 200 };

static double swiglu_loss(const double *x, const void *context) {
    const float *dh = context;
    double loss = 0;
    for (int i = 0; i < N; i++) loss += (double)dh[i] * x[i] / (1 + exp(-x[i])) * x[N + i];
    return loss;
}

static void swiglu(void **state) {
    (void)state;
    block b = block_make(2 * N, 3);
    float *dh = normals(N, 4, 1), *gradient = floats(b.n);
    differences(swiglu_loss, dh, b.wide, b.n, b.gradient);
    rt_swiglu_backward(N, b.x, b.x + N, dh, gradient, gradient + N);
    close_to(gradient, b.gradient, b.n, TOLERANCE, "swiglu");
    block_release(&b), free(dh), free(gradient);
}

/* ---- rope: x [POSITIONS][HEADS * E] ---- */

enum { POSITIONS = 7, HEADS = 2, E = 10 };

static double rope_loss(const double *x, const void *context) {
    const float *dy = context;
    double loss = 0;
    for (int t = 0; t < POSITIONS; t++)
        for (int head = 0; head < HEADS; head++)
            for (int i = 0; i < E / 2; i++) {
                int a = (t * HEADS + head) * E + i, b = a + E / 2;
                double angle = t * pow(10000.0, -2.0 * i / E), c = 1.25 * cos(angle), s = 1.25 * sin(angle);
                loss += (double)dy[a] * (x[a] * c - x[b] * s) + (double)dy[b] * (x[b] * c + x[a] * s);
            }
    return loss;
}

static void rope(void **state) {
    (void)state;
    block b = block_make(POSITIONS * HEADS * E, 5);
    float *dy = normals(b.n, 6, 1), table[POSITIONS * E];
    int32_t position[POSITIONS];
    for (int t = 0; t < POSITIONS; t++) position[t] = t;
    float frequency[E / 2];
    rt_rope_frequencies(E, 10000.0, frequency);
    rt_rope_table(POSITIONS, E, frequency, 1.25F, table);
    differences(rope_loss, dy, b.wide, b.n, b.gradient);
    rt_rope(POSITIONS, HEADS, E, position, table, true, dy, HEADS * E);
    close_to(dy, b.gradient, b.n, TOLERANCE, "rope");
    block_release(&b), free(dy);
}

/* ---- attention: q [T][H * W], k and v [T][G * W] ---- */

enum { DOCS = 2, TOKENS = 24, H = 4, G = 2, W = 6, QUERIES = TOKENS * H * W, KEYS = TOKENS * G * W };
static const int32_t DOC_START[DOCS + 1] = {0, 19, TOKENS};

/* Loss share of one query over the keys of its document. */
static double attend_loss(const double *x, const float *dout, int first, int t, int head) {
    const double *q = x + (t * H + head) * W, *k = x + QUERIES, *v = k + KEYS;
    double p[TOKENS], l = 0, loss = 0;
    for (int j = first; j <= t; j++) {
        double s = 0;
        for (int i = 0; i < W; i++) s += q[i] * k[(j * G + head / (H / G)) * W + i];
        p[j] = exp(s / sqrt(W));
        l += p[j];
    }
    for (int j = first; j <= t; j++)
        for (int i = 0; i < W; i++)
            loss += p[j] / l * v[(j * G + head / (H / G)) * W + i] * (double)dout[(t * H + head) * W + i];
    return loss;
}

typedef struct attention_case {
    int window;
    const float *dout;
} attention_case;

static double attention_loss(const double *x, const void *context) {
    const attention_case *c = context;
    double loss = 0;
    for (int doc = 0; doc < DOCS; doc++)
        for (int t = DOC_START[doc]; t < DOC_START[doc + 1]; t++) {
            const int first = c->window > 0 && t - c->window + 1 > DOC_START[doc] ? t - c->window + 1 : DOC_START[doc];
            for (int head = 0; head < H; head++) loss += attend_loss(x, c->dout, first, t, head);
        }
    return loss;
}

static void attention_with(int window) {
    block b = block_make(QUERIES + 2 * KEYS, 7);
    float *dout = normals(QUERIES, 8, 1), *out = floats(QUERIES), *lse = floats(TOKENS * H), *gradient = floats(b.n);
    float *scratch = floats(rt_attention_scratch(TOKENS, W)), scale = (float)(1 / sqrt(W));
    const float *q = b.x, *k = q + QUERIES, *v = k + KEYS;
    const attention_case context = {window, dout};
    differences(attention_loss, &context, b.wide, b.n, b.gradient);
    rt_attention_forward(DOCS, DOC_START, H, G, W, window, scale, q, k, v, out, lse, scratch);
    rt_attention_backward(DOCS, DOC_START, H, G, W, window, scale, q, k, v, out, lse, dout, gradient,
                          gradient + QUERIES, gradient + QUERIES + KEYS, scratch);
    close_to(gradient, b.gradient, b.n, TOLERANCE, "attention");
    block_release(&b), free(dout), free(out), free(lse), free(gradient), free(scratch);
}

static void attention(void **state) {
    (void)state;
    attention_with(0);
    attention_with(5);
    attention_with(11);
}

/* ---- head: hidden [SCORED][WIDTH], w [VOCAB][WIDTH] ---- */

enum { SCORED = 9, WIDTH = 8, VOCAB = 21 };
static const int32_t TARGET[SCORED] = {3, -1, 0, 20, 7, -1, 7, 1, 2};
static const double INVERSE_TEMPERATURE = 0.75;

static double coefficient_of(int64_t t) {
    return 0.5 - (double)t / 8;
}

static double head_loss(const double *x, const void *context) {
    (void)context;
    const double *w = x + SCORED * WIDTH;
    double loss = 0;
    for (int t = 0; t < SCORED; t++) {
        double y[VOCAB], l = 0;
        for (int j = 0; j < VOCAB; j++) {
            y[j] = 0;
            for (int i = 0; i < WIDTH; i++) y[j] += x[t * WIDTH + i] * w[j * WIDTH + i];
            y[j] *= INVERSE_TEMPERATURE;
            l += exp(y[j]);
        }
        if (TARGET[t] >= 0) loss += coefficient_of(t) * (y[TARGET[t]] - log(l));
    }
    return loss;
}

static void fixed_weight(void *context, int64_t first, int64_t count, const float *logp, const float *entropy,
                         float *coefficient) {
    (void)context, (void)logp, (void)entropy;
    for (int64_t i = 0; i < count; i++) coefficient[i] = (float)coefficient_of(first + i);
}

static void head(void **state) {
    (void)state;
    block b = block_make(SCORED * WIDTH + VOCAB * WIDTH, 9);
    float *gradient = floats(b.n), logp[SCORED], *scratch = floats(rt_head_scratch(VOCAB, WIDTH));
    differences(head_loss, NULL, b.wide, b.n, b.gradient);
    rt_head(&(rt_head_args){.rows = SCORED,
                            .d = WIDTH,
                            .vocab = VOCAB,
                            .hidden = b.x,
                            .w = {.f32 = b.x + SCORED * WIDTH},
                            .target = TARGET,
                            .inv_temperature = (float)INVERSE_TEMPERATURE,
                            .logp = logp,
                            .weight = fixed_weight,
                            .dhidden = gradient,
                            .dw = gradient + SCORED * WIDTH,
                            .scratch = scratch});
    close_to(gradient, b.gradient, b.n, TOLERANCE, "head");
    block_release(&b), free(gradient), free(scratch);
}

static int init(void **state) {
    (void)state;
    return rt_compute_init(NULL) == RETORT_OK ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(rmsnorm), cmocka_unit_test(swiglu), cmocka_unit_test(rope),
                                       cmocka_unit_test(attention), cmocka_unit_test(head)};
    return cmocka_run_group_tests(tests, init, NULL);
}
