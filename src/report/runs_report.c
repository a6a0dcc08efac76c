#include "report/runs_report.h"

#include <dirent.h>
#include <string.h>

#include "analyze/token_count.h"
#include "core/file.h"
#include "core/progress.h"
#include "report/charts.h"
#include "report/explorer.h"
#include "report/page.h"
#include "report/run_store.h"
#include "report/sheets.h"

/* Written last; a folder that has it is ours to replace. */
static const char MARKER[] = "retort-report.json";

/* Each model and benchmark has a row in every table: more than these would be no report to read. */
enum { GROUPS_MAX = 1000, PAIRS_MAX = 300 };
enum { FIRST_WORDS = 100 }; /* as retort tokens */

typedef struct report_work {
    const retort_report_options *options;
    const retort_progress *progress;
    rt_run_sources sources;
    rt_judgements judgements;
    rt_runs runs;
    rt_lexicon lexicon;
    rt_scanner *scanner;
    rt_evidence evidence;
    rt_token_rules rules;
    rt_token_counter *counter;
    rt_count_table tokens; /* its groups are named by the numbers of the runs', and come in their order */
    rt_explorer explorer;
    char *folder, *parts, *figures; /* FOLDER.tmp and the folders in it */
    json_t *notes;
} report_work;

/* Calls take for each element of a comma list. */
static retort_status each_element(const char *list, retort_status (*take)(report_work *, const char *, retort_error *),
                                  report_work *work, retort_error *err) {
    char *copy = rt_strdup(list != NULL ? list : ""), *rest = NULL;
    RT_CHECK(copy != NULL, err, RETORT_ERR_MEMORY, "out of memory: list of files");
    retort_status st = RETORT_OK;
    for (char *name = strtok_r(copy, ",", &rest); name != NULL && st == RETORT_OK; name = strtok_r(NULL, ",", &rest))
        st = take(work, name, err);
    rt_free(copy);
    return st;
}

static retort_status take_run(report_work *work, const char *argument, retort_error *err) {
    return rt_run_sources_add(&work->sources, argument, err);
}

static retort_status take_judgements(report_work *work, const char *path, retort_error *err) {
    return rt_judgements_read(path, &work->judgements, err);
}

static retort_status take_problems(report_work *work, const char *path, retort_error *err) {
    return rt_runs_know(&work->runs, path, err);
}

/* ---- folder ------------------------------------------------------------------------------------------------------ */

static retort_status is_empty_folder(const char *path, bool *out, retort_error *err) {
    DIR *dir = opendir(path);
    RT_CHECK(dir != NULL, err, RETORT_ERR_IO, "cannot read the folder '%s'", path);
    *out = true;
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) *out = false;
    (void)closedir(dir);
    return RETORT_OK;
}

/* Only a folder that a report has filled is replaced. */
static retort_status check_output(const char *output, retort_error *err) {
    if (!rt_path_exists(output)) return RETORT_OK;
    RT_CHECK(rt_path_is_dir(output), err, RETORT_ERR_USAGE,
             "'%s' is a file; a report on runs is a folder: name another with --output", output);
    char *marker = rt_path_join(output, MARKER);
    bool empty = false, ours = marker != NULL && rt_path_exists(marker);
    rt_free(marker);
    RT_CHECK(marker != NULL, err, RETORT_ERR_MEMORY, "out of memory: report paths");
    if (!ours) RT_TRY(is_empty_folder(output, &empty, err));
    RT_CHECK(ours || empty, err, RETORT_ERR_USAGE,
             "the folder '%s' holds something else than a report; name another with --output", output);
    return RETORT_OK;
}

