#include "retort/analyze.h"
#include "retort/judge.h"
#include "tables.h"

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    char *json = NULL;
    retort_status st = retort_agreement(options, &json, err);
    if (st == RETORT_OK) st = print_result(json, call->common.json, err);
    retort_free(json);
    return st;
}

const command command_agreement = {
    .name = "agreement",
    .summary = "how far judges, votes and hand labels of behaviours agree",
    .description =
        "Reads judgements (`retort behaviors --output`) and run stores with judgements or hand labels (`retort "
        "label`), "
        "and gives for each behaviour Cohen's kappa of presence and Krippendorff's alpha of counts for every pair, "
        "Fleiss' kappa and alpha of each judge's votes and of all judges, with n and bootstrap intervals over "
        "problems. "
        "What was unparsed or refused is missing, not zero; a coefficient that is not defined is left out with the "
        "reason.",
    .examples = "retort agreement a.jsonl b.jsonl\ttwo judges' files\n"
                "retort agreement run.db --responses responses.jsonl\ta store's judges and people\n",
    .table = retort_agreement_option_table,
    .options_size = sizeof(retort_agreement_options),
    .positional = "judgements",
    .has_json = true,
    .run = run,
};
