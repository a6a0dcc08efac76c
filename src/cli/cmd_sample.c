#include "cli.h"
#include "retort/plan.h"

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    return retort_sample(options, call->progress, err);
}

static retort_status plan(const void *options, const retort_machine *machine, bool json, char **out, size_t *length,
                          retort_error *err) {
    const retort_sample_options *own = options; /* --json is a flag of its own table */
    return retort_sample_plan(own, machine, json || own->json, out, length, err);
}

const command command_sample = {
    .name = "sample",
    .summary = "draws responses from a model, with token ids and log-probabilities",
    .description = "Writes one JSON object a response, in order, with problem_id, sample, token_ids, logprobs (under "
                   "the model\'s own distribution, before temperature and truncation), text and finish_reason (stop or "
                   "length). A response depends on the seed, its problem and its number only: --batch and --threads "
                   "change the speed, never a byte.\n\n"
                   "Prompts are JSONL with id and problem, to which the prompt template of the model is applied, or "
                   "with prompt or messages, which are taken as they are.",
    .examples = "retort sample --model assets/countdown-base --prompts test.jsonl --n 4 --seed 1 --json\tfour "
                "responses to each problem\n"
                "retort sample --model out/student --prompts test.jsonl --ban-list anthropomorphic --output "
                "banned.jsonl\tresponses without a category of tokens\n",
    .table = retort_sample_option_table,
    .options_size = sizeof(retort_sample_options),
    .positional = "prompts",
    .run = run,
    .plan = plan,
};
