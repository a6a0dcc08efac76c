/* The kernels, under the law of exactness (docs/architecture.md, section 2).
 *
 * Every function here gives the same bits whatever the instruction set, the number of threads, the tile sizes or the
 * number of rows it is called with: a row's result is a function of that row (and, in attention, of its position and
 * the keys before it) alone. The definitions below ARE the results: each is a chain of correctly rounded operations in
 * a stated order, and the scalar oracle in tests/compute/oracle.c spells it out as plain loops.
 *
 *   chain(k: a_k, b_k)   acc = 0; for k ascending: acc = fmaf(a_k, b_k, acc)
 *   lanes(k: x_k)        16 partial sums s_j over k = j, j + 16, ... ascending, then the tree
 *                        (s0..s7)+(s8..s15) -> (0..3)+(4..7) -> (0,1)+(2,3) -> 0+1
 *   exp, silu, ...       rt_expf of compute/mathf.h, in scalar and SIMD form with the same bits
 *
 * Shapes: T tokens (rows), D model width, H query heads, G key/value heads, E head width, F feed-forward width,
 * V vocabulary. Matrices are row-major floats; ld* are row strides in elements. Accumulating functions continue the
 * chain from what the output holds, so splitting the rows of a gradient over several calls does not change its bits.
 */
#ifndef RT_COMPUTE_H
#define RT_COMPUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

/* ---- set-up --------------------------------------------------------------------------------------------------- */

typedef enum rt_isa { RT_ISA_SCALAR, RT_ISA_AVX2, RT_ISA_AVX512 } rt_isa;

/* Chooses kernels (the best the processor has; RETORT_ISA=scalar|avx2|avx512 in the environment asks for a lower one)
 * and takes scratch memory. Idempotent; call before anything below.
 * Kernels start OpenMP threads of their own and share scratch: call them from one application thread at a time, or from
 * inside an OpenMP region of at most rt_compute_threads() threads, where each runs on the thread that calls it. */
retort_status rt_compute_init(retort_error *err);
/* Changes the instruction set; RETORT_ERR_UNSUPPORTED if the processor lacks it. For tests and benchmarks. */
retort_status rt_compute_use_isa(rt_isa isa, retort_error *err);
rt_isa rt_compute_isa(void);
const char *rt_isa_name(rt_isa isa);
/* Threads of every kernel from now on; 0: all processors this process may run on. */
void rt_compute_set_threads(int threads);
int rt_compute_threads(void);

/* ---- number formats ------------------------------------------------------------------------------------------- */

/* Formats of a weight in memory. Each weight stands for one float, and a product with it has the bits of the product
 * with those floats: kernels make them in registers or while they pack panels. Gradients are always f32.
 *
 *   bf16   the upper half of a float's bits: a float weight rounded once
 *   int8   a row is cut into groups of RT_INT8_GROUP consecutive elements, the last may be shorter. A group has
 *            scale s = fl(max |w| / 127)
 *            q = fl(w / s) rounded to the nearest integer, ties to even, kept within -127 .. 127; 0 where s is 0
 *          and q stands for the float fl(s * q). fl is IEEE rounding to nearest, subnormals included (where s is one, q
 *          may be off by more than half; where s rounds to 0 the group is 0). -0 becomes 0. Weights must be finite, and
 *          so must what they come to stand for: close to the largest float fl(s * 127) may not be, which who encodes
 *          has to check. */
typedef enum rt_format { RT_FORMAT_F32, RT_FORMAT_BF16, RT_FORMAT_INT8, RT_FORMATS } rt_format;
enum { RT_INT8_GROUP = 32 };
/* Groups of a row of k elements. */
static inline int64_t rt_int8_groups(int64_t k) {
    return k / RT_INT8_GROUP + (k % RT_INT8_GROUP != 0);
}

