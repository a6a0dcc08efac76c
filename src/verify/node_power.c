/* Powers and roots in normal form.
 *
 * Conventions, where schools differ: 0^0 has no value; an odd root of a negative real number is the real one, and so is
 * x^(p/q) with odd q; other roots are principal. In expressions with variables a root or logarithm says that what is
 * under it is in its domain: sqrt(x y) is sqrt(x) sqrt(y), but sqrt(x^2) is |x|. */
#include "verify/node.h"

/* Roots of numbers up to this size are freed of k-th powers of small primes. */
enum { SPLIT_BITS = 512, SPLIT_PRIME = 1000, SPLIT_ORDER = 64, ORDER_MAXIMUM = 1000000000 };

/* b^n for rational b; NULL without a stop where the result would be too large to write down. */
static rt_node *rational_power(rt_verify_context *c, const fmpq_t b, const fmpz_t n) {
    if (fmpq_is_zero(b)) {
        if (fmpz_sgn(n) <= 0) return rt_stop_at(c, RT_STOP_UNDEFINED, "division by zero");
        return rt_x_integer(c, 0);
    }
    if (fmpq_is_one(b)) return rt_x_integer(c, 1);
    if (fmpz_is_one(fmpq_denref(b)) && fmpz_equal_si(fmpq_numref(b), -1))
        return rt_x_integer(c, fmpz_is_even(n) ? 1 : -1);
    int64_t bits = (int64_t)fmpz_bits(fmpq_numref(b)), lower = (int64_t)fmpz_bits(fmpq_denref(b));
    if (lower > bits) bits = lower;
    if (fmpz_cmpabs(n, &(fmpz){RT_BITS_MAXIMUM}) > 0) return NULL;
    int64_t e = fmpz_get_si(n), size = (e < 0 ? -e : e) * bits / 64;
    if (size * 64 > RT_BITS_MAXIMUM || !rt_spend(c, 1 + size + size * size / 32)) return NULL;
    fmpq_t q;
    fmpq_init(q);
    fmpq_pow_si(q, b, e);
    rt_node *result = rt_x_number(c, q);
    fmpq_clear(q);
    return result;
}

/* exp of a rational multiple of i pi, and of logarithms. */
static rt_node *exponential(rt_verify_context *c, rt_node *e, rt_node *exponent) {
    fmpq_t r;
    fmpq_init(r);
    rt_node *pi = rt_x_constant(c, RT_PI), *i = rt_x_constant(c, RT_I), *turn = rt_x_mul(c, i, pi), *result = NULL;
    if (rt_rational_times(c, exponent, turn, r)) {
        rt_node *angle = rt_x_mul(c, rt_x_number(c, r), pi);
        result = rt_x_add(c, rt_x_function(c, RT_COS, angle), rt_x_mul(c, i, rt_x_function(c, RT_SIN, angle)));
        fmpq_clear(r);
        return result;
    }
    fmpq_clear(r);
    size_t count = exponent->kind == RT_MUL ? exponent->count : 1;
    rt_node *const *kids = exponent->kind == RT_MUL ? exponent->kid : &exponent;
    for (size_t k = 0; k < count; k++) {
        if (kids[k]->kind != RT_FN || kids[k]->fn != RT_LN) continue;
        rt_node *base = kids[k]->kid[0];
        rt_node *others = rt_x_mul(c, exponent, rt_x_power(c, kids[k], rt_x_integer(c, -1)));
        bool positive = base->has_variable || rt_sure_sign(c, base) == 1;
        if (others == NULL) return NULL;
        if (positive || rt_is_integer(others)) return rt_x_power(c, base, others);
    }
    return rt_power_plain(c, e, exponent);
}

static rt_node *root_to_power(rt_verify_context *c, rt_node *root, const fmpz_t n) {
    fmpz_t quotient, rest, order;
    fmpz_init(quotient);
    fmpz_init(rest);
    fmpz_init_set_si(order, root->order);
    fmpz_fdiv_qr(quotient, rest, n, order);
    int64_t r = fmpz_get_si(rest), k = root->order, g = r;
    for (int64_t b = k; b != 0;) {
        int64_t t = g % b;
        g = b;
        b = t;
    }
    fmpq_t whole;
    fmpq_init(whole);
    fmpq_set_fmpz(whole, quotient);
    rt_node *result = rt_x_power(c, root->kid[0], rt_x_number(c, whole));
    if (r > 0 && g > 1 && (root->kid[0]->has_variable || rt_sure_sign(c, root->kid[0]) == 1))
        result = rt_x_mul(c, result, rt_x_power(c, rt_x_root(c, root->kid[0], k / g), rt_x_integer(c, r / g)));
    else if (r == 1)
        result = rt_x_mul(c, result, root);
    else if (r > 0)
        /* Not rt_x_mul: the factors would be merged again. */
        result = rt_x_mul(c, result, rt_power_plain(c, root, rt_x_integer(c, r)));
    fmpq_clear(whole);
    fmpz_clear(order);
    fmpz_clear(rest);
    fmpz_clear(quotient);
    return result;
}

