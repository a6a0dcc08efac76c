#include "train/policy.h"

#include <math.h>
#include <string.h>

#include "core/exactmath.h"

/* ---- memory ---- */

retort_status rt_policy_create(const rt_policy_settings *settings, const rt_model *reference, const rt_rollout *rollout,
                               int64_t rows, rt_policy *out, retort_error *err) {
    rt_policy policy = {.settings = *settings, .reference = reference, .rollout = rollout, .rows = rows};
    policy.row_token = rt_malloc_array((size_t)rows, sizeof *policy.row_token);
    policy.row_response = rt_malloc_array((size_t)rows, sizeof *policy.row_response);
    *out = policy;
    if (policy.row_token != NULL && policy.row_response != NULL) return RETORT_OK;
    rt_policy_release(out);
    return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: micro-batch of %lld rows", (long long)rows);
}

void rt_policy_release(rt_policy *policy) {
    rt_free(policy->advantage);
    rt_free(policy->weight);
    rt_free(policy->old);
    rt_free(policy->ref);
    rt_free(policy->members);
    rt_free(policy->owner);
    rt_free(policy->order);
    rt_free(policy->sequences);
    rt_free(policy->row_token);
    rt_free(policy->row_response);
    *policy = (rt_policy){0};
}

static bool resize(void *block, int64_t count, size_t size) {
    void **at = block, *moved = rt_realloc_array(*at, (size_t)count, size);
    if (moved == NULL) return false;
    *at = moved;
    return true;
}

/* Arrays grow to the rollout's own capacity, so that they move as seldom as it does. */
static retort_status grow(rt_policy *p, int64_t count, retort_error *err) {
    const rt_rollout *r = p->rollout;
    bool ok = true;
    if (p->responses < r->item_capacity) {
        ok = ok && resize(&p->advantage, r->item_capacity, sizeof *p->advantage);
        ok = ok && resize(&p->weight, r->item_capacity, sizeof *p->weight);
        if (ok) p->responses = r->item_capacity;
    }
    if (ok && p->tokens < r->logp_capacity) {
        ok = ok && resize(&p->old, r->logp_capacity, sizeof *p->old);
        ok = ok && resize(&p->ref, r->logp_capacity, sizeof *p->ref);
        if (ok) p->tokens = r->logp_capacity;
    }
    if (ok && p->capacity < count) {
        ok = ok && resize(&p->members, count, sizeof *p->members);
        ok = ok && resize(&p->owner, count, sizeof *p->owner);
        ok = ok && resize(&p->order, count, sizeof *p->order);
        ok = ok && resize(&p->sequences, count, sizeof *p->sequences);
        if (ok) p->capacity = count;
    }
    RT_CHECK(ok, err, RETORT_ERR_MEMORY, "out of memory: updates from %lld responses", (long long)count);
    return RETORT_OK;
}

/* ---- passes ---- */

typedef enum purpose {
    COMPARE, /* trainer's log-probabilities at temperature 1 against the sampler's */
    OLD,     /* log-probabilities at the sampling temperature before the first update */
    REFERENCE,
    UPDATE
} purpose;

typedef struct pass_state {
    rt_policy *policy;
    const rt_trainer *trainer;
    purpose purpose;
    bool first;     /* the rollout's first update: ratios must be 1 */
    bool current;   /* old log-probabilities are the current ones: the only update of this rollout */
    int64_t scored; /* tokens of this pass */
    double loss;
    rt_policy_stats *stats;
} pass_state;

static void map_rows(void *context, const rt_batch *batch, int64_t first) {
    pass_state *s = context;
    rt_policy *p = s->policy;
    for (int64_t d = 0; d < batch->docs; d++) {
        int64_t response = p->owner[first + d];
        int64_t token = p->rollout->items[response].logp;
        for (int64_t t = batch->doc_start[d]; t < batch->doc_start[d + 1]; t++) {
            bool scored = batch->target[t] >= 0;
            p->row_token[t] = scored ? token++ : -1;
            p->row_response[t] = response;
        }
    }
}

