/* Register tiles of the matrix products.
 *
 * A tile holds rows x (16 * panels) chains in registers and walks k once: one load of each panel's row, one broadcast
 * of each a element, one fused multiply-add a chain. Vectors lie across output columns, never across k, so each lane
 * performs exactly the scalar chain of compute.h. The shapes fill the register file without spilling: AVX-512 has 32
 * registers, AVX2 16, and few rows take more panels so that at least 8 chains hide the latency of the addition.
 */
#include <math.h>
#include <string.h>

#include "compute/bf16.h"
#include "compute/gemm.h"
#include "compute/kernels_gemm.h"

#if RT_KERNEL_LEVEL > 0
#include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))

#if RT_KERNEL_LEVEL > 0
/* A bfloat16 is the upper half of its float. */
INLINE __m256 load8_half(const uint16_t *p) {
    __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}
#endif

#if RT_KERNEL_LEVEL == 2
typedef __m512 vec;
enum { VEC = 16, ROWS_MAX = 12, PANELS = 2 };
#define PANELS_OF(rows) ((rows) == 1 ? 8 : (rows) <= 6 ? 4 : 2)
#define FMA(a, b, c)    _mm512_fmadd_ps((a), (b), (c))
#define LOAD(p)         _mm512_loadu_ps(p)
#define LOAD_HALF(p)                                                                                                   \
    _mm512_castsi512_ps(                                                                                               \
        _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)(p))), 16))
#define STORE(p, v) _mm512_storeu_ps((p), (v))
#define SPLAT(x)    _mm512_set1_ps(x)
#elif RT_KERNEL_LEVEL == 1
typedef __m256 vec;
enum { VEC = 8, ROWS_MAX = 6, PANELS = 1 };
#define PANELS_OF(rows) ((rows) == 1 ? 4 : (rows) == 2 ? 2 : 1)
#define FMA(a, b, c)    _mm256_fmadd_ps((a), (b), (c))
#define LOAD(p)         _mm256_loadu_ps(p)
#define LOAD_HALF(p)    load8_half(p)
#define STORE(p, v)     _mm256_storeu_ps((p), (v))
#define SPLAT(x)        _mm256_set1_ps(x)
#else
typedef float vec;
enum { VEC = 1, ROWS_MAX = 4, PANELS = 1 };
#define PANELS_OF(rows) 1
#define FMA(a, b, c)    fmaf((a), (b), (c))
#define LOAD(p)         (*(p))
#define LOAD_HALF(p)    rt_float_of_bf16(*(p))
#define STORE(p, v)     (*(p) = (v))
#define SPLAT(x)        (x)
#endif
enum { VECS = RT_PANEL / VEC, VECS_MAX = PANELS_OF(1) * VECS };

#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* Panels of B: float, or bfloat16 where `half`. */
typedef union panels_of {
    const float *f32;
    const uint16_t *half;
} panels_of;

INLINE panels_of panels_at(panels_of b, const bool half, int64_t offset) {
    return half ? (panels_of){.half = b.half + offset} : (panels_of){.f32 = b.f32 + offset};
}

/* rows, panels, packed and half are constants wherever this is inlined, so that acc lives in registers. */
INLINE void tile(const int rows, const int panels, const bool packed, const bool half, int64_t k, const float *a,
                 int64_t stride, panels_of b, int64_t panel_stride, float *c, int64_t ldc, bool accumulate) {
    vec acc[ROWS_MAX][VECS_MAX];
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int v = 0; v < panels * VECS; v++) acc[i][v] = SPLAT(0.0f);
    }
    if (accumulate) {
        UNROLL for (int i = 0; i < rows; i++) {
            UNROLL for (int v = 0; v < panels * VECS; v++) acc[i][v] = LOAD(c + i * ldc + v * VEC);
        }
    }
    if (rows > 2) { /* the next tile of this row waits for c meanwhile; past the end a prefetch does nothing */
        UNROLL for (int i = 0; i < rows; i++) {
            UNROLL for (int v = 0; v < panels; v++) __builtin_prefetch(c + i * ldc + (panels + v) * RT_PANEL, 1, 3);
        }
    }
    for (int64_t p = 0; p < k; p++) {
        vec bv[VECS_MAX];
        UNROLL for (int v = 0; v < panels * VECS; v++) {
            const int64_t at = p * RT_PANEL + (v / VECS) * panel_stride + (v % VECS) * VEC;
            bv[v] = half ? LOAD_HALF(b.half + at) : LOAD(b.f32 + at);
        }
        UNROLL for (int i = 0; i < rows; i++) {
            vec av = SPLAT(packed ? a[i] : a[i * stride]);
            UNROLL for (int v = 0; v < panels * VECS; v++) acc[i][v] = FMA(av, bv[v], acc[i][v]);
        }
        a += packed ? ROWS_MAX : 1;
    }
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int v = 0; v < panels * VECS; v++) STORE(c + i * ldc + v * VEC, acc[i][v]);
    }
}

