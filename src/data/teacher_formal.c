/* The teachers that do not search in words: terse and rigid. */
#include <string.h>

#include "data/world_internal.h"

static const char *const teacher_names[] = {"flexible", "rigid", "terse"};

const char *rt_teacher_name(rt_teacher teacher) {
    return (unsigned)teacher < 3 ? teacher_names[teacher] : "unknown";
}

retort_status rt_teacher_parse(const char *name, rt_teacher *out, retort_error *err) {
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(name, teacher_names[i]) == 0) {
            *out = (rt_teacher)i;
            return RETORT_OK;
        }
    }
    return rt_fail(err, RETORT_ERR_USAGE, "unknown teacher '%s': use flexible, rigid or terse", name);
}

static void collect_steps(const rt_tree *tree, int node, rt_step *steps, int *count) {
    const rt_node *n = &tree->nodes[node];
    if (n->op == 0) return;
    collect_steps(tree, n->left, steps, count);
    collect_steps(tree, n->right, steps, count);
    steps[(*count)++] = (rt_step){tree->nodes[n->left].value, tree->nodes[n->right].value, n->value, n->op};
}

int rt_tree_steps(const rt_tree *tree, int root, rt_step steps[RT_MAX_NUMBERS]) {
    int count = 0;
    collect_steps(tree, root, steps, &count);
    return count;
}

retort_status rt_formal_write(rt_teacher teacher, const rt_tree *tree, rt_buffer *out, retort_error *err) {
    if (teacher == RT_TEACHER_RIGID) {
        rt_step steps[RT_MAX_NUMBERS];
        int count = rt_tree_steps(tree, tree->root, steps);
        for (int i = 0; i < count; i++)
            RT_TRY(rt_buffer_printf(out, err, "Step %d: %d %c %d = %d. ", i + 1, steps[i].a, steps[i].op, steps[i].b,
                                    steps[i].value));
        RT_TRY(rt_buffer_puts(out, "Answer: ", err));
    }
    RT_TRY(rt_buffer_puts(out, "\\boxed{", err));
    RT_TRY(rt_tree_print(tree, tree->root, out, err));
    return rt_buffer_puts(out, "}", err);
}

static retort_status check_problem(const rt_problem *problem, retort_error *err) {
    const rt_question *q = &problem->question;
    RT_CHECK(q->family != RT_FAMILY_TEXT, err, RETORT_ERR_UNSUPPORTED,
             "problem '%s' is not of the world: its teachers know countdown and blanks only", problem->id);
    RT_CHECK(q->count >= 2 && q->count <= 6 && q->target >= RT_TARGET_MIN && q->target <= RT_TARGET_MAX, err,
             RETORT_ERR_UNSUPPORTED, "problem '%s': the world's teachers take 2 to 6 numbers and targets %d..%d",
             problem->id, RT_TARGET_MIN, RT_TARGET_MAX);
    for (int i = 0; i < q->count; i++)
        RT_CHECK(q->numbers[i] >= 0 && q->numbers[i] <= RT_VALUE_MAX, err, RETORT_ERR_UNSUPPORTED,
                 "problem '%s': the world's teachers take numbers 0..%d, not %d", problem->id, RT_VALUE_MAX,
                 q->numbers[i]);
    return RETORT_OK;
}

retort_status rt_teacher_write_planned(const rt_problem *problem, uint64_t seed, size_t budget, rt_buffer *out,
                                       rt_flexible_plan *plan, retort_error *err) {
    RT_TRY(check_problem(problem, err));
    RT_CHECK(problem->question.family == RT_FAMILY_COUNTDOWN, err, RETORT_ERR_UNSUPPORTED,
             "problem '%s': the flexible teacher knows countdown only", problem->id);
    return rt_flexible_write(&problem->question, seed, budget, out, plan, err);
}

retort_status rt_teacher_write(rt_teacher teacher, const rt_problem *problem, uint64_t seed, size_t budget,
                               rt_buffer *out, retort_error *err) {
    if (teacher == RT_TEACHER_FLEXIBLE) {
        rt_flexible_plan plan;
        return rt_teacher_write_planned(problem, seed, budget, out, &plan, err);
    }
    RT_TRY(check_problem(problem, err));
    rt_solutions *solutions = rt_malloc(sizeof *solutions);
    RT_CHECK(solutions, err, RETORT_ERR_MEMORY, "out of memory for the solver");
    rt_rng rng = rt_rng_make(seed ^ rt_world_hash(&problem->question), 2);
    const rt_question *q = &problem->question;
    retort_status st = RETORT_OK;
    if (!rt_solve(q->family, q->numbers, q->count, &rng, solutions) || solutions->seen[q->target] == 0)
        st = rt_fail(err, RETORT_ERR_UNSUPPORTED, "problem '%s' has no solution in whole numbers up to %d", problem->id,
                     RT_VALUE_MAX);
    if (st == RETORT_OK) st = rt_formal_write(teacher, &solutions->tree[q->target], out, err);
    rt_free(solutions);
    return st;
}
