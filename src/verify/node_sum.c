/* Sums and products in normal form. */
#include <stdlib.h>
#include <string.h>

#include "verify/node.h"

/* The price of an operation on rationals of this size. */
static int64_t price(const fmpq_t q) {
    int64_t limbs = (int64_t)(fmpz_size(fmpq_numref(q)) + fmpz_size(fmpq_denref(q)));
    return 1 + limbs + limbs * limbs / 8;
}

static bool fits(rt_verify_context *c, const fmpq_t q) {
    if (fmpz_bits(fmpq_numref(q)) <= RT_BITS_MAXIMUM && fmpz_bits(fmpq_denref(q)) <= RT_BITS_MAXIMUM)
        return rt_spend(c, price(q));
    rt_stop_at(c, RT_STOP_BUDGET, "a number has more than %d bits", RT_BITS_MAXIMUM);
    return false;
}

void rt_split_term(rt_verify_context *c, rt_node *term, const fmpq **coefficient, rt_node **rest) {
    *coefficient = &rt_x_integer(c, 1)->number[0];
    *rest = term;
    if (term->kind == RT_NUM) {
        *coefficient = term->number;
        *rest = rt_x_integer(c, 1);
    } else if (term->kind == RT_MUL && term->kid[0]->kind == RT_NUM) {
        *coefficient = term->kid[0]->number;
        *rest = term->count == 2 ? term->kid[1] : rt_intern(c, RT_MUL, RT_SIN, 0, term->kid + 1, term->count - 1, NULL);
    }
}

typedef struct like_terms {
    rt_node *rest;
    fmpq_t coefficient;
} like_terms;

static int by_rest(const void *a, const void *b) {
    uint32_t x = ((const like_terms *)a)->rest->id, y = ((const like_terms *)b)->rest->id;
    return x < y ? -1 : x > y;
}

/* q times rest, where rest is no number and no product with a number. */
static rt_node *scaled(rt_verify_context *c, const fmpq_t q, rt_node *rest) {
    if (rest == c->one) return rt_x_number(c, q);
    if (fmpq_is_one(q)) return rest;
    rt_node *number = rt_x_number(c, q);
    if (number == NULL) return NULL;
    size_t count = rest->kind == RT_MUL ? rest->count : 1;
    rt_node **kids = rt_arena(c, count + 1, sizeof *kids);
    if (kids == NULL) return NULL;
    kids[0] = number;
    memcpy(kids + 1, rest->kind == RT_MUL ? rest->kid : &rest, count * sizeof *kids);
    return rt_intern(c, RT_MUL, RT_SIN, 0, kids, count + 1, NULL);
}

static bool add_terms(rt_verify_context *c, like_terms *list, size_t *used, rt_node *const *terms, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const fmpq *q;
        if (terms[i]->has_infinity) {
            rt_stop_at(c, RT_STOP_UNDEFINED, "a sum with infinity has no value");
            return false;
        }
        like_terms *term = &list[*used];
        rt_split_term(c, terms[i], &q, &term->rest);
        if (term->rest == NULL) return false;
        fmpq_init(term->coefficient);
        fmpq_set(term->coefficient, q);
        ++*used;
    }
    return true;
}

/* Adds the coefficients of like terms, sorted before; the number of terms that are left. */
static size_t collect(rt_verify_context *c, like_terms *list, size_t used) {
    size_t kept = 0;
    for (size_t i = 0; i < used; i++) {
        if (kept > 0 && list[kept - 1].rest == list[i].rest) {
            fmpq_add(list[kept - 1].coefficient, list[kept - 1].coefficient, list[i].coefficient);
            if (!fits(c, list[kept - 1].coefficient)) return kept;
        } else {
            list[kept].rest = list[i].rest;
            fmpq_swap(list[kept].coefficient, list[i].coefficient);
            kept++;
        }
        if (fmpq_is_zero(list[kept - 1].coefficient) && (i + 1 == used || list[i + 1].rest != list[kept - 1].rest))
            kept--;
    }
    return kept;
}

static rt_node *sum_of(rt_verify_context *c, const like_terms *list, size_t kept) {
    if (kept == 0) return rt_x_integer(c, 0);
    rt_node **kids = rt_arena(c, kept, sizeof *kids);
    if (kids == NULL) return NULL;
    for (size_t i = 0; i < kept; i++) {
        kids[i] = scaled(c, list[i].coefficient, list[i].rest);
        if (kids[i] == NULL) return NULL;
    }
    return kept == 1 ? kids[0] : rt_intern(c, RT_ADD, RT_SIN, 0, kids, kept, NULL);
}

