#include "model/shapes.h"

#include <strings.h>

/* From the config.json files of these models as their makers publish them. */
static const struct {
    const char *name;
    rt_architecture architecture;
    int64_t vocab, d, f, layers, heads, groups, head_dim, context;
    double theta;
    bool tied;
} SHAPES[] = {
    {"smollm2-135m", RT_LLAMA, 49152, 576, 1536, 30, 9, 3, 64, 8192, 1e5, true},
    {"qwen2.5-0.5b", RT_QWEN2, 151936, 896, 4864, 24, 14, 2, 64, 32768, 1e6, true},
    {"qwen2.5-1.5b", RT_QWEN2, 151936, 1536, 8960, 28, 12, 2, 128, 131072, 1e6, true},
    {"qwen2.5-3b", RT_QWEN2, 151936, 2048, 11008, 36, 16, 2, 128, 32768, 1e6, true},
    {"qwen2.5-7b", RT_QWEN2, 152064, 3584, 18944, 28, 28, 4, 128, 131072, 1e6, false},
    {"qwen2.5-14b", RT_QWEN2, 152064, 5120, 13824, 48, 40, 8, 128, 131072, 1e6, false},
    {"qwen2.5-32b", RT_QWEN2, 152064, 5120, 27648, 64, 40, 8, 128, 131072, 1e6, false},
};

enum { COUNT = sizeof SHAPES / sizeof SHAPES[0] };

const char *rt_shape_name(int i) {
    return i >= 0 && i < COUNT ? SHAPES[i].name : NULL;
}

bool rt_shape_config(const char *name, rt_config *out) {
    for (int i = 0; i < COUNT; i++) {
        if (strcasecmp(name, SHAPES[i].name) != 0) continue;
        *out = (rt_config){.architecture = SHAPES[i].architecture,
                           .vocab_size = SHAPES[i].vocab,
                           .hidden_size = SHAPES[i].d,
                           .intermediate_size = SHAPES[i].f,
                           .num_hidden_layers = SHAPES[i].layers,
                           .num_attention_heads = SHAPES[i].heads,
                           .num_key_value_heads = SHAPES[i].groups,
                           .head_dim = SHAPES[i].head_dim,
                           .max_position_embeddings = SHAPES[i].context,
                           .rms_norm_eps = 1e-6,
                           .initializer_range = 0.02,
                           .rope = {.theta = SHAPES[i].theta},
                           .tie_word_embeddings = SHAPES[i].tied,
                           .qkv_bias = SHAPES[i].architecture == RT_QWEN2,
                           .bos_token_id = -1,
                           .pad_token_id = -1};
        return true;
    }
    return false;
}
