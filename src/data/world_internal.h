/* Shared between the files of src/data: drawing a problem, its text, and the teachers' entry points. */
#ifndef RT_WORLD_INTERNAL_H
#define RT_WORLD_INTERNAL_H

#include "data/solver.h"
#include "data/world.h"

/* Order of the numbers does not count, except for blanks. */
uint64_t rt_world_hash(const rt_question *question);
rt_split rt_world_split(const rt_question *question);

/* Draws numbers, then a target uniformly among those reachable that fall into `split`; false if there is none (draw
 * again). solution is one of the simplest. */
bool rt_world_draw(rt_family family, int32_t count, rt_split split, rt_rng *rng, rt_solutions *scratch,
                   rt_question *question, rt_tree *solution);

/* "3, 5 and 7". */
retort_status rt_world_list(const int32_t *values, int32_t count, rt_buffer *out, retort_error *err);
retort_status rt_world_text(const rt_question *question, rt_buffer *out, retort_error *err);

/* The steps "a op b = c" of a tree in an order of evaluation; returns their number. */
typedef struct rt_step {
    int32_t a, b, value;
    char op;
} rt_step;
int rt_tree_steps(const rt_tree *tree, int root, rt_step steps[RT_MAX_NUMBERS]);

/* Terse or rigid answer from a solved tree. */
retort_status rt_formal_write(rt_teacher teacher, const rt_tree *tree, rt_buffer *out, retort_error *err);
retort_status rt_flexible_write(const rt_question *question, uint64_t seed, size_t budget, rt_buffer *out,
                                rt_flexible_plan *plan, retort_error *err);
/* The corpus's own plain exploratory voice. */
retort_status rt_exploratory_write(const rt_question *question, const rt_tree *solution, rt_rng *rng, rt_buffer *out,
                                   retort_error *err);

#endif