/* The last panel when n is no multiple of 16: computed in full beside c, so that columns past n are never stored. */
INLINE void ragged_tile(const int rows, const bool packed, const bool half, int64_t columns, int64_t k, const float *a,
                        int64_t stride, panels_of b, float *c, int64_t ldc, bool accumulate) {
    _Alignas(64) float beside[ROWS_MAX * RT_PANEL] = {0};
    if (accumulate) {
        for (int i = 0; i < rows; i++) memcpy(beside + i * RT_PANEL, c + i * ldc, (size_t)columns * sizeof(float));
    }
    tile(rows, 1, packed, half, k, a, stride, b, 0, beside, RT_PANEL, accumulate);
    for (int i = 0; i < rows; i++) memcpy(c + i * ldc, beside + i * RT_PANEL, (size_t)columns * sizeof(float));
}

INLINE void row_of_tiles(const int rows, const bool packed, const bool half, int64_t n, int64_t k, const float *a,
                         int64_t stride, panels_of b, int64_t panel_stride, float *c, int64_t ldc, bool accumulate) {
#define WIDTH(width)                                                                                                   \
    for (; PANELS_OF(rows) >= (width) && n >= (width)*RT_PANEL; n -= (width)*RT_PANEL) {                               \
        tile(rows, width, packed, half, k, a, stride, b, panel_stride, c, ldc, accumulate);                            \
        b = panels_at(b, half, (width)*panel_stride);                                                                  \
        c += (width)*RT_PANEL;                                                                                         \
    }
    WIDTH(8)
    WIDTH(4)
    WIDTH(2)
    WIDTH(1)
#undef WIDTH
    if (n > 0) ragged_tile(rows, packed, half, n, k, a, stride, b, c, ldc, accumulate);
}

/* One function a row count and form of A: the compiler sees every shape as constants. */
#define ROWS_1_4(X) X(1) X(2) X(3) X(4)
#if RT_KERNEL_LEVEL == 2
#define ROWS(X) ROWS_1_4(X) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12)
#elif RT_KERNEL_LEVEL == 1
#define ROWS(X) ROWS_1_4(X) X(5) X(6)
#else
#define ROWS(X) ROWS_1_4(X)
#endif

typedef void row_function(int64_t n, int64_t k, const float *a, int64_t stride, const float *b, int64_t panel_stride,
                          float *c, int64_t ldc, bool accumulate);

#define DEFINE_ROWS(rows)                                                                                              \
    static void direct_##rows(int64_t n, int64_t k, const float *a, int64_t stride, const float *b,                    \
                              int64_t panel_stride, float *c, int64_t ldc, bool accumulate) {                          \
        row_of_tiles(rows, false, false, n, k, a, stride, (panels_of){.f32 = b}, panel_stride, c, ldc, accumulate);    \
    }                                                                                                                  \
    static void packed_##rows(int64_t n, int64_t k, const float *a, int64_t stride, const float *b,                    \
                              int64_t panel_stride, float *c, int64_t ldc, bool accumulate) {                          \
        row_of_tiles(rows, true, false, n, k, a, stride, (panels_of){.f32 = b}, panel_stride, c, ldc, accumulate);     \
    }
ROWS(DEFINE_ROWS)

static row_function *const functions[2][ROWS_MAX + 1] = {
#define DIRECT(rows) [rows] = direct_##rows,
#define PACKED(rows) [rows] = packed_##rows,
    {ROWS(DIRECT)}, {ROWS(PACKED)}};

