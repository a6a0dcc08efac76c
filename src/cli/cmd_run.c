/* Walks a recipe whose sections are commands. Everything is read and checked before the first one runs. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

typedef struct run_options {
    char *recipe, *with, *from, *only;
} run_options;

#define ROW(name_, ...)                                                                                                \
    { .name = #name_, .type = RETORT_OPTION_STRING, .offset = offsetof(run_options, name_), __VA_ARGS__ }

static const retort_option TABLE[] = {
    ROW(recipe, .argument = "RECIPE", .group = "Input", .required = true,
        .help = "YAML whose sections are commands, run in their order: 'teach', or 'eval student' for the second of "
                "two."),
    ROW(with, .argument = "FILE", .help = "A second recipe with some of these sections, whose keys win."),
    ROW(from, .argument = "SECTION", .group = "Sections", .help = "Begins with this section, as after a stop."),
    ROW(only, .argument = "SECTION", .help = "Runs this section alone."),
    {0}};

typedef struct step {
    char *section;
    const command *command;
    void *options;
} step;

typedef struct walk {
    const run_options *options;
    step *steps;
    int count;
} walk;

/* "teach" and "teach rigid" are both the command teach; "model convert" is a subcommand. */
static const command *command_of(const char *section) {
    const char *space = strchr(section, ' ');
    const size_t length = space != NULL ? (size_t)(space - section) : strlen(section);
    for (const command *const *c = COMMANDS; *c != NULL; c++) {
        if (strncmp((*c)->name, section, length) != 0 || (*c)->name[length] != '\0') continue;
        for (const command *const *inner = (*c)->subcommands; inner != NULL && *inner != NULL; inner++) {
            const size_t whole = strlen((*inner)->name);
            if (strncmp((*inner)->name, section, whole) == 0 && (section[whole] == '\0' || section[whole] == ' '))
                return *inner;
        }
        return *c != &command_run && (*c)->load == NULL ? *c : NULL; /* study has a recipe of its own kind */
    }
    return NULL;
}

static retort_status load_step(const walk *w, step *s, retort_error *err) {
    s->command = command_of(s->section);
    if (s->command == NULL)
        return cli_fail(err, RETORT_ERR_USAGE,
                        "'%s': the section '%s' does not begin with the name of a command that can be one",
                        w->options->recipe, s->section);
    s->options = calloc(1, s->command->options_size);
    if (s->options == NULL) return cli_fail(err, RETORT_ERR_MEMORY, "out of memory: options");
    const retort_option *table = s->command->table;
    retort_status st = retort_options_defaults(table, s->options, err);
    if (st == RETORT_OK) st = retort_options_load_yaml(table, s->options, w->options->recipe, s->section, err);
    if (st == RETORT_OK && w->options->with != NULL)
        st = retort_options_load_yaml(table, s->options, w->options->with, s->section, err);
    if (st != RETORT_OK) return st;
    st = retort_options_check(table, s->options, err);
    if (st == RETORT_OK) return st;
    char why[sizeof err->message];
    snprintf(why, sizeof why, "%s", err->message);
    return cli_fail(err, st, "'%s', section '%s': %.800s", w->options->recipe, s->section, why);
}

static step *find_step(const walk *w, const char *section) {
    for (int i = 0; i < w->count; i++)
        if (strcmp(w->steps[i].section, section) == 0) return &w->steps[i];
    return NULL;
}

/* A section of the second recipe that the first has not would be passed over in silence. */
static retort_status check_with(const walk *w, retort_error *err) {
    char *names = NULL, *rest = NULL;
    if (w->options->with == NULL) return RETORT_OK;
    retort_status st = retort_recipe_sections(w->options->with, &names, err);
    if (st != RETORT_OK) return st;
    for (char *name = strtok_r(names, "\n", &rest); name != NULL && st == RETORT_OK; name = strtok_r(NULL, "\n", &rest))
        if (find_step(w, name) == NULL)
            st = cli_fail(err, RETORT_ERR_USAGE, "'%s': '%s' has no section '%s'", w->options->with, w->options->recipe,
                          name);
    free(names);
    return st;
}

