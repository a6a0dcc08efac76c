/* Arguments: recipe first, flags after it, so that the command line wins. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

const retort_option common_option_table[] = {
    {"config", RETORT_OPTION_STRING, offsetof(common_options, config), NULL, "FILE",
     "YAML recipe whose keys are this command's flags; flags on the command line win", "Common", 0, 0, NULL, false},
    {"json", RETORT_OPTION_BOOL, offsetof(common_options, json), NULL, NULL,
     "print the result as JSON instead of a table", NULL, 0, 0, NULL, false},
    {"quiet", RETORT_OPTION_BOOL, offsetof(common_options, quiet), NULL, NULL, "no progress on standard error", NULL, 0,
     0, NULL, false},
    {0},
};

#undef cli_fail
retort_status cli_fail(retort_error *err, retort_status code, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    err->code = code;
    err->detail[0] = '\0';
    vsnprintf(err->message, sizeof err->message, fmt, args);
    va_end(args);
    return code;
}

void flag_of(const char *name, char *flag, size_t size) {
    snprintf(flag, size, "--%s", name);
    for (char *c = flag; *c != '\0'; c++) {
        if (*c == '_') *c = '-';
    }
}

bool takes_common(const command *cmd, const retort_option *option) {
    if (strcmp(option->name, "json") == 0) return cmd->has_json;
    if (strcmp(option->name, "config") == 0) return cmd->table[0].name != NULL;
    return true;
}

/* An assignment that a flag or an argument asks for, kept until the recipe has been read. */
typedef struct assignment {
    const retort_option *option;
    bool common;
    const char *value;
} assignment;

typedef struct scan {
    const command *cmd;
    assignment *items; /* room for one per argument */
    int count;
    bool help;
} scan;

static const retort_option *find_flag(const command *cmd, const char *name, bool *common) {
    *common = false;
    const retort_option *option = retort_options_find(cmd->table, name);
    if (option != NULL) return option;
    option = retort_options_find(common_option_table, name);
    *common = true;
    return option != NULL && takes_common(cmd, option) ? option : NULL;
}

static retort_status unknown_flag(const command *cmd, const char *flag, const char *name, retort_error *err) {
    const retort_option *own = retort_options_nearest(cmd->table, name);
    const char *nearest = own != NULL ? own->name : "help";
    for (const retort_option *option = common_option_table; option->name != NULL; option++) {
        if (!takes_common(cmd, option)) continue;
        if (retort_name_distance(option->name, name) < retort_name_distance(nearest, name)) nearest = option->name;
    }
    char known[80];
    flag_of(nearest, known, sizeof known);
    return cli_fail(err, RETORT_ERR_USAGE, "unknown flag '%.80s', the nearest known one is '%s'", flag, known);
}

/* One "--name", "--name=value" or "--no-name"; `following` is the next argument or NULL; *used counts what was taken.
 */
static retort_status scan_flag(scan *s, const char *flag, const char *following, int *used, retort_error *err) {
    char name[80];
    const char *equals = strchr(flag, '=');
    size_t length = equals != NULL ? (size_t)(equals - flag) - 2 : strlen(flag) - 2;
    if (length >= sizeof name) return cli_fail(err, RETORT_ERR_USAGE, "unknown flag '%.80s'", flag);
    memcpy(name, flag + 2, length);
    name[length] = '\0';
    *used = 1;
    if (strcmp(name, "help") == 0) {
        s->help = true;
        return RETORT_OK;
    }
    bool common, negated = false;
    const retort_option *option = find_flag(s->cmd, name, &common);
    if (option == NULL && (strncmp(name, "no-", 3) == 0 || strncmp(name, "no_", 3) == 0)) {
        option = find_flag(s->cmd, name + 3, &common);
        negated = option != NULL && option->type == RETORT_OPTION_BOOL;
        if (!negated) option = NULL;
    }
    if (option == NULL) return unknown_flag(s->cmd, flag, name, err);
    const char *value = equals != NULL ? equals + 1 : NULL;
    if (negated && value != NULL) return cli_fail(err, RETORT_ERR_USAGE, "flag '--%s' takes no value", name);
    if (option->type == RETORT_OPTION_BOOL && value == NULL) {
        value = negated ? "false" : "true";
    } else if (value == NULL && option->argument != NULL && option->argument[0] == '[') {
        /* "[N]": the flag alone means 1. */
        bool number = following != NULL && following[0] >= '0' && following[0] <= '9';
        value = number ? following : "1";
        *used = number ? 2 : 1;
    } else if (value == NULL) {
        /* A value that looks like a flag is nearly always a forgotten value; "--x=--y" still says it. */
        if (following == NULL || strncmp(following, "--", 2) == 0) {
            const char *argument = option->argument != NULL ? option->argument : "a value";
            return cli_fail(err, RETORT_ERR_USAGE, "flag '--%s' needs %s after it", name, argument);
        }
        value = following;
        *used = 2;
    }
    s->items[s->count++] = (assignment){option, common, value};
    return RETORT_OK;
}

