#include "sample/choose.h"

#include <math.h>

static int32_t greatest_logit(int64_t vocab, const float *logits, const uint8_t *banned) {
    int32_t best = RT_CHOICE_NONE;
    for (int64_t i = 0; i < vocab; i++) {
        if (banned != NULL && banned[i] != 0) continue;
        if (best < 0 || logits[i] > logits[best]) best = (int32_t)i;
    }
    return best;
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

static int32_t draw_all(int64_t vocab, const float *p, double mass, float u) {
    double bound = (double)u * mass, running = 0;
    int32_t last = RT_CHOICE_NONE;
    for (int64_t i = 0; i < vocab; i++) {
        if (!(p[i] > 0)) continue;
        running += (double)p[i];
        last = (int32_t)i;
        if (running > bound) break;
    }
    return last;
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

static int32_t draw_truncated(const rt_sampling *settings, int64_t vocab, const float *p, double mass, float u,
                              int32_t *order) {
    const float lowest = kept_at_least(settings, vocab, mass);
    int64_t count = 0;
    for (int64_t i = 0; i < vocab; i++) {
        if (p[i] > lowest) order[count++] = (int32_t)i;
    }
    int64_t kept = truncate(settings, p, order, count, mass);
    double total = 0, running = 0;
    for (int64_t i = 0; i < kept; i++) total += (double)p[order[count - 1 - i]];
    double bound = (double)u * total;
    int64_t i = 0;
    while (i + 1 < kept && !((running += (double)p[order[count - 1 - i]]) > bound)) i++;
    return order[count - 1 - i];
}

static int32_t draw(const rt_sampling *settings, int64_t vocab, const float *logits, const uint8_t *banned, float lse,
                    float u, rt_choose_scratch *scratch) {
    float inv_temperature = 1 / settings->temperature, *p = scratch->p;
    if (inv_temperature != 1) lse = rt_logsumexp(vocab, logits, inv_temperature);
    rt_softmax(vocab, logits, inv_temperature, lse, p);
    double mass = 0;
    for (int64_t i = 0; i < vocab; i++) {
        if (banned != NULL && banned[i] != 0) p[i] = 0;
        mass += (double)p[i];
    }
    if (!(mass > 0)) return greatest_logit(vocab, logits, banned);
    bool truncates = settings->top_k > 0 || settings->top_p < 1 || settings->min_p > 0;
    return truncates ? draw_truncated(settings, vocab, p, mass, u, scratch->order) : draw_all(vocab, p, mass, u);
}

rt_choice rt_choose(const rt_sampling *settings, int64_t vocab, const float *logits, const float *adjusted,
                    const uint8_t *banned, float u, rt_choose_scratch *scratch) {
    const float lse = rt_logsumexp(vocab, logits, 1);
    if (!isfinite(lse)) return (rt_choice){.id = RT_CHOICE_NOT_FINITE};
    const float lse_adjusted = adjusted == logits ? lse : rt_logsumexp(vocab, adjusted, 1);
    int32_t id = settings->temperature > 0 ? draw(settings, vocab, adjusted, banned, lse_adjusted, u, scratch)
                                           : greatest_logit(vocab, adjusted, banned);
    if (id < 0) return (rt_choice){.id = RT_CHOICE_NONE};
    float logp = rt_token_logprob(logits, id, 1, lse);
    return isfinite(logp) ? (rt_choice){id, logp, lse} : (rt_choice){.id = RT_CHOICE_NOT_FINITE};
}
