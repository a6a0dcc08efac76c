#include "model/lora.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/random.h"

static const struct {
    const char *name, *block;
} modules[RT_LORA_MODULES] = {
    [RT_LORA_Q] = {"q_proj", "self_attn"}, [RT_LORA_K] = {"k_proj", "self_attn"}, [RT_LORA_V] = {"v_proj", "self_attn"},
    [RT_LORA_O] = {"o_proj", "self_attn"}, [RT_LORA_GATE] = {"gate_proj", "mlp"}, [RT_LORA_UP] = {"up_proj", "mlp"},
    [RT_LORA_DOWN] = {"down_proj", "mlp"},
};

const char *rt_lora_module_name(rt_lora_module module) {
    return modules[module].name;
}

/* ---- configuration ---- */

static retort_status add_target(const char *name, size_t length, const char *where, unsigned *targets,
                                retort_error *err) {
    for (int m = 0; m < RT_LORA_MODULES; m++) {
        if (strlen(modules[m].name) != length || strncmp(modules[m].name, name, length) != 0) continue;
        *targets |= 1U << m;
        return RETORT_OK;
    }
    return rt_fail(err, RETORT_ERR_UNSUPPORTED,
                   "%s has the target module '%.*s'; use q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj "
                   "or all-linear",
                   where, (int)(length < 64 ? length : 64), name);
}

retort_status rt_lora_parse_targets(const char *list, const char *where, unsigned *out, retort_error *err) {
    *out = 0;
    if (strcmp(list, "all-linear") == 0) {
        *out = (1U << RT_LORA_MODULES) - 1;
        return RETORT_OK;
    }
    for (const char *at = list; *at != '\0';) {
        const size_t length = strcspn(at, ",");
        if (length > 0) RT_TRY(add_target(at, length, where, out, err));
        at += length + (at[length] == ',');
    }
    RT_CHECK(*out != 0, err, RETORT_ERR_USAGE, "%s names no target module; use all-linear for all of them", where);
    return RETORT_OK;
}

retort_status rt_lora_config_validate(const rt_lora_config *lora, const char *where, retort_error *err) {
    enum { MAX_RANK = 4096 };
    RT_CHECK(lora->r >= 1 && lora->r <= MAX_RANK, err, RETORT_ERR_FORMAT,
             "%s: rank 'r' is %lld, must be between 1 and %d", where, (long long)lora->r, (int)MAX_RANK);
    RT_CHECK(isfinite(lora->alpha) && lora->alpha > 0 && lora->alpha <= 1e6, err, RETORT_ERR_FORMAT,
             "%s: 'lora_alpha' is %g, must be above 0 and at most 1e6", where, lora->alpha);
    RT_CHECK(lora->targets != 0 && lora->targets < 1U << RT_LORA_MODULES, err, RETORT_ERR_FORMAT,
             "%s: no target module", where);
    return RETORT_OK;
}

/* ---- memory ---- */

rt_lora_shape rt_lora_shape_of(const rt_config *c, rt_lora_module module) {
    const int64_t d = c->hidden_size, f = c->intermediate_size;
    const int64_t q = c->num_attention_heads * c->head_dim, kv = c->num_key_value_heads * c->head_dim;
    const rt_lora_shape shapes[] = {
        [RT_LORA_Q] = {d, q},    [RT_LORA_K] = {d, kv}, [RT_LORA_V] = {d, kv},  [RT_LORA_O] = {q, d},
        [RT_LORA_GATE] = {d, f}, [RT_LORA_UP] = {d, f}, [RT_LORA_DOWN] = {f, d}};
    return shapes[module];
}

static bool is_target(const rt_lora_config *config, int module) {
    return (config->targets >> module & 1U) != 0;
}

int64_t rt_lora_count(const rt_config *config, const rt_lora_config *lora) {
    int64_t count = 0;
    for (int m = 0; m < RT_LORA_MODULES; m++) {
        const rt_lora_shape shape = rt_lora_shape_of(config, (rt_lora_module)m);
        if (is_target(lora, m)) count += lora->r * (shape.in + shape.out);
    }
    return count * config->num_hidden_layers;
}

static void name_tensor(rt_tensor *tensor, int64_t layer, int module, char which, int64_t offset, int64_t rows,
                        int64_t cols) {
    snprintf(tensor->name, sizeof tensor->name, "base_model.model.model.layers.%d.%s.%s.lora_%c.weight", (int)layer,
             modules[module].block, modules[module].name, which);
    tensor->offset = offset;
    tensor->count = rows * cols;
    tensor->shape[0] = rows;
    tensor->shape[1] = cols;
    tensor->dims = 2;
    tensor->decay = true;
}

