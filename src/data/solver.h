/* Expressions over the numbers of a world problem, and the search for solutions.
 *
 * Generators and formal teachers work in non-negative integers up to RT_VALUE_MAX with exact division only, which is
 * what a reader can follow step by step; the verifier (verify/answer.h) accepts any rational.
 */
#ifndef RT_DATA_SOLVER_H
#define RT_DATA_SOLVER_H

#include "core/mem.h"
#include "core/question.h"
#include "core/random.h"

enum {
    RT_VALUE_MAX = 999,
    RT_TARGET_MIN = 10,
    RT_TARGET_MAX = 99,
    RT_NUMBER_MAX = 25,
    RT_TREE_NODES = 2 * RT_MAX_NUMBERS
};

/* A node is a number (op 0) or an operation on two earlier nodes; children always have smaller indices. */
typedef struct rt_node {
    int32_t value;
    char op; /* 0 + - * / */
    int8_t left, right;
} rt_node;

typedef struct rt_tree {
    rt_node nodes[RT_TREE_NODES];
    int count; /* the root is node count - 1 after rt_tree_compact */
    int root;
} rt_tree;

/* Result of a op b under the limits above; -1 where it breaks them. */
int32_t rt_apply(int32_t a, char op, int32_t b);

/* Adds a number or an operation; returns the node's index. The caller keeps within RT_TREE_NODES. */
int rt_tree_leaf(rt_tree *tree, int32_t value);
int rt_tree_join(rt_tree *tree, int left, char op, int right);

/* Infix with single spaces round operators and only the parentheses that are needed: "(3 + 4) * 5". */
retort_status rt_tree_print(const rt_tree *tree, int node, rt_buffer *out, retort_error *err);

/* For every target RT_TARGET_MIN..RT_TARGET_MAX: one of the simplest solutions (fewest divisions, then products; ties
 * broken by the generator), or seen == 0. */
typedef struct rt_solutions {
    rt_tree tree[RT_TARGET_MAX + 1];
    int32_t cost[RT_TARGET_MAX + 1];
    uint32_t seen[RT_TARGET_MAX + 1];
} rt_solutions;

/* Countdown: any order; one form per sum, difference, product and quotient chain (sums before differences, larger
 * first), so that equal solutions are not counted many times. Blanks: the order of the numbers is kept. count <=
 * RT_MAX_NUMBERS and numbers are not negative; false otherwise. */
bool rt_solve(rt_family family, const int32_t *numbers, int32_t count, rt_rng *rng, rt_solutions *out);

#endif
