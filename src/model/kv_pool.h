/* Who holds which block of the decoder's cache: sequences take blocks as they grow, share those of a common prefix, and
 * get one of their own before they write into a shared one. All layers have the same table. No keys or values here. */
#ifndef RT_MODEL_KV_POOL_H
#define RT_MODEL_KV_POOL_H

#include "core/mem.h"

typedef struct rt_kv_pool {
    int64_t slots, per_slot, blocks, num_free;
    int32_t *table; /* [slots][per_slot]: a block, or -1 */
    int32_t *uses;  /* [blocks]: slots that hold it */
    int32_t *free;  /* [blocks]: the first num_free are free; the last is taken next */
} rt_kv_pool;

/* RETORT_ERR_MEMORY. */
retort_status rt_kv_pool_create(int64_t slots, int64_t per_slot, int64_t blocks, rt_kv_pool *out, retort_error *err);
void rt_kv_pool_release(rt_kv_pool *pool);

/* True if the slot must take a block before place `index` of its table may be written: there is none, or a shared one.
 */
static inline bool rt_kv_pool_wants(const rt_kv_pool *pool, int64_t slot, int64_t index) {
    const int32_t block = pool->table[slot * pool->per_slot + index];
    return block < 0 || pool->uses[block] > 1;
}

/* Gives the slot a block of its own at place `index`, which rt_kv_pool_wants; num_free must not be 0. Returns the block
 * that was shared until then, whose content is to be copied, or -1. */
int32_t rt_kv_pool_take(rt_kv_pool *pool, int64_t slot, int64_t index);

/* The slot holds no blocks afterwards. */
void rt_kv_pool_drop(rt_kv_pool *pool, int64_t slot);
/* Slot `to` drops what it holds and shares the first `count` blocks of `from`. */
void rt_kv_pool_share(rt_kv_pool *pool, int64_t from, int64_t to, int64_t count);

#endif
