/* Runs each hot kernel once, on one thread, for bench/count_instructions.sh to count instructions under callgrind.
 *
 * Counts know no neighbours and no clock: they are the same on a loaded machine, and a kernel that got slower by a
 * change of its code shows. Valgrind has no AVX-512, so under it the kernels are those of AVX2; without it (for a look)
 * the program runs all and prints nothing but its first line, "COMPILER-VERSION ISA".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/callgrind.h>

#include "compute/compute.h"
#include "core/mem.h"

enum { T = 128, D = 192, F = 512, H = 6, G = 2, E = 32, V = 1024, PARAMETERS = 1 << 16, RAGGED = 101 };

static float *block(int64_t n) {
    float *x = rt_aligned_alloc((size_t)n, sizeof *x);
    if (x == NULL) exit(1);
    for (int64_t i = 0; i < n; i++) x[i] = (float)((uint64_t)i * 2654435761U % 2000) * 1e-3F - 1.0F;
    return x;
}

typedef struct world {
    float *a, *b, *c, *d, *e, *f, *scratch, *lse;
    uint16_t *half;
    int32_t ids[T], position[T], slot[T], table[4], doc_start[3];
    rt_packed packed, packed_half;
    rt_kv_layer cache;
} world;

static void make(world *w) {
    const int64_t room = (int64_t)T * 4 * F;
    float **const blocks[] = {&w->a, &w->b, &w->c, &w->d, &w->e, &w->f, &w->lse};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) *blocks[i] = block(room);
    const int64_t attention = rt_attention_scratch(T, E), head = rt_head_scratch(V, D);
    w->scratch = block(attention > head ? attention : head);
    w->half = (uint16_t *)(void *)block(V * D / 2);
    rt_bf16_encode(V * D, w->a, w->half);
    for (int32_t t = 0; t < T; t++) {
        w->ids[t] = t * 31 % V;
        w->position[t] = t;
    }
    w->doc_start[1] = T - 27;
    w->doc_start[2] = T;
    for (int32_t i = 0; i < 4; i++) w->table[i] = i;
    const int64_t keys = rt_kpanel_floats(RT_KV_BLOCK, E);
    w->cache = (rt_kv_layer){.k = {.f32 = block(4 * G * keys)},
                             .v = {.f32 = block((int64_t)4 * G * RT_KV_BLOCK * E)},
                             .table = w->table,
                             .per_slot = 4,
                             .g = G,
                             .e = E};
    retort_error err;
    if (rt_pack_weight(F, D, w->a, D, &w->packed, &err) != RETORT_OK) exit(1);
    if (rt_pack_matrix(F, D, (rt_matrix){.bf16 = w->half}, &w->packed_half, &err) != RETORT_OK) exit(1);
}

/* ---- the kernels ---- */