/* Tensors in the order of layers, modules, A before B. */
static void lay_out(rt_lora *lora) {
    const int64_t r = lora->config.r;
    rt_tensor *next = lora->params.tensors;
    int64_t at = 0;
    for (int64_t l = 0; l < lora->layers; l++) {
        for (int m = 0; m < RT_LORA_MODULES; m++) {
            int64_t *offset = &lora->offset[l * RT_LORA_MODULES + m];
            *offset = is_target(&lora->config, m) ? at : -1;
            if (*offset < 0) continue;
            const int64_t in = lora->shape[m].in, out = lora->shape[m].out;
            name_tensor(next++, l, m, 'A', at, r, in);
            name_tensor(next++, l, m, 'B', at + r * in, out, r);
            at += r * (in + out);
        }
    }
}

retort_status rt_lora_create(const rt_config *config, const rt_lora_config *settings, rt_lora **out,
                             retort_error *err) {
    *out = NULL;
    RT_TRY(rt_config_validate(config, "model configuration", err));
    RT_TRY(rt_lora_config_validate(settings, "LoRA configuration", err));
    const int64_t tensors = 2 * config->num_hidden_layers * __builtin_popcount(settings->targets);
    rt_lora *lora = rt_calloc(1, sizeof *lora);
    if (lora != NULL) {
        lora->config = *settings;
        const double r = (double)settings->r;
        lora->scale = (float)(settings->alpha / (settings->rslora ? sqrt(r) : r));
        lora->layers = config->num_hidden_layers;
        for (int m = 0; m < RT_LORA_MODULES; m++) lora->shape[m] = rt_lora_shape_of(config, (rt_lora_module)m);
        lora->params.count = rt_lora_count(config, settings);
        lora->params.num_tensors = tensors;
        lora->params.tensors = rt_calloc((size_t)tensors, sizeof *lora->params.tensors);
        lora->offset = rt_calloc((size_t)(lora->layers * RT_LORA_MODULES), sizeof *lora->offset);
        lora->params.data = rt_aligned_alloc((size_t)lora->params.count, sizeof(float));
    }
    if (lora == NULL || lora->params.tensors == NULL || lora->offset == NULL || lora->params.data == NULL) {
        rt_lora_destroy(lora);
        return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: adapters of %lld parameters; use a smaller rank",
                       (long long)rt_lora_count(config, settings));
    }
    lay_out(lora);
    *out = lora;
    return RETORT_OK;
}

void rt_lora_destroy(rt_lora *lora) {
    if (lora == NULL) return;
    rt_params_release(&lora->params);
    rt_free(lora->offset);
    rt_free(lora);
}

retort_status rt_lora_like(const rt_lora *lora, rt_params *out, retort_error *err) {
    const size_t tensors = (size_t)lora->params.num_tensors;
    rt_params params = {.count = lora->params.count, .num_tensors = lora->params.num_tensors};
    params.data = rt_aligned_alloc((size_t)params.count, sizeof(float));
    params.tensors = rt_calloc(tensors, sizeof *params.tensors);
    if (params.data == NULL || params.tensors == NULL) {
        rt_params_release(&params);
        *out = params;
        return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: gradients of %lld adapter parameters",
                       (long long)lora->params.count);
    }
    memcpy(params.tensors, lora->params.tensors, tensors * sizeof *params.tensors);
    *out = params;
    return RETORT_OK;
}

/* Each tensor draws from its own stream. */
void rt_lora_init(rt_lora *lora, uint64_t seed) {
    for (int64_t i = 0; i < lora->params.num_tensors; i++) {
        const rt_tensor *tensor = &lora->params.tensors[i];
        float *x = lora->params.data + tensor->offset;
        const bool is_a = i % 2 == 0;
        const double bound = 1.0 / sqrt((double)tensor->shape[1]);
        rt_rng rng = rt_rng_make(seed, (uint64_t)i);
        for (int64_t j = 0; j < tensor->count; j++) x[j] = is_a ? (float)(bound * (2 * rt_rng_double(&rng) - 1)) : 0;
    }
}

/* ---- arithmetic ---- */

