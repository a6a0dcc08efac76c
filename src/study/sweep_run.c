#include <string.h>

#include "analyze/jsonout.h"
#include "core/file.h"
#include "study/sweep.h"
#include "verify/answer.h"

/* The work of a sweep, by the study's own steps: one rt_study a seed holds the folder, the problems and the settings.
 */

static retort_status open_seed(rt_sweep *sweep, int s, retort_error *err) {
    static const char *const FOLDERS[] = {"stages", "data", "traces", "models", "responses"};
    const retort_sweep_options *o = sweep->options;
    const rt_int_list *examples = &sweep->axes.examples;
    retort_study_options *options = &sweep->seed_options[s];
    rt_study *study = &sweep->seeds[s];
    char folder[4096], path[4096];
    const int64_t seed = sweep->axes.seeds.items[s];
    const int written = snprintf(folder, sizeof folder, "%s/seed-%lld", o->out, (long long)seed);
    RT_CHECK(written > 0 && (size_t)written < sizeof folder, err, RETORT_ERR_USAGE, "the path '%s' is too long",
             o->out);
    *options = (retort_study_options){.out = rt_strdup(folder),
                                      .base = o->base,
                                      .seed = seed,
                                      .threads = o->threads,
                                      .examples = examples->items[examples->count - 1],
                                      .teacher_budget = o->teacher_budget,
                                      .test_problems = o->test_problems,
                                      .samples = o->samples,
                                      .max_new_tokens = o->max_new_tokens,
                                      .batch = o->batch,
                                      .temperature = o->temperature,
                                      .top_p = o->top_p};
    RT_CHECK(options->out != NULL, err, RETORT_ERR_MEMORY, "out of memory: folder of a seed");
    *study = (rt_study){.options = options, .progress = sweep->progress, .times = json_object()};
    json_object_set_new(sweep->times, strrchr(folder, '/') + 1, study->times);
    for (size_t i = 0; i < sizeof FOLDERS / sizeof *FOLDERS; i++) {
        RT_TRY(rt_study_path(study, path, err, "%s", FOLDERS[i]));
        RT_TRY(rt_make_dirs(path, err));
    }
    RT_TRY(rt_study_problems(study, RT_SPLIT_DISTILL, options->examples, "distill", err));
    RT_TRY(rt_study_problems(study, RT_SPLIT_TEST, options->test_problems, "test", err));
    RT_TRY(rt_study_path(study, path, err, "data/test.jsonl"));
    return rt_problems_read(path, &study->problems[RT_EVAL_TEST], err);
}

/* ---- bases ---- */

static void exposure_suffix(const rt_sweep *sweep, int exposure, char *text, size_t size) {
    text[0] = '\0';
    if (sweep->axes.exposure_count > 0) snprintf(text, size, "-x%g", sweep->axes.exposures[exposure]);
}

static retort_status pretrain(const rt_sweep *sweep, int exposure, char *folder, retort_error *err) {
    char stage_name[64], weights[4096 + 32];
    rt_inputs inputs = {0};
    rt_stage stage;
    retort_pretrain_options options = sweep->pretrain;
    options.exploratory_rate = sweep->axes.exposures[exposure];
    options.train.output_dir = folder;
    options.train.threads = sweep->options->threads;
    options.train.resume = true;
    snprintf(stage_name, sizeof stage_name, "pretrain-x%g", options.exploratory_rate);
    snprintf(weights, sizeof weights, "%s/model.safetensors", folder);
    retort_status st = rt_inputs_add(&inputs, err, "version %s", RETORT_VERSION);
    if (st == RETORT_OK) st = rt_inputs_add_options(&inputs, retort_pretrain_option_table, &options, err);
    if (st == RETORT_OK) st = rt_stage_begin(sweep->options->out, stage_name, &inputs, &stage, err);
    rt_inputs_free(&inputs);
    RT_TRY(st);
    retort_training_account account = {0};
    if (!stage.done || !rt_path_exists(weights)) st = retort_pretrain(&options, sweep->progress, &account, err);
    if (st == RETORT_OK && !stage.done) rt_json_set_real(stage.account, "train_flops", account.train_flops);
    if (st == RETORT_OK) st = rt_stage_end(&stage, err);
    if (st == RETORT_OK) rt_json_set_real(sweep->times, stage_name, stage.seconds);
    rt_stage_release(&stage);
    return st;
}

/* The folder of the base of an exposure, trained first if need be. */
static retort_status base_of(const rt_sweep *sweep, int exposure, char folder[4096], retort_error *err) {
    int written;
    if (sweep->axes.exposure_count == 0)
        written = snprintf(folder, 4096, "%s", sweep->options->base);
    else
        written = snprintf(folder, 4096, "%s/bases/x%g", sweep->options->out, sweep->axes.exposures[exposure]);
    RT_CHECK(written > 0 && written < 4096, err, RETORT_ERR_USAGE, "the path '%s' is too long", sweep->options->out);
    return sweep->axes.exposure_count == 0 ? RETORT_OK : pretrain(sweep, exposure, folder, err);
}

/* ---- students ---- */

/* The largest number of examples, uncut, from the base as it is, is the study's own arm and has its name. */
static retort_status student_name(const rt_sweep *sweep, const rt_cell *cell, char name[64], retort_error *err) {
    char examples[24] = "", length[24] = "", exposure[24];
    const rt_int_list *all = &sweep->axes.examples;
    if (cell->examples != all->items[all->count - 1])
        snprintf(examples, sizeof examples, "-e%lld", (long long)cell->examples);
    if (cell->max_length > 0) snprintf(length, sizeof length, "-l%lld", (long long)cell->max_length);
    exposure_suffix(sweep, cell->exposure, exposure, sizeof exposure);
    const int written = snprintf(name, 64, "%s%s%s%s", RT_ARM_TABLE[cell->teacher].name, examples, length, exposure);
    RT_CHECK(written > 0 && written < 50, err, RETORT_ERR_USAGE, "the name of student '%s' is too long", name);
    return RETORT_OK;
}

