#include "model/calibrate.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "core/progress.h"
#include "model/lora.h"

enum {
    LAYER_FLOATS = 1 << 24, /* at most, of the measured layer: a wide feed-forward block is cut */
    HEAD_FLOATS = 1 << 22,  /* of the measured part of the vocabulary */
    SHORT = 16,             /* tokens of a document without much attention */
    FEWEST = 64,
    MOST = 1024, /* tokens of a pass */
    PREFIX = 64, /* positions that decoding starts behind */
    REPEATS = 2,
    DECODE_STEPS = 4
};
#define PASS_FLOPS 1.2e10

/* ---- a small model of the same shape ---- */

static double layer_flops(const rt_config *c) {
    return rt_model_forward_flops(c, 1, 0, 0) / (double)c->num_hidden_layers;
}

static int64_t layer_floats(const rt_config *c) {
    return (int64_t)(layer_flops(c) / 2);
}

static rt_config one_layer(const rt_config *config) {
    rt_config small = *config;
    small.num_hidden_layers = 1;
    small.tie_word_embeddings = false;
    int64_t vocab = HEAD_FLOATS / small.hidden_size;
    small.vocab_size = vocab < 256 ? 256 : vocab;
    if (small.vocab_size > config->vocab_size) small.vocab_size = config->vocab_size;
    while (layer_floats(&small) > LAYER_FLOATS && small.intermediate_size > 1024) small.intermediate_size /= 2;
    small.num_eos = 0;
    small.bos_token_id = small.pad_token_id = -1;
    return small;
}

/* ---- training ---- */

typedef struct bench {
    rt_model model;
    rt_params grads;
    rt_workspace *workspace;
    int32_t *ids, *target, *doc_start;
    float *logp;
    int64_t tokens;
} bench;

static void release(bench *b) {
    rt_model_release(&b->model);
    rt_params_release(&b->grads);
    rt_workspace_destroy(b->workspace);
    rt_free(b->ids);
    rt_free(b->target);
    rt_free(b->doc_start);
    rt_free(b->logp);
}

static retort_status create(bench *b, const rt_config *config, const rt_lora_config *lora, bool recompute,
                            retort_error *err) {
    double tokens = PASS_FLOPS / (3 * layer_flops(config));
    b->tokens = tokens < FEWEST ? FEWEST : tokens > MOST ? MOST : (int64_t)tokens / SHORT * SHORT;
    if (b->tokens > rt_config_context(config)) b->tokens = rt_config_context(config) / SHORT * SHORT;
    if (b->tokens < SHORT) b->tokens = SHORT;
    const size_t n = (size_t)b->tokens;
    rt_config floats = *config;
    floats.weights_dtype = RT_DTYPE_F32;
    b->model.config = *config;
    RT_TRY(rt_params_create(config, &b->model.params, err));
    if (lora != NULL) RT_TRY(rt_lora_create(config, lora, &b->model.lora, err));
    RT_TRY(lora != NULL ? rt_lora_like(b->model.lora, &b->grads, err) : rt_params_create(&floats, &b->grads, err));
    const rt_workspace_shape shape = {
        .max_tokens = b->tokens, .recompute = recompute, .lora_r = lora != NULL ? lora->r : 0};
    RT_TRY(rt_workspace_create(config, &shape, &b->workspace, err));
    b->ids = rt_calloc(n, sizeof *b->ids);
    b->target = rt_calloc(n, sizeof *b->target);
    b->doc_start = rt_calloc(n + 1, sizeof *b->doc_start);
    b->logp = rt_calloc(n, sizeof *b->logp);
    RT_CHECK(b->ids != NULL && b->target != NULL && b->doc_start != NULL && b->logp != NULL, err, RETORT_ERR_MEMORY,
             "out of memory: measuring %zu tokens", n);
    return RETORT_OK;
}

static void weigh(void *context, int64_t first, int64_t count, const float *logp, const float *entropy,
                  float *coefficient) {
    (void)context;
    (void)first;
    (void)logp;
    (void)entropy;
    for (int64_t i = 0; i < count; i++) coefficient[i] = -1;
}

/* The best of some passes over documents of `length` tokens; of each the last token is scored, or all. */
static retort_status time_pass(bench *b, int64_t length, bool all, double *seconds, retort_error *err) {
    const int64_t docs = b->tokens / length;
    for (int64_t t = 0; t < b->tokens; t++) b->target[t] = all || t % length == length - 1 ? 1 : -1;
    for (int64_t i = 0; i <= docs; i++) b->doc_start[i] = (int32_t)(i * length);
    const rt_batch batch = {
        .tokens = docs * length, .ids = b->ids, .target = b->target, .docs = docs, .doc_start = b->doc_start};
    const rt_objective objective = {.inv_temperature = 1, .logp = b->logp, .weight = weigh};
    *seconds = INFINITY;
    for (int i = 0; i <= REPEATS; i++) { /* the first pass touches memory for the first time */
        double began = rt_now();
        RT_TRY(rt_model_run(&b->model, b->workspace, &batch, &objective, &b->grads, err));
        double took = rt_now() - began;
        if (i > 0 && took < *seconds) *seconds = took;
    }
    return RETORT_OK;
}

