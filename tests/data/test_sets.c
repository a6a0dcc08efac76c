/* Problem sets from files of others: CSV, answers in the forms they are published in, and what a known set hashes to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/answer_rules.h"
#include "data/csv.h"
#include "data/import.h"
#include "data/problem.h"
#include "folders.h"
#include "retort/data.h"
#include "verify/grade.h"

static const char *data_dir;

/* ---- CSV ---- */

static retort_status note_row(void *context, json_t *row, size_t line, retort_error *err) {
    RT_TRY(rt_buffer_printf(context, err, "%zu:", line));
    return rt_json_dump(row, JSON_COMPACT, context, err);
}

static void test_csv(void **state) {
    (void)state;
    static const struct {
        const char *text, *rows; /* rows NULL: an error that says `message` */
        const char *message;
    } cases[] = {
        {"a,b\n1,2\n", "2:{\"a\":\"1\",\"b\":\"2\"}", NULL},
        {"\xEF\xBB\xBF"
         "a,b\r\n1,2",
         "2:{\"a\":\"1\",\"b\":\"2\"}", NULL},
        {"a\n\n\"\"\n\n", "3:{\"a\":\"\"}", NULL},
        {"a,b\n\"x,\"\"y\"\"\nz\",\n,\"\"\n", "2:{\"a\":\"x,\\\"y\\\"\\nz\",\"b\":\"\"}4:{\"a\":\"\",\"b\":\"\"}",
         NULL},
        {"a\nx\"y\n", "2:{\"a\":\"x\\\"y\"}", NULL},
        {"a\nx\ry\n", "2:{\"a\":\"x\\ry\"}", NULL},
        {"", NULL, "'f.csv' is empty"},
        {"a,b,a\n", NULL, "the column 'a' occurs twice"},
        {"a,b\n1\n", NULL, "line 2: 1 fields, but the header has 2"},
        {"a\n1\n1,2\n", NULL, "line 3: 2 fields, but the header has 1"},
        {"a\n\"x\ny", NULL, "line 2: a quote is opened here and never closed"},
        {"a\n\"x\"y\n", NULL, "line 2: text behind a closing quote"},
        {"a\n\xFF\n", NULL, "line 2: not UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rt_buffer rows = {0};
        retort_error err = {0};
        const retort_status st = rt_csv_parse("f.csv", cases[i].text, strlen(cases[i].text), note_row, &rows, &err);
        if (cases[i].rows != NULL) {
            if (st != RETORT_OK) fail_msg("case %zu: %s", i, err.message);
            assert_string_equal(rows.data, cases[i].rows);
        } else {
            assert_int_equal(st, RETORT_ERR_FORMAT);
            if (strstr(err.message, cases[i].message) == NULL) fail_msg("case %zu: '%s'", i, err.message);
        }
        rt_buffer_free(&rows);
    }
}

/* ---- answers ---- */

static void test_answer_rules(void **state) {
    (void)state;
    static const struct {
        rt_answer_rule rule;
        const char *row, *problem; /* NULL: refused */
    } cases[] = {
        {RT_ANSWER_INTEGER, "{'answer': '025'}", "{'problem':'Q','answer':'25'}"},
        {RT_ANSWER_INTEGER, "{'answer': 27.0}", "{'problem':'Q','answer':'27'}"},
        {RT_ANSWER_INTEGER, "{'Answer': 0}", "{'problem':'Q','answer':'0'}"},
        {RT_ANSWER_INTEGER, "{'answer': ' 336^\\\\circ'}", "{'problem':'Q','answer':'336'}"},
        {RT_ANSWER_INTEGER, "{'answer': '000'}", "{'problem':'Q','answer':'0'}"},
        {RT_ANSWER_INTEGER, "{'answer': '1,234,567'}", "{'problem':'Q','answer':'1234567'}"},
        {RT_ANSWER_INTEGER, "{'Answer': '080 or 081 (both were accepted)'}",
         "{'problem':'Q','alt_answers':['81'],'answer':'80'}"},
        {RT_ANSWER_INTEGER, "{'answer': '1.5'}", NULL},
        {RT_ANSWER_INTEGER, "{'answer': '1 or x'}", NULL},
        {RT_ANSWER_INTEGER, "{'answer': ''}", NULL},
        {RT_ANSWER_INTEGER, "{'answer': '-'}", NULL},
        {RT_ANSWER_INTEGER, "{'answer': null}", NULL},
        {RT_ANSWER_INTEGER, "{'answer': '1234567890123456789012345678901234567890'}", NULL},
        {RT_ANSWER_HASHES, "{'answer': 'He has #### 4 left.\\n#### -1,000'}", "{'problem':'Q','answer':'-1000'}"},
        {RT_ANSWER_HASHES, "{'answer': '18'}", "{'problem':'Q','answer':'18'}"},
        {RT_ANSWER_HASHES, "{'answer': 'nothing marked'}", NULL},
        {RT_ANSWER_TEXT, "{'expected_answer': ' \\\\frac{1}{2}\\n'}", "{'problem':'Q','answer':'\\\\frac{1}{2}'}"},
        {RT_ANSWER_TEXT, "{'answer': '  '}", NULL},
        {RT_ANSWER_TEXT, "{'answer': ['a']}", NULL},
        {RT_ANSWER_CHOICE, "{'answer': 'C'}", "{'problem':'Q','answer':'C'}"},
        {RT_ANSWER_CHOICE, "{'answer': 'E'}", NULL},
        {RT_ANSWER_CHOICE, "{'Correct Answer': 'r', 'Incorrect Answer 1': 'x', 'Incorrect Answer 2': 'y'}", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];
        snprintf(text, sizeof text, "%s", cases[i].row);
        for (char *at = text; *at != '\0'; at++)
            if (*at == '\'') *at = '"';
        json_t *row = NULL, *problem = json_object();
        retort_error err = {0};
        assert_ok(rt_json_parse(text, strlen(text), "row", &row, &err));
        const retort_status st = rt_answer_read(cases[i].rule, row, "Q", "'f' line 7", problem, &err);
        if (cases[i].problem == NULL) {
            assert_int_equal(st, RETORT_ERR_FORMAT);
            assert_int_equal(strncmp(err.message, "'f' line 7: ", 12), 0);
        } else {
            rt_buffer out = {0};
            if (st != RETORT_OK) fail_msg("case %zu: %s", i, err.message);
            assert_ok(rt_json_dump(problem, JSON_COMPACT, &out, &err));
            for (char *at = out.data; *at != '\0'; at++)
                if (*at == '"') *at = '\'';
            assert_string_equal(out.data, cases[i].problem);
            rt_buffer_free(&out);
        }
        json_decref(row);
        json_decref(problem);
    }
}

/* list(itertools.permutations(range(4)))[int(hashlib.sha256(question).hexdigest()[:8], 16) % 24] of Python. */
static void test_choice_order(void **state) {
    (void)state;
    static const struct {
        const char *question;
        int order[4];
    } golden[] = {
        {"What is the spin of a photon?", {1, 0, 3, 2}},
        {"Which acid is strongest?", {2, 1, 0, 3}},
        {"q", {3, 1, 2, 0}},
        {"Ünïcode ℏ question", {3, 0, 1, 2}},
    };
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        int order[4];
        rt_choice_order(golden[i].question, order);
        assert_memory_equal(order, golden[i].order, sizeof order);
    }
    json_t *row = json_pack("{s:s,s:s,s:s,s:s}", "Correct Answer", " one\n", "Incorrect Answer 1", "two",
                            "Incorrect Answer 2", "three", "Incorrect Answer 3", "four");
    json_t *problem = json_object();
    retort_error err;
    assert_ok(rt_answer_read(RT_ANSWER_CHOICE, row, "Which acid is strongest?", "row", problem, &err));
    assert_string_equal(json_string_value(json_object_get(problem, "problem")),
                        "Which acid is strongest?\n\nA) three\nB) two\nC) one\nD) four");
    assert_string_equal(json_string_value(json_object_get(problem, "answer")), "C");
    json_decref(row);
    json_decref(problem);
}

