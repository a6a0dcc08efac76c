#include "verify/compare.h"

#include <string.h>

static rt_zero both(rt_zero a, rt_zero b) {
    return a == RT_NONZERO || b == RT_NONZERO ? RT_NONZERO : a == RT_ZERO && b == RT_ZERO ? RT_ZERO : RT_UNKNOWN;
}

/* Numbers and units */

static rt_node *in_base_units(rt_verify_context *c, const rt_value *v) {
    return v->unit.present ? rt_x_mul(c, v->number, v->unit.factor) : v->number;
}

/* |value - decimal| is at most half of the last place. */
static rt_zero rounds_to(rt_verify_context *c, const rt_value *decimal, rt_node *value) {
    if (value == NULL || value->has_variable || !value->real) return RT_NONZERO;
    fmpq_t half;
    fmpq_init(half);
    fmpz_set_ui(fmpq_denref(half), 10);
    fmpz_pow_ui(fmpq_denref(half), fmpq_denref(half), (ulong)decimal->decimals);
    fmpz_mul_ui(fmpq_denref(half), fmpq_denref(half), 2);
    fmpz_one(fmpq_numref(half));
    rt_node *off = rt_x_function(c, RT_ABS, rt_x_sub(c, value, decimal->number));
    int order = off == NULL ? 2 : rt_compare(c, off, rt_x_number(c, half));
    fmpq_clear(half);
    return order == 2 ? RT_UNKNOWN : order <= 0 ? RT_ZERO : RT_NONZERO;
}

static bool below_one(rt_verify_context *c, rt_node *n) {
    if (n->has_variable || !n->real) return false;
    return rt_compare(c, rt_x_function(c, RT_ABS, n), rt_x_integer(c, 1)) == -1;
}

static rt_zero same_unit(rt_verify_context *c, const rt_value *a, const rt_value *b) {
    const rt_unit *u = &a->unit, *v = &b->unit;
    const char *x = u->other == NULL ? "" : u->other, *y = v->other == NULL ? "" : v->other;
    if (memcmp(u->dimension, v->dimension, sizeof u->dimension) != 0 || strcmp(x, y) != 0) return RT_NONZERO;
    return rt_equal(c, in_base_units(c, a), in_base_units(c, b));
}

static bool is_scale(const rt_unit *u) {
    static const int8_t angle[5] = {0, 0, 0, 0, 1};
    return u->percent || memcmp(u->dimension, angle, sizeof angle) == 0;
}

/* A unit may be left out or added. Percent and degrees are numbers as well: 50% is 1/2, 90 degrees are pi/2. */
static rt_zero same_number(rt_verify_context *c, const rt_value *gold, const rt_value *pred, rt_rules rules) {
    const rt_unit *u = &gold->unit, *v = &pred->unit;
    rt_zero result;
    if (u->present && v->present) {
        result = same_unit(c, gold, pred);
        if (result == RT_NONZERO && rules.tolerant && u->other != NULL && v->other != NULL)
            result = rt_equal(c, gold->number, pred->number);
    } else {
        result = rt_equal(c, gold->number, pred->number);
        const rt_value *with = u->present ? gold : pred;
        if (with->unit.present && is_scale(&with->unit)) {
            /* "0.5%" is not one half said in percent: below one the sign is a part of the number. */
            if (v->percent && result == RT_ZERO && gold->number != rt_x_integer(c, 0) && below_one(c, gold->number))
                result = RT_NONZERO;
            if (result == RT_NONZERO) result = rt_equal(c, in_base_units(c, gold), in_base_units(c, pred));
        }
    }
    /* "in base 5" may stand in the question alone. */
    if (result == RT_NONZERO && rules.tolerant && gold->digits != NULL && pred->digits == NULL)
        result = rt_equal(c, gold->digits, pred->number);
    if (result == RT_NONZERO && rules.rounding && gold->decimals > 0 && u->present == v->present)
        result = rounds_to(c, gold, pred->number);
    return result;
}

/* Collections */

