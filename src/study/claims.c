#include <math.h>
#include <string.h>

#include "analyze/behavior_stats.h"
#include "analyze/jsonout.h"
#include "analyze/token_stats.h"
#include "study/study.h"

/* Thresholds of the verdicts: ours, fixed before the first run, and printed with the verdict. */
static const double COMPARABLE = 0.05; /* points of accuracy within which two arms are "comparable" */
static const double HARDLY = 0.10;     /* share of distillation's rise below which a rise is "hardly" one */

void rt_add_claim(json_t *claims, const char *id, const char *statement, rt_finding finding, double statistic, double p,
                  const char *detail) {
    static const char *const NAMES[] = {"supported", "contradicted", "undecided"};
    json_t *claim = json_object();
    json_object_set_new(claim, "id", json_string(id));
    json_object_set_new(claim, "statement", json_string(statement));
    json_object_set_new(claim, "verdict", json_string(NAMES[finding]));
    rt_json_set_real(claim, "statistic", statistic);
    rt_json_set_real(claim, "p", p);
    json_object_set_new(claim, "detail", json_string(detail));
    json_array_append_new(claims, claim);
}

static rt_finding judge_greater(const rt_paired *paired) {
    if (!(paired->p < RT_SIGNIFICANT)) return RT_UNDECIDED;
    return paired->difference > 0 ? RT_SUPPORTED : RT_CONTRADICTED;
}

static const rt_response_set *test_set(const rt_study *study, rt_arm_id arm) {
    return &study->responses[arm][RT_EVAL_TEST];
}

/* "a scores higher than b on the test split". */
static retort_status claim_accuracy(rt_study *study, json_t *claims, const char *id, const char *statement, rt_arm_id a,
                                    rt_arm_id b, retort_error *err) {
    rt_paired paired;
    RT_TRY(rt_compare_accuracy(test_set(study, a), test_set(study, b), &paired, err));
    char detail[512];
    snprintf(
        detail, sizeof detail,
        "test avg@n, %s minus %s: %+.1f points, 95 %% interval [%+.1f, %+.1f], sign-flip p = %.4f over %lld problems",
        RT_ARM_TABLE[a].label, RT_ARM_TABLE[b].label, 100 * paired.difference, 100 * paired.interval.low,
        100 * paired.interval.high, paired.p, (long long)paired.problems);
    rt_add_claim(claims, id, statement, judge_greater(&paired), paired.difference, paired.p, detail);
    return RETORT_OK;
}

/* Any per-problem measure of two arms, paired. */
typedef retort_status (*problem_measure)(const rt_study *study, rt_arm_id arm, int which, double **out,
                                         retort_error *err);

static retort_status measure_category(const rt_study *study, rt_arm_id arm, int which, double **out,
                                      retort_error *err) {
    return rt_category_rates(test_set(study, arm), (rt_category)which, out, err);
}

static retort_status measure_behavior(const rt_study *study, rt_arm_id arm, int which, double **out,
                                      retort_error *err) {
    return rt_behavior_means(test_set(study, arm), &study->problems[RT_EVAL_TEST], which, out, err);
}

static retort_status compare(const rt_study *study, problem_measure measure, int which, rt_arm_id a, rt_arm_id b,
                             rt_paired *out, retort_error *err) {
    double *x = NULL, *y = NULL;
    retort_status st = measure(study, a, which, &x, err);
    if (st == RETORT_OK) st = measure(study, b, which, &y, err);
    if (st == RETORT_OK)
        st = rt_paired_test(x, y, study->problems[RT_EVAL_TEST].count, INFINITY, RT_SEED_STATISTICS, out, err);
    rt_free(x);
    rt_free(y);
    return st;
}

static retort_status claim_more(rt_study *study, json_t *claims, const char *id, const char *statement,
                                problem_measure measure, int which, const char *unit, retort_error *err) {
    rt_paired paired;
    RT_TRY(compare(study, measure, which, RT_ARM_DISTILLED, RT_ARM_ZERO_RL, &paired, err));
    char detail[512];
    snprintf(
        detail, sizeof detail,
        "distilled minus zero-RL: %+.2f %s (mean over problems), 95 %% interval [%+.2f, %+.2f], sign-flip p = %.4f",
        paired.difference, unit, paired.interval.low, paired.interval.high, paired.p);
    rt_add_claim(claims, id, statement, judge_greater(&paired), paired.difference, paired.p, detail);
    return RETORT_OK;
}

