#include "study/study.h"

/* Style or strategy. The flexible teacher's lead over the rigid one, with what the flexible traces lose without their
 * words (plain) and what the rigid ones gain with them (sprinkled) measured against it.
 *
 * Thresholds, ours, fixed before the first run of these arms. Let `lead` be flexible minus rigid. Where the lead itself
 * is not significantly above nothing, all is undecided.
 *   strategy  plain minus rigid: supported when p < 0.01 and its interval lies above half of the lead; contradicted
 * when its interval lies below half of the lead style     sprinkled minus rigid: the same test, of whether the words
 * alone bring more than half of the lead Both on the mean of right samples and on pass@k, k the largest of 1, 4, 8 and
 * 16 that every problem has. */

static int64_t fewest_samples(const rt_tally *tallies, int64_t problems) {
    int64_t fewest = tallies[0].n;
    for (int64_t p = 1; p < problems; p++)
        if (tallies[p].n < fewest) fewest = tallies[p].n;
    return fewest;
}

static int64_t largest_k(int64_t samples) {
    return samples >= 16 ? 16 : samples >= 8 ? 8 : samples >= 4 ? 4 : 1;
}

static retort_status values_of(const rt_response_set *set, bool breadth, int64_t *k, double **out, retort_error *err) {
    rt_tally *tallies;
    RT_TRY(rt_response_tallies(set, &tallies, err));
    *k = breadth ? largest_k(fewest_samples(tallies, set->problems)) : 1;
    *out = rt_malloc_array((size_t)set->problems, sizeof **out);
    for (int64_t p = 0; *out != NULL && p < set->problems; p++)
        (*out)[p] = rt_pass_at_k(tallies[p].n, tallies[p].correct, *k);
    rt_free(tallies);
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld problems", (long long)set->problems);
    return RETORT_OK;
}

retort_status rt_compare_pass(const rt_response_set *a, const rt_response_set *b, bool breadth, int64_t *k,
                              rt_paired *out, retort_error *err) {
    double *x = NULL, *y = NULL;
    retort_status st = values_of(a, breadth, k, &x, err);
    if (st == RETORT_OK) st = values_of(b, breadth, k, &y, err);
    if (st == RETORT_OK) st = rt_paired_test(x, y, a->problems, 1, RT_SEED_STATISTICS, out, err);
    rt_free(x);
    rt_free(y);
    return st;
}

static rt_finding judge(const rt_paired *lead, const rt_paired *part) {
    if (!(lead->p < RT_SIGNIFICANT && lead->difference > 0)) return RT_UNDECIDED;
    const double half = lead->difference / 2;
    if (part->p < RT_SIGNIFICANT && part->interval.low > half) return RT_SUPPORTED;
    return part->interval.high < half ? RT_CONTRADICTED : RT_UNDECIDED;
}

static void describe(char *text, size_t size, const char *arm, int64_t k, const rt_paired *lead,
                     const rt_paired *part) {
    char which[32] = "avg@n";
    if (k > 1) snprintf(which, sizeof which, "pass@%lld", (long long)k);
    snprintf(text, size,
             "test %s over %lld problems: flexible minus rigid %+.1f points [%+.1f, %+.1f], p = %.4f; %s minus rigid "
             "%+.1f points [%+.1f, %+.1f], p = %.4f; half of the lead is %+.1f",
             which, (long long)lead->problems, 100 * lead->difference, 100 * lead->interval.low,
             100 * lead->interval.high, lead->p, arm, 100 * part->difference, 100 * part->interval.low,
             100 * part->interval.high, part->p, 50 * lead->difference);
}

static retort_status claim(const rt_response_set *const sets[RT_ARMS], rt_arm_id arm, bool breadth, const char *id,
                           const char *statement, json_t *claims, retort_error *err) {
    rt_paired lead, part;
    int64_t k;
    char detail[512];
    RT_TRY(rt_compare_pass(sets[RT_ARM_DISTILLED], sets[RT_ARM_RIGID], breadth, &k, &lead, err));
    RT_TRY(rt_compare_pass(sets[arm], sets[RT_ARM_RIGID], breadth, &k, &part, err));
    describe(detail, sizeof detail, arm == RT_ARM_PLAIN ? "plain" : "sprinkled", k, &lead, &part);
    rt_add_claim(claims, id, statement, judge(&lead, &part), part.difference, part.p, detail);
    return RETORT_OK;
}

retort_status rt_style_claims(const rt_response_set *const sets[RT_ARMS], json_t *claims, retort_error *err) {
    if (sets[RT_ARM_DISTILLED] == NULL || sets[RT_ARM_RIGID] == NULL) return RETORT_OK;
    static const struct {
        rt_arm_id arm;
        bool breadth;
        const char *id, *statement;
    } CLAIMS[] = {
        {RT_ARM_PLAIN, false, "strategy",
         "Told without marked words, the flexible traces keep more than half of their lead over the rigid ones"},
        {RT_ARM_PLAIN, true, "strategy-breadth",
         "Told without marked words, they keep more than half of their lead in breadth (pass@k)"},
        {RT_ARM_SPRINKLED, false, "style",
         "Marked words sprinkled over the rigid traces bring more than half of the flexible ones' lead"},
        {RT_ARM_SPRINKLED, true, "style-breadth",
         "Sprinkled words bring more than half of the lead in breadth (pass@k)"},
    };
    for (size_t i = 0; i < sizeof CLAIMS / sizeof *CLAIMS; i++)
        if (sets[CLAIMS[i].arm] != NULL)
            RT_TRY(claim(sets, CLAIMS[i].arm, CLAIMS[i].breadth, CLAIMS[i].id, CLAIMS[i].statement, claims, err));
    return RETORT_OK;
}
