/* Reports, as files that a browser opens from disk and that ask nothing of a network.
 *
 * On a study: one page made of its report.json. retort_study does this at its end; this makes the page again:
 *
 *     retort_report_options options;
 *     retort_options_defaults(retort_report_option_table, &options, &err);
 *     retort_options_set(retort_report_option_table, &options, "input", "out/study", &err);
 *     retort_report(&options, NULL, &err);                                    // out/study/report.html
 *
 * On any runs: a folder with index.html (figures), figures/ (each figure as CSV and JSON) and explorer.html (every
 * response, with search):
 *
 *     retort_options_set(..., "input", "distilled.jsonl,zero-rl.jsonl", &err);
 *     retort_options_set(..., "output", "out/compared", &err);
 *     retort_report(&options, &progress, &err);                               // out/compared/index.html
 *
 * What runs and judgements look like, and what each figure means, is in docs/report.md.
 */
#ifndef RETORT_REPORT_H
#define RETORT_REPORT_H

#include "retort/options.h"
#include "retort/progress.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retort_report_options {
    char *input;               /* report.json or the folder that holds one; or a comma list of runs */
    char *output;              /* a page (*.html; NULL: beside the study's report.json), or a folder */
    char *title;               /* of a report on runs */
    char *judgements;          /* comma list of JSONL, NULL: none */
    char *problems;            /* comma list of JSONL, NULL: none */
    char *lexicon;             /* comma list of shipped lexicons and files, NULL: all that ship */
    char *models, *benchmarks; /* comma lists of those to take, NULL: all */
    int64_t top;               /* distinctive tokens on each side of a pair */
    int64_t seed;              /* of the resampling */
} retort_report_options;
extern RETORT_API const retort_option retort_report_option_table[];

/* Writes the page or the folder; either appears complete or not at all. A folder that is there already is replaced only
 * if it is empty or such a report. Errors name file, line and place; RETORT_ERR_USAGE for an output that holds
 * something else, RETORT_ERR_NOT_FOUND for a run that is not there. */
RETORT_API retort_status retort_report(const retort_report_options *options, const retort_progress *progress,
                                       retort_error *err);

#ifdef __cplusplus
}
#endif
#endif