/* "Zero-RL hardly raises the behaviour": its rise over the base against a tenth of distillation's rise. */
static retort_status claim_hardly(rt_study *study, json_t *claims, const char *id, const char *statement,
                                  const char *behavior, retort_error *err) {
    rt_paired rl, distilled;
    int which = rt_behavior_find(behavior);
    RT_TRY(compare(study, measure_behavior, which, RT_ARM_ZERO_RL, RT_ARM_BASE, &rl, err));
    RT_TRY(compare(study, measure_behavior, which, RT_ARM_DISTILLED, RT_ARM_BASE, &distilled, err));
    double bound = HARDLY * distilled.difference;
    rt_finding outcome = RT_UNDECIDED;
    if (distilled.difference > 0 && distilled.p < RT_SIGNIFICANT) {
        if (rl.interval.high < bound)
            outcome = RT_SUPPORTED;
        else if (rl.interval.low > bound)
            outcome = RT_CONTRADICTED;
    }
    char detail[512];
    snprintf(detail, sizeof detail,
             "rise over the base per response: zero-RL %+.3f [%+.3f, %+.3f], distilled %+.3f; supported when zero-RL's "
             "interval lies below a tenth of distillation's rise (%.3f)",
             rl.difference, rl.interval.low, rl.interval.high, distilled.difference, bound);
    rt_add_claim(claims, id, statement, outcome, rl.difference, rl.p, detail);
    return RETORT_OK;
}

static retort_status claim_ban_comparable(rt_study *study, json_t *claims, retort_error *err) {
    rt_paired paired;
    RT_TRY(
        rt_compare_accuracy(test_set(study, RT_ARM_DISTILLED_BANNED), test_set(study, RT_ARM_ZERO_RL), &paired, err));
    rt_finding outcome = RT_UNDECIDED;
    if (paired.interval.low > -COMPARABLE)
        outcome = RT_SUPPORTED;
    else if (paired.interval.high < -COMPARABLE)
        outcome = RT_CONTRADICTED;
    char detail[512];
    snprintf(detail, sizeof detail,
             "distilled with its tokens banned minus zero-RL: %+.1f points [%+.1f, %+.1f]; supported when the interval "
             "lies above -%.0f points",
             100 * paired.difference, 100 * paired.interval.low, 100 * paired.interval.high, 100 * COMPARABLE);
    rt_add_claim(claims, "ban-comparable",
                 "With those tokens banned the distilled model stays comparable with the zero-RL model", outcome,
                 paired.difference, paired.p, detail);
    return RETORT_OK;
}

static double account_number(const rt_study *study, rt_arm_id arm, const char *key) {
    return json_number_value(json_object_get(study->accounts[arm], key));
}

static void claim_cost(rt_study *study, json_t *claims) {
    double examples = account_number(study, RT_ARM_DISTILLED, "distinct_problems");
    double problems = account_number(study, RT_ARM_ZERO_RL, "distinct_problems");
    double flops_d = account_number(study, RT_ARM_DISTILLED, "total_flops");
    double flops_r = account_number(study, RT_ARM_ZERO_RL, "total_flops");
    char detail[512];
    snprintf(
        detail, sizeof detail,
        "zero-RL saw %.1f times the problems (%.0f against %.0f) and spent %.1f times the compute (%.3g against %.3g "
        "FLOPs); both figures are set by the recipe, which asks for at least 20 and 3",
        problems / examples, problems, examples, flops_r / flops_d, flops_r, flops_d);
    bool less = problems > examples && flops_r > flops_d;
    rt_add_claim(claims, "less-cost", "Distillation needs less data and less compute than zero-RL",
                 less ? RT_SUPPORTED : RT_CONTRADICTED, flops_r / flops_d, NAN, detail);
}

