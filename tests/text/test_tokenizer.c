/* Encoding against the tokenizers package (golden/generate.py), decoding, round trips. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"

static void expect_ids(const rt_tokenizer *t, const json_t *text, const json_t *ids, bool special, size_t number) {
    retort_error err;
    rt_ids got = {0};
    assert_ok(rt_tokenizer_encode(t, json_string_value(text), json_string_length(text), special, &got, &err));
    bool equal = got.count == (int64_t)json_array_size(ids);
    for (int64_t i = 0; equal && i < got.count; i++) {
        equal = got.data[i] == json_integer_value(json_array_get(ids, (size_t)i));
    }
    if (!equal) fail_msg("case %zu '%s' differs from the tokenizers package", number, json_string_value(text));
    rt_buffer back = {0};
    assert_ok(rt_tokenizer_decode(t, got.data, got.count, false, &back, &err));
    assert_int_equal(back.length, json_string_length(text));
    assert_memory_equal(back.length > 0 ? back.data : "", json_string_value(text), back.length);
    rt_buffer_free(&back);
    rt_ids_free(&got);
}

static void check_golden(const char *name) {
    retort_error err;
    json_t *cases = NULL;
    assert_ok(rt_json_load(golden("cases.json"), &cases, &err));
    char file[64], plain[64];
    snprintf(file, sizeof file, "%s.json", name);
    snprintf(plain, sizeof plain, "%s_plain", name);
    rt_tokenizer *t = load_golden(file);
    assert_true(json_array_size(cases) > 300);
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *c = json_array_get(cases, i), *ids = json_object_get(c, name), *other = json_object_get(c, plain);
        expect_ids(t, json_object_get(c, "text"), ids, true, i);
        expect_ids(t, json_object_get(c, "text"), other != NULL ? other : ids, false, i);
    }
    rt_tokenizer_destroy(t);
    json_decref(cases);
}

static void test_golden_gpt2(void **state) {
    (void)state;
    check_golden("gpt2");
}

static void test_golden_qwen(void **state) {
    (void)state;
    check_golden("qwen");
}

static void round_trip(const rt_tokenizer *t, const char *bytes, size_t length) {
    retort_error err;
    rt_ids ids = {0};
    rt_buffer back = {0};
    for (int special = 0; special < 2; special++) {
        ids.count = 0;
        rt_buffer_clear(&back);
        assert_ok(rt_tokenizer_encode(t, bytes, length, special != 0, &ids, &err));
        assert_ok(rt_tokenizer_decode(t, ids.data, ids.count, false, &back, &err));
        assert_int_equal(back.length, length);
        if (length > 0) assert_memory_equal(back.data, bytes, length);
    }
    rt_ids_free(&ids);
    rt_buffer_free(&back);
}

static void test_round_trip_random_bytes(void **state) {
    (void)state;
    static const char *const NAMES[] = {"gpt2.json", "qwen.json"};
    rt_rng rng = rt_rng_make(3, 0);
    for (int k = 0; k < 2; k++) {
        rt_tokenizer *t = load_golden(NAMES[k]);
        char bytes[400];
        for (int i = 0; i < 2000; i++) {
            size_t length = rt_rng_below(&rng, sizeof bytes);
            uint32_t kind = rt_rng_below(&rng, 4), letters = 1 + rt_rng_below(&rng, 6);
            for (size_t j = 0; j < length; j++) {
                uint32_t r = rt_rng_u32(&rng);
                bytes[j] = (char)(uint8_t)(kind == 0     ? r
                                           : kind == 1   ? 'a' + r % letters
                                           : r % 64 == 0 ? r >> 8
                                                         : 32 + r % 90);
            }
            round_trip(t, bytes, length);
        }
        rt_tokenizer_destroy(t);
    }
}

/* The same words by the scan for short words and by the heap for long ones: a long word is a short one that is
 * surrounded by bytes with which nothing merges. */
