/* Model folders: round trips, hostile weights, failing disks, failing allocations, and what inspection tells. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/json.h"
#include "disk_fixture.h"
#include "fixture.h"
#include "model/config_json.h"
#include "model/weights.h"
#include "retort/model.h"

static rt_config disk_config(bool tied) {
    rt_config config = fixture_config(tied, true);
    config.bos_token_id = 5;
    config.num_eos = 2;
    config.eos_token_id[0] = 7;
    config.eos_token_id[1] = 210;
    config.rope.theta = 1e6 / 3.0; /* needs all 17 digits */
    return config;
}

static const char *fresh_folder(const char *name) {
    const char *dir = in_scratch(name);
    retort_error err;
    must(rt_remove_tree(dir, &err), &err);
    must(rt_make_dirs(dir, &err), &err);
    return dir;
}

static const char *saved_model(const char *name, const rt_model *model) {
    const char *dir = fresh_folder(name);
    retort_error err;
    must(rt_model_save(model, dir, RT_DTYPE_F32, &err), &err);
    return dir;
}

/* ---- round trips ---- */

static void expect_rounded(const rt_model *model, const rt_model *back, rt_dtype dtype) {
    assert_int_equal(back->params.count, model->params.count);
    for (int64_t i = 0; i < model->params.count; i++) {
        unsigned char bytes[4];
        float rounded;
        rt_dtype_encode(dtype, &model->params.data[i], 1, bytes);
        rt_dtype_decode(dtype, bytes, 1, &rounded);
        assert_memory_equal(&back->params.data[i], &rounded, sizeof rounded);
    }
}

static void test_round_trip(void **state) {
    (void)state;
    for (int kind = -2; kind < FIXTURE_FEATURES; kind++) {
        const rt_config config = kind < 0 ? disk_config(kind == -1) : fixture_feature(kind);
        rt_model model = fixture_model(&config, 11);
        char hash[65];
        retort_error err;
        must(rt_model_hash(&model, hash, &err), &err);
        for (int dtype = RT_DTYPE_F32; dtype <= RT_DTYPE_F16; dtype++) {
            const char *dir = fresh_folder("round");
            must(rt_model_save(&model, dir, (rt_dtype)dtype, &err), &err);
            assert_int_equal(files_in(dir), 3);
            rt_model back;
            must(rt_model_load(dir, &back, &err), &err);
            assert_same_config(&back.config, &config);
            expect_rounded(&model, &back, (rt_dtype)dtype);
            char again[65];
            must(rt_model_hash(&back, again, &err), &err);
            assert_int_equal(strcmp(hash, again) == 0, dtype == RT_DTYPE_F32);
            rt_model_release(&back);
        }
        rt_model_release(&model);
    }
}

static void test_hash_sees_everything(void **state) {
    (void)state;
    const rt_config config = disk_config(true);
    rt_model model = fixture_model(&config, 12);
    char first[65], other[65];
    must(rt_model_hash(&model, first, NULL), NULL);
    model.params.data[model.params.count - 1] += 1e-3F;
    must(rt_model_hash(&model, other, NULL), NULL);
    assert_string_not_equal(first, other);
    model.params.data[model.params.count - 1] -= 1e-3F;
    model.config.eos_token_id[1] = 9;
    must(rt_model_hash(&model, other, NULL), NULL);
    assert_string_not_equal(first, other);
    model.config = config;
    model.config.rope.type = RT_ROPE_LINEAR;
    model.config.rope.factor = 2;
    must(rt_model_hash(&model, other, NULL), NULL);
    assert_string_not_equal(first, other);
    model.config = config;
    model.config.sliding_window = 4;
    model.config.window_layers[0] = 1;
    must(rt_model_hash(&model, other, NULL), NULL);
    assert_string_not_equal(first, other);
    rt_model_release(&model);
}

/* ---- hostile weights ---- */

/* Writes the model's tensors after `change` edited the list (there is room for one more entry). */
typedef void (*list_change)(rt_st_tensor *list, int64_t *count);

