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

/* The new style, or SmolLM2's, with other members. */
static void parse_with(const char *base, const char *members, rt_config *out) {
    json_t *object, *more = json_loads(members, 0, NULL);
    retort_error err;
    assert_non_null(more);
    assert_int_equal(rt_json_parse(base, strlen(base), "base", &object, &err), RETORT_OK);
    assert_int_equal(json_object_update(object, more), 0);
    const retort_status st = rt_config_from_json(object, "'c'", out, &err);
    if (st != RETORT_OK) fail_msg("%s: %s", members, err.message);
    json_decref(object);
    json_decref(more);
}

/* Written and read again it is the same. */
static void expect_round_trip(const rt_config *c) {
    rt_config back;
    json_t *object;
    retort_error err;
    assert_int_equal(rt_config_to_json(c, RT_DTYPE_F32, &object, &err), RETORT_OK);
    assert_int_equal(rt_config_from_json(object, "'w'", &back, &err), RETORT_OK);
    assert_same_config(c, &back);
    assert_int_equal(memcmp(c->window_layers, back.window_layers, sizeof back.window_layers), 0);
    json_decref(object);
}

static void test_architectures(void **state) {
    (void)state;
    rt_config c;
    parse_with(new_style, "{\"model_type\":\"qwen3\",\"architectures\":[\"Qwen3ForCausalLM\"]}", &c);
    assert_true(c.architecture == RT_QWEN3 && c.qk_norm && !c.qkv_bias && !c.o_bias && c.head_dim == 128);
    expect_round_trip(&c);
    parse_with(new_style,
               "{\"model_type\":\"qwen3\",\"architectures\":[\"Qwen3ForCausalLM\"],\"head_dim\":8,"
               "\"attention_bias\":true}",
               &c);
    assert_true(c.qkv_bias && c.o_bias && c.head_dim == 8);
    expect_round_trip(&c);
    parse_with(smollm2, "{\"attention_bias\":true}", &c);
    assert_true(c.qkv_bias && c.o_bias && !c.qk_norm);
    expect_round_trip(&c);
    parse_with(new_style, "{\"model_type\":\"mistral\",\"architectures\":[\"MistralForCausalLM\"],\"head_dim\":null}",
               &c);
    assert_true(c.architecture == RT_MISTRAL && c.head_dim == 8 && c.sliding_window == 0);
    expect_round_trip(&c);
}

static void test_windows(void **state) {
    (void)state;
    rt_config c;
    parse_with(smollm2,
               "{\"model_type\":\"mistral\",\"architectures\":[\"MistralForCausalLM\"],\"num_hidden_layers\":3}", &c);
    for (int64_t l = 0; l < 3; l++) assert_int_equal(rt_config_window(&c, l), 4096);
    expect_round_trip(&c);
    parse_with(smollm2, "{\"model_type\":\"mistral\",\"architectures\":[\"MistralForCausalLM\"],\"sliding_window\":7}",
               &c);
    for (int64_t l = 0; l < 30; l++) assert_int_equal(rt_config_window(&c, l), 7);
    expect_round_trip(&c);
    parse_with(new_style,
               "{\"use_sliding_window\":true,\"sliding_window\":5,\"layer_types\":null,\"max_window_layers\":1}", &c);
    assert_int_equal(rt_config_window(&c, 0), 0);
    assert_int_equal(rt_config_window(&c, 1), 5);
    expect_round_trip(&c);
    parse_with(new_style,
               "{\"use_sliding_window\":true,\"sliding_window\":5,"
               "\"layer_types\":[\"sliding_attention\",\"full_attention\"]}",
               &c);
    assert_int_equal(rt_config_window(&c, 0), 5);
    assert_int_equal(rt_config_window(&c, 1), 0);
    expect_round_trip(&c);
    /* 28 layers are full by default, and a null window is none */
    parse_with(new_style,
               "{\"use_sliding_window\":true,\"sliding_window\":5,\"layer_types\":null,\"num_hidden_layers\":30}", &c);
    assert_int_equal(rt_config_window(&c, 27), 0);
    assert_int_equal(rt_config_window(&c, 28), 5);
    parse_with(new_style, "{\"use_sliding_window\":true,\"sliding_window\":null,\"max_window_layers\":0}", &c);
    assert_int_equal(rt_config_window(&c, 1), 0);
}

