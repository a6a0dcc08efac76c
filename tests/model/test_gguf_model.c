/* GGUF models: block formats and files against llama.cpp's Python package (golden/make_gguf.py), and round trips. */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "core/json.h"
#include "disk_fixture.h"
#include "fixture.h"
#include "model/ggml.h"
#include "model/gguf_model.h"

static retort_error err;

#define check_ok(expr)                                                                                                 \
    do {                                                                                                               \
        if ((expr) != RETORT_OK) fail_msg("%s: %s", #expr, err.message);                                               \
    } while (0)

static const char *golden(const char *name) {
    static char path[4096];
    const char *folder = getenv("RETORT_TEST_GOLDEN");
    assert_non_null(folder);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* ---- blocks ---- */

static uint32_t next_u32(const rt_buffer *file, size_t *at) {
    uint32_t value;
    assert_true(*at + sizeof value <= file->length);
    memcpy(&value, file->data + *at, sizeof value);
    *at += sizeof value;
    return value;
}

static const char *next_bytes(const rt_buffer *file, size_t *at, size_t length) {
    assert_true(length <= file->length - *at);
    *at += length;
    return file->data + *at - length;
}

static void test_blocks(void **state) {
    (void)state;
    rt_buffer file = {0};
    check_ok(rt_file_read(golden("ggml_blocks.bin"), &file, &err));
    int decoded = 0, encoded = 0;
    for (size_t at = 0; at < file.length;) {
        const uint32_t type = next_u32(&file, &at), blocks = next_u32(&file, &at), first = next_u32(&file, &at);
        if ((type & 0x80000000U) == 0) {
            const rt_ggml_format *format = rt_ggml_format_of(type);
            assert_non_null(format);
            assert_true(rt_ggml_decodes(type));
            assert_int_equal(blocks * format->block_size, first);
            const char *bytes = next_bytes(&file, &at, first);
            const uint32_t floats = next_u32(&file, &at);
            assert_int_equal(blocks * format->block, floats);
            float *got = malloc(floats * sizeof *got);
            rt_ggml_decode(type, bytes, floats, got);
            assert_memory_equal(got, next_bytes(&file, &at, floats * sizeof *got), floats * sizeof *got);
            free(got);
            decoded++;
        } else {
            float *x = malloc(first * sizeof *x);
            memcpy(x, next_bytes(&file, &at, first * sizeof *x), first * sizeof *x);
            const uint32_t length = next_u32(&file, &at);
            char *got = malloc(length);
            rt_ggml_encode(type & 0x7fffffffU, x, first, got);
            assert_memory_equal(got, next_bytes(&file, &at, length), length);
            free(x);
            free(got);
            encoded++;
        }
    }
    assert_int_equal(decoded, 11);
    assert_int_equal(encoded, 1);
    rt_buffer_free(&file);
}

/* ---- files of the package ---- */

static void check_config(const char *path, const json_t *expected) {
    rt_gguf file;
    json_t *config = NULL;
    check_ok(rt_gguf_open(path, &file, &err));
    check_ok(rt_gguf_to_config_json(&file, &config, &err));
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)expected, key, value) {
        const json_t *found = json_object_get(config, key);
        if (strcmp(key, "eos_token_id") == 0 ? !json_equal(found, value)
            : json_is_number(value) ? !json_is_number(found) || json_number_value(found) != json_number_value(value)
                                    : json_is_boolean(value) && json_is_true(found) != json_is_true(value))
            fail_msg("%s: '%s' is %s", path, key, json_dumps(found, JSON_ENCODE_ANY));
    }
    const json_t *scaling = json_object_get(expected, "rope_scaling");
    json_object_foreach((json_t *)(uintptr_t)scaling, key, value) {
        const json_t *found = json_object_get(json_object_get(config, "rope_scaling"), key);
        if (json_is_string(value))
            assert_string_equal(json_string_value(found), json_string_value(value));
        else
            assert_true(json_number_value(found) == json_number_value(value));
    }
    json_decref(config);
    rt_gguf_close(&file);
}

