/* config.json and generation_config.json: both generations of keys, each unsupported feature, each broken key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "disk_fixture.h"
#include "model/config_json.h"

/* As the public 0.5B models have it, transformers 4. */
static const char old_style[] =
    "{\"architectures\":[\"Qwen2ForCausalLM\"],\"attention_dropout\":0.0,\"bos_token_id\":151643,"
    "\"eos_token_id\":151643,\"hidden_act\":\"silu\",\"hidden_size\":896,\"initializer_range\":0.02,"
    "\"intermediate_size\":4864,\"max_position_embeddings\":32768,\"max_window_layers\":24,\"model_type\":\"qwen2\","
    "\"num_attention_heads\":14,\"num_hidden_layers\":24,\"num_key_value_heads\":2,\"rms_norm_eps\":1e-06,"
    "\"rope_theta\":1000000.0,\"sliding_window\":32768,\"tie_word_embeddings\":true,\"torch_dtype\":\"bfloat16\","
    "\"transformers_version\":\"4.40.1\",\"use_cache\":true,\"use_mrope\":false,\"use_sliding_window\":false,"
    "\"vocab_size\":151936}";

/* transformers 5. */
static const char new_style[] =
    "{\"architectures\":[\"Qwen2ForCausalLM\"],\"attention_dropout\":0.0,\"bos_token_id\":null,\"dtype\":\"float32\","
    "\"eos_token_id\":[3,4],\"hidden_act\":\"silu\",\"hidden_size\":32,\"initializer_range\":0.02,"
    "\"intermediate_size\":48,\"layer_types\":[\"full_attention\",\"full_attention\"],\"max_position_embeddings\":64,"
    "\"max_window_layers\":28,\"model_type\":\"qwen2\",\"num_attention_heads\":4,\"num_hidden_layers\":2,"
    "\"num_key_value_heads\":2,\"pad_token_id\":0,\"rms_norm_eps\":1e-06,\"rope_parameters\":{\"rope_theta\":10000.0,"
    "\"rope_type\":\"default\"},\"sliding_window\":null,\"tie_word_embeddings\":false,\"use_cache\":true,"
    "\"use_sliding_window\":false,\"vocab_size\":97}";

static retort_status parse(const char *text, rt_config *out, retort_error *err) {
    json_t *object;
    RT_TRY(rt_json_parse(text, strlen(text), "'c'", &object, err));
    retort_status st = rt_config_from_json(object, "'c'", out, err);
    json_decref(object);
    return st;
}

static void test_old_style(void **state) {
    (void)state;
    rt_config c = {0};
    retort_error err;
    assert_int_equal(parse(old_style, &c, &err), RETORT_OK);
    assert_int_equal(c.vocab_size, 151936);
    assert_int_equal(c.head_dim, 64);
    assert_int_equal(c.max_position_embeddings, 32768);
    assert_true(c.rope.theta == 1e6 && c.rms_norm_eps == 1e-6 && c.initializer_range == 0.02);
    assert_true(c.tie_word_embeddings && c.qkv_bias);
    assert_int_equal(c.bos_token_id, 151643);
    assert_int_equal(c.pad_token_id, -1);
    assert_int_equal(c.num_eos, 1);
    assert_int_equal(c.eos_token_id[0], 151643);
}

static void test_new_style(void **state) {
    (void)state;
    rt_config c = {0};
    retort_error err;
    assert_int_equal(parse(new_style, &c, &err), RETORT_OK);
    assert_true(c.rope.theta == 1e4 && !c.tie_word_embeddings);
    assert_int_equal(c.bos_token_id, -1);
    assert_int_equal(c.pad_token_id, 0);
    assert_int_equal(c.num_eos, 2);
    assert_int_equal(c.eos_token_id[1], 4);
}

