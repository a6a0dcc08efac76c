#include "model/cost.h"

#include <math.h>

#include "model/dtype.h"
#include "model/lora.h"

/* What the kernels reach of a ceiling where nothing else is counted: measured (docs/performance.md says how), and the
 * only numbers here that do not follow from the code. */
#define TILE        0.93 /* of the peak: multiplying what lies packed in the second-level cache */
#define ATTENTION   0.78 /* of the peak, both ways, exponentials included */
#define FEW_QUERIES 0.50 /* of the peak: attention of the heads of one group over one cache */
#define STREAM      0.80 /* of the bandwidth: weights that were packed once, under few rows */

enum {
    DIAGONAL = 12,     /* keys more than a token sees: tiles on the diagonal are computed whole */
    WIDENING = 16,     /* FLOPs of a tile that pass while a weight of few bits is turned into a float, */
    NARROW_ROWS = 48,  /* which a step of more rows than this does once for all of them; */
    SCALING = 2,       /* with fewer rows, FLOPs that give an int8 weight its scale where it lies */
    PROMPT_ROWS = 256, /* rows of a decoder's step that reads a prompt */
    RUN_START = 12288, /* bytes that could be read while the prefetcher finds the next block of a cache */
    KEPT = 512 << 10   /* bytes of one sequence's keys and values that the second-level cache keeps for another tile */
};

/* Linear layers added up: weights, and floats that go in and come out for a token. */
typedef struct linear {
    double weights, in, out;
} linear;

typedef struct shape {
    double layers, d, q, kv, f;
    linear layer, head;
} shape;

static shape shape_of(const rt_config *c) {
    shape s = {.layers = (double)c->num_hidden_layers,
               .d = (double)c->hidden_size,
               .q = (double)(c->num_attention_heads * c->head_dim),
               .kv = (double)(c->num_key_value_heads * c->head_dim),
               .f = (double)c->intermediate_size};
    s.layer.weights = s.d * (2 * s.q + 2 * s.kv) + 3 * s.d * s.f;
    s.layer.in = 3 * s.d + s.q + 2 * s.d + s.f;         /* q, k, v; o; gate, up; down */
    s.layer.out = s.q + 2 * s.kv + s.d + 2 * s.f + s.d; /* likewise */
    s.head = (linear){s.d * (double)c->vocab_size, s.d, (double)c->vocab_size};
    return s;
}

/* Of all layers. */
static linear adapters_of(const rt_config *c, const rt_lora_config *lora) {
    linear all = {0};
    for (int m = 0; lora != NULL && m < RT_LORA_MODULES; m++) {
        const rt_lora_shape one = rt_lora_shape_of(c, (rt_lora_module)m);
        const double r = (double)lora->r, layers = (double)c->num_hidden_layers;
        if ((lora->targets >> m & 1U) == 0) continue;
        all.weights += layers * r * (double)(one.in + one.out);
        all.in += layers * ((double)one.in + r);
        all.out += layers * (r + (double)one.out);
    }
    return all;
}

/* ---- training ---- */

/* FLOPs and bytes of products so far. */
typedef struct tally {
    double side; /* of the grid of threads: about so many read the same rows, and pack the same weights */
    double flops, bytes;
} tally;

/* y = x w^T, `times` over, in `passes` passes over the weights: x is read, w is read and packed, y is fetched and
 * written. */
static void add_forward(tally *t, const linear *l, double times, double tokens, double passes) {
    t->flops += times * 2 * tokens * l->weights;
    t->bytes += times * 4 * (t->side * tokens * l->in + t->side * 2 * passes * l->weights + 2 * tokens * l->out);
}

/* dx = dy w: the same with in and out exchanged. */
static void add_input_gradient(tally *t, const linear *l, double tokens, double passes) {
    const linear reversed = {l->weights, l->out, l->in};
    add_forward(t, &reversed, 1, tokens, passes);
}

