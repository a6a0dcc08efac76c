/* Structures: lists, sets, tuples, intervals, matrices, equations, ratios, and what is named. */
#include <string.h>

#include "verify/parse.h"
#include "verify/zero.h"

enum { ITEMS_MAXIMUM = 4000, SIGNS_MAXIMUM = 6, SIGNED_VALUES = 512, MATRIX_MAXIMUM = 2000 };

/* Finding one's way */

static size_t *find_partners(rt_verify_context *c, const rt_tokens *tokens) {
    size_t depth = 0, *partner = rt_arena(c, tokens->count + 1, sizeof *partner);
    size_t *open = rt_arena(c, tokens->count + 1, sizeof *open);
    if (partner == NULL || open == NULL) return NULL;
    for (size_t i = 0; i < tokens->count; i++) {
        rt_token_kind kind = tokens->list[i].kind;
        partner[i] = tokens->count;
        if (rt_opens(kind) || kind == RT_T_BEGIN)
            open[depth++] = i;
        else if ((rt_closes(kind) || kind == RT_T_END_ENVIRONMENT) && depth > 0)
            partner[open[--depth]] = i;
    }
    return partner;
}

size_t rt_find_token(const rt_parser *p, size_t from, size_t end, rt_token_kind kind) {
    for (size_t i = from; i < end; i++) {
        if (p->t[i].kind == kind) return i;
        if (!rt_opens(p->t[i].kind) && p->t[i].kind != RT_T_BEGIN) continue;
        size_t close = rt_match(p, i, end);
        if (close == end) return end;
        i = close;
    }
    return end;
}

static bool is_relation(rt_token_kind kind) {
    return (kind >= RT_T_EQUAL && kind <= RT_T_NOT_EQUAL) || kind == RT_T_IN;
}

static size_t find_relation(const rt_parser *p, size_t from, size_t end) {
    for (size_t i = from; i < end; i++) {
        if (is_relation(p->t[i].kind)) return i;
        if (!rt_opens(p->t[i].kind) && p->t[i].kind != RT_T_BEGIN) continue;
        size_t close = rt_match(p, i, end);
        if (close == end) return end;
        i = close;
    }
    return end;
}

static bool separates(rt_token_kind kind) {
    return kind == RT_T_COMMA || kind == RT_T_AND || kind == RT_T_OR;
}

/* Values */

rt_value *rt_new_value(rt_verify_context *c, rt_value_kind kind) {
    rt_value *v = rt_arena(c, 1, sizeof *v);
    if (v != NULL) {
        v->kind = kind;
        v->decimals = -1;
    }
    return v;
}

rt_value *rt_number_value(rt_verify_context *c, rt_node *number) {
    rt_value *v = number == NULL ? NULL : rt_new_value(c, RT_V_NUMBER);
    if (v != NULL) v->number = number;
    return v;
}

/* Lists within lists and sets are spliced in: they come from plus-minus. */
rt_value *rt_collection(rt_verify_context *c, rt_value_kind kind, rt_value *const *items, size_t count) {
    size_t total = 0;
    bool flat = kind == RT_V_LIST || kind == RT_V_SET;
    for (size_t i = 0; i < count; i++) {
        if (items[i] == NULL) return NULL;
        total += flat && items[i]->kind == RT_V_LIST ? items[i]->count : 1;
    }
    rt_value *v = rt_new_value(c, kind);
    rt_value **list = rt_arena(c, total + 1, sizeof *list);
    if (v == NULL || list == NULL) return NULL;
    v->items = list;
    for (size_t i = 0; i < count; i++) {
        bool splice = flat && items[i]->kind == RT_V_LIST;
        if (splice) {
            memcpy(list + v->count, items[i]->items, items[i]->count * sizeof *list);
            for (size_t k = 0; items[i]->named && k < items[i]->count; k++) {
                list[v->count + k]->named = true;
                list[v->count + k]->name = items[i]->name;
            }
        } else {
            list[v->count] = items[i];
        }
        v->count += splice ? items[i]->count : 1;
    }
    return v;
}

rt_node *rt_only_variable(rt_verify_context *c, rt_node *n, bool *several) {
    *several = false;
    rt_node *only = NULL;
    size_t count = 0;
    rt_node **parts = n->has_variable ? rt_parts(c, n, &count) : NULL;
    for (size_t i = 0; parts != NULL && i < count; i++) {
        if (parts[i]->kind == RT_FN && parts[i]->fn == RT_OPAQUE) *several = true;
        if (parts[i]->kind != RT_SYM) continue;
        if (only != NULL) *several = true;
        only = parts[i];
    }
    return *several ? NULL : only;
}

