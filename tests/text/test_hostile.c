/* Broken and unsupported tokenizer files: each is refused with a sentence that names the trouble. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "text/nfc.h"

typedef struct bad_file {
    const char *from, *to; /* one replacement in the golden file's text */
    retort_status status;
    const char *message; /* a part of what is said */
} bad_file;

static const bad_file BAD_FILES[] = {
    {"\"version\":\"1.0\"", "\"version\":\"2.0\"", RETORT_ERR_UNSUPPORTED, "version is not"},
    {"\"version\":\"1.0\"", "\"version\":\"1.0\",\"more\":1", RETORT_ERR_UNSUPPORTED, "key 'more'"},
    {"\"normalizer\":null", "\"normalizer\":{\"type\":\"Lowercase\"}", RETORT_ERR_UNSUPPORTED, "'Lowercase'"},
    {"\"normalizer\":null", "\"normalizer\":{\"kind\":1}", RETORT_ERR_FORMAT, "normalizer has no 'type'"},
    {"{\"type\":\"ByteLevel\"", "{\"type\":\"Whitespace\"", RETORT_ERR_UNSUPPORTED, "'Whitespace'"},
    {"\"add_prefix_space\":false", "\"add_prefix_space\":3", RETORT_ERR_FORMAT, "'add_prefix_space'"},
    {"\"use_regex\":true", "\"use_regex\":1", RETORT_ERR_FORMAT, "'use_regex'"},
    {"\"post_processor\":null", "\"post_processor\":{\"type\":\"BertProcessing\"}", RETORT_ERR_UNSUPPORTED,
     "post-processor 'BertProcessing'"},
    {"\"post_processor\":null", "\"post_processor\":{\"type\":\"TemplateProcessing\"}", RETORT_ERR_FORMAT,
     "no list 'single'"},
    {"\"post_processor\":null",
     "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"Sequence\":{\"id\":\"B\"}}]}",
     RETORT_ERR_FORMAT, "one sequence 'A'"},
    {"\"post_processor\":null",
     "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"x\"}}],"
     "\"special_tokens\":{\"x\":{\"ids\":[99999]}}}",
     RETORT_ERR_FORMAT, "not in the vocabulary"},
    {"\"decoder\":{\"type\":\"ByteLevel\"", "\"decoder\":{\"type\":\"Metaspace\"", RETORT_ERR_UNSUPPORTED,
     "'Metaspace'"},
    {"\"type\":\"BPE\"", "\"type\":\"Unigram\"", RETORT_ERR_UNSUPPORTED, "'Unigram'"},
    {"\"dropout\":null", "\"dropout\":0.1", RETORT_ERR_UNSUPPORTED, "'dropout'"},
    {"\"unk_token\":null", "\"unk_token\":\"<unk>\"", RETORT_ERR_FORMAT, "'unk_token' '<unk>' is not in"},
    {"\"continuing_subword_prefix\":null", "\"continuing_subword_prefix\":\"##\"", RETORT_ERR_UNSUPPORTED,
     "'continuing_subword_prefix'"},
    {"\"byte_fallback\":false", "\"byte_fallback\":1", RETORT_ERR_FORMAT, "'byte_fallback'"},
    {"\"ignore_merges\":false", "\"ignore_merges\":\"yes\"", RETORT_ERR_FORMAT, "'ignore_merges'"},
    {"\"normalizer\":null", "\"normalizer\":{\"type\":\"Sequence\"}", RETORT_ERR_FORMAT, "no list 'normalizers'"},
    {"\"normalizer\":null", "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Sequence\"}]}",
     RETORT_ERR_UNSUPPORTED, "inside a 'Sequence'"},
    {"\"normalizer\":null", "\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"a\"},\"content\":\"\"}",
     RETORT_ERR_UNSUPPORTED, "'Regex'"},
    {"\"decoder\":{\"type\":\"ByteLevel\"", "\"decoder\":{\"type\":\"WordPiece\"", RETORT_ERR_UNSUPPORTED,
     "decoder 'WordPiece'"},
    {"\"decoder\":{", "\"decoders\":{", RETORT_ERR_UNSUPPORTED, "key 'decoders'"},
    {"\"vocab\":{", "\"words\":{", RETORT_ERR_FORMAT, "no 'vocab'"},
    {"\"merges\":[", "\"mergers\":[", RETORT_ERR_FORMAT, "no 'merges'"},
    {"\"merges\":[", "\"merges\":[[\"a\",\"nothing\"],", RETORT_ERR_FORMAT,
     "merge 0 has the piece 'nothing', which is not in the vocabulary"},
    {"\"merges\":[", "\"merges\":[\"a q\",", RETORT_ERR_FORMAT, "merge 0 has the piece 'aq', which is not"},
    {"\"merges\":[", "\"merges\":[\"aq\",", RETORT_ERR_FORMAT, "merge 0 'aq' is not two pieces"},
    {"\"merges\":[", "\"merges\":[\"a b c\",", RETORT_ERR_FORMAT, "merge 0 'a b c' is not two pieces"},
    {"\"merges\":[", "\"merges\":[[\"a\"],", RETORT_ERR_FORMAT, "merge 0 is neither"},
    {"\"merges\":[", "\"merges\":[7,", RETORT_ERR_FORMAT, "merge 0 is neither"},
    {"\"merges\":[", "\"merges\":[[\"a\",1],", RETORT_ERR_FORMAT, "merge 0 is neither"},
    {"\"\\\"\":2", "\"\\\"\":1", RETORT_ERR_FORMAT, "have the same id 1"},
    {"\"\\\"\":2", "\"\\\"\":-2", RETORT_ERR_FORMAT, "id -2, outside 0 to"},
    {"\"\\\"\":2", "\"\\\"\":9223372036854775807", RETORT_ERR_FORMAT, "id 9223372036854775807, outside 0 to"},
    {"\"\\\"\":2", "\"\\\"\":9223372036854775808", RETORT_ERR_FORMAT, "not valid JSON"},
    {"\"\\\"\":2", "\"\\\"\":\"2\"", RETORT_ERR_FORMAT, "no integer id"},
    {"\"\\\"\":2", "\"\\\"\":2.0", RETORT_ERR_FORMAT, "no integer id"},
    {"\"\\\"\":2,", "", RETORT_ERR_FORMAT, "outside 0 to"},
    {"\"\\\"\":2", "\"!\":2", RETORT_ERR_FORMAT, "duplicate"},
    {"\"\\\"\":2", "\"\":2", RETORT_ERR_FORMAT, "the token with id 2 is empty"},
    {"\"added_tokens\":[", "\"added_tokens\":[5,", RETORT_ERR_FORMAT, "no proper 'content'"},
    {"\"added_tokens\":[{\"id\":0", "\"added_tokens\":[{\"id\":7", RETORT_ERR_FORMAT, "another one in the vocabulary"},
    {"\"content\":\"<|endoftext|>\"", "\"content\":\"\"", RETORT_ERR_FORMAT, "no proper 'content'"},
    {"\"content\":\"<|endoftext|>\"", "\"content\":\"new\"", RETORT_ERR_FORMAT, "have the same id 0"},
    {"\"single_word\":false", "\"single_word\":2", RETORT_ERR_FORMAT, "'single_word'"},
    {"\"lstrip\":false", "\"lstrip\":2", RETORT_ERR_FORMAT, "'lstrip'"},
    {"{\"version\"", "[{\"version\"", RETORT_ERR_FORMAT, "not valid JSON"},
};

