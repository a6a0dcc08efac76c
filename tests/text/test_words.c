/* The hand-written matchers against PCRE2 on the same patterns; the cache of words; where texts are cut. */
#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "core/random.h"
#include "text/junction.h"
#include "text/split.h"
#include "text/unicode.h"
#include "text/wordcache.h"
#include "text/words.h"

static rt_splitter *make_splitter(const char *text, bool plain) {
    retort_error err;
    rt_splitter *s = NULL;
    assert_ok(rt_splitter_create(&s, &err));
    assert_ok(rt_splitter_add(s, &(rt_split_stage){.pattern = text, .plain = plain}, &err));
    return s;
}

/* The lengths of the pieces, one after another. */
static retort_status note_length(void *context, const char *piece, size_t length, retort_error *err) {
    (void)piece;
    return rt_buffer_append(context, &length, sizeof length, err);
}

static void compare(const rt_splitter *ours, const rt_splitter *oracle, const char *text, size_t length, int number) {
    retort_error err;
    rt_buffer a = {0}, b = {0};
    assert_ok(rt_splitter_run(ours, text, length, note_length, &a, &err));
    assert_ok(rt_splitter_run(oracle, text, length, note_length, &b, &err));
    if (a.length != b.length || (a.length > 0 && memcmp(a.data, b.data, a.length) != 0)) {
        fail_msg("pattern %d cuts '%.*s' differently from PCRE2", number, (int)length, text);
    }
    rt_buffer_free(&a);
    rt_buffer_free(&b);
}

/* Every regular expression in the files of these models has its function. */
static void test_patterns_are_known(void **state) {
    (void)state;
    static const char *const NAMES[] = {"qwen", "llama3", "deepseek"};
    retort_error err;
    json_t *all = NULL;
    assert_ok(rt_json_load(golden("components.json"), &all, &err));
    for (size_t k = 0; k < sizeof NAMES / sizeof *NAMES; k++) {
        const json_t *root = json_object_get(json_object_get(all, NAMES[k]), "tokenizer");
        const json_t *steps = json_object_get(json_object_get(root, "pre_tokenizer"), "pretokenizers");
        assert_true(json_array_size(steps) >= 2);
        for (size_t i = 0; i + 1 < json_array_size(steps); i++) {
            const json_t *regex = json_object_get(json_object_get(json_array_get(steps, i), "pattern"), "Regex");
            assert_non_null(rt_matcher_find(json_string_value(regex)));
        }
    }
    for (int i = 0; i < 10; i++) assert_non_null(rt_matcher_find(rt_matcher_pattern(i)));
    assert_null(rt_matcher_pattern(10));
    assert_null(rt_matcher_find("\\p{N}{1,4}"));
    assert_null(rt_matcher_find(""));
    json_decref(all);
}

/* Texts of what the patterns treat differently, in every order. */
static void test_random_texts(void **state) {
    (void)state;
    static const char *const PARTS[] = {"'",
                                        "s",
                                        "S",
                                        "\xc5\xbf",
                                        "t",
                                        "re",
                                        "LL",
                                        "'ve",
                                        " ",
                                        "  ",
                                        "\n",
                                        "\r",
                                        "\r\n",
                                        "\t",
                                        "\xc2\xa0",
                                        "\xe3\x80\x80",
                                        "\xe2\x80\xa8",
                                        "\x0b",
                                        "1",
                                        "23",
                                        "\xd9\xa3",
                                        "\xc2\xbd",
                                        "\xe2\x85\xa7",
                                        "!",
                                        "((",
                                        "$",
                                        "\\",
                                        "_",
                                        "\xe2\x82\xac",
                                        "\xe2\x80\x9c",
                                        "\xc3\xa9",
                                        "e\xcc\x81",
                                        "\xcc\x81",
                                        "\xe0\xa4\x95\xe0\xa5\x8d",
                                        "\xe4\xb8\x80",
                                        "\xe9\xbe\xa5",
                                        "\xe9\xbe\xa6",
                                        "\xe3\x81\x81",
                                        "\xe3\x83\xbf",
                                        "\xe3\x84\x80",
                                        "\xe3\x80\xbf",
                                        "\xf0\x9f\x91\x8d",
                                        "\xf0\x9f\x8f\xbd",
                                        "\xe2\x80\x8d",
                                        "\xef\xb8\x8f",
                                        "\xf0\xa0\x80\x80",
                                        "\x01",
                                        "\x7f",
                                        "\xef\xbf\xbd",
                                        "\xee\x80\x80",
                                        "a",
                                        "Zb",
                                        "\xff",
                                        "\xf0\x9d\x9f\x98",
                                        "\xf0\x91\xb7\xa0"};
    rt_rng rng = rt_rng_make(11, 0);
    for (int i = 0; rt_matcher_pattern(i) != NULL; i++) {
        rt_splitter *ours = make_splitter(rt_matcher_pattern(i), false),
                    *oracle = make_splitter(rt_matcher_pattern(i), true);
        char text[256];
        for (int k = 0; k < 30000; k++) {
            size_t length = 0;
            for (int parts = 1 + (int)rt_rng_below(&rng, 12); parts > 0; parts--) {
                const char *part = PARTS[rt_rng_below(&rng, sizeof PARTS / sizeof *PARTS)];
                memcpy(text + length, part, strlen(part));
                length += strlen(part);
            }
            compare(ours, oracle, text, length, i);
        }
        rt_splitter_destroy(ours);
        rt_splitter_destroy(oracle);
    }
}

