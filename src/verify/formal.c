/* Normal forms of rational functions: everything is written as a quotient of polynomials with whole coefficients in
 * generators, which are
 *
 *     variables, pi and other constants and functions taken as they are;
 *     roots r = a^(1/k), with the relation r^k = a, and i with i^2 = -1;
 *     s = sin(t/d) and c = cos(t/d) for every angle t that occurs, with s^2 = 1 - c^2 and the theorems of addition;
 *     x = exp(t/d) for every exponent t that occurs; b^t is exp(t ln b).
 *
 * An expression whose numerator is the zero polynomial, after the relations, is zero. Otherwise the numerator is
 * collected by the generators that are not algebraic constants: where each coefficient is zero (algebraic numbers,
 * decided by bound.c) so is the whole; where one is not, and the generators are variables and at most pi, the whole is
 * not zero. */
#include <string.h>

#include <calcium/fmpz_mpoly_q.h>

#include "verify/zero.h"

enum {
    GENERATORS = 24,
    TERMS_MAXIMUM = 1500,      /* of a numerator or denominator */
    FRACTION_TERMS = 150,      /* where a greatest common divisor has to be found */
    MULTIPLE_MAXIMUM = 24,     /* of an angle */
    EXPONENT_MAXIMUM = 100000, /* of a generator */
    COEFFICIENT_BITS = 20000,
    COEFFICIENTS = 300, /* to be decided one by one */
};

typedef enum gen_kind { GEN_FREE, GEN_PI, GEN_OTHER, GEN_ALGEBRAIC, GEN_ROOT, GEN_SINE, GEN_COSINE, GEN_EXP } gen_kind;

typedef struct generator {
    gen_kind kind;
    rt_node *node;         /* its value */
    const rt_node *base;   /* the angle or exponent t */
    int64_t order;         /* of a root */
    fmpz_mpoly_q_t square; /* of a root: its radicand */
} generator;

/* An angle or exponent t that occurs, and the least common denominator d of its coefficients. */
typedef struct measure {
    const rt_node *rest;
    fmpz_t d;
    bool exponent;
} measure;

typedef struct formal {
    rt_verify_context *c;
    fmpz_mpoly_ctx_t ring;
    generator gens[GENERATORS];
    size_t count;
    measure measures[GENERATORS];
    size_t measure_count;
    fmpz_mpoly_q_struct **memo; /* by id of the node */
    uint32_t memo_size;
    bool given_up;
} formal;

static bool convert(formal *f, rt_node *n, fmpz_mpoly_q_t out);

static bool give_up(formal *f) {
    f->given_up = true;
    return false;
}

static size_t terms_of(const fmpz_mpoly_q_t q) {
    return (size_t)q->num.length + (size_t)q->den.length;
}

static int64_t bits_of(const fmpz_mpoly_t p, const fmpz_mpoly_ctx_t ring) {
    slong bits = fmpz_mpoly_max_bits(p);
    (void)ring;
    return bits < 0 ? -bits : bits;
}

/* Whether an operation on a and b stays within limits, and its price. */
static bool affordable(formal *f, const fmpz_mpoly_q_t a, const fmpz_mpoly_q_t b) {
    bool whole = fmpz_mpoly_is_fmpz(&a->den, f->ring) && fmpz_mpoly_is_fmpz(&b->den, f->ring);
    size_t most = whole ? TERMS_MAXIMUM : FRACTION_TERMS;
    if (terms_of(a) > most || terms_of(b) > most) return give_up(f);
    int64_t size = (int64_t)(terms_of(a) * terms_of(b));
    int64_t bits = bits_of(&a->num, f->ring) + bits_of(&b->num, f->ring);
    if (bits > COEFFICIENT_BITS) return give_up(f);
    return rt_spend(f->c, (20 + size) * (whole ? 2 : 20) * (1 + bits / 256));
}

static bool multiply(formal *f, fmpz_mpoly_q_t out, const fmpz_mpoly_q_t a, const fmpz_mpoly_q_t b) {
    if (!affordable(f, a, b)) return false;
    fmpz_mpoly_q_mul(out, a, b, f->ring);
    return true;
}

