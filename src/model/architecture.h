/* The published architectures that the engine runs: their names in config.json and the features that make them up.
 *
 * A new one is a row of the table, as long as the engine has its features (fields of rt_config). */
#ifndef RT_ARCHITECTURE_H
#define RT_ARCHITECTURE_H

#include "model/model.h"

typedef enum rt_bias_rule {
    RT_BIAS_NEVER,
    RT_BIAS_QKV,     /* always on q, k and v */
    RT_BIAS_SWITCHED /* on q, k, v and o if 'attention_bias' says so */
} rt_bias_rule;

typedef enum rt_window_rule {
    RT_WINDOW_NEVER,
    RT_WINDOW_ALWAYS,  /* 'sliding_window' holds for all layers */
    RT_WINDOW_SWITCHED /* only if 'use_sliding_window' says so, for some layers */
} rt_window_rule;

typedef struct rt_architecture_traits {
    rt_architecture id;
    const char *model_type; /* "llama", config.json's 'model_type' */
    const char *class_name; /* "LlamaForCausalLM", the one entry of 'architectures' */
    rt_bias_rule bias;
    rt_window_rule window;
    bool qk_norm;
    int64_t head_dim; /* where 'head_dim' is absent; 0: hidden_size / num_attention_heads */
} rt_architecture_traits;

/* The row of an architecture; NULL for a number that is none. */
const rt_architecture_traits *rt_architecture_find(rt_architecture id);
/* NULL for an unknown name. */
const rt_architecture_traits *rt_architecture_by_type(const char *model_type);
/* "'qwen2', 'llama' and 'mistral'": all model types, for messages. */
const char *rt_architecture_list(void);

#endif