static void check_model(const char *name, const json_t *expected) {
    rt_model model;
    char path[4096];
    snprintf(path, sizeof path, "%s", golden(name));
    check_config(path, json_object_get(expected, "config"));
    check_ok(rt_model_load(path, &model, &err));
    const json_t *sums = json_object_get(expected, "sha256");
    assert_int_equal(model.params.num_tensors, json_object_size(sums));
    for (int64_t i = 0; i < model.params.num_tensors; i++) {
        const rt_tensor *tensor = &model.params.tensors[i];
        float *x = malloc((size_t)tensor->count * sizeof *x);
        char hex[65];
        rt_params_fetch(&model.params, tensor, 0, tensor->count, x);
        rt_sha256(x, (size_t)tensor->count * sizeof *x, hex);
        const char *sum = json_string_value(json_object_get(sums, tensor->name));
        if (sum == NULL || strcmp(sum, hex) != 0) fail_msg("%s: tensor '%s' has other values", name, tensor->name);
        free(x);
    }
    rt_model_release(&model);
}

static void test_files(void **state) {
    (void)state;
    json_t *expected = NULL;
    check_ok(rt_json_load(golden("gguf.json"), &expected, &err));
    static const char *const NAMES[] = {"gguf_llama.gguf", "gguf_qwen2.gguf", "gguf_qwen3.gguf"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        check_model(NAMES[i], json_object_get(expected, NAMES[i]));
    json_decref(expected);
}

static void test_inspect(void **state) {
    (void)state;
    retort_model_info info;
    check_ok(retort_model_inspect(golden("gguf_qwen3.gguf"), &info, &err));
    assert_string_equal(info.architecture, "Qwen3ForCausalLM");
    assert_string_equal(info.dtype, "BF16");
    assert_int_equal(info.tensors, 13);
    assert_int_equal(info.tokenizer_vocabulary, 270);
    assert_int_equal(info.tokenizer_added, 3);
    assert_true(info.has_tokenizer && info.tied_embeddings);
    assert_int_equal(info.eos_ids[0], 268);
    retort_model_info_release(&info);
}

/* A file whose matrices are all bfloat16 may be held so; the values are the same. */
static void test_forms(void **state) {
    (void)state;
    rt_model whole, half;
    char a[65], b[65];
    check_ok(rt_model_load(golden("gguf_qwen3.gguf"), &whole, &err));
    check_ok(rt_model_load_as(golden("gguf_qwen3.gguf"), RT_WEIGHTS_AUTO, &half, &err));
    assert_int_equal(half.config.weights_dtype, RT_DTYPE_BF16);
    check_ok(rt_model_hash(&whole, a, &err));
    check_ok(rt_model_hash(&half, b, &err));
    assert_string_equal(a, b);
    rt_model_release(&whole);
    rt_model_release(&half);
    check_ok(rt_model_load_as(golden("gguf_qwen2.gguf"), RT_WEIGHTS_AUTO, &half, &err));
    assert_int_equal(half.config.weights_dtype, RT_DTYPE_F32);
    rt_model_release(&half);
}

/* ---- writing ---- */

static retort_status save(const rt_model *model, const char *path, rt_ggml_type type) {
    rt_gguf_writer writer = {0};
    rt_atomic_file file;
    err = (retort_error){0};
    retort_status st = rt_atomic_open(&file, path, &err);
    if (st != RETORT_OK) return st;
    st = rt_gguf_put_model(&writer, model, type, "test", &err);
    if (st == RETORT_OK) st = rt_gguf_write_header(&writer, &file, &err);
    if (st == RETORT_OK) st = rt_gguf_write_weights(&writer, &file, model, type, &err);
    if (st == RETORT_OK) st = rt_gguf_write_end(&writer, &file, &err);
    if (st == RETORT_OK) st = rt_atomic_commit(&file, &err);
    rt_atomic_abort(&file);
    rt_gguf_writer_free(&writer);
    return st;
}

static void load_golden(const char *name, rt_model *out) {
    check_ok(rt_model_load(golden(name), out, &err));
    out->config.initializer_range = 0.02;
}

static void test_round_trip(void **state) {
    (void)state;
    static const char *const NAMES[] = {"gguf_llama.gguf", "gguf_qwen2.gguf", "gguf_qwen3.gguf"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        rt_model model, back;
        const char *path = in_scratch("round.gguf");
        load_golden(NAMES[i], &model);
        check_ok(save(&model, path, RT_GGML_F32));
        check_ok(rt_model_load(path, &back, &err));
        assert_same_config(&model.config, &back.config);
        assert_memory_equal(model.params.data, back.params.data, (size_t)model.params.count * sizeof(float));
        rt_model_release(&back);
        rt_model_release(&model);
    }
}

/* What is in the file is what the type makes of each row: vectors stay float32. */
static void test_types(void **state) {
    (void)state;
    static const rt_ggml_type TYPES[] = {RT_GGML_F16, RT_GGML_BF16, RT_GGML_Q8_0};
    for (size_t k = 0; k < sizeof TYPES / sizeof *TYPES; k++) {
        rt_model model, back;
        const char *path = in_scratch("typed.gguf");
        load_golden("gguf_llama.gguf", &model);
        check_ok(save(&model, path, TYPES[k]));
        check_ok(rt_model_load(path, &back, &err));
        for (int64_t i = 0; i < model.params.num_tensors; i++) {
            const rt_tensor *tensor = &model.params.tensors[i];
            float *x = model.params.data + tensor->offset;
            if (tensor->dims == 2) { /* rows are whole blocks, so order and rounding commute */
                void *bytes = malloc((size_t)tensor->count * sizeof(float));
                rt_ggml_encode(TYPES[k], x, tensor->count, bytes);
                rt_ggml_decode(TYPES[k], bytes, tensor->count, x);
                free(bytes);
            }
            assert_memory_equal(x, back.params.data + tensor->offset, (size_t)tensor->count * sizeof *x);
        }
        rt_model_release(&back);
        rt_model_release(&model);
    }
}

/* Q8_0 has groups of 32 with scales of 16 bits, and the largest of each at 127: int8 loses nothing of it but the sign
 * of zero. */
static void test_q8_0_as_int8(void **state) {
    (void)state;
    rt_model model, whole, int8;
    const char *path = in_scratch("q8_0.gguf");
    load_golden("gguf_llama.gguf", &model);
    check_ok(save(&model, path, RT_GGML_Q8_0));
    check_ok(rt_model_load(path, &whole, &err));
    for (int threads = 1; threads <= 3; threads++) {
        rt_compute_set_threads(threads);
        check_ok(rt_model_load_as(path, RT_WEIGHTS_INT8, &int8, &err));
        assert_int_equal(int8.config.weights_dtype, RT_DTYPE_INT8);
        for (int64_t i = 0; i < whole.params.num_tensors; i++) {
            const rt_tensor *tensor = &whole.params.tensors[i];
            float *x = calloc((size_t)tensor->count, sizeof *x);
            rt_params_fetch(&int8.params, &int8.params.tensors[i], 0, tensor->count, x);
            for (int64_t k = 0; k < tensor->count; k++) assert_true(x[k] == whole.params.data[tensor->offset + k]);
            free(x);
        }
        rt_model_release(&int8);
    }
    rt_model_release(&whole);
    rt_model_release(&model);
    rt_compute_set_threads(1);
}

/* Rows of 48 are no whole number of Q8_0's blocks: F16, as llama.cpp's converter does. */
static void test_odd_rows(void **state) {
    (void)state;
    rt_model model;
    rt_gguf file;
    const char *path = in_scratch("odd.gguf");
    load_golden("gguf_qwen2.gguf", &model);
    check_ok(save(&model, path, RT_GGML_Q8_0));
    check_ok(rt_gguf_open(path, &file, &err));
    assert_int_equal(rt_gguf_tensor_find(&file, "blk.0.ffn_down.weight")->type, RT_GGML_F16);
    assert_int_equal(rt_gguf_tensor_find(&file, "blk.0.ffn_up.weight")->type, RT_GGML_Q8_0);
    assert_int_equal(rt_gguf_tensor_find(&file, "blk.0.attn_q.bias")->type, RT_GGML_F32);
    rt_gguf_close(&file);
    rt_model_release(&model);
}

static void set_weight(rt_model *model, const char *name, int64_t element, float value) {
    for (int64_t i = 0; i < model->params.num_tensors; i++)
        if (strcmp(model->params.tensors[i].name, name) == 0)
            model->params.data[model->params.tensors[i].offset + element] = value;
}

static void test_refused_writing(void **state) {
    (void)state;
    rt_model model;
    const char *path = in_scratch("never.gguf");
    static const char Q[] = "model.layers.0.self_attn.q_proj.weight";
    load_golden("gguf_llama.gguf", &model);
    const struct {
        rt_ggml_type type;
        float value;
        const char *name;
    } cases[] = {{RT_GGML_F16, 70000, "F16"},
                 {RT_GGML_Q8_0, 1e7F, "Q8_0"},
                 {RT_GGML_F32, INFINITY, "F32"},
                 {RT_GGML_Q8_0, NAN, "Q8_0"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set_weight(&model, Q, 5 * 256, cases[i].value);
        expect_error(save(&model, path, cases[i].type), &err, RETORT_ERR_NUMERIC,
                     "cannot write '%s': tensor '%s' has the value %g at element 1280, which is not a finite number in "
                     "%s",
                     path, Q, (double)cases[i].value, cases[i].name);
        assert_false(rt_path_exists(path));
    }
    set_weight(&model, Q, 5 * 256, 0);
    model.config.rope.type = RT_ROPE_DYNAMIC;
    assert_int_equal(save(&model, path, RT_GGML_F32), RETORT_ERR_UNSUPPORTED);
    model.config.rope.type = RT_ROPE_YARN;
    model.config.rope.truncate = true;
    model.config.rope.mscale = 1;
    assert_int_equal(save(&model, path, RT_GGML_F32), RETORT_ERR_UNSUPPORTED);
    assert_false(rt_path_exists(path));
    rt_model_release(&model);
}

static void test_disk_full(void **state) {
    (void)state;
    rt_model model;
    const char *path = in_scratch("full.gguf");
    load_golden("gguf_qwen3.gguf", &model);
    const int before = files_in(scratch());
    struct rlimit saved, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &saved), 0);
    small = (struct rlimit){.rlim_cur = 30000, .rlim_max = saved.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    const retort_status st = save(&model, path, RT_GGML_F32);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &saved), 0);
    assert_int_equal(st, RETORT_ERR_IO);
    assert_non_null(strstr(err.message, "free some space"));
    assert_int_equal(files_in(scratch()), before);
    rt_model_release(&model);
}

