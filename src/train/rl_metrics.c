#include "train/rl_metrics.h"

#include <math.h>

#include "train/advantage.h"

typedef struct named {
    const char *key;
    double value;
} named;

static retort_status put_all(json_t *metrics, const named *list, size_t count, retort_error *err) {
    for (size_t i = 0; i < count; i++) RT_TRY(rt_metric(metrics, list[i].key, list[i].value, err));
    return RETORT_OK;
}
#define PUT_ALL(metrics, list, err) put_all((metrics), (list), sizeof(list) / sizeof((list)[0]), (err))

typedef struct lengths {
    double sum, count, min, max;
} lengths;

static void add_length(lengths *l, int64_t length) {
    double x = (double)length;
    l->min = l->count == 0 || x < l->min ? x : l->min;
    l->max = l->count == 0 || x > l->max ? x : l->max;
    l->sum += x;
    l->count++;
}

/* Sums over the responses of a batch. */
typedef struct totals {
    lengths all, terminated;
    double right, parsed, truncated, reward, nll;
    double group_std, flat_groups;
} totals;

static retort_status add_groups(const rt_step_batch *batch, totals *t, retort_error *err) {
    double *rewards = rt_malloc_array((size_t)batch->n, sizeof *rewards);
    RT_CHECK(rewards != NULL, err, RETORT_ERR_MEMORY, "out of memory: rewards of a group");
    for (int64_t g = 0; g < batch->groups; g++) {
        for (int64_t i = 0; i < batch->n; i++)
            rewards[i] = batch->rollout->items[batch->response[g * batch->n + i]].reward;
        rt_spread spread = rt_spread_of(rewards, batch->n);
        t->group_std += spread.std;
        t->flat_groups += spread.std == 0;
    }
    rt_free(rewards);
    return RETORT_OK;
}

static void add_responses(const rt_step_batch *batch, totals *t) {
    const rt_rollout *r = batch->rollout;
    for (int64_t i = 0; i < batch->groups * batch->n; i++) {
        const rt_graded *item = &r->items[batch->response[i]];
        add_length(&t->all, item->count);
        if (!item->truncated) add_length(&t->terminated, item->count);
        t->truncated += item->truncated;
        t->right += item->right;
        t->parsed += item->parsed;
        t->reward += item->reward;
        for (int64_t j = 0; j < item->count; j++) t->nll -= (double)r->logp[item->logp + j];
    }
}

retort_status rt_metrics_of_batch(const rt_step_batch *batch, json_t *metrics, rt_vital_signs *signs,
                                  retort_error *err) {
    totals t = {0};
    RT_TRY(add_groups(batch, &t, err));
    add_responses(batch, &t);
    double groups = (double)batch->groups, count = t.all.count;
    *signs = (rt_vital_signs){
        .zero_variance = t.flat_groups / groups,
        .truncated = t.truncated / count,
        .nll = t.all.sum > 0 ? t.nll / t.all.sum : 0,
        .accuracy = t.right / count,
        .format = t.parsed / count,
    };
    const named list[] = {
        {"reward", t.reward / count},
        {"reward_std", t.group_std / groups},
        {"frac_reward_zero_std", signs->zero_variance},
        {"rewards/accuracy/mean", signs->accuracy},
        {"rewards/format/mean", signs->format},
        {"completions/mean_length", t.all.sum / count},
        {"completions/min_length", t.all.min},
        {"completions/max_length", t.all.max},
        {"completions/mean_terminated_length", t.terminated.count > 0 ? t.terminated.sum / t.terminated.count : 0},
        {"completions/clipped_ratio", signs->truncated},
        {"completions/mean_nll", signs->nll},
    };
    return PUT_ALL(metrics, list, err);
}

retort_status rt_metrics_of_updates(const rt_policy_stats *stats, bool with_kl, json_t *metrics, rt_vital_signs *signs,
                                    retort_error *err) {
    double updates = (double)stats->updates, visits = (double)stats->visits;
    double counted = stats->counted > 0 ? (double)stats->counted : 1;
    signs->clipped = (double)(stats->low + stats->high) / counted;
    const named list[] = {
        {"loss", stats->loss / updates},
        {"grad_norm", stats->norm / updates},
        {"learning_rate", stats->rate},
        {"entropy", visits > 0 ? stats->entropy / visits : NAN},
        {"clip_ratio/region_mean", signs->clipped},
        {"clip_ratio/low_mean", (double)stats->low / counted},
        {"clip_ratio/high_mean", (double)stats->high / counted},
        {"ratio_deviation", stats->max_ratio_deviation},
    };
    RT_TRY(PUT_ALL(metrics, list, err));
    return with_kl ? rt_metric(metrics, "kl", visits > 0 ? stats->kl / visits : 0, err) : RETORT_OK;
}