static void note_deviation(rt_policy_stats *stats, float trainer, float sampler) {
    /* exp(x) rounds to 1 for tiny x: any difference of bits counts. */
    if (trainer == sampler || isnan(trainer)) return; /* a loss that is NaN has an error of its own */
    double deviation = fabs(rt_exp((double)trainer - (double)sampler) - 1);
    if (!(deviation > 0)) deviation = 0x1p-53;
    if (!(stats->max_ratio_deviation >= deviation)) stats->max_ratio_deviation = deviation;
}

static void store(void *context, const rt_batch *batch, int64_t first) {
    (void)first;
    pass_state *s = context;
    rt_policy *p = s->policy;
    for (int64_t t = 0; t < batch->tokens; t++) {
        int64_t token = p->row_token[t];
        if (token < 0) continue;
        float logp = s->trainer->logp[t];
        if (s->purpose == COMPARE) note_deviation(s->stats, logp, p->rollout->logp[token]);
        if (s->purpose == OLD) p->old[token] = logp;
        if (s->purpose == REFERENCE) p->ref[token] = logp;
    }
}

static void weigh(void *context, int64_t first, int64_t count, const float *logp, const float *entropy,
                  float *coefficient) {
    pass_state *s = context;
    rt_policy *p = s->policy;
    const rt_grpo_settings *loss = &p->settings.loss;
    rt_policy_stats *stats = s->stats;
    for (int64_t i = 0; i < count; i++) {
        int64_t token = p->row_token[first + i], response = p->row_response[first + i];
        coefficient[i] = 0;
        if (token < 0) continue;
        float old = s->current ? logp[i] : p->old[token];
        double ref = loss->beta > 0 ? (double)p->ref[token] : 0;
        if (s->first) note_deviation(stats, logp[i], old);
        rt_grpo_token one = rt_grpo_token_loss(loss, (double)logp[i], (double)old, ref, p->advantage[response]);
        coefficient[i] = (float)(p->weight[response] * one.slope);
        s->loss += p->weight[response] * one.loss;
        stats->entropy += (double)entropy[i];
        stats->kl += one.kl;
        stats->low += one.clipped_low;
        stats->high += one.clipped_high;
        stats->visits++;
    }
}

static retort_status run_pass(pass_state *s, rt_trainer *trainer, const rt_sequence *sequences, int64_t count,
                              retort_error *err) {
    bool update = s->purpose == UPDATE, scaled = s->purpose != COMPARE;
    const rt_pass pass = {
        .model = s->purpose == REFERENCE ? s->policy->reference : NULL,
        .inv_temperature = scaled ? 1.0F / s->policy->settings.temperature : 1.0F,
        .want_entropy = update,
        .weight = update ? weigh : NULL,
        .before = map_rows,
        .after = update ? NULL : store,
        .context = s,
    };
    return rt_trainer_pass(trainer, sequences, count, &pass, err);
}

/* ---- a step ---- */

static bool is_masked(const rt_policy *p, int64_t response) {
    return p->settings.mask_truncated && p->rollout->items[response].truncated;
}

/* Fills sequences and owner with the members that have a gradient; returns how many. */
static int64_t gather(rt_policy *p, const int64_t *member, int64_t count) {
    int64_t kept = 0;
    for (int64_t i = 0; i < count; i++) {
        const rt_graded *item = &p->rollout->items[member[i]];
        bool needed = p->advantage[member[i]] != 0 || p->settings.loss.beta > 0;
        if (!needed || is_masked(p, member[i]) || item->count == 0) continue;
        p->owner[kept] = member[i];
        p->sequences[kept++] = (rt_sequence){
            .ids = p->rollout->ids.data + item->begin, .count = item->prompt + item->count, .prompt = item->prompt};
    }
    return kept;
}

/* Weights over a mini-batch as a whole; also counts its tokens. */
static retort_status weigh_members(rt_policy *p, const int64_t *member, int64_t count, rt_policy_stats *stats,
                                   retort_error *err) {
    int64_t *length = rt_malloc_array((size_t)count, sizeof *length);
    bool *masked = rt_malloc_array((size_t)count, sizeof *masked);
    double *weight = rt_malloc_array((size_t)count, sizeof *weight);
    retort_status st = RETORT_OK;
    if (length == NULL || masked == NULL || weight == NULL) {
        st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: weights of %lld responses", (long long)count);
    } else {
        for (int64_t i = 0; i < count; i++) {
            length[i] = p->rollout->items[member[i]].count;
            masked[i] = is_masked(p, member[i]);
            if (!masked[i]) stats->counted += length[i];
        }
        rt_grpo_weights(&p->settings.loss, count, length, masked, weight);
        for (int64_t i = 0; i < count; i++) p->weight[member[i]] = weight[i];
    }
    rt_free(length);
    rt_free(masked);
    rt_free(weight);
    return st;
}