/* Two accepted answers: either is right, survives a copy and the way through a file, and a third is wrong. */
static void test_two_answers(void **state) {
    (void)state;
    retort_error err;
    char *dir = make_dir(), *path = rt_path_join(dir, "p.jsonl");
    write_text(dir, "p.jsonl", "{\"problem\":\"Q\",\"answer\":80,\"alt_answers\":[\"81\",83]}\n");
    rt_problems problems = {0}, again = {0};
    assert_ok(rt_problems_read(path, &problems, &err));
    assert_ok(rt_problems_write(path, &problems, &err));
    assert_ok(rt_problems_read(path, &again, &err));
    rt_problem copy = {0};
    assert_ok(rt_problem_copy_gold(&again.items[0], &copy, &err));
    static const struct {
        const char *response;
        rt_verdict verdict;
    } cases[] = {{"\\boxed{80}", RT_RIGHT},
                 {"\\boxed{81}", RT_RIGHT},
                 {"\\boxed{83}", RT_RIGHT},
                 {"\\boxed{82}", RT_WRONG},
                 {"", RT_UNPARSED}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rt_grades grades;
        rt_verdict strict;
        const char *response = cases[i].response;
        assert_ok(rt_grade(&copy.question, response, strlen(response), &grades, &err));
        assert_int_equal(grades.strict, cases[i].verdict);
        assert_int_equal(grades.tolerant, cases[i].verdict);
        assert_ok(rt_grade_strict(&again.items[0].question, response, strlen(response), &strict, &err));
        assert_int_equal(strict, cases[i].verdict);
    }
    rt_free(copy.answer);
    rt_problems_free(&problems);
    rt_problems_free(&again);
    rt_free(path);
    drop_dir(dir);
}

