/* Teachers and corpus: what they say is true, and the same on every run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/world_internal.h"
#include "verify/answer.h"

enum { PROBLEMS = 1000, BUDGET = 900 };

static rt_problems problems;

static int draw(void **state) {
    (void)state;
    return rt_world_problems(RT_SPLIT_DISTILL, PROBLEMS, 21, &problems, NULL) != RETORT_OK;
}

static int drop(void **state) {
    (void)state;
    rt_problems_free(&problems);
    return 0;
}

static void test_formal_answers_are_right(void **state) {
    (void)state;
    const rt_split splits[] = {RT_SPLIT_TEST, RT_SPLIT_HARD, RT_SPLIT_TRANSFER};
    for (int s = 0; s < 3; s++) {
        rt_problems some = {0};
        assert_int_equal(rt_world_problems(splits[s], 100, 3, &some, NULL), RETORT_OK);
        for (int i = 0; i < some.count; i++) {
            for (int t = RT_TEACHER_RIGID; t <= RT_TEACHER_TERSE; t++) {
                rt_buffer out = {0};
                const char *reason;
                assert_int_equal(rt_teacher_write((rt_teacher)t, &some.items[i], 5, BUDGET, &out, NULL), RETORT_OK);
                if (rt_answer_grade(&some.items[i].question, out.data, out.length, &reason) != RT_RIGHT)
                    fail_msg("%s: %s: %s", some.items[i].problem, out.data, reason);
                assert_int_equal(out.data[out.length - 1], '}');
                rt_buffer_free(&out);
            }
        }
        rt_problems_free(&some);
    }
}

/* Walks all "a op b = c" of a text; returns how many are false, and checks that each false one is put right at once. */
static int false_statements(const char *text, int *all) {
    int wrong = 0;
    for (const char *at = text; (at = strchr(at, '=')) != NULL; at++) {
        const char *left = at;
        while (left > text && strchr("0123456789 +-*/", left[-1])) left--;
        int32_t a, b, c;
        char op;
        if (sscanf(left, "%d %c %d = %d", &a, &op, &b, &c) != 4) fail_msg("no equation at '%.40s'", left);
        (*all)++;
        if (rt_apply(a, op, b) == c) continue;
        wrong++;
        char put_right[64];
        snprintf(put_right, sizeof put_right, "%d %c %d = %d", a, op, b, rt_apply(a, op, b));
        const char *next = strstr(at, put_right);
        if (!next || next - at > 40) fail_msg("'%.60s' is not put right", left);
    }
    return wrong;
}

static void test_flexible_says_what_is_true(void **state) {
    (void)state;
    int solved[5] = {0}, count[5] = {0}, statements = 0, slips = 0;
    size_t length = 0;
    for (int i = 0; i < problems.count; i++) {
        const rt_problem *p = &problems.items[i];
        rt_buffer out = {0};
        rt_flexible_plan plan;
        assert_int_equal(rt_teacher_write_planned(p, 1, BUDGET, &out, &plan, NULL), RETORT_OK);
        int wrong = false_statements(out.data, &statements);
        assert_int_equal(wrong, plan.false_steps);
        slips += wrong;
        rt_verdict verdict = rt_answer_grade(&p->question, out.data, out.length, NULL);
        assert_int_equal(verdict, plan.solved ? RT_RIGHT : RT_UNPARSED);
        assert_true(out.length <= BUDGET + 250); /* a last attempt may run over by its own length */
        assert_null(strpbrk(out.data, "~^@"));
        if (plan.solved) assert_ptr_equal(strchr(out.data, '{'), strstr(out.data, "\\boxed{") + 6);
        length += out.length;
        count[p->question.count]++;
        solved[p->question.count] += plan.solved;
        rt_buffer_free(&out);
    }
    print_message("flexible: solved %d of %d with 3 numbers, %d of %d with 4; mean %zu characters; %d slips in %d\n",
                  solved[3], count[3], solved[4], count[4], length / PROBLEMS, slips, statements);
    assert_true(solved[3] * 100 >= count[3] * 85);
    assert_true(solved[4] * 100 >= count[4] * 60 && solved[4] * 100 <= count[4] * 85);
    assert_true(slips > 0 && slips * 50 < statements);
}

