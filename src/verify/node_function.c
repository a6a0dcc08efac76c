/* Functions in normal form: values that are known exactly, signs taken out, other functions expressed by a few. */
#include <string.h>

#include "verify/node.h"
#include "verify/zero.h"

enum { FACTORIAL_MAXIMUM = 9000, SMALL_BINOMIAL = 12, LOG_PRIME = 1000 };

static rt_node *plain(rt_verify_context *c, rt_fn fn, rt_node *x) {
    return rt_intern(c, RT_FN, fn, 0, &x, 1, NULL);
}

static rt_node *pi_times(rt_verify_context *c, int64_t n, int64_t d) {
    return rt_x_mul(c, rt_x_fraction(c, n, d), rt_x_constant(c, RT_PI));
}

static rt_node *half_root(rt_verify_context *c, int64_t n) {
    return rt_x_mul(c, rt_x_fraction(c, 1, 2), rt_x_root(c, rt_x_integer(c, n), 2));
}

/* The sign that a sum or product shows in its first coefficient. */
static bool looks_negative(const rt_node *x) {
    if (x->kind == RT_ADD) x = x->kid[0];
    if (x->kind == RT_MUL) x = x->kid[0];
    return x->kind == RT_NUM && fmpq_sgn(x->number) < 0;
}

/* cos(r pi): r is brought into [0, 1/2]. */
static rt_node *cos_of_turn(rt_verify_context *c, fmpq_t r) {
    fmpq_t q;
    fmpz_t n;
    fmpq_init(q);
    fmpz_init(n);
    fmpq_abs(q, r);
    fmpq_div_2exp(q, q, 1);
    fmpz_fdiv_q(n, fmpq_numref(q), fmpq_denref(q));
    fmpq_sub_fmpz(q, q, n);
    fmpq_mul_2exp(q, q, 1); /* in [0, 2) */
    if (fmpz_cmp(fmpq_numref(q), fmpq_denref(q)) > 0) {
        fmpq_neg(q, q);
        fmpq_add_si(q, q, 2); /* cos(2 pi - x) = cos x: in [0, 1] */
    }
    fmpq_t twice;
    fmpq_init(twice);
    fmpq_mul_2exp(twice, q, 1);
    bool negative = fmpz_cmp(fmpq_numref(twice), fmpq_denref(twice)) > 0;
    if (negative) {
        fmpq_neg(q, q);
        fmpq_add_si(q, q, 1);
    }
    rt_node *value = NULL;
    slong d = fmpz_fits_si(fmpq_denref(q)) ? fmpz_get_si(fmpq_denref(q)) : 0;
    if (fmpq_is_zero(q))
        value = rt_x_integer(c, 1);
    else if (d == 2)
        value = rt_x_integer(c, 0);
    else if (d == 3)
        value = rt_x_fraction(c, 1, 2);
    else if (d == 4)
        value = half_root(c, 2);
    else if (d == 6)
        value = half_root(c, 3);
    else
        value = plain(c, RT_COS, rt_x_mul(c, rt_x_number(c, q), rt_x_constant(c, RT_PI)));
    fmpq_clear(twice);
    fmpz_clear(n);
    fmpq_clear(q);
    return negative ? rt_x_neg(c, value) : value;
}

/* sin or cos of an inverse function: sin(acos x) = sqrt(1 - x^2). */
static rt_node *of_inverse(rt_verify_context *c, rt_fn fn, const rt_node *x) {
    if (x->kind != RT_FN || (x->fn != RT_ASIN && x->fn != RT_ATAN)) return NULL;
    rt_node *t = x->kid[0], *one = rt_x_integer(c, 1), *square = rt_x_power(c, t, rt_x_integer(c, 2));
    if (x->fn == RT_ASIN) return fn == RT_SIN ? t : rt_x_root(c, rt_x_sub(c, one, square), 2);
    rt_node *length = rt_x_root(c, rt_x_add(c, one, square), 2);
    return rt_x_div(c, fn == RT_SIN ? t : one, length);
}

static rt_node *sine(rt_verify_context *c, rt_fn fn, rt_node *x) {
    if (x == c->zero) return rt_x_integer(c, fn == RT_COS);
    fmpq_t r;
    fmpq_init(r);
    rt_node *result = NULL;
    if (rt_rational_times(c, x, rt_x_constant(c, RT_PI), r)) {
        if (fn == RT_SIN) { /* sin x = cos(pi/2 - x) */
            fmpq_t half;
            fmpq_init(half);
            fmpq_set_si(half, 1, 2);
            fmpq_sub(r, half, r);
            fmpq_clear(half);
        }
        result = cos_of_turn(c, r);
        fmpq_clear(r);
        return result;
    }
    fmpq_clear(r);
    if (looks_negative(x)) {
        result = sine(c, fn, rt_x_neg(c, x));
        return fn == RT_SIN ? rt_x_neg(c, result) : result;
    }
    result = of_inverse(c, fn, x);
    return result != NULL || c->stop != RT_STOP_NONE ? result : plain(c, fn, x);
}