/* dw += dy^T x: both are read and packed, dw is fetched and written. */
static void add_weight_gradient(tally *t, const linear *l, double tokens, double passes) {
    t->flops += 2 * tokens * l->weights;
    t->bytes += 4 * (t->side * 2 * tokens * (l->in + l->out) + 2 * passes * l->weights);
}

static void add_products(tally *t, const rt_config *c, const rt_lora_config *lora, const rt_training_load *load) {
    const shape s = shape_of(c);
    const linear adapters = adapters_of(c, lora);
    const linear layers = {s.layers * s.layer.weights, s.layers * s.layer.in, s.layers * s.layer.out};
    const linear *const body[] = {&layers, &adapters};
    const double chunks = fmax(load->passes, load->scored / (double)rt_head_rows(c->vocab_size));
    for (int i = 0; i < 2; i++) {
        add_forward(t, body[i], load->recompute ? 2 : 1, load->tokens, load->passes);
        if (load->forward_only) continue;
        add_input_gradient(t, body[i], load->tokens, load->passes);
        if (i == 1 || lora == NULL) add_weight_gradient(t, body[i], load->tokens, load->passes);
    }
    add_forward(t, &s.head, 1, load->scored, chunks);
    if (load->forward_only) return;
    add_input_gradient(t, &s.head, load->scored, chunks);
    if (lora == NULL) add_weight_gradient(t, &s.head, load->scored, chunks);
}

/* What is read and written outside of products, in floats of a token and layer: norms, biases, rotation, sums, SwiGLU,
 * and what attention takes and gives. A line that is written and was not read is fetched first. */
static double forward_floats(const shape *s) {
    return 12 * s->d + 7 * s->q + 8 * s->kv + 4 * s->f;
}

static double backward_floats(const shape *s) {
    return 12 * s->d + 10 * s->q + 10 * s->kv + 5 * s->f;
}

static double row_bytes(const rt_config *c, const rt_training_load *load) {
    const shape s = shape_of(c);
    const double floats =
        (load->recompute ? 2 : 1) * forward_floats(&s) + (load->forward_only ? 0 : backward_floats(&s));
    const double logits = load->forward_only ? 2 : 4; /* largest and sum; softmax in place */
    return 4 * (load->tokens * s.layers * floats + load->scored * (double)c->vocab_size * logits);
}

rt_cost rt_training_cost(const rt_config *c, const rt_lora_config *lora, const rt_training_load *load,
                         const rt_ceilings *machine) {
    enum { UPDATE = 36 }; /* g for its norm; p, g, m and v, of which p, m and v are written; g becomes zero */
    const shape s = shape_of(c);
    const double flops = rt_ceilings_flops(machine);
    const double trained = lora != NULL
                               ? adapters_of(c, lora).weights
                               : s.layers * s.layer.weights + (c->tie_word_embeddings ? 1 : 2) * s.head.weights;
    const double keys = load->keys + DIAGONAL * load->tokens;
    const double ways = 4 * (load->recompute ? 2 : 1) + (load->forward_only ? 0 : 10); /* 2 products forward, 5 back */
    tally t = {.side = sqrt(machine->cores)};
    add_products(&t, c, lora, load);
    const double bytes = t.bytes + row_bytes(c, load) + UPDATE * trained * load->updates;
    return (rt_cost){.products = t.flops / (TILE * flops),
                     .attention = s.layers * s.q * keys * ways / (ATTENTION * flops),
                     .memory = bytes / machine->bandwidth};
}

/* ---- sampling ---- */

/* Tiles of 12 rows, or of up to 8, that make up the heads of a group: each goes through all keys and values by itself.
 */
static double tiles_of(const rt_config *c) {
    const int64_t heads = c->num_attention_heads / c->num_key_value_heads, full = heads / 12, rest = heads % 12;
    const int64_t tiles = full + (rest > 8 ? 2 : rest > 0 ? 1 : 0);
    return (double)tiles;
}

