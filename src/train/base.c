#include "train/base.h"

retort_status rt_base_load(const char *dir, const retort_peft_options *options, int64_t seed, rt_model *out,
                           retort_error *err) {
    *out = (rt_model){0};
    rt_weights_form form = (rt_weights_form)options->dtype;
    RT_CHECK(options->use_peft || form != RT_WEIGHTS_BF16, err, RETORT_ERR_USAGE,
             "'dtype' is bf16 without 'use_peft': weights that are trained stay float32, only a frozen base can be "
             "bfloat16");
    if (!options->use_peft) form = RT_WEIGHTS_F32;
    rt_lora_config lora = {.r = options->lora_r, .alpha = options->lora_alpha};
    if (options->use_peft) {
        const char *targets = options->lora_target_modules != NULL ? options->lora_target_modules : "";
        RT_TRY(rt_lora_parse_targets(targets, "'lora_target_modules'", &lora.targets, err));
    }
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
