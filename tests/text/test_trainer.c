/* Our trainer against the tokenizers package's on the same corpus: same tokens, same merges. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"

static const char TEMPLATE[] = "Problem: it's {problem}\nAn\\swer:\n";

/* The corpus as documents of one line each, without the newline. */
static retort_status add_corpus(rt_bpe_trainer *trainer, retort_error *err) {
    rt_buffer text = {0};
    retort_status st = rt_file_read(golden("corpus.txt"), &text, err);
    for (char *line = text.data; st == RETORT_OK && *line != '\0';) {
        char *end = strchr(line, '\n');
        st = rt_bpe_trainer_add(trainer, line, (size_t)(end - line), err);
        line = end + 1;
    }
    rt_buffer_free(&text);
    return st;
}

static retort_status train(const char *dir, int64_t size, retort_error *err) {
    rt_bpe_trainer *trainer = NULL;
    retort_status st = rt_bpe_trainer_create(&trainer, err);
    if (st == RETORT_OK) rt_bpe_trainer_set_max_length(trainer, 512);
    if (st == RETORT_OK) st = add_corpus(trainer, err);
    if (st == RETORT_OK) st = rt_bpe_trainer_write(trainer, size, TEMPLATE, dir, err);
    rt_bpe_trainer_destroy(trainer);
    return st;
}

static json_t *load_json(const char *dir, const char *name) {
    retort_error err;
    char path[4096];
    json_t *root = NULL;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_ok(rt_json_load(path, &root, &err));
    return root;
}

static void test_equals_tokenizers(void **state) {
    (void)state;
    retort_error err;
    char *dir = make_dir();
    assert_ok(train(dir, 600, &err));
    json_t *ours = load_json(dir, "tokenizer.json"), *theirs = NULL;
    assert_ok(rt_json_load(golden("gpt2.json"), &theirs, &err));
    const json_t *model = json_object_get(ours, "model"), *expected = json_object_get(theirs, "model");
    assert_true(json_equal(json_object_get(model, "vocab"), json_object_get(expected, "vocab")));
    const json_t *merges = json_object_get(model, "merges"), *pairs = json_object_get(expected, "merges");
    assert_int_equal(json_array_size(merges), json_array_size(pairs));
    for (size_t i = 0; i < json_array_size(pairs); i++) {
        const json_t *pair = json_array_get(pairs, i);
        char text[256];
        snprintf(text, sizeof text, "%s %s", json_string_value(json_array_get(pair, 0)),
                 json_string_value(json_array_get(pair, 1)));
        assert_string_equal(text, json_string_value(json_array_get(merges, i)));
    }
    assert_true(json_equal(json_object_get(ours, "added_tokens"), json_object_get(theirs, "added_tokens")));
    json_decref(ours);
    json_decref(theirs);
    drop_dir(dir);
}

static void test_trained_tokenizer_loads(void **state) {
    (void)state;
    retort_error err;
    char *dir = make_dir();
    assert_ok(train(dir, 600, &err));
    rt_tokenizer *t = NULL;
    assert_ok(rt_tokenizer_load(dir, &t, &err));
    assert_int_equal(rt_tokenizer_eos(t), 0);
    assert_int_equal(rt_tokenizer_find(t, "<|endoftext|>"), 0);
    rt_buffer out = {0};
    assert_ok(rt_tokenizer_render_problem(t, "x", &out, &err));
    assert_string_equal(out.data, "Problem: it's x\nAn\\swer:\n");
    rt_buffer_free(&out);
    json_t *config = load_json(dir, "tokenizer_config.json");
    assert_int_equal(json_integer_value(json_object_get(config, "model_max_length")), 512);
    assert_string_equal(json_string_value(json_object_get(config, "chat_template")),
                        "{%- for message in messages -%}{%- if message['role'] == 'user' -%}"
                        "{{- 'Problem: it\\'s ' + message['content'] + '\\nAn\\\\swer:\\n' -}}"
                        "{%- elif message['role'] == 'assistant' -%}{{- message['content'] + eos_token -}}"
                        "{%- else -%}{{- raise_exception('only user and assistant messages are supported') -}}"
                        "{%- endif -%}{%- endfor -%}");
    const json_t *map = json_object_get(json_object_get(config, "auto_map"), "AutoTokenizer");
    assert_int_equal(json_array_size(map), 2); /* why it must be there: src/text/write.c */
    json_decref(config);
    rt_tokenizer_destroy(t);
    drop_dir(dir);
}

