/* Tokenizers inside GGUF files, and conversions there and back. The files are llama.cpp's Python package's
 * (tests/model/golden/make_gguf.py), the ids those of the tokenizers package. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "core/json.h"
#include "folders.h"
#include "model/model.h"
#include "retort/model.h"
#include "text/chat.h"
#include "text/gguf_tokenizer.h"
#include "text/tokenizer.h"

static retort_error err;
static char *folder;

static const char *golden(const char *name) {
    static char path[4096];
    assert_non_null(getenv("GOLDEN"));
    snprintf(path, sizeof path, "%s/%s", getenv("GOLDEN"), name);
    return path;
}

/* One of four rotating names in the scratch folder. */
static const char *scratch(const char *name) {
    static char paths[4][4096];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(paths[turn], sizeof paths[turn], "%s/%s", folder, name);
    return paths[turn];
}

static const char *const FILES[] = {"gguf_llama.gguf", "gguf_qwen2.gguf", "gguf_qwen3.gguf", "gguf_spm.gguf"};
enum { MODELS = 3, TOKENIZERS = 4 };

/* ---- tokenizers ---- */

static void check_ids(const char *path, const json_t *expected) {
    rt_tokenizer *t = NULL;
    assert_ok(rt_tokenizer_load(path, &t, &err));
    assert_int_equal(rt_tokenizer_vocab_size(t), json_integer_value(json_object_get(expected, "tokens")));
    const json_t *cases = json_object_get(expected, "ids");
    assert_true(json_array_size(cases) > 5);
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *text = json_array_get(json_array_get(cases, i), 0),
                     *ids = json_array_get(json_array_get(cases, i), 1);
        rt_ids got = {0};
        assert_ok(rt_tokenizer_encode_spans(t, json_string_value(text), json_string_length(text),
                                            RT_ENCODE_PARSE_SPECIAL | RT_ENCODE_POST_PROCESS, &got, NULL, &err));
        bool same = (size_t)got.count == json_array_size(ids);
        for (int64_t k = 0; same && k < got.count; k++)
            same = got.data[k] == json_integer_value(json_array_get(ids, (size_t)k));
        if (!same) fail_msg("%s: other ids for '%s'", path, json_string_value(text));
        rt_ids_free(&got);
    }
    rt_tokenizer_destroy(t);
}

static void test_ids(void **state) {
    (void)state;
    json_t *expected = NULL;
    assert_ok(rt_json_load(golden("gguf.json"), &expected, &err));
    for (size_t i = 0; i < TOKENIZERS; i++) check_ids(golden(FILES[i]), json_object_get(expected, FILES[i]));
    json_decref(expected);
}

static char *render(const char *path) {
    rt_chat *chat = NULL;
    rt_buffer out = {0};
    json_t *messages = json_pack("[{s:s, s:s}]", "role", "user", "content", "hello");
    assert_ok(rt_chat_load(path, &chat, &err));
    assert_ok(rt_chat_render(chat, messages, NULL, true, 0, &out, &err));
    json_decref(messages);
    rt_chat_destroy(chat);
    return out.data;
}

static void test_template(void **state) {
    (void)state;
    char *text = render(golden("gguf_llama.gguf"));
    assert_string_equal(text, "<|start|>user: hello<|end|><|start|>assistant: ");
    rt_free(text);
    rt_chat *chat = NULL;
    assert_int_equal(rt_chat_load(golden("gguf_spm.gguf"), &chat, &err), RETORT_ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "tokenizer.chat_template"));
}

/* ---- conversions ---- */

static void convert(const char *in, const char *out, const char *dtype) {
    retort_convert_options options;
    assert_ok(retort_options_defaults(retort_convert_option_table, &options, &err));
    assert_ok(retort_options_set(retort_convert_option_table, &options, "in", in, &err));
    assert_ok(retort_options_set(retort_convert_option_table, &options, "out", out, &err));
    if (dtype != NULL) assert_ok(retort_options_set(retort_convert_option_table, &options, "dtype", dtype, &err));
    assert_ok(retort_model_convert(&options, &err));
    retort_options_release(retort_convert_option_table, &options);
}

static void hash_of(const char *path, char hex[65]) {
    rt_model model;
    assert_ok(rt_model_load(path, &model, &err));
    model.config.initializer_range = 0.02; /* no part of a GGUF file */
    model.config.pad_token_id = -1;        /* a tokenizer's pad token becomes the model's there */
    assert_ok(rt_model_hash(&model, hex, &err));
    rt_model_release(&model);
}

static void assert_same_model(const char *a, const char *b) {
    char left[65], right[65];
    hash_of(a, left);
    hash_of(b, right);
    assert_string_equal(left, right);
}

