#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void write_tokenizer(const char *dir) {
    static const char *const WORDS[] = {"wait",   "maybe", "so",   "solve", "but",   "hmm",  "let's", "I",
                                        "I'll",   "check", "try",  "again", "await", "then", "than",  "button",
                                        "number", "left",  "this", "works", "\\so",  "fails"};
    retort_error err;
    rt_bpe_trainer *trainer = NULL;
    assert_ok(rt_bpe_trainer_create(&trainer, &err));
    rt_rng rng = rt_rng_make(1, 1);
    for (int i = 0; i < 500; i++) {
        char text[256];
        uint32_t a = rt_rng_below(&rng, 30), b = rt_rng_below(&rng, 30);
        int length = snprintf(text, sizeof text, "%u + %u = %u", a, b, a + b);
        for (int k = 0; k < 5; k++) {
            const char *word = WORDS[rt_rng_below(&rng, sizeof WORDS / sizeof *WORDS)];
            length += snprintf(text + length, sizeof text - (size_t)length, "%s%s", k % 3 ? " " : ". ", word);
        }
        assert_ok(rt_bpe_trainer_add(trainer, text, (size_t)length, &err));
    }
    assert_ok(rt_bpe_trainer_write(trainer, 400, "Problem: {problem}\nAnswer:", dir, &err));
    rt_bpe_trainer_destroy(trainer);
}

rt_tokenizer *make_tokenizer(void) {
    retort_error err;
    rt_tokenizer *t = NULL;
    char *dir = make_dir();
    write_tokenizer(dir);
    assert_ok(rt_tokenizer_load(dir, &t, &err));
    drop_dir(dir);
    return t;
}

rt_model make_model(const rt_tokenizer *tokenizer, int64_t padding, int64_t context, uint64_t seed) {
    retort_error err;
    rt_model model = {.config = {.vocab_size = rt_tokenizer_vocab_size(tokenizer) + padding,
                                 .hidden_size = 24,
                                 .intermediate_size = 40,
                                 .num_hidden_layers = 2,
                                 .num_attention_heads = 4,
                                 .num_key_value_heads = 2,
                                 .head_dim = 8,
                                 .max_position_embeddings = context,
                                 .rope = {.theta = 10000},
                                 .rms_norm_eps = 1e-6,
                                 .initializer_range = 0.3,
                                 .tie_word_embeddings = seed % 2 == 0,
                                 .qkv_bias = true,
                                 .bos_token_id = -1,
                                 .pad_token_id = -1,
                                 .eos_token_id = {rt_tokenizer_eos(tokenizer)},
                                 .num_eos = 1}};
    assert_ok(rt_params_create(&model.config, &model.params, &err));
    rt_params_init(&model.config, &model.params, seed);
    rt_rng rng = rt_rng_make(seed, 77);
    for (int64_t i = 0; i < model.params.num_tensors; i++) {
        const rt_tensor *tensor = &model.params.tensors[i];
        for (int64_t j = 0; tensor->dims == 1 && j < tensor->count; j++) {
            model.params.data[tensor->offset + j] += (float)(0.3 * rt_rng_normal(&rng));
        }
    }
    return model;
}

rt_prompt *make_prompts(const rt_tokenizer *tokenizer, int64_t count, int64_t longest, uint64_t seed) {
    rt_prompt *prompts = calloc((size_t)count, sizeof *prompts);
    rt_rng rng = rt_rng_make(seed, 5);
    for (int64_t p = 0; p < count; p++) {
        char id[32];
        snprintf(id, sizeof id, "problem-%d", (int)p);
        int64_t length = 1 + rt_rng_below(&rng, (uint32_t)longest);
        int32_t *ids = calloc((size_t)length, sizeof *ids);
        for (int64_t i = 0; i < length; i++) {
            ids[i] = 1 + (int32_t)rt_rng_below(&rng, (uint32_t)rt_tokenizer_vocab_size(tokenizer) - 1);
        }
        prompts[p] = (rt_prompt){ids, length, rt_prompt_key(id)};
    }
    return prompts;
}

void drop_prompts(rt_prompt *prompts, int64_t count) {
    for (int64_t p = 0; p < count; p++) free((void *)(uintptr_t)prompts[p].ids);
    free(prompts);
}

rt_sampling plain_sampling(int64_t max_new_tokens) {
    return (rt_sampling){.temperature = 1, .top_p = 1, .seed = 42, .max_new_tokens = max_new_tokens};
}
