/* Driver of the three matrix products: blocks for the caches, a grid of output rectangles for the threads.
 *
 * Each thread owns a rectangle of c and packs for itself what it reads of B (and of a transposed A), so threads never
 * wait for each other. Within a rectangle, for each block of columns, for each block of k (ascending: the chains
 * continue in c), B is packed once and passed under all row blocks of A.
 */
#include "compute/gemm.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "compute/kernels_gemm.h"
#include "compute/operand.h"
#include "compute/parallel.h"

typedef struct product {
    int64_t m, n, k;
    const float *a;
    int64_t lda;
    bool a_transposed;
    rt_operand b;
    float *c;
    int64_t ldc;
    bool accumulate;
} product;

static int64_t min64(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t ceil_div(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}

/* Rows of A a multiple of this many floats apart begin in one set of a first-level cache (64 sets of 8 lines): a tile
 * of more rows than a set has lines would fetch every line anew at each step of k. */
enum { L1_WAY = 1024, L1_LINES = 8, WORTH_A_COPY = 32 /* columns */ };

static bool rows_collide(const product *x) {
    return x->lda % L1_WAY == 0 && x->m > L1_LINES && rt_kernels->gemm->rows_max > L1_LINES;
}

/* Copies rows of A, at most RT_GEMM_KC long, so that they do not collide. */
static rt_gemm_a spread(const rt_gemm_a *a, int64_t rows, int64_t k, float *out) {
    const int64_t stride = k + RT_GEMM_PAD;
    for (int64_t i = 0; i < rows; i++) memcpy(out + i * stride, a->data + i * a->stride, (size_t)k * sizeof *out);
    return (rt_gemm_a){out, stride, false};
}

/* A part of a matrix that will be read next: `rows` rows of `width` numbers. Asking for it in shares, one before each
 * row of tiles, hides the way from the third-level cache or memory behind the products; the processor's own prefetchers
 * do not see a block's rows as one stream. With many columns what is fetched would be pushed out again before it is
 * read. */
typedef struct upcoming {
    const float *at;
    int64_t ld, rows, width;
} upcoming;

enum { FETCH_COLUMNS = 512, FETCH_COLUMNS_PACKED_A = 256, LINE = 16 /* floats */ };

/* Share number `share` of `shares`. */
static void fetch(const upcoming *u, int64_t share, int64_t shares) {
    const int64_t last = u->rows * (share + 1) / shares;
    for (int64_t i = u->rows * share / shares; i < last; i++)
        for (int64_t j = 0; j < u->width; j += LINE) __builtin_prefetch(u->at + i * u->ld + j, 0, 2);
}

/* A block: all rows of the product against columns j .. j + n - 1, k positions p .. p + k - 1. */
typedef struct extent {
    int64_t j, n, p, k;
} extent;

/* Panels of the block's part of B, made in scratch or where they lie. */
typedef struct block_panels {
    const float *at;
    int64_t stride;
} block_panels;

static block_panels panels_of(const product *x, extent e, float *scratch) {
    block_panels b;
    b.at = rt_operand_panels(&x->b, e.j, e.n, e.p, e.k, scratch, &b.stride);
    return b;
}

/* Rows i .. of the block, at most `rows` and one tile's. */
static void multiply_rows(const product *x, extent e, int64_t i, int64_t rows, const rt_gemm_a *a, block_panels b) {
    const rt_gemm_kernels *kernels = rt_kernels->gemm;
    kernels->tile_row((int)min64(rows, kernels->rows_max), e.n, e.k, a, b.at, b.stride, x->c + i * x->ldc + e.j, x->ldc,
                      x->accumulate || e.p > 0);
}

static void block(const product *x, extent e, float *scratch) {
    const block_panels b = panels_of(x, e, scratch);
    const int64_t rows_max = rt_kernels->gemm->rows_max;
    const bool collide = e.n > WORTH_A_COPY && e.k <= RT_GEMM_KC && rows_collide(x);
    for (int64_t i = 0; i < x->m; i += rows_max) {
        const int64_t rows = min64(rows_max, x->m - i), left = x->m - i - rows;
        rt_gemm_a a = {x->a + i * x->lda + e.p, x->lda, false};
        if (x->n <= FETCH_COLUMNS && left > 0) {
            const upcoming next = {a.data + rows * x->lda, x->lda, min64(rows_max, left), e.k};
            fetch(&next, 0, 1);
        }
        if (collide) a = spread(&a, rows, e.k, scratch + RT_GEMM_SCRATCH_B);
        multiply_rows(x, e, i, rows, &a, b);
    }
}

/* What is read after the rows up to `last` - 1 of a transposed A: the next of them, or the first of the next block of k
 * and that block's part of B. */
static void find_upcoming(const product *x, extent e, int64_t last, int64_t step, upcoming *a, upcoming *b) {
    const int64_t next = e.p + e.k, k = min64(e.k, x->k - next);
    *a = *b = (upcoming){0};
    if (x->n > FETCH_COLUMNS_PACKED_A) return;
    if (last < x->m) {
        *a = (upcoming){x->a + e.p * x->lda + last, x->lda, e.k, min64(step, x->m - last)};
    } else if (k > 0) {
        *a = (upcoming){x->a + next * x->lda, x->lda, k, min64(step, x->m)};
        if (x->b.form == RT_B_ROWS && x->b.format == RT_FORMAT_F32)
            *b = (upcoming){x->b.w.f32 + next * x->b.ld + x->b.first + e.j, x->b.ld, k, e.n};
    }
}

static void block_transposed(const product *x, extent e, float *scratch) {
    const rt_gemm_kernels *kernels = rt_kernels->gemm;
    const block_panels b = panels_of(x, e, scratch);
    const int64_t rows_max = kernels->rows_max, stride = rows_max * e.k + RT_GEMM_PAD;
    const int64_t step = RT_GEMM_MC / rows_max * rows_max;
    float *packed = scratch + RT_GEMM_SCRATCH_B;
    for (int64_t first = 0; first < x->m; first += step) {
        const int64_t last = min64(first + step, x->m), shares = ceil_div(last - first, rows_max);
        upcoming next_a, next_b;
        find_upcoming(x, e, last, step, &next_a, &next_b);
        kernels->pack_a(last - first, e.k, x->a + e.p * x->lda + first, x->lda, packed, stride);
        for (int64_t share = 0; share < shares; share++) {
            const int64_t i = first + share * rows_max;
            const rt_gemm_a a = {packed + share * stride, rows_max, true};
            fetch(&next_a, share, shares);
            fetch(&next_b, share, shares);
            multiply_rows(x, e, i, last - i, &a, b);
        }
    }
}

/* The size, a multiple of unit and at most `most`, that cuts n into equal blocks. */
static int64_t equal_blocks(int64_t n, int64_t most, int64_t unit) {
    int64_t count = ceil_div(n, most);
    return ceil_div(ceil_div(n, count), unit) * unit;
}

static void product_serial(const product *x, float *scratch) {
    if (x->m <= rt_operand_few_rows(&x->b)) {
        rt_operand_multiply_few(&x->b, (int)x->m, x->n, x->k, x->a, x->lda, x->c, x->ldc, x->accumulate);
        return;
    }
    int64_t kc = x->k, nc = x->n;
    /* A single row of tiles keeps its chains in registers over all of k: nothing would be read twice. */
    if (!rt_operand_in_place(&x->b) || x->m > rt_kernels->gemm->rows_max) {
        enum { UNIT = 2 * RT_PANEL };
        kc = equal_blocks(x->k, x->a_transposed ? RT_GEMM_KC_PACKED_A : RT_GEMM_KC, 1);
        nc = equal_blocks(x->n, min64(RT_GEMM_B / kc / UNIT * UNIT, RT_GEMM_NC_MAX), UNIT);
    }
    for (int64_t j = 0; j < x->n; j += nc) {
        for (int64_t p = 0; p < x->k; p += kc) {
            const extent e = {j, min64(nc, x->n - j), p, min64(kc, x->k - p)};
            if (x->a_transposed)
                block_transposed(x, e, scratch);
            else
                block(x, e, scratch);
        }
    }
}

typedef struct grid {
    int rows, columns;
    int64_t row_units, column_units; /* units of rows_max rows, of `panels` panels */
} grid;

/* The grid whose largest rectangle costs least. Reading and packing B costs a thread about as much as PACK_ROWS rows
 * more of the product, reading A as READ_COLUMNS columns more; a transposed A is packed for each block of columns,
 * which costs PACK_COLUMNS each time. */
static grid choose_grid(const product *x, int threads) {
    enum { PACK_ROWS = 4, READ_COLUMNS = 8, PACK_COLUMNS = 27, COLUMNS = RT_GEMM_B / RT_GEMM_KC_PACKED_A };
    const rt_gemm_kernels *kernels = rt_kernels->gemm;
    int64_t unit_rows = kernels->rows_max, unit_columns = (int64_t)kernels->panels * RT_PANEL;
    int64_t row_units = ceil_div(x->m, unit_rows), column_units = ceil_div(x->n, unit_columns);
    grid best = {1, 1, row_units, column_units};
    double best_cost = INFINITY;
    for (int rows = 1; rows <= threads && rows <= row_units; rows++) {
        int columns = (int)min64(threads / rows, column_units);
        int64_t height = min64(ceil_div(row_units, rows) * unit_rows, x->m);
        int64_t width = min64(ceil_div(column_units, columns) * unit_columns, x->n);
        const int64_t reading = x->a_transposed ? ceil_div(width, COLUMNS) * PACK_COLUMNS : READ_COLUMNS;
        double cost = (double)(height + PACK_ROWS) * (double)(width + reading);
        if (cost < best_cost) {
            best_cost = cost;
            best.rows = rows;
            best.columns = columns;
        }
    }
    return best;
}

static void rectangle(const product *x, const grid *g, int index, float *scratch) {
    const rt_gemm_kernels *kernels = rt_kernels->gemm;
    int row = index / g->columns, column = index % g->columns;
    int64_t unit_columns = (int64_t)kernels->panels * RT_PANEL;
    int64_t top = g->row_units * row / g->rows * kernels->rows_max;
    int64_t bottom = min64(g->row_units * (row + 1) / g->rows * kernels->rows_max, x->m);
    int64_t left = g->column_units * column / g->columns * unit_columns;
    int64_t right = min64(g->column_units * (column + 1) / g->columns * unit_columns, x->n);
    product part = *x;
    part.m = bottom - top;
    part.n = right - left;
    part.a += x->a_transposed ? top : top * x->lda;
    part.c += top * x->ldc + left;
    part.b.first += left;
    product_serial(&part, scratch);
}

/* Starting a team costs a few microseconds: below this many multiplications (a weight element read once counts as
 * much as LOAD_ROWS of them) one thread is done sooner. */
static bool worth_a_team(const product *x) {
    enum { LOAD_ROWS = 8 };
    double work = (double)x->n * (double)x->k * (double)(x->m + LOAD_ROWS);
    return work > 400e3;
}

static void multiply(const product *x) {
    if (x->m <= 0 || x->n <= 0) return;
    if (x->k <= 0) {
        for (int64_t i = 0; i < x->m && !x->accumulate; i++)
            for (int64_t j = 0; j < x->n; j++) x->c[i * x->ldc + j] = 0.0f;
        return;
    }
    int threads = rt_compute_threads();
    if (omp_in_parallel()) {
        product_serial(x, rt_compute_scratch(omp_get_ancestor_thread_num(1)));
        return;
    }
    if (threads == 1 || !worth_a_team(x)) {
        product_serial(x, rt_compute_scratch(0));
        return;
    }
    grid g = choose_grid(x, threads);
    int count = g.rows * g.columns;
#pragma omp parallel for schedule(static, 1) num_threads(threads)
    for (int i = 0; i < count; i++) rectangle(x, &g, i, rt_compute_scratch(omp_get_thread_num()));
}

/* Weights are only read; rt_matrix is not const because it also names gradients. */
static rt_operand floats(const float *b, int64_t ld, rt_operand_form form) {
    return (rt_operand){.form = form, .w = {.f32 = (float *)b}, .ld = ld};
}

void rt_matmul_nt(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *w, int64_t ldw, float *c,
                  int64_t ldc, bool accumulate) {
    multiply(&(product){m, n, k, a, lda, false, floats(w, ldw, RT_B_TRANSPOSED), c, ldc, accumulate});
}

void rt_matmul_nn(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *b, int64_t ldb, float *c,
                  int64_t ldc, bool accumulate) {
    multiply(&(product){m, n, k, a, lda, false, floats(b, ldb, RT_B_ROWS), c, ldc, accumulate});
}

void rt_matmul_tn(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *b, int64_t ldb, float *c,
                  int64_t ldc, bool accumulate) {
    multiply(&(product){m, n, k, a, lda, true, floats(b, ldb, RT_B_ROWS), c, ldc, accumulate});
}

void rt_linear_forward(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, rt_matrix w, float *c, int64_t ldc,
                       bool accumulate) {
    const rt_operand b = {rt_matrix_format(w), RT_B_TRANSPOSED, w, k, 0};
    multiply(&(product){m, n, k, a, lda, false, b, c, ldc, accumulate});
}

void rt_linear_backward(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, rt_matrix w, float *c,
                        int64_t ldc, bool accumulate) {
    const rt_operand b = {rt_matrix_format(w), RT_B_ROWS, w, n, 0};
    multiply(&(product){m, n, k, a, lda, false, b, c, ldc, accumulate});
}

static void multiply_packed(int64_t m, const float *a, int64_t lda, const rt_packed *w, float *c, int64_t ldc,
                            bool accumulate) {
    multiply(&(product){m, w->n, w->k, a, lda, false, rt_operand_packed(w), c, ldc, accumulate});
}

void rt_matmul_packed(int64_t m, const float *a, int64_t lda, const rt_packed *w, float *c, int64_t ldc) {
    multiply_packed(m, a, lda, w, c, ldc, false);
}

void rt_matmul_packed_add(int64_t m, const float *a, int64_t lda, const rt_packed *w, float *c, int64_t ldc) {
    multiply_packed(m, a, lda, w, c, ldc, true);
}
