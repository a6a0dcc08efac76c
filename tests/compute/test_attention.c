/* Attention against the oracle, bit for bit; packed documents against single ones; decoding in any chunks against the
 * training form. */
#include <math.h>

#include "harness.h"
#include "oracle.h"

enum { MAX_DOCS = 8 };

typedef struct problem {
    int64_t h, g, e, window, docs;
    int32_t start[MAX_DOCS + 1];
    float scale;
    float *q, *k, *v, *dout;              /* inputs */
    float *out, *lse, *dq, *dk, *dv;      /* the oracle's */
    float *out1, *lse1, *dq1, *dk1, *dv1; /* the kernels' */
    bool half;                            /* keys and values are rounded to bfloat16: k, v; as given: k0, v0 */
    float *k0, *v0;
} problem;

static int64_t tokens(const problem *p) {
    return p->start[p->docs];
}

static problem problem_make(bool half, int64_t window, int64_t h, int64_t g, int64_t e, int64_t docs,
                            const int32_t *lengths) {
    problem p = {.h = h, .g = g, .e = e, .window = window, .docs = docs, .scale = (float)(1 / sqrt((double)e))};
    for (int64_t i = 0; i < docs; i++) p.start[i + 1] = p.start[i] + lengths[i];
    int64_t nq = tokens(&p) * h * e, nk = tokens(&p) * g * e;
    p.q = normals(nq, 1, 2), p.k = normals(nk, 2, 1), p.v = normals(nk, 3, 1), p.dout = normals(nq, 4, 1);
    p.out = floats(nq), p.dq = floats(nq), p.dk = floats(nk), p.dv = floats(nk), p.lse = floats(tokens(&p) * h);
    p.out1 = floats(nq), p.dq1 = floats(nq), p.dk1 = floats(nk), p.dv1 = floats(nk), p.lse1 = floats(tokens(&p) * h);
    p.k0 = copy_of(p.k, nk), p.v0 = copy_of(p.v, nk);
    p.half = half;
    if (half) rt_bf16_round(nk, p.k), rt_bf16_round(nk, p.v);
    oracle_attention_forward(docs, p.start, h, g, e, window, p.scale, p.q, p.k, p.v, p.out, p.lse);
    oracle_attention_backward(docs, p.start, h, g, e, window, p.scale, p.q, p.k, p.v, p.out, p.lse, p.dout, p.dq, p.dk,
                              p.dv);
    return p;
}

static void problem_release(problem *p) {
    free(p->q), free(p->k), free(p->v), free(p->dout), free(p->out), free(p->lse), free(p->dq), free(p->dk);
    free(p->dv), free(p->k0), free(p->v0), free(p->out1), free(p->lse1), free(p->dq1), free(p->dk1), free(p->dv1);
}

static int64_t longest(const problem *p) {
    int64_t most = 0;
    for (int64_t i = 0; i < p->docs; i++)
        if (p->start[i + 1] - p->start[i] > most) most = p->start[i + 1] - p->start[i];
    return most;
}

/* Scratch is filled with NaN: nothing may be read before it is written. */
static float *poisoned(int64_t n) {
    float *x = floats(n);
    for (int64_t i = 0; i < n; i++) x[i] = NAN;
    return x;
}

static void check_training(void *context) {
    problem *p = context;
    int64_t nq = tokens(p) * p->h * p->e, nk = tokens(p) * p->g * p->e;
    float *scratch = poisoned(rt_attention_scratch(longest(p), p->e));
    rt_attention_forward(p->docs, p->start, p->h, p->g, p->e, p->window, p->scale, p->q, p->k, p->v, p->out1, p->lse1,
                         scratch);
    same_bits(p->out1, p->out, nq, "out");
    same_bits(p->lse1, p->lse, tokens(p) * p->h, "lse");
    rt_attention_backward(p->docs, p->start, p->h, p->g, p->e, p->window, p->scale, p->q, p->k, p->v, p->out1, p->lse1,
                          p->dout, p->dq1, p->dk1, p->dv1, scratch);
    same_bits(p->dq1, p->dq, nq, "dq");
    same_bits(p->dk1, p->dk, nk, "dk");
    same_bits(p->dv1, p->dv, nk, "dv");
    free(scratch);
}

