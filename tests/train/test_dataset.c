/* Examples: the three forms, what is supervised, and a sentence for every bad file. */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

#include "train/dataset.h"

static rt_tokenizer *tokenizer;
static rt_prompting prompting;

static int set_up(void **state) {
    if (fixture_create(state) != 0) return -1;
    fixture_base();
    assert_ok(rt_tokenizer_load(fixture_path("base"), &tokenizer, &fixture_error));
    assert_ok(rt_prompting_load(fixture_path("base"), tokenizer, NULL, &prompting, &fixture_error));
    return 0;
}

static int tear_down(void **state) {
    rt_prompting_release(&prompting);
    rt_tokenizer_destroy(tokenizer);
    return fixture_remove(state);
}

static retort_status read_text(const char *text, int64_t max_length, bool truncate, rt_dataset *out) {
    const rt_dataset_settings settings = {
        .example = {.tokenizer = tokenizer, .prompting = &prompting}, .max_length = max_length, .truncate = truncate};
    fixture_write("data.jsonl", text);
    return rt_dataset_read(fixture_path("data.jsonl"), &settings, out, &fixture_error);
}

static void decoded(const rt_sequence *sequence, int64_t begin, int64_t end, const char *want) {
    rt_buffer text = {0};
    assert_ok(rt_tokenizer_decode(tokenizer, sequence->ids + begin, end - begin, false, &text, &fixture_error));
    assert_string_equal(text.data, want);
    rt_buffer_free(&text);
}

static void test_forms(void **state) {
    (void)state;
    rt_dataset data;
    assert_ok(read_text("{\"id\": \"a\", \"problem\": \"Add 1 and 2\", \"response\": \"It is 3\"}\n"
                        "\n"
                        "{\"prompt\": \"One\", \"completion\": \" two\"}\n"
                        "{\"prompt\": \"One\", \"completion\": \" two<|endoftext|>\"}\n"
                        "{\"messages\": [{\"role\": \"user\", \"content\": \"Add 1 and 2\"},"
                        " {\"role\": \"assistant\", \"content\": \"It is 3\"}]}\n",
                        100, false, &data));
    assert_int_equal(data.count, 4);
    decoded(&data.items[0], 0, data.items[0].prompt, "Problem: Add 1 and 2\nSolution:\n");
    decoded(&data.items[0], data.items[0].prompt, data.items[0].count, "It is 3<|endoftext|>");
    decoded(&data.items[1], 0, data.items[1].count, "One two<|endoftext|>");
    /* The end token is not doubled, and a conversation is a problem in other words. */
    assert_int_equal(data.items[2].count, data.items[1].count);
    assert_memory_equal(data.items[2].ids, data.items[1].ids, (size_t)data.items[1].count * sizeof(int32_t));
    assert_int_equal(data.items[3].count, data.items[0].count);
    assert_memory_equal(data.items[3].ids, data.items[0].ids, (size_t)data.items[0].count * sizeof(int32_t));
    assert_int_equal(data.longest, data.items[0].count - 1);
    rt_dataset_free(&data);
}

static void test_targets(void **state) {
    (void)state;
    rt_dataset data;
    assert_ok(
        read_text("{\"prompt\": \"One\", \"completion\": \" two\"}\n{\"prompt\": \"12\", \"completion\": \"3\"}\n", 100,
                  false, &data));
    rt_packer packer;
    rt_batch batch;
    assert_ok(rt_packer_create(64, &packer, &fixture_error));
    assert_int_equal(rt_packer_fill(&packer, data.items, data.count, 0, 1000, &batch), 2);
    assert_int_equal(batch.docs, 2);
    int64_t supervised = 0;
    for (int64_t d = 0; d < 2; d++) {
        const rt_sequence *s = &data.items[d];
        supervised += rt_sequence_targets(s);
        for (int64_t i = 0; i < rt_sequence_rows(s); i++) {
            int64_t t = batch.doc_start[d] + i;
            assert_int_equal(batch.ids[t], s->ids[i]);
            assert_int_equal(batch.target[t], i + 1 < s->prompt ? -1 : s->ids[i + 1]);
        }
    }
    assert_int_equal(rt_batch_scored(&batch), supervised);
    /* One sequence a micro-batch when the budget is smaller than any. */
    assert_int_equal(rt_packer_fill(&packer, data.items, data.count, 1, 1, &batch), 1);
    assert_int_equal(batch.tokens, rt_sequence_rows(&data.items[1]));
    double n = (double)batch.tokens;
    assert_true(rt_batch_keys(&batch) == n * (n + 1) / 2);
    rt_packer_release(&packer);
    rt_dataset_free(&data);
}