static const char *changed_weights(const rt_model *model, list_change change) {
    const char *dir = saved_model("changed", model), *path = in_scratch("changed/model.safetensors");
    rt_st_tensor *list;
    int64_t count;
    retort_error err;
    must(rt_weights_list(&model->params, false, &list, &count, &err), &err);
    change(list, &count);
    must(rt_safetensors_write(path, list, count, RT_DTYPE_F32, NULL, &err), &err);
    rt_free(list);
    return dir;
}

static void drop_second(rt_st_tensor *list, int64_t *count) {
    list[1] = list[--*count];
}

static void transpose_down(rt_st_tensor *list, int64_t *count) {
    for (int64_t i = 0; i < *count; i++) {
        if (strcmp(list[i].name, "model.layers.2.mlp.down_proj.weight") != 0) continue;
        const int64_t rows = list[i].shape[0];
        list[i].shape[0] = list[i].shape[1];
        list[i].shape[1] = rows;
    }
}

static void flatten_norm(rt_st_tensor *list, int64_t *count) {
    list[*count - 1].dims = 2;
    list[*count - 1].shape[1] = 1;
}

static void add_layer(rt_st_tensor *list, int64_t *count) {
    list[*count] = list[1];
    list[(*count)++].name = "model.layers.3.input_layernorm.weight";
}

static void add_equal_head(rt_st_tensor *list, int64_t *count) {
    list[*count] = list[0];
    list[(*count)++].name = "lm_head.weight";
}

static void add_other_head(rt_st_tensor *list, int64_t *count) {
    static float head[211 * 40];
    list[*count] = list[0];
    list[*count].data = head;
    list[(*count)++].name = "lm_head.weight";
}

static void test_wrong_tensors(void **state) {
    (void)state;
    const rt_config config = disk_config(true);
    rt_model model = fixture_model(&config, 13);
    const struct {
        list_change change;
        retort_status code;
        const char *cause;
    } cases[] = {
        {drop_second, RETORT_ERR_NOT_FOUND, " lacks the tensor 'model.layers.0.input_layernorm.weight'"},
        {transpose_down, RETORT_ERR_FORMAT,
         ": tensor 'model.layers.2.mlp.down_proj.weight' has shape [272, 40], expected [40, 272]"},
        {flatten_norm, RETORT_ERR_FORMAT, ": tensor 'model.norm.weight' has shape [40, 1], expected [40]"},
        {add_layer, RETORT_ERR_FORMAT, " has the unexpected tensor 'model.layers.3.input_layernorm.weight'"},
        {add_other_head, RETORT_ERR_FORMAT,
         ": 'lm_head.weight' differs from 'model.embed_tokens.weight' although config.json says "
         "'tie_word_embeddings'"},
    };
    rt_model back;
    retort_error err;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *dir = changed_weights(&model, cases[i].change);
        expect_error(rt_model_load(dir, &back, &err), &err, cases[i].code, "'%s/model.safetensors'%s", dir,
                     cases[i].cause);
        assert_null(back.params.data);
    }
    must(rt_model_load(changed_weights(&model, add_equal_head), &back, &err), &err);
    assert_memory_equal(back.params.data, model.params.data, (size_t)model.params.count * sizeof(float));
    rt_model_release(&back);
    rt_model_release(&model);
}

/* A model opened to sample from leaves bfloat16 matrices in the file; they are those that loading copies, and checked
 * as those are. */
