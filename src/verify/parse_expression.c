/* Expressions:
 *
 *     sum     = [sign] product { sign product }
 *     product = power { [* or /] power }          juxtaposition multiplies, and 2 1/2 is a mixed number
 *     power   = atom { ! | % | degree } [ ^ argument ]
 *     atom    = number | name | ( sum ) | { sum } | |sum| | \frac | \sqrt | \binom | function ...
 */
#include <string.h>

#include "verify/parse.h"

enum { DECIMALS_MAXIMUM = 40000 };

static rt_node *power(rt_parser *p);
static rt_node *argument(rt_parser *p);

static const rt_token *now(const rt_parser *p) {
    static const rt_token nothing = {.kind = RT_T_END, .text = ""};
    return p->at < p->end ? &p->t[p->at] : &nothing;
}

static bool take(rt_parser *p, rt_token_kind kind) {
    if (now(p)->kind != kind) return false;
    p->at++;
    return true;
}

void *rt_unexpected(rt_parser *p, size_t at) {
    if (at >= p->end) return rt_stop_at(p->c, RT_STOP_SYNTAX, "it ends where something is missing");
    const rt_token *t = &p->t[at];
    int shown = t->length > 24 ? 24 : (int)t->length;
    return rt_stop_at(p->c, RT_STOP_SYNTAX, "'%.*s' at byte %zu cannot be read there", shown, t->text, t->begin);
}

bool rt_enter(rt_parser *p) {
    if (p->depth < RT_DEPTH_MAXIMUM) {
        p->depth++;
        return true;
    }
    rt_stop_at(p->c, RT_STOP_BUDGET, "it is nested more than %d deep", RT_DEPTH_MAXIMUM);
    return false;
}

static rt_node *expect(rt_parser *p, rt_token_kind kind, rt_node *value) {
    if (value == NULL) return NULL;
    return take(p, kind) ? value : rt_unexpected(p, p->at);
}

/* Numbers */

static void ten_to(fmpz_t out, size_t n) {
    fmpz_set_ui(out, 10);
    fmpz_pow_ui(out, out, n);
}

/* digits . digits ~ repeating: the repeating part r of length k behind d decimals is r / (10^d (10^k - 1)). */
rt_node *rt_token_number(rt_verify_context *c, const rt_token *t) {
    char *text = rt_arena(c, t->length + 1, 1);
    if (text == NULL) return NULL;
    size_t used = 0, decimals = 0, repeat = 0;
    bool point = false, repeats = false;
    for (size_t i = 0; i < t->length; i++) {
        if (t->text[i] == '.') {
            point = true;
        } else if (t->text[i] == '~') {
            repeats = true;
            repeat = used;
        } else {
            text[used++] = t->text[i];
            if (point && !repeats) decimals++;
        }
    }
    size_t period = repeats ? used - repeat : 0;
    int64_t limbs = (int64_t)used / 18;
    if (used > DECIMALS_MAXIMUM || t->exponent > DECIMALS_MAXIMUM || t->exponent < -DECIMALS_MAXIMUM)
        return rt_stop_at(c, RT_STOP_BUDGET, "a number has more than %d digits", DECIMALS_MAXIMUM);
    if (!rt_spend(c, 1 + limbs + limbs * limbs / 4)) return NULL;
    fmpq_t q;
    fmpz_t part, scale;
    fmpq_init(q);
    fmpz_init(part);
    fmpz_init(scale);
    /* With the period: (all digits - digits before it) / (10^decimals (10^period - 1)). */
    (void)fmpz_set_str(fmpq_numref(q), used > 0 ? text : "0", 10);
    if (repeats) {
        text[repeat] = '\0';
        (void)fmpz_set_str(part, repeat > 0 ? text : "0", 10);
        fmpz_sub(fmpq_numref(q), fmpq_numref(q), part);
        ten_to(scale, period);
        fmpz_sub_ui(fmpq_denref(q), scale, 1);
    }
    ten_to(scale, decimals);
    fmpz_mul(fmpq_denref(q), fmpq_denref(q), scale);
    ten_to(scale, (size_t)(t->exponent < 0 ? -t->exponent : t->exponent));
    fmpz *side = t->exponent < 0 ? fmpq_denref(q) : fmpq_numref(q);
    fmpz_mul(side, side, scale);
    fmpq_canonicalise(q);
    rt_node *n = rt_x_number(c, q);
    fmpz_clear(scale);
    fmpz_clear(part);
    fmpq_clear(q);
    return n;
}