static void tile_row(int rows, int64_t n, int64_t k, const rt_gemm_a *a, const float *b, int64_t panel_stride, float *c,
                     int64_t ldc, bool accumulate) {
    functions[a->packed][rows](n, k, a->data, a->stride, b, panel_stride, c, ldc, accumulate);
}

typedef void half_function(int64_t n, int64_t k, const float *a, int64_t stride, const uint16_t *b,
                           int64_t panel_stride, float *c, int64_t ldc, bool accumulate);

#define DEFINE_HALF(rows)                                                                                              \
    static void half_##rows(int64_t n, int64_t k, const float *a, int64_t stride, const uint16_t *b,                   \
                            int64_t panel_stride, float *c, int64_t ldc, bool accumulate) {                            \
        row_of_tiles(rows, false, true, n, k, a, stride, (panels_of){.half = b}, panel_stride, c, ldc, accumulate);    \
    }
ROWS(DEFINE_HALF)

static half_function *const half_functions[ROWS_MAX + 1] = {
#define HALF(rows) [rows] = half_##rows,
    ROWS(HALF)};

static void tile_row_half(int rows, int64_t n, int64_t k, const rt_gemm_a *a, const uint16_t *b, int64_t panel_stride,
                          float *c, int64_t ldc, bool accumulate) {
    half_functions[rows](n, k, a->data, a->stride, b, panel_stride, c, ldc, accumulate);
}

/* Both packings of rows walk b row by row, as memory prefetchers expect. */
static void pack_b(int64_t n, int64_t k, const float *b, int64_t ldb, float *out, int64_t panel_stride) {
    int64_t full = n / RT_PANEL, rest = n % RT_PANEL;
    if (rest > 0) memset(out + full * panel_stride, 0, (size_t)k * RT_PANEL * sizeof(float));
    for (int64_t p = 0; p < k; p++, b += ldb, out += RT_PANEL) {
        for (int64_t j = 0; j < full; j++) {
            UNROLL for (int v = 0; v < VECS; v++) {
                STORE(out + j * panel_stride + v * VEC, LOAD(b + j * RT_PANEL + v * VEC));
            }
        }
        if (rest > 0) memcpy(out + full * panel_stride, b + full * RT_PANEL, (size_t)rest * sizeof(float));
    }
}

static void pack_b_half(int64_t n, int64_t k, const uint16_t *b, int64_t ldb, float *out, int64_t panel_stride) {
    int64_t full = n / RT_PANEL, rest = n % RT_PANEL;
    if (rest > 0) memset(out + full * panel_stride, 0, (size_t)k * RT_PANEL * sizeof(float));
    for (int64_t p = 0; p < k; p++, b += ldb, out += RT_PANEL) {
        for (int64_t j = 0; j < full; j++) {
            UNROLL for (int v = 0; v < VECS; v++) {
                STORE(out + j * panel_stride + v * VEC, LOAD_HALF(b + j * RT_PANEL + v * VEC));
            }
        }
        for (int64_t i = 0; i < rest; i++) out[full * panel_stride + i] = rt_float_of_bf16(b[full * RT_PANEL + i]);
    }
}

static void widen_panels(int64_t panels, int64_t k, const uint16_t *in, int64_t in_stride, float *out,
                         int64_t panel_stride) {
    for (int64_t j = 0; j < panels; j++) {
        const uint16_t *from = in + j * in_stride;
        float *to = out + j * panel_stride;
        for (int64_t at = 0; at < k * RT_PANEL; at += VEC) STORE(to + at, LOAD_HALF(from + at));
    }
}

