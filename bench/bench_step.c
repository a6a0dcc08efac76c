/* Speed of a training step and of sampling at the shape of the shipped base model.
 *
 *     bench_step [seconds a figure, default 1]
 *
 * Prints tokens/s and GFLOP/s of forward + backward for short and long documents, what its parts take when called
 * alone with the same shapes, and tokens/s of the decoder by number of slots. Each figure is the fastest run; there
 * is at least one. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/mem.h"
#include "core/random.h"
#include "model/model.h"

enum { T = 4096, D = 192, F = 512, L = 6, H = 6, G = 2, E = 32, V = 1024, CONTEXT = 512 };

static double seconds_a_figure = 1.0;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void die_unless(retort_status status, const retort_error *err) {
    if (status == RETORT_OK) return;
    fprintf(stderr, "bench_step: %s\n", err->message);
    exit(1);
}

/* Fastest run in seconds, after one to warm up. */
static double fastest(void (*run)(void *), void *context) {
    run(context);
    double best = INFINITY;
    const double begin = now();
    do {
        double start = now();
        run(context);
        double took = now() - start;
        if (took < best) best = took;
    } while (now() - begin < seconds_a_figure);
    return best;
}

static const rt_config config = {.vocab_size = V,
                                 .hidden_size = D,
                                 .intermediate_size = F,
                                 .num_hidden_layers = L,
                                 .num_attention_heads = H,
                                 .num_key_value_heads = G,
                                 .head_dim = E,
                                 .max_position_embeddings = CONTEXT,
                                 .rope = {.theta = 10000.0},
                                 .rms_norm_eps = 1e-6,
                                 .initializer_range = 0.02,
                                 .tie_word_embeddings = true,
                                 .qkv_bias = true,
                                 .bos_token_id = -1,
                                 .pad_token_id = -1};

typedef struct bench {
    rt_model model;
    rt_params grads;
    rt_workspace *ws;
    int32_t ids[T], target[T], position[T], doc_start[T + 1];
    int64_t docs;
    float logp[T];
    double keys;
    bool forward_only;
    int32_t micro_batch;
    float *a, *b, *c, *scratch, *head_scratch;
} bench;

static void fill_documents(bench *x, int32_t length) {
    rt_rng rng = rt_rng_make(1, (uint64_t)length);
    x->docs = 0;
    x->keys = 0;
    for (int32_t t = 0; t < T;) {
        int32_t n = length * 3 / 4 + (int32_t)rt_rng_below(&rng, (uint32_t)length / 2);
        if (n > T - t) n = T - t;
        for (int32_t i = 0; i < n; i++) x->position[t + i] = i;
        x->keys += 0.5 * n * (n + 1);
        t += n;
        x->doc_start[++x->docs] = t;
    }
    for (int32_t t = 0; t < T; t++) x->ids[t] = (int32_t)rt_rng_below(&rng, V);
    for (int32_t t = 0; t < T; t++) x->target[t] = x->ids[(t + 1) % T];
}

static void weigh(void *context, int64_t first, int64_t count, const float *logp, const float *entropy,
                  float *coefficient) {
    (void)context;
    (void)first;
    (void)logp;
    (void)entropy;
    for (int64_t i = 0; i < count; i++) coefficient[i] = -1.0F / T;
}

/* All documents once, in micro-batches of at most x->micro_batch tokens. */
static void run_step(void *context) {
    bench *x = context;
    retort_error err;
    for (int64_t first = 0, last; first < x->docs; first = last) {
        const int32_t begin = x->doc_start[first];
        int32_t start[T + 1] = {0};
        for (last = first; last < x->docs && x->doc_start[last + 1] - begin <= x->micro_batch; last++)
            start[last + 1 - first] = x->doc_start[last + 1] - begin;
        const rt_batch batch = {start[last - first], x->ids + begin, x->target + begin, last - first, start};
        const rt_objective objective = {
            .inv_temperature = 1.0F, .logp = x->logp, .weight = x->forward_only ? NULL : weigh};
        die_unless(rt_model_run(&x->model, x->ws, &batch, &objective, &x->grads, &err), &err);
    }
}