/* Every code point between letters, digits and spaces. A newer PCRE2 may know characters that the package does not, so
 * unassigned ones are left out. */
static void test_every_code_point(void **state) {
    (void)state;
    const uint8_t *bits = rt_unicode_bits();
    for (int i = 0; rt_matcher_pattern(i) != NULL; i++) {
        rt_splitter *ours = make_splitter(rt_matcher_pattern(i), false),
                    *oracle = make_splitter(rt_matcher_pattern(i), true);
        char text[8192];
        size_t length = 0;
        for (int32_t code = 1; code < 0x110000; code++) {
            bool known = (bits[code] & 0x7F) != 0 || utf8proc_category(code) != UTF8PROC_CATEGORY_CN;
            if (code >= 0xD800 && code <= 0xDFFF) continue;
            if (known) {
                static const char *const AROUND[] = {"a", "1", " ", "\n", "!", "\xcc\x81"};
                length += (size_t)utf8proc_encode_char(code, (utf8proc_uint8_t *)text + length);
                const char *more = AROUND[((uint32_t)code * 2654435761u >> 16) % 6];
                memcpy(text + length, more, strlen(more));
                length += strlen(more);
            }
            if (length < 8000 && code < 0x10FFFF) continue;
            compare(ours, oracle, text, length, i);
            length = 0;
        }
        rt_splitter_destroy(ours);
        rt_splitter_destroy(oracle);
    }
}

/* What is found is what was put in, for words of every length that differ in one byte. */
static void test_word_cache(void **state) {
    (void)state;
    retort_error err;
    rt_word_cache cache = {0};
    assert_ok(rt_word_cache_create(&cache, &err));
    rt_rng rng = rt_rng_make(12, 0);
    long hits = 0;
    for (int i = 0; i < 400000; i++) {
        char word[RT_WORD_MAX];
        size_t length = 1 + rt_rng_below(&rng, RT_WORD_MAX), place = rt_rng_below(&rng, (uint32_t)length);
        memset(word, 'x', sizeof word);
        word[place] = (char)('a' + rt_rng_below(&rng, 3));
        int32_t ids[RT_WORD_IDS + 1];
        int64_t count = (int64_t)((length + place) % (RT_WORD_IDS + 2));
        for (int64_t k = 0; k < count; k++) ids[k] = (int32_t)((length * 64 + place) * 256) + word[place];
        bool found = false;
        rt_word_entry *e = rt_word_cache_find(&cache, word, length, &found);
        if (!found) {
            rt_word_cache_fill(e, ids, count);
            continue;
        }
        hits++;
        assert_int_equal(e->count, count);
        assert_memory_equal(e->ids, ids, (size_t)count * sizeof *ids);
    }
    assert_true(hits > 100000);
    rt_word_cache_free(&cache);
}

static void test_junctions(void **state) {
    (void)state;
    retort_error err;
    rt_junctions j = {0};
    assert_ok(rt_junctions_create(&j, &err));
    assert_true(rt_junctions_add(&j, "xa", "bc"));
    assert_true(rt_junctions_add(&j, "\xe2\x96\x81", "\xf0\x9f\x91\x8dz"));
    assert_true(rt_junctions_join(&j, 'a', 'b'));
    assert_true(rt_junctions_join(&j, 0x2581, 0x1F44D));
    assert_false(rt_junctions_join(&j, 'b', 'a'));
    assert_false(rt_junctions_join(&j, 'x', 'b'));
    assert_false(rt_junctions_join(&j, 'a', 0x1F44D));
    assert_false(rt_junctions_add(&j, "", "a"));
    assert_false(rt_junctions_add(&j, "a", ""));
    assert_false(rt_junctions_add(&j, "a\xff", "a"));
    assert_false(rt_junctions_add(&j, "a", "\xff"));
    rt_junctions_free(&j);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns_are_known), cmocka_unit_test(test_random_texts),
        cmocka_unit_test(test_every_code_point),   cmocka_unit_test(test_word_cache),
        cmocka_unit_test(test_junctions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