static void test_teachers_are_deterministic(void **state) {
    (void)state;
    int differ = 0;
    for (int i = 0; i < 200; i++) {
        for (int t = RT_TEACHER_FLEXIBLE; t <= RT_TEACHER_TERSE; t++) {
            rt_buffer a = {0}, b = {0}, c = {0};
            assert_int_equal(rt_teacher_write((rt_teacher)t, &problems.items[i], 8, BUDGET, &a, NULL), RETORT_OK);
            /* What the buffer already holds must not matter. */
            assert_int_equal(rt_buffer_puts(&b, "before", NULL), RETORT_OK);
            assert_int_equal(rt_teacher_write((rt_teacher)t, &problems.items[i], 8, BUDGET, &b, NULL), RETORT_OK);
            assert_string_equal(a.data, b.data + 6);
            assert_int_equal(rt_teacher_write((rt_teacher)t, &problems.items[i], 9, BUDGET, &c, NULL), RETORT_OK);
            if (t == RT_TEACHER_FLEXIBLE) differ += strcmp(a.data, c.data) != 0;
            rt_buffer_free(&a);
            rt_buffer_free(&b);
            rt_buffer_free(&c);
        }
    }
    assert_true(differ > 180);
}

static void test_rigid_has_no_informal_word(void **state) {
    (void)state;
    for (int i = 0; i < problems.count; i++) {
        rt_buffer out = {0};
        assert_int_equal(rt_teacher_write(RT_TEACHER_RIGID, &problems.items[i], 5, BUDGET, &out, NULL), RETORT_OK);
        int all = 0;
        assert_int_equal(false_statements(out.data, &all), 0);
        assert_int_equal(all, problems.items[i].question.count - 1);
        for (const char *s = out.data; *s;) {
            size_t n = strcspn(s, " :.");
            if (s[0] >= 'A' && s[0] <= 'z' && s[0] != '\\')
                assert_true((n == 4 && memcmp(s, "Step", 4) == 0) || (n == 6 && memcmp(s, "Answer", 6) == 0));
            s += n + strspn(s + n, " :.");
            if (*s == '\\') break;
        }
        rt_buffer_free(&out);
    }
}

static void test_teachers_refuse_what_they_do_not_know(void **state) {
    (void)state;
    retort_error err = {0};
    rt_buffer out = {0};
    rt_problem text = {.id = "a", .problem = "What is 1 + 1?", .answer = "2"};
    assert_int_equal(rt_teacher_write(RT_TEACHER_TERSE, &text, 1, BUDGET, &out, &err), RETORT_ERR_UNSUPPORTED);
    rt_problem unsolvable = {
        .id = "b",
        .problem = "",
        .question = {.family = RT_FAMILY_COUNTDOWN, .numbers = {1, 1, 1}, .count = 3, .target = 99}};
    assert_int_equal(rt_teacher_write(RT_TEACHER_RIGID, &unsolvable, 1, BUDGET, &out, &err), RETORT_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "no solution"));
    /* The flexible teacher does not know beforehand that there is none: it tries and gives up. */
    rt_flexible_plan plan;
    assert_int_equal(rt_teacher_write_planned(&unsolvable, 1, BUDGET, &out, &plan, &err), RETORT_OK);
    assert_false(plan.solved);
    rt_problem blanks = unsolvable;
    blanks.question.family = RT_FAMILY_BLANKS;
    assert_int_equal(rt_teacher_write(RT_TEACHER_FLEXIBLE, &blanks, 1, BUDGET, &out, &err), RETORT_ERR_UNSUPPORTED);
    rt_buffer_free(&out);
}

/* Numbers from a file are not bounded as the world's own are. */
static void test_teachers_survive_odd_numbers(void **state) {
    (void)state;
    const int32_t values[] = {0, 1, 2, 13, 99, 100, 999, 1000, 46341, 1000000};
    const int n = sizeof values / sizeof *values;
    for (int a = 0; a < n; a++) {
        for (int b = 0; b < n; b++) {
            for (int c = 0; c < n; c++) {
                rt_problem p = {.id = "odd", .problem = ""};
                p.question = (rt_question){.family = RT_FAMILY_COUNTDOWN,
                                           .numbers = {values[a], values[b], values[c], values[(a + b + c) % n]},
                                           .count = 3 + (a + b) % 2,
                                           .target = 10 + (a * 7 + b * 11 + c) % 90};
                for (int t = RT_TEACHER_FLEXIBLE; t <= RT_TEACHER_TERSE; t++) {
                    rt_buffer out = {0};
                    retort_error err;
                    if (rt_teacher_write((rt_teacher)t, &p, 1, BUDGET, &out, &err) == RETORT_OK &&
                        strstr(out.data, "\\boxed"))
                        assert_int_equal(rt_answer_grade(&p.question, out.data, out.length, NULL), RT_RIGHT);
                    rt_buffer_free(&out);
                }
            }
        }
    }
}

