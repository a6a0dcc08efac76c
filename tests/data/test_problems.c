/* Problems and traces as JSONL: round trips and what a broken file says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/file.h"
#include "data/world.h"
#include "retort/data.h"
#include "retort/teach.h"

static char folder[] = "/tmp/retort-test-XXXXXX";

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state) {
    (void)state;
    return rt_remove_tree(folder, NULL) != RETORT_OK;
}

static char *in_folder(const char *name) {
    char *path = rt_path_join(folder, name);
    assert_non_null(path);
    return path;
}

static retort_status read_text(const char *text, rt_problems *out, retort_error *err) {
    char *path = in_folder("in.jsonl");
    assert_int_equal(rt_file_write(path, text, strlen(text), err), RETORT_OK);
    retort_status st = rt_problems_read(path, out, err);
    rt_free(path);
    return st;
}

static void test_round_trip(void **state) {
    (void)state;
    char *path = in_folder("problems.jsonl");
    const rt_split splits[] = {RT_SPLIT_TEST, RT_SPLIT_TRANSFER};
    for (int s = 0; s < 2; s++) {
        rt_problems a = {0}, b = {0};
        assert_int_equal(rt_world_problems(splits[s], 50, 1, &a, NULL), RETORT_OK);
        assert_int_equal(rt_problems_write(path, &a, NULL), RETORT_OK);
        assert_int_equal(rt_problems_read(path, &b, NULL), RETORT_OK);
        assert_int_equal(b.count, 50);
        for (int i = 0; i < 50; i++) {
            const rt_question *x = &a.items[i].question, *y = &b.items[i].question;
            assert_string_equal(a.items[i].id, b.items[i].id);
            assert_string_equal(a.items[i].problem, b.items[i].problem);
            assert_string_equal(a.items[i].answer, b.items[i].answer);
            assert_ptr_equal(y->answer, b.items[i].answer);
            assert_int_equal(x->family, y->family);
            assert_int_equal(x->count, y->count);
            assert_int_equal(x->target, y->target);
            assert_memory_equal(x->numbers, y->numbers, sizeof x->numbers);
        }
        rt_problems_free(&a);
        rt_problems_free(&b);
    }
    rt_free(path);
}

static void test_other_peoples_files(void **state) {
    (void)state;
    rt_problems p = {0};
    assert_int_equal(read_text("{\"question\":\"What is 2 + 2?\",\"answer\":\"#### 4\",\"extra\":[1]}\n\n"
                               "{\"id\":7,\"problem\":\"x\",\"answer\":12}\n{\"id\":\"c\",\"problem\":\"y\"}\n",
                               &p, NULL),
                     RETORT_OK);
    assert_int_equal(p.count, 3);
    assert_string_equal(p.items[0].id, "1");
    assert_string_equal(p.items[0].problem, "What is 2 + 2?");
    assert_string_equal(p.items[1].id, "7");
    assert_string_equal(p.items[1].answer, "12");
    assert_null(p.items[2].answer);
    assert_int_equal(p.items[2].question.family, RT_FAMILY_TEXT);
    rt_problems_free(&p);
}

static void test_broken_files(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "holds no problem"},
        {"{\"id\":\"a\"}\n", "'problem' is missing"},
        {"{\"problem\":3}\n", "'problem' is missing"},
        {"{\"problem\":\"x\"}\nnot json\n", "line 2"},
        {"{\"problem\":\"x\",\"id\":\"a\"}\n{\"problem\":\"y\",\"id\":\"a\"}\n", "occurs twice"},
        {"{\"problem\":\"x\",\"id\":[]}\n", "'id' must be"},
        {"{\"problem\":\"x\",\"answer\":[]}\n", "'answer' must be"},
        {"{\"problem\":\"x\",\"world\":3}\n", "'world' must be"},
        {"{\"problem\":\"x\",\"world\":{}}\n", "family"},
        {"{\"problem\":\"x\",\"world\":{\"family\":\"chess\"}}\n", "unknown family 'chess'"},
        {"{\"problem\":\"x\",\"world\":{\"family\":\"blanks\",\"target\":1e9,\"numbers\":[1]}}\n", "target"},
        {"{\"problem\":\"x\",\"world\":{\"family\":\"blanks\",\"target\":99999999999,\"numbers\":[1]}}\n", "target"},
        {"{\"problem\":\"x\",\"world\":{\"family\":\"blanks\",\"target\":9}}\n", "'numbers' must be"},
        {"{\"problem\":\"x\",\"world\":{\"family\":\"blanks\",\"target\":9,\"numbers\":[]}}\n", "'numbers' must be"},
        {"{\"problem\":\"x\",\"world\":{\"family\":\"blanks\",\"target\":9,\"numbers\":[1,2,3,4,5,6,7,8,9]}}\n",
         "1 to 8"},
        {"{\"problem\":\"x\",\"world\":{\"family\":\"blanks\",\"target\":9,\"numbers\":[1,-2]}}\n",
         "not in 0..1000000"},
        {"{\"problem\":\"x\",\"world\":{\"family\":\"blanks\",\"target\":9,\"numbers\":[\"1\"]}}\n",
         "not in 0..1000000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rt_problems p = {0};
        retort_error err = {0};
        assert_int_equal(read_text(cases[i].text, &p, &err), RETORT_ERR_FORMAT);
        if (!strstr(err.message, cases[i].says)) fail_msg("'%s' does not say '%s'", err.message, cases[i].says);
        if (!strstr(err.message, "in.jsonl")) fail_msg("'%s' does not name the file", err.message);
        assert_int_equal(p.count, 0);
        rt_problems_free(&p);
    }
    rt_problems p = {0};
    assert_int_equal(rt_problems_read("/nonexistent/p.jsonl", &p, NULL) == RETORT_OK, 0);
}

static void test_data_and_teach(void **state) {
    (void)state;
    retort_error err = {0};
    char *problems = in_folder("distill.jsonl"), *traces = in_folder("traces.jsonl"), *again = in_folder("again.jsonl");
    retort_data_options data;
    assert_int_equal(retort_options_defaults(retort_data_option_table, &data, &err), RETORT_OK);
    assert_int_equal(retort_options_set(retort_data_option_table, &data, "split", "distill", &err), RETORT_OK);
    assert_int_equal(retort_options_set(retort_data_option_table, &data, "output", problems, &err), RETORT_OK);
    assert_int_equal(data.split, RT_SPLIT_DISTILL);
    char *said;
    assert_int_equal(retort_data(&data, NULL, &said, &err), RETORT_OK);
    free(said);
    retort_teach_options teach;
    assert_int_equal(retort_options_defaults(retort_teach_option_table, &teach, &err), RETORT_OK);
    assert_int_equal(retort_options_set(retort_teach_option_table, &teach, "problems", problems, &err), RETORT_OK);
    assert_int_equal(retort_options_set(retort_teach_option_table, &teach, "output", traces, &err), RETORT_OK);
    retort_teach_account account;
    for (int t = RT_TEACHER_FLEXIBLE; t <= RT_TEACHER_TERSE; t++) {
        assert_int_equal(
            retort_options_set(retort_teach_option_table, &teach, "teacher", rt_teacher_name((rt_teacher)t), &err),
            RETORT_OK);
        assert_int_equal(teach.teacher, t);
        assert_int_equal(retort_teach(&teach, NULL, &account, &err), RETORT_OK);
        assert_int_equal(account.traces, 100);
        assert_int_equal(account.right + account.wrong + account.unparsed, 100);
        if (t != RT_TEACHER_FLEXIBLE) assert_int_equal(account.right, 100);
    }
    /* Same options, same bytes. */
    assert_int_equal(retort_options_set(retort_teach_option_table, &teach, "output", again, &err), RETORT_OK);
    assert_int_equal(retort_teach(&teach, NULL, NULL, &err), RETORT_OK);
    char a[65], b[65];
    assert_int_equal(rt_sha256_file(traces, a, &err), RETORT_OK);
    assert_int_equal(rt_sha256_file(again, b, &err), RETORT_OK);
    assert_string_equal(a, b);
    /* A failure leaves no file behind. */
    assert_int_equal(unlink(again), 0);
    const char *plain = "{\"problem\":\"What is 1 + 1?\",\"answer\":\"2\"}\n";
    assert_int_equal(rt_file_write(problems, plain, strlen(plain), &err), RETORT_OK);
    assert_int_equal(retort_teach(&teach, NULL, NULL, &err), RETORT_ERR_UNSUPPORTED);
    assert_false(rt_path_exists(again));
    retort_options_release(retort_data_option_table, &data);
    retort_options_release(retort_teach_option_table, &teach);
    rt_free(problems);
    rt_free(traces);
    rt_free(again);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_other_peoples_files),
        cmocka_unit_test(test_broken_files),
        cmocka_unit_test(test_data_and_teach),
    };
    return cmocka_run_group_tests_name("problems", tests, make_folder, remove_folder);
}
