#include "verify/zero.h"

enum { FIRST = RT_FIRST_PRECISION, PRECISE = 4096 };

/* -1: not finite, 0: contains zero, 1: does not. */
static int probe(rt_verify_context *c, rt_node *n, int point, int64_t precision) {
    if (point < 0 && precision == FIRST) {
        const acb_struct *ball = rt_first_ball(c, n);
        return ball == NULL || !acb_is_finite(ball) ? -1 : !acb_contains_zero(ball);
    }
    acb_t x;
    acb_init(x);
    int result = -1;
    if (rt_ball(c, n, point, precision, x) && acb_is_finite(x)) result = !acb_contains_zero(x);
    acb_clear(x);
    return result;
}

static rt_zero constant_zero(rt_verify_context *c, rt_node *n) {
    if (probe(c, n, -1, FIRST) == 1) return RT_NONZERO;
    rt_zero zero = rt_algebraic_zero(c, n);
    if (zero != RT_UNKNOWN || c->stop != RT_STOP_NONE) return zero;
    for (int64_t precision = 4 * FIRST; precision <= 16 * FIRST; precision *= 4) {
        if (probe(c, n, -1, precision) == 1) return RT_NONZERO;
    }
    zero = rt_formal_zero(c, n);
    if (zero == RT_UNKNOWN) zero = rt_linear_form_zero(c, n);
    if (zero == RT_UNKNOWN && probe(c, n, -1, PRECISE) == 1) zero = RT_NONZERO;
    return zero;
}

static rt_zero variable_zero(rt_verify_context *c, rt_node *n) {
    for (int point = 0; point < RT_POINTS; point++) {
        if (probe(c, n, point, FIRST) == 1) return RT_NONZERO;
    }
    rt_zero zero = rt_formal_zero(c, n);
    for (int point = 0; zero == RT_UNKNOWN && point < RT_POINTS; point++) {
        if (probe(c, n, point, 16 * FIRST) == 1) zero = RT_NONZERO;
    }
    return zero;
}

rt_zero rt_is_zero(rt_verify_context *c, rt_node *n) {
    if (n == NULL || c->stop != RT_STOP_NONE) return RT_UNKNOWN;
    if (n->kind == RT_NUM) return fmpq_is_zero(n->number) ? RT_ZERO : RT_NONZERO;
    if (n->has_infinity) return RT_NONZERO;
    if (n->has_degree || n->has_sign) return RT_UNKNOWN;
    /* Questions nest where a denominator's zero has to be decided first; a few levels are enough for any answer. */
    if (c->zero_depth > 4) return RT_UNKNOWN;
    c->zero_depth++;
    rt_zero result = n->has_variable ? variable_zero(c, n) : constant_zero(c, n);
    c->zero_depth--;
    return c->stop == RT_STOP_NONE ? result : RT_UNKNOWN;
}

/* A part that has no value where `base` is zero: stops if it is zero. */
static bool check_base(rt_verify_context *c, rt_node *base, int point) {
    if (base->kind == RT_NUM || probe(c, base, base->has_variable ? point : -1, FIRST) == 1) return true;
    rt_zero zero = rt_is_zero(c, base);
    if (zero == RT_ZERO) rt_stop_at(c, RT_STOP_UNDEFINED, "division by zero");
    return zero == RT_NONZERO;
}

bool rt_divisors_defined(rt_verify_context *c) {
    bool fine = c->stop == RT_STOP_NONE;
    for (size_t i = 0; fine && i < c->divisor_count; i++) {
        rt_node *base = c->divisors[i];
        bool known = false;
        for (int point = 0; base->has_variable && !known && point < RT_POINTS; point++)
            known = probe(c, base, point, FIRST) == 1;
        fine = known || check_base(c, base, 0);
    }
    c->divisor_count = 0;
    return fine && c->stop == RT_STOP_NONE;
}

