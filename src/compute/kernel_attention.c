/* Attention over register tiles.
 *
 * Everything is one of two products: scores of a few rows against panels of 16 keys (chains over e, lanes are keys),
 * and sums over keys or queries of weight times row (chains over j or i, lanes are e). Both are `extend`: a tile of mr
 * rows by nv vectors whose accumulators stay in registers. The number of rows in a tile and the order of tiles change
 * no chain, so tile shapes are free to differ between instruction sets.
 */
#include "compute/kernels_attention.h"
#include "compute/simd_math.h"

/* Tile of most rows: sixteen registers hold 6 x 1 vectors of two halves with their operands, thirty-two 12 x 2; the
 * plain loops of level 0 fit the thirty-two registers of four floats that other processors have. */
#if RT_KERNEL_LEVEL == 2
enum { MR = 12, NV = 2 };
#elif RT_KERNEL_LEVEL == 1
enum { MR = 6, NV = 1 };
#else
enum { MR = 4, NV = 1 };
#endif

typedef struct tile {
    rt_v16 acc[RT_ATTENTION_ROWS][2];
} tile;

/* One operand of a product: element (row r, step k) of a is a[r * row + k * step]; vector v of step k of b starts at
 * b[k * ld + v * vector]. */
typedef struct operands {
    const float *a;
    int64_t row, step;
    rt_kv_source b;
    bool half; /* which of b's two; a constant wherever it is inlined */
    int64_t ld, vector;
    int64_t width; /* lanes of a vector; below 16 only for the tail of a row of e */
} operands;

RT_INLINE rt_v16 load_lanes(const float *p, int64_t width) {
    return width == RT_LANES ? rt_v16_load(p) : rt_v16_load_part(p, width);
}

RT_INLINE rt_v16 load_operand(const operands *o, int64_t at) {
    if (!o->half) return load_lanes(o->b.f32 + at, o->width);
    return o->width == RT_LANES ? rt_v16_load_half(o->b.half + at) : rt_v16_load_half_part(o->b.half + at, o->width);
}

RT_INLINE rt_kv_source source_at(rt_kv_source s, bool half, int64_t at) {
    return half ? (rt_kv_source){.half = s.half + at} : (rt_kv_source){.f32 = s.f32 + at};
}

RT_INLINE void store_lanes(float *p, int64_t width, rt_v16 x) {
    if (width == RT_LANES)
        rt_v16_store(p, x);
    else
        rt_v16_store_part(p, width, x);
}

/* One step of the chains of rows low .. high-1. */
RT_INLINE void extend_step(tile *t, int low, int high, int nv, const operands *o, int64_t k) {
    rt_v16 b[2];
    for (int v = 0; v < nv; v++) b[v] = load_operand(o, k * o->ld + v * o->vector);
#pragma GCC unroll 12
    for (int r = low; r < high; r++) {
        rt_v16 a = rt_v16_set(o->a[r * o->row + k * o->step]);
#pragma GCC unroll 2
        for (int v = 0; v < nv; v++) t->acc[r][v] = rt_v16_fma(a, b[v], t->acc[r][v]);
    }
}

RT_INLINE void extend(tile *t, int mr, int nv, const operands *o, int64_t from, int64_t to) {
    for (int64_t k = from; k < to; k++) extend_step(t, 0, mr, nv, o, k);
}

RT_INLINE void tile_zero(tile *t, int mr, int nv) {
#pragma GCC unroll 12
    for (int r = 0; r < mr; r++)
#pragma GCC unroll 2
        for (int v = 0; v < nv; v++) t->acc[r][v] = rt_v16_set(0.0f);
}

RT_INLINE void tile_load(tile *t, int mr, int nv, const float *c, int64_t ldc, int64_t width) {
#pragma GCC unroll 12
    for (int r = 0; r < mr; r++)
#pragma GCC unroll 2
        for (int v = 0; v < nv; v++) t->acc[r][v] = load_lanes(c + r * ldc + v * RT_LANES, width);
}

RT_INLINE void tile_store(const tile *t, int mr, int nv, float *c, int64_t ldc, int64_t width) {
#pragma GCC unroll 12
    for (int r = 0; r < mr; r++)
#pragma GCC unroll 2
        for (int v = 0; v < nv; v++) store_lanes(c + r * ldc + v * RT_LANES, width, t->acc[r][v]);
}