/* Each document alone has the bits it has in the batch. */
static void check_single(void *context) {
    problem *p = context;
    float *scratch = poisoned(rt_attention_scratch(longest(p), p->e));
    for (int64_t i = 0; i < p->docs; i++) {
        int32_t start[2] = {0, p->start[i + 1] - p->start[i]};
        int64_t q = p->start[i] * p->h * p->e, k = p->start[i] * p->g * p->e, lse = p->start[i] * p->h;
        rt_attention_forward(1, start, p->h, p->g, p->e, p->window, p->scale, p->q + q, p->k + k, p->v + k, p->out1 + q,
                             p->lse1 + lse, scratch);
        rt_attention_backward(1, start, p->h, p->g, p->e, p->window, p->scale, p->q + q, p->k + k, p->v + k,
                              p->out1 + q, p->lse1 + lse, p->dout + q, p->dq1 + q, p->dk1 + k, p->dv1 + k, scratch);
    }
    same_bits(p->out1, p->out, tokens(p) * p->h * p->e, "out of single documents");
    same_bits(p->dq1, p->dq, tokens(p) * p->h * p->e, "dq of single documents");
    same_bits(p->dk1, p->dk, tokens(p) * p->g * p->e, "dk of single documents");
    same_bits(p->dv1, p->dv, tokens(p) * p->g * p->e, "dv of single documents");
    free(scratch);
}

/* One slot a document. Each step takes a seeded number of next positions (0 .. most) of every document. */
static void decode_in_chunks(problem *p, const rt_kv_layer *cache, uint32_t most, uint64_t seed) {
    rt_rng rng = rt_rng_make(seed, 0);
    int64_t q_width = p->h * p->e, k_width = p->g * p->e, done[MAX_DOCS] = {0}, left = tokens(p);
    int32_t *slot = calloc((size_t)left, sizeof *slot), *position = calloc((size_t)left, sizeof *position);
    int32_t *token = calloc((size_t)left, sizeof *token);
    float *q = floats(left * q_width), *k = floats(left * k_width), *v = floats(left * k_width);
    float *out = floats(left * q_width);
    while (left > 0) {
        int64_t rows = 0;
        for (int64_t d = 0; d < p->docs; d++) {
            int64_t rest = p->start[d + 1] - p->start[d] - done[d], take = rt_rng_below(&rng, most + 1);
            for (int64_t i = 0; i < take && i < rest; i++) {
                slot[rows] = (int32_t)d;
                position[rows] = (int32_t)done[d]++;
                token[rows] = p->start[d] + position[rows];
                rows++;
            }
        }
        for (int64_t r = 0; r < rows; r++) {
            memcpy(q + r * q_width, p->q + token[r] * q_width, (size_t)q_width * sizeof *q);
            memcpy(k + r * k_width, p->k0 + token[r] * k_width, (size_t)k_width * sizeof *k);
            memcpy(v + r * k_width, p->v0 + token[r] * k_width, (size_t)k_width * sizeof *v);
        }
        rt_kv_store(cache, rows, slot, position, k, v);
        rt_attention_decode(cache, rows, slot, position, p->h, p->window, p->scale, q, out);
        for (int64_t r = 0; r < rows; r++)
            same_bits(out + r * q_width, p->out + token[r] * q_width, q_width, "decoded row");
        left -= rows;
    }
    free(slot), free(position), free(token), free(q), free(k), free(v), free(out);
}

static rt_matrix poisoned_matrix(bool half, int64_t n) {
    if (!half) return (rt_matrix){.f32 = poisoned(n)};
    uint16_t *x = malloc((size_t)n * sizeof *x);
    assert_non_null(x);
    for (int64_t i = 0; i < n; i++) x[i] = 0x7fc0; /* NaN */
    return (rt_matrix){.bf16 = x};
}

/* A cache of so many sequences whose blocks lie in a seeded order, with one block more than they need. */
static void take_cache(const problem *p, int64_t slots, int64_t capacity, uint64_t seed, rt_kv_layer *cache) {
    rt_rng rng = rt_rng_make(seed, 1);
    *cache = (rt_kv_layer){.per_slot = rt_kv_blocks(capacity), .g = p->g, .e = p->e};
    const int64_t blocks = slots * cache->per_slot;
    int32_t *table = calloc((size_t)blocks, sizeof *table);
    assert_non_null(table);
    for (int64_t i = 0; i < blocks; i++) {
        const int64_t other = rt_rng_below(&rng, (uint32_t)i + 1);
        table[i] = table[other];
        table[other] = (int32_t)i + 1;
    }
    cache->table = table;
    cache->k = poisoned_matrix(p->half, (blocks + 1) * p->g * rt_kpanel_floats(RT_KV_BLOCK, p->e));
    cache->v = poisoned_matrix(p->half, (blocks + 1) * p->g * RT_KV_BLOCK * p->e);
}

