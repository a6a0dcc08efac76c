#include "retort/plan.h"
#include "tables.h"

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    retort_training_account account = {0};
    const retort_rl_options *own = options;
    if (own->train.output_dir == NULL) return cli_fail(err, RETORT_ERR_USAGE, "'--output-dir DIR' is required");
    retort_status st = retort_rl(options, call->progress, &account, err);
    if (st == RETORT_OK) print_account("rl", &account, call->common.json);
    return st;
}

static retort_status plan(const void *options, const retort_machine *machine, bool json, char **out, size_t *length,
                          retort_error *err) {
    return retort_rl_plan(options, machine, json, out, length, err);
}

const command command_rl = {
    .name = "rl",
    .summary = "trains a model by zero-RL: GRPO with verifiable rewards",
    .description = "Group relative policy optimisation, on policy: each step samples --num-generations responses a "
                   "problem, grades them exactly, and follows the policy gradient. Names and meanings of the flags are "
                   "those of TRL. Sampler and trainer agree on every log-probability bit for bit, so that the "
                   "importance ratio before the first update of each batch is exactly 1.\n\n"
                   "A probe of the pass rate runs first, because reward that is never seen cannot be learnt from; "
                   "alarms in the metrics tell groups without variance, falling entropy, clipping and truncation.",
    .examples = "retort data --split rl --count 20000 --output rl.jsonl\tproblems to learn from\n"
                "retort rl --model assets/countdown-base --dataset rl.jsonl --output-dir out/zero-rl\tthe baseline of "
                "the paper\n",
    .table = retort_rl_option_table,
    .options_size = sizeof(retort_rl_options),
    .has_json = true,
    .run = run,
    .plan = plan,
};