/* As many equal partners as possible; equality is transitive, so taking the first one is no loss. */
static rt_zero same_items(rt_verify_context *c, const rt_value *a, const rt_value *b, rt_rules rules) {
    if (a->count != b->count) return RT_NONZERO;
    bool *used = rt_arena(c, b->count + 1, sizeof *used), *done = rt_arena(c, a->count + 1, sizeof *done);
    if (used == NULL || done == NULL) return RT_UNKNOWN;
    /* Equal nodes first, which costs nothing. */
    for (size_t i = 0; i < a->count; i++) {
        const rt_value *x = a->items[i];
        if (!rt_spend(c, 1 + (int64_t)b->count / 16)) return RT_UNKNOWN;
        bool known = x->kind == RT_V_NUMBER && (x->number->kind == RT_NUM || rt_defined(c, x->number));
        for (size_t k = 0; known && k < b->count && !done[i]; k++) {
            const rt_value *y = b->items[k];
            if (used[k] || y->kind != RT_V_NUMBER || y->number != x->number || y->unit.present != x->unit.present)
                continue;
            if (x->unit.present || x->named || y->named) continue;
            done[i] = used[k] = true;
        }
    }
    rt_zero result = RT_ZERO;
    for (size_t i = 0; i < a->count; i++) {
        bool unknown = false;
        for (size_t k = 0; k < b->count && !done[i]; k++) {
            if (used[k]) continue;
            rt_zero same = rt_spend(c, 2) ? rt_same(c, a->items[i], b->items[k], rules) : RT_UNKNOWN;
            if (c->stop != RT_STOP_NONE) return RT_UNKNOWN;
            unknown |= same == RT_UNKNOWN;
            if (same == RT_ZERO) done[i] = used[k] = true;
        }
        if (!done[i] && !unknown) return RT_NONZERO;
        if (!done[i]) result = RT_UNKNOWN;
    }
    return result;
}

/* The set without repeats; *sure is false where some could not be told apart. */
static const rt_value *without_repeats(rt_verify_context *c, const rt_value *v, rt_rules rules, bool *sure) {
    *sure = true;
    rt_value *set = rt_new_value(c, RT_V_SET);
    rt_value **items = rt_arena(c, v->count + 1, sizeof *items);
    if (set == NULL || items == NULL) return NULL;
    set->items = items;
    for (size_t i = 0; i < v->count; i++) {
        bool repeated = false;
        for (size_t k = 0; k < set->count && !repeated; k++) {
            const rt_value *x = v->items[i], *y = items[k];
            bool plain = x->kind == RT_V_NUMBER && y->kind == RT_V_NUMBER && x->number->kind == RT_NUM &&
                         y->number->kind == RT_NUM;
            if (!rt_spend(c, 1)) return NULL;
            if (plain && x->number != y->number && !x->unit.present && !y->unit.present) continue;
            rt_zero same = rt_spend(c, 2) ? rt_same(c, x, y, rules) : RT_UNKNOWN;
            repeated = same == RT_ZERO;
            *sure &= same != RT_UNKNOWN;
            if (c->stop != RT_STOP_NONE) return NULL;
        }
        if (!repeated) items[set->count++] = v->items[i];
    }
    return set;
}

static bool is_set(const rt_value *v) {
    return v->kind == RT_V_SET || v->set_of_signs;
}

static rt_zero same_collection(rt_verify_context *c, const rt_value *a, const rt_value *b, rt_rules rules) {
    rules.rounding = false;
    if (a->count > 0 && b->count > 0 && a->count == b->count) {
        rt_zero same = same_items(c, a, b, rules);
        if (same != RT_NONZERO || (!is_set(a) && !is_set(b))) return same;
    }
    bool sure_a = true, sure_b = true;
    if (is_set(a)) a = without_repeats(c, a, rules, &sure_a);
    if (a != NULL && is_set(b)) b = without_repeats(c, b, rules, &sure_b);
    if (a == NULL || b == NULL) return RT_UNKNOWN;
    rt_zero same = same_items(c, a, b, rules);
    return sure_a && sure_b ? same : RT_UNKNOWN;
}

static rt_zero same_in_order(rt_verify_context *c, const rt_value *a, const rt_value *b, rt_rules rules) {
    if (a->count != b->count || a->columns != b->columns) return RT_NONZERO;
    rt_zero result = RT_ZERO;
    for (size_t i = 0; i < a->count && result != RT_NONZERO; i++)
        result = both(result, rt_same(c, a->items[i], b->items[i], rules));
    return result;
}

/* Regions */

static rt_zero same_end(rt_verify_context *c, rt_node *a, rt_node *b, bool a_closed, bool b_closed) {
    if (a_closed != b_closed || (a == NULL) != (b == NULL)) return RT_NONZERO;
    return a == NULL ? RT_ZERO : rt_equal(c, a, b);
}