static bool is_whole(const rt_token *t) {
    return t->kind == RT_T_NUMBER && t->exponent == 0 && memchr(t->text, '.', t->length) == NULL;
}

/* 4210_5 */
static rt_node *based_number(rt_parser *p, const rt_token *digits) {
    bool brace = take(p, RT_T_OPEN_GROUP);
    const rt_token *t = now(p);
    if (!is_whole(t) || t->length > 2 || !is_whole(digits)) return rt_unexpected(p, p->at);
    int64_t base = 0;
    for (size_t i = 0; i < t->length; i++) base = base * 10 + (t->text[i] - '0');
    p->at++;
    if (brace && !take(p, RT_T_CLOSE_GROUP)) return rt_unexpected(p, p->at);
    if (base < 2 || base > 36) return rt_stop_at(p->c, RT_STOP_SYNTAX, "%lld is no base from 2 to 36", (long long)base);
    if (digits->length > 4000) return rt_stop_at(p->c, RT_STOP_BUDGET, "a number in base %d is too long", (int)base);
    char *text = rt_arena_text(p->c, digits->text, digits->length);
    if (text == NULL || !rt_spend(p->c, (int64_t)digits->length * 4)) return NULL;
    fmpq_t q;
    fmpq_init(q);
    bool fine = fmpz_set_str(fmpq_numref(q), text, (int)base) == 0;
    rt_node *n = fine ? rt_x_number(p->c, q) : NULL;
    fmpq_clear(q);
    return fine ? n : rt_stop_at(p->c, RT_STOP_SYNTAX, "'%.20s' has a digit that base %d lacks", text, (int)base);
}

/* Names */

/* A subscript becomes part of the name: x_1, a_{n+1}. */
static rt_node *named(rt_parser *p, const char *name, size_t length) {
    char text[96];
    size_t used = length < 40 ? length : 40;
    memcpy(text, name, used);
    if (take(p, RT_T_UNDER)) {
        size_t last = now(p)->kind == RT_T_OPEN_GROUP ? rt_match(p, p->at, p->end) : p->at;
        if (last >= p->end) return rt_unexpected(p, p->end);
        text[used++] = '_';
        for (; p->at <= last; p->at++) {
            const rt_token *t = &p->t[p->at];
            if (t->kind == RT_T_OPEN_GROUP || t->kind == RT_T_CLOSE_GROUP) continue;
            if (used + t->length >= sizeof text) return rt_stop_at(p->c, RT_STOP_SYNTAX, "a name is too long");
            memcpy(text + used, t->text, t->length);
            used += t->length;
        }
    }
    return rt_x_symbol(p->c, text, used);
}

static rt_node *symbol(rt_parser *p) {
    const rt_token *t = now(p);
    p->at++;
    if (t->length == 1 && *t->text == 'e' && now(p)->kind != RT_T_UNDER) return rt_x_constant(p->c, RT_E);
    if (t->length == 1 && *t->text == 'i' && now(p)->kind != RT_T_UNDER) return rt_x_constant(p->c, RT_I);
    return named(p, t->text, t->length);
}

