#include "retort/analyze.h"
#include "retort/judge.h"
#include "tables.h"

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    char *json = NULL;
    retort_status st = retort_behaviors(options, call->progress, &json, err);
    if (st == RETORT_OK) st = print_result(json, call->common.json, err);
    retort_free(json);
    return st;
}

const command command_behaviors = {
    .name = "behaviors",
    .summary = "counts reasoning behaviours in responses, by rules, exactly, or by a judging model",
    .description =
        "Counts in each response: multi-perspective thinking or attempting, metacognitive awareness, verification, "
        "backtracking, subgoal setting and backward chaining, or behaviours of your own (--behaviors). Who judges: "
        "rules over discourse markers and structure, which cost nothing; for problems of the embedded world the exact "
        "counter, because their grammar is known; and with --base-url language models, whose every count must be "
        "backed by a quote that is found in the response. A reply that cannot be read is counted as unparsed, never as "
        "zero.\n\n"
        "Printed are means per response, shares of responses with at least one and rates per 1,000 words, with "
        "intervals over problems, and how far the judges, and the votes of each, agree. docs/behaviors.md explains the "
        "rules, the prompt and the figures, and says how well the rules agree with what is known exactly.",
    .examples =
        "retort behaviors a.jsonl b.jsonl\tby rules, per model\n"
        "retort behaviors responses.jsonl --problems test.jsonl\tthe world's responses: exactly too, and the "
        "agreement\n"
        "retort behaviors r.jsonl --base-url https://api.example.com/v1 --model gpt-4o --store run.db --votes 3 "
        "--temperature 0.7 --output judged.jsonl\tby a model, three votes each, with the quotes\n",
    .table = retort_behaviors_option_table,
    .options_size = sizeof(retort_behaviors_options),
    .positional = "responses",
    .has_json = true,
    .run = run,
};
