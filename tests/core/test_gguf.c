/* GGUF files: what the writer wrote is read back, and every kind of broken file is refused with the place. */
#include "check.h"
#include "core/gguf.h"
#include "core/random.h"

/* ---- files made by hand ---- */

static rt_buffer made;

static void raw(const void *bytes, size_t length) {
    assert_int_equal(rt_buffer_append(&made, bytes, length, NULL), RETORT_OK);
}
static void u32(uint32_t value) {
    raw(&value, sizeof value);
}
static void u64(uint64_t value) {
    raw(&value, sizeof value);
}
static void text(const char *value) {
    u64(strlen(value));
    raw(value, strlen(value));
}
static void header(uint32_t version, uint64_t tensors, uint64_t values) {
    rt_buffer_clear(&made);
    raw("GGUF", 4);
    u32(version);
    u64(tensors);
    u64(values);
}
static void tensor(const char *name, uint32_t dims, const uint64_t *shape, uint32_t type, uint64_t offset) {
    text(name);
    u32(dims);
    for (uint32_t i = 0; i < dims; i++) u64(shape[i]);
    u32(type);
    u64(offset);
}
static void pad(size_t alignment) {
    while (made.length % alignment != 0) raw("", 1);
}
static void zeros(size_t count) {
    for (size_t i = 0; i < count; i++) raw("", 1);
}

static retort_error err;