rt_node *rt_x_sum(rt_verify_context *c, rt_node *const *terms, size_t count) {
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        if (terms[i] == NULL) return NULL;
        total += terms[i]->kind == RT_ADD ? terms[i]->count : 1;
    }
    if (rt_x_integer(c, 1) == NULL) return NULL;
    if (count == 1) return terms[0];
    like_terms *list = rt_arena(c, total + 1, sizeof *list);
    if (list == NULL) return NULL;
    size_t used = 0;
    bool fine = true;
    for (size_t i = 0; i < count && fine; i++) {
        bool flat = terms[i]->kind == RT_ADD;
        fine = add_terms(c, list, &used, flat ? terms[i]->kid : &terms[i], flat ? terms[i]->count : 1);
    }
    rt_node *result = NULL;
    if (fine && rt_spend(c, (int64_t)used)) {
        qsort(list, used, sizeof *list, by_rest);
        size_t kept = collect(c, list, used);
        if (c->stop == RT_STOP_NONE) result = sum_of(c, list, kept);
    }
    for (size_t i = 0; i < used; i++) fmpq_clear(list[i].coefficient);
    return result;
}

rt_node *rt_x_add(rt_verify_context *c, rt_node *a, rt_node *b) {
    return rt_x_sum(c, (rt_node *[]){a, b}, 2);
}

rt_node *rt_x_neg(rt_verify_context *c, rt_node *a) {
    return rt_x_mul(c, rt_x_integer(c, -1), a);
}

rt_node *rt_x_sub(rt_verify_context *c, rt_node *a, rt_node *b) {
    return rt_x_add(c, a, rt_x_neg(c, b));
}

rt_node *rt_x_mul(rt_verify_context *c, rt_node *a, rt_node *b) {
    return rt_x_product(c, (rt_node *[]){a, b}, 2);
}

rt_node *rt_x_div(rt_verify_context *c, rt_node *a, rt_node *b) {
    return rt_x_mul(c, a, rt_x_power(c, b, rt_x_integer(c, -1)));
}

/* Products */

typedef struct factor {
    rt_node *base, *exponent, *whole; /* whole: base to the exponent as it came, NULL where exponents were added */
} factor;

typedef struct factors {
    factor *list;
    size_t count, capacity;
    fmpq_t coefficient;
    bool infinite;
} factors;

static bool push(rt_verify_context *c, factors *f, rt_node *n) {
    if (n->kind == RT_NUM) {
        fmpq_mul(f->coefficient, f->coefficient, n->number);
        return fits(c, f->coefficient);
    }
    if (n->kind == RT_INF) {
        f->infinite = true;
        return true;
    }
    if (f->count == f->capacity) {
        size_t capacity = 2 * f->capacity + 8;
        factor *list = rt_arena(c, capacity, sizeof *list);
        if (list == NULL) return false;
        if (f->count > 0) memcpy(list, f->list, f->count * sizeof *list);
        f->list = list;
        f->capacity = capacity;
    }
    bool power = n->kind == RT_POW;
    f->list[f->count++] = (factor){power ? n->kid[0] : n, power ? n->kid[1] : rt_x_integer(c, 1), n};
    return c->stop == RT_STOP_NONE;
}

static bool push_flat(rt_verify_context *c, factors *f, rt_node *n) {
    if (n->kind != RT_MUL) return push(c, f, n);
    for (uint32_t i = 0; i < n->count; i++) {
        if (!push(c, f, n->kid[i])) return false;
    }
    return true;
}

static int by_base(const void *a, const void *b) {
    uint32_t x = ((const factor *)a)->base->id, y = ((const factor *)b)->base->id;
    return x < y ? -1 : x > y;
}

static bool plain_root(const rt_node *n) {
    return n->kind == RT_ROOT && n->kid[0]->kind == RT_NUM && fmpq_sgn(n->kid[0]->number) > 0;
}

/* sqrt(a) sqrt(b) = sqrt(ab) for positive rationals: exponents are one and orders alike. */
static bool joins(const factor *a, const factor *b, const rt_node *one) {
    return a->exponent == one && b->exponent == one && plain_root(a->base) && plain_root(b->base) &&
           a->base->order == b->base->order;
}