/* Rows of the tile that starts with `left` rows to go, and the call of a tile function with that number as a constant,
 * so that its accumulators can live in registers. */
#if RT_KERNEL_LEVEL > 0
enum { SMALL = MR < 8 ? MR : 8 }; /* every count up to it has a tile: the heads that share keys make one */
RT_INLINE int tile_rows(int64_t left, int64_t most) {
    if (left > most) left = most;
    if (left >= MR) return MR;
    return left > SMALL ? SMALL : (int)left;
}
#if RT_KERNEL_LEVEL == 2
/* clang-format off */
#define LARGER_ROWS(call) case 12: call(12); break; case 8: call(8); break; case 7: call(7); break;
/* clang-format on */
#else
#define LARGER_ROWS(call)
#endif
#define WITH_ROWS(mr, call)                                                                                            \
    switch (mr) {                                                                                                      \
        LARGER_ROWS(call)                                                                                              \
    case 6: call(6); break;                                                                                            \
    case 5: call(5); break;                                                                                            \
    case 4: call(4); break;                                                                                            \
    case 3: call(3); break;                                                                                            \
    case 2: call(2); break;                                                                                            \
    default: call(1); break;                                                                                           \
    }
#else
RT_INLINE int tile_rows(int64_t left, int64_t most) {
    return left >= MR && most >= MR ? MR : 1;
}
#define WITH_ROWS(mr, call)                                                                                            \
    if ((mr) == MR)                                                                                                    \
        call(MR);                                                                                                      \
    else                                                                                                               \
        call(1);
#endif

/* ---- rows against panels of keys -------------------------------------------------------------------------------- */

/* c[r][16 b + lane] = chain(e: a[r][e], panel_b[e][lane]) for panels first .. last-1, panel `first` at c. */
RT_INLINE void panel_products(int mr, bool half, int64_t e, const float *a, int64_t lda, rt_kv_source panels,
                              int64_t first, int64_t last, float *c, int64_t ldc) {
    operands o = {
        .a = a, .row = lda, .step = 1, .half = half, .ld = RT_LANES, .vector = e * RT_LANES, .width = RT_LANES};
    int64_t b = first;
    tile t;
    for (; b + NV <= last; b += NV) {
        o.b = source_at(panels, half, b * e * RT_LANES);
        tile_zero(&t, mr, NV);
        extend(&t, mr, NV, &o, 0, e);
        tile_store(&t, mr, NV, c + (b - first) * RT_LANES, ldc, RT_LANES);
    }
    for (; b < last; b++) {
        o.b = source_at(panels, half, b * e * RT_LANES);
        tile_zero(&t, mr, 1);
        extend(&t, mr, 1, &o, 0, e);
        tile_store(&t, mr, 1, c + (b - first) * RT_LANES, ldc, RT_LANES);
    }
}

static void scores_of(int mr, int64_t e, const float *a, int64_t lda, const float *panels, int64_t first, int64_t last,
                      float *c, int64_t ldc) {
    const rt_kv_source source = {.f32 = panels};
#define CALL(rows) panel_products(rows, false, e, a, lda, source, first, last, c, ldc)
    WITH_ROWS(mr, CALL)
#undef CALL
}

static void scores_of_half(int mr, int64_t e, const float *a, int64_t lda, const uint16_t *panels, int64_t first,
                           int64_t last, float *c, int64_t ldc) {
    const rt_kv_source source = {.half = panels};
#define CALL(rows) panel_products(rows, true, e, a, lda, source, first, last, c, ldc)
    WITH_ROWS(mr, CALL)
#undef CALL
}

/* ---- sums over keys --------------------------------------------------------------------------------------------- */

/* How a tile of rows meets the keys k0 .. k1-1 of a block: row r takes part in keys below `shared` and, if triangle,
 * in r more. */
typedef struct reach {
    int64_t shared;
    bool triangle;
    bool fresh; /* chains start at 0; otherwise they continue c */
} reach;

RT_INLINE void key_sum_vectors(int mr, int nv, const operands *o, reach by, float *c, int64_t ldc) {
    tile t;
    if (by.fresh)
        tile_zero(&t, mr, nv);
    else
        tile_load(&t, mr, nv, c, ldc, o->width);
    extend(&t, mr, nv, o, 0, by.shared);
    if (by.triangle) {
#pragma GCC unroll 12
        for (int r = 1; r < mr; r++) extend_step(&t, r, mr, nv, o, by.shared + r - 1);
    }
    tile_store(&t, mr, nv, c, ldc, o->width);
}

