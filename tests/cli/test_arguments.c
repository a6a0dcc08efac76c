/* The argument parser alone, over a table of its own, so that every form of a flag is tried without a model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli.h"

typedef struct settings {
    char *model, *files;
    double rate;
    int64_t steps;
    bool resume, shuffle;
    int kind;
} settings;

static const retort_option TABLE[] = {
    {"model", RETORT_OPTION_STRING, offsetof(settings, model), NULL, "DIR", "h", "G", 0, 0, NULL, false},
    {"input_files", RETORT_OPTION_LIST, offsetof(settings, files), NULL, "FILE", "h", NULL, 0, 0, NULL, false},
    {"learning_rate", RETORT_OPTION_REAL, offsetof(settings, rate), "0.5", "X", "h", NULL, 0, 1, NULL, false},
    {"steps", RETORT_OPTION_INT, offsetof(settings, steps), "3", "N", "h", NULL, -10, 10, NULL, false},
    {"resume", RETORT_OPTION_BOOL, offsetof(settings, resume), NULL, NULL, "h", NULL, 0, 0, NULL, false},
    {"shuffle", RETORT_OPTION_BOOL, offsetof(settings, shuffle), "true", NULL, "h", NULL, 0, 0, NULL, false},
    {"kind", RETORT_OPTION_CHOICE, offsetof(settings, kind), "a", NULL, "h", NULL, 0, 0, "a|b", false},
    {0},
};

static const command COMMAND = {
    .name = "try",
    .table = TABLE,
    .options_size = sizeof(settings),
    .positional = "input_files",
    .has_json = true,
};

static settings parsed;
static common_options common;
static retort_error failure;
static bool help;

/* Words separated by single spaces. */
static retort_status parse(const command *cmd, const char *line) {
    char copy[400], *words[40], *rest = NULL;
    int count = 0;
    retort_options_release(TABLE, &parsed);
    retort_options_release(common_option_table, &common);
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        words[count++] = word;
    }
    help = false;
    failure = (retort_error){0};
    return parse_arguments(cmd, count, words, &parsed, &common, &help, &failure);
}

static void forms(void **state) {
    (void)state;
    assert_int_equal(parse(&COMMAND, ""), RETORT_OK);
    assert_true(parsed.rate == 0.5 && parsed.steps == 3 && !parsed.resume && parsed.shuffle && parsed.files == NULL);
    assert_int_equal(parse(&COMMAND, "--learning-rate 0.25 --learning_rate=0.75 --steps -4 --resume --no-shuffle"),
                     RETORT_OK);
    assert_true(parsed.rate == 0.75 && parsed.steps == -4 && parsed.resume && !parsed.shuffle);
    assert_int_equal(parse(&COMMAND, "--resume=no --shuffle=false --kind b --json --quiet"), RETORT_OK);
    assert_true(!parsed.resume && !parsed.shuffle && parsed.kind == 1 && common.json && common.quiet);
    assert_int_equal(parse(&COMMAND, "--model=--odd --no-json"), RETORT_OK);
    assert_string_equal(parsed.model, "--odd");
    assert_false(common.json);
}

static void positionals(void **state) {
    (void)state;
    assert_int_equal(parse(&COMMAND, "one two --steps 1 three - -- --four -5"), RETORT_OK);
    assert_string_equal(parsed.files, "one,two,three,-,--four,-5");
    assert_int_equal(parse(&COMMAND, "--input-files a,b c"), RETORT_OK);
    assert_string_equal(parsed.files, "a,b,c");
    command single = COMMAND, none = COMMAND;
    single.positional = "model";
    none.positional = NULL;
    assert_int_equal(parse(&single, "one"), RETORT_OK);
    assert_string_equal(parsed.model, "one");
    assert_int_equal(parse(&single, "one two"), RETORT_ERR_USAGE);
    assert_int_equal(parse(&none, "one"), RETORT_ERR_USAGE);
}

static void asks_for_help(void **state) {
    (void)state;
    assert_int_equal(parse(&COMMAND, "--steps 2 --help --nonsense"), RETORT_OK);
    assert_true(help);
    assert_int_equal(parse(&COMMAND, "-h"), RETORT_OK);
    assert_true(help);
    assert_int_equal(parse(&COMMAND, "-- -h"), RETORT_OK);
    assert_false(help);
}

static void refusals(void **state) {
    (void)state;
    static const char *const CASES[][2] = {
        {"--stepz 1", "'--steps'"},
        {"--jsn", "'--json'"},
        {"--no-model", "unknown flag '--no-model'"},
        {"--no-resume=1", "takes no value"},
        {"--steps", "needs N"},
        {"--steps --resume", "needs N"},
        {"--steps 11", "'--steps' is 11, must be from -10 to 10"},
        {"--learning_rate 7", "'--learning-rate' is 7"},
        {"--kind c", "one of: a, b"},
        {"--resume=perhaps", "true or false"},
        {"-x", "two hyphens"},
        {"--", ""},
        {"--=3", "unknown flag"},
        {"--config /nonexistent/recipe.yaml", "/nonexistent/recipe.yaml"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        retort_status st = parse(&COMMAND, CASES[i][0]);
        if (CASES[i][1][0] == '\0') {
            assert_int_equal(st, RETORT_OK);
            continue;
        }
        assert_int_equal(retort_exit_code(st), 2);
        if (strstr(failure.message, CASES[i][1]) == NULL) fail_msg("%s: %s", CASES[i][0], failure.message);
    }
    char longest[300] = "--";
    memset(longest + 2, 'x', 200);
    assert_int_equal(parse(&COMMAND, longest), RETORT_ERR_USAGE);
}

static void json_only_where_it_means_something(void **state) {
    (void)state;
    command plain = COMMAND;
    plain.has_json = false;
    assert_int_equal(parse(&plain, "--json"), RETORT_ERR_USAGE);
}

static int release(void **state) {
    (void)state;
    retort_options_release(TABLE, &parsed);
    retort_options_release(common_option_table, &common);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms),
        cmocka_unit_test(positionals),
        cmocka_unit_test(asks_for_help),
        cmocka_unit_test(refusals),
        cmocka_unit_test(json_only_where_it_means_something),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