static void test_bad_files(void **state) {
    (void)state;
    static const struct {
        const char *text;
        retort_status status;
        const char *says;
    } cases[] = {
        {"", RETORT_ERR_FORMAT, "holds no example"},
        {"\n \n", RETORT_ERR_FORMAT, "holds no example"},
        {"{\"prompt\": \"a\", \"completion\": \"b\"}\nnot json\n", RETORT_ERR_FORMAT, "line 2"},
        {"[1]\n", RETORT_ERR_FORMAT, "line 1"},
        {"{\"prompt\": \"a\"}\n", RETORT_ERR_FORMAT, "line 1: needs"},
        {"{\"prompt\": \"a\", \"completion\": 3}\n", RETORT_ERR_FORMAT, "line 1: 'prompt' and 'completion' must be"},
        {"{\"prompt\": \"a\", \"completion\": \"\"}\n", RETORT_ERR_FORMAT, "completion is empty"},
        {"{\"prompt\": \"\", \"completion\": \"b\"}\n", RETORT_ERR_FORMAT, "prompt is empty"},
        {"{\"messages\": []}\n", RETORT_ERR_UNSUPPORTED, "line 1"},
        {"{\"messages\": 7}\n", RETORT_ERR_FORMAT, "line 1"},
        {"{\"messages\": [{\"role\": \"user\"}, {\"role\": \"assistant\"}]}\n", RETORT_ERR_FORMAT, "content"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rt_dataset data;
        assert_int_equal(read_text(cases[i].text, 100, false, &data), cases[i].status);
        if (strstr(fixture_error.message, cases[i].says) == NULL) fail_msg("message: %s", fixture_error.message);
        assert_null(data.items);
    }
    rt_dataset data;
    const rt_dataset_settings settings = {.example = {.tokenizer = tokenizer, .prompting = &prompting},
                                          .max_length = 9};
    assert_int_equal(rt_dataset_read(fixture_path("none"), &settings, &data, &fixture_error), RETORT_ERR_NOT_FOUND);
}

static void test_long_examples(void **state) {
    (void)state;
    static const char text[] = "{\"prompt\": \"1\", \"completion\": \"2\"}\n"
                               "{\"prompt\": \"1\", \"completion\": \"2 3 4 5 6 7 8 9\"}\n";
    rt_dataset data;
    assert_int_equal(read_text(text, 5, false, &data), RETORT_ERR_FORMAT);
    assert_non_null(strstr(fixture_error.message, "1 of 2 examples"));
    assert_non_null(strstr(fixture_error.message, "line 2"));
    assert_non_null(strstr(fixture_error.message, "longest"));
    assert_ok(read_text(text, 5, true, &data));
    assert_int_equal(data.truncated, 1);
    assert_int_equal(data.items[1].count, 5);
    rt_dataset_free(&data);
    /* A cut may not leave a prompt without a completion. */
    assert_int_equal(read_text("{\"prompt\": \"1 2 3 4 5 6\", \"completion\": \"7\"}\n", 3, true, &data),
                     RETORT_ERR_FORMAT);
    assert_non_null(strstr(fixture_error.message, "prompt alone"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_long_examples),
    };
    return cmocka_run_group_tests_name("dataset", tests, set_up, tear_down);
}