static void expect_same_halves(const rt_model *mapped, const rt_model *copied) {
    assert_int_equal(mapped->params.num_tensors, copied->params.num_tensors);
    for (int64_t i = 0; i < mapped->params.num_tensors; i++) {
        const rt_tensor *a = &mapped->params.tensors[i], *b = &copied->params.tensors[i];
        float x[4096], y[4096];
        assert_string_equal(a->name, b->name);
        for (int64_t first = 0; first < a->count; first += 4096) {
            const int64_t n = a->count - first < 4096 ? a->count - first : 4096;
            rt_params_fetch(&mapped->params, a, first, n, x);
            rt_params_fetch(&copied->params, b, first, n, y);
            assert_memory_equal(x, y, (size_t)n * sizeof *x);
        }
    }
    const rt_layer_params *p = &mapped->params.layers[1], *q = &copied->params.layers[1];
    const int64_t down = copied->config.hidden_size * copied->config.intermediate_size;
    assert_memory_equal(p->down_w.bf16, q->down_w.bf16, (size_t)down * sizeof(uint16_t));
    assert_memory_equal(p->input_norm, q->input_norm, (size_t)copied->config.hidden_size * sizeof(float));
}

static void test_opened_to_sample(void **state) {
    (void)state;
    rt_config config = disk_config(true);
    rt_model model = fixture_model(&config, 21), mapped, copied;
    const char *dir = fresh_folder("mapped"), *path = in_scratch("mapped/model.safetensors");
    retort_error err;
    must(rt_model_save(&model, dir, RT_DTYPE_BF16, &err), &err);
    const rt_model_source source = {.dir = dir};
    must(rt_model_open(&source, &mapped, &err), &err);
    must(rt_model_load_as(dir, RT_WEIGHTS_AUTO, &copied, &err), &err);
    assert_true(mapped.params.mapped > 0);
    assert_int_equal(copied.params.mapped, 0);
    expect_same_halves(&mapped, &copied);
    rt_model_release(&mapped);
    const rt_model_source floats = {.dir = dir, .weights = RT_WEIGHTS_F32};
    must(rt_model_open(&floats, &mapped, &err), &err);
    assert_int_equal(mapped.params.mapped, 0);
    rt_model_release(&mapped);

    rt_buffer bytes = {0};
    must(rt_file_read(path, &bytes, &err), &err);
    const uint16_t infinity = 0xff80;
    memcpy(bytes.data + bytes.length - 2 * (40 + 3), &infinity, 2); /* before the 40 of model.norm.weight */
    put_file(path, bytes.data, bytes.length);
    retort_error other;
    assert_int_equal(rt_model_load_as(dir, RT_WEIGHTS_AUTO, &mapped, &other), RETORT_ERR_FORMAT);
    expect_error(rt_model_open(&source, &mapped, &err), &err, RETORT_ERR_FORMAT, "%s", other.message);
    assert_non_null(strstr(err.message, "has the non-finite value -inf"));
    rt_buffer_free(&bytes);
    rt_model_release(&copied);
    rt_model_release(&model);
}

/* What rows of float32, encoded one by one, come to stand for. */
static void expect_quantised(const rt_model *exact, const rt_model *int8) {
    assert_int_equal(int8->config.weights_dtype, RT_DTYPE_INT8);
    for (int64_t i = 0; i < exact->params.num_tensors; i++) {
        const rt_tensor *from = &exact->params.tensors[i], *to = &int8->params.tensors[i];
        float *x = calloc((size_t)from->count, sizeof *x), *y = calloc((size_t)from->count, sizeof *y);
        int8_t *q = calloc((size_t)from->count, 1);
        float *scale = calloc((size_t)from->count, sizeof *scale);
        rt_params_fetch(&exact->params, from, 0, from->count, x);
        rt_params_fetch(&int8->params, to, 0, to->count, y);
        const int64_t cols = from->shape[1];
        const rt_matrix w = {.int8 = q, .scale = scale};
        for (int64_t r = 0; from->dims == 2 && r < from->shape[0]; r++) {
            rt_matrix_encode(w, cols, r * cols, cols, x + r * cols);
            rt_matrix_decode(w, cols, r * cols, cols, x + r * cols);
        }
        assert_memory_equal(x, y, (size_t)from->count * sizeof *x);
        free(x);
        free(y);
        free(q);
        free(scale);
    }
}

