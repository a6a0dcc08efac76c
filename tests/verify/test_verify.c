/* The verifier through its public header: verdicts, sides, rules, budgets, extraction, and laws that hold for every
 * pair. The corpora are in test_corpus.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/mem.h"
#include "retort/verify.h"

static retort_verify_result grade_with(const char *gold, const char *pred, const retort_verify_options *options) {
    retort_verify_result result;
    retort_error err = {0};
    retort_status st = retort_verify_answer(retort_gold_of(gold), retort_pred_of(pred), options, &result, &err);
    if (st != RETORT_OK) fail_msg("'%s' for '%s': %s", pred, gold, err.message);
    assert_true(result.reason[0] != '\0');
    return result;
}

static retort_verdict grade(const char *gold, const char *pred, const retort_verify_options *options) {
    retort_verify_result result = grade_with(gold, pred, options);
    retort_verdict verdict = result.verdict;
    retort_verify_result_release(&result);
    return verdict;
}

static void expect(const char *gold, const char *pred, const retort_verify_options *options, retort_verdict want) {
    retort_verify_result r = grade_with(gold, pred, options);
    if (r.verdict != want)
        fail_msg("'%s' for '%s' is %s (%s), not %s", pred, gold, retort_verdict_name(r.verdict), r.reason,
                 retort_verdict_name(want));
    retort_verify_result_release(&r);
}

/* Answers that are pairwise unlike, each with another way to write it. */
static const char *const FORMS[][2] = {
    {"\\frac{1}{2}", "0.5"},
    {"1+\\sqrt{2}", "\\sqrt{3+2\\sqrt{2}}"},
    {"\\frac{\\pi}{4}", "\\arctan 1"},
    {"3\\ln 2", "\\ln 8"},
    {"(x+1)^2", "x^2+2x+1"},
    {"\\frac{1}{x}+\\frac{1}{y}", "\\frac{x+y}{xy}"},
    {"\\sin 2x", "2\\sin x\\cos x"},
    {"e^{x+2}", "e^2e^x"},
    {"2^{n+1}", "2\\cdot 2^n"},
    {"(1,2)", "\\left(1, \\frac{4}{2}\\right)"},
    {"[3,4)", "3 \\le x < 4"},
    {"(-\\infty,2)\\cup(3,\\infty)", "x<2 \\text{ or } x>3"},
    {"\\{1,2,3\\}", "\\{3,2,1\\}"},
    {"7, 8", "8 \\text{ and } 7"},
    {"\\pm 2017", "2017, -2017"},
    {"\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}", "\\begin{bmatrix}1&2\\\\3&\\sqrt{16}\\end{bmatrix}"},
    {"5x-7y+11z+4=0", "10x-14y+22z=-8"},
    {"\\text{Evelyn}", "evelyn"},
    {"17{:}00", "17:00"},
    {"3+4i", "4i+3"},
    {"25\\text{ kg}", "25000\\text{ g}"},
    {"\\emptyset", "\\{\\}"},
    {"\\infty", "+\\infty"},
    {"x^2+y^2<1", "2x^2+2y^2<2"},
};
enum { FORM_COUNT = sizeof FORMS / sizeof *FORMS };

static void forms_are_told_apart(void **state) {
    (void)state;
    for (size_t i = 0; i < FORM_COUNT; i++) {
        for (size_t k = 0; k < FORM_COUNT; k++) {
            for (int a = 0; a < 2; a++) {
                for (int b = 0; b < 2; b++)
                    expect(FORMS[i][a], FORMS[k][b], NULL, i == k ? RETORT_VERDICT_RIGHT : RETORT_VERDICT_WRONG);
            }
        }
    }
}

