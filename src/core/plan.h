/* What a run will take, before it takes it: memory by part, work, and time.
 *
 * A run has two moments that matter: packing, when the weights lie beside the decoder's own form of them, and working.
 * A part counts in one or both; the peak is the larger sum. (While weights are read, the file's pages are given back.)
 */
#ifndef RT_CORE_PLAN_H
#define RT_CORE_PLAN_H

#include "core/json.h"
#include "core/machine.h"

enum { RT_WHILE_PACKING = 1, RT_WHILE_WORKING = 2, RT_ALWAYS = 3, RT_PLAN_PARTS = 16 };

typedef struct rt_plan_part {
    char name[64];
    double bytes;
    unsigned when;
} rt_plan_part;

typedef struct rt_plan {
    const char *command;
    rt_plan_part parts[RT_PLAN_PARTS];
    int num_parts;
    double steps; /* 0: a run without steps */
    double trained_tokens, generated_tokens;
    bool at_most; /* lengths of what will be sampled are not known: tokens, FLOPs and seconds are bounds */
    double train_flops, sample_flops;
    double train_seconds, sample_seconds; /* 0: not measured */
    int threads;
    rt_ceilings machine; /* that the following is predicted for; cores 0: nothing was */
    rt_cost train_cost, sample_cost;
    rt_memory memory; /* of the machine, when the plan was begun */
    double limit;     /* the caller's own bound for the peak; 0: none */
} rt_plan;

/* "2 cores of 118 GFLOP/s (measured here), reading 34.5 GB/s", appended; and as a new object, NULL when out of memory.
 */
retort_status rt_ceilings_text(const rt_ceilings *machine, rt_buffer *out, retort_error *err);
json_t *rt_ceilings_json(const rt_ceilings *machine);

/* Help of the option that the commands share. */
#define RT_HELP_MEMORY_LIMIT                                                                                           \
    "Refuses to start where more memory would be needed, such as 14GiB; without it, what the machine has free counts."

/* A plan that counts the memory that is resident now as its first part, under this name. */
retort_status rt_plan_begin(const char *command, const char *resident, const char *memory_limit, rt_plan *out,
                            retort_error *err);
/* Parts of 0 bytes are left out; SIZE_MAX makes the plan one that no machine can hold. */
void rt_plan_add(rt_plan *plan, unsigned when, size_t bytes, const char *fmt, ...) RETORT_PRINTF(4, 5);
double rt_plan_peak(const rt_plan *plan);
/* The peak is held against the memory of that machine, where it names any; NULL: this one. */
retort_status rt_plan_elsewhere(rt_plan *plan, const retort_machine *machine, retort_error *err);
/* RETORT_ERR_USAGE with the table as detail where the peak is more than the machine or the caller's limit allows. */
retort_status rt_plan_check(const rt_plan *plan, retort_error *err);
/* Appends the table. */
retort_status rt_plan_text(const rt_plan *plan, rt_buffer *out, retort_error *err);
/* A new object. */
retort_status rt_plan_json(const rt_plan *plan, json_t **out, retort_error *err);
/* The result of a public call: the table, or the object with the members of `more` (NULL: none) as a line; *out and
 * *length as retort/plan.h says. Then rt_plan_check. */
retort_status rt_plan_result(const rt_plan *plan, bool json, const json_t *more, char **out, size_t *length,
                             retort_error *err);

#endif