/* ---- sets ---- */

static char *run_data(const char *set, const char *input, const char *output, bool allow, retort_status *st,
                      retort_error *err) {
    retort_data_options options;
    char *json = NULL;
    assert_int_equal(retort_options_defaults(retort_data_option_table, &options, err), RETORT_OK);
    if (set != NULL)
        assert_int_equal(retort_options_set(retort_data_option_table, &options, "set", set, err), RETORT_OK);
    assert_int_equal(retort_options_set(retort_data_option_table, &options, "input", input, err), RETORT_OK);
    assert_int_equal(retort_options_set(retort_data_option_table, &options, "output", output, err), RETORT_OK);
    options.allow_changed = allow;
    *st = retort_data(&options, NULL, &json, err);
    retort_options_release(retort_data_option_table, &options);
    return json;
}

static void test_names(void **state) {
    (void)state;
    static const char *const same[][2] = {{"AIME24", "aime_2024"}, {"aime-2025", "aime_2025"},
                                          {"MATH-500", "math500"}, {"GPQA Diamond", "gpqa_diamond"},
                                          {"gsm8k", "gsm8k_test"}, {"HMMT Feb 2025", "hmmt_feb_2025"},
                                          {"AMC_2023", "amc23"}};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        const rt_known_set *set = rt_known_set_find(same[i][0]);
        assert_non_null(set);
        assert_string_equal(set->name, same[i][1]);
    }
    for (const rt_known_set *set = RT_KNOWN_SETS; set->name != NULL; set++)
        assert_ptr_equal(rt_known_set_find(set->name), set);
    assert_null(rt_known_set_find("aime_2026"));
    assert_null(rt_known_set_find(""));
    assert_null(rt_known_set_find("a name that is longer than the name of any set could be"));
}

