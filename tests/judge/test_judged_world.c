/* The offline judge against the exact one on the world's traces: the figures of docs/behaviors.md on a smaller sample.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/world.h"
#include "judge/agreement.h"
#include "judge/exact.h"
#include "judge/rules.h"

enum { TRACES = 300 };

typedef struct sheet {
    double present[RT_MOST_JUDGED][2 * TRACES], counts[RT_MOST_JUDGED][2 * TRACES];
    int32_t cluster[TRACES];
} sheet;

static void judge_both(const rt_behaviors *behaviors, rt_teacher teacher, sheet *out) {
    rt_problems problems = {0};
    rt_rules_work work = {0};
    assert_int_equal(rt_world_problems(RT_SPLIT_VALIDATION, TRACES, 77, &problems, NULL), RETORT_OK);
    for (int i = 0; i < TRACES; i++) {
        const rt_problem *p = &problems.items[i];
        rt_buffer text = {0};
        rt_passages found[2] = {{0}, {0}};
        assert_int_equal(rt_teacher_write(teacher, p, 77, 900, &text, NULL), RETORT_OK);
        assert_int_equal(rt_exact_judge(behaviors, &p->question, text.data, text.length, &found[0], NULL), RETORT_OK);
        assert_int_equal(rt_rules_judge(behaviors, text.data, text.length, &work, &found[1], NULL), RETORT_OK);
        out->cluster[i] = i;
        for (int32_t b = 0; b < behaviors->count; b++)
            for (int j = 0; j < 2; j++) {
                out->counts[b][2 * i + j] = rt_passages_count(&found[j], b);
                out->present[b][2 * i + j] = out->counts[b][2 * i + j] > 0;
            }
        rt_passages_free(&found[0]);
        rt_passages_free(&found[1]);
        rt_buffer_free(&text);
    }
    rt_rules_work_free(&work);
    rt_problems_free(&problems);
}

static rt_coefficient measure(const sheet *s, const double *values, rt_measure which) {
    const rt_ratings ratings = {TRACES, 2, TRACES, values, s->cluster};
    rt_coefficient c;
    assert_int_equal(rt_agreement(&ratings, which, 1, &c, NULL), RETORT_OK);
    return c;
}

static void test_flexible(void **state) {
    (void)state;
    /* Least kappa and alpha: a good way below what is measured, so that they catch a rule that breaks and not a draw.
     */
    static const struct {
        const char *name;
        double kappa, alpha;
    } least[] = {{"perspective", 0.9, 0.45},  {"metacognitive", 0.8, 0.9},   {"verification", 0.95, 0.95},
                 {"backtracking", 0.9, 0.75}, {"subgoal_setting", 0.3, 0.9}, {"backward_chaining", 0.9, 0.9}};
    static sheet s;
    rt_behaviors behaviors;
    assert_int_equal(rt_behaviors_load(NULL, &behaviors, NULL), RETORT_OK);
    judge_both(&behaviors, RT_TEACHER_FLEXIBLE, &s);
    for (size_t i = 0; i < sizeof least / sizeof *least; i++) {
        const int32_t b = rt_behaviors_find(&behaviors, least[i].name);
        const rt_coefficient kappa = measure(&s, s.present[b], RT_KAPPA),
                             alpha = measure(&s, s.counts[b], RT_ALPHA_INTERVAL);
        print_message("# %-18s kappa %.3f [%.3f, %.3f], alpha of counts %.3f [%.3f, %.3f]\n", least[i].name,
                      kappa.value, kappa.interval.low, kappa.interval.high, alpha.value, alpha.interval.low,
                      alpha.interval.high);
        assert_true(kappa.value >= least[i].kappa && alpha.value >= least[i].alpha);
    }
    rt_behaviors_free(&behaviors);
}

/* Where nothing is done, neither finds anything, and no coefficient pretends to be one. */
static void test_rigid(void **state) {
    (void)state;
    static sheet s;
    rt_behaviors behaviors;
    assert_int_equal(rt_behaviors_load(NULL, &behaviors, NULL), RETORT_OK);
    judge_both(&behaviors, RT_TEACHER_RIGID, &s);
    for (int32_t b = 0; b < behaviors.count; b++) {
        const rt_coefficient kappa = measure(&s, s.present[b], RT_KAPPA);
        for (int i = 0; i < 2 * TRACES; i++) assert_true(s.counts[b][i] == 0);
        assert_true(isnan(kappa.value) && kappa.agreement == 1);
        assert_string_equal(kappa.why, "all ratings are the same");
    }
    rt_behaviors_free(&behaviors);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_flexible), cmocka_unit_test(test_rigid)};
    return cmocka_run_group_tests_name("judges_of_the_world", tests, NULL, NULL);
}