/* \overline{AB}: one name. */
static rt_node *accented(rt_parser *p) {
    char text[64];
    const rt_token *accent = now(p);
    size_t used = accent->length < 20 ? accent->length : 20;
    memcpy(text, accent->text, used);
    text[used++] = ' ';
    p->at++;
    size_t last = now(p)->kind == RT_T_OPEN_GROUP ? rt_match(p, p->at, p->end) : p->at;
    if (last >= p->end) return rt_unexpected(p, p->end);
    for (; p->at <= last; p->at++) {
        const rt_token *t = &p->t[p->at];
        if (t->kind == RT_T_OPEN_GROUP || t->kind == RT_T_CLOSE_GROUP) continue;
        if (t->kind != RT_T_SYMBOL || used + t->length >= sizeof text) return rt_unexpected(p, p->at);
        memcpy(text + used, t->text, t->length);
        used += t->length;
    }
    return named(p, text, used);
}

/* Functions */

static rt_fn inverse_of(rt_fn fn) {
    return fn == RT_SIN ? RT_ASIN : fn == RT_COS ? RT_ACOS : fn == RT_TAN ? RT_ATAN : RT_OPAQUE;
}

/* What may follow a function's name without brackets: powers side by side, up to the next function or operator. */
static rt_node *function_argument(rt_parser *p) {
    if (now(p)->kind == RT_T_OPEN) {
        p->at++;
        return expect(p, RT_T_CLOSE, rt_parse_sum(p));
    }
    bool negative = take(p, RT_T_MINUS);
    rt_node *product = power(p);
    while (product != NULL) {
        rt_token_kind kind = now(p)->kind;
        bool more =
            (kind == RT_T_SYMBOL && !now(p)->upright) || kind == RT_T_PI || kind == RT_T_FRAC || kind == RT_T_SQRT;
        if (!more) break;
        product = rt_x_mul(p->c, product, power(p));
    }
    return negative ? rt_x_neg(p->c, product) : product;
}

static rt_node *log_base(rt_parser *p) {
    if (!take(p, RT_T_UNDER)) return rt_x_integer(p->c, 10);
    rt_token *t = &p->t[p->at];
    /* TeX takes one digit: \log_28 is log 8 to base 2, where nothing else is left to take the logarithm of. */
    bool split = now(p)->kind == RT_T_NUMBER && t->length > 1 && is_whole(t) &&
                 (p->at + 1 == p->end || rt_closes(p->t[p->at + 1].kind));
    if (!split) return argument(p);
    rt_token first = *t;
    first.length = 1;
    t->text++;
    t->length--;
    return rt_token_number(p->c, &first);
}

static rt_node *apply(rt_parser *p, rt_fn fn, rt_node *base, rt_node *exponent) {
    rt_verify_context *c = p->c;
    if (exponent != NULL && exponent == rt_x_integer(c, -1)) {
        rt_fn inverse = inverse_of(fn);
        if (inverse == RT_OPAQUE) return rt_stop_at(c, RT_STOP_SYNTAX, "an inverse function that is not known");
        return rt_x_function(c, inverse, function_argument(p));
    }
    rt_node *x = function_argument(p);
    rt_node *value =
        base == NULL ? rt_x_function(c, fn, x) : rt_x_div(c, rt_x_function(c, RT_LN, x), rt_x_function(c, RT_LN, base));
    return exponent == NULL ? value : rt_x_power(c, value, exponent);
}

static rt_node *function(rt_parser *p) {
    const rt_token *t = now(p);
    p->at++;
    rt_node *base = NULL, *exponent = NULL;
    for (int i = 0; i < 2; i++) {
        if (t->kind == RT_T_LOG && now(p)->kind == RT_T_UNDER && base == NULL) {
            base = log_base(p);
            if (base == NULL) return NULL;
        } else if (now(p)->kind == RT_T_CARET && exponent == NULL) {
            p->at++;
            exponent = argument(p);
            if (exponent == NULL) return NULL;
        }
    }
    if (t->kind == RT_T_LOG && base == NULL) base = rt_x_integer(p->c, 10);
    return apply(p, t->fn, base, exponent);
}

