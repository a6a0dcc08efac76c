/* What the judges found, in figures: means, shares and rates with intervals, and how far judges agree. */
#ifndef RT_JUDGE_SUMMARY_H
#define RT_JUDGE_SUMMARY_H

#include "judge/votes.h"

/* Everything below reads sorted votes. All intervals are over problems; all draws come from the seed. */
typedef struct rt_judged_set {
    const rt_items *items;
    const rt_votes *votes;
    const rt_behaviors *behaviors;
    uint64_t seed;
} rt_judged_set;

/* Array, one object a model: {"model", "responses", "problems", "truncated", "judges": [{"judge", "prompt_version",
 * "votes", "judged", "unparsed", "refused", "behaviors": {NAME: {"n", "mean", "interval", "share", "share_interval",
 * "per_1000_words", "rate_interval"}}}]}. `n`: responses with a vote that can be read; the others are in no figure but
 * "unparsed" and "refused", which count votes. With several votes also "spread" and "split" (rt_majority). */
retort_status rt_summary_json(const rt_judged_set *set, json_t **out, retort_error *err);

/* {"pairs": [...], "votes": [...], "all": [...]}: for each behaviour Cohen's kappa of presence and Krippendorff's alpha
 * (interval) of counts for each pair of judges; Fleiss' kappa and alpha of each judge's votes, and of all judges where
 * there are more than two. What is not defined is null, and its "note" says why. */
retort_status rt_agreement_json(const rt_judged_set *set, json_t **out, retort_error *err);

#endif