static bool add(formal *f, fmpz_mpoly_q_t out, const fmpz_mpoly_q_t a, const fmpz_mpoly_q_t b) {
    if (!affordable(f, a, b)) return false;
    fmpz_mpoly_q_add(out, a, b, f->ring);
    return true;
}

static bool invert(formal *f, fmpz_mpoly_q_t out, const fmpz_mpoly_q_t a) {
    if (fmpz_mpoly_is_zero(&a->num, f->ring)) {
        rt_stop_at(f->c, RT_STOP_UNDEFINED, "division by zero");
        return false;
    }
    fmpz_mpoly_q_inv(out, a, f->ring);
    return true;
}

/* The terms that p^n can have: monomials choose with repetition; false when more than the limit. */
static bool power_fits(const fmpz_mpoly_t p, int64_t n, const fmpz_mpoly_ctx_t ring) {
    double terms = 1;
    if (p->length == 0) return true;
    for (slong i = 1; i < p->length && terms <= 4 * TERMS_MAXIMUM; i++) terms *= (double)(n + i) / (double)i;
    double degree = (double)fmpz_mpoly_total_degree_si(p, ring) * (double)n;
    bool one_variable = false;
    int used = 0;
    for (slong v = 0; v < ring->minfo->nvars; v++) used += fmpz_mpoly_degree_si(p, v, ring) > 0;
    one_variable = used <= 1;
    if (one_variable && degree + 1 < terms) terms = degree + 1;
    return terms <= TERMS_MAXIMUM && degree <= EXPONENT_MAXIMUM &&
           (double)bits_of(p, ring) * (double)n <= COEFFICIENT_BITS;
}

static bool power(formal *f, fmpz_mpoly_q_t out, const fmpz_mpoly_q_t a, int64_t n) {
    if (n < 0) {
        fmpz_mpoly_q_t inverse;
        fmpz_mpoly_q_init(inverse, f->ring);
        bool fine = invert(f, inverse, a) && power(f, out, inverse, -n);
        fmpz_mpoly_q_clear(inverse, f->ring);
        return fine;
    }
    if (!power_fits(&a->num, n, f->ring) || !power_fits(&a->den, n, f->ring)) return give_up(f);
    if (!rt_spend(f->c, 20 + n * (int64_t)terms_of(a) * 20)) return false;
    /* num and den have no common factor, so their powers have none. */
    fmpz_mpoly_t den;
    fmpz_mpoly_init(den, f->ring);
    bool fine =
        fmpz_mpoly_pow_ui(den, &a->den, (ulong)n, f->ring) && fmpz_mpoly_pow_ui(&out->num, &a->num, (ulong)n, f->ring);
    fmpz_mpoly_swap(den, &out->den, f->ring);
    fmpz_mpoly_clear(den, f->ring);
    return fine || give_up(f);
}

/* Generators */

static bool use_generator(formal *f, gen_kind kind, rt_node *node, const rt_node *base, size_t *index) {
    for (size_t i = 0; i < f->count; i++) {
        if (f->gens[i].kind == kind && f->gens[i].node == node && f->gens[i].base == base) {
            *index = i;
            return true;
        }
    }
    if (f->count == GENERATORS || (slong)f->count == f->ring->minfo->nvars) return give_up(f);
    *index = f->count;
    f->gens[f->count++] = (generator){.kind = kind, .node = node, .base = base};
    return true;
}

static bool set_generator(formal *f, gen_kind kind, rt_node *node, const rt_node *base, fmpz_mpoly_q_t out) {
    size_t index = 0;
    if (!use_generator(f, kind, node, base, &index)) return false;
    fmpz_mpoly_gen(&out->num, (slong)index, f->ring);
    fmpz_mpoly_one(&out->den, f->ring);
    return true;
}

