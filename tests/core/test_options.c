#include "check.h"

#include <locale.h>
#include <math.h>

#include "core/mem.h"
#include "retort/options.h"

typedef struct settings {
    char *model, *stop;
    double learning_rate, decay;
    int64_t steps, seed;
    bool resume, shuffle;
    int kind;
} settings;

static const retort_option TABLE[] = {
    {"model", RETORT_OPTION_STRING, offsetof(settings, model), NULL, "DIR", "a folder", "Group", 0, 0, NULL, true},
    {"stop", RETORT_OPTION_LIST, offsetof(settings, stop), NULL, "TEXT", "strings", NULL, 0, 0, NULL, false},
    {"learning_rate", RETORT_OPTION_REAL, offsetof(settings, learning_rate), "1e-4", "X", "rate", NULL, 0, 1, NULL,
     false},
    {"decay", RETORT_OPTION_REAL, offsetof(settings, decay), NULL, "X", "free", NULL, 0, 0, NULL, false},
    {"steps", RETORT_OPTION_INT, offsetof(settings, steps), "10", "N", "steps", NULL, 1, (double)INFINITY, NULL, false},
    {"seed", RETORT_OPTION_INT, offsetof(settings, seed), NULL, "N", "any", NULL, 0, 0, NULL, false},
    {"resume", RETORT_OPTION_BOOL, offsetof(settings, resume), NULL, NULL, "flag", NULL, 0, 0, NULL, false},
    {"shuffle", RETORT_OPTION_BOOL, offsetof(settings, shuffle), "true", NULL, "flag", NULL, 0, 0, NULL, false},
    {"kind", RETORT_OPTION_CHOICE, offsetof(settings, kind), "linear", NULL, "shape", NULL, 0, 0,
     "cosine|linear|constant", false},
    {0},
};

static settings fresh(void) {
    settings s;
    memset(&s, 0xAB, sizeof s); /* defaults must not look at what was there */
    assert_int_equal(retort_options_defaults(TABLE, &s, NULL), RETORT_OK);
    return s;
}

static void defaults(void **state) {
    (void)state;
    settings s = fresh();
    assert_null(s.model);
    assert_null(s.stop);
    assert_true(s.learning_rate == 1e-4 && s.decay == 0 && s.steps == 10 && s.seed == 0);
    assert_true(!s.resume && s.shuffle && s.kind == 1);
    retort_error err = {0};
    assert_int_equal(retort_options_check(TABLE, &s, &err), RETORT_ERR_USAGE);
    assert_says(&err, "'model' is required");
    assert_int_equal(retort_options_set(TABLE, &s, "model", "d", &err), RETORT_OK);
    assert_int_equal(retort_options_check(TABLE, &s, &err), RETORT_OK);
    retort_options_release(TABLE, &s);
    assert_null(s.model);
    retort_options_release(TABLE, &s);
}

static void good_values(void **state) {
    (void)state;
    settings s = fresh();
    static const char *const PAIRS[][2] = {
        {"learning-rate", "0.5"}, {"decay", "-1e300"}, {"steps", "+7"},      {"seed", "-9223372036854775808"},
        {"resume", "Yes"},        {"shuffle", "off"},  {"kind", "constant"}, {"stop", "a,b"},
        {"model", "one"},         {"model", "two"},
    };
    for (size_t i = 0; i < sizeof PAIRS / sizeof PAIRS[0]; i++) {
        assert_int_equal(retort_options_set(TABLE, &s, PAIRS[i][0], PAIRS[i][1], NULL), RETORT_OK);
    }
    assert_true(s.learning_rate == 0.5 && s.decay == -1e300 && s.steps == 7 && s.seed == INT64_MIN);
    assert_true(s.resume && !s.shuffle && s.kind == 2);
    assert_string_equal(s.stop, "a,b");
    assert_string_equal(s.model, "two");
    assert_int_equal(retort_options_set(TABLE, &s, "model", "", NULL), RETORT_OK);
    assert_null(s.model);
    retort_options_release(TABLE, &s);
}

