/* LoRA: its arithmetic against plain loops, its gradients against finite differences and PyTorch, PEFT's folder both
 * ways (golden/make_lora.py), merging, and what is refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "disk_fixture.h"
#include "fixture.h"
#include "model/safetensors.h"

enum { ALL_LINEAR = (1 << RT_LORA_MODULES) - 1 };

static int setup(void **state) {
    (void)state;
    retort_error err;
    must(rt_compute_init(&err), &err);
    rt_compute_set_threads(1);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    scratch_remove();
    return 0;
}

static const char *golden_path(const char *name) {
    static char paths[4][4096];
    static size_t next;
    const char *dir = getenv("RETORT_TEST_GOLDEN");
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/lora/%s", dir != NULL ? dir : "tests/model/golden", name);
    return path;
}

static float *randoms(int64_t n, uint64_t seed) {
    rt_rng rng = rt_rng_make(seed, 0);
    float *x = calloc((size_t)n, sizeof *x);
    for (int64_t i = 0; i < n; i++) x[i] = (float)rt_rng_normal(&rng);
    return x;
}

/* ---- arithmetic ---- */

/* lora.h's chains as plain loops. */
static void oracle_inner(const rt_lora *lora, const rt_lora_pair *p, int64_t rows, const float *x, float *u) {
    for (int64_t t = 0; t < rows; t++) {
        for (int64_t j = 0; j < lora->config.r; j++) {
            float sum = 0;
            for (int64_t k = 0; k < p->in; k++) sum = fmaf(x[t * p->in + k], p->a[j * p->in + k], sum);
            u[t * lora->config.r + j] = sum * lora->scale;
        }
    }
}

static void oracle_forward(const rt_lora *lora, const rt_lora_pair *p, int64_t rows, const float *u, float *y) {
    const int64_t r = lora->config.r;
    for (int64_t t = 0; t < rows; t++)
        for (int64_t i = 0; i < p->out; i++)
            for (int64_t j = 0; j < r; j++) y[t * p->out + i] = fmaf(u[t * r + j], p->b[i * r + j], y[t * p->out + i]);
}

static void oracle_backward(const rt_lora *lora, const rt_lora_pair *p, const rt_lora_pair *g, int64_t rows,
                            const float *x, const float *u, const float *dy, float *v, float *dx) {
    const int64_t r = lora->config.r;
    for (int64_t t = 0; t < rows; t++) {
        for (int64_t j = 0; j < r; j++) {
            float sum = 0;
            for (int64_t i = 0; i < p->out; i++) sum = fmaf(dy[t * p->out + i], p->b[i * r + j], sum);
            v[t * r + j] = sum * lora->scale;
        }
    }
    for (int64_t t = 0; t < rows; t++) {
        for (int64_t j = 0; j < r; j++) {
            const float vj = v[t * r + j], uj = u[t * r + j];
            for (int64_t i = 0; i < p->out; i++) g->b[i * r + j] = fmaf(dy[t * p->out + i], uj, g->b[i * r + j]);
            for (int64_t k = 0; k < p->in; k++) {
                g->a[j * p->in + k] = fmaf(vj, x[t * p->in + k], g->a[j * p->in + k]);
                dx[t * p->in + k] = fmaf(vj, p->a[j * p->in + k], dx[t * p->in + k]);
            }
        }
    }
}

static void check_projection(rt_lora *lora, rt_lora_module module, int64_t rows) {
    retort_error err;
    rt_params grads, want;
    rt_lora_pair p, g;
    must(rt_lora_like(lora, &grads, &err), &err);
    must(rt_lora_like(lora, &want, &err), &err);
    assert_true(rt_lora_pair_of(lora, &lora->params, 1, module, &p));
    assert_true(rt_lora_pair_of(lora, &want, 1, module, &g));
    const int64_t r = lora->config.r;
    float *x = randoms(rows * p.in, 1), *y = randoms(rows * p.out, 2), *dy = randoms(rows * p.out, 3);
    float *dx = randoms(rows * p.in, 4), *scratch = calloc((size_t)(2 * rows * r), sizeof *scratch);
    float *want_y = randoms(rows * p.out, 2), *want_dx = randoms(rows * p.in, 4);
    float *u = calloc((size_t)(rows * r), sizeof *u);
    oracle_inner(lora, &p, rows, x, u);
    oracle_forward(lora, &p, rows, u, want_y);
    oracle_backward(lora, &p, &g, rows, x, u, dy, scratch, want_dx);
    rt_lora_forward(lora, 1, module, rows, x, y, scratch);
    rt_lora_backward(lora, 1, module, rows, x, dy, &grads, dx, scratch);
    assert_same_floats("y", y, want_y, rows * p.out);
    assert_same_floats("dx", dx, want_dx, rows * p.in);
    assert_same_floats("gradients", grads.data, want.data, grads.count);
    float *const blocks[] = {x, y, dy, dx, scratch, want_y, want_dx, u};
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) free(blocks[i]);
    rt_params_release(&grads);
    rt_params_release(&want);
}

