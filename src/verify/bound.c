/* Algebraic constants: how close to zero can one be that is not zero?
 *
 * Write an expression as U/L with algebraic integers U and L, and let u and l bound the absolute values of all their
 * conjugates:
 *
 *     p/q               U = p                        L = q
 *     a + b             U = Ua Lb + La Ub            L = La Lb
 *     a b, a/b          U = Ua Ub, Ua Lb             L = La Lb, La Ub
 *     kth root of a     U = (Ua La^(k-1))^(1/k)      L = La                          if u >= l, else
 *                       U = Ua                       L = (Ua^(k-1) La)^(1/k)
 *     2 cos(pi r)       U = the sum of two roots of unity, so u = 2, L = 1
 *
 * All of it happens in a field of degree at most D, the product of the orders of the distinct roots, of 2 for i and of
 * the order of the roots of unity. If U is not 0, its norm is a whole number other than 0, so |U| >= u^(1-D), and as
 * |L| <= l, the value is at least u^(1-D)/l. (Burnikel, Funke, Mehlhorn, Schirra, Schmitt: A separation bound for real
 * algebraic expressions, Algorithmica 55, 2009.) A ball around 0 that is smaller proves that the value is 0. */
#include "verify/zero.h"

enum { ORDER_MAXIMUM = 1 << 20, BITS_MAXIMUM = 60000 };

typedef struct bound {
    double u, l; /* binary logarithms, rounded up */
} bound;

static void add_bound(bound *sum, bound b) {
    double left = sum->u + b.l, right = sum->l + b.u;
    sum->u = (left > right ? left : right) + 1;
    sum->l += b.l;
}

static bool turn_of(const rt_node *n, int64_t *order) {
    const rt_node *x = n->kid[0];
    if (x->kind != RT_MUL || x->count != 2 || x->kid[0]->kind != RT_NUM || x->kid[1]->kind != RT_PI) return false;
    const fmpz *d = fmpq_denref(x->kid[0]->number);
    if (fmpz_cmp_si(d, ORDER_MAXIMUM) > 0) return false;
    *order = 2 * fmpz_get_si(d);
    return true;
}

static bool join_orders(int64_t *all, int64_t order) {
    int64_t a = *all, b = order;
    while (b != 0) {
        int64_t t = a % b;
        a = b;
        b = t;
    }
    *all = *all / a * order;
    return *all <= ORDER_MAXIMUM;
}

/* The bound of one node from those of its operands; false if the form is not algebraic. */
static bool node_bound(const rt_node *n, const bound *known, bound *out, double *degree, int64_t *unity) {
    int64_t order, e;
    *out = (bound){0, 0};
    switch (n->kind) {
    case RT_NUM:
        *out = (bound){(double)fmpz_bits(fmpq_numref(n->number)), (double)fmpz_bits(fmpq_denref(n->number)) - 1};
        /* A denominator of b bits is at most 2^b; a power of two is exactly 2^(b-1). */
        if (!fmpz_is_one(fmpq_denref(n->number))) out->l += 1;
        return true;
    case RT_I: *degree *= 2; return true;
    case RT_ADD:
        *out = known[n->kid[0]->place];
        for (uint32_t i = 1; i < n->count; i++) add_bound(out, known[n->kid[i]->place]);
        return true;
    case RT_MUL:
        for (uint32_t i = 0; i < n->count; i++) {
            out->u += known[n->kid[i]->place].u;
            out->l += known[n->kid[i]->place].l;
        }
        return true;
    case RT_POW: {
        if (!rt_small_integer(n->kid[1], 1 << 24, &e)) return false;
        bound b = known[n->kid[0]->place];
        *out = e >= 0 ? (bound){b.u * (double)e, b.l * (double)e} : (bound){b.l * (double)-e, b.u * (double)-e};
        return true;
    }
    case RT_ROOT: {
        bound b = known[n->kid[0]->place];
        double k = (double)n->order;
        *degree *= k;
        *out = b.u >= b.l ? (bound){(b.u + (k - 1) * b.l) / k + 1e-6, b.l}
                          : (bound){b.u, ((k - 1) * b.u + b.l) / k + 1e-6};
        return true;
    }
    case RT_FN:
        if (n->fn != RT_COS || !turn_of(n, &order) || !join_orders(unity, order)) return false;
        *out = (bound){1, 1};
        return true;
    default: return false;
    }
}

static bool is_angle(const rt_node *n) {
    return n->kind == RT_PI || (n->kind == RT_MUL && n->count == 2 && n->kid[1]->kind == RT_PI);
}

/* The arguments of cosines are no part of the value's field; pi elsewhere makes it transcendental. */
static bool has_angle(const rt_node *n) {
    for (uint32_t i = 0; n->kind != RT_FN && i < n->count; i++) {
        if (is_angle(n->kid[i])) return true;
    }
    return false;
}

bool rt_separation(rt_verify_context *c, rt_node *n, double *bits) {
    rt_arena_mark mark = rt_arena_here(c);
    size_t count = 0;
    rt_node **parts = rt_parts(c, n, &count);
    bound *known = rt_arena(c, count + 1, sizeof *known);
    double degree = 1;
    int64_t unity = 1;
    bool fine = parts != NULL && known != NULL && !is_angle(n) && rt_spend(c, (int64_t)count);
    for (size_t i = 0; fine && i < count; i++) {
        if (is_angle(parts[i])) continue;
        fine = !has_angle(parts[i]) && node_bound(parts[i], known, &known[i], &degree, &unity);
    }
    if (fine) {
        bound b = known[count - 1];
        degree *= (double)unity;
        *bits = (degree - 1) * (b.u > 0 ? b.u : 0) + b.l + 1;
    }
    rt_arena_back(c, mark);
    return fine;
}

rt_zero rt_algebraic_zero(rt_verify_context *c, rt_node *n) {
    if (n->kind == RT_NUM) return fmpq_is_zero(n->number) ? RT_ZERO : RT_NONZERO;
    double bits = 0;
    if (!rt_separation(c, n, &bits)) return RT_UNKNOWN;
    rt_zero result = RT_UNKNOWN;
    acb_t x;
    mag_t size;
    acb_init(x);
    mag_init(size);
    for (int64_t precision = 64; result == RT_UNKNOWN && precision <= 2 * BITS_MAXIMUM; precision *= 2) {
        /* Small balls may prove inequality early; beyond 1024 bits only the bound itself is worth its price. */
        if (precision > 1024 && bits > BITS_MAXIMUM) break;
        if (precision >= 256 && (double)precision < bits + 64 && bits <= BITS_MAXIMUM) precision = (int64_t)bits + 64;
        if (!rt_ball(c, n, -1, precision, x)) break;
        if (!acb_is_finite(x)) {
            if (precision >= 512) break; /* a division by what may be zero */
            continue;
        }
        if (!acb_contains_zero(x)) result = RT_NONZERO;
        acb_get_mag(size, x);
        if (bits <= BITS_MAXIMUM && mag_cmp_2exp_si(size, -(slong)bits - 1) < 0 && result == RT_UNKNOWN)
            result = RT_ZERO;
    }
    mag_clear(size);
    acb_clear(x);
    return result;
}
