#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "model/arena.h"
#include "model/dtype.h"
#include "model/kv_pool.h"
#include "model/lora.h"
#include "model/rope.h"

/* A projection's adapter; n of the packed weights is 0 where there is none. */
typedef struct decoder_adapter {
    rt_packed a, b; /* [r][in], [out][r] */
} decoder_adapter;

typedef struct decoder_layer {
    float *input_norm, *post_norm; /* [D] */
    float *qkv_b, *o_b;            /* [Q + 2K], [D]; unused where the model has no biases */
    float *q_norm, *k_norm;        /* [E]; unused where the model has no such norms */
    int64_t window;                /* of the layer's attention; 0: none */
    rt_packed qkv, o, gate, up, down;
    decoder_adapter adapters[RT_LORA_MODULES];
    rt_kv_layer cache;
} decoder_layer;

/* Q = H * E, K = G * E; R rows of a step. */
struct rt_decoder {
    rt_config config;
    rt_lora_config lora; /* r 0: no adapters */
    float lora_scale;
    int64_t slots, capacity, max_rows, blocks;
    float scale;
    char *arena;
    char *cache; /* keys and values of all layers */
    rt_kv_pool pool;
    rt_matrix embed; /* [V][D]; of a tied model there is none: its rows are read from the head */
    float *norm;     /* [D] */
    rt_packed head;
    decoder_layer *layers;     /* [L] */
    float *rope;               /* [capacity][2][E/2] */
    rt_matrix staging;         /* [Q + 2K][D]: q, k and v one below the other, to be packed as one weight */
    float *x, *normed, *delta; /* [R][D] */
    float *qkv, *q, *k, *v;    /* [R][Q + 2K], [R][Q], [R][K], [R][K] */
    float *attn;               /* [R][Q] */
    float *gate, *up, *h;      /* [R][F] */
    float *low;                /* [R][r]: an adapter's inner activations */
    int32_t *length;           /* [slots]: positions 0 .. length - 1 hold keys and values */
    int32_t *pending;          /* [slots]: length after the step being checked, -1 if the step has not touched it */
};

/* ---- memory ---- */

static rt_matrix carve_matrix(rt_carver *at, rt_dtype dtype, int64_t rows, int64_t cols) {
    if (dtype == RT_DTYPE_BF16) return (rt_matrix){.bf16 = rt_carve(at, rows, cols, sizeof(uint16_t))};
    if (dtype == RT_DTYPE_INT8) {
        int8_t *int8 = rt_carve(at, rows, cols, sizeof *int8);
        return (rt_matrix){.int8 = int8, .scale = rt_carve_floats(at, rows, rt_int8_groups(cols))};
    }
    return (rt_matrix){.f32 = rt_carve_floats(at, rows, cols)};
}

static void carve_layer(rt_carver *at, rt_decoder *dec, decoder_layer *layer) {
    const rt_config *c = &dec->config;
    const int64_t d = c->hidden_size, e = c->head_dim, g = c->num_key_value_heads;
    layer->input_norm = rt_carve_floats(at, d, 1);
    layer->post_norm = rt_carve_floats(at, d, 1);
    layer->qkv_b = rt_carve_floats(at, c->num_attention_heads * e + 2 * g * e, 1);
    if (c->o_bias) layer->o_b = rt_carve_floats(at, d, 1);
    if (c->qk_norm) {
        layer->q_norm = rt_carve_floats(at, e, 1);
        layer->k_norm = rt_carve_floats(at, e, 1);
    }
}

static void carve_cache(rt_carver *at, rt_decoder *dec, decoder_layer *layer) {
    const int64_t e = dec->config.head_dim, g = dec->config.num_key_value_heads;
    layer->cache = (rt_kv_layer){.table = dec->pool.table, .per_slot = rt_kv_blocks(dec->capacity), .g = g, .e = e};
    layer->cache.k = carve_matrix(at, dec->config.kv_dtype, dec->blocks * g, rt_kpanel_floats(RT_KV_BLOCK, e));
    layer->cache.v = carve_matrix(at, dec->config.kv_dtype, dec->blocks * g, RT_KV_BLOCK * e);
}