/* Every way to choose the signs, as a list. */
static rt_value *with_signs(rt_parser *p, rt_node *n, const rt_unit *unit, int64_t first) {
    rt_verify_context *c = p->c;
    int64_t signs = p->signs - first, ways = p->opposed ? 2 : (int64_t)1 << (signs < 62 ? signs : 62);
    p->signed_values += ways;
    if (signs > SIGNS_MAXIMUM || p->signed_values > SIGNED_VALUES)
        return rt_stop_at(c, RT_STOP_BUDGET, "there are %lld signs to choose", (long long)signs);
    rt_value *items[1 << SIGNS_MAXIMUM] = {NULL};
    for (int64_t way = 0; way < ways; way++) {
        rt_node *choice = n;
        for (int64_t s = 0; s < signs; s++) {
            bool minus = p->opposed ? way == 1 : (way >> s) % 2 == 1;
            choice = rt_x_replace(c, choice, rt_x_sign(c, first + s, 1), rt_x_integer(c, minus ? -1 : 1));
        }
        items[way] = rt_number_value(c, choice);
        if (items[way] == NULL) return NULL;
        items[way]->unit = *unit;
    }
    rt_value *list = rt_collection(c, RT_V_LIST, items, (size_t)ways);
    if (list != NULL) list->set_of_signs = true;
    return list;
}

/* The angle in degrees where the expression is a multiple of the degree sign. */
static rt_node *take_degrees(rt_verify_context *c, rt_node *n, rt_unit *unit) {
    if (n == NULL || !n->has_degree) return n;
    rt_node *degree = rt_x_constant(c, RT_DEG);
    rt_node *number = rt_x_replace(c, n, degree, rt_x_integer(c, 1));
    rt_node *nothing = rt_x_replace(c, n, degree, rt_x_integer(c, 0));
    if (number == NULL || nothing == NULL) return NULL;
    if (nothing != rt_x_integer(c, 0)) /* mixed with what has no degree sign: degrees are numbers then */
        return rt_x_replace(c, n, degree, rt_x_mul(c, rt_x_constant(c, RT_PI), rt_x_fraction(c, 1, 180)));
    return rt_named_unit(c, "degree", 6, 1, unit) ? number : NULL;
}

static int decimals_of(const rt_parser *p, size_t begin, size_t end) {
    if (begin < end && p->t[begin].kind == RT_T_MINUS) begin++;
    if (begin < end && p->t[begin].kind == RT_T_CURRENCY) begin++;
    if (begin == end || p->t[begin].kind != RT_T_NUMBER || p->t[begin].exponent != 0) return -1;
    if (begin + 1 < end && p->t[begin + 1].kind != RT_T_WORD && !p->t[begin + 1].upright &&
        p->t[begin + 1].kind != RT_T_PERCENT && p->t[begin + 1].kind != RT_T_DEGREE)
        return -1;
    const rt_token *t = &p->t[begin];
    const char *point = memchr(t->text, '.', t->length);
    if (point == NULL || memchr(t->text, '~', t->length) != NULL) return -1;
    return (int)(t->text + t->length - point - 1);
}

static rt_value *expression(rt_parser *p, size_t begin, size_t end) {
    rt_verify_context *c = p->c;
    size_t was_at = p->at, was_end = p->end;
    int64_t first = p->signs;
    bool was_opposed = p->opposed;
    const char *was_currency = p->currency;
    int decimals = decimals_of(p, begin, end);
    p->at = begin;
    p->end = end;
    p->opposed = false;
    p->currency = NULL;
    rt_unit unit = {0};
    rt_value *value = NULL;
    rt_node *n = rt_parse_sum(p);
    n = take_degrees(c, n, &unit);
    if (n != NULL && p->currency != NULL) {
        const char *name = p->currency;
        size_t length = *name == 'd' ? 6 : *name == 'e' ? 4 : strlen(name);
        if (!rt_named_unit(c, name, length, 1, &unit)) n = NULL;
        /* "$5 dollars" says it twice. */
        rt_unit again = {0};
        if (n != NULL && p->at < end && rt_parse_unit(c, p->t, p->at, end, &again)) p->at = end;
    }
    if (n != NULL && p->at < end && !unit.present && rt_parse_unit(c, p->t, p->at, end, &unit)) p->at = end;
    if (n != NULL && p->at < end) n = rt_unexpected(p, p->at);
    if (n != NULL) value = n->has_sign ? with_signs(p, n, &unit, first) : rt_number_value(c, n);
    if (value != NULL && value->kind == RT_V_NUMBER) {
        value->unit = unit;
        value->decimals = decimals;
        bool based = begin + 1 < end && p->t[begin].kind == RT_T_NUMBER && p->t[begin + 1].kind == RT_T_UNDER;
        size_t last = based && begin + 2 < end && p->t[begin + 2].kind == RT_T_OPEN_GROUP ? rt_match(p, begin + 2, end)
                                                                                          : begin + 2;
        if (based && last + 1 == end) value->digits = rt_token_number(c, &p->t[begin]);
    }
    p->at = was_at;
    p->end = was_end;
    p->opposed = was_opposed;
    p->currency = was_currency;
    return value;
}