static char *replaced(const char *text, const char *from, const char *to) {
    const char *at = strstr(text, from);
    if (at == NULL) fail_msg("'%s' is not in the golden file", from);
    size_t head = (size_t)(at - text), size = strlen(text) + strlen(to) + 1;
    char *out = malloc(size);
    memcpy(out, text, head);
    snprintf(out + head, size - head, "%s%s", to, at + strlen(from));
    return out;
}

static void expect_refusal(const char *dir, retort_status status, const char *message) {
    retort_error err = {0};
    rt_tokenizer *t = NULL;
    retort_status st = rt_tokenizer_load(dir, &t, &err);
    if (st != status || strstr(err.message, message) == NULL || strstr(err.message, dir) == NULL) {
        fail_msg("expected %s '%s', got %s '%s'", retort_status_name(status), message, retort_status_name(st),
                 err.message);
    }
    assert_null(t);
    assert_null(strchr(err.message, '\n'));
}

static void test_bad_files(void **state) {
    (void)state;
    retort_error err;
    rt_buffer text = {0};
    assert_ok(rt_file_read(golden("gpt2.json"), &text, &err));
    char *dir = tokenizer_dir("gpt2.json", "{}");
    for (size_t i = 0; i < sizeof BAD_FILES / sizeof *BAD_FILES; i++) {
        const bad_file *bad = &BAD_FILES[i];
        char *broken = replaced(text.data, bad->from, bad->to);
        write_text(dir, "tokenizer.json", broken);
        expect_refusal(dir, bad->status, bad->message);
        free(broken);
    }
    write_text(dir, "tokenizer.json", "");
    expect_refusal(dir, RETORT_ERR_FORMAT, "not valid JSON");
    write_text(dir, "tokenizer.json", "[]");
    expect_refusal(dir, RETORT_ERR_FORMAT, "top level is not an object");
    write_text(dir, "tokenizer.json", "{}");
    expect_refusal(dir, RETORT_ERR_UNSUPPORTED, "no decoder");
    rt_buffer_free(&text);
    drop_dir(dir);
}

