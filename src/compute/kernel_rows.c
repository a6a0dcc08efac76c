/* Elementwise and per-row kernels. */
#include "compute/kernels_rows.h"
#include "compute/simd_math.h"

static void add(int64_t n, const float *x, float *y) {
    for (int64_t i = 0; i < n; i += RT_LANES) {
        int64_t left = n - i;
        rt_v16_store_upto(y + i, left, rt_v16_add(rt_v16_load_upto(y + i, left), rt_v16_load_upto(x + i, left)));
    }
}

static void bias_add(int64_t rows, int64_t n, const float *bias, float *y, int64_t ldy) {
    for (int64_t t = 0; t < rows; t++) add(n, bias, y + t * ldy);
}

/* Columns are walked in blocks of COLUMN_VECTORS vectors, whose chains stay in registers over all rows. */
enum { COLUMN_VECTORS = 4, COLUMNS = COLUMN_VECTORS * RT_LANES };

static void column_sum(int64_t rows, int64_t n, const float *dy, int64_t ldy, float *dbias) {
    int64_t j = 0;
    for (; j + COLUMNS <= n; j += COLUMNS) {
        rt_v16 sum[COLUMN_VECTORS];
        for (int v = 0; v < COLUMN_VECTORS; v++) sum[v] = rt_v16_load(dbias + j + v * RT_LANES);
        for (int64_t t = 0; t < rows; t++) {
            const float *row = dy + t * ldy + j;
            for (int v = 0; v < COLUMN_VECTORS; v++) sum[v] = rt_v16_add(sum[v], rt_v16_load(row + v * RT_LANES));
        }
        for (int v = 0; v < COLUMN_VECTORS; v++) rt_v16_store(dbias + j + v * RT_LANES, sum[v]);
    }
    for (; j < n; j += RT_LANES) {
        rt_v16 sum = rt_v16_load_upto(dbias + j, n - j);
        for (int64_t t = 0; t < rows; t++) sum = rt_v16_add(sum, rt_v16_load_upto(dy + t * ldy + j, n - j));
        rt_v16_store_upto(dbias + j, n - j, sum);
    }
}

static void rmsnorm_forward(int64_t rows, int64_t d, const float *x, const float *w, float eps, float *y, float *rstd) {
    for (int64_t t = 0; t < rows; t++) {
        const float *row = x + t * d;
        rt_v16 squares = rt_v16_set(0.0f);
        for (int64_t j = 0; j < d; j += RT_LANES) {
            rt_v16 a = rt_v16_load_upto(row + j, d - j);
            squares = rt_v16_fma(a, a, squares);
        }
        float r = 1.0f / sqrtf(rt_v16_sum(squares) / (float)d + eps);
        rt_v16 scale = rt_v16_set(r);
        for (int64_t j = 0; j < d; j += RT_LANES) {
            rt_v16 a = rt_v16_mul(rt_v16_load_upto(row + j, d - j), scale);
            rt_v16_store_upto(y + t * d + j, d - j, rt_v16_mul(a, rt_v16_load_upto(w + j, d - j)));
        }
        if (rstd != NULL) rstd[t] = r;
    }
}

/* With n_j = x_j r, g_j = dy_j w_j and c = mean g_j n_j: dx_j = r (g_j - n_j c). */
static void rmsnorm_backward_x(int64_t rows, int64_t d, const float *x, const float *w, const float *rstd,
                               const float *dy, float *dx, bool accumulate) {
    for (int64_t t = 0; t < rows; t++) {
        const float *row = x + t * d, *grad = dy + t * d;
        rt_v16 r = rt_v16_set(rstd[t]), products = rt_v16_set(0.0f);
        for (int64_t j = 0; j < d; j += RT_LANES) {
            int64_t left = d - j;
            rt_v16 g = rt_v16_mul(rt_v16_load_upto(grad + j, left), rt_v16_load_upto(w + j, left));
            products = rt_v16_fma(g, rt_v16_mul(rt_v16_load_upto(row + j, left), r), products);
        }
        rt_v16 c = rt_v16_set(rt_v16_sum(products) / (float)d);
        for (int64_t j = 0; j < d; j += RT_LANES) {
            int64_t left = d - j;
            float *out = dx + t * d + j;
            rt_v16 g = rt_v16_mul(rt_v16_load_upto(grad + j, left), rt_v16_load_upto(w + j, left));
            rt_v16 n = rt_v16_mul(rt_v16_load_upto(row + j, left), r);
            rt_v16 y = rt_v16_mul(rt_v16_fnma(n, c, g), r);
            if (accumulate) y = rt_v16_add(rt_v16_load_upto(out, left), y);
            rt_v16_store_upto(out, left, y);
        }
    }
}