/* Against either alone: the weaker of the two comparisons decides. */
static retort_status claim_rl_after(rt_study *study, json_t *claims, retort_error *err) {
    rt_paired over_distilled, over_rl;
    const rt_response_set *both = test_set(study, RT_ARM_DISTILLED_RL);
    RT_TRY(rt_compare_accuracy(both, test_set(study, RT_ARM_DISTILLED), &over_distilled, err));
    RT_TRY(rt_compare_accuracy(both, test_set(study, RT_ARM_ZERO_RL), &over_rl, err));
    const rt_paired *weaker = over_distilled.difference < over_rl.difference ? &over_distilled : &over_rl;
    char detail[512];
    snprintf(detail, sizeof detail, "over distilled %+.1f points (p = %.4f), over zero-RL %+.1f points (p = %.4f)",
             100 * over_distilled.difference, over_distilled.p, 100 * over_rl.difference, over_rl.p);
    rt_finding outcome = RT_UNDECIDED;
    if (judge_greater(&over_distilled) == RT_SUPPORTED && judge_greater(&over_rl) == RT_SUPPORTED)
        outcome = RT_SUPPORTED;
    else if (judge_greater(weaker) == RT_CONTRADICTED)
        outcome = RT_CONTRADICTED;
    double p = outcome == RT_SUPPORTED ? fmax(over_distilled.p, over_rl.p) : weaker->p;
    rt_add_claim(claims, "rl-after-distillation", "RL after distillation beats either alone (the paper's outlook)",
                 outcome, weaker->difference, p, detail);
    return RETORT_OK;
}

/* A response longer than the mean zero-RL response gets no credit: what is left of distillation's lead? */
static retort_status claim_equal_length(rt_study *study, json_t *claims, retort_error *err) {
    const rt_response_set *distilled = test_set(study, RT_ARM_DISTILLED), *rl = test_set(study, RT_ARM_ZERO_RL);
    int64_t problems = study->problems[RT_EVAL_TEST].count;
    double budget = 0;
    for (int64_t i = 0; i < rl->count; i++) budget += (double)rl->records[i].tokens / (double)rl->count;
    budget = ceil(2 * budget);
    double *x = rt_calloc((size_t)problems, sizeof *x), *y = rt_calloc((size_t)problems, sizeof *y);
    retort_status st = RETORT_OK;
    rt_paired paired;
    if (x == NULL || y == NULL)
        st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: %lld problems", (long long)problems);
    if (st == RETORT_OK) {
        double per_problem = (double)distilled->count / (double)problems;
        for (int64_t i = 0; i < distilled->count; i++) {
            const rt_record *d = &distilled->records[i], *r = &rl->records[i];
            x[d->problem] += (d->verdict == RT_RIGHT && (double)d->answer_tokens <= budget) / per_problem;
            y[r->problem] += (r->verdict == RT_RIGHT && (double)r->answer_tokens <= budget) / per_problem;
        }
        st = rt_paired_test(x, y, problems, 1, RT_SEED_STATISTICS, &paired, err);
    }
    rt_free(x);
    rt_free(y);
    RT_TRY(st);
    char detail[512];
    snprintf(detail, sizeof detail,
             "only answers given within %.0f tokens (twice zero-RL's mean length) count: distilled minus zero-RL %+.1f "
             "points [%+.1f, %+.1f], sign-flip p = %.4f",
             budget, 100 * paired.difference, 100 * paired.interval.low, 100 * paired.interval.high, paired.p);
    rt_add_claim(claims, "equal-length", "The lead of distillation holds at equal response length (asked by reviewers)",
                 judge_greater(&paired), paired.difference, paired.p, detail);
    return RETORT_OK;
}

/* ---- the list ---- */

static bool all_on(const rt_study *study, const rt_arm_id *arms, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!study->on[arms[i]]) return false;
    return true;
}
#define ON(study, ...)                                                                                                 \
    all_on(study, (const rt_arm_id[]){__VA_ARGS__}, sizeof((const rt_arm_id[]){__VA_ARGS__}) / sizeof(rt_arm_id))

