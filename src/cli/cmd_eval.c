#include "retort/analyze.h"
#include "tables.h"

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    char *json = NULL;
    retort_status st = retort_eval(options, call->progress, &json, err);
    if (st == RETORT_OK) st = print_result(json, call->common.json, err);
    retort_free(json);
    return st;
}

const command command_eval = {
    .name = "eval",
    .summary = "samples responses, grades them and scores the model",
    .description =
        "Draws --n responses to each problem, grades them exactly and prints avg@n, pass@k (unbiased) and maj@k "
        "(majority of k answers, grouped by what they mean), each with two intervals of 95 %: one over the samples of "
        "these problems, one over the choice of problems. Shares of "
        "responses that stopped, ran into the length limit or gave no answer, and the response lengths, are shown "
        "beside them.\n\n"
        "Problems come from a JSONL file (--problems) or from a split of the embedded world (--split, --count).",
    .examples = "retort eval --model out/student --split test --n 16\tavg@16 on the test split of the embedded world\n"
                "retort eval --model out/student --problems mine.jsonl --output responses.jsonl --json\tproblems and "
                "responses as files\n"
                "retort eval --model out/student --split test --ban-list anthropomorphic\tthe same with a category of "
                "tokens banned\n",
    .table = retort_eval_option_table,
    .options_size = sizeof(retort_eval_options),
    .positional = "model",
    .has_json = true,
    .run = run,
};