/* ---- parts, with the calls a step makes ---- */

static void part_nt(void *context) {
    bench *x = context;
    const rt_layer_params *p = x->model.params.layers;
    rt_linear_forward(T, H * E, D, x->a, D, p->q_w, x->b, H * E, false);
    rt_linear_forward(T, G * E, D, x->a, D, p->k_w, x->b, G * E, false);
    rt_linear_forward(T, G * E, D, x->a, D, p->v_w, x->b, G * E, false);
    rt_linear_forward(T, D, H * E, x->a, H * E, p->o_w, x->b, D, false);
    rt_linear_forward(T, F, D, x->a, D, p->gate_w, x->b, F, false);
    rt_linear_forward(T, F, D, x->a, D, p->up_w, x->b, F, false);
    rt_linear_forward(T, D, F, x->a, F, p->down_w, x->b, D, false);
}

static void part_nn(void *context) {
    bench *x = context;
    const rt_layer_params *p = x->model.params.layers;
    rt_linear_backward(T, D, H * E, x->a, H * E, p->q_w, x->b, D, false);
    rt_linear_backward(T, D, G * E, x->a, G * E, p->k_w, x->b, D, true);
    rt_linear_backward(T, D, G * E, x->a, G * E, p->v_w, x->b, D, true);
    rt_linear_backward(T, H * E, D, x->a, D, p->o_w, x->b, H * E, false);
    rt_linear_backward(T, D, F, x->a, F, p->gate_w, x->b, D, false);
    rt_linear_backward(T, D, F, x->a, F, p->up_w, x->b, D, true);
    rt_linear_backward(T, F, D, x->a, D, p->down_w, x->b, F, false);
}

static void part_tn(void *context) {
    bench *x = context;
    const rt_layer_params *g = x->grads.layers;
    rt_matmul_tn(H * E, D, T, x->a, H * E, x->b, D, g->q_w.f32, D, true);
    rt_matmul_tn(G * E, D, T, x->a, G * E, x->b, D, g->k_w.f32, D, true);
    rt_matmul_tn(G * E, D, T, x->a, G * E, x->b, D, g->v_w.f32, D, true);
    rt_matmul_tn(D, H * E, T, x->a, D, x->b, H * E, g->o_w.f32, H * E, true);
    rt_matmul_tn(F, D, T, x->a, F, x->b, D, g->gate_w.f32, D, true);
    rt_matmul_tn(F, D, T, x->a, F, x->b, D, g->up_w.f32, D, true);
    rt_matmul_tn(D, F, T, x->a, D, x->b, F, g->down_w.f32, F, true);
}

static void part_attention_forward(void *context) {
    bench *x = context;
    rt_attention_forward(x->docs, x->doc_start, H, G, E, 0, 0.17F, x->a, x->b, x->b + T * G * E, x->c, x->c + T * H * E,
                         x->scratch);
}

static void part_attention_backward(void *context) {
    bench *x = context;
    float *gradient = x->c + T * H * (E + 1);
    rt_attention_backward(x->docs, x->doc_start, H, G, E, 0, 0.17F, x->a, x->b, x->b + T * G * E, x->c,
                          x->c + T * H * E, x->a, gradient, gradient + T * H * E, gradient + T * (H + G) * E,
                          x->scratch);
}

static void part_norms(void *context) {
    bench *x = context;
    const rt_layer_params *p = x->model.params.layers, *g = x->grads.layers;
    float *rstd = x->c + T * D;
    for (int i = 0; i < 2; i++) {
        rt_rmsnorm_forward(T, D, x->a, p->input_norm, 1e-6F, x->b, rstd);
        rt_rmsnorm_backward(T, D, x->a, p->input_norm, rstd, x->b, x->c, true, g->input_norm);
    }
}

static void part_swiglu_forward(void *context) {
    bench *x = context;
    rt_swiglu_forward((int64_t)T * F, x->a, x->b, x->c);
}

static void part_swiglu_backward(void *context) {
    bench *x = context;
    rt_swiglu_backward((int64_t)T * F, x->a, x->b, x->a, x->c, x->c + T * F);
}

