#include "analyze/behavior_stats.h"

#include <string.h>

#include "analyze/jsonout.h"

static const char *const NAMES[RT_BEHAVIORS] = {"perspective",   "metacognitive", "attempts",    "approaches",
                                                "checks",        "doubts",        "corrections", "backtracks",
                                                "verifications", "true_steps",    "false_steps", "goals"};

const char *rt_behavior_name(int behavior) {
    return NAMES[behavior];
}

int rt_behavior_find(const char *name) {
    for (int b = 0; b < RT_BEHAVIORS; b++)
        if (strcmp(NAMES[b], name) == 0) return b;
    return -1;
}

int32_t rt_behavior_count(const rt_world_behaviors *counts, int behavior) {
    const int32_t values[RT_BEHAVIORS] = {counts->perspective, counts->metacognitive, counts->attempts,
                                          counts->approaches,  counts->checks,        counts->doubts,
                                          counts->corrections, counts->backtracks,    counts->verifications,
                                          counts->true_steps,  counts->false_steps,   counts->goals};
    return values[behavior];
}

void rt_behavior_sums_add(rt_behavior_sums *sums, const rt_world_behaviors *counts) {
    sums->responses++;
    for (int b = 0; b < RT_BEHAVIORS; b++) {
        const int32_t count = rt_behavior_count(counts, b);
        sums->sum[b] += count;
        sums->any[b] += count > 0;
    }
}

static retort_status sum_by_problem(const rt_response_set *set, const rt_problems *problems, rt_behavior_sums **out,
                                    retort_error *err) {
    *out = rt_calloc((size_t)set->problems, sizeof **out);
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory: behaviours of %lld problems",
             (long long)set->problems);
    for (int64_t i = 0; i < set->count; i++) {
        const rt_record *record = &set->records[i];
        rt_world_behaviors counts;
        rt_world_behaviors_count(&problems->items[record->problem].question, record->text, record->length, &counts);
        rt_behavior_sums_add(&(*out)[record->problem], &counts);
    }
    return RETORT_OK;
}

retort_status rt_behavior_sums_json(const rt_behavior_sums *sums, int64_t problems, uint64_t seed, json_t **out,
                                    retort_error *err) {
    json_t *all = json_object();
    retort_status st = RETORT_OK;
    for (int b = 0; b < RT_BEHAVIORS && st == RETORT_OK; b++) {
        double sum = 0, any = 0, responses = 0;
        for (int64_t p = 0; p < problems; p++) {
            sum += sums[p].sum[b];
            any += sums[p].any[b];
            responses += sums[p].responses;
        }
        const rt_rate mean = {&sums->sum[b], &sums->responses, sizeof *sums / sizeof(double), 1};
        rt_interval interval;
        st = rt_rate_interval(&mean, problems, seed + (uint64_t)b, &interval, err);
        json_t *entry = json_object();
        rt_json_set_real(entry, "mean", sum / responses);
        rt_json_set_interval(entry, "interval", interval);
        rt_json_set_real(entry, "share", any / responses);
        json_object_set_new(all, NAMES[b], entry);
    }
    if (st != RETORT_OK) {
        json_decref(all);
        return st;
    }
    *out = all;
    return RETORT_OK;
}

retort_status rt_behavior_stats_json(const rt_response_set *set, const rt_problems *problems, uint64_t seed,
                                     json_t **out, retort_error *err) {
    rt_behavior_sums *sums;
    RT_TRY(sum_by_problem(set, problems, &sums, err));
    const retort_status st = rt_behavior_sums_json(sums, set->problems, seed, out, err);
    rt_free(sums);
    return st;
}

retort_status rt_behavior_means(const rt_response_set *set, const rt_problems *problems, int behavior, double **out,
                                retort_error *err) {
    rt_behavior_sums *sums;
    RT_TRY(sum_by_problem(set, problems, &sums, err));
    *out = rt_malloc_array((size_t)set->problems, sizeof **out);
    if (*out == NULL) {
        rt_free(sums);
        return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: means of %lld problems", (long long)set->problems);
    }
    for (int64_t p = 0; p < set->problems; p++)
        (*out)[p] = sums[p].responses > 0 ? sums[p].sum[behavior] / sums[p].responses : 0;
    rt_free(sums);
    return RETORT_OK;
}