static void carve_caches(rt_carver *at, rt_decoder *dec) {
    decoder_layer measured = {0};
    for (int64_t l = 0; l < dec->config.num_hidden_layers; l++)
        carve_cache(at, dec, dec->layers != NULL ? &dec->layers[l] : &measured);
}

static void carve_all(rt_carver *at, rt_decoder *dec) {
    const rt_config *c = &dec->config;
    const int64_t d = c->hidden_size, f = c->intermediate_size, e = c->head_dim, rows = dec->max_rows;
    const int64_t q = c->num_attention_heads * e, kv = c->num_key_value_heads * e;
    decoder_layer measured = {0};
    for (int64_t l = 0; l < c->num_hidden_layers; l++)
        carve_layer(at, dec, dec->layers != NULL ? &dec->layers[l] : &measured);
    if (!c->tie_word_embeddings) dec->embed = carve_matrix(at, c->weights_dtype, c->vocab_size, d);
    dec->norm = rt_carve_floats(at, d, 1);
    dec->rope = rt_carve_floats(at, dec->capacity, e);
    dec->staging = carve_matrix(at, c->weights_dtype, q + 2 * kv, d);
    dec->x = rt_carve_floats(at, rows, d);
    dec->normed = rt_carve_floats(at, rows, d);
    dec->delta = rt_carve_floats(at, rows, d);
    dec->qkv = rt_carve_floats(at, rows, q + 2 * kv);
    dec->q = rt_carve_floats(at, rows, q);
    dec->k = rt_carve_floats(at, rows, kv);
    dec->v = rt_carve_floats(at, rows, kv);
    dec->attn = rt_carve_floats(at, rows, q);
    dec->gate = rt_carve_floats(at, rows, f);
    dec->up = rt_carve_floats(at, rows, f);
    dec->h = rt_carve_floats(at, rows, f);
    dec->low = rt_carve_floats(at, rows, dec->lora.r);
    dec->length = rt_carve_ints(at, dec->slots);
    dec->pending = rt_carve_ints(at, dec->slots);
}

static void set_shape(rt_decoder *dec, const rt_config *config, const rt_lora_config *lora,
                      const rt_decoder_size *size) {
    dec->config = *config;
    if (lora != NULL) dec->lora = *lora;
    dec->slots = size->slots;
    dec->capacity = size->capacity;
    dec->max_rows = size->rows;
    dec->blocks = size->blocks > 0 ? size->blocks : size->slots * rt_kv_blocks(size->capacity);
    dec->scale = (float)(1.0 / sqrt((double)config->head_dim));
}

/* Packs w, the first time into new memory. */
static retort_status set_weight(rt_packed *packed, int64_t n, int64_t k, rt_matrix w, retort_error *err) {
    if (packed->n == 0) return rt_pack_matrix(n, k, w, packed, err);
    rt_repack_matrix(packed, w);
    return RETORT_OK;
}

/* The same; w is lost where `taking`. */
static retort_status take_weight(rt_packed *packed, int64_t n, int64_t k, rt_matrix w, bool taking, retort_error *err) {
    RT_TRY(set_weight(packed, n, k, w, err));
    if (taking) rt_matrix_give_back(w, n, k);
    return RETORT_OK;
}

static void stage(rt_matrix staging, int64_t first, rt_matrix w, int64_t rows, int64_t columns, bool taking) {
    rt_matrix_copy(staging, first, w, rows, columns);
    if (taking) rt_matrix_give_back(w, rows, columns);
}

static void copy_floats(float *to, const float *from, int64_t count) {
    if (from != NULL) memcpy(to, from, (size_t)count * sizeof *to);
}

