#include "compute/operand.h"

#include "compute/gemm.h"
#include "compute/kernels_gemm.h"
#include "compute/kernels_int8.h"

/* A block of the operand: columns j .. j + n - 1 of B, k positions p .. p + k - 1. */
typedef struct block {
    int64_t j, n, p, k;
} block;

typedef void make_panels(const rt_operand *b, block at, float *out, int64_t stride);

static void rows_f32(const rt_operand *b, block at, float *out, int64_t stride) {
    rt_kernels->gemm->pack_b(at.n, at.k, b->w.f32 + at.p * b->ld + at.j, b->ld, out, stride);
}

static void transposed_f32(const rt_operand *b, block at, float *out, int64_t stride) {
    rt_kernels->gemm->pack_bt(at.n, at.k, b->w.f32 + at.j * b->ld + at.p, b->ld, out, stride);
}

static void rows_bf16(const rt_operand *b, block at, float *out, int64_t stride) {
    rt_kernels->gemm->pack_b_half(at.n, at.k, b->w.bf16 + at.p * b->ld + at.j, b->ld, out, stride);
}

static void transposed_bf16(const rt_operand *b, block at, float *out, int64_t stride) {
    rt_kernels->gemm->pack_bt_half(at.n, at.k, b->w.bf16 + at.j * b->ld + at.p, b->ld, out, stride);
}

static int64_t panel_count(int64_t n) {
    return (n + RT_PANEL - 1) / RT_PANEL;
}

static void packed_bf16(const rt_operand *b, block at, float *out, int64_t stride) {
    rt_kernels->gemm->widen_panels(panel_count(at.n), at.k, b->w.bf16 + at.j / RT_PANEL * b->ld + at.p * RT_PANEL,
                                   b->ld, out, stride);
}

/* Elements first .. first + n - 1 of row `row` as floats. */
static void decode_int8(const rt_operand *b, int64_t row, int64_t first, int64_t n, float *out) {
    rt_kernels->int8->decode(first, n, b->w.int8 + row * b->ld, b->w.scale + row * rt_int8_groups(b->ld), out);
}

static void rows_int8(const rt_operand *b, block at, float *out, int64_t stride) {
    float row[RT_GEMM_NC_MAX];
    for (int64_t p = 0; p < at.k; p++) {
        decode_int8(b, at.p + p, at.j, at.n, row);
        rt_kernels->gemm->pack_b(at.n, 1, row, at.n, out + p * RT_PANEL, stride);
    }
}

static void transposed_int8(const rt_operand *b, block at, float *out, int64_t stride) {
    float rows[RT_PANEL * RT_GEMM_KC];
    for (int64_t j = 0; j < at.n; j += RT_PANEL, out += stride) {
        const int64_t width = at.n - j < RT_PANEL ? at.n - j : RT_PANEL;
        for (int64_t i = 0; i < width; i++) decode_int8(b, at.j + j + i, at.p, at.k, rows + i * at.k);
        rt_kernels->gemm->pack_bt(width, at.k, rows, at.k, out, stride);
    }
}

static void packed_int8(const rt_operand *b, block at, float *out, int64_t stride) {
    rt_kernels->int8->widen_panels(panel_count(at.n), at.p, at.k,
                                   (const unsigned char *)b->w.int8 + at.j / RT_PANEL * b->ld, b->ld, out, stride);
}

/* NULL: they lie there. */
static make_panels *const makers[RT_FORMATS][RT_B_FORMS] = {
    [RT_FORMAT_F32] = {[RT_B_ROWS] = rows_f32, [RT_B_TRANSPOSED] = transposed_f32},
    [RT_FORMAT_BF16] = {[RT_B_ROWS] = rows_bf16, [RT_B_TRANSPOSED] = transposed_bf16, [RT_B_PACKED] = packed_bf16},
    [RT_FORMAT_INT8] = {[RT_B_ROWS] = rows_int8, [RT_B_TRANSPOSED] = transposed_int8, [RT_B_PACKED] = packed_int8}};

rt_operand rt_operand_packed(const rt_packed *w) {
    const int64_t ld = w->format == RT_FORMAT_INT8 ? rt_int8_panel_at(w->k) : w->k * RT_PANEL;
    rt_operand b = {.format = w->format, .form = RT_B_PACKED, .ld = ld};
    if (w->format == RT_FORMAT_F32) b.w.f32 = w->data;
    if (w->format == RT_FORMAT_BF16) b.w.bf16 = w->data;
    if (w->format == RT_FORMAT_INT8) b.w.int8 = w->data;
    return b;
}

bool rt_operand_in_place(const rt_operand *b) {
    return makers[b->format][b->form] == NULL;
}

const float *rt_operand_panels(const rt_operand *b, int64_t j, int64_t n, int64_t p, int64_t k, float *scratch,
                               int64_t *stride) {
    const block at = {b->first + j, n, p, k};
    make_panels *const make = makers[b->format][b->form];
    if (make == NULL) {
        *stride = b->ld;
        return b->w.f32 + at.j / RT_PANEL * b->ld + p * RT_PANEL;
    }
    *stride = k * RT_PANEL + RT_GEMM_PAD;
    make(b, at, scratch, *stride);
    return scratch;
}

static int rows_of_tile(const rt_operand *b) {
    return b->format == RT_FORMAT_BF16 ? rt_kernels->gemm->rows_max : rt_kernels->int8->rows_max;
}

int rt_operand_few_rows(const rt_operand *b) {
    enum { TILES = 4 };
    return b->form != RT_B_PACKED || b->format == RT_FORMAT_F32 ? 0 : TILES * rows_of_tile(b);
}

/* One tile of rows; the columns begin with that of number `first` of the operand. */
static void multiply_tile(const rt_operand *b, int rows, int64_t first, int64_t n, int64_t k, const float *a,
                          int64_t lda, float *c, int64_t ldc, bool accumulate) {
    const int64_t panels = first / RT_PANEL * b->ld;
    if (b->format == RT_FORMAT_BF16) {
        const rt_gemm_a rows_of_a = {a, lda, false};
        rt_kernels->gemm->tile_row_half(rows, n, k, &rows_of_a, b->w.bf16 + panels, b->ld, c, ldc, accumulate);
    } else {
        rt_kernels->int8->tile_row(rows, n, k, a, lda, (const unsigned char *)b->w.int8 + panels, c, ldc, accumulate);
    }
}

void rt_operand_multiply_few(const rt_operand *b, int rows, int64_t n, int64_t k, const float *a, int64_t lda, float *c,
                             int64_t ldc, bool accumulate) {
    enum { COLUMNS = 64 }; /* that a second tile finds in the second-level cache */
    const int most = rows_of_tile(b), tiles = (rows + most - 1) / most;
    const int64_t width = tiles > 1 ? COLUMNS : n;
    for (int64_t j = 0; j < n; j += width) {
        const int64_t columns = n - j < width ? n - j : width;
        for (int t = 0; t < tiles; t++) {
            const int first = rows * t / tiles, count = rows * (t + 1) / tiles - first;
            multiply_tile(b, count, b->first + j, columns, k, a + first * lda, lda, c + first * ldc + j, ldc,
                          accumulate);
        }
    }
}
