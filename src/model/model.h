/* The decoder: configuration, weights, training forward and backward, and the sampling form with a KV cache.
 *
 * One engine for a family of architectures: RMSNorm, RoPE, grouped-query attention, SwiGLU, tied or untied embeddings.
 * How they differ (biases on q, k and v, ...) is data in rt_config. One forward for all: rt_model_run and
 * rt_decoder_step call the same kernels, so a token's logits have the same bits in training, in a batch of any size and
 * when decoded one by one.
 */
#ifndef RT_MODEL_H
#define RT_MODEL_H

#include "compute/compute.h"
#include "core/error.h"
#include "core/file.h"

/* Number formats of weights in files, and INT8 (compute.h), which is one of weights in memory only. */
typedef enum rt_dtype { RT_DTYPE_F32, RT_DTYPE_BF16, RT_DTYPE_F16, RT_DTYPE_INT8 } rt_dtype;

/* Which published architecture a configuration's files are of; architecture.h knows names and features. The engine
 * itself reads only the features below. */
typedef enum rt_architecture { RT_QWEN2, RT_LLAMA, RT_QWEN3, RT_MISTRAL } rt_architecture;

/* Rotary embedding: pair i of a head turns by position * frequency[i]; rope.h says how the types change the plain
 * frequency theta^(-2i/E), and by how much yarn lengthens the turned vectors. Fields that a type does not name are 0.
 */
typedef enum rt_rope_type {
    RT_ROPE_DEFAULT,
    RT_ROPE_LINEAR,  /* factor */
    RT_ROPE_DYNAMIC, /* factor */
    RT_ROPE_LLAMA3,  /* factor, original_positions, low_freq_factor, high_freq_factor */
    RT_ROPE_YARN     /* factor, original_positions and what follows */
} rt_rope_type;
typedef struct rt_rope_config {
    rt_rope_type type;
    double theta, factor;
    int64_t original_positions; /* context length before the scaling */
    double low_freq_factor, high_freq_factor;
    double beta_fast, beta_slow;
    double attention_factor, mscale, mscale_all_dim; /* 0: not given */
    bool truncate;
} rt_rope_config;

enum { RT_MAX_LAYERS = 1 << 12, RT_MAX_HEAD_DIM = 1 << 10 };

typedef struct rt_config {
    rt_architecture architecture;
    int64_t vocab_size, hidden_size, intermediate_size;
    int64_t num_hidden_layers, num_attention_heads, num_key_value_heads, head_dim;
    int64_t max_position_embeddings;
    int64_t sliding_window;                     /* queries of windowed layers see so many keys, themselves included */
    uint64_t window_layers[RT_MAX_LAYERS / 64]; /* which layers: bit l % 64 of word l / 64 */
    double rms_norm_eps, initializer_range;
    rt_rope_config rope;
    bool tie_word_embeddings;
    bool qkv_bias, o_bias;              /* which attention projections have biases */
    bool qk_norm;                       /* RMSNorm of each head of q and k before the rotation (Qwen3) */
    int32_t bos_token_id, pad_token_id; /* -1: none */
    int32_t eos_token_id[8];
    int32_t num_eos;
    /* How the model is held in memory, F32, BF16 or INT8; not part of config.json, and F32 where nothing else is said.
     * Matrices that are only read (sampling, a frozen base) may be bfloat16 or int8; arithmetic is float32 all the
     * same. */
    rt_dtype weights_dtype;
    /* Keys and values as attention sees them, F32 or BF16. With BF16 the cache holds them rounded to nearest, ties to
     * even, and training rounds them likewise behind bias, norm and rotation; its gradient goes straight through. */
    rt_dtype kv_dtype;
} rt_config;