/* What changes nothing in LaTeX changes no verdict. */
static char *decorated(const char *text, int way) {
    size_t size = 8 * strlen(text) + 64, used = 0;
    char *out = malloc(size);
    assert_non_null(out);
    for (const char *p = text; *p != '\0'; p++) {
        bool command = p > text && ((p[-1] >= 'a' && p[-1] <= 'z') || p[-1] == '\\');
        if (way == 0 && strncmp(p, "\\frac", 5) == 0) {
            used += (size_t)snprintf(out + used, size - used, "\\dfrac");
            p += 4;
        } else if (way == 1 && (*p == '+' || *p == '-') && p > text && !command) {
            used += (size_t)snprintf(out + used, size - used, "\\, %c ", *p);
        } else if (way == 2 && (*p == '(' || *p == ')') && !command) {
            used += (size_t)snprintf(out + used, size - used, "%s%c", *p == '(' ? "\\left" : "\\right", *p);
        } else {
            out[used++] = *p;
        }
    }
    out[used] = '\0';
    if (way == 3) {
        char *whole = malloc(size);
        assert_non_null(whole);
        (void)snprintf(whole, size, " $\\displaystyle %s$. ", out);
        free(out);
        out = whole;
    }
    return out;
}

static void noise_changes_nothing(void **state) {
    (void)state;
    for (size_t i = 0; i < FORM_COUNT; i++) {
        for (int way = 0; way < 4; way++) {
            if (way == 2 && strchr(FORMS[i][0], '[') != NULL) continue; /* half-open: \left needs its \right */
            char *text = decorated(FORMS[i][0], way);
            expect(FORMS[i][0], text, NULL, RETORT_VERDICT_RIGHT);
            expect(text, FORMS[i][1], NULL, RETORT_VERDICT_RIGHT);
            free(text);
        }
    }
}

static void tolerant_accepts_what_strict_does(void **state) {
    (void)state;
    const retort_verify_options tolerant = {.profile = RETORT_PROFILE_TOLERANT};
    for (size_t i = 0; i < FORM_COUNT; i++) expect(FORMS[i][0], FORMS[i][1], &tolerant, RETORT_VERDICT_RIGHT);
    expect("3:4", "\\frac{3}{4}", NULL, RETORT_VERDICT_WRONG);
    expect("3:4", "\\frac{3}{4}", &tolerant, RETORT_VERDICT_RIGHT);
    expect("4210_{5}", "4210", NULL, RETORT_VERDICT_WRONG);
    expect("4210_{5}", "4210", &tolerant, RETORT_VERDICT_RIGHT);
    expect("\\begin{pmatrix}1\\\\2\\end{pmatrix}", "(1,2)", NULL, RETORT_VERDICT_WRONG);
    expect("\\begin{pmatrix}1\\\\2\\end{pmatrix}", "(1,2)", &tolerant, RETORT_VERDICT_RIGHT);
}

static void rounding_is_an_option(void **state) {
    (void)state;
    const retort_verify_options rounding = {.rounding = true};
    expect("3.14", "\\pi", NULL, RETORT_VERDICT_WRONG);
    expect("3.14", "\\pi", &rounding, RETORT_VERDICT_RIGHT);
    expect("3.14", "3.14159", &rounding, RETORT_VERDICT_RIGHT);
    expect("3.15", "\\pi", &rounding, RETORT_VERDICT_WRONG);
    expect("\\pi", "3.14", &rounding, RETORT_VERDICT_WRONG);
    expect("0.67", "\\frac{2}{3}", &rounding, RETORT_VERDICT_RIGHT);
    expect("2", "2.3", &rounding, RETORT_VERDICT_WRONG);
    expect("0.5", "0.55", &rounding, RETORT_VERDICT_RIGHT); /* half a place off */
    expect("0.5", "0.5501", &rounding, RETORT_VERDICT_WRONG);
}

