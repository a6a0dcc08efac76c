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

static int64_t score_stride(int64_t doc) {
    return round_up(doc) + RT_PANEL; /* not a power of two, which would map all rows to one cache set */
}

/* One thread's scratch: panels of keys, rows of values and scores (forward); panels of keys and values, rows of keys,
 * their gradients, D of a head and tiles (backward). In the model's arrays the rows of one head lie G * E or H * E
 * numbers apart, which wastes prefetches and piles them up in few sets of a cache; here they lie one behind the other.
 */
static int64_t thread_scratch(int64_t max_doc, int64_t e) {
    enum { TILES = 2 * RT_QUERY_BLOCK * RT_KEY_BLOCK };
    const int64_t rows = rt_kpanel_floats(max_doc, e);
    const int64_t forward = 2 * rows + RT_ATTENTION_ROWS * score_stride(max_doc);
    const int64_t backward = 5 * rows + round_up(max_doc) + TILES;
    return round_up(forward > backward ? forward : backward);
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

/* What a thread would have if the work of all parts were divided evenly, in squared lengths. */
static double fair_share(const job *j) {
    return (double)j->total * (double)j->g / j->threads;
}

static double work_of(const job *j, int64_t doc) {
    const double length = (double)doc_length(j, doc);
    return length * length;
}

/* Sharing the backward pass of a part costs two products more than its five, so that only a part which would keep the
 * others waiting for longer than that is shared. Forward it costs little. */
static bool is_shared(const job *j, int64_t doc) {
    const double most = (j->dout != NULL ? 7.0 / 5 : 0.5) * fair_share(j);
    return j->threads > 1 && doc_length(j, doc) > SHARED_LENGTH && work_of(j, doc) > most;
}

/* Parts that are begun first, so that none of them is the last to end. */
static bool is_long(const job *j, int64_t doc) {
    return work_of(j, doc) > 0.25 * fair_share(j);
}

/* Scratch of a thread; shared documents keep their keys and values in thread 0's. */
typedef struct area {
    float *k_panels;
    float *v_rows, *scores;                         /* forward */
    float *v_panels, *k_rows, *dk, *dv, *d, *tiles; /* backward */
} area;

static area area_of(const job *j, int thread) {
    const int64_t rows = rt_kpanel_floats(j->max_doc, j->e);
    float *base = j->scratch + thread * thread_scratch(j->max_doc, j->e);
    float *second = base + rows, *third = second + rows;
    if (j->dout == NULL) return (area){.k_panels = base, .v_rows = second, .scores = third};
    return (area){.k_panels = base,
                  .v_panels = second,
                  .k_rows = third,
                  .dk = third + rows,
                  .dv = third + 2 * rows,
                  .d = third + 3 * rows,
                  .tiles = third + 3 * rows + round_up(j->max_doc)};
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

/* Rows of one kv head, as the model has them, one behind the other. */
static void gather_rows(const job *j, const part *p, const float *rows, float *out, int64_t first, int64_t count) {
    const int64_t ld = j->g * j->e;
    if (count > p->length - first) count = p->length - first;
    for (int64_t i = first; i < first + count; i++)
        memcpy(out + i * j->e, rows + (p->token + i) * ld + p->group * j->e, (size_t)j->e * sizeof *out);
}

/* Keys and values of `count` positions as the pass reads them. */
static void pack(const job *j, const part *p, area to, int64_t first, int64_t count) {
    pack_panels(j, p, j->k, to.k_panels, first, count);
    if (j->dout == NULL) {
        gather_rows(j, p, j->v, to.v_rows, first, count);
    } else {
        pack_panels(j, p, j->v, to.v_panels, first, count);
        gather_rows(j, p, j->k, to.k_rows, first, count);
    }
}

/* Each thread of the team packs a share of whole panels. */
static void pack_shared(const job *j, const part *p, area shared) {
    rt_range own = rt_my_share(p->length, RT_PANEL);
    pack(j, p, shared, own.first, own.count);
#pragma omp barrier
}

/* ---- forward ---------------------------------------------------------------------------------------------------- */

static void forward_rows(const job *j, const part *p, int64_t head, int64_t first, int64_t rows, area keys,
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
        .k_panels = {.f32 = keys.k_panels},
        .v = {.f32 = keys.v_rows},
        .ldv = j->e,
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
    pack(j, p, own, 0, p->length);
    for (int64_t i = 0; i < heads; i++) forward_rows(j, p, p->group * heads + i, 0, p->length, own, own.scores);
}

static void forward_shared(const job *j, const part *p) {
    area shared = area_of(j, 0), own = area_of(j, omp_get_thread_num());
    int64_t heads = j->h / j->g, blocks = (p->length + FORWARD_BLOCK - 1) / FORWARD_BLOCK;
    pack_shared(j, p, shared);
#pragma omp for schedule(dynamic)
    for (int64_t task = 0; task < blocks * heads; task++) {
        int64_t first = (blocks - 1 - task / heads) * FORWARD_BLOCK; /* the longest rows first */
        int64_t rows = p->length - first < FORWARD_BLOCK ? p->length - first : FORWARD_BLOCK;
        forward_rows(j, p, p->group * heads + task % heads, first, rows, shared, own.scores);
    }
}

/* ---- backward --------------------------------------------------------------------------------------------------- */

/* What one head of a part needs for any of its blocks. */
static rt_attention_grads head_of(const job *j, const part *p, int64_t head, area keys, area own) {
    const int64_t ld = j->h * j->e, query = p->token * ld + head * j->e;
    return (rt_attention_grads){
        .e = j->e,
        .window = j->window,
        .scale = j->scale,
        .q = j->q + query,
        .dout = j->dout + query,
        .ldq = ld,
        .lse = j->lse + p->token * j->h + head,
        .ldlse = j->h,
        .d = own.d,
        .k_panels = keys.k_panels,
        .v_panels = keys.v_panels,
        .k = keys.k_rows,
        .ldk = j->e,
        .weights = own.tiles,
        .dscores = own.tiles + RT_QUERY_BLOCK * RT_KEY_BLOCK,
    };
}

/* D of the queries i0 .. i1-1. */
static void row_products(const job *j, const part *p, int64_t head, int64_t i0, int64_t i1, float *d) {
    const int64_t ld = j->h * j->e, query = p->token * ld + head * j->e;
    for (int64_t i = i0; i < i1; i++)
        d[i] = rt_kernels->attention->dot(j->e, j->dout + query + i * ld, j->out + query + i * ld);
}

static int64_t block_end(const part *p, int64_t first, int64_t size) {
    return p->length - first < size ? p->length : first + size;
}

/* First key of the first block of keys that a block of queries sees. */
static int64_t first_block(const job *j, int64_t i0) {
    return rt_attention_low(i0, j->window) / RT_KEY_BLOCK * RT_KEY_BLOCK;
}

/* One past the last query that sees a key of j0 .. j1-1. */
static int64_t last_query(const job *j, const part *p, int64_t j1) {
    return j->window < p->length - j1 ? j1 - 1 + j->window : p->length;
}

/* dq of the queries from i0 on, over all keys that they see. */
static void query_block(const job *j, const part *p, int64_t head, int64_t i0, area keys, area own) {
    const int64_t i1 = block_end(p, i0, RT_QUERY_BLOCK), first = first_block(j, i0);
    rt_attention_grads args = head_of(j, p, head, keys, own);
    args.dq = j->dq + p->token * args.ldq + head * j->e;
    row_products(j, p, head, i0, i1, own.d);
    for (int64_t j0 = first; j0 < i1; j0 += RT_KEY_BLOCK) {
        args.start_dq = j0 == first;
        const int64_t j1 = j0 + RT_KEY_BLOCK;
        rt_kernels->attention->backward(&args, i0, i1, j0, j1 < i1 ? j1 : i1);
    }
}

/* dk and dv of the keys j0 .. j1-1 continue over the queries of a head, as far as those see the keys; dq too where args
 * has it. */
static void key_block(const job *j, const part *p, rt_attention_grads *args, int64_t j0, int64_t j1) {
    const int64_t end = last_query(j, p, j1);
    for (int64_t i0 = j0 / RT_QUERY_BLOCK * RT_QUERY_BLOCK; i0 < end; i0 += RT_QUERY_BLOCK) {
        const int64_t i1 = block_end(p, i0, RT_QUERY_BLOCK);
        args->start_dq = j0 == first_block(j, i0);
        rt_kernels->attention->backward(args, i0, i1, j0, j1 < i1 ? j1 : i1);
    }
}

/* The sums of keys j0 .. j1-1 from scratch to where they belong. */
static void scatter_keys(const job *j, const part *p, area own, int64_t j0, int64_t j1) {
    const size_t row = (size_t)j->e * sizeof(float);
    for (int64_t i = j0; i < j1; i++) {
        const int64_t to = ((p->token + i) * j->g + p->group) * j->e, from = i * j->e;
        memcpy(j->dk + to, own.dk + from, row);
        memcpy(j->dv + to, own.dv + from, row);
    }
}

static void clear_keys(const job *j, area own, int64_t j0, int64_t j1) {
    memset(own.dk + j0 * j->e, 0, (size_t)((j1 - j0) * j->e) * sizeof(float));
    memset(own.dv + j0 * j->e, 0, (size_t)((j1 - j0) * j->e) * sizeof(float));
}

static void backward_part(const job *j, const part *p) {
    const area own = area_of(j, omp_get_thread_num());
    const int64_t heads = j->h / j->g;
    pack(j, p, own, 0, p->length);
    clear_keys(j, own, 0, p->length);
    for (int64_t head = p->group * heads; head < (p->group + 1) * heads; head++) {
        rt_attention_grads args = head_of(j, p, head, own, own);
        args.dq = j->dq + p->token * args.ldq + head * j->e;
        args.dk = own.dk;
        args.dv = own.dv;
        row_products(j, p, head, 0, p->length, own.d);
        for (int64_t j0 = 0; j0 < p->length; j0 += RT_KEY_BLOCK)
            key_block(j, p, &args, j0, block_end(p, j0, RT_KEY_BLOCK));
    }
    scatter_keys(j, p, own, 0, p->length);
}

static void backward_shared(const job *j, const part *p) {
    const area shared = area_of(j, 0), own = area_of(j, omp_get_thread_num());
    const int64_t heads = j->h / j->g, first_head = p->group * heads;
    const int64_t query_blocks = (p->length + RT_QUERY_BLOCK - 1) / RT_QUERY_BLOCK;
    const int64_t key_blocks = (p->length + RT_KEY_BLOCK - 1) / RT_KEY_BLOCK;
    pack_shared(j, p, shared);
#pragma omp for schedule(dynamic) nowait
    for (int64_t task = 0; task < query_blocks * heads; task++) {
        int64_t i0 = (query_blocks - 1 - task / heads) * RT_QUERY_BLOCK;
        query_block(j, p, first_head + task % heads, i0, shared, own);
    }
#pragma omp for schedule(dynamic)
    for (int64_t b = 0; b < key_blocks; b++) {
        const int64_t j0 = b * RT_KEY_BLOCK, j1 = block_end(p, j0, RT_KEY_BLOCK);
        clear_keys(j, own, j0, j1);
        for (int64_t i = 0; i < heads; i++) {
            rt_attention_grads args = head_of(j, p, first_head + i, shared, own);
            args.dk = own.dk;
            args.dv = own.dv;
            row_products(j, p, first_head + i, j0, last_query(j, p, j1), own.d);
            key_block(j, p, &args, j0, j1);
        }
        scatter_keys(j, p, own, j0, j1);
    }
}

/* ---- both ------------------------------------------------------------------------------------------------------- */

static part part_of(const job *j, int64_t doc, int64_t group) {
    return (part){j->doc_start[doc], doc_length(j, doc), group};
}

static void run_shared(const job *j, int64_t doc) {
    for (int64_t group = 0; group < j->g; group++) {
        const part p = part_of(j, doc, group);
        if (j->dout != NULL)
            backward_shared(j, &p);
        else
            forward_shared(j, &p);
    }
}

/* Called by every thread of the team. */
static void run_parts(const job *j, bool longer) {
#pragma omp for schedule(dynamic) nowait
    for (int64_t task = 0; task < j->docs * j->g; task++) {
        const int64_t doc = task / j->g;
        if (is_shared(j, doc) || is_long(j, doc) != longer) continue;
        const part p = part_of(j, doc, task % j->g);
        if (j->dout != NULL)
            backward_part(j, &p);
        else
            forward_part(j, &p);
    }
}

static void run(job *j) {
    plan(j);
#pragma omp parallel num_threads(j->threads)
    {
        for (int64_t doc = 0; doc < j->docs; doc++) {
            if (is_shared(j, doc)) run_shared(j, doc);
        }
        run_parts(j, true);
        run_parts(j, false);
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
