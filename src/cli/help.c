/* Help: an overview that teaches the way of the data, and one page per command out of its option table. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "cli.h"

enum { WIDTH = 96, OPTION_COLUMN = 30 };

void print_filled(FILE *out, const char *text, int indent, int column, int width) {
    for (; column < indent; column++) fputc(' ', out);
    bool first = true;
    while (*text != '\0') {
        int length = (int)strcspn(text, " \n");
        bool fits = column + (first ? 0 : 1) + length <= width;
        if (!first && !fits) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
            first = true;
        }
        fprintf(out, "%s%.*s", first ? "" : " ", length, text);
        column += length + (first ? 0 : 1);
        first = false;
        text += length;
        if (strncmp(text, "\n\n", 2) == 0) {
            fprintf(out, "\n\n%*s", indent, "");
            column = indent;
            first = true;
        }
        text += strspn(text, " \n");
    }
    fputc('\n', out);
}

bool is_on_by_default(const retort_option *option) {
    return option->type == RETORT_OPTION_BOOL && option->default_value != NULL &&
           strcmp(option->default_value, "true") == 0;
}

/* "required", "default 1e-4, 0 to 1" and the like; empty where there is nothing to say. Bounds that only keep numbers
 * sane (1 to a billion) are left out. */
static void describe_limits(const retort_option *option, char *text, size_t size) {
    size_t used = 0;
    text[0] = '\0';
    if (option->type == RETORT_OPTION_BOOL) {
        if (is_on_by_default(option)) snprintf(text, size, "on by default");
        return;
    }
    if (option->required) used += (size_t)snprintf(text, size, "required");
    if (option->default_value != NULL && option->default_value[0] != '\0') {
        used += (size_t)snprintf(text + used, size - used, "%sdefault %s", used > 0 ? ", " : "", option->default_value);
    }
    double low = option->minimum, high = option->maximum;
    if (used >= size || (low == 0 && high == 0)) return;
    const char *sign = used > 0 ? ", " : "";
    if (fabs(high) < 1000) {
        snprintf(text + used, size - used, "%s%.10g to %.10g", sign, low, high);
    } else if (low != 0 && low != 1 && !isinf(low)) {
        snprintf(text + used, size - used, "%sat least %.10g", sign, low);
    }
}

void describe(const retort_option *option, char *text, size_t size) {
    char limits[160];
    describe_limits(option, limits, sizeof limits);
    size_t length = strlen(option->help);
    if (length > 0 && option->help[length - 1] == '.') length--;
    if (limits[0] != '\0') {
        snprintf(text, size, "%.*s (%s)", (int)length, option->help, limits);
    } else {
        snprintf(text, size, "%.*s", (int)length, option->help);
    }
    /* Tables may start their sentences either way; a page shows one. */
    bool word = islower((unsigned char)text[0]) && (islower((unsigned char)text[1]) || text[1] == ' ');
    if (word) text[0] = (char)toupper((unsigned char)text[0]);
}

static void print_option(FILE *out, const retort_option *option) {
    char head[200], flag[80], text[800];
    flag_of(option->name, flag, sizeof flag);
    if (option->type == RETORT_OPTION_CHOICE) {
        snprintf(head, sizeof head, "  %s %s", flag, option->choices);
    } else if (option->type == RETORT_OPTION_BOOL) {
        snprintf(head, sizeof head, is_on_by_default(option) ? "  --no-%s" : "  --%s", flag + 2);
    } else {
        snprintf(head, sizeof head, "  %s %s", flag, option->argument != NULL ? option->argument : "VALUE");
    }
    describe(option, text, sizeof text);
    int column = fprintf(out, "%s", head);
    if (column >= OPTION_COLUMN) {
        fputc('\n', out);
        column = 0;
    }
    print_filled(out, text, OPTION_COLUMN, column, WIDTH);
}

