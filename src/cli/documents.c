/* Documents made from the option tables: the manual page, docs/cli.md, shell completion, and the tables as JSON. The
 * committed copies are compared with this output by a test, so help, manual and completion cannot drift apart. */
#include <string.h>

#include "cli.h"

static const char OVERVIEW[] =
    "retort distils the reasoning of a strong teacher into a small base language model with under a thousand examples, "
    "trains the zero-RL baseline beside it on the same base, and measures why one beats the other. Results go to "
    "standard output; progress and errors go to standard error.";

typedef void (*option_visitor)(FILE *out, const retort_option *option, const char *heading);

/* The command's options, then the common ones it takes; heading is NULL where it repeats. */
static void each_option(FILE *out, const command *cmd, option_visitor visit) {
    const char *last = "";
    for (const retort_option *option = cmd->table; option->name != NULL; option++) {
        const char *heading = option->group != NULL ? option->group : last[0] == '\0' ? "Flags" : last;
        visit(out, option, strcmp(heading, last) != 0 ? heading : NULL);
        last = heading;
    }
    const char *heading = "Common";
    for (const retort_option *option = common_option_table; option->name != NULL; option++) {
        if (!takes_common(cmd, option)) continue;
        visit(out, option, heading);
        heading = NULL;
    }
}

static void each_command(FILE *out, const command *only, void (*visit)(FILE *, const command *)) {
    for (const command *const *c = COMMANDS; *c != NULL; c++) {
        if (only == NULL || only == *c) visit(out, *c);
        for (const command *const *s = (*c)->subcommands; s != NULL && *s != NULL; s++)
            if (only == NULL || only == *s) visit(out, *s);
    }
}

static const char *argument_of(const retort_option *option) {
    if (option->type == RETORT_OPTION_BOOL) return "";
    if (option->type == RETORT_OPTION_CHOICE) return option->choices;
    return option->argument != NULL ? option->argument : "VALUE";
}

/* The usage line's argument: "[DIR]", "[FILE]...", or nothing. */
static void usage_argument(const command *cmd, char *text, size_t size) {
    const retort_option *option = cmd->positional != NULL ? retort_options_find(cmd->table, cmd->positional) : NULL;
    text[0] = '\0';
    if (option == NULL) return;
    snprintf(text, size, " [%s]%s", argument_of(option), option->type == RETORT_OPTION_LIST ? "..." : "");
}

/* JSON */

static void json_string(FILE *out, const char *text) {
    fputc('"', out);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            fprintf(out, "\\%c", c);
        } else if (c < ' ') {
            fprintf(out, "\\u%04x", c);
        } else {
            fputc(c, out);
        }
    }
    fputc('"', out);
}

static void json_member(FILE *out, const char *key, const char *text) {
    if (text == NULL) return;
    fprintf(out, ", \"%s\": ", key);
    json_string(out, text);
}

static void json_option(FILE *out, const retort_option *option, const char *heading) {
    static const char *const TYPES[] = {"bool", "int", "real", "string", "choice", "list"};
    (void)heading;
    fprintf(out, "    {\"name\": \"%s\", \"type\": \"%s\"", option->name, TYPES[option->type]);
    json_member(out, "default", option->default_value);
    json_member(out, "argument", option->argument);
    json_member(out, "choices", option->choices);
    if (option->minimum != 0 || option->maximum != 0) {
        char low[40], high[40];
        snprintf(low, sizeof low, "%.17g", option->minimum);
        snprintf(high, sizeof high, "%.17g", option->maximum);
        json_member(out, "minimum", low);
        json_member(out, "maximum", high);
    }
    if (option->required) fprintf(out, ", \"required\": true");
    json_member(out, "help", option->help);
    fprintf(out, "},\n");
}

static void json_command(FILE *out, const command *cmd) {
    fprintf(out, "{\"command\": \"%s\", \"summary\": ", cmd->name);
    json_string(out, cmd->summary);
    fprintf(out, ", \"options\": [\n");
    each_option(out, cmd, json_option);
    fprintf(out, "    {\"name\": \"help\", \"type\": \"bool\", \"help\": \"the command's page\"}\n]}\n");
}

/* Manual page (man(7) macros). A backslash and a leading dot or quote would be read as a request; a hyphen in a flag
 * must be \- to stay one. */

static void man_text(FILE *out, const char *text) {
    bool start = true;
    for (; *text != '\0'; text++) {
        if (text[0] == '\n' && text[1] == '\n') {
            fprintf(out, "\n.PP\n");
            text++;
            start = true;
            continue;
        }
        if (start && (*text == '.' || *text == '\'')) fprintf(out, "\\&");
        start = *text == '\n';
        if (*text == '\\') {
            fprintf(out, "\\e");
        } else if (*text == '-') {
            fprintf(out, "\\-");
        } else {
            fputc(*text, out);
        }
    }
}