/* Arguments of commands */

static rt_node *group(rt_parser *p) {
    p->at++;
    rt_node *value = rt_parse_sum(p);
    if (value == NULL) return NULL;
    rt_token_kind kind = now(p)->kind;
    if (kind == RT_T_CHOOSE || kind == RT_T_OVER) {
        p->at++;
        rt_node *lower = rt_parse_sum(p);
        value = kind == RT_T_OVER ? rt_x_div(p->c, value, lower) : rt_x_binomial(p->c, value, lower);
    }
    return expect(p, RT_T_CLOSE_GROUP, value);
}

/* One digit, as TeX takes it, of a number that has more of them. */
static rt_node *one_digit(rt_parser *p) {
    rt_token *t = &p->t[p->at];
    if (t->length == 1 || !is_whole(t)) {
        p->at++;
        return rt_token_number(p->c, t);
    }
    rt_token first = *t;
    first.length = 1;
    t->text++;
    t->length--;
    return rt_token_number(p->c, &first);
}

/* {sum} or one atom; a sign is let through. */
static rt_node *argument(rt_parser *p) {
    if (!rt_enter(p)) return NULL;
    rt_node *value;
    if (now(p)->kind == RT_T_OPEN_GROUP) {
        value = group(p);
    } else if (take(p, RT_T_MINUS)) {
        value = rt_x_neg(p->c, argument(p));
    } else if (now(p)->kind == RT_T_NUMBER) {
        value = rt_token_number(p->c, now(p));
        p->at++;
    } else {
        size_t end = p->end;
        value = power(p);
        p->end = end;
    }
    p->depth--;
    return value;
}

static rt_node *tex_argument(rt_parser *p) {
    return now(p)->kind == RT_T_NUMBER ? one_digit(p) : argument(p);
}

static rt_node *fraction(rt_parser *p) {
    bool binomial = now(p)->kind == RT_T_BINOM;
    p->at++;
    rt_node *top = tex_argument(p);
    if (top == NULL) return NULL;
    rt_node *bottom = tex_argument(p);
    return binomial ? rt_x_binomial(p->c, top, bottom) : rt_x_div(p->c, top, bottom);
}

static rt_node *root(rt_parser *p) {
    int64_t order = 2;
    p->at++;
    if (take(p, RT_T_OPEN_SQUARE)) {
        rt_node *index = expect(p, RT_T_CLOSE_SQUARE, rt_parse_sum(p));
        if (index == NULL) return NULL;
        if (!rt_small_integer(index, INT32_MAX, &order) || order < 1)
            return rt_stop_at(p->c, RT_STOP_SYNTAX, "the index of a root must be a whole number from 1 on");
    }
    rt_node *radicand;
    if (now(p)->kind == RT_T_OPEN) {
        p->at++;
        radicand = expect(p, RT_T_CLOSE, rt_parse_sum(p));
    } else if (now(p)->kind == RT_T_NUMBER && p->at > 0 && p->t[p->at - 1].text[0] != 's') {
        radicand = argument(p); /* the root sign of plain text stands before a whole number */
    } else {
        radicand = tex_argument(p);
    }
    return rt_x_root(p->c, radicand, order);
}

/* Atoms */

static rt_node *bracketed(rt_parser *p, rt_token_kind close) {
    p->at++;
    return expect(p, close, rt_parse_sum(p));
}

static rt_node *absolute(rt_parser *p) {
    p->at++;
    p->bars++;
    rt_node *value = expect(p, RT_T_BAR, rt_parse_sum(p));
    p->bars--;
    return rt_x_function(p->c, RT_ABS, value);
}