/* ---- parameters: one flat block, tensors in a fixed order ---- */
/* Pointers into the block, NULL where the configuration has no such tensor; shapes as in transformers. */
typedef struct rt_layer_params {
    float *input_norm;      /* [D] */
    rt_matrix q_w;          /* [H*E][D] */
    float *q_b;             /* [H*E] */
    rt_matrix k_w;          /* [G*E][D] */
    float *k_b;             /* [G*E] */
    rt_matrix v_w;          /* [G*E][D] */
    float *v_b;             /* [G*E] */
    float *q_norm, *k_norm; /* [E] */
    rt_matrix o_w;          /* [D][H*E] */
    float *o_b;             /* [D] */
    float *post_norm;       /* [D] */
    rt_matrix gate_w, up_w; /* [F][D] */
    rt_matrix down_w;       /* [D][F] */
} rt_layer_params;

typedef struct rt_tensor {
    char name[96];         /* "model.layers.0.self_attn.q_proj.weight" */
    int64_t offset, count; /* offset: into the block of its format */
    int64_t scales;        /* of int8: where its scales begin */
    int64_t shape[2];
    int32_t dims;
    rt_format format;
    bool decay; /* weight decay applies (matrices; not norms and biases) */
} rt_tensor;

/* Float32 weights, gradients and moments are one block `data` of `count` floats. With weights_dtype BF16 or INT8 the
 * matrices (the embedding table is one) lie in `half` or in `int8` and `scale` instead, and data holds only the vectors
 * (norms, biases). Of a model opened to sample from, `half` may be the mapped file itself, whose tensors lie in the
 * file's order: those are only read. */
typedef struct rt_params {
    float *data;    /* 64-byte aligned */
    uint16_t *half; /* NULL where no matrix is bfloat16 */
    int8_t *int8;   /* and so on */
    float *scale;   /* of the groups of int8 */
    size_t mapped;  /* bytes of the mapping that `half` is; 0: it is memory */
    int64_t count;  /* parameters in all */
    int64_t narrow; /* of them in half or int8 */
    int64_t scales; /* floats of scale */
    rt_tensor *tensors;
    int64_t num_tensors;
    rt_matrix embed; /* [V][D] */
    float *norm;     /* [D] */
    rt_matrix head;  /* [V][D]; == embed when tied */
    rt_layer_params *layers;
} rt_params;

/* Zeroed, in the format config->weights_dtype. Also used for gradients and for AdamW's moments, which are float32. */
retort_status rt_params_create(const rt_config *config, rt_params *out, retort_error *err);
/* The same with bfloat16 matrices where they lie in a mapped file: tensor i of rt_params_layout begins offsets[i] times
 * 2 bytes behind the file's beginning (vectors' offsets are not read). Such matrices must only be read. Takes the
 * mapping over, *file is then empty; also on failure. */
retort_status rt_params_create_mapped(const rt_config *config, rt_mapping *file, const int64_t *offsets, rt_params *out,
                                      retort_error *err);
/* Only names, shapes and counts (data, layers and the pointers into data stay NULL): what a model will need, before
 * memory is taken. Release likewise. */
retort_status rt_params_layout(const rt_config *config, rt_params *out, retort_error *err);
void rt_params_release(rt_params *params);
/* Bytes of such a block; SIZE_MAX when out of range. */
size_t rt_params_bytes(const rt_config *config);
/* Where a tensor lies. */
rt_matrix rt_params_matrix(const rt_params *params, const rt_tensor *tensor);
/* Elements first .. first + count - 1 of a tensor from floats and to floats. Stored they are rounded to the tensor's
 * format; into int8 they must be whole groups. */
void rt_params_store(rt_params *params, const rt_tensor *tensor, int64_t first, int64_t count, const float *x);
void rt_params_fetch(const rt_params *params, const rt_tensor *tensor, int64_t first, int64_t count, float *x);
/* Of float32 or bfloat16: Normal(0, initializer_range) matrices, zero biases, unit norms; residual outputs (o, down)
 * scaled by 1/sqrt(2 layers) as GPT-2 does. From rt_rng only. */
