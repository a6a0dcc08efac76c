/* Expressions: trees of numbers, names and operations in which equal subtrees are the same node.
 *
 * Nodes are made by the functions below, which bring them into a normal form as they go: rational arithmetic is done,
 * sums and products are flat, sorted and free of like terms, roots of rationals have no square factors, exact values of
 * sines and logarithms are put in. Two expressions with the same node are equal wherever they are defined; the converse
 * is the business of zero.h. NULL operands (after a stop) give NULL. */
#ifndef RT_VERIFY_NODE_H
#define RT_VERIFY_NODE_H

#include <flint/fmpq.h>

#include "verify/context.h"

typedef enum rt_kind {
    RT_NUM,  /* rational */
    RT_PI,   /* 3.14... */
    RT_E,    /* 2.71... */
    RT_I,    /* the imaginary unit */
    RT_DEG,  /* the degree sign: pi/180 within trigonometry, a unit elsewhere */
    RT_INF,  /* infinity, without sign */
    RT_SIGN, /* +1 or -1: `sign` tells them apart, `order` is 1 for plus-minus and -1 for minus-plus */
    RT_SYM,  /* a variable */
    RT_ADD,
    RT_MUL,
    RT_POW,  /* kid[0] to the kid[1] */
    RT_ROOT, /* the `order`th root of kid[0]; of a negative number with odd order the real one, else the principal one
              */
    RT_FN    /* fn of kid[0] */
} rt_kind;

typedef enum rt_fn {
    RT_SIN,
    RT_COS,
    RT_TAN, /* TAN to CSC are made of SIN and COS and never stand in a node */
    RT_COT,
    RT_SEC,
    RT_CSC,
    RT_ASIN,
    RT_ACOS,
    RT_ATAN,
    RT_SINH,
    RT_COSH,
    RT_TANH,
    RT_LN,
    RT_LOG10, /* made of LN */
    RT_EXP,   /* made of POW */
    RT_ABS,
    RT_FLOOR,
    RT_CEIL,
    RT_FACT,
    RT_OPAQUE /* a function the text names but does not define, such as f(x): `name` says which */
} rt_fn;

typedef struct rt_node {
    rt_kind kind;
    rt_fn fn;
    bool has_variable, has_infinity, has_degree, has_sign;
    bool real;   /* certainly real wherever defined, variables being real */
    uint32_t id; /* its place in the context's list */
    uint32_t count;
    int64_t order;
    struct rt_node **kid;
    const char *name;
    fmpq_t number;
    uint64_t hash;
    struct rt_node *next;  /* in the hash table */
    struct rt_ball *ball;  /* of a constant, at the first precision; made when it is asked for */
    uint32_t visit, place; /* of the last walk that came by, and the place in its list */
} rt_node;

/* Largest number that is worked out, in bits (about 40,000 digits); larger powers and factorials stay as they are. */
enum { RT_BITS_MAXIMUM = 1 << 17 };

void rt_nodes_clear(rt_verify_context *c);

rt_node *rt_x_number(rt_verify_context *c, const fmpq_t q);
rt_node *rt_x_integer(rt_verify_context *c, int64_t n);
rt_node *rt_x_fraction(rt_verify_context *c, int64_t n, int64_t d);
rt_node *rt_x_constant(rt_verify_context *c, rt_kind kind); /* PI, E, I, DEG, INF */
rt_node *rt_x_symbol(rt_verify_context *c, const char *name, size_t length);
rt_node *rt_x_sign(rt_verify_context *c, int64_t which, int order);

rt_node *rt_x_sum(rt_verify_context *c, rt_node *const *terms, size_t count);
rt_node *rt_x_product(rt_verify_context *c, rt_node *const *factors, size_t count);
rt_node *rt_x_add(rt_verify_context *c, rt_node *a, rt_node *b);
rt_node *rt_x_sub(rt_verify_context *c, rt_node *a, rt_node *b);
rt_node *rt_x_mul(rt_verify_context *c, rt_node *a, rt_node *b);
rt_node *rt_x_neg(rt_verify_context *c, rt_node *a);
rt_node *rt_x_div(rt_verify_context *c, rt_node *a, rt_node *b);
rt_node *rt_x_power(rt_verify_context *c, rt_node *base, rt_node *exponent);
rt_node *rt_x_root(rt_verify_context *c, rt_node *radicand, int64_t order);
rt_node *rt_x_function(rt_verify_context *c, rt_fn fn, rt_node *argument);
rt_node *rt_x_opaque(rt_verify_context *c, const char *name, rt_node *argument);
rt_node *rt_x_binomial(rt_verify_context *c, rt_node *n, rt_node *k);

/* What n is made of, itself included and last, each part after its operands; `place` of each is its index. The list is
 * in the arena; places hold until the next walk. NULL: stopped. */
rt_node **rt_parts(rt_verify_context *c, rt_node *n, size_t *count);

/* The tree with every `from` replaced, made anew. */
rt_node *rt_x_replace(rt_verify_context *c, rt_node *tree, const rt_node *from, rt_node *to);

/* A term as rational coefficient (borrowed from the node or the context) and rest; rest is the node one for a number.
 */
void rt_split_term(rt_verify_context *c, rt_node *term, const fmpq **coefficient, rt_node **rest);
bool rt_is_integer(const rt_node *n);
/* The value of a small integer node: true and *value if it is one within +-bound. */
bool rt_small_integer(const rt_node *n, int64_t bound, int64_t *value);
/* r if the node is r times `what` with rational r. */
bool rt_rational_times(rt_verify_context *c, rt_node *n, const rt_node *what, fmpq_t r);

/* Notes that the expression has a value only where `base` is not zero; cancelling must not forget it. */
void rt_note_divisor(rt_verify_context *c, rt_node *base);

/* For the files that make nodes (node_*.c): the node with these parts, new or known. */
rt_node *rt_intern(rt_verify_context *c, rt_kind kind, rt_fn fn, int64_t order, rt_node *const *kids, size_t count,
                   const char *name);
rt_node *rt_power_plain(rt_verify_context *c, rt_node *base, rt_node *exponent); /* without simplification */
/* Real value of a constant node beyond doubt: -1, 0 (rational zero), 1, or 2 where it is not known (or not real). */
int rt_sure_sign(rt_verify_context *c, rt_node *n);

#endif
