/* Time of every kernel but the matrix products, at the shapes of the shipped model.
 *
 *   bench_kernels [avx2|avx512|scalar] [threads] [only names with this text]
 *
 * T = 4096, D = 192, F = 512, H = 6, G = 2, E = 32, V = 1024, documents of 60 and 200 tokens (and of 4096, to see
 * attention alone). Each figure is the best of several runs (one thread is timed by its own clock, which other
 * programs disturb less); GB/s counts each array that is read or written once.
 * `step` adds up what one training step of 6 layers spends in these kernels.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "compute/compute.h"
#include "core/mem.h"
#include "core/random.h"

enum { T = 4096, D = 192, F = 512, H = 6, G = 2, E = 32, V = 1024, LAYERS = 6, PARAMETERS = 2600000 };

typedef struct world {
    float *a, *b, *c, *d, *e, *w, *r, *lse, *table, *scratch, *p[4];
    int32_t *ids, *position, *start;
    int64_t docs;
} world;

static double now(void) {
    struct timespec t;
    clock_gettime(rt_compute_threads() == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double best_of(void (*run)(world *), world *x) {
    double best = 1e9, begun = now();
    for (int i = 0; i < 50 && (i < 5 || now() - begun < 0.3); i++) {
        double at = now();
        run(x);
        double taken = now() - at;
        if (taken < best) best = taken;
    }
    return best;
}

static void bias_add(world *x) {
    rt_bias_add(T, D, x->w, x->a, D);
}
static void bias_grad(world *x) {
    rt_bias_grad(T, D, x->a, D, x->w);
}
static void add(world *x) {
    rt_add(T * D, x->a, x->b);
}
static void rmsnorm(world *x) {
    rt_rmsnorm_forward(T, D, x->a, x->w, 1e-6f, x->b, x->r);
}
static void rmsnorm_backward(world *x) {
    rt_rmsnorm_backward(T, D, x->a, x->w, x->r, x->b, x->c, true, x->w + D);
}
static void rope(world *x) {
    rt_rope(T, H + G, E, x->position, x->table, false, x->a, (H + G) * E);
}
static void swiglu(world *x) {
    rt_swiglu_forward(T * F, x->a, x->b, x->c);
}
static void swiglu_backward(world *x) {
    rt_swiglu_backward(T * F, x->a, x->b, x->c, x->d, x->e);
}
static void embedding(world *x) {
    rt_embedding_forward(T, D, x->ids, x->p[0], x->a);
}
static void embedding_backward(world *x) {
    rt_embedding_backward(T, D, x->ids, x->a, x->p[1]);
}
static void attention(world *x) {
    rt_attention_forward(x->docs, x->start, H, G, E, 0, 0.17f, x->a, x->b, x->c, x->d, x->lse, x->scratch);
}
static void attention_backward(world *x) {
    rt_attention_backward(x->docs, x->start, H, G, E, 0, 0.17f, x->a, x->b, x->c, x->d, x->lse, x->e, x->p[0], x->p[1],
                          x->p[2], x->scratch);
}
static void weight(void *context, int64_t first, int64_t count, const float *logp, const float *entropy,
                   float *coefficient) {
    (void)context, (void)first, (void)logp, (void)entropy;
    for (int64_t i = 0; i < count; i++) coefficient[i] = 1.0f;
}
static void head(world *x) {
    rt_head(&(rt_head_args){.rows = T,
                            .d = D,
                            .vocab = V,
                            .hidden = x->a,
                            .w = {.f32 = x->p[0]},
                            .target = x->ids,
                            .inv_temperature = 1.0f,
                            .logp = x->r,
                            .entropy = x->lse,
                            .weight = weight,
                            .dhidden = x->b,
                            .dw = x->p[1],
                            .scratch = x->scratch});
}
static void head_products(world *x) {
    for (int64_t t = 0; t < T; t += 1024) {
        rt_matmul_nt(1024, V, D, x->a + t * D, D, x->p[0], D, x->scratch, V, false);
        rt_matmul_nn(1024, D, V, x->scratch, V, x->p[0], D, x->b + t * D, D, false);
        rt_matmul_tn(V, D, 1024, x->scratch, V, x->a + t * D, D, x->p[1], D, true);
    }
}
static void adamw(world *x) {
    rt_adamw_args args = {1e-9, 0.9, 0.999, 1e-8, 0.1, 1.0f, 0.5, 0.5};
    rt_adamw(PARAMETERS, x->p[0], x->p[1], x->p[2], x->p[3], &args);
}
static volatile double sink;
static void sum_squares(world *x) {
    sink = rt_sum_squares(PARAMETERS, x->p[0]);
}
static void nonfinite(world *x) {
    sink = rt_has_nonfinite(PARAMETERS, x->p[0]);
}

static double step_total;
static const char *only = "";

/* `times` a training step; gigabytes or GFLOP of one call. */
static void show(const char *name, void (*run)(world *), world *x, double times, double amount, const char *unit) {
    if (strstr(name, only) == NULL) return;
    double seconds = best_of(run, x);
    step_total += times * seconds;
    printf("%-28s %9.3f ms  %8.1f %-8s x%-3.0f %8.2f ms a step\n", name, 1e3 * seconds, amount / seconds, unit, times,
           1e3 * times * seconds);
}

