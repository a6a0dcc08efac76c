#include "cli.h"
#include "retort/report.h"

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    return retort_report(options, call->progress, err);
}

const command command_report = {
    .name = "report",
    .summary = "makes the HTML report of a study or of any runs",
    .description =
        "Of a study, writes one page that needs no network: the main table, learning curves, token categories, bans, "
        "behaviours, lengths, cost against accuracy, the verdict on each claim of the paper, and a browser of "
        "responses side by side. retort study does this at its end; this command makes the page again.\n\n"
        "Of any runs, writes a folder that opens from disk: index.html with every chart, its n and its intervals; "
        "figures/ with each chart as CSV and JSON; and explorer.html, which searches, filters and compares all "
        "responses, and marks tokens and judged spans. Runs are JSONL with problem_id and text or response, and where "
        "known model, benchmark, sample, verdict or correct, finish_reason and tokens.",
    .examples = "retort report out/study\tout/study/report.html from out/study/report.json\n"
                "retort report a.jsonl b.jsonl --output out/ab\ttwo files of responses; open out/ab/index.html\n"
                "retort report out/study --output out/all\tevery response of a study in the explorer\n"
                "retort report base@aime24=b.jsonl d.jsonl --judgements j.jsonl --output out/bd\tnames for one file, "
                "and what judges found\n",
    .table = retort_report_option_table,
    .options_size = sizeof(retort_report_options),
    .positional = "input",
    .run = run,
};
