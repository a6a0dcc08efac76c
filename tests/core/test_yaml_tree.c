/* YAML as a JSON tree: types, and what is refused with its line. */
#include "check.h"

#include <string.h>

#include "core/yaml_tree.h"

static void test_types(void **state) {
    (void)state;
    static const char text[] = "a: 3\nb: [yes, true, '7', ~, -12, 1e3]\nc:\n  d: |\n    two\n    lines\n  e: []\n";
    json_t *tree = NULL;
    retort_error err;
    assert_int_equal(rt_yaml_parse(text, sizeof text - 1, "t.yaml", &tree, &err), RETORT_OK);
    rt_buffer out = {0};
    assert_int_equal(rt_json_dump(tree, JSON_COMPACT, &out, &err), RETORT_OK);
    assert_string_equal(
        out.data, "{\"a\":3,\"b\":[\"yes\",true,\"7\",null,-12,\"1e3\"],\"c\":{\"d\":\"two\\nlines\\n\",\"e\":[]}}");
    rt_buffer_free(&out);
    json_decref(tree);
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "'t.yaml' is empty"},
        {"a: 1\na: 2\n", "'t.yaml' line 2: key 'a' is given twice"},
        {"a: &x 1\nb: *x\n", "'t.yaml' line 2: aliases are not supported, write the value out"},
        {"? [1]\n: 2\n", "'t.yaml' line 1: a key must be a plain word"},
        {"a: 1\n---\nb: 2\n", "'t.yaml' line 2: a second document starts here"},
        {"a: [1, 2\n", "'t.yaml' line 2: "},
        {"a: \"x\\0y\"\n", "'t.yaml' line 1: a value holds a NUL character"},
        {"\xff\xfe\xfd", "'t.yaml' line 1: "},
        {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "'t.yaml' line 1: nested deeper than 32 levels"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *tree = NULL;
        retort_error err = {0};
        assert_int_equal(rt_yaml_parse(cases[i].text, strlen(cases[i].text), "t.yaml", &tree, &err), RETORT_ERR_FORMAT);
        assert_null(tree);
        assert_memory_equal(err.message, cases[i].message, strlen(cases[i].message));
    }
}

static void test_files(void **state) {
    (void)state;
    json_t *tree = NULL;
    retort_error err;
    assert_int_equal(rt_yaml_load(in_scratch("none.yaml"), &tree, &err), RETORT_ERR_NOT_FOUND);
    assert_null(tree);
    assert_int_equal(rt_yaml_load(write_text("some.yaml", "- a\n- b\n"), &tree, &err), RETORT_OK);
    assert_int_equal(json_array_size(tree), 2);
    json_decref(tree);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests_name("yaml_tree", tests, make_scratch, remove_scratch);
}