/* Lists */

typedef struct items {
    rt_value *list[ITEMS_MAXIMUM];
    size_t count;
    bool any_and, any_or;
} items;

static bool read_items(rt_parser *p, size_t begin, size_t end, items *out) {
    size_t from = begin;
    bool separated = true; /* an item may be missing between "," and "and" only */
    for (size_t i = begin; i <= end; i++) {
        bool cut = i == end || separates(p->t[i].kind);
        if (!cut && (rt_opens(p->t[i].kind) || p->t[i].kind == RT_T_BEGIN)) {
            i = rt_match(p, i, end);
            if (i == end) {
                rt_stop_at(p->c, RT_STOP_SYNTAX, "a bracket is not closed");
                return false;
            }
            continue;
        }
        if (!cut) continue;
        if (i < end) {
            out->any_and |= p->t[i].kind == RT_T_AND;
            out->any_or |= p->t[i].kind == RT_T_OR;
        }
        if (from == i) {
            bool joined = i < end && i > begin && p->t[i].kind != RT_T_COMMA && p->t[i - 1].kind == RT_T_COMMA;
            if (!joined || separated) {
                rt_unexpected(p, i);
                return false;
            }
            separated = true;
            from = i + 1;
            continue;
        }
        if (out->count == ITEMS_MAXIMUM) {
            rt_stop_at(p->c, RT_STOP_BUDGET, "a list has more than %d items", ITEMS_MAXIMUM);
            return false;
        }
        rt_value *item = rt_parse_range(p, from, i);
        if (item == NULL) return false;
        out->list[out->count++] = item;
        separated = false;
        from = i + 1;
    }
    return true;
}

/* "n = 2, 3, 4" names all of them; so does "x = 2 or x = 3". */
static void share_name(rt_value *list) {
    if (list->count == 0 || !list->items[0]->named) return;
    rt_node *name = list->items[0]->name;
    for (size_t i = 1; i < list->count; i++) {
        if (list->items[i]->named && list->items[i]->name != name) return;
    }
    list->named = true;
    list->name = name;
    for (size_t i = 0; i < list->count; i++) list->items[i]->named = false;
}

static rt_value *list(rt_parser *p, size_t begin, size_t end) {
    items *in = rt_arena(p->c, 1, sizeof *in);
    if (in == NULL || !read_items(p, begin, end, in)) return NULL;
    if (in->count == 1) return in->list[0];
    bool regions = true;
    for (size_t i = 0; i < in->count; i++) regions &= in->list[i]->kind == RT_V_REGION;
    if (regions && in->any_and && !in->any_or)
        return rt_stop_at(p->c, RT_STOP_SYNTAX, "sets of numbers joined by 'and' could be a union or a part");
    if (regions) return rt_region_union(p->c, in->list, in->count);
    rt_value *v = rt_collection(p->c, RT_V_LIST, in->list, in->count);
    if (v != NULL) share_name(v);
    return v;
}

/* Brackets */

