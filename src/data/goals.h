/* Working backward from a target: what two numbers make, and what they would have to make if a third one came last.
 *
 * To reach 43 from 8, 3 and 19 with 19 last, the other two must make 43 - 19 = 24 or 43 + 19 = 62; they make
 * 8 + 3 = 11, 8 - 3 = 5 and 8 * 3 = 24, so 8 * 3 + 19 it is. The flexible teacher searches with these two functions,
 * and a drill of the corpus practises a single look. */
#ifndef RT_GOALS_H
#define RT_GOALS_H

#include "data/world_internal.h"

enum { RT_GOALS_MAX = 6, RT_RESULTS_MAX = 4 };

/* What the other two numbers must make, and how the last one is then joined: swapped means last op goal. */
typedef struct rt_goal {
    int32_t value;
    rt_step step; /* the inverse step that shows it: 43 - 19 = 24 */
    char op;
    bool swapped;
} rt_goal;

/* The results of two numbers, larger first; returns how many. Products beyond `limit` are seen to be too big at a
 * glance and not worked out; dividing by 1 is left out. */
int rt_pair_results(int32_t x, int32_t y, int32_t limit, rt_step steps[RT_RESULTS_MAX]);

/* The largest of the sum and the product: what two numbers can reach. */
int32_t rt_reach_of(int32_t x, int32_t y);

/* Goals for the others when z comes last; returns how many. Only those in their reach, and the target's multiple only
 * when it is not far below it. */
int rt_goals_of(int32_t target, int32_t z, int32_t reach, rt_goal goals[RT_GOALS_MAX]);

#endif