static retort_status set_layer(rt_decoder *dec, decoder_layer *layer, const rt_layer_params *p, bool taking,
                               retort_error *err) {
    const rt_config *c = &dec->config;
    const int64_t d = c->hidden_size, f = c->intermediate_size, e = c->head_dim;
    const int64_t q = c->num_attention_heads * e, kv = c->num_key_value_heads * e;
    copy_floats(layer->input_norm, p->input_norm, d);
    copy_floats(layer->post_norm, p->post_norm, d);
    copy_floats(layer->q_norm, p->q_norm, e);
    copy_floats(layer->k_norm, p->k_norm, e);
    copy_floats(layer->o_b, p->o_b, d);
    copy_floats(layer->qkv_b, p->q_b, q);
    copy_floats(layer->qkv_b + q, p->k_b, kv);
    copy_floats(layer->qkv_b + q + kv, p->v_b, kv);
    stage(dec->staging, 0, p->q_w, q, d, taking);
    stage(dec->staging, q, p->k_w, kv, d, taking);
    stage(dec->staging, q + kv, p->v_w, kv, d, taking);
    RT_TRY(set_weight(&layer->qkv, q + 2 * kv, d, dec->staging, err));
    RT_TRY(take_weight(&layer->o, d, q, p->o_w, taking, err));
    RT_TRY(take_weight(&layer->gate, f, d, p->gate_w, taking, err));
    RT_TRY(take_weight(&layer->up, f, d, p->up_w, taking, err));
    return take_weight(&layer->down, d, f, p->down_w, taking, err);
}

static retort_status set_adapters(rt_decoder *dec, const rt_lora *lora, retort_error *err) {
    if (lora == NULL) return RETORT_OK;
    dec->lora_scale = lora->scale;
    for (int64_t l = 0; l < dec->config.num_hidden_layers; l++) {
        for (int m = 0; m < RT_LORA_MODULES; m++) {
            decoder_adapter *to = &dec->layers[l].adapters[m];
            rt_lora_pair p;
            if (!rt_lora_pair_of(lora, &lora->params, l, (rt_lora_module)m, &p)) continue;
            RT_TRY(set_weight(&to->a, lora->config.r, p.in, (rt_matrix){.f32 = p.a}, err));
            RT_TRY(set_weight(&to->b, p.out, lora->config.r, (rt_matrix){.f32 = p.b}, err));
        }
    }
    return RETORT_OK;
}

static retort_status set_weights(rt_decoder *dec, const rt_model *model, bool taking, retort_error *err) {
    const rt_config *c = &dec->config;
    const rt_params *params = &model->params;
    if (!c->tie_word_embeddings) stage(dec->embed, 0, params->embed, c->vocab_size, c->hidden_size, taking);
    copy_floats(dec->norm, params->norm, c->hidden_size);
    for (int64_t l = 0; l < c->num_hidden_layers; l++)
        RT_TRY(set_layer(dec, &dec->layers[l], &params->layers[l], taking, err));
    RT_TRY(take_weight(&dec->head, c->vocab_size, c->hidden_size, params->head, taking, err));
    return set_adapters(dec, model->lora, err);
}

static retort_status check_sizes(const rt_config *config, const rt_decoder_size *size, retort_error *err) {
    enum { MAX_SLOTS = 1 << 20, MAX_ROWS = 1 << 20, MAX_BLOCKS = 1 << 30 };
    const int64_t slots = size->slots, capacity = size->capacity, max_rows = size->rows;
    RT_CHECK(slots >= 1 && slots <= MAX_SLOTS, err, RETORT_ERR_USAGE, "decoder of %lld slots, must be between 1 and %d",
             (long long)slots, (int)MAX_SLOTS);
    RT_CHECK(capacity >= 1 && capacity <= rt_config_context(config), err, RETORT_ERR_USAGE,
             "decoder of %lld positions, the model allows 1 to %lld", (long long)capacity,
             (long long)rt_config_context(config));
    RT_CHECK(capacity <= RT_DECODE_MAX_KEYS, err, RETORT_ERR_UNSUPPORTED,
             "decoder of %lld positions, at most %d are supported", (long long)capacity, (int)RT_DECODE_MAX_KEYS);
    RT_CHECK(max_rows >= 1 && max_rows <= MAX_ROWS, err, RETORT_ERR_USAGE,
             "decoder of %lld rows a step, must be between 1 and %d", (long long)max_rows, (int)MAX_ROWS);
    const int64_t least = rt_kv_blocks(capacity), most = slots * least;
    RT_CHECK(size->blocks == 0 || size->blocks >= least, err, RETORT_ERR_USAGE,
             "a cache of %lld positions, but one sequence can have %lld; give the cache more memory or ask for shorter "
             "responses",
             (long long)size->blocks * RT_KV_BLOCK, (long long)capacity);
    RT_CHECK(size->blocks <= MAX_BLOCKS && (size->blocks > 0 || most <= MAX_BLOCKS), err, RETORT_ERR_UNSUPPORTED,
             "a cache of %lld blocks, at most %d are supported", (long long)(size->blocks > 0 ? size->blocks : most),
             (int)MAX_BLOCKS);
    return RETORT_OK;
}