static retort_status claims_on_language(rt_study *study, json_t *claims, retort_error *err) {
    RT_TRY(claim_more(study, claims, "anthropomorphic-tokens",
                      "The distilled model uses anthropomorphic tokens more often than the zero-RL model",
                      measure_category, RT_CATEGORY_ANTHROPOMORPHIC, "per 1,000 lexical tokens", err));
    return claim_more(study, claims, "logical-connectors",
                      "The distilled model uses logical connectors more often than the zero-RL model", measure_category,
                      RT_CATEGORY_LOGICAL, "per 1,000 lexical tokens", err);
}

static retort_status claims_on_behaviors(rt_study *study, json_t *claims, retort_error *err) {
    RT_TRY(claim_more(study, claims, "multi-perspective",
                      "Distillation shows more Multi-Perspective Thinking or Attempting than zero-RL", measure_behavior,
                      rt_behavior_find("perspective"), "per response", err));
    RT_TRY(claim_more(study, claims, "metacognitive", "Distillation shows more Metacognitive Awareness than zero-RL",
                      measure_behavior, rt_behavior_find("metacognitive"), "per response", err));
    RT_TRY(claim_hardly(study, claims, "zero-rl-perspective",
                        "Zero-RL hardly raises Multi-Perspective Thinking or Attempting over the base", "perspective",
                        err));
    return claim_hardly(study, claims, "zero-rl-metacognitive",
                        "Zero-RL hardly raises Metacognitive Awareness over the base", "metacognitive", err);
}

static retort_status claims_on_style(rt_study *study, json_t *claims, retort_error *err) {
    const rt_response_set *sets[RT_ARMS] = {NULL};
    for (int a = 0; a < RT_ARMS; a++)
        if (study->on[a]) sets[a] = test_set(study, (rt_arm_id)a);
    return rt_style_claims(sets, claims, err);
}

/* A claim is left out where an arm that it speaks of is off. */
retort_status rt_study_claims(rt_study *study, json_t *report, retort_error *err) {
    json_t *claims = json_array();
    json_object_set_new(report, "claims", claims);
    const bool against_rl = ON(study, RT_ARM_DISTILLED, RT_ARM_ZERO_RL);
    char wins[96];
    snprintf(wins, sizeof wins, "Distillation from %lld examples outperforms zero-RL",
             (long long)study->options->examples);
    if (against_rl) {
        RT_TRY(claim_accuracy(study, claims, "distillation-wins", wins, RT_ARM_DISTILLED, RT_ARM_ZERO_RL, err));
        claim_cost(study, claims);
        RT_TRY(claims_on_language(study, claims, err));
    }
    if (ON(study, RT_ARM_DISTILLED, RT_ARM_DISTILLED_BANNED))
        RT_TRY(claim_accuracy(study, claims, "ban-lowers", "Banning those tokens lowers the distilled model's score",
                              RT_ARM_DISTILLED, RT_ARM_DISTILLED_BANNED, err));
    if (ON(study, RT_ARM_DISTILLED_BANNED, RT_ARM_ZERO_RL)) RT_TRY(claim_ban_comparable(study, claims, err));
    if (against_rl) RT_TRY(claims_on_behaviors(study, claims, err));
    if (ON(study, RT_ARM_DISTILLED, RT_ARM_RIGID))
        RT_TRY(claim_accuracy(study, claims, "teacher-matters",
                              "A flexible teacher's traces help more than a rigid teacher's", RT_ARM_DISTILLED,
                              RT_ARM_RIGID, err));
    RT_TRY(claims_on_style(study, claims, err));
    if (ON(study, RT_ARM_DISTILLED_RL, RT_ARM_ZERO_RL)) RT_TRY(claim_rl_after(study, claims, err));
    if (against_rl) RT_TRY(claim_equal_length(study, claims, err));
    if (ON(study, RT_ARM_ZERO_RL))
        RT_TRY(claim_accuracy(study, claims, "fair-baseline", "The zero-RL baseline lifts the base (a check on us)",
                              RT_ARM_ZERO_RL, RT_ARM_BASE, err));
    return RETORT_OK;
}
