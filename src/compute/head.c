/* Linear + cross-entropy in chunks of scored rows.
 *
 * The scored rows of a chunk are gathered, so no product is spent on prompts and padding. Each product is one chain an
 * element, rows keep their order, and dw continues from chunk to chunk: the chunk size changes no bit.
 */
#include <string.h>

#include "compute/kernels_head.h"
#include "compute/parallel.h"

enum {
    LOGITS = 1 << 20,    /* floats of logits that a chunk aims at (4 MiB) */
    MOST_ROWS = 1024,    /* scored rows of a chunk, */
    LEAST_ROWS = 256,    /* whatever the vocabulary: a chunk packs the weights twice and goes through dw once */
    SPAN = 8 * MOST_ROWS /* rows, scored or not, of a chunk */
};

int64_t rt_head_rows(int64_t vocab) {
    int64_t rows = LOGITS / vocab;
    return rows < LEAST_ROWS ? LEAST_ROWS : rows > MOST_ROWS ? MOST_ROWS : rows;
}

float rt_logsumexp(int64_t n, const float *x, float inv_temperature) {
    return rt_kernels->head->logsumexp(n, x, inv_temperature);
}

void rt_softmax(int64_t n, const float *x, float inv_temperature, float lse, float *p) {
    rt_kernels->head->softmax(n, x, inv_temperature, lse, p);
}

float rt_entropy(int64_t n, const float *x, float inv_temperature, float lse) {
    return rt_kernels->head->entropy(n, x, inv_temperature, lse);
}

/* A chunk: rows first .. first+count-1, of which `scored` have a target. */
typedef struct chunk {
    int64_t first, count, scored;
    float *logits;      /* [scored][vocab], then their gradient */
    float *hidden;      /* [scored][d] */
    float *dhidden;     /* [scored][d] */
    float *lse;         /* [scored] */
    float *coefficient; /* [count] */
    int32_t *row;       /* [scored] row of args */
} chunk;

int64_t rt_head_scratch(int64_t vocab, int64_t d) {
    int64_t rows = rt_head_rows(vocab);
    return rows * (vocab + 2 * d + 2) + SPAN;
}

static chunk chunk_make(const rt_head_args *args) {
    int64_t rows = rt_head_rows(args->vocab);
    chunk c = {.logits = args->scratch};
    c.hidden = c.logits + rows * args->vocab;
    c.dhidden = c.hidden + rows * args->d;
    c.lse = c.dhidden + rows * args->d;
    c.coefficient = c.lse + rows;
    c.row = (int32_t *)(void *)(c.coefficient + SPAN);
    return c;
}

/* Takes rows from `first` until the chunk is full. */
static void chunk_gather(const rt_head_args *args, chunk *c, int64_t first) {
    int64_t most = rt_head_rows(args->vocab), t = first;
    c->first = first;
    c->scored = 0;
    for (; t < args->rows && t - first < SPAN && c->scored < most; t++)
        if (args->target[t] >= 0) c->row[c->scored++] = (int32_t)(t - first);
    c->count = t - first;
    for (int64_t i = 0; i < c->scored; i++)
        memcpy(c->hidden + i * args->d, args->hidden + (first + c->row[i]) * args->d,
               (size_t)args->d * sizeof *c->hidden);
}

static void chunk_forward(const rt_head_args *args, chunk *c) {
    float *logp = args->logp + c->first, *entropy = args->entropy != NULL ? args->entropy + c->first : NULL;
    memset(logp, 0, (size_t)c->count * sizeof *logp);
    if (entropy != NULL) memset(entropy, 0, (size_t)c->count * sizeof *entropy);
    if (c->scored == 0) return;
    rt_linear_forward(c->scored, args->vocab, args->d, c->hidden, args->d, args->w, c->logits, args->vocab, false);
#pragma omp parallel for num_threads(rt_threads_for(4 * c->scored * args->vocab))
    for (int64_t i = 0; i < c->scored; i++) {
        const float *row = c->logits + i * args->vocab;
        int64_t t = c->row[i];
        c->lse[i] = rt_kernels->head->logsumexp(args->vocab, row, args->inv_temperature);
        logp[t] = rt_token_logprob(row, args->target[c->first + t], args->inv_temperature, c->lse[i]);
        if (entropy != NULL) entropy[t] = rt_kernels->head->entropy(args->vocab, row, args->inv_temperature, c->lse[i]);
    }
}

static void chunk_backward(const rt_head_args *args, chunk *c) {
    int64_t d = args->d, vocab = args->vocab;
    memset(c->coefficient, 0, (size_t)c->count * sizeof *c->coefficient);
    args->weight(args->context, c->first, c->count, args->logp + c->first,
                 args->entropy != NULL ? args->entropy + c->first : NULL, c->coefficient);
#pragma omp parallel for num_threads(rt_threads_for(4 * c->scored * vocab))
    for (int64_t i = 0; i < c->scored; i++)
        rt_kernels->head->gradient(vocab, c->logits + i * vocab, args->target[c->first + c->row[i]],
                                   c->coefficient[c->row[i]], args->inv_temperature, c->lse[i]);
    if (args->dhidden != NULL) {
        if (c->scored > 0) rt_linear_backward(c->scored, d, vocab, c->logits, vocab, args->w, c->dhidden, d, false);
        memset(args->dhidden + c->first * d, 0, (size_t)(c->count * d) * sizeof *args->dhidden);
        for (int64_t i = 0; i < c->scored; i++)
            memcpy(args->dhidden + (c->first + c->row[i]) * d, c->dhidden + i * d, (size_t)d * sizeof *c->dhidden);
    }
    if (args->dw != NULL && c->scored > 0)
        rt_matmul_tn(vocab, d, c->scored, c->logits, vocab, c->hidden, d, args->dw, d, true);
}

void rt_head(const rt_head_args *args) {
    chunk c = chunk_make(args);
    for (int64_t first = 0; first < args->rows; first += c.count) {
        chunk_gather(args, &c, first);
        chunk_forward(args, &c);
        if (args->weight != NULL) chunk_backward(args, &c);
    }
}