/* A matrix as it lies in memory: one of f32, bf16 and int8 is set. */
typedef struct rt_matrix {
    float *f32;
    uint16_t *bf16;
    int8_t *int8;
    float *scale; /* of int8: [rows][rt_int8_groups(columns)] */
} rt_matrix;
static inline rt_format rt_matrix_format(rt_matrix w) {
    return w.f32 != NULL ? RT_FORMAT_F32 : w.bf16 != NULL ? RT_FORMAT_BF16 : RT_FORMAT_INT8;
}
/* Row `row` of a matrix without gaps, as a matrix of its own. */
rt_matrix rt_matrix_row(rt_matrix w, int64_t row, int64_t columns);
/* Copies `rows` rows into rows first .. of `to`, which has the same format. */
void rt_matrix_copy(rt_matrix to, int64_t first, rt_matrix from, int64_t rows, int64_t columns);
/* Gives its memory back to the system (rt_give_back): it is lost. */
void rt_matrix_give_back(rt_matrix w, int64_t rows, int64_t columns);
/* The floats that elements first .. first + n - 1 of a matrix without gaps stand for. */
void rt_matrix_decode(rt_matrix w, int64_t columns, int64_t first, int64_t n, float *out);
/* Elements first .. first + n - 1 from floats, rounded to the format; of int8 these are whole groups. */
void rt_matrix_encode(rt_matrix w, int64_t columns, int64_t first, int64_t n, const float *x);

/* out[i] = the float that x[i] stands for; out[i] = x[i] rounded to nearest, ties to even; x[i] = x[i] so rounded. */
void rt_bf16_decode(int64_t n, const uint16_t *x, float *out);
void rt_bf16_encode(int64_t n, const float *x, uint16_t *out);
void rt_bf16_round(int64_t n, float *x);

/* ---- matrix products ------------------------------------------------------------------------------------------ */

/* c[i][j] = chain(k: a[i][k], w[j][k])   a [m][k], w [n][k], c [m][n]: a linear layer's forward. */
void rt_matmul_nt(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *w, int64_t ldw, float *c,
                  int64_t ldc, bool accumulate);
/* c[i][j] = chain(k: a[i][k], b[k][j])   a [m][k], b [k][n]: a linear layer's input gradient (b = weight). */
void rt_matmul_nn(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *b, int64_t ldb, float *c,
                  int64_t ldc, bool accumulate);
/* c[i][j] = chain(k: a[k][i], b[k][j])   a [k][m], b [k][n]: a linear layer's weight gradient (k = tokens). */
void rt_matmul_tn(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *b, int64_t ldb, float *c,
                  int64_t ldc, bool accumulate);

/* rt_matmul_nt and rt_matmul_nn with a weight in any format, rows without gaps: y = x w^T with w [n][k], a [m][k];
 * dx = dy w with w [k][n], a [m][k]. */
void rt_linear_forward(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, rt_matrix w, float *c, int64_t ldc,
                       bool accumulate);
void rt_linear_backward(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, rt_matrix w, float *c,
                        int64_t ldc, bool accumulate);

/* A weight [n][k] packed once for many products (sampling), in the format it came in: same bits as rt_matmul_nt. */
typedef struct rt_packed {
    int64_t n, k;
    rt_format format;
    void *data; /* panels: kernels_gemm.h, of int8 kernels_int8.h */
} rt_packed;
retort_status rt_pack_weight(int64_t n, int64_t k, const float *w, int64_t ldw, rt_packed *out, retort_error *err);
/* Puts new values into a packed weight of the same shape, in its own memory. */
void rt_repack_weight(rt_packed *packed, const float *w, int64_t ldw);
void rt_packed_release(rt_packed *packed);
/* The same for a weight without gaps in any format; repacking keeps shape and format. */
retort_status rt_pack_matrix(int64_t n, int64_t k, rt_matrix w, rt_packed *out, retort_error *err);
void rt_repack_matrix(rt_packed *packed, rt_matrix w);
/* Bytes of such a packed weight; SIZE_MAX when out of range. */
size_t rt_packed_bytes(int64_t n, int64_t k, rt_format format);
/* x[t][p] = the float that element (row[t], p) of the weight stands for: an embedding read from a packed head. Rows are
 * already validated. */