static bool set_root(formal *f, rt_node *n, fmpz_mpoly_q_t out) {
    for (size_t i = 0; i < f->count; i++) {
        if (f->gens[i].kind == GEN_ROOT && f->gens[i].node == n) {
            fmpz_mpoly_gen(&out->num, (slong)i, f->ring);
            fmpz_mpoly_one(&out->den, f->ring);
            return true;
        }
    }
    if (n->order > 1000) return set_generator(f, n->has_variable ? GEN_OTHER : GEN_ALGEBRAIC, n, NULL, out);
    fmpz_mpoly_q_t radicand;
    fmpz_mpoly_q_init(radicand, f->ring);
    bool fine = true;
    if (n->kind == RT_I)
        fmpz_mpoly_q_set_si(radicand, -1, f->ring);
    else
        fine = convert(f, n->kid[0], radicand); /* its generators come before this one */
    size_t index = 0;
    fine = fine && use_generator(f, GEN_ROOT, n, NULL, &index);
    if (fine) {
        f->gens[index].order = n->kind == RT_I ? 2 : n->order;
        fmpz_mpoly_q_init(f->gens[index].square, f->ring);
        fmpz_mpoly_q_swap(f->gens[index].square, radicand, f->ring);
        fmpz_mpoly_gen(&out->num, (slong)index, f->ring);
        fmpz_mpoly_one(&out->den, f->ring);
    }
    fmpz_mpoly_q_clear(radicand, f->ring);
    return fine;
}

/* Angles and exponents */

static void term_list(rt_node *n, rt_node *const **terms, size_t *count) {
    *terms = n->kind == RT_ADD ? n->kid : NULL;
    *count = n->kind == RT_ADD ? n->count : 1;
}

/* t ln b for b^t, worked out into a sum of products. */
static rt_node *exponent_of(rt_verify_context *c, rt_node *n) {
    if (n->kind == RT_E) return rt_x_integer(c, 1);
    rt_node *t = n->kid[1];
    if (n->kid[0]->kind == RT_E) return t;
    rt_node *log = rt_x_function(c, RT_LN, n->kid[0]);
    if (log == NULL) return NULL;
    rt_node *const *a, *const *b;
    size_t a_count, b_count;
    term_list(t, &a, &a_count);
    term_list(log, &b, &b_count);
    rt_node *sum = rt_x_integer(c, 0);
    for (size_t i = 0; i < a_count; i++) {
        for (size_t j = 0; j < b_count; j++)
            sum = rt_x_add(c, sum, rt_x_mul(c, a == NULL ? t : a[i], b == NULL ? log : b[j]));
    }
    return sum;
}

static measure *find_measure(formal *f, const rt_node *rest, bool exponent) {
    for (size_t i = 0; i < f->measure_count; i++) {
        if (f->measures[i].rest == rest && f->measures[i].exponent == exponent) return &f->measures[i];
    }
    return NULL;
}

static bool note_terms(formal *f, rt_node *sum, bool exponent) {
    rt_node *const *terms;
    size_t count;
    if (sum == NULL) return false;
    term_list(sum, &terms, &count);
    for (size_t i = 0; i < count; i++) {
        const fmpq *q;
        rt_node *rest;
        rt_split_term(f->c, terms == NULL ? sum : terms[i], &q, &rest);
        if (rest == NULL) return false;
        measure *m = find_measure(f, rest, exponent);
        if (m == NULL) {
            if (f->measure_count == GENERATORS) return give_up(f);
            m = &f->measures[f->measure_count++];
            *m = (measure){.rest = rest, .exponent = exponent};
            fmpz_init_set_si(m->d, 1);
        }
        fmpz_lcm(m->d, m->d, fmpq_denref(q));
        if (fmpz_bits(m->d) > 40) return give_up(f);
    }
    return true;
}

static bool is_turn(const rt_node *n) {
    const rt_node *x = n->kid[0];
    return x->kind == RT_MUL && x->count == 2 && x->kid[0]->kind == RT_NUM && x->kid[1]->kind == RT_PI;
}

static bool is_wave(const rt_node *n) {
    return n->kind == RT_FN && (n->fn == RT_SIN || n->fn == RT_COS) && !is_turn(n);
}

static bool is_exponential(const rt_node *n) {
    return n->kind == RT_E || (n->kind == RT_POW && !rt_is_integer(n->kid[1]));
}

