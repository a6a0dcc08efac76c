#include "analyze/votes.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "retort/verify.h"

/* A comparison of two answers that no one knows to be right may cost less than a verdict: there are many of them. */
enum { COMPARE_BUDGET = RETORT_VERIFY_BUDGET / 20 };

/* ---- classes ---- */

typedef struct classes {
    char **answers; /* [count] the first answer of each class, as it stands in the response */
    rt_ballot *ballot;
} classes;

/* The answer of a response as a text of its own: several boxes joined by commas. Empty where there is none. */
static retort_status answer_of(const rt_vote *vote, rt_buffer *out, retort_error *err) {
    retort_extraction found;
    rt_buffer_clear(out);
    RT_TRY(retort_extract(vote->text, vote->length, RETORT_PROFILE_TOLERANT, &found, err));
    retort_status st = rt_buffer_append(out, "", 0, err);
    for (size_t i = 0; i < found.count && st == RETORT_OK; i++) {
        const retort_span span = found.answers[i];
        if (i > 0) st = rt_buffer_puts(out, ", ", err);
        if (st == RETORT_OK) st = rt_buffer_append(out, vote->text + span.begin, span.end - span.begin, err);
    }
    retort_extraction_release(&found);
    return st;
}

static retort_status same_answer(const char *first, const rt_vote *vote, bool *same, retort_error *err) {
    const retort_verify_options options = {.profile = RETORT_PROFILE_TOLERANT, .budget = COMPARE_BUDGET};
    retort_verify_result result;
    RT_TRY(retort_verify(retort_gold_of(first), (retort_pred){vote->text, vote->length}, &options, &result, err));
    *same = result.verdict == RETORT_VERDICT_RIGHT;
    retort_verify_result_release(&result);
    return RETORT_OK;
}

/* Puts a vote that is not for the right answer into its class. Equal texts are found first: most votes repeat one. */
static retort_status cast(classes *c, const rt_vote *vote, const rt_buffer *answer, retort_error *err) {
    rt_ballot *ballot = c->ballot;
    for (int64_t i = 0; i < ballot->classes; i++) {
        if (strcmp(c->answers[i], answer->data) != 0) continue;
        ballot->wrong[i]++;
        return RETORT_OK;
    }
    for (int64_t i = 0; i < ballot->classes && vote->verdict != RT_OVER_BUDGET; i++) {
        bool same;
        RT_TRY(same_answer(c->answers[i], vote, &same, err));
        if (!same) continue;
        ballot->wrong[i]++;
        return RETORT_OK;
    }
    c->answers[ballot->classes] = rt_strndup(answer->data, answer->length);
    RT_CHECK(c->answers[ballot->classes] != NULL, err, RETORT_ERR_MEMORY, "out of memory: an answer");
    ballot->wrong[ballot->classes++] = 1;
    return RETORT_OK;
}

static retort_status cast_all(classes *c, const rt_vote *votes, int64_t n, retort_error *err) {
    rt_buffer answer = {0};
    retort_status st = RETORT_OK;
    for (int64_t i = 0; i < n && st == RETORT_OK; i++) {
        if (votes[i].verdict == RT_RIGHT) {
            c->ballot->right++;
            continue;
        }
        if (votes[i].verdict == RT_UNPARSED) {
            c->ballot->silent++;
            continue;
        }
        st = answer_of(&votes[i], &answer, err);
        if (st == RETORT_OK) st = cast(c, &votes[i], &answer, err);
    }
    rt_buffer_free(&answer);
    return st;
}

retort_status rt_ballot_count(const rt_vote *votes, int64_t n, rt_ballot *out, retort_error *err) {
    *out = (rt_ballot){.samples = n, .wrong = rt_calloc((size_t)n + 1, sizeof *out->wrong)};
    classes c = {.answers = rt_calloc((size_t)n + 1, sizeof *c.answers), .ballot = out};
    retort_status st = RETORT_OK;
    if (out->wrong == NULL || c.answers == NULL)
        st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: %lld votes", (long long)n);
    if (st == RETORT_OK) st = cast_all(&c, votes, n, err);
    for (int64_t i = 0; c.answers != NULL && i < out->classes; i++) rt_free(c.answers[i]);
    rt_free(c.answers);
    if (st != RETORT_OK) rt_ballot_free(out);
    return st;
}

void rt_ballot_free(rt_ballot *ballot) {
    rt_free(ballot->wrong);
    *ballot = (rt_ballot){0};
}

/* ---- the expected majority ---- */

static double choose(int64_t n, int64_t k) {
    double ways = 1;
    for (int64_t i = 0; i < k; i++) ways *= (double)(n - i) / (double)(i + 1);
    return ways;
}

/* ways[tied][votes]: subsets of the samples seen so far in which no class has more than `top` votes and `tied` of them
 * have just as many. */
typedef struct ways_table {
    double of[RT_MOST_VOTERS + 1][RT_MOST_VOTERS + 1];
} ways_table;

/* One class of `count` more samples. From the last entry down, so that each is read before it is replaced. */
static void add_class(ways_table *ways, int64_t count, int64_t top, int64_t most_tied, int64_t voters) {
    double take[RT_MOST_VOTERS + 1];
    const int64_t most = count < top ? count : top;
    for (int64_t a = 0; a <= most; a++) take[a] = choose(count, a);
    for (int64_t t = most_tied; t >= 0; t--)
        for (int64_t v = voters; v >= 0; v--) {
            double sum = 0;
            for (int64_t a = 0; a <= most && a < top && a <= v; a++) sum += take[a] * ways->of[t][v - a];
            if (most == top && t > 0 && v >= top) sum += take[top] * ways->of[t - 1][v - top];
            ways->of[t][v] = sum;
        }
}

double rt_majority_at_k(const rt_ballot *ballot, int64_t k) {
    ways_table ways;
    double won = 0;
    for (int64_t top = 1; top <= k && top <= ballot->right; top++) {
        const int64_t rest = k - top, most_tied = rest / top;
        memset(&ways, 0, sizeof ways);
        for (int64_t v = 0; v <= rest && v <= ballot->silent; v++) ways.of[0][v] = choose(ballot->silent, v);
        for (int64_t i = 0; i < ballot->classes; i++) add_class(&ways, ballot->wrong[i], top, most_tied, rest);
        double shared = 0;
        for (int64_t t = 0; t <= most_tied; t++) shared += ways.of[t][rest] / (double)(t + 1);
        won += choose(ballot->right, top) * shared;
    }
    return fmin(1, won / choose(ballot->samples, k));
}

/* Without one sample of the class whose size *size is. */
static double without(rt_ballot *ballot, int64_t *size, int64_t k) {
    ballot->samples--;
    --*size;
    const double value = rt_majority_at_k(ballot, k);
    ++*size;
    ballot->samples++;
    return value;
}

double rt_majority_variance(const rt_ballot *given, int64_t k) {
    rt_ballot ballot = *given; /* the counts under `wrong` are changed and put back */
    const double n = (double)given->samples, centre = rt_majority_at_k(given, k);
    double sum = 0, squares = 0;
    if (k >= given->samples) return NAN;
    if (given->right == 0 || given->right == given->samples) return 0;
    for (int64_t i = -2; i < given->classes; i++) {
        int64_t *size = i == -2 ? &ballot.right : i == -1 ? &ballot.silent : &ballot.wrong[i];
        if (*size == 0) continue;
        const double away = without(&ballot, size, k) - centre, weight = (double)*size;
        sum += weight * away;
        squares += weight * away * away;
    }
    return fmax(0, (n - 1) / n * (squares - sum * sum / n));
}
