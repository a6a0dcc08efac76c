/* Rational combinations of logarithms, and of pi and arcs, of real algebraic numbers.
 *
 * Clear denominators: with whole n_j, the sum of n_j ln x_j is 0 exactly where the product of x_j^(n_j) is 1. For arcs,
 * 2i atan x = ln((1 + ix)/(1 - ix)): if the product of those quotients to the n_j is 1, the sum of the arcs is a whole
 * multiple of pi, and it is 0 where a ball shows it to be smaller. Both products are algebraic. */
#include "verify/zero.h"

enum { TERMS = 12, MULTIPLE = 4000 };

typedef struct form {
    rt_node *x[TERMS];
    int64_t n[TERMS];
    size_t count;
    bool arcs;
} form;

static bool is_arc(const rt_node *rest) {
    return rest->kind == RT_PI || (rest->kind == RT_FN && (rest->fn == RT_ATAN || rest->fn == RT_ASIN));
}

static bool read_form(rt_verify_context *c, rt_node *sum, form *out) {
    fmpz_t d, k;
    fmpz_init_set_si(d, 1);
    fmpz_init(k);
    bool fine = sum->count <= TERMS;
    for (uint32_t i = 0; fine && i < sum->count; i++) {
        const fmpq *q;
        rt_split_term(c, sum->kid[i], &q, &out->x[i]);
        fine = out->x[i] != NULL;
        if (fine) fmpz_lcm(d, d, fmpq_denref(q));
    }
    for (uint32_t i = 0; fine && i < sum->count; i++) {
        const fmpq *q;
        rt_node *rest = NULL;
        rt_split_term(c, sum->kid[i], &q, &rest);
        fmpz_divexact(k, d, fmpq_denref(q));
        fmpz_mul(k, k, fmpq_numref(q));
        bool arc = rest != NULL && is_arc(rest), log = rest != NULL && rest->kind == RT_FN && rest->fn == RT_LN;
        fine = (arc || log) && fmpz_cmpabs(k, &(fmpz){MULTIPLE}) <= 0 && (i == 0 || arc == out->arcs);
        out->arcs = arc;
        if (fine) out->n[i] = fmpz_get_si(k);
    }
    out->count = sum->count;
    fmpz_clear(k);
    fmpz_clear(d);
    return fine;
}

/* exp(2i n arc): exp(2i n pi) is 1. */
static rt_node *arc_factor(rt_verify_context *c, rt_node *arc, int64_t n) {
    rt_node *one = rt_x_integer(c, 1);
    if (arc->kind == RT_PI) return one;
    rt_node *i = rt_x_constant(c, RT_I), *x = arc->kid[0], *top;
    if (arc->fn == RT_ATAN) {
        rt_node *ix = rt_x_mul(c, i, x);
        top = rt_x_div(c, rt_x_add(c, one, ix), rt_x_sub(c, one, ix));
    } else { /* asin x is the angle of sqrt(1 - x^2) + ix, whose length is 1 */
        rt_node *cosine = rt_x_root(c, rt_x_sub(c, one, rt_x_power(c, x, rt_x_integer(c, 2))), 2);
        top = rt_x_power(c, rt_x_add(c, cosine, rt_x_mul(c, i, x)), rt_x_integer(c, 2));
    }
    return rt_x_power(c, top, rt_x_integer(c, n));
}

/* The sum is a multiple of pi/d; here d is bounded by the coefficients, so a value below 2^-32 is none but 0. */
static bool is_small(rt_verify_context *c, rt_node *sum) {
    acb_t value;
    mag_t size;
    acb_init(value);
    mag_init(size);
    bool small = rt_ball(c, sum, -1, 192, value) && acb_is_finite(value);
    acb_get_mag(size, value);
    small = small && mag_cmp_2exp_si(size, -32) < 0;
    mag_clear(size);
    acb_clear(value);
    return small;
}

rt_zero rt_linear_form_zero(rt_verify_context *c, rt_node *sum) {
    form f = {0};
    if (sum->kind != RT_ADD || sum->has_variable || !sum->real || !read_form(c, sum, &f)) return RT_UNKNOWN;
    rt_node *product = rt_x_integer(c, 1), *one = product;
    for (size_t i = 0; i < f.count; i++) {
        rt_node *factor =
            f.arcs ? arc_factor(c, f.x[i], f.n[i]) : rt_x_power(c, f.x[i]->kid[0], rt_x_integer(c, f.n[i]));
        product = rt_x_mul(c, product, factor);
    }
    rt_node *off = rt_x_sub(c, product, one);
    if (off == NULL || rt_algebraic_zero(c, off) != RT_ZERO) return RT_UNKNOWN;
    return !f.arcs || is_small(c, sum) ? RT_ZERO : RT_UNKNOWN;
}