static void free_cache(rt_kv_layer *cache) {
    free((void *)(uintptr_t)cache->table);
    free(cache->k.f32), free(cache->k.bf16), free(cache->v.f32), free(cache->v.bf16);
}

static void check_decode(void *context) {
    problem *p = context;
    rt_kv_layer cache;
    for (uint32_t most = 1; most <= 40; most += 13) {
        take_cache(p, p->docs, longest(p), most, &cache);
        decode_in_chunks(p, &cache, most, most);
        free_cache(&cache);
    }
}

/* A sequence goes on in a slot that shares its full blocks with another and has a copy of the last one. */
static void check_copy(void *context) {
    problem *p = context;
    int64_t length = p->start[1], prompt = length / 2, q_width = p->h * p->e;
    rt_kv_layer cache;
    take_cache(p, 3, length, 5, &cache);
    int32_t *table = (int32_t *)(uintptr_t)cache.table;
    float *out = floats(q_width);
    for (int64_t t = 0; t < length; t++) {
        int32_t slot = t < prompt ? 2 : 0, position = (int32_t)t;
        if (t == prompt) {
            const int64_t full = prompt / RT_KV_BLOCK;
            for (int64_t b = 0; b < full; b++) table[b] = table[2 * cache.per_slot + b];
            rt_kv_copy(&cache, table[2 * cache.per_slot + full], table[full]);
        }
        rt_kv_store(&cache, 1, &slot, &position, p->k0 + t * p->g * p->e, p->v0 + t * p->g * p->e);
        rt_attention_decode(&cache, 1, &slot, &position, p->h, p->window, p->scale, p->q + t * q_width, out);
        same_bits(out, p->out + t * q_width, q_width, "row after a copied prompt");
    }
    free_cache(&cache), free(out);
}

/* Odd widths, odd lengths around tile and panel edges, groups of 1 to 7 heads. */
static problem make(int which, bool half, int64_t window) {
    switch (which) {
    case 0: return problem_make(half, window, 1, 1, 4, 3, (int32_t[]){1, 2, 3});
    case 1: return problem_make(half, window, 6, 2, 32, 5, (int32_t[]){20, 61, 16, 33, 47});
    case 2: return problem_make(half, window, 4, 4, 10, 2, (int32_t[]){70, 15});
    case 3: return problem_make(half, window, 7, 1, 34, 3, (int32_t[]){31, 1, 64});
    case 4: return problem_make(half, window, 2, 1, 64, 2, (int32_t[]){130, 7});
    case 5: return problem_make(half, window, 2, 1, 18, 2, (int32_t[]){9, 301}); /* shared between threads */
    case 6: return problem_make(half, window, 2, 2, 6, 1, (int32_t[]){270});     /* a head for each of two */
    default: return problem_make(half, window, 3, 1, 80, 1, (int32_t[]){143});
    }
}
enum { NUM_PROBLEMS = 8 };

/* Windows below, at and across the sizes of tiles, panels and blocks; 0 is none. */
static const int64_t windows[] = {0, 1, 7, 25, 96};
enum { NUM_WINDOWS = sizeof windows / sizeof windows[0] };

static void over_problems(void (*check)(void *), bool half) {
    for (int i = 0; i < NUM_PROBLEMS; i++) {
        for (int w = 0; w < NUM_WINDOWS; w++) {
            problem p = make(i, half, windows[w]);
            each_setting(check, &p);
            problem_release(&p);
        }
    }
}

static void training(void **state) {
    (void)state;
    over_problems(check_training, false);
}
static void single_documents(void **state) {
    (void)state;
    over_problems(check_single, false);
}
static void decoding(void **state) {
    (void)state;
    over_problems(check_decode, false);
    over_problems(check_decode, true);
}
static void copied_prompt(void **state) {
    (void)state;
    over_problems(check_copy, false);
    over_problems(check_copy, true);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(training), cmocka_unit_test(single_documents),
                                       cmocka_unit_test(decoding), cmocka_unit_test(copied_prompt)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
