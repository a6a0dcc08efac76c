#include <stddef.h>
#include <string.h>

#include "core/file.h"
#include "model/lora.h"
#include "retort/model.h"
#include "text/tokenizer.h"

#define ROW(name_, kind, field_, ...)                                                                                  \
    { .name = (name_), .type = RETORT_OPTION_##kind, .offset = offsetof(retort_merge_options, field_), __VA_ARGS__ }

const retort_option retort_merge_option_table[] = {
    ROW("in", STRING, base, .argument = "DIR", .required = true, .help = "Hugging Face directory of the base model."),
    ROW("adapter", STRING, adapter, .argument = "DIR", .required = true,
        .help = "PEFT folder: adapter_config.json, adapter_model.safetensors."),
    ROW("out", STRING, out, .argument = "DIR", .required = true,
        .help = "Folder of the merged model; made if it is missing."),
    ROW("dtype", CHOICE, dtype, .argument = "NAME", .default_value = "f32", .choices = "f32|bf16|f16",
        .help = "Number format of the merged weights."),
    {.name = NULL}};

static retort_status write_all(const retort_merge_options *options, const rt_model *model, retort_error *err) {
    RT_TRY(rt_make_dirs(options->out, err));
    RT_TRY(rt_tokenizer_copy_files(options->base, options->out, err));
    return rt_model_save(model, options->out, (rt_dtype)options->dtype, err);
}

retort_status retort_model_merge(const retort_merge_options *options, retort_error *err) {
    RT_TRY(retort_options_check(retort_merge_option_table, options, err));
    RT_CHECK(strcmp(options->base, options->out) != 0, err, RETORT_ERR_USAGE,
             "'out' is the base model's folder '%s'; choose another", options->out);
    rt_model model;
    RT_TRY(rt_model_load(options->base, &model, err));
    retort_status st = rt_lora_load(&model.config, options->adapter, &model.lora, err);
    if (st == RETORT_OK) st = rt_lora_merge(&model, err);
    if (st == RETORT_OK) st = write_all(options, &model, err);
    rt_model_release(&model);
    return st;
}
