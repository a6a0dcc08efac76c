#include "sample/choose.h"

#include <math.h>

#include "core/exactmath.h"

typedef struct pick {
    int32_t id;
    double share; /* its probability among what could have been picked */
} pick;

/* ---- refusals ---- */

/* The tokens that have no chance: banned ones have one only under a cap, and never the only one. */
static bool is_out(const rt_refusal *r, int64_t id, bool alone) {
    return rt_mask_has(r->never, id) || ((!r->capped || (alone && r->cap < 1)) && rt_mask_has(r->banned, id));
}

static pick greatest_logit(int64_t vocab, const float *logits, const rt_refusal *refusal) {
    pick best = {RT_CHOICE_NONE, 1};
    for (int64_t i = 0; i < vocab; i++) {
        if (best.id >= 0 && !(logits[i] > logits[best.id])) continue;
        if (!is_out(refusal, i, true)) best.id = (int32_t)i;
    }
    return best;
}

static void clear_tokens(const uint64_t *mask, int64_t vocab, float *p) {
    if (mask == NULL) return;
    for (int64_t i = rt_mask_next(mask, vocab, 0); i < vocab; i = rt_mask_next(mask, vocab, i + 1)) p[i] = 0;
}

/* Banned and other mass. */
typedef struct shares {
    double banned, others;
} shares;

static bool over_cap(const rt_refusal *r, shares s) {
    return r->capped && s.banned > r->cap * (s.banned + s.others);
}

static double cap_factor(const rt_refusal *r, shares s) {
    return r->cap * s.others / ((1 - r->cap) * s.banned);
}

static float scaled_down(float p, double factor) {
    const double exact = (double)p * factor;
    const float near = (float)exact;
    return (double)near > exact ? nextafterf(near, 0) : near;
}

static void cap_all(const rt_refusal *r, int64_t vocab, float *p) {
    shares s = {0, 0};
    if (!r->capped || r->banned == NULL) return;
    for (int64_t i = 0; i < vocab; i++) *(rt_mask_has(r->banned, i) ? &s.banned : &s.others) += (double)p[i];
    if (!over_cap(r, s)) return;
    const double factor = cap_factor(r, s);
    for (int64_t i = rt_mask_next(r->banned, vocab, 0); i < vocab; i = rt_mask_next(r->banned, vocab, i + 1))
        p[i] = scaled_down(p[i], factor);
}

/* ---- order: falling p, then rising id ---- */

static bool before(const float *p, int32_t a, int32_t b) {
    return p[a] > p[b] || (p[a] == p[b] && a < b);
}

static void sift(const float *p, int32_t *heap, int64_t count, int64_t i) {
    int32_t moved = heap[i];
    for (int64_t child; (child = 2 * i + 1) < count; i = child) {
        if (child + 1 < count && before(p, heap[child + 1], heap[child])) child++;
        if (!before(p, heap[child], moved)) break;
        heap[i] = heap[child];
    }
    heap[i] = moved;
}

/* Moves the next of `left` remaining tokens, in order, behind the heap; heap sort stops as soon as enough are out. */
static int32_t pop(const float *p, int32_t *heap, int64_t left) {
    int32_t top = heap[0];
    heap[0] = heap[left - 1];
    heap[left - 1] = top;
    sift(p, heap, left - 1, 0);
    return top;
}

/* ---- draws ---- */

static pick draw_all(int64_t vocab, const float *p, double mass, float u) {
    double bound = (double)u * mass, running = 0;
    int32_t last = RT_CHOICE_NONE;
    for (int64_t i = 0; i < vocab; i++) {
        if (!(p[i] > 0)) continue;
        running += (double)p[i];
        last = (int32_t)i;
        if (running > bound) break;
    }
    return (pick){last, (double)p[last] / mass};
}

/* The tokens kept end up in order at the end of `heap`: the first at heap[count - 1], the next before it. */
static int64_t truncate(const rt_sampling *settings, const float *p, int32_t *heap, int64_t count, double mass) {
    for (int64_t i = count / 2 - 1; i >= 0; i--) sift(p, heap, count, i);
    int64_t most = settings->top_k > 0 && settings->top_k < count ? settings->top_k : count;
    int64_t kept = 0;
    if (most < count) {
        /* top_p counts from the mass that top_k left. */
        for (mass = 0; kept < most; kept++) mass += (double)p[pop(p, heap, count - kept)];
    }
    const double enough = (double)settings->top_p * mass;
    const float least = settings->min_p * p[kept > 0 ? heap[count - 1] : heap[0]];
    double running = 0;
    int64_t used = 0;
    while (used < most && (used == 0 || settings->top_p >= 1 || running < enough)) {
        int32_t id = used < kept ? heap[count - 1 - used] : pop(p, heap, count - used);
        if (used > 0 && p[id] < least) break;
        running += (double)p[id];
        used++;
    }
    return used;
}

/* A bound below which no token can be kept, so that few have to be put in order: all tokens below (1 - top_p) * mass /
 * V together have less than 1 - top_p of the mass, so that the run is complete without them. Half of that leaves room
 * for rounding. top_k, which counts tokens before their mass, has no such bound. */