/* Merges factors with the same base, once. True if something was merged and has to be pushed again. */
static bool merge(rt_verify_context *c, factors *f) {
    if (f->count == 0) return false;
    qsort(f->list, f->count, sizeof *f->list, by_base);
    size_t kept = 0;
    bool merged = false;
    for (size_t i = 0; i < f->count; i++) {
        factor *last = kept > 0 ? &f->list[kept - 1] : NULL;
        if (last != NULL && last->base == f->list[i].base) {
            last->exponent = rt_x_add(c, last->exponent, f->list[i].exponent);
            last->whole = NULL;
            merged = true;
        } else {
            f->list[kept++] = f->list[i];
        }
    }
    f->count = kept;
    for (size_t i = 0; i < f->count; i++) {
        for (size_t j = i + 1; j < f->count && f->list[i].base->kind == RT_ROOT; j++) {
            if (f->list[i].whole == NULL || f->list[j].whole == NULL) continue;
            if (!joins(&f->list[i], &f->list[j], c->one) || !rt_spend(c, 4)) continue;
            fmpq_t q;
            fmpq_init(q);
            fmpq_mul(q, f->list[i].base->kid[0]->number, f->list[j].base->kid[0]->number);
            rt_node *root = rt_x_root(c, rt_x_number(c, q), f->list[i].base->order);
            fmpq_clear(q);
            if (root == NULL) return false;
            f->list[i] = (factor){root, rt_x_integer(c, 1), NULL};
            memmove(&f->list[j], &f->list[j + 1], (f->count - j - 1) * sizeof *f->list);
            f->count--;
            merged = true;
            break;
        }
    }
    return merged && c->stop == RT_STOP_NONE;
}

static bool settle(rt_verify_context *c, factors *f) {
    while (merge(c, f)) {
        factors again = {0};
        fmpq_init(again.coefficient);
        fmpq_swap(again.coefficient, f->coefficient);
        again.infinite = f->infinite;
        bool fine = rt_spend(c, (int64_t)f->count);
        for (size_t i = 0; fine && i < f->count; i++) {
            rt_node *n = f->list[i].whole;
            if (n == NULL) n = rt_x_power(c, f->list[i].base, f->list[i].exponent);
            fine = n != NULL && push_flat(c, &again, n);
        }
        fmpq_clear(f->coefficient);
        *f = again;
        if (!fine) return false;
    }
    return c->stop == RT_STOP_NONE;
}

static int by_id(const void *a, const void *b) {
    uint32_t x = (*(rt_node *const *)a)->id, y = (*(rt_node *const *)b)->id;
    return x < y ? -1 : x > y;
}

/* A number times a sum is a sum: the only product that is worked out. */
static rt_node *distribute(rt_verify_context *c, const fmpq_t q, const rt_node *sum) {
    rt_node **terms = rt_arena(c, sum->count, sizeof *terms);
    if (terms == NULL) return NULL;
    fmpq_t product;
    fmpq_init(product);
    for (uint32_t i = 0; i < sum->count; i++) {
        const fmpq *own;
        rt_node *rest;
        rt_split_term(c, sum->kid[i], &own, &rest);
        if (rest == NULL) break;
        fmpq_mul(product, q, own);
        terms[i] = fits(c, product) ? scaled(c, product, rest) : NULL;
        if (terms[i] == NULL) break;
    }
    fmpq_clear(product);
    return c->stop == RT_STOP_NONE ? rt_intern(c, RT_ADD, RT_SIN, 0, terms, sum->count, NULL) : NULL;
}

static rt_node *product_of(rt_verify_context *c, const factors *f) {
    if (f->infinite) {
        if (f->count > 0 || fmpq_is_zero(f->coefficient))
            return rt_stop_at(c, RT_STOP_UNDEFINED, "a product with infinity has no value");
        rt_node *infinity = rt_x_constant(c, RT_INF);
        if (fmpq_sgn(f->coefficient) > 0) return infinity;
        return rt_intern(c, RT_MUL, RT_SIN, 0, (rt_node *[]){rt_x_integer(c, -1), infinity}, 2, NULL);
    }
    if (f->count == 0 || fmpq_is_zero(f->coefficient)) return rt_x_number(c, f->coefficient);
    bool one = fmpq_is_one(f->coefficient);
    if (f->count == 1 && one) return f->list[0].whole;
    if (f->count == 1 && f->list[0].whole->kind == RT_ADD) return distribute(c, f->coefficient, f->list[0].whole);
    rt_node **kids = rt_arena(c, f->count + 1, sizeof *kids);
    if (kids == NULL) return NULL;
    size_t count = 0;
    if (!one) kids[count++] = rt_x_number(c, f->coefficient);
    for (size_t i = 0; i < f->count; i++) kids[count++] = f->list[i].whole;
    qsort(kids + !one, f->count, sizeof *kids, by_id);
    return rt_intern(c, RT_MUL, RT_SIN, 0, kids, count, NULL);
}

rt_node *rt_x_product(rt_verify_context *c, rt_node *const *list, size_t count) {
    factors f = {0};
    if (rt_x_integer(c, 1) == NULL) return NULL;
    fmpq_init(f.coefficient);
    fmpq_one(f.coefficient);
    bool fine = true;
    for (size_t i = 0; i < count && fine; i++) fine = list[i] != NULL && push_flat(c, &f, list[i]);
    rt_node *result = NULL;
    if (fine && (f.count < 2 || settle(c, &f))) result = product_of(c, &f);
    fmpq_clear(f.coefficient);
    return result;
}
