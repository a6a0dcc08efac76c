/* LoRA (Hu et al. 2021): a frozen base, and for each adapted projection y = W x (+ bias) two small matrices.
 *
 *   u_j = chain(k: x_k, A_jk) * s,  s = fl32(alpha / r)          A [r][in], one rounding for the product with s
 *   y_i <- the chain in y_i, continued over j ascending by fmaf(u_j, B_ij)      B [out][r]
 *
 * so y starts as the base's result, bias included, and no row of a batch touches another: training, scoring and
 * decoding give the same bits. Backward, with dy given:
 *
 *   v_j  = chain(i: dy_i, B_ij) * s      dB_ij, dA_jk: chains over tokens t ascending of (dy_ti, u_tj), (v_tj, x_tk)
 *   dx_k <- the base's chain in dx_k, continued over j ascending by fmaf(v_j, A_jk)
 *
 * Names, shapes and meanings are PEFT's; lora_disk.c reads and writes its files. Dropout is 0. A model that carries
 * adapters is trained in them alone; merging (rt_lora_merge) makes W + s (B A) of them, which is another model by
 * rounding, and so nothing that must agree bit for bit with training.
 */
#ifndef RT_MODEL_LORA_H
#define RT_MODEL_LORA_H

#include "model/model.h"

/* In the order of a layer's tensors; PEFT's names of the target modules. */
typedef enum rt_lora_module {
    RT_LORA_Q,
    RT_LORA_K,
    RT_LORA_V,
    RT_LORA_O,
    RT_LORA_GATE,
    RT_LORA_UP,
    RT_LORA_DOWN,
    RT_LORA_MODULES
} rt_lora_module;
const char *rt_lora_module_name(rt_lora_module module); /* "q_proj" */

typedef struct rt_lora_shape {
    int64_t in, out;
} rt_lora_shape;
rt_lora_shape rt_lora_shape_of(const rt_config *config, rt_lora_module module);

struct rt_lora {
    rt_lora_config config;
    float scale;
    int64_t layers;
    rt_lora_shape shape[RT_LORA_MODULES];
    int64_t *offset;  /* [layers][RT_LORA_MODULES]: of A in a block, B behind it; -1: not adapted */
    rt_params params; /* A and B of all layers as one float block; embed, layers and so on are unused */
};

/* A comma list of module names, or "all-linear"; `where` names it in messages. */
retort_status rt_lora_parse_targets(const char *list, const char *where, unsigned *out, retort_error *err);
retort_status rt_lora_config_validate(const rt_lora_config *lora, const char *where, retort_error *err);

/* Adapters for a model of this shape, all zero. */
retort_status rt_lora_create(const rt_config *config, const rt_lora_config *lora, rt_lora **out, retort_error *err);
void rt_lora_destroy(rt_lora *lora);
/* As PEFT starts: A uniform in +-1/sqrt(in) (Kaiming with a = sqrt 5), B zero, so that the model is the base. */
void rt_lora_init(rt_lora *lora, uint64_t seed);
/* A block of the adapters' layout, zeroed: gradients, moments. */
retort_status rt_lora_like(const rt_lora *lora, rt_params *out, retort_error *err);
/* Parameters of such adapters. */
int64_t rt_lora_count(const rt_config *config, const rt_lora_config *lora);

/* A and B of a projection inside a block of the adapters' layout; false where it is not adapted. */
typedef struct rt_lora_pair {
    float *a, *b;
    int64_t in, out;
} rt_lora_pair;
bool rt_lora_pair_of(const rt_lora *lora, const rt_params *block, int64_t layer, rt_lora_module module,
                     rt_lora_pair *out);

/* y [rows][out] += what the adapter adds for x [rows][in]; nothing where lora is NULL or the module is not adapted.
 * scratch: rows * r floats. */
void rt_lora_forward(const rt_lora *lora, int64_t layer, rt_lora_module module, int64_t rows, const float *x, float *y,
                     float *scratch);
/* Adds to grads' A and B and continues dx [rows][in]. scratch: 2 * rows * r floats. */
void rt_lora_backward(const rt_lora *lora, int64_t layer, rt_lora_module module, int64_t rows, const float *x,
                      const float *dy, const rt_params *grads, float *dx, float *scratch);

/* Puts W + s (B A) in the place of each adapted W (in float32, rounded once more where weights are held so):
 * W_ij + fl32(chain(k: B_ik, A_kj)) * s. The model then carries no adapters. */
retort_status rt_lora_merge(rt_model *model, retort_error *err);

/* ---- disk: a PEFT folder, adapter_config.json and adapter_model.safetensors ---- */

/* base: what goes into 'base_model_name_or_path'. */
retort_status rt_lora_save(const rt_lora *lora, const char *base, const char *dir, retort_error *err);
/* Adapters for a model of this shape. What would change results and is not computed here (DoRA, biases, other
 * modules, ranks by pattern, an initialisation that changes the base) is RETORT_ERR_UNSUPPORTED and named. */
retort_status rt_lora_load(const rt_config *config, const char *dir, rt_lora **out, retort_error *err);

#endif
