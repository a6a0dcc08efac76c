#include "oracle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compute/mathf.h"

/* ---- sums of a fixed order ---- */

static float tree(float s[16]) {
    for (int width = 8; width > 0; width /= 2)
        for (int j = 0; j < width; j++) s[j] = s[j] + s[j + width];
    return s[0];
}

float oracle_lanes(int64_t n, const float *a, const float *b) {
    float s[16] = {0};
    for (int64_t k = 0; k < n; k++) s[k % 16] = fmaf(a[k], b[k], s[k % 16]);
    return tree(s);
}

static float lanes_sum(int64_t n, const float *x) {
    float s[16] = {0};
    for (int64_t k = 0; k < n; k++) s[k % 16] = s[k % 16] + x[k];
    return tree(s);
}

static float chain(int64_t n, const float *a, const float *b) {
    float acc = 0;
    for (int64_t k = 0; k < n; k++) acc = fmaf(a[k], b[k], acc);
    return acc;
}

/* ---- rows ---- */

void oracle_bias_add(int64_t rows, int64_t n, const float *bias, float *y, int64_t ldy) {
    for (int64_t t = 0; t < rows; t++)
        for (int64_t j = 0; j < n; j++) y[t * ldy + j] += bias[j];
}

void oracle_bias_grad(int64_t rows, int64_t n, const float *dy, int64_t ldy, float *dbias) {
    for (int64_t t = 0; t < rows; t++)
        for (int64_t j = 0; j < n; j++) dbias[j] += dy[t * ldy + j];
}

void oracle_rmsnorm_forward(int64_t rows, int64_t d, const float *x, const float *w, float eps, float *y, float *rstd) {
    for (int64_t t = 0; t < rows; t++) {
        const float *row = x + t * d;
        float r = 1.0f / sqrtf(oracle_lanes(d, row, row) / (float)d + eps);
        for (int64_t j = 0; j < d; j++) y[t * d + j] = (row[j] * r) * w[j];
        rstd[t] = r;
    }
}

void oracle_rmsnorm_backward(int64_t rows, int64_t d, const float *x, const float *w, const float *rstd,
                             const float *dy, float *dx, bool accumulate_dx, float *dw) {
    float *normed = calloc((size_t)d, sizeof(float)), *g = calloc((size_t)d, sizeof(float));
    for (int64_t t = 0; t < rows; t++) {
        for (int64_t j = 0; j < d; j++) {
            normed[j] = x[t * d + j] * rstd[t];
            g[j] = dy[t * d + j] * w[j];
            dw[j] = fmaf(dy[t * d + j], normed[j], dw[j]);
        }
        float c = oracle_lanes(d, g, normed) / (float)d;
        for (int64_t j = 0; j < d; j++) {
            float gradient = fmaf(-normed[j], c, g[j]) * rstd[t];
            dx[t * d + j] = accumulate_dx ? dx[t * d + j] + gradient : gradient;
        }
    }
    free(normed);
    free(g);
}

void oracle_rope(int64_t rows, int64_t heads, int64_t e, const int32_t *position, const float *table, bool inverse,
                 float *x, int64_t ldx) {
    for (int64_t t = 0; t < rows; t++)
        for (int64_t head = 0; head < heads; head++)
            for (int64_t i = 0; i < e / 2; i++) {
                float c = table[position[t] * e + i], s = table[position[t] * e + e / 2 + i];
                float *a = x + t * ldx + head * e + i, *b = a + e / 2, first = *a, second = *b;
                if (inverse) s = -s;
                *a = fmaf(first, c, -(second * s));
                *b = fmaf(second, c, first * s);
            }
}

void oracle_swiglu_forward(int64_t n, const float *gate, const float *up, float *h) {
    for (int64_t i = 0; i < n; i++) h[i] = (gate[i] / (1.0f + rt_expf(-gate[i]))) * up[i];
}

void oracle_swiglu_backward(int64_t n, const float *gate, const float *up, const float *dh, float *dgate, float *dup) {
    for (int64_t i = 0; i < n; i++) {
        float x = gate[i], u = up[i], s = 1.0f / (1.0f + rt_expf(-x));
        dgate[i] = (dh[i] * u) * (s * fmaf(x, 1.0f - s, 1.0f));
        dup[i] = dh[i] * (x * s);
    }
}