static bool note_measures(formal *f, rt_node *n) {
    size_t count = 0;
    rt_node **parts = rt_parts(f->c, n, &count);
    for (size_t i = 0; parts != NULL && i < count; i++) {
        if (is_wave(parts[i]) && !note_terms(f, parts[i]->kid[0], false)) return false;
        if (is_exponential(parts[i]) && !note_terms(f, exponent_of(f->c, parts[i]), true)) return false;
    }
    return parts != NULL;
}

/* The coefficient of a term in units of 1/d. */
static bool multiple_of(formal *f, const measure *m, const fmpq_t q, int64_t bound, int64_t *k) {
    fmpz_t n;
    fmpz_init(n);
    fmpz_divexact(n, m->d, fmpq_denref(q));
    fmpz_mul(n, n, fmpq_numref(q));
    bool fine = fmpz_bits(n) < 60;
    if (fine) *k = fmpz_get_si(n);
    fmpz_clear(n);
    return (fine && *k >= -bound && *k <= bound) || give_up(f);
}

/* cos and sin of k times the angle whose cosine and sine are c1 and s1. */
static bool multiple_angle(formal *f, int64_t k, const fmpz_mpoly_q_t c1, const fmpz_mpoly_q_t s1,
                           fmpz_mpoly_q_t cosine, fmpz_mpoly_q_t sine) {
    fmpz_mpoly_q_t a, b, next;
    fmpz_mpoly_q_init(a, f->ring);
    fmpz_mpoly_q_init(b, f->ring);
    fmpz_mpoly_q_init(next, f->ring);
    fmpz_mpoly_q_set_si(cosine, 1, f->ring);
    fmpz_mpoly_q_set_si(sine, 0, f->ring);
    bool fine = true;
    for (int64_t i = 0; fine && i < (k < 0 ? -k : k); i++) {
        fine = multiply(f, a, cosine, c1) && multiply(f, b, sine, s1);
        if (!fine) break;
        fmpz_mpoly_q_sub(next, a, b, f->ring);
        fine = multiply(f, a, sine, c1) && multiply(f, b, cosine, s1) && add(f, sine, a, b);
        fmpz_mpoly_q_swap(cosine, next, f->ring);
    }
    if (k < 0) fmpz_mpoly_q_neg(sine, sine, f->ring);
    fmpz_mpoly_q_clear(next, f->ring);
    fmpz_mpoly_q_clear(b, f->ring);
    fmpz_mpoly_q_clear(a, f->ring);
    return fine;
}

/* Cosine and sine of one term of an angle. */
static bool term_angle(formal *f, rt_node *term, fmpz_mpoly_q_t cosine, fmpz_mpoly_q_t sine) {
    rt_verify_context *c = f->c;
    if (term->kind == RT_PI ||
        (term->kind == RT_MUL && term->count == 2 && term->kid[0]->kind == RT_NUM && term->kid[1]->kind == RT_PI))
        return convert(f, rt_x_function(c, RT_COS, term), cosine) && convert(f, rt_x_function(c, RT_SIN, term), sine);
    const fmpq *q;
    rt_node *rest;
    int64_t k = 0;
    rt_split_term(c, term, &q, &rest);
    measure *m = rest == NULL ? NULL : find_measure(f, rest, false);
    if (m == NULL || !multiple_of(f, m, q, MULTIPLE_MAXIMUM, &k)) return give_up(f);
    fmpq_t part;
    fmpq_init(part);
    fmpq_set_fmpz(part, m->d);
    fmpq_inv(part, part);
    rt_node *unit = rt_x_mul(c, rt_x_number(c, part), rest);
    fmpq_clear(part);
    fmpz_mpoly_q_t c1, s1;
    fmpz_mpoly_q_init(c1, f->ring);
    fmpz_mpoly_q_init(s1, f->ring);
    rt_node *cos_node = rt_x_function(c, RT_COS, unit), *sin_node = rt_x_function(c, RT_SIN, unit);
    bool fine = cos_node != NULL && sin_node != NULL && set_generator(f, GEN_COSINE, cos_node, rest, c1) &&
                set_generator(f, GEN_SINE, sin_node, rest, s1) && multiple_angle(f, k, c1, s1, cosine, sine);
    fmpz_mpoly_q_clear(s1, f->ring);
    fmpz_mpoly_q_clear(c1, f->ring);
    return fine;
}

