#include "retort/analyze.h"
#include "tables.h"

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    char *json = NULL;
    retort_status st = retort_regrade(options, call->progress, &json, err);
    if (st == RETORT_OK) st = print_result(json, call->common.json, err);
    retort_free(json);
    return st;
}

const command command_regrade = {
    .name = "regrade",
    .summary = "grades stored responses again, without sampling",
    .description =
        "Reads responses that retort eval, retort sample or another tool wrote (JSONL with problem_id and text or "
        "response) and grades them with the strict and with the tolerant grader. Shown are the score by the old "
        "verdicts (verdict, or a boolean correct) beside the score by each grader, how many responses went from which "
        "verdict to which, and the responses that changed, with the reason.\n\n"
        "The right answers come from --problems, or from the responses themselves where these carry them, as those of "
        "retort eval do. The exit status is 0 when everything was graded, whatever the verdicts.",
    .examples = "retort regrade responses.jsonl\tresponses of retort eval, old verdicts against new ones\n"
                "retort regrade vllm.jsonl --problems math.jsonl --output graded.jsonl\tanother tool's responses, with "
                "verdicts added\n"
                "retort regrade out/study --grader strict --json\tall responses of a study\n",
    .table = retort_regrade_option_table,
    .options_size = sizeof(retort_regrade_options),
    .positional = "run",
    .has_json = true,
    .run = run,
};