static retort_status train_student(rt_sweep *sweep, const rt_cell *cell, int s, const char *name, const char *base,
                                   json_t **account, retort_error *err) {
    rt_study *study = &sweep->seeds[s];
    char traces[4096];
    const bool rigid = cell->teacher == RT_ARM_RIGID || cell->teacher == RT_ARM_SPRINKLED;
    retort_distill_options options = rigid ? sweep->distill_rigid : sweep->distill;
    options.train.seed = study->options->seed;
    if (cell->examples != study->options->examples) options.max_examples = cell->examples;
    if (cell->max_length > 0) {
        options.max_length = cell->max_length;
        options.truncate = true;
    }
    RT_TRY(rt_study_traces(study, cell->teacher, traces, err));
    const rt_training training = {name, base, traces, &options, NULL};
    return rt_study_train_one(study, &training, account, err);
}

/* What is kept of a response: its box, by which maj@k tells answers apart. */
static retort_status keep_box(const rt_record *from, rt_record *record, retort_error *err) {
    static const char OPEN[] = "\\boxed{";
    size_t begin, end;
    *record = *from;
    record->reason = NULL;
    record->length = 0;
    if (rt_answer_boxed(from->text, from->length, &begin, &end)) {
        begin -= sizeof OPEN - 1;
        record->length = end + 1 - begin;
    } else {
        begin = 0;
    }
    record->text = rt_strndup(from->text + begin, record->length);
    RT_CHECK(record->text != NULL, err, RETORT_ERR_MEMORY, "out of memory: answers of several seeds");
    return RETORT_OK;
}

/* Puts a seed's responses behind those of the seeds before it. */
static retort_status pool(rt_response_set *all, const rt_response_set *set, retort_error *err) {
    rt_record *records = rt_realloc_array(all->records, (size_t)(all->count + set->count), sizeof *records);
    RT_CHECK(records != NULL, err, RETORT_ERR_MEMORY, "out of memory: responses of several seeds");
    all->records = records;
    for (int64_t i = 0; i < set->count; i++) {
        RT_TRY(keep_box(&set->records[i], &records[all->count], err));
        records[all->count++].problem += (int32_t)all->problems;
    }
    all->problems += set->problems;
    return RETORT_OK;
}

static retort_status add_student(rt_cell *cell, int s, int64_t seed, const char *name, const rt_response_set *set,
                                 json_t *account, retort_error *err) {
    rt_tally *tallies;
    RT_TRY(rt_response_tallies(set, &tallies, err));
    cell->averages[s] = rt_average(tallies, set->problems);
    rt_free(tallies);
    json_t *student = json_pack("{s:I, s:s}", "seed", (json_int_t)seed, "model", name);
    RT_CHECK(student != NULL, err, RETORT_ERR_MEMORY, "out of memory: a student's entry");
    rt_json_set_real(student, "avg", cell->averages[s]);
    if (account != NULL) json_object_set(student, "training", account);
    json_array_append_new(cell->students, student);
    return RETORT_OK;
}

/* Samples a model for one seed and adds what it answered to the cell. */
static retort_status ask(rt_sweep *sweep, rt_cell *cell, int s, const char *name, const char *model, json_t *account,
                         retort_error *err) {
    rt_response_set set = {0};
    retort_status st = rt_study_sample_one(&sweep->seeds[s], name, model, RT_EVAL_TEST, false, &set, err);
    if (st == RETORT_OK) st = add_student(cell, s, sweep->axes.seeds.items[s], name, &set, account, err);
    if (st == RETORT_OK) st = pool(&cell->pooled, &set, err);
    rt_response_set_free(&set);
    return st;
}

static retort_status run_cell(rt_sweep *sweep, rt_cell *cell, int s, const char *base, retort_error *err) {
    char name[64], model[4096];
    json_t *account = NULL;
    RT_TRY(student_name(sweep, cell, name, err));
    retort_status st = train_student(sweep, cell, s, name, base, &account, err);
    if (st == RETORT_OK) st = rt_study_path(&sweep->seeds[s], model, err, "models/%s", name);
    if (st == RETORT_OK) st = ask(sweep, cell, s, name, model, account, err);
    json_decref(account);
    return st;
}

/* Seeds outermost, so that a sweep that is stopped has whole seeds. */
retort_status rt_sweep_run(rt_sweep *sweep, retort_error *err) {
    const int exposures = sweep->axes.exposure_count > 0 ? sweep->axes.exposure_count : 1;
    for (int s = 0; s < sweep->axes.seeds.count; s++) {
        RT_TRY(open_seed(sweep, s, err));
        for (int x = 0; x < exposures; x++) {
            char base[4096], suffix[24], name[64];
            RT_TRY(base_of(sweep, x, base, err));
            exposure_suffix(sweep, x, suffix, sizeof suffix);
            snprintf(name, sizeof name, "base%s", suffix);
            RT_TRY(ask(sweep, &sweep->bases[x], s, name, base, NULL, err));
            for (int c = 0; c < sweep->cell_count; c++)
                if (sweep->cells[c].exposure == x) RT_TRY(run_cell(sweep, &sweep->cells[c], s, base, err));
        }
    }
    return RETORT_OK;
}
