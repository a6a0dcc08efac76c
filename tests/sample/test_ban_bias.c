/* logit_bias for a ban list: what is told of the set is true of it. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "sample/ban_bias.h"

static rt_tokenizer *tokenizer;
static rt_ban_list list;

static int set_up(void **state) {
    (void)state;
    retort_error err;
    static const char *const WORDS[] = {"so", "wait", "then", "let's", "check again"};
    tokenizer = make_tokenizer();
    for (int i = 0; i < 5; i++) assert_ok(rt_ban_list_add(&list, WORDS[i], strlen(WORDS[i]), &err));
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    rt_ban_list_free(&list);
    rt_tokenizer_destroy(tokenizer);
    return 0;
}

static json_t *bias(int64_t collateral, int64_t most) {
    retort_error err;
    const rt_bias_options options = {collateral, most, 1000000};
    json_t *result = NULL;
    assert_ok(rt_ban_bias(tokenizer, &list, &options, &result, &err));
    return result;
}

static int64_t figure(const json_t *result, const char *key) {
    return json_integer_value(json_object_get(result, key));
}

static bool in_set(const json_t *result, int32_t id) {
    char key[24];
    snprintf(key, sizeof key, "%d", id);
    return json_object_get(json_object_get(result, "logit_bias"), key) != NULL;
}

/* Whether the tokenizer's own spelling of a text has a token of the set. */
static bool caught(const json_t *result, const char *text) {
    retort_error err;
    rt_ids ids = {0};
    bool found = false;
    assert_ok(rt_tokenizer_encode(tokenizer, text, strlen(text), false, &ids, &err));
    for (int64_t i = 0; i < ids.count; i++) found = found || in_set(result, ids.data[i]);
    rt_ids_free(&ids);
    return found;
}

static void check_lists(const json_t *result) {
    const json_t *holes = json_object_get(result, "holes"), *words = json_object_get(result, "hit_words");
    assert_int_equal(json_object_size(json_object_get(result, "logit_bias")), figure(result, "tokens"));
    assert_int_equal(json_array_size(holes), figure(result, "spellings") - figure(result, "caught"));
    assert_int_equal(json_array_size(words), figure(result, "hit"));
    for (size_t i = 0; i < json_array_size(holes); i++)
        assert_false(caught(result, json_string_value(json_object_get(json_array_get(holes, i), "text"))));
    for (size_t i = 0; i < json_array_size(words); i++)
        assert_true(caught(result, json_string_value(json_object_get(json_array_get(words, i), "text"))));
}

static void test_figures(void **state) {
    (void)state;
    json_t *strict = bias(0, 0), *loose = bias(1000, 0), *few = bias(1000, 3);
    check_lists(strict);
    check_lists(loose);
    check_lists(few);
    assert_true(caught(strict, " wait") && caught(strict, " so"));
    assert_true(figure(strict, "caught") > 0 && figure(strict, "caught") < figure(strict, "spellings"));
    assert_true(figure(loose, "caught") > figure(strict, "caught"));
    assert_true(figure(loose, "hit") >= figure(strict, "hit"));
    assert_int_equal(figure(few, "tokens"), 3);
    assert_true(figure(few, "caught") < figure(loose, "caught"));
    /* "let's" with either apostrophe. */
    assert_int_equal(figure(strict, "entries"), 6);
    json_decref(strict);
    json_decref(loose);
    json_decref(few);
}

static void test_allocation_failures(void **state) {
    (void)state;
    retort_error err;
    const rt_bias_options options = {0, 0, 3};
    retort_status st = RETORT_ERR_MEMORY;
    for (long n = 0; st != RETORT_OK; n += n < 200 ? 1 : n / 8) {
        json_t *result = NULL;
        rt_fail_alloc(n, true);
        st = rt_ban_bias(tokenizer, &list, &options, &result, &err);
        rt_fail_alloc(-1, false);
        if (st != RETORT_OK) assert_int_equal(st, RETORT_ERR_MEMORY);
        json_decref(result);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
