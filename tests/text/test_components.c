/* Every kind of tokenizer against the tokenizers package (golden/generate_components.py): ids, decoded text, spans and
 * streams. */
#include "support.h"

#include <string.h>

#include "text/bytes.h"

typedef struct kind {
    const char *name;
    bool spells_spans; /* a token's bytes are those of its span: no normalizer, nothing put in */
} kind;

static const kind KINDS[] = {{"qwen", false},
                             {"flags", false},
                             {"llama3", true},
                             {"smollm", true},
                             {"deepseek", true},
                             {"prefixed", false},
                             {"behaviors", false},
                             {"llama2", false},
                             {"metaspace_first", false},
                             {"metaspace_split", false},
                             {"no_fallback", false}};

static rt_tokenizer *load(const json_t *all, const char *name) {
    retort_error err;
    rt_tokenizer *t = NULL;
    assert_ok(rt_tokenizer_parse(json_object_get(json_object_get(all, name), "tokenizer"), NULL, &t, &err));
    return t;
}

static rt_ids ids_of(const json_t *list) {
    retort_error err;
    rt_ids ids = {0};
    for (size_t i = 0; i < json_array_size(list); i++) {
        assert_ok(rt_ids_push(&ids, (int32_t)json_integer_value(json_array_get(list, i)), &err));
    }
    return ids;
}

static void expect_ids(const kind *k, const char *text, const rt_ids *got, const json_t *wanted) {
    rt_ids other = ids_of(wanted);
    if (got->count != other.count ||
        (got->count > 0 && memcmp(got->data, other.data, (size_t)got->count * sizeof *got->data) != 0)) {
        fail_msg("%s: ids of '%s' differ from the tokenizers package", k->name, text);
    }
    rt_ids_free(&other);
}

static void expect_text(const kind *k, const rt_buffer *got, const json_t *wanted) {
    if (got->length != json_string_length(wanted) ||
        (got->length > 0 && memcmp(got->data, json_string_value(wanted), got->length) != 0)) {
        fail_msg("%s: '%s' instead of '%s'", k->name, got->data != NULL ? got->data : "", json_string_value(wanted));
    }
}

/* Spans follow one another, stay inside the text and begin and end between characters or inside one that is split. */
static void check_spans(const kind *k, const rt_tokenizer *t, const json_t *text, const rt_ids *ids,
                        const rt_spans *spans) {
    const char *bytes = json_string_value(text);
    size_t length = json_string_length(text), last = 0;
    assert_int_equal(ids->count, spans->count);
    for (int64_t i = 0; i < spans->count; i++) {
        rt_span s = spans->data[i];
        size_t size = 0;
        const char *piece = rt_tokenizer_piece(t, ids->data[i], &size);
        if (s.begin > s.end || s.end > length || s.end < last) fail_msg("%s: spans of '%s'", k->name, bytes);
        last = s.end;
        if (!k->spells_spans || s.begin == s.end) continue;
        if (s.end - s.begin != size || memcmp(bytes + s.begin, piece, size) != 0) {
            fail_msg("%s: span %lld of '%s'", k->name, (long long)i, bytes);
        }
    }
}

static void check_stream(const kind *k, const rt_tokenizer *t, const rt_ids *ids, const json_t *wanted) {
    retort_error err;
    rt_decode_stream stream = {0};
    rt_buffer out = {0};
    for (int64_t i = 0; i < ids->count; i++) {
        assert_ok(rt_decode_stream_push(&stream, t, ids->data[i], true, &out, &err));
        for (size_t at = 0; at < out.length;) {
            int size = rt_utf8_char(out.data + at, out.length - at, NULL);
            if (size == 0) fail_msg("%s: half a character was emitted", k->name);
            at += (size_t)size;
        }
    }
    assert_ok(rt_decode_stream_finish(&stream, &out, &err));
    /* Broken bytes of a byte fallback: shown characters are not taken back, so only valid texts must be equal. */
    if (k->spells_spans || strstr(json_string_value(wanted), "\xef\xbf\xbd") == NULL) expect_text(k, &out, wanted);
    rt_buffer_free(&out);
}

static void check_case(const kind *k, const rt_tokenizer *t, const json_t *c) {
    retort_error err;
    const json_t *text = json_object_get(c, "text"), *plain = json_object_get(c, "plain");
    const char *bytes = json_string_value(text);
    rt_ids ids = {0};
    rt_spans spans = {0};
    rt_buffer back = {0};
    int flags = RT_ENCODE_PARSE_SPECIAL | RT_ENCODE_POST_PROCESS;
    assert_ok(rt_tokenizer_encode_spans(t, bytes, json_string_length(text), flags, &ids, &spans, &err));
    expect_ids(k, bytes, &ids, json_object_get(c, "ids"));
    check_spans(k, t, text, &ids, &spans);
    assert_ok(rt_tokenizer_decode_text(t, ids.data, ids.count, true, &back, &err));
    expect_text(k, &back, json_object_get(c, "back"));
    check_stream(k, t, &ids, json_object_get(c, "back"));
    ids.count = 0;
    assert_ok(rt_tokenizer_encode_spans(t, bytes, json_string_length(text), flags, &ids, NULL, &err));
    expect_ids(k, bytes, &ids, json_object_get(c, "ids"));
    ids.count = 0;
    assert_ok(rt_tokenizer_encode(t, bytes, json_string_length(text), false, &ids, &err));
    expect_ids(k, bytes, &ids, plain != NULL ? plain : json_object_get(c, "ids"));
    rt_buffer_free(&back);
    rt_spans_free(&spans);
    rt_ids_free(&ids);
}

