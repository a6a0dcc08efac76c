#include "model/model.h"

double rt_model_forward_flops(const rt_config *config, double tokens, double keys, double scored) {
    const double d = (double)config->hidden_size, f = (double)config->intermediate_size;
    const double q = (double)(config->num_attention_heads * config->head_dim);
    const double kv = (double)(config->num_key_value_heads * config->head_dim);
    const double weights = d * (2 * q + 2 * kv) + 3 * d * f; /* of one layer: q, o; k, v; gate, up, down */
    const double scores = 2 * q;                             /* q k^T and p v, a key */
    return 2 * (double)config->num_hidden_layers * (tokens * weights + keys * scores) +
           2 * scored * d * (double)config->vocab_size;
}