/* The content of a bracket that stands alone as items, where it has more than one. */
static rt_value *bracket(rt_parser *p, size_t begin, size_t end) {
    rt_verify_context *c = p->c;
    items *in = rt_arena(c, 1, sizeof *in);
    if (in == NULL || !read_items(p, begin + 1, end - 1, in)) return NULL;
    bool round = p->t[begin].kind == RT_T_OPEN, round_end = p->t[end - 1].kind == RT_T_CLOSE;
    bool angle = p->t[begin].kind == RT_T_OPEN_ANGLE;
    bool pair = in->count == 2 && in->list[0]->kind == RT_V_NUMBER && in->list[1]->kind == RT_V_NUMBER;
    bool infinite = pair && (in->list[0]->number->has_infinity || in->list[1]->number->has_infinity);
    if (pair && !angle && (round != round_end || !round || infinite)) {
        rt_interval interval = {in->list[0]->number, in->list[1]->number, !round, !round_end};
        if (interval.low->has_infinity) interval.low = NULL;
        if (interval.high->has_infinity) interval.high = NULL;
        if (interval.low == NULL) interval.low_closed = false;
        if (interval.high == NULL) interval.high_closed = false;
        return rt_region(c, interval);
    }
    if (round != round_end && !angle) return rt_unexpected(p, end - 1);
    rt_value *tuple = rt_collection(c, RT_V_TUPLE, in->list, in->count);
    if (tuple != NULL) tuple->round_brackets = round;
    return tuple;
}

/* {x : x > 3}: the set of its condition. */
static rt_value *set_builder(rt_parser *p, size_t begin, size_t end, size_t bar) {
    if (bar != begin + 2 || p->t[begin + 1].kind != RT_T_SYMBOL) return rt_unexpected(p, bar);
    rt_value *region = rt_parse_range(p, bar + 1, end - 1);
    if (region != NULL && region->kind != RT_V_REGION) return rt_unexpected(p, bar);
    return region;
}

static rt_value *set(rt_parser *p, size_t begin, size_t end) {
    if (end == begin + 2) return rt_collection(p->c, RT_V_SET, NULL, 0);
    size_t bar = rt_find_token(p, begin + 1, end - 1, RT_T_BAR),
           colon = rt_find_token(p, begin + 1, end - 1, RT_T_COLON);
    if (begin + 3 < end && (bar == begin + 2 || colon == begin + 2))
        return set_builder(p, begin, end, bar < colon ? bar : colon);
    items *in = rt_arena(p->c, 1, sizeof *in);
    if (in == NULL || !read_items(p, begin + 1, end - 1, in)) return NULL;
    return rt_collection(p->c, RT_V_SET, in->list, in->count);
}

/* Matrices */

static bool name_is(const rt_token *t, const char *name) {
    return strlen(name) == t->length && memcmp(name, t->text, t->length) == 0;
}

static rt_value *matrix(rt_parser *p, size_t begin, size_t end) {
    static const char *const known[] = {"pmatrix", "bmatrix", "matrix", "Bmatrix", "smallmatrix", "array"};
    bool fine = false;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) fine |= name_is(&p->t[begin], known[i]);
    if (!fine) return rt_unexpected(p, begin);
    rt_value *v = rt_new_value(p->c, RT_V_MATRIX);
    rt_value **cells = rt_arena(p->c, MATRIX_MAXIMUM, sizeof *cells);
    if (v == NULL || cells == NULL) return NULL;
    size_t last = end - 1, from = begin + 1, column = 0;
    if (last > from && p->t[last - 1].kind == RT_T_ROW) last--;
    for (size_t i = from; i <= last; i++) {
        rt_token_kind kind = i == last ? RT_T_ROW : p->t[i].kind;
        if (kind != RT_T_ROW && kind != RT_T_AMPERSAND) {
            if (rt_opens(kind) || kind == RT_T_BEGIN) i = rt_match(p, i, last);
            if (i == last) return rt_stop_at(p->c, RT_STOP_SYNTAX, "a bracket is not closed");
            continue;
        }
        if (v->count == (size_t)MATRIX_MAXIMUM)
            return rt_stop_at(p->c, RT_STOP_BUDGET, "a matrix has more than %d elements", MATRIX_MAXIMUM);
        rt_value *cell = rt_parse_range(p, from, i);
        if (cell == NULL) return NULL;
        cells[v->count++] = cell;
        column++;
        if (kind == RT_T_ROW) {
            if (v->columns != 0 && v->columns != column)
                return rt_stop_at(p->c, RT_STOP_SYNTAX, "the rows of a matrix have unlike lengths");
            v->columns = column;
            column = 0;
        }
        from = i + 1;
    }
    v->items = cells;
    return v;
}

/* Names and equations */

/* The end of a symbol with its subscript. */
static size_t symbol_end(const rt_parser *p, size_t begin, size_t end) {
    size_t at = begin;
    if (at < end && p->t[at].kind == RT_T_ACCENT) {
        at++;
        if (at < end && p->t[at].kind == RT_T_OPEN_GROUP) at = rt_match(p, at, end);
        return at < end ? at + 1 : begin;
    }
    if (at == end || p->t[at].kind != RT_T_SYMBOL) return begin;
    at++;
    if (at < end && p->t[at].kind == RT_T_UNDER) {
        at++;
        if (at < end && p->t[at].kind == RT_T_OPEN_GROUP) at = rt_match(p, at, end);
        if (at < end) at++;
    }
    return at;
}

