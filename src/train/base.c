#include "train/base.h"

/* The format of the weights and, with use_peft, what the adapters are to be (else r 0). */
static retort_status read_options(const retort_peft_options *options, rt_weights_form *form, rt_lora_config *lora,
                                  retort_error *err) {
    *form = (rt_weights_form)options->dtype;
    *lora = (rt_lora_config){0};
    const bool narrow = *form == RT_WEIGHTS_BF16 || *form == RT_WEIGHTS_INT8;
    RT_CHECK(options->use_peft || !narrow, err, RETORT_ERR_USAGE,
             "'dtype' is %s without 'use_peft': weights that are trained stay float32, only a frozen base can be "
             "bfloat16 or int8",
             *form == RT_WEIGHTS_INT8 ? "int8" : "bf16");
    if (!options->use_peft) *form = RT_WEIGHTS_F32;
    if (!options->use_peft) return RETORT_OK;
    *lora = (rt_lora_config){.r = options->lora_r, .alpha = options->lora_alpha};
    const char *targets = options->lora_target_modules != NULL ? options->lora_target_modules : "";
    return rt_lora_parse_targets(targets, "'lora_target_modules'", &lora->targets, err);
}

retort_status rt_base_peek(const char *dir, const retort_peft_options *options, rt_config *config, rt_lora_config *lora,
                           retort_error *err) {
    rt_weights_form form;
    RT_TRY(read_options(options, &form, lora, err));
    RT_TRY(rt_model_peek(dir, form, config, err));
    config->kv_dtype = (rt_dtype)options->kv_dtype;
    return RETORT_OK;
}

retort_status rt_base_load(const char *dir, const retort_peft_options *options, int64_t seed, rt_model *out,
                           retort_error *err) {
    rt_weights_form form;
    rt_lora_config lora;
    *out = (rt_model){0};
    RT_TRY(read_options(options, &form, &lora, err));
    RT_TRY(rt_model_load_as(dir, form, out, err));
    out->config.kv_dtype = (rt_dtype)options->kv_dtype;
    if (!options->use_peft) return RETORT_OK;
    retort_status st = rt_lora_create(&out->config, &lora, &out->lora, err);
    if (st == RETORT_OK)
        rt_lora_init(out->lora, (uint64_t)seed);
    else
        rt_model_release(out);
    return st;
}