static void matmul_nt(world *w) {
    rt_matmul_nt(T, F, D, w->a, D, w->b, D, w->c, F, false);
}
static void matmul_nt_ragged(world *w) {
    rt_matmul_nt(RAGGED, RAGGED, RAGGED, w->a, RAGGED, w->b, RAGGED, w->c, RAGGED, true);
}
static void matmul_nn(world *w) {
    rt_matmul_nn(T, D, F, w->a, F, w->b, D, w->c, D, false);
}
static void matmul_tn(world *w) {
    rt_matmul_tn(F, D, T, w->a, F, w->b, D, w->c, D, true);
}
static void packed_1(world *w) {
    rt_matmul_packed(1, w->a, D, &w->packed, w->c, F);
}
static void packed_8(world *w) {
    rt_matmul_packed(8, w->a, D, &w->packed, w->c, F);
}
static void packed_half_1(world *w) {
    rt_matmul_packed(1, w->a, D, &w->packed_half, w->c, F);
}
static void packed_half_8(world *w) {
    rt_matmul_packed(8, w->a, D, &w->packed_half, w->c, F);
}
static void packed_rows(world *w) {
    for (int t = 0; t < T; t++) w->slot[t] = w->ids[t] % F;
    rt_packed_rows(T, w->slot, &w->packed, w->c);
}
static void repack(world *w) {
    rt_repack_weight(&w->packed, w->a, D);
}
static void attention_forward(world *w) {
    rt_attention_forward(2, w->doc_start, H, G, E, 0, 0.17F, w->a, w->b, w->c, w->d, w->lse, w->scratch);
}
static void attention_backward(world *w) {
    float *dk = w->f + T * H * E, *dv = dk + T * G * E;
    rt_attention_backward(2, w->doc_start, H, G, E, 0, 0.17F, w->a, w->b, w->c, w->d, w->lse, w->e, w->f, dk, dv,
                          w->scratch);
}
static void kv_store(world *w) {
    memset(w->slot, 0, sizeof w->slot);
    rt_kv_store(&w->cache, T, w->slot, w->position, w->a, w->b);
}
static void attention_decode(world *w) {
    static const int32_t slot[2] = {0, 0}, position[2] = {T - 1, T / 2};
    rt_attention_decode(&w->cache, 2, slot, position, H, 0, 0.17F, w->a, w->c);
}
static void rmsnorm_forward(world *w) {
    rt_rmsnorm_forward(T, D, w->a, w->b, 1e-6F, w->c, w->lse);
}
static void rmsnorm_backward(world *w) {
    rt_rmsnorm_backward(T, D, w->a, w->b, w->lse, w->c, w->d, true, w->e);
}
static void rope(world *w) {
    rt_rope(T, H, E, w->position, w->b, false, w->c, H * E);
}
static void swiglu_forward(world *w) {
    rt_swiglu_forward(T * F, w->a, w->b, w->c);
}
static void swiglu_backward(world *w) {
    rt_swiglu_backward(T * F, w->a, w->b, w->c, w->d, w->e);
}
static void weigh(void *context, int64_t first, int64_t count, const float *logp, const float *entropy,
                  float *coefficient) {
    (void)context;
    (void)first;
    (void)logp;
    (void)entropy;
    for (int64_t i = 0; i < count; i++) coefficient[i] = -1.0F / T;
}
static void head(world *w) {
    const rt_head_args args = {.rows = T,
                               .d = D,
                               .vocab = V,
                               .hidden = w->a,
                               .w = {.f32 = w->b},
                               .target = w->ids,
                               .inv_temperature = 1,
                               .logp = w->lse,
                               .weight = weigh,
                               .dhidden = w->c,
                               .dw = w->d,
                               .scratch = w->scratch};
    rt_head(&args);
}
static void logsumexp(world *w) {
    w->c[0] = rt_logsumexp(V * 16, w->a, 1);
}
static void adamw(world *w) {
    const rt_adamw_args args = {
        .lr = 1e-3, .beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .grad_scale = 1, .bias1 = 0.1, .bias2 = 0.05};
    rt_adamw(PARAMETERS, w->a, w->b, w->c, w->lse, &args);
}
static void sum_squares(world *w) {
    w->c[0] = (float)rt_sum_squares(PARAMETERS, w->a);
}

int main(void) {
#define KERNEL(name)                                                                                                   \
    { #name, name }
    static const struct {
        const char *name;
        void (*run)(world *);
    } kernels[] = {KERNEL(matmul_nt),
                   KERNEL(matmul_nt_ragged),
                   KERNEL(matmul_nn),
                   KERNEL(matmul_tn),
                   KERNEL(packed_1),
                   KERNEL(packed_8),
                   KERNEL(packed_half_1),
                   KERNEL(packed_half_8),
                   KERNEL(packed_rows),
                   KERNEL(repack),
                   KERNEL(attention_forward),
                   KERNEL(attention_backward),
                   KERNEL(kv_store),
                   KERNEL(attention_decode),
                   KERNEL(rmsnorm_forward),
                   KERNEL(rmsnorm_backward),
                   KERNEL(rope),
                   KERNEL(swiglu_forward),
                   KERNEL(swiglu_backward),
                   KERNEL(head),
                   KERNEL(logsumexp),
                   KERNEL(sum_squares),
                   KERNEL(adamw)};
    retort_error err;
    if (rt_compute_init(&err) != RETORT_OK) return 1;
    rt_compute_set_threads(1);
#ifdef __clang__
    printf("clang-%d %s\n", __clang_major__, rt_isa_name(rt_compute_isa()));
#else
    printf("gcc-%d %s\n", __GNUC__, rt_isa_name(rt_compute_isa()));
#endif
    static world w;
    make(&w);
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        kernels[i].run(&w); /* once for what is set up at a first call */
        CALLGRIND_START_INSTRUMENTATION;
        CALLGRIND_ZERO_STATS;
        kernels[i].run(&w);
        CALLGRIND_DUMP_STATS_AT(kernels[i].name);
        CALLGRIND_STOP_INSTRUMENTATION;
    }
    return 0;
}