typedef enum name_kind { NO_NAME, SYMBOL_NAME, FUNCTION_NAME, WORDS_NAME } name_kind;

/* What stands on one side of "=" and only names the other: x, x_1, f(x), P(A), AB, words, (x, y). */
static name_kind name_of(const rt_parser *p, size_t begin, size_t end) {
    size_t at = symbol_end(p, begin, end);
    bool number = p->t[begin].kind == RT_T_SYMBOL && p->t[begin].length == 1 && at == begin + 1 &&
                  (*p->t[begin].text == 'e' || *p->t[begin].text == 'i');
    if (at > begin && at == end && !number) return p->t[begin].kind == RT_T_ACCENT ? WORDS_NAME : SYMBOL_NAME;
    if (at > begin && at < end && p->t[at].kind == RT_T_OPEN && rt_match(p, at, end) == end - 1 && !p->t[at].space)
        return FUNCTION_NAME;
    bool words = false, capitals = true, symbols = true;
    for (size_t i = begin; i < end; i++) {
        const rt_token *t = &p->t[i];
        words |= t->kind == RT_T_WORD || (t->upright && t->kind == RT_T_SYMBOL);
        capitals &= t->kind == RT_T_SYMBOL && *t->text >= 'A' && *t->text <= 'Z';
        symbols &= t->kind == RT_T_SYMBOL || t->kind == RT_T_WORD || t->kind == RT_T_OPEN || t->kind == RT_T_CLOSE;
    }
    if ((words && symbols) || (capitals && end - begin <= 4)) return WORDS_NAME;
    if (p->t[begin].kind == RT_T_OPEN && rt_match(p, begin, end) == end - 1) {
        for (size_t i = begin + 1; i + 1 < end; i++) {
            if (p->t[i].kind != RT_T_SYMBOL && p->t[i].kind != RT_T_COMMA) return NO_NAME;
        }
        return end - begin > 3 ? WORDS_NAME : NO_NAME;
    }
    return NO_NAME;
}

static rt_node *name_node(rt_parser *p, size_t begin, size_t end) {
    rt_value *v = expression(p, begin, end);
    return v != NULL && v->kind == RT_V_NUMBER ? v->number : NULL;
}

static bool contains(rt_verify_context *c, rt_node *n, const rt_node *symbol) {
    size_t count = 0;
    if (n == NULL || symbol == NULL || !n->has_variable) return false;
    rt_node **parts = rt_parts(c, n, &count);
    for (size_t i = 0; parts != NULL && i < count; i++) {
        if (parts[i] == symbol) return true;
    }
    return false;
}

static rt_value *equation(rt_verify_context *c, rt_value *left, rt_value *right) {
    if (left == NULL || right == NULL) return NULL;
    if (left->kind != RT_V_NUMBER || right->kind != RT_V_NUMBER)
        return rt_stop_at(c, RT_STOP_SYNTAX, "an equation of what are no expressions");
    rt_value *v = rt_new_value(c, RT_V_EQUATION);
    rt_node *off = rt_x_sub(c, left->number, right->number);
    if (v == NULL || off == NULL) return NULL;
    if (!off->has_variable) {
        if (off != rt_x_integer(c, 0))
            return rt_stop_at(c, RT_STOP_SYNTAX, "it is a statement, and one that does not hold");
        return right; /* 2 + 3 = 5 states 5 */
    }
    v->number = off;
    return v;
}

static rt_value *name_value(rt_parser *p, name_kind kind, size_t begin, size_t end, rt_value *value) {
    if (value == NULL) return NULL;
    rt_node *name = kind == SYMBOL_NAME ? name_node(p, begin, end) : NULL;
    if (p->c->stop != RT_STOP_NONE) return NULL;
    if (value->kind == RT_V_NUMBER && contains(p->c, value->number, name))
        return equation(p->c, rt_number_value(p->c, name), value);
    value->named = true;
    value->name = name;
    value->function_name = kind == FUNCTION_NAME || (name != NULL && strcmp(name->name, "y") == 0);
    return value;
}

