#include "sample/memory.h"

#include "compute/compute.h"
#include "model/dtype.h"

static size_t product(size_t a, size_t b, size_t c) {
    size_t bytes;
    return rt_mul_overflow(a, b, &bytes) || rt_mul_overflow(bytes, c, &bytes) ? SIZE_MAX : bytes;
}

static size_t cache_bytes(const rt_config *c, const rt_sampling_size *size) {
    const int64_t keys = rt_kpanel_floats(size->capacity, c->head_dim), values = size->capacity * c->head_dim;
    return product((size_t)(c->num_hidden_layers * c->num_key_value_heads), (size_t)size->slots,
                   (size_t)(keys + values) * rt_dtype_size(c->kv_dtype));
}

void rt_plan_sampling(rt_plan *plan, const rt_config *c, const rt_lora_config *lora, const rt_sampling_size *size) {
    const size_t all = rt_decoder_bytes(c, lora, size->slots, size->capacity, size->rows);
    const size_t least = rt_decoder_bytes(c, lora, 1, 1, 1); /* weights, and next to nothing else */
    if (all == SIZE_MAX || least == SIZE_MAX) {
        rt_plan_add(plan, RT_ALWAYS, SIZE_MAX, "decoder");
        return;
    }
    const size_t cache = cache_bytes(c, size), vocab = (size_t)c->vocab_size, slots = (size_t)size->slots;
    const size_t rest = all > least + cache ? all - least - cache : 0;
    rt_plan_add(plan, RT_WHILE_PACKING | RT_WHILE_WORKING, least, "packed weights of the decoder");
    /* Zeroed when it is taken, so that all of it is resident at once, whatever comes to be written. */
    rt_plan_add(plan, RT_WHILE_PACKING | RT_WHILE_WORKING, cache, "keys and values, %lld x %lld tokens",
                (long long)size->slots, (long long)size->capacity);
    rt_plan_add(plan, RT_WHILE_PACKING | RT_WHILE_WORKING, rest, "activations of %lld rows", (long long)size->rows);
    rt_plan_add(plan, RT_WHILE_WORKING,
                product(slots, vocab, sizeof(float)) + product(vocab, 1, sizeof(float)) +
                    product((size_t)rt_compute_threads(), vocab, 4 * sizeof(float)) + product(slots, vocab / 8 + 8, 1),
                "logits and their order");
    /* Token and both log-probabilities, of running and of finished responses. */
    rt_plan_add(plan, RT_WHILE_WORKING,
                product(slots, (size_t)size->capacity, 12) +
                    product((size_t)size->responses, (size_t)size->max_new_tokens, 12),
                "responses");
}