static bool set_wave(formal *f, rt_node *n, fmpz_mpoly_q_t out) {
    rt_node *const *terms;
    size_t count;
    term_list(n->kid[0], &terms, &count);
    fmpz_mpoly_q_t v[7]; /* cosine, sine of the sum; of a term; three products */
    for (size_t i = 0; i < 7; i++) fmpz_mpoly_q_init(v[i], f->ring);
    fmpz_mpoly_q_set_si(v[0], 1, f->ring);
    bool fine = true;
    for (size_t i = 0; fine && i < count; i++) {
        fine = term_angle(f, terms == NULL ? n->kid[0] : terms[i], v[2], v[3]) && multiply(f, v[4], v[0], v[2]) &&
               multiply(f, v[5], v[1], v[3]);
        if (!fine) break;
        fmpz_mpoly_q_sub(v[6], v[4], v[5], f->ring);
        fine = multiply(f, v[4], v[1], v[2]) && multiply(f, v[5], v[0], v[3]) && add(f, v[1], v[4], v[5]);
        fmpz_mpoly_q_swap(v[0], v[6], f->ring);
    }
    if (fine) fmpz_mpoly_q_set(out, v[n->fn == RT_COS ? 0 : 1], f->ring);
    for (size_t i = 0; i < 7; i++) fmpz_mpoly_q_clear(v[i], f->ring);
    return fine;
}

/* exp of one term: an exact value where there is one, else a power of a generator. */
static bool term_exponential(formal *f, rt_node *term, fmpz_mpoly_q_t out) {
    rt_verify_context *c = f->c;
    const fmpq *q;
    rt_node *rest;
    int64_t k = 0;
    rt_split_term(c, term, &q, &rest);
    if (rest == NULL) return false;
    rt_node *e = rt_x_constant(c, RT_E);
    if (rest != c->one) {
        rt_node *value = rt_x_power(c, e, term);
        if (value == NULL) return false;
        if (!is_exponential(value)) return convert(f, value, out);
    }
    measure *m = find_measure(f, rest, true);
    if (m == NULL || !multiple_of(f, m, q, EXPONENT_MAXIMUM, &k)) return give_up(f);
    fmpq_t part;
    fmpq_init(part);
    fmpq_set_fmpz(part, m->d);
    fmpq_inv(part, part);
    rt_node *unit = rt_x_mul(c, rt_x_number(c, part), rest);
    fmpq_clear(part);
    rt_node *value = unit == NULL ? NULL : rt_power_plain(c, e, unit);
    fmpz_mpoly_q_t x;
    fmpz_mpoly_q_init(x, f->ring);
    bool fine = value != NULL && set_generator(f, GEN_EXP, value, rest, x) && power(f, out, x, k);
    fmpz_mpoly_q_clear(x, f->ring);
    return fine;
}

static bool set_exponential(formal *f, rt_node *n, fmpz_mpoly_q_t out) {
    rt_node *sum = exponent_of(f->c, n);
    if (sum == NULL) return false;
    rt_node *const *terms;
    size_t count;
    term_list(sum, &terms, &count);
    fmpz_mpoly_q_t term, product;
    fmpz_mpoly_q_init(term, f->ring);
    fmpz_mpoly_q_init(product, f->ring);
    fmpz_mpoly_q_set_si(product, 1, f->ring);
    bool fine = true;
    for (size_t i = 0; fine && i < count; i++)
        fine = term_exponential(f, terms == NULL ? sum : terms[i], term) && multiply(f, product, product, term);
    if (fine) fmpz_mpoly_q_set(out, product, f->ring);
    fmpz_mpoly_q_clear(product, f->ring);
    fmpz_mpoly_q_clear(term, f->ring);
    return fine;
}

/* Conversion */

