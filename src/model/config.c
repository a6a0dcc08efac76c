#include <math.h>

#include "model/architecture.h"

/* Generous bounds, chosen so that no product of two sizes, nor the sum over all layers, can overflow 63 bits. */
enum {
    MAX_VOCAB = 1 << 24,
    MAX_WIDTH = 1 << 20,
    MAX_LAYERS = 1 << 12,
    MAX_HEADS = 1 << 12,
    MAX_HEAD_DIM = 1 << 10,
    MAX_POSITIONS = 1 << 24,
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
    RT_CHECK(config->weights_dtype == RT_DTYPE_F32 || config->weights_dtype == RT_DTYPE_BF16, err,
             RETORT_ERR_UNSUPPORTED, "%s: weights are held in memory as float32 or bfloat16 only", where);
    RT_TRY(check_real(where, "rope_theta", config->rope.theta, 1.0, 1e12, err));
    RT_TRY(check_real(where, "rms_norm_eps", config->rms_norm_eps, 1e-30, 1.0, err));
    RT_TRY(check_real(where, "initializer_range", config->initializer_range, 0.0, 100.0, err));
    return check_special(config, where, err);
}

bool rt_config_same_shape(const rt_config *a, const rt_config *b) {
    return a->vocab_size == b->vocab_size && a->hidden_size == b->hidden_size &&
           a->intermediate_size == b->intermediate_size && a->num_hidden_layers == b->num_hidden_layers &&
           a->num_attention_heads == b->num_attention_heads && a->num_key_value_heads == b->num_key_value_heads &&
           a->head_dim == b->head_dim && a->tie_word_embeddings == b->tie_word_embeddings && a->qkv_bias == b->qkv_bias;
}