static void test_rope_types(void **state) {
    (void)state;
    rt_config c;
    parse_with(smollm2, "{\"rope_scaling\":{\"type\":\"linear\",\"factor\":2.5}}", &c);
    assert_true(c.rope.type == RT_ROPE_LINEAR && c.rope.factor == 2.5 && c.rope.theta == 1e5);
    assert_int_equal(rt_config_context(&c), 20480);
    expect_round_trip(&c);
    parse_with(smollm2, "{\"rope_scaling\":{\"rope_type\":\"dynamic\",\"factor\":2}}", &c);
    assert_true(c.rope.type == RT_ROPE_DYNAMIC && c.rope.factor == 2);
    assert_int_equal(rt_config_context(&c), 8192);
    expect_round_trip(&c);
    /* Llama 3.1's */
    parse_with(smollm2,
               "{\"rope_theta\":500000.0,\"max_position_embeddings\":131072,\"rope_scaling\":{\"factor\":8.0,"
               "\"low_freq_factor\":1.0,\"high_freq_factor\":4.0,\"original_max_position_embeddings\":8192,"
               "\"rope_type\":\"llama3\"}}",
               &c);
    assert_true(c.rope.type == RT_ROPE_LLAMA3 && c.rope.original_positions == 8192 && c.rope.high_freq_factor == 4);
    assert_int_equal(rt_config_context(&c), 131072);
    expect_round_trip(&c);
    /* As Qwen2.5's model card asks for it */
    parse_with(old_style,
               "{\"rope_scaling\":{\"factor\":4.0,\"original_max_position_embeddings\":32768,\"type\":\"yarn\"}}", &c);
    assert_true(c.rope.type == RT_ROPE_YARN && c.rope.beta_fast == 32 && c.rope.beta_slow == 1 && c.rope.truncate);
    assert_int_equal(rt_config_context(&c), 131072);
    expect_round_trip(&c);
    parse_with(new_style,
               "{\"rope_parameters\":{\"rope_type\":\"yarn\",\"rope_theta\":1e4,\"factor\":null,\"mscale\":0.7,"
               "\"mscale_all_dim\":1.0,\"truncate\":false,\"attention_factor\":1.5,\"beta_fast\":20,\"beta_slow\":2,"
               "\"original_max_position_embeddings\":16}}",
               &c);
    assert_true(c.rope.factor == 4 && c.rope.attention_factor == 1.5 && c.rope.mscale == 0.7 && !c.rope.truncate);
    expect_round_trip(&c);
    parse_with(new_style, "{\"rope_parameters\":{\"rope_type\":\"yarn\",\"rope_theta\":1e4,\"factor\":3}}", &c);
    assert_int_equal(c.rope.original_positions, 64);
    assert_int_equal(rt_config_context(&c), 192);
}

static void test_inexpressible(void **state) {
    (void)state;
    rt_config c;
    json_t *object;
    retort_error err;
    parse_with(smollm2, "{}", &c);
    c.qkv_bias = true;
    expect_error(rt_config_to_json(&c, RT_DTYPE_F32, &object, &err), &err, RETORT_ERR_UNSUPPORTED,
                 "a model with attention biases cannot be written as LlamaForCausalLM");
    c.qkv_bias = false;
    c.qk_norm = true;
    expect_error(rt_config_to_json(&c, RT_DTYPE_F32, &object, &err), &err, RETORT_ERR_UNSUPPORTED,
                 "a model with norms of q and k cannot be written as LlamaForCausalLM");
    c.qk_norm = false;
    c.sliding_window = 4;
    c.window_layers[0] = 2;
    expect_error(rt_config_to_json(&c, RT_DTYPE_F32, &object, &err), &err, RETORT_ERR_UNSUPPORTED,
                 "a model with a sliding window in layer 1 cannot be written as LlamaForCausalLM");
    c.architecture = RT_MISTRAL;
    expect_error(rt_config_to_json(&c, RT_DTYPE_F32, &object, &err), &err, RETORT_ERR_UNSUPPORTED,
                 "a model without a sliding window in layer 0 cannot be written as MistralForCausalLM");
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
    expect_refused("rope_parameters", "{\"rope_type\":\"default\"}", RETORT_ERR_FORMAT, " lacks the key 'rope_theta'");
}

