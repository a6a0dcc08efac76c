/* Canonical forms for people: one text for equal normal forms, whatever the order in which they were written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/compare.h"

enum { TEXT_MAXIMUM = 2000 };

/* How tightly a text binds: what needs brackets within what. */
typedef enum binding { SUM, PRODUCT, POWER, ATOM } binding;

typedef struct piece {
    const char *text;
    binding level;
} piece;

typedef struct printer {
    rt_verify_context *c;
    piece *known; /* by id: a part that occurs often is printed once */
    uint32_t size;
} printer;

static piece show(printer *p, rt_node *n);

static const char *joined(printer *p, const char *a, const char *b, const char *d) {
    size_t x = strlen(a), y = strlen(b), z = strlen(d);
    if (x + y + z > TEXT_MAXIMUM) return "...";
    char *text = rt_arena(p->c, x + y + z + 1, 1);
    if (text == NULL) return "...";
    memcpy(text, a, x);
    memcpy(text + x, b, y);
    memcpy(text + x + y, d, z);
    return text;
}

static const char *within(printer *p, rt_node *n, binding level) {
    piece x = show(p, n);
    return x.level < level ? joined(p, "(", x.text, ")") : x.text;
}

static const char *integer_text(printer *p, const fmpz_t n) {
    if (fmpz_sizeinbase(n, 10) > TEXT_MAXIMUM - 2) return "...";
    char *text = rt_arena(p->c, fmpz_sizeinbase(n, 10) + 3, 1);
    return text == NULL ? "..." : fmpz_get_str(text, 10, n);
}