static retort_status scan_positional(scan *s, const char *argument, int seen, retort_error *err) {
    const command *cmd = s->cmd;
    const retort_option *option = cmd->positional != NULL ? retort_options_find(cmd->table, cmd->positional) : NULL;
    if (option == NULL) return cli_fail(err, RETORT_ERR_USAGE, "unexpected argument '%.80s'", argument);
    if (option->type != RETORT_OPTION_LIST && seen > 0) {
        return cli_fail(err, RETORT_ERR_USAGE, "unexpected argument '%.80s', one %s is enough", argument,
                        option->argument != NULL ? option->argument : "value");
    }
    s->items[s->count++] = (assignment){option, false, argument};
    return RETORT_OK;
}

static retort_status scan_arguments(scan *s, int count, char **arguments, retort_error *err) {
    int seen = 0;
    bool flags = true;
    for (int i = 0; i < count;) {
        const char *argument = arguments[i];
        int used = 1;
        retort_status st = RETORT_OK;
        if (flags && strcmp(argument, "--") == 0) {
            flags = false;
        } else if (flags && strcmp(argument, "-h") == 0) {
            s->help = true;
        } else if (flags && strncmp(argument, "--", 2) == 0) {
            st = scan_flag(s, argument, i + 1 < count ? arguments[i + 1] : NULL, &used, err);
        } else if (flags && argument[0] == '-' && argument[1] != '\0') {
            st = cli_fail(err, RETORT_ERR_USAGE, "unknown flag '%.80s', flags have two hyphens", argument);
        } else {
            st = scan_positional(s, argument, seen++, err);
        }
        if (s->help) return RETORT_OK;
        if (st != RETORT_OK) return st;
        i += used;
    }
    return RETORT_OK;
}

/* Several values of one LIST are joined; of anything else the last one wins. */
static retort_status append_list(const retort_option *table, void *options, const char *name, const char *value,
                                 retort_error *err) {
    char *old = NULL;
    retort_status st = retort_options_get(table, options, name, &old, err);
    if (st != RETORT_OK) return st;
    size_t size = strlen(old) + strlen(value) + 2;
    char *joined = malloc(size);
    if (joined == NULL) {
        st = cli_fail(err, RETORT_ERR_MEMORY, "out of memory: '%s'", name);
    } else {
        snprintf(joined, size, "%s%s%s", old, old[0] != '\0' ? "," : "", value);
        st = retort_options_set(table, options, name, joined, err);
    }
    free(joined);
    free(old);
    return st;
}

/* The option goes under its flag's name, so that the library's message names the flag. */
static retort_status assign(const assignment *item, bool again, void *options, retort_error *err) {
    char flag[80];
    flag_of(item->option->name, flag, sizeof flag);
    retort_option one[2] = {*item->option, {0}};
    one[0].name = flag;
    if (again && item->option->type == RETORT_OPTION_LIST) return append_list(one, options, flag, item->value, err);
    return retort_options_set(one, options, flag, item->value, err);
}

static retort_status assign_all(const scan *s, void *options, common_options *common, retort_error *err) {
    for (int i = 0; i < s->count; i++) {
        bool again = false;
        for (int j = 0; j < i; j++) again = again || s->items[j].option == s->items[i].option;
        retort_status st = assign(&s->items[i], again, s->items[i].common ? (void *)common : options, err);
        if (st != RETORT_OK) return st;
    }
    return RETORT_OK;
}

static retort_status load_recipe(const scan *s, void *options, const char *config, retort_error *err) {
    if (s->cmd->load != NULL) return s->cmd->load(options, config, err);
    if (config == NULL) return RETORT_OK;
    const retort_recipe_part parts[] = {{NULL, s->cmd->table}, {NULL, NULL}};
    retort_status st = retort_recipe_check(config, parts, err);
    return st == RETORT_OK ? retort_options_load_yaml(s->cmd->table, options, config, NULL, err) : st;
}

static retort_status check_required(const command *cmd, const void *options, retort_error *err) {
    for (const retort_option *option = cmd->table; option->name != NULL; option++) {
        const retort_option one[2] = {*option, {0}};
        if (retort_options_check(one, options, NULL) == RETORT_OK) continue;
        char flag[80];
        flag_of(option->name, flag, sizeof flag);
        return cli_fail(err, RETORT_ERR_USAGE, "'%s %s' is required", flag,
                        option->argument != NULL ? option->argument : "VALUE");
    }
    return RETORT_OK;
}

retort_status parse_arguments(const command *cmd, int count, char **arguments, void *options, common_options *common,
                              bool *help, retort_error *err) {
    retort_status st = retort_options_defaults(cmd->table, options, err);
    if (st == RETORT_OK) st = retort_options_defaults(common_option_table, common, err);
    if (st != RETORT_OK) return st;
    scan s = {.cmd = cmd, .items = calloc((size_t)count + 1, sizeof(assignment))};
    if (s.items == NULL) return cli_fail(err, RETORT_ERR_MEMORY, "out of memory: arguments");
    st = scan_arguments(&s, count, arguments, err);
    *help = s.help;
    /* Twice: the first time tells which recipe is meant, the second lets the flags win over it. */
    if (st == RETORT_OK && !s.help) st = assign_all(&s, options, common, err);
    if (st == RETORT_OK && !s.help) st = load_recipe(&s, options, common->config, err);
    if (st == RETORT_OK && !s.help) st = assign_all(&s, options, common, err);
    if (st == RETORT_OK && !s.help) st = check_required(cmd, options, err);
    free(s.items);
    return st;
}