static retort_status out_of_memory(const rt_decoder_size *size, size_t bytes, retort_error *err) {
    return rt_fail(err, RETORT_ERR_MEMORY,
                   "out of memory: sampling with %lld slots of %lld positions needs %.1f MiB; use fewer slots, a "
                   "shorter maximum length, or a smaller cache",
                   (long long)size->slots, (long long)size->capacity, (double)bytes / (1 << 20));
}

/* What a decoder takes besides its packed weights. */
typedef struct decoder_memory {
    size_t arena, cache; /* SIZE_MAX: out of range */
} decoder_memory;

static decoder_memory measure(const rt_config *config, const rt_lora_config *lora, const rt_decoder_size *size) {
    rt_decoder shape = {0};
    rt_carver arena = {0}, cache = {0};
    set_shape(&shape, config, lora, size);
    carve_all(&arena, &shape);
    carve_caches(&cache, &shape);
    return (decoder_memory){arena.overflow ? SIZE_MAX : arena.used, cache.overflow ? SIZE_MAX : cache.used};
}

static bool take_memory(rt_decoder *dec, const decoder_memory *memory) {
    if (memory->arena == SIZE_MAX || memory->cache == SIZE_MAX) return false;
    dec->layers = rt_calloc((size_t)dec->config.num_hidden_layers, sizeof *dec->layers);
    dec->arena = rt_aligned_alloc(memory->arena, 1);
    dec->cache = rt_untouched_alloc(memory->cache, 1);
    return dec->layers != NULL && dec->arena != NULL && dec->cache != NULL &&
           rt_kv_pool_create(dec->slots, rt_kv_blocks(dec->capacity), dec->blocks, &dec->pool, NULL) == RETORT_OK;
}

retort_status rt_decoder_create(const rt_model *model, int64_t slots, int64_t capacity, int64_t max_rows,
                                rt_decoder **out, retort_error *err) {
    const rt_decoder_size size = {.slots = slots, .capacity = capacity, .rows = max_rows};
    return rt_decoder_create_sized(model, &size, out, err);
}

static retort_status create(const rt_model *model, bool taking, const rt_decoder_size *size, rt_decoder **out,
                            retort_error *err) {
    *out = NULL;
    const rt_config *config = &model->config;
    const rt_lora_config *lora = model->lora != NULL ? &model->lora->config : NULL;
    RT_TRY(rt_config_validate(config, "model configuration", err));
    RT_TRY(rt_compute_init(err));
    RT_TRY(check_sizes(config, size, err));
    const decoder_memory memory = measure(config, lora, size);
    rt_decoder *dec = rt_calloc(1, sizeof *dec);
    if (dec != NULL) set_shape(dec, config, lora, size);
    if (dec == NULL || !take_memory(dec, &memory)) {
        rt_decoder_destroy(dec);
        const bool overflow = memory.arena == SIZE_MAX || memory.cache == SIZE_MAX;
        return out_of_memory(size, overflow ? SIZE_MAX : memory.arena + memory.cache, err);
    }
    rt_carver arena = {.base = dec->arena}, cache = {.base = dec->cache};
    carve_all(&arena, dec);
    carve_caches(&cache, dec);
    rt_rope_fill(config, dec->capacity, dec->rope);
    for (int64_t l = 0; l < config->num_hidden_layers; l++) dec->layers[l].window = rt_config_window(config, l);
    for (int64_t s = 0; s < dec->slots; s++) dec->pending[s] = -1;
    retort_status status = set_weights(dec, model, taking, err);
    if (status != RETORT_OK) {
        rt_decoder_destroy(dec);
        return status;
    }
    *out = dec;
    return RETORT_OK;
}