/* out[q * RT_PANEL + i] = w[i * ldw + q] for i, q < 8. */
#if RT_KERNEL_LEVEL > 0
INLINE void transpose8(__m256 row[8], float *out) {
    __m256 pair[8], quad[8];
    UNROLL for (int i = 0; i < 8; i += 2) {
        pair[i] = _mm256_unpacklo_ps(row[i], row[i + 1]);
        pair[i + 1] = _mm256_unpackhi_ps(row[i], row[i + 1]);
    }
    UNROLL for (int i = 0; i < 8; i += 4) {
        quad[i] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0x44);
        quad[i + 1] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0xee);
        quad[i + 2] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0x44);
        quad[i + 3] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0xee);
    }
    UNROLL for (int i = 0; i < 4; i++) {
        _mm256_storeu_ps(out + i * RT_PANEL, _mm256_permute2f128_ps(quad[i], quad[i + 4], 0x20));
        _mm256_storeu_ps(out + (i + 4) * RT_PANEL, _mm256_permute2f128_ps(quad[i], quad[i + 4], 0x31));
    }
}
INLINE void transpose_f32(const float *w, int64_t ldw, float *out) {
    __m256 row[8];
    UNROLL for (int i = 0; i < 8; i++) row[i] = _mm256_loadu_ps(w + i * ldw);
    transpose8(row, out);
}
INLINE void transpose_half(const uint16_t *w, int64_t ldw, float *out) {
    __m256 row[8];
    UNROLL for (int i = 0; i < 8; i++) row[i] = load8_half(w + i * ldw);
    transpose8(row, out);
}
#else
INLINE void transpose_f32(const float *w, int64_t ldw, float *out) {
    for (int i = 0; i < 8; i++) {
        for (int q = 0; q < 8; q++) out[q * RT_PANEL + i] = w[i * ldw + q];
    }
}
INLINE void transpose_half(const uint16_t *w, int64_t ldw, float *out) {
    for (int i = 0; i < 8; i++) {
        for (int q = 0; q < 8; q++) out[q * RT_PANEL + i] = rt_float_of_bf16(w[i * ldw + q]);
    }
}
#endif

#define DEFINE_PACK_BT(name, type, transpose, value)                                                                   \
    static void name(int64_t n, int64_t k, const type *w, int64_t ldw, float *out, int64_t panel_stride) {             \
        for (int64_t j = 0; j < n; j += RT_PANEL, w += RT_PANEL * ldw, out += panel_stride) {                          \
            int64_t width = n - j < RT_PANEL ? n - j : RT_PANEL;                                                       \
            int64_t done = 0;                                                                                          \
            if (width == RT_PANEL) {                                                                                   \
                for (; done + 8 <= k; done += 8) {                                                                     \
                    transpose(w + done, ldw, out + done * RT_PANEL);                                                   \
                    transpose(w + done + 8 * ldw, ldw, out + done * RT_PANEL + 8);                                     \
                }                                                                                                      \
            } else {                                                                                                   \
                memset(out, 0, (size_t)k *RT_PANEL * sizeof(float));                                                   \
            }                                                                                                          \
            for (int64_t p = done; p < k; p++) {                                                                       \
                for (int64_t i = 0; i < width; i++) out[p * RT_PANEL + i] = value(w[i * ldw + p]);                     \
            }                                                                                                          \
        }                                                                                                              \
    }
#define AS_IT_IS(x) (x)
DEFINE_PACK_BT(pack_bt, float, transpose_f32, AS_IT_IS)
DEFINE_PACK_BT(pack_bt_half, uint16_t, transpose_half, rt_float_of_bf16)

static void pack_a(int64_t m, int64_t k, const float *a, int64_t lda, float *out, int64_t block_stride) {
    int64_t full = m / ROWS_MAX, rest = m % ROWS_MAX;
    for (int64_t p = 0; p < k; p++, a += lda, out += ROWS_MAX) {
        for (int64_t i = 0; i < full; i++) memcpy(out + i * block_stride, a + i * ROWS_MAX, ROWS_MAX * sizeof(float));
        if (rest > 0) memcpy(out + full * block_stride, a + full * ROWS_MAX, (size_t)rest * sizeof(float));
    }
}

const rt_gemm_kernels RT_KERNEL_TABLE(gemm) = {.rows_max = ROWS_MAX,
                                               .panels = PANELS,
                                               .tile_row = tile_row,
                                               .pack_b = pack_b,
                                               .pack_bt = pack_bt,
                                               .tile_row_half = tile_row_half,
                                               .pack_b_half = pack_b_half,
                                               .pack_bt_half = pack_bt_half,
                                               .widen_panels = widen_panels,
                                               .pack_a = pack_a};