static void man_option(FILE *out, const retort_option *option, const char *heading) {
    char flag[80], text[800];
    if (heading != NULL) {
        fprintf(out, ".PP\n.I ");
        man_text(out, heading);
        fputc('\n', out);
    }
    bool on = is_on_by_default(option);
    flag_of(option->name, flag, sizeof flag);
    fprintf(out, ".TP\n.BR ");
    if (on) fprintf(out, "\\-\\-no");
    man_text(out, on ? flag + 1 : flag);
    if (option->type != RETORT_OPTION_BOOL) {
        fprintf(out, " \" \\fI");
        man_text(out, argument_of(option));
        fprintf(out, "\\fP\"");
    }
    fputc('\n', out);
    describe(option, text, sizeof text);
    man_text(out, text);
    fputc('\n', out);
}

static void man_command(FILE *out, const command *cmd) {
    char argument[80];
    usage_argument(cmd, argument, sizeof argument);
    fprintf(out, ".SS retort %s\n", cmd->name);
    man_text(out, cmd->summary);
    fprintf(out, "\n.PP\n.B retort %s\n[flags]", cmd->name);
    man_text(out, argument);
    fprintf(out, "\n.PP\n");
    man_text(out, cmd->description);
    fputc('\n', out);
    each_option(out, cmd, man_option);
    if (cmd->examples == NULL) return;
    fprintf(out, ".PP\n.I Examples\n");
    for (const char *line = cmd->examples; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        char text[512];
        snprintf(text, sizeof text, "%.*s", (int)length, line);
        char *meaning = strchr(text, '\t');
        if (meaning != NULL) *meaning++ = '\0';
        fprintf(out, ".TP\n.B ");
        man_text(out, text);
        fputc('\n', out);
        man_text(out, meaning != NULL ? meaning : "");
        fputc('\n', out);
        line += length + (line[length] == '\n');
    }
}

static void man_page(FILE *out, const command *only) {
    fprintf(out,
            ".\\\" Made by 'retort --print-options man'; do not edit.\n"
            ".TH RETORT 1 \"\" \"retort %s\" \"User Commands\"\n.SH NAME\n"
            "retort \\- distil reasoning into a small language model, and measure why it works\n"
            ".SH SYNOPSIS\n.B retort\n.I command\n[flags]\n.br\n.B retort help\n.I command\n.SH DESCRIPTION\n",
            RETORT_VERSION);
    man_text(out, OVERVIEW);
    fprintf(out, "\n.PP\nFlags are written \\-\\-learning\\-rate 1e\\-4, \\-\\-learning\\-rate=1e\\-4 or "
                 "\\-\\-learning_rate 1e\\-4; a yes\\-or\\-no flag is unset by \\-\\-no\\-NAME. The same names, with "
                 "underscores, are the keys of a YAML recipe given with \\-\\-config.\n.SH COMMANDS\n");
    each_command(out, only, man_command);
    fprintf(out, ".SH EXIT STATUS\n.TP\n.B 0\nthe work is done\n.TP\n.B 1\nthe work failed although the input was "
                 "acceptable\n.TP\n.B 2\nbad usage or bad input\n.TP\n.B 130\ninterrupted; the message says how to "
                 "resume\n");
}

/* docs/cli.md */

static void markdown_text(FILE *out, const char *text) {
    for (; *text != '\0'; text++) {
        if (strchr("|<>", *text) != NULL) fputc('\\', out);
        fputc(*text, out);
    }
}

static void markdown_option(FILE *out, const retort_option *option, const char *heading) {
    char flag[80], text[800];
    if (heading != NULL) fprintf(out, "\n**%s**\n\n| flag | meaning |\n|---|---|\n", heading);
    bool on = is_on_by_default(option);
    flag_of(option->name, flag, sizeof flag);
    describe(option, text, sizeof text);
    fprintf(out, on ? "| `--no%s`" : "| `%s`", on ? flag + 1 : flag);
    const char *argument = argument_of(option);
    if (argument[0] != '\0') {
        fputc(' ', out);
        markdown_text(out, argument);
    }
    fprintf(out, " | ");
    markdown_text(out, text);
    fprintf(out, " |\n");
}

