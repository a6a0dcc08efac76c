/* One draw: against a slow reference, by frequency, and at the edges. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sample/choose.h"

enum { V = 57 };

static float logits[V];
static uint8_t banned[V];
static uint64_t banned_mask[1];
static const rt_refusal NEVER = {.never = banned_mask}, HARD = {.banned = banned_mask};
static rt_choose_scratch scratch;
static float scratch_p[V];
static int32_t scratch_order[V];

static void make_mask(void) {
    banned_mask[0] = 0;
    for (int i = 0; i < V; i++) banned_mask[0] |= (uint64_t)banned[i] << i;
}

static void random_logits(rt_rng *rng) {
    uint32_t kind = rt_rng_below(rng, 4);
    for (int i = 0; i < V; i++) {
        logits[i] = kind == 0 ? (float)rt_rng_below(rng, 4) /* many ties */ : (float)(3 * rt_rng_normal(rng));
        if (kind == 2 && rt_rng_below(rng, 3) == 0) logits[i] = -INFINITY;
        banned[i] = rt_rng_below(rng, 5) == 0;
    }
    if (kind == 2) logits[0] = 1;
    banned[0] = 0;
    make_mask();
}

/* The set of tokens that may come, by the definition of choose.h in plain selection sorts. p[id] is 0 outside it. */
static int reference(const rt_sampling *s, const uint8_t *out, double p[V], int order[V]) {
    float q[V];
    float inv = 1 / s->temperature, lse = rt_logsumexp(V, logits, inv);
    rt_softmax(V, logits, inv, lse, q);
    int count = 0;
    for (int i = 0; i < V; i++) {
        p[i] = out != NULL && out[i] ? 0 : (double)q[i];
        if (p[i] > 0) order[count++] = i;
    }
    for (int i = 0; i < count; i++) {
        for (int j = i + 1; j < count; j++) {
            int a = order[i], b = order[j];
            if (p[b] > p[a] || (p[b] == p[a] && b < a)) {
                order[i] = b;
                order[j] = a;
            }
        }
    }
    if (s->top_k > 0 && count > s->top_k) count = s->top_k;
    double mass = 0, run = 0;
    for (int i = 0; i < count; i++) mass += p[order[i]];
    int kept = 0;
    while (kept < count && (kept == 0 || s->top_p >= 1 || run < (double)s->top_p * mass * (1 - 1e-12))) {
        run += p[order[kept++]];
    }
    count = kept;
    while (count > 1 && (float)p[order[count - 1]] < s->min_p * (float)p[order[0]]) count--;
    return count;
}

static void test_against_reference(void **state) {
    (void)state;
    rt_rng rng = rt_rng_make(1, 0);
    static const float TOP_P[] = {1, 0.99f, 0.9f, 0.5f, 0.01f}, MIN_P[] = {0, 0.02f, 0.5f, 1},
                       TEMPERATURE[] = {1, 0.3f, 2.5f, 0.01f};
    static const int32_t TOP_K[] = {0, 1, 5, 50, 1000};
    for (int round = 0; round < 4000; round++) {
        random_logits(&rng);
        rt_sampling s = {.temperature = TEMPERATURE[rt_rng_below(&rng, 4)],
                         .top_p = TOP_P[rt_rng_below(&rng, 5)],
                         .min_p = MIN_P[rt_rng_below(&rng, 4)],
                         .top_k = TOP_K[rt_rng_below(&rng, 5)]};
        const uint8_t *out = rt_rng_below(&rng, 2) ? banned : NULL;
        double p[V], total = 0;
        int order[V], count = reference(&s, out, p, order);
        if (count == 0) continue; /* all allowed p round to 0: see test_edges */
        bool truncates = s.top_k > 0 || s.top_p < 1 || s.min_p > 0;
        if (!truncates) {
            count = 0;
            for (int i = 0; i < V; i++) {
                if (p[i] > 0) order[count++] = i;
            }
        }
        for (int i = 0; i < count; i++) total += p[order[i]];
        for (int draw = 0; draw < 20; draw++) {
            float u = draw == 0 ? 0 : draw == 1 ? 0x1.fffffep-1f : (float)(rt_rng_u32(&rng) >> 8) * 0x1p-24f;
            const rt_refusal *refusal = out == NULL ? NULL : draw % 2 == 0 ? &HARD : &NEVER;
            rt_choice c = rt_choose(&s, V, logits, logits, refusal, u, &scratch);
            double run = 0;
            int expected = order[count - 1];
            for (int i = 0; i < count; i++) {
                run += p[order[i]];
                if (run > (double)u * total) {
                    expected = order[i];
                    break;
                }
            }
            assert_int_equal(c.id, expected);
            float lse = rt_logsumexp(V, logits, 1), logp = rt_token_logprob(logits, c.id, 1, lse);
            assert_memory_equal(&c.logp, &logp, sizeof logp);
            assert_true(fabs((double)c.drawn - log(p[c.id] / total)) < 1e-5);
        }
    }
}