static void test_against_loops(void **state) {
    (void)state;
    const rt_config config = fixture_config(true, true);
    const rt_isa best = rt_compute_isa();
    static const int64_t ranks[] = {1, 3, 16, 17}, rows[] = {1, 2, 7, 33};
    for (size_t i = 0; i < 4; i++) {
        rt_model model = fixture_model(&config, 1);
        fixture_adapt(&model, ranks[i], ALL_LINEAR, 2);
        for (int isa = RT_ISA_SCALAR; isa <= (int)best; isa++) {
            assert_int_equal(rt_compute_use_isa((rt_isa)isa, NULL), RETORT_OK);
            for (int m = 0; m < RT_LORA_MODULES; m++)
                check_projection(model.lora, (rt_lora_module)m, rows[(size_t)(m + isa) % 4]);
        }
        rt_model_release(&model);
    }
}

/* PEFT's start changes nothing, and A's numbers lie where they should. */
static void test_start(void **state) {
    (void)state;
    const rt_config config = fixture_config(true, true);
    rt_model model = fixture_model(&config, 3);
    corpus c = fixture_corpus(&config, 5, 20, 1.0, 4);
    record plain = record_of(&model, c.tokens);
    run_corpus(&model, &c, false, c.docs, 1.0F, &plain);
    fixture_adapt(&model, 4, ALL_LINEAR, 5);
    rt_lora_init(model.lora, 6);
    record adapted = record_of(&model, c.tokens);
    run_corpus(&model, &c, false, c.docs, 1.0F, &adapted);
    assert_same_floats("logp", plain.logp, adapted.logp, c.tokens);
    double a_size = 0;
    for (int64_t i = 0; i < model.lora->params.num_tensors; i++) {
        const rt_tensor *tensor = &model.lora->params.tensors[i];
        const double bound = i % 2 == 0 ? 1 / sqrt((double)tensor->shape[1]) : 0;
        double most = 0;
        for (int64_t j = 0; j < tensor->count; j++)
            most = fmax(most, fabs((double)model.lora->params.data[tensor->offset + j]));
        assert_true(most <= bound && (i % 2 == 1 || most > 0.9 * bound));
        if (i % 2 == 1) /* B is 0, so A has no gradient yet and B has one */
            for (int64_t j = 0; j < tensor->count; j++) a_size += fabs((double)adapted.grads.data[tensor->offset + j]);
    }
    assert_true(a_size > 0);
    record_release(&plain);
    record_release(&adapted);
    corpus_release(&c);
    rt_model_release(&model);
}

/* ---- gradients ---- */

typedef struct probe {
    rt_model model;
    corpus c;
    rt_workspace *ws;
    rt_batch batch;
    float *logp;
} probe;

static double loss_of(probe *p) {
    retort_error err;
    const rt_objective forward = {.inv_temperature = 1.25F, .logp = p->logp};
    must(rt_model_run(&p->model, p->ws, &p->batch, &forward, NULL, &err), &err);
    double loss = 0;
    for (int64_t t = 0; t < p->c.tokens; t++)
        if (p->c.target[t] >= 0) loss += (double)p->c.weight[t] * (double)p->logp[t];
    return loss;
}

static double difference(probe *p, float *weight, float step) {
    static const double at[] = {1, -1, 2, -2}, factor[] = {8, -8, -1, 1};
    const float kept = *weight;
    double sum = 0;
    for (int i = 0; i < 4; i++) {
        *weight = kept + (float)at[i] * step;
        sum += factor[i] * loss_of(p);
    }
    *weight = kept;
    return sum / (12 * (double)step);
}

