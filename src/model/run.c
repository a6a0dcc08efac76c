#include <math.h>
#include <string.h>

#include "model/workspace.h"

/* The head sees only the scored rows; the caller counts in tokens of its batch. */
typedef struct bridge {
    rt_workspace *ws;
    const rt_objective *objective;
    int64_t next; /* first token not yet offered to the caller's weight function */
} bridge;

static void publish(const bridge *b, int64_t first, int64_t count, const float *logp, const float *entropy) {
    const int32_t *from = b->ws->plan.scored_from + first;
    for (int64_t i = 0; i < count; i++) {
        b->objective->logp[from[i]] = logp[i];
        if (entropy != NULL) b->objective->entropy[from[i]] = entropy[i];
    }
}

static void weigh(void *context, int64_t first, int64_t count, const float *logp, const float *entropy,
                  float *coefficient) {
    bridge *b = context;
    if (count == 0) return;
    const int32_t *from = b->ws->plan.scored_from + first;
    const int64_t begin = b->next, end = from[count - 1] + 1;
    float *offered = b->ws->coefficient;
    publish(b, first, count, logp, entropy);
    memset(offered + begin, 0, (size_t)(end - begin) * sizeof *offered);
    b->objective->weight(b->objective->context, begin, end - begin, b->objective->logp + begin,
                         entropy != NULL ? b->objective->entropy + begin : NULL, offered + begin);
    for (int64_t i = 0; i < count; i++) coefficient[i] = offered[from[i]];
    b->next = end;
}

static void gather(const rt_plan *plan, int64_t d, const float *x, float *rows) {
    for (int64_t s = 0; s < plan->scored; s++)
        memcpy(rows + s * d, x + plan->scored_row[s] * d, (size_t)d * sizeof *rows);
}

static void scatter(const rt_plan *plan, int64_t d, const float *rows, float *x) {
    memset(x, 0, (size_t)(plan->tokens * d) * sizeof *x);
    for (int64_t s = 0; s < plan->scored; s++)
        memcpy(x + plan->scored_row[s] * d, rows + s * d, (size_t)d * sizeof *rows);
}

/* Last norm, output head and loss; with a weight function also their backward, leaving the gradient of the residual
 * stream in ws->dx. Where every token is scored the stream is used in place. */
static void run_head(const rt_model *model, rt_workspace *ws, const float *x, const rt_objective *objective,
                     rt_params *grads) {
    const rt_plan *plan = &ws->plan;
    const int64_t rows = plan->scored, d = ws->config.hidden_size;
    const bool all = rows == plan->tokens, backward = objective->weight != NULL;
    bridge b = {.ws = ws, .objective = objective};
    const float *in = all ? x : ws->final_in;
    if (!all) gather(plan, d, x, ws->final_in);
    rt_rmsnorm_forward(rows, d, in, model->params.norm, (float)ws->config.rms_norm_eps, ws->final, ws->final_rstd);
    const rt_head_args args = {.rows = rows,
                               .d = d,
                               .vocab = ws->config.vocab_size,
                               .hidden = ws->final,
                               .w = model->params.head,
                               .target = plan->target,
                               .inv_temperature = objective->inv_temperature,
                               .logp = ws->logp,
                               .entropy = objective->entropy != NULL ? ws->entropy : NULL,
                               .weight = backward ? weigh : NULL,
                               .context = &b,
                               .dhidden = backward ? ws->dnorm : NULL,
                               .dw = backward ? grads->head.f32 : NULL, /* NULL under adapters */
                               .scratch = ws->head_scratch};
    rt_head(&args);
    if (!backward) {
        publish(&b, 0, rows, ws->logp, args.entropy);
        return;
    }
    float *dx = all ? ws->dx : ws->final; /* the normalised rows are not needed again */
    rt_rmsnorm_backward(rows, d, in, model->params.norm, ws->final_rstd, ws->dnorm, dx, false, grads->norm);
    if (!all) scatter(plan, d, dx, ws->dx);
}

/* Gives every token of the plan its row of the table, before anything is computed. */
static retort_status take_rows(rt_workspace *ws, retort_error *err) {
    const rt_plan *plan = &ws->plan;
    for (int64_t t = 0; t < plan->tokens; t++) {
        int32_t *row = &ws->embed_row[plan->ids[t]];
        RT_CHECK(*row != 0 || ws->embed_used < ws->embed_rows, err, RETORT_ERR_STATE,
                 "a step names more than the %lld token ids that its workspace was made for",
                 (long long)ws->embed_rows);
        if (*row == 0) {
            ws->embed_id[ws->embed_used++] = plan->ids[t];
            *row = (int32_t)ws->embed_used;
        }
        ws->embed_slot[t] = *row - 1;
    }
    return RETORT_OK;
}

static void embedding_backward(rt_workspace *ws, rt_params *grads) {
    const rt_plan *plan = &ws->plan;
    const bool tied = ws->embed_rows > 0;
    rt_embedding_backward(plan->tokens, ws->config.hidden_size, tied ? ws->embed_slot : plan->ids, ws->dx,
                          tied ? ws->embed_grad : grads->embed.f32);
}

