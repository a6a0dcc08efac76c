/* Behaviours of a response to a world problem, read off exactly because the world's grammar is known. */
#ifndef RT_WORLD_BEHAVIORS_H
#define RT_WORLD_BEHAVIORS_H

#include <stddef.h>

#include "core/error.h"
#include "core/question.h"

/* What a response does, read off the grammar of the world (docs/world.md). Counts, per response. Works on any text:
 * what does not parse simply is not counted. */
typedef struct rt_world_behaviors {
    int32_t attempts;      /* expressions or chains of steps tried that use the problem's numbers */
    int32_t approaches;    /* distinct approaches among them (different first step up to order, or announced method) */
    int32_t perspective;   /* Multi-Perspective Thinking or Attempting: changes of approach = approaches - 1, >= 0 */
    int32_t checks;        /* self-checks: recomputing or comparing a result with the target, in words */
    int32_t doubts;        /* expressions of doubt or noticed failure */
    int32_t corrections;   /* a stated result or plan that is taken back or corrected */
    int32_t metacognitive; /* Metacognitive Awareness: checks + doubts + corrections */
    int32_t backtracks;    /* returns to an earlier state after a failed attempt */
    int32_t verifications; /* final answer verified before it is boxed */
    int32_t false_steps;   /* arithmetic statements a op b = c that are wrong */
    int32_t true_steps;
    int32_t goals; /* subgoals reached by working backward: what is needed from the numbers that are then left */
} rt_world_behaviors;
void rt_world_behaviors_count(const rt_question *question, const char *response, size_t length,
                              rt_world_behaviors *out);
/* Byte spans of the evidence, for highlighting in the report: kind is one of the field names above. */
typedef struct rt_behavior_span {
    const char *kind;
    size_t begin, end;
} rt_behavior_span;
retort_status rt_world_behavior_spans(const rt_question *question, const char *response, size_t length,
                                      rt_behavior_span **out, size_t *count, retort_error *err);

#endif
