#include <math.h>
#include <stdlib.h>

#include "analyze/jsonout.h"
#include "analyze/responses.h"

rt_verdict rt_record_verdict(const rt_record *record, int grader) {
    return grader == RT_GRADER_CHOSEN ? record->verdict : record->by[grader];
}

/* Samples per problem, in problem order; every problem must have at least one. */
retort_status rt_verdict_tallies(const rt_response_set *set, int grader, rt_tally **out, retort_error *err) {
    *out = rt_calloc((size_t)set->problems, sizeof **out);
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory: tallies of %lld problems", (long long)set->problems);
    for (int64_t i = 0; i < set->count; i++) {
        const rt_record *record = &set->records[i];
        (*out)[record->problem].n++;
        (*out)[record->problem].correct += rt_record_verdict(record, grader) == RT_RIGHT;
    }
    for (int64_t p = 0; p < set->problems; p++) {
        if ((*out)[p].n > 0) continue;
        rt_free(*out);
        *out = NULL;
        return rt_fail(err, RETORT_ERR_STATE, "model '%s' has no response for problem number %lld; sample it again",
                       set->model, (long long)p + 1);
    }
    return RETORT_OK;
}

retort_status rt_response_tallies(const rt_response_set *set, rt_tally **out, retort_error *err) {
    return rt_verdict_tallies(set, RT_GRADER_CHOSEN, out, err);
}

static int compare_lengths(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double median_length(const rt_response_set *set) {
    int64_t *lengths = rt_malloc_array((size_t)set->count, sizeof *lengths);
    if (lengths == NULL || set->count == 0) {
        rt_free(lengths);
        return NAN;
    }
    for (int64_t i = 0; i < set->count; i++) lengths[i] = set->records[i].tokens;
    qsort(lengths, (size_t)set->count, sizeof *lengths, compare_lengths);
    const int64_t low = (set->count - 1) / 2, high = set->count / 2; /* equal for an odd count */
    double median = ((double)lengths[low] + (double)lengths[high]) / 2;
    rt_free(lengths);
    return median;
}

/* Rates that stand beside every score, so that no zero is silent. */
static void add_rates(json_t *score, const rt_response_set *set) {
    double stopped = 0, unparsed = 0, over_budget = 0, completed_right = 0, length = 0;
    for (int64_t i = 0; i < set->count; i++) {
        const rt_record *record = &set->records[i];
        bool stop = record->finish == RT_FINISH_STOP;
        stopped += stop;
        unparsed += record->verdict == RT_UNPARSED;
        over_budget += record->verdict == RT_OVER_BUDGET;
        completed_right += stop && record->verdict == RT_RIGHT;
        length += (double)record->tokens;
    }
    double n = (double)set->count;
    rt_json_set_real(score, "stop_rate", stopped / n);
    rt_json_set_real(score, "length_rate", (n - stopped) / n);
    rt_json_set_real(score, "unparsed_rate", unparsed / n);
    rt_json_set_real(score, "over_budget_rate", over_budget / n);
    rt_json_set_real(score, "completed_accuracy", stopped > 0 ? completed_right / stopped : NAN);
    rt_json_set_real(score, "mean_length", length / n);
    rt_json_set_real(score, "median_length", median_length(set));
}

static double mean_pass(const rt_tally *tallies, int64_t problems, int64_t k) {
    double sum = 0;
    for (int64_t i = 0; i < problems; i++) sum += rt_pass_at_k(tallies[i].n, tallies[i].correct, k);
    return sum / (double)problems;
}

/* pass@k only where every problem has at least k samples. */
static retort_status add_pass_at(json_t *score, const rt_tally *tallies, int64_t problems, int64_t fewest,
                                 uint64_t seed, retort_error *err) {
    json_t *values = json_object(), *intervals = json_object();
    json_object_set_new(score, "pass_at", values);
    json_object_set_new(score, "pass_at_interval", intervals);
    static const int64_t KS[] = {1, 4, 8, 16, 32, 64};
    for (size_t i = 0; i < sizeof KS / sizeof KS[0] && KS[i] <= fewest; i++) {
        char key[8];
        snprintf(key, sizeof key, "%d", (int)KS[i]);
        rt_interval interval;
        RT_TRY(rt_pass_interval(tallies, problems, KS[i], seed + (uint64_t)KS[i], &interval, err));
        rt_json_set_real(values, key, mean_pass(tallies, problems, KS[i]));
        rt_json_set_interval(intervals, key, interval);
    }
    return RETORT_OK;
}

retort_status rt_score_json(const rt_response_set *set, uint64_t seed, json_t **out, retort_error *err) {
    rt_tally *tallies;
    RT_TRY(rt_response_tallies(set, &tallies, err));
    int64_t fewest = tallies[0].n;
    for (int64_t p = 1; p < set->problems; p++)
        if (tallies[p].n < fewest) fewest = tallies[p].n;
    json_t *score = json_object();
    rt_interval bootstrap;
    json_object_set_new(score, "n_problems", json_integer(set->problems));
    json_object_set_new(score, "n_samples", json_integer(fewest));
    rt_json_set_real(score, "avg", rt_average(tallies, set->problems));
    rt_json_set_interval(score, "sampling_interval", rt_sampling_interval(tallies, set->problems));
    retort_status st = rt_pass_interval(tallies, set->problems, 1, seed, &bootstrap, err);
    if (st == RETORT_OK) {
        rt_json_set_interval(score, "bootstrap_interval", bootstrap);
        st = add_pass_at(score, tallies, set->problems, fewest, seed, err);
        add_rates(score, set);
    }
    rt_free(tallies);
    if (st != RETORT_OK) {
        json_decref(score);
        return st;
    }
    *out = score;
    return RETORT_OK;
}