/* YaRN and linear scaling, and Mistral's window, come back as they went. */
static void test_configurations(void **state) {
    (void)state;
    const rt_rope_config ropes[] = {
        {.type = RT_ROPE_LINEAR, .theta = 10000, .factor = 4},
        {.type = RT_ROPE_YARN,
         .theta = 10000,
         .factor = 4,
         .original_positions = 1024,
         .beta_fast = 32,
         .beta_slow = 1,
         .truncate = true},
        {.type = RT_ROPE_LLAMA3,
         .theta = 10000,
         .factor = 32,
         .original_positions = 256,
         .low_freq_factor = 1,
         .high_freq_factor = 4},
    };
    rt_model model, back;
    const char *path = in_scratch("rope.gguf");
    load_golden("gguf_llama.gguf", &model);
    for (size_t i = 0; i < sizeof ropes / sizeof *ropes; i++) {
        model.config.rope = ropes[i];
        check_ok(save(&model, path, RT_GGML_F16));
        check_ok(rt_model_load(path, &back, &err));
        assert_same_config(&model.config, &back.config);
        rt_model_release(&back);
    }
    model.config.rope = (rt_rope_config){.theta = 10000};
    model.config.architecture = RT_MISTRAL;
    model.config.sliding_window = 512;
    model.config.window_layers[0] = 1;
    check_ok(save(&model, path, RT_GGML_F16));
    check_ok(rt_model_load(path, &back, &err));
    model.config.max_position_embeddings = 512; /* where llama.cpp, which has no window, agrees */
    assert_same_config(&model.config, &back.config);
    rt_model_release(&back);
    rt_model_release(&model);
}

