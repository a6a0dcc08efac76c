#include "train/optimizer.h"

#include <math.h>
#include <string.h>

/* A block of the layout of what is trained: the adapters, or the weights as float32. */
static retort_status take_block(const rt_model *model, rt_params *out, retort_error *err) {
    if (model->lora != NULL) return rt_lora_like(model->lora, out, err);
    rt_config floats = model->config;
    floats.weights_dtype = RT_DTYPE_F32;
    return rt_params_create(&floats, out, err);
}

size_t rt_optimizer_bytes(const rt_config *config, const rt_lora_config *lora) {
    rt_config floats = *config;
    floats.weights_dtype = RT_DTYPE_F32;
    const size_t block = lora != NULL ? (size_t)rt_lora_count(config, lora) * sizeof(float) : rt_params_bytes(&floats);
    return block > SIZE_MAX / 3 ? SIZE_MAX : 3 * block;
}

retort_status rt_optimizer_create(const rt_model *model, const retort_training_options *options, rt_optimizer *out,
                                  retort_error *err) {
    rt_optimizer optimizer = {
        .beta1 = options->adam_beta1,
        .beta2 = options->adam_beta2,
        .epsilon = options->adam_epsilon,
        .weight_decay = options->weight_decay,
        .max_norm = options->max_grad_norm,
    };
    retort_status st = take_block(model, &optimizer.grads, err);
    if (st == RETORT_OK) st = take_block(model, &optimizer.m, err);
    if (st == RETORT_OK) st = take_block(model, &optimizer.v, err);
    if (st != RETORT_OK) {
        rt_optimizer_release(&optimizer);
        return st;
    }
    *out = optimizer;
    return RETORT_OK;
}

void rt_optimizer_release(rt_optimizer *optimizer) {
    rt_params_release(&optimizer->grads);
    rt_params_release(&optimizer->m);
    rt_params_release(&optimizer->v);
}

/* Names the first tensor whose gradient is not finite; called only once the norm says that there is one. */
static retort_status nonfinite_gradient(const rt_params *grads, retort_error *err) {
    for (int64_t i = 0; i < grads->num_tensors; i++) {
        const rt_tensor *tensor = &grads->tensors[i];
        if (rt_has_nonfinite(tensor->count, grads->data + tensor->offset)) {
            return rt_fail(err, RETORT_ERR_NUMERIC,
                           "gradient of '%s' is not finite; nothing was updated: lower the learning rate",
                           tensor->name);
        }
    }
    return rt_fail(err, RETORT_ERR_NUMERIC, "gradient norm overflows; nothing was updated: lower the learning rate");
}

/* beta^t by squaring: multiplications only, so the same on every host. */
static double power(double beta, int64_t t) {
    double result = 1;
    for (; t > 0; t >>= 1, beta *= beta) {
        if (t & 1) result *= beta;
    }
    return result;
}

retort_status rt_optimizer_update(rt_optimizer *optimizer, rt_params *params, double rate, double *norm,
                                  retort_error *err) {
    rt_params *grads = &optimizer->grads;
    *norm = sqrt(rt_sum_squares(grads->count, grads->data));
    if (!isfinite(*norm)) return nonfinite_gradient(grads, err);
    double scale = 1;
    if (optimizer->max_norm > 0 && *norm + 1e-6 > optimizer->max_norm) scale = optimizer->max_norm / (*norm + 1e-6);
    int64_t t = ++optimizer->updates;
    rt_adamw_args args = {
        .lr = (float)rate,
        .beta1 = (float)optimizer->beta1,
        .beta2 = (float)optimizer->beta2,
        .eps = (float)optimizer->epsilon,
        .grad_scale = (float)scale,
        .bias1 = 1 - power(optimizer->beta1, t),
        .bias2 = 1 - power(optimizer->beta2, t),
    };
    for (int64_t i = 0; i < params->num_tensors; i++) {
        const rt_tensor *tensor = &params->tensors[i];
        int64_t at = tensor->offset;
        args.weight_decay = tensor->decay ? (float)optimizer->weight_decay : 0;
        rt_adamw(tensor->count, params->data + at, grads->data + at, optimizer->m.data + at, optimizer->v.data + at,
                 &args);
    }
    memset(grads->data, 0, (size_t)grads->count * sizeof(float));
    return RETORT_OK;
}
