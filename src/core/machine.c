#include "core/machine.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* A line "NAME: 123 kB" or "name 123" of a small file of the kernel's; -1 where it is not there. */
static double read_field(const char *path, const char *name) {
    FILE *file = fopen(path, "r");
    char line[512];
    double value = -1;
    if (file == NULL) return -1;
    size_t length = strlen(name);
    while (value < 0 && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, name, length) != 0 || (line[length] != ':' && line[length] != ' ')) continue;
        char *end;
        value = (double)strtoll(line + length + 1, &end, 10);
        if (strncmp(end, " kB", 3) == 0) value *= 1024;
    }
    fclose(file);
    return value;
}

/* The number that a file holds; -1 where it holds none ("max") or is not there. */
static double read_number(const char *path) {
    FILE *file = fopen(path, "r");
    char line[64], *end = line;
    if (file == NULL) return -1;
    double value = fgets(line, sizeof line, file) != NULL ? (double)strtoull(line, &end, 10) : 0;
    fclose(file);
    return end != line ? value : -1;
}

static void bound(rt_memory *memory, double left, const char *source) {
    if (left < 0) left = 0;
    if (left >= memory->available) return;
    memory->available = left;
    memory->source = source;
}

/* One cgroup: its limit, less what it uses and could not give back (cached files can go). */
static void bound_by_group(rt_memory *memory, const char *dir, bool v2) {
    char path[1200];
    snprintf(path, sizeof path, "%s/%s", dir, v2 ? "memory.max" : "memory.limit_in_bytes");
    double limit = read_number(path);
    if (limit < 0 || limit > 0x1p60) return; /* v1 says "none" by a huge number */
    snprintf(path, sizeof path, "%s/%s", dir, v2 ? "memory.current" : "memory.usage_in_bytes");
    double used = read_number(path);
    snprintf(path, sizeof path, "%s/memory.stat", dir);
    double inactive = read_field(path, v2 ? "inactive_file" : "total_inactive_file");
    double active = read_field(path, v2 ? "active_file" : "total_active_file");
    double cached = (inactive > 0 ? inactive : 0) + (active > 0 ? active : 0);
    bound(memory, limit - (used > cached ? used - cached : 0), "the limit of its cgroup");
}

/* The process's group and all around it. */
static void bound_by_groups(rt_memory *memory, const char *root, char *path, bool v2) {
    for (;;) {
        char dir[1100];
        snprintf(dir, sizeof dir, "%s%s", root, path);
        bound_by_group(memory, dir, v2);
        char *slash = strrchr(path, '/');
        if (slash == NULL || path[0] == '\0') return;
        *slash = '\0';
    }
}

static void bound_by_cgroups(rt_memory *memory) {
    FILE *file = fopen("/proc/self/cgroup", "r");
    char line[1000];
    if (file == NULL) return;
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':'), *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
        if (path == NULL) continue;
        *path++ = '\0';
        bool v2 = controllers[1] == '\0';
        if (strcmp(path, "/") == 0) path[0] = '\0';
        if (v2) {
            bound_by_groups(memory, "/sys/fs/cgroup", path, true);
        } else if (strcmp(controllers + 1, "memory") == 0) {
            bound_by_groups(memory, "/sys/fs/cgroup/memory", path, false);
        }
    }
    fclose(file);
}

static void bound_by_ulimit(rt_memory *memory, int resource, double used, const char *source) {
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || used < 0) return;
    bound(memory, (double)limit.rlim_cur - used, source);
}

rt_memory rt_memory_now(void) {
    static const char STATUS[] = "/proc/self/status";
    rt_memory memory = {.available = INFINITY, .source = "nothing"};
    double resident = read_field(STATUS, "VmRSS"), free_bytes = read_field("/proc/meminfo", "MemAvailable");
    if (resident > 0) memory.resident = resident;
    if (free_bytes >= 0) bound(&memory, free_bytes, "free memory");
    bound_by_cgroups(&memory);
    bound_by_ulimit(&memory, RLIMIT_AS, read_field(STATUS, "VmSize"), "ulimit -v");
    bound_by_ulimit(&memory, RLIMIT_DATA, read_field(STATUS, "VmData"), "ulimit -d");
    return memory;
}

/* ---- sizes as text ---- */

retort_status rt_size_parse(const char *text, const char *option, double *bytes, retort_error *err) {
    static const char UNITS[] = "KMGT";
    char *end;
    double value = strtod(text, &end);
    const char *unit = *end != '\0' ? strchr(UNITS, toupper((unsigned char)*end)) : NULL;
    bool ok = end != text && isfinite(value) && value > 0;
    if (unit != NULL) {
        value = ldexp(value, 10 * (int)(unit - UNITS + 1));
        end++;
    }
    ok = ok && (strcmp(end, "") == 0 || strcmp(end, "B") == 0 || (unit != NULL && strcmp(end, "iB") == 0));
    RT_CHECK(ok, err, RETORT_ERR_USAGE, "'%s' is '%.40s', must be a size such as 14GiB or 900M", option, text);
    *bytes = value;
    return RETORT_OK;
}

const char *rt_size_format(double bytes, char text[16]) {
    static const char *const UNITS[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    int unit = 0;
    while (bytes >= 1023.5 && unit < 5) {
        bytes /= 1024;
        unit++;
    }
    snprintf(text, 16, unit == 0 ? "%.0f %s" : bytes < 99.95 ? "%.1f %s" : "%.0f %s", bytes, UNITS[unit]);
    return text;
}

const retort_option retort_machine_option_table[] = {
    RT_MACHINE_ROWS(retort_machine, ),
    {.name = "memory",
     .type = RETORT_OPTION_STRING,
     .offset = offsetof(retort_machine, memory),
     .argument = "SIZE",
     .help = "Memory there, such as 512GiB; without it, what is free here counts."},
    {0},
};