void rt_params_init(const rt_config *config, rt_params *params, uint64_t seed);
/* Every number within bounds that make all later size arithmetic safe; `where` names the source in the message. */
retort_status rt_config_validate(const rt_config *config, const char *where, retort_error *err);
/* Longest sequence the configuration allows: max_position_embeddings, and what linear and yarn scaling make of it. */
int64_t rt_config_context(const rt_config *config);
/* How many keys a query of a layer sees at most; 0: all before it. */
int64_t rt_config_window(const rt_config *config, int64_t layer);
/* True when weights of one fit the other, whatever format they are held in. */
bool rt_config_same_shape(const rt_config *a, const rt_config *b);

/* Adapters (lora.h): where a model carries them, they alone are trained. */
typedef struct rt_lora_config {
    int64_t r;
    double alpha;
    unsigned targets; /* bit m: projection m of rt_lora_module */
    bool rslora;      /* scaled by alpha / sqrt(r) instead of alpha / r */
} rt_lora_config;
typedef struct rt_lora rt_lora;

typedef struct rt_model {
    rt_config config;
    rt_params params;
    rt_lora *lora; /* NULL: none */
} rt_model;

/* ---- disk: a Hugging Face directory ---- */
/* `dir` is a path or the name of a model in the Hub's cache (rt_model_path). A path may also be that of a GGUF file
 * (gguf_model.h), whose quantised weights become float32. Of a folder it reads config.json (and
 * generation_config.json's eos list) and model.safetensors or its shards (F32, BF16, F16), everything validated before
 * use. Weights become float32. */
retort_status rt_model_load(const char *dir, rt_model *out, retort_error *err);
/* The same with matrices held as: what the file has (bfloat16 if all its matrices are, else float32: no result depends
 * on it), float32, or rounded to bfloat16 or int8. The order is that of the option's choices. */
#define RT_WEIGHTS_CHOICES "auto|f32|bf16|int8"
typedef enum rt_weights_form { RT_WEIGHTS_AUTO, RT_WEIGHTS_F32, RT_WEIGHTS_BF16, RT_WEIGHTS_INT8 } rt_weights_form;
/* The format that a form asks for; `automatic` where it leaves the choice. */
rt_dtype rt_weights_form_dtype(rt_weights_form form, rt_dtype automatic);
/* weights_dtype as the kernels' format. */
rt_format rt_config_format(const rt_config *config);
retort_status rt_model_load_as(const char *dir, rt_weights_form form, rt_model *out, retort_error *err);
/* A model to sample from: adapter is a PEFT folder, NULL: none. */
typedef struct rt_model_source {
    const char *dir, *adapter;
    rt_weights_form weights;
    rt_dtype kv_dtype;
} rt_model_source;
/* Matrices that need no conversion stay in the mapped file, to be packed from there: the model must only be read, and
 * be released before a user could change the file. */
retort_status rt_model_open(const rt_model_source *source, rt_model *out, retort_error *err);
/* The configurations of model and adapter (r 0: none) that this would give, before memory is taken for the weights. */
retort_status rt_model_source_peek(const rt_model_source *source, rt_config *config, rt_lora_config *lora,
                                   retort_error *err);
/* The configuration that rt_model_load_as would give. */
retort_status rt_model_peek(const char *dir, rt_weights_form form, rt_config *config, retort_error *err);
/* Writes config.json, generation_config.json, model.safetensors into an existing folder, atomically per file. */
retort_status rt_model_save(const rt_model *model, const char *dir, rt_dtype dtype, retort_error *err);
/* The same with weights in files of at most max_bytes (a larger tensor has one to itself) where one would be larger,
 * and model.safetensors.index.json beside them; rt_model_save cuts at 5 GB, as is usual on the Hub. Weight files that
 * an earlier save left in the folder are removed. */
#define RT_SHARD_BYTES 5000000000
retort_status rt_model_save_shards(const rt_model *model, const char *dir, rt_dtype dtype, int64_t max_bytes,
                                   retort_error *err);
