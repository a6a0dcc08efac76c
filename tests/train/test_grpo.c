/* Advantages, the four normalisations and the clipped surrogate, against plain sums written from the formulas and
 * against finite differences. */
#include "fixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "train/advantage.h"
#include "train/grpo.h"

static void close_to(double got, double want) {
    if (!(fabs(got - want) <= 1e-12 * (1 + fabs(want)))) fail_msg("got %.17g, want %.17g", got, want);
}

/* ---- advantages ---- */

static void test_advantages(void **state) {
    (void)state;
    const double rewards[12] = {1, 0, 0.1, 0, 0.1, 0.1, 0.1, 0.1, 1, 1, 0, 1};
    double got[12];
    for (int scale = RT_SCALE_GROUP; scale <= RT_SCALE_NONE; scale++) {
        double mean_all = 0, squares_all = 0;
        for (int i = 0; i < 12; i++) mean_all += rewards[i] / 12;
        for (int i = 0; i < 12; i++) squares_all += pow(rewards[i] - mean_all, 2);
        rt_advantages((rt_scale_rewards)scale, 3, 4, rewards, got);
        for (int g = 0; g < 3; g++) {
            const double *r = rewards + 4 * g;
            double mean = (r[0] + r[1] + r[2] + r[3]) / 4, squares = 0;
            for (int i = 0; i < 4; i++) squares += pow(r[i] - mean, 2);
            double std = scale == RT_SCALE_GROUP ? sqrt(squares / 3) : sqrt(squares_all / 11);
            for (int i = 0; i < 4; i++) {
                double divisor = scale == RT_SCALE_NONE ? 1 : std + 1e-4;
                if (g == 1)
                    assert_true(got[4 * g + i] == 0); /* exactly, although 0.1 has no exact mean */
                else
                    close_to(got[4 * g + i], (r[i] - mean) / divisor);
            }
        }
    }
}

/* ---- losses ---- */

enum { COUNT = 5, LONGEST = 7 };

typedef struct responses {
    int64_t length[COUNT];
    bool masked[COUNT];
    double advantage[COUNT];
    double logp[COUNT][LONGEST], old[COUNT][LONGEST], ref[COUNT][LONGEST];
} responses;

static responses random_responses(uint64_t seed) {
    rt_rng rng = rt_rng_make(seed, 0);
    responses r;
    for (int i = 0; i < COUNT; i++) {
        r.length[i] = 1 + (int64_t)rt_rng_below(&rng, LONGEST);
        r.masked[i] = rt_rng_below(&rng, 4) == 0;
        r.advantage[i] = rt_rng_normal(&rng);
        for (int t = 0; t < LONGEST; t++) {
            r.logp[i][t] = -2 * rt_rng_double(&rng);
            r.old[i][t] = r.logp[i][t] + 0.3 * rt_rng_normal(&rng);
            r.ref[i][t] = r.logp[i][t] + 0.3 * rt_rng_normal(&rng);
        }
    }
    return r;
}

/* The loss as the papers write it, with sums over whole responses. */
static double plain_loss(const rt_grpo_settings *s, const responses *r) {
    double total = 0, tokens = 0, unmasked = 0;
    for (int i = 0; i < COUNT; i++) {
        double sum = 0;
        tokens += (double)r->length[i];
        if (r->masked[i]) continue;
        unmasked += (double)r->length[i];
        for (int64_t t = 0; t < r->length[i]; t++) {
            double ratio = exp(r->logp[i][t] - r->old[i][t]), a = r->advantage[i];
            double bounded = fmin(fmax(ratio, 1 - s->epsilon), 1 + s->epsilon_high);
            double d = r->ref[i][t] - r->logp[i][t];
            sum += -fmin(ratio * a, bounded * a) + s->beta * (exp(d) - d - 1);
        }
        total += s->type == RT_LOSS_GRPO ? sum / (double)r->length[i] / COUNT : sum;
    }
    if (s->type == RT_LOSS_BNPO) return total / fmax(unmasked, 1);
    if (s->type == RT_LOSS_DR_GRPO) return total / (COUNT * (double)s->max_completion_length);
    return s->type == RT_LOSS_DAPO ? total / tokens : total;
}

static double our_loss(const rt_grpo_settings *s, const responses *r, int response, int token, double *slope) {
    double weight[COUNT], total = 0;
    rt_grpo_weights(s, COUNT, r->length, r->masked, weight);
    for (int i = 0; i < COUNT; i++) {
        for (int t = 0; t < (int)r->length[i]; t++) {
            rt_grpo_token one = rt_grpo_token_loss(s, r->logp[i][t], r->old[i][t], r->ref[i][t], r->advantage[i]);
            total += weight[i] * one.loss;
            if (i == response && t == token) *slope = weight[i] * one.slope;
        }
    }
    return total;
}

static void test_losses(void **state) {
    (void)state;
    for (uint64_t trial = 0; trial < 200; trial++) {
        responses r = random_responses(trial);
        rt_grpo_settings s = {.type = (rt_loss_type)(trial % 4), .epsilon = 0.2, .epsilon_high = 0.28};
        s.beta = trial % 3 == 0 ? 0.04 : 0;
        s.max_completion_length = LONGEST + 3;
        double slope = 0, unused;
        int i = (int)(trial % COUNT), t = (int)trial % (int)r.length[i];
        close_to(our_loss(&s, &r, i, t, &slope), plain_loss(&s, &r));
        const double h = 1e-6;
        responses up = r, down = r;
        up.logp[i][t] += h;
        down.logp[i][t] -= h;
        double difference = (our_loss(&s, &up, i, t, &unused) - our_loss(&s, &down, i, t, &unused)) / (2 * h);
        double ratio = exp(r.logp[i][t] - r.old[i][t]);
        if (fabs(ratio - 0.8) < 1e-4 || fabs(ratio - 1.28) < 1e-4) continue; /* the kink has no slope */
        assert_true(fabs(slope - difference) < 1e-8);
    }
}

static void test_on_policy_token(void **state) {
    (void)state;
    const rt_grpo_settings s = {.epsilon = 0.2, .epsilon_high = 0.2};
    rt_grpo_token token = rt_grpo_token_loss(&s, -1.25, -1.25, 0, 0.7);
    assert_true(token.ratio == 1 && token.slope == -0.7 && token.loss == -0.7 && token.kl == 0);
    assert_false(token.clipped_low || token.clipped_high);
    /* Clipping only ever stops a move that went too far already. */
    token = rt_grpo_token_loss(&s, 0, -1, 0, 1);
    assert_true(token.clipped_high && token.slope == 0 && token.loss == -1.2);
    token = rt_grpo_token_loss(&s, 0, -1, 0, -1);
    assert_true(!token.clipped_low && !token.clipped_high && token.slope > 2.7);
    token = rt_grpo_token_loss(&s, -1, 0, 0, -1);
    assert_true(token.clipped_low && token.slope == 0 && token.loss == 0.8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_advantages),
        cmocka_unit_test(test_losses),
        cmocka_unit_test(test_on_policy_token),
    };
    return cmocka_run_group_tests_name("grpo", tests, NULL, NULL);
}
