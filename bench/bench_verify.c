/* Processor time of single verifications, one thread: bench_verify FILE.jsonl [ROUNDS]
 *
 * Each line has gold, pred and profile, as for `retort verify --jsonl`. Every pair is graded ROUNDS times (default 5)
 * and counts with its median, so that one interrupt does not make a tail. Printed as one JSON object: sum, median, 99th
 * percentile and the slowest pair, in microseconds. bench/compare_verifier_speed.py runs it beside Math-Verify. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/json.h"
#include "retort/verify.h"

enum { ROUNDS_MAX = 99 };

typedef struct timing {
    double seconds;
    char id[80];
} timing;

typedef struct bench {
    int rounds;
    timing *pairs;
    size_t count, capacity;
} bench;

static double processor_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int compare_reals(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int compare_timings(const void *a, const void *b) {
    return compare_reals(&((const timing *)a)->seconds, &((const timing *)b)->seconds);
}

static retort_status time_pair(void *context, json_t *object, size_t line, retort_error *err) {
    bench *b = context;
    char where[32];
    snprintf(where, sizeof where, "line %zu", line);
    const char *gold, *pred, *profile, *id = json_string_value(json_object_get(object, "id"));
    RT_TRY(rt_json_string(object, "gold", where, &gold, err));
    RT_TRY(rt_json_string(object, "pred", where, &pred, err));
    RT_TRY(rt_json_string(object, "profile", where, &profile, err));
    const retort_verify_options options = {.profile = strcmp(profile, "strict") == 0 ? RETORT_PROFILE_STRICT
                                                                                     : RETORT_PROFILE_TOLERANT};
    double times[ROUNDS_MAX];
    for (int r = 0; r < b->rounds; r++) {
        retort_verify_result result;
        const double start = processor_seconds();
        RT_TRY(retort_verify(retort_gold_of(gold), retort_pred_of(pred), &options, &result, err));
        retort_verify_result_release(&result);
        times[r] = processor_seconds() - start;
    }
    qsort(times, (size_t)b->rounds, sizeof *times, compare_reals);
    if (b->count == b->capacity) {
        b->capacity = b->capacity > 0 ? 2 * b->capacity : 1024;
        timing *grown = rt_realloc_array(b->pairs, b->capacity, sizeof *grown);
        RT_CHECK(grown != NULL, err, RETORT_ERR_MEMORY, "out of memory");
        b->pairs = grown;
    }
    timing *pair = &b->pairs[b->count++];
    pair->seconds = times[b->rounds / 2];
    snprintf(pair->id, sizeof pair->id, "%s", id != NULL ? id : where);
    return RETORT_OK;
}

int main(int count, char **arguments) {
    bench b = {.rounds = count >= 3 ? atoi(arguments[2]) : 5};
    if (count < 2 || b.rounds < 1 || b.rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: bench_verify FILE.jsonl [ROUNDS]\n");
        return 2;
    }
    retort_error err = {0};
    if (rt_jsonl_read(arguments[1], time_pair, &b, &err) != RETORT_OK || b.count == 0) {
        fprintf(stderr, "bench_verify: %s\n", b.count == 0 ? "no pairs" : err.message);
        return 1;
    }
    double sum = 0;
    for (size_t i = 0; i < b.count; i++) sum += b.pairs[i].seconds;
    qsort(b.pairs, b.count, sizeof *b.pairs, compare_timings);
    const timing *slowest = &b.pairs[b.count - 1];
    printf("{\"pairs\": %zu, \"seconds\": %.6f, \"median_us\": %.2f, \"p99_us\": %.2f, \"slowest_us\": %.2f, "
           "\"slowest\": \"%s\"}\n",
           b.count, sum, 1e6 * b.pairs[b.count / 2].seconds, 1e6 * b.pairs[(b.count * 99) / 100].seconds,
           1e6 * slowest->seconds, slowest->id);
    rt_free(b.pairs);
    return 0;
}