static retort_status make_folders(report_work *work, retort_error *err) {
    rt_buffer name = {0};
    size_t length = strlen(work->options->output);
    while (length > 1 && work->options->output[length - 1] == '/') length--;
    retort_status st = rt_buffer_append(&name, work->options->output, length, err);
    if (st == RETORT_OK) st = rt_buffer_puts(&name, ".tmp", err);
    work->folder = name.data;
    RT_TRY(st);
    work->parts = rt_path_join(work->folder, "explorer");
    work->figures = rt_path_join(work->folder, "figures");
    RT_CHECK(work->parts != NULL && work->figures != NULL, err, RETORT_ERR_MEMORY, "out of memory: report paths");
    RT_TRY(rt_remove_tree(work->folder, err));
    static const char *const FOLDERS[] = {"texts", "search"};
    for (size_t i = 0; i < sizeof FOLDERS / sizeof FOLDERS[0]; i++) {
        char *path = rt_path_join(work->parts, FOLDERS[i]);
        RT_CHECK(path != NULL, err, RETORT_ERR_MEMORY, "out of memory: report paths");
        st = rt_make_dirs(path, err);
        rt_free(path);
        RT_TRY(st);
    }
    return rt_make_dirs(work->figures, err);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* The token analysis reads lines: this one says what it needs of a response. */
static retort_status count_tokens(report_work *work, const rt_run_row *row, const char *text, size_t length,
                                  retort_error *err) {
    const rt_record *record = rt_run_record(&work->runs, row);
    char group[16], problem[16];
    snprintf(group, sizeof group, "%d", row->group);
    snprintf(problem, sizeof problem, "%d", row->problem);
    json_t *line = json_pack("{s:s, s:s, s:o, s:b}", "model", group, "problem_id", problem, "text",
                             rt_json_text(text, length), "truncated", record->finish == RT_FINISH_LENGTH);
    RT_CHECK(line != NULL, err, RETORT_ERR_MEMORY, "out of memory: a response of %zu bytes", length);
    if (record->graded) json_object_set_new(line, "correct", json_boolean(record->verdict == RT_RIGHT));
    retort_status st = rt_token_count_line(work->counter, line, "", "a response", &work->tokens, err);
    json_decref(line);
    return st;
}

static retort_status take_response(void *context, const rt_runs *runs, int64_t row, const char *text, size_t length,
                                   retort_error *err) {
    report_work *work = context;
    RT_CHECK(runs->group_keys.count <= GROUPS_MAX, err, RETORT_ERR_UNSUPPORTED,
             "more than %d models and benchmarks; choose some with --models and --benchmarks", GROUPS_MAX);
    RT_TRY(rt_evidence_take(&work->evidence, runs, row, text, length, err));
    RT_TRY(count_tokens(work, &runs->rows[row], text, length, err));
    RT_TRY(rt_explorer_add(&work->explorer, &work->evidence, text, length, err));
    rt_progress(work->progress, "report", (double)(row + 1), 0, "responses", NULL);
    return RETORT_OK;
}

static retort_status read_all(report_work *work, retort_error *err) {
    const retort_report_options *options = work->options;
    RT_TRY(each_element(options->input, take_run, work, err));
    for (int64_t i = 0; i < work->sources.num_problems; i++)
        RT_TRY(rt_runs_know(&work->runs, work->sources.problems[i], err));
    RT_TRY(each_element(options->problems, take_problems, work, err));
    RT_TRY(each_element(options->judgements, take_judgements, work, err));
    for (int64_t i = 0; i < work->sources.count; i++) {
        bool store = false;
        RT_TRY(rt_run_is_store(work->sources.items[i].path, &store, err));
        if (store) RT_TRY(rt_run_store_judgements(&work->sources.items[i], &work->judgements, err));
    }
    RT_TRY(rt_lexicon_read(options->lexicon, &work->lexicon, err));
    RT_TRY(rt_scanner_create(&work->lexicon, &work->scanner, err));
    work->rules = (rt_token_rules){.lexicon = &work->lexicon, .scanner = work->scanner, .first_words = FIRST_WORDS};
    rt_count_table_init(&work->tokens, &work->lexicon);
    RT_TRY(rt_token_counter_create(&work->rules, &work->counter, err));
    work->evidence.judgements = &work->judgements;
    work->evidence.lexicon = &work->lexicon;
    work->evidence.scanner = work->scanner;
    RT_TRY(rt_evidence_start(&work->evidence, err));
    work->explorer = (rt_explorer){.folder = work->folder, .title = options->title, .texts = {.folder = work->parts}};
    const rt_run_choice choice = {options->models, options->benchmarks};
    return rt_runs_read(&work->runs, &work->sources, &choice, take_response, work, err);
}

/* ---- notes ------------------------------------------------------------------------------------------------------- */

/* What was changed, left out or not known, each in a sentence with its number; none where the number is 0. */
static void note(report_work *work, int64_t count, const char *text) {
    if (count > 0)
        json_array_append_new(work->notes, json_pack("{s:I, s:s}", "count", (json_int_t)count, "text", text));
}

static int64_t count_pairs(const rt_runs *runs) {
    int64_t pairs = 0;
    for (int32_t i = 0; i < runs->group_keys.count; i++)
        for (int32_t j = i + 1; j < runs->group_keys.count; j++)
            pairs += runs->groups[i].benchmark == runs->groups[j].benchmark;
    return pairs;
}

static void take_notes(report_work *work, int64_t pairs) {
    const rt_runs *runs = &work->runs;
    int64_t ungraded = 0, endless = 0, unmatched = 0;
    for (int32_t g = 0; g < runs->group_keys.count; g++) {
        ungraded += runs->groups[g].ungraded;
        endless += runs->groups[g].without_finish;
    }
    for (int32_t r = 0; r < work->judgements.responses.count; r++) unmatched += !work->judgements.found[r];
    note(work, ungraded,
         "responses carry no verdict: their model has no accuracy on that benchmark; retort regrade gives verdicts");
    note(work, endless, "responses do not say how they ended: their model has no truncated share on that benchmark");
    note(work, runs->renumbered,
         "responses had the sample number of another response to the same problem and took the next free one");
    note(work, unmatched, "responses were judged but are not in these runs");
    note(work, work->evidence.misplaced, "spans of judges do not fit the text that they quote and are counted nowhere");
    note(work, pairs > PAIRS_MAX ? pairs : 0,
         "pairs of models are too many to compare: choose fewer with --models for differences and distinctive tokens");
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static retort_status make_charts(report_work *work, json_t *charts, retort_error *err) {
    int64_t pairs = count_pairs(&work->runs);
    const rt_token_settings settings = {.rules = &work->rules,
                                        .resamples = RT_RESAMPLES,
                                        .top = work->options->top,
                                        .seed = (uint64_t)work->options->seed};
    const rt_chart_input input = {.runs = &work->runs,
                                  .evidence = &work->evidence,
                                  .tokens = &work->tokens,
                                  .token_settings = &settings,
                                  .seed = (uint64_t)work->options->seed,
                                  .pairs = pairs <= PAIRS_MAX};
    RT_TRY(rt_charts_scores(&input, charts, err));
    RT_TRY(rt_charts_language(&input, charts, err));
    take_notes(work, pairs);
    return RETORT_OK;
}

static json_t *names_json(const rt_strings *names) {
    json_t *list = json_array();
    for (int32_t i = 0; i < names->count; i++) {
        json_t *name = rt_json_text(names->items[i], names->lengths[i]);
        json_array_append_new(list, json_pack("{s:O, s:o}", "name", name, "label", name));
    }
    return list;
}

/* The page's data; `charts` is borrowed. */
static json_t *page_json(const report_work *work, json_t *charts) {
    return json_pack("{s:s, s:s, s:I, s:I, s:o, s:o, s:O, s:O}", "title", work->options->title, "retort",
                     RETORT_VERSION, "seed", (json_int_t)work->options->seed, "responses", (json_int_t)work->runs.count,
                     "arms", names_json(&work->runs.models), "benchmarks", names_json(&work->runs.benchmarks), "notes",
                     work->notes, "charts", charts);
}

/* What the report was made of. */
static retort_status write_marker(const report_work *work, retort_error *err) {
    json_t *files = json_array();
    for (int64_t i = 0; i < work->sources.count; i++)
        json_array_append_new(files, rt_json_text(work->sources.items[i].path, strlen(work->sources.items[i].path)));
    json_t *marker = json_pack("{s:s, s:s, s:I, s:I, s:o, s:O}", "kind", "report on runs", "retort", RETORT_VERSION,
                               "seed", (json_int_t)work->options->seed, "responses", (json_int_t)work->runs.count,
                               "files", files, "notes", work->notes);
    char *path = rt_path_join(work->folder, MARKER);
    retort_status st = marker != NULL && path != NULL
                           ? rt_json_save(path, marker, err)
                           : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: what the report was made of");
    json_decref(marker);
    rt_free(path);
    return st;
}

static retort_status write_all(report_work *work, retort_error *err) {
    json_t *charts = json_array();
    char *index = rt_path_join(work->folder, "index.html");
    retort_status st = make_charts(work, charts, err);
    json_t *data = page_json(work, charts);
    if (st == RETORT_OK && (index == NULL || data == NULL))
        st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: page of the report");
    if (st == RETORT_OK) st = rt_page_write("runs-page", data, index, err);
    if (st == RETORT_OK) st = rt_sheets_write(charts, work->figures, err);
    if (st == RETORT_OK) st = rt_explorer_write(&work->explorer, &work->runs, &work->evidence, err);
    if (st == RETORT_OK) st = write_marker(work, err);
    json_decref(data);
    json_decref(charts);
    rt_free(index);
    return st;
}

static void release(report_work *work) {
    rt_explorer_free(&work->explorer);
    rt_token_counter_destroy(work->counter);
    rt_count_table_free(&work->tokens);
    rt_evidence_free(&work->evidence);
    rt_scanner_destroy(work->scanner);
    rt_lexicon_free(&work->lexicon);
    rt_runs_free(&work->runs);
    rt_judgements_free(&work->judgements);
    rt_run_sources_free(&work->sources);
    json_decref(work->notes);
    rt_free(work->parts);
    rt_free(work->figures);
    rt_free(work->folder);
}

retort_status rt_runs_report(const retort_report_options *options, const retort_progress *progress, retort_error *err) {
    RT_CHECK(options->output != NULL, err, RETORT_ERR_USAGE, "a report on runs is a folder: name it with --output");
    RT_TRY(check_output(options->output, err));
    report_work work = {.options = options, .progress = progress, .notes = json_array()};
    retort_status st = make_folders(&work, err);
    if (st == RETORT_OK) st = read_all(&work, err);
    if (st == RETORT_OK) st = write_all(&work, err);
    if (st == RETORT_OK) st = rt_dir_commit(work.folder, options->output, err);
    if (st != RETORT_OK && work.folder != NULL) (void)rt_remove_tree(work.folder, NULL);
    release(&work);
    return st;
}