/* The columns of GPQA's own file; 198 made-up questions with one that has line ends and commas in quotes. */
static void test_gpqa(void **state) {
    (void)state;
    retort_error err = {0};
    retort_status st;
    char *dir = make_dir(), *in = rt_path_join(dir, "in.CSV"), *out = rt_path_join(dir, "out.jsonl");
    rt_buffer csv = {0};
    assert_ok(rt_buffer_puts(&csv,
                             "Pre-Revision Question,Question,Correct Answer,Incorrect Answer 1,"
                             "Incorrect Answer 2,Incorrect Answer 3,Record ID\r\n",
                             &err));
    for (int i = 0; i < 198; i++)
        assert_ok(
            rt_buffer_printf(&csv, &err, "old,\"Is %d, in\n\"\"base\"\" ten, even?\",r%d,x,y,z,rec%d\r\n", i, i, i));
    assert_ok(rt_file_write(in, csv.data, csv.length, &err));
    char *json = run_data("GPQA-Diamond", in, out, false, &st, &err);
    if (st != RETORT_OK) fail_msg("%s", err.message);
    assert_non_null(strstr(json, "\"matches\": null"));
    rt_problems problems = {0};
    assert_ok(rt_problems_read(out, &problems, &err));
    assert_int_equal(problems.count, 198);
    assert_string_equal(problems.items[7].id, "rec7");
    int places[4] = {0};
    for (int i = 0; i < 198; i++) {
        char line[32];
        snprintf(line, sizeof line, "\n%s) r%d", problems.items[i].answer, i);
        assert_non_null(strstr(problems.items[i].problem, line));
        places[problems.items[i].answer[0] - 'A']++;
    }
    for (int p = 0; p < 4; p++) assert_in_range(places[p], 30, 70); /* a fixed figure; even would be 49.5 */
    rt_problems_free(&problems);
    free(json);
    csv.length -= strlen("old,\"Is 197, in\n\"\"base\"\" ten, even?\",r197,x,y,z,rec197\r\n");
    assert_ok(rt_file_write(in, csv.data, csv.length, &err));
    json = run_data("gpqa", in, out, false, &st, &err);
    assert_int_equal(st, RETORT_ERR_FORMAT);
    assert_non_null(strstr(err.message, "197 problems, but the known set has 198"));
    rt_buffer_free(&csv);
    rt_free(in);
    rt_free(out);
    drop_dir(dir);
}

static const char *const SETS[] = {"aime_1983_2023", "aime_2024",  "aime_2025",   "hmmt_feb_2025",
                                   "math500",        "gsm8k_test", "gsm8k_train", "amc23"};

/* Every set's own hash; and another order, other ids and other white space are the same set, another word is not. */
static void test_known_hashes(void **state) {
    (void)state;
    retort_error err = {0};
    retort_status st;
    char *dir = make_dir(), *out = rt_path_join(dir, "out.jsonl"), *changed = rt_path_join(dir, "changed.jsonl");
    for (size_t i = 0; i < sizeof SETS / sizeof *SETS; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s.jsonl", data_dir, SETS[i]);
        if (!rt_path_exists(path)) {
            print_message("# skipped: no '%s'\n", path);
            continue;
        }
        char *json = run_data(SETS[i], path, out, false, &st, &err);
        if (st != RETORT_OK) fail_msg("%s: %s", SETS[i], err.message);
        assert_non_null(strstr(json, "\"matches\": true"));
        free(json);

        rt_import import = {.set = rt_known_set_find(SETS[i])};
        assert_ok(rt_import_file(&import, path, &err));
        const size_t count = json_array_size(import.problems);
        rt_import turned = {.set = import.set, .problems = json_array()};
        for (size_t k = count; k-- > 0;) {
            json_t *problem = json_array_get(import.problems, k);
            char id[32], text[8192];
            snprintf(id, sizeof id, "n%zu", k);
            snprintf(text, sizeof text, "\xC2\xA0 %s\n", json_string_value(json_object_get(problem, "problem")));
            json_array_append_new(turned.problems, json_pack("{s:s,s:s,s:O}", "id", id, "problem", text, "answer",
                                                             json_object_get(problem, "answer")));
        }
        char hex[65];
        assert_ok(rt_import_hash(&turned, hex, &err));
        assert_string_equal(hex, import.set->sha256);

        json_object_set_new(json_array_get(turned.problems, count / 2), "problem", json_string("Another."));
        assert_ok(rt_import_write(&turned, changed, &err));
        assert_null(run_data(SETS[i], changed, out, false, &st, &err));
        assert_int_equal(st, RETORT_ERR_FORMAT);
        assert_non_null(strstr(err.message, "some differ in wording or answer"));
        json = run_data(SETS[i], changed, out, true, &st, &err);
        assert_int_equal(st, RETORT_OK);
        assert_non_null(strstr(json, "\"matches\": false"));
        free(json);
        rt_import_free(&turned);
        rt_import_free(&import);
    }
    rt_free(out);
    rt_free(changed);
    drop_dir(dir);
}

int main(int count, char **arguments) {
    data_dir = count >= 2 ? arguments[1] : "../shared/data";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv),          cmocka_unit_test(test_answer_rules), cmocka_unit_test(test_choice_order),
        cmocka_unit_test(test_two_answers),  cmocka_unit_test(test_names),        cmocka_unit_test(test_gpqa),
        cmocka_unit_test(test_known_hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