static void bad_values(void **state) {
    (void)state;
    static const struct {
        const char *name, *value, *says;
    } CASES[] = {
        {"learning_rate", "2", "from 0 to 1"},
        {"learning_rate", "nan", "finite number"},
        {"learning_rate", "inf", "finite number"},
        {"learning_rate", "0x1p-3", "finite number"},
        {"learning_rate", "0.5x", "finite number"},
        {"learning_rate", "", "finite number"},
        {"learning_rate", "1e", "finite number"},
        {"learning_rate", " 0.5", "finite number"},
        {"decay", "1e999", "finite number"},
        {"steps", "0", "at least 1"},
        {"steps", "1.5", "whole number"},
        {"steps", "1e3", "whole number"},
        {"steps", "-", "whole number"},
        {"seed", "9223372036854775808", "64 bits"},
        {"resume", "maybe", "true or false"},
        {"kind", "cosin", "cosine, linear, constant"},
        {"kind", "", "one of"},
        {"kind", "cosine|linear", "one of"},
        {"leaning_rate", "1", "nearest known one is 'learning_rate'"},
        {"sed", "1", "'seed'"},
    };
    settings s = fresh(), before = s;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        retort_error err = {0};
        assert_int_equal(retort_options_set(TABLE, &s, CASES[i].name, CASES[i].value, &err), RETORT_ERR_USAGE);
        assert_says(&err, CASES[i].says);
        assert_says(&err, CASES[i].name);
        assert_int_equal(retort_options_set(TABLE, &s, CASES[i].name, CASES[i].value, NULL), RETORT_ERR_USAGE);
    }
    assert_memory_equal(&s, &before, sizeof s);
}

/* What get writes, set reads back to the same value; 1/3 needs all 17 digits. */
static void texts_round_trip(void **state) {
    (void)state;
    static const char *const PAIRS[][2] = {
        {"learning_rate", "1e-05"},   {"learning_rate", "0.3333333333333333"},
        {"learning_rate", "0.1"},     {"decay", "100000"},
        {"decay", "1e+20"},           {"decay", "-0.25"},
        {"steps", "123456789012345"}, {"resume", "true"},
        {"shuffle", "false"},         {"kind", "cosine"},
        {"kind", "constant"},         {"stop", "x, y"},
        {"model", "a dir/b"},         {"model", ""},
    };
    settings s = fresh();
    for (size_t i = 0; i < sizeof PAIRS / sizeof PAIRS[0]; i++) {
        char *text = NULL;
        assert_int_equal(retort_options_set(TABLE, &s, PAIRS[i][0], PAIRS[i][1], NULL), RETORT_OK);
        assert_int_equal(retort_options_get(TABLE, &s, PAIRS[i][0], &text, NULL), RETORT_OK);
        assert_string_equal(text, PAIRS[i][1]);
        rt_free(text);
    }
    retort_options_release(TABLE, &s);
}

static void recipe(void **state) {
    (void)state;
    settings s = fresh();
    retort_error err = {0};
    const char *path = write_text("r.yaml", "# a comment\n"
                                            "model: assets/base\n"
                                            "learning-rate: 3e-4\n"
                                            "stop: [one, \"two three\", '4']\n"
                                            "resume: yes\nsteps: 0x\n");
    assert_int_equal(retort_options_load_yaml(TABLE, &s, path, NULL, &err), RETORT_ERR_USAGE);
    assert_says(&err, "r.yaml' line 6: 'steps' is '0x'");
    assert_string_equal(s.model, "assets/base");
    assert_string_equal(s.stop, "one,two three,4");
    assert_true(s.learning_rate == 3e-4 && s.resume);
    path = write_text("s.yaml", "model: top\ndistill:\n  model: inner\n  stop:\n    - a\n    - b\nrl: {steps: 4}\n");
    assert_int_equal(retort_options_load_yaml(TABLE, &s, path, "distill", &err), RETORT_OK);
    assert_string_equal(s.model, "inner");
    assert_string_equal(s.stop, "a,b");
    assert_int_equal(retort_options_load_yaml(TABLE, &s, path, "rl", &err), RETORT_OK);
    assert_int_equal(s.steps, 4);
    assert_int_equal(retort_options_load_yaml(TABLE, &s, path, "absent", &err), RETORT_OK);
    assert_int_equal(retort_options_load_yaml(TABLE, &s, path, NULL, &err), RETORT_OK);
    assert_string_equal(s.model, "top");
    assert_int_equal(retort_options_load_yaml(TABLE, &s, write_text("e.yaml", "# nothing\n"), NULL, &err), RETORT_OK);
    assert_int_equal(retort_options_load_yaml(TABLE, &s, write_text("n.yaml", "model: ~\n"), NULL, &err), RETORT_OK);
    assert_null(s.model);
    retort_options_release(TABLE, &s);
}