static void test_unsupported(void **state) {
    (void)state;
    const struct {
        const char *key, *value, *message;
    } cases[] = {
        {"model_type", "\"mamba\"", ": 'model_type' is 'mamba'; supported are 'qwen2', 'qwen3', 'llama' and 'mistral'"},
        {"model_type", "\"llama\"",
         ": 'architectures' is 'Qwen2ForCausalLM', for 'llama' only 'LlamaForCausalLM' is supported"},
        {"architectures", "[\"Qwen2ForSequenceClassification\"]",
         ": 'architectures' is 'Qwen2ForSequenceClassification', for 'qwen2' only 'Qwen2ForCausalLM' is supported"},
        {"hidden_act", "\"gelu\"", ": 'hidden_act' is 'gelu', only 'silu' is supported"},
        {"use_mrope", "true", ": 'use_mrope' is true, which is not supported"},
        {"attention_bias", "false", ": 'attention_bias' is false, which is not supported"},
        {"rope_scaling", "{\"type\":\"longrope\",\"factor\":4.0}",
         ": 'rope_scaling': 'type' is 'longrope'; supported are 'default', 'linear', 'dynamic', 'llama3' and 'yarn'"},
        {"rope_parameters", "{\"rope_type\":\"proportional\",\"rope_theta\":10000.0}",
         ": 'rope_parameters': 'rope_type' is 'proportional'; supported are 'default', 'linear', 'dynamic', 'llama3' "
         "and 'yarn'"},
        {"rope_parameters", "{\"rope_theta\":10000.0,\"mrope_section\":[1,1,2]}",
         ": 'rope_parameters' has the key 'mrope_section', which is not supported"},
        {"rope_parameters", "{\"full_attention\":{\"rope_theta\":10000.0}}",
         ": 'rope_parameters' has the key 'full_attention', which is not supported"},
        {"rope_parameters", "{\"rope_theta\":10000.0,\"partial_rotary_factor\":0.5}",
         ": 'rope_parameters': 'partial_rotary_factor' is 0.5, only 1 is supported"},
        {"partial_rotary_factor", "0.25", ": 'partial_rotary_factor' is 0.25, only 1 is supported"},
        {"mlp_bias", "true", ": 'mlp_bias' is true, which is not supported"},
        {"rope_interleaved", "true", ": 'rope_interleaved' is true, which is not supported"},
        {"quantization_config", "{}",
         ": 'quantization_config' is set, which is not supported; it must be null or absent"},
        {"layer_types", "[\"full_attention\",\"chunked_attention\"]",
         ": 'layer_types' has 'chunked_attention' for layer 1; supported are 'full_attention' and "
         "'sliding_attention'"},
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
        {"layer_types", "[\"full_attention\"]", ": 'layer_types' has 1 entries for 2 layers"},
        {"layer_types", "[\"full_attention\",\"sliding_attention\"]",
         ": 'layer_types' has 'sliding_attention' for layer 1, but no sliding window is in use"},
        {"num_hidden_layers", "2147483647", ": 'num_hidden_layers' is 2147483647, must be between 1 and 4096"},
        {"rope_scaling", "{\"rope_type\":\"linear\",\"factor\":2}",
         ": 'rope_scaling' and 'rope_parameters' say different things"},
        {"rope_scaling", "{\"rope_type\":\"default\",\"rope_theta\":5000}",
         ": 'rope_theta' is 5000 in 'rope_scaling' and 10000 in 'rope_parameters'"},
        {"rope_parameters", "{\"rope_theta\":10000.0,\"rope_type\":\"linear\"}",
         ": 'rope_parameters' lacks the key 'factor'"},
        {"rope_parameters", "{\"rope_theta\":10000.0,\"rope_type\":\"dynamic\",\"factor\":0.5}",
         ": 'factor' is 0.5, must be between 1 and 1e+06"},
        {"rope_parameters", "{\"rope_theta\":10000.0,\"rope_type\":\"llama3\",\"factor\":8}",
         ": 'rope_parameters' lacks the key 'low_freq_factor'"},
        {"rope_parameters",
         "{\"rope_theta\":10000.0,\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":4,\"high_freq_factor\":4}",
         ": 'high_freq_factor' (4) must be greater than 'low_freq_factor' (4)"},
        {"rope_parameters",
         "{\"rope_theta\":10000.0,\"rope_type\":\"yarn\",\"factor\":8,\"beta_fast\":1,\"beta_slow\":2}",
         ": 'beta_fast' is 1, must be between 2 and 1e+06"},
        {"rope_parameters", "{\"rope_theta\":10000.0,\"rope_type\":\"yarn\",\"factor\":8,\"attention_factor\":0}",
         ": 'rope_parameters': 'attention_factor' is 0, must be positive"},
        {"rope_parameters",
         "{\"rope_theta\":10000.0,\"rope_type\":\"yarn\",\"factor\":null,\"original_max_position_embeddings\":0}",
         ": 'rope_parameters': 'original_max_position_embeddings' is 0, must be positive"},
        {"rope_parameters", "{\"rope_theta\":10000.0,\"rope_type\":\"yarn\",\"factor\":8,\"truncate\":1}",
         ": 'rope_parameters': 'truncate' must be true or false"},
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
        cmocka_unit_test(test_old_style),   cmocka_unit_test(test_new_style),     cmocka_unit_test(test_write),
        cmocka_unit_test(test_llama),       cmocka_unit_test(test_architectures), cmocka_unit_test(test_windows),
        cmocka_unit_test(test_rope_types),  cmocka_unit_test(test_inexpressible), cmocka_unit_test(test_missing_keys),
        cmocka_unit_test(test_unsupported), cmocka_unit_test(test_broken_values), cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, leave);
}
