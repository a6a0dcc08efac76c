/* A machine by its ceilings, for plans of runs on it (retort/plan.h).
 *
 * What is 0 or NULL is that of the machine which makes the plan: its processors, and what is measured on it in some
 * tenths of a second.
 */
#ifndef RETORT_MACHINE_H
#define RETORT_MACHINE_H

#include "retort/options.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retort_machine {
    int64_t cores;        /* that compute, one thread each */
    double peak_gflops;   /* of one core: float32 multiply-adds, 2 operations each, all its vector units busy */
    double bandwidth_gbs; /* GB/s (1e9 bytes) that all these cores together read from memory */
    char *memory;         /* that a run may take in all, such as "512GiB" */
} retort_machine;

/* cores, peak_gflops, bandwidth, memory. */
RETORT_API extern const retort_option retort_machine_option_table[];

#ifdef __cplusplus
}
#endif
#endif
