#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "retort/sweep.h"

static retort_status load(void *options, const char *config, retort_error *err) {
    retort_sweep_options *sweep = options;
    const char *named = config != NULL ? config : sweep->recipe;
    char *recipe = named != NULL ? strdup(named) : NULL;
    if (named != NULL && recipe == NULL) return cli_fail(err, RETORT_ERR_MEMORY, "out of memory: recipe");
    retort_options_release(retort_sweep_option_table, sweep);
    retort_status st = retort_sweep_load(sweep, recipe, err);
    free(recipe);
    return st;
}

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    const retort_sweep_options *sweep = options;
    retort_status st = retort_sweep(sweep, call->progress, err);
    if (st == RETORT_OK) printf("the report is %s/report.html\n", sweep->out);
    return st;
}

const command command_sweep = {
    .name = "sweep",
    .summary = "distilled students over lists of settings, as curves with intervals",
    .description =
        "Distils one student for every combination of --examples, --teachers, --max-lengths and --exposures, for each "
        "of "
        "--seeds, samples them on the test split, and writes report.html and report.json into --out: curves with "
        "intervals over problems and over seeds, and every pair of students compared problem by problem.\n\n"
        "Finished students are not trained again: after a stop the same command goes on, and a longer list runs only "
        "what is new. A folder seed-N is laid out as that of `retort study --seed N`, and what is there counts as "
        "done.\n\n"
        "The recipe is YAML: this command's flags at the top level, training options in the sections distill, "
        "distill_rigid and pretrain.",
    .examples = "retort sweep --seeds 1,2,3 --out out/sweep\tthe shipped sweep over the number of examples\n"
                "retort sweep --examples 920 --teachers flexible,rigid,plain,sprinkled\tstyle or strategy\n",
    .table = retort_sweep_option_table,
    .options_size = sizeof(retort_sweep_options),
    .positional = "recipe",
    .load = load,
    .run = run,
};