retort_status rt_decoder_create_sized(const rt_model *model, const rt_decoder_size *size, rt_decoder **out,
                                      retort_error *err) {
    return create(model, false, size, out, err);
}

retort_status rt_decoder_create_taking(rt_model *model, const rt_decoder_size *size, rt_decoder **out,
                                       retort_error *err) {
    const retort_status status = create(model, true, size, out, err);
    rt_params_release(&model->params);
    return status;
}

void rt_decoder_destroy(rt_decoder *dec) {
    if (dec == NULL) return;
    for (int64_t l = 0; dec->layers != NULL && l < dec->config.num_hidden_layers; l++) {
        decoder_layer *layer = &dec->layers[l];
        rt_packed *const packed[] = {&layer->qkv, &layer->o, &layer->gate, &layer->up, &layer->down};
        for (size_t i = 0; i < sizeof packed / sizeof packed[0]; i++) rt_packed_release(packed[i]);
        for (int m = 0; m < RT_LORA_MODULES; m++) {
            rt_packed_release(&layer->adapters[m].a);
            rt_packed_release(&layer->adapters[m].b);
        }
    }
    rt_packed_release(&dec->head);
    rt_kv_pool_release(&dec->pool);
    rt_free(dec->layers);
    rt_free(dec->arena);
    rt_free(dec->cache);
    rt_free(dec);
}

void rt_decoder_limits(const rt_decoder *dec, int64_t *slots, int64_t *capacity, int64_t *max_rows) {
    *slots = dec->slots;
    *capacity = dec->capacity;
    *max_rows = dec->max_rows;
}

retort_status rt_decoder_update(rt_decoder *dec, const rt_model *model) {
    if (!rt_config_same_shape(&dec->config, &model->config) || dec->config.weights_dtype != model->config.weights_dtype)
        return RETORT_ERR_STATE;
    const bool adapted = model->lora != NULL;
    if (adapted != (dec->lora.r > 0)) return RETORT_ERR_STATE;
    if (!adapted) return set_weights(dec, model, false, NULL);
    const rt_lora_config *lora = &model->lora->config;
    if (lora->r != dec->lora.r || lora->targets != dec->lora.targets) return RETORT_ERR_STATE;
    return set_adapters(dec, model->lora, NULL);
}

/* Each packed weight is a block of its own. */
static size_t packed_block(int64_t n, int64_t k, rt_format format) {
    return rt_aligned_size(rt_packed_bytes(n, k, format));
}

/* The packed adapters of a layer. */
static size_t adapter_bytes(const rt_config *c, const rt_lora_config *lora) {
    size_t bytes = 0;
    for (int m = 0; m < RT_LORA_MODULES; m++) {
        const rt_lora_shape shape = rt_lora_shape_of(c, (rt_lora_module)m);
        if ((lora->targets >> m & 1U) != 0)
            bytes += packed_block(lora->r, shape.in, RT_FORMAT_F32) + packed_block(shape.out, lora->r, RT_FORMAT_F32);
    }
    return bytes;
}

size_t rt_decoder_bytes(const rt_config *config, const rt_lora_config *lora, int64_t slots, int64_t capacity,
                        int64_t max_rows) {
    const rt_decoder_size size = {.slots = slots, .capacity = capacity, .rows = max_rows};
    return rt_decoder_bytes_sized(config, lora, &size);
}

size_t rt_decoder_block_bytes(const rt_config *c) {
    const int64_t elements = rt_kpanel_floats(RT_KV_BLOCK, c->head_dim) + RT_KV_BLOCK * c->head_dim;
    return (size_t)(c->num_hidden_layers * c->num_key_value_heads * elements) * rt_dtype_size(c->kv_dtype);
}