static rt_node *atom_of(rt_parser *p) {
    const rt_token *t = now(p);
    switch (t->kind) {
    case RT_T_NUMBER: p->at++; return take(p, RT_T_UNDER) ? based_number(p, t) : rt_token_number(p->c, t);
    case RT_T_SYMBOL: return symbol(p);
    case RT_T_PI: p->at++; return rt_x_constant(p->c, RT_PI);
    case RT_T_INFINITY: p->at++; return rt_x_constant(p->c, RT_INF);
    case RT_T_FUNCTION:
    case RT_T_LOG: return function(p);
    case RT_T_FRAC:
    case RT_T_BINOM: return fraction(p);
    case RT_T_SQRT: return root(p);
    case RT_T_ACCENT: return accented(p);
    case RT_T_OPEN: return bracketed(p, RT_T_CLOSE);
    case RT_T_OPEN_SQUARE: return bracketed(p, RT_T_CLOSE_SQUARE);
    case RT_T_OPEN_GROUP: return group(p);
    case RT_T_OPEN_FLOOR: return rt_x_function(p->c, RT_FLOOR, bracketed(p, RT_T_CLOSE_FLOOR));
    case RT_T_OPEN_CEIL: return rt_x_function(p->c, RT_CEIL, bracketed(p, RT_T_CLOSE_CEIL));
    case RT_T_BAR: return absolute(p);
    case RT_T_CURRENCY:
        p->at++;
        p->currency = t->text;
        return power(p);
    default: return rt_unexpected(p, p->at);
    }
}

static rt_node *power(rt_parser *p) {
    if (!rt_enter(p)) return NULL;
    rt_node *value = atom_of(p);
    for (bool more = true; more && value != NULL;) {
        more = true;
        if (take(p, RT_T_BANG)) {
            if (now(p)->kind == RT_T_BANG) value = rt_stop_at(p->c, RT_STOP_SYNTAX, "a double factorial is not known");
            value = rt_x_function(p->c, RT_FACT, value);
        } else if (now(p)->kind == RT_T_PERCENT && p->at + 1 < p->end) {
            p->at++; /* at the very end it is a unit */
            value = rt_x_mul(p->c, value, rt_x_fraction(p->c, 1, 100));
        } else if (take(p, RT_T_DEGREE)) {
            value = rt_x_mul(p->c, value, rt_x_constant(p->c, RT_DEG));
        } else {
            more = false;
        }
    }
    if (value != NULL && take(p, RT_T_CARET)) {
        value = rt_x_power(p->c, value, argument(p));
        if (value != NULL && take(p, RT_T_BANG)) value = rt_x_function(p->c, RT_FACT, value);
    }
    p->depth--;
    return value;
}

/* Products */

static bool begins_factor(const rt_parser *p) {
    const rt_token *t = now(p);
    switch (t->kind) {
    case RT_T_SYMBOL: return !t->upright || (t->length == 1 && (*t->text == 'e' || *t->text == 'i') && !t->upright);
    case RT_T_PI:
    case RT_T_FUNCTION:
    case RT_T_LOG:
    case RT_T_FRAC:
    case RT_T_BINOM:
    case RT_T_SQRT:
    case RT_T_ACCENT:
    case RT_T_OPEN:
    case RT_T_OPEN_SQUARE:
    case RT_T_OPEN_GROUP:
    case RT_T_OPEN_FLOOR:
    case RT_T_OPEN_CEIL:
    case RT_T_INFINITY: return true;
    case RT_T_BAR: return p->bars == 0;
    case RT_T_NUMBER: return p->t[p->at - 1].kind == RT_T_BANG; /* 5!2! */
    default: return false;
    }
}