static void test_finite_differences(void **state) {
    (void)state;
    const rt_config config = fixture_config(true, true);
    rt_model base = fixture_model(&config, 21);
    probe p = {.model = fixture_as(&base, RT_DTYPE_BF16), .c = fixture_corpus(&config, 4, 24, 0.6, 22)};
    fixture_adapt(&p.model, 3, ALL_LINEAR, 23);
    record r = record_of(&p.model, p.c.tokens);
    run_corpus(&p.model, &p.c, true, 2, 1.25F, &r);
    int32_t *start;
    retort_error err;
    p.batch = corpus_slice(&p.c, 0, p.c.docs, &start);
    p.logp = calloc((size_t)p.c.tokens, sizeof *p.logp);
    must(rt_workspace_create(&config, &(rt_workspace_shape){.max_tokens = p.c.tokens, .lora_r = 3}, &p.ws, &err), &err);
    for (int64_t i = 0; i < r.grads.num_tensors; i++) {
        const rt_tensor *tensor = &r.grads.tensors[i];
        const float *g = r.grads.data + tensor->offset;
        int64_t largest = 0;
        for (int64_t j = 0; j < tensor->count; j++)
            if (fabsf(g[j]) > fabsf(g[largest])) largest = j;
        const double size = fabs((double)g[largest]);
        const int64_t probes[] = {largest, tensor->count / 3};
        assert_true(size > 0);
        for (size_t k = 0; k < 2; k++) {
            const double want = difference(&p, p.model.lora->params.data + tensor->offset + probes[k], 0.008F);
            const double got = (double)g[probes[k]];
            if (fabs(got - want) > 3e-3 * fmax(size, fabs(want)) + 1e-3)
                fail_msg("%s[%lld]: gradient %.6g, difference quotient %.6g", tensor->name, (long long)probes[k], got,
                         want);
        }
    }
    rt_workspace_destroy(p.ws);
    free(start);
    free(p.logp);
    record_release(&r);
    corpus_release(&p.c);
    rt_model_release(&p.model);
    rt_model_release(&base);
}

/* ---- PEFT ---- */

static float *expected(const rt_safetensors *file, const char *name, int64_t count) {
    retort_error err;
    const rt_st_entry *entry = rt_safetensors_find(file, name);
    if (entry == NULL) fail_msg("no '%s' in expected.safetensors", name);
    assert_int_equal(entry->count, count);
    float *x = calloc((size_t)count, sizeof *x);
    must(rt_safetensors_decode(file, entry, x, &err), &err);
    return x;
}

static void close_to(const char *what, const float *got, const float *want, int64_t count, double tolerance) {
    double off = 0, size = 0;
    for (int64_t i = 0; i < count; i++) {
        off = fmax(off, fabs((double)got[i] - (double)want[i]));
        size = fmax(size, fabs((double)want[i]));
    }
    if (getenv("RETORT_TEST_VERBOSE") != NULL) print_message("# %-70s %.2e\n", what, off / size);
    if (!(off <= tolerance * size)) fail_msg("%s: off by %.3e of its size %.3e", what, off / size, size);
}

enum { TOKENS = 23, STEPS = 5 };

static void decode_all(const rt_model *model, const int32_t *ids, float *logits) {
    retort_error err;
    rt_decoder *decoder;
    int32_t slot[TOKENS] = {0}, position[TOKENS];
    bool want[TOKENS];
    for (int32_t t = 0; t < TOKENS; t++) {
        position[t] = t;
        want[t] = true;
    }
    must(rt_decoder_create(model, 1, TOKENS, TOKENS, &decoder, &err), &err);
    must(rt_decoder_step(decoder, TOKENS, slot, position, ids, want, logits, &err), &err);
    rt_decoder_destroy(decoder);
}

typedef struct mean_loss {
    float coefficient;
} mean_loss;

static void weigh(void *context, int64_t first, int64_t count, const float *logp, const float *entropy,
                  float *coefficient) {
    (void)first, (void)logp, (void)entropy;
    for (int64_t i = 0; i < count; i++) coefficient[i] = ((const mean_loss *)context)->coefficient;
}