void rt_packed_rows(int64_t rows, const int32_t *row, const rt_packed *w, float *x);
void rt_matmul_packed(int64_t m, const float *a, int64_t lda, const rt_packed *w, float *c, int64_t ldc);
/* Continues the chains in c. */
void rt_matmul_packed_add(int64_t m, const float *a, int64_t lda, const rt_packed *w, float *c, int64_t ldc);

/* ---- rows ----------------------------------------------------------------------------------------------------- */

/* y[t][j] += bias[j] (one rounding). */
void rt_bias_add(int64_t rows, int64_t n, const float *bias, float *y, int64_t ldy);
/* dbias[j] += sum over t ascending of dy[t][j], one addition a row. */
void rt_bias_grad(int64_t rows, int64_t n, const float *dy, int64_t ldy, float *dbias);
/* x[i] *= s. */
void rt_scale(int64_t n, float s, float *x);
/* y[i] += x[i]. */
void rt_add(int64_t n, const float *x, float *y);

/* RMSNorm (Zhang and Sennrich 2019, as in Qwen2): r = 1 / sqrtf(lanes(x_j^2 by fma) / D + eps), y = (x * r) * w.
 * rstd [T] is kept for the backward pass (NULL: not kept). y may be x. */
void rt_rmsnorm_forward(int64_t rows, int64_t d, const float *x, const float *w, float eps, float *y, float *rstd);
/* dx[t] += gradient when accumulate_dx, else = ; dw[j] += over t ascending (NULL: not wanted). dx may be
 * dy. */
void rt_rmsnorm_backward(int64_t rows, int64_t d, const float *x, const float *w, const float *rstd, const float *dy,
                         float *dx, bool accumulate_dx, float *dw);

/* Rotary embedding, "rotate half" layout (Su et al. 2021; transformers): for each head and i < E/2
 * (x_i, x_{i+E/2}) <- (x_i c - x_{i+E/2} s, x_{i+E/2} c + x_i s), c and s from table[position][2][E/2], products
 * rounded as fmaf(x_i, c, -(x_{i+E/2} * s)). inverse: the transposed rotation, for the gradient. In place. */
void rt_rope(int64_t rows, int64_t heads, int64_t e, const int32_t *position, const float *table, bool inverse,
             float *x, int64_t ldx);
/* The plain frequencies: frequency[i] = fl32(theta^(-2i/e)), i < e/2. */
void rt_rope_frequencies(int64_t e, double theta, float *frequency);
/* Fills table [positions][2][e/2]: angle = fl32(position) * frequency[i] in float as transformers does, then cos and
 * sin of it by rt_cos / rt_sin of core/exactmath.h, rounded to float, times magnitude. */
void rt_rope_table(int64_t positions, int64_t e, const float *frequency, float magnitude, float *table);

/* h = silu(gate) * up, silu(x) = x / (1 + exp(-x)). */
void rt_swiglu_forward(int64_t n, const float *gate, const float *up, float *h);
/* dgate and dup from dh; dgate may alias gate's buffer and dup up's. */
void rt_swiglu_backward(int64_t n, const float *gate, const float *up, const float *dh, float *dgate, float *dup);

/* x[t] = table[ids[t]]; ids are already validated. */
void rt_embedding_forward(int64_t rows, int64_t d, const int32_t *ids, const float *table, float *x);
/* The same from a table in any format. */
void rt_embedding_lookup(int64_t rows, int64_t d, const int32_t *ids, rt_matrix table, float *x);
/* dtable[ids[t]] += dx[t], t ascending. */
void rt_embedding_backward(int64_t rows, int64_t d, const int32_t *ids, const float *dx, float *dtable);

/* ---- attention ------------------------------------------------------------------------------------------------ */

