/* The whole model against PyTorch and transformers (golden/make_golden.py): logits, loss, gradients, ten AdamW steps.
 *
 * Measure: the largest difference in a tensor over the largest magnitude in it, at most 1e-5. Both sides are float32,
 * each with its own order of sums. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

typedef struct golden {
    char *bytes;
    int32_t docs, tokens, steps;
    rt_config config;
    double lr, beta1, beta2, eps, decay;
    const int32_t *doc_start, *ids, *target;
    const float *weights, *logits, *loss, *grads, *final;
} golden;

static const void *take(const char **at, size_t bytes) {
    const void *piece = *at;
    *at += bytes;
    return piece;
}

static char *read_all(const char *name) {
    const char *dir = getenv("RETORT_TEST_GOLDEN");
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir != NULL ? dir : "tests/model/golden", name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) fail_msg("cannot open '%s'", path);
    char *bytes = calloc(1 << 19, 1);
    assert_true(fread(bytes, 1, 1 << 19, file) > 144);
    fclose(file);
    assert_memory_equal(bytes, "RTGOLD1\n", 8);
    return bytes;
}

static golden golden_open(const char *name) {
    golden g = {.bytes = read_all(name)};
    const char *at = g.bytes + 8;
    const int32_t *n = take(&at, 12 * sizeof *n);
    double real[7];
    memcpy(real, take(&at, sizeof real), sizeof real);
    g.config = (rt_config){.vocab_size = n[0],
                           .hidden_size = n[1],
                           .intermediate_size = n[2],
                           .num_hidden_layers = n[3],
                           .num_attention_heads = n[4],
                           .num_key_value_heads = n[5],
                           .head_dim = n[6],
                           .tie_word_embeddings = n[7] != 0,
                           .max_position_embeddings = n[8],
                           .qkv_bias = true,
                           .bos_token_id = -1,
                           .pad_token_id = -1,
                           .rope = {.theta = real[0]},
                           .rms_norm_eps = real[1]};
    g.docs = n[9];
    g.tokens = n[10];
    g.steps = n[11];
    g.lr = real[2];
    g.beta1 = real[3];
    g.beta2 = real[4];
    g.eps = real[5];
    g.decay = real[6];
    g.doc_start = take(&at, (size_t)(g.docs + 1) * 4);
    g.ids = take(&at, (size_t)g.tokens * 4);
    g.target = take(&at, (size_t)g.tokens * 4);
    rt_params shape;
    must(rt_params_create(&g.config, &shape, NULL), &(retort_error){0});
    const size_t count = (size_t)shape.count * 4;
    rt_params_release(&shape);
    g.weights = take(&at, count);
    g.logits = take(&at, (size_t)g.tokens * (size_t)g.config.vocab_size * 4);
    g.loss = take(&at, (size_t)g.steps * 4);
    g.grads = take(&at, count);
    g.final = take(&at, count);
    return g;
}

static void assert_close(const char *what, const float *got, const float *want, int64_t count) {
    double difference = 0, size = 0;
    for (int64_t i = 0; i < count; i++) {
        assert_true(isfinite(got[i]));
        difference = fmax(difference, fabs((double)got[i] - (double)want[i]));
        size = fmax(size, fabs((double)want[i]));
    }
    if (getenv("RETORT_TEST_VERBOSE") != NULL) print_message("# %-50s %.2e\n", what, difference / size);
    if (difference > 1e-5 * size) fail_msg("%s: off by %.3e of its size %.3e", what, difference / size, size);
}

static void assert_params_close(const rt_params *got, const float *want) {
    for (int64_t i = 0; i < got->num_tensors; i++) {
        const rt_tensor *tensor = &got->tensors[i];
        assert_close(tensor->name, got->data + tensor->offset, want + tensor->offset, tensor->count);
    }
}

/* Mean cross-entropy over scored tokens. */
typedef struct mean_loss {
    float coefficient;
} mean_loss;

static void weigh(void *context, int64_t first, int64_t count, const float *logp, const float *entropy,
                  float *coefficient) {
    const mean_loss *loss = context;
    (void)first;
    (void)logp;
    (void)entropy;
    for (int64_t i = 0; i < count; i++) coefficient[i] = loss->coefficient;
}