/* A chain of equations: x = 10/2 = 5. Approximations at its end do not count. */
static rt_value *equations(rt_parser *p, size_t begin, size_t end, size_t first) {
    size_t stop = rt_find_token(p, begin, end, RT_T_APPROX);
    if (stop != end && rt_find_token(p, begin, stop, RT_T_EQUAL) != stop) end = stop;
    name_kind left = name_of(p, begin, first);
    size_t next = find_relation(p, first + 1, end);
    if (next == end) {
        name_kind right = name_of(p, first + 1, end);
        if (left == NO_NAME && right != NO_NAME && right != WORDS_NAME)
            return name_value(p, right, first + 1, end, rt_parse_range(p, begin, first));
        if (left != NO_NAME && !(left != WORDS_NAME && right == SYMBOL_NAME))
            return name_value(p, left, begin, first, rt_parse_range(p, first + 1, end));
        return equation(p->c, rt_parse_range(p, begin, first), rt_parse_range(p, first + 1, end));
    }
    /* Several: all parts but a name in front must be constants with one value, which is the last. */
    size_t from = left != NO_NAME ? first + 1 : begin;
    rt_value *value = NULL;
    for (size_t at = from; at < end + 1;) {
        size_t cut = find_relation(p, at, end);
        if (cut < end && p->t[cut].kind != RT_T_EQUAL && p->t[cut].kind != RT_T_APPROX) return rt_unexpected(p, cut);
        rt_value *part = rt_parse_range(p, at, cut);
        if (part == NULL) return NULL;
        if (value != NULL && equation(p->c, value, part) != part)
            return rt_stop_at(p->c, RT_STOP_SYNTAX, "the parts of a chain of equations are not seen to be equal");
        value = part;
        at = cut + 1;
    }
    return left == NO_NAME ? value : name_value(p, left, begin, first, value);
}

/* a < b and a < b < c */
static rt_value *inequality(rt_parser *p, size_t begin, size_t end, size_t first) {
    rt_verify_context *c = p->c;
    size_t second = find_relation(p, first + 1, end);
    if (second != end && find_relation(p, second + 1, end) != end) return rt_unexpected(p, second);
    rt_value *sides[3] = {rt_parse_range(p, begin, first), rt_parse_range(p, first + 1, second), NULL};
    if (second != end) sides[2] = rt_parse_range(p, second + 1, end);
    rt_value *parts[2] = {NULL};
    for (int i = 0; i < (second != end ? 2 : 1); i++) {
        rt_token_kind op = p->t[i == 0 ? first : second].kind;
        rt_value *a = sides[i], *b = sides[i + 1];
        if (a == NULL || b == NULL) return NULL;
        if (a->kind != RT_V_NUMBER || b->kind != RT_V_NUMBER || op == RT_T_IN || op == RT_T_APPROX || op == RT_T_EQUAL)
            return rt_unexpected(p, first);
        bool turned = op == RT_T_GREATER || op == RT_T_GREATER_EQUAL;
        if (turned) op = op == RT_T_GREATER ? RT_T_LESS : RT_T_LESS_EQUAL;
        rt_node *off = turned ? rt_x_sub(c, b->number, a->number) : rt_x_sub(c, a->number, b->number);
        if (off != NULL && !off->has_variable)
            return rt_stop_at(c, RT_STOP_SYNTAX, "it is a statement about numbers, no answer");
        parts[i] = rt_solve_relation(c, off, op);
        if (parts[i] == NULL) return NULL;
    }
    if (parts[1] == NULL) return parts[0];
    /* a < x < b: a half-line to each side meets in an interval. */
    if (parts[0]->kind == RT_V_REGION && parts[1]->kind == RT_V_REGION && parts[0]->count == 1 &&
        parts[1]->count == 1) {
        rt_interval a = parts[0]->intervals[0], b = parts[1]->intervals[0];
        if (a.low == NULL) {
            rt_interval t = a;
            a = b;
            b = t;
        }
        if (a.low != NULL && a.high == NULL && b.low == NULL && b.high != NULL && parts[0]->name == parts[1]->name) {
            rt_value *region = rt_region(c, (rt_interval){a.low, b.high, a.low_closed, b.high_closed});
            if (region != NULL) {
                region->named = true;
                region->name = parts[0]->name;
            }
            return region;
        }
    }
    rt_value *both = rt_collection(c, RT_V_LIST, parts, 2);
    return both;
}