/* From each type of file, one file and many, by any number of threads; rows longer than what is converted at a time. */
static void test_loaded_as_int8(void **state) {
    (void)state;
    rt_config config = disk_config(false);
    config.intermediate_size = 16421;
    rt_model model = fixture_model(&config, 22), exact, int8;
    retort_error err;
    const rt_dtype types[] = {RT_DTYPE_F32, RT_DTYPE_BF16, RT_DTYPE_F16};
    for (int i = 0; i < 3; i++) {
        const char *dir = fresh_folder("int8");
        must(rt_model_save_shards(&model, dir, types[i], i == 0 ? RT_SHARD_BYTES : 1 << 20, &err), &err);
        must(rt_model_load(dir, &exact, &err), &err);
        rt_compute_set_threads(1 + i);
        const rt_model_source source = {.dir = dir, .weights = RT_WEIGHTS_INT8};
        must(rt_model_open(&source, &int8, &err), &err);
        rt_config peeked;
        must(rt_model_peek(dir, RT_WEIGHTS_INT8, &peeked, &err), &err);
        assert_int_equal(peeked.weights_dtype, RT_DTYPE_INT8);
        expect_quantised(&exact, &int8);
        rt_model_release(&exact);
        rt_model_release(&int8);
    }
    rt_compute_set_threads(1);
    rt_model_release(&model);
}

/* The first bad number is named, whichever thread finds one; so is one that no int8 comes near. */
static void test_bad_as_int8(void **state) {
    (void)state;
    const rt_config config = disk_config(true);
    rt_model model = fixture_model(&config, 23), back;
    const char *dir = saved_model("int8-bad", &model), *path = in_scratch("int8-bad/model.safetensors");
    retort_error err;
    rt_buffer bytes = {0};
    must(rt_file_read(path, &bytes, &err), &err);
    char *const last = bytes.data + bytes.length - 4 * (40 + 1); /* of the matrix before model.norm.weight */
    const float nan = __builtin_nanf(""), largest = 0x1.fffffep127F;
    memcpy(last, &nan, 4);
    memcpy(last - 4 * 30000, &nan, 4);
    put_file(path, bytes.data, bytes.length);
    for (int threads = 1; threads <= 3; threads++) {
        rt_compute_set_threads(threads);
        expect_error(rt_model_load_as(dir, RT_WEIGHTS_INT8, &back, &err), &err, RETORT_ERR_FORMAT,
                     "'%s': tensor 'model.layers.2.mlp.gate_proj.weight' has the non-finite value nan at element 2639",
                     path);
    }
    rt_compute_set_threads(1);
    memcpy(last - 4 * 30000, bytes.data + bytes.length - 4, 4);
    memcpy(last, &largest, 4);
    put_file(path, bytes.data, bytes.length);
    int8_t q;
    float scale, stands_for;
    rt_matrix_encode((rt_matrix){.int8 = &q, .scale = &scale}, 1, 0, 1, &largest);
    rt_matrix_decode((rt_matrix){.int8 = &q, .scale = &scale}, 1, 0, 1, &stands_for);
    if (stands_for > largest) {
        expect_error(rt_model_load_as(dir, RT_WEIGHTS_INT8, &back, &err), &err, RETORT_ERR_FORMAT,
                     "'%s': tensor 'model.layers.2.mlp.down_proj.weight' has the value %g at element 10879, which is "
                     "not a finite number in INT8",
                     path, (double)largest);
    } else {
        must(rt_model_load_as(dir, RT_WEIGHTS_INT8, &back, &err), &err);
        rt_model_release(&back);
    }
    rt_buffer_free(&bytes);
    rt_model_release(&model);
}

