/* Each architecture and rope type against transformers (golden/architectures/make_architectures.py): folders as
 * save_pretrained writes them are loaded; logits of every position and the gradients of all weights are compared.
 *
 * Measure: the largest difference in a tensor over the largest magnitude in it, at most 2e-5. Both sides are float32,
 * each with its own order of sums. */
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

static const char *golden_path(const char *name) {
    static char path[4096];
    const char *dir = getenv("RETORT_TEST_GOLDEN");
    snprintf(path, sizeof path, "%s/architectures/%s", dir != NULL ? dir : "tests/model/golden", name);
    return path;
}

static void copy_golden(const char *name, const char *to) {
    rt_mapping from;
    retort_error err;
    must(rt_map_file(golden_path(name), &from, &err), &err);
    put_file(to, from.data, from.length);
    rt_unmap_file(&from);
}

/* The model folder of ARCHITECTURE-CASE. */
static rt_model load(const char *architecture, const char *name) {
    char file[128];
    retort_error err;
    rt_model model;
    snprintf(file, sizeof file, "%s.safetensors", architecture);
    copy_golden(file, in_scratch("model.safetensors"));
    snprintf(file, sizeof file, "%s-%s.json", architecture, name);
    copy_golden(file, in_scratch("config.json"));
    must(rt_model_load(scratch(), &model, &err), &err);
    return model;
}

typedef struct vectors {
    rt_safetensors file;
    int64_t docs, tokens;
    const int32_t *doc_start, *ids, *target;
} vectors;

/* A copy that is aligned. */
static const void *integers(const rt_safetensors *file, const char *name, int64_t *count) {
    const rt_st_entry *entry = rt_safetensors_find(file, name);
    assert_non_null(entry);
    assert_string_equal(entry->dtype, "I32");
    void *copy = malloc(entry->bytes);
    assert_non_null(copy);
    memcpy(copy, entry->data, entry->bytes);
    *count = entry->count;
    return copy;
}

static vectors vectors_open(const char *architecture, const char *name) {
    char file[128];
    retort_error err;
    vectors v = {.docs = 0};
    snprintf(file, sizeof file, "%s-%s.safetensors", architecture, name);
    must(rt_safetensors_open(golden_path(file), &v.file, &err), &err);
    v.doc_start = integers(&v.file, "doc_start", &v.docs);
    v.docs--;
    v.target = integers(&v.file, "target", &v.tokens);
    v.ids = integers(&v.file, "ids", &v.tokens);
    return v;
}

static void vectors_close(vectors *v) {
    free((void *)(uintptr_t)v->doc_start);
    free((void *)(uintptr_t)v->ids);
    free((void *)(uintptr_t)v->target);
    rt_safetensors_close(&v->file);
}

static void assert_close(const vectors *v, const char *what, const float *got, int64_t count) {
    const rt_st_entry *entry = rt_safetensors_find(&v->file, what);
    retort_error err;
    double difference = 0, size = 0;
    if (entry == NULL) fail_msg("no golden '%s'", what);
    assert_int_equal(entry->count, count);
    float *want = calloc((size_t)count, sizeof *want);
    must(rt_safetensors_decode(&v->file, entry, want, &err), &err);
    for (int64_t i = 0; i < count; i++) {
        assert_true(isfinite(got[i]));
        difference = fmax(difference, fabs((double)got[i] - (double)want[i]));
        size = fmax(size, fabs((double)want[i]));
    }
    free(want);
    if (getenv("RETORT_TEST_VERBOSE") != NULL) print_message("# %-60s %.2e\n", what, difference / size);
    if (difference > 2e-5 * size) fail_msg("%s: off by %.3e of its size %.3e", what, difference / size, size);
}