static rt_value *relation(rt_parser *p, size_t begin, size_t end, size_t first) {
    rt_token_kind kind = p->t[first].kind;
    if (kind == RT_T_EQUAL) return equations(p, begin, end, first);
    if (kind == RT_T_IN) {
        name_kind name = name_of(p, begin, first);
        if (name == NO_NAME) return rt_unexpected(p, first);
        return name_value(p, name, begin, first, rt_parse_range(p, first + 1, end));
    }
    if (kind == RT_T_APPROX) {
        /* "x ~ 3.14" is all there is; "pi ~ 3.14" is pi. */
        name_kind name = name_of(p, begin, first);
        if (name == NO_NAME) return rt_parse_range(p, begin, first);
        return name_value(p, name, begin, first, rt_parse_range(p, first + 1, end));
    }
    return inequality(p, begin, end, first);
}

/* Unions, ratios, times */

static rt_value *as_region(rt_verify_context *c, rt_value *v) {
    if (v == NULL || v->kind != RT_V_TUPLE || !v->round_brackets || v->count != 2) return v;
    if (v->items[0]->kind != RT_V_NUMBER || v->items[1]->kind != RT_V_NUMBER) return v;
    return rt_region(c, (rt_interval){v->items[0]->number, v->items[1]->number, false, false});
}

static rt_value *united(rt_parser *p, size_t begin, size_t end) {
    rt_value *parts[64] = {NULL};
    size_t count = 0;
    bool sets = true, regions = true;
    for (size_t from = begin; from <= end;) {
        size_t cut = rt_find_token(p, from, end, RT_T_UNION);
        if (count == 64) return rt_stop_at(p->c, RT_STOP_BUDGET, "a union of more than 64 parts");
        rt_value *part = as_region(p->c, rt_parse_range(p, from, cut));
        if (part == NULL) return NULL;
        sets &= part->kind == RT_V_SET;
        regions &= part->kind == RT_V_REGION || part->kind == RT_V_SET;
        parts[count++] = part;
        from = cut + 1;
    }
    if (sets) {
        for (size_t i = 0; i < count; i++) parts[i]->kind = RT_V_LIST; /* to be spliced */
        return rt_collection(p->c, RT_V_SET, parts, count);
    }
    if (!regions) return rt_stop_at(p->c, RT_STOP_SYNTAX, "a union of what are no sets");
    return rt_region_union(p->c, parts, count);
}

/* R \ {a, b} */
static rt_value *without(rt_parser *p, size_t begin, size_t end, size_t minus) {
    rt_verify_context *c = p->c;
    if (minus != begin + 1 || p->t[begin].kind != RT_T_REALS || *p->t[begin].text != 'R')
        return rt_unexpected(p, minus);
    rt_value *out = rt_parse_range(p, minus + 1, end);
    if (out == NULL) return NULL;
    if (out->kind != RT_V_SET || out->count == 0 || out->count > 16) return rt_unexpected(p, minus + 1);
    rt_value sorted = *out;
    for (size_t i = 1; i < sorted.count; i++) {
        for (size_t k = i; k > 0; k--) {
            rt_value *a = sorted.items[k - 1], *b = sorted.items[k];
            if (a->kind != RT_V_NUMBER || b->kind != RT_V_NUMBER) return rt_unexpected(p, minus + 1);
            if (rt_compare(c, a->number, b->number) <= 0) break;
            sorted.items[k - 1] = b;
            sorted.items[k] = a;
        }
    }
    rt_value *parts[17] = {NULL};
    for (size_t i = 0; i <= sorted.count; i++) {
        if (i < sorted.count && sorted.items[i]->kind != RT_V_NUMBER) return rt_unexpected(p, minus + 1);
        rt_interval gap = {i == 0 ? NULL : sorted.items[i - 1]->number,
                           i == sorted.count ? NULL : sorted.items[i]->number, false, false};
        parts[i] = rt_region(c, gap);
        if (parts[i] == NULL) return NULL;
    }
    return rt_region_union(c, parts, sorted.count + 1);
}

static bool is_time_part(const rt_token *t, bool hours) {
    return t->kind == RT_T_NUMBER && t->exponent == 0 && t->length <= 2 && memchr(t->text, '.', t->length) == NULL &&
           (hours || (t->length == 2 && *t->text <= '5'));
}

