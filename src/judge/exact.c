#include "judge/exact.h"

#include <string.h>

#include "analyze/world_behaviors.h"

/* Kinds of exact spans, and the behaviour of which they are an occurrence. */
static const struct {
    const char *kind, *behavior;
} PAIRS[] = {
    {"perspective", "perspective"},   {"checks", "metacognitive"},  {"doubts", "metacognitive"},
    {"corrections", "metacognitive"}, {"checks", "verification"},   {"verifications", "verification"},
    {"backtracks", "backtracking"},   {"goals", "subgoal_setting"}, {"goals", "backward_chaining"},
};
enum { PAIR_COUNT = sizeof PAIRS / sizeof *PAIRS };

uint32_t rt_exact_known(const rt_behaviors *behaviors) {
    uint32_t known = 0;
    for (int i = 0; i < PAIR_COUNT; i++) {
        const int32_t b = rt_behaviors_find(behaviors, PAIRS[i].behavior);
        if (b >= 0) known |= (uint32_t)1 << b;
    }
    return known;
}

retort_status rt_exact_judge(const rt_behaviors *behaviors, const rt_question *question, const char *text,
                             size_t length, rt_passages *out, retort_error *err) {
    rt_behavior_span *found = NULL;
    size_t count = 0;
    RT_TRY(rt_world_behavior_spans(question, text, length, &found, &count, err));
    retort_status st = RETORT_OK;
    for (size_t i = 0; i < count && st == RETORT_OK; i++)
        for (int k = 0; k < PAIR_COUNT && st == RETORT_OK; k++) {
            if (strcmp(found[i].kind, PAIRS[k].kind) != 0) continue;
            const int32_t b = rt_behaviors_find(behaviors, PAIRS[k].behavior);
            if (b >= 0) st = rt_passages_add(out, (rt_passage){b, found[i].begin, found[i].end}, err);
        }
    rt_free(found);
    return st;
}