/* ---- files that are refused ---- */

/* A copy of a golden file with one text in it replaced by another of the same length. */
static const char *altered(const char *name, const char *from, const char *to) {
    rt_buffer bytes = {0};
    const char *path = in_scratch("altered.gguf");
    check_ok(rt_file_read(golden(name), &bytes, &err));
    char *at = memmem(bytes.data, bytes.length, from, strlen(from));
    assert_non_null(at);
    assert_int_equal(strlen(from), strlen(to));
    memcpy(at, to, strlen(to));
    check_ok(rt_file_write(path, bytes.data, bytes.length, &err));
    rt_buffer_free(&bytes);
    return path;
}

static void refused(const char *path, retort_status code, const char *part) {
    rt_model model;
    err = (retort_error){0};
    const retort_status st = rt_model_load(path, &model, &err);
    if (st != code || strstr(err.message, part) == NULL || strstr(err.message, path) == NULL)
        fail_msg("status %d, message '%s', expected '%s'", (int)st, err.message, part);
}

static void test_refused_reading(void **state) {
    (void)state;
    static const char NAME[] = "gguf_llama.gguf";
    rt_buffer bytes = {0};
    check_ok(rt_file_read(golden(NAME), &bytes, &err));
    char *key = memmem(bytes.data, bytes.length, "general.architecture", 20);
    assert_non_null(key);
    memcpy(key + 20 + 4 + 8, "gemma", 5); /* behind the key, the type and the length */
    check_ok(rt_file_write(in_scratch("gemma.gguf"), bytes.data, bytes.length, &err));
    rt_buffer_free(&bytes);
    refused(in_scratch("gemma.gguf"), RETORT_ERR_UNSUPPORTED, "the architecture 'gemma'");
    refused(altered(NAME, "llama.rope.freq_base", "llama.rope.frex_base"), RETORT_ERR_UNSUPPORTED,
            "the metadata 'llama.rope.frex_base', which is not supported");
    refused(altered(NAME, "llama.block_count", "other.block_count"), RETORT_ERR_FORMAT,
            "lacks the metadata 'llama.block_count'");
    refused(altered(NAME, "blk.0.ffn_up.weight", "blk.0.ffn_xp.weight"), RETORT_ERR_NOT_FOUND,
            "lacks the tensor 'blk.0.ffn_up.weight'");
    refused(altered(NAME, "rope_freqs.weight", "rope_frexs.weight"), RETORT_ERR_FORMAT,
            "unexpected tensor 'rope_frexs.weight'");
    refused(altered(NAME, "token_embd.weight", "token_emxd.weight"), RETORT_ERR_NOT_FOUND, "token_embd.weight");
    refused(golden("gguf_spm.gguf"), RETORT_ERR_FORMAT, "lacks the metadata");
}