static rt_zero same_region(rt_verify_context *c, const rt_value *a, const rt_value *b) {
    if (a->named && b->named && a->name != NULL && b->name != NULL && a->name != b->name) return RT_NONZERO;
    if (a->count != b->count) return RT_NONZERO;
    rt_zero result = RT_ZERO;
    for (size_t i = 0; i < a->count && result != RT_NONZERO; i++) {
        const rt_interval *x = &a->intervals[i], *y = &b->intervals[i];
        result = both(result, same_end(c, x->low, y->low, x->low_closed, y->low_closed));
        if (result != RT_NONZERO) result = both(result, same_end(c, x->high, y->high, x->high_closed, y->high_closed));
    }
    return result;
}

static rt_value *pair_as_region(rt_verify_context *c, const rt_value *v) {
    if (v->kind != RT_V_TUPLE || !v->round_brackets || v->count != 2) return NULL;
    if (v->items[0]->kind != RT_V_NUMBER || v->items[1]->kind != RT_V_NUMBER) return NULL;
    return rt_region(c, (rt_interval){v->items[0]->number, v->items[1]->number, false, false});
}

/* Equations and relations */

/* A constant k with a = k b, by the values at one point of the variables; NULL where there is none to be had. */
static rt_node *quotient(rt_verify_context *c, rt_node *a, rt_node *b, int64_t denominator) {
    static const int64_t primes[] = {1009, 1013, 1019, 1021, 1031, 1033, 1039, 1049, 1051, 1061};
    uint32_t last = a->id > b->id ? a->id : b->id;
    size_t used = 0;
    for (uint32_t id = 0; id <= last; id++) {
        rt_node *x = c->nodes[id];
        if (x->kind != RT_SYM) continue;
        rt_node *value = rt_x_fraction(c, primes[used % 10], denominator + 4 * (int64_t)(used / 10));
        used++;
        a = rt_x_replace(c, a, x, value);
        b = rt_x_replace(c, b, x, value);
        if (a == NULL || b == NULL) return NULL;
    }
    if (a->has_variable || b->has_variable || rt_is_zero(c, b) != RT_NONZERO || rt_is_zero(c, a) != RT_NONZERO)
        return NULL;
    return rt_x_div(c, a, b);
}

static rt_zero proportional(rt_verify_context *c, rt_node *a, rt_node *b, bool positive) {
    if (a == NULL || b == NULL) return RT_UNKNOWN;
    if (a->kind == RT_NUM || b->kind == RT_NUM) return a == b ? RT_ZERO : RT_NONZERO;
    if (a == b) return RT_ZERO;
    /* A point may lie on both curves: 7x - 7y + 4 is 0 at (1009/7, 1013/7). */
    static const int64_t denominators[] = {7, 11, 13};
    rt_node *k = NULL;
    for (size_t i = 0; k == NULL && i < 3; i++) k = quotient(c, a, b, denominators[i]);
    if (k == NULL) return RT_NONZERO;
    if (positive && rt_compare(c, k, rt_x_integer(c, 0)) != 1) return RT_NONZERO;
    return rt_equal(c, a, rt_x_mul(c, k, b));
}

/* expression = 0 for a named value or an equation. */
static rt_node *zero_form(rt_verify_context *c, const rt_value *v) {
    if (v->kind == RT_V_EQUATION) return v->number;
    if (v->kind != RT_V_NUMBER || !v->named || v->name == NULL) return NULL;
    return rt_x_sub(c, v->name, v->number);
}

/* Ratios and times */

static rt_zero same_ratio(rt_verify_context *c, const rt_value *a, const rt_value *b) {
    if (a->kind == RT_V_TIME && b->kind == RT_V_TIME) {
        if (a->text != NULL && b->text != NULL && strcmp(a->text, b->text) != 0) return RT_NONZERO;
        return both(rt_equal(c, a->items[0]->number, b->items[0]->number),
                    rt_equal(c, a->items[1]->number, b->items[1]->number));
    }
    if (a->text != NULL || b->text != NULL || a->count != b->count) return RT_NONZERO;
    rt_zero result = RT_ZERO;
    for (size_t i = 1; i < a->count && result != RT_NONZERO; i++) {
        rt_node *left = rt_x_mul(c, a->items[0]->number, b->items[i]->number);
        rt_node *right = rt_x_mul(c, a->items[i]->number, b->items[0]->number);
        result = both(result, rt_equal(c, left, right));
    }
    return result;
}