bool rt_defined(rt_verify_context *c, rt_node *n) {
    if (n == NULL || c->stop != RT_STOP_NONE) return false;
    if (n->kind == RT_NUM || n->kind == RT_SYM || n->has_infinity || n->has_sign) return true;
    bool fine = false;
    if (n->has_variable) {
        for (int point = 0; !fine && point < RT_POINTS; point++) fine = probe(c, n, point, FIRST) >= 0;
    } else {
        fine = probe(c, n, -1, FIRST) >= 0;
    }
    if (fine || c->stop != RT_STOP_NONE) return fine;
    size_t count = 0;
    rt_node **parts = rt_parts(c, n, &count);
    fine = parts != NULL;
    for (size_t i = 0; fine && i < count; i++) {
        rt_node *m = parts[i];
        bool quotient = m->kind == RT_POW && (m->kid[1]->kind != RT_NUM || fmpq_sgn(m->kid[1]->number) < 0);
        if (quotient || (m->kind == RT_FN && m->fn == RT_LN)) fine = check_base(c, m->kid[0], 0);
    }
    return fine && c->stop == RT_STOP_NONE;
}

static bool is_infinite(const rt_node *n) {
    return n->has_infinity;
}

rt_zero rt_equal(rt_verify_context *c, rt_node *a, rt_node *b) {
    if (a == NULL || b == NULL || c->stop != RT_STOP_NONE) return RT_UNKNOWN;
    if (a->kind == RT_NUM && b->kind == RT_NUM) return a == b ? RT_ZERO : RT_NONZERO;
    if (is_infinite(a) || is_infinite(b)) return a == b ? RT_ZERO : RT_NONZERO;
    if (!rt_defined(c, a) || (a != b && !rt_defined(c, b))) return RT_UNKNOWN;
    if (a == b) return RT_ZERO;
    if (!a->has_variable && !b->has_variable) {
        const acb_struct *x = rt_first_ball(c, a), *y = rt_first_ball(c, b);
        if (x == NULL || y == NULL) return RT_UNKNOWN;
        if (!acb_overlaps(x, y)) return RT_NONZERO;
    }
    return rt_is_zero(c, rt_x_sub(c, a, b));
}

int rt_compare(rt_verify_context *c, rt_node *a, rt_node *b) {
    if (a == b) return 0;
    rt_node *d = rt_x_sub(c, a, b);
    if (d == NULL || d->has_variable) return 2;
    if (d->kind == RT_NUM) return fmpq_sgn(d->number);
    int result = 2;
    acb_t x;
    acb_init(x);
    for (int64_t precision = FIRST; result == 2 && precision <= 16 * FIRST; precision *= 4) {
        if (!rt_ball(c, d, -1, precision, x) || !arb_is_zero(acb_imagref(x))) break;
        if (arb_is_positive(acb_realref(x))) result = 1;
        if (arb_is_negative(acb_realref(x))) result = -1;
    }
    acb_clear(x);
    if (result == 2 && rt_is_zero(c, d) == RT_ZERO) result = 0;
    return result;
}

bool rt_floor_of(rt_verify_context *c, rt_node *x, bool ceiling, fmpz_t out) {
    acb_t value;
    arb_t rounded;
    acb_init(value);
    arb_init(rounded);
    bool known = false;
    for (int64_t precision = FIRST; !known && precision <= 16 * FIRST; precision *= 4) {
        if (!rt_ball(c, x, -1, precision, value) || !arb_is_zero(acb_imagref(value))) break;
        if (ceiling)
            arb_ceil(rounded, acb_realref(value), precision);
        else
            arb_floor(rounded, acb_realref(value), precision);
        known = arb_get_unique_fmpz(out, rounded);
    }
    /* A ball that keeps a whole number within is that number, or undecided. */
    if (!known && c->stop == RT_STOP_NONE && arb_is_finite(acb_realref(value))) {
        fmpq_t q;
        fmpq_init(q);
        arf_get_fmpz(fmpq_numref(q), arb_midref(acb_realref(value)), ARF_RND_NEAR);
        known = rt_is_zero(c, rt_x_sub(c, x, rt_x_number(c, q))) == RT_ZERO;
        if (known) fmpz_set(out, fmpq_numref(q));
        fmpq_clear(q);
    }
    arb_clear(rounded);
    acb_clear(value);
    return known;
}