/* An untied model without its head, and a NaN and an infinity written behind the writer's back. */
static void test_missing_head_and_nan(void **state) {
    (void)state;
    rt_config config = disk_config(true);
    rt_model model = fixture_model(&config, 14), back;
    const char *dir = saved_model("nan", &model), *path = in_scratch("nan/model.safetensors");
    retort_error err;
    rt_buffer bytes = {0};
    must(rt_file_read(path, &bytes, &err), &err);
    const float nan = __builtin_nanf(""), infinity = -__builtin_inff();
    memcpy(bytes.data + bytes.length - 4, &infinity, 4);
    put_file(path, bytes.data, bytes.length);
    expect_error(rt_model_load(dir, &back, &err), &err, RETORT_ERR_FORMAT,
                 "'%s': tensor 'model.norm.weight' has the non-finite value -inf at element 39", path);
    memcpy(bytes.data + bytes.length - 4 * 40, &nan, 4);
    put_file(path, bytes.data, bytes.length);
    expect_error(rt_model_load(dir, &back, &err), &err, RETORT_ERR_FORMAT,
                 "'%s': tensor 'model.norm.weight' has the non-finite value nan at element 0", path);
    put_file(path, bytes.data, bytes.length - 1);
    expect_error(
        rt_model_load(dir, &back, &err), &err, RETORT_ERR_FORMAT,
        "'%s': data_offsets [%lld, %lld] of tensor 'model.norm.weight' lie outside the file's %lld bytes of data", path,
        (long long)(model.params.count - 40) * 4, (long long)model.params.count * 4,
        (long long)model.params.count * 4 - 1);
    rt_buffer_free(&bytes);

    model.config.tie_word_embeddings = false; /* config.json alone says untied */
    json_t *object;
    must(rt_config_to_json(&model.config, RT_DTYPE_F32, &object, &err), &err);
    dir = saved_model("nan", &(rt_model){.config = config, .params = model.params});
    must(rt_json_save(in_scratch("nan/config.json"), object, &err), &err);
    json_decref(object);
    expect_error(rt_model_load(dir, &back, &err), &err, RETORT_ERR_NOT_FOUND, "'%s' lacks the tensor 'lm_head.weight'",
                 path);
    rt_model_release(&model);
}

static void test_missing_files(void **state) {
    (void)state;
    const rt_config config = disk_config(true);
    rt_model model = fixture_model(&config, 15), back;
    retort_error err;
    const char *nowhere = in_scratch("nowhere");
    expect_error(rt_model_load(nowhere, &back, &err), &err, RETORT_ERR_NOT_FOUND, "there is no model folder '%s'",
                 nowhere);
    const char *dir = saved_model("missing", &model), *weights = in_scratch("missing/model.safetensors");
    assert_int_equal(unlink(weights), 0);
    expect_error(rt_model_load(dir, &back, &err), &err, RETORT_ERR_NOT_FOUND,
                 "cannot open '%s': No such file or directory", weights);
    const char *index = in_scratch("missing/model.safetensors.index.json");
    put_file(index, "{}", 2);
    expect_error(rt_model_load(dir, &back, &err), &err, RETORT_ERR_FORMAT,
                 "'%s' has no object 'weight_map' with tensors", index);
    const char *settings = in_scratch("missing/config.json");
    assert_int_equal(unlink(settings), 0);
    expect_error(rt_model_load(dir, &back, &err), &err, RETORT_ERR_NOT_FOUND,
                 "cannot open '%s': No such file or directory", settings);
    rt_model_release(&model);
}

/* A config.json that claims terabytes is refused by its tensors' shapes before memory is taken. */
static void test_claimed_size(void **state) {
    (void)state;
    rt_config config = disk_config(true);
    rt_model model = fixture_model(&config, 16), back;
    const char *dir = saved_model("claim", &model);
    config.vocab_size = 1 << 24;
    config.num_hidden_layers = 1 << 10;
    json_t *object;
    retort_error err;
    must(rt_config_to_json(&config, RT_DTYPE_F32, &object, &err), &err);
    must(rt_json_save(in_scratch("claim/config.json"), object, &err), &err);
    json_decref(object);
    rt_fail_alloc(1 << 30, false); /* only to count */
    expect_error(
        rt_model_load(dir, &back, &err), &err, RETORT_ERR_FORMAT,
        "'%s/model.safetensors': tensor 'model.embed_tokens.weight' has shape [211, 40], expected [16777216, 40]", dir);
    rt_fail_alloc(-1, false);
    rt_model_release(&model);
}