/* Causal grouped-query attention. A query at position p of its document sees the document's keys 0..p, or with a
 * sliding window (window > 0) the last `window` of them, p-window+1..p:
 *   s_j = chain(e: q_e, k_je) * scale;  m = max s_j;  p_j = exp(s_j - m);  l = lanes(p_j), lane j mod 16;
 *   o_e = chain(j ascending: p_j, v_je) / l;   lse = m + log l.
 * The T x T matrix is never stored; blocks above the diagonal or before the window are never computed. */

/* Keys of one (sequence, kv head) live in panels of 16: panel b holds keys 16b..16b+15 as [E][16]; values as [T][E].
 * Key panels for `capacity` keys take rt_kpanel_floats(capacity, e) floats. */
int64_t rt_kpanel_floats(int64_t capacity, int64_t e);

/* Training form over packed documents: tokens doc_start[i] .. doc_start[i+1]-1 form document i (doc_start has
 * docs + 1 entries). q [T][H*E], k and v [T][G*E], out [T][H*E], lse [T][H] (kept for backward). scratch:
 * rt_attention_scratch(max_doc, e) floats for documents of up to max_doc tokens; it has room for every thread (all
 * processors, at least four; more threads than that are not used), whatever rt_compute_set_threads says later. */
int64_t rt_attention_scratch(int64_t max_doc, int64_t e);
void rt_attention_forward(int64_t docs, const int32_t *doc_start, int64_t h, int64_t g, int64_t e, int64_t window,
                          float scale, const float *q, const float *k, const float *v, float *out, float *lse,
                          float *scratch);
/* dq, dk, dv are overwritten. With p_ij = exp(s_ij - lse_i), D_i = lanes(dout_i, out_i by fma) and
 *   dS_ij = (p_ij * (chain(e: dout_ie, v_je) - D_i)) * scale:
 * dq_i = chain(j ascending: dS_ij, k_j); dk_j = chain(dS_ij, q_i) and dv_j = chain(p_ij, dout_i) over (query head of
 * the group, then query i) ascending; i and j run over the pairs that see each other. */
void rt_attention_backward(int64_t docs, const int32_t *doc_start, int64_t h, int64_t g, int64_t e, int64_t window,
                           float scale, const float *q, const float *k, const float *v, const float *out,
                           const float *lse, const float *dout, float *dq, float *dk, float *dv, float *scratch);

/* Sampling form: row r is the query at position[r] of sequence slot[r]; its key and value are already in the cache.
 * Same bits as the training form; of a bfloat16 cache, which keeps keys and values rounded, as the training form over
 * keys and values so rounded (rt_bf16_round).
 *
 * The cache of one layer is a pool of blocks of RT_KV_BLOCK positions, which sequences take as they grow and may share:
 * position p of slot s is place p % RT_KV_BLOCK of block table[s * per_slot + p / RT_KV_BLOCK]. A block's keys are G
 * runs of panels (rt_kpanel_floats(RT_KV_BLOCK, e) each), its values [G][RT_KV_BLOCK][E]. */
enum { RT_KV_BLOCK = 64 };
typedef struct rt_kv_layer {
    rt_matrix k, v; /* [blocks] each, both in the same format */
    const int32_t *table;
    int64_t per_slot, g, e;
} rt_kv_layer;
/* Blocks of a sequence of so many positions. */
static inline int64_t rt_kv_blocks(int64_t positions) {
    return (positions + RT_KV_BLOCK - 1) / RT_KV_BLOCK;
}
/* Stores rows k [rows][G*E], v [rows][G*E] at (slot, position). */
void rt_kv_store(const rt_kv_layer *cache, int64_t rows, const int32_t *slot, const int32_t *position, const float *k,
                 const float *v);
/* Copies a whole block; places that hold nothing yet are copied too and never read. */
void rt_kv_copy(const rt_kv_layer *cache, int32_t from_block, int32_t to_block);
/* All of a block becomes zero. */
void rt_kv_clear(const rt_kv_layer *cache, int32_t block);
/* Longest sequence the sampling form takes: a row of scores must fit a thread's scratch. */
enum { RT_DECODE_MAX_KEYS = 1 << 17 };
void rt_attention_decode(const rt_kv_layer *cache, int64_t rows, const int32_t *slot, const int32_t *position,
                         int64_t h, int64_t window, float scale, const float *q, float *out);

