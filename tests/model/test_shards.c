/* Weights in several files: round trips, what transformers writes, hostile indices, failing allocations. */
#include <nettle/sha2.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "disk_fixture.h"
#include "fixture.h"
#include "model/weights.h"
#include "retort/model.h"

enum { SHARD = 30000 }; /* bytes: some shards of several tensors, some of one that is larger */

static const char *fresh_folder(const char *name) {
    const char *dir = in_scratch(name);
    retort_error err;
    must(rt_remove_tree(dir, &err), &err);
    must(rt_make_dirs(dir, &err), &err);
    return dir;
}

static const char *saved(const char *name, const rt_model *model, int64_t max_bytes) {
    const char *dir = fresh_folder(name);
    retort_error err;
    must(rt_model_save_shards(model, dir, RT_DTYPE_F32, max_bytes, &err), &err);
    return dir;
}

static const char *file_of(const char *dir, const char *name) {
    static char paths[16][600];
    static int next;
    char *path = paths[next++ % 16];
    snprintf(path, sizeof paths[0], "%s/%s", dir, name);
    return path;
}

static void expect_same(const rt_model *model, const char *dir) {
    rt_model back;
    retort_error err;
    must(rt_model_load(dir, &back, &err), &err);
    assert_same_config(&model->config, &back.config);
    assert_int_equal(model->params.count, back.params.count);
    assert_memory_equal(model->params.data, back.params.data, (size_t)model->params.count * sizeof(float));
    rt_model_release(&back);
}

/* ---- good folders ---- */

static void test_round_trip(void **state) {
    (void)state;
    for (int number = 0; number < 2; number++) {
        const rt_config config = fixture_feature(number);
        rt_model model = fixture_model(&config, 31);
        const char *dir = saved("round", &model, SHARD);
        retort_error err;
        rt_weights weights;
        expect_same(&model, dir);
        assert_false(rt_path_exists(file_of(dir, "model.safetensors")));
        must(rt_weights_open(dir, &weights, &err), &err);
        assert_true(weights.num_files > 3);
        assert_int_equal(weights.count, model.params.num_tensors);
        assert_int_equal(files_in(dir), weights.num_files + 3);
        for (int64_t i = 0; i < weights.num_files; i++) {
            char name[64];
            snprintf(name, sizeof name, "model-%05d-of-%05d.safetensors", (int)i + 1, (int)weights.num_files);
            assert_string_equal(weights.index.files[i], name);
            size_t data = 0;
            for (int64_t t = 0; t < weights.files[i].count; t++) data += weights.files[i].entries[t].bytes;
            assert_true(data <= SHARD || weights.files[i].count == 1);
        }
        const json_t *metadata = json_object_get(weights.index.root, "metadata");
        assert_int_equal(json_integer_value(json_object_get(metadata, "total_size")), model.params.count * 4);
        rt_weights_close(&weights);
        /* one tensor a file, and all in one */
        must(rt_model_save_shards(&model, dir, RT_DTYPE_F32, 1, &err), &err);
        assert_int_equal(files_in(dir), model.params.num_tensors + 3);
        expect_same(&model, dir);
        must(rt_model_save(&model, dir, RT_DTYPE_F32, &err), &err);
        assert_int_equal(files_in(dir), 3);
        expect_same(&model, dir);
        must(rt_model_save_shards(&model, dir, RT_DTYPE_F32, SHARD, &err), &err);
        assert_false(rt_path_exists(file_of(dir, "model.safetensors")));
        expect_same(&model, dir);
        rt_model_release(&model);
    }
}

/* Files that are no weights, or only look like shards, stay. */
static void test_stale_files(void **state) {
    (void)state;
    const rt_config config = fixture_config(true, true);
    rt_model model = fixture_model(&config, 32);
    const char *dir = saved("stale", &model, SHARD);
    const char *const others[] = {"tokenizer.json", "model-1-of-2.safetensors.bak", "adapter_model.safetensors"};
    retort_error err;
    for (size_t i = 0; i < 3; i++) put_file(file_of(dir, others[i]), "{}", 2);
    must(rt_model_save(&model, dir, RT_DTYPE_F32, &err), &err);
    assert_int_equal(files_in(dir), 6);
    for (size_t i = 0; i < 3; i++) assert_true(rt_path_exists(file_of(dir, others[i])));
    expect_error(rt_model_save_shards(&model, dir, RT_DTYPE_F32, 0, &err), &err, RETORT_ERR_USAGE, "shards of 0 bytes");
    rt_model_release(&model);
}