/* c[r][e] = chain over keys: weights[r][key], rows[key][e]. */
RT_INLINE void key_sum_rows(int mr, bool half, int64_t e, const float *weights, int64_t ldw, rt_kv_source rows,
                            int64_t ld, reach by, float *c, int64_t ldc) {
    operands o = {.a = weights, .row = ldw, .step = 1, .half = half, .ld = ld, .vector = RT_LANES, .width = RT_LANES};
    int64_t at = 0;
    for (; at + NV * RT_LANES <= e; at += NV * RT_LANES) {
        o.b = source_at(rows, half, at);
        key_sum_vectors(mr, NV, &o, by, c + at, ldc);
    }
    for (; at + RT_LANES <= e; at += RT_LANES) {
        o.b = source_at(rows, half, at);
        key_sum_vectors(mr, 1, &o, by, c + at, ldc);
    }
    if (at < e) {
        o.b = source_at(rows, half, at);
        o.width = e - at;
        key_sum_vectors(mr, 1, &o, by, c + at, ldc);
    }
}

static void key_sum(int mr, int64_t e, const float *weights, int64_t ldw, const float *rows, int64_t ld, reach by,
                    float *c, int64_t ldc) {
    const rt_kv_source source = {.f32 = rows};
#define CALL(count) key_sum_rows(count, false, e, weights, ldw, source, ld, by, c, ldc)
    WITH_ROWS(mr, CALL)
#undef CALL
}

static void key_sum_half(int mr, int64_t e, const float *weights, int64_t ldw, const uint16_t *rows, int64_t ld,
                         reach by, float *c, int64_t ldc) {
    const rt_kv_source source = {.half = rows};
#define CALL(count) key_sum_rows(count, true, e, weights, ldw, source, ld, by, c, ldc)
    WITH_ROWS(mr, CALL)
#undef CALL
}

/* ---- forward ---------------------------------------------------------------------------------------------------- */

/* Weights without the first `count` of the lanes, which the window hides. */
RT_INLINE rt_v16 hide_first(rt_v16 x, int64_t count) {
    float lane[RT_LANES];
    rt_v16_store(lane, x);
    for (int64_t i = 0; i < count; i++) lane[i] = 0.0f;
    return rt_v16_load(lane);
}

/* Turns the products low .. n-1 of a row into weights exp(s - m) of sum l, those before `low` into 0; returns m. */
static float row_softmax(float *s, int64_t low, int64_t n, float scale, float *l) {
    rt_v16 factor = rt_v16_set(scale), most = rt_v16_set(-INFINITY), sum = rt_v16_set(0.0f);
    int64_t begin = low - low % RT_LANES, j = begin, tail = n % RT_LANES;
    for (int64_t i = 0; i < begin; i++) s[i] = 0.0f;
    for (int64_t i = begin; i < low; i++) s[i] = -INFINITY;
    for (; j + RT_LANES <= n; j += RT_LANES) {
        rt_v16 x = rt_v16_mul(rt_v16_load(s + j), factor);
        rt_v16_store(s + j, x);
        most = rt_v16_max(x, most);
    }
    if (tail > 0) {
        rt_v16 x = rt_v16_keep(rt_v16_mul(rt_v16_load(s + j), factor), tail, -INFINITY);
        rt_v16_store(s + j, x);
        most = rt_v16_max(x, most);
    }
    float m = rt_v16_highest(most);
    rt_v16 offset = rt_v16_set(m);
    for (j = begin; j + RT_LANES <= n; j += RT_LANES) {
        rt_v16 p = rt_v16_exp(rt_v16_sub(rt_v16_load(s + j), offset));
        if (j < low) p = hide_first(p, low - j);
        rt_v16_store(s + j, p);
        sum = rt_v16_add(sum, p);
    }
    if (tail > 0) {
        rt_v16 p = rt_v16_keep(rt_v16_exp(rt_v16_sub(rt_v16_load(s + j), offset)), tail, 0.0f);
        if (j < low) p = hide_first(p, low - j);
        rt_v16_store(s + j, p);
        sum = rt_v16_add(sum, p);
    }
    *l = rt_v16_sum(sum);
    return m;
}

