#include "retort/report.h"

#include <string.h>

#include "core/file.h"
#include "core/json.h"
#include "report/page.h"
#include "report/runs_report.h"

#define FIELD(name) offsetof(retort_report_options, name)
const retort_option retort_report_option_table[] = {
    {"input", RETORT_OPTION_LIST, FIELD(input), NULL, "RUN,...",
     "a study (its folder or report.json), or any runs: JSONL of responses, a folder of them, a study's folder, a run "
     "store; MODEL@BENCHMARK=PATH names what the lines do not",
     "Report", 0, 0, NULL, true},
    {"output", RETORT_OPTION_STRING, FIELD(output), NULL, "PATH",
     "folder to write; for a study also a page (*.html), by default report.html beside its report.json", NULL, 0, 0,
     NULL, false},
    {"title", RETORT_OPTION_STRING, FIELD(title), "Responses compared", "TEXT", "title of a report on runs", NULL, 0, 0,
     NULL, false},
    {"judgements", RETORT_OPTION_LIST, FIELD(judgements), NULL, "FILES",
     "what judges and people found in the responses, JSONL (docs/report.md)", "Runs", 0, 0, NULL, false},
    {"problems", RETORT_OPTION_LIST, FIELD(problems), NULL, "FILES",
     "problems, JSONL: their statements and answers, where the responses lack them", NULL, 0, 0, NULL, false},
    {"lexicon", RETORT_OPTION_LIST, FIELD(lexicon), NULL, "LIST",
     "token categories: names of shipped lexicons or files; default: all that ship", NULL, 0, 0, NULL, false},
    {"models", RETORT_OPTION_LIST, FIELD(models), NULL, "LIST", "take only these models", NULL, 0, 0, NULL, false},
    {"benchmarks", RETORT_OPTION_LIST, FIELD(benchmarks), NULL, "LIST", "take only these benchmarks", NULL, 0, 0, NULL,
     false},
    {"top", RETORT_OPTION_INT, FIELD(top), "15", "N", "distinctive tokens on each side of a pair of models",
     "Statistics", 1, 1000, NULL, false},
    {"seed", RETORT_OPTION_INT, FIELD(seed), "401", "N", "seed of the resampling", NULL, 0, 1e9, NULL, false},
    {0}};

static retort_status check_report(const char *path, const json_t *report, retort_error *err) {
    static const char *const SECTIONS[] = {"arms", "scores", "tokens", "bans", "behaviors", "claims"};
    for (size_t i = 0; i < sizeof SECTIONS / sizeof SECTIONS[0]; i++)
        RT_CHECK(json_is_array(json_object_get(report, SECTIONS[i])), err, RETORT_ERR_FORMAT,
                 "'%s' is no report: it lacks the list '%s'; make one with retort study", path, SECTIONS[i]);
    return RETORT_OK;
}

static retort_status write_page(const char *input, const char *output, retort_error *err) {
    json_t *report;
    RT_TRY(rt_json_load(input, &report, err));
    retort_status st = check_report(input, report, err);
    if (st == RETORT_OK) st = rt_page_write("template", report, output, err);
    json_decref(report);
    return st;
}

static retort_status study_page(const char *report, const char *output, retort_error *err) {
    if (output != NULL) return write_page(report, output, err);
    const char *slash = strrchr(report, '/');
    char *folder = slash == NULL ? rt_strdup(".") : rt_strndup(report, slash == report ? 1 : (size_t)(slash - report));
    char *page = folder != NULL ? rt_path_join(folder, "report.html") : NULL;
    retort_status st =
        page != NULL ? write_page(report, page, err) : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: report paths");
    rt_free(folder);
    rt_free(page);
    return st;
}

static bool ends_with(const char *text, const char *ending) {
    size_t length = strlen(text), tail = strlen(ending);
    return length >= tail && strcmp(text + length - tail, ending) == 0;
}

/* The report.json that the input means where a page of a study is asked for, else NULL in *out. */
static retort_status find_study(const retort_report_options *options, char **out, retort_error *err) {
    const char *input = options->input;
    bool page = options->output == NULL || ends_with(options->output, ".html");
    bool several = strchr(input, ',') != NULL || strchr(input, '=') != NULL;
    *out = NULL;
    if (ends_with(input, ".json") || (page && !several && !rt_path_exists(input)))
        *out = rt_strdup(input);
    else if (page && rt_path_is_dir(input))
        *out = rt_path_join(input, "report.json");
    else
        return RETORT_OK;
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory: report paths");
    return RETORT_OK;
}

retort_status retort_report(const retort_report_options *options, const retort_progress *progress, retort_error *err) {
    RT_TRY(retort_options_check(retort_report_option_table, options, err));
    char *study;
    RT_TRY(find_study(options, &study, err));
    retort_status st = study != NULL ? study_page(study, options->output, err) : rt_runs_report(options, progress, err);
    rt_free(study);
    return st;
}