static void sections(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
        retort_status status;
    } CASES[] = {{"teach: {n: 1}\nteach: {n: 2}\n", "given twice", RETORT_ERR_USAGE},
                 {"teach: {n: 1}\nn: 2\n", "line 2: a section must be a mapping", RETORT_ERR_USAGE},
                 {"teach: [1]\n", "line 1: a section must be a mapping", RETORT_ERR_USAGE},
                 {"\"a\\nb\": {n: 1}\n", "a name of several lines", RETORT_ERR_USAGE},
                 {"teach: {n: 1\n", "line 2", RETORT_ERR_FORMAT},
                 {"teach: {n: 1}\n--- {}\n", "second one", RETORT_ERR_FORMAT}};
    retort_error err = {0};
    char *names = NULL;
    const char *path = write_text("w.yaml", "# a walk\neval base: {n: 1}\nteach:\n  n: 2\neval student: {}\n");
    assert_int_equal(retort_recipe_sections(path, &names, &err), RETORT_OK);
    assert_string_equal(names, "eval base\nteach\neval student\n");
    free(names);
    assert_int_equal(retort_recipe_sections(write_text("e.yaml", "# nothing\n"), &names, &err), RETORT_OK);
    assert_string_equal(names, "");
    free(names);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        const retort_status st = retort_recipe_sections(write_text("b.yaml", CASES[i].text), &names, &err);
        if (st != CASES[i].status) fail_msg("case %zu: status %d, %s", i, st, err.message);
        assert_says(&err, CASES[i].says);
        assert_null(names);
    }
    assert_int_equal(retort_recipe_sections(in_scratch("none"), &names, &err), RETORT_ERR_NOT_FOUND);
}

static void broken_recipes(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
        retort_status status;
    } CASES[] = {
        {"modell: x\n", "line 1: unknown key 'modell', the nearest known one is 'model'", RETORT_ERR_USAGE},
        {"model: x\n\nsteps: 1\nsteps: 2\n", "line 4: key 'steps' is given twice", RETORT_ERR_USAGE},
        {"learning_rate: 1\nlearning-rate: 1\n", "line 2: key 'learning-rate' is given twice", RETORT_ERR_USAGE},
        {"steps: [1, 2]\n", "'steps' must be a single value", RETORT_ERR_USAGE},
        {"steps: {a: 1}\n", "'steps' must be a single value", RETORT_ERR_USAGE},
        {"steps:\n", "'steps' has no value", RETORT_ERR_USAGE},
        {"stop: [[a]]\n", "elements of 'stop'", RETORT_ERR_USAGE},
        {"stop: ['a,b']\n", "holds a comma", RETORT_ERR_USAGE},
        {"model: \"a\\0b\"\n", "NUL", RETORT_ERR_FORMAT},
        {"- a\n", "mapping", RETORT_ERR_FORMAT},
        {"just text\n", "mapping", RETORT_ERR_FORMAT},
        {"model: [a\n", "single value", RETORT_ERR_USAGE},
        {"section: {steps: [1\n", "line 2", RETORT_ERR_FORMAT},
        {"steps: &a 1\nseed: *a\n", "aliases", RETORT_ERR_FORMAT},
        {"? [a]\n: 1\n", "key", RETORT_ERR_FORMAT},
        {"--- {steps: 4}\n--- {steps: 5}\n", "second one", RETORT_ERR_FORMAT},
        {"model: x\n\tsteps: 1\n", "line 2", RETORT_ERR_FORMAT},
        {"\x01", "line 1", RETORT_ERR_FORMAT},
        {"model: \xff\xfe\n", "line", RETORT_ERR_FORMAT},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        settings s = fresh();
        retort_error err = {0};
        retort_status st = retort_options_load_yaml(TABLE, &s, write_text("b.yaml", CASES[i].text), NULL, &err);
        if (st != CASES[i].status) fail_msg("case %zu: status %d, %s", i, st, err.message);
        assert_says(&err, "b.yaml");
        assert_says(&err, CASES[i].says);
        retort_options_release(TABLE, &s);
    }
    settings s = fresh();
    retort_error err = {0};
    assert_int_equal(retort_options_load_yaml(TABLE, &s, in_scratch("none"), NULL, &err), RETORT_ERR_NOT_FOUND);
    assert_int_equal(retort_options_load_yaml(TABLE, &s, scratch, NULL, &err), RETORT_ERR_USAGE);
    /* Deep nesting and long files end in an error. */
    char *deep = malloc((size_t)3 << 20);
    assert_non_null(deep);
    memset(deep, '[', 100000);
    memcpy(deep, "x: {y: ", 7);
    deep[100000] = '\0';
    assert_int_equal(retort_options_load_yaml(TABLE, &s, write_text("deep.yaml", deep), NULL, &err), RETORT_ERR_FORMAT);
    memset(deep, '#', ((size_t)3 << 20) - 1);
    deep[((size_t)3 << 20) - 1] = '\0';
    assert_int_equal(retort_options_load_yaml(TABLE, &s, write_text("long.yaml", deep), NULL, &err), RETORT_ERR_FORMAT);
    free(deep);
}

