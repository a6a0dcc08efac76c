#include "tables.h"

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    retort_training_account account = {0};
    retort_status st = retort_pretrain(options, call->progress, &account, err);
    if (st == RETORT_OK) print_account("pretrain", &account, call->common.json);
    return st;
}

const command command_pretrain = {
    .name = "pretrain",
    .summary = "trains a base model from scratch on the corpus of the embedded world",
    .description =
        "Makes the tokenizer, the corpus (arithmetic, expressions, problem formats, terse solutions and, rarely, "
        "exploratory text) and the model, all from the seed, and writes a Hugging Face directory. The base that ships "
        "in assets/countdown-base was made this way from recipes/countdown-base.yaml.\n\n"
        "Training can be stopped at any moment, also by kill -9, and goes on from the newest checkpoint with --resume; "
        "the final weights are the same, bit for bit.",
    .examples =
        "retort pretrain --config recipes/countdown-base.yaml --output-dir out/base\tmake the shipped base model "
        "again\n"
        "retort pretrain --config recipes/countdown-base.yaml --output-dir out/base --resume\tgo on after a stop\n",
    .table = retort_pretrain_option_table,
    .options_size = sizeof(retort_pretrain_options),
    .has_json = true,
    .run = run,
};