static piece show_number(printer *p, const fmpq_t q) {
    const char *top = integer_text(p, fmpq_numref(q));
    bool negative = fmpq_sgn(q) < 0;
    if (fmpz_is_one(fmpq_denref(q))) return (piece){top, negative ? SUM : ATOM};
    return (piece){joined(p, top, "/", integer_text(p, fmpq_denref(q))), negative ? SUM : PRODUCT};
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Terms sorted, those with a minus last, so that a sum need not begin with one. */
static int by_term(const void *a, const void *b) {
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    int minus = (*x == '-') - (*y == '-');
    return minus != 0 ? minus : strcmp(x, y);
}

static piece show_sum(printer *p, rt_node *n) {
    const char **terms = rt_arena(p->c, n->count, sizeof *terms);
    if (terms == NULL) return (piece){"...", ATOM};
    for (uint32_t i = 0; i < n->count; i++) terms[i] = show(p, n->kid[i]).text;
    qsort(terms, n->count, sizeof *terms, by_term);
    const char *text = terms[0];
    for (uint32_t i = 1; i < n->count; i++)
        text = *terms[i] == '-' ? joined(p, text, " - ", terms[i] + 1) : joined(p, text, " + ", terms[i]);
    return (piece){text, SUM};
}

static bool is_inverse(const rt_node *n) {
    return n->kind == RT_POW && n->kid[1]->kind == RT_NUM && fmpq_sgn(n->kid[1]->number) < 0;
}

static const char *product_text(printer *p, const char **factors, size_t count) {
    if (count == 0) return "1";
    qsort(factors, count, sizeof *factors, by_text);
    const char *text = factors[0];
    for (size_t i = 1; i < count; i++) text = joined(p, text, "*", factors[i]);
    return text;
}

static piece show_product(printer *p, rt_node *n) {
    const char **over = rt_arena(p->c, n->count, sizeof *over), **under = rt_arena(p->c, n->count, sizeof *under);
    if (over == NULL || under == NULL) return (piece){"...", ATOM};
    size_t tops = 0, bottoms = 0;
    const char *sign = "", *number = NULL, *below = NULL;
    for (uint32_t i = 0; i < n->count; i++) {
        rt_node *k = n->kid[i];
        if (k->kind == RT_NUM) {
            fmpz_t size;
            fmpz_init(size);
            fmpz_abs(size, fmpq_numref(k->number));
            if (fmpq_sgn(k->number) < 0) sign = "-";
            if (!fmpz_is_one(size)) number = integer_text(p, size);
            if (!fmpz_is_one(fmpq_denref(k->number))) below = integer_text(p, fmpq_denref(k->number));
            fmpz_clear(size);
        } else if (is_inverse(k)) {
            rt_node *turned = rt_x_power(p->c, k, rt_x_integer(p->c, -1));
            under[bottoms++] = turned == NULL ? "..." : within(p, turned, POWER);
        } else {
            over[tops++] = within(p, k, POWER);
        }
    }
    const char *top = tops > 0 || number == NULL ? product_text(p, over, tops) : number;
    if (number != NULL && tops > 0) top = joined(p, number, "*", top);
    const char *bottom = bottoms > 0 ? product_text(p, under, bottoms) : below;
    bool several = bottoms > 1 || (bottoms == 1 && below != NULL);
    if (bottoms > 0 && below != NULL) bottom = joined(p, below, "*", bottom);
    if (bottom != NULL) top = joined(p, top, several ? "/(" : "/", joined(p, bottom, several ? ")" : "", ""));
    return (piece){joined(p, sign, top, ""), *sign == '-' ? SUM : PRODUCT};
}

static piece show_power(printer *p, rt_node *n) {
    if (is_inverse(n)) {
        rt_node *turned = rt_x_power(p->c, n, rt_x_integer(p->c, -1));
        return (piece){joined(p, "1/", turned == NULL ? "..." : within(p, turned, POWER), ""), PRODUCT};
    }
    return (piece){joined(p, within(p, n->kid[0], ATOM), "^", within(p, n->kid[1], ATOM)), POWER};
}

static piece show_function(printer *p, rt_node *n) {
    static const char *const names[] = {"sin",  "cos",  "tan", "cot", "sec", "csc", "asin",  "acos", "atan",     "sinh",
                                        "cosh", "tanh", "ln",  "lg",  "exp", "abs", "floor", "ceil", "factorial"};
    const char *name = n->fn == RT_OPAQUE ? n->name : names[n->fn];
    return (piece){joined(p, joined(p, name, "(", show(p, n->kid[0]).text), ")", ""), ATOM};
}

static piece show_anew(printer *p, rt_node *n) {
    char order[32];
    switch (n->kind) {
    case RT_NUM: return show_number(p, n->number);
    case RT_PI: return (piece){"pi", ATOM};
    case RT_E: return (piece){"e", ATOM};
    case RT_I: return (piece){"i", ATOM};
    case RT_DEG: return (piece){"degree", ATOM};
    case RT_INF: return (piece){"infinity", ATOM};
    case RT_SIGN: return (piece){"+-1", PRODUCT};
    case RT_SYM: return (piece){n->name, ATOM};
    case RT_ADD: return show_sum(p, n);
    case RT_MUL: return show_product(p, n);
    case RT_POW: return show_power(p, n);
    case RT_ROOT:
        (void)snprintf(order, sizeof order, "root(%lld, ", (long long)n->order);
        return (piece){joined(p, n->order == 2 ? "sqrt(" : order, show(p, n->kid[0]).text, ")"), ATOM};
    case RT_FN: return show_function(p, n);
    }
    return (piece){"...", ATOM};
}

static piece show(printer *p, rt_node *n) {
    if (p->c->stop != RT_STOP_NONE) return (piece){"...", ATOM};
    if (n->id >= p->size) return show_anew(p, n);
    if (p->known[n->id].text == NULL) p->known[n->id] = show_anew(p, n);
    return p->known[n->id];
}

static const char *node_text(rt_verify_context *c, rt_node *n) {
    printer p = {.c = c, .size = n->id + 1};
    p.known = rt_arena(c, p.size, sizeof *p.known);
    return p.known == NULL ? "..." : show(&p, n).text;
}

/* Values */

static const char *value_text(rt_verify_context *c, const rt_value *v);

static const char *join(rt_verify_context *c, const char *a, const char *b, const char *d) {
    printer p = {.c = c};
    return joined(&p, a, b, d);
}

static const char *items_text(rt_verify_context *c, const rt_value *v, const char *open, const char *close,
                              bool sorted) {
    const char **texts = rt_arena(c, v->count + 1, sizeof *texts);
    if (texts == NULL) return "...";
    for (size_t i = 0; i < v->count; i++) texts[i] = value_text(c, v->items[i]);
    if (sorted) qsort(texts, v->count, sizeof *texts, by_text);
    const char *text = open;
    for (size_t i = 0; i < v->count; i++) text = join(c, text, i > 0 ? ", " : "", texts[i]);
    return join(c, text, close, "");
}

static const char *matrix_text(rt_verify_context *c, const rt_value *v) {
    const char *text = "[";
    for (size_t i = 0; i < v->count; i += v->columns) {
        rt_value row = {.items = v->items + i, .count = v->columns};
        text = join(c, text, i > 0 ? ", " : "", items_text(c, &row, "[", "]", false));
    }
    return join(c, text, "]", "");
}

static const char *region_text(rt_verify_context *c, const rt_value *v) {
    const char *text = v->count == 0 ? "{}" : "";
    for (size_t i = 0; i < v->count; i++) {
        const rt_interval *x = &v->intervals[i];
        text = join(c, text, i > 0 ? " U " : "", x->low_closed ? "[" : "(");
        text = join(c, text, x->low == NULL ? "-infinity" : node_text(c, x->low), ", ");
        text = join(c, text, x->high == NULL ? "infinity" : node_text(c, x->high), x->high_closed ? "]" : ")");
    }
    return text;
}

/* In base units, so that 500 cm and 5 m look alike. */
static const char *number_text(rt_verify_context *c, const rt_value *v) {
    static const char *const base[] = {"m", "kg", "s", "dollar", "rad"};
    rt_node *n = v->unit.present ? rt_x_mul(c, v->number, v->unit.factor) : v->number;
    if (n == NULL) return "...";
    const char *text = node_text(c, n);
    for (int i = 0; v->unit.present && i < 5; i++) {
        char power[8] = "";
        if (v->unit.dimension[i] == 0) continue;
        if (v->unit.dimension[i] != 1) (void)snprintf(power, sizeof power, "^%d", v->unit.dimension[i]);
        text = join(c, join(c, text, " ", base[i]), power, "");
    }
    return v->unit.other != NULL ? join(c, text, " ", v->unit.other) : text;
}

static const char *bare_text(rt_verify_context *c, const rt_value *v) {
    switch (v->kind) {
    case RT_V_NUMBER: return number_text(c, v);
    case RT_V_LIST: return items_text(c, v, "", "", true);
    case RT_V_SET: return items_text(c, v, "{", "}", true);
    case RT_V_TUPLE: return items_text(c, v, "(", ")", false);
    case RT_V_MATRIX: return matrix_text(c, v);
    case RT_V_REGION: return region_text(c, v);
    case RT_V_EQUATION: return join(c, node_text(c, v->number), " = 0", "");
    case RT_V_RELATION:
        return join(c, node_text(c, v->number),
                    v->relation == RT_T_LESS         ? " < 0"
                    : v->relation == RT_T_LESS_EQUAL ? " <= 0"
                                                     : " != 0",
                    "");
    case RT_V_RATIO:
    case RT_V_TIME: {
        const char *text = "";
        for (size_t i = 0; i < v->count; i++) {
            const char *part = value_text(c, v->items[i]);
            if (v->kind == RT_V_TIME && i > 0 && strlen(part) == 1) part = join(c, "0", part, "");
            text = join(c, text, i > 0 ? ":" : "", part);
        }
        return v->text != NULL ? join(c, text, " ", v->text) : text;
    }
    case RT_V_TEXT: return v->text;
    }
    return "...";
}

static const char *value_text(rt_verify_context *c, const rt_value *v) {
    const char *text = bare_text(c, v);
    if (!v->named || v->name == NULL || v->kind == RT_V_EQUATION) return text;
    return join(c, v->name->name != NULL ? v->name->name : node_text(c, v->name),
                v->kind == RT_V_REGION ? " in " : " = ", text);
}

const char *rt_canonical(rt_verify_context *c, const rt_value *v) {
    return value_text(c, v);
}