static void divide_row(float *x, int64_t n, float by) {
    rt_v16 divisor = rt_v16_set(by);
    for (int64_t j = 0; j < n; j += RT_LANES)
        rt_v16_store_upto(x + j, n - j, rt_v16_div(rt_v16_load_upto(x + j, n - j), divisor));
}

/* Keys that lie one behind the other, up to last-1; the sources begin with key `origin`. */
typedef struct stretch {
    int64_t origin, last;
    rt_kv_source k_panels, v;
} stretch;

/* The stretch that holds key `first`, up to key last-1 at most. */
RT_INLINE stretch stretch_of(const rt_attention_rows *args, int64_t first, int64_t last) {
    if (args->blocks == NULL) return (stretch){0, last, args->k_panels, args->v};
    const int64_t block = first / RT_KV_BLOCK, origin = block * RT_KV_BLOCK, end = origin + RT_KV_BLOCK;
    const int64_t k = args->blocks[block] * args->k_stride, v = args->blocks[block] * args->v_stride;
    const bool half = args->k_panels.f32 == NULL;
    return (stretch){origin, end < last ? end : last, source_at(args->k_panels, half, k), source_at(args->v, half, v)};
}

/* Rows of the tile at `position`: keys that only some of its rows see must lie in one block. */
RT_INLINE int forward_rows(const rt_attention_rows *args, int64_t left, int64_t position) {
    int64_t most = args->tile_rows;
    if (args->blocks != NULL && args->step == 1) {
        const int64_t end = ((position + 1) / RT_KV_BLOCK + 1) * RT_KV_BLOCK;
        if (end - position < most) most = end - position;
    }
    return tile_rows(left, most);
}

/* Products of the tile's queries with the keys from `base`, which begins a panel, to `keys` - 1. */
static void forward_scores(const rt_attention_rows *args, int mr, const float *q, int64_t base, int64_t keys) {
    const int64_t ld = args->ld_scores;
    for (int64_t at = base; at < keys;) {
        const stretch s = stretch_of(args, at, keys);
        const int64_t first = (at - s.origin) / RT_LANES, last = (s.last - s.origin + RT_LANES - 1) / RT_LANES;
        float *scores = args->scores + (at - base);
        if (s.k_panels.f32 != NULL)
            scores_of(mr, args->e, q, args->ldq, s.k_panels.f32, first, last, scores, ld);
        else
            scores_of_half(mr, args->e, q, args->ldq, s.k_panels.half, first, last, scores, ld);
        at = s.last;
    }
}

/* Sums over the same keys, of which those up to `shared` - 1 are seen by every row and each row sees one more. */
static void forward_sums(const rt_attention_rows *args, int mr, int64_t base, int64_t shared, int64_t keys,
                         float *out) {
    const int64_t ld = args->ld_scores;
    for (int64_t at = base; at < keys;) {
        const stretch s = stretch_of(args, at, keys);
        const reach by = {
            .shared = (s.last < shared ? s.last : shared) - at, .triangle = s.last > shared, .fresh = at == base};
        const float *weights = args->scores + (at - base);
        const int64_t value = (at - s.origin) * args->ldv;
        if (s.v.f32 != NULL)
            key_sum(mr, args->e, weights, ld, s.v.f32 + value, args->ldv, by, out, args->ldout);
        else
            key_sum_half(mr, args->e, weights, ld, s.v.half + value, args->ldv, by, out, args->ldout);
        at = s.last;
    }
}

/* Scores are kept from the panel on that holds the first key of the tile's first row. A weight of 0 before a row's own
 * first key leaves its chains at the 0 that they start from. */
static void forward(const rt_attention_rows *args) {
    for (int64_t r0 = 0; r0 < args->rows;) {
        const int64_t position = args->first + r0 * args->step, ld = args->ld_scores;
        const int mr = forward_rows(args, args->rows - r0, position);
        const int64_t keys = position + 1 + (mr - 1) * args->step;
        const int64_t low_key = rt_attention_low(position, args->window), base = low_key - low_key % RT_LANES;
        float l[RT_ATTENTION_ROWS], *out = args->out + r0 * args->ldout;
        forward_scores(args, mr, args->q + r0 * args->ldq, base, keys);
        for (int r = 0; r < mr; r++) {
            int64_t own = position + r * args->step, low = rt_attention_low(own, args->window);
            float m = row_softmax(args->scores + r * ld, low - base, own + 1 - base, args->scale, &l[r]);
            if (args->lse != NULL) args->lse[(r0 + r) * args->ldlse] = m + rt_logf(l[r]);
        }
        forward_sums(args, mr, base, position + 1, keys, out);
        for (int r = 0; r < mr; r++) divide_row(out + r * args->ldout, args->e, l[r]);
        r0 += mr;
    }
}