static bool is_ratio(const rt_value *v) {
    return v->kind == RT_V_RATIO || v->kind == RT_V_TIME;
}

/* In tolerant, 3 : 4 is also 3/4. */
static rt_zero ratio_and_number(rt_verify_context *c, const rt_value *ratio, const rt_value *number, rt_rules rules) {
    if (!rules.tolerant || ratio->kind != RT_V_RATIO || ratio->count != 2) return RT_NONZERO;
    return rt_equal(c, rt_x_mul(c, number->number, ratio->items[1]->number), ratio->items[0]->number);
}

static bool is_vector(const rt_value *v) {
    return v->kind == RT_V_MATRIX && (v->columns == 1 || v->columns == v->count);
}

static rt_zero same_kind(rt_verify_context *c, const rt_value *a, const rt_value *b, rt_rules rules) {
    switch (a->kind) {
    case RT_V_NUMBER: return same_number(c, a, b, rules);
    case RT_V_LIST:
    case RT_V_SET: return same_collection(c, a, b, rules);
    case RT_V_TUPLE:
    case RT_V_MATRIX: return same_in_order(c, a, b, rules);
    case RT_V_REGION: return same_region(c, a, b);
    case RT_V_EQUATION: return proportional(c, a->number, b->number, false);
    case RT_V_RELATION:
        if (a->relation != b->relation) return RT_NONZERO;
        return proportional(c, a->number, b->number, a->relation != RT_T_NOT_EQUAL);
    case RT_V_RATIO:
    case RT_V_TIME: return same_ratio(c, a, b);
    case RT_V_TEXT: return strcmp(a->text, b->text) == 0 ? RT_ZERO : RT_NONZERO;
    }
    return RT_UNKNOWN;
}

static rt_zero unlike_kinds(rt_verify_context *c, const rt_value *a, const rt_value *b, rt_rules rules) {
    if (a->kind == RT_V_REGION || b->kind == RT_V_REGION) {
        rt_value *x = a->kind == RT_V_REGION ? pair_as_region(c, b) : pair_as_region(c, a);
        if (x != NULL) return a->kind == RT_V_REGION ? same_region(c, a, x) : same_region(c, x, b);
        return RT_NONZERO;
    }
    bool collections = (a->kind == RT_V_LIST || a->kind == RT_V_SET) && (b->kind == RT_V_LIST || b->kind == RT_V_SET);
    if (collections) return same_collection(c, a, b, rules);
    if (is_ratio(a) && is_ratio(b)) return same_ratio(c, a, b);
    if (is_ratio(a) && b->kind == RT_V_NUMBER) return ratio_and_number(c, a, b, rules);
    if (is_ratio(b) && a->kind == RT_V_NUMBER) return ratio_and_number(c, b, a, rules);
    if (rules.tolerant && ((is_vector(a) && b->kind == RT_V_TUPLE) || (is_vector(b) && a->kind == RT_V_TUPLE))) {
        rt_value x = *a, y = *b;
        x.columns = y.columns = 0;
        return same_in_order(c, &x, &y, rules);
    }
    if ((a->kind == RT_V_SET || a->set_of_signs) && a->count == 1) return rt_same(c, a->items[0], b, rules);
    if ((b->kind == RT_V_SET || b->set_of_signs) && b->count == 1) return rt_same(c, a, b->items[0], rules);
    return RT_NONZERO;
}

/* Two names for the same thing are unlike, but f(x) = and y = name the same rule. */
static bool unlike_names(const rt_value *a, const rt_value *b) {
    if (!a->named || !b->named || a->name == b->name) return false;
    return a->name != NULL && b->name != NULL;
}

rt_zero rt_same(rt_verify_context *c, const rt_value *gold, const rt_value *pred, rt_rules rules) {
    if (c->stop != RT_STOP_NONE) return RT_UNKNOWN;
    if (gold->kind == RT_V_EQUATION || pred->kind == RT_V_EQUATION ||
        (unlike_names(gold, pred) && gold->kind == RT_V_NUMBER && pred->kind == RT_V_NUMBER)) {
        rt_node *a = zero_form(c, gold), *b = zero_form(c, pred);
        return a == NULL || b == NULL ? RT_NONZERO : proportional(c, a, b, false);
    }
    if (unlike_names(gold, pred)) return RT_NONZERO;
    if (gold->kind == pred->kind) return same_kind(c, gold, pred, rules);
    return unlike_kinds(c, gold, pred, rules);
}