static void test_long_words_merge_alike(void **state) {
    (void)state;
    retort_error err;
    rt_tokenizer *t = load_golden("gpt2.json");
    rt_rng rng = rt_rng_make(4, 0);
    for (int i = 0; i < 500; i++) {
        char word[64];
        int length = 1 + (int)rt_rng_below(&rng, 30);
        for (int j = 0; j < length; j++) word[j] = "abxyzefil"[rt_rng_below(&rng, 9)];
        for (int j = length; j < 64; j++) word[j] = 'Z';
        rt_ids one = {0}, other = {0};
        assert_ok(rt_tokenizer_encode(t, word, (size_t)length, false, &one, &err));
        assert_ok(rt_tokenizer_encode(t, word, 64, false, &other, &err));
        assert_true(other.count == one.count + 64 - length);
        assert_memory_equal(one.data, other.data, (size_t)one.count * sizeof *one.data);
        rt_ids_free(&one);
        rt_ids_free(&other);
    }
    rt_tokenizer_destroy(t);
}

static void test_long_text_is_fast(void **state) {
    (void)state;
    retort_error err;
    rt_tokenizer *t = load_golden("gpt2.json");
    size_t length = 1 << 20;
    char *text = malloc(length);
    static const char *const FILL[] = {"a", " ", "ab", "1", "\n", "a\xff"};
    for (int k = 0; k < 6; k++) {
        size_t period = strlen(FILL[k]);
        for (size_t i = 0; i < length; i++) text[i] = FILL[k][i % period];
        rt_ids ids = {0};
        assert_ok(rt_tokenizer_encode(t, text, length, true, &ids, &err));
        assert_true(ids.count > 0);
        rt_ids_free(&ids);
    }
    free(text);
    rt_tokenizer_destroy(t);
}

