/* Every kind of tokenizer against the tokenizers package (golden/generate_components.py): ids, decoded text, spans and
 * streams. */
#include "support.h"

#include <pthread.h>
#include <string.h>

#include "core/random.h"
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

/* ---- streams ---- */

enum { MAX_MATCHES = 64 };

/* A random token among those whose bytes stand at text; *width gets their number. */
static int32_t random_token(const rt_tokenizer *t, rt_rng *rng, const char *text, size_t length, size_t *width) {
    int32_t match[MAX_MATCHES];
    uint32_t count = 0;
    for (int32_t id = 0; id < rt_tokenizer_vocab_size(t) && count < MAX_MATCHES; id++) {
        size_t size = 0;
        const char *piece = rt_tokenizer_piece(t, id, &size);
        if (size > 0 && size <= length && memcmp(piece, text, size) == 0) match[count++] = id;
    }
    assert_true(count > 0);
    int32_t id = match[rt_rng_below(rng, count)];
    (void)rt_tokenizer_piece(t, id, width);
    return id;
}

/* Any way to put a text together from tokens, most of which cut characters: what has been shown is at every step all
 * whole characters so far, and nothing else. */
static void stream_random_splits(const rt_tokenizer *t, rt_rng *rng) {
    static const char *const PARTS[] = {"a",  " the",   "\xc3\xa9", "\xe6\x95\xb0", "\xf0\x9f\x91\x8d", "\xe0\xa4\x95",
                                        "\n", "check ", "\xd9\x85", "e\xcc\x81"};
    retort_error err;
    rt_decode_stream stream = {0};
    rt_buffer shown = {0};
    char text[256] = "x";
    size_t length = 1, whole = 0;
    for (uint32_t parts = rt_rng_below(rng, 24); parts > 0; parts--) {
        const char *part = PARTS[rt_rng_below(rng, sizeof PARTS / sizeof *PARTS)];
        memcpy(text + length, part, strlen(part));
        length += strlen(part);
    }
    for (size_t done = 0, width = 0; done < length; done += width) {
        int32_t id = random_token(t, rng, text + done, length - done, &width);
        assert_ok(rt_decode_stream_push(&stream, t, id, false, &shown, &err));
        for (size_t size; whole < done + width; whole += size) {
            size = (size_t)rt_utf8_char(text + whole, length - whole, NULL);
            if (whole + size > done + width) break;
        }
        assert_int_equal(shown.length, whole);
        assert_memory_equal(shown.data != NULL ? shown.data : "", text, whole);
    }
    assert_ok(rt_decode_stream_finish(&stream, &shown, &err));
    assert_int_equal(shown.length, length);
    rt_buffer_free(&shown);
}

static void test_stream_random_splits(void **state) {
    (void)state;
    static const char *const NAMES[] = {"qwen", "llama3", "smollm", "deepseek", "llama2", "metaspace_first"};
    retort_error err;
    json_t *all = NULL;
    rt_rng rng = rt_rng_make(13, 0);
    assert_ok(rt_json_load(golden("components.json"), &all, &err));
    for (size_t k = 0; k < sizeof NAMES / sizeof *NAMES; k++) {
        rt_tokenizer *t = load(all, NAMES[k]);
        for (int i = 0; i < 1000; i++) stream_random_splits(t, &rng);
        rt_tokenizer_destroy(t);
    }
    json_decref(all);
}

/* ---- many threads ---- */

typedef struct encoder {
    const rt_tokenizer *t;
    const json_t *cases;
    uint64_t seed;
} encoder;

/* Encodes texts in an order of its own; the ids are those of the package whatever the others do. */
static void *encode_in_thread(void *argument) {
    const encoder *e = argument;
    rt_rng rng = rt_rng_make(e->seed, 0);
    for (int i = 0; i < 2000; i++) {
        const json_t *c = json_array_get(e->cases, rt_rng_below(&rng, (uint32_t)json_array_size(e->cases)));
        const json_t *text = json_object_get(c, "text"), *wanted = json_object_get(c, "ids");
        rt_ids ids = {0};
        retort_error err;
        int flags = RT_ENCODE_PARSE_SPECIAL | RT_ENCODE_POST_PROCESS;
        retort_status st =
            rt_tokenizer_encode_spans(e->t, json_string_value(text), json_string_length(text), flags, &ids, NULL, &err);
        bool equal = st == RETORT_OK && ids.count == (int64_t)json_array_size(wanted);
        for (int64_t k = 0; equal && k < ids.count; k++) {
            equal = ids.data[k] == json_integer_value(json_array_get(wanted, (size_t)k));
        }
        rt_ids_free(&ids);
        if (!equal) return argument;
    }
    return NULL;
}

static void test_threads(void **state) {
    (void)state;
    retort_error err;
    json_t *all = NULL;
    assert_ok(rt_json_load(golden("components.json"), &all, &err));
    for (size_t k = 0; k < sizeof KINDS / sizeof *KINDS; k += 3) {
        rt_tokenizer *t = load(all, KINDS[k].name);
        pthread_t threads[4];
        encoder jobs[4];
        for (int i = 0; i < 4; i++) {
            jobs[i] = (encoder){t, json_object_get(json_object_get(all, KINDS[k].name), "cases"), (uint64_t)i};
            assert_int_equal(pthread_create(&threads[i], NULL, encode_in_thread, &jobs[i]), 0);
        }
        for (int i = 0; i < 4; i++) {
            void *failed = NULL;
            assert_int_equal(pthread_join(threads[i], &failed), 0);
            assert_null(failed);
        }
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
        cmocka_unit_test(test_golden),    cmocka_unit_test(test_stream_random_splits), cmocka_unit_test(test_threads),
        cmocka_unit_test(test_long_text), cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