#define check_ok(expr)                                                                                                 \
    do {                                                                                                               \
        if ((expr) != RETORT_OK) fail_msg("%s: %s", #expr, err.message);                                               \
    } while (0)

static void refused(retort_status code, const char *part) {
    rt_gguf file;
    err = (retort_error){0};
    /* A copy of exactly this length, so that a sanitizer sees every byte read beyond it. */
    void *copy = malloc(made.length + (made.length == 0));
    assert_non_null(copy);
    if (made.length > 0) memcpy(copy, made.data, made.length);
    retort_status st = rt_gguf_parse(copy, made.length, "f.gguf", &file, &err);
    if (st == RETORT_OK) fail_msg("accepted, expected: %s", part);
    if (st != code || strstr(err.message, part) == NULL || strstr(err.message, "f.gguf") == NULL)
        fail_msg("status %d, message '%s', expected '%s'", (int)st, err.message, part);
    assert_null(file.values);
    free(copy);
}

/* A good file with every type of value and two tensors. */
static void good(void) {
    const uint64_t shape[] = {32, 2};
    header(3, 2, 5);
    text("general.architecture");
    u32(RT_GGUF_STRING);
    text("llama");
    text("n");
    u32(RT_GGUF_U32);
    u32(7);
    text("eps");
    u32(RT_GGUF_F32);
    raw(&(float){1e-5F}, 4);
    text("words");
    u32(RT_GGUF_ARRAY);
    u32(RT_GGUF_STRING);
    u64(3);
    text("a");
    text("");
    text("\xc3\xa9");
    text("flag");
    u32(RT_GGUF_BOOL);
    raw("\1", 1);
    tensor("b.weight", 2, shape, RT_GGML_Q8_0, 0);
    tensor("a.weight", 1, shape, RT_GGML_F32, 96);
    pad(32);
    zeros(68 + 28 + 128);
}

static void test_reading(void **state) {
    (void)state;
    rt_gguf file;
    good();
    check_ok(rt_gguf_parse(made.data, made.length, "f.gguf", &file, &err));
    assert_int_equal(file.version, 3);
    assert_int_equal(file.alignment, 32);
    char *name = NULL;
    check_ok(rt_gguf_string(&file, "general.architecture", true, &name, &err));
    assert_string_equal(name, "llama");
    rt_free(name);
    check_ok(rt_gguf_string(&file, "missing", false, &name, &err));
    assert_null(name);
    int64_t n = -1, count = 0;
    check_ok(rt_gguf_int(&file, "n", true, 0, 10, &n, &err));
    assert_int_equal(n, 7);
    double real = 0;
    check_ok(rt_gguf_real(&file, "eps", true, &real, &err));
    assert_true(real == 1e-5); /* not the float's 9.99999974737875e-06 */
    check_ok(rt_gguf_real(&file, "n", true, &real, &err));
    assert_true(real == 7);
    bool flag = false;
    check_ok(rt_gguf_bool(&file, "flag", true, &flag, &err));
    assert_true(flag);
    rt_gguf_text *words = NULL;
    check_ok(rt_gguf_texts(&file, "words", &words, &count, &err));
    assert_int_equal(count, 3);
    assert_int_equal(words[1].length, 0);
    assert_memory_equal(words[2].data, "\xc3\xa9", 2);
    rt_free(words);
    const rt_gguf_tensor *b = rt_gguf_tensor_find(&file, "b.weight");
    assert_non_null(b);
    assert_int_equal(b->count, 64);
    assert_int_equal(b->bytes, 68);
    assert_null(rt_gguf_tensor_find(&file, "c.weight"));
    rt_gguf_close(&file);
}

static void test_values_of_other_types(void **state) {
    (void)state;
    rt_gguf file;
    int64_t n = 5;
    double real = 5;
    bool flag = false;
    char *name = NULL;
    good();
    check_ok(rt_gguf_parse(made.data, made.length, "f.gguf", &file, &err));
    assert_int_equal(rt_gguf_int(&file, "eps", true, 0, 9, &n, &err), RETORT_ERR_FORMAT);
    assert_int_equal(rt_gguf_int(&file, "n", true, 0, 6, &n, &err), RETORT_ERR_FORMAT);
    assert_string_equal(err.message, "'f.gguf': the metadata 'n' is 7, must be between 0 and 6");
    assert_int_equal(n, 5);
    assert_int_equal(rt_gguf_int(&file, "missing", true, 0, 6, &n, &err), RETORT_ERR_FORMAT);
    assert_int_equal(rt_gguf_real(&file, "words", true, &real, &err), RETORT_ERR_FORMAT);
    assert_int_equal(rt_gguf_bool(&file, "n", true, &flag, &err), RETORT_ERR_FORMAT);
    assert_int_equal(rt_gguf_string(&file, "n", true, &name, &err), RETORT_ERR_FORMAT);
    rt_gguf_text *words = NULL;
    double *numbers = NULL;
    int64_t count;
    assert_int_equal(rt_gguf_texts(&file, "n", &words, &count, &err), RETORT_ERR_FORMAT);
    assert_int_equal(rt_gguf_numbers(&file, "words", &numbers, &count, &err), RETORT_ERR_FORMAT);
    assert_null(words);
    assert_null(numbers);
    rt_gguf_close(&file);
}

/* Every beginning of the file is too short for something, and nothing behind it is read. */
static void test_every_truncation(void **state) {
    (void)state;
    good();
    const size_t whole = made.length;
    for (size_t length = 0; length < whole; length++) {
        good();
        made.length = length;
        refused(RETORT_ERR_FORMAT, length < 24 ? "is no GGUF file" : "'f.gguf'");
    }
}

static void test_headers(void **state) {
    (void)state;
    good();
    made.data[0] = 'g';
    refused(RETORT_ERR_FORMAT, "is no GGUF file");
    header(1, 0, 0);
    refused(RETORT_ERR_UNSUPPORTED, "GGUF version 1, only 2 and 3");
    header(4, 0, 0);
    refused(RETORT_ERR_UNSUPPORTED, "GGUF version 4");
    header(3U << 24, 0, 0);
    refused(RETORT_ERR_UNSUPPORTED, "big-endian");
    header(3, UINT64_MAX, 0);
    refused(RETORT_ERR_FORMAT, "claims to have 18446744073709551615 tensors");
    header(3, 0, 1000);
    refused(RETORT_ERR_FORMAT, "claims to have 1000 metadata entries");
    rt_gguf file;
    header(2, 0, 0);
    check_ok(rt_gguf_parse(made.data, made.length, "f.gguf", &file, &err));
    rt_gguf_close(&file);
}

static void test_metadata(void **state) {
    (void)state;
    const struct {
        const char *key, *message;
        uint32_t type, element;
        uint64_t count;
    } cases[] = {
        {"k", "unknown metadata type 13", 13, 0, 0},
        {"k", "unknown metadata type 99", RT_GGUF_ARRAY, 99, 1},
        {"k", "array of arrays", RT_GGUF_ARRAY, RT_GGUF_ARRAY, 1},
        {"k", "is truncated", RT_GGUF_ARRAY, RT_GGUF_U64, UINT64_MAX / 8 + 1},
        {"k", "is truncated", RT_GGUF_ARRAY, RT_GGUF_U8, UINT64_MAX},
        {"k", "is truncated", RT_GGUF_ARRAY, RT_GGUF_STRING, UINT64_MAX},
        {"", "empty key", RT_GGUF_U8, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        header(3, 0, 1);
        text(cases[i].key);
        u32(cases[i].type);
        u32(cases[i].element);
        u64(cases[i].count);
        zeros(64);
        refused(i == 2 ? RETORT_ERR_UNSUPPORTED : RETORT_ERR_FORMAT, cases[i].message);
    }
    header(3, 0, 1);
    u64(UINT64_MAX); /* a key's length */
    zeros(64);
    refused(RETORT_ERR_FORMAT, "is truncated");
    header(3, 0, 1);
    u64(2);
    raw("k\0", 2);
    zeros(64);
    refused(RETORT_ERR_FORMAT, "with a NUL");
    header(3, 0, 1);
    text("k");
    u32(RT_GGUF_BOOL);
    raw("\2", 1);
    refused(RETORT_ERR_FORMAT, "boolean of value 2");
    header(3, 0, 2);
    for (int i = 0; i < 2; i++) {
        text("k");
        u32(RT_GGUF_U8);
        raw("", 1);
    }
    refused(RETORT_ERR_FORMAT, "'k' is there twice");
    const uint32_t alignments[] = {0, 3, 48, 1U << 31};
    for (size_t i = 0; i < 4; i++) {
        header(3, 0, 1);
        text("general.alignment");
        u32(RT_GGUF_U32);
        u32(alignments[i]);
        refused(RETORT_ERR_FORMAT, "general.alignment");
    }
}

static void test_tensors(void **state) {
    (void)state;
    static const uint64_t row[] = {32, 1, 1, 1, 1}, odd[] = {31, 1}, none[] = {0}, negative[] = {UINT64_MAX},
                          huge[] = {1ULL << 32, 1ULL << 31}, many[] = {1ULL << 40, 1ULL << 22};
    const struct {
        const char *name, *message;
        uint32_t dims;
        const uint64_t *shape;
        uint32_t type;
        uint64_t offset;
        retort_status code;
    } cases[] = {
        {"t", "0 dimensions", 0, row, 0, 0, RETORT_ERR_FORMAT},
        {"t", "5 dimensions", 5, row, 0, 0, RETORT_ERR_FORMAT},
        {"t", "impossible size 0", 1, none, 0, 0, RETORT_ERR_FORMAT},
        {"t", "impossible size 18446744073709551615", 1, negative, 0, 0, RETORT_ERR_FORMAT},
        {"t", "impossible size", 2, huge, 0, 0, RETORT_ERR_FORMAT},
        {"t", "overflows 64 bits", 2, many, RT_GGML_F32, 0, RETORT_ERR_FORMAT},
        {"t", "unknown type 4", 1, row, 4, 0, RETORT_ERR_UNSUPPORTED},
        {"t", "rows of 31 elements, no multiple of the 32 of a Q4_0 block", 1, odd, RT_GGML_Q4_0, 0, RETORT_ERR_FORMAT},
        {"t", "no multiple of the 256", 1, row, RT_GGML_Q4_K, 0, RETORT_ERR_FORMAT},
        {"t", "no multiple of the alignment 32", 1, row, 0, 16, RETORT_ERR_FORMAT},
        {"t", "tensor 't' needs 128 bytes from byte 32", 1, row, 0, 32, RETORT_ERR_FORMAT},
        {"t", "tensor 't' needs 128 bytes", 1, row, 0, UINT64_MAX - 31, RETORT_ERR_FORMAT},
        {"", "a tensor's name", 1, row, 0, 0, RETORT_ERR_FORMAT},
        {"a.name.that.is.longer.than.the.sixty-three.bytes.that.ggml.has.for.it", "a tensor's name", 1, row, 0, 0,
         RETORT_ERR_FORMAT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        header(3, 1, 0);
        tensor(cases[i].name, cases[i].dims, cases[i].shape, cases[i].type, cases[i].offset);
        pad(32);
        zeros(128);
        refused(cases[i].code, cases[i].message);
    }
    header(3, 2, 0);
    tensor("one", 1, row, 0, 0);
    tensor("two", 1, row, 0, 96);
    pad(32);
    zeros(256);
    refused(RETORT_ERR_FORMAT, "'one' and 'two' overlap");
    header(3, 2, 0);
    tensor("one", 1, row, 0, 0);
    tensor("one", 1, row, 0, 128);
    pad(32);
    zeros(256);
    refused(RETORT_ERR_FORMAT, "'one' is there twice");
}

/* Random damage: an error or a file whose tensors lie inside it, never anything else. */
static void test_damage(void **state) {
    (void)state;
    rt_rng rng = rt_rng_make(5, 0);
    for (int round = 0; round < 20000; round++) {
        good();
        const int changes = 1 + (int)rt_rng_below(&rng, 3);
        for (int i = 0; i < changes; i++)
            made.data[4 + rt_rng_below(&rng, (uint32_t)made.length - 4)] = (char)rt_rng_below(&rng, 256);
        rt_gguf file;
        err = (retort_error){0};
        if (rt_gguf_parse(made.data, made.length, "f.gguf", &file, &err) != RETORT_OK) {
            assert_true(err.message[0] != '\0');
            continue;
        }
        for (int64_t i = 0; i < file.num_tensors; i++) {
            const unsigned char *begin = (const unsigned char *)made.data, *data = file.tensors[i].data;
            assert_true(data >= begin && data + file.tensors[i].bytes <= begin + made.length);
        }
        rt_gguf_close(&file);
    }
}

static void test_writing(void **state) {
    (void)state;
    const char *path = in_scratch("w.gguf");
    rt_gguf_writer writer = {0};
    rt_atomic_file out;
    const int64_t shape[] = {64, 2};
    const char *const words[] = {"x", "yy"};
    const float data[128] = {1, 2, 3};
    check_ok(rt_gguf_put_string(&writer, "s", "text", &err));
    check_ok(rt_gguf_put_bool(&writer, "b", true, &err));
    check_ok(rt_gguf_put_u32(&writer, "u", 9, &err));
    check_ok(rt_gguf_put_f32(&writer, "f", 0.5F, &err));
    check_ok(rt_gguf_put_strings(&writer, "w", words, 2, &err));
    check_ok(rt_gguf_put_i32s(&writer, "i", (const int32_t[]){-1, 4}, 2, &err));
    check_ok(rt_gguf_put_f32s(&writer, "r", (const float[]){0.25F}, 1, &err));
    check_ok(rt_gguf_declare(&writer, "t", RT_GGML_F32, 2, shape, &err));
    check_ok(rt_gguf_declare(&writer, "h", RT_GGML_F16, 1, (const int64_t[]){3}, &err));
    assert_int_equal(rt_gguf_declare(&writer, "q", RT_GGML_Q8_0, 1, (const int64_t[]){3}, &err), RETORT_ERR_STATE);
    check_ok(rt_atomic_open(&out, path, &err));
    check_ok(rt_gguf_write_header(&writer, &out, &err));
    check_ok(rt_gguf_write_tensor(&writer, &out, data, 256, &err));
    assert_int_equal(rt_gguf_write_end(&writer, &out, &err), RETORT_ERR_STATE);
    check_ok(rt_gguf_write_tensor(&writer, &out, data + 64, 256, &err));
    assert_int_equal(rt_gguf_write_tensor(&writer, &out, data, 8, &err), RETORT_ERR_STATE);
    check_ok(rt_gguf_write_tensor(&writer, &out, "abcdef", 6, &err));
    check_ok(rt_gguf_write_end(&writer, &out, &err));
    check_ok(rt_atomic_commit(&out, &err));
    rt_gguf_writer_free(&writer);
    assert_true(rt_gguf_is(path));
    assert_false(rt_gguf_is(scratch));
    rt_gguf file;
    check_ok(rt_gguf_open(path, &file, &err));
    double *numbers = NULL;
    int64_t count = 0;
    check_ok(rt_gguf_numbers(&file, "i", &numbers, &count, &err));
    assert_int_equal(count, 2);
    assert_true(numbers[0] == -1 && numbers[1] == 4);
    rt_free(numbers);
    const rt_gguf_tensor *t = rt_gguf_tensor_find(&file, "t"), *h = rt_gguf_tensor_find(&file, "h");
    assert_memory_equal(t->data, data, sizeof data);
    assert_memory_equal(h->data, "abcdef", 6);
    assert_int_equal(t->shape[0], 64);
    rt_gguf_close(&file);
}

static int drop(void **state) {
    rt_buffer_free(&made);
    return remove_scratch(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reading),          cmocka_unit_test(test_values_of_other_types),
        cmocka_unit_test(test_every_truncation), cmocka_unit_test(test_headers),
        cmocka_unit_test(test_metadata),         cmocka_unit_test(test_tensors),
        cmocka_unit_test(test_damage),           cmocka_unit_test(test_writing),
    };
    return cmocka_run_group_tests_name("gguf", tests, make_scratch, drop);
}