static rt_node *product_to_power(rt_verify_context *c, const rt_node *product, rt_node *exponent) {
    rt_node **kids = rt_arena(c, product->count, sizeof *kids);
    if (kids == NULL) return NULL;
    for (uint32_t i = 0; i < product->count; i++) kids[i] = rt_x_power(c, product->kid[i], exponent);
    return rt_x_product(c, kids, product->count);
}

static rt_node *integer_power(rt_verify_context *c, rt_node *base, rt_node *exponent) {
    const fmpz *n = fmpq_numref(exponent->number);
    if (fmpz_sgn(n) < 0) rt_note_divisor(c, base);
    switch (base->kind) {
    case RT_NUM: {
        rt_node *value = rational_power(c, base->number, n);
        return value != NULL || c->stop != RT_STOP_NONE ? value : rt_power_plain(c, base, exponent);
    }
    case RT_I: {
        rt_node *i = base;
        ulong turn = fmpz_fdiv_ui(n, 4);
        return turn == 0 ? rt_x_integer(c, 1) : turn == 1 ? i : turn == 2 ? rt_x_integer(c, -1) : rt_x_neg(c, i);
    }
    case RT_SIGN: return fmpz_is_even(n) ? rt_x_integer(c, 1) : base;
    case RT_MUL: return product_to_power(c, base, exponent);
    case RT_POW: return rt_x_power(c, base->kid[0], rt_x_mul(c, base->kid[1], exponent));
    case RT_ROOT:
        /* A power between 0 and the order is in normal form already. */
        if (fmpz_sgn(n) > 0 && fmpz_cmp_si(n, base->order) < 0 && base->order <= 3)
            return rt_power_plain(c, base, exponent);
        return root_to_power(c, base, n);
    case RT_FN:
        if (base->fn == RT_ABS && base->kid[0]->real && fmpz_is_even(n)) return rt_x_power(c, base->kid[0], exponent);
        return rt_power_plain(c, base, exponent);
    default: return rt_power_plain(c, base, exponent);
    }
}

rt_node *rt_x_power(rt_verify_context *c, rt_node *base, rt_node *exponent) {
    if (base == NULL || exponent == NULL || !rt_spend(c, 1)) return NULL;
    if (base->has_infinity || exponent->has_infinity)
        return rt_stop_at(c, RT_STOP_UNDEFINED, "a power with infinity has no value");
    rt_node *one = rt_x_integer(c, 1), *zero = rt_x_integer(c, 0);
    if (one == NULL || zero == NULL) return NULL;
    if (exponent == one) return base;
    if (exponent == zero && base == zero) return rt_stop_at(c, RT_STOP_UNDEFINED, "0^0 has no value");
    if (exponent == zero) rt_note_divisor(c, base);
    if (exponent == zero || base == one) return one;
    if (rt_is_integer(exponent)) return integer_power(c, base, exponent);
    if (base == zero) {
        if (exponent->kind == RT_NUM && fmpq_sgn(exponent->number) > 0) return zero;
        return rt_stop_at(c, RT_STOP_UNDEFINED, "a power of zero has no value");
    }
    if (base->kind == RT_E) return exponential(c, base, exponent);
    if (base->kind == RT_I && exponent->kind != RT_NUM) { /* the principal value: i = exp(i pi/2) */
        rt_node *log = rt_x_mul(c, rt_x_mul(c, base, rt_x_constant(c, RT_PI)), rt_x_fraction(c, 1, 2));
        return rt_x_power(c, rt_x_constant(c, RT_E), rt_x_mul(c, exponent, log));
    }
    if (exponent->kind == RT_NUM) {
        if (fmpz_cmp_si(fmpq_denref(exponent->number), ORDER_MAXIMUM) > 0) return rt_power_plain(c, base, exponent);
        fmpq_t p;
        fmpq_init(p);
        fmpq_set_fmpz(p, fmpq_numref(exponent->number));
        rt_node *top = rt_x_number(c, p);
        fmpq_clear(p);
        return rt_x_power(c, rt_x_root(c, base, fmpz_get_si(fmpq_denref(exponent->number))), top);
    }
    if (base->kind == RT_POW && (base->kid[0]->kind == RT_E || rt_sure_sign(c, base->kid[0]) == 1) &&
        base->kid[1]->real)
        return rt_x_power(c, base->kid[0], rt_x_mul(c, base->kid[1], exponent));
    return rt_power_plain(c, base, exponent);
}