static void test_corpus(void **state) {
    (void)state;
    const uint64_t count = 4000;
    size_t answers[4] = {0}; /* bare, boxed, in steps, exploratory */
    for (uint64_t i = 0; i < count; i++) {
        rt_buffer a = {0}, b = {0};
        assert_int_equal(rt_corpus_document(7, i, 0.02, "{problem}\n", &a, NULL), RETORT_OK);
        assert_int_equal(rt_corpus_document(7, i, 0.02, "{problem}\n", &b, NULL), RETORT_OK);
        assert_string_equal(a.data, b.data);
        bool asks = strncmp(a.data, "Use ", 4) == 0 || strncmp(a.data, "Fill in ", 8) == 0;
        if (asks) {
            /* A problem is of the pre-training split, and every equation and answer is true. */
            const char *answer = strchr(a.data, '\n');
            assert_non_null(answer);
            rt_question q = {.family = a.data[0] == 'U' ? RT_FAMILY_COUNTDOWN : RT_FAMILY_BLANKS};
            int32_t values[RT_MAX_NUMBERS + 1];
            int n = 0;
            for (const char *s = a.data; s < answer; s++) {
                if (*s < '0' || *s > '9') continue;
                assert_true(n <= RT_MAX_NUMBERS);
                values[n++] = (int32_t)strtol(s, (char **)&s, 10);
            }
            q.count = n - 1;
            q.target = values[n - 1];
            memcpy(q.numbers, values, sizeof *values * (size_t)q.count);
            assert_int_equal(rt_world_split(&q), RT_SPLIT_PRETRAIN);
            bool bare = strchr("(0123456789", answer[1]) != NULL, boxed = strncmp(answer + 1, "\\boxed{", 7) == 0;
            char text[1024];
            snprintf(text, sizeof text, bare ? "\\boxed{%s}" : "%s", answer + 1);
            assert_int_equal(rt_answer_grade(&q, text, strlen(text), NULL), RT_RIGHT);
            assert_in_range(q.count, 3, 4);
            answers[bare ? 0 : boxed ? 1 : strncmp(answer + 1, "Step", 4) == 0 ? 2 : 3]++;
        }
        rt_buffer_free(&a);
        rt_buffer_free(&b);
    }
    /* The shares that docs/world.md states. */
    assert_in_range(answers[0] + answers[1], 1000, 1240);
    assert_in_range(answers[0], 440, 570);
    assert_in_range(answers[2], 120, 210);
    assert_in_range(answers[3], 40, 120);
    retort_error err = {0};
    rt_buffer out = {0};
    retort_status st = RETORT_OK;
    for (uint64_t i = 0; i < 10 && st == RETORT_OK; i++) st = rt_corpus_document(7, i, 1, "no mark", &out, &err);
    assert_int_equal(st, RETORT_ERR_USAGE);
    rt_buffer_free(&out);
}

/* The whole numbers of s before `end`, at most `most`; returns how many. */
static int numbers_in(const char *s, const char *end, int32_t *values, int most) {
    int n = 0;
    while (s < end) {
        if (*s < '0' || *s > '9') {
            s++;
            continue;
        }
        assert_true(n < most);
        values[n++] = (int32_t)strtol(s, (char **)&s, 10);
    }
    return n;
}

/* "Of 19 and 29: 15 no, 29 yes." */
static void check_members(const char *text) {
    int32_t values[4];
    const char *s = strchr(text, ':');
    assert_non_null(s);
    int n = numbers_in(text, s, values, 4);
    while (*s == ':' || *s == ',') {
        int32_t v = (int32_t)strtol(s + 1, (char **)&s, 10);
        bool member = false;
        for (int i = 0; i < n; i++) member = member || values[i] == v;
        const char *answer = member ? " yes" : " no";
        assert_int_equal(strncmp(s, answer, strlen(answer)), 0);
        s += strlen(answer);
    }
    assert_string_equal(s, ".");
}