/* File to folder to file: the same weights, configuration, ids and prompts in each. */
static void test_there_and_back(void **state) {
    (void)state;
    json_t *expected = NULL;
    assert_ok(rt_json_load(golden("gguf.json"), &expected, &err));
    for (size_t i = 0; i < MODELS; i++) {
        char hf[64], back[64], file[4096];
        snprintf(hf, sizeof hf, "hf%zu", i);
        snprintf(back, sizeof back, "back%zu.gguf", i);
        snprintf(file, sizeof file, "%s", golden(FILES[i]));
        convert(file, scratch(hf), NULL);
        assert_same_model(file, scratch(hf));
        check_ids(scratch(hf), json_object_get(expected, FILES[i]));
        convert(scratch(hf), scratch(back), NULL);
        assert_same_model(file, scratch(back));
        check_ids(scratch(back), json_object_get(expected, FILES[i]));
        char *texts[] = {render(file), render(scratch(hf)), render(scratch(back))};
        assert_string_equal(texts[0], texts[1]);
        assert_string_equal(texts[0], texts[2]);
        for (int k = 0; k < 3; k++) rt_free(texts[k]);
    }
    json_decref(expected);
}

static int64_t count_of(const char *dir) {
    retort_model_info info;
    assert_ok(retort_model_inspect(dir, &info, &err));
    const int64_t bytes = info.bytes_on_disk;
    retort_model_info_release(&info);
    return bytes;
}

/* The shipped model, whose own prompt template goes along. */
static void test_shipped_model(void **state) {
    (void)state;
    const char *model = getenv("MODEL");
    assert_non_null(model);
    char file[4096], dir[4096];
    snprintf(file, sizeof file, "%s", scratch("shipped.gguf"));
    snprintf(dir, sizeof dir, "%s", scratch("shipped"));
    convert(model, file, NULL);
    convert(file, dir, NULL);
    assert_same_model(model, dir);
    rt_tokenizer *a = NULL, *b = NULL;
    rt_buffer left = {0}, right = {0};
    assert_ok(rt_tokenizer_load(model, &a, &err));
    assert_ok(rt_tokenizer_load(dir, &b, &err));
    assert_ok(rt_tokenizer_render_problem(a, "1 + 1", &left, &err));
    assert_ok(rt_tokenizer_render_problem(b, "1 + 1", &right, &err));
    assert_string_equal(left.data, right.data);
    assert_int_equal(rt_tokenizer_eos(a), rt_tokenizer_eos(b));
    rt_buffer_free(&left);
    rt_buffer_free(&right);
    rt_tokenizer_destroy(a);
    rt_tokenizer_destroy(b);
    convert(model, scratch("q8.gguf"), "q8_0");
    assert_true(count_of(scratch("q8.gguf")) < count_of(file) * 6 / 10);
}

/* ---- SentencePiece ---- */

static void test_scores(void **state) {
    (void)state;
    json_t *tokenizer = NULL, *config = NULL;
    rt_gguf file;
    rt_gguf_writer writer = {0};
    rt_atomic_file out;
    const rt_gguf_special none = {0};
    assert_ok(rt_tokenizer_documents(golden("gguf_spm.gguf"), &tokenizer, &config, &err));
    const int64_t count = (int64_t)json_object_size(json_object_get(json_object_get(tokenizer, "model"), "vocab"));
    assert_ok(rt_gguf_put_string(&writer, "general.architecture", "llama", &err));
    assert_ok(rt_gguf_put_tokenizer(&writer, tokenizer, config, NULL, count + 2, &none, &err));
    assert_ok(rt_atomic_open(&out, scratch("spm.gguf"), &err));
    assert_ok(rt_gguf_write_header(&writer, &out, &err));
    assert_ok(rt_atomic_commit(&out, &err));
    rt_gguf_writer_free(&writer);
    json_t *expected = NULL;
    assert_ok(rt_json_load(golden("gguf.json"), &expected, &err));
    check_ids(scratch("spm.gguf"), json_object_get(expected, "gguf_spm.gguf"));
    json_decref(expected);
    char *kind = NULL;
    assert_ok(rt_gguf_open(scratch("spm.gguf"), &file, &err));
    assert_ok(rt_gguf_string(&file, "tokenizer.ggml.model", true, &kind, &err));
    assert_string_equal(kind, "llama");
    rt_free(kind);
    rt_gguf_close(&file);
    /* One merge fewer: scores would still make it. */
    json_t *merges = json_object_get(json_object_get(tokenizer, "model"), "merges");
    json_t *last = json_incref(json_array_get(merges, json_array_size(merges) - 1));
    json_array_remove(merges, json_array_size(merges) - 1);
    assert_int_equal(rt_gguf_put_tokenizer(&writer, tokenizer, config, NULL, count, &none, &err),
                     RETORT_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "other ids"));
    rt_gguf_writer_free(&writer);
    /* The last one first: its token's merges no longer stand together, or another order of scores would do. */
    json_array_insert_new(merges, 0, json_deep_copy(json_array_get(merges, json_array_size(merges) - 1)));
    json_decref(last);
    assert_int_equal(rt_gguf_put_tokenizer(&writer, tokenizer, config, NULL, count, &none, &err),
                     RETORT_ERR_UNSUPPORTED);
    rt_gguf_writer_free(&writer);
    json_decref(tokenizer);
    json_decref(config);
}

/* ---- what is refused ---- */

