/* What a machine has: memory that this process may still take, and how fast it computes and reads. */
#ifndef RT_CORE_MACHINE_H
#define RT_CORE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"
#include "retort/machine.h"

typedef struct rt_memory {
    double resident;    /* bytes of this process that are in memory now */
    double available;   /* bytes more that it can take */
    const char *source; /* what sets that bound: "free memory", "the cgroup's limit", "ulimit -v", ... */
} rt_memory;

/* The least of: MemAvailable of /proc/meminfo, what the limits of the memory cgroups (v1 and v2, and those around it)
 * leave beside what cannot be reclaimed, and RLIMIT_AS and RLIMIT_DATA. What cannot be read does not bound. */
rt_memory rt_memory_now(void);

/* Ceilings of a machine: this one, as compute/ceilings.h measures it, or another, as somebody tells. */
typedef struct rt_ceilings {
    int cores;
    double peak;                  /* float32 multiply-adds of one core, 2 operations each: FLOP/s */
    double bandwidth;             /* bytes/s that all cores read from memory together */
    bool own_peak, own_bandwidth; /* measured here */
} rt_ceilings;

static inline double rt_ceilings_flops(const rt_ceilings *machine) {
    return machine->peak * machine->cores;
}

/* Predicted seconds of a part of a run, by what they are spent on; model/cost.h fills them. */
typedef struct rt_cost {
    double products, attention, memory;
} rt_cost;

static inline double rt_cost_seconds(const rt_cost *cost) {
    return cost->products + cost->attention + cost->memory;
}

static inline void rt_cost_add(rt_cost *sum, rt_cost cost) {
    sum->products += cost.products;
    sum->attention += cost.attention;
    sum->memory += cost.memory;
}

/* Rows of the option table of a struct with a retort_machine. */
#define RT_MACHINE_ROWS(type_, machine_)                                                                               \
    {.name = "cores",                                                                                                  \
     .type = RETORT_OPTION_INT,                                                                                        \
     .offset = offsetof(type_, machine_ cores),                                                                        \
     .default_value = "0",                                                                                             \
     .argument = "N",                                                                                                  \
     .group = "Another machine",                                                                                       \
     .minimum = 0,                                                                                                     \
     .maximum = 1e6,                                                                                                   \
     .help = "Cores that will compute, one thread each; 0: the threads here."},                                        \
        {.name = "peak_gflops",                                                                                        \
         .type = RETORT_OPTION_REAL,                                                                                   \
         .offset = offsetof(type_, machine_ peak_gflops),                                                              \
         .default_value = "0",                                                                                         \
         .argument = "G",                                                                                              \
         .minimum = 0,                                                                                                 \
         .maximum = 1e6,                                                                                               \
         .help = "GFLOP/s of one of those cores in float32 multiply-adds: clock in GHz times 2, times lanes of a "     \
                 "vector, times vector units; 0: measured here."},                                                     \
    {                                                                                                                  \
        .name = "bandwidth", .type = RETORT_OPTION_REAL, .offset = offsetof(type_, machine_ bandwidth_gbs),            \
        .default_value = "0", .argument = "GB/S", .minimum = 0, .maximum = 1e6,                                        \
        .help = "GB/s that those cores together read from memory: channels times 8 bytes times transfers a second, "   \
                "of which machines reach some 80 %; 0: measured here."                                                 \
    }

/* "14GiB", "900M", "4e9": bytes, with K, M, G or T (each 1024 times the one before; "iB" or "B" may follow).
 * RETORT_ERR_USAGE naming the option where it is no positive size. */
retort_status rt_size_parse(const char *text, const char *option, double *bytes, retort_error *err);
/* "513.1 MiB"; returns text. */
const char *rt_size_format(double bytes, char text[16]);

#endif
