#include "retort/analyze.h"
#include "tables.h"

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    char *json = NULL;
    retort_status st = retort_tokens(options, &json, err);
    if (st == RETORT_OK) st = print_result(json, call->common.json, err);
    retort_free(json);
    return st;
}

const command command_tokens = {
    .name = "tokens",
    .summary = "counts token categories and the tokens that tell models apart",
    .description =
        "For each model in the responses: how often a thousand words are anthropomorphic (wait, maybe, I), "
        "logical (so, if, but) or mathematical, with intervals over problems; and, for each pair of models, "
        "the most distinctive tokens by log-odds with an informative Dirichlet prior. The counting rule is "
        "in docs/analysis.md.\n\n"
        "Responses are JSONL with problem_id and text, one file a model, as retort sample and retort eval write them.",
    .examples = "retort tokens distilled.jsonl zero-rl.jsonl\ttwo files of responses compared\n"
                "retort tokens responses.jsonl --top 30 --json\tmore distinctive tokens, as JSON\n",
    .table = retort_tokens_option_table,
    .options_size = sizeof(retort_tokens_options),
    .positional = "responses",
    .has_json = true,
    .run = run,
};