static void check_decode(const kind *k, const rt_tokenizer *t, const json_t *c) {
    retort_error err;
    rt_ids ids = ids_of(json_object_get(c, "ids"));
    rt_buffer out = {0};
    assert_ok(rt_tokenizer_decode_text(t, ids.data, ids.count, true, &out, &err));
    expect_text(k, &out, json_object_get(c, "text"));
    rt_buffer_clear(&out);
    assert_ok(rt_tokenizer_decode_text(t, ids.data, ids.count, false, &out, &err));
    expect_text(k, &out, json_object_get(c, "all"));
    check_stream(k, t, &ids, json_object_get(c, "text"));
    rt_buffer_free(&out);
    rt_ids_free(&ids);
}

static void test_golden(void **state) {
    (void)state;
    retort_error err;
    json_t *all = NULL;
    assert_ok(rt_json_load(golden("components.json"), &all, &err));
    assert_int_equal(json_object_size(all), sizeof KINDS / sizeof *KINDS);
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        const json_t *one = json_object_get(all, KINDS[i].name);
        const json_t *cases = json_object_get(one, "cases"), *decodes = json_object_get(one, "decodes");
        rt_tokenizer *t = load(all, KINDS[i].name);
        assert_true(json_array_size(cases) > 70 && json_array_size(decodes) >= 25);
        for (size_t j = 0; j < json_array_size(cases); j++) check_case(&KINDS[i], t, json_array_get(cases, j));
        for (size_t j = 0; j < json_array_size(decodes); j++) check_decode(&KINDS[i], t, json_array_get(decodes, j));
        rt_tokenizer_destroy(t);
    }
    json_decref(all);
}

/* A text of one long word gives the ids of its pieces: cutting at marks changes nothing but time. */
static void test_long_text(void **state) {
    (void)state;
    retort_error err;
    json_t *all = NULL;
    assert_ok(rt_json_load(golden("components.json"), &all, &err));
    rt_tokenizer *t = load(all, "llama2");
    rt_buffer text = {0};
    rt_ids ids = {0};
    for (int i = 0; i < 200000; i++) assert_ok(rt_buffer_puts(&text, i % 7 == 0 ? "\xe2\x82\xac" : "check  it", &err));
    assert_ok(rt_tokenizer_encode(t, text.data, text.length, false, &ids, &err));
    rt_buffer back = {0};
    assert_ok(rt_tokenizer_decode(t, ids.data, ids.count, false, &back, &err));
    assert_int_equal(back.length, text.length);
    assert_memory_equal(back.data, text.data, text.length);
    rt_buffer_free(&back);
    rt_buffer_free(&text);
    rt_ids_free(&ids);
    rt_tokenizer_destroy(t);
    json_decref(all);
}

/* Reading, encoding with spans and decoding, each allocation failing once and for good. */
static void test_allocation_failures(void **state) {
    (void)state;
    static const char *const NAMES[] = {"flags", "llama2", "metaspace_split"};
    static const char TEXT[] = "<s> \xc3\xa9\xe2\x98\x83 e\xcc\x81 check \xf0\x9f\x99\x82 <left> wait 12";
    retort_error err;
    json_t *all = NULL;
    assert_ok(rt_json_load(golden("components.json"), &all, &err));
    for (size_t k = 0; k < 6; k++) {
        const json_t *root = json_object_get(json_object_get(all, NAMES[k / 2]), "tokenizer");
        long n = 0;
        for (bool reached = true; reached; n += n < 400 ? 1 : 37) {
            rt_tokenizer *t = NULL;
            rt_ids ids = {0};
            rt_spans spans = {0};
            rt_buffer out = {0};
            rt_decode_stream stream = {0};
            rt_fail_alloc(n, k % 2 == 1);
            retort_status st = rt_tokenizer_parse(root, NULL, &t, &err);
            if (st == RETORT_OK) st = rt_tokenizer_encode_spans(t, TEXT, sizeof TEXT - 1, 3, &ids, &spans, &err);
            if (st == RETORT_OK) st = rt_tokenizer_decode_text(t, ids.data, ids.count, true, &out, &err);
            for (int64_t i = 0; st == RETORT_OK && i < ids.count; i++) {
                st = rt_decode_stream_push(&stream, t, ids.data[i], false, &out, &err);
            }
            reached = rt_alloc_count() > n;
            rt_fail_alloc(-1, false);
            if (st != RETORT_OK) assert_int_equal(st, RETORT_ERR_MEMORY);
            rt_tokenizer_destroy(t);
            rt_ids_free(&ids);
            rt_spans_free(&spans);
            rt_buffer_free(&out);
        }
        assert_true(n > 40);
    }
    json_decref(all);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_long_text),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
