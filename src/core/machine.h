/* What this process may still take of the machine's memory. */
#ifndef RT_CORE_MACHINE_H
#define RT_CORE_MACHINE_H

#include <stddef.h>

#include "core/error.h"

typedef struct rt_memory {
    double resident;    /* bytes of this process that are in memory now */
    double available;   /* bytes more that it can take */
    const char *source; /* what sets that bound: "free memory", "the cgroup's limit", "ulimit -v", ... */
} rt_memory;

/* The least of: MemAvailable of /proc/meminfo, what the limits of the memory cgroups (v1 and v2, and those around it)
 * leave beside what cannot be reclaimed, and RLIMIT_AS and RLIMIT_DATA. What cannot be read does not bound. */
rt_memory rt_memory_now(void);

/* "14GiB", "900M", "4e9": bytes, with K, M, G or T (each 1024 times the one before; "iB" or "B" may follow).
 * RETORT_ERR_USAGE naming the option where it is no positive size. */
retort_status rt_size_parse(const char *text, const char *option, double *bytes, retort_error *err);
/* "513.1 MiB"; returns text. */
const char *rt_size_format(double bytes, char text[16]);

#endif
