#include "tables.h"

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    retort_training_account account = {0};
    retort_status st = retort_distill(options, call->progress, &account, err);
    if (st == RETORT_OK) print_account("distill", &account, call->common.json);
    return st;
}

const command command_distill = {
    .name = "distill",
    .summary = "fine-tunes a base model on the traces of a teacher",
    .description = "Supervised fine-tuning on prompt and response pairs; the loss counts the response only. The data "
                   "set is JSONL with prompt and completion, with messages, or with problem and response (see retort "
                   "teach), as other tools write it. Examples are packed several to a row; neither packing, nor "
                   "--micro-batch-tokens, nor --threads changes a bit of the result.\n\n"
                   "Writes a Hugging Face directory, metrics.jsonl and checkpoints under --output-dir; --resume goes "
                   "on from the newest checkpoint to the same final weights as an uninterrupted run.",
    .examples = "retort distill --model assets/countdown-base --dataset traces.jsonl --output-dir out/student\tdistil "
                "the shipped base model\n"
                "retort distill --config distill.yaml --learning-rate 2e-5\ta recipe, with one flag overriding it\n",
    .table = retort_distill_option_table,
    .options_size = sizeof(retort_distill_options),
    .has_json = true,
    .run = run,
};