/* SmolLM2-135M's, and Llama 2's, which leaves out what was not yet thought of. */
static const char smollm2[] =
    "{\"architectures\":[\"LlamaForCausalLM\"],\"attention_bias\":false,\"attention_dropout\":0.0,\"bos_token_id\":0,"
    "\"eos_token_id\":0,\"hidden_act\":\"silu\",\"hidden_size\":576,\"initializer_range\":0.041666666666666664,"
    "\"intermediate_size\":1536,\"is_llama_config\":true,\"max_position_embeddings\":8192,\"mlp_bias\":false,"
    "\"model_type\":\"llama\",\"num_attention_heads\":9,\"num_hidden_layers\":30,\"num_key_value_heads\":3,"
    "\"pretraining_tp\":1,\"rms_norm_eps\":1e-05,\"rope_interleaved\":false,\"rope_scaling\":null,"
    "\"rope_theta\":100000,\"tie_word_embeddings\":true,\"torch_dtype\":\"bfloat16\",\"vocab_size\":49152}";
static const char llama2[] =
    "{\"architectures\":[\"LlamaForCausalLM\"],\"bos_token_id\":1,\"eos_token_id\":2,\"hidden_act\":\"silu\","
    "\"hidden_size\":4096,\"initializer_range\":0.02,\"intermediate_size\":11008,\"max_position_embeddings\":4096,"
    "\"model_type\":\"llama\",\"num_attention_heads\":32,\"num_hidden_layers\":32,\"rms_norm_eps\":1e-05,"
    "\"tie_word_embeddings\":false,\"vocab_size\":32000}";

static void test_llama(void **state) {
    (void)state;
    rt_config c = {0};
    retort_error err;
    assert_int_equal(parse(smollm2, &c, &err), RETORT_OK);
    assert_int_equal(c.architecture, RT_LLAMA);
    assert_true(c.rope.theta == 1e5 && c.tie_word_embeddings && !c.qkv_bias);
    assert_int_equal(c.head_dim, 64);
    assert_int_equal(c.num_key_value_heads, 3);
    assert_int_equal(parse(llama2, &c, &err), RETORT_OK);
    assert_true(c.rope.theta == 1e4 && !c.tie_word_embeddings);
    assert_int_equal(c.num_key_value_heads, 32);
}

/* What we write has the keys of both generations, and reads back as itself. */
static void test_write(void **state) {
    (void)state;
    const char *const texts[] = {old_style, new_style, smollm2, llama2};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        rt_config c, back;
        retort_error err;
        json_t *object;
        assert_int_equal(parse(texts[i], &c, &err), RETORT_OK);
        assert_int_equal(rt_config_to_json(&c, RT_DTYPE_BF16, &object, &err), RETORT_OK);
        assert_int_equal(rt_config_from_json(object, "'w'", &back, &err), RETORT_OK);
        assert_same_config(&c, &back);
        assert_non_null(json_object_get(object, "rope_theta"));
        assert_non_null(json_object_get(object, "rope_parameters"));
        assert_string_equal(json_string_value(json_object_get(object, "torch_dtype")), "bfloat16");
        json_decref(object);
        c.num_eos = 0;
        memset(c.eos_token_id, 0, sizeof c.eos_token_id);
        assert_int_equal(rt_config_to_generation(&back, &object, &err), RETORT_OK);
        assert_int_equal(rt_config_apply_generation(object, "'g'", &c, &err), RETORT_OK);
        assert_same_config(&c, &back);
        json_decref(object);
    }
}

/* The new style with `key` removed (value NULL) or replaced by a JSON value. */
static void expect_refused(const char *key, const char *value, retort_status code, const char *message) {
    json_t *object, *replacement = NULL;
    rt_config config;
    retort_error err;
    assert_int_equal(rt_json_parse(new_style, strlen(new_style), "base", &object, &err), RETORT_OK);
    if (value != NULL) {
        replacement = json_loads(value, JSON_DECODE_ANY, NULL);
        assert_non_null(replacement);
        assert_int_equal(json_object_set_new(object, key, replacement), 0);
    } else {
        assert_int_equal(json_object_del(object, key), 0);
    }
    expect_error(rt_config_from_json(object, "'d/config.json'", &config, &err), &err, code, "'d/config.json'%s",
                 message);
    json_decref(object);
}

