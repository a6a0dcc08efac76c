#include "retort/analyze.h"
#include "tables.h"

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    char *json = NULL;
    retort_status st = retort_tokens(options, call->progress, &json, err);
    if (st == RETORT_OK) st = print_result(json, call->common.json, err);
    retort_free(json);
    return st;
}

const command command_tokens = {
    .name = "tokens",
    .summary = "counts token categories and the tokens that tell models apart",
    .description =
        "For each model in the responses: how often words of a person thinking aloud (wait, maybe, I think), "
        "connectors of an argument (so, because, alternatively) and mathematical tokens occur, per thousand words and "
        "per response, with intervals over problems; where in the response; whether right responses have more; and, "
        "for "
        "each pair of models, the differences with their number allowed for, at equal length too, and the most "
        "distinctive terms. Repetitive and truncated responses are counted and left out. docs/tokens.md has the "
        "rules.\n\n"
        "Responses are JSONL in any of the usual shapes, or run stores; many gigabytes are read in bounded memory.",
    .examples = "retort tokens distilled.jsonl zero-rl.jsonl\ttwo files of responses compared\n"
                "retort tokens responses.jsonl --part thought --json\tinside the thoughts, as JSON\n"
                "retort tokens rl/*.jsonl --by step --reference 0\thow words change while training\n"
                "retort tokens responses.jsonl --lexicon logical,own.yaml\ta shipped lexicon and one's own\n",
    .table = retort_tokens_option_table,
    .options_size = sizeof(retort_tokens_options),
    .positional = "responses",
    .has_json = true,
    .run = run,
};
