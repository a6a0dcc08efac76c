#include <math.h>
#include <stdlib.h>

#include "analyze/jsonout.h"
#include "analyze/responses.h"
#include "analyze/votes.h"

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

/* Where every problem has at least k samples. */
static const int64_t KS[] = {1, 4, 8, 16, 32, RT_MOST_VOTERS};
enum { NUM_KS = sizeof KS / sizeof KS[0] };

/* A measure at several k: its values and both intervals, each an object with k as the key. */
typedef struct rows_at {
    json_t *values, *problems, *sampling;
} rows_at;

static rows_at add_rows(json_t *score, const char *values, const char *problems, const char *sampling) {
    const rows_at rows = {json_object(), json_object(), json_object()};
    json_object_set_new(score, values, rows.values);
    json_object_set_new(score, problems, rows.problems);
    json_object_set_new(score, sampling, rows.sampling);
    return rows;
}

static void put_row(const rows_at *rows, int64_t k, const rt_score *at) {
    char key[24];
    snprintf(key, sizeof key, "%lld", (long long)k);
    rt_json_set_real(rows->values, key, at->mean);
    rt_json_set_interval(rows->problems, key, at->problems);
    rt_json_set_interval(rows->sampling, key, at->sampling);
}

static retort_status add_pass_at(json_t *score, const rt_tally *tallies, int64_t problems, int64_t fewest,
                                 retort_error *err) {
    const rows_at rows = add_rows(score, "pass_at", "pass_at_interval", "pass_at_sampling_interval");
    for (size_t i = 0; i < NUM_KS && KS[i] <= fewest; i++) {
        rt_score at;
        RT_TRY(rt_pass_score(tallies, problems, KS[i], &at, err));
        put_row(&rows, KS[i], &at);
    }
    return RETORT_OK;
}

/* ---- maj@k ---- */

/* The ballots of all problems [problems]. */
static retort_status count_ballots(const rt_response_set *set, const rt_tally *tallies, rt_ballot *ballots,
                                   retort_error *err) {
    rt_vote *votes = rt_malloc_array((size_t)set->count, sizeof *votes);
    int64_t *next = rt_malloc_array((size_t)set->problems, sizeof *next), begin = 0;
    retort_status st = votes != NULL && next != NULL
                           ? RETORT_OK
                           : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: %lld votes", (long long)set->count);
    for (int64_t p = 0; st == RETORT_OK && p < set->problems; p++) {
        next[p] = begin;
        begin += tallies[p].n;
    }
    for (int64_t i = 0; st == RETORT_OK && i < set->count; i++) {
        const rt_record *record = &set->records[i];
        votes[next[record->problem]++] = (rt_vote){record->text, record->length, record->verdict};
    }
    for (int64_t p = 0; st == RETORT_OK && p < set->problems; p++)
        st = rt_ballot_count(&votes[next[p] - tallies[p].n], tallies[p].n, &ballots[p], err);
    rt_free(votes);
    rt_free(next);
    return st;
}

static rt_score majority_score(const rt_ballot *ballots, int64_t problems, int64_t k, double *values,
                               double *variances) {
    double samples = 0, groups = 0;
    for (int64_t p = 0; p < problems; p++) {
        values[p] = rt_majority_at_k(&ballots[p], k);
        variances[p] = rt_majority_variance(&ballots[p], k);
        samples += (double)ballots[p].samples;
        groups += floor((double)ballots[p].samples / (double)k);
    }
    return rt_score_of(values, variances, problems, samples, groups);
}

static retort_status add_maj_at(json_t *score, const rt_response_set *set, const rt_tally *tallies, int64_t fewest,
                                retort_error *err) {
    const size_t problems = (size_t)set->problems;
    rt_ballot *ballots = rt_calloc(problems, sizeof *ballots);
    double *values = rt_malloc_array(problems, 2 * sizeof *values);
    retort_status st = ballots != NULL && values != NULL
                           ? RETORT_OK
                           : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: votes on %zu problems", problems);
    if (st == RETORT_OK && fewest >= KS[1]) st = count_ballots(set, tallies, ballots, err);
    const rows_at rows = add_rows(score, "maj_at", "maj_at_interval", "maj_at_sampling_interval");
    for (size_t i = 1; st == RETORT_OK && i < NUM_KS && KS[i] <= fewest; i++) {
        const rt_score at = majority_score(ballots, set->problems, KS[i], values, values + problems);
        put_row(&rows, KS[i], &at);
    }
    for (size_t p = 0; ballots != NULL && p < problems; p++) rt_ballot_free(&ballots[p]);
    rt_free(ballots);
    rt_free(values);
    return st;
}

/* ---- the whole ---- */

static retort_status add_scores(json_t *score, const rt_response_set *set, const rt_tally *tallies, retort_error *err) {
    int64_t fewest = tallies[0].n;
    for (int64_t p = 1; p < set->problems; p++)
        if (tallies[p].n < fewest) fewest = tallies[p].n;
    rt_score average;
    RT_TRY(rt_pass_score(tallies, set->problems, 1, &average, err));
    json_object_set_new(score, "n_problems", json_integer(set->problems));
    json_object_set_new(score, "n_samples", json_integer(fewest));
    rt_json_set_real(score, "avg", average.mean);
    rt_json_set_interval(score, "sampling_interval", average.sampling);
    rt_json_set_interval(score, "problems_interval", average.problems);
    RT_TRY(add_pass_at(score, tallies, set->problems, fewest, err));
    RT_TRY(add_maj_at(score, set, tallies, fewest, err));
    add_rates(score, set);
    return RETORT_OK;
}

retort_status rt_score_json(const rt_response_set *set, json_t **out, retort_error *err) {
    rt_tally *tallies;
    RT_TRY(rt_response_tallies(set, &tallies, err));
    json_t *score = json_object();
    retort_status st = score != NULL ? RETORT_OK : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: score");
    if (st == RETORT_OK) st = add_scores(score, set, tallies, err);
    rt_free(tallies);
    if (st != RETORT_OK) {
        json_decref(score);
        return st;
    }
    *out = score;
    return RETORT_OK;
}