/* Roots */

static rt_node *plain_root(rt_verify_context *c, rt_node *radicand, int64_t order) {
    return rt_intern(c, RT_ROOT, RT_SIN, order, &radicand, 1, NULL);
}

/* Takes k-th powers of small primes out of n: n = outside^k * inside. */
static void split_powers(fmpz_t outside, fmpz_t inside, const fmpz_t n, int64_t k) {
    fmpz_t p, left;
    fmpz_init(p);
    fmpz_init_set(left, n);
    fmpz_one(outside);
    fmpz_one(inside);
    for (int64_t prime = 2; prime < SPLIT_PRIME && !fmpz_is_one(left); prime += 1 + (prime > 2)) {
        if (!fmpz_divisible_si(left, prime)) continue;
        fmpz_set_si(p, prime);
        int64_t times = fmpz_remove(left, left, p);
        fmpz_pow_ui(p, p, (ulong)(times / k));
        fmpz_mul(outside, outside, p);
        fmpz_set_si(p, prime);
        fmpz_pow_ui(p, p, (ulong)(times % k));
        fmpz_mul(inside, inside, p);
    }
    fmpz_mul(inside, inside, left);
    if (!fmpz_is_one(left) && fmpz_root(p, left, (slong)k)) {
        fmpz_mul(outside, outside, p);
        fmpz_divexact(inside, inside, left);
    }
    fmpz_clear(left);
    fmpz_clear(p);
}

/* The root of a positive integer; an exact one lowers the order: the fourth root of 4 is sqrt(2). */
static rt_node *integer_root(rt_verify_context *c, const fmpz_t n, int64_t k) {
    int64_t limbs = (int64_t)fmpz_size(n);
    if (!rt_spend(c, 100 + limbs * limbs)) return NULL;
    fmpz_t outside, inside;
    fmpq_t q;
    fmpz_init(outside);
    fmpz_init(inside);
    fmpq_init(q);
    rt_node *result = NULL;
    if (fmpz_bits(n) <= SPLIT_BITS && k <= SPLIT_ORDER) {
        split_powers(outside, inside, n, k);
    } else {
        fmpz_one(outside);
        fmpz_set(inside, n);
        if (k < (int64_t)fmpz_bits(n) && fmpz_root(outside, n, (slong)k))
            fmpz_one(inside);
        else
            fmpz_one(outside);
    }
    static const int64_t parts[] = {2, 3, 5, 7};
    for (size_t i = 0; i < 4 && !fmpz_is_one(inside); i++) {
        fmpz_t base;
        fmpz_init(base);
        while (k % parts[i] == 0 && k > parts[i] && fmpz_root(base, inside, (slong)parts[i])) {
            fmpz_set(inside, base);
            k /= parts[i];
        }
        if (k == parts[i] && fmpz_root(base, inside, (slong)parts[i])) {
            fmpz_mul(outside, outside, base);
            fmpz_one(inside);
        }
        fmpz_clear(base);
    }
    fmpq_set_fmpz(q, outside);
    result = rt_x_number(c, q);
    fmpq_set_fmpz(q, inside);
    if (!fmpz_is_one(inside)) result = rt_x_mul(c, result, plain_root(c, rt_x_number(c, q), k));
    fmpq_clear(q);
    fmpz_clear(inside);
    fmpz_clear(outside);
    return result;
}

/* The root of p/q is the root of p q^(k-1), divided by q. */
static rt_node *rational_root(rt_verify_context *c, rt_node *radicand, int64_t k) {
    const fmpz *p = fmpq_numref(radicand->number), *q = fmpq_denref(radicand->number);
    if (fmpz_is_zero(p)) return radicand;
    if (fmpz_sgn(p) < 0) {
        rt_node *positive = rt_x_neg(c, radicand);
        if (k % 2 == 1) return rt_x_neg(c, rt_x_root(c, positive, k));
        if (k == 2) return rt_x_mul(c, rt_x_constant(c, RT_I), rt_x_root(c, positive, k));
        return plain_root(c, radicand, k);
    }
    if (fmpz_is_one(q)) return integer_root(c, p, k);
    if (k > SPLIT_ORDER || (int64_t)fmpz_bits(q) * k > 4 * SPLIT_BITS) {
        /* The rational may still be a perfect power. */
        fmpq_t root;
        fmpq_init(root);
        rt_node *result = NULL;
        int64_t limbs = (int64_t)fmpz_size(p) + (int64_t)fmpz_size(q);
        if (rt_spend(c, 100 + limbs * limbs) && k < RT_BITS_MAXIMUM && fmpz_root(fmpq_numref(root), p, (slong)k) &&
            fmpz_root(fmpq_denref(root), q, (slong)k))
            result = rt_x_number(c, root);
        fmpq_clear(root);
        return result != NULL || c->stop != RT_STOP_NONE ? result : plain_root(c, radicand, k);
    }
    fmpz_t n;
    fmpz_init(n);
    fmpz_pow_ui(n, q, (ulong)(k - 1));
    fmpz_mul(n, n, p);
    rt_node *root = integer_root(c, n, k);
    fmpq_t inverse;
    fmpq_init(inverse);
    fmpq_set_fmpz(inverse, q);
    fmpq_inv(inverse, inverse);
    rt_node *result = rt_x_mul(c, rt_x_number(c, inverse), root);
    fmpq_clear(inverse);
    fmpz_clear(n);
    return result;
}