static bool convert_operands(formal *f, rt_node *n, fmpz_mpoly_q_t out) {
    fmpz_mpoly_q_t term, total;
    fmpz_mpoly_q_init(term, f->ring);
    fmpz_mpoly_q_init(total, f->ring);
    fmpz_mpoly_q_set_si(total, n->kind == RT_MUL, f->ring);
    bool fine = true;
    for (uint32_t i = 0; fine && i < n->count; i++) {
        fine = convert(f, n->kid[i], term) &&
               (n->kind == RT_ADD ? add(f, total, total, term) : multiply(f, total, total, term));
    }
    if (fine) fmpz_mpoly_q_swap(out, total, f->ring);
    fmpz_mpoly_q_clear(total, f->ring);
    fmpz_mpoly_q_clear(term, f->ring);
    return fine;
}

static bool convert_anew(formal *f, rt_node *n, fmpz_mpoly_q_t out) {
    int64_t e;
    switch (n->kind) {
    case RT_NUM: fmpz_mpoly_q_set_fmpq(out, n->number, f->ring); return true;
    case RT_PI: return set_generator(f, GEN_PI, n, NULL, out);
    case RT_I:
    case RT_ROOT: return set_root(f, n, out);
    case RT_SYM: return set_generator(f, GEN_FREE, n, NULL, out);
    case RT_ADD:
    case RT_MUL: return convert_operands(f, n, out);
    case RT_E: return set_exponential(f, n, out);
    case RT_POW:
        if (!rt_is_integer(n->kid[1])) return set_exponential(f, n, out);
        if (!rt_small_integer(n->kid[1], EXPONENT_MAXIMUM, &e)) return give_up(f);
        return convert(f, n->kid[0], out) && power(f, out, out, e);
    case RT_FN:
        if (is_wave(n)) return set_wave(f, n, out);
        return set_generator(f, n->fn == RT_COS && is_turn(n) ? GEN_ALGEBRAIC : GEN_OTHER, n, NULL, out);
    default: return give_up(f);
    }
}

static bool convert(formal *f, rt_node *n, fmpz_mpoly_q_t out) {
    if (n == NULL || f->given_up || !rt_spend(f->c, 4)) return false;
    bool keep = n->id < f->memo_size && n->kind != RT_NUM;
    if (keep && f->memo[n->id] != NULL) {
        fmpz_mpoly_q_set(out, f->memo[n->id], f->ring);
        return true;
    }
    if (!convert_anew(f, n, out)) return false;
    if (!keep) return true;
    fmpz_mpoly_q_struct *copy = rt_arena(f->c, 1, sizeof *copy);
    if (copy == NULL) return false;
    fmpz_mpoly_q_init(copy, f->ring);
    fmpz_mpoly_q_set(copy, out, f->ring);
    f->memo[n->id] = copy;
    return true;
}

/* Decision */