static void units_and_percent(void **state) {
    (void)state;
    expect("25", "25\\%", NULL, RETORT_VERDICT_RIGHT);
    expect("\\frac{1}{4}", "25\\%", NULL, RETORT_VERDICT_RIGHT);
    expect("0.5", "0.5\\%", NULL, RETORT_VERDICT_WRONG);
    expect("5\\text{ m}", "500\\text{ cm}", NULL, RETORT_VERDICT_RIGHT);
    expect("5\\text{ m}", "500\\text{ m}", NULL, RETORT_VERDICT_WRONG);
    expect("60\\text{ km/h}", "60 \\text{ kilometers per hour}", NULL, RETORT_VERDICT_RIGHT);
    expect("10\\text{ square inches}", "10 \\text{ in}^2", NULL, RETORT_VERDICT_RIGHT);
    expect("5\\text{ apples}", "5\\text{ oranges}", NULL, RETORT_VERDICT_WRONG);
    expect("90^\\circ", "\\frac{\\pi}{2}", NULL, RETORT_VERDICT_RIGHT);
    expect("\\$5", "500\\text{ cents}", NULL, RETORT_VERDICT_RIGHT);
}

static void sides_are_named(void **state) {
    (void)state;
    retort_verify_result r = grade_with("\\sum x", "5", NULL);
    assert_int_equal(r.verdict, RETORT_VERDICT_UNPARSED);
    assert_int_equal(r.side, RETORT_SIDE_GOLD);
    retort_verify_result_release(&r);
    r = grade_with("5", "\\frac{5}{0}", NULL);
    assert_int_equal(r.verdict, RETORT_VERDICT_UNPARSED);
    assert_int_equal(r.side, RETORT_SIDE_PRED);
    assert_non_null(strstr(r.reason, "division by zero"));
    retort_verify_result_release(&r);
    expect("\\text{(D)}un", "\\text{(D)}un", NULL, RETORT_VERDICT_RIGHT); /* no choice's letter before a value */
    /* The same text is right even where it is not read any further. */
    expect("\\sum_{k=1}^n k^2", "\\sum_{k=1}^{n} k^2", NULL, RETORT_VERDICT_UNPARSED);
    expect("\\sum_{k=1}^n k^2", "\\sum_{k=1}^n k^2", NULL, RETORT_VERDICT_RIGHT);
}

static void canonical_forms(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"\\frac{2}{4}", "1/2"},
        {"\\sqrt{12}", "2*sqrt(3)"},
        {"(3,4]", "(3, 4]"},
        {"\\{3,1,2\\}", "{1, 2, 3}"},
        {"y=2x+3", "y = 2*x + 3"},
        {"b+a", "a + b"},
        {"x>3", "x in (3, infinity)"},
        {"-i", "-i"},
        {"\\frac{-3x}{2y}", "-3*x/(2*y)"},
        {"\\begin{pmatrix}1\\\\2\\end{pmatrix}", "[[1], [2]]"},
        {"\\text{Even}", "even"},
    };
    const retort_verify_options options = {.canonical = true};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        retort_verify_result r = grade_with(cases[i][0], cases[i][0], &options);
        assert_int_equal(r.verdict, RETORT_VERDICT_RIGHT);
        assert_non_null(r.gold);
        assert_string_equal(r.gold, cases[i][1]);
        assert_string_equal(r.pred, cases[i][1]);
        retort_verify_result_release(&r);
    }
}

/* Asking for canonical forms costs nothing, and a smaller budget only turns verdicts into over-budget. */
static void budgets_are_exact(void **state) {
    (void)state;
    for (size_t i = 0; i < FORM_COUNT; i++) {
        retort_verify_options options = {.canonical = true};
        retort_verify_result full = grade_with(FORMS[i][0], FORMS[i][1], &options);
        options.canonical = false;
        retort_verify_result bare = grade_with(FORMS[i][0], FORMS[i][1], &options);
        assert_int_equal(full.spent, bare.spent);
        options.budget = full.spent;
        expect(FORMS[i][0], FORMS[i][1], &options, RETORT_VERDICT_RIGHT);
        for (int64_t budget = 1; budget < full.spent; budget = budget * 3 / 2 + 1) {
            options.budget = budget;
            retort_verdict verdict = grade(FORMS[i][0], FORMS[i][1], &options);
            assert_true(verdict == RETORT_VERDICT_OVER_BUDGET || verdict == RETORT_VERDICT_RIGHT);
        }
        retort_verify_result_release(&full);
        retort_verify_result_release(&bare);
    }
    char *large = malloc(RETORT_VERIFY_MAX_ANSWER + 2);
    assert_non_null(large);
    memset(large, '7', RETORT_VERIFY_MAX_ANSWER + 1);
    large[RETORT_VERIFY_MAX_ANSWER + 1] = '\0';
    expect("7", large, NULL, RETORT_VERDICT_OVER_BUDGET);
    free(large);
}