static void recipe_parts(void **state) {
    (void)state;
    const retort_recipe_part parts[] = {{NULL, TABLE}, {"distill", TABLE}, {"rl", TABLE}, {0}};
    static const struct {
        const char *text, *says;
    } CASES[] = {
        {"model: x\ndistill:\n  steps: 3\nrl:\n", NULL},
        {"", NULL},
        {"distil:\n  steps: 3\n", "line 1: unknown key 'distil', the nearest known one is 'distill'"},
        {"steeps: 3\n", "nearest known one is 'steps'"},
        {"rl:\n  steps: 3\n  leraning_rate: 4\n", "line 3: unknown key 'leraning_rate' in 'rl', the nearest known one "
                                                  "is 'learning_rate'"},
        {"rl: {steps: 3}\nrl: {steps: 3}\n", "line 2: key 'rl' is given twice"},
        {"rl: {steps: 3, steps: 4}\n", "key 'steps' is given twice"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        retort_error err = {0};
        retort_status st = retort_recipe_check(write_text("p.yaml", CASES[i].text), parts, &err);
        assert_int_equal(st, CASES[i].says == NULL ? RETORT_OK : RETORT_ERR_USAGE);
        if (CASES[i].says != NULL) assert_says(&err, CASES[i].says);
    }
}

static void distances(void **state) {
    (void)state;
    assert_int_equal(retort_name_distance("", ""), 0);
    assert_int_equal(retort_name_distance("abc", ""), 3);
    assert_int_equal(retort_name_distance("kitten", "sitting"), 3);
    assert_int_equal(retort_name_distance("ab", "ba"), 1);
    assert_int_equal(retort_name_distance("top-p", "TOP_P"), 0);
    char longest[500];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(retort_name_distance(longest, "x"), 62);
}

/* Each allocation in turn fails: memory is reported, nothing leaks (the sanitizer run sees). */
static void failed_allocations(void **state) {
    (void)state;
    const char *path = write_text("m.yaml", "model: x\nstop: [a, b]\nsteps: 4\n");
    for (long n = 0;; n++) {
        settings s;
        rt_fail_alloc(n, true);
        retort_status st = retort_options_defaults(TABLE, &s, NULL);
        if (st == RETORT_OK) st = retort_options_load_yaml(TABLE, &s, path, NULL, NULL);
        long made = rt_alloc_count();
        rt_fail_alloc(-1, false);
        retort_options_release(TABLE, &s);
        if (made <= n) {
            assert_int_equal(st, RETORT_OK);
            break;
        }
        assert_int_not_equal(st, RETORT_OK);
        assert_true(n < 100);
    }
}

/* A program that uses the library may run under a locale with a decimal comma. */
static void locales(void **state) {
    (void)state;
    static const char *const NAMES[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "C.UTF-8"};
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        if (setlocale(LC_ALL, NAMES[i]) == NULL) continue;
        settings s = fresh();
        char *text = NULL;
        assert_int_equal(retort_options_set(TABLE, &s, "decay", "0.5", NULL), RETORT_OK);
        assert_true(s.decay == 0.5);
        assert_int_equal(retort_options_get(TABLE, &s, "decay", &text, NULL), RETORT_OK);
        assert_string_equal(text, "0.5");
        rt_free(text);
    }
    setlocale(LC_ALL, "C");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),           cmocka_unit_test(good_values),  cmocka_unit_test(bad_values),
        cmocka_unit_test(texts_round_trip),   cmocka_unit_test(recipe),       cmocka_unit_test(sections),
        cmocka_unit_test(broken_recipes),     cmocka_unit_test(recipe_parts), cmocka_unit_test(distances),
        cmocka_unit_test(failed_allocations), cmocka_unit_test(locales),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
