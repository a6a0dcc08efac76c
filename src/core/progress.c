#include "core/progress.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Lock-free, so that a signal handler may set it while another thread asks. */
static atomic_bool interrupt_requested;

void retort_interrupt(void) {
    atomic_store(&interrupt_requested, true);
}

void retort_interrupt_clear(void) {
    atomic_store(&interrupt_requested, false);
}

bool rt_interrupted(void) {
    return atomic_load(&interrupt_requested);
}

double rt_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* What the last call that got through said, so that inner loops may report as often as they like. */
static _Thread_local struct {
    const void *context;
    char stage[32];
    double at;
} last;

static double least_interval = 0.1;

void rt_progress_set_interval(double seconds) {
    least_interval = seconds;
}

void rt_progress(const retort_progress *progress, const char *stage, double done, double total, const char *unit,
                 const char *message) {
    if (progress == NULL || progress->report == NULL) return;
    double now = rt_now();
    bool same = last.context == progress->context && strncmp(last.stage, stage, sizeof last.stage - 1) == 0;
    bool finished = total > 0 && done >= total;
    if (same && !finished && now - last.at < least_interval) return;
    last.context = progress->context;
    last.at = now;
    snprintf(last.stage, sizeof last.stage, "%s", stage);
    progress->report(progress->context, stage, done, total, unit, message);
}