void rt_model_release(rt_model *model);
/* SHA-256 over config and the weights as float32 in tensor order: a model held in another format has the hash of the
 * float32 model with those values. */
retort_status rt_model_hash(const rt_model *model, char hex[65], retort_error *err);

/* FLOPs of a forward pass over `tokens` tokens whose attended key counts sum to `keys` (2 per multiply-add);
 * scored: tokens that go through the output head. Backward is twice that. */
double rt_model_forward_flops(const rt_config *config, double tokens, double keys, double scored);

/* ---- training ---- */

/* A micro-batch: documents laid one after another, no padding. */
typedef struct rt_batch {
    int64_t tokens;        /* T */
    const int32_t *ids;    /* [T] */
    const int32_t *target; /* [T]: the next id where the loss (or the policy ratio) counts, else -1 */
    int64_t docs;
    const int32_t *doc_start; /* [docs + 1] */
} rt_batch;

/* What a workspace is for. */
typedef struct rt_workspace_shape {
    int64_t max_tokens;  /* of a micro-batch */
    int64_t step_tokens; /* of all micro-batches between two flushes; 0: any number */
    bool recompute;      /* keep only each layer's input and compute the rest again in the backward pass: same bits */
    int64_t lora_r;      /* adapters of at most this rank are trained, the weights are not; 0: the weights are */
} rt_workspace_shape;

/* Activations of a pass, and what its backward pass needs. */
typedef struct rt_workspace rt_workspace;
retort_status rt_workspace_create(const rt_config *config, const rt_workspace_shape *shape, rt_workspace **out,
                                  retort_error *err);
void rt_workspace_destroy(rt_workspace *ws);
/* The memory of such a workspace, asked before it is taken; SIZE_MAX when no machine could hold it. The input-side
 * gradients of a tied embedding are included: a row for each id that step_tokens tokens could name. */
size_t rt_workspace_bytes(const rt_config *config, const rt_workspace_shape *shape);

/* The output side of a pass: how per-token log-probabilities become a loss. weight is called with runs of tokens of
 * the batch, ascending and without gaps up to the last scored one (first, count; the pointers are those of token
 * `first`); it must set coefficient where target >= 0, what it writes elsewhere is ignored. */
typedef struct rt_objective {
    float inv_temperature;
    float *logp;           /* [T] out: log p of target where target >= 0, else 0 */
    float *entropy;        /* [T] out or NULL */
    rt_head_weight weight; /* NULL: forward only */
    void *context;
} rt_objective;

/* Runs the batch; with weight == NULL only logp (and entropy) are filled; otherwise gradients are added to grads, which
 * has the layout of the model's parameters, or of its adapters where it carries them.
 * Token ids and document lengths are validated (RETORT_ERR_FORMAT). Gradients continue chains over tokens, so that
 * splitting a sequence of documents into micro-batches in the same order gives the same bits. For tied embeddings the
 * input-side gradient is kept apart in the workspace until rt_workspace_flush_grads adds it (once per optimiser step);
 * RETORT_ERR_STATE if the micro-batches since then name more ids than shape.step_tokens allows. */
retort_status rt_model_run(const rt_model *model, rt_workspace *ws, const rt_batch *batch,
                           const rt_objective *objective, rt_params *grads, retort_error *err);
void rt_workspace_flush_grads(rt_workspace *ws, rt_params *grads);

/* ---- sampling ---- */
typedef struct rt_decoder rt_decoder;
/* The cache of keys and values is a pool of blocks of RT_KV_BLOCK positions (compute/compute.h). A slot takes blocks as
 * its sequence grows and shares those of a copied prefix until one of the two writes into them. */
typedef struct rt_decoder_size {
    int64_t slots;    /* sequences at once */
    int64_t capacity; /* longest of them, in positions */
    int64_t rows;     /* most rows of a step */
    int64_t blocks;   /* of the cache, at least one sequence's; 0: enough for every slot at its longest */
} rt_decoder_size;
/* Weights are packed (the model may be changed or released afterwards). Adapters are kept apart from the weights and
 * applied as in training. Memory of the cache is touched only as blocks are taken. */
