#include "train/schedule.h"

#include <math.h>

#include "core/exactmath.h"

static const double PI = 3.14159265358979323846;

rt_schedule rt_schedule_make(const retort_training_options *options, int64_t total_updates) {
    return (rt_schedule){
        .type = (retort_schedule)options->lr_scheduler_type,
        .peak = options->learning_rate,
        .min_rate = options->min_lr_rate,
        .warmup = (int64_t)ceil((double)total_updates * options->warmup_ratio),
        .total = total_updates,
    };
}

double rt_schedule_rate(const rt_schedule *schedule, int64_t update) {
    if (update < schedule->warmup) return schedule->peak * (double)update / (double)schedule->warmup;
    if (schedule->type == RETORT_SCHEDULE_CONSTANT) return schedule->peak;
    int64_t length = schedule->total - schedule->warmup;
    double s = length > 0 ? (double)(update - schedule->warmup) / (double)length : 1;
    if (s > 1) s = 1;
    double f = schedule->type == RETORT_SCHEDULE_LINEAR ? 1 - s : 0.5 * (1 + rt_cos(PI * s));
    return schedule->peak * (f * (1 - schedule->min_rate) + schedule->min_rate);
}
