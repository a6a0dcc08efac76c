/* Training attention: packing, the split over threads.
 *
 * A task is one (document, kv head) with all the query heads of the group. A document that alone would keep one thread
 * busy while others wait is shared: forward by blocks of queries, backward by blocks of queries for dq and then, with
 * the scores computed again, by blocks of keys for dk and dv. Either way each output element is one chain of one
 * thread, and bits do not depend on the split.
 */
#include <omp.h>
#include <string.h>

#include "compute/kernels_attention.h"
#include "compute/kernels_gemm.h"
#include "compute/parallel.h"

enum {
    FORWARD_BLOCK = 64,  /* queries of one piece of a shared document */
    SHARED_LENGTH = 256, /* shorter documents are never shared */
    LEAST_THREADS = 4    /* scratch is laid out for at least so many threads */
};

static int64_t round_up(int64_t n) {
    return (n + RT_PANEL - 1) / RT_PANEL * RT_PANEL;
}

int64_t rt_kpanel_floats(int64_t capacity, int64_t e) {
    return round_up(capacity) * e;
}

/* The same number for the whole life of the process, so that rt_attention_scratch and the passes agree. */
static int most_threads(void) {
    static int most;
    int found;
#pragma omp atomic read
    found = most;
    if (found == 0) {
        found = omp_get_num_procs() > LEAST_THREADS ? omp_get_num_procs() : LEAST_THREADS;
#pragma omp atomic write
        most = found;
    }
    return found;
}

/* One thread's scratch: key panels, value panels, then scores (forward) or tiles (backward). */
static int64_t score_stride(int64_t doc) {
    return round_up(doc) + RT_PANEL; /* not a power of two, which would map all rows to one cache set */
}

static int64_t thread_scratch(int64_t max_doc, int64_t e) {
    int64_t scores = RT_ATTENTION_ROWS * score_stride(max_doc);
    int64_t tiles = 2 * RT_QUERY_BLOCK * RT_KEY_BLOCK + RT_QUERY_BLOCK;
    return round_up(2 * rt_kpanel_floats(max_doc, e) + (scores > tiles ? scores : tiles));
}

int64_t rt_attention_scratch(int64_t max_doc, int64_t e) {
    return most_threads() * thread_scratch(max_doc, e);
}

typedef struct job {
    int64_t docs;
    const int32_t *doc_start;
    int64_t h, g, e, window; /* window INT64_MAX: none */
    float scale;
    const float *q, *k, *v;
    float *out, *lse;  /* written forward, read backward */
    const float *dout; /* NULL forward */
    float *dq, *dk, *dv;
    float *scratch;
    int64_t max_doc, total; /* longest document; sum of squared lengths */
    int threads;
} job;

static int64_t doc_length(const job *j, int64_t doc) {
    return j->doc_start[doc + 1] - j->doc_start[doc];
}

static void plan(job *j) {
    int64_t tokens = 0;
    j->max_doc = 0;
    j->total = 0;
    for (int64_t doc = 0; doc < j->docs; doc++) {
        int64_t length = doc_length(j, doc);
        tokens += length;
        j->total += length * length;
        if (length > j->max_doc) j->max_doc = length;
    }
    j->threads = rt_threads_for((j->total + tokens) * j->h * j->e);
    if (j->threads > most_threads()) j->threads = most_threads();
}

static bool is_shared(const job *j, int64_t doc) {
    int64_t length = doc_length(j, doc);
    return j->threads > 1 && length > SHARED_LENGTH && length * length > j->total / (2 * j->threads);
}

/* Scratch of a thread; shared documents keep their panels in thread 0's. */
typedef struct area {
    float *k_panels, *v_panels, *rest;
} area;

static area area_of(const job *j, int thread) {
    int64_t panels = rt_kpanel_floats(j->max_doc, j->e);
    float *base = j->scratch + thread * thread_scratch(j->max_doc, j->e);
    return (area){base, base + panels, base + 2 * panels};
}

/* One (document, kv head). */
typedef struct part {
    int64_t token, length, group; /* first token, tokens, kv head */
} part;

static void pack_panels(const job *j, const part *p, const float *rows, float *panels, int64_t first, int64_t count) {
    int64_t ld = j->g * j->e;
    if (count > p->length - first) count = p->length - first;
    if (count <= 0) return;
    rt_kernels->gemm->pack_bt(count, j->e, rows + (p->token + first) * ld + p->group * j->e, ld, panels + first * j->e,
                              j->e * RT_PANEL);
}

/* Each thread of the team packs a share of whole panels. */
static void pack_shared(const job *j, const part *p, area shared) {
    rt_range own = rt_my_share(p->length, RT_PANEL);
    pack_panels(j, p, j->k, shared.k_panels, own.first, own.count);
    if (j->dout != NULL) pack_panels(j, p, j->v, shared.v_panels, own.first, own.count);
#pragma omp barrier
}