static const char *golden(const char *name) {
    static char path[4096];
    const char *dir = getenv("RETORT_TEST_GOLDEN");
    snprintf(path, sizeof path, "%s/architectures/%s", dir != NULL ? dir : "tests/model/golden", name);
    return path;
}

static void test_transformers(void **state) {
    (void)state;
    rt_model model;
    rt_safetensors single;
    retort_error err;
    must(rt_model_load(golden("sharded"), &model, &err), &err);
    must(rt_safetensors_open(golden("llama.safetensors"), &single, &err), &err);
    assert_int_equal(single.count, model.params.num_tensors);
    for (int64_t i = 0; i < model.params.num_tensors; i++) {
        const rt_tensor *tensor = &model.params.tensors[i];
        const rt_st_entry *entry = rt_safetensors_find(&single, tensor->name);
        assert_non_null(entry);
        assert_memory_equal(entry->data, model.params.data + tensor->offset, entry->bytes);
    }
    rt_safetensors_close(&single);
    rt_model_release(&model);
}

static void test_inspect(void **state) {
    (void)state;
    const rt_config config = fixture_config(true, true);
    rt_model model = fixture_model(&config, 33);
    const char *dir = saved("inspect", &model, SHARD);
    retort_model_info info;
    retort_error err;
    rt_weights weights;
    must(retort_model_inspect(dir, &info, &err), &err);
    must(rt_weights_open(dir, &weights, &err), &err);
    assert_int_equal(info.weight_files, weights.num_files);
    assert_int_equal(info.tensors, model.params.num_tensors);
    struct sha256_ctx context;
    sha256_init(&context);
    int64_t bytes = 0;
    for (int64_t i = 0; i < weights.num_files; i++) {
        sha256_update(&context, weights.files[i].mapping.length, weights.files[i].mapping.data);
        bytes += (int64_t)weights.files[i].mapping.length;
    }
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(&context, sizeof digest, digest);
    char hex[65];
    for (size_t i = 0; i < sizeof digest; i++) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    assert_string_equal(info.file_sha256, hex);
    assert_int_equal(info.weight_bytes, bytes);
    rt_weights_close(&weights);
    retort_model_info_release(&info);
    rt_model_release(&model);
}

/* Files of the first Llama models carry the frequencies of the rotation. */
static void test_old_frequencies(void **state) {
    (void)state;
    const rt_config config = fixture_config(true, false);
    rt_model model = fixture_model(&config, 34);
    const char *dir = saved("frequencies", &model, RT_SHARD_BYTES);
    rt_st_tensor *list, longer[100];
    int64_t count;
    float frequency[4] = {1, 0.5F, 0.25F, 0.125F};
    retort_error err;
    must(rt_weights_list(&model.params, false, &list, &count, &err), &err);
    memcpy(longer, list, (size_t)count * sizeof *list);
    longer[count++] = (rt_st_tensor){
        .name = "model.layers.0.self_attn.rotary_emb.inv_freq", .dims = 1, .shape = {4}, .data = frequency};
    must(rt_safetensors_write(file_of(dir, "model.safetensors"), longer, count, RT_DTYPE_F32, NULL, &err), &err);
    expect_same(&model, dir);
    rt_free(list);
    rt_model_release(&model);
}

/* ---- hostile indices ---- */

/* The index of a good folder with one tensor placed elsewhere (file NULL: nowhere). */
static void place(const char *dir, const char *tensor, const char *file) {
    json_t *root;
    retort_error err;
    must(rt_json_load(file_of(dir, RT_SHARDS_INDEX), &root, &err), &err);
    json_t *map = json_object_get(root, "weight_map");
    if (file != NULL)
        assert_int_equal(json_object_set_new(map, tensor, json_string(file)), 0);
    else
        assert_int_equal(json_object_del(map, tensor), 0);
    must(rt_json_save(file_of(dir, RT_SHARDS_INDEX), root, &err), &err);
    json_decref(root);
}

