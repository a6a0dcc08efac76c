#include "sample/memory.h"

#include <math.h>

#include "compute/compute.h"

static size_t product(size_t a, size_t b, size_t c) {
    size_t bytes;
    return rt_mul_overflow(a, b, &bytes) || rt_mul_overflow(bytes, c, &bytes) ? SIZE_MAX : bytes;
}

static int64_t blocks_of(const rt_sampling_size *size) {
    return size->blocks > 0 ? size->blocks : size->slots * rt_kv_blocks(size->capacity);
}

static rt_decoder_size decoder_size(const rt_sampling_size *size) {
    return (rt_decoder_size){size->slots, size->capacity, size->rows, size->blocks};
}

retort_status rt_cache_size(const rt_config *c, const char *text, rt_sampling_size *size, retort_error *err) {
    double bytes = 0;
    size->blocks = 0;
    if (text == NULL) return RETORT_OK;
    RT_TRY(rt_size_parse(text, "cache_memory", &bytes, err));
    const double block = (double)rt_decoder_block_bytes(c), all = (double)blocks_of(size);
    const double blocks = floor(bytes / block), least = (double)rt_kv_blocks(size->capacity);
    RT_CHECK(blocks >= least, err, RETORT_ERR_USAGE,
             "cache_memory %s holds keys and values of %.0f positions, but one response with its prompt can have %lld, "
             "which takes %.1f MiB; give more, or shorten what is asked for",
             text, blocks * RT_KV_BLOCK, (long long)size->capacity, least * block / (1 << 20));
    if (blocks < all) size->blocks = (int64_t)blocks;
    return RETORT_OK;
}

retort_status rt_sampling_decoder(const rt_model *model, const rt_sampling_size *size, rt_decoder **out,
                                  retort_error *err) {
    const rt_decoder_size asked = decoder_size(size);
    return rt_decoder_create_sized(model, &asked, out, err);
}

retort_status rt_sampling_decoder_taking(rt_model *model, const rt_sampling_size *size, rt_decoder **out,
                                         retort_error *err) {
    const rt_decoder_size asked = decoder_size(size);
    return rt_decoder_create_taking(model, &asked, out, err);
}

/* One matrix is there in both forms; of the others, the form that is larger. */
void rt_plan_taken_weights(rt_plan *plan, const rt_config *c, const rt_lora_config *lora) {
    const int64_t rows = c->vocab_size > c->intermediate_size ? c->vocab_size : c->intermediate_size;
    const size_t weights = rt_aligned_size(rt_params_bytes(c)), packed = rt_decoder_bytes(c, lora, 1, 1, 1);
    const size_t largest = rt_packed_bytes(rows, c->hidden_size, rt_config_format(c));
    rt_plan_add(plan, RT_WHILE_PACKING, largest + (weights > packed ? weights - packed : 0),
                "weights, given back as they are packed");
}

void rt_plan_sampling(rt_plan *plan, const rt_config *c, const rt_lora_config *lora, const rt_sampling_size *size) {
    const rt_decoder_size asked = decoder_size(size);
    const size_t all = rt_decoder_bytes_sized(c, lora, &asked);
    const size_t least = rt_decoder_bytes(c, lora, 1, 1, 1); /* weights, and next to nothing else */
    if (all == SIZE_MAX || least == SIZE_MAX) {
        rt_plan_add(plan, RT_ALWAYS, SIZE_MAX, "decoder");
        return;
    }
    const size_t cache = product((size_t)blocks_of(size), rt_decoder_block_bytes(c), 1), vocab = (size_t)c->vocab_size,
                 slots = (size_t)size->slots;
    const size_t rest = all > least + cache ? all - least - cache : 0;
    rt_plan_add(plan, RT_WHILE_PACKING | RT_WHILE_WORKING, least, "packed weights of the decoder");
    /* Its pages are touched only as sequences grow into them: at most so much. */
    rt_plan_add(plan, RT_WHILE_WORKING, cache, "keys and values, %lld blocks of %d tokens", (long long)blocks_of(size),
                (int)RT_KV_BLOCK);
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