/* Nothing but the log-probabilities is wanted: one layer's memory serves all, and stays in the cache. */
static void run_forward(const rt_model *model, rt_workspace *ws, const rt_objective *objective) {
    const rt_plan *plan = &ws->plan;
    const int64_t layers = ws->config.num_hidden_layers;
    rt_embedding_lookup(plan->tokens, ws->config.hidden_size, plan->ids, model->params.embed, ws->x[0]);
    for (int64_t l = 0; l < layers; l++)
        rt_layer_forward(ws, l, &model->params.layers[l], &ws->acts[0], ws->x[l % 2], ws->x[(l + 1) % 2]);
    run_head(model, ws, ws->x[layers % 2], objective, NULL);
}

static void run_training(const rt_model *model, rt_workspace *ws, const rt_objective *objective, rt_params *grads) {
    static const rt_layer_params frozen = {0};
    const rt_plan *plan = &ws->plan;
    const rt_layer_params *p = model->params.layers;
    const int64_t layers = ws->config.num_hidden_layers;
    rt_embedding_lookup(plan->tokens, ws->config.hidden_size, plan->ids, model->params.embed, ws->x[0]);
    for (int64_t l = 0; l < layers; l++) rt_layer_forward(ws, l, &p[l], &ws->acts[l], ws->x[l], ws->x[l + 1]);
    run_head(model, ws, ws->x[layers], objective, grads);
    for (int64_t l = layers - 1; l >= 0; l--) {
        /* the last layer's activations are still there */
        if (ws->shape.recompute && l < layers - 1) rt_layer_forward(ws, l, &p[l], &ws->acts[l], ws->x[l], NULL);
        rt_layer_backward(ws, l, &p[l], &ws->acts[l], ws->x[l], model->lora != NULL ? &frozen : &grads->layers[l],
                          grads);
    }
    if (model->lora == NULL) embedding_backward(ws, grads);
}

static retort_status check_training(const rt_model *model, const rt_workspace *ws, const rt_params *grads,
                                    retort_error *err) {
    const bool adapted = model->lora != NULL;
    RT_CHECK(adapted || model->config.weights_dtype == RT_DTYPE_F32, err, RETORT_ERR_USAGE,
             "weights held as bfloat16 or int8 cannot be trained: their updates would be rounded away");
    RT_CHECK(adapted || ws->shape.lora_r == 0, err, RETORT_ERR_STATE,
             "workspace was created for training adapters, the model has none");
    RT_CHECK(grads != NULL && grads->count == (adapted ? model->lora->params.count : model->params.count), err,
             RETORT_ERR_USAGE, "a training pass needs gradients of the model's shape");
    return RETORT_OK;
}

static retort_status check_call(const rt_model *model, const rt_workspace *ws, const rt_objective *objective,
                                const rt_params *grads, retort_error *err) {
    RT_CHECK(rt_config_same_shape(&model->config, &ws->config), err, RETORT_ERR_STATE,
             "workspace was created for a model of another shape");
    RT_CHECK(model->config.kv_dtype == ws->config.kv_dtype, err, RETORT_ERR_STATE,
             "workspace was created for keys and values in another format");
    RT_CHECK(objective->logp != NULL, err, RETORT_ERR_USAGE, "objective has no room for 'logp'");
    RT_CHECK(isfinite(objective->inv_temperature) && objective->inv_temperature > 0.0F, err, RETORT_ERR_USAGE,
             "inverse temperature is %g, must be a positive number", (double)objective->inv_temperature);
    if (model->lora != NULL)
        RT_CHECK(model->lora->config.r <= ws->shape.lora_r, err, RETORT_ERR_STATE,
                 "workspace was created for adapters of rank %lld, the model's have %lld", (long long)ws->shape.lora_r,
                 (long long)model->lora->config.r);
    return objective->weight != NULL ? check_training(model, ws, grads, err) : RETORT_OK;
}

retort_status rt_model_run(const rt_model *model, rt_workspace *ws, const rt_batch *batch,
                           const rt_objective *objective, rt_params *grads, retort_error *err) {
    RT_TRY(check_call(model, ws, objective, grads, err));
    RT_TRY(rt_plan_batch(ws, batch, err));
    for (int64_t t = 0; t < batch->tokens; t++) objective->logp[t] = 0.0F;
    for (int64_t t = 0; objective->entropy != NULL && t < batch->tokens; t++) objective->entropy[t] = 0.0F;
    if (ws->plan.scored == 0) return RETORT_OK;
    ws->lora = model->lora;
    if (objective->weight != NULL && ws->embed_rows > 0) RT_TRY(take_rows(ws, err));
    if (objective->weight == NULL)
        run_forward(model, ws, objective);
    else
        run_training(model, ws, objective, grads);
    return RETORT_OK;
}