static void extraction(void **state) {
    (void)state;
    static const struct {
        const char *response, *answer;
        retort_profile profile;
        retort_extract_rule rule;
        size_t count;
    } cases[] = {
        {"so \\boxed{5}.", "5", RETORT_PROFILE_STRICT, RETORT_EXTRACT_BOXED, 1},
        {"\\boxed{1} no: \\boxed{\\frac{1}{2}} }}", "\\frac{1}{2}", RETORT_PROFILE_STRICT, RETORT_EXTRACT_BOXED, 1},
        {"$\\boxed{1}$ and $\\boxed{2}$", "2", RETORT_PROFILE_STRICT, RETORT_EXTRACT_BOXED, 2},
        {"\\boxed{\\boxed{3}}", "\\boxed{3}", RETORT_PROFILE_STRICT, RETORT_EXTRACT_BOXED, 1},
        {"\\boxed {4}", "4", RETORT_PROFILE_STRICT, RETORT_EXTRACT_BOXED, 1},
        {"5", NULL, RETORT_PROFILE_STRICT, RETORT_EXTRACT_NONE, 0},
        {"<think>\\boxed{1}</think>", NULL, RETORT_PROFILE_STRICT, RETORT_EXTRACT_NONE, 0},
        {"<think>\\boxed{1}</think>", "1", RETORT_PROFILE_TOLERANT, RETORT_EXTRACT_BOXED, 1},
        {"<answer> 7 </answer>", "7", RETORT_PROFILE_TOLERANT, RETORT_EXTRACT_ANSWER_TAG, 1},
        {"text\n#### 1,000\n", "1,000", RETORT_PROFILE_TOLERANT, RETORT_EXTRACT_HASHES, 1},
        {"The final answer is $x=2$. Bye 3", "x=2", RETORT_PROFILE_TOLERANT, RETORT_EXTRACT_FINAL_ANSWER, 1},
        {"Therefore it is **73** in all.", "73", RETORT_PROFILE_TOLERANT, RETORT_EXTRACT_BOLD, 1},
        {"1/2", "1/2", RETORT_PROFILE_TOLERANT, RETORT_EXTRACT_WHOLE, 1},
        {"I think so, because it fits\n(C)", "(C)", RETORT_PROFILE_TOLERANT, RETORT_EXTRACT_CHOICE, 1},
        {"After that the probability becomes $\\frac{1}{3}$ at last.", "\\frac{1}{3}", RETORT_PROFILE_TOLERANT,
         RETORT_EXTRACT_LAST_FORMULA, 1},
        {"All in all they needed 42 days.", "42", RETORT_PROFILE_TOLERANT, RETORT_EXTRACT_LAST_NUMBER, 1},
        {"All of them needed x^2 + 42 = 3y days there.", NULL, RETORT_PROFILE_TOLERANT, RETORT_EXTRACT_NONE, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        retort_extraction found;
        retort_error err = {0};
        const char *text = cases[i].response;
        assert_int_equal(retort_extract(text, strlen(text), cases[i].profile, &found, &err), RETORT_OK);
        if (found.rule != cases[i].rule || found.count != cases[i].count)
            fail_msg("'%s': %s, %zu answers", text, retort_extract_rule_name(found.rule), found.count);
        assert_true((cases[i].answer == NULL) == (found.reason != NULL));
        if (cases[i].answer != NULL) {
            assert_int_equal(found.answer.end - found.answer.begin, strlen(cases[i].answer));
            assert_memory_equal(text + found.answer.begin, cases[i].answer, strlen(cases[i].answer));
        }
        retort_extraction_release(&found);
    }
}

/* The length counts, not the terminator, and nothing is read behind it. */
static void lengths_count(void **state) {
    (void)state;
    static const char response[] = "\\boxed{12}";
    for (size_t length = 0; length < sizeof response; length++) {
        char *exact = malloc(length + 1); /* one more, so that length 0 is a block as well */
        assert_non_null(exact);
        memcpy(exact, response, length);
        retort_verify_result r;
        assert_int_equal(retort_verify(retort_gold_of("12"), (retort_pred){exact, length}, NULL, &r, NULL), RETORT_OK);
        assert_int_equal(r.verdict, length + 1 == sizeof response ? RETORT_VERDICT_RIGHT : RETORT_VERDICT_UNPARSED);
        retort_verify_result_release(&r);
        free(exact);
    }
}

static void many_are_like_single_ones(void **state) {
    (void)state;
    enum { PAIRS = FORM_COUNT * 8 };
    retort_gold golds[PAIRS];
    retort_pred preds[PAIRS];
    retort_verify_result results[PAIRS];
    char texts[PAIRS][160];
    for (size_t i = 0; i < PAIRS; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "\\boxed{%s}", FORMS[(i * 7) % FORM_COUNT][i % 2]);
        golds[i] = retort_gold_of(FORMS[i % FORM_COUNT][0]);
        preds[i] = retort_pred_of(texts[i]);
    }
    const retort_verify_options options = {.canonical = true};
    assert_int_equal(retort_verify_many(golds, preds, PAIRS, &options, results, NULL), RETORT_OK);
    for (size_t i = 0; i < PAIRS; i++) {
        retort_verify_result one;
        assert_int_equal(retort_verify(golds[i], preds[i], &options, &one, NULL), RETORT_OK);
        assert_int_equal(one.verdict, results[i].verdict);
        assert_int_equal(one.spent, results[i].spent);
        assert_string_equal(one.pred, results[i].pred);
        retort_verify_result_release(&one);
        retort_verify_result_release(&results[i]);
    }
    retort_verify_thread_end();
}

