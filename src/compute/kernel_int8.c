/* Products with int8 panels where they lie, and the ways between floats and int8 (compute.h has the definition).
 *
 * A weight becomes a float in three steps of a register each: int8 to int32, to float (both exact), times its group's
 * scale (one rounding). Vectors lie across output columns, so that each lane is the scalar chain.
 */
#include <string.h>

#include "compute/kernels_int8.h"
#include "compute/simd.h"

#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

#define ROWS_1_4(X) X(1) X(2) X(3) X(4)
#if RT_KERNEL_LEVEL == 2
enum { ROWS_MAX = 12 };
#define PANELS_OF(rows) ((rows) == 1 ? 8 : (rows) <= 4 ? 4 : 2)
#define ROWS(X)         ROWS_1_4(X) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12)
#elif RT_KERNEL_LEVEL == 1
enum { ROWS_MAX = 6 };
#define PANELS_OF(rows) ((rows) == 1 ? 3 : (rows) == 2 ? 2 : 1)
#define ROWS(X)         ROWS_1_4(X) X(5) X(6)
#else
enum { ROWS_MAX = 4 };
#define PANELS_OF(rows) 1
#define ROWS(X)         ROWS_1_4(X)
#endif
enum { PANELS_MAX = PANELS_OF(1) };

/* The sixteen weights of a position; `block` begins with their scales. */
RT_INLINE rt_v16 weights_at(const unsigned char *block, int64_t position) {
    const unsigned char *q = block + RT_INT8_SCALE_BYTES + position * RT_PANEL;
    return rt_v16_mul(rt_v16_load((const float *)(const void *)block), rt_v16_load_int8((const int8_t *)q));
}

/* rows and panels are constants wherever this is inlined, so that acc lives in registers. */
RT_INLINE void tile(const int rows, const int panels, int64_t k, const float *a, int64_t lda, const unsigned char *b,
                    int64_t panel_bytes, float *c, int64_t ldc, bool accumulate) {
    rt_v16 acc[ROWS_MAX][PANELS_MAX];
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int v = 0; v < panels; v++) {
            acc[i][v] = accumulate ? rt_v16_load(c + i * ldc + v * RT_PANEL) : rt_v16_set(0.0F);
        }
    }
    for (int64_t p = 0; p < k; p += RT_INT8_GROUP) {
        const int64_t count = k - p < RT_INT8_GROUP ? k - p : RT_INT8_GROUP;
        for (int64_t at = 0; at < count; at++) {
            rt_v16 w[PANELS_MAX];
            UNROLL for (int v = 0; v < panels; v++) w[v] = weights_at(b + v * panel_bytes, at);
            UNROLL for (int i = 0; i < rows; i++) {
                const rt_v16 x = rt_v16_set(a[i * lda + p + at]);
                UNROLL for (int v = 0; v < panels; v++) acc[i][v] = rt_v16_fma(x, w[v], acc[i][v]);
            }
        }
        b += RT_INT8_SCALE_BYTES + count * RT_PANEL;
    }
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int v = 0; v < panels; v++) rt_v16_store(c + i * ldc + v * RT_PANEL, acc[i][v]);
    }
}

/* The last panel when n is no multiple of 16: computed in full beside c, so that columns past n are never stored. */
RT_INLINE void ragged_tile(const int rows, int64_t columns, int64_t k, const float *a, int64_t lda,
                           const unsigned char *b, float *c, int64_t ldc, bool accumulate) {
    float beside[ROWS_MAX * RT_PANEL] = {0};
    for (int i = 0; i < rows && accumulate; i++)
        memcpy(beside + i * RT_PANEL, c + i * ldc, (size_t)columns * sizeof(float));
    tile(rows, 1, k, a, lda, b, 0, beside, RT_PANEL, accumulate);
    for (int i = 0; i < rows; i++) memcpy(c + i * ldc, beside + i * RT_PANEL, (size_t)columns * sizeof(float));
}

RT_INLINE void row_of_tiles(const int rows, int64_t n, int64_t k, const float *a, int64_t lda, const unsigned char *b,
                            float *c, int64_t ldc, bool accumulate) {
    const int64_t panel_bytes = rt_int8_panel_at(k);
#define WIDTH(width)                                                                                                   \
    for (; PANELS_OF(rows) >= (width) && n >= (width)*RT_PANEL; n -= (width)*RT_PANEL) {                               \
        tile(rows, width, k, a, lda, b, panel_bytes, c, ldc, accumulate);                                              \
        b += (width)*panel_bytes;                                                                                      \
        c += (width)*RT_PANEL;                                                                                         \
    }
    WIDTH(8)
    WIDTH(4)
    WIDTH(3)
    WIDTH(2)
    WIDTH(1)
#undef WIDTH
    if (n > 0) ragged_tile(rows, n, k, a, lda, b, c, ldc, accumulate);
}

#define DEFINE_ROWS(rows)                                                                                              \
    static void rows_##rows(int64_t n, int64_t k, const float *a, int64_t lda, const unsigned char *b, float *c,       \
                            int64_t ldc, bool accumulate) {                                                            \
        row_of_tiles(rows, n, k, a, lda, b, c, ldc, accumulate);                                                       \
    }
ROWS(DEFINE_ROWS)

static void tile_row(int rows, int64_t n, int64_t k, const float *a, int64_t lda, const unsigned char *panels, float *c,
                     int64_t ldc, bool accumulate) {
    static void (*const functions[ROWS_MAX + 1])(int64_t, int64_t, const float *, int64_t, const unsigned char *,
                                                 float *, int64_t, bool) = {
#define FUNCTION(rows) [rows] = rows_##rows,
        ROWS(FUNCTION)};
    functions[rows](n, k, a, lda, panels, c, ldc, accumulate);
}