/* Numbers of up to three digits, with the space before them, become one token each where the corpus has them often. */
static void test_numbers_are_single_tokens(void **state) {
    (void)state;
    retort_error err;
    rt_bpe_trainer *trainer = NULL;
    assert_ok(rt_bpe_trainer_create(&trainer, &err));
    char text[64];
    for (int repeat = 0; repeat < 3; repeat++) {
        for (int i = 0; i < 300; i++) {
            int length = snprintf(text, sizeof text, "%d + %d = %d", i, i, i);
            assert_ok(rt_bpe_trainer_add(trainer, text, (size_t)length, &err));
        }
    }
    char *dir = make_dir();
    assert_ok(rt_bpe_trainer_write(trainer, 1024, "{problem}", dir, &err));
    rt_bpe_trainer_destroy(trainer);
    rt_tokenizer *t = NULL;
    assert_ok(rt_tokenizer_load(dir, &t, &err));
    for (int i = 0; i < 300; i++) {
        rt_ids ids = {0};
        int length = snprintf(text, sizeof text, "x = %d", i);
        assert_ok(rt_tokenizer_encode(t, text, (size_t)length, false, &ids, &err));
        assert_int_equal(ids.count, 3);
        rt_ids_free(&ids);
    }
    rt_tokenizer_destroy(t);
    drop_dir(dir);
}

/* The order of the documents does not matter, and any bytes can be learnt from. */
static void test_order_does_not_matter(void **state) {
    (void)state;
    retort_error err;
    char hex[2][65];
    for (int reversed = 0; reversed < 2; reversed++) {
        rt_bpe_trainer *trainer = NULL;
        assert_ok(rt_bpe_trainer_create(&trainer, &err));
        for (int i = 0; i < 200; i++) {
            rt_rng rng = rt_rng_make(9, (uint64_t)(reversed ? 199 - i : i));
            char bytes[80];
            for (size_t j = 0; j < sizeof bytes; j++) bytes[j] = (char)(uint8_t)(rt_rng_u32(&rng) % 5 * 51);
            assert_ok(rt_bpe_trainer_add(trainer, bytes, sizeof bytes, &err));
        }
        char *dir = make_dir(), path[4096];
        assert_ok(rt_bpe_trainer_write(trainer, 700, "{problem}", dir, &err));
        snprintf(path, sizeof path, "%s/tokenizer.json", dir);
        assert_ok(rt_sha256_file(path, hex[reversed], &err));
        rt_bpe_trainer_destroy(trainer);
        drop_dir(dir);
    }
    assert_string_equal(hex[0], hex[1]);
}

static void test_bad_requests(void **state) {
    (void)state;
    retort_error err;
    rt_bpe_trainer *trainer = NULL;
    char *dir = make_dir();
    assert_ok(rt_bpe_trainer_create(&trainer, &err));
    assert_int_equal(rt_bpe_trainer_write(trainer, 256, "{problem}", dir, &err), RETORT_ERR_USAGE);
    assert_int_equal(rt_bpe_trainer_write(trainer, 1 << 30, "{problem}", dir, &err), RETORT_ERR_USAGE);
    assert_int_equal(rt_bpe_trainer_write(trainer, 300, "problem", dir, &err), RETORT_ERR_USAGE);
    assert_int_equal(rt_bpe_trainer_write(trainer, 300, "{problem}{problem}", dir, &err), RETORT_ERR_USAGE);
    assert_int_equal(rt_bpe_trainer_write(trainer, 300, "{problem}", "/nonexistent/dir", &err), RETORT_ERR_IO);
    /* Nothing to learn from: the bytes alone. */
    assert_ok(rt_bpe_trainer_write(trainer, 300, "{problem}", dir, &err));
    rt_tokenizer *t = NULL;
    assert_ok(rt_tokenizer_load(dir, &t, &err));
    assert_int_equal(rt_tokenizer_vocab_size(t), 257);
    rt_tokenizer_destroy(t);
    rt_bpe_trainer_destroy(trainer);
    drop_dir(dir);
}

static void test_allocation_failures(void **state) {
    (void)state;
    retort_error err;
    char *dir = make_dir();
    for (int persistent = 0; persistent < 2; persistent++) {
        bool reached = true;
        for (long n = 0; reached; n += 1 + n / 16) {
            rt_fail_alloc(n, persistent != 0);
            retort_status st = train(dir, 300, &err);
            reached = rt_alloc_count() > n;
            rt_fail_alloc(-1, false);
            if (st != RETORT_OK) assert_int_equal(st, RETORT_ERR_MEMORY);
        }
    }
    drop_dir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_tokenizers),
        cmocka_unit_test(test_trained_tokenizer_loads),
        cmocka_unit_test(test_numbers_are_single_tokens),
        cmocka_unit_test(test_order_does_not_matter),
        cmocka_unit_test(test_bad_requests),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