/* Weights, gradient and moments stand for those of a whole model: what matters is that they do not stay in a cache. */
static retort_status time_update(double *parameter, retort_error *err) {
    enum { N = 1 << 22 };
    float *block = rt_aligned_alloc(4 * (size_t)N, sizeof *block);
    RT_CHECK(block != NULL, err, RETORT_ERR_MEMORY, "out of memory: measuring an update");
    memset(block, 0, 4 * (size_t)N * sizeof *block);
    const rt_adamw_args args = {
        .lr = 1e-3, .beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8, .grad_scale = 1, .bias1 = 0.1, .bias2 = 0.01};
    double began = rt_now();
    (void)rt_sum_squares(N, block + N);
    rt_adamw(N, block, block + N, block + 2 * (size_t)N, block + 3 * (size_t)N, &args);
    memset(block + N, 0, N * sizeof *block);
    *parameter = (rt_now() - began) / N;
    rt_free(block);
    return RETORT_OK;
}

static retort_status measure(bench *b, const rt_config *config, rt_training_speed *out, retort_error *err) {
    double brief = 0, whole = 0, scored = 0;
    RT_TRY(time_pass(b, SHORT, false, &brief, err));
    RT_TRY(time_pass(b, b->tokens, false, &whole, err));
    RT_TRY(time_pass(b, SHORT, true, &scored, err));
    const double n = (double)b->tokens, few = n * (SHORT + 1) / 2, many = n * (n + 1) / 2;
    out->key = many > few ? fmax(0, (whole - brief) / (many - few)) : 0;
    out->token = fmax(0, brief - out->key * few) / n * layer_flops(config) / layer_flops(&b->model.config);
    const double vocab = (double)config->vocab_size / (double)b->model.config.vocab_size;
    out->scored = fmax(0, scored - brief) / (n - n / SHORT) * vocab;
    return time_update(&out->parameter, err);
}

retort_status rt_calibrate_training(const rt_config *config, const rt_lora_config *lora, bool recompute,
                                    rt_training_speed *out, retort_error *err) {
    bench b = {0};
    const rt_config small = one_layer(config);
    *out = (rt_training_speed){0};
    RT_TRY(rt_compute_init(err));
    retort_status st = create(&b, &small, lora, recompute, err);
    if (st == RETORT_OK) st = measure(&b, config, out, err);
    release(&b);
    return st;
}

double rt_training_seconds(const rt_training_speed *speed, const rt_config *config, double tokens, double keys,
                           double scored) {
    return (double)config->num_hidden_layers * (tokens * speed->token + keys * speed->key) + scored * speed->scored;
}

/* ---- decoding ---- */

typedef struct decoding {
    rt_decoder *decoder;
    int32_t *slot, *position, *ids;
    bool *want;
    float *logits;
} decoding;

static retort_status run_steps(decoding *d, int64_t slots, double *seconds, retort_error *err) {
    for (int64_t i = 0; i < PREFIX; i++) d->position[i] = (int32_t)i;
    RT_TRY(rt_decoder_step(d->decoder, PREFIX, d->slot, d->position, d->ids, d->want, d->logits, err));
    for (int32_t s = 1; s < slots; s++) RT_TRY(rt_decoder_copy_prefix(d->decoder, 0, s, PREFIX));
    *seconds = INFINITY;
    for (int step = 0; step < DECODE_STEPS; step++) {
        for (int64_t s = 0; s < slots; s++) {
            d->slot[s] = (int32_t)s;
            d->position[s] = PREFIX + step;
            d->want[s] = true;
        }
        double began = rt_now();
        RT_TRY(rt_decoder_step(d->decoder, slots, d->slot, d->position, d->ids, d->want, d->logits, err));
        *seconds = fmin(*seconds, rt_now() - began);
    }
    return RETORT_OK;
}

static retort_status time_decoding(const rt_config *small, int64_t slots, double *seconds, retort_error *err) {
    rt_model model = {.config = *small};
    decoding d = {0};
    const int64_t rows = slots > PREFIX ? slots : PREFIX;
    const size_t n = (size_t)rows;
    retort_status st = rt_params_create(small, &model.params, err);
    if (st == RETORT_OK) st = rt_decoder_create(&model, slots, PREFIX + DECODE_STEPS, rows, &d.decoder, err);
    d.slot = rt_calloc(n, sizeof *d.slot);
    d.position = rt_calloc(n, sizeof *d.position);
    d.ids = rt_calloc(n, sizeof *d.ids);
    d.want = rt_calloc(n, sizeof *d.want);
    d.logits = rt_calloc((size_t)slots * (size_t)small->vocab_size, sizeof *d.logits);
    bool ok = d.slot != NULL && d.position != NULL && d.ids != NULL && d.want != NULL && d.logits != NULL;
    if (st == RETORT_OK && !ok) st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: measuring %zu rows", n);
    if (st == RETORT_OK) st = run_steps(&d, slots, seconds, err);
    rt_decoder_destroy(d.decoder);
    rt_model_release(&model);
    rt_free(d.slot);
    rt_free(d.position);
    rt_free(d.ids);
    rt_free(d.want);
    rt_free(d.logits);
    return st;
}

retort_status rt_calibrate_decoding(const rt_config *config, int64_t slots, double *seconds, retort_error *err) {
    enum { MANY = 128 };
    rt_config small = one_layer(config);
    *seconds = 0;
    RT_TRY(rt_compute_init(err));
    if (slots > MANY) slots = MANY; /* no cheaper a token beyond that */
    /* As many layers as keep the weights out of a cache that the whole model would not fit into. */
    int64_t layers = LAYER_FLOATS / layer_floats(&small);
    small.num_hidden_layers = layers < 1 ? 1 : layers > config->num_hidden_layers ? config->num_hidden_layers : layers;
    double took = 0, count = (double)slots;
    RT_TRY(time_decoding(&small, slots, &took, err));
    *seconds = took / rt_model_forward_flops(&small, count, count * (PREFIX + DECODE_STEPS), count);
    return RETORT_OK;
}
