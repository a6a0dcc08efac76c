#include "train/nll.h"

typedef struct nll {
    const rt_trainer *trainer;
    float coefficient; /* dLoss / dlogp of every supervised token: -1/N */
    double sum;        /* of log-probabilities, in the order of the tokens */
} nll;

static void weigh(void *context, int64_t first, int64_t count, const float *logp, const float *entropy,
                  float *coefficient) {
    (void)first;
    (void)logp;
    (void)entropy;
    const nll *loss = context;
    for (int64_t i = 0; i < count; i++) coefficient[i] = loss->coefficient;
}

/* logp is 0 where nothing is supervised. */
static void add_up(void *context, const rt_batch *batch, int64_t first) {
    (void)first;
    nll *loss = context;
    for (int64_t t = 0; t < batch->tokens; t++) loss->sum += (double)loss->trainer->logp[t];
}

retort_status rt_nll_step(rt_trainer *trainer, const rt_sequence *sequences, int64_t count, json_t *metrics,
                          retort_error *err) {
    int64_t supervised = 0;
    for (int64_t i = 0; i < count; i++) supervised += rt_sequence_targets(&sequences[i]);
    nll loss = {.trainer = trainer, .coefficient = -1.0F / (float)supervised};
    const rt_pass pass = {.inv_temperature = 1, .weight = weigh, .after = add_up, .context = &loss};
    RT_TRY(rt_trainer_pass(trainer, sequences, count, &pass, err));
    rt_update_stats update;
    double mean = -loss.sum / (double)supervised;
    RT_TRY(rt_trainer_update(trainer, mean, &update, err));
    RT_TRY(rt_metric(metrics, "loss", mean, err));
    RT_TRY(rt_metric(metrics, "grad_norm", update.norm, err));
    RT_TRY(rt_metric(metrics, "learning_rate", update.rate, err));
    return rt_metric(metrics, "num_tokens", trainer->account.trained_tokens, err);
}
