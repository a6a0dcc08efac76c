#include "cli.h"
#include "retort/teach.h"

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    return retort_data(options, call->progress, err);
}

const command command_data = {
    .name = "data",
    .summary = "writes problems of the embedded world",
    .description =
        "Countdown problems (reach a target from given numbers, each used exactly once) as JSONL, from splits that "
        "share "
        "no problem up to reordering: pretrain, distill, rl, validation, test, a harder test split, and transfer, a "
        "second "
        "family of problems that no arm trains on. A pure function of the seed; docs/world.md describes it in full.",
    .examples = "retort data --split distill --count 920 --output problems.jsonl\tthe problems the teacher solves\n"
                "retort data --split test --count 200 --output test.jsonl\tproblems to sample and score on\n",
    .table = retort_data_option_table,
    .options_size = sizeof(retort_data_options),
    .run = run,
};