void oracle_embedding_backward(int64_t rows, int64_t d, const int32_t *ids, const float *dx, float *dtable) {
    for (int64_t t = 0; t < rows; t++)
        for (int64_t j = 0; j < d; j++) dtable[ids[t] * d + j] += dx[t * d + j];
}

/* ---- attention ---- */

float oracle_attend(int64_t low, int64_t keys, int64_t e, float scale, const float *q, const float *k, int64_t ldk,
                    const float *v, int64_t ldv, float *out, float *p) {
    float m = -INFINITY;
    for (int64_t j = low; j < keys; j++) {
        p[j] = chain(e, q, k + j * ldk) * scale;
        m = p[j] > m ? p[j] : m;
    }
    for (int64_t j = low; j < keys; j++) p[j] = rt_expf(p[j] - m);
    for (int64_t j = 0; j < low; j++) p[j] = 0;
    float l = lanes_sum(keys, p);
    for (int64_t i = 0; i < e; i++) {
        float acc = 0;
        for (int64_t j = low; j < keys; j++) acc = fmaf(p[j], v[j * ldv + i], acc);
        out[i] = acc / l;
    }
    return m + rt_logf(l);
}

/* First key that the query at a position sees. */
static int64_t low_of(int64_t position, int64_t window) {
    return window > 0 && position >= window ? position - window + 1 : 0;
}

void oracle_attention_forward(int64_t docs, const int32_t *doc_start, int64_t h, int64_t g, int64_t e, int64_t window,
                              float scale, const float *q, const float *k, const float *v, float *out, float *lse) {
    float *p = calloc((size_t)doc_start[docs] + 1, sizeof(float));
    for (int64_t doc = 0; doc < docs; doc++)
        for (int64_t t = doc_start[doc]; t < doc_start[doc + 1]; t++)
            for (int64_t head = 0; head < h; head++) {
                int64_t kv = (doc_start[doc] * g + head / (h / g)) * e, at = (t * h + head) * e;
                int64_t position = t - doc_start[doc];
                lse[t * h + head] = oracle_attend(low_of(position, window), position + 1, e, scale, q + at, k + kv,
                                                  g * e, v + kv, g * e, out + at, p);
            }
    free(p);
}

void oracle_attention_backward(int64_t docs, const int32_t *doc_start, int64_t h, int64_t g, int64_t e, int64_t window,
                               float scale, const float *q, const float *k, const float *v, const float *out,
                               const float *lse, const float *dout, float *dq, float *dk, float *dv) {
    memset(dq, 0, (size_t)(doc_start[docs] * h * e) * sizeof(float));
    memset(dk, 0, (size_t)(doc_start[docs] * g * e) * sizeof(float));
    memset(dv, 0, (size_t)(doc_start[docs] * g * e) * sizeof(float));
    for (int64_t doc = 0; doc < docs; doc++)
        for (int64_t head = 0; head < h; head++)
            for (int64_t t = doc_start[doc]; t < doc_start[doc + 1]; t++) {
                int64_t at = (t * h + head) * e;
                float d = oracle_lanes(e, dout + at, out + at);
                for (int64_t j = doc_start[doc] + low_of(t - doc_start[doc], window); j <= t; j++) {
                    int64_t key = (j * g + head / (h / g)) * e;
                    float p = rt_expf(chain(e, q + at, k + key) * scale - lse[t * h + head]);
                    float ds = (p * (chain(e, dout + at, v + key) - d)) * scale;
                    for (int64_t i = 0; i < e; i++) {
                        dq[at + i] = fmaf(ds, k[key + i], dq[at + i]);
                        dk[key + i] = fmaf(ds, q[at + i], dk[key + i]);
                        dv[key + i] = fmaf(p, dout[at + i], dv[key + i]);
                    }
                }
            }
}

/* ---- head ---- */

