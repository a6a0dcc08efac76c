#include <math.h>

#include "model/architecture.h"

/* Generous bounds, chosen so that no product of two sizes, nor the sum over all layers, can overflow 63 bits. */
enum {
    MAX_VOCAB = 1 << 24,
    MAX_WIDTH = 1 << 20,
    MAX_LAYERS = RT_MAX_LAYERS,
    MAX_HEADS = 1 << 12,
    MAX_HEAD_DIM = RT_MAX_HEAD_DIM,
    MAX_POSITIONS = 1 << 24,
    MAX_CONTEXT = 1000000, /* the sine of an angle is exact up to there (core/exactmath.h) */
    MAX_EOS = (int)(sizeof((rt_config *)0)->eos_token_id / sizeof(int32_t))
};

static retort_status check_range(const char *where, const char *key, int64_t value, int64_t low, int64_t high,
                                 retort_error *err) {
    RT_CHECK(value >= low && value <= high, err, RETORT_ERR_FORMAT, "%s: '%s' is %lld, must be between %lld and %lld",
             where, key, (long long)value, (long long)low, (long long)high);
    return RETORT_OK;
}

static retort_status check_real(const char *where, const char *key, double value, double low, double high,
                                retort_error *err) {
    RT_CHECK(isfinite(value) && value >= low && value <= high, err, RETORT_ERR_FORMAT,
             "%s: '%s' is %g, must be between %g and %g", where, key, value, low, high);
    return RETORT_OK;
}

static retort_status check_special(const rt_config *config, const char *where, retort_error *err) {
    RT_TRY(check_range(where, "bos_token_id", config->bos_token_id, -1, config->vocab_size - 1, err));
    RT_TRY(check_range(where, "pad_token_id", config->pad_token_id, -1, config->vocab_size - 1, err));
    RT_TRY(check_range(where, "number of eos_token_id", config->num_eos, 0, MAX_EOS, err));
    for (int32_t i = 0; i < config->num_eos; i++)
        RT_TRY(check_range(where, "eos_token_id", config->eos_token_id[i], 0, config->vocab_size - 1, err));
    return RETORT_OK;
}

static retort_status check_rope(const rt_config *config, const char *where, retort_error *err) {
    const rt_rope_config *rope = &config->rope;
    const bool llama3 = rope->type == RT_ROPE_LLAMA3, yarn = rope->type == RT_ROPE_YARN;
    RT_CHECK(rope->type >= RT_ROPE_DEFAULT && rope->type <= RT_ROPE_YARN, err, RETORT_ERR_STATE,
             "%s: %d is the number of no rotary embedding", where, (int)rope->type);
    RT_TRY(check_real(where, "rope_theta", rope->theta, 1.0, 1e12, err));
    if (rope->type == RT_ROPE_DEFAULT) return RETORT_OK;
    RT_TRY(check_real(where, "factor", rope->factor, 1.0, 1e6, err));
    if (llama3 || yarn)
        RT_TRY(check_range(where, "original_max_position_embeddings", rope->original_positions, 1, MAX_POSITIONS, err));
    if (llama3) {
        RT_TRY(check_real(where, "low_freq_factor", rope->low_freq_factor, 1e-6, 1e6, err));
        RT_TRY(check_real(where, "high_freq_factor", rope->high_freq_factor, 1e-6, 1e6, err));
        RT_CHECK(rope->high_freq_factor > rope->low_freq_factor, err, RETORT_ERR_FORMAT,
                 "%s: 'high_freq_factor' (%g) must be greater than 'low_freq_factor' (%g)", where,
                 rope->high_freq_factor, rope->low_freq_factor);
    }
    if (!yarn) return RETORT_OK;
    RT_CHECK(rope->theta > 1.0, err, RETORT_ERR_FORMAT, "%s: 'rope_theta' is 1, from which yarn cannot scale", where);
    RT_TRY(check_real(where, "beta_slow", rope->beta_slow, 1e-6, 1e6, err));
    RT_TRY(check_real(where, "beta_fast", rope->beta_fast, rope->beta_slow, 1e6, err));
    RT_TRY(check_real(where, "attention_factor", rope->attention_factor, 0.0, 1e3, err));
    RT_TRY(check_real(where, "mscale", rope->mscale, 0.0, 1e3, err));
    return check_real(where, "mscale_all_dim", rope->mscale_all_dim, 0.0, 1e3, err);
}