static void rmsnorm_backward_w(int64_t rows, int64_t n, int64_t d, const float *x, const float *rstd, const float *dy,
                               float *dw) {
    int64_t j = 0;
    for (; j + COLUMNS <= n; j += COLUMNS) {
        rt_v16 sum[COLUMN_VECTORS];
        for (int v = 0; v < COLUMN_VECTORS; v++) sum[v] = rt_v16_load(dw + j + v * RT_LANES);
        for (int64_t t = 0; t < rows; t++) {
            rt_v16 r = rt_v16_set(rstd[t]);
            for (int v = 0; v < COLUMN_VECTORS; v++) {
                int64_t at = t * d + j + v * RT_LANES;
                sum[v] = rt_v16_fma(rt_v16_load(dy + at), rt_v16_mul(rt_v16_load(x + at), r), sum[v]);
            }
        }
        for (int v = 0; v < COLUMN_VECTORS; v++) rt_v16_store(dw + j + v * RT_LANES, sum[v]);
    }
    for (; j < n; j += RT_LANES) {
        int64_t left = n - j;
        rt_v16 sum = rt_v16_load_upto(dw + j, left);
        for (int64_t t = 0; t < rows; t++) {
            rt_v16 normed = rt_v16_mul(rt_v16_load_upto(x + t * d + j, left), rt_v16_set(rstd[t]));
            sum = rt_v16_fma(rt_v16_load_upto(dy + t * d + j, left), normed, sum);
        }
        rt_v16_store_upto(dw + j, left, sum);
    }
}

RT_INLINE void rotate(int64_t left, rt_v16 cosine, rt_v16 sine, float *a, float *b) {
    rt_v16 x = rt_v16_load_upto(a, left), y = rt_v16_load_upto(b, left);
    rt_v16_store_upto(a, left, rt_v16_fma(x, cosine, rt_v16_negate(rt_v16_mul(y, sine))));
    rt_v16_store_upto(b, left, rt_v16_fma(y, cosine, rt_v16_mul(x, sine)));
}

static void rope(int64_t rows, int64_t heads, int64_t e, const int32_t *position, const float *table, bool inverse,
                 float *x, int64_t ldx) {
    int64_t half = e / 2;
    for (int64_t t = 0; t < rows; t++) {
        const float *cosines = table + position[t] * e, *sines = cosines + half;
        for (int64_t i = 0; i < half; i += RT_LANES) {
            int64_t left = half - i;
            rt_v16 c = rt_v16_load_upto(cosines + i, left), s = rt_v16_load_upto(sines + i, left);
            if (inverse) s = rt_v16_negate(s);
            float *first = x + t * ldx + i;
            for (int64_t head = 0; head < heads; head++) rotate(left, c, s, first + head * e, first + head * e + half);
        }
    }
}

static void swiglu_forward(int64_t n, const float *gate, const float *up, float *h) {
    for (int64_t i = 0; i < n; i += RT_LANES) {
        int64_t left = n - i;
        rt_v16 a = rt_v16_silu(rt_v16_load_upto(gate + i, left));
        rt_v16_store_upto(h + i, left, rt_v16_mul(a, rt_v16_load_upto(up + i, left)));
    }
}

/* With s = sigmoid(x): silu' = s (1 + x (1 - s)). */
static void swiglu_backward(int64_t n, const float *gate, const float *up, const float *dh, float *dgate, float *dup) {
    rt_v16 one = rt_v16_set(1.0f);
    for (int64_t i = 0; i < n; i += RT_LANES) {
        int64_t left = n - i;
        rt_v16 x = rt_v16_load_upto(gate + i, left), u = rt_v16_load_upto(up + i, left);
        rt_v16 g = rt_v16_load_upto(dh + i, left), s = rt_v16_sigmoid(x);
        rt_v16 slope = rt_v16_mul(s, rt_v16_fma(x, rt_v16_sub(one, s), one));
        rt_v16_store_upto(dgate + i, left, rt_v16_mul(rt_v16_mul(g, u), slope));
        rt_v16_store_upto(dup + i, left, rt_v16_mul(g, rt_v16_mul(x, s)));
    }
}

const struct rt_rows_kernels RT_KERNEL_TABLE(rows) = {
    .add = add,
    .bias_add = bias_add,
    .column_sum = column_sum,
    .rmsnorm_forward = rmsnorm_forward,
    .rmsnorm_backward_x = rmsnorm_backward_x,
    .rmsnorm_backward_w = rmsnorm_backward_w,
    .rope = rope,
    .swiglu_forward = swiglu_forward,
    .swiglu_backward = swiglu_backward,
};