/* ---- failing saves ---- */

static void read_all_files(const char *dir, rt_buffer *out) {
    const char *const names[] = {"model.safetensors", "generation_config.json", "config.json"};
    for (size_t i = 0; i < 3; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        must(rt_file_read(path, out, NULL), NULL);
    }
}

static void expect_unchanged(const char *dir, const rt_buffer *before) {
    rt_buffer after = {0};
    assert_int_equal(files_in(dir), 3);
    read_all_files(dir, &after);
    assert_int_equal(after.length, before->length);
    assert_memory_equal(after.data, before->data, before->length);
    rt_buffer_free(&after);
}

static void test_full_disk(void **state) {
    (void)state;
    const rt_config config = disk_config(true);
    rt_model old = fixture_model(&config, 17), model = fixture_model(&config, 18);
    model.config.rms_norm_eps = 1e-5;
    const char *dir = saved_model("full", &old);
    rt_buffer before = {0};
    read_all_files(dir, &before);
    retort_error err;
    const char *const temporaries[] = {"full/model.safetensors.tmp", "full/generation_config.json.tmp",
                                       "full/config.json.tmp"};
    for (size_t i = 0; i < 3; i++) {
        const char *path = in_scratch(temporaries[i]);
        assert_int_equal(symlink("/dev/full", path), 0);
        expect_error(rt_model_save(&model, dir, RT_DTYPE_F32, &err), &err, RETORT_ERR_IO,
                     "cannot write '%s': No space left on device; free some space or choose another folder", path);
        expect_unchanged(dir, &before);
    }
    struct rlimit saved, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &saved), 0);
    signal(SIGXFSZ, SIG_IGN);
    const rlim_t limits[] = {100, 100000};
    for (size_t i = 0; i < 2; i++) {
        small = (struct rlimit){.rlim_cur = limits[i], .rlim_max = saved.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        retort_status st = rt_model_save(&model, dir, RT_DTYPE_F32, &err);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &saved), 0);
        expect_error(
            st, &err, RETORT_ERR_IO,
            "cannot write '%s/model.safetensors.tmp': File too large; free some space or choose another folder", dir);
        expect_unchanged(dir, &before);
    }
    rt_buffer_free(&before);
    rt_model_release(&old);
    rt_model_release(&model);
}

static void test_unwritable(void **state) {
    (void)state;
    const rt_config config = disk_config(true);
    rt_model model = fixture_model(&config, 19);
    retort_error err;
    const char *nowhere = in_scratch("nowhere");
    expect_error(rt_model_save(&model, nowhere, RT_DTYPE_F32, &err), &err, RETORT_ERR_IO,
                 "cannot write '%s/model.safetensors.tmp': No such file or directory", nowhere);
    assert_false(rt_path_exists(nowhere));

    const char *dir = fresh_folder("locked");
    assert_int_equal(chmod(scratch(), 0755), 0);
    assert_int_equal(chmod(dir, 0555), 0);
    const bool root = geteuid() == 0;
    if (root) assert_int_equal(seteuid(65534), 0); /* root may write anywhere */
    retort_status st = rt_model_save(&model, dir, RT_DTYPE_F32, &err);
    if (root) assert_int_equal(seteuid(0), 0);
    expect_error(st, &err, RETORT_ERR_IO, "cannot write '%s/model.safetensors.tmp': Permission denied", dir);
    assert_int_equal(files_in(dir), 0);
    assert_int_equal(chmod(dir, 0755), 0);

    must(rt_make_dirs(in_scratch("locked/config.json"), &err), &err);
    expect_error(rt_model_save(&model, dir, RT_DTYPE_F32, &err), &err, RETORT_ERR_IO,
                 "cannot write '%s/config.json': a folder of that name is in the way", dir);
    assert_int_equal(files_in(dir), 1);
    rt_model_release(&model);
}