static float *normals(int64_t n, double deviation) {
    rt_rng rng = rt_rng_make(7, (uint64_t)n);
    float *x = rt_aligned_alloc((size_t)n, sizeof *x);
    if (x == NULL) exit(1);
    for (int64_t i = 0; i < n; i++) x[i] = (float)(deviation * rt_rng_normal(&rng));
    return x;
}

static void documents(world *x, int32_t length) {
    x->docs = 0;
    for (int32_t t = 0; t < T; t += length) x->start[x->docs++] = t;
    x->start[x->docs] = T;
    for (int64_t doc = 0; doc < x->docs; doc++)
        for (int32_t t = x->start[doc]; t < x->start[doc + 1]; t++) x->position[t] = t - x->start[doc];
}

static double attention_gflop(const world *x) {
    double pairs = 0;
    for (int64_t doc = 0; doc < x->docs; doc++) {
        double length = x->start[doc + 1] - x->start[doc];
        pairs += length * (length + 1) / 2;
    }
    return pairs * 4 * H * E * 1e-9;
}

static void show_attention(world *x, int32_t length, double times) {
    char name[64];
    documents(x, length);
    snprintf(name, sizeof name, "attention, %d tokens", length);
    show(name, attention, x, times, attention_gflop(x), "GFLOP/s");
    snprintf(name, sizeof name, "attention backward, %d", length);
    show(name, attention_backward, x, times, 2.5 * attention_gflop(x), "GFLOP/s");
}

int main(int argc, char **argv) {
    retort_error err;
    if (argc > 1) setenv("RETORT_ISA", argv[1], 1);
    if (rt_compute_init(&err) != RETORT_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    if (argc > 3) only = argv[3];
    rt_compute_set_threads(argc > 2 ? atoi(argv[2]) : 0);
    printf("%s, %d threads\n", rt_isa_name(rt_compute_isa()), rt_compute_threads());
    int64_t most = (int64_t)T * F, scratch = rt_attention_scratch(T, E);
    if (rt_head_scratch(V, D) > scratch) scratch = rt_head_scratch(V, D);
    world x = {.a = normals(most, 1), .b = normals(most, 1), .c = normals(most, 1), .d = normals(most, 1)};
    x.e = normals(most, 1), x.w = normals(F, 1), x.r = normals(T, 1), x.lse = normals(T * H, 1);
    x.table = normals(T * E, 1), x.scratch = normals(scratch, 0);
    for (int i = 0; i < 4; i++) x.p[i] = normals(PARAMETERS, 0.02);
    for (int64_t i = 0; i < PARAMETERS; i++) x.p[3][i] = fabsf(x.p[3][i]);
    x.ids = rt_calloc(T, sizeof *x.ids), x.position = rt_calloc(T, sizeof *x.ids);
    x.start = rt_calloc(T + 1, sizeof *x.start);
    if (x.ids == NULL || x.position == NULL || x.start == NULL) return 1;
    rt_rng rng = rt_rng_make(1, 1);
    for (int i = 0; i < T; i++) x.ids[i] = (int32_t)rt_rng_below(&rng, V);
    float frequency[E / 2];
    rt_rope_frequencies(E, 10000, frequency);
    rt_rope_table(T, E, frequency, 1.0F, x.table);

    const double row = T * D * 4e-9, wide = T * F * 4e-9;
    documents(&x, 200);
    show("bias_add", bias_add, &x, 3 * LAYERS, 2 * row, "GB/s");
    show("bias_grad", bias_grad, &x, 3 * LAYERS, row, "GB/s");
    show("add", add, &x, 2 * LAYERS, 3 * row, "GB/s");
    show("rmsnorm", rmsnorm, &x, 2 * LAYERS + 1, 2 * row, "GB/s");
    show("  backward", rmsnorm_backward, &x, 2 * LAYERS + 1, 4 * row, "GB/s");
    show("rope, 8 heads", rope, &x, 2 * LAYERS, 2 * row * 4 / 3, "GB/s");
    show("swiglu", swiglu, &x, LAYERS, 3 * wide, "GB/s");
    show("  backward", swiglu_backward, &x, LAYERS, 5 * wide, "GB/s");
    show("embedding", embedding, &x, 1, 2 * row, "GB/s");
    show("  backward", embedding_backward, &x, 1, 3 * row, "GB/s");
    show_attention(&x, 60, 0);
    show_attention(&x, 200, LAYERS);
    show_attention(&x, T, 0);
    double products = best_of(head_products, &x), before = step_total;
    show("head with its products", head, &x, 1, 6.0 * T * D * V * 1e-9, "GFLOP/s");
    step_total = before + (step_total - before > products ? step_total - before - products : 0);
    printf("%-28s %9.3f ms\n", "  of which products", 1e3 * products);
    show("adamw", adamw, &x, 1, PARAMETERS * 28e-9, "GB/s");
    show("sum_squares", sum_squares, &x, 1, PARAMETERS * 4e-9, "GB/s");
    show("has_nonfinite", nonfinite, &x, 1, PARAMETERS * 4e-9, "GB/s");
    printf("%-28s %9.3f ms (documents of 200, head's products not counted)\n", "step", 1e3 * step_total);
    return 0;
}
