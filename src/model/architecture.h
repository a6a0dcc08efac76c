/* The published architectures that the engine runs: their names in config.json and the features that make them up.
 *
 * A new one is a row of the table, as long as the engine has its features (fields of rt_config). */
#ifndef RT_ARCHITECTURE_H
#define RT_ARCHITECTURE_H

#include "model/model.h"

typedef struct rt_architecture_traits {
    rt_architecture id;
    const char *model_type; /* "llama", config.json's 'model_type' */
    const char *class_name; /* "LlamaForCausalLM", the one entry of 'architectures' */
    bool qkv_bias;
} rt_architecture_traits;

/* The row of an architecture; NULL for a number that is none. */
const rt_architecture_traits *rt_architecture_find(rt_architecture id);
/* NULL for an unknown name. */
const rt_architecture_traits *rt_architecture_by_type(const char *model_type);
/* "'qwen2' or 'llama'": all model types, for messages. */
const char *rt_architecture_list(void);

#endif