/* The constants of make_lora.py. */
static void adamw_steps(const rt_model *model, rt_workspace *ws, const rt_batch *batch, const rt_safetensors *file) {
    retort_error err;
    rt_params grads, m, v;
    float logp[TOKENS], scored = 0;
    must(rt_lora_like(model->lora, &grads, &err), &err);
    must(rt_lora_like(model->lora, &m, &err), &err);
    must(rt_lora_like(model->lora, &v, &err), &err);
    for (int t = 0; t < TOKENS; t++) scored += batch->target[t] >= 0;
    mean_loss loss = {-1 / scored};
    const rt_objective objective = {.inv_temperature = 1, .logp = logp, .weight = weigh, .context = &loss};
    for (int step = 1; step <= STEPS; step++) {
        memset(grads.data, 0, (size_t)grads.count * sizeof(float));
        must(rt_model_run(model, ws, batch, &objective, &grads, &err), &err);
        for (int64_t i = 0; step == 1 && i < grads.num_tensors; i++) {
            const rt_tensor *tensor = &grads.tensors[i];
            float *want = expected(file, tensor->name, tensor->count);
            close_to(tensor->name, grads.data + tensor->offset, want, tensor->count, 2e-5);
            free(want);
        }
        const rt_adamw_args args = {.lr = 3e-3,
                                    .beta1 = 0.9,
                                    .beta2 = 0.95,
                                    .eps = 1e-4,
                                    .weight_decay = 0.1,
                                    .grad_scale = 1,
                                    .bias1 = 1 - pow(0.9, step),
                                    .bias2 = 1 - pow(0.95, step)};
        rt_adamw(grads.count, model->lora->params.data, grads.data, m.data, v.data, &args);
    }
    rt_params_release(&grads);
    rt_params_release(&m);
    rt_params_release(&v);
}

/* weights: whether the base, which the file has as bfloat16, is held so. */
static void against_peft(rt_weights_form weights) {
    retort_error err;
    rt_safetensors file;
    rt_model model;
    must(rt_safetensors_open(golden_path("expected.safetensors"), &file, &err), &err);
    must(rt_model_load_as(golden_path("base"), weights, &model, &err), &err);
    assert_int_equal(model.config.weights_dtype, rt_weights_form_dtype(weights, RT_DTYPE_BF16));
    must(rt_lora_load(&model.config, golden_path("adapter"), &model.lora, &err), &err);
    assert_int_equal(model.lora->config.r, 3);
    assert_int_equal(model.lora->config.targets, ALL_LINEAR);
    const int64_t vocab = model.config.vocab_size;
    int32_t ids[TOKENS], target[TOKENS], start[] = {0, TOKENS};
    float *x = expected(&file, "ids", TOKENS), *y = expected(&file, "target", TOKENS);
    for (int t = 0; t < TOKENS; t++) {
        ids[t] = (int32_t)x[t];
        target[t] = (int32_t)y[t];
    }
    float *want = expected(&file, "logits", TOKENS * vocab), *merged = expected(&file, "merged", TOKENS * vocab);
    float *got = calloc((size_t)(TOKENS * vocab), sizeof *got);
    decode_all(&model, ids, got);
    close_to("logits", got, want, TOKENS * vocab, 1e-5);
    rt_workspace *ws;
    const rt_batch batch = {TOKENS, ids, target, 1, start};
    must(rt_workspace_create(&model.config, &(rt_workspace_shape){.max_tokens = TOKENS, .lora_r = 3}, &ws, &err), &err);
    adamw_steps(&model, ws, &batch, &file);
    for (int64_t i = 0; i < model.lora->params.num_tensors; i++) {
        const rt_tensor *tensor = &model.lora->params.tensors[i];
        char name[128];
        snprintf(name, sizeof name, "after.%s", tensor->name);
        float *after = expected(&file, name, tensor->count);
        close_to(name, model.lora->params.data + tensor->offset, after, tensor->count, 2e-5);
        free(after);
    }
    rt_workspace_destroy(ws);
    if (weights == RT_WEIGHTS_F32) {
        rt_lora_destroy(model.lora);
        must(rt_lora_load(&model.config, golden_path("adapter"), &model.lora, &err), &err);
        must(rt_lora_merge(&model, &err), &err);
        assert_null(model.lora);
        decode_all(&model, ids, got);
        close_to("merged", got, merged, TOKENS * vocab, 1e-5);
        close_to("merged and adapted", got, want, TOKENS * vocab, 1e-4);
    }
    free(x);
    free(y);
    free(want);
    free(merged);
    free(got);
    rt_safetensors_close(&file);
    rt_model_release(&model);
}

