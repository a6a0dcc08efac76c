/* `retort plan NAME ARGUMENTS...` or `retort plan RECIPE ARGUMENTS...`: what that command would take. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const retort_option TABLE[] = {{0}};

static const command *planned_by_name(const char *name) {
    for (const command *const *c = COMMANDS; *c != NULL; c++) {
        if ((*c)->plan != NULL && strcmp((*c)->name, name) == 0) return *c;
    }
    return NULL;
}

/* The first command that knows every key of the recipe. */
static const command *planned_by_recipe(const char *path, retort_error *err) {
    for (const command *const *c = COMMANDS; *c != NULL; c++) {
        const retort_recipe_part parts[] = {{NULL, (*c)->table}, {NULL, NULL}};
        if ((*c)->plan != NULL && retort_recipe_check(path, parts, err) == RETORT_OK) return *c;
    }
    return NULL;
}

const command *find_planned(const char *word, bool *recipe, retort_error *err) {
    const command *cmd = planned_by_name(word);
    *recipe = cmd == NULL;
    if (cmd != NULL) return cmd;
    cmd = planned_by_recipe(word, err);
    if (cmd != NULL || err->code == RETORT_ERR_FORMAT) return cmd;
    (void)cli_fail(
        err, RETORT_ERR_USAGE,
        "'%.200s' is neither a command with a plan (distill, eval, rl, sample) nor a recipe whose keys are all flags "
        "of one of them",
        word);
    return NULL;
}

retort_status print_plan(const command *cmd, const void *options, bool json, retort_error *err) {
    char *text = NULL;
    size_t length = 0;
    retort_status st = cmd->plan(options, json, &text, &length, err);
    if (text != NULL) {
        (void)fwrite(text, 1, length, stdout); /* a failure is seen when the output is finished */
        (void)fflush(stdout);
    }
    free(text);
    return st;
}

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    (void)options;
    (void)call;
    return cli_fail(err, RETORT_ERR_USAGE,
                    "what is to be planned? give distill, eval, rl or sample and its flags, or a recipe");
}

const command command_plan = {
    .name = "plan",
    .summary = "tells what distill, eval, rl or sample would take: memory by part, FLOPs, time",
    .description =
        "`retort plan NAME` takes the flags of the command NAME (distill, eval, rl or sample), `retort plan "
        "RECIPE.yaml` "
        "those "
        "of the command that knows all of the recipe's keys. The data is read, because its lengths decide; of the "
        "model "
        "only the configuration. Time is what this machine needs by a measurement of a second or two on one layer of "
        "the model's shape, so other work on it counts in. Nothing is written.\n\n"
        "Exit status 2 where the run would not fit into the memory that the machine, a cgroup or --memory-limit "
        "allows; the commands themselves refuse to start then, with the same table. Where responses will be sampled, "
        "their lengths are not known, and the figures are upper bounds.",
    .examples =
        "retort plan distill --model SmolLM2-135M --dataset traces.jsonl --max-length 8192\tbefore an evening is "
        "spent\n"
        "retort plan recipes/smollm2-countdown.yaml --model SmolLM2-135M --dataset traces.jsonl --json\tfor a "
        "script\n",
    .table = TABLE,
    .options_size = 1,
    .has_json = true,
    .run = run,
};
