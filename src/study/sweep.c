#include "study/sweep.h"

#include <string.h>

#include "analyze/jsonout.h"
#include "compute/compute.h"
#include "core/file.h"
#include "core/progress.h"
#include "retort/report.h"

const rt_cell *rt_sweep_find(const rt_sweep *sweep, int exposure, int64_t max_length, rt_arm_id teacher,
                             int64_t examples) {
    for (int c = 0; c < sweep->cell_count; c++) {
        const rt_cell *cell = &sweep->cells[c];
        if (cell->exposure == exposure && cell->max_length == max_length && cell->teacher == teacher &&
            cell->examples == examples)
            return cell;
    }
    return NULL;
}

static retort_status make_cells(rt_sweep *sweep, retort_error *err) {
    const rt_sweep_axes *axes = &sweep->axes;
    const int exposures = axes->exposure_count > 0 ? axes->exposure_count : 1;
    const int count = exposures * axes->max_lengths.count * axes->teacher_count * axes->examples.count;
    sweep->cells = rt_calloc((size_t)count, sizeof *sweep->cells);
    RT_CHECK(sweep->cells != NULL, err, RETORT_ERR_MEMORY, "out of memory: %d combinations", count);
    for (int x = 0; x < exposures; x++) {
        sweep->bases[x] = (rt_cell){.exposure = x, .teacher = RT_ARM_BASE, .students = json_array()};
        for (int l = 0; l < axes->max_lengths.count; l++)
            for (int t = 0; t < axes->teacher_count; t++)
                for (int e = 0; e < axes->examples.count; e++)
                    sweep->cells[sweep->cell_count++] = (rt_cell){.exposure = x,
                                                                  .max_length = axes->max_lengths.items[l],
                                                                  .teacher = axes->teachers[t],
                                                                  .examples = axes->examples.items[e],
                                                                  .students = json_array()};
    }
    return RETORT_OK;
}

static retort_status load_sections(rt_sweep *sweep, retort_error *err) {
    const char *recipe = sweep->options->recipe;
    RT_TRY(retort_options_defaults(retort_distill_option_table, &sweep->distill, err));
    RT_TRY(retort_options_defaults(retort_distill_option_table, &sweep->distill_rigid, err));
    RT_TRY(retort_options_defaults(retort_pretrain_option_table, &sweep->pretrain, err));
    RT_TRY(retort_options_load_yaml(retort_distill_option_table, &sweep->distill, recipe, "distill", err));
    RT_TRY(retort_options_load_yaml(retort_distill_option_table, &sweep->distill_rigid, recipe, "distill_rigid", err));
    return retort_options_load_yaml(retort_pretrain_option_table, &sweep->pretrain, recipe, "pretrain", err);
}

static void release_cell(rt_cell *cell) {
    rt_response_set_free(&cell->pooled);
    json_decref(cell->score);
    json_decref(cell->students);
}

static void release(rt_sweep *sweep) {
    retort_options_release(retort_distill_option_table, &sweep->distill);
    retort_options_release(retort_distill_option_table, &sweep->distill_rigid);
    retort_options_release(retort_pretrain_option_table, &sweep->pretrain);
    for (int c = 0; c < sweep->cell_count; c++) release_cell(&sweep->cells[c]);
    rt_free(sweep->cells);
    for (int x = 0; x < RT_SWEEP_LIST; x++) release_cell(&sweep->bases[x]);
    for (int s = 0; s < RT_SWEEP_LIST; s++) {
        rt_problems_free(&sweep->seeds[s].problems[RT_EVAL_TEST]);
        rt_free(sweep->seed_options[s].out);
    }
    json_decref(sweep->times);
    rt_free(sweep);
}

/* ---- the report ---- */

static void arms_json(const rt_sweep *sweep, json_t *report) {
    json_t *arms = json_array();
    json_object_set_new(report, "arms", arms);
    for (int t = -1; t < sweep->axes.teacher_count; t++) {
        const rt_arm *arm = &RT_ARM_TABLE[t < 0 ? RT_ARM_BASE : sweep->axes.teachers[t]];
        json_array_append_new(arms, json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "name", arm->name, "label", arm->label,
                                              "description", arm->description, "weights", arm->name, "starts_from",
                                              RT_ARM_TABLE[arm->starts_from].name, "banned", 0));
    }
}