static void widen_panels(int64_t count, int64_t p, int64_t k, const unsigned char *panels, int64_t panel_bytes,
                         float *out, int64_t panel_stride) {
    for (int64_t j = 0; j < count; j++, panels += panel_bytes, out += panel_stride) {
        for (int64_t at = p; at < p + k; at++) {
            const unsigned char *block = panels + rt_int8_panel_at(at / RT_INT8_GROUP * RT_INT8_GROUP);
            rt_v16_store(out + (at - p) * RT_PANEL, weights_at(block, at % RT_INT8_GROUP));
        }
    }
}

static void decode(int64_t first, int64_t n, const int8_t *q, const float *scale, float *out) {
    int64_t at = first;
    const int64_t end = first + n;
    while (at < end) {
        const int64_t group = at / RT_INT8_GROUP, left = (group + 1) * RT_INT8_GROUP;
        const int64_t last = left < end ? left : end;
        const rt_v16 s = rt_v16_set(scale[group]);
        for (; at + RT_LANES <= last; at += RT_LANES)
            rt_v16_store(out + at - first, rt_v16_mul(s, rt_v16_load_int8(q + at)));
        for (; at < last; at++) out[at - first] = scale[group] * (float)q[at];
    }
}

static void encode_group(int64_t n, const float *x, int8_t *q, float *scale) {
    rt_v16 w[RT_INT8_GROUP / RT_LANES], most = rt_v16_set(0.0F);
    for (int v = 0; v < RT_INT8_GROUP / RT_LANES; v++) {
        const int64_t left = n - v * RT_LANES;
        w[v] = left > 0 ? rt_v16_load_upto(x + v * RT_LANES, left) : rt_v16_set(0.0F);
        most = rt_v16_max(most, rt_v16_max(w[v], rt_v16_sub(rt_v16_set(0.0F), w[v])));
    }
    *scale = rt_v16_highest(most) / 127.0F;
    memset(q, 0, (size_t)n);
    if (*scale == 0.0F) return;
    int8_t rounded[RT_INT8_GROUP];
    for (int v = 0; v < RT_INT8_GROUP / RT_LANES; v++) {
        rt_v16 y = rt_v16_rint(rt_v16_div(w[v], rt_v16_set(*scale)));
        y = rt_v16_max(rt_v16_set(-127.0F), rt_v16_min(rt_v16_set(127.0F), y));
        rt_v16_store_int8(rounded + v * RT_LANES, y);
    }
    memcpy(q, rounded, (size_t)n);
}

static void encode(int64_t n, const float *x, int8_t *q, float *scale) {
    for (int64_t at = 0; at < n; at += RT_INT8_GROUP)
        encode_group(n - at < RT_INT8_GROUP ? n - at : RT_INT8_GROUP, x + at, q + at, scale + at / RT_INT8_GROUP);
}

/* out[p * 16 + i] = q[i * k + p] for i, p < 16. */
#if RT_KERNEL_LEVEL > 0
RT_INLINE void transpose16(const int8_t *q, int64_t k, unsigned char *out) {
    __m128i from[RT_PANEL], to[RT_PANEL];
    UNROLL for (int i = 0; i < RT_PANEL; i++) from[i] = _mm_loadu_si128((const __m128i *)(const void *)(q + i * k));
    /* Four times row i is interleaved with row i + 8: each turns the 8 bits of a byte's index by one. */
    UNROLL for (int round = 0; round < 4; round++) {
        UNROLL for (int i = 0; i < RT_PANEL / 2; i++) {
            to[2 * i] = _mm_unpacklo_epi8(from[i], from[i + RT_PANEL / 2]);
            to[2 * i + 1] = _mm_unpackhi_epi8(from[i], from[i + RT_PANEL / 2]);
        }
        UNROLL for (int i = 0; i < RT_PANEL; i++) from[i] = to[i];
    }
    UNROLL for (int i = 0; i < RT_PANEL; i++) _mm_storeu_si128((__m128i *)(void *)(out + i * RT_PANEL), from[i]);
}
#else
RT_INLINE void transpose16(const int8_t *q, int64_t k, unsigned char *out) {
    for (int64_t i = 0; i < RT_PANEL; i++)
        for (int64_t p = 0; p < RT_PANEL; p++) out[p * RT_PANEL + i] = (unsigned char)q[i * k + p];
}
#endif

static void pack(int64_t width, int64_t k, const int8_t *q, const float *scale, unsigned char *panel) {
    const int64_t groups = rt_int8_groups(k);
    for (int64_t g = 0; g < groups; g++) {
        const int64_t first = g * RT_INT8_GROUP, count = k - first < RT_INT8_GROUP ? k - first : RT_INT8_GROUP;
        float scales[RT_PANEL] = {0};
        for (int64_t i = 0; i < width; i++) scales[i] = scale[i * groups + g];
        memcpy(panel, scales, sizeof scales);
        panel += sizeof scales;
        int64_t p = 0;
        for (; width == RT_PANEL && p + RT_PANEL <= count; p += RT_PANEL)
            transpose16(q + first + p, k, panel + p * RT_PANEL);
        for (; p < count; p++) {
            for (int64_t i = 0; i < RT_PANEL; i++)
                panel[p * RT_PANEL + i] = i < width ? (unsigned char)q[i * k + first + p] : 0;
        }
        panel += count * RT_PANEL;
    }
}

const rt_int8_kernels RT_KERNEL_TABLE(int8) = {.rows_max = ROWS_MAX,
                                               .tile_row = tile_row,
                                               .widen_panels = widen_panels,
                                               .decode = decode,
                                               .encode = encode,
                                               .pack = pack};