/* ---- forward ---------------------------------------------------------------------------------------------------- */

static void forward_rows(const job *j, const part *p, int64_t head, int64_t first, int64_t rows, const float *k_panels,
                         float *scores) {
    int64_t ld = j->h * j->e, token = p->token + first;
    rt_kernels->attention->forward(&(rt_attention_rows){
        .e = j->e,
        .window = j->window,
        .scale = j->scale,
        .rows = rows,
        .first = first,
        .step = 1,
        .q = j->q + token * ld + head * j->e,
        .ldq = ld,
        .k_panels = {.f32 = k_panels},
        .v = {.f32 = j->v + p->token * j->g * j->e + p->group * j->e},
        .ldv = j->g * j->e,
        .out = j->out + token * ld + head * j->e,
        .ldout = ld,
        .lse = j->lse + token * j->h + head,
        .ldlse = j->h,
        .scores = scores,
        .ld_scores = score_stride(p->length),
        .tile_rows = RT_ATTENTION_ROWS,
    });
}

static void forward_part(const job *j, const part *p) {
    area own = area_of(j, omp_get_thread_num());
    int64_t heads = j->h / j->g;
    pack_panels(j, p, j->k, own.k_panels, 0, p->length);
    for (int64_t i = 0; i < heads; i++) forward_rows(j, p, p->group * heads + i, 0, p->length, own.k_panels, own.rest);
}

static void forward_shared(const job *j, const part *p) {
    area shared = area_of(j, 0), own = area_of(j, omp_get_thread_num());
    int64_t heads = j->h / j->g, blocks = (p->length + FORWARD_BLOCK - 1) / FORWARD_BLOCK;
    pack_shared(j, p, shared);
#pragma omp for schedule(dynamic)
    for (int64_t task = 0; task < blocks * heads; task++) {
        int64_t first = (blocks - 1 - task / heads) * FORWARD_BLOCK; /* the longest rows first */
        int64_t rows = p->length - first < FORWARD_BLOCK ? p->length - first : FORWARD_BLOCK;
        forward_rows(j, p, p->group * heads + task % heads, first, rows, shared.k_panels, own.rest);
    }
}

/* ---- backward --------------------------------------------------------------------------------------------------- */

/* Queries i0 .. i1-1 against the keys j0 .. j1-1 (clipped to what they see), block by block of keys. */
static void backward_rows(const job *j, const part *p, int64_t head, int64_t i0, int64_t j0, int64_t j1, area panels,
                          float *tiles, bool queries, bool keys) {
    int64_t ld = j->h * j->e, ldk = j->g * j->e, query = p->token * ld + head * j->e;
    int64_t key = p->token * ldk + p->group * j->e;
    int64_t i1 = p->length - i0 < RT_QUERY_BLOCK ? p->length : i0 + RT_QUERY_BLOCK;
    float *weights = tiles, *dscores = weights + RT_QUERY_BLOCK * RT_KEY_BLOCK;
    float *d = dscores + RT_QUERY_BLOCK * RT_KEY_BLOCK;
    for (int64_t i = i0; i < i1; i++)
        d[i - i0] = rt_kernels->attention->dot(j->e, j->dout + query + i * ld, j->out + query + i * ld);
    rt_attention_grads args = {
        .e = j->e,
        .window = j->window,
        .start_dq = true,
        .scale = j->scale,
        .q = j->q + query,
        .dout = j->dout + query,
        .ldq = ld,
        .lse = j->lse + p->token * j->h + head,
        .d = d,
        .ldlse = j->h,
        .k_panels = panels.k_panels,
        .v_panels = panels.v_panels,
        .k = j->k + key,
        .ldk = ldk,
        .dq = queries ? j->dq + query : NULL,
        .dk = keys ? j->dk + key : NULL,
        .dv = keys ? j->dv + key : NULL,
        .weights = weights,
        .dscores = dscores,
    };
    if (j1 > i1) j1 = i1;
    int64_t seen = rt_attention_low(i0, j->window) / RT_KEY_BLOCK * RT_KEY_BLOCK;
    for (j0 = j0 > seen ? j0 : seen; j0 < j1; j0 += RT_KEY_BLOCK) {
        rt_kernels->attention->backward(&args, i0, i1, j0, j1 - j0 < RT_KEY_BLOCK ? j1 : j0 + RT_KEY_BLOCK);
        args.start_dq = false;
    }
}

