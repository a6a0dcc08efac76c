/* Exact evaluation of the closed expression grammar:
 *
 *     sum     = product { ("+" | "-") product }
 *     product = factor { ("*" | "/") factor }
 *     factor  = integer | "(" sum ")"
 *
 * in 64-bit fractions kept in lowest terms with a positive denominator. Every operation is checked for overflow.
 */
#include "verify/answer.h"

/* Deeper than any honest answer over RT_MAX_NUMBERS numbers, shallow enough for any stack. */
enum { DEPTH_MAX = 64 };

typedef struct fraction {
    int64_t n, d;
} fraction;

typedef struct parser {
    const char *p, *end;
    int32_t *numbers, *count;
    int depth;
} parser;

static int64_t gcd(int64_t a, int64_t b) {
    while (b != 0) {
        int64_t t = a % b;
        a = b;
        b = t;
    }
    return a < 0 ? -a : a;
}

static bool reduce(fraction *x) {
    if (x->d == 0 || x->n == INT64_MIN || x->d == INT64_MIN) return false;
    int64_t g = gcd(x->n, x->d);
    if (x->d < 0) g = -g;
    x->n /= g;
    x->d /= g;
    return true;
}

static bool add(fraction *x, fraction y, bool negative) {
    int64_t g = gcd(x->d, y.d), xs = y.d / g, ys = x->d / g, a, b;
    if (__builtin_mul_overflow(x->n, xs, &a) || __builtin_mul_overflow(y.n, ys, &b)) return false;
    if (negative ? __builtin_sub_overflow(a, b, &x->n) : __builtin_add_overflow(a, b, &x->n)) return false;
    if (__builtin_mul_overflow(x->d, xs, &x->d)) return false;
    return reduce(x);
}

static bool multiply(fraction *x, fraction y) {
    fraction cross1 = {x->n, y.d}, cross2 = {y.n, x->d};
    if (!reduce(&cross1) || !reduce(&cross2)) return false;
    if (__builtin_mul_overflow(cross1.n, cross2.n, &x->n)) return false;
    if (__builtin_mul_overflow(cross1.d, cross2.d, &x->d)) return false;
    return reduce(x);
}

static bool divide(fraction *x, fraction y) {
    return y.n != 0 && multiply(x, (fraction){y.d, y.n});
}

static int peek(parser *s) {
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r')) s->p++;
    return s->p < s->end ? (unsigned char)*s->p : -1;
}

static bool is_digit(int c) {
    return c >= '0' && c <= '9';
}

/* "0" or digits without a leading zero, at most INT32_MAX. */
static bool parse_integer(parser *s, fraction *out) {
    if (*s->count >= RT_MAX_NUMBERS) return false;
    int64_t value = 0;
    const char *first = s->p;
    for (; s->p < s->end && is_digit((unsigned char)*s->p); s->p++) {
        value = value * 10 + (*s->p - '0');
        if (value > INT32_MAX) return false;
    }
    if (*first == '0' && s->p - first > 1) return false;
    s->numbers[(*s->count)++] = (int32_t)value;
    *out = (fraction){value, 1};
    return true;
}

static bool parse_sum(parser *s, fraction *out);

static bool parse_factor(parser *s, fraction *out) {
    int c = peek(s);
    if (is_digit(c)) return parse_integer(s, out);
    if (c != '(' || s->depth == DEPTH_MAX) return false;
    s->p++;
    s->depth++;
    if (!parse_sum(s, out) || peek(s) != ')') return false;
    s->depth--;
    s->p++;
    return true;
}

static bool parse_product(parser *s, fraction *out) {
    if (!parse_factor(s, out)) return false;
    for (int c = peek(s); c == '*' || c == '/'; c = peek(s)) {
        fraction right;
        s->p++;
        if (!parse_factor(s, &right) || !(c == '*' ? multiply(out, right) : divide(out, right))) return false;
    }
    return true;
}

static bool parse_sum(parser *s, fraction *out) {
    if (!parse_product(s, out)) return false;
    for (int c = peek(s); c == '+' || c == '-'; c = peek(s)) {
        fraction right;
        s->p++;
        if (!parse_product(s, &right) || !add(out, right, c == '-')) return false;
    }
    return true;
}

bool rt_expression_eval(const char *text, size_t length, int64_t *numerator, int64_t *denominator,
                        int32_t numbers[RT_MAX_NUMBERS], int32_t *count) {
    *count = 0;
    if (length == 0) return false;
    parser s = {.p = text, .end = text + length, .numbers = numbers, .count = count};
    fraction value;
    if (!parse_sum(&s, &value) || peek(&s) != -1) return false;
    *numerator = value.n;
    *denominator = value.d;
    return true;
}