static void test_against_peft(void **state) {
    (void)state;
    against_peft(RT_WEIGHTS_F32);
    against_peft(RT_WEIGHTS_AUTO);
}

/* ---- disk ---- */

static void test_round_trip(void **state) {
    (void)state;
    const rt_config config = fixture_config(false, true);
    retort_error err;
    rt_model model = fixture_model(&config, 31);
    const unsigned sets[] = {ALL_LINEAR, 1U << RT_LORA_Q | 1U << RT_LORA_V, 1U << RT_LORA_UP};
    for (size_t i = 0; i < 3; i++) {
        fixture_adapt(&model, 7, sets[i], 32);
        rt_lora *back;
        must(rt_lora_save(model.lora, "the/base", scratch(), &err), &err);
        must(rt_lora_load(&config, scratch(), &back, &err), &err);
        assert_int_equal(back->config.targets, sets[i]);
        assert_int_equal(back->params.count, model.lora->params.count);
        assert_int_equal(back->params.count, rt_lora_count(&config, &back->config));
        assert_memory_equal(&back->scale, &model.lora->scale, sizeof back->scale);
        assert_same_floats("adapters", back->params.data, model.lora->params.data, back->params.count);
        rt_lora_destroy(back);
        rt_lora_destroy(model.lora);
        model.lora = NULL;
    }
    rt_model_release(&model);
}

/* What PEFT may write and this implementation does not compute is refused by name. */
static void test_refused(void **state) {
    (void)state;
    const rt_config config = fixture_config(true, true);
    retort_error err;
    rt_model model = fixture_model(&config, 33);
    rt_lora *back;
    fixture_adapt(&model, 4, ALL_LINEAR, 34);
    must(rt_lora_save(model.lora, "base", scratch(), &err), &err);
    static const struct {
        const char *config;
        retort_status status;
        const char *word;
    } cases[] = {
        {"{\"peft_type\": \"LORA\", \"r\": 4, \"lora_alpha\": 8, \"use_dora\": true}", RETORT_ERR_UNSUPPORTED,
         "use_dora"},
        {"{\"peft_type\": \"LORA\", \"r\": 4, \"lora_alpha\": 8, \"bias\": \"all\"}", RETORT_ERR_UNSUPPORTED, "bias"},
        {"{\"peft_type\": \"LORA\", \"r\": 4, \"lora_alpha\": 8, \"modules_to_save\": [\"lm_head\"]}",
         RETORT_ERR_UNSUPPORTED, "modules_to_save"},
        {"{\"peft_type\": \"LORA\", \"r\": 4, \"lora_alpha\": 8, \"rank_pattern\": {\"q_proj\": 2}}",
         RETORT_ERR_UNSUPPORTED, "rank_pattern"},
        {"{\"peft_type\": \"LORA\", \"r\": 4, \"lora_alpha\": 8, \"init_lora_weights\": \"pissa\"}",
         RETORT_ERR_UNSUPPORTED, "pissa"},
        {"{\"peft_type\": \"IA3\", \"r\": 4, \"lora_alpha\": 8}", RETORT_ERR_UNSUPPORTED, "IA3"},
        {"{\"peft_type\": \"LORA\", \"lora_alpha\": 8}", RETORT_ERR_FORMAT, "r"},
        {"{\"peft_type\": \"LORA\", \"r\": 0, \"lora_alpha\": 8}", RETORT_ERR_FORMAT, "r"},
        {"{\"peft_type\": \"LORA\", \"r\": 5, \"lora_alpha\": 8}", RETORT_ERR_FORMAT, "rank 5"},
        {"{\"peft_type\": \"LORA\", \"r\": 4, \"lora_alpha\": 0}", RETORT_ERR_FORMAT, "lora_alpha"},
        {"{\"peft_type\": \"LORA\", \"r\": 4}", RETORT_ERR_FORMAT, "lora_alpha"},
        {"[]", RETORT_ERR_FORMAT, "object"},
        {"{", RETORT_ERR_FORMAT, "adapter_config.json"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put_file(in_scratch("adapter_config.json"), cases[i].config, strlen(cases[i].config));
        const retort_status status = rt_lora_load(&config, scratch(), &back, &err);
        if (status != cases[i].status || strstr(err.message, cases[i].word) == NULL)
            fail_msg("%s: %s, '%s'", cases[i].config, retort_status_name(status), err.message);
        assert_null(back);
    }
    must(rt_lora_save(model.lora, "base", scratch(), &err), &err);
    rt_config other = config;
    other.hidden_size = 48;
    assert_int_equal(rt_lora_load(&other, scratch(), &back, &err), RETORT_ERR_FORMAT);
    assert_non_null(strstr(err.message, "[4, 48]"));
    other = config;
    other.num_hidden_layers = 2;
    assert_int_equal(rt_lora_load(&other, scratch(), &back, &err), RETORT_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "layers.2."));
    assert_int_equal(rt_lora_load(&config, in_scratch("nowhere"), &back, &err), RETORT_ERR_NOT_FOUND);
    rt_model_release(&model);
}

