#include "model/architecture.h"

#include <string.h>

static const rt_architecture_traits table[] = {
    {RT_QWEN2, "qwen2", "Qwen2ForCausalLM", RT_BIAS_QKV, RT_WINDOW_SWITCHED, .qk_norm = false},
    {RT_QWEN3, "qwen3", "Qwen3ForCausalLM", RT_BIAS_SWITCHED, RT_WINDOW_SWITCHED, .qk_norm = true, .head_dim = 128},
    {RT_LLAMA, "llama", "LlamaForCausalLM", RT_BIAS_SWITCHED, RT_WINDOW_NEVER, .qk_norm = false},
    {RT_MISTRAL, "mistral", "MistralForCausalLM", RT_BIAS_NEVER, RT_WINDOW_ALWAYS, .qk_norm = false},
};

const rt_architecture_traits *rt_architecture_find(rt_architecture id) {
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].id == id) return &table[i];
    return NULL;
}

const rt_architecture_traits *rt_architecture_by_type(const char *model_type) {
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(table[i].model_type, model_type) == 0) return &table[i];
    return NULL;
}

const char *rt_architecture_list(void) {
    return "'qwen2', 'qwen3', 'llama' and 'mistral'";
}