static void expect_refused(const char *dir, retort_status code, const char *fmt, ...) RETORT_PRINTF(3, 4);

static void expect_refused(const char *dir, retort_status code, const char *fmt, ...) {
    rt_model back;
    retort_error err;
    char wanted[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(wanted, sizeof wanted, fmt, args);
    va_end(args);
    expect_error(rt_model_load(dir, &back, &err), &err, code, "%s", wanted);
}

static void where_is(const char *dir, const char *tensor, char name[64]) {
    rt_weights weights;
    retort_error err;
    must(rt_weights_open(dir, &weights, &err), &err);
    const rt_shard_tensor *found = rt_shard_index_find(&weights.index, tensor);
    assert_non_null(found);
    snprintf(name, 64, "%s", weights.index.files[found->file]);
    rt_weights_close(&weights);
}

static void test_hostile_names(void **state) {
    (void)state;
    const rt_config config = fixture_config(true, true);
    rt_model model = fixture_model(&config, 35);
    const char *const names[] = {"../model.safetensors",     "/etc/model.safetensors", "..",
                                 "sub/model.safetensors",    "a\\model.safetensors",   ".hidden.safetensors",
                                 "pytorch_model.bin",        ".safetensors",           "",
                                 "model.safetensors/../../x"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *dir = saved("hostile", &model, SHARD), *index = file_of(dir, RT_SHARDS_INDEX);
        place(dir, "model.norm.weight", names[i]);
        expect_refused(dir, RETORT_ERR_FORMAT,
                       "'%s' places tensor 'model.norm.weight' in '%s'; it must be the name of a .safetensors file "
                       "beside the index",
                       index, names[i]);
    }
    rt_model_release(&model);
}

static void test_hostile_texts(void **state) {
    (void)state;
    const rt_config config = fixture_config(true, true);
    rt_model model = fixture_model(&config, 36);
    const char *dir = saved("texts", &model, SHARD), *index = file_of(dir, RT_SHARDS_INDEX);
    const struct {
        const char *text, *cause;
    } cases[] = {
        {"[]", "is not a JSON object"},
        {"{\"weight_map\":{}}", "has no object 'weight_map' with tensors"},
        {"{\"weight_map\":[\"a\"]}", "has no object 'weight_map' with tensors"},
        {"{\"weight_map\":{\"a\":3}}",
         "places tensor 'a' in '(no string)'; it must be the name of a .safetensors file beside the index"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put_file(index, cases[i].text, strlen(cases[i].text));
        expect_refused(dir, RETORT_ERR_FORMAT, "'%s' %s", index, cases[i].cause);
    }
    const char twice[] = "{\"weight_map\":{\"a\":\"x.safetensors\",\"a\":\"y.safetensors\"}}";
    put_file(index, twice, sizeof twice - 1);
    rt_model back;
    retort_error err;
    assert_int_equal(rt_model_load(dir, &back, &err), RETORT_ERR_FORMAT);
    assert_non_null(strstr(err.message, "duplicate object key"));
    rt_model_release(&model);
}

static void test_wrong_places(void **state) {
    (void)state;
    const rt_config config = fixture_config(true, true);
    rt_model model = fixture_model(&config, 37);
    char first[64], last[64];
    const char *dir = saved("places", &model, SHARD);
    char index[700];
    snprintf(index, sizeof index, "%s", file_of(dir, RT_SHARDS_INDEX));
    where_is(dir, "model.embed_tokens.weight", first);
    where_is(dir, "model.layers.1.input_layernorm.weight", last); /* not alone in its file */

    place(dir, "model.layers.1.input_layernorm.weight", first);
    char at[700];
    snprintf(at, sizeof at, "%s/%s", dir, last);
    expect_refused(dir, RETORT_ERR_FORMAT,
                   "'%s' has the tensor 'model.layers.1.input_layernorm.weight', which '%s' places in '%s'", at, index,
                   first);

    place(dir, "model.layers.1.input_layernorm.weight", NULL);
    expect_refused(dir, RETORT_ERR_FORMAT,
                   "'%s' has the tensor 'model.layers.1.input_layernorm.weight', which '%s' does not list", at, index);

    dir = saved("places", &model, SHARD);
    place(dir, "model.layers.9.input_layernorm.weight", last);
    expect_refused(dir, RETORT_ERR_NOT_FOUND,
                   "'%s' lacks the tensor 'model.layers.9.input_layernorm.weight', which '%s' places there", at, index);

    dir = saved("places", &model, SHARD);
    place(dir, "model.norm.weight", "elsewhere.safetensors");
    expect_refused(dir, RETORT_ERR_NOT_FOUND, "cannot open '%s/%s': No such file or directory", dir,
                   "elsewhere.safetensors");

    dir = saved("places", &model, SHARD);
    assert_int_equal(unlink(file_of(dir, first)), 0);
    expect_refused(dir, RETORT_ERR_NOT_FOUND, "cannot open '%s/%s': No such file or directory", dir, first);

    /* consistent among themselves, but not what config.json asks for */
    rt_config deeper = config, flatter = config;
    deeper.num_hidden_layers++;
    flatter.num_hidden_layers--;
    rt_model more = fixture_model(&deeper, 37), less = fixture_model(&flatter, 37);
    json_t *object;
    retort_error err;
    rt_buffer settings = {0};
    must(rt_file_read(file_of(saved("config", &model, SHARD), "config.json"), &settings, &err), &err);
    dir = saved("places", &more, SHARD);
    put_file(file_of(dir, "config.json"), settings.data, settings.length);
    rt_model back;
    assert_int_equal(rt_model_load(dir, &back, &err), RETORT_ERR_FORMAT);
    assert_non_null(strstr(err.message, "has the unexpected tensor 'model.layers.3."));
    dir = saved("places", &less, SHARD);
    put_file(file_of(dir, "config.json"), settings.data, settings.length);
    expect_refused(dir, RETORT_ERR_NOT_FOUND, "'%s' lacks the tensor 'model.layers.2.input_layernorm.weight'", index);
    must(rt_json_load(file_of(dir, RT_SHARDS_INDEX), &object, &err), &err);
    json_decref(object);
    rt_buffer_free(&settings);
    rt_model_release(&more);
    rt_model_release(&less);
    rt_model_release(&model);
}

/* ---- failing allocations ---- */

static const char *alloc_dir;
static rt_model alloc_model;

static retort_status save_work(retort_error *err) {
    return rt_model_save_shards(&alloc_model, alloc_dir, RT_DTYPE_F32, SHARD, err);
}

static retort_status load_work(retort_error *err) {
    rt_model back;
    RT_TRY(rt_model_load(alloc_dir, &back, err));
    rt_model_release(&back);
    return RETORT_OK;
}

/* Calls `work` with the Nth allocation failing, N = 0, 1, 2, ..., until it succeeds. JSON keeps its own memory here:
 * jansson 2.14 reads past a string whose closing quote did not fit into memory. */
static void fail_each(retort_status (*work)(retort_error *err)) {
    retort_status st = RETORT_ERR_MEMORY;
    long failures = 0;
    for (; st != RETORT_OK && failures < 100000; failures++) {
        retort_error err = {0};
        rt_fail_alloc(failures, false);
        st = work(&err);
        rt_fail_alloc(-1, false);
        if (st != RETORT_OK) assert_true(err.code == st && err.message[0] != '\0');
    }
    assert_int_equal(st, RETORT_OK);
    assert_true(failures > 15);
}

static void test_allocations(void **state) {
    (void)state;
    rt_config config = fixture_config(false, true);
    config.num_hidden_layers = 1;
    alloc_model = fixture_model(&config, 38);
    alloc_dir = fresh_folder("alloc");
    fail_each(save_work);
    fail_each(load_work);
    expect_same(&alloc_model, alloc_dir);
    rt_model_release(&alloc_model);
}

static int leave(void **state) {
    (void)state;
    scratch_remove();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),      cmocka_unit_test(test_stale_files),
        cmocka_unit_test(test_transformers),    cmocka_unit_test(test_inspect),
        cmocka_unit_test(test_old_frequencies), cmocka_unit_test(test_hostile_names),
        cmocka_unit_test(test_hostile_texts),   cmocka_unit_test(test_wrong_places),
        cmocka_unit_test(test_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, leave);
}