static retort_status check_window(const rt_config *config, const char *where, retort_error *err) {
    RT_TRY(check_range(where, "sliding_window", config->sliding_window, 0, INT32_MAX, err));
    for (int64_t l = 0; l < RT_MAX_LAYERS; l++) {
        const bool set = (config->window_layers[l / 64] >> (l % 64) & 1) != 0;
        RT_CHECK(!set || (l < config->num_hidden_layers && config->sliding_window > 0), err, RETORT_ERR_STATE,
                 "%s: layer %lld is windowed, but there is no such layer or no 'sliding_window'", where, (long long)l);
    }
    return RETORT_OK;
}

retort_status rt_config_validate(const rt_config *config, const char *where, retort_error *err) {
    const struct {
        const char *key;
        int64_t value, high;
    } sizes[] = {
        {"vocab_size", config->vocab_size, MAX_VOCAB},
        {"hidden_size", config->hidden_size, MAX_WIDTH},
        {"intermediate_size", config->intermediate_size, MAX_WIDTH},
        {"num_hidden_layers", config->num_hidden_layers, MAX_LAYERS},
        {"num_attention_heads", config->num_attention_heads, MAX_HEADS},
        {"num_key_value_heads", config->num_key_value_heads, MAX_HEADS},
        {"head_dim", config->head_dim, MAX_HEAD_DIM},
        {"max_position_embeddings", config->max_position_embeddings, MAX_POSITIONS},
    };
    RT_CHECK(rt_architecture_find(config->architecture) != NULL, err, RETORT_ERR_STATE,
             "%s: %d is the number of no architecture", where, (int)config->architecture);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        RT_TRY(check_range(where, sizes[i].key, sizes[i].value, 1, sizes[i].high, err));
    RT_CHECK(config->num_attention_heads % config->num_key_value_heads == 0, err, RETORT_ERR_FORMAT,
             "%s: 'num_attention_heads' (%lld) is not a multiple of 'num_key_value_heads' (%lld)", where,
             (long long)config->num_attention_heads, (long long)config->num_key_value_heads);
    RT_CHECK(config->head_dim % 2 == 0, err, RETORT_ERR_FORMAT,
             "%s: 'head_dim' is %lld, must be even because rotary embedding turns pairs", where,
             (long long)config->head_dim);
    RT_CHECK(config->weights_dtype != RT_DTYPE_F16, err, RETORT_ERR_UNSUPPORTED,
             "%s: weights are held in memory as float32, bfloat16 or int8 only", where);
    RT_CHECK(config->kv_dtype == RT_DTYPE_F32 || config->kv_dtype == RT_DTYPE_BF16, err, RETORT_ERR_UNSUPPORTED,
             "%s: keys and values are held in memory as float32 or bfloat16 only", where);
    RT_TRY(check_rope(config, where, err));
    RT_TRY(check_window(config, where, err));
    RT_TRY(check_real(where, "rms_norm_eps", config->rms_norm_eps, 1e-30, 1.0, err));
    RT_TRY(check_real(where, "initializer_range", config->initializer_range, 0.0, 100.0, err));
    return check_special(config, where, err);
}

int64_t rt_config_context(const rt_config *config) {
    const rt_rope_config *rope = &config->rope;
    double context = (double)config->max_position_embeddings;
    if (rope->type == RT_ROPE_LINEAR) context *= rope->factor;
    if (rope->type == RT_ROPE_YARN) context = fmax(context, (double)rope->original_positions * rope->factor);
    return context < MAX_CONTEXT ? (int64_t)context : MAX_CONTEXT;
}

int64_t rt_config_window(const rt_config *config, int64_t layer) {
    return (config->window_layers[layer / 64] >> (layer % 64) & 1) != 0 ? config->sliding_window : 0;
}

bool rt_config_same_shape(const rt_config *a, const rt_config *b) {
    return a->vocab_size == b->vocab_size && a->hidden_size == b->hidden_size &&
           a->intermediate_size == b->intermediate_size && a->num_hidden_layers == b->num_hidden_layers &&
           a->num_attention_heads == b->num_attention_heads && a->num_key_value_heads == b->num_key_value_heads &&
           a->head_dim == b->head_dim && a->tie_word_embeddings == b->tie_word_embeddings &&
           a->qkv_bias == b->qkv_bias && a->o_bias == b->o_bias && a->qk_norm == b->qk_norm;
}