static void adamw_step(const golden *g, int step, rt_params *p, const rt_params *grads, rt_params *m, rt_params *v) {
    rt_adamw_args args = {.lr = (float)g->lr,
                          .beta1 = (float)g->beta1,
                          .beta2 = (float)g->beta2,
                          .eps = (float)g->eps,
                          .grad_scale = 1.0F,
                          .bias1 = 1 - pow(g->beta1, step),
                          .bias2 = 1 - pow(g->beta2, step)};
    for (int64_t i = 0; i < p->num_tensors; i++) {
        const int64_t at = p->tensors[i].offset;
        args.weight_decay = p->tensors[i].decay ? (float)g->decay : 0.0F;
        rt_adamw(p->tensors[i].count, p->data + at, grads->data + at, m->data + at, v->data + at, &args);
    }
}

static void train(const golden *g, rt_model *model) {
    rt_params grads, m, v;
    rt_workspace *ws;
    retort_error err;
    const rt_batch batch = {g->tokens, g->ids, g->target, g->docs, g->doc_start};
    float *logp = calloc((size_t)g->tokens, sizeof *logp), scored = 0;
    for (int32_t t = 0; t < g->tokens; t++) scored += g->target[t] >= 0;
    mean_loss mean = {-1.0F / scored};
    const rt_objective objective = {.inv_temperature = 1.0F, .logp = logp, .weight = weigh, .context = &mean};
    must(rt_params_create(&g->config, &grads, &err), &err);
    must(rt_params_create(&g->config, &m, &err), &err);
    must(rt_params_create(&g->config, &v, &err), &err);
    must(rt_workspace_create(&g->config, &(rt_workspace_shape){.max_tokens = g->tokens}, &ws, &err), &err);
    for (int step = 1; step <= g->steps; step++) {
        memset(grads.data, 0, (size_t)grads.count * sizeof *grads.data);
        must(rt_model_run(model, ws, &batch, &objective, &grads, &err), &err);
        rt_workspace_flush_grads(ws, &grads);
        double sum = 0;
        for (int32_t t = 0; t < g->tokens; t++) sum -= (double)logp[t];
        const float loss = (float)(sum / (double)scored);
        assert_close("loss", &loss, &g->loss[step - 1], 1);
        if (step == 1) assert_params_close(&grads, g->grads);
        adamw_step(g, step, &model->params, &grads, &m, &v);
    }
    assert_params_close(&model->params, g->final);
    rt_workspace_destroy(ws);
    rt_params_release(&grads);
    rt_params_release(&m);
    rt_params_release(&v);
    free(logp);
}

static void check_logits(const golden *g, const rt_model *model) {
    rt_decoder *decoder;
    retort_error err;
    int32_t *slot = calloc((size_t)g->tokens, sizeof *slot), *position = calloc((size_t)g->tokens, sizeof *position);
    bool *want = calloc((size_t)g->tokens, sizeof *want);
    float *logits = calloc((size_t)(g->tokens * g->config.vocab_size), sizeof *logits);
    for (int32_t i = 0; i < g->docs; i++) {
        for (int32_t t = g->doc_start[i]; t < g->doc_start[i + 1]; t++) {
            slot[t] = i;
            position[t] = t - g->doc_start[i];
            want[t] = true;
        }
    }
    must(rt_decoder_create(model, g->docs, g->config.max_position_embeddings, g->tokens, &decoder, &err), &err);
    must(rt_decoder_step(decoder, g->tokens, slot, position, g->ids, want, logits, &err), &err);
    assert_close("logits", logits, g->logits, g->tokens * g->config.vocab_size);
    rt_decoder_destroy(decoder);
    free(slot);
    free(position);
    free(want);
    free(logits);
}

static void check_golden(const char *name) {
    golden g = golden_open(name);
    rt_model model = {.config = g.config};
    retort_error err;
    must(rt_compute_init(&err), &err);
    rt_compute_set_threads(1);
    must(rt_params_create(&g.config, &model.params, &err), &err);
    memcpy(model.params.data, g.weights, (size_t)model.params.count * sizeof(float));
    check_logits(&g, &model);
    train(&g, &model);
    rt_model_release(&model);
    free(g.bytes);
}

static void test_golden_tied(void **state) {
    (void)state;
    check_golden("tied.bin");
}

static void test_golden_untied(void **state) {
    (void)state;
    check_golden("untied.bin");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden_tied), cmocka_unit_test(test_golden_untied)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