static retort_status check_named(const walk *w, const char *flag, const char *section, retort_error *err) {
    if (section == NULL || find_step(w, section) != NULL) return RETORT_OK;
    return cli_fail(err, RETORT_ERR_USAGE, "'--%s': '%s' has no section '%s'", flag, w->options->recipe, section);
}

static retort_status load_steps(walk *w, retort_error *err) {
    char *names = NULL, *rest = NULL;
    retort_status st = retort_recipe_sections(w->options->recipe, &names, err);
    if (st != RETORT_OK) return st;
    w->steps = calloc(strlen(names) + 1, sizeof *w->steps);
    if (w->steps == NULL) st = cli_fail(err, RETORT_ERR_MEMORY, "out of memory: sections");
    for (char *name = strtok_r(names, "\n", &rest); name != NULL && st == RETORT_OK;
         name = strtok_r(NULL, "\n", &rest)) {
        step *s = &w->steps[w->count++];
        s->section = strdup(name);
        st = s->section != NULL ? load_step(w, s, err) : cli_fail(err, RETORT_ERR_MEMORY, "out of memory: sections");
    }
    free(names);
    if (st == RETORT_OK) st = check_with(w, err);
    if (st == RETORT_OK) st = check_named(w, "from", w->options->from, err);
    if (st == RETORT_OK) st = check_named(w, "only", w->options->only, err);
    if (st == RETORT_OK && w->count == 0)
        st = cli_fail(err, RETORT_ERR_USAGE, "'%s' has no sections", w->options->recipe);
    return st;
}

static retort_status run_step(const step *s, const invocation *call, retort_error *err) {
    if (!call->common.quiet) fprintf(stderr, "== %s\n", s->section);
    const retort_status st = s->command->run(s->options, call, err);
    bar_close();
    (void)fflush(stdout); /* so that the sections' output stays in order; a failure is seen at the end */
    if (st == RETORT_OK) return st;
    char why[sizeof err->message];
    snprintf(why, sizeof why, "%s", err->message[0] != '\0' ? err->message : retort_status_name(st));
    return cli_fail(err, st, "section '%s': %.800s (to go on: --from '%s')", s->section, why, s->section);
}

static retort_status run_steps(const walk *w, const invocation *call, retort_error *err) {
    const run_options *o = w->options;
    const step *first = o->from != NULL ? find_step(w, o->from) : w->steps;
    if (o->only != NULL) return run_step(find_step(w, o->only), call, err);
    for (const step *s = first; s < w->steps + w->count; s++) {
        const retort_status st = run_step(s, call, err);
        if (st != RETORT_OK) return st;
    }
    return RETORT_OK;
}

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    walk w = {.options = options};
    retort_status st = load_steps(&w, err);
    if (st == RETORT_OK) st = run_steps(&w, call, err);
    for (int i = 0; i < w.count; i++) {
        if (w.steps[i].options != NULL) retort_options_release(w.steps[i].command->table, w.steps[i].options);
        free(w.steps[i].options);
        free(w.steps[i].section);
    }
    free(w.steps);
    return st;
}

const command command_run = {
    .name = "run",
    .summary = "walks a recipe whose sections are commands",
    .description =
        "Each section of the recipe is a command with its options: its key is the command's name, or that and a name "
        "of "
        "its own ('eval base', 'eval student'). They are run in their order; the first that fails ends the walk. The "
        "whole recipe is read and checked before anything runs.\n\n"
        "--with names a second file with sections of the same names whose keys win: where your endpoint, your files "
        "and "
        "your smaller numbers are, beside a recipe that stays as it is.\n\n"
        "Nothing is remembered between two walks: after a stop go on with --from. teach and eval over an endpoint ask "
        "only for what their store has not.",
    .examples = "retort run recipes/aime920-r1.yaml --with mine.yaml\tthe paper's set-up, with your own endpoint\n"
                "retort run recipes/aime920-r1.yaml --with mine.yaml --from distill\tafter a stop\n",
    .table = TABLE,
    .options_size = sizeof(run_options),
    .positional = "recipe",
    .has_json = true,
    .run = run,
};