float oracle_logsumexp(int64_t n, const float *x, float inv_temperature) {
    float m = -INFINITY, *p = calloc((size_t)n, sizeof(float));
    for (int64_t j = 0; j < n; j++) m = x[j] * inv_temperature > m ? x[j] * inv_temperature : m;
    for (int64_t j = 0; j < n; j++) p[j] = rt_expf(x[j] * inv_temperature - m);
    float lse = m + rt_logf(lanes_sum(n, p));
    free(p);
    return lse;
}

float oracle_entropy(int64_t n, const float *x, float inv_temperature, float lse) {
    float s[16] = {0};
    for (int64_t j = 0; j < n; j++) {
        float logp = x[j] * inv_temperature - lse, surprise = 200.0f < -logp ? 200.0f : -logp;
        s[j % 16] = fmaf(rt_expf(logp), surprise, s[j % 16]);
    }
    return tree(s);
}

void oracle_head(const rt_head_args *args) {
    int64_t d = args->d, vocab = args->vocab, rows = args->rows;
    float *logits = calloc((size_t)(rows * vocab), sizeof(float)), *lse = calloc((size_t)rows, sizeof(float));
    float *coefficient = calloc((size_t)rows, sizeof(float));
    for (int64_t t = 0; t < rows; t++) {
        float *row = logits + t * vocab;
        args->logp[t] = 0;
        if (args->entropy != NULL) args->entropy[t] = 0;
        if (args->target[t] < 0) continue;
        for (int64_t j = 0; j < vocab; j++) row[j] = chain(d, args->hidden + t * d, args->w.f32 + j * d);
        lse[t] = oracle_logsumexp(vocab, row, args->inv_temperature);
        args->logp[t] = row[args->target[t]] * args->inv_temperature - lse[t];
        if (args->entropy != NULL) args->entropy[t] = oracle_entropy(vocab, row, args->inv_temperature, lse[t]);
    }
    if (args->weight != NULL) args->weight(args->context, 0, rows, args->logp, args->entropy, coefficient);
    for (int64_t t = 0; t < rows && args->weight != NULL; t++) {
        float *dhidden = args->dhidden != NULL ? args->dhidden + t * d : NULL;
        if (dhidden != NULL) memset(dhidden, 0, (size_t)d * sizeof(float));
        if (args->target[t] < 0) continue;
        for (int64_t j = 0; j < vocab; j++) {
            float p = rt_expf(logits[t * vocab + j] * args->inv_temperature - lse[t]);
            float onehot = j == args->target[t] ? 1.0f : 0.0f;
            float gradient = (coefficient[t] * (onehot - p)) * args->inv_temperature;
            for (int64_t i = 0; i < d && dhidden != NULL; i++)
                dhidden[i] = fmaf(gradient, args->w.f32[j * d + i], dhidden[i]);
            for (int64_t i = 0; i < d && args->dw != NULL; i++)
                args->dw[j * d + i] = fmaf(gradient, args->hidden[t * d + i], args->dw[j * d + i]);
        }
    }
    free(logits);
    free(lse);
    free(coefficient);
}

/* ---- optimiser ---- */

void oracle_adamw(int64_t n, float *p, const float *grad, float *m, float *v, const rt_adamw_args *args) {
    float decay = (float)(1 - args->lr * args->weight_decay), step = (float)(-args->lr / args->bias1);
    float c1 = (float)(1 - args->beta1), b2 = (float)args->beta2, c2 = (float)(1 - args->beta2);
    for (int64_t i = 0; i < n; i++) {
        float g = grad[i] * args->grad_scale;
        m[i] = fmaf(c1, g - m[i], m[i]);
        v[i] = fmaf(c2 * g, g, b2 * v[i]);
        float denominator = sqrtf(v[i]) / (float)sqrt(args->bias2) + (float)args->eps;
        p[i] = p[i] * decay + step * (m[i] / denominator);
    }
}

double oracle_sum_squares(int64_t n, const float *x) {
    double total = 0;
    for (int64_t first = 0; first < n; first += 16384) {
        double s[16] = {0};
        for (int64_t k = first; k < n && k < first + 16384; k++) s[k % 16] += (double)x[k] * (double)x[k];
        for (int width = 8; width > 0; width /= 2)
            for (int j = 0; j < width; j++) s[j] += s[j + width];
        total += s[0];
    }
    return total;
}
