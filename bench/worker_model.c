/* Training steps of a model folder. */
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/random.h"
#include "train/optimizer.h"
#include "worker.h"
#include "worker_model.h"

static retort_error err;
static rt_model model;
static bool loaded;

rt_model *loaded_model(void) {
    if (!loaded) fail("no model is loaded");
    return &model;
}

void check(retort_status status, const retort_error *why) {
    if (status != RETORT_OK) fail(why->message);
}

void run_load(const words *w) {
    static const char *const forms[] = {"auto", "f32", "bf16", "int8"};
    const char *name = w->count > 2 ? w->word[2] : "auto";
    int form = 0;
    while (form < 4 && strcmp(forms[form], name) != 0) form++;
    if (loaded || w->count < 2 || form == 4) fail("load DIR auto|f32|bf16|int8, once");
    stopwatch watch;
    start(&watch);
    check(rt_model_load_as(w->word[1], (rt_weights_form)form, &model, &err), &err);
    loaded = true;
    answer(&watch, "");
}

/* ---- a training step ---- */

typedef struct training {
    int64_t tokens, length;
    int64_t micro; /* tokens of a micro-batch */
    bool recompute;
    rt_optimizer optimizer;
    rt_workspace *workspace;
    int32_t *ids, *target, *doc_start, *micro_start;
    int64_t docs;
    float *logp;
} training;

/* Documents of `length` tokens, the last one shorter; every token but a document's last predicts the next. */
static void lay(training *t) {
    const int64_t vocab = model.config.vocab_size;
    rt_rng rng = rt_rng_make(1, 1);
    int64_t docs = 0;
    for (int64_t at = 0; at < t->tokens; at += t->length) t->doc_start[docs++] = (int32_t)at;
    t->doc_start[docs] = (int32_t)t->tokens;
    t->docs = docs;
    for (int64_t i = 0; i < t->tokens; i++) t->ids[i] = (int32_t)rt_rng_below(&rng, (uint32_t)vocab);
    for (int64_t i = 0; i < t->tokens; i++) {
        const bool last = i + 1 == t->tokens || (i + 1) % t->length == 0;
        t->target[i] = last ? -1 : t->ids[i + 1];
    }
}

/* As the trainer does: whole documents while they fit into a micro-batch, a longer one alone. */
static void run_micro_batches(training *t, const rt_objective *whole) {
    for (int64_t doc = 0; doc < t->docs;) {
        const int32_t first = t->doc_start[doc];
        int64_t count = 1;
        while (doc + count < t->docs && t->doc_start[doc + count + 1] - first <= t->micro) count++;
        for (int64_t i = 0; i <= count; i++) t->micro_start[i] = t->doc_start[doc + i] - first;
        const rt_batch batch = {t->micro_start[count], t->ids + first, t->target + first, count, t->micro_start};
        rt_objective objective = *whole;
        objective.logp += first;
        check(rt_model_run(&model, t->workspace, &batch, &objective, &t->optimizer.grads, &err), &err);
        doc += count;
    }
}

static void prepare(training *t) {
    const size_t n = (size_t)t->tokens;
    const retort_training_options options = {
        .adam_beta1 = 0.9, .adam_beta2 = 0.95, .adam_epsilon = 1e-8, .weight_decay = 0.01, .max_grad_norm = 1.0};
    const int64_t most = t->micro > t->tokens ? t->tokens : t->micro > t->length ? t->micro : t->length;
    const rt_workspace_shape shape = {.max_tokens = most, .step_tokens = t->tokens, .recompute = t->recompute};
    check(rt_optimizer_create(&model, &options, &t->optimizer, &err), &err);
    check(rt_workspace_create(&model.config, &shape, &t->workspace, &err), &err);
    t->ids = rt_calloc(n, sizeof *t->ids);
    t->target = rt_calloc(n, sizeof *t->target);
    t->doc_start = rt_calloc(n + 1, sizeof *t->doc_start);
    t->micro_start = rt_calloc(n + 1, sizeof *t->micro_start);
    t->logp = rt_calloc(n, sizeof *t->logp);
    if (t->ids == NULL || t->target == NULL || t->doc_start == NULL || t->micro_start == NULL || t->logp == NULL)
        fail("out of memory");
    lay(t);
}

static double keys_of(const training *t) {
    double keys = 0;
    for (int64_t i = 0; i < t->docs; i++) {
        const double n = t->doc_start[i + 1] - t->doc_start[i];
        keys += 0.5 * n * (n + 1);
    }
    return keys;
}

static void weigh(void *context, int64_t first, int64_t count, const float *logp, const float *entropy,
                  float *coefficient) {
    const training *t = context;
    (void)first;
    (void)logp;
    (void)entropy;
    for (int64_t i = 0; i < count; i++) coefficient[i] = -1.0F / (float)t->tokens;
}

void run_step(const words *w) {
    static training t;
    loaded_model();
    rt_compute_set_threads((int)number(w, 3));
    if (t.workspace == NULL) {
        t = (training){.tokens = number(w, 1), .length = number(w, 2), .recompute = number(w, 4) != 0};
        t.micro = w->count > 5 ? number(w, 5) : t.tokens;
        prepare(&t);
    }
    if (t.tokens != number(w, 1) || t.length != number(w, 2)) fail("steps of another size need another process");
    const rt_objective objective = {.inv_temperature = 1, .logp = t.logp, .weight = weigh, .context = &t};
    stopwatch watch;
    double norm;
    start(&watch);
    run_micro_batches(&t, &objective);
    rt_workspace_flush_grads(t.workspace, &t.optimizer.grads);
    check(rt_optimizer_update(&t.optimizer, &model.params, 1e-5, &norm, &err), &err);
    const double tokens = (double)t.tokens, keys = keys_of(&t);
    const double scored = (double)(t.tokens - t.docs);
    double loss = 0;
    for (int64_t i = 0; i < t.tokens; i++) loss -= (double)t.logp[i];
    char extra[256];
    snprintf(extra, sizeof extra, ", \"flops\": %.6g, \"loss\": %.9g, \"parameters\": %lld",
             3 * rt_model_forward_flops(&model.config, tokens, keys, scored), loss / scored,
             (long long)model.params.count);
    answer(&watch, extra);
}