/* "Goal 43 from 8, 3 and 19. 19 last: ...: yes. 24 + 19 = 43. 43 = 8 * 3 + 19." or "..., no."; returns whether it
 * arrives. */
static bool check_reaching(const char *text) {
    int32_t values[4] = {0};
    const char *stop = strchr(text, '.');
    assert_int_equal(numbers_in(text, stop, values, 4), 4);
    rt_question q = {.family = RT_FAMILY_COUNTDOWN, .count = 3, .target = values[0]};
    memcpy(q.numbers, values + 1, 3 * sizeof *values);
    assert_int_equal(rt_world_split(&q), RT_SPLIT_PRETRAIN);
    for (const char *s = stop; (s = strstr(s, " = ")); s++) {
        int a, b, c;
        char op;
        const char *left = s;
        while (left > text && strchr("0123456789+-*/ ", left[-1])) left--;
        if (sscanf(left, "%d %c %d = %d", &a, &op, &b, &c) == 4) assert_int_equal(rt_apply(a, op, b), c);
    }
    const char *yes = strstr(text, ": yes. ");
    if (!yes) {
        assert_string_equal(text + strlen(text) - 5, ", no.");
        return false;
    }
    char equation[32], answer[64];
    snprintf(equation, sizeof equation, ". %d = ", q.target);
    const char *last = strstr(yes + 6, equation);
    assert_non_null(last);
    last += strlen(equation);
    snprintf(answer, sizeof answer, "\\boxed{%.*s}", (int)strlen(last) - 1, last);
    assert_int_equal(rt_answer_grade(&q, answer, strlen(answer), NULL), RT_RIGHT);
    return true;
}

/* Drills that a student's search is built of: all true, about half of the looks arrive, none at another split's
 * problem. */
static void test_drills(void **state) {
    (void)state;
    size_t members = 0, looks = 0, arrivals = 0;
    for (uint64_t i = 0; i < 4000; i++) {
        rt_buffer a = {0};
        assert_int_equal(rt_corpus_document(7, i, 0.02, "{problem}\n", &a, NULL), RETORT_OK);
        if (strncmp(a.data, "Of ", 3) == 0) {
            check_members(a.data);
            members++;
        } else if (strncmp(a.data, "Goal ", 5) == 0 && strstr(a.data, " last: ")) {
            arrivals += check_reaching(a.data);
            looks++;
        }
        rt_buffer_free(&a);
    }
    assert_in_range(members, 200, 360);
    assert_in_range(looks, 600, 820);
    assert_in_range(arrivals, looks * 2 / 5, looks * 7 / 10);
}

static void test_memory_failures_are_reported(void **state) {
    (void)state;
    for (int t = RT_TEACHER_FLEXIBLE; t <= RT_TEACHER_TERSE; t++) {
        for (long n = 0; n < 12; n++) {
            rt_buffer out = {0};
            retort_error err;
            rt_fail_alloc(n, true);
            retort_status st = rt_teacher_write((rt_teacher)t, &problems.items[1], 1, BUDGET, &out, &err);
            long used = rt_alloc_count();
            rt_fail_alloc(-1, false);
            assert_true(st == RETORT_ERR_MEMORY || (st == RETORT_OK && used <= n));
            rt_buffer_free(&out);
        }
    }
    for (long n = 0; n < 200; n++) {
        rt_problems some = {0};
        retort_error err;
        rt_fail_alloc(n, true);
        retort_status st = rt_world_problems(RT_SPLIT_TEST, 20, 1, &some, &err);
        rt_fail_alloc(-1, false);
        assert_true(st == RETORT_ERR_MEMORY || st == RETORT_OK);
        rt_problems_free(&some);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formal_answers_are_right),
        cmocka_unit_test(test_flexible_says_what_is_true),
        cmocka_unit_test(test_teachers_are_deterministic),
        cmocka_unit_test(test_rigid_has_no_informal_word),
        cmocka_unit_test(test_teachers_refuse_what_they_do_not_know),
        cmocka_unit_test(test_teachers_survive_odd_numbers),
        cmocka_unit_test(test_corpus),
        cmocka_unit_test(test_drills),
        cmocka_unit_test(test_memory_failures_are_reported),
    };
    return cmocka_run_group_tests_name("teachers", tests, draw, drop);
}