static void test_invalid_utf8_is_bytes(void **state) {
    (void)state;
    retort_error err;
    rt_tokenizer *t = load_golden("gpt2.json");
    static const char *const BAD[] = {"\xff",     "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                      "\xe2\x82", "\x80"};
    for (size_t k = 0; k < sizeof BAD / sizeof *BAD; k++) {
        rt_ids ids = {0};
        char text[32];
        snprintf(text, sizeof text, "12%s12", BAD[k]);
        assert_ok(rt_tokenizer_encode(t, text, strlen(text), true, &ids, &err));
        int32_t twelve = rt_tokenizer_find(t, "12");
        assert_true(twelve >= 0);
        assert_int_equal(ids.count, strlen(BAD[k]) + 2);
        assert_int_equal(ids.data[0], twelve);
        assert_int_equal(ids.data[ids.count - 1], twelve);
        for (size_t j = 0; j < strlen(BAD[k]); j++) {
            size_t length;
            const char *piece = rt_tokenizer_piece(t, ids.data[j + 1], &length);
            assert_int_equal(length, 1);
            assert_int_equal(piece[0], BAD[k][j]);
        }
        rt_ids_free(&ids);
    }
    rt_tokenizer_destroy(t);
}

static void test_special_tokens(void **state) {
    (void)state;
    retort_error err;
    rt_tokenizer *t = load_golden("qwen.json");
    int32_t eos = rt_tokenizer_eos(t), tool = rt_tokenizer_find(t, "<tool>");
    assert_int_equal(eos, rt_tokenizer_find(t, "<|endoftext|>"));
    assert_true(rt_tokenizer_is_special(t, eos));
    assert_true(tool >= 0 && !rt_tokenizer_is_special(t, tool));
    assert_false(rt_tokenizer_is_special(t, -1));
    assert_false(rt_tokenizer_is_special(t, 1 << 30));
    assert_int_equal(rt_tokenizer_find(t, "no such token"), -1);
    int32_t ids[] = {rt_tokenizer_find(t, "a"), eos, tool};
    rt_buffer out = {0};
    assert_ok(rt_tokenizer_decode(t, ids, 3, true, &out, &err));
    assert_string_equal(out.data, "a<tool>");
    rt_buffer_clear(&out);
    assert_ok(rt_tokenizer_decode(t, ids, 3, false, &out, &err));
    assert_string_equal(out.data, "a<|endoftext|><tool>");
    int32_t bad[] = {0, (int32_t)rt_tokenizer_vocab_size(t)};
    assert_int_equal(rt_tokenizer_decode(t, bad, 2, true, &out, &err), RETORT_ERR_FORMAT);
    assert_non_null(strstr(err.message, "outside the vocabulary"));
    bad[1] = -1;
    assert_int_equal(rt_tokenizer_decode(t, bad, 2, true, &out, &err), RETORT_ERR_FORMAT);
    rt_buffer_free(&out);
    rt_tokenizer_destroy(t);
}

static void test_template(void **state) {
    (void)state;
    retort_error err;
    rt_tokenizer *t = load_golden("gpt2.json");
    rt_buffer out = {0};
    assert_ok(rt_tokenizer_render_problem(t, "1 {problem} 2", &out, &err));
    assert_string_equal(out.data, "Problem: 1 {problem} 2\nAnswer:");
    rt_tokenizer_destroy(t);
    char *dir = tokenizer_dir("gpt2.json", "{\"eos_token\": {\"content\": \"<|endoftext|>\"}}");
    assert_ok(rt_tokenizer_load(dir, &t, &err));
    assert_int_equal(rt_tokenizer_eos(t), 0);
    assert_int_equal(rt_tokenizer_render_problem(t, "x", &out, &err), RETORT_ERR_NOT_FOUND);
    rt_buffer_free(&out);
    char *copy = make_dir();
    assert_ok(rt_tokenizer_copy_files(dir, copy, &err));
    rt_tokenizer *again = NULL;
    assert_ok(rt_tokenizer_load(copy, &again, &err));
    assert_int_equal(rt_tokenizer_vocab_size(again), rt_tokenizer_vocab_size(t));
    rt_tokenizer_destroy(again);
    rt_tokenizer_destroy(t);
    drop_dir(dir);
    drop_dir(copy);
}

static void test_allocation_failures(void **state) {
    (void)state;
    retort_error err;
    char *dir = tokenizer_dir("qwen.json", "{\"retort_prompt_template\": \"{problem}\"}");
    for (int persistent = 0; persistent < 2; persistent++) {
        long n = 0;
        for (bool reached = true; reached; n++) {
            rt_tokenizer *t = NULL;
            rt_ids ids = {0};
            rt_buffer out = {0};
            char text[200] = "we <tool> check 12 + 3, na\xc3\xafve ";
            memset(text + strlen(text), 'a', 100);
            rt_fail_alloc(n, persistent != 0);
            retort_status st = rt_tokenizer_load(dir, &t, &err);
            if (st == RETORT_OK) st = rt_tokenizer_encode(t, text, strlen(text), true, &ids, &err);
            if (st == RETORT_OK) st = rt_tokenizer_decode(t, ids.data, ids.count, true, &out, &err);
            reached = rt_alloc_count() > n; /* pcre2 goes on without JIT when that has no memory */
            rt_fail_alloc(-1, false);
            if (st != RETORT_OK) assert_int_equal(st, RETORT_ERR_MEMORY);
            rt_tokenizer_destroy(t);
            rt_ids_free(&ids);
            rt_buffer_free(&out);
        }
        assert_true(n > 20);
    }
    drop_dir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_gpt2),
        cmocka_unit_test(test_golden_qwen),
        cmocka_unit_test(test_round_trip_random_bytes),
        cmocka_unit_test(test_long_words_merge_alike),
        cmocka_unit_test(test_long_text_is_fast),
        cmocka_unit_test(test_invalid_utf8_is_bytes),
        cmocka_unit_test(test_special_tokens),
        cmocka_unit_test(test_template),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