/* ---- backward --------------------------------------------------------------------------------------------------- */

/* In place over the keys low .. n-1 of a row: weights <- p = exp(s - lse), dscores <- dS = p (dP - D) scale; both 0
 * before `low`. */
static void row_gradients(float *weights, float *dscores, int64_t low, int64_t n, float scale, float lse, float d) {
    rt_v16 factor = rt_v16_set(scale), offset = rt_v16_set(lse), mean = rt_v16_set(d);
    for (int64_t j = low - low % RT_LANES; j < n; j += RT_LANES) {
        rt_v16 p = rt_v16_exp(rt_v16_sub(rt_v16_mul(rt_v16_load(weights + j), factor), offset));
        rt_v16 ds = rt_v16_mul(rt_v16_mul(p, rt_v16_sub(rt_v16_load(dscores + j), mean)), factor);
        rt_v16_store(weights + j, p);
        rt_v16_store(dscores + j, ds);
    }
    for (int64_t j = 0; j < low; j++) weights[j] = dscores[j] = 0.0f;
}

/* Key r of the tile is seen by the queries from k = `from` + r on when triangle, from `from` on otherwise. */
RT_INLINE void query_sum_vectors(int mr, int nv, const operands *o, int64_t from, int64_t to, bool triangle, float *c,
                                 int64_t ldc) {
    tile t;
    tile_load(&t, mr, nv, c, ldc, o->width);
    if (triangle) {
#pragma GCC unroll 12
        for (int r = 1; r < mr; r++) extend_step(&t, 0, r, nv, o, from++);
    }
    extend(&t, mr, nv, o, from, to);
    tile_store(&t, mr, nv, c, ldc, o->width);
}

/* c[key][e] continues its chain over queries k: weights[k][key], rows[k][e]. */
RT_INLINE void query_sum_rows(int mr, int64_t e, const float *weights, const float *rows, int64_t ld, int64_t from,
                              int64_t to, bool triangle, float *c, int64_t ldc) {
    operands o = {.a = weights, .row = 1, .step = RT_KEY_BLOCK, .ld = ld, .vector = RT_LANES, .width = RT_LANES};
    int64_t at = 0;
    for (; at + NV * RT_LANES <= e; at += NV * RT_LANES) {
        o.b = (rt_kv_source){.f32 = rows + at};
        query_sum_vectors(mr, NV, &o, from, to, triangle, c + at, ldc);
    }
    for (; at + RT_LANES <= e; at += RT_LANES) {
        o.b = (rt_kv_source){.f32 = rows + at};
        query_sum_vectors(mr, 1, &o, from, to, triangle, c + at, ldc);
    }
    if (at < e) {
        o.b = (rt_kv_source){.f32 = rows + at};
        o.width = e - at;
        query_sum_vectors(mr, 1, &o, from, to, triangle, c + at, ldc);
    }
}

static void query_sum(int mr, int64_t e, const float *weights, const float *rows, int64_t ld, int64_t from, int64_t to,
                      bool triangle, float *c, int64_t ldc) {
#define CALL(count) query_sum_rows(count, e, weights, rows, ld, from, to, triangle, c, ldc)
    WITH_ROWS(mr, CALL)
#undef CALL
}

static int64_t clip(int64_t x, int64_t low, int64_t high) {
    return x < low ? low : x > high ? high : x;
}

/* weights and dscores of the block: row i - i0, key j - j0; keys above the diagonal hold no numbers of use, those
 * before a row's window 0. */