/* Real b to the n under a k-th root: whole powers come out, as |b| where the root forgets the sign. NULL without a
 * stop: leave it. */
static rt_node *power_root(rt_verify_context *c, rt_node *power, int64_t k) {
    rt_node *b = power->kid[0];
    int64_t n;
    if (b->kind == RT_E || (!rt_is_integer(power->kid[1]) && rt_sure_sign(c, b) == 1 && power->kid[1]->real))
        return rt_x_power(c, b, rt_x_mul(c, power->kid[1], rt_x_fraction(c, 1, k)));
    if (!b->real || !rt_small_integer(power->kid[1], INT32_MAX, &n)) return NULL;
    int64_t whole = n / k, rest = n % k;
    if (rest < 0) {
        whole--;
        rest += k;
    }
    if (whole == 0) return NULL;
    rt_node *outer = k % 2 == 0 && rest % 2 == 0 ? rt_x_function(c, RT_ABS, b) : b;
    rt_node *out = rt_x_power(c, outer, rt_x_integer(c, whole));
    return rest == 0 ? out : rt_x_mul(c, out, rt_x_root(c, rt_x_power(c, b, rt_x_integer(c, rest)), k));
}

static rt_node *product_root(rt_verify_context *c, rt_node *product, int64_t k) {
    bool split = true;
    for (uint32_t i = 0; i < product->count; i++) {
        rt_node *n = product->kid[i];
        if (n->kind == RT_NUM) continue;
        split &= n->real && (n->has_variable || rt_sure_sign(c, n) == 1);
    }
    rt_node *first = product->kid[0];
    bool number = first->kind == RT_NUM, negative = number && fmpq_sgn(first->number) < 0;
    if (negative && k % 2 == 1) return rt_x_neg(c, rt_x_root(c, rt_x_neg(c, product), k));
    if (negative || !split) {
        if (!number || k % 2 == 1 || (!negative && !split)) return plain_root(c, product, k);
        rt_node *size = rt_x_neg(c, first);
        if (size == c->one) return plain_root(c, product, k);
        return rt_x_mul(c, rt_x_root(c, size, k), plain_root(c, rt_x_div(c, product, size), k));
    }
    rt_node **kids = rt_arena(c, product->count, sizeof *kids);
    if (kids == NULL) return NULL;
    for (uint32_t i = 0; i < product->count; i++) kids[i] = rt_x_root(c, product->kid[i], k);
    return rt_x_product(c, kids, product->count);
}

rt_node *rt_x_root(rt_verify_context *c, rt_node *radicand, int64_t order) {
    if (radicand == NULL || !rt_spend(c, 1)) return NULL;
    if (radicand->has_infinity) return rt_stop_at(c, RT_STOP_UNDEFINED, "a root of infinity has no value");
    if (order < 1 || order > INT32_MAX) return rt_stop_at(c, RT_STOP_BUDGET, "the index of a root is too large");
    if (order == 1) return radicand;
    rt_node *result = NULL;
    switch (radicand->kind) {
    case RT_NUM: return rational_root(c, radicand, order);
    case RT_E: return rt_x_power(c, radicand, rt_x_fraction(c, 1, order));
    case RT_MUL: return product_root(c, radicand, order);
    case RT_POW:
        result = power_root(c, radicand, order);
        return result != NULL || c->stop != RT_STOP_NONE ? result : plain_root(c, radicand, order);
    case RT_ROOT:
        if (order <= INT32_MAX / radicand->order &&
            (radicand->kid[0]->has_variable || rt_sure_sign(c, radicand->kid[0]) == 1))
            return rt_x_root(c, radicand->kid[0], order * radicand->order);
        return plain_root(c, radicand, order);
    default: return plain_root(c, radicand, order);
    }
}
