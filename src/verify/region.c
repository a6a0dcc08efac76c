/* Sets of real numbers: unions of intervals. */
#include <string.h>

#include "verify/value.h"
#include "verify/zero.h"

rt_value *rt_region(rt_verify_context *c, rt_interval interval) {
    rt_value *v = rt_new_value(c, RT_V_REGION);
    rt_interval *list = rt_arena(c, 1, sizeof *list);
    if (v == NULL || list == NULL) return NULL;
    *list = interval;
    v->intervals = list;
    v->count = 1;
    return v;
}

rt_value *rt_region_union(rt_verify_context *c, rt_value *const *parts, size_t count) {
    size_t total = 0;
    for (size_t i = 0; i < count; i++) total += parts[i] == NULL ? 0 : parts[i]->count;
    for (size_t i = 0; i < count; i++) {
        if (parts[i] == NULL) return NULL;
    }
    rt_value *v = rt_new_value(c, RT_V_REGION);
    rt_interval *list = rt_arena(c, total + 1, sizeof *list);
    if (v == NULL || list == NULL) return NULL;
    v->intervals = list;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < parts[i]->count; k++) {
            if (parts[i]->kind == RT_V_REGION) {
                list[v->count++] = parts[i]->intervals[k];
                continue;
            }
            rt_value *item = parts[i]->items[k]; /* a finite set among the parts is one of points */
            if (item->kind != RT_V_NUMBER)
                return rt_stop_at(c, RT_STOP_SYNTAX, "a union of intervals and what are no numbers");
            list[v->count++] = (rt_interval){item->number, item->number, true, true};
        }
        if (i == 0) {
            v->named = parts[0]->named;
            v->name = parts[0]->name;
        } else if (v->name != parts[i]->name) {
            v->named = false;
            v->name = NULL;
        }
    }
    return rt_region_normal(c, v);
}

/* -1, 0, 1 of the lower ends; NULL is minus infinity; 2: unknown. */
static int compare_low(rt_verify_context *c, const rt_interval *a, const rt_interval *b) {
    if (a->low == NULL || b->low == NULL) return (a->low != NULL) - (b->low != NULL);
    int order = rt_compare(c, a->low, b->low);
    return order == 0 ? (int)b->low_closed - (int)a->low_closed : order;
}

/* Whether b begins within a or at its end, so that they are one; 2: unknown. */
static int touches(rt_verify_context *c, const rt_interval *a, const rt_interval *b) {
    if (a->high == NULL || b->low == NULL) return 1;
    int order = rt_compare(c, b->low, a->high);
    if (order == 2) return 2;
    return order < 0 || (order == 0 && (a->high_closed || b->low_closed));
}

/* 1 empty, 0 not, 2 unknown */
static int is_empty(rt_verify_context *c, const rt_interval *a) {
    if (a->low == NULL || a->high == NULL) return 0;
    int order = rt_compare(c, a->low, a->high);
    if (order == 2) return 2;
    return order > 0 || (order == 0 && !(a->low_closed && a->high_closed));
}

static bool extend(rt_verify_context *c, rt_interval *a, const rt_interval *b) {
    if (a->high == NULL) return true;
    int order = b->high == NULL ? 1 : rt_compare(c, b->high, a->high);
    if (order == 2) return false;
    if (order > 0) {
        a->high = b->high;
        a->high_closed = b->high_closed;
    } else if (order == 0) {
        a->high_closed |= b->high_closed;
    }
    return true;
}

/* Where ends cannot be compared the region stays as it was written, which loses equalities but invents none. */
rt_value *rt_region_normal(rt_verify_context *c, rt_value *region) {
    if (region == NULL || region->count < 2) return region;
    if (!rt_spend(c, (int64_t)(region->count * region->count))) return NULL;
    rt_interval *list = rt_arena(c, region->count, sizeof *list);
    if (list == NULL) return NULL;
    size_t kept = 0;
    for (size_t i = 0; i < region->count; i++) {
        int empty = is_empty(c, &region->intervals[i]);
        if (empty == 2) return c->stop == RT_STOP_NONE ? region : NULL;
        if (!empty) list[kept++] = region->intervals[i];
    }
    for (size_t i = 1; i < kept; i++) {
        for (size_t k = i; k > 0; k--) {
            int order = compare_low(c, &list[k - 1], &list[k]);
            if (order == 2) return c->stop == RT_STOP_NONE ? region : NULL;
            if (order <= 0) break;
            rt_interval t = list[k];
            list[k] = list[k - 1];
            list[k - 1] = t;
        }
    }
    size_t merged = kept > 0;
    for (size_t i = 1; i < kept; i++) {
        int touch = touches(c, &list[merged - 1], &list[i]);
        if (touch == 2 || (touch == 1 && !extend(c, &list[merged - 1], &list[i])))
            return c->stop == RT_STOP_NONE ? region : NULL;
        if (touch == 0) list[merged++] = list[i];
    }
    rt_value *v = rt_new_value(c, RT_V_REGION);
    if (v == NULL) return NULL;
    *v = *region;
    v->intervals = list;
    v->count = merged;
    return v;
}

static rt_value *plain_relation(rt_verify_context *c, rt_node *expression, rt_token_kind op) {
    rt_value *v = rt_new_value(c, RT_V_RELATION);
    if (v == NULL) return NULL;
    v->number = expression;
    v->relation = op;
    return v;
}

rt_value *rt_solve_relation(rt_verify_context *c, rt_node *expression, rt_token_kind op) {
    if (expression == NULL) return NULL;
    bool several = false;
    rt_node *x = rt_only_variable(c, expression, &several);
    if (c->stop != RT_STOP_NONE) return NULL;
    if (x == NULL) return plain_relation(c, expression, op);
    /* a x + b is linear where it is the line through its values at 0 and 1; a pole there is none. */
    bool polynomial = expression->kind == RT_ADD || expression->kind == RT_MUL || expression == x;
    for (uint32_t i = 0; i < expression->count && polynomial; i++) {
        const rt_node *k = expression->kid[i];
        polynomial = k == x || !k->has_variable || (k->kind == RT_MUL && expression->kind == RT_ADD);
        for (uint32_t j = 0; k->kind == RT_MUL && j < k->count && polynomial; j++)
            polynomial = k->kid[j] == x || !k->kid[j]->has_variable;
    }
    if (!polynomial) return plain_relation(c, expression, op);
    rt_node *b = rt_x_replace(c, expression, x, rt_x_integer(c, 0));
    rt_node *a = rt_x_sub(c, rt_x_replace(c, expression, x, rt_x_integer(c, 1)), b);
    rt_node *line = rt_x_add(c, rt_x_mul(c, a, x), b);
    if (line == NULL) return NULL;
    if (line != expression) return plain_relation(c, expression, op);
    int sign = rt_compare(c, a, rt_x_integer(c, 0));
    if (c->stop != RT_STOP_NONE) return NULL;
    if (sign == 0 || sign == 2) return plain_relation(c, expression, op);
    rt_node *end = rt_x_neg(c, rt_x_div(c, b, a));
    if (end == NULL) return NULL;
    bool closed = op == RT_T_LESS_EQUAL;
    rt_interval below = {NULL, end, false, closed}, above = {end, NULL, closed, false};
    rt_value *region;
    if (op == RT_T_NOT_EQUAL)
        region = rt_region_union(c, (rt_value *[]){rt_region(c, below), rt_region(c, above)}, 2);
    else
        region = rt_region(c, sign > 0 ? below : above);
    if (region == NULL) return NULL;
    region->named = true;
    region->name = x;
    return region;
}
