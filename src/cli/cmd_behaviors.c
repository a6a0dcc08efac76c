#include "retort/analyze.h"
#include "tables.h"

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    char *json = NULL;
    retort_status st = retort_behaviors(options, &json, err);
    if (st == RETORT_OK) st = print_result(json, call->common.json, err);
    retort_free(json);
    return st;
}

const command command_behaviors = {
    .name = "behaviors",
    .summary = "counts reasoning behaviours in responses: attempts, checks, doubts",
    .description =
        "Reads the behaviours off responses to problems of the embedded world, exactly, because its grammar is known: "
        "distinct approaches tried (multi-perspective thinking or attempting), self-checks, doubts and corrections "
        "(metacognitive awareness), backtracking, verification. docs/world.md says what counts as what.",
    .examples = "retort behaviors responses.jsonl --problems test.jsonl\tbehaviours per model\n",
    .table = retort_behaviors_option_table,
    .options_size = sizeof(retort_behaviors_options),
    .positional = "responses",
    .has_json = true,
    .run = run,
};
