#include "cli.h"
#include "retort/report.h"

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    (void)call;
    return retort_report(options, err);
}

const command command_report = {
    .name = "report",
    .summary = "makes the HTML report of a study from its report.json",
    .description = "Writes one page that needs no network: the main table, learning curves, token categories, bans, "
                   "behaviours, lengths, cost against accuracy, the verdict on each claim of the paper, and a browser "
                   "of responses side by side. retort study does this at its end; this command makes the page again.",
    .examples = "retort report out/study\tout/study/report.html from out/study/report.json\n",
    .table = retort_report_option_table,
    .options_size = sizeof(retort_report_options),
    .positional = "input",
    .run = run,
};
