#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/architecture.h"
#include "model/gguf_model.h"

static const struct {
    const char *name, *gguf;
} OUTER[] = {{"model.embed_tokens.weight", "token_embd.weight"},
             {"model.norm.weight", "output_norm.weight"},
             {"lm_head.weight", "output.weight"}},
  LAYER[] = {{"input_layernorm", "attn_norm"},    {"self_attn.q_proj", "attn_q"},
             {"self_attn.k_proj", "attn_k"},      {"self_attn.v_proj", "attn_v"},
             {"self_attn.o_proj", "attn_output"}, {"self_attn.q_norm", "attn_q_norm"},
             {"self_attn.k_norm", "attn_k_norm"}, {"post_attention_layernorm", "ffn_norm"},
             {"mlp.gate_proj", "ffn_gate"},       {"mlp.up_proj", "ffn_up"},
             {"mlp.down_proj", "ffn_down"}};

/* The part of a layer's name between its number and the ending, and the number. */
static const char *layer_part(const char *name, long *layer) {
    static const char PREFIX[] = "model.layers.";
    if (strncmp(name, PREFIX, sizeof PREFIX - 1) != 0) return NULL;
    char *end;
    *layer = strtol(name + sizeof PREFIX - 1, &end, 10);
    return *end == '.' ? end + 1 : NULL;
}

bool rt_gguf_name_of(const char *name, char out[RT_GGUF_NAME]) {
    for (size_t i = 0; i < sizeof OUTER / sizeof *OUTER; i++) {
        if (strcmp(name, OUTER[i].name) != 0) continue;
        snprintf(out, RT_GGUF_NAME, "%s", OUTER[i].gguf);
        return true;
    }
    long layer = 0;
    const char *part = layer_part(name, &layer);
    for (size_t i = 0; part != NULL && i < sizeof LAYER / sizeof *LAYER; i++) {
        const size_t length = strlen(LAYER[i].name);
        if (strncmp(part, LAYER[i].name, length) != 0) continue;
        const char *ending = part + length;
        if (strcmp(ending, ".weight") != 0 && strcmp(ending, ".bias") != 0) continue;
        snprintf(out, RT_GGUF_NAME, "blk.%ld.%s%s", layer, LAYER[i].gguf, ending);
        return true;
    }
    return false;
}

const char *rt_gguf_architecture(const rt_config *config) {
    const char *type = rt_architecture_find(config->architecture)->model_type;
    return strcmp(type, "mistral") == 0 ? "llama" : type;
}

/* llama.cpp rotates neighbours where transformers rotates halves: within a head of E rows, row i E/2 + j of ours is its
 * row 2 j + i. */
int64_t rt_gguf_row(const rt_config *config, const char *name, int64_t row) {
    long layer = 0;
    const char *part = layer_part(name, &layer);
    if (part == NULL || strcmp(rt_gguf_architecture(config), "llama") != 0) return row;
    if (strncmp(part, "self_attn.q_proj.", 17) != 0 && strncmp(part, "self_attn.k_proj.", 17) != 0) return row;
    const int64_t half = config->head_dim / 2, head = row / config->head_dim, within = row % config->head_dim;
    return head * config->head_dim + within % half * 2 + within / half;
}
