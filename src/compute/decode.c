/* Attention over a KV cache, for sampling.
 *
 * The kernel is that of the training form. Rows of a prompt (one slot, positions ascending by 1) go through it as a
 * tile of queries; lone rows take the query heads of a group as the tile, which share keys and position.
 */
#include <string.h>

#include "compute/bf16.h"
#include "compute/gemm.h"
#include "compute/kernels_attention.h"
#include "compute/kernels_gemm.h"
#include "compute/parallel.h"

enum {
    MOST_ROWS = 8,   /* rows of one task */
    LEAST_PROMPT = 4 /* consecutive positions that are worth a tile of queries */
};

static int64_t panels_of_block(const rt_kv_layer *cache) {
    return cache->g * rt_kpanel_floats(RT_KV_BLOCK, cache->e);
}

static int64_t values_of_block(const rt_kv_layer *cache) {
    return cache->g * RT_KV_BLOCK * cache->e;
}

static rt_kv_source source(rt_matrix cache, int64_t at) {
    return cache.f32 != NULL ? (rt_kv_source){.f32 = cache.f32 + at} : (rt_kv_source){.half = cache.bf16 + at};
}

/* One key and one value of E numbers. */
static void store_one(const rt_kv_layer *cache, int64_t key, int64_t value, const float *k, const float *v) {
    const int64_t e = cache->e;
    if (cache->k.f32 != NULL) {
        for (int64_t i = 0; i < e; i++) cache->k.f32[key + i * RT_PANEL] = k[i];
        memcpy(cache->v.f32 + value, v, (size_t)e * sizeof *v);
        return;
    }
    for (int64_t i = 0; i < e; i++) cache->k.bf16[key + i * RT_PANEL] = rt_bf16_of_float(k[i]);
    rt_bf16_encode(e, v, cache->v.bf16 + value);
}

void rt_kv_store(const rt_kv_layer *cache, int64_t rows, const int32_t *slot, const int32_t *position, const float *k,
                 const float *v) {
    const int64_t e = cache->e, panels = rt_kpanel_floats(RT_KV_BLOCK, e);
    for (int64_t r = 0; r < rows; r++) {
        const int64_t block = cache->table[slot[r] * cache->per_slot + position[r] / RT_KV_BLOCK];
        const int64_t at = position[r] % RT_KV_BLOCK;
        for (int64_t group = 0; group < cache->g; group++) {
            const int64_t from = (r * cache->g + group) * e;
            const int64_t key = block * panels_of_block(cache) + group * panels + at / RT_PANEL * RT_PANEL * e;
            const int64_t value = block * values_of_block(cache) + (group * RT_KV_BLOCK + at) * e;
            store_one(cache, key + at % RT_PANEL, value, k + from, v + from);
        }
    }
}

static void copy(rt_matrix cache, int64_t to, int64_t from, int64_t count) {
    if (cache.f32 != NULL)
        memcpy(cache.f32 + to, cache.f32 + from, (size_t)count * sizeof *cache.f32);
    else
        memcpy(cache.bf16 + to, cache.bf16 + from, (size_t)count * sizeof *cache.bf16);
}

void rt_kv_copy(const rt_kv_layer *cache, int32_t from_block, int32_t to_block) {
    const int64_t keys = panels_of_block(cache), values = values_of_block(cache);
    copy(cache->k, to_block * keys, from_block * keys, keys);
    copy(cache->v, to_block * values, from_block * values, values);
}

static void clear(rt_matrix cache, int64_t at, int64_t count) {
    if (cache.f32 != NULL)
        memset(cache.f32 + at, 0, (size_t)count * sizeof *cache.f32);
    else
        memset(cache.bf16 + at, 0, (size_t)count * sizeof *cache.bf16);
}

void rt_kv_clear(const rt_kv_layer *cache, int32_t block) {
    const int64_t keys = panels_of_block(cache), values = values_of_block(cache);
    clear(cache->k, block * keys, keys);
    clear(cache->v, block * values, values);
}

typedef struct job {
    const rt_kv_layer *cache;
    const int32_t *slot, *position;
    int64_t h, window; /* window INT64_MAX: none */
    float scale;
    const float *q;
    float *out;
} job;

/* Rows up to position `last`, as many at a time as the thread's scratch holds. */
static void run_tile(rt_attention_rows *args, int64_t last) {
    args->ld_scores = rt_attention_span(last, args->window) + RT_PANEL;
    args->scores = rt_compute_scratch(omp_get_thread_num());
    _Static_assert(RT_DECODE_MAX_KEYS + 2 * RT_PANEL <= RT_GEMM_SCRATCH, "one row of scores must fit the scratch");
    args->tile_rows = (int64_t)RT_GEMM_SCRATCH / args->ld_scores;
    if (args->tile_rows > RT_ATTENTION_ROWS) args->tile_rows = RT_ATTENTION_ROWS;
    rt_kernels->attention->forward(args);
}

/* Rows first .. first+count-1 are consecutive positions of one slot. */
static void decode_run(const job *j, int64_t first, int64_t count, int64_t group) {
    const rt_kv_layer *cache = j->cache;
    int64_t e = cache->e, heads = j->h / cache->g, ld = j->h * e, base = first * ld + group * heads * e;
    rt_attention_rows args = {
        .e = e,
        .window = j->window,
        .scale = j->scale,
        .first = j->position[first],
        .k_panels = source(cache->k, group * rt_kpanel_floats(RT_KV_BLOCK, e)),
        .v = source(cache->v, group * RT_KV_BLOCK * e),
        .ldv = e,
        .blocks = cache->table + j->slot[first] * cache->per_slot,
        .k_stride = panels_of_block(cache),
        .v_stride = values_of_block(cache),
    };
    bool prompt = count >= LEAST_PROMPT;
    args.step = prompt ? 1 : 0;
    args.rows = prompt ? count : heads;
    args.ldq = args.ldout = prompt ? ld : e;
    int64_t passes = prompt ? heads : count;
    for (int64_t i = 0; i < passes; i++) {
        int64_t at = base + i * (prompt ? e : ld);
        args.q = j->q + at;
        args.out = j->out + at;
        if (!prompt) args.first = j->position[first + i];
        run_tile(&args, j->position[first + count - 1]);
    }
}

static void decode_rows(const job *j, int64_t first, int64_t end, int64_t group) {
    while (first < end) {
        int64_t count = 1;
        while (first + count < end && j->slot[first + count] == j->slot[first] &&
               j->position[first + count] == j->position[first] + count)
            count++;
        decode_run(j, first, count, group);
        first += count;
    }
}

void rt_attention_decode(const rt_kv_layer *cache, int64_t rows, const int32_t *slot, const int32_t *position,
                         int64_t h, int64_t window, float scale, const float *q, float *out) {
    const job j = {cache, slot, position, h, window > 0 ? window : INT64_MAX, scale, q, out};
    int64_t keys = 0;
    for (int64_t r = 0; r < rows; r++) keys += position[r] + 1 - rt_attention_low(position[r], j.window);
    int threads = rt_threads_for(keys * h * cache->e);
    int64_t unit = rows * cache->g / (4 * threads);
    unit = unit < 1 ? 1 : unit > MOST_ROWS ? MOST_ROWS : unit;
    int64_t units = (rows + unit - 1) / unit;
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int64_t task = 0; task < units * cache->g; task++) {
        int64_t first = task / cache->g * unit, end = first + unit < rows ? first + unit : rows;
        decode_rows(&j, first, end, task % cache->g);
    }
}
