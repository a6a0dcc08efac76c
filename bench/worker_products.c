/* Matrix products and attention by themselves. */
#include <stdio.h>
#include <string.h>

#include "compute/compute.h"
#include "core/mem.h"
#include "worker.h"

/* Random-looking, small, and touched before it is measured. */
static float *operand(int64_t n) {
    float *x = rt_aligned_alloc((size_t)n, sizeof *x);
    if (x == NULL) fail("out of memory");
    for (int64_t i = 0; i < n; i++) x[i] = (float)((uint64_t)i * 2654435761U % 2000) * 1e-3f - 1.0f;
    return x;
}

static void answer_flops(const stopwatch *watch, double flops) {
    char extra[64];
    snprintf(extra, sizeof extra, ", \"flops\": %.0f", flops);
    answer(watch, extra);
}

void run_matmul(const words *w) {
    static float *a, *b, *c;
    static int64_t had[3];
    const char *form = w->count > 1 ? w->word[1] : "";
    const int64_t m = number(w, 2), n = number(w, 3), k = number(w, 4);
    if (m * k != had[0] || k * n != had[1] || m * n != had[2]) {
        rt_free(a);
        rt_free(b);
        rt_free(c);
        a = operand(had[0] = m * k);
        b = operand(had[1] = k * n);
        c = operand(had[2] = m * n);
    }
    rt_compute_set_threads((int)number(w, 5));
    stopwatch watch;
    start(&watch);
    if (strcmp(form, "nt") == 0) {
        rt_matmul_nt(m, n, k, a, k, b, k, c, n, false);
    } else if (strcmp(form, "nn") == 0) {
        rt_matmul_nn(m, n, k, a, k, b, n, c, n, false);
    } else if (strcmp(form, "tn") == 0) {
        rt_matmul_tn(m, n, k, a, m, b, n, c, n, false);
    } else {
        fail("a form of product is nt, nn or tn");
    }
    answer_flops(&watch, 2.0 * (double)m * (double)n * (double)k);
}

void run_attention(const words *w) {
    static float *q, *k, *v, *out, *lse, *dout, *dq, *dk, *dv, *scratch;
    static int64_t had[4];
    const bool both = w->count > 1 && strcmp(w->word[1], "both") == 0;
    const int64_t t = number(w, 2), h = number(w, 3), g = number(w, 4), e = number(w, 5);
    const int64_t want[4] = {t, h, g, e};
    rt_compute_set_threads((int)number(w, 6));
    if (q == NULL) {
        memcpy(had, want, sizeof had);
        q = operand(t * h * e);
        k = operand(t * g * e);
        v = operand(t * g * e);
        out = operand(t * h * e);
        dout = operand(t * h * e);
        lse = operand(t * h);
        dq = operand(t * h * e);
        dk = operand(t * g * e);
        dv = operand(t * g * e);
        scratch = operand(rt_attention_scratch(t, e));
    }
    if (memcmp(had, want, sizeof had) != 0) fail("attention of another shape needs another process");
    const int32_t doc_start[2] = {0, (int32_t)t};
    stopwatch watch;
    start(&watch);
    rt_attention_forward(1, doc_start, h, g, e, 0, 0.125f, q, k, v, out, lse, scratch);
    if (both) rt_attention_backward(1, doc_start, h, g, e, 0, 0.125f, q, k, v, out, lse, dout, dq, dk, dv, scratch);
    const double pairs = 0.5 * (double)t * (double)(t + 1), product = 2.0 * pairs * (double)(h * e);
    answer_flops(&watch, product * (both ? 7 : 2)); /* q k, p v; again q k, then dp, dq, dk, dv */
}