static void markdown_command(FILE *out, const command *cmd) {
    char argument[80];
    usage_argument(cmd, argument, sizeof argument);
    fprintf(out, "\n## retort %s\n\n", cmd->name);
    fprintf(out, "`retort %s [flags]%s`: %s.\n\n", cmd->name, argument, cmd->summary);
    markdown_text(out, cmd->description);
    fputc('\n', out);
    each_option(out, cmd, markdown_option);
    if (cmd->examples == NULL) return;
    fprintf(out, "\n```sh\n");
    for (const char *line = cmd->examples; *line != '\0';) {
        size_t length = strcspn(line, "\n"), shown = strcspn(line, "\t");
        if (shown > length) shown = length;
        if (shown < length) fprintf(out, "# %.*s\n", (int)(length - shown - 1), line + shown + 1);
        fprintf(out, "%.*s\n", (int)shown, line);
        line += length + (line[length] == '\n');
    }
    fprintf(out, "```\n");
}

static void markdown_page(FILE *out, const command *only) {
    fprintf(out, "# The command line\n\n<!-- Made by 'retort --print-options markdown'; do not edit. -->\n\n%s\n\n",
            OVERVIEW);
    fprintf(out, "Flags are written `--learning-rate 1e-4`, `--learning-rate=1e-4` or `--learning_rate 1e-4`; a\n"
                 "yes-or-no flag is unset by `--no-NAME`. The same names, with underscores, are the keys of a YAML\n"
                 "recipe given with `--config`; the command line wins over the recipe. Exit codes: 0 done, 1 failed\n"
                 "work, 2 bad usage or bad input, 130 interrupted.\n");
    each_command(out, only, markdown_command);
}

/* Completion. Words are names and choices from our own tables, so they need no quoting; help texts for zsh do. */

static const char *completion_of(const retort_option *option) {
    const char *argument = argument_of(option);
    const bool model = strcmp(option->name, "model") == 0; /* a folder or a GGUF file */
    if (model || strstr(argument, "FILE") != NULL || strstr(argument, "PATH") != NULL) return "file";
    if (strstr(argument, "DIR") != NULL) return "dir";
    return "";
}

static void bash_flag(FILE *out, const retort_option *option, const char *heading) {
    char flag[80];
    (void)heading;
    flag_of(option->name, flag, sizeof flag);
    fprintf(out, " %s", flag);
    if (option->type == RETORT_OPTION_BOOL) fprintf(out, " --no-%s", flag + 2);
}

static void bash_value(FILE *out, const retort_option *option, const char *heading) {
    char flag[80];
    (void)heading;
    flag_of(option->name, flag, sizeof flag);
    if (option->type == RETORT_OPTION_CHOICE) {
        fprintf(out, "            %s) words='", flag);
        for (const char *c = option->choices; *c != '\0'; c++) fputc(*c == '|' ? ' ' : *c, out);
        fprintf(out, "' ;;\n");
    } else if (option->type != RETORT_OPTION_BOOL) {
        const char *kind = completion_of(option);
        fprintf(out, "            %s) kind=%s ;;\n", flag, kind[0] != '\0' ? kind : "none");
    }
}

/* Two words are one command, once the second stands complete before the cursor. */
static void bash_subcommand(FILE *out, const command *cmd) {
    if (strchr(cmd->name, ' ') != NULL)
        fprintf(out, "    '%s') [ \"$COMP_CWORD\" -le 2 ] || command='%s' ;;\n", cmd->name, cmd->name);
}

static void bash_command(FILE *out, const command *cmd) {
    fprintf(out, "    '%s')\n        flags='", cmd->name);
    fprintf(out, "--help");
    each_option(out, cmd, bash_flag);
    fprintf(out, "'\n        case \"$previous\" in\n");
    each_option(out, cmd, bash_value);
    fprintf(out, "        esac\n");
    if (cmd->subcommands != NULL) {
        fprintf(out, "        if [ \"$COMP_CWORD\" -eq 2 ] && [ \"${current#-}\" = \"$current\" ]; then\n"
                     "            mapfile -t COMPREPLY < <(compgen -f -W '");
        for (const command *const *s = cmd->subcommands; *s != NULL; s++) fprintf(out, "%s ", last_word(*s));
        fprintf(out, "' -- \"$current\")\n            return\n        fi\n");
    }
    fprintf(out, "        ;;\n");
}