/* Every allocation of the whole path in turn fails, once and for good: an error comes back, and nothing leaks (the
 * sanitizer run sees). */
static void failed_allocations(void **state) {
    (void)state;
    const retort_verify_options options = {.canonical = true, .profile = RETORT_PROFILE_TOLERANT};
    for (size_t i = 0; i < FORM_COUNT; i++) {
        char text[200];
        (void)snprintf(text, sizeof text, "$\\boxed{%s}$ and \\boxed{%s}", FORMS[i][1], FORMS[i][0]);
        for (int persistent = 0; persistent < 2; persistent++) {
            retort_status st = RETORT_ERR_MEMORY;
            for (long n = 0; st == RETORT_ERR_MEMORY; n++) {
                retort_verify_result r;
                retort_error err = {0};
                rt_fail_alloc(n, persistent == 1);
                st = retort_verify(retort_gold_of(FORMS[i][0]), retort_pred_of(text), &options, &r, &err);
                bool failed = rt_alloc_count() > n;
                rt_fail_alloc(-1, false);
                assert_true(n < 2000);
                assert_int_equal(st, failed ? RETORT_ERR_MEMORY : RETORT_OK);
                if (st == RETORT_OK)
                    retort_verify_result_release(&r);
                else
                    assert_null(r.gold);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_are_told_apart),
        cmocka_unit_test(noise_changes_nothing),
        cmocka_unit_test(tolerant_accepts_what_strict_does),
        cmocka_unit_test(rounding_is_an_option),
        cmocka_unit_test(units_and_percent),
        cmocka_unit_test(sides_are_named),
        cmocka_unit_test(canonical_forms),
        cmocka_unit_test(budgets_are_exact),
        cmocka_unit_test(extraction),
        cmocka_unit_test(lengths_count),
        cmocka_unit_test(many_are_like_single_ones),
        cmocka_unit_test(failed_allocations),
    };
    return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