size_t rt_decoder_bytes_sized(const rt_config *config, const rt_lora_config *lora, const rt_decoder_size *size) {
    if (rt_config_validate(config, "model configuration", NULL) != RETORT_OK ||
        (lora != NULL && rt_lora_config_validate(lora, "LoRA configuration", NULL) != RETORT_OK) ||
        check_sizes(config, size, NULL) != RETORT_OK)
        return SIZE_MAX;
    const decoder_memory memory = measure(config, lora, size);
    if (memory.arena == SIZE_MAX || memory.cache == SIZE_MAX) return SIZE_MAX;
    const int64_t d = config->hidden_size, f = config->intermediate_size;
    const int64_t q = config->num_attention_heads * config->head_dim;
    const int64_t kv = config->num_key_value_heads * config->head_dim;
    const rt_format format = rt_config_format(config);
    const size_t layer = packed_block(q + 2 * kv, d, format) + packed_block(d, q, format) +
                         2 * packed_block(f, d, format) + packed_block(d, f, format) +
                         (lora != NULL ? adapter_bytes(config, lora) : 0);
    const size_t weights = (size_t)config->num_hidden_layers * layer + packed_block(config->vocab_size, d, format);
    return rt_aligned_size(memory.arena) + rt_aligned_size(memory.cache) + weights;
}

/* ---- a step ---- */

/* A row may continue its slot, or begin again at any position already held (a new sequence begins at 0), but leave no
 * gap; and a slot's rows within a step ascend one by one. */
static retort_status check_row(rt_decoder *dec, int64_t r, int32_t slot, int32_t position, int32_t id,
                               retort_error *err) {
    RT_CHECK(slot >= 0 && slot < dec->slots, err, RETORT_ERR_USAGE, "row %lld: slot %d, the decoder has %lld",
             (long long)r, slot, (long long)dec->slots);
    RT_CHECK(position >= 0 && position < dec->capacity, err, RETORT_ERR_USAGE,
             "row %lld: position %d of slot %d is outside its capacity of %lld", (long long)r, position, slot,
             (long long)dec->capacity);
    RT_CHECK(id >= 0 && id < dec->config.vocab_size, err, RETORT_ERR_FORMAT,
             "row %lld: token id %d, the vocabulary has %lld", (long long)r, id, (long long)dec->config.vocab_size);
    const int32_t next = dec->pending[slot];
    RT_CHECK(next < 0 ? position <= dec->length[slot] : position == next, err, RETORT_ERR_USAGE,
             "row %lld: position %d of slot %d does not follow the %d positions held", (long long)r, position, slot,
             next < 0 ? dec->length[slot] : next);
    dec->pending[slot] = position + 1;
    return RETORT_OK;
}

/* Every row's place becomes its slot's own. What was shared is copied where the slot holds positions in it. */
static retort_status take_blocks(rt_decoder *dec, int64_t rows, const int32_t *slot, const int32_t *position,
                                 retort_error *err) {
    for (int64_t r = 0; r < rows; r++) {
        const int64_t index = position[r] / RT_KV_BLOCK;
        if (!rt_kv_pool_wants(&dec->pool, slot[r], index)) continue;
        RT_CHECK(dec->pool.num_free > 0, err, RETORT_ERR_STATE, "all %lld blocks of the cache are taken",
                 (long long)dec->blocks);
        const int32_t shared = rt_kv_pool_take(&dec->pool, slot[r], index);
        if (shared < 0 || position[r] % RT_KV_BLOCK == 0) continue;
        const int32_t own = dec->pool.table[slot[r] * dec->pool.per_slot + index];
        for (int64_t l = 0; l < dec->config.num_hidden_layers; l++) rt_kv_copy(&dec->layers[l].cache, shared, own);
    }
    return RETORT_OK;
}

static retort_status check_step(rt_decoder *dec, int64_t rows, const int32_t *slot, const int32_t *position,
                                const int32_t *ids, retort_error *err) {
    RT_CHECK(rows >= 0 && rows <= dec->max_rows, err, RETORT_ERR_USAGE,
             "step of %lld rows, the decoder was created for %lld", (long long)rows, (long long)dec->max_rows);
    retort_status status = RETORT_OK;
    int64_t checked = 0;
    while (checked < rows && status == RETORT_OK) {
        status = check_row(dec, checked, slot[checked], position[checked], ids[checked], err);
        checked += status == RETORT_OK;
    }
    if (status == RETORT_OK) status = take_blocks(dec, rows, slot, position, err);
    for (int64_t r = 0; r < checked; r++) {
        int32_t *pending = &dec->pending[slot[r]];
        if (status == RETORT_OK && *pending >= 0) dec->length[slot[r]] = *pending;
        *pending = -1;
    }
    return status;
}