static retort_status check_exactness(const rt_policy_stats *stats, retort_error *err) {
    RT_CHECK(stats->max_ratio_deviation == 0, err, RETORT_ERR_NUMERIC,
             "internal: sampler and trainer disagree about log-probabilities (largest ratio deviation %g)",
             stats->max_ratio_deviation);
    return RETORT_OK;
}

static retort_status update(rt_policy *p, rt_trainer *trainer, const int64_t *member, int64_t count, bool first,
                            rt_policy_stats *stats, retort_error *err) {
    bool only = p->settings.iterations * p->settings.minibatches == 1;
    pass_state s = {.policy = p, .trainer = trainer, .purpose = UPDATE, .stats = stats};
    s.current = only && p->settings.temperature != 1.0F;
    s.first = first;
    RT_TRY(weigh_members(p, member, count, stats, err));
    int64_t kept = gather(p, member, count);
    RT_TRY(run_pass(&s, trainer, p->sequences, kept, err));
    if (first) RT_TRY(check_exactness(stats, err));
    rt_update_stats done;
    RT_TRY(rt_trainer_update(trainer, s.loss, &done, err));
    stats->updates++;
    stats->loss += s.loss;
    stats->norm += done.norm;
    stats->rate = done.rate;
    return RETORT_OK;
}

/* Old and reference log-probabilities. At temperature 1 the old ones are the sampler's own. At another temperature they
 * are computed, and the sampler's are compared with the trainer's at 1 in a pass of their own. */
static retort_status look_back(rt_policy *p, rt_trainer *trainer, int64_t count, rt_policy_stats *stats,
                               retort_error *err) {
    pass_state s = {.policy = p, .trainer = trainer, .stats = stats};
    int64_t kept = gather(p, p->members, count);
    if (p->settings.temperature == 1.0F) {
        memcpy(p->old, p->rollout->logp, (size_t)p->rollout->tokens * sizeof *p->old);
    } else {
        s.purpose = COMPARE;
        RT_TRY(run_pass(&s, trainer, p->sequences, kept, err));
        RT_TRY(check_exactness(stats, err));
        s.purpose = OLD;
        if (p->settings.iterations * p->settings.minibatches > 1)
            RT_TRY(run_pass(&s, trainer, p->sequences, kept, err));
    }
    s.purpose = REFERENCE;
    return p->reference != NULL ? run_pass(&s, trainer, p->sequences, kept, err) : RETORT_OK;
}

/* One mini-batch takes the responses as they come; several take a seeded shuffle, as groups must not stay together. */
static void order_members(rt_policy *p, const int64_t *response, const double *advantage, int64_t count, int64_t step) {
    if (p->settings.minibatches > 1)
        rt_shuffled_order(p->settings.seed, RT_ORDER_MINIBATCH, (uint64_t)step, count, p->order);
    for (int64_t i = 0; i < count; i++) {
        p->members[i] = response[p->settings.minibatches > 1 ? p->order[i] : i];
        p->advantage[response[i]] = advantage[i];
    }
}

retort_status rt_policy_step(rt_policy *p, rt_trainer *trainer, const int64_t *response, const double *advantage,
                             int64_t count, rt_policy_stats *stats, retort_error *err) {
    *stats = (rt_policy_stats){0};
    RT_TRY(grow(p, count, err));
    order_members(p, response, advantage, count, trainer->step);
    RT_TRY(look_back(p, trainer, count, stats, err));
    int64_t parts = p->settings.minibatches;
    for (int64_t i = 0; i < p->settings.iterations * parts; i++) {
        int64_t part = i % parts, begin = count * part / parts, end = count * (part + 1) / parts;
        RT_TRY(update(p, trainer, p->members + begin, end - begin, i == 0, stats, err));
    }
    return RETORT_OK;
}
