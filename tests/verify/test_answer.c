/* Answers: extraction of the last box, the closed grammar, exact values, and hostile text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/mem.h"
#include "core/random.h"
#include "verify/answer.h"
#include "verify/grade.h"

static const rt_question countdown = {
    .family = RT_FAMILY_COUNTDOWN, .numbers = {3, 5, 7, 11}, .count = 4, .target = 24};
static const rt_question blanks = {.family = RT_FAMILY_BLANKS, .numbers = {3, 5, 7}, .count = 3, .target = 22};
/* 8 / (3 - 8 / 3) = 24 goes through fractions; 3 3 8 8 has no other solution. */
static const rt_question fractions = {.family = RT_FAMILY_COUNTDOWN, .numbers = {3, 3, 8, 8}, .count = 4, .target = 24};
static const rt_question square = {.family = RT_FAMILY_COUNTDOWN, .numbers = {3, 2}, .count = 2, .target = 9};
static const rt_question halves = {.family = RT_FAMILY_COUNTDOWN, .numbers = {8, 3}, .count = 2, .target = 2};

typedef struct answer_case {
    const rt_question *question;
    const char *response;
    rt_verdict verdict;
} answer_case;

static void run(const answer_case *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *reason = NULL;
        rt_verdict got = rt_answer_grade(cases[i].question, cases[i].response, strlen(cases[i].response), &reason);
        if (got != cases[i].verdict)
            fail_msg("'%s' is %s (%s), not %s", cases[i].response, rt_verdict_name(got), reason,
                     rt_verdict_name(cases[i].verdict));
        assert_non_null(reason);
    }
}

static void test_right_answers(void **state) {
    (void)state;
    static const answer_case cases[] = {
        {&countdown, "\\boxed{(11 - 3) * (7 - 5) + 0}", RT_WRONG}, /* a fifth number */
        {&countdown, "\\boxed{11 + 7 + 5 + 3}", RT_WRONG},         /* 26 */
        {&countdown, "\\boxed{(11 - 5) * (7 - 3)}", RT_RIGHT},
        {&countdown, "\\boxed{(11-5)*(7-3)}", RT_RIGHT},
        {&countdown, "so \\boxed{ (11 - 5) * (7 - 3) } and more", RT_RIGHT},
        {&countdown, "\\boxed{(11 - 5) * (7 - 3) = 24}", RT_RIGHT},
        {&countdown, "\\boxed{((((11 - 5))) * (7 - 3))=24}", RT_RIGHT},
        {&countdown, "\\boxed{(5 - 11) * (3 - 7)}", RT_RIGHT}, /* negative on the way */
        {&countdown, "\\boxed{1} no, \\boxed{(11 - 5) * (7 - 3)}", RT_RIGHT},
        {&countdown, "\\boxed{(11 - 5) * (7 - 3)} or \\boxed{", RT_RIGHT},
        {&countdown, "\\boxed{(11 - 5) * (7 - 3)} then }}} {{{", RT_RIGHT},
        {&countdown, "\\boxed{\\boxed{(11 - 5) * (7 - 3)}}", RT_RIGHT}, /* the last box that opens */
        {&fractions, "\\boxed{8 / (3 - 8 / 3)}", RT_RIGHT},
        {&blanks, "\\boxed{3 * 5 + 7}", RT_RIGHT},
        {&blanks, "\\boxed{(3 * 5) + 7}", RT_RIGHT},
    };
    run(cases, sizeof cases / sizeof *cases);
}