static void test_bad_patterns(void **state) {
    (void)state;
    static const struct {
        const char *pattern;
        retort_status status;
        const char *message;
    } BAD[] = {
        {"(", RETORT_ERR_FORMAT, "cannot be compiled"},
        {"a*", RETORT_ERR_UNSUPPORTED, "can match nothing"},
        {"\\\\w+", RETORT_ERR_UNSUPPORTED, "escape"},
        {"\\\\h", RETORT_ERR_UNSUPPORTED, "escape"},
        {"a\\\\Kb", RETORT_ERR_UNSUPPORTED, "escape"},
        {"\\\\", RETORT_ERR_UNSUPPORTED, "escape"},
        {"\\\\p{Nonsense}", RETORT_ERR_FORMAT, "cannot be compiled"},
        {"\\\\p{L", RETORT_ERR_UNSUPPORTED, "escape"},
        {"^a", RETORT_ERR_UNSUPPORTED, "construct"},
        {"a$", RETORT_ERR_UNSUPPORTED, "construct"},
        {"[a[b]]", RETORT_ERR_UNSUPPORTED, "construct"},
        {"[a&&b]", RETORT_ERR_UNSUPPORTED, "construct"},
        {"[]a]", RETORT_ERR_UNSUPPORTED, "construct"},
        {"a(?i)b", RETORT_ERR_UNSUPPORTED, "construct"},
        {"(?<name>a)", RETORT_ERR_UNSUPPORTED, "construct"},
        {"(*ACCEPT)", RETORT_ERR_UNSUPPORTED, "construct"},
        {"a{,3}", RETORT_ERR_UNSUPPORTED, "construct"},
        {"a{1,3}+", RETORT_ERR_UNSUPPORTED, "construct"},
        {"[a", RETORT_ERR_FORMAT, "cannot be compiled"},
        {"a{99999}", RETORT_ERR_FORMAT, "cannot be compiled"},
    };
    retort_error err;
    rt_buffer text = {0};
    assert_ok(rt_file_read(golden("gpt2.json"), &text, &err));
    char *dir = tokenizer_dir("gpt2.json", "{}");
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        char stages[512];
        snprintf(stages, sizeof stages,
                 "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":"
                 "{\"Regex\":\"%s\"},\"behavior\":\"Isolated\",\"invert\":false},{\"type\":\"ByteLevel\",",
                 BAD[i].pattern);
        char *broken = replaced(text.data, "\"pre_tokenizer\":{\"type\":\"ByteLevel\",", stages);
        char *closed = replaced(broken, "\"use_regex\":true}", "\"use_regex\":false}]}");
        write_text(dir, "tokenizer.json", closed);
        expect_refusal(dir, BAD[i].status, BAD[i].message);
        free(closed);
        free(broken);
    }
    rt_buffer_free(&text);
    drop_dir(dir);
}