/* Pearson's statistic of 200,000 draws at a fixed seed against the exact probabilities. */
static void test_frequencies(void **state) {
    (void)state;
    enum { DRAWS = 200000 };
    rt_rng rng = rt_rng_make(2, 0);
    for (int i = 0; i < V; i++) logits[i] = (float)(1.5 * rt_rng_normal(&rng));
    rt_sampling settings[] = {{.temperature = 1, .top_p = 1},
                              {.temperature = 0.7f, .top_p = 0.9f},
                              {.temperature = 1.3f, .top_p = 1, .top_k = 12, .min_p = 0.05f}};
    for (int k = 0; k < 3; k++) {
        double p[V], total = 0, chi = 0;
        int order[V], counts[V] = {0}, count = reference(&settings[k], NULL, p, order);
        for (int i = 0; i < count; i++) total += p[order[i]];
        for (uint64_t d = 0; d < DRAWS; d++) {
            counts[rt_choose(&settings[k], V, logits, logits, NULL, rt_uniform_at(7, 99, d), &scratch).id]++;
        }
        int seen = 0;
        for (int i = 0; i < count; i++) {
            double expected = DRAWS * p[order[i]] / total, difference = counts[order[i]] - expected;
            chi += difference * difference / expected;
            seen += counts[order[i]];
        }
        assert_int_equal(seen, DRAWS);
        print_message("# chi-square %.1f with %d degrees of freedom\n", chi, count - 1);
        assert_true(chi < (count - 1) + 4 * sqrt(2.0 * (count - 1)));
    }
}

static void test_greedy_ties(void **state) {
    (void)state;
    for (int i = 0; i < V; i++) logits[i] = (float)(i % 5);
    rt_sampling s = {.temperature = 0, .top_p = 1};
    assert_int_equal(rt_choose(&s, V, logits, logits, NULL, 0.9f, &scratch).id, 4);
    memset(banned, 0, sizeof banned);
    banned[4] = banned[9] = 1;
    make_mask();
    assert_int_equal(rt_choose(&s, V, logits, logits, &HARD, 0.9f, &scratch).id, 14);
    s.temperature = 1;
    s.top_k = 1;
    assert_int_equal(rt_choose(&s, V, logits, logits, &HARD, 0.9f, &scratch).id, 14);
}

static void test_edges(void **state) {
    (void)state;
    rt_sampling s = {.temperature = 1, .top_p = 1};
    for (int i = 0; i < V; i++) logits[i] = (float)i;
    memset(banned, 1, sizeof banned);
    make_mask();
    assert_int_equal(rt_choose(&s, V, logits, logits, &HARD, 0.5f, &scratch).id, RT_CHOICE_NONE);
    logits[3] = NAN;
    assert_int_equal(rt_choose(&s, V, logits, logits, NULL, 0.5f, &scratch).id, RT_CHOICE_NOT_FINITE);
    logits[3] = INFINITY;
    assert_int_equal(rt_choose(&s, V, logits, logits, NULL, 0.5f, &scratch).id, RT_CHOICE_NOT_FINITE);
    for (int i = 0; i < V; i++) logits[i] = -INFINITY;
    assert_int_equal(rt_choose(&s, V, logits, logits, NULL, 0.5f, &scratch).id, RT_CHOICE_NOT_FINITE);
    /* The allowed mass rounds to nothing: the greatest allowed logit. */
    for (int i = 0; i < V; i++) logits[i] = i == 0 ? 1000.0f : (float)i;
    memset(banned, 0, sizeof banned);
    banned[0] = 1;
    make_mask();
    assert_int_equal(rt_choose(&s, V, logits, logits, &HARD, 0.5f, &scratch).id, V - 1);
    s.temperature = 1e-3f;
    for (int i = 0; i < V; i++) logits[i] = (float)i * 1e36f;
    assert_int_equal(rt_choose(&s, V, logits, logits, NULL, 0.5f, &scratch).id, V - 1);
}