static void print_examples(FILE *out, const char *examples) {
    fprintf(out, "\nExamples\n");
    for (const char *line = examples; *line != '\0';) {
        size_t length = strcspn(line, "\n"), shown = strcspn(line, "\t");
        if (shown > length) shown = length;
        fprintf(out, "  %.*s\n", (int)shown, line);
        if (shown < length) fprintf(out, "      %.*s\n", (int)(length - shown - 1), line + shown + 1);
        line += length + (line[length] == '\n');
    }
}

static void print_summary(FILE *out, const command *cmd) {
    int column = fprintf(out, "  %-14s", cmd->name);
    if (column > 16) {
        fputc(' ', out);
        column++;
    }
    print_filled(out, cmd->summary, 16, column, WIDTH);
}

void print_command_help(FILE *out, const command *cmd) {
    const retort_option *positional = cmd->positional != NULL ? retort_options_find(cmd->table, cmd->positional) : NULL;
    fprintf(out, "usage: retort %s [flags]", cmd->name);
    if (positional != NULL) {
        const char *argument = positional->argument != NULL ? positional->argument : "VALUE";
        fprintf(out, " [%s]%s", argument, positional->type == RETORT_OPTION_LIST ? "..." : "");
    }
    fprintf(out, "\n\n");
    print_filled(out, cmd->description, 0, 0, WIDTH);
    const char *group = "";
    for (const retort_option *option = cmd->table; option->name != NULL; option++) {
        const char *heading = option->group != NULL ? option->group : group;
        if (heading[0] == '\0' && option == cmd->table) heading = "Flags";
        if (strcmp(heading, group) != 0) fprintf(out, "\n%s\n", heading);
        group = heading;
        print_option(out, option);
    }
    fprintf(out, "\nCommon\n");
    for (const retort_option *option = common_option_table; option->name != NULL; option++) {
        if (takes_common(cmd, option)) print_option(out, option);
    }
    fprintf(out, "  -h, --help                  this page\n");
    if (cmd->examples != NULL) print_examples(out, cmd->examples);
    if (cmd->subcommands == NULL) return;
    fprintf(out, "\nCommands of its own\n");
    for (const command *const *c = cmd->subcommands; *c != NULL; c++) print_summary(out, *c);
}

void print_overview(FILE *out) {
    fprintf(out, "usage: retort COMMAND [flags]\n"
                 "       retort help COMMAND\n\n");
    print_filled(out,
                 "retort distils the reasoning of a strong teacher into a small base language model with under a "
                 "thousand examples, trains the zero-RL baseline beside it on the same base, and measures why one "
                 "beats the other.",
                 0, 0, WIDTH);
    fprintf(out, "\nThe way of the data\n"
                 "  problems -> traces -> student -> responses -> scores -> findings -> report\n"
                 "  data        teach     distill    sample       eval      tokens      report\n"
                 "                        rl                                behaviors\n"
                 "\nCommands\n");
    for (const command *const *c = COMMANDS; *c != NULL; c++) {
        print_summary(out, *c);
    }
    fprintf(out,
            "\nTypical commands\n"
            "  retort study --out out/study\n"
            "      the whole comparison; open out/study/report.html\n"
            "  retort data --split test --count 100 --output test.jsonl\n"
            "  retort sample --model assets/countdown-base --prompts test.jsonl --n 4 --json\n"
            "      problems of the embedded world, and what the shipped base model answers\n"
            "  retort distill --model DIR --dataset traces.jsonl --output-dir out/student\n"
            "  retort eval --model out/student --split test --json\n"
            "      fine-tune on a teacher's traces, then score\n"
            "\nFlags are written --learning-rate 1e-4, --learning-rate=1e-4 or --learning_rate 1e-4; the same\n"
            "names are the keys of a YAML recipe given with --config. Results go to standard output, progress and\n"
            "errors to standard error. Exit codes: 0 done, 1 failed work, 2 bad usage or input, 130 interrupted.\n");
}