/* ---- output head ---------------------------------------------------------------------------------------------- */

/* Log-sum-exp of one row: m + log(lanes(exp(x_j * inv_t - m))), m = max x_j * inv_t. */
float rt_logsumexp(int64_t n, const float *x, float inv_temperature);
/* p_j = exp(x_j * inv_t - lse): the probabilities that rt_token_logprob takes the logarithm of. p may be x. */
void rt_softmax(int64_t n, const float *x, float inv_temperature, float lse, float *p);
/* Entropy of softmax(x * inv_t) in nats: lanes(p_j, -log p_j by fma), log p_j = x_j * inv_t - lse, -log p_j at most
 * 200. */
float rt_entropy(int64_t n, const float *x, float inv_temperature, float lse);
/* log p(token) = x[token] * inv_t - lse: one fmaf-free subtraction, the same in sampler and trainer. */
static inline float rt_token_logprob(const float *x, int64_t token, float inv_temperature, float lse) {
    return x[token] * inv_temperature - lse;
}

/* Linear + cross-entropy over rows of hidden states, in chunks, so that full logits are never stored.
 * For each row t with target[t] >= 0: logp[t] = log p(target[t]) and, if entropy != NULL, entropy[t].
 * Rows with target -1 get logp (and entropy) 0.
 * If weight != NULL it is called once a chunk, rows ascending, to turn logp into coefficient[t] = dLoss/dlogp[t]; its
 * three arrays start at row `first` (index 0 .. count-1), coefficient is zeroed, and only scored rows are read from it;
 * then dhidden[t] = chain over v of (coef * (onehot - softmax) * inv_t) with w (overwritten), and
 * dw[v] accumulates over t ascending. Rows with target -1 get dhidden 0 and are skipped in dw. */
typedef void (*rt_head_weight)(void *context, int64_t first, int64_t count, const float *logp, const float *entropy,
                               float *coefficient);
typedef struct rt_head_args {
    int64_t rows, d, vocab;
    const float *hidden;   /* [rows][d] */
    rt_matrix w;           /* [vocab][d] */
    const int32_t *target; /* [rows], -1 = not scored */
    float inv_temperature;
    float *logp;    /* [rows] out */
    float *entropy; /* [rows] out or NULL */
    rt_head_weight weight;
    void *context;
    float *dhidden; /* [rows][d] or NULL */
    float *dw;      /* [vocab][d], accumulated, or NULL */
    float *scratch; /* rt_head_scratch(vocab) floats */
} rt_head_args;
int64_t rt_head_scratch(int64_t vocab, int64_t d);
/* Scored rows of a chunk: for each chunk the weights are read for both products, and dw is gone through once. */
int64_t rt_head_rows(int64_t vocab);
void rt_head(const rt_head_args *args);

/* ---- optimiser ------------------------------------------------------------------------------------------------ */

/* AdamW (Loshchilov and Hutter 2019), decoupled decay, elementwise, in float, in PyTorch's order of operations:
 * p *= 1 - lr wd;  m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2;  p -= lr/(1-b1^t) * m / (sqrt(v)/sqrt(1-b2^t) + eps)
 * g is grad * grad_scale (clipping and normalisation). lr .. weight_decay are doubles, as in PyTorch: 1 - 0.999f is
 * 1e-5 away from 1 - 0.999. */
typedef struct rt_adamw_args {
    double lr, beta1, beta2, eps, weight_decay;
    float grad_scale;
    double bias1, bias2; /* 1 - beta^t */
} rt_adamw_args;
void rt_adamw(int64_t n, float *p, const float *grad, float *m, float *v, const rt_adamw_args *args);

/* Sum of squares in double, lanes order over fixed blocks: the same for any thread count. */
double rt_sum_squares(int64_t n, const float *x);
/* True if any element is NaN or Inf. */
bool rt_has_nonfinite(int64_t n, const float *x);

#endif