static void test_wrong_answers(void **state) {
    (void)state;
    static const answer_case cases[] = {
        {&countdown, "\\boxed{(11 - 5) * (7 - 3) = 25}", RT_WRONG},
        {&countdown, "\\boxed{(11 - 5) * (7 - 3) = 24 = 24}", RT_UNPARSED},
        {&countdown, "\\boxed{(11 - 5) * (7 - 3) = }", RT_UNPARSED},
        {&countdown, "\\boxed{(11 - 5) * (7 - 3) = 12 + 12}", RT_UNPARSED},
        {&countdown, "\\boxed{= 24}", RT_UNPARSED},
        {&countdown, "\\boxed{24}", RT_WRONG},
        {&countdown, "\\boxed{11 * 3 - 5 - 7 + 3}", RT_WRONG}, /* 3 twice */
        {&countdown, "\\boxed{11 + 7 + 5}", RT_WRONG},         /* 3 is missing */
        {&countdown, "\\boxed{(11 - 5) * (8 - 4)}", RT_WRONG}, /* other numbers */
        {&countdown, "\\boxed{1 + 1 + 1 + 1}", RT_WRONG},
        {&countdown, "\\boxed{-(5 - 11) * (7 - 3)}", RT_UNPARSED},
        {&countdown, "\\boxed{+11 + 7 + 5 + 3}", RT_UNPARSED},
        {&countdown, "\\boxed{(11 - 5)(7 - 3)}", RT_UNPARSED},
        {&countdown, "\\boxed{(11 - 5) \\times (7 - 3)}", RT_UNPARSED},
        {&countdown, "\\boxed{(11 - 5) \xc3\x97 (7 - 3)}", RT_UNPARSED},     /* the multiplication sign */
        {&countdown, "\\boxed{(11 \xe2\x88\x92 5) * (7 - 3)}", RT_UNPARSED}, /* the minus sign */
        {&countdown, "\\boxed{(11 - 5) * (7 - 3)", RT_UNPARSED},
        {&countdown, "\\boxed(11 - 5) * (7 - 3)}", RT_UNPARSED},
        {&countdown, "(11 - 5) * (7 - 3)", RT_UNPARSED},
        {&countdown, "\\boxed{}", RT_UNPARSED},
        {&countdown, "\\boxed{   }", RT_UNPARSED},
        {&countdown, "", RT_UNPARSED},
        {&countdown, "\\boxed{(11 - 5 * (7 - 3)}", RT_UNPARSED},
        {&countdown, "\\boxed{(11 - 5)) * (7 - 3)}", RT_UNPARSED},
        {&countdown, "\\boxed{1 / 0 + 11 + 7}", RT_UNPARSED},
        {&countdown, "\\boxed{11 / (5 + 3 - 7 - 1)}", RT_UNPARSED},
        {&countdown, "\\boxed{011 + 5 + 7 + 3}", RT_UNPARSED},
        {&countdown, "\\boxed{11.0 + 5 + 7 + 3}", RT_UNPARSED},
        {&countdown, "\\boxed{1 1 + 5 + 7 + 3}", RT_UNPARSED},
        {&countdown, "\\boxed{11 % 5 + 7 + 3}", RT_UNPARSED},
        {&countdown, "\\boxed{(11 - 5) * (7 - 3) \\boxed{x}}", RT_UNPARSED},
        {&countdown, "\\boxed{9999999999 + 5}", RT_UNPARSED},
        {&countdown, "\\boxed{\\text{(11 - 5) * (7 - 3)}}", RT_UNPARSED},
        {&square, "\\boxed{3**2}", RT_UNPARSED},
        {&square, "\\boxed{3 ** 2}", RT_UNPARSED},
        {&square, "\\boxed{3 * * 2}", RT_UNPARSED},
        {&square, "\\boxed{3^2}", RT_UNPARSED},
        {&square, "\\boxed{3\xc2\xb2}", RT_UNPARSED},
        {&halves, "\\boxed{8//3}", RT_UNPARSED},
        {&halves, "\\boxed{8 / 3}", RT_WRONG},
        {&blanks, "\\boxed{7 + 5 * 3}", RT_WRONG}, /* right value, wrong order */
        {&blanks, "\\boxed{3 * (5 + 7)}", RT_WRONG},
        {&blanks, "\\boxed{3 * 57}", RT_WRONG},
    };
    run(cases, sizeof cases / sizeof *cases);
    /* A NUL is no white space. */
    const char nul[] = "\\boxed{(11 - 5) *\0 (7 - 3)}";
    assert_int_equal(rt_answer_grade(&countdown, nul, sizeof nul - 1, NULL), RT_UNPARSED);
    /* The length counts, not the terminator. */
    const char *cut = "\\boxed{(11 - 5) * (7 - 3)}";
    assert_int_equal(rt_answer_grade(&countdown, cut, strlen(cut) - 1, NULL), RT_UNPARSED);
}