/* Behind a whole number: \frac{a}{b} or a/b of whole numbers makes it a mixed one. */
static bool mixed_fraction(rt_parser *p, const rt_token *before, rt_node **value) {
    if (!is_whole(before)) return false;
    const rt_token *t = now(p);
    if (t->kind == RT_T_NUMBER) {
        bool slash =
            p->at + 2 < p->end && is_whole(t) && p->t[p->at + 1].kind == RT_T_DIVIDE && is_whole(&p->t[p->at + 2]);
        if (!slash) return false;
        rt_node *part = rt_x_div(p->c, rt_token_number(p->c, t), rt_token_number(p->c, &p->t[p->at + 2]));
        p->at += 3;
        *value = rt_x_add(p->c, *value, part);
        return true;
    }
    if (t->kind != RT_T_FRAC) return false;
    size_t start = p->at;
    rt_node *part = fraction(p);
    if (part == NULL) return true;
    bool plain = part->kind == RT_NUM;
    for (size_t i = start + 1; i < p->at && plain; i++) {
        rt_token_kind kind = p->t[i].kind;
        plain = kind == RT_T_OPEN_GROUP || kind == RT_T_CLOSE_GROUP || is_whole(&p->t[i]);
    }
    *value = plain ? rt_x_add(p->c, *value, part) : rt_x_mul(p->c, *value, part);
    return true;
}

typedef struct terms {
    rt_node **list;
    size_t count, capacity;
} terms;

static bool push(rt_parser *p, terms *t, rt_node *n) {
    if (n == NULL) return false;
    if (t->count == t->capacity) {
        size_t capacity = 2 * t->capacity + 4;
        rt_node **list = rt_arena(p->c, capacity, sizeof(rt_node *));
        if (list == NULL) return false;
        if (t->count > 0) memcpy(list, t->list, t->count * sizeof(rt_node *));
        t->list = list;
        t->capacity = capacity;
    }
    t->list[t->count++] = n;
    return true;
}

static rt_node *product(rt_parser *p) {
    size_t first = p->at;
    const rt_token *lead = now(p);
    rt_node *value = power(p);
    if (p->at == first + 1 && lead->kind == RT_T_NUMBER && value != NULL) (void)mixed_fraction(p, lead, &value);
    terms factors = {0};
    bool fine = push(p, &factors, value);
    while (fine) {
        bool times = take(p, RT_T_TIMES), divide = !times && take(p, RT_T_DIVIDE);
        if (!times && !divide && !begins_factor(p)) break;
        bool negative = (times || divide) && take(p, RT_T_MINUS);
        rt_node *right = power(p);
        if (negative) right = rt_x_neg(p->c, right);
        if (divide) right = rt_x_power(p->c, right, rt_x_integer(p->c, -1));
        fine = push(p, &factors, right);
    }
    if (!fine) return NULL;
    return factors.count == 1 ? factors.list[0] : rt_x_product(p->c, factors.list, factors.count);
}

/* Sums */

/* Signs before a term, several of them multiplied; false where there is none. */
static bool signs(rt_parser *p, bool *negative, rt_node **sign) {
    size_t first = p->at;
    *negative = false;
    *sign = NULL;
    for (;; p->at++) {
        rt_token_kind kind = now(p)->kind;
        if (kind == RT_T_MINUS) {
            *negative = !*negative;
        } else if (kind == RT_T_PLUS_MINUS || kind == RT_T_MINUS_PLUS) {
            p->opposed |= kind == RT_T_MINUS_PLUS;
            rt_node *one = rt_x_sign(p->c, p->signs++, kind == RT_T_PLUS_MINUS ? 1 : -1);
            *sign = *sign == NULL ? one : rt_x_mul(p->c, *sign, one);
        } else if (kind != RT_T_PLUS) {
            return p->at > first;
        }
    }
}

rt_node *rt_parse_sum(rt_parser *p) {
    if (!rt_enter(p)) return NULL;
    terms list = {0};
    bool negative, fine = true;
    rt_node *sign;
    (void)signs(p, &negative, &sign);
    do {
        rt_node *term = product(p);
        if (negative) term = rt_x_neg(p->c, term);
        if (sign != NULL) term = rt_x_mul(p->c, sign, term);
        fine = push(p, &list, term);
    } while (fine && signs(p, &negative, &sign));
    p->depth--;
    if (!fine) return NULL;
    return rt_x_sum(p->c, list.list, list.count);
}