/* Takes the packed projection apart and adds the bias on the way: one rounding, as rt_bias_add. */
static void split_qkv(const rt_decoder *dec, int64_t rows, const float *bias) {
    const int64_t q = dec->config.num_attention_heads * dec->config.head_dim;
    const int64_t kv = dec->config.num_key_value_heads * dec->config.head_dim;
    const bool biased = dec->config.qkv_bias;
    const struct {
        float *to;
        int64_t first, count;
    } parts[] = {{dec->q, 0, q}, {dec->k, q, kv}, {dec->v, q + kv, kv}};
    for (int64_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
            const float *from = dec->qkv + r * (q + 2 * kv) + parts[i].first, *b = bias + parts[i].first;
            float *to = parts[i].to + r * parts[i].count;
            for (int64_t j = 0; j < parts[i].count; j++) to[j] = biased ? from[j] + b[j] : from[j];
        }
    }
}

/* What the layer's adapter adds to a projection, if it has one; the products of rt_lora_forward. */
static void adapt(const rt_decoder *dec, const decoder_layer *layer, rt_lora_module module, int64_t rows,
                  const float *x, float *y) {
    const decoder_adapter *adapter = &layer->adapters[module];
    if (adapter->a.n == 0) return;
    const int64_t r = dec->lora.r;
    rt_matmul_packed(rows, x, adapter->a.k, &adapter->a, dec->low, r);
    rt_scale(rows * r, dec->lora_scale, dec->low);
    rt_matmul_packed_add(rows, dec->low, r, &adapter->b, y, adapter->b.n);
}

static void step_layer(const rt_decoder *dec, const decoder_layer *layer, int64_t rows, const int32_t *slot,
                       const int32_t *position) {
    const rt_config *c = &dec->config;
    const int64_t d = c->hidden_size, f = c->intermediate_size, e = c->head_dim;
    const int64_t h = c->num_attention_heads, g = c->num_key_value_heads;
    const float eps = (float)c->rms_norm_eps;
    rt_rmsnorm_forward(rows, d, dec->x, layer->input_norm, eps, dec->normed, NULL);
    rt_matmul_packed(rows, dec->normed, d, &layer->qkv, dec->qkv, (h + 2 * g) * e);
    split_qkv(dec, rows, layer->qkv_b);
    adapt(dec, layer, RT_LORA_Q, rows, dec->normed, dec->q);
    adapt(dec, layer, RT_LORA_K, rows, dec->normed, dec->k);
    adapt(dec, layer, RT_LORA_V, rows, dec->normed, dec->v);
    if (c->qk_norm) {
        rt_rmsnorm_forward(rows * h, e, dec->q, layer->q_norm, eps, dec->q, NULL);
        rt_rmsnorm_forward(rows * g, e, dec->k, layer->k_norm, eps, dec->k, NULL);
    }
    rt_rope(rows, h, e, position, dec->rope, false, dec->q, h * e);
    rt_rope(rows, g, e, position, dec->rope, false, dec->k, g * e);
    rt_kv_store(&layer->cache, rows, slot, position, dec->k, dec->v);
    rt_attention_decode(&layer->cache, rows, slot, position, h, layer->window, dec->scale, dec->q, dec->attn);
    rt_matmul_packed(rows, dec->attn, h * e, &layer->o, dec->delta, d);
    if (c->o_bias) rt_bias_add(rows, d, layer->o_b, dec->delta, d);
    adapt(dec, layer, RT_LORA_O, rows, dec->attn, dec->delta);
    rt_add(rows * d, dec->delta, dec->x);
    rt_rmsnorm_forward(rows, d, dec->x, layer->post_norm, eps, dec->normed, NULL);
    rt_matmul_packed(rows, dec->normed, d, &layer->gate, dec->gate, f);
    rt_matmul_packed(rows, dec->normed, d, &layer->up, dec->up, f);
    adapt(dec, layer, RT_LORA_GATE, rows, dec->normed, dec->gate);
    adapt(dec, layer, RT_LORA_UP, rows, dec->normed, dec->up);
    rt_swiglu_forward(rows * f, dec->gate, dec->up, dec->h);
    rt_matmul_packed(rows, dec->h, f, &layer->down, dec->delta, d);
    adapt(dec, layer, RT_LORA_DOWN, rows, dec->h, dec->delta);
    rt_add(rows * d, dec->delta, dec->x);
}

