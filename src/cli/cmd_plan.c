/* `retort plan NAME ARGUMENTS...` or `retort plan RECIPE ARGUMENTS...`: what that command would take, here or on
 * another machine. `retort plan FLAGS`: what shapes cost. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "retort/plan.h"

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

static size_t count_options(const retort_option *table) {
    size_t count = 0;
    while (table[count].name != NULL) count++;
    return count;
}

/* Where the machine's struct begins behind the command's own. */
static size_t machine_offset(size_t options_size) {
    const size_t unit = _Alignof(max_align_t);
    return (options_size + unit - 1) / unit * unit;
}

bool make_planned(const command *cmd, command *out) {
    const size_t own = count_options(cmd->table), more = count_options(retort_machine_option_table);
    retort_option *table = calloc(own + more + 1, sizeof *table);
    const size_t offset = machine_offset(cmd->options_size);
    if (table == NULL) return false;
    memcpy(table, cmd->table, own * sizeof *table);
    memcpy(table + own, retort_machine_option_table, more * sizeof *table);
    for (size_t i = own; i < own + more; i++) table[i].offset += offset;
    *out = *cmd;
    out->table = table;
    out->options_size = offset + sizeof(retort_machine);
    return true;
}

static retort_status print_text(retort_status st, char *text, size_t length) {
    if (text != NULL) {
        (void)fwrite(text, 1, length, stdout); /* a failure is seen when the output is finished */
        (void)fflush(stdout);
    }
    free(text);
    return st;
}

retort_status print_plan(const command *planned, const void *options, bool json, retort_error *err) {
    char *text = NULL;
    size_t length = 0;
    const size_t offset = planned->options_size - sizeof(retort_machine);
    const retort_machine *machine = (const void *)((const char *)options + offset);
    const retort_status st = planned->plan(options, machine, json, &text, &length, err);
    return print_text(st, text, length);
}

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    char *text = NULL;
    size_t length = 0;
    const retort_status st = retort_shape_plan(options, call->common.json, &text, &length, err);
    return print_text(st, text, length);
}

const command command_plan = {
    .name = "plan",
    .summary = "tells what distill, eval, rl or sample would take: memory by part, FLOPs, time, here or elsewhere",
    .description =
        "`retort plan NAME` takes the flags of the command NAME (distill, eval, rl or sample), `retort plan "
        "RECIPE.yaml` those of the command that knows all of the recipe's keys. The data is read, because its lengths "
        "decide; of the model only the configuration and the tokenizer, so a folder without weights will do. Nothing "
        "is written.\n\n"
        "Time is told twice: as this machine needs it by a measurement of a second or two on one layer of the model's "
        "shape, other work on it included; and as a model of cost predicts it (docs/performance.md) from the peak of a "
        "core, the number of cores and the bandwidth of the memory. These are measured here in some tenths of a "
        "second, or told by --cores, --peak-gflops and --bandwidth for another machine; --memory is what that one "
        "has.\n\n"
        "`retort plan --shape NAMES` or `retort plan --model DIRS` needs no data: for each shape, context and batch it "
        "predicts the tokens a second of training, of reading prompts and of drawing tokens, and the memory of "
        "both.\n\n"
        "Exit status 2 where the run would not fit into the memory that the machine, a cgroup, --memory or "
        "--memory-limit allows; the commands themselves refuse to start then, with the same table. Where responses "
        "will be sampled, their lengths are not known, and the figures are upper bounds.",
    .examples =
        "retort plan distill --model SmolLM2-135M --dataset traces.jsonl --max-length 8192\tbefore an evening is "
        "spent\n"
        "retort plan recipes/smollm2-countdown.yaml --model SmolLM2-135M --dataset traces.jsonl --cores 64 "
        "--peak-gflops 80 --bandwidth 300 --memory 512GiB\ton a server that is not at hand\n"
        "retort plan --shape qwen2.5-0.5b,qwen2.5-32b --context 2048,32768 --batch 1,64 --json\tshapes without "
        "data\n",
    .table = retort_shape_option_table,
    .options_size = sizeof(retort_shape_options),
    .has_json = true,
    .run = run,
};
