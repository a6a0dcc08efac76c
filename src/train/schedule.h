/* Learning-rate schedules: a factor in [0, 1] of the peak rate for each optimiser update, as in transformers
 * (optimization.py): linear warm-up from 0, then cosine, line or constant.
 */
#ifndef RT_SCHEDULE_H
#define RT_SCHEDULE_H

#include <stdint.h>

#include "retort/train.h"

typedef struct rt_schedule {
    retort_schedule type;
    double peak;           /* learning_rate */
    double min_rate;       /* what cosine and line end at, as a fraction of peak */
    int64_t warmup, total; /* updates */
} rt_schedule;

/* warmup = ceil(total * warmup_ratio), as transformers rounds it. */
rt_schedule rt_schedule_make(const retort_training_options *options, int64_t total_updates);

/* Rate of update `update` (0-based). With w = warmup and s = (update - w) / (total - w):
 *   update < w   peak * update / w                    (so the very first warm-up update has rate 0)
 *   cosine       peak * (f (1 - min) + min), f = (1 + cos(pi s)) / 2
 *   linear       the same with f = 1 - s
 *   constant     peak */
double rt_schedule_rate(const rt_schedule *schedule, int64_t update);

#endif