retort_status rt_decoder_create_sized(const rt_model *model, const rt_decoder_size *size, rt_decoder **out,
                                      retort_error *err);
/* The same with the model's weights released, also on failure: matrices are given back to the system as they are
 * packed, so that the two forms are never there in full together. */
retort_status rt_decoder_create_taking(rt_model *model, const rt_decoder_size *size, rt_decoder **out,
                                       retort_error *err);
/* The same as rt_decoder_create_sized with all the blocks that its slots can need. */
retort_status rt_decoder_create(const rt_model *model, int64_t slots, int64_t capacity, int64_t max_rows,
                                rt_decoder **out, retort_error *err);
void rt_decoder_destroy(rt_decoder *decoder);
/* The memory of such a decoder, weights included, asked before it is taken; SIZE_MAX when out of range. lora: NULL for
 * a model without adapters. */
size_t rt_decoder_bytes_sized(const rt_config *config, const rt_lora_config *lora, const rt_decoder_size *size);
size_t rt_decoder_bytes(const rt_config *config, const rt_lora_config *lora, int64_t slots, int64_t capacity,
                        int64_t max_rows);
/* One block's keys and values in all layers. */
size_t rt_decoder_block_bytes(const rt_config *config);
/* What it was created with. */
void rt_decoder_limits(const rt_decoder *decoder, int64_t *slots, int64_t *capacity, int64_t *max_rows);
/* Blocks of its cache, and how many of them no slot holds. */
int64_t rt_decoder_blocks(const rt_decoder *decoder, int64_t *num_free);
/* How many blocks a slot would have to take to hold positions from `position` (held, or the next one) up to end - 1. */
int64_t rt_decoder_wants(const rt_decoder *decoder, int32_t slot, int64_t position, int64_t end);
/* The slot holds `length` positions of zeros in blocks of its own, as if they had been computed: what a step behind a
 * context costs is measured without computing that context. RETORT_ERR_USAGE where slot or length is out of range,
 * RETORT_ERR_STATE where the cache has too few free blocks; nothing is changed then but that the slot is empty. */
retort_status rt_decoder_fill(rt_decoder *decoder, int32_t slot, int64_t length, retort_error *err);
/* The slot holds nothing afterwards; blocks that no other slot shares are free. */
void rt_decoder_drop(rt_decoder *decoder, int32_t slot);
/* Takes new weights without new memory (RL after each update); of a model with adapters only those, for its weights are
 * frozen. What the slots hold stays, computed with the old
 * weights: begin again at position 0. RETORT_ERR_STATE, and nothing changed, if the model has another shape
 * or weights_dtype. */
retort_status rt_decoder_update(rt_decoder *decoder, const rt_model *model);
/* Appends row r's token id at (slot[r], position[r]). A slot's rows within a step ascend one by one (prefill in any
 * chunking, mixed with single tokens of other slots); the first may continue the slot or go back to a position already
 * held, which drops what was behind it (a new sequence goes back to 0). Where want_logits[r], logits of row r are
 * written to the next free row of logits [*][V], in order. Nothing changes on an error; RETORT_ERR_STATE: the rows want
 * more blocks of the cache than are free. */
retort_status rt_decoder_step(rt_decoder *decoder, int64_t rows, const int32_t *slot, const int32_t *position,
                              const int32_t *ids, const bool *want_logits, float *logits, retort_error *err);
/* Slot `to` gets positions 0 .. length - 1 of slot `from` (a shared prompt), nothing else, and no memory is copied: the
 * two share blocks. RETORT_ERR_USAGE, and nothing changed, if a slot is out of range or `from` holds fewer positions.
 */
retort_status rt_decoder_copy_prefix(rt_decoder *decoder, int32_t from, int32_t to, int64_t length);

#endif
