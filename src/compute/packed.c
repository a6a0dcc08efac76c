/* Weights packed once for many products. */
#include <string.h>

#include "compute/bf16.h"
#include "compute/kernels_gemm.h"
#include "compute/kernels_int8.h"
#include "compute/parallel.h"
#include "core/mem.h"

static int64_t panels_of(int64_t n) {
    return n / RT_PANEL + (n % RT_PANEL != 0);
}

size_t rt_packed_bytes(int64_t n, int64_t k, rt_format format) {
    size_t panel_bytes, scales = 0, bytes;
    if (n <= 0 || k <= 0) return SIZE_MAX;
    const size_t element = format == RT_FORMAT_F32 ? sizeof(float) : format == RT_FORMAT_BF16 ? sizeof(uint16_t) : 1;
    if (format == RT_FORMAT_INT8) scales = (size_t)rt_int8_groups(k) * RT_INT8_SCALE_BYTES;
    if (rt_mul_overflow((size_t)k, RT_PANEL * element, &panel_bytes) ||
        __builtin_add_overflow(panel_bytes, scales, &panel_bytes) ||
        rt_mul_overflow((size_t)panels_of(n), panel_bytes, &bytes))
        return SIZE_MAX;
    return bytes;
}

static retort_status take_packed(int64_t n, int64_t k, rt_format format, rt_packed *out, retort_error *err) {
    *out = (rt_packed){0};
    RT_CHECK(n > 0 && k > 0, err, RETORT_ERR_USAGE, "cannot pack a weight of %lld x %lld", (long long)n, (long long)k);
    size_t bytes = rt_packed_bytes(n, k, format);
    void *data = bytes == SIZE_MAX ? NULL : rt_untouched_alloc(bytes, 1); /* packing writes all of it */
    RT_CHECK(data != NULL, err, RETORT_ERR_MEMORY, "out of memory: packing a weight of %lld x %lld", (long long)n,
             (long long)k);
    *out = (rt_packed){n, k, format, data};
    return RETORT_OK;
}

static void pack_half(int64_t width, int64_t k, const uint16_t *w, uint16_t *out) {
    for (int64_t p = 0; p < k; p++) {
        for (int64_t i = 0; i < width; i++) out[p * RT_PANEL + i] = w[i * k + p];
        for (int64_t i = width; i < RT_PANEL; i++) out[p * RT_PANEL + i] = 0;
    }
}

/* Panel `panel` of the weight whose rows begin with w; rows of f32 are ldw apart, others without gaps. */
static void pack_panel(rt_packed *packed, int64_t panel, rt_matrix w, int64_t ldw) {
    const int64_t k = packed->k, first = panel * RT_PANEL;
    const int64_t width = packed->n - first < RT_PANEL ? packed->n - first : RT_PANEL;
    const rt_matrix rows = rt_matrix_row(w, first, w.f32 != NULL ? ldw : k);
    if (packed->format == RT_FORMAT_F32)
        rt_kernels->gemm->pack_bt(width, k, rows.f32, ldw, (float *)packed->data + first * k, k * RT_PANEL);
    if (packed->format == RT_FORMAT_BF16) pack_half(width, k, rows.bf16, (uint16_t *)packed->data + first * k);
    if (packed->format == RT_FORMAT_INT8)
        rt_kernels->int8->pack(width, k, rows.int8, rows.scale,
                               (unsigned char *)packed->data + panel * rt_int8_panel_at(k));
}

static void pack_all(rt_packed *packed, rt_matrix w, int64_t ldw) {
    const int64_t panels = panels_of(packed->n);
#pragma omp parallel for num_threads(omp_in_parallel() ? 1 : rt_compute_threads())
    for (int64_t panel = 0; panel < panels; panel++) pack_panel(packed, panel, w, ldw);
}

retort_status rt_pack_weight(int64_t n, int64_t k, const float *w, int64_t ldw, rt_packed *out, retort_error *err) {
    RT_TRY(take_packed(n, k, RT_FORMAT_F32, out, err));
    rt_repack_weight(out, w, ldw);
    return RETORT_OK;
}

void rt_repack_weight(rt_packed *packed, const float *w, int64_t ldw) {
    pack_all(packed, (rt_matrix){.f32 = (float *)w}, ldw); /* only read */
}

retort_status rt_pack_matrix(int64_t n, int64_t k, rt_matrix w, rt_packed *out, retort_error *err) {
    RT_TRY(take_packed(n, k, rt_matrix_format(w), out, err));
    rt_repack_matrix(out, w);
    return RETORT_OK;
}

void rt_repack_matrix(rt_packed *packed, rt_matrix w) {
    pack_all(packed, w, packed->k);
}

static void packed_row(const rt_packed *w, int64_t row, float *to) {
    const int64_t k = w->k, lane = row % RT_PANEL, first = row / RT_PANEL * RT_PANEL;
    if (w->format == RT_FORMAT_F32) {
        const float *from = (const float *)w->data + first * k + lane;
        for (int64_t p = 0; p < k; p++) to[p] = from[p * RT_PANEL];
    } else if (w->format == RT_FORMAT_BF16) {
        const uint16_t *from = (const uint16_t *)w->data + first * k + lane;
        for (int64_t p = 0; p < k; p++) to[p] = rt_float_of_bf16(from[p * RT_PANEL]);
    } else {
        const unsigned char *from = (const unsigned char *)w->data + row / RT_PANEL * rt_int8_panel_at(k);
        for (int64_t p = 0; p < k; p++) {
            const unsigned char *block = from + rt_int8_panel_at(p / RT_INT8_GROUP * RT_INT8_GROUP);
            const float scale = ((const float *)(const void *)block)[lane];
            to[p] = scale * (float)(int8_t)block[RT_INT8_SCALE_BYTES + p % RT_INT8_GROUP * RT_PANEL + lane];
        }
    }
}

void rt_packed_rows(int64_t rows, const int32_t *row, const rt_packed *w, float *x) {
#pragma omp parallel for num_threads(rt_threads_for(rows * w->k))
    for (int64_t t = 0; t < rows; t++) packed_row(w, row[t], x + t * w->k);
}

void rt_packed_release(rt_packed *packed) {
    rt_free(packed->data);
    *packed = (rt_packed){0};
}