/* asin and atan of the values whose angle is a known part of a turn. acos x = pi/2 - asin x. */
static rt_node *inverse_sine(rt_verify_context *c, rt_fn fn, rt_node *x) {
    if (looks_negative(x)) return rt_x_neg(c, inverse_sine(c, fn, rt_x_neg(c, x)));
    if (x == c->zero) return x;
    rt_node *third = rt_x_mul(c, rt_x_fraction(c, 1, 3), rt_x_root(c, rt_x_integer(c, 3), 2));
    if (x == c->one) return fn == RT_ASIN ? pi_times(c, 1, 2) : pi_times(c, 1, 4);
    if (fn == RT_ASIN) {
        if (x == rt_x_fraction(c, 1, 2)) return pi_times(c, 1, 6);
        if (x == half_root(c, 2)) return pi_times(c, 1, 4);
        if (x == half_root(c, 3)) return pi_times(c, 1, 3);
        if (x->kind == RT_NUM && fmpz_cmp(fmpq_numref(x->number), fmpq_denref(x->number)) > 0)
            return rt_stop_at(c, RT_STOP_UNDEFINED, "the inverse sine of a number beyond 1 has no real value");
    } else {
        if (x == rt_x_root(c, rt_x_integer(c, 3), 2)) return pi_times(c, 1, 3);
        if (x == third) return pi_times(c, 1, 6);
        if (x == rt_x_sub(c, rt_x_integer(c, 2), rt_x_root(c, rt_x_integer(c, 3), 2))) return pi_times(c, 1, 12);
        if (x == rt_x_add(c, rt_x_integer(c, 2), rt_x_root(c, rt_x_integer(c, 3), 2))) return pi_times(c, 5, 12);
    }
    return plain(c, fn, x);
}

/* Logarithms */

/* ln of a positive integer: the sum over its small primes, and over what is left as one. */
static rt_node *integer_log(rt_verify_context *c, const fmpz_t n) {
    rt_node *terms[200] = {NULL};
    size_t count = 0;
    fmpz_t left, p;
    fmpq_t q;
    fmpz_init_set(left, n);
    fmpz_init(p);
    fmpq_init(q);
    int64_t limbs = (int64_t)fmpz_size(n);
    if (rt_spend(c, 50 + limbs * 200)) {
        for (int64_t prime = 2; prime < LOG_PRIME && !fmpz_is_one(left) && count < 190; prime += 1 + (prime > 2)) {
            if (!fmpz_divisible_si(left, prime)) continue;
            fmpz_set_si(p, prime);
            int64_t times = fmpz_remove(left, left, p);
            terms[count++] = rt_x_mul(c, rt_x_integer(c, times), plain(c, RT_LN, rt_x_integer(c, prime)));
        }
    }
    if (!fmpz_is_one(left)) {
        fmpq_set_fmpz(q, left);
        terms[count++] = plain(c, RT_LN, rt_x_number(c, q));
    }
    fmpq_clear(q);
    fmpz_clear(p);
    fmpz_clear(left);
    return count == 0 ? rt_x_integer(c, 0) : rt_x_sum(c, terms, count);
}

static rt_node *rational_log(rt_verify_context *c, const fmpq_t x) {
    if (fmpq_is_zero(x)) return rt_stop_at(c, RT_STOP_UNDEFINED, "the logarithm of zero has no value");
    if (fmpq_sgn(x) < 0) {
        fmpq_t positive;
        fmpq_init(positive);
        fmpq_neg(positive, x);
        rt_node *real = rational_log(c, positive);
        fmpq_clear(positive);
        return rt_x_add(c, real, rt_x_mul(c, rt_x_constant(c, RT_I), rt_x_constant(c, RT_PI)));
    }
    return rt_x_sub(c, integer_log(c, fmpq_numref(x)), integer_log(c, fmpq_denref(x)));
}

