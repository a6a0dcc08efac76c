#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "retort/study.h"

static retort_status load(void *options, const char *config, retort_error *err) {
    retort_study_options *study = options;
    const char *named = config != NULL ? config : study->recipe;
    char *recipe = named != NULL ? strdup(named) : NULL;
    bool quick = study->quick;
    if (named != NULL && recipe == NULL) return cli_fail(err, RETORT_ERR_MEMORY, "out of memory: recipe");
    retort_options_release(retort_study_option_table, study);
    retort_status st = retort_study_load(study, recipe, quick, err);
    free(recipe);
    return st;
}

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    const retort_study_options *study = options;
    retort_status st = retort_study(study, call->progress, err);
    if (st == RETORT_OK) printf("the report is %s/report.html\n", study->out);
    return st;
}

const command command_study = {
    .name = "study",
    .summary = "the whole comparison, from problems to the report",
    .description = "Distils a base model from a flexible and from a rigid teacher, trains the zero-RL baseline and RL "
                   "after distillation, samples and grades them all, analyses the responses, and writes report.html, "
                   "report.json and manifest.json into --out. Finished stages are not run again: after a stop, or a "
                   "change of the recipe, the same command does only what is missing.\n\n"
                   "The recipe is YAML: this command\'s flags at the top level, and the training options of the arms "
                   "in the sections distill, distill_rigid, rl and rl_after.",
    .examples = "retort study --out out/study\tthe default study\n"
                "retort study --quick --out out/quick\tthe same walk with smaller numbers\n",
    .table = retort_study_option_table,
    .options_size = sizeof(retort_study_options),
    .positional = "recipe",
    .load = load,
    .run = run,
};
