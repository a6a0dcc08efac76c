#include "retort/analyze.h"
#include "retort/evaluate.h"
#include "tables.h"

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    (void)call;
    char *json = NULL;
    retort_status st = retort_compare(options, &json, err);
    if (st == RETORT_OK) st = print_result(json, call->common.json, err);
    retort_free(json);
    return st;
}

const command command_compare = {
    .name = "compare",
    .summary = "compares two runs on the same problems",
    .description =
        "Reads the responses of two runs (of retort eval, or another tool's JSONL with problem_id and verdict or "
        "correct) and prints the difference of avg and of each pass@k, second minus first, with one interval over the "
        "choice of problems and one over the samples, and p of a sign-flip test over problems; then which responses "
        "changed their verdict.\n\n"
        "Runs on different problems are refused unless --common says to compare over those that both have. Of two "
        "folders the files of the same name are compared.",
    .examples = "retort compare base.jsonl student.jsonl\tis the student better, and where?\n"
                "retort compare run-a run-b --grader strict --json\tall benchmarks of two runs, by the strict grader\n",
    .table = retort_compare_option_table,
    .options_size = sizeof(retort_compare_options),
    .positional = "runs",
    .has_json = true,
    .run = run,
};