static rt_node *logarithm(rt_verify_context *c, rt_node *x) {
    if (x == NULL) return NULL; /* the other logarithm of a quotient has stopped the work */
    switch (x->kind) {
    case RT_NUM: return rational_log(c, x->number);
    case RT_E: return rt_x_integer(c, 1);
    case RT_POW:
        if (x->kid[0]->kind == RT_E && x->kid[1]->real) return x->kid[1];
        if (x->kid[1]->real && (x->kid[0]->has_variable || rt_sure_sign(c, x->kid[0]) == 1) && x->kid[0]->real)
            return rt_x_mul(c, x->kid[1], rt_x_function(c, RT_LN, x->kid[0]));
        break;
    case RT_ROOT:
        if (x->kid[0]->real && (x->kid[0]->has_variable || rt_sure_sign(c, x->kid[0]) == 1))
            return rt_x_mul(c, rt_x_fraction(c, 1, x->order), rt_x_function(c, RT_LN, x->kid[0]));
        break;
    case RT_MUL: {
        rt_node **terms = rt_arena(c, x->count, sizeof *terms);
        if (terms == NULL) return NULL;
        for (uint32_t i = 0; i < x->count; i++) {
            rt_node *k = x->kid[i];
            bool positive =
                k->kind == RT_NUM ? fmpq_sgn(k->number) > 0 : k->real && (k->has_variable || rt_sure_sign(c, k) == 1);
            if (!positive) return plain(c, RT_LN, x);
            terms[i] = rt_x_function(c, RT_LN, k);
        }
        return rt_x_sum(c, terms, x->count);
    }
    default: break;
    }
    return plain(c, RT_LN, x);
}

/* Others */

static rt_node *absolute(rt_verify_context *c, rt_node *x) {
    if (x->kind == RT_NUM) {
        fmpq_t q;
        fmpq_init(q);
        fmpq_abs(q, x->number);
        rt_node *result = rt_x_number(c, q);
        fmpq_clear(q);
        return result;
    }
    if (!x->has_variable && x->real) {
        int sign = rt_sure_sign(c, x);
        if (sign != 2) return sign < 0 ? rt_x_neg(c, x) : x;
    }
    if (x->kind == RT_FN && x->fn == RT_ABS) return x;
    if (x->kind == RT_MUL) {
        rt_node **kids = rt_arena(c, x->count, sizeof *kids);
        if (kids == NULL) return NULL;
        for (uint32_t i = 0; i < x->count; i++) kids[i] = rt_x_function(c, RT_ABS, x->kid[i]);
        return rt_x_product(c, kids, x->count);
    }
    if (x->kind == RT_POW && x->kid[0]->real && rt_is_integer(x->kid[1])) {
        if (fmpz_is_even(fmpq_numref(x->kid[1]->number))) return x;
        return rt_x_power(c, rt_x_function(c, RT_ABS, x->kid[0]), x->kid[1]);
    }
    return plain(c, RT_ABS, looks_negative(x) ? rt_x_neg(c, x) : x);
}

static rt_node *rounded(rt_verify_context *c, rt_fn fn, rt_node *x) {
    if (x->has_variable) return plain(c, fn, x);
    fmpz_t n;
    fmpq_t q;
    fmpz_init(n);
    fmpq_init(q);
    rt_node *result = NULL;
    bool known = true;
    if (x->kind == RT_NUM) {
        if (fn == RT_FLOOR)
            fmpz_fdiv_q(n, fmpq_numref(x->number), fmpq_denref(x->number));
        else
            fmpz_cdiv_q(n, fmpq_numref(x->number), fmpq_denref(x->number));
    } else {
        known = rt_floor_of(c, x, fn == RT_CEIL, n);
    }
    fmpq_set_fmpz(q, n);
    if (known) result = rt_x_number(c, q);
    fmpq_clear(q);
    fmpz_clear(n);
    return known || c->stop != RT_STOP_NONE ? result : plain(c, fn, x);
}

static rt_node *factorial(rt_verify_context *c, rt_node *x) {
    if (x->kind != RT_NUM) return plain(c, RT_FACT, x);
    if (!rt_is_integer(x) || fmpq_sgn(x->number) < 0)
        return rt_stop_at(c, RT_STOP_UNDEFINED, "the factorial of what is no whole number from 0 on");
    int64_t n;
    if (!rt_small_integer(x, FACTORIAL_MAXIMUM, &n)) return plain(c, RT_FACT, x);
    if (!rt_spend(c, 1 + n * n / 64)) return NULL;
    fmpq_t q;
    fmpq_init(q);
    fmpz_fac_ui(fmpq_numref(q), (ulong)n);
    rt_node *result = rt_x_number(c, q);
    fmpq_clear(q);
    return result;
}

