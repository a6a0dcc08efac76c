/* The recogniser against the truth: the flexible teacher's plan, and texts of other styles counted by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "analyze/world_behaviors.h"
#include "core/mem.h"
#include "data/world.h"

enum { TRACES = 3000 };

static void test_agrees_with_the_plan(void **state) {
    (void)state;
    rt_problems problems = {0};
    assert_int_equal(rt_world_problems(RT_SPLIT_RL, TRACES, 31, &problems, NULL), RETORT_OK);
    long attempts = 0, approaches = 0, checks = 0, doubts = 0, corrections = 0, backtracks = 0, verifications = 0;
    for (int i = 0; i < TRACES; i++) {
        const rt_problem *p = &problems.items[i];
        rt_buffer out = {0};
        rt_flexible_plan plan;
        rt_world_behaviors read;
        size_t budget = 300 + (size_t)(i % 5) * 300;
        assert_int_equal(rt_teacher_write_planned(p, (uint64_t)i % 7, budget, &out, &plan, NULL), RETORT_OK);
        rt_world_behaviors_count(&p->question, out.data, out.length, &read);
        bool same = plan.attempts == read.attempts && plan.approaches == read.approaches &&
                    plan.checks == read.checks && plan.doubts == read.doubts && plan.corrections == read.corrections &&
                    plan.backtracks == read.backtracks && plan.verifications == read.verifications &&
                    plan.true_steps == read.true_steps && plan.false_steps == read.false_steps &&
                    plan.goals == read.goals;
        if (!same)
            fail_msg("%s %s: attempts %d %d, approaches %d %d, checks %d %d, doubts %d %d, corrections %d %d, "
                     "backtracks %d %d, verifications %d %d, true %d %d, false %d %d, goals %d %d",
                     p->problem, out.data, plan.attempts, read.attempts, plan.approaches, read.approaches, plan.checks,
                     read.checks, plan.doubts, read.doubts, plan.corrections, read.corrections, plan.backtracks,
                     read.backtracks, plan.verifications, read.verifications, plan.true_steps, read.true_steps,
                     plan.false_steps, read.false_steps, plan.goals, read.goals);
        assert_int_equal(read.perspective, read.approaches > 0 ? read.approaches - 1 : 0);
        assert_int_equal(read.metacognitive, read.checks + read.doubts + read.corrections);
        attempts += read.attempts;
        approaches += read.approaches;
        checks += read.checks;
        doubts += read.doubts;
        corrections += read.corrections;
        backtracks += read.backtracks;
        verifications += read.verifications;
        rt_buffer_free(&out);
    }
    print_message("%d traces: %ld attempts, %ld approaches, %ld checks, %ld doubts, %ld corrections, %ld backtracks, "
                  "%ld verifications\n",
                  TRACES, attempts, approaches, checks, doubts, corrections, backtracks, verifications);
    assert_true(attempts > TRACES && approaches > TRACES && approaches < attempts && doubts > TRACES / 2);
    assert_true(checks > 100 && corrections > 100 && backtracks > TRACES / 2 && verifications > TRACES / 2);
    rt_problems_free(&problems);
}

typedef struct expected {
    const char *text;
    int attempts, approaches, checks, doubts, corrections, backtracks, verifications, true_steps, false_steps;
} expected;

static const rt_question four = {.family = RT_FAMILY_COUNTDOWN, .numbers = {3, 5, 7, 11}, .count = 4, .target = 24};

static void test_other_styles(void **state) {
    (void)state;
    static const expected cases[] = {
        {.text = ""},
        {.text = "I have no idea."},
        {.text = "\\boxed{(11 - 5) * (7 - 3)}", .attempts = 1, .approaches = 1},
        /* rigid */
        {.text = "Step 1: 11 - 5 = 6. Step 2: 7 - 3 = 4. Step 3: 6 * 4 = 24. Answer: \\boxed{(11 - 5) * (7 - 3)}",
         .attempts = 1,
         .approaches = 1,
         .true_steps = 3},
        /* the corpus's plain voice */
        {.text = "Try 11 * 3 = 33. Then 33 - 5 = 28, but this is not it. Maybe 7 * 3 = 21, no. "
                 "So try 11 - 5 = 6, 7 - 3 = 4, 6 * 4 = 24. Done: \\boxed{(11 - 5) * (7 - 3)}",
         .attempts = 3,
         .approaches = 3,
         .doubts = 2,
         .backtracks = 2,
         .true_steps = 6},
        /* one approach tried again in other words */
        {.text = "5 + 11 = 16, too small. 11 + 5 = 16, no.",
         .attempts = 2,
         .approaches = 1,
         .doubts = 2,
         .backtracks = 1,
         .true_steps = 2},
        /* a switch without a word of failure */
        {.text = "3 + 5 = 8, 8 + 7 = 15. Alternatively, 11 * 3 = 33.",
         .attempts = 2,
         .approaches = 2,
         .backtracks = 1,
         .true_steps = 3},
        /* \"instead\" after the step that it is about */
        {.text = "3 + 5 = 8, no. Let me try 11 * 3 = 33 instead, leaving 5, 7 and 33. 33 + 5 = 38.",
         .attempts = 2,
         .approaches = 2,
         .doubts = 1,
         .backtracks = 1,
         .true_steps = 3},
        /* staying within an approach: fewer numbers listed */
        {.text = "3 + 5 = 8, leaving 7, 11 and 8. With 7 last, 24 - 7 = 17 from 11 and 8. 11 + 8 = 19, no. "
                 "With 11 last, 24 - 11 = 13 from 7 and 8. 7 + 8 = 15, no.",
         .attempts = 2,
         .approaches = 1,
         .doubts = 2,
         .backtracks = 1,
         .true_steps = 5},
        /* a wrong step taken back in words, and one without */
        {.text = "11 * 3 = 31, wait, I mean 11 * 3 = 33.",
         .attempts = 1,
         .approaches = 1,
         .corrections = 1,
         .true_steps = 1,
         .false_steps = 1},
        {.text = "11 * 3 = 31, 11 * 3 = 33.",
         .attempts = 1,
         .approaches = 1,
         .corrections = 1,
         .true_steps = 1,
         .false_steps = 1},
        /* a wrong step nobody notices */
        {.text = "11 * 3 = 31. So \\boxed{11 * 3}", .attempts = 1, .approaches = 1, .false_steps = 1},
        /* foreign numbers are no attempt */
        {.text = "100 + 200 = 300, no.", .doubts = 1, .true_steps = 1},
        /* checks before and after; only the one before the box verifies */
        {.text = "11 - 5 = 6. Let me double-check: 11 - 5 = 6. 7 - 3 = 4, 6 * 4 = 24. Check: (11 - 5) * (7 - 3) = 24. "
                 "So \\boxed{(11 - 5) * (7 - 3)}",
         .attempts = 1,
         .approaches = 1,
         .checks = 1,
         .verifications = 1,
         .true_steps = 5},
        {.text = "Let me check 3 + 5 = 8.", .checks = 1, .true_steps = 1},
        {.text = "\\boxed{3 + 5} Let me verify: 3 * 5 + 7 = 22, that is wrong.",
         .attempts = 1,
         .approaches = 1,
         .checks = 1,
         .doubts = 1,
         .true_steps = 1},
        /* words without arithmetic */
        {.text = "Hmm, wait. I am not sure. No, not 24!", .doubts = 3},
        {.text = "There is no other way, and nothing to say about it."},
        {.text = "WAIT", .doubts = 1},
        {.text = "await waiting noble note", .doubts = 0},
        /* broken arithmetic */
        {.text = "= 3 x = 5 3 + = 5 3 + 5 = x 3 + 5 = 99999999999 (3 + 5 = 8 11 = 11"
                 " 3 - 5 = -2",
         .attempts = 1,
         .approaches = 1,
         .true_steps = 2},
        {.text = "3 + 5 = 8 + 7 = 15", .attempts = 1, .approaches = 1, .true_steps = 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const expected *e = &cases[i];
        rt_world_behaviors r;
        rt_world_behaviors_count(&four, e->text, strlen(e->text), &r);
        if (r.attempts != e->attempts || r.approaches != e->approaches || r.checks != e->checks ||
            r.doubts != e->doubts || r.corrections != e->corrections || r.backtracks != e->backtracks ||
            r.verifications != e->verifications || r.true_steps != e->true_steps || r.false_steps != e->false_steps)
            fail_msg("'%s': attempts %d, approaches %d, checks %d, doubts %d, corrections %d, backtracks %d, "
                     "verifications %d, true %d, false %d",
                     e->text, r.attempts, r.approaches, r.checks, r.doubts, r.corrections, r.backtracks,
                     r.verifications, r.true_steps, r.false_steps);
    }
}

