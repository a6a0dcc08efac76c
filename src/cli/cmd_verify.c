#include <stdio.h>

#include "cli.h"
#include "retort/verify.h"

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    return retort_verify_command(options, call->common.json, stdout, err);
}

const command command_verify = {
    .name = "verify",
    .summary = "grades answers exactly",
    .description =
        "Says whether a response is right: finds its answer, reads it and the known answer (LaTeX or plain), and "
        "decides "
        "by proof whether they are equal. The verdict is right, wrong, unparsed (one side has no answer that can be "
        "read) or over-budget (the question is beyond the budget of operations, or beyond what can be proven); it is "
        "the "
        "same on every machine. The exit status is 0 when the work was done, whatever the verdicts.\n\n"
        "A file has an object on each line with gold, pred and optionally id and profile; the answers come in the same "
        "order, graded on all cores.",
    .examples = "retort verify --gold '\\frac{1}{2}' --pred 'so \\boxed{0.5}' --explain\tone pair, with both canonical "
                "forms\n"
                "retort verify --jsonl pairs.jsonl --json\ta verdict a line for a script\n"
                "retort verify --gold 12 --pred 'The answer is 12.' --profile tolerant\tanswers that are not boxed\n",
    .table = retort_verify_option_table,
    .options_size = sizeof(retort_verify_command_options),
    .has_json = true,
    .run = run,
};