static void test_text_answers(void **state) {
    (void)state;
    static const struct {
        const char *gold, *response;
        rt_verdict verdict;
    } cases[] = {
        {"72", "It is \\boxed{72}.", RT_RIGHT},
        {"72", "\\boxed{072}", RT_RIGHT},
        {"072", "\\boxed{72}", RT_RIGHT},
        {"72", "\\boxed{-72}", RT_WRONG},
        {"-72", "\\boxed{-72}", RT_RIGHT},
        {"0", "\\boxed{-0}", RT_RIGHT},
        {"0", "\\boxed{00}", RT_RIGHT},
        {"10", "\\boxed{1}", RT_WRONG},
        {"1", "\\boxed{10}", RT_WRONG},
        {"1234567", "\\boxed{1,234,567}", RT_RIGHT},
        {"1234567", "\\boxed{12,34,567}", RT_WRONG},
        {"1234", "\\boxed{\\$1{,}234}", RT_RIGHT},
        {"reasoning ... #### 18", "\\boxed{$18$}", RT_RIGHT},
        {"so \\boxed{5}", "\\boxed{5}", RT_RIGHT},
        {"\\frac{1}{2}", "\\boxed{\\dfrac{1}{2}}", RT_RIGHT},
        {"\\frac{1}{2}", "\\boxed{\\frac{1}{3}}", RT_WRONG},
        {"\\left(3, 4\\right)", "\\boxed{(3,4)}", RT_RIGHT},
        {"x \\rightarrow 0", "\\boxed{x 0}", RT_UNPARSED},
        {"x \\rightarrow 0", "\\boxed{x\\rightarrow 0}", RT_RIGHT},
        {"\\{1,2\\}", "\\boxed{\\{1, 2\\}}", RT_RIGHT},
        {"B", "\\boxed{B.}", RT_RIGHT},
        {"99999999999999999999999999", "\\boxed{99999999999999999999999999}", RT_RIGHT},
        {"99999999999999999999999999", "\\boxed{99999999999999999999999998}", RT_WRONG},
        {"72", "72", RT_UNPARSED},
        {"", "\\boxed{1}", RT_UNPARSED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rt_question q = {.family = RT_FAMILY_TEXT, .answer = cases[i].gold};
        rt_verdict got;
        assert_int_equal(rt_grade_strict(&q, cases[i].response, strlen(cases[i].response), &got, NULL), RETORT_OK);
        if (got != cases[i].verdict)
            fail_msg("'%s' for '%s' is %s", cases[i].response, cases[i].gold, rt_verdict_name(got));
    }
    rt_question none = {.family = RT_FAMILY_TEXT};
    assert_int_equal(rt_answer_grade(&none, "\\boxed{1}", 9, NULL), RT_UNPARSED);
}

static bool eval(const char *text, int64_t *n, int64_t *d, int32_t *count) {
    int32_t numbers[RT_MAX_NUMBERS];
    return rt_expression_eval(text, strlen(text), n, d, numbers, count);
}

static void test_values(void **state) {
    (void)state;
    int64_t n, d;
    int32_t count;
    assert_true(eval("1 / 3 + 1 / 6", &n, &d, &count));
    assert_true(n == 1 && d == 2 && count == 4);
    assert_true(eval("1 - 2 - 3", &n, &d, &count));
    assert_true(n == -4 && d == 1);
    assert_true(eval("2 / (3 - 5)", &n, &d, &count));
    assert_true(n == -1 && d == 1);
    assert_true(eval("100 / 10 / 5", &n, &d, &count));
    assert_true(n == 2 && d == 1);
    assert_true(eval("0 / 5", &n, &d, &count));
    assert_true(n == 0 && d == 1);
    assert_true(eval("2147483647 * 2147483647", &n, &d, &count));
    assert_true(n == INT64_C(4611686014132420609));
    assert_false(eval("2147483647 * 2147483647 * 2147483647", &n, &d, &count));
    assert_false(eval("2147483647 * 2147483647 * 2 + 2147483647 * 2147483647", &n, &d, &count));
    /* Cross factors cancel before the product is taken. */
    assert_true(eval("2147483647 * 2147483647 / 2147483647", &n, &d, &count));
    assert_true(n == 2147483647);
    assert_false(eval("1 / 2147483647 / 2147483647 / 2147483647", &n, &d, &count));
    assert_true(eval("1 + 1 + 1 + 1 + 1 + 1 + 1 + 1", &n, &d, &count));
    assert_false(eval("1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1", &n, &d, &count));
    assert_false(eval("", &n, &d, &count));
    assert_false(eval("()", &n, &d, &count));
    assert_false(eval("1 +", &n, &d, &count));
    assert_false(eval("2147483648", &n, &d, &count));
}

static char *repeat(const char *unit, size_t times, const char *tail, size_t *length) {
    size_t n = strlen(unit), t = strlen(tail);
    char *text = malloc(n * times + t + 1);
    assert_non_null(text);
    for (size_t i = 0; i < times; i++) memcpy(text + i * n, unit, n);
    memcpy(text + n * times, tail, t + 1);
    *length = n * times + t;
    return text;
}

/* Megabytes of whatever a broken model may say take linear time and no stack. */
static void test_hostile_text(void **state) {
    (void)state;
    static const struct {
        const char *unit, *tail;
        rt_verdict verdict;
    } cases[] = {
        {"{", "", RT_UNPARSED},
        {"}", "", RT_UNPARSED},
        {"\\boxed{", "", RT_UNPARSED},
        {"\\boxed{", "}", RT_UNPARSED},
        {"{}", "\\boxed{24}", RT_WRONG},
        {"\\boxed{}", "", RT_UNPARSED},
        {"\\", "{}", RT_UNPARSED},
        {"\\\\{", "", RT_UNPARSED},
        {"\\boxed{(11 - 5) * (7 - 3)}", "{", RT_RIGHT},
        {"{", "\\boxed{(11 - 5) * (7 - 3)}", RT_RIGHT},
        {"}", "\\boxed{(11 - 5) * (7 - 3)}", RT_RIGHT},
        {"\xff\xfe", "\\boxed{24}", RT_WRONG},
    };
    clock_t start = clock();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t length;
        char *text = repeat(cases[i].unit, 2000000 / strlen(cases[i].unit), cases[i].tail, &length);
        rt_verdict got = rt_answer_grade(&countdown, text, length, NULL);
        if (got != cases[i].verdict) fail_msg("case %zu is %s", i, rt_verdict_name(got));
        free(text);
    }
    size_t length;
    for (int kind = 0; kind < 3; kind++) {
        const char *units[] = {"(", "1+", "9"};
        char *inner = repeat(units[kind], 1000000, "", &length), *text = malloc(length + 16);
        assert_non_null(text);
        int n = snprintf(text, length + 16, "\\boxed{%s}", inner);
        assert_int_equal(rt_answer_grade(&countdown, text, (size_t)n, NULL), RT_UNPARSED);
        free(inner);
        free(text);
    }
    /* Quadratic scans would take hours; sanitizers slow this down a few times. */
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 20);
}

