/* What a model folder holds.
 *
 *     retort_model_info info;
 *     retort_error err;
 *     if (retort_model_inspect("assets/countdown-base", &info, &err) != RETORT_OK) {
 *         fprintf(stderr, "%s\n", err.message);
 *         exit(retort_exit_code(err.code));
 *     }
 *     printf("%lld parameters, SHA-256 %s\n", (long long)info.parameters, info.weights_sha256);
 *     retort_model_info_release(&info);
 *
 * A GGUF file is taken wherever a model folder is; inspecting one tells the same.
 *
 * Inspecting reads everything as training would, so a folder that passes will load: config.json,
 * generation_config.json, every weight of model.safetensors or its shards, and the outline of tokenizer.json where
 * there is one.
 */
#ifndef RETORT_MODEL_H
#define RETORT_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "retort/options.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RETORT_MODEL_MAX_EOS 8

typedef struct retort_model_info {
    char *path;               /* the folder: as given, or the snapshot of a model in the Hub's cache */
    const char *architecture; /* "Qwen2ForCausalLM", as in config.json */

    int64_t parameters; /* distinct ones: a tied output head counts once, with the embedding */
    int64_t embedding_parameters;
    int64_t non_embedding_parameters; /* all but the embedding and the output head */
    int64_t tensors;
    bool tied_embeddings;

    int64_t layers, hidden_size, intermediate_size;
    int64_t attention_heads, key_value_heads, head_dim;

    char dtype[8];          /* of the weights in the file: "F32", "BF16", "F16", or "mixed" */
    int64_t weight_files;   /* 1, or the number of shards that model.safetensors.index.json lists */
    int64_t weight_bytes;   /* size of model.safetensors, or of all shards */
    int64_t bytes_on_disk;  /* of all plain files in the folder */
    int64_t memory_bytes;   /* of the weights in memory as float32; half of it as bfloat16, 1.125 / 4 as int8 */
    int64_t kv_cache_bytes; /* of keys and values for each token of context while sampling */

    int64_t context_length; /* in tokens */
    int64_t vocabulary;     /* rows of the embedding */
    int32_t eos_ids[RETORT_MODEL_MAX_EOS];
    int32_t num_eos;

    bool has_tokenizer;           /* the folder has a tokenizer.json; the fields below are 0, false, "" if not */
    char tokenizer_type[16];      /* "BPE" */
    int64_t tokenizer_vocabulary; /* distinct ids: pieces and added tokens */
    int64_t tokenizer_merges;
    int64_t tokenizer_added; /* added tokens, special ones among them */
    bool has_prompt_template;

    char weights_sha256[65]; /* over the configuration and the weights as float32, in tensor order */
    char file_sha256[65];    /* of model.safetensors, as sha256sum prints it; of several files, one after another */
} retort_model_info;

/* Fills *out, which may be uninitialised; on failure nothing needs releasing. Thread-safe. */
RETORT_API retort_status retort_model_inspect(const char *dir, retort_model_info *out, retort_error *err);

/* The same facts as one JSON object, indented by 2; *out is owned by the caller (free). */
RETORT_API retort_status retort_model_info_json(const retort_model_info *info, char **out, retort_error *err);

RETORT_API void retort_model_info_release(retort_model_info *info);

/* Merging an adapter (LoRA, a PEFT folder) into its base: every adapted W becomes W + (alpha / r) B A. */
typedef struct retort_merge_options {
    char *base, *adapter, *out; /* directories; the option "in" is `base` */
    int dtype;                  /* f32|bf16|f16 of the merged weights */
} retort_merge_options;
extern RETORT_API const retort_option retort_merge_option_table[];
/* Writes the merged model with the base's tokenizer files into options->out. */
RETORT_API retort_status retort_model_merge(const retort_merge_options *options, retort_error *err);

/* ---- converting ---- */

typedef struct retort_convert_options {
    char *in;  /* model folder, GGUF file, or the name of a model in the Hub's cache */
    char *out; /* folder (hf) or file (gguf) */
    int format, dtype;
    bool overwrite;
} retort_convert_options;
extern RETORT_API const retort_option retort_convert_option_table[];

/* Writes a model with its tokenizer and chat template as a Hugging Face folder or as a GGUF file, so that transformers
 * or llama.cpp loads it. Quantised weights are decoded exactly. Of a GGUF file the matrices get the wanted type, norms
 * and biases are F32. What is written appears whole or not at all. RETORT_ERR_UNSUPPORTED for a model that the format
 * cannot express (named), RETORT_ERR_USAGE where `out` exists already, RETORT_ERR_NUMERIC for a weight beyond the
 * type's range. */
RETORT_API retort_status retort_model_convert(const retort_convert_options *options, retort_error *err);

#ifdef __cplusplus
}
#endif
#endif