rt_node *rt_x_binomial(rt_verify_context *c, rt_node *n, rt_node *k) {
    if (n == NULL || k == NULL) return NULL;
    int64_t top, bottom;
    bool whole = rt_small_integer(n, INT32_MAX, &top) && rt_small_integer(k, INT32_MAX, &bottom) && top >= 0;
    if (whole && (bottom < 0 || bottom > top)) return rt_x_integer(c, 0);
    if (whole && bottom > top - bottom) bottom = top - bottom;
    /* C(n, k) has at most k log n bits, and at most n. */
    int64_t bits = whole ? bottom * (int64_t)fmpz_bits(fmpq_numref(n->number)) : 0;
    if (whole && (bits <= RT_BITS_MAXIMUM || top <= RT_BITS_MAXIMUM)) {
        if (bits > top) bits = top;
        if (!rt_spend(c, 1 + bits * (bits / 4096 + 1) / 16)) return NULL;
        fmpq_t q;
        fmpq_init(q);
        fmpz_bin_uiui(fmpq_numref(q), (ulong)top, (ulong)bottom);
        rt_node *result = rt_x_number(c, q);
        fmpq_clear(q);
        return result;
    }
    if (rt_small_integer(k, SMALL_BINOMIAL, &bottom) && bottom >= 0) {
        rt_node *result = rt_x_integer(c, 1);
        for (int64_t i = 0; i < bottom; i++)
            result = rt_x_mul(c, result, rt_x_div(c, rt_x_sub(c, n, rt_x_integer(c, i)), rt_x_integer(c, i + 1)));
        return result;
    }
    return rt_x_div(c, rt_x_function(c, RT_FACT, n),
                    rt_x_mul(c, rt_x_function(c, RT_FACT, k), rt_x_function(c, RT_FACT, rt_x_sub(c, n, k))));
}

rt_node *rt_x_function(rt_verify_context *c, rt_fn fn, rt_node *x) {
    if (x == NULL || !rt_spend(c, 1) || rt_x_integer(c, 0) == NULL || rt_x_integer(c, 1) == NULL) return NULL;
    if (x->has_infinity) return rt_stop_at(c, RT_STOP_UNDEFINED, "a function of infinity has no value");
    if (x->has_degree) x = rt_x_replace(c, x, rt_x_constant(c, RT_DEG), pi_times(c, 1, 180));
    if (x == NULL) return NULL;
    rt_node *one = rt_x_integer(c, 1), *e = rt_x_constant(c, RT_E), *half = rt_x_fraction(c, 1, 2);
    switch (fn) {
    case RT_SIN:
    case RT_COS: return sine(c, fn, x);
    case RT_TAN: return rt_x_div(c, sine(c, RT_SIN, x), sine(c, RT_COS, x));
    case RT_COT: return rt_x_div(c, sine(c, RT_COS, x), sine(c, RT_SIN, x));
    case RT_SEC: return rt_x_div(c, one, sine(c, RT_COS, x));
    case RT_CSC: return rt_x_div(c, one, sine(c, RT_SIN, x));
    case RT_ASIN:
    case RT_ATAN: return inverse_sine(c, fn, x);
    case RT_ACOS: return rt_x_sub(c, pi_times(c, 1, 2), inverse_sine(c, RT_ASIN, x));
    case RT_SINH: return rt_x_mul(c, half, rt_x_sub(c, rt_x_power(c, e, x), rt_x_power(c, e, rt_x_neg(c, x))));
    case RT_COSH: return rt_x_mul(c, half, rt_x_add(c, rt_x_power(c, e, x), rt_x_power(c, e, rt_x_neg(c, x))));
    case RT_TANH: return rt_x_div(c, rt_x_function(c, RT_SINH, x), rt_x_function(c, RT_COSH, x));
    case RT_LN: return logarithm(c, x);
    case RT_LOG10: return rt_x_div(c, logarithm(c, x), logarithm(c, rt_x_integer(c, 10)));
    case RT_EXP: return rt_x_power(c, e, x);
    case RT_ABS: return absolute(c, x);
    case RT_FLOOR:
    case RT_CEIL: return rounded(c, fn, x);
    case RT_FACT: return factorial(c, x);
    case RT_OPAQUE: break;
    }
    return rt_stop_at(c, RT_STOP_SYNTAX, "a function that is not known");
}

rt_node *rt_x_opaque(rt_verify_context *c, const char *name, rt_node *x) {
    return x == NULL ? NULL : rt_intern(c, RT_FN, RT_OPAQUE, 0, &x, 1, name);
}
