/* Enclosures of values by complex balls (Arb). */
#include <arb_hypgeom.h>

#include "verify/zero.h"

/* What a node costs at a precision: roots and powers are a few multiplications, functions many. */
static int64_t price(const rt_node *n, int64_t precision) {
    int64_t limbs = precision / 64 + 1, product = limbs < 40 ? 4 + limbs * limbs / 4 : limbs * 12;
    switch (n->kind) {
    case RT_NUM: return 2 + limbs;
    case RT_ADD: return n->count * (2 + limbs / 8);
    case RT_MUL: return n->count * product;
    case RT_POW: return n->kid[1]->kind == RT_NUM ? 8 * product : 100 * product;
    case RT_ROOT: return 12 * product;
    case RT_FN: return 60 * product;
    default: return 4;
    }
}

/* A variable's value at a point: a fraction of moderate size that no simple identity singles out. */
static void value_at(const rt_node *n, int point, int64_t precision, arb_t out) {
    uint64_t h = UINT64_C(1469598103934665603);
    for (const char *p = n->name; p != NULL && *p != '\0'; p++) h = (h ^ (unsigned char)*p) * UINT64_C(1099511628211);
    for (uint32_t i = 0; i < n->count; i++) h = (h ^ n->kid[i]->hash) * UINT64_C(1099511628211);
    h ^= h >> 31;
    uint64_t spread = (h + (uint64_t)point * UINT64_C(0x9E3779B97F4A7C15)) * UINT64_C(0xBF58476D1CE4E5B9);
    slong top = 311 + (slong)((spread >> 33) % 2400);
    bool negative = point == 2 || (point == 3 && (h >> 7) % 2 == 1) || (point == 4 && (h >> 7) % 2 == 0);
    arb_set_si(out, negative ? -top : top);
    arb_div_si(out, out, 1009, precision);
}

static void not_defined(acb_t out) {
    acb_indeterminate(out);
}

static void root(acb_t out, const acb_t x, const rt_node *n, int64_t precision) {
    bool real = arb_is_zero(acb_imagref(x));
    if (real && arb_is_nonnegative(acb_realref(x))) {
        arb_root_ui(acb_realref(out), acb_realref(x), (ulong)n->order, precision);
    } else if (real && n->order % 2 == 1 && arb_is_negative(acb_realref(x))) {
        arb_neg(acb_realref(out), acb_realref(x));
        arb_root_ui(acb_realref(out), acb_realref(out), (ulong)n->order, precision);
        arb_neg(acb_realref(out), acb_realref(out));
    } else if (n->has_variable && real && arb_is_negative(acb_realref(x))) {
        not_defined(out);
    } else if (real && n->order % 2 == 1) { /* the sign is open: the real root is continuous through 0 */
        arb_t size;
        arb_init(size);
        arb_abs(size, acb_realref(x));
        arb_root_ui(size, size, (ulong)n->order, precision);
        arb_get_mag(arb_radref(acb_realref(out)), size);
        arf_zero(arb_midref(acb_realref(out)));
        arb_clear(size);
    } else {
        acb_root_ui(out, x, (ulong)n->order, precision);
    }
}

static void power(acb_t out, const acb_t b, const acb_t e, const rt_node *n, int64_t precision) {
    const fmpz *whole = fmpq_numref(n->kid[1]->number);
    bool is_whole = rt_is_integer(n->kid[1]);
    if (is_whole && fmpz_bits(whole) <= 48)
        acb_pow_fmpz(out, b, whole, precision);
    else if (n->kid[0]->kind == RT_E)
        acb_exp(out, e, precision);
    else
        acb_pow(out, b, e, precision);
}

static void function(acb_t out, const acb_t x, const rt_node *n, int64_t precision) {
    bool real = arb_is_zero(acb_imagref(x));
    fmpq_t turn;
    switch (n->fn) {
    case RT_SIN: acb_sin(out, x, precision); break;
    case RT_COS:
        fmpq_init(turn);
        if (n->kid[0]->kind == RT_MUL && n->kid[0]->count == 2 && n->kid[0]->kid[0]->kind == RT_NUM &&
            n->kid[0]->kid[1]->kind == RT_PI) {
            fmpq_set(turn, n->kid[0]->kid[0]->number);
            arb_set_fmpq(acb_realref(out), turn, precision + 16);
            arb_cos_pi(acb_realref(out), acb_realref(out), precision);
        } else {
            acb_cos(out, x, precision);
        }
        fmpq_clear(turn);
        break;
    case RT_ASIN:
        if (n->has_variable && !(arb_is_finite(acb_realref(x)) && real))
            not_defined(out);
        else if (real && n->has_variable)
            arb_asin(acb_realref(out), acb_realref(x), precision);
        else
            acb_asin(out, x, precision);
        break;
    case RT_ATAN: acb_atan(out, x, precision); break;
    case RT_LN:
        if (n->has_variable && real && !arb_is_positive(acb_realref(x)))
            not_defined(out);
        else
            acb_log(out, x, precision);
        break;
    case RT_ABS: acb_abs(acb_realref(out), x, precision); break;
    case RT_FLOOR:
        if (real)
            arb_floor(acb_realref(out), acb_realref(x), precision);
        else
            not_defined(out);
        break;
    case RT_CEIL:
        if (real)
            arb_ceil(acb_realref(out), acb_realref(x), precision);
        else
            not_defined(out);
        break;
    case RT_FACT:
        acb_add_ui(out, x, 1, precision);
        acb_gamma(out, out, precision);
        break;
    default: not_defined(out);
    }
}