static void test_missing_keys(void **state) {
    (void)state;
    const char *const keys[] = {"model_type",          "hidden_act",          "vocab_size",
                                "hidden_size",         "intermediate_size",   "num_hidden_layers",
                                "num_attention_heads", "num_key_value_heads", "max_position_embeddings",
                                "rms_norm_eps"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        char message[128];
        snprintf(message, sizeof message, " lacks the key '%s'", keys[i]);
        expect_refused(keys[i], NULL, RETORT_ERR_FORMAT, message);
    }
    expect_refused("architectures", NULL, RETORT_ERR_FORMAT, ": 'architectures' must be a list of one name");
    expect_refused("rope_parameters", NULL, RETORT_ERR_FORMAT, " lacks the key 'rope_theta'");
    expect_refused("rope_parameters", "{\"rope_type\":\"default\"}", RETORT_ERR_FORMAT,
                   ": 'rope_parameters' lacks the key 'rope_theta'");
}

static void test_unsupported(void **state) {
    (void)state;
    const struct {
        const char *key, *value, *message;
    } cases[] = {
        {"model_type", "\"mamba\"", ": 'model_type' is 'mamba'; supported are 'qwen2' or 'llama'"},
        {"model_type", "\"llama\"",
         ": 'architectures' is 'Qwen2ForCausalLM', for 'llama' only 'LlamaForCausalLM' is supported"},
        {"architectures", "[\"Qwen2ForSequenceClassification\"]",
         ": 'architectures' is 'Qwen2ForSequenceClassification', for 'qwen2' only 'Qwen2ForCausalLM' is supported"},
        {"hidden_act", "\"gelu\"", ": 'hidden_act' is 'gelu', only 'silu' is supported"},
        {"use_sliding_window", "true", ": 'use_sliding_window' is true, which is not supported"},
        {"use_mrope", "true", ": 'use_mrope' is true, which is not supported"},
        {"attention_bias", "false", ": 'attention_bias' is false, which is not supported"},
        {"rope_scaling", "{\"type\":\"yarn\",\"factor\":4.0}",
         ": 'rope_scaling' is set, which is not supported; it must be null or absent"},
        {"rope_parameters", "{\"rope_type\":\"yarn\",\"rope_theta\":10000.0}",
         ": 'rope_parameters': 'rope_type' is 'yarn', only 'default' is supported"},
        {"rope_parameters", "{\"rope_theta\":10000.0,\"partial_rotary_factor\":0.5}",
         ": 'rope_parameters': 'partial_rotary_factor' is 0.5, only 1 is supported"},
        {"quantization_config", "{}",
         ": 'quantization_config' is set, which is not supported; it must be null or absent"},
        {"layer_types", "[\"full_attention\",\"sliding_attention\"]",
         ": 'layer_types' has 'sliding_attention' for layer 1, only 'full_attention' is supported"},
        {"attention_dropout", "0.1", ": 'attention_dropout' is 0.1, only 0 is supported"},
        {"eos_token_id", "[1,2,3,4,5,6,7,8,9]", ": 'eos_token_id' lists 9 ids, at most 8 are supported"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_refused(cases[i].key, cases[i].value, RETORT_ERR_UNSUPPORTED, cases[i].message);
}

static void test_broken_values(void **state) {
    (void)state;
    const struct {
        const char *key, *value, *message;
    } cases[] = {
        {"hidden_size", "\"32\"", ": 'hidden_size' must be an integer"},
        {"hidden_size", "0", ": 'hidden_size' is 0, outside 1 .. 2147483647"},
        {"hidden_size", "9223372036854775807", ": 'hidden_size' is 9223372036854775807, outside 1 .. 2147483647"},
        {"hidden_size", "2147483644", ": 'hidden_size' is 2147483644, must be between 1 and 1048576"},
        {"hidden_size", "33",
         ": 'hidden_size' (33) is not a multiple of 'num_attention_heads' (4), and 'head_dim' is absent"},
        {"head_dim", "-8", ": 'head_dim' is -8, outside 1 .. 2147483647"},
        {"num_key_value_heads", "3", ": 'num_attention_heads' (4) is not a multiple of 'num_key_value_heads' (3)"},
        {"num_hidden_layers", "2.0", ": 'num_hidden_layers' must be an integer"},
        {"rms_norm_eps", "null", ": 'rms_norm_eps' must be a number"},
        {"rope_parameters", "[]", ": 'rope_parameters' must be an object"},
        {"rope_theta", "500000.0", ": 'rope_theta' is 500000, but 'rope_parameters' says 10000"},
        {"tie_word_embeddings", "\"yes\"", ": 'tie_word_embeddings' must be true or false"},
        {"use_sliding_window", "0", ": 'use_sliding_window' must be true or false"},
        {"layer_types", "{}", ": 'layer_types' must be a list"},
        {"bos_token_id", "97", ": 'bos_token_id' is 97, must be between -1 and 96"},
        {"bos_token_id", "-1", ": 'bos_token_id' is -1, outside 0 .. 2147483647"},
        {"eos_token_id", "[3,-4]", ": 'eos_token_id' must be a token id, a list of them, or null"},
        {"eos_token_id", "\"3\"", ": 'eos_token_id' must be a token id, a list of them, or null"},
        {"eos_token_id", "[3,97]", ": 'eos_token_id' is 97, must be between 0 and 96"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_refused(cases[i].key, cases[i].value, RETORT_ERR_FORMAT, cases[i].message);
}

/* ---- files ---- */

static void test_files(void **state) {
    (void)state;
    const char *dir = scratch(), *path = in_scratch("config.json"), *generation = in_scratch("generation_config.json");
    rt_config c = {0};
    retort_error err;
    expect_error(rt_config_load(dir, &c, &err), &err, RETORT_ERR_NOT_FOUND,
                 "cannot open '%s': No such file or directory", path);
    put_file(path, new_style, sizeof new_style - 1);
    assert_int_equal(rt_config_load(dir, &c, &err), RETORT_OK);
    assert_int_equal(c.num_eos, 2);
    put_file(generation, "{\"eos_token_id\":[96]}", 21);
    assert_int_equal(rt_config_load(dir, &c, &err), RETORT_OK);
    assert_int_equal(c.num_eos, 1);
    assert_int_equal(c.eos_token_id[0], 96);
    put_file(generation, "{\"eos_token_id\":[97]}", 21);
    expect_error(rt_config_load(dir, &c, &err), &err, RETORT_ERR_FORMAT,
                 "'%s': 'eos_token_id' is 97, must be between 0 and 96", generation);
    put_file(generation, "[]", 2);
    expect_error(rt_config_load(dir, &c, &err), &err, RETORT_ERR_FORMAT, "'%s' is not a JSON object", generation);
    put_file(path, new_style, 100);
    assert_int_equal(rt_config_load(dir, &c, &err), RETORT_ERR_FORMAT);
    assert_non_null(strstr(err.message, path));
    assert_non_null(strstr(err.message, "is not valid JSON"));
    put_file(path, "{\"model_type\":\"qwen2\",\"model_type\":\"qwen2\"}", 43);
    assert_int_equal(rt_config_load(dir, &c, &err), RETORT_ERR_FORMAT);
    assert_non_null(strstr(err.message, "duplicate object key near '\"model_type\"'"));
    put_file(path, "", 0);
    assert_int_equal(rt_config_load(dir, &c, &err), RETORT_ERR_FORMAT);
    assert_non_null(strstr(err.message, path));
}

static int leave(void **state) {
    (void)state;
    scratch_remove();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_old_style),     cmocka_unit_test(test_new_style),    cmocka_unit_test(test_write),
        cmocka_unit_test(test_llama),         cmocka_unit_test(test_missing_keys), cmocka_unit_test(test_unsupported),
        cmocka_unit_test(test_broken_values), cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, leave);
}