static float kept_at_least(const rt_sampling *settings, int64_t vocab, double mass) {
    if (settings->top_k > 0 || settings->top_p >= 1) return 0;
    return (float)(0.5 * (1 - (double)settings->top_p) * mass / (double)vocab);
}

/* The most probable token that is not banned; RT_CHOICE_NONE: none has p > 0. */
static int32_t best_other(const rt_refusal *r, int64_t vocab, const float *p) {
    int32_t best = RT_CHOICE_NONE;
    for (int64_t i = 0; i < vocab; i++) {
        if (p[i] > 0 && !rt_mask_has(r->banned, i) && (best < 0 || p[i] > p[best])) best = (int32_t)i;
    }
    return best;
}

/* Caps the kept tokens (the first `kept` in order). The token that joins them, or RT_CHOICE_NONE. */
static int32_t cap_kept(const rt_refusal *r, int64_t vocab, float *p, const int32_t *last, int64_t kept) {
    shares s = {0, 0};
    int32_t joins = RT_CHOICE_NONE;
    if (!r->capped || r->banned == NULL) return joins;
    for (int64_t i = 0; i < kept; i++)
        *(rt_mask_has(r->banned, last[-i]) ? &s.banned : &s.others) += (double)p[last[-i]];
    if (!over_cap(r, s)) return joins;
    if (!(s.others > 0)) {
        joins = best_other(r, vocab, p);
        s.others = joins >= 0 ? (double)p[joins] : 0;
    }
    const double factor = cap_factor(r, s);
    for (int64_t i = 0; i < kept; i++) {
        if (rt_mask_has(r->banned, last[-i])) p[last[-i]] = scaled_down(p[last[-i]], factor);
    }
    return joins;
}

static pick draw_truncated(const rt_sampling *settings, int64_t vocab, const rt_refusal *refusal, float *p, double mass,
                           float u, int32_t *order) {
    const float lowest = kept_at_least(settings, vocab, mass);
    int64_t count = 0;
    for (int64_t i = 0; i < vocab; i++) {
        if (p[i] > lowest) order[count++] = (int32_t)i;
    }
    const int64_t kept = truncate(settings, p, order, count, mass);
    const int32_t *last = order + count - 1; /* the kept tokens in order: last[0], last[-1], ... */
    const int32_t joins = cap_kept(refusal, vocab, p, last, kept);
    double total = 0, running = 0;
    for (int64_t i = 0; i < kept; i++) total += (double)p[last[-i]];
    if (joins >= 0) total += (double)p[joins];
    if (!(total > 0)) return (pick){RT_CHOICE_NONE, 0};
    const double bound = (double)u * total;
    int64_t i = 0;
    while (i + (joins < 0) < kept && !((running += (double)p[last[-i]]) > bound)) i++;
    const int32_t id = i < kept ? last[-i] : joins;
    return (pick){id, (double)p[id] / total};
}

static pick draw(const rt_sampling *settings, int64_t vocab, const float *logits, const rt_refusal *refusal, float lse,
                 float u, rt_choose_scratch *scratch) {
    float inv_temperature = 1 / settings->temperature, *p = scratch->p;
    if (inv_temperature != 1) lse = rt_logsumexp(vocab, logits, inv_temperature);
    rt_softmax(vocab, logits, inv_temperature, lse, p);
    clear_tokens(refusal->never, vocab, p);
    if (!refusal->capped) clear_tokens(refusal->banned, vocab, p);
    cap_all(refusal, vocab, p);
    double mass = 0;
    for (int64_t i = 0; i < vocab; i++) mass += (double)p[i];
    if (!(mass > 0)) return greatest_logit(vocab, logits, refusal);
    bool truncates = settings->top_k > 0 || settings->top_p < 1 || settings->min_p > 0;
    if (!truncates) return draw_all(vocab, p, mass, u);
    const pick drawn = draw_truncated(settings, vocab, refusal, p, mass, u, scratch->order);
    return drawn.id >= 0 ? drawn : greatest_logit(vocab, logits, refusal);
}

rt_choice rt_choose(const rt_sampling *settings, int64_t vocab, const float *logits, const float *adjusted,
                    const rt_refusal *refusal, float u, rt_choose_scratch *scratch) {
    static const rt_refusal NOTHING = {0};
    const float lse = rt_logsumexp(vocab, logits, 1);
    if (refusal == NULL) refusal = &NOTHING;
    if (!isfinite(lse)) return (rt_choice){.id = RT_CHOICE_NOT_FINITE};
    const float lse_adjusted = adjusted == logits ? lse : rt_logsumexp(vocab, adjusted, 1);
    const pick drawn = settings->temperature > 0 ? draw(settings, vocab, adjusted, refusal, lse_adjusted, u, scratch)
                                                 : greatest_logit(vocab, adjusted, refusal);
    if (drawn.id < 0) return (rt_choice){.id = RT_CHOICE_NONE};
    const float logp = rt_token_logprob(logits, drawn.id, 1, lse);
    if (!isfinite(logp)) return (rt_choice){.id = RT_CHOICE_NOT_FINITE};
    return (rt_choice){drawn.id, logp, (float)rt_log(drawn.share), lse};
}
