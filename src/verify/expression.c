/* Exact evaluation of the closed expression grammar:
 *
 *     sum     = product { ("+" | "-") product }
 *     product = factor { ("*" | "/") factor }
 *     factor  = integer | "(" sum ")"
 *
 * in 64-bit fractions kept in lowest terms with a positive denominator. Every operation is checked for overflow. The
 * tokens are those of all answers (lex.h); the grammar admits these few kinds of them, as plain ASCII.
 */
#include "verify/answer.h"

#include <string.h>

#include "verify/lex.h"

/* Deeper than any honest answer over RT_MAX_NUMBERS numbers, shallow enough for any stack. */
enum { DEPTH_MAX = 64 };

typedef struct fraction {
    int64_t n, d;
} fraction;

/* A longer answer over RT_MAX_NUMBERS numbers is made of brackets around brackets. The tokens fit into the buffer. */
enum { TOKENS_MAX = 320, BUFFER = 40 << 10 };

typedef struct parser {
    const char *text; /* of which the tokens are */
    const rt_token *t;
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

static bool is_digit(char ch) {
    return ch >= '0' && ch <= '9';
}

/* "0" or digits without a leading zero and without separators, at most INT32_MAX. */
static bool parse_integer(parser *s, fraction *out) {
    const rt_token *t = s->t++;
    if (*s->count >= RT_MAX_NUMBERS || t->length > 10 || memcmp(s->text + t->begin, t->text, t->length) != 0)
        return false;
    if (*t->text == '0' && t->length > 1) return false;
    int64_t value = 0;
    for (size_t i = 0; i < t->length; i++) {
        if (!is_digit(t->text[i])) return false;
        value = value * 10 + (t->text[i] - '0');
    }
    if (value > INT32_MAX) return false;
    s->numbers[(*s->count)++] = (int32_t)value;
    *out = (fraction){value, 1};
    return true;
}

static bool parse_sum(parser *s, fraction *out);

static bool parse_factor(parser *s, fraction *out) {
    if (s->t->kind == RT_T_NUMBER) return parse_integer(s, out);
    if (s->t->kind != RT_T_OPEN || s->depth == DEPTH_MAX) return false;
    s->t++;
    s->depth++;
    if (!parse_sum(s, out) || s->t->kind != RT_T_CLOSE) return false;
    s->depth--;
    s->t++;
    return true;
}

static bool parse_product(parser *s, fraction *out) {
    if (!parse_factor(s, out)) return false;
    while (s->t->kind == RT_T_TIMES || s->t->kind == RT_T_DIVIDE) {
        bool times = s->t++->kind == RT_T_TIMES;
        fraction right;
        if (!parse_factor(s, &right) || !(times ? multiply(out, right) : divide(out, right))) return false;
    }
    return true;
}

static bool parse_sum(parser *s, fraction *out) {
    if (!parse_product(s, out)) return false;
    while (s->t->kind == RT_T_PLUS || s->t->kind == RT_T_MINUS) {
        bool minus = s->t++->kind == RT_T_MINUS;
        fraction right;
        if (!parse_product(s, &right) || !add(out, right, minus)) return false;
    }
    return true;
}

/* The closed alphabet: what is written in other characters may mean the same and is refused all the same. */
static bool is_closed(const char *text, size_t length) {
    size_t marks = 0;
    for (size_t i = 0; i < length; i++) {
        bool blank = text[i] == ' ' || text[i] == '\t' || text[i] == '\n' || text[i] == '\r';
        bool mark = memchr("+-*/()", text[i], 6) != NULL;
        if (!blank && !mark && !is_digit(text[i])) return false;
        marks += !blank;
    }
    return marks > 0 && marks <= TOKENS_MAX + (size_t)RT_MAX_NUMBERS * 10;
}

bool rt_expression_eval(const char *text, size_t length, int64_t *numerator, int64_t *denominator,
                        int32_t numbers[RT_MAX_NUMBERS], int32_t *count) {
    *count = 0;
    if (!is_closed(text, length)) return false;
    _Alignas(8) char buffer[BUFFER];
    rt_verify_context c;
    rt_tokens tokens;
    fraction value;
    rt_context_init_fixed(&c, INT64_MAX, buffer, sizeof buffer);
    bool fine = rt_lex(&c, text, length, false, &tokens) && tokens.count <= TOKENS_MAX;
    parser s = {.text = text, .t = tokens.list, .numbers = numbers, .count = count};
    fine = fine && parse_sum(&s, &value) && s.t->kind == RT_T_END;
    rt_context_free(&c);
    if (!fine) return false;
    *numerator = value.n;
    *denominator = value.d;
    return true;
}
