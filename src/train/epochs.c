#include "train/epochs.h"

retort_status rt_epochs_create(const rt_dataset *dataset, uint64_t seed, int64_t batch_size, rt_epochs *out,
                               retort_error *err) {
    const int64_t most = batch_size < dataset->count ? batch_size : dataset->count;
    *out = (rt_epochs){.dataset = dataset, .seed = seed, .batch_size = batch_size, .epoch = -1};
    out->order = rt_malloc_array((size_t)dataset->count, sizeof *out->order);
    out->batch = rt_malloc_array((size_t)most, sizeof *out->batch);
    if (out->order != NULL && out->batch != NULL) return RETORT_OK;
    rt_epochs_release(out);
    return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: order of the examples");
}

void rt_epochs_release(rt_epochs *epochs) {
    rt_free(epochs->order);
    rt_free(epochs->batch);
    *epochs = (rt_epochs){0};
}

int64_t rt_epochs_batch(rt_epochs *e) {
    int64_t n = e->dataset->count, epoch = e->consumed / n, at = e->consumed % n;
    if (epoch != e->epoch) {
        rt_shuffled_order(e->seed, RT_ORDER_DISTILL, (uint64_t)epoch, n, e->order);
        e->epoch = epoch;
    }
    int64_t count = n - at < e->batch_size ? n - at : e->batch_size;
    for (int64_t i = 0; i < count; i++) e->batch[i] = e->dataset->items[e->order[at + i]];
    return count;
}
