/* retort: the program. Finds the command, parses its arguments, calls the library and maps its status to an exit code.
 */
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

const command *const COMMANDS[] = {
    &command_agreement, &command_ban_bias, &command_behaviors,    &command_compare, &command_contamination,
    &command_data,      &command_distill,  &command_eval,         &command_label,   &command_model,
    &command_plan,      &command_pretrain, &command_pull,         &command_regrade, &command_report,
    &command_rewrite,   &command_rl,       &command_run,          &command_sample,  &command_serve,
    &command_store,     &command_study,    &command_substitution, &command_sweep,   &command_teach,
    &command_template,  &command_tokenize, &command_tokens,       &command_verify,  NULL,
};

static void on_signal(int number) {
    (void)number;
    retort_interrupt();
}

/* The first Ctrl-C asks for a stop at the next safe point; the handler is then gone and a second one kills. */
static void catch_signals(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND | SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static const command *find_command(const char *name) {
    for (const command *const *c = COMMANDS; *c != NULL; c++) {
        if (strcmp((*c)->name, name) == 0) return *c;
    }
    return NULL;
}

const char *last_word(const command *cmd) {
    const char *space = strrchr(cmd->name, ' ');
    return space != NULL ? space + 1 : cmd->name;
}

/* The subcommand that a word names, or NULL. */
static const command *find_subcommand(const command *cmd, const char *word) {
    if (word == NULL || cmd->subcommands == NULL) return NULL;
    for (const command *const *c = cmd->subcommands; *c != NULL; c++) {
        if (strcmp(last_word(*c), word) == 0) return *c;
    }
    return NULL;
}

static const command *nearest_command(const char *name) {
    const command *nearest = NULL;
    int smallest = INT_MAX;
    for (const command *const *c = COMMANDS; *c != NULL; c++) {
        int distance = retort_name_distance((*c)->name, name);
        if (distance < smallest) {
            smallest = distance;
            nearest = *c;
        }
    }
    return nearest;
}

static int unknown_command(const char *name) {
    fprintf(stderr, "retort: unknown command '%.60s', the nearest known one is '%s'\n", name,
            nearest_command(name)->name);
    fprintf(stderr, "hint: 'retort --help' lists the commands\n");
    return retort_exit_code(RETORT_ERR_USAGE);
}

/* What was printed must have arrived: a full disk or a closed pipe behind standard output is a failure. */
static int finish_output(int code) {
    bool broken = fflush(stdout) != 0 || ferror(stdout) != 0;
    if (!broken || code != 0) return code;
    fprintf(stderr, "retort: cannot write to standard output\n");
    return retort_exit_code(RETORT_ERR_IO);
}

static int report_failure(const command *cmd, retort_status st, const retort_error *err, bool parsed) {
    fputs(err->detail, stderr);
    fprintf(stderr, "retort %s: %s\n", cmd->name, err->message[0] != '\0' ? err->message : retort_status_name(st));
    if (!parsed && st == RETORT_ERR_USAGE) fprintf(stderr, "hint: 'retort %s --help' explains its flags\n", cmd->name);
    return retort_exit_code(st);
}

static int run_command(const command *cmd, int count, char **arguments, bool plan) {
    if (count >= 1 && strcmp(arguments[0], "--print-options") == 0) {
        const char *format = count >= 2 ? arguments[1] : "json";
        if (print_document(stdout, format, cmd)) return finish_output(0);
        fprintf(stderr, "retort: unknown format '%.60s', must be json, man, markdown, bash or zsh\n", format);
        return retort_exit_code(RETORT_ERR_USAGE);
    }
    void *options = calloc(1, cmd->options_size);
    if (options == NULL) return retort_exit_code(RETORT_ERR_MEMORY);
    retort_error err = {0};
    invocation call = {0};
    bool help = false;
    retort_status st = parse_arguments(cmd, count, arguments, options, &call.common, &help, &err);
    bool parsed = st == RETORT_OK;
    if (parsed && help) {
        print_command_help(stdout, cmd);
    } else if (parsed) {
        retort_progress progress = {0};
        if (!call.common.quiet) {
            bar_open(&progress);
            call.progress = &progress;
        }
        catch_signals();
        st = plan ? print_plan(cmd, options, call.common.json, &err) : cmd->run(options, &call, &err);
        bar_close();
    }
    int code = st == RETORT_OK ? 0 : report_failure(cmd, st, &err, parsed);
    retort_options_release(cmd->table, options);
    retort_options_release(common_option_table, &call.common);
    free(options);
    return finish_output(code);
}

/* `retort plan WORD ...`: the word names a command, or a recipe that stands for "--config RECIPE". */
static int plan_command(int count, char **arguments) {
    static char config[] = "--config";
    retort_error err = {0};
    bool recipe = false;
    const command *cmd = find_planned(arguments[0], &recipe, &err);
    if (cmd == NULL) return report_failure(&command_plan, err.code, &err, false);
    command planned;
    char **with = calloc((size_t)count + 1, sizeof *with);
    if (with == NULL || !make_planned(cmd, &planned)) {
        free(with);
        return retort_exit_code(RETORT_ERR_MEMORY);
    }
    with[0] = config;
    memcpy(with + 1, arguments, (size_t)count * sizeof *with);
    int code =
        recipe ? run_command(&planned, count + 1, with, true) : run_command(&planned, count - 1, arguments + 1, true);
    free(with);
    free((void *)planned.table);
    return code;
}

static int print_help(const char *name, const char *word) {
    if (name == NULL) {
        print_overview(stdout);
        return finish_output(0);
    }
    const command *cmd = find_command(name);
    if (cmd == NULL) return unknown_command(name);
    const command *inner = find_subcommand(cmd, word);
    print_command_help(stdout, inner != NULL ? inner : cmd);
    return finish_output(0);
}

int main(int count, char **arguments) {
    const char *first = count >= 2 ? arguments[1] : NULL;
    if (first == NULL) {
        print_overview(stderr);
        return retort_exit_code(RETORT_ERR_USAGE);
    }
    const char *second = count >= 3 ? arguments[2] : NULL;
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0) return print_help(NULL, NULL);
    if (strcmp(first, "help") == 0) return print_help(second, count >= 4 ? arguments[3] : NULL);
    if (strcmp(first, "--version") == 0 || strcmp(first, "version") == 0) {
        printf("retort %s\n", RETORT_VERSION);
        return finish_output(0);
    }
    if (strcmp(first, "--print-options") == 0) {
        const char *format = second != NULL ? second : "json";
        if (print_document(stdout, format, NULL)) return finish_output(0);
        fprintf(stderr, "retort: unknown format '%.60s', must be json, man, markdown, bash or zsh\n", format);
        return retort_exit_code(RETORT_ERR_USAGE);
    }
    const command *cmd = find_command(first);
    if (cmd == NULL) return unknown_command(first);
    if (cmd == &command_plan && second != NULL && second[0] != '-') return plan_command(count - 2, arguments + 2);
    const command *inner = find_subcommand(cmd, second);
    if (inner != NULL) return run_command(inner, count - 3, arguments + 3, false);
    return run_command(cmd, count - 2, arguments + 2, false);
}