static void block_gradients(const rt_attention_grads *args, int64_t i0, int64_t i1, int64_t j0, int64_t j1) {
    int64_t ldq = args->ldq, e = args->e;
    for (int64_t i = i0; i < i1;) {
        int mr = tile_rows(i1 - i, RT_ATTENTION_ROWS);
        int64_t end = i + mr < j1 ? i + mr : j1; /* one past the last key of the tile's last row */
        if (end > j0) {
            int64_t first = j0 / RT_LANES, last = (end + RT_LANES - 1) / RT_LANES;
            float *weights = args->weights + (i - i0) * RT_KEY_BLOCK,
                  *dscores = args->dscores + (i - i0) * RT_KEY_BLOCK;
            scores_of(mr, e, args->q + i * ldq, ldq, args->k_panels, first, last, weights, RT_KEY_BLOCK);
            scores_of(mr, e, args->dout + i * ldq, ldq, args->v_panels, first, last, dscores, RT_KEY_BLOCK);
            for (int r = 0; r < mr; r++) {
                int64_t n = (i + r + 1 < j1 ? i + r + 1 : j1) - j0;
                int64_t low = clip(rt_attention_low(i + r, args->window) - j0, 0, n);
                row_gradients(weights + r * RT_KEY_BLOCK, dscores + r * RT_KEY_BLOCK, low, n, args->scale,
                              args->lse[(i + r) * args->ldlse], args->d[i + r]);
            }
        }
        i += mr;
    }
}

static void block_query_gradients(const rt_attention_grads *args, int64_t i0, int64_t i1, int64_t j0, int64_t j1) {
    for (int64_t i = i0; i < i1;) {
        int mr = tile_rows(i1 - i, RT_ATTENTION_ROWS);
        bool triangle = i + 1 < j1;
        int64_t shared = (triangle ? i + 1 : j1) - j0;
        int64_t low = clip(rt_attention_low(i, args->window) - j0, 0, shared); /* what no row of the tile sees */
        reach by = {.shared = shared - low, .triangle = triangle, .fresh = args->start_dq};
        if (i + mr > j0)
            key_sum(mr, args->e, args->dscores + (i - i0) * RT_KEY_BLOCK + low, RT_KEY_BLOCK,
                    args->k + (j0 + low) * args->ldk, args->ldk, by, args->dq + i * args->ldq, args->ldq);
        i += mr;
    }
}

/* dv and dk of the mr keys from j on continue over the queries from .. to-1 of the block. */
static void extend_keys(const rt_attention_grads *args, int mr, int64_t i0, int64_t j0, int64_t j, int64_t from,
                        int64_t to, bool triangle) {
    int64_t ldq = args->ldq, ldk = args->ldk;
    const float *weights = args->weights + j - j0, *dscores = args->dscores + j - j0;
    if (from >= to) return;
    query_sum(mr, args->e, weights, args->dout + i0 * ldq, ldq, from, to, triangle, args->dv + j * ldk, ldk);
    query_sum(mr, args->e, dscores, args->q + i0 * ldq, ldq, from, to, triangle, args->dk + j * ldk, ldk);
}

/* A key's chains must end where its window ends: a further product of 0 could turn -0 into 0. So a tile runs as far as
 * its first key is seen, and the few queries that later keys of it meet beyond are added key by key. */
static void block_key_gradients(const rt_attention_grads *args, int64_t i0, int64_t i1, int64_t j0, int64_t j1) {
    int64_t last = j1 < i1 ? j1 : i1; /* later keys are seen by no query of the block */
    for (int64_t j = j0; j < last;) {
        int mr = tile_rows(last - j, RT_ATTENTION_ROWS);
        if (mr > args->window) mr = 1;
        bool triangle = j >= i0;
        int64_t end = args->window < i1 - j ? j + args->window : i1; /* one past the last query that sees key j */
        extend_keys(args, mr, i0, j0, j, triangle ? j - i0 : 0, end - i0, triangle);
        for (int r = 1; r < mr && end < i1; r++)
            extend_keys(args, 1, i0, j0, j + r, clip(end, i0, i1) - i0, clip(end + r, i0, i1) - i0, false);
        j += mr;
    }
}

static void backward(const rt_attention_grads *args, int64_t i0, int64_t i1, int64_t j0, int64_t j1) {
    block_gradients(args, i0, i1, j0, j1);
    if (args->dq != NULL) block_query_gradients(args, i0, i1, j0, j1);
    if (args->dk != NULL) block_key_gradients(args, i0, i1, j0, j1);
}

static float dot(int64_t n, const float *a, const float *b) {
    rt_v16 sum = rt_v16_set(0.0f);
    for (int64_t j = 0; j < n; j += RT_LANES)
        sum = rt_v16_fma(rt_v16_load_upto(a + j, n - j), rt_v16_load_upto(b + j, n - j), sum);
    return rt_v16_sum(sum);
}

const struct rt_attention_kernels RT_KERNEL_TABLE(attention) = {.forward = forward, .backward = backward, .dot = dot};