/* The cap by its definition: a scalar model of the steps over the kept tokens in order; *total is their mass. */
static int capped_reference(const rt_sampling *s, double cap, double p[V], int order[V], double *total) {
    float q[V];
    float inv = 1 / s->temperature, lse = rt_logsumexp(V, logits, inv);
    double b = 0, a = 0;
    rt_softmax(V, logits, inv, lse, q);
    for (int i = 0; i < V; i++) *(banned[i] ? &b : &a) += (double)q[i];
    for (int i = 0; i < V; i++) p[i] = (double)q[i] * (banned[i] && b > cap * (a + b) ? cap * a / ((1 - cap) * b) : 1);
    int count = 0, joins = -1;
    for (int i = 0; i < V; i++) {
        if (p[i] > 0) order[count++] = i;
    }
    for (int i = 0; i < count; i++) {
        for (int j = i + 1; j < count; j++) {
            int x = order[i], y = order[j];
            if ((float)p[y] > (float)p[x] || ((float)p[y] == (float)p[x] && y < x)) {
                order[i] = y;
                order[j] = x;
            }
        }
    }
    const int all = count;
    if (s->top_k > 0 && count > s->top_k) count = s->top_k;
    double mass = 0, run = 0;
    for (int i = 0; i < count; i++) mass += p[order[i]];
    int kept = 0;
    while (kept < count && (kept == 0 || s->top_p >= 1 || run < (double)s->top_p * mass)) run += p[order[kept++]];
    while (kept > 1 && (float)p[order[kept - 1]] < s->min_p * (float)p[order[0]]) kept--;
    b = a = 0;
    for (int i = 0; i < kept; i++) *(banned[order[i]] ? &b : &a) += p[order[i]];
    if (b > cap * (a + b) * (1 + 1e-9)) {
        for (int i = kept; i < all && a == 0 && joins < 0; i++) {
            if (!banned[order[i]]) joins = order[i];
        }
        if (joins >= 0) a = p[joins];
        for (int i = 0; i < kept; i++) {
            if (banned[order[i]]) p[order[i]] *= cap * a / ((1 - cap) * b);
        }
        if (joins >= 0) order[kept++] = joins;
    }
    *total = 0;
    for (int i = 0; i < kept; i++) *total += p[order[i]];
    return kept;
}

/* Draws at a grid of u give each token the share of the definition, and the banned ones at most the cap. */
static void test_cap(void **state) {
    (void)state;
    enum { GRID = 4096 };
    rt_rng rng = rt_rng_make(3, 0);
    static const float TOP_P[] = {1, 0.95f, 0.6f}, MIN_P[] = {0, 0.05f}, TEMPERATURE[] = {1, 0.5f, 1.7f};
    static const double CAP[] = {0.001, 0.02, 0.3, 0.75};
    static const int32_t TOP_K[] = {0, 1, 3, 20};
    int bound = 0, joined = 0;
    for (int round = 0; round < 300; round++) {
        for (int i = 0; i < V; i++) {
            logits[i] = (float)(2 * rt_rng_normal(&rng));
            banned[i] = rt_rng_below(&rng, 4) == 0;
            if (banned[i]) logits[i] += 2;
        }
        make_mask();
        rt_sampling s = {.temperature = TEMPERATURE[rt_rng_below(&rng, 3)],
                         .top_p = TOP_P[rt_rng_below(&rng, 3)],
                         .min_p = MIN_P[rt_rng_below(&rng, 2)],
                         .top_k = TOP_K[rt_rng_below(&rng, 4)]};
        const rt_refusal refusal = {.banned = banned_mask, .capped = true, .cap = CAP[rt_rng_below(&rng, 4)]};
        double p[V], total, share = 0;
        int order[V], counts[V] = {0}, kept = capped_reference(&s, refusal.cap, p, order, &total);
        for (int k = 0; k < GRID; k++) {
            rt_choice c = rt_choose(&s, V, logits, logits, &refusal, ((float)k + 0.5f) / GRID, &scratch);
            counts[c.id]++;
            assert_true(fabs((double)c.drawn - log(p[c.id] / total)) < 2e-6);
        }
        for (int i = 0; i < kept; i++) {
            assert_true(fabs(counts[order[i]] - GRID * p[order[i]] / total) < 2);
            if (banned[order[i]]) share += p[order[i]] / total;
            counts[order[i]] = 0;
        }
        for (int i = 0; i < V; i++) assert_int_equal(counts[i], 0);
        assert_true(share <= refusal.cap * (1 + 1e-9));
        bound += share > refusal.cap * 0.999;
        joined += kept > 1 && s.top_k == 1;
    }
    assert_true(bound > 50 && joined > 5);
    /* Greedy: one token has all probability. */
    rt_sampling greedy = {.top_p = 1};
    rt_refusal refusal = {.banned = banned_mask, .capped = true, .cap = 0.99};
    for (int i = 0; i < V; i++) logits[i] = (float)i;
    memset(banned, 0, sizeof banned);
    banned[V - 1] = 1;
    make_mask();
    assert_int_equal(rt_choose(&greedy, V, logits, logits, &refusal, 0, &scratch).id, V - 2);
    refusal.cap = 1;
    assert_int_equal(rt_choose(&greedy, V, logits, logits, &refusal, 0, &scratch).id, V - 1);
}

int main(void) {
    retort_error err;
    if (rt_compute_init(&err) != RETORT_OK) return 1;
    rt_compute_set_threads(1); /* small work: more threads would only wait for each other */
    scratch = (rt_choose_scratch){scratch_p, scratch_order};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_reference),
        cmocka_unit_test(test_frequencies),
        cmocka_unit_test(test_greedy_ties),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
