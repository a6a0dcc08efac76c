#include <jansson.h>
#include <stdlib.h>

#include "findings.h"
#include "retort/contamination.h"
#include "tables.h"

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    char *text = NULL;
    retort_status st = retort_contamination(options, &text, err);
    if (st != RETORT_OK) return st;
    if (call->common.json) {
        st = print_result(text, true, err);
    } else {
        json_t *report = json_loads(text, 0, NULL);
        if (report != NULL) print_contamination(report);
        if (report == NULL) st = cli_fail(err, RETORT_ERR_MEMORY, "out of memory: report");
        json_decref(report);
    }
    free(text);
    return st;
}

const command command_contamination = {
    .name = "contamination",
    .summary = "finds evaluation problems in a training set",
    .description =
        "Compares problems by their runs of five words, so that wording, case, punctuation and LaTeX's signs do not "
        "matter, and a problem retold with another question is found by the passage it keeps. Every overlap is shown "
        "with the longest passage in common; docs/data.md says what counts as one.",
    .examples =
        "retort contamination --problems aime.jsonl --against math500.jsonl,aime24.jsonl\tevery overlap, with its "
        "text\n"
        "retort contamination --problems aime.jsonl --against math500.jsonl --clean aime-clean.jsonl\twithout them\n",
    .table = retort_contamination_option_table,
    .options_size = sizeof(retort_contamination_options),
    .has_json = true,
    .run = run,
};