static void test_unsaveable(void **state) {
    (void)state;
    const rt_config config = disk_config(true);
    rt_config plain = fixture_config(true, false);
    plain.architecture = RT_QWEN2;
    rt_model model = fixture_model(&config, 20), no_bias = fixture_model(&plain, 20);
    const char *dir = fresh_folder("unsaveable");
    retort_error err;
    expect_error(rt_model_save(&no_bias, dir, RT_DTYPE_F32, &err), &err, RETORT_ERR_UNSUPPORTED,
                 "a model without attention biases cannot be written as Qwen2ForCausalLM");
    model.params.norm[3] = __builtin_nanf("");
    expect_error(
        rt_model_save(&model, dir, RT_DTYPE_BF16, &err), &err, RETORT_ERR_NUMERIC,
        "cannot write '%s/model.safetensors': tensor 'model.norm.weight' has the value nan at element 3, which "
        "is not a finite number in BF16",
        dir);
    assert_int_equal(files_in(dir), 0);
    rt_model_release(&model);
    rt_model_release(&no_bias);
}

/* ---- failing allocations ---- */

/* A small model, so that the loop, which is quadratic in the number of allocations, stays short. */
static rt_model tiny_model(void) {
    rt_config config = disk_config(false);
    config.num_hidden_layers = 1;
    return fixture_model(&config, 21);
}

/* Calls `work` with the Nth allocation failing, N = 0, 1, 2, ..., until it succeeds. JSON takes its memory the same
 * way, so its failures are met too. `check` looks at the world after each failure. */
static void fail_each(bool persistent, retort_status (*work)(retort_error *err), void (*check)(void)) {
    json_malloc_t json_alloc;
    json_free_t json_release;
    json_get_alloc_funcs(&json_alloc, &json_release);
    json_set_alloc_funcs(rt_malloc, rt_free);
    long failures = 0;
    retort_status st = RETORT_ERR_MEMORY;
    for (; st != RETORT_OK && failures < 100000; failures++) {
        retort_error err = {0};
        rt_fail_alloc(failures, persistent);
        st = work(&err);
        rt_fail_alloc(-1, false);
        if (st == RETORT_OK) continue;
        assert_int_equal(err.code, st);
        assert_true(err.message[0] != '\0');
        check();
    }
    json_set_alloc_funcs(json_alloc, json_release);
    assert_int_equal(st, RETORT_OK);
    assert_true(failures > 20);
}

static const char *alloc_dir;
static rt_model alloc_model, alloc_back;

static retort_status load_work(retort_error *err) {
    return rt_model_load(alloc_dir, &alloc_back, err);
}

static void load_check(void) {
    assert_null(alloc_back.params.data);
    assert_null(alloc_back.params.tensors);
}

static retort_status save_work(retort_error *err) {
    return rt_model_save(&alloc_model, alloc_dir, RT_DTYPE_F32, err);
}

static void save_check(void) {
    assert_int_equal(files_in(alloc_dir), 0);
}

static retort_status inspect_work(retort_error *err) {
    retort_model_info info;
    char *text = NULL;
    RT_TRY(retort_model_inspect(alloc_dir, &info, err));
    retort_status st = retort_model_info_json(&info, &text, err);
    retort_model_info_release(&info);
    free(text);
    return st;
}

static void inspect_check(void) {
}

static void test_allocation_failures(void **state) {
    (void)state;
    alloc_model = tiny_model();
    for (int persistent = 0; persistent < 2; persistent++) {
        alloc_dir = fresh_folder("alloc");
        fail_each(persistent == 1, save_work, save_check);
        fail_each(persistent == 1, load_work, load_check);
        assert_memory_equal(alloc_back.params.data, alloc_model.params.data,
                            (size_t)alloc_model.params.count * sizeof(float));
        rt_model_release(&alloc_back);
        fail_each(persistent == 1, inspect_work, inspect_check);
    }
    rt_model_release(&alloc_model);
}

/* ---- inspection ---- */