static void bash_page(FILE *out, const command *only) {
    fprintf(out,
            "# bash completion for retort. Made by 'retort --print-options bash'; do not edit.\n"
            "_retort() {\n"
            "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
            "    local flags='' words='' kind=''\n"
            "    if [ \"$COMP_CWORD\" -eq 1 ] || { [ \"$COMP_CWORD\" -eq 2 ] && [ \"$previous\" = help ]; }; then\n"
            "        mapfile -t COMPREPLY < <(compgen -W 'help");
    for (const command *const *c = COMMANDS; *c != NULL; c++) fprintf(out, " %s", (*c)->name);
    fprintf(out, " --help --version' -- \"$current\")\n        return\n    fi\n    local command=${COMP_WORDS[1]}\n");
    fprintf(out, "    case \"$command ${COMP_WORDS[2]}\" in\n");
    each_command(out, only, bash_subcommand);
    fprintf(out, "    esac\n    case \"$command\" in\n");
    each_command(out, only, bash_command);
    fprintf(out, "    esac\n"
                 "    case \"$kind\" in\n"
                 "    none) COMPREPLY=(); return ;;\n"
                 "    dir) mapfile -t COMPREPLY < <(compgen -d -- \"$current\"); return ;;\n"
                 "    file) mapfile -t COMPREPLY < <(compgen -f -- \"$current\"); return ;;\n"
                 "    esac\n"
                 "    if [ -n \"$words\" ]; then\n"
                 "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
                 "    elif [ \"${current#-}\" != \"$current\" ]; then\n"
                 "        mapfile -t COMPREPLY < <(compgen -W \"$flags\" -- \"$current\")\n"
                 "    else\n"
                 "        mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
                 "    fi\n"
                 "}\n"
                 "complete -o filenames -F _retort retort\n");
}

static void zsh_text(FILE *out, const char *text) {
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            fprintf(out, "'\\''");
            continue;
        }
        if (strchr("[]:\\", *text) != NULL) fputc('\\', out);
        fputc(*text, out);
    }
}

static void zsh_option(FILE *out, const retort_option *option, const char *heading) {
    char flag[80];
    (void)heading;
    flag_of(option->name, flag, sizeof flag);
    if (option->type == RETORT_OPTION_BOOL) {
        fprintf(out, "            '(--no-%s)%s[", flag + 2, flag);
        zsh_text(out, option->help);
        fprintf(out, "]' '(%s)--no-%s[not so]'", flag, flag + 2);
    } else {
        fprintf(out, "            '%s=[", flag);
        zsh_text(out, option->help);
        fprintf(out, "]:%s:", option->name);
        if (option->type == RETORT_OPTION_CHOICE) {
            fputc('(', out);
            for (const char *c = option->choices; *c != '\0'; c++) fputc(*c == '|' ? ' ' : *c, out);
            fputc(')', out);
        } else {
            const char *kind = completion_of(option);
            fprintf(out, "%s", strcmp(kind, "dir") == 0 ? "_files -/" : kind[0] != '\0' ? "_files" : "");
        }
        fputc('\'', out);
    }
    fprintf(out, " \\\n");
}

static void zsh_command(FILE *out, const command *cmd) {
    fprintf(out, "    '%s')\n        _arguments -s \\\n", cmd->name);
    each_option(out, cmd, zsh_option);
    fprintf(out, "            '(- *)'{-h,--help}'[explain the command]' '*:file:_files'\n        ;;\n");
}

static void zsh_subcommand(FILE *out, const command *cmd) {
    if (strchr(cmd->name, ' ') != NULL)
        fprintf(out, "    '%s') chosen='%s'; shift words; (( CURRENT-- )) ;;\n", cmd->name, cmd->name);
}

static void zsh_page(FILE *out, const command *only) {
    fprintf(out, "#compdef retort\n# Made by 'retort --print-options zsh'; do not edit.\n"
                 "local -a commands=(\n    'help:explain a command'\n");
    for (const command *const *c = COMMANDS; *c != NULL; c++) {
        fprintf(out, "    '%s:", (*c)->name);
        zsh_text(out, (*c)->summary);
        fprintf(out, "'\n");
    }
    fprintf(out, ")\nif (( CURRENT == 2 )) || [[ $CURRENT == 3 && $words[2] == help ]]; then\n"
                 "    _describe command commands\n    return\nfi\nlocal chosen=$words[2]\n"
                 "shift words\n(( CURRENT-- ))\n(( CURRENT > 2 )) && case \"$chosen $words[2]\" in\n");
    each_command(out, only, zsh_subcommand);
    fprintf(out, "esac\ncase $chosen in\n");
    each_command(out, only, zsh_command);
    fprintf(out, "esac\n");
}

bool print_document(FILE *out, const char *format, const command *only) {
    if (strcmp(format, "json") == 0) {
        each_command(out, only, json_command);
    } else if (strcmp(format, "man") == 0) {
        man_page(out, only);
    } else if (strcmp(format, "markdown") == 0) {
        markdown_page(out, only);
    } else if (strcmp(format, "bash") == 0) {
        bash_page(out, only);
    } else if (strcmp(format, "zsh") == 0) {
        zsh_page(out, only);
    } else {
        return false;
    }
    return true;
}