/* A pattern with exponential backtracking ends in an error, not in a hang. */
static void test_costly_pattern(void **state) {
    (void)state;
    retort_error err;
    rt_buffer text = {0};
    assert_ok(rt_file_read(golden("gpt2.json"), &text, &err));
    char *dir = tokenizer_dir("gpt2.json", "{}");
    char *broken =
        replaced(text.data, "\"pre_tokenizer\":{\"type\":\"ByteLevel\",",
                 "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{"
                 "\"Regex\":\"((a+)+)+b\"},\"behavior\":\"Isolated\"},{\"type\":\"ByteLevel\",");
    char *closed = replaced(broken, "\"use_regex\":true}", "\"use_regex\":false}]}");
    write_text(dir, "tokenizer.json", closed);
    rt_tokenizer *t = NULL;
    assert_ok(rt_tokenizer_load(dir, &t, &err));
    char as[200];
    memset(as, 'a', sizeof as);
    as[150] = 'c'; /* b is nowhere, but a literal b somewhere later defeats the required-character check */
    as[199] = 'b';
    as[198] = 'c';
    rt_ids ids = {0};
    assert_int_equal(rt_tokenizer_encode(t, as, sizeof as, true, &ids, &err), RETORT_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "too costly"));
    assert_int_equal(ids.count, 0);
    rt_ids_free(&ids);
    rt_tokenizer_destroy(t);
    free(closed);
    free(broken);
    rt_buffer_free(&text);
    drop_dir(dir);
}

static void test_nfc(void **state) {
    (void)state;
    retort_error err;
    rt_buffer text = {0};
    assert_ok(rt_file_read(golden("gpt2.json"), &text, &err));
    char *dir = tokenizer_dir("gpt2.json", "{}");
    char *nfc = replaced(text.data, "\"normalizer\":null", "\"normalizer\":{\"type\":\"NFC\"}");
    write_text(dir, "tokenizer.json", nfc);
    rt_tokenizer *t = NULL;
    assert_ok(rt_tokenizer_load(dir, &t, &err));
    rt_ids ids = {0};
    static const char GOOD[] = "na\xc3\xafve \xff 12 \xcf\x80\xe2\x89\xa4 \xe6\x95\xb0\xea\xb0\x80 \xf0\x9f\x91\x8d";
    assert_ok(rt_tokenizer_encode(t, GOOD, sizeof GOOD - 1, true, &ids, &err));
    rt_ids composed = {0};
    ids.count = 0;
    assert_ok(rt_tokenizer_encode(t, "e\xcc\x81", 3, true, &ids, &err));
    assert_ok(rt_tokenizer_encode(t, "\xc3\xa9", 2, true, &composed, &err));
    assert_int_equal(ids.count, composed.count);
    assert_memory_equal(ids.data, composed.data, (size_t)ids.count * sizeof *ids.data);
    rt_ids_free(&composed);
    rt_ids_free(&ids);
    rt_tokenizer_destroy(t);
    free(nfc);
    rt_buffer_free(&text);
    drop_dir(dir);
}

/* Inert is what golden/generate_nfc.py says, and nothing else. */
static void test_nfc_inert(void **state) {
    (void)state;
    retort_error err;
    rt_buffer text = {0};
    assert_ok(rt_file_read(golden("nfc_inert.txt"), &text, &err));
    uint32_t code = 0;
    for (char *at = text.data; *at != '\0';) {
        uint32_t first = (uint32_t)strtoul(at, &at, 16), last = (uint32_t)strtoul(at, &at, 16);
        for (; code < first; code++) {
            if (rt_nfc_inert(code)) fail_msg("U+%04X is not inert", (unsigned)code);
        }
        for (; code <= last; code++) assert_true(rt_nfc_inert(code));
        at += strspn(at, "\n");
    }
    assert_int_equal(code, 0x110000);
    rt_buffer_free(&text);
}