static void step_head(const rt_decoder *dec, int64_t rows, const bool *want_logits, float *logits) {
    const int64_t d = dec->config.hidden_size;
    int64_t wanted = 0;
    for (int64_t r = 0; r < rows; r++)
        if (want_logits[r]) copy_floats(dec->delta + wanted++ * d, dec->x + r * d, d);
    if (wanted == 0) return;
    rt_rmsnorm_forward(wanted, d, dec->delta, dec->norm, (float)dec->config.rms_norm_eps, dec->normed, NULL);
    rt_matmul_packed(wanted, dec->normed, d, &dec->head, logits, dec->config.vocab_size);
}

retort_status rt_decoder_step(rt_decoder *dec, int64_t rows, const int32_t *slot, const int32_t *position,
                              const int32_t *ids, const bool *want_logits, float *logits, retort_error *err) {
    RT_TRY(check_step(dec, rows, slot, position, ids, err));
    if (rows == 0) return RETORT_OK;
    if (dec->config.tie_word_embeddings)
        rt_packed_rows(rows, ids, &dec->head, dec->x);
    else
        rt_embedding_lookup(rows, dec->config.hidden_size, ids, dec->embed, dec->x);
    for (int64_t l = 0; l < dec->config.num_hidden_layers; l++) step_layer(dec, &dec->layers[l], rows, slot, position);
    step_head(dec, rows, want_logits, logits);
    return RETORT_OK;
}

retort_status rt_decoder_copy_prefix(rt_decoder *dec, int32_t from, int32_t to, int64_t length) {
    if (from < 0 || from >= dec->slots || to < 0 || to >= dec->slots || length < 0 || length > dec->length[from])
        return RETORT_ERR_USAGE;
    if (from == to) return RETORT_OK;
    rt_kv_pool_share(&dec->pool, from, to, rt_kv_blocks(length));
    dec->length[to] = (int32_t)length;
    return RETORT_OK;
}

/* ---- room ---- */

int64_t rt_decoder_blocks(const rt_decoder *dec, int64_t *num_free) {
    *num_free = dec->pool.num_free;
    return dec->blocks;
}

int64_t rt_decoder_wants(const rt_decoder *dec, int32_t slot, int64_t position, int64_t end) {
    int64_t wanted = 0;
    for (int64_t i = position / RT_KV_BLOCK; i < rt_kv_blocks(end); i++)
        wanted += rt_kv_pool_wants(&dec->pool, slot, i);
    return wanted;
}

void rt_decoder_drop(rt_decoder *dec, int32_t slot) {
    rt_kv_pool_drop(&dec->pool, slot);
    dec->length[slot] = 0;
}

retort_status rt_decoder_fill(rt_decoder *dec, int32_t slot, int64_t length, retort_error *err) {
    RT_CHECK(slot >= 0 && slot < dec->slots && length >= 0 && length <= dec->capacity, err, RETORT_ERR_USAGE,
             "%lld positions of slot %d, the decoder has %lld slots of %lld", (long long)length, slot,
             (long long)dec->slots, (long long)dec->capacity);
    rt_decoder_drop(dec, slot);
    RT_CHECK(dec->pool.num_free >= rt_kv_blocks(length), err, RETORT_ERR_STATE,
             "%lld positions do not fit into the %lld free blocks of the cache", (long long)length,
             (long long)dec->pool.num_free);
    for (int64_t i = 0; i < rt_kv_blocks(length); i++) {
        (void)rt_kv_pool_take(&dec->pool, slot, i);
        const int32_t own = dec->pool.table[slot * dec->pool.per_slot + i];
        for (int64_t l = 0; l < dec->config.num_hidden_layers; l++) rt_kv_clear(&dec->layers[l].cache, own);
    }
    dec->length[slot] = (int32_t)length;
    return RETORT_OK;
}