static void test_targets(void **state) {
    (void)state;
    retort_error err;
    unsigned targets = 0;
    must(rt_lora_parse_targets("all-linear", "'x'", &targets, &err), &err);
    assert_int_equal(targets, ALL_LINEAR);
    must(rt_lora_parse_targets("v_proj,q_proj", "'x'", &targets, &err), &err);
    assert_int_equal(targets, 1 << RT_LORA_Q | 1 << RT_LORA_V);
    assert_int_equal(rt_lora_parse_targets("q_proj,lm_head", "'x'", &targets, &err), RETORT_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "'lm_head'"));
    assert_int_equal(rt_lora_parse_targets("", "'x'", &targets, &err), RETORT_ERR_USAGE);
}

/* A workspace made for something else, and weights that cannot be trained. */
static void test_misuse(void **state) {
    (void)state;
    const rt_config config = fixture_config(true, true);
    retort_error err;
    rt_model model = fixture_model(&config, 41), half = fixture_as(&model, RT_DTYPE_BF16);
    rt_workspace *full, *low;
    must(rt_workspace_create(&config, &(rt_workspace_shape){.max_tokens = 8, .step_tokens = 3}, &full, &err), &err);
    must(rt_workspace_create(&config, &(rt_workspace_shape){.max_tokens = 8, .lora_r = 2}, &low, &err), &err);
    int32_t ids[] = {1, 2, 1, 2, 3, 4}, target[] = {1, 1, 1, 1, 1, 1}, start[] = {0, 6};
    float logp[6];
    mean_loss loss = {1};
    record r = record_of(&model, 6);
    const rt_objective objective = {.inv_temperature = 1, .logp = logp, .weight = weigh, .context = &loss};
    rt_batch batch = {6, ids, target, 1, start};
    assert_int_equal(rt_model_run(&half, full, &batch, &objective, &r.grads, &err), RETORT_ERR_USAGE);
    assert_int_equal(rt_model_run(&model, low, &batch, &objective, &r.grads, &err), RETORT_ERR_STATE);
    assert_int_equal(rt_model_run(&model, full, &batch, &objective, &r.grads, &err), RETORT_ERR_STATE);
    assert_non_null(strstr(err.message, "3 token ids"));
    rt_workspace_flush_grads(full, &r.grads);
    for (int64_t i = 0; i < r.grads.count; i++) assert_true(r.grads.data[i] == 0);
    ids[5] = 1;
    must(rt_model_run(&model, full, &batch, &objective, &r.grads, &err), &err);
    fixture_adapt(&model, 3, ALL_LINEAR, 42);
    assert_int_equal(rt_model_run(&model, low, &batch, &objective, &r.grads, &err), RETORT_ERR_STATE);
    rt_workspace_destroy(full);
    rt_workspace_destroy(low);
    record_release(&r);
    rt_model_release(&model);
    rt_model_release(&half);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_loops),
        cmocka_unit_test(test_start),
        cmocka_unit_test(test_finite_differences),
        cmocka_unit_test(test_against_peft),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_misuse),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