static void part_rope_bias_add(void *context) {
    bench *x = context;
    const rt_layer_params *p = x->model.params.layers, *g = x->grads.layers;
    for (int inverse = 0; inverse < 2; inverse++) {
        rt_rope(T, H, E, x->position, x->scratch, inverse, x->c, H * E);
        rt_rope(T, G, E, x->position, x->scratch, inverse, x->c, G * E);
    }
    rt_bias_add(T, H * E, p->q_b, x->c, H * E);
    rt_bias_add(T, G * E, p->k_b, x->c, G * E);
    rt_bias_add(T, G * E, p->v_b, x->c, G * E);
    rt_bias_grad(T, H * E, x->c, H * E, g->q_b);
    rt_bias_grad(T, G * E, x->c, G * E, g->k_b);
    rt_bias_grad(T, G * E, x->c, G * E, g->v_b);
    rt_add(T * D, x->a, x->c);
    rt_add(T * D, x->a, x->c);
}

static void part_head(void *context) {
    bench *x = context;
    const rt_head_args args = {.rows = T,
                               .d = D,
                               .vocab = V,
                               .hidden = x->a,
                               .w = x->model.params.head,
                               .target = x->target,
                               .inv_temperature = 1.0F,
                               .logp = x->logp,
                               .weight = weigh,
                               .dhidden = x->b,
                               .dw = x->grads.head.f32,
                               .scratch = x->head_scratch};
    rt_head(&args);
}

static void bench_parts(bench *x, double step) {
    const double products = 2.0 * T * D * (2.0 * H * E + 2.0 * G * E + 3.0 * F) * 1e-9;
    const double scores = 2.0 * 2.0 * x->keys * H * E * 1e-9;
    const struct {
        const char *name;
        void (*run)(void *);
        int times;
        double gflop;
    } parts[] = {{"matmul nt, a layer", part_nt, L, products},
                 {"matmul nn, a layer", part_nn, L, products},
                 {"matmul tn, a layer", part_tn, L, products},
                 {"attention forward", part_attention_forward, L, scores},
                 {"attention backward", part_attention_backward, L, 2 * scores},
                 {"norms, both ways", part_norms, L, 0},
                 {"swiglu forward", part_swiglu_forward, L, 0},
                 {"swiglu backward", part_swiglu_backward, L, 0},
                 {"rope, bias, residual", part_rope_bias_add, L, 0},
                 {"head and loss", part_head, 1, 3 * 2.0 * T * D * V * 1e-9}};
    double sum = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const double took = fastest(parts[i].run, x);
        sum += took * parts[i].times;
        printf("    %-22s %d x %7.3f ms  %4.1f %%", parts[i].name, parts[i].times, took * 1e3,
               100 * took * parts[i].times / step);
        if (parts[i].gflop > 0) printf("  %6.1f GFLOP/s", parts[i].gflop / took);
        printf("\n");
    }
    printf("    %-22s %15.3f ms  %4.1f %%\n", "sum of the parts", sum * 1e3, 100 * sum / step);
}

static void bench_training(bench *x, int threads) {
    static const int32_t lengths[] = {60, 200};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        fill_documents(x, lengths[i]);
        const double gflop = rt_model_forward_flops(&config, T, x->keys, T) * 1e-9;
        x->micro_batch = T;
        x->forward_only = true;
        const double forward = fastest(run_step, x);
        x->forward_only = false;
        const double both = fastest(run_step, x);
        printf("threads %d, documents of ~%d: forward %.2f ms (%.1f GFLOP/s); step %.2f ms, %.0f tokens/s, "
               "%.1f GFLOP/s\n",
               threads, lengths[i], forward * 1e3, gflop / forward, both * 1e3, T / both, 3 * gflop / both);
        for (x->micro_batch = T / 2; x->micro_batch >= 256; x->micro_batch /= 2)
            printf("    in micro-batches of %4d tokens: %.2f ms\n", x->micro_batch, fastest(run_step, x) * 1e3);
        bench_parts(x, both);
    }
}

/* ---- sampling ---- */

