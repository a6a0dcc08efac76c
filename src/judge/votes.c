#include "judge/votes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const NAMES[] = {"ok", "unparsed", "refused"};

const char *rt_judged_name(rt_judged status) {
    return NAMES[status];
}

bool rt_judged_parse(const char *name, rt_judged *out) {
    for (int i = 0; i < 3; i++)
        if (strcmp(NAMES[i], name) == 0) {
            *out = (rt_judged)i;
            return true;
        }
    return false;
}

retort_status rt_votes_judge(rt_votes *votes, const char *name, const char *version, int32_t *out, retort_error *err) {
    for (*out = 0; *out < votes->judge_count; (*out)++)
        if (strcmp(votes->judges[*out].name, name) == 0 && strcmp(votes->judges[*out].version, version) == 0)
            return RETORT_OK;
    rt_judge *grown = rt_realloc_array(votes->judges, (size_t)votes->judge_count + 1, sizeof *grown);
    RT_CHECK(grown != NULL, err, RETORT_ERR_MEMORY, "out of memory: judges");
    votes->judges = grown;
    const rt_judge judge = {.name = rt_strdup(name), .version = rt_strdup(version)};
    if (judge.name == NULL || judge.version == NULL) {
        rt_free(judge.name);
        rt_free(judge.version);
        return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: judges");
    }
    grown[votes->judge_count++] = judge;
    return RETORT_OK;
}

retort_status rt_votes_add(rt_votes *votes, const rt_vote *vote, retort_error *err) {
    if (votes->count == votes->capacity) {
        const int64_t capacity = votes->capacity == 0 ? 256 : votes->capacity * 2;
        rt_vote *grown = rt_realloc_array(votes->items, (size_t)capacity, sizeof *grown);
        RT_CHECK(grown != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld judgements", (long long)capacity);
        votes->items = grown;
        votes->capacity = capacity;
    }
    votes->items[votes->count++] = *vote;
    rt_judge *judge = &votes->judges[vote->judge];
    if (vote->vote >= judge->most_votes) judge->most_votes = vote->vote + 1;
    for (int32_t b = 0; vote->status == RT_JUDGED_OK && b < RT_MOST_JUDGED; b++)
        if (vote->counts[b] != RT_NOT_JUDGED) judge->known |= (uint32_t)1 << b;
    return RETORT_OK;
}

void rt_votes_free(rt_votes *votes) {
    for (int32_t i = 0; i < votes->judge_count; i++) {
        rt_free(votes->judges[i].name);
        rt_free(votes->judges[i].version);
    }
    rt_free(votes->judges);
    rt_free(votes->items);
    *votes = (rt_votes){0};
}

static int compare(const void *a, const void *b) {
    const rt_vote *x = a, *y = b;
    if (x->item != y->item) return x->item < y->item ? -1 : 1;
    if (x->judge != y->judge) return x->judge < y->judge ? -1 : 1;
    return (x->vote > y->vote) - (x->vote < y->vote);
}

void rt_votes_sort(rt_votes *votes) {
    if (votes->count > 1) qsort(votes->items, (size_t)votes->count, sizeof *votes->items, compare);
}

void rt_vote_count(const rt_passages *spans, const rt_behaviors *behaviors, uint32_t known, rt_vote *out) {
    for (int32_t b = 0; b < RT_MOST_JUDGED; b++)
        out->counts[b] = b < behaviors->count && (known >> b & 1) != 0 ? 0 : RT_NOT_JUDGED;
    for (size_t i = 0; i < spans->count; i++)
        if (out->counts[spans->items[i].behavior] != RT_NOT_JUDGED) out->counts[spans->items[i].behavior]++;
}

static int compare_counts(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

rt_majority rt_votes_majority(const rt_vote *votes, int64_t count, int32_t behavior) {
    enum { MOST = 128 }; /* votes that are looked at; the command asks for fewer */
    double counts[MOST];
    int64_t n = 0, present = 0;
    for (int64_t i = 0; i < count && n < MOST; i++) {
        if (votes[i].status != RT_JUDGED_OK || votes[i].counts[behavior] == RT_NOT_JUDGED) continue;
        counts[n++] = votes[i].counts[behavior];
        present += votes[i].counts[behavior] > 0;
    }
    if (n == 0) return (rt_majority){NAN, NAN, NAN, false};
    qsort(counts, (size_t)n, sizeof *counts, compare_counts);
    rt_majority m = {.count = (counts[(n - 1) / 2] + counts[n / 2]) / 2,
                     .spread = counts[n - 1] - counts[0],
                     .split = present > 0 && present < n};
    m.present = 2 * present == n ? m.count > 0 : 2 * present > n;
    return m;
}

int64_t rt_votes_run(const rt_votes *votes, int64_t at) {
    int64_t end = at + 1;
    while (end < votes->count && votes->items[end].item == votes->items[at].item &&
           votes->items[end].judge == votes->items[at].judge)
        end++;
    return end - at;
}
