/* Output head against the oracle, bit for bit, over chunk edges and micro-batch splits. */
#include "compute/mathf.h"
#include "harness.h"
#include "oracle.h"

typedef struct problem {
    int64_t rows, d, vocab;
    float inv_temperature;
    int32_t *target;
    float *hidden, *w, *dw0;
    float *logp, *entropy, *dhidden, *dw; /* the oracle's */
} problem;

/* A weight that depends on the row, logp and entropy, so that a callback with shifted rows is seen. */
static void weight(void *context, int64_t first, int64_t count, const float *logp, const float *entropy,
                   float *coefficient) {
    const problem *p = context;
    for (int64_t i = 0; i < count; i++) {
        assert_true(coefficient[i] == 0.0f);
        if (p->target[first + i] < 0) {
            assert_true(logp[i] == 0.0f);
            coefficient[i] = 77; /* must not be read */
        } else {
            coefficient[i] = 0.25f * logp[i] + (float)((first + i) % 5) + (entropy != NULL ? 0.5f * entropy[i] : 0);
        }
    }
}

static rt_head_args args_of(problem *p) {
    return (rt_head_args){.rows = p->rows,
                          .d = p->d,
                          .vocab = p->vocab,
                          .hidden = p->hidden,
                          .w = {.f32 = (float *)p->w},
                          .target = p->target,
                          .inv_temperature = p->inv_temperature,
                          .weight = weight,
                          .context = p};
}

/* scored: of every 8 rows, on average. */
static problem make(int64_t rows, int64_t d, int64_t vocab, float inv_temperature, uint32_t scored) {
    problem p = {rows, d, vocab, inv_temperature, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL};
    rt_rng rng = rt_rng_make(21, 0);
    p.target = calloc((size_t)rows, sizeof *p.target);
    for (int64_t t = 0; t < rows; t++)
        p.target[t] = rt_rng_below(&rng, 8) < scored ? (int32_t)rt_rng_below(&rng, (uint32_t)vocab) : -1;
    p.hidden = normals(rows * d, 22, 1), p.w = normals(vocab * d, 23, 0.5), p.dw0 = normals(vocab * d, 24, 1);
    p.logp = floats(rows), p.entropy = floats(rows), p.dhidden = floats(rows * d), p.dw = copy_of(p.dw0, vocab * d);
    rt_head_args args = args_of(&p);
    args.logp = p.logp, args.entropy = p.entropy, args.dhidden = p.dhidden, args.dw = p.dw;
    oracle_head(&args);
    return p;
}

static void release(problem *p) {
    free(p->target), free(p->hidden), free(p->w), free(p->dw0), free(p->logp), free(p->entropy), free(p->dhidden);
    free(p->dw);
}

static void check_head(void *context) {
    problem *p = context;
    rt_head_args args = args_of(p);
    args.logp = floats(p->rows), args.entropy = floats(p->rows), args.dhidden = floats(p->rows * p->d);
    args.dw = copy_of(p->dw0, p->vocab * p->d), args.scratch = floats(rt_head_scratch(p->vocab, p->d));
    rt_head(&args);
    same_bits(args.logp, p->logp, p->rows, "logp");
    same_bits(args.entropy, p->entropy, p->rows, "entropy");
    same_bits(args.dhidden, p->dhidden, p->rows * p->d, "dhidden");
    same_bits(args.dw, p->dw, p->vocab * p->d, "dw");
    args.weight = NULL; /* forward only */
    rt_head(&args);
    same_bits(args.logp, p->logp, p->rows, "logp of the forward pass");
    same_bits(args.dw, p->dw, p->vocab * p->d, "dw after a forward pass");
    free(args.logp), free(args.entropy), free(args.dhidden), free(args.dw), free(args.scratch);
}

/* The weight of a micro-batch sees rows from 0 again. */
typedef struct shifted {
    problem *p;
    int64_t first;
} shifted;

static void shifted_weight(void *context, int64_t first, int64_t count, const float *logp, const float *entropy,
                           float *coefficient) {
    const shifted *s = context;
    weight(s->p, s->first + first, count, logp, entropy, coefficient);
}