static void test_bad_config(void **state) {
    (void)state;
    static const struct {
        const char *config, *message;
        retort_status status;
    } BAD[] = {
        {"{\"eos_token\": \"<nothing>\"}", "'eos_token' '<nothing>' is not in the vocabulary", RETORT_ERR_FORMAT},
        {"{\"eos_token\": 7}", "'eos_token' is not a string", RETORT_ERR_FORMAT},
        {"{\"add_prefix_space\": true}", "'add_prefix_space'", RETORT_ERR_UNSUPPORTED},
        {"{\"retort_prompt_template\": \"none\"}", "'retort_prompt_template'", RETORT_ERR_FORMAT},
        {"{\"retort_prompt_template\": \"{problem} {problem}\"}", "'retort_prompt_template'", RETORT_ERR_FORMAT},
        {"{\"retort_prompt_template\": \"\\u0000{problem}\"}", "'retort_prompt_template'", RETORT_ERR_FORMAT},
        {"[]", "top level", RETORT_ERR_FORMAT},
        {"{", "not valid JSON", RETORT_ERR_FORMAT},
    };
    retort_error err;
    char *dir = tokenizer_dir("gpt2.json", "{}");
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        write_text(dir, "tokenizer_config.json", BAD[i].config);
        expect_refusal(dir, BAD[i].status, BAD[i].message);
    }
    char path[4096];
    snprintf(path, sizeof path, "%s/tokenizer_config.json", dir);
    assert_ok(rt_remove_tree(path, &err));
    expect_refusal(dir, RETORT_ERR_NOT_FOUND, "tokenizer_config.json");
    drop_dir(dir);
    rt_tokenizer *t = NULL;
    assert_int_equal(rt_tokenizer_load("/nonexistent", &t, &err), RETORT_ERR_NOT_FOUND);
}

/* Random damage must never do more than fail. */
static void test_damaged_files(void **state) {
    (void)state;
    retort_error err;
    rt_buffer text = {0};
    assert_ok(rt_file_read(golden("qwen.json"), &text, &err));
    char *dir = tokenizer_dir("qwen.json", "{}"), path[4096];
    snprintf(path, sizeof path, "%s/tokenizer.json", dir);
    rt_rng rng = rt_rng_make(5, 0);
    char *copy = malloc(text.length);
    for (int i = 0; i < 300; i++) {
        memcpy(copy, text.data, text.length);
        size_t length = text.length;
        for (uint32_t k = 0, count = 1 + rt_rng_below(&rng, 3); k < count; k++) {
            copy[rt_rng_below(&rng, (uint32_t)length)] = (char)(uint8_t)(32 + rt_rng_below(&rng, 95));
        }
        if (rt_rng_below(&rng, 8) == 0) length = rt_rng_below(&rng, (uint32_t)length);
        FILE *f = fopen(path, "wb");
        assert_int_equal(fwrite(copy, 1, length, f), length);
        fclose(f);
        rt_tokenizer *t = NULL;
        rt_ids ids = {0};
        if (rt_tokenizer_load(dir, &t, &err) == RETORT_OK) {
            (void)rt_tokenizer_encode(t, "we <tool> check 12 + 3\n\n", 23, true, &ids, &err);
        }
        rt_ids_free(&ids);
        rt_tokenizer_destroy(t);
    }
    free(copy);
    rt_buffer_free(&text);
    drop_dir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_files),      cmocka_unit_test(test_bad_patterns),
        cmocka_unit_test(test_costly_pattern), cmocka_unit_test(test_nfc),
        cmocka_unit_test(test_nfc_inert),      cmocka_unit_test(test_bad_config),
        cmocka_unit_test(test_damaged_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