/* dk and dv of keys j0 .. j1-1 start at 0. */
static void clear_keys(const job *j, const part *p, int64_t j0, int64_t j1) {
    for (int64_t i = j0; i < j1; i++) {
        int64_t at = ((p->token + i) * j->g + p->group) * j->e;
        memset(j->dk + at, 0, (size_t)j->e * sizeof *j->dk);
        memset(j->dv + at, 0, (size_t)j->e * sizeof *j->dv);
    }
}

static void backward_part(const job *j, const part *p) {
    area own = area_of(j, omp_get_thread_num());
    int64_t heads = j->h / j->g;
    pack_panels(j, p, j->k, own.k_panels, 0, p->length);
    pack_panels(j, p, j->v, own.v_panels, 0, p->length);
    clear_keys(j, p, 0, p->length);
    for (int64_t i = 0; i < heads; i++)
        for (int64_t i0 = 0; i0 < p->length; i0 += RT_QUERY_BLOCK)
            backward_rows(j, p, p->group * heads + i, i0, 0, p->length, own, own.rest, true, true);
}

static void backward_shared(const job *j, const part *p) {
    area shared = area_of(j, 0), own = area_of(j, omp_get_thread_num());
    int64_t heads = j->h / j->g, first_head = p->group * heads;
    int64_t query_blocks = (p->length + RT_QUERY_BLOCK - 1) / RT_QUERY_BLOCK;
    int64_t key_blocks = (p->length + RT_KEY_BLOCK - 1) / RT_KEY_BLOCK;
    pack_shared(j, p, shared);
#pragma omp for schedule(dynamic) nowait
    for (int64_t task = 0; task < query_blocks * heads; task++) {
        int64_t i0 = (query_blocks - 1 - task / heads) * RT_QUERY_BLOCK;
        backward_rows(j, p, first_head + task % heads, i0, 0, p->length, shared, own.rest, true, false);
    }
#pragma omp for schedule(dynamic)
    for (int64_t b = 0; b < key_blocks; b++) {
        int64_t j0 = b * RT_KEY_BLOCK, j1 = p->length - j0 < RT_KEY_BLOCK ? p->length : j0 + RT_KEY_BLOCK;
        int64_t end = j->window < p->length - j1 ? j1 - 1 + j->window : p->length; /* of the queries that see them */
        clear_keys(j, p, j0, j1);
        for (int64_t i = 0; i < heads; i++)
            for (int64_t i0 = j0; i0 < end; i0 += RT_QUERY_BLOCK)
                backward_rows(j, p, first_head + i, i0, j0, j1, shared, own.rest, false, true);
    }
}

/* ---- both ------------------------------------------------------------------------------------------------------- */

static part part_of(const job *j, int64_t doc, int64_t group) {
    return (part){j->doc_start[doc], doc_length(j, doc), group};
}

static void run(job *j) {
    plan(j);
#pragma omp parallel num_threads(j->threads)
    {
        for (int64_t doc = 0; doc < j->docs; doc++) {
            if (!is_shared(j, doc)) continue;
            for (int64_t group = 0; group < j->g; group++) {
                part p = part_of(j, doc, group);
                if (j->dout != NULL)
                    backward_shared(j, &p);
                else
                    forward_shared(j, &p);
            }
        }
#pragma omp for schedule(dynamic)
        for (int64_t task = 0; task < j->docs * j->g; task++) {
            int64_t doc = task / j->g;
            if (is_shared(j, doc)) continue;
            part p = part_of(j, doc, task % j->g);
            if (j->dout != NULL)
                backward_part(j, &p);
            else
                forward_part(j, &p);
        }
    }
}

static int64_t window_of(int64_t window) {
    return window > 0 ? window : INT64_MAX;
}

void rt_attention_forward(int64_t docs, const int32_t *doc_start, int64_t h, int64_t g, int64_t e, int64_t window,
                          float scale, const float *q, const float *k, const float *v, float *out, float *lse,
                          float *scratch) {
    run(&(job){.docs = docs,
               .doc_start = doc_start,
               .h = h,
               .g = g,
               .e = e,
               .window = window_of(window),
               .scale = scale,
               .q = q,
               .k = k,
               .v = v,
               .out = out,
               .lse = lse,
               .scratch = scratch});
}

void rt_attention_backward(int64_t docs, const int32_t *doc_start, int64_t h, int64_t g, int64_t e, int64_t window,
                           float scale, const float *q, const float *k, const float *v, const float *out,
                           const float *lse, const float *dout, float *dq, float *dk, float *dv, float *scratch) {
    run(&(job){.docs = docs,
               .doc_start = doc_start,
               .h = h,
               .g = g,
               .e = e,
               .window = window_of(window),
               .scale = scale,
               .q = q,
               .k = k,
               .v = v,
               .out = (float *)out,
               .lse = (float *)lse,
               .dout = dout,
               .dq = dq,
               .dk = dk,
               .dv = dv,
               .scratch = scratch});
}