/* Replaces g^e by g^(e mod order) value^(e div order), multiplied by a power of the value's denominator. */
static bool reduce_by(formal *f, fmpz_mpoly_t p, slong gen, int64_t order, const fmpz_mpoly_t top,
                      const fmpz_mpoly_t bottom) {
    if (fmpz_mpoly_degree_si(p, gen, f->ring) < order) return true;
    fmpz_mpoly_univar_t u;
    fmpz_mpoly_t sum, part, factor;
    fmpz_mpoly_univar_init(u, f->ring);
    fmpz_mpoly_init(sum, f->ring);
    fmpz_mpoly_init(part, f->ring);
    fmpz_mpoly_init(factor, f->ring);
    fmpz_mpoly_to_univar(u, p, gen, f->ring);
    slong length = fmpz_mpoly_univar_length(u, f->ring);
    int64_t most = fmpz_mpoly_univar_get_term_exp_si(u, 0, f->ring) / order;
    bool fine = true;
    for (slong i = 0; fine && i < length; i++) {
        int64_t e = fmpz_mpoly_univar_get_term_exp_si(u, i, f->ring);
        fmpz_mpoly_univar_get_term_coeff(part, u, i, f->ring);
        const fmpz_mpoly_struct *bases[2] = {top, bottom};
        int64_t exponents[2] = {e / order, most - e / order};
        for (int k = 0; fine && k < 2; k++) {
            if (!power_fits(bases[k], exponents[k], f->ring)) fine = give_up(f);
            fine = fine && fmpz_mpoly_pow_ui(factor, bases[k], (ulong)exponents[k], f->ring) &&
                   part->length * factor->length <= 40000 && rt_spend(f->c, 20 + 2 * part->length * factor->length);
            if (fine) fmpz_mpoly_mul(part, part, factor, f->ring);
        }
        if (!fine) break;
        fmpz_mpoly_gen(factor, gen, f->ring);
        fmpz_mpoly_pow_ui(factor, factor, (ulong)(e % order), f->ring);
        fmpz_mpoly_mul(part, part, factor, f->ring);
        fmpz_mpoly_add(sum, sum, part, f->ring);
        fine = sum->length <= 8 * TERMS_MAXIMUM || give_up(f);
    }
    if (fine) fmpz_mpoly_swap(p, sum, f->ring);
    fmpz_mpoly_clear(factor, f->ring);
    fmpz_mpoly_clear(part, f->ring);
    fmpz_mpoly_clear(sum, f->ring);
    fmpz_mpoly_univar_clear(u, f->ring);
    return fine || give_up(f);
}

static bool reduce(formal *f, fmpz_mpoly_t p) {
    fmpz_mpoly_t one, circle;
    fmpz_mpoly_init(one, f->ring);
    fmpz_mpoly_init(circle, f->ring);
    fmpz_mpoly_one(one, f->ring);
    bool fine = true;
    /* Newest first: a radicand has only older generators. */
    for (size_t i = f->count; fine && i-- > 0;) {
        generator *g = &f->gens[i];
        if (g->kind == GEN_ROOT) fine = reduce_by(f, p, (slong)i, g->order, &g->square->num, &g->square->den);
        if (g->kind != GEN_SINE) continue;
        for (size_t j = 0; j < f->count; j++) {
            if (f->gens[j].kind != GEN_COSINE || f->gens[j].base != g->base) continue;
            fmpz_mpoly_gen(circle, (slong)j, f->ring);
            fmpz_mpoly_mul(circle, circle, circle, f->ring);
            fmpz_mpoly_sub(circle, one, circle, f->ring);
            fine = reduce_by(f, p, (slong)i, 2, circle, one);
        }
    }
    fmpz_mpoly_clear(circle, f->ring);
    fmpz_mpoly_clear(one, f->ring);
    return fine;
}

static bool is_inner(const generator *g) {
    return g->kind == GEN_ALGEBRAIC || (g->kind == GEN_ROOT && !g->node->has_variable);
}

/* Coefficient times the algebraic generators of one term. */
static rt_node *inner_part(formal *f, const fmpz_mpoly_t p, slong term, const ulong *exponents) {
    fmpq_t q;
    fmpq_init(q);
    fmpz_mpoly_get_term_coeff_fmpz(fmpq_numref(q), p, term, f->ring);
    rt_node *n = rt_x_number(f->c, q);
    fmpq_clear(q);
    for (size_t g = 0; g < f->count; g++) {
        if (!is_inner(&f->gens[g]) || exponents[g] == 0) continue;
        n = rt_x_mul(f->c, n, rt_x_power(f->c, f->gens[g].node, rt_x_integer(f->c, (int64_t)exponents[g])));
    }
    return n;
}

static bool same_outer(const formal *f, const ulong *a, const ulong *b) {
    for (size_t g = 0; g < f->count; g++) {
        if (!is_inner(&f->gens[g]) && a[g] != b[g]) return false;
    }
    return true;
}

static bool independent(const formal *f, const fmpz_mpoly_t p) {
    int constants = 0;
    for (size_t g = 0; g < f->count; g++) {
        gen_kind kind = f->gens[g].kind;
        if (is_inner(&f->gens[g]) || fmpz_mpoly_degree_si(p, (slong)g, f->ring) == 0) continue;
        if (kind == GEN_PI || (kind == GEN_EXP && f->gens[g].base == f->c->one))
            constants++;
        else if (kind != GEN_FREE)
            return false;
    }
    return constants <= 1;
}

