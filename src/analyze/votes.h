/* maj@k: what the most frequent of k answers scores.
 *
 * The answers of one problem are grouped into classes of answers that mean the same. k of the n samples vote, each for
 * its class; a sample without a readable answer does not vote. The class with the most votes wins; of several with as
 * many, one is taken at random, so that a tie of three with the right answer among them counts 1/3. Where nobody votes
 * nothing is right.
 */
#ifndef RT_VOTES_H
#define RT_VOTES_H

#include "core/error.h"
#include "verify/answer.h"

/* The classes of one problem's n samples. */
typedef struct rt_ballot {
    int64_t samples, right; /* n; votes for the right answer */
    int64_t *wrong;         /* [classes] votes for each other answer, in the order in which these first came */
    int64_t classes;
    int64_t silent; /* samples that do not vote */
} rt_ballot;
void rt_ballot_free(rt_ballot *ballot);

/* One response, as it is to be counted. */
typedef struct rt_vote {
    const char *text; /* the whole response */
    size_t length;
    rt_verdict verdict; /* right: the class of the right answer; unparsed: silent */
} rt_vote;

/* Groups n responses. Responses that are right are one class. The others' answers (found as the tolerant grader finds
 * them) are of one class where the tolerant grader calls them right by the first answer of that class; answers that
 * it cannot read or compare within its budget are of one class only where they are the same text. */
retort_status rt_ballot_count(const rt_vote *votes, int64_t n, rt_ballot *out, retort_error *err);

/* The exact mean of maj@k over all k-subsets of the samples; 1 <= k <= samples, k <= RT_MOST_VOTERS. */
enum { RT_MOST_VOTERS = 64 };
double rt_majority_at_k(const rt_ballot *ballot, int64_t k);

/* Variance of rt_majority_at_k over the sampling, by the jackknife over samples (for an estimate of this kind it is not
 * below the true variance on average: Efron and Stein 1981); NaN where k is all samples. */
double rt_majority_variance(const rt_ballot *ballot, int64_t k);

#endif