/* The exact value against long double on random small expressions. */
static long double make_expression(rt_rng *rng, int depth, rt_buffer *out) {
    if (depth == 0 || rt_rng_below(rng, 3) == 0) {
        int v = (int)rt_rng_below(rng, 30);
        assert_int_equal(rt_buffer_printf(out, NULL, "%d", v), RETORT_OK);
        return v;
    }
    char op = "+-*/"[rt_rng_below(rng, 4)];
    assert_int_equal(rt_buffer_puts(out, "(", NULL), RETORT_OK);
    long double a = make_expression(rng, depth - 1, out);
    assert_int_equal(rt_buffer_printf(out, NULL, ") %c (", op), RETORT_OK);
    long double b = make_expression(rng, depth - 1, out);
    assert_int_equal(rt_buffer_puts(out, ")", NULL), RETORT_OK);
    return op == '+' ? a + b : op == '-' ? a - b : op == '*' ? a * b : b != 0 ? a / b : 0.0L / 0.0L;
}

static void test_random_expressions(void **state) {
    (void)state;
    rt_rng rng = rt_rng_make(17, 0);
    rt_buffer text = {0};
    int parsed = 0;
    for (int i = 0; i < 20000; i++) {
        rt_buffer_clear(&text);
        long double want = make_expression(&rng, 3, &text);
        int64_t n, d;
        int32_t count;
        if (!eval(text.data, &n, &d, &count)) {
            assert_true(want != want);
            continue;
        }
        parsed++;
        assert_true(d > 0);
        long double got = (long double)n / (long double)d, off = got - want;
        assert_true((off < 0 ? -off : off) <= 1e-12L * (1 + (want < 0 ? -want : want)));
    }
    assert_true(parsed > 15000);
    rt_buffer_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right_answers), cmocka_unit_test(test_wrong_answers),
        cmocka_unit_test(test_text_answers),  cmocka_unit_test(test_values),
        cmocka_unit_test(test_hostile_text),  cmocka_unit_test(test_random_expressions),
    };
    return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
