#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "retort/plan.h"
#include "tables.h"

static bool wants_colour(void) {
    const char *kind = getenv("TERM"), *off = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) == 1 && kind != NULL && strcmp(kind, "dumb") != 0 && (off == NULL || off[0] == '\0');
}

static retort_status inspect(const retort_distill_options *options, bool json, retort_error *err) {
    char *text = NULL;
    size_t length = 0;
    retort_status st = retort_distill_inspect(options, json, wants_colour(), &text, &length, err);
    if (text != NULL) {
        (void)fwrite(text, 1, length, stdout); /* a failure is seen when the output is finished */
        (void)fflush(stdout);
    }
    free(text);
    return st;
}

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    retort_training_account account = {0};
    const retort_distill_options *own = options;
    if (own->inspect > 0) return inspect(own, call->common.json, err);
    if (own->train.output_dir == NULL) return cli_fail(err, RETORT_ERR_USAGE, "'--output-dir DIR' is required");
    retort_status st = retort_distill(options, call->progress, &account, err);
    if (st == RETORT_OK) print_account("distill", &account, call->common.json);
    return st;
}

static retort_status plan(const void *options, const retort_machine *machine, bool json, char **out, size_t *length,
                          retort_error *err) {
    return retort_distill_plan(options, machine, json, out, length, err);
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
    .plan = plan,
};
