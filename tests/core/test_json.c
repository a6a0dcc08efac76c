#include "check.h"

#include "core/json.h"

static void strict_documents(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } CASES[] = {
        {"{\"a\": 1, \"a\": 2}", "duplicate"},
        {"{\"a\": }", "line 1"},
        {"", "not valid JSON"},
        {"{} trailing", "not valid JSON"},
        {"[1, 2", "JSON"},
        {"{\"a\": \"\xff\"}", "JSON"},
        {"{'a': 1}", "JSON"},
        {"[NaN]", "JSON"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        retort_error err = {0};
        json_t *value = NULL;
        assert_int_equal(rt_json_load(write_text("bad.json", CASES[i].text), &value, &err), RETORT_ERR_FORMAT);
        assert_says(&err, "bad.json");
        assert_says(&err, CASES[i].says);
    }
    /* Nesting as deep as an attacker likes must end in an error, not in an exhausted stack. */
    char *deep = malloc(200001);
    assert_non_null(deep);
    memset(deep, '[', 200000);
    deep[200000] = '\0';
    retort_error err = {0};
    json_t *value = NULL;
    assert_int_equal(rt_json_parse(deep, 200000, "deep", &value, &err), RETORT_ERR_FORMAT);
    free(deep);
}

static void round_trip(void **state) {
    (void)state;
    retort_error err = {0};
    json_t *value = json_pack("{s:f, s:I, s:s}", "tenth", 0.1, "big", (json_int_t)1 << 60, "text", "\xc3\xa9\n");
    assert_int_equal(rt_json_save(in_scratch("v.json"), value, &err), RETORT_OK);
    json_t *again = NULL;
    assert_int_equal(rt_json_load(in_scratch("v.json"), &again, &err), RETORT_OK);
    assert_true(json_equal(value, again));
    json_decref(value);
    json_decref(again);
}

static retort_status count_lines(void *context, json_t *object, size_t line, retort_error *err) {
    size_t *last = context;
    (void)err;
    assert_true(json_is_object(object));
    *last = *last * 10 + line;
    return RETORT_OK;
}

static retort_status refuse_second(void *context, json_t *object, size_t line, retort_error *err) {
    (void)context;
    (void)object;
    return line == 2 ? rt_fail(err, RETORT_ERR_USAGE, "enough") : RETORT_OK;
}

static void lines(void **state) {
    (void)state;
    retort_error err = {0};
    size_t seen = 0;
    const char *path = write_text("good.jsonl", "{\"a\":1}\n\n  \r\n{\"a\":2}\n{}");
    assert_int_equal(rt_jsonl_read(path, count_lines, &seen, &err), RETORT_OK);
    assert_int_equal(seen, 145);
    path = write_text("bad.jsonl", "{\"a\":1}\n{\"a\":\n{}\n");
    assert_int_equal(rt_jsonl_read(path, count_lines, &seen, &err), RETORT_ERR_FORMAT);
    assert_says(&err, "bad.jsonl' line 2");
    path = write_text("array.jsonl", "{}\n[1]\n");
    assert_int_equal(rt_jsonl_read(path, count_lines, &seen, &err), RETORT_ERR_FORMAT);
    assert_says(&err, "line 2 is not a JSON object");
    path = write_text("stop.jsonl", "{}\n{}\nnot reached\n");
    assert_int_equal(rt_jsonl_read(path, refuse_second, NULL, &err), RETORT_ERR_USAGE);
    assert_int_equal(rt_jsonl_read(in_scratch("none.jsonl"), count_lines, &seen, &err), RETORT_ERR_NOT_FOUND);
    assert_int_equal(rt_jsonl_read(scratch, count_lines, &seen, &err), RETORT_ERR_IO);
}

static void typed_members(void **state) {
    (void)state;
    retort_error err = {0};
    json_t *object = json_pack("{s:s, s:i, s:f}", "name", "x", "count", 7, "rate", 0.5);
    const char *text = NULL;
    long long number = 0;
    double real = 0;
    assert_int_equal(rt_json_string(object, "name", "'o'", &text, &err), RETORT_OK);
    assert_string_equal(text, "x");
    assert_int_equal(rt_json_int(object, "count", "'o'", 1, 10, &number, &err), RETORT_OK);
    assert_int_equal(number, 7);
    assert_int_equal(rt_json_real(object, "count", "'o'", &real, &err), RETORT_OK);
    assert_true(real == 7);
    assert_int_equal(rt_json_int(object, "count", "'o'", 8, 10, &number, &err), RETORT_ERR_FORMAT);
    assert_says(&err, "'count' is 7");
    assert_int_equal(rt_json_int(object, "rate", "'o'", 0, 10, &number, &err), RETORT_ERR_FORMAT);
    assert_int_equal(rt_json_string(object, "count", "'o'", &text, &err), RETORT_ERR_FORMAT);
    assert_int_equal(rt_json_string(object, "absent", "'o'", &text, &err), RETORT_ERR_FORMAT);
    assert_says(&err, "absent");
    assert_int_equal(rt_json_real(object, "name", "'o'", &real, &err), RETORT_ERR_FORMAT);
    json_decref(object);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strict_documents),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(lines),
        cmocka_unit_test(typed_members),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
