/* Behaviours per model: means, shares and intervals of the exact counts of analyze/world_behaviors.h. */
#ifndef RT_BEHAVIOR_STATS_H
#define RT_BEHAVIOR_STATS_H

#include "analyze/responses.h"
#include "analyze/world_behaviors.h"

/* The counts in reporting order. */
enum { RT_BEHAVIORS = 12 };
const char *rt_behavior_name(int behavior);
int32_t rt_behavior_count(const rt_world_behaviors *counts, int behavior);

/* Sums over the responses to one problem. */
typedef struct rt_behavior_sums {
    double responses, sum[RT_BEHAVIORS], any[RT_BEHAVIORS]; /* any: responses with at least one */
} rt_behavior_sums;
void rt_behavior_sums_add(rt_behavior_sums *sums, const rt_world_behaviors *counts);
/* {name: {mean, interval, share}} of sums [problems]; share: responses with at least one. Intervals by bootstrap over
 * problems. */
retort_status rt_behavior_sums_json(const rt_behavior_sums *sums, int64_t problems, uint64_t seed, json_t **out,
                                    retort_error *err);

/* The same of the responses of a set. */
retort_status rt_behavior_stats_json(const rt_response_set *set, const rt_problems *problems, uint64_t seed,
                                     json_t **out, retort_error *err);

/* Mean count a response for each problem: the paired unit of tests. Caller frees with rt_free. */
retort_status rt_behavior_means(const rt_response_set *set, const rt_problems *problems, int behavior, double **out,
                                retort_error *err);
/* Index by name; -1 if unknown. */
int rt_behavior_find(const char *name);

#endif