typedef struct sampling {
    rt_decoder *decoder;
    int64_t slots;
    int32_t *slot, *position, *ids;
    bool *want;
    float *logits;
} sampling;

/* A step at position HELD is repeated: it may go back to a position already held, so the work is always the same. */
enum { HELD = 64 };

static void run_decoder(void *context) {
    sampling *s = context;
    retort_error err;
    die_unless(rt_decoder_step(s->decoder, s->slots, s->slot, s->position, s->ids, s->want, s->logits, &err), &err);
}

static void fill_slots(sampling *s) {
    for (int32_t p = 0; p <= HELD; p++) {
        for (int64_t i = 0; i < s->slots; i++) {
            s->position[i] = p;
            s->ids[i] = (int32_t)((i * 31 + p * 7) % V);
        }
        run_decoder(s);
    }
}

static void bench_sampling(const rt_model *model, int threads) {
    static const int64_t slots[] = {1, 8, 32, 128, 256};
    for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
        retort_error err;
        const size_t n = (size_t)slots[i];
        sampling s = {.slots = slots[i]};
        s.slot = rt_calloc(n, sizeof *s.slot);
        s.position = rt_calloc(n, sizeof *s.position);
        s.ids = rt_calloc(n, sizeof *s.ids);
        s.want = rt_calloc(n, sizeof *s.want);
        s.logits = rt_aligned_alloc(n * V, sizeof *s.logits);
        for (int64_t j = 0; j < s.slots; j++) {
            s.slot[j] = (int32_t)j;
            s.want[j] = true;
        }
        die_unless(rt_decoder_create(model, s.slots, 2 * HELD, s.slots, &s.decoder, &err), &err);
        fill_slots(&s);
        const double took = fastest(run_decoder, &s);
        printf("threads %d, decoder with %3lld slots holding %d: %6.0f tokens/s, %.3f ms a step\n", threads,
               (long long)slots[i], HELD, (double)s.slots / took, took * 1e3);
        rt_decoder_destroy(s.decoder);
        rt_free(s.slot);
        rt_free(s.position);
        rt_free(s.ids);
        rt_free(s.want);
        rt_free(s.logits);
    }
}

int main(int argc, char **argv) {
    static bench x;
    retort_error err;
    x.model.config = config;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 1) seconds_a_figure = atof(argv[1]);
    die_unless(rt_compute_init(&err), &err);
    die_unless(rt_params_create(&config, &x.model.params, &err), &err);
    die_unless(rt_params_create(&config, &x.grads, &err), &err);
    rt_params_init(&config, &x.model.params, 1);
    die_unless(rt_workspace_create(&config, &(rt_workspace_shape){.max_tokens = T}, &x.ws, &err), &err);
    const size_t room = (size_t)T * 2 * F;
    x.a = rt_aligned_alloc(room, sizeof(float));
    x.b = rt_aligned_alloc(room, sizeof(float));
    x.c = rt_aligned_alloc(room, sizeof(float));
    x.scratch = rt_aligned_alloc((size_t)rt_attention_scratch(CONTEXT, E), sizeof(float));
    x.head_scratch = rt_aligned_alloc((size_t)rt_head_scratch(V, D), sizeof(float));
    if (x.a == NULL || x.b == NULL || x.c == NULL || x.scratch == NULL || x.head_scratch == NULL) return 1;
    rt_rng rng = rt_rng_make(3, 3);
    for (size_t i = 0; i < room; i++) x.a[i] = x.b[i] = (float)(rt_rng_double(&rng) - 0.5);
    printf("%s; D %d, F %d, L %d, H %d, G %d, V %d; %d tokens a step; activations %.1f MiB\n",
           rt_isa_name(rt_compute_isa()), D, F, L, H, G, V, T,
           (double)rt_workspace_bytes(&config, &(rt_workspace_shape){.max_tokens = T}) / (1 << 20));
    for (int threads = 1; threads <= 2; threads++) {
        rt_compute_set_threads(threads);
        if (argc < 3) bench_training(&x, threads);
        bench_sampling(&x.model, threads);
    }
    return 0;
}
