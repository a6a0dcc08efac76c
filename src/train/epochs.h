/* The order in which a run goes through a data set: epoch after epoch, each in a new order that the seed fixes. */
#ifndef RT_EPOCHS_H
#define RT_EPOCHS_H

#include "train/dataset.h"

typedef struct rt_epochs {
    const rt_dataset *dataset; /* borrowed */
    uint64_t seed;
    int64_t batch_size;
    int64_t consumed;   /* data cursor: examples used so far, over all epochs */
    int64_t epoch;      /* whose order is in `order`; -1: none yet */
    int32_t *order;     /* [dataset->count] */
    rt_sequence *batch; /* [batch_size, or fewer where the data set is smaller] */
} rt_epochs;

/* Zero-initialise; free with rt_epochs_release. */
retort_status rt_epochs_create(const rt_dataset *dataset, uint64_t seed, int64_t batch_size, rt_epochs *out,
                               retort_error *err);
void rt_epochs_release(rt_epochs *epochs);
/* Fills `batch` with the examples at the cursor and returns how many; the last batch of an epoch may be smaller. The
 * cursor stays: the caller adds to `consumed` what it has used. */
int64_t rt_epochs_batch(rt_epochs *epochs);

#endif