static void check_logits(const vectors *v, const rt_model *model) {
    rt_decoder *decoder;
    retort_error err;
    const size_t tokens = (size_t)v->tokens;
    int32_t *slot = calloc(tokens, sizeof *slot), *position = calloc(tokens, sizeof *position);
    bool *want = calloc(tokens, sizeof *want);
    float *logits = calloc(tokens * (size_t)model->config.vocab_size, sizeof *logits);
    for (int32_t i = 0; i < v->docs; i++) {
        for (int32_t t = v->doc_start[i]; t < v->doc_start[i + 1]; t++) {
            slot[t] = i;
            position[t] = t - v->doc_start[i];
            want[t] = true;
        }
    }
    must(rt_decoder_create(model, v->docs, rt_config_context(&model->config), v->tokens, &decoder, &err), &err);
    must(rt_decoder_step(decoder, v->tokens, slot, position, v->ids, want, logits, &err), &err);
    assert_close(v, "logits", logits, v->tokens * model->config.vocab_size);
    rt_decoder_destroy(decoder);
    free(slot);
    free(position);
    free(want);
    free(logits);
}

/* Mean cross-entropy over scored tokens. */
static void weigh(void *context, int64_t first, int64_t count, const float *logp, const float *entropy,
                  float *coefficient) {
    const float *mean = context;
    (void)first;
    (void)logp;
    (void)entropy;
    for (int64_t i = 0; i < count; i++) coefficient[i] = *mean;
}

static void check_gradients(const vectors *v, const rt_model *model) {
    rt_params grads;
    rt_workspace *ws;
    retort_error err;
    float scored = 0, *logp = calloc((size_t)v->tokens, sizeof *logp);
    for (int64_t t = 0; t < v->tokens; t++) scored += v->target[t] >= 0;
    float mean = -1.0F / scored;
    const rt_batch batch = {v->tokens, v->ids, v->target, v->docs, v->doc_start};
    const rt_objective objective = {.inv_temperature = 1.0F, .logp = logp, .weight = weigh, .context = &mean};
    must(rt_params_create(&model->config, &grads, &err), &err);
    must(rt_workspace_create(&model->config, &(rt_workspace_shape){.max_tokens = v->tokens}, &ws, &err), &err);
    must(rt_model_run(model, ws, &batch, &objective, &grads, &err), &err);
    rt_workspace_flush_grads(ws, &grads);
    for (int64_t i = 0; i < grads.num_tensors; i++) {
        char name[128];
        snprintf(name, sizeof name, "grad.%s", grads.tensors[i].name);
        assert_close(v, name, grads.data + grads.tensors[i].offset, grads.tensors[i].count);
    }
    rt_workspace_destroy(ws);
    rt_params_release(&grads);
    free(logp);
}

static void check(const char *architecture, const char *const *cases) {
    for (; *cases != NULL; cases++) {
        if (getenv("RETORT_TEST_VERBOSE") != NULL) print_message("# %s-%s\n", architecture, *cases);
        rt_model model = load(architecture, *cases);
        vectors v = vectors_open(architecture, *cases);
        check_logits(&v, &model);
        check_gradients(&v, &model);
        vectors_close(&v);
        rt_model_release(&model);
    }
}

static void test_qwen2(void **state) {
    (void)state;
    check("qwen2", (const char *const[]){"default", "linear", "dynamic", "yarn", "window", NULL});
}

static void test_qwen3(void **state) {
    (void)state;
    check("qwen3", (const char *const[]){"default", "llama3", "yarn", "window", NULL});
}

static void test_llama(void **state) {
    (void)state;
    check("llama", (const char *const[]){"default", "linear", "dynamic", "llama3", "yarn", NULL});
}

static void test_mistral(void **state) {
    (void)state;
    check("mistral", (const char *const[]){"window", "full", "yarn", "llama3", NULL});
}

static int enter(void **state) {
    (void)state;
    retort_error err;
    must(rt_compute_init(&err), &err);
    rt_compute_set_threads(1);
    return 0;
}

static int leave(void **state) {
    (void)state;
    scratch_remove();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_qwen2), cmocka_unit_test(test_qwen3),
                                       cmocka_unit_test(test_llama), cmocka_unit_test(test_mistral)};
    return cmocka_run_group_tests(tests, enter, leave);
}
