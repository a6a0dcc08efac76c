/* The command-line program: one table of commands, each a thin file over the library's public headers.
 *
 * To add a command or a subcommand: write cmd_NAME.c with a `const command command_NAME`, declare it here, add it to
 * COMMANDS in main.c (or to its command's `subcommands`; sorted) and to meson.build, then refresh the manual and the
 * completions (scripts/documents.sh). Flags, recipe keys, help and documentation all come from its option table. */
#ifndef RETORT_CLI_H
#define RETORT_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "retort/machine.h"
#include "retort/options.h"
#include "retort/progress.h"

/* What every command understands besides its own table. */
typedef struct common_options {
    char *config;
    bool json, quiet;
} common_options;

extern const retort_option common_option_table[];

typedef struct invocation {
    common_options common;
    const retort_progress *progress; /* NULL with --quiet */
} invocation;

typedef struct command {
    const char *name;        /* of a subcommand with its command's: "model convert" */
    const char *summary;     /* one line for the list of commands */
    const char *description; /* paragraphs separated by an empty line */
    const char *examples;    /* lines "command\tmeaning" */
    const retort_option *table;
    size_t options_size;    /* sizeof the table's struct */
    const char *positional; /* the option that arguments without a flag set, or NULL; a LIST takes several */
    bool has_json;          /* understands --json (a table with its own `json` handles that itself) */
    /* For a recipe with sections: fills the options (which hold the flags so far) from the recipe that --config names,
     * or NULL; the flags are applied once more after it. NULL: --config names one flat recipe. */
    retort_status (*load)(void *options, const char *config, retort_error *err);
    retort_status (*run)(const void *options, const invocation *call, retort_error *err);
    /* `retort NAME WORD ...` where WORD is the last word of one of these (sorted; a NULL ends them), or NULL. Without
     * such a word the command itself runs. */
    const struct command *const *subcommands;
    /* For `retort plan NAME`: what run would take on that machine; *out as retort/plan.h says. NULL: the command has
     * no plan. */
    retort_status (*plan)(const void *options, const retort_machine *machine, bool json, char **out, size_t *length,
                          retort_error *err);
} command;

extern const command command_agreement, command_ban_bias, command_label, command_behaviors, command_compare,
    command_contamination, command_data, command_distill, command_eval, command_model, command_plan, command_pretrain,
    command_pull, command_regrade, command_report, command_rewrite, command_rl, command_run, command_sample,
    command_serve, command_store, command_study, command_substitution, command_sweep, command_teach, command_template,
    command_tokenize, command_tokens, command_verify;

extern const command command_model_convert, command_model_merge; /* subcommands */

/* main.c: every command, sorted by name; a NULL ends it. */
extern const command *const COMMANDS[];
/* The word of a subcommand after its command's name: "convert". */
const char *last_word(const command *cmd);

/* cmd_plan.c: the command that `retort plan WORD` asks about, and whether the word is a recipe; NULL with *err filled.
 */
const command *find_planned(const char *word, bool *recipe, retort_error *err);
/* The command as `retort plan` takes it: its own flags and those that tell of another machine, whose struct lies
 * behind the command's own. The caller frees the table. False: out of memory. */
bool make_planned(const command *cmd, command *out);
/* Prints the plan, also of a run that does not fit (which fails). */
retort_status print_plan(const command *planned, const void *options, bool json, retort_error *err);

/* arguments.c: fills the command's options and the common ones from the recipe, then from the flags. *help is set where
 * -h or --help stands among them, and then nothing else was done. */
retort_status parse_arguments(const command *cmd, int count, char **arguments, void *options, common_options *common,
                              bool *help, retort_error *err);
/* "--learning-rate" from "learning_rate". */
void flag_of(const char *name, char *flag, size_t size);
/* Whether a command takes this one of the common options. */
bool takes_common(const command *cmd, const retort_option *option);

/* help.c */
void print_overview(FILE *out);
void print_command_help(FILE *out, const command *cmd);
/* Text filled to `width` columns behind `indent` spaces; `column` is where the cursor already stands. */
void print_filled(FILE *out, const char *text, int indent, int column, int width);
/* The option's sentence and, in brackets, what it defaults to and where it ends. */
void describe(const retort_option *option, char *text, size_t size);
/* A boolean that is on unless --no-NAME is given. */
bool is_on_by_default(const retort_option *option);

/* documents.c: the manual page, the completions, docs/cli.md and the tables as JSON, for one command or (NULL) all.
 * False: no such format. */
bool print_document(FILE *out, const char *format, const command *only);

/* bar.c: progress on standard error. */
void bar_open(retort_progress *progress);
void bar_close(void); /* ends a line that is being redrawn */

/* Fills *err and returns code. */
retort_status cli_fail(retort_error *err, retort_status code, const char *fmt, ...) RETORT_PRINTF(3, 4);
#ifdef __clang_analyzer__
/* The analyzer sees one file at a time; without this it follows paths on which a failure returned RETORT_OK. */
#define cli_fail(err, code, ...) ((void)cli_fail((err), (code), __VA_ARGS__), (code))
#endif

#endif
