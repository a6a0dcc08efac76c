/* Progress of long work, and Ctrl-C.
 *
 * The library never prints: work reports through a caller's callback (retort_progress in retort/progress.h).
 * Ctrl-C sets a flag by the command's handler (retort_interrupt); long loops ask rt_interrupted() at safe points.
 */
#ifndef RT_CORE_PROGRESS_H
#define RT_CORE_PROGRESS_H

#include <stdbool.h>

#include "retort/progress.h"

/* Calls the sink if there is one. `done` of `total` in `unit`s; message may be NULL. */
void rt_progress(const retort_progress *progress, const char *stage, double done, double total, const char *unit,
                 const char *message);
/* Least seconds between two reports of one stage (0.1 at start); 0 passes every report on, which tests count on. */
void rt_progress_set_interval(double seconds);
bool rt_interrupted(void);
/* Seconds of a monotonic clock; for rates and logs only, never for results. */
double rt_now(void);

#endif
