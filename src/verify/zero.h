/* Is this expression zero? Decided by proof: a ball that does not contain zero proves inequality; equality is proven by
 * a separation bound (algebraic numbers), by normal forms of rational functions (variables and independent constants)
 * or by linear forms in logarithms and arcs. What none of them decides is unknown, never guessed. */
#ifndef RT_VERIFY_ZERO_H
#define RT_VERIFY_ZERO_H

#include <acb.h>

#include "verify/node.h"

typedef enum rt_zero { RT_ZERO, RT_NONZERO, RT_UNKNOWN } rt_zero;

/* Whether the values are the same: identically in their variables, wherever both are defined. */
rt_zero rt_equal(rt_verify_context *c, rt_node *a, rt_node *b);
rt_zero rt_is_zero(rt_verify_context *c, rt_node *n);

/* Stops the context (undefined) if the expression has no value, such as a division by zero in disguise. False also
 * where that could not be decided (over budget). */
bool rt_divisors_defined(rt_verify_context *c); /* of all that was read so far; forgets them */
bool rt_defined(rt_verify_context *c, rt_node *n);

/* -1, 0 or 1 for real constants a < b, a = b, a > b; 2 where it is unknown. */
int rt_compare(rt_verify_context *c, rt_node *a, rt_node *b);

/* Floor or ceiling of a real constant; false where it is unknown. */
bool rt_floor_of(rt_verify_context *c, rt_node *x, bool ceiling, fmpz_t out);

/* ball.c: an enclosure of the value at a precision in bits, of a constant or (point >= 0) at one of RT_POINTS fixed
 * points for the variables; not finite where the value is not defined or out of the domain of the reals. False: budget
 * or memory. `out` is initialised by the caller. */
enum { RT_POINTS = 5 };
bool rt_ball(rt_verify_context *c, rt_node *n, int point, int64_t precision, acb_t out);

/* The ball of a constant at RT_FIRST_PRECISION, kept with the node; NULL: stopped. */
enum { RT_FIRST_PRECISION = 64 };
const acb_struct *rt_first_ball(rt_verify_context *c, rt_node *n);
void rt_ball_clear(rt_node *n);

/* bound.c: true if the constant is algebraic by its form; then it is 0 or at least 2^-bits in absolute value. */
bool rt_separation(rt_verify_context *c, rt_node *n, double *bits);
/* Proof for algebraic constants alone. */
rt_zero rt_algebraic_zero(rt_verify_context *c, rt_node *n);

/* formal.c: proof by normal form. */
rt_zero rt_formal_zero(rt_verify_context *c, rt_node *n);

/* forms.c: proof for rational combinations of logarithms, or of pi and arcs, of algebraic numbers. */
rt_zero rt_linear_form_zero(rt_verify_context *c, rt_node *n);

#endif
