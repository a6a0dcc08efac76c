#include "train/pack.h"

#include "core/mem.h"
#include "core/random.h"

int64_t rt_sequence_targets(const rt_sequence *sequence) {
    int64_t targets = 0;
    for (int64_t i = 1; i < sequence->count; i++) targets += rt_sequence_supervises(sequence, i);
    return targets;
}

retort_status rt_packer_create(int64_t capacity, rt_packer *out, retort_error *err) {
    rt_packer packer = {.capacity = capacity};
    packer.ids = rt_malloc_array((size_t)capacity, sizeof(int32_t));
    packer.target = rt_malloc_array((size_t)capacity, sizeof(int32_t));
    packer.doc_start = rt_malloc_array((size_t)capacity + 1, sizeof(int32_t));
    if (packer.ids == NULL || packer.target == NULL || packer.doc_start == NULL) {
        rt_packer_release(&packer);
        return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: micro-batch of %lld tokens", (long long)capacity);
    }
    *out = packer;
    return RETORT_OK;
}

void rt_packer_release(rt_packer *packer) {
    rt_free(packer->ids);
    rt_free(packer->target);
    rt_free(packer->doc_start);
    *packer = (rt_packer){0};
}

int64_t rt_pack_fitting(const rt_sequence *sequences, int64_t count, int64_t next, int64_t limit, int64_t *rows) {
    int64_t taken = 0;
    for (*rows = 0; next + taken < count; taken++) {
        int64_t n = rt_sequence_rows(&sequences[next + taken]);
        if (taken > 0 && *rows + n > limit) break;
        *rows += n;
    }
    return taken;
}

int64_t rt_packer_fill(rt_packer *packer, const rt_sequence *sequences, int64_t count, int64_t next, int64_t budget,
                       rt_batch *batch) {
    int64_t limit = budget < packer->capacity ? budget : packer->capacity;
    int64_t total, taken = rt_pack_fitting(sequences, count, next, limit, &total), rows = 0;
    packer->doc_start[0] = 0;
    for (int64_t k = 0; k < taken; k++) {
        const rt_sequence *sequence = &sequences[next + k];
        int64_t n = rt_sequence_rows(sequence);
        for (int64_t i = 0; i < n; i++) {
            packer->ids[rows + i] = sequence->ids[i];
            packer->target[rows + i] = rt_sequence_supervises(sequence, i + 1) ? sequence->ids[i + 1] : -1;
        }
        rows += n;
        packer->doc_start[k + 1] = (int32_t)rows;
    }
    *batch = (rt_batch){
        .tokens = total, .ids = packer->ids, .target = packer->target, .docs = taken, .doc_start = packer->doc_start};
    return taken;
}

double rt_batch_keys(const rt_batch *batch) {
    double keys = 0;
    for (int64_t i = 0; i < batch->docs; i++) {
        double n = batch->doc_start[i + 1] - batch->doc_start[i];
        keys += n * (n + 1) / 2;
    }
    return keys;
}

int64_t rt_batch_scored(const rt_batch *batch) {
    int64_t scored = 0;
    for (int64_t t = 0; t < batch->tokens; t++) scored += batch->target[t] >= 0;
    return scored;
}

uint64_t rt_mix(uint64_t seed, uint64_t a, uint64_t b) {
    uint32_t counter[4] = {(uint32_t)a, (uint32_t)(a >> 32), (uint32_t)b, (uint32_t)(b >> 32)};
    uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)}, out[4];
    rt_philox(counter, key, out);
    return (uint64_t)out[1] << 32 | out[0];
}

void rt_shuffled_order(uint64_t seed, uint64_t purpose, uint64_t epoch, int64_t count, int32_t *order) {
    rt_rng rng = rt_rng_make(seed, rt_mix(seed, purpose, epoch));
    for (int64_t i = 0; i < count; i++) order[i] = (int32_t)i;
    for (int64_t i = count - 1; i > 0; i--) {
        int64_t j = rt_rng_below(&rng, (uint32_t)i + 1);
        int32_t other = order[j];
        order[j] = order[i];
        order[i] = other;
    }
}
