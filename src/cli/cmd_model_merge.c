#include "cli.h"
#include "retort/model.h"

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    (void)call;
    return retort_model_merge(options, err);
}

const command command_model_merge = {
    .name = "model merge",
    .summary = "puts a LoRA adapter into its base model",
    .description =
        "Every adapted matrix W of the base becomes W + (alpha / r) B A; the result is a model folder like any "
        "other, with the base's tokenizer. Merging rounds once, so its log-probabilities are close to those of "
        "the base with the adapter, not the same bits.",
    .examples =
        "retort model merge --in Qwen2.5-0.5B --adapter out/lora --out out/merged\ta folder for transformers or "
        "vLLM\n",
    .table = retort_merge_option_table,
    .options_size = sizeof(retort_merge_options),
    .run = run,
};
