/* The backward pass against finite differences of the forward pass: a few weights of every tensor. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

typedef struct probe {
    rt_model model;
    corpus c;
    rt_workspace *ws;
    rt_batch batch;
    int32_t *start;
    float *logp;
} probe;

/* Loss = sum of weight * logp, in double from float log-probabilities. */
static double loss_of(probe *p) {
    retort_error err;
    const rt_objective forward = {.inv_temperature = 1.25F, .logp = p->logp};
    must(rt_model_run(&p->model, p->ws, &p->batch, &forward, NULL, &err), &err);
    double loss = 0;
    for (int64_t t = 0; t < p->c.tokens; t++)
        if (p->c.target[t] >= 0) loss += (double)p->c.weight[t] * (double)p->logp[t];
    return loss;
}

/* Fourth-order central difference: float32 forwards allow a step of about 1e-2 with 1e-3 to spare. */
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

static void check_tensor(probe *p, const rt_params *grads, const rt_tensor *tensor) {
    const float *g = grads->data + tensor->offset;
    double size = 0;
    int64_t largest = 0;
    for (int64_t i = 0; i < tensor->count; i++) {
        if (fabs((double)g[i]) > size) largest = i;
        size = fmax(size, fabs((double)g[i]));
    }
    assert_true(size > 0);
    const int64_t probes[] = {largest, 0, tensor->count / 3, tensor->count - 1};
    for (size_t i = 0; i < sizeof probes / sizeof probes[0]; i++) {
        const double want = difference(p, p->model.params.data + tensor->offset + probes[i], 0.008F);
        const double got = (double)g[probes[i]];
        if (fabs(got - want) > 3e-3 * fmax(size, fabs(want)) + 1e-3)
            fail_msg("%s[%lld]: gradient %.6g, difference quotient %.6g", tensor->name, (long long)probes[i], got,
                     want);
    }
}

static void check_all(rt_config config) {
    retort_error err;
    must(rt_compute_init(&err), &err);
    rt_compute_set_threads(1);
    probe p = {.model = fixture_model(&config, 21), .c = fixture_corpus(&config, 4, 24, 0.6, 22)};
    record r = record_create(&config, p.c.tokens);
    run_corpus(&p.model, &p.c, false, 2, 1.25F, &r);
    p.batch = corpus_slice(&p.c, 0, p.c.docs, &p.start);
    p.logp = calloc((size_t)p.c.tokens, sizeof *p.logp);
    must(rt_workspace_create(&config, &(rt_workspace_shape){.max_tokens = p.c.tokens}, &p.ws, &err), &err);
    for (int64_t i = 0; i < r.grads.num_tensors; i++) check_tensor(&p, &r.grads, &r.grads.tensors[i]);
    rt_workspace_destroy(p.ws);
    free(p.start);
    free(p.logp);
    record_release(&r);
    corpus_release(&p.c);
    rt_model_release(&p.model);
}

static void test_tied(void **state) {
    (void)state;
    check_all(fixture_config(true, true));
}

static void test_untied(void **state) {
    (void)state;
    check_all(fixture_config(false, false));
}

static void test_features(void **state) {
    (void)state;
    for (int i = 0; i < FIXTURE_FEATURES; i++) check_all(fixture_feature(i));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tied), cmocka_unit_test(test_untied),
                                       cmocka_unit_test(test_features)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
