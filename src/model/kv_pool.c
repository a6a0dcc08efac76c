#include "model/kv_pool.h"

retort_status rt_kv_pool_create(int64_t slots, int64_t per_slot, int64_t blocks, rt_kv_pool *out, retort_error *err) {
    *out = (rt_kv_pool){.slots = slots, .per_slot = per_slot, .blocks = blocks, .num_free = blocks};
    size_t places;
    if (!rt_mul_overflow((size_t)slots, (size_t)per_slot, &places)) {
        out->table = rt_malloc_array(places, sizeof *out->table);
        out->uses = rt_calloc((size_t)blocks, sizeof *out->uses);
        out->free = rt_malloc_array((size_t)blocks, sizeof *out->free);
    }
    if (out->table == NULL || out->uses == NULL || out->free == NULL) {
        rt_kv_pool_release(out);
        return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: table of %lld cache blocks", (long long)blocks);
    }
    for (size_t i = 0; i < places; i++) out->table[i] = -1;
    /* Low blocks first, so that memory behind those that were ever in use is never touched. */
    for (int64_t i = 0; i < blocks; i++) out->free[i] = (int32_t)(blocks - 1 - i);
    return RETORT_OK;
}

void rt_kv_pool_release(rt_kv_pool *pool) {
    rt_free(pool->table);
    rt_free(pool->uses);
    rt_free(pool->free);
    *pool = (rt_kv_pool){0};
}

static void give_back(rt_kv_pool *pool, int32_t *place) {
    const int32_t block = *place;
    *place = -1;
    if (block >= 0 && --pool->uses[block] == 0) pool->free[pool->num_free++] = block;
}

int32_t rt_kv_pool_take(rt_kv_pool *pool, int64_t slot, int64_t index) {
    int32_t *place = &pool->table[slot * pool->per_slot + index];
    const int32_t shared = *place;
    if (shared >= 0) pool->uses[shared]--;
    *place = pool->free[--pool->num_free];
    pool->uses[*place] = 1;
    return shared;
}

void rt_kv_pool_drop(rt_kv_pool *pool, int64_t slot) {
    for (int64_t i = 0; i < pool->per_slot; i++) give_back(pool, &pool->table[slot * pool->per_slot + i]);
}

void rt_kv_pool_share(rt_kv_pool *pool, int64_t from, int64_t to, int64_t count) {
    if (from == to) return;
    rt_kv_pool_drop(pool, to);
    for (int64_t i = 0; i < count; i++) {
        const int32_t block = pool->table[from * pool->per_slot + i];
        pool->table[to * pool->per_slot + i] = block;
        pool->uses[block]++;
    }
}
