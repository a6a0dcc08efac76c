/* Table of the attention kernels of one instruction set; attention.c packs keys, splits the work and calls them.
 *
 * All arguments concern one (document or sequence, kv head). Positions count from the document's first token, and
 * every row pointer is that of position 0. Key panel b holds keys 16b .. 16b+15 as [e][16].
 */
#ifndef RT_COMPUTE_KERNELS_ATTENTION_H
#define RT_COMPUTE_KERNELS_ATTENTION_H

#include "compute/kernels.h"

enum {
    RT_ATTENTION_ROWS = 12, /* most query rows of a tile */
    /* Blocks of the backward pass. Multiples of every tile height (6 and 12) and of 16; keys are a multiple of queries,
     * so that the diagonal crosses a tile only where both its ends lie inside the block. */
    RT_QUERY_BLOCK = 96,
    RT_KEY_BLOCK = 192
};

/* Keys or values: floats, or bfloat16 (one of the two). */
typedef struct rt_kv_source {
    const float *f32;
    const uint16_t *half;
} rt_kv_source;

/* Forward: `rows` rows of queries; row r is at position first + r * step (step 0 or 1). */
typedef struct rt_attention_rows {
    int64_t e;
    int64_t window; /* keys a query sees, itself included; INT64_MAX: all */
    float scale;
    int64_t rows, first;
    int step;
    const float *q; /* row r at q + r * ldq */
    int64_t ldq;
    rt_kv_source k_panels;
    rt_kv_source v; /* position j at v + j * ldv */
    int64_t ldv;
    /* NULL: panels and values lie one behind the other. Otherwise those of positions RT_KV_BLOCK b and on are found at
     * k_panels + blocks[b] * k_stride and v + blocks[b] * v_stride. */
    const int32_t *blocks;
    int64_t k_stride, v_stride;
    float *out; /* row r at out + r * ldout */
    int64_t ldout;
    float *lse; /* row r at lse + r * ldlse; NULL: not wanted */
    int64_t ldlse;
    float *scores; /* scratch, tile_rows rows of ld_scores >= rt_attention_span of the last position */
    int64_t ld_scores;
    int64_t tile_rows; /* 1 .. RT_ATTENTION_ROWS: how many rows the scratch has room for */
} rt_attention_rows;

/* First key that a query at a position sees. */
static inline int64_t rt_attention_low(int64_t position, int64_t window) {
    return position < window ? 0 : position - window + 1;
}

/* Room for a row of scores: whole panels from that of the tile's first key on, for tiles up to a last position. */
static inline int64_t rt_attention_span(int64_t last, int64_t window) {
    const int64_t keys = last - window < RT_ATTENTION_ROWS ? last + 1 : window + RT_ATTENTION_ROWS + 15;
    return (keys + 15) / 16 * 16;
}

/* Backward of one query head, for the queries i0 .. i1-1 against the keys j0 .. j1-1. */
typedef struct rt_attention_grads {
    int64_t e;
    int64_t window; /* as above */
    float scale;
    const float *q, *dout; /* position i at + i * ldq */
    int64_t ldq;
    const float *lse, *d; /* position i at lse + i * ldlse, d + i; d = lanes(dout * out) */
    int64_t ldlse;
    const float *k_panels, *v_panels;
    const float *k; /* position j at + j * ldk, as dk and dv */
    int64_t ldk;
    bool start_dq;            /* the first block of keys that the queries meet */
    float *dq, *dk, *dv;      /* dq NULL: not wanted; dk NULL: neither dk nor dv wanted */
    float *weights, *dscores; /* scratch, RT_QUERY_BLOCK x RT_KEY_BLOCK each */
} rt_attention_grads;

struct rt_attention_kernels {
    void (*forward)(const rt_attention_rows *args);
    /* dq is started if start_dq and continued otherwise; dk and dv are continued. */
    void (*backward)(const rt_attention_grads *args, int64_t i0, int64_t i1, int64_t j0, int64_t j1);
    /* lanes(a_j * b_j). */
    float (*dot)(int64_t n, const float *a, const float *b);
};

#endif