static retort_status settings_json(const rt_sweep *sweep, json_t *report, retort_error *err) {
    json_t *settings = json_object(), *part;
    json_object_set_new(report, "settings", settings);
    RT_TRY(rt_settings_json(retort_sweep_option_table, sweep->options, &part, err));
    json_object_set_new(settings, "sweep", part);
    RT_TRY(rt_settings_json(retort_distill_option_table, &sweep->distill, &part, err));
    json_object_set_new(settings, "distill", part);
    RT_TRY(rt_settings_json(retort_distill_option_table, &sweep->distill_rigid, &part, err));
    json_object_set_new(settings, "distill_rigid", part);
    if (sweep->axes.exposure_count == 0) return RETORT_OK;
    RT_TRY(rt_settings_json(retort_pretrain_option_table, &sweep->pretrain, &part, err));
    json_object_set_new(settings, "pretrain", part);
    return RETORT_OK;
}

static retort_status write_page(const rt_sweep *sweep, const char *path, retort_error *err) {
    retort_report_options page;
    RT_TRY(retort_options_defaults(retort_report_option_table, &page, err));
    retort_status st = retort_options_set(retort_report_option_table, &page, "input", path, err);
    if (st == RETORT_OK) st = retort_report(&page, sweep->progress, err);
    retort_options_release(retort_report_option_table, &page);
    return st;
}

static retort_status write_report(rt_sweep *sweep, retort_error *err) {
    static const char *const EMPTY[] = {"tokens", "bans", "behaviors"}; /* sections of a study that a sweep has not */
    char path[4096];
    json_t *report = json_object();
    json_object_set_new(report, "title", json_string("A sweep: how far each list of settings carries"));
    json_object_set_new(report, "retort", json_string(RETORT_VERSION));
    for (size_t i = 0; i < sizeof EMPTY / sizeof *EMPTY; i++) json_object_set_new(report, EMPTY[i], json_array());
    arms_json(sweep, report);
    retort_status st = settings_json(sweep, report, err);
    if (st == RETORT_OK) st = rt_sweep_measure(sweep, report, err);
    json_object_set(report, "times", sweep->times);
    const int written = snprintf(path, sizeof path, "%s/report.json", sweep->options->out);
    if (st == RETORT_OK && (written < 0 || (size_t)written >= sizeof path))
        st = rt_fail(err, RETORT_ERR_USAGE, "the path '%s' is too long", sweep->options->out);
    if (st == RETORT_OK) st = rt_json_save(path, report, err);
    json_decref(report);
    return st == RETORT_OK ? write_page(sweep, path, err) : st;
}

static retort_status run(rt_sweep *sweep, retort_error *err) {
    char stages[4096];
    RT_TRY(rt_sweep_axes_read(sweep->options, &sweep->axes, err));
    RT_TRY(make_cells(sweep, err));
    RT_TRY(rt_compute_init(err));
    rt_compute_set_threads((int)sweep->options->threads);
    RT_TRY(load_sections(sweep, err));
    const int written = snprintf(stages, sizeof stages, "%s/stages", sweep->options->out);
    RT_CHECK(written > 0 && (size_t)written < sizeof stages, err, RETORT_ERR_USAGE, "the path '%s' is too long",
             sweep->options->out);
    RT_TRY(rt_make_dirs(stages, err));
    RT_TRY(rt_sweep_run(sweep, err));
    rt_progress(sweep->progress, "report", 0, 1, "page", NULL);
    return write_report(sweep, err);
}

retort_status retort_sweep(const retort_sweep_options *options, const retort_progress *progress, retort_error *err) {
    RT_TRY(retort_options_check(retort_sweep_option_table, options, err));
    RT_CHECK(options->recipe != NULL, err, RETORT_ERR_USAGE,
             "a sweep needs a recipe; fill options by retort_sweep_load");
    rt_sweep *sweep = rt_calloc(1, sizeof *sweep);
    RT_CHECK(sweep != NULL, err, RETORT_ERR_MEMORY, "out of memory: a sweep");
    sweep->options = options;
    sweep->progress = progress;
    sweep->times = json_object();
    const retort_status st = run(sweep, err);
    release(sweep);
    return st;
}