static rt_value *ratio(rt_parser *p, size_t begin, size_t end) {
    rt_value *parts[16] = {NULL};
    size_t count = 0, last = end;
    const char *half = NULL;
    if (p->t[end - 1].kind == RT_T_DAYHALF) {
        half = p->t[end - 1].text;
        last--;
    }
    bool time = last - begin == 3 && is_time_part(&p->t[begin], true) && is_time_part(&p->t[begin + 2], false);
    for (size_t from = begin; from <= last;) {
        size_t cut = rt_find_token(p, from, last, RT_T_COLON);
        if (count == 16) return rt_unexpected(p, cut);
        rt_value *part = expression(p, from, cut);
        if (part == NULL) return NULL;
        if (part->kind != RT_V_NUMBER) return rt_unexpected(p, from);
        parts[count++] = part;
        from = cut + 1;
    }
    if (half != NULL && !time) return rt_unexpected(p, end - 1);
    rt_value *v = rt_collection(p->c, time ? RT_V_TIME : RT_V_RATIO, parts, count);
    if (v != NULL) v->text = half;
    return v;
}

static rt_value *range(rt_parser *p, size_t begin, size_t end) {
    if (begin >= end) {
        p->end = end;
        return rt_unexpected(p, end);
    }
    for (size_t i = begin; i < end; i++) {
        if (separates(p->t[i].kind)) return list(p, begin, end);
        if (!rt_opens(p->t[i].kind) && p->t[i].kind != RT_T_BEGIN) continue;
        i = rt_match(p, i, end);
    }
    size_t found = find_relation(p, begin, end);
    if (found != end) return relation(p, begin, end, found);
    found = rt_find_token(p, begin, end, RT_T_SETMINUS);
    if (found != end) return without(p, begin, end, found);
    if (rt_find_token(p, begin, end, RT_T_UNION) != end) return united(p, begin, end);
    if (rt_find_token(p, begin, end, RT_T_COLON) != end) return ratio(p, begin, end);
    rt_token_kind kind = p->t[begin].kind;
    if (end == begin + 1 && kind == RT_T_EMPTY_SET) return rt_collection(p->c, RT_V_SET, NULL, 0);
    if (end == begin + 1 && kind == RT_T_REALS && *p->t[begin].text == 'R') return rt_region(p->c, (rt_interval){0});
    bool whole = (rt_opens(kind) || kind == RT_T_BEGIN) && rt_match(p, begin, end) == end - 1;
    if (whole && kind == RT_T_OPEN_GROUP && rt_find_token(p, begin + 1, end - 1, RT_T_CHOOSE) == end - 1 &&
        rt_find_token(p, begin + 1, end - 1, RT_T_OVER) == end - 1)
        return rt_parse_range(p, begin + 1, end - 1);
    if (whole && kind == RT_T_OPEN_SET) return set(p, begin, end);
    if (whole && kind == RT_T_BEGIN) return matrix(p, begin, end);
    if (whole && (kind == RT_T_OPEN || kind == RT_T_OPEN_SQUARE || kind == RT_T_OPEN_ANGLE)) {
        bool several = rt_find_token(p, begin + 1, end - 1, RT_T_COMMA) != end - 1;
        if (several || kind == RT_T_OPEN_ANGLE) return bracket(p, begin, end);
        /* Brackets around a structure, or around an expression. */
        if (rt_opens(p->t[begin + 1].kind) && kind == RT_T_OPEN) return rt_parse_range(p, begin + 1, end - 1);
    }
    return expression(p, begin, end);
}

rt_value *rt_parse_range(rt_parser *p, size_t begin, size_t end) {
    if (!rt_spend(p->c, 2 + (int64_t)(end - begin) / 4) || !rt_enter(p)) return NULL;
    size_t was_at = p->at, was_end = p->end;
    p->end = end;
    rt_value *v = range(p, begin, end);
    p->at = was_at;
    p->end = was_end;
    p->depth--;
    return p->c->stop == RT_STOP_NONE ? v : NULL;
}

rt_value *rt_parse(rt_verify_context *c, const rt_tokens *tokens) {
    rt_parser p = {.c = c, .end = tokens->count};
    if (tokens->count == 0) return rt_stop_at(c, RT_STOP_SYNTAX, "it is empty");
    /* A copy: numbers are cut where TeX takes one digit. */
    p.t = rt_arena(c, tokens->count + 1, sizeof *p.t);
    if (p.t == NULL) return NULL;
    memcpy(p.t, tokens->list, (tokens->count + 1) * sizeof *p.t);
    p.partner = find_partners(c, tokens);
    if (p.partner == NULL) return NULL;
    /* A comma or a row's end behind everything says nothing. */
    while (p.end > 1 && (p.t[p.end - 1].kind == RT_T_COMMA || p.t[p.end - 1].kind == RT_T_ROW)) p.end--;
    return rt_parse_range(&p, 0, p.end);
}
