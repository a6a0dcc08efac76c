/* The offline judge against the exact one on the world's traces: the figures of docs/behaviors.md on a smaller sample.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/world.h"
#include "judge/agreement.h"
#include "judge/exact.h"
#include "judge/rules.h"
#include "retort/analyze.h"
#include "retort/judge.h"

enum { TRACES = 300 };

static const char *data = ""; /* the folder of shared data */

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

/* A behaviour's rate per 1,000 words in a file of real responses, by rules. */
static double rate_in(const char *file, const char *behavior) {
    char path[600];
    retort_behaviors_options o;
    retort_error err = {0};
    char *json = NULL;
    snprintf(path, sizeof path, "%s/responses/%s", data, file);
    assert_int_equal(retort_options_defaults(retort_behaviors_option_table, &o, &err), RETORT_OK);
    assert_int_equal(retort_options_set(retort_behaviors_option_table, &o, "responses", path, &err), RETORT_OK);
    if (retort_behaviors(&o, NULL, &json, &err) != RETORT_OK) fail_msg("%s", err.message);
    json_t *result = json_loads(json, 0, NULL);
    const json_t *model = json_array_get(json_object_get(result, "models"), 0);
    const json_t *judge = json_array_get(json_object_get(model, "judges"), 0);
    const json_t *entry = json_object_get(json_object_get(judge, "behaviors"), behavior);
    const double rate = json_number_value(json_object_get(entry, "per_1000_words"));
    json_decref(result);
    retort_free(json);
    retort_options_release(retort_behaviors_option_table, &o);
    return rate;
}

/* The paper's claim on real responses: distilled ones try and doubt far more, length for length, than zero-RL's. */
static void test_real_responses(void **state) {
    (void)state;
    static const char *const names[] = {"perspective", "metacognitive"};
    if (!rt_path_exists(data)) {
        print_message("# skipped: no real responses at %s\n", data);
        return;
    }
    for (int i = 0; i < 2; i++) {
        const double distilled = rate_in("r1_distill_qwen_1.5b_math500.jsonl", names[i]),
                     zero_rl = rate_in("zero_rl_grpo_qwen2.5_math_1.5b_train.jsonl", names[i]);
        print_message("# %s per 1,000 words: distilled %.2f, zero-RL %.2f\n", names[i], distilled, zero_rl);
        assert_true(distilled > 3 * zero_rl && distilled > 1);
    }
}

int main(int count, char **arguments) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_flexible), cmocka_unit_test(test_rigid),
                                       cmocka_unit_test(test_real_responses)};
    if (count > 1) data = arguments[1];
    return cmocka_run_group_tests_name("judges_of_the_world", tests, NULL, NULL);
}