static void check_micro_batches(void *context) {
    problem *p = context;
    float *logp = floats(p->rows), *entropy = floats(p->rows), *dhidden = floats(p->rows * p->d);
    float *dw = copy_of(p->dw0, p->vocab * p->d), *scratch = floats(rt_head_scratch(p->vocab, p->d));
    static const int64_t CUTS[] = {1, 17, 100};
    int64_t first = 0;
    for (int part = 0; first < p->rows; part++) {
        int64_t rows = CUTS[part % 3] < p->rows - first ? CUTS[part % 3] : p->rows - first;
        shifted s = {p, first};
        rt_head_args args = args_of(p);
        args.rows = rows, args.hidden += first * p->d, args.target += first, args.logp = logp + first;
        args.entropy = entropy + first, args.dhidden = dhidden + first * p->d, args.dw = dw, args.scratch = scratch;
        args.weight = shifted_weight, args.context = &s;
        rt_head(&args);
        first += rows;
    }
    same_bits(logp, p->logp, p->rows, "logp of micro-batches");
    same_bits(dhidden, p->dhidden, p->rows * p->d, "dhidden of micro-batches");
    same_bits(dw, p->dw, p->vocab * p->d, "dw of micro-batches");
    free(logp), free(entropy), free(dhidden), free(dw), free(scratch);
}

static void check_softmax(void *context) {
    (void)context;
    for (int64_t n = 1; n < 100; n += 1 + n / 9) {
        float *x = normals(n, (uint64_t)n, 5);
        for (int t = 0; t < 3; t++) {
            float inv_temperature = t == 0 ? 1.0f : t == 1 ? 0.7f : 3.3f;
            float lse = rt_logsumexp(n, x, inv_temperature), expected = oracle_logsumexp(n, x, inv_temperature);
            same_bits(&lse, &expected, 1, "logsumexp");
            float h = rt_entropy(n, x, inv_temperature, lse), h0 = oracle_entropy(n, x, inv_temperature, lse);
            same_bits(&h, &h0, 1, "entropy");
            float *p = floats(n), *p0 = floats(n);
            for (int64_t j = 0; j < n; j++) p0[j] = rt_expf(x[j] * inv_temperature - lse);
            rt_softmax(n, x, inv_temperature, lse, p);
            same_bits(p, p0, n, "softmax");
            free(p), free(p0);
        }
        free(x);
    }
    /* A token of logit -inf has no share. */
    float x[3] = {1.0f, -1.0f / 0.0f, 1.0f}, h = rt_entropy(3, x, 1.0f, rt_logsumexp(3, x, 1.0f));
    assert_true(h > 0.693f && h < 0.694f);
}

static void softmax(void **state) {
    (void)state;
    each_setting(check_softmax, NULL);
}

static void head(void **state) {
    (void)state;
    problem small[] = {make(1, 5, 3, 1.0f, 8), make(37, 20, 33, 0.8f, 5), make(100, 16, 100, 1.0f, 0)};
    for (int i = 0; i < 3; i++) {
        each_setting(check_head, small + i);
        each_setting(check_micro_batches, small + i);
        release(small + i);
    }
}

/* More rows than a chunk scores, and a run of unscored rows longer than a chunk spans. */
static void chunk_edges(void **state) {
    (void)state;
    problem p = make(1500, 3, 17, 1.0f, 7);
    each_setting(check_head, &p);
    release(&p);
    p = make(20000, 2, 5, 1.0f, 1);
    memset(p.target, 0xFF, 9000 * sizeof *p.target);
    memcpy(p.dw, p.dw0, (size_t)(p.vocab * p.d) * sizeof *p.dw);
    rt_head_args args = args_of(&p);
    args.logp = p.logp, args.entropy = p.entropy, args.dhidden = p.dhidden, args.dw = p.dw;
    oracle_head(&args);
    each_setting(check_head, &p);
    release(&p);
    p = make(330, 4, 40000, 1.0f, 7); /* a vocabulary that leaves the fewest rows a chunk */
    each_setting(check_head, &p);
    release(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(softmax), cmocka_unit_test(head),
                                       cmocka_unit_test(chunk_edges)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
