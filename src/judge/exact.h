/* The exact judge of the embedded world: what analyze/world_behaviors.h reads off, under the judges' names. */
#ifndef RT_JUDGE_EXACT_H
#define RT_JUDGE_EXACT_H

#include "core/question.h"
#include "judge/behaviors.h"
#include "judge/passage.h"

/* Bit b where behaviour b is one that the world's grammar tells exactly: perspective, metacognitive (checks, doubts and
 * corrections), verification (checks, and verifications of the answer), backtracking, subgoal_setting and
 * backward_chaining (both: goals; the world has no other subgoals). By name, so a user's behaviours of these names are
 * compared with them too. */
uint32_t rt_exact_known(const rt_behaviors *behaviors);

/* Appends the spans of those. RETORT_ERR_MEMORY only. */
retort_status rt_exact_judge(const rt_behaviors *behaviors, const rt_question *question, const char *text,
                             size_t length, rt_passages *out, retort_error *err);

#endif