static rt_zero by_coefficients(formal *f, const fmpz_mpoly_t p) {
    if (p->length > COEFFICIENTS) return RT_UNKNOWN;
    size_t vars = (size_t)f->ring->minfo->nvars, length = (size_t)p->length;
    if (!rt_spend(f->c, p->length * p->length)) return RT_UNKNOWN;
    ulong *exponents = rt_arena(f->c, length * vars, sizeof *exponents);
    bool *done = rt_arena(f->c, length, sizeof *done);
    if (exponents == NULL || done == NULL) return RT_UNKNOWN;
    for (size_t i = 0; i < length; i++) fmpz_mpoly_get_term_exp_ui(exponents + i * vars, p, (slong)i, f->ring);
    bool all_zero = true;
    for (size_t i = 0; i < length; i++) {
        if (done[i]) continue;
        rt_node *sum = rt_x_integer(f->c, 0);
        for (size_t j = i; j < length; j++) {
            if (!same_outer(f, exponents + i * vars, exponents + j * vars)) continue;
            done[j] = true;
            sum = rt_x_add(f->c, sum, inner_part(f, p, (slong)j, exponents + j * vars));
        }
        if (sum == NULL) return RT_UNKNOWN;
        rt_zero zero = rt_algebraic_zero(f->c, sum);
        if (zero == RT_NONZERO && independent(f, p)) return RT_NONZERO;
        all_zero &= zero == RT_ZERO;
    }
    return all_zero ? RT_ZERO : RT_UNKNOWN;
}

static slong count_generators(rt_verify_context *c, rt_node *n) {
    size_t parts_count = 0;
    rt_node **parts = rt_parts(c, n, &parts_count);
    slong count = 1;
    for (size_t i = 0; parts != NULL && i < parts_count; i++) {
        rt_kind kind = parts[i]->kind;
        if (is_exponential(parts[i]))
            count += 4;
        else if (kind == RT_FN)
            count += 2;
        else
            count += kind == RT_SYM || kind == RT_PI || kind == RT_I || kind == RT_ROOT;
    }
    return count > GENERATORS ? GENERATORS : count;
}

rt_zero rt_formal_zero(rt_verify_context *c, rt_node *n) {
    if (n == NULL || n->has_infinity || n->has_degree || n->has_sign) return RT_UNKNOWN;
    formal *f = rt_arena(c, 1, sizeof *f);
    if (f == NULL) return RT_UNKNOWN;
    f->c = c;
    f->memo_size = n->id + 1;
    f->memo = rt_arena(c, f->memo_size, sizeof(fmpz_mpoly_q_struct *));
    if (f->memo == NULL) return RT_UNKNOWN;
    fmpz_mpoly_ctx_init(f->ring, count_generators(c, n), ORD_LEX);
    fmpz_mpoly_q_t q;
    fmpz_mpoly_q_init(q, f->ring);
    rt_zero result = RT_UNKNOWN;
    if (note_measures(f, n) && convert(f, n, q)) {
        if (fmpz_mpoly_is_zero(&q->num, f->ring))
            result = RT_ZERO;
        else if (reduce(f, &q->num))
            result = fmpz_mpoly_is_zero(&q->num, f->ring) ? RT_ZERO : by_coefficients(f, &q->num);
    }
    fmpz_mpoly_q_clear(q, f->ring);
    for (uint32_t id = 0; id < f->memo_size; id++) {
        if (f->memo[id] != NULL) fmpz_mpoly_q_clear(f->memo[id], f->ring);
    }
    for (size_t i = 0; i < f->count; i++) {
        if (f->gens[i].kind == GEN_ROOT) fmpz_mpoly_q_clear(f->gens[i].square, f->ring);
    }
    for (size_t i = 0; i < f->measure_count; i++) fmpz_clear(f->measures[i].d);
    fmpz_mpoly_ctx_clear(f->ring);
    return result;
}