/* The pre-training corpus says nothing that is false. */
static void test_corpus_is_true(void **state) {
    (void)state;
    long steps = 0;
    for (uint64_t i = 0; i < 5000; i++) {
        rt_buffer out = {0};
        rt_world_behaviors read;
        assert_int_equal(rt_corpus_document(3, i, 0.05, "{problem}\n", &out, NULL), RETORT_OK);
        rt_world_behaviors_count(&four, out.data, out.length, &read);
        if (read.false_steps) fail_msg("%s", out.data);
        steps += read.true_steps;
        rt_buffer_free(&out);
    }
    assert_true(steps > 5000);
}

/* Spans and counts tell the same story, and every span lies within the text. */
static void test_spans(void **state) {
    (void)state;
    rt_problems problems = {0};
    assert_int_equal(rt_world_problems(RT_SPLIT_TEST, 300, 1, &problems, NULL), RETORT_OK);
    for (int i = 0; i < problems.count; i++) {
        rt_buffer out = {0};
        rt_world_behaviors read;
        rt_behavior_span *spans;
        size_t count;
        const rt_question *q = &problems.items[i].question;
        assert_int_equal(rt_teacher_write(RT_TEACHER_FLEXIBLE, &problems.items[i], 4, 900, &out, NULL), RETORT_OK);
        rt_world_behaviors_count(q, out.data, out.length, &read);
        assert_int_equal(rt_world_behavior_spans(q, out.data, out.length, &spans, &count, NULL), RETORT_OK);
        int attempts = 0, checks = 0, doubts = 0, corrections = 0, backtracks = 0, verifications = 0, perspective = 0;
        for (size_t k = 0; k < count; k++) {
            assert_true(spans[k].begin < spans[k].end && spans[k].end <= out.length);
            attempts += strcmp(spans[k].kind, "attempts") == 0;
            checks += strcmp(spans[k].kind, "checks") == 0;
            doubts += strcmp(spans[k].kind, "doubts") == 0;
            corrections += strcmp(spans[k].kind, "corrections") == 0;
            backtracks += strcmp(spans[k].kind, "backtracks") == 0;
            verifications += strcmp(spans[k].kind, "verifications") == 0;
            perspective += strcmp(spans[k].kind, "perspective") == 0;
        }
        assert_int_equal(attempts, read.attempts);
        assert_int_equal(checks, read.checks);
        assert_int_equal(doubts, read.doubts);
        assert_int_equal(corrections, read.corrections);
        assert_int_equal(backtracks, read.backtracks);
        assert_int_equal(verifications, read.verifications);
        assert_int_equal(perspective, read.perspective);
        rt_free(spans);
        rt_fail_alloc(0, true);
        retort_status st = rt_world_behavior_spans(q, out.data, out.length, &spans, &count, NULL);
        rt_fail_alloc(-1, false);
        assert_int_equal(st, RETORT_ERR_MEMORY);
        rt_buffer_free(&out);
    }
    rt_problems_free(&problems);
}