/* Keys and values of `keys` positions (of all rows), of which a row has `context`: blocks that lie apart, so that each
 * begins without the prefetcher's help. */
static double cache_seconds(const rt_config *c, const shape *s, double keys, double context,
                            const rt_ceilings *machine) {
    const double size = (double)rt_dtype_size(c->kv_dtype), row = (double)c->head_dim * size;
    const double run = RT_KV_BLOCK * row, share = run / (run + RUN_START);
    const double passes = context * 2 * row > KEPT ? tiles_of(c) : 1;
    return passes * 2 * s->layers * s->kv * size * keys / (share * machine->bandwidth);
}

/* What is waited for beyond multiplying: reading hides behind it where one of the two takes much longer, and only
 * partly where they take about as long. */
static double beyond(double reading, double computing) {
    return isfinite(computing) ? hypot(reading, computing) - computing : 0;
}

/* FLOPs, and what takes as long. */
static double multiplications(const rt_config *c, const rt_decoding_load *load, double layers, double head,
                              double weights) {
    const bool widens = c->weights_dtype != RT_DTYPE_F32 && load->rows > NARROW_ROWS * load->steps;
    const double multiplied = 2 * (load->rows * layers + load->scored * head);
    if (widens) return multiplied + WIDENING * weights;
    return c->weights_dtype == RT_DTYPE_INT8 ? multiplied + SCALING * weights : multiplied;
}

static double weight_bytes(const rt_config *c) {
    const double scale = c->weights_dtype == RT_DTYPE_INT8 ? (double)sizeof(float) / RT_INT8_GROUP : 0;
    return (double)rt_dtype_size(c->weights_dtype) + scale;
}

rt_cost rt_decoding_cost(const rt_config *c, const rt_decoding_load *load, const rt_ceilings *machine) {
    const shape s = shape_of(c);
    const double flops = rt_ceilings_flops(machine);
    const double layers = s.layers * s.layer.weights, head = s.head.weights;
    const double weights = load->steps * layers + fmin(load->steps, load->scored) * head;
    const double multiplied = multiplications(c, load, layers, head, weights) / (TILE * flops);
    const double streamed = weights * weight_bytes(c) / (STREAM * machine->bandwidth);
    const double keys = load->keys + (load->prompt ? DIAGONAL * load->rows : 0);
    const double scores = 4 * s.layers * s.q * keys / ((load->prompt ? ATTENTION : FEW_QUERIES) * flops);
    const double fetched = load->prompt || load->rows <= 0 ? 0 : cache_seconds(c, &s, keys, keys / load->rows, machine);
    const double rows = 4 * load->rows * s.layers * forward_floats(&s) / machine->bandwidth;
    return (rt_cost){.products = multiplied,
                     .attention = scores,
                     .memory = beyond(streamed, multiplied) + fmax(0, fetched - scores) + rows};
}

rt_cost rt_sampling_cost(const rt_config *c, const rt_sampling_load *load, const rt_ceilings *machine) {
    const double responses = load->prompts * load->n, fed = fmax(0, load->fresh - 1);
    const rt_decoding_load reading = {.steps = load->prompts * ceil(load->prompt / PROMPT_ROWS),
                                      .rows = load->prompts * load->prompt,
                                      .keys = load->prompts * load->prompt * (load->prompt + 1) / 2,
                                      .scored = load->prompts,
                                      .prompt = true};
    const rt_decoding_load drawing = {.steps = ceil(responses / load->slots) * fed,
                                      .rows = responses * fed,
                                      .keys = responses * fed * (load->prompt + (fed + 1) / 2),
                                      .scored = responses * fed};
    rt_cost cost = rt_decoding_cost(c, &reading, machine);
    rt_cost_add(&cost, rt_decoding_cost(c, &drawing, machine));
    return cost;
}