bool rt_lora_pair_of(const rt_lora *lora, const rt_params *block, int64_t layer, rt_lora_module module,
                     rt_lora_pair *out) {
    const int64_t at = lora != NULL ? lora->offset[layer * RT_LORA_MODULES + module] : -1;
    if (at < 0) return false;
    const int64_t in = lora->shape[module].in;
    *out = (rt_lora_pair){block->data + at, block->data + at + lora->config.r * in, in, lora->shape[module].out};
    return true;
}

void rt_lora_forward(const rt_lora *lora, int64_t layer, rt_lora_module module, int64_t rows, const float *x, float *y,
                     float *scratch) {
    rt_lora_pair p;
    if (lora == NULL || !rt_lora_pair_of(lora, &lora->params, layer, module, &p)) return;
    const int64_t r = lora->config.r;
    rt_matmul_nt(rows, r, p.in, x, p.in, p.a, p.in, scratch, r, false);
    rt_scale(rows * r, lora->scale, scratch);
    rt_matmul_nt(rows, p.out, r, scratch, r, p.b, r, y, p.out, true);
}

/* u is computed again: r of it a token cost less than keeping them would. */
void rt_lora_backward(const rt_lora *lora, int64_t layer, rt_lora_module module, int64_t rows, const float *x,
                      const float *dy, const rt_params *grads, float *dx, float *scratch) {
    rt_lora_pair p, g;
    if (lora == NULL || !rt_lora_pair_of(lora, &lora->params, layer, module, &p)) return;
    if (!rt_lora_pair_of(lora, grads, layer, module, &g)) return; /* both or neither */
    const int64_t r = lora->config.r;
    float *u = scratch, *v = scratch + rows * r;
    rt_matmul_nt(rows, r, p.in, x, p.in, p.a, p.in, u, r, false);
    rt_scale(rows * r, lora->scale, u);
    rt_matmul_nn(rows, r, p.out, dy, p.out, p.b, r, v, r, false);
    rt_scale(rows * r, lora->scale, v);
    rt_matmul_tn(p.out, r, rows, dy, p.out, u, r, g.b, r, true);
    rt_matmul_tn(r, p.in, rows, v, r, x, p.in, g.a, p.in, true);
    rt_matmul_nn(rows, p.in, r, v, r, p.a, p.in, dx, p.in, true);
}

/* ---- merging ---- */

static rt_matrix weight_of(const rt_layer_params *p, rt_lora_module module) {
    const rt_matrix weights[] = {p->q_w, p->k_w, p->v_w, p->o_w, p->gate_w, p->up_w, p->down_w};
    return weights[module];
}

/* A few rows of W at a time. */
static void merge_pair(const rt_lora *lora, const rt_lora_pair *p, rt_matrix w, float *delta, float *row,
                       int64_t most) {
    const int64_t r = lora->config.r, in = p->in;
    for (int64_t first = 0; first < p->out; first += most) {
        const int64_t rows = p->out - first < most ? p->out - first : most;
        rt_matmul_nn(rows, in, r, p->b + first * r, r, p->a, in, delta, in, false);
        rt_scale(rows * in, lora->scale, delta);
        for (int64_t i = 0; i < rows; i++) {
            const int64_t at = (first + i) * in;
            rt_matrix_decode(w, in, at, in, row);
            rt_add(in, delta + i * in, row);
            rt_matrix_encode(w, in, at, in, row);
        }
    }
}

retort_status rt_lora_merge(rt_model *model, retort_error *err) {
    enum { ROWS = 256 };
    rt_lora *lora = model->lora;
    if (lora == NULL) return RETORT_OK;
    RT_TRY(rt_compute_init(err));
    int64_t widest = 0;
    for (int m = 0; m < RT_LORA_MODULES; m++)
        if (lora->shape[m].in > widest) widest = lora->shape[m].in;
    float *delta = rt_malloc_array((size_t)((ROWS + 1) * widest), sizeof *delta);
    RT_CHECK(delta != NULL, err, RETORT_ERR_MEMORY, "out of memory while merging adapters");
    for (int64_t l = 0; l < lora->layers; l++) {
        for (int m = 0; m < RT_LORA_MODULES; m++) {
            rt_lora_pair p;
            if (!rt_lora_pair_of(lora, &lora->params, l, (rt_lora_module)m, &p)) continue;
            merge_pair(lora, &p, weight_of(&model->params.layers[l], (rt_lora_module)m), delta, delta + ROWS * widest,
                       ROWS);
        }
    }
    rt_free(delta);
    rt_lora_destroy(lora);
    model->lora = NULL;
    return RETORT_OK;
}
