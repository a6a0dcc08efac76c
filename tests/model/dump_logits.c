/* The C side of check_transformers.py.
 *   dump_logits make DIR tied|untied F32|BF16|F16   writes a small random model
 *   dump_logits make DIR NUMBER F32|BF16|F16        the same of fixture_feature(NUMBER), in shards
 *   dump_logits run DIR OUT ID ID ...               writes the logits after each id: float32, [ids][vocabulary]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "fixture.h"
#include "model/dtype.h"

static rt_config small_config(bool tied) {
    return (rt_config){.vocab_size = 211,
                       .hidden_size = 48,
                       .intermediate_size = 104,
                       .num_hidden_layers = 3,
                       .num_attention_heads = 6,
                       .num_key_value_heads = 2,
                       .head_dim = 8,
                       .max_position_embeddings = 128,
                       .rope = {.theta = 1e6},
                       .rms_norm_eps = 1e-6,
                       .initializer_range = 0.2,
                       .tie_word_embeddings = tied,
                       .qkv_bias = true,
                       .bos_token_id = -1,
                       .pad_token_id = -1,
                       .eos_token_id = {3, 4},
                       .num_eos = 2};
}

static retort_status make(const char *dir, const char *kind, rt_dtype dtype, retort_error *err) {
    const bool feature = kind[0] >= '0' && kind[0] < '0' + FIXTURE_FEATURES;
    const rt_config config = feature ? fixture_feature(kind[0] - '0') : small_config(strcmp(kind, "tied") == 0);
    rt_model model = {.config = config};
    RT_TRY(rt_make_dirs(dir, err));
    RT_TRY(rt_params_create(&model.config, &model.params, err));
    rt_params_init(&model.config, &model.params, 1);
    retort_status st = rt_model_save_shards(&model, dir, dtype, feature ? 40000 : RT_SHARD_BYTES, err);
    rt_model_release(&model);
    return st;
}

static retort_status run(const char *dir, const char *out, char **words, int64_t count, retort_error *err) {
    rt_model model;
    RT_TRY(rt_model_load(dir, &model, err));
    const size_t bytes = (size_t)(count * model.config.vocab_size) * sizeof(float);
    int32_t *ids = rt_calloc((size_t)count, 4), *slot = rt_calloc((size_t)count, 4);
    int32_t *position = rt_calloc((size_t)count, 4);
    bool *want = rt_calloc((size_t)count, sizeof *want);
    float *logits = rt_malloc(bytes);
    rt_decoder *decoder = NULL;
    retort_status st = ids != NULL && slot != NULL && position != NULL && want != NULL && logits != NULL
                           ? rt_decoder_create(&model, 1, count, count, &decoder, err)
                           : rt_fail(err, RETORT_ERR_MEMORY, "out of memory");
    for (int64_t i = 0; st == RETORT_OK && i < count; i++) {
        ids[i] = (int32_t)strtol(words[i], NULL, 10);
        position[i] = (int32_t)i;
        want[i] = true;
    }
    if (st == RETORT_OK) st = rt_decoder_step(decoder, count, slot, position, ids, want, logits, err);
    if (st == RETORT_OK) st = rt_file_write(out, logits, bytes, err);
    if (decoder != NULL) rt_decoder_destroy(decoder);
    rt_free(ids);
    rt_free(slot);
    rt_free(position);
    rt_free(want);
    rt_free(logits);
    rt_model_release(&model);
    return st;
}

int main(int argc, char **argv) {
    retort_error err;
    retort_status st = RETORT_ERR_USAGE;
    rt_dtype dtype;
    snprintf(err.message, sizeof err.message,
             "usage: dump_logits make DIR tied|untied|NUMBER F32|BF16|F16, or run DIR OUT ID ...");
    if (argc == 5 && strcmp(argv[1], "make") == 0 && rt_dtype_from_name(argv[4], &dtype))
        st = make(argv[2], argv[3], dtype, &err);
    else if (argc > 4 && strcmp(argv[1], "run") == 0)
        st = run(argv[2], argv[3], argv + 4, argc - 4, &err);
    if (st != RETORT_OK) fprintf(stderr, "%s\n", err.message);
    return retort_exit_code(st);
}