/* The type of a tensor stands behind its two sizes. */
static void test_types_that_are_not_decoded(void **state) {
    (void)state;
    rt_buffer bytes = {0};
    const char *path = in_scratch("type.gguf");
    check_ok(rt_file_read(golden("gguf_llama.gguf"), &bytes, &err));
    char *at = memmem(bytes.data, bytes.length, "blk.0.attn_q.weight", 19);
    assert_non_null(at);
    at[19 + 4 + 16] = 10; /* Q2_K: smaller blocks than the Q5_K there */
    check_ok(rt_file_write(path, bytes.data, bytes.length, &err));
    refused(path, RETORT_ERR_UNSUPPORTED, "tensor 'blk.0.attn_q.weight' has type Q2_K, which is not supported");
    at[19 + 4 + 16] = 13;
    rt_gguf file;
    check_ok(rt_gguf_parse(bytes.data, bytes.length, path, &file, &err));
    const rt_gguf_tensor *q = rt_gguf_tensor_find(&file, "blk.0.attn_q.weight");
    const size_t place = (size_t)(q->data - (const unsigned char *)bytes.data);
    rt_gguf_close(&file);
    bytes.data[place + 1] = 0x7c; /* the first block's scale: infinite */
    bytes.data[place] = 0;
    check_ok(rt_file_write(path, bytes.data, bytes.length, &err));
    refused(path, RETORT_ERR_FORMAT, "tensor 'blk.0.attn_q.weight' has the non-finite value");
    rt_buffer_free(&bytes);
}

static void test_rope_tables(void **state) {
    (void)state;
    float factors[32];
    rt_rope_llama3 found;
    const rt_rope_llama3 real = {.factor = 32, .low = 1, .high = 4, .original = 8192};
    rt_rope_llama3_factors(500000, 64, &real, factors);
    assert_true(rt_rope_llama3_find(500000, 64, factors, &found));
    assert_true(found.factor == 32 && found.original == 8192);
    factors[20] *= 1.001F;
    assert_false(rt_rope_llama3_find(500000, 64, factors, &found));
    for (int i = 0; i < 32; i++) factors[i] = (float)(i + 1); /* a longrope table */
    assert_false(rt_rope_llama3_find(500000, 64, factors, &found));
    factors[31] = NAN;
    assert_false(rt_rope_llama3_find(500000, 64, factors, &found));
}

static int leave(void **state) {
    (void)state;
    scratch_remove();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_inspect),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_q8_0_as_int8),
        cmocka_unit_test(test_odd_rows),
        cmocka_unit_test(test_refused_writing),
        cmocka_unit_test(test_disk_full),
        cmocka_unit_test(test_configurations),
        cmocka_unit_test(test_refused_reading),
        cmocka_unit_test(test_types_that_are_not_decoded),
        cmocka_unit_test(test_rope_tables),
    };
    return cmocka_run_group_tests_name("gguf_model", tests, NULL, leave);
}