/* Any bytes, any length: no crash, linear time. */
static void test_hostile_text(void **state) {
    (void)state;
    static const char *const units[] = {
        "=",      "1=",       "((((",        "1+1=2 ",           "no, ", "\\boxed{", "check. ",
        "wait ",  "\xff\xfe", "1 + 1 = 3, ", "leaving 1, 2, 3 ", ".",    "9",        "\n",
        "- - = -"};
    clock_t start = clock();
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t n = strlen(units[i]), times = 400000 / n;
        char *text = malloc(n * times + 1);
        assert_non_null(text);
        for (size_t k = 0; k < times; k++) memcpy(text + k * n, units[i], n);
        text[n * times] = 'X'; /* not terminated */
        rt_world_behaviors r;
        rt_world_behaviors_count(&four, text, n * times, &r);
        free(text);
    }
    const char nul[] = "3 + 5\0= 8, no\0. wait";
    rt_world_behaviors r;
    rt_world_behaviors_count(&four, nul, sizeof nul - 1, &r);
    assert_int_equal(r.true_steps, 0);
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 30);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_the_plan), cmocka_unit_test(test_other_styles),
        cmocka_unit_test(test_corpus_is_true),       cmocka_unit_test(test_spans),
        cmocka_unit_test(test_hostile_text),
    };
    return cmocka_run_group_tests_name("world_behaviors", tests, NULL, NULL);
}