static retort_status attempt(const char *in, const char *out, const char *name, const char *value) {
    retort_convert_options options;
    assert_ok(retort_options_defaults(retort_convert_option_table, &options, &err));
    assert_ok(retort_options_set(retort_convert_option_table, &options, "in", in, &err));
    assert_ok(retort_options_set(retort_convert_option_table, &options, "out", out, &err));
    if (name != NULL) assert_ok(retort_options_set(retort_convert_option_table, &options, name, value, &err));
    err = (retort_error){0};
    retort_status st = retort_model_convert(&options, &err);
    retort_options_release(retort_convert_option_table, &options);
    return st;
}

static void test_refused(void **state) {
    (void)state;
    char file[4096];
    snprintf(file, sizeof file, "%s", golden("gguf_qwen3.gguf"));
    write_text(folder, "there.gguf", "old");
    assert_int_equal(attempt(file, scratch("there.gguf"), NULL, NULL), RETORT_ERR_USAGE);
    assert_non_null(strstr(err.message, "is there already"));
    assert_int_equal(attempt(file, scratch("there.gguf"), "overwrite", "true"), RETORT_OK);
    assert_int_equal(attempt(file, folder, NULL, NULL), RETORT_ERR_USAGE);
    assert_int_equal(attempt(file, folder, "overwrite", "true"), RETORT_ERR_USAGE);
    assert_non_null(strstr(err.message, "is no model folder"));
    assert_int_equal(attempt(file, folder, "format", "gguf"), RETORT_ERR_USAGE);
    assert_int_equal(attempt(file, scratch("new"), "dtype", "q8_0"), RETORT_ERR_USAGE);
    assert_int_equal(attempt("nowhere", scratch("new"), NULL, NULL), RETORT_ERR_NOT_FOUND);
    assert_false(rt_path_exists(scratch("new")));
}

static rt_buffer read_golden(const char *name) {
    rt_buffer bytes = {0};
    assert_ok(rt_file_read(golden(name), &bytes, &err));
    return bytes;
}

/* The golden file with one text in it replaced, as a file. */
static const char *altered(const char *name, const char *from, const char *to) {
    rt_buffer bytes = read_golden(name);
    char *at = memmem(bytes.data, bytes.length, from, strlen(from));
    assert_non_null(at);
    memcpy(at, to, strlen(from));
    const char *path = scratch("altered.gguf");
    assert_ok(rt_file_write(path, bytes.data, bytes.length, &err));
    rt_buffer_free(&bytes);
    return path;
}

static void test_tokenizers_refused(void **state) {
    (void)state;
    rt_tokenizer *t = NULL;
    static const char NAME[] = "gguf_llama.gguf";
    const struct {
        const char *from, *to, *message;
        retort_status code;
    } cases[] = {
        {"llama-bpe", "llama-xyz", "the pre-tokenizer 'llama-xyz', which is not supported", RETORT_ERR_UNSUPPORTED},
        {"gpt2", "bert", "a tokenizer of kind 'bert'", RETORT_ERR_UNSUPPORTED},
        {"tokenizer.ggml.pre", "tokenizer.ggml.prx", "lacks the metadata 'tokenizer.ggml.pre'", RETORT_ERR_FORMAT},
        {"tokenizer.ggml.merges", "tokenizer.ggml.merxes", "lacks the metadata 'tokenizer.ggml.merges'",
         RETORT_ERR_FORMAT},
        {"<|end|>", "<|tool|", "", RETORT_OK}, /* another name is a name */
        {"<|tool|>", "<|tool\xff>", "is no UTF-8", RETORT_ERR_FORMAT},
        {"t h", "t\xffh", "", RETORT_ERR_FORMAT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        err = (retort_error){0};
        const retort_status st = rt_tokenizer_load(altered(NAME, cases[i].from, cases[i].to), &t, &err);
        if (st != cases[i].code || strstr(err.message, cases[i].message) == NULL)
            fail_msg("case %zu: status %d, '%s'", i, (int)st, err.message);
        if (st == RETORT_OK) rt_tokenizer_destroy(t);
    }
}

static void test_disk_full(void **state) {
    (void)state;
    struct rlimit saved, small;
    char file[4096], dir[4096];
    snprintf(file, sizeof file, "%s", golden("gguf_qwen3.gguf"));
    snprintf(dir, sizeof dir, "%s", scratch("full"));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &saved), 0);
    small = (struct rlimit){.rlim_cur = 20000, .rlim_max = saved.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    for (int i = 0; i < 2; i++) {
        const char *out = i == 0 ? dir : scratch("full.gguf");
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        const retort_status st = attempt(file, out, NULL, NULL);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &saved), 0);
        assert_int_equal(st, RETORT_ERR_IO);
        char temporary[4096 + 8];
        snprintf(temporary, sizeof temporary, "%s.tmp", out);
        assert_false(rt_path_exists(out));
        assert_false(rt_path_exists(temporary));
    }
}

static int enter(void **state) {
    (void)state;
    folder = make_dir();
    return 0;
}

static int leave(void **state) {
    (void)state;
    drop_dir(folder);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_template),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_shipped_model),
        cmocka_unit_test(test_scores),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_tokenizers_refused),
        cmocka_unit_test(test_disk_full),
    };
    return cmocka_run_group_tests_name("convert", tests, enter, leave);
}