static void evaluate(acb_t out, const rt_node *n, acb_t *values, int point, int64_t precision) {
    acb_t *kid0 = n->count > 0 ? &values[n->kid[0]->place] : NULL;
    switch (n->kind) {
    case RT_NUM: acb_set_fmpq(out, n->number, precision); break;
    case RT_PI: acb_const_pi(out, precision); break;
    case RT_E: arb_const_e(acb_realref(out), precision); break;
    case RT_I: acb_onei(out); break;
    case RT_DEG:
        arb_const_pi(acb_realref(out), precision);
        arb_div_ui(acb_realref(out), acb_realref(out), 180, precision);
        break;
    case RT_SYM:
        if (point < 0)
            not_defined(out);
        else
            value_at(n, point, precision, acb_realref(out));
        break;
    case RT_ADD:
        for (uint32_t i = 0; i < n->count; i++) acb_add(out, out, values[n->kid[i]->place], precision);
        break;
    case RT_MUL:
        acb_one(out);
        for (uint32_t i = 0; i < n->count; i++) acb_mul(out, out, values[n->kid[i]->place], precision);
        break;
    case RT_POW: power(out, *kid0, values[n->kid[1]->place], n, precision); break;
    case RT_ROOT: root(out, *kid0, n, precision); break;
    case RT_FN:
        if (n->fn == RT_OPAQUE && point >= 0)
            value_at(n, point, precision, acb_realref(out));
        else
            function(out, *kid0, n, precision);
        break;
    default: not_defined(out);
    }
}

bool rt_ball(rt_verify_context *c, rt_node *n, int point, int64_t precision, acb_t out) {
    if (c->stop != RT_STOP_NONE) return false;
    if (n->kind == RT_NUM) {
        acb_set_fmpq(out, n->number, precision);
        return true;
    }
    rt_arena_mark mark = rt_arena_here(c);
    size_t count = 0;
    rt_node **parts = rt_parts(c, n, &count);
    int64_t total = 0;
    for (size_t i = 0; parts != NULL && i < count; i++) total += price(parts[i], precision);
    acb_t *values = parts != NULL && rt_spend(c, total) ? rt_arena(c, count, sizeof *values) : NULL;
    if (values != NULL) {
        for (size_t i = 0; i < count; i++) {
            acb_init(values[i]);
            evaluate(values[i], parts[i], values, point, precision);
        }
        acb_swap(out, values[count - 1]);
        for (size_t i = 0; i < count; i++) acb_clear(values[i]);
    }
    rt_arena_back(c, mark);
    return values != NULL;
}

typedef struct rt_ball {
    acb_t value;
} rt_ball_memo;

const acb_struct *rt_first_ball(rt_verify_context *c, rt_node *n) {
    if (n->ball != NULL) return n->ball->value;
    rt_ball_memo *memo = rt_arena(c, 1, sizeof *memo);
    if (memo == NULL) return NULL;
    acb_init(memo->value);
    n->ball = memo;
    return rt_ball(c, n, -1, RT_FIRST_PRECISION, memo->value) ? memo->value : NULL;
}

void rt_ball_clear(rt_node *n) {
    if (n->ball != NULL) acb_clear(n->ball->value);
}

int rt_sure_sign(rt_verify_context *c, rt_node *n) {
    if (n->kind == RT_NUM) return fmpq_sgn(n->number);
    if (n->has_variable || n->has_infinity || n->has_degree || n->has_sign || c->stop != RT_STOP_NONE) return 2;
    if (n->kind == RT_PI || n->kind == RT_E) return 1;
    if (n->kind == RT_ROOT && n->kid[0]->kind == RT_NUM && fmpq_sgn(n->kid[0]->number) > 0) return 1;
    const acb_struct *x = rt_first_ball(c, n);
    if (x == NULL || !arb_is_zero(acb_imagref(x))) return 2;
    return arb_is_positive(acb_realref(x)) ? 1 : arb_is_negative(acb_realref(x)) ? -1 : 2;
}