static void put_tokenizer(const char *dir) {
    const char tokenizer[] =
        "{\"added_tokens\":[{\"id\":3,\"content\":\"<|endoftext|>\"},{\"id\":0,\"content\":\"a\"}],"
        "\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},\"merges\":[[\"a\",\"b\"]]}}";
    const char settings[] = "{\"retort_prompt_template\":\"{problem}\"}";
    char path[512];
    snprintf(path, sizeof path, "%s/tokenizer.json", dir);
    put_file(path, tokenizer, sizeof tokenizer - 1);
    snprintf(path, sizeof path, "%s/tokenizer_config.json", dir);
    put_file(path, settings, sizeof settings - 1);
}

static void test_inspect(void **state) {
    (void)state;
    const rt_config config = disk_config(false);
    rt_model model = fixture_model(&config, 22);
    const char *dir = saved_model("inspect", &model);
    put_tokenizer(dir);
    retort_model_info info;
    retort_error err;
    must(retort_model_inspect(dir, &info, &err), &err);
    assert_string_equal(info.path, dir);
    assert_string_equal(info.dtype, "F32");
    assert_int_equal(info.parameters, model.params.count);
    assert_int_equal(info.embedding_parameters, 211 * 40);
    assert_int_equal(info.non_embedding_parameters, model.params.count - 2 * 211 * 40);
    assert_int_equal(info.tensors, model.params.num_tensors);
    assert_int_equal(info.memory_bytes, model.params.count * 4);
    assert_int_equal(info.kv_cache_bytes, 2 * 3 * 2 * 8 * 4);
    assert_true(info.bytes_on_disk > info.weight_bytes && info.weight_bytes > info.memory_bytes);
    assert_int_equal(info.num_eos, 2);
    assert_int_equal(info.eos_ids[1], 210);
    assert_true(info.has_tokenizer && info.has_prompt_template);
    assert_int_equal(info.tokenizer_vocabulary, 4);
    assert_int_equal(info.tokenizer_merges, 1);
    assert_int_equal(info.tokenizer_added, 2);
    char hash[65];
    must(rt_model_hash(&model, hash, &err), &err);
    assert_string_equal(info.weights_sha256, hash);
    must(rt_sha256_file(in_scratch("inspect/model.safetensors"), hash, &err), &err);
    assert_string_equal(info.file_sha256, hash);

    char *text;
    json_t *object;
    must(retort_model_info_json(&info, &text, &err), &err);
    must(rt_json_parse(text, strlen(text), "info", &object, &err), &err);
    assert_int_equal(json_integer_value(json_object_get(object, "parameters")), model.params.count);
    assert_int_equal(json_array_size(json_object_get(object, "eos_token_ids")), 2);
    assert_string_equal(json_string_value(json_object_get(object, "weights_sha256")), info.weights_sha256);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(object, "tokenizer"), "vocabulary")), 4);
    json_decref(object);
    free(text);
    retort_model_info_release(&info);
    retort_model_info_release(&info); /* harmless */

    put_file(in_scratch("inspect/tokenizer.json"), "{}", 2);
    expect_error(retort_model_inspect(dir, &info, &err), &err, RETORT_ERR_FORMAT,
                 "'%s/tokenizer.json' has no object 'vocab' in 'model'", dir);
    assert_null(info.path);
    rt_model_release(&model);
}

static int leave(void **state) {
    (void)state;
    scratch_remove();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),          cmocka_unit_test(test_hash_sees_everything),
        cmocka_unit_test(test_wrong_tensors),       cmocka_unit_test(test_missing_head_and_nan),
        cmocka_unit_test(test_opened_to_sample),    cmocka_unit_test(test_loaded_as_int8),
        cmocka_unit_test(test_bad_as_int8),         cmocka_unit_test(test_missing_files),
        cmocka_unit_test(test_claimed_size),        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_unwritable),          cmocka_unit_test(test_unsaveable),
        cmocka_unit_test(test_allocation_failures), cmocka_unit_test(test_inspect),
    };
    return cmocka_run_group_tests(tests, NULL, leave);
}
