#include <inttypes.h>
#include <stdlib.h>

#include "retort/model.h"
#include "tables.h"

typedef struct model_options {
    char *model;
} model_options;

static const retort_option TABLE[] = {
    {"model", RETORT_OPTION_STRING, offsetof(model_options, model), NULL, "DIR",
     "Hugging Face directory or GGUF file to look into.", "Input", 0, 0, NULL, true},
    {0},
};

static void print_info(const retort_model_info *info) {
    const double MIB = 1 << 20;
    printf("%s: %s, %s\n", info->path, info->architecture, info->dtype);
    printf("parameters     %" PRId64 " (%" PRId64 " without embeddings), %" PRId64 " tensors%s\n", info->parameters,
           info->non_embedding_parameters, info->tensors, info->tied_embeddings ? ", tied embeddings" : "");
    printf("shape          %" PRId64 " layers, hidden %" PRId64 ", feed-forward %" PRId64 ", %" PRId64
           " heads of %" PRId64 ", %" PRId64 " key-value heads\n",
           info->layers, info->hidden_size, info->intermediate_size, info->attention_heads, info->head_dim,
           info->key_value_heads);
    printf("context        %" PRId64 " tokens, vocabulary %" PRId64 ", end ids", info->context_length,
           info->vocabulary);
    for (int32_t i = 0; i < info->num_eos; i++) printf(" %" PRId32, info->eos_ids[i]);
    printf("%s\n", info->num_eos == 0 ? " none" : "");
    if (info->has_tokenizer) {
        printf("tokenizer      %s, %" PRId64 " ids, %" PRId64 " merges, %" PRId64 " added tokens, %s\n",
               info->tokenizer_type, info->tokenizer_vocabulary, info->tokenizer_merges, info->tokenizer_added,
               info->has_prompt_template ? "prompt template" : "no prompt template");
    } else {
        printf("tokenizer      none\n");
    }
    printf("disk           %.2f MiB, weights %.2f MiB", (double)info->bytes_on_disk / MIB,
           (double)info->weight_bytes / MIB);
    if (info->weight_files > 1) printf(" in %" PRId64 " files", info->weight_files);
    printf("\n");
    printf("memory         %.2f MiB of weights, %" PRId64 " bytes of key-value cache a token\n",
           (double)info->memory_bytes / MIB, info->kv_cache_bytes);
    printf("weights        sha256 %s\n", info->weights_sha256);
    printf("file           sha256 %s\n", info->file_sha256);
}

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    const model_options *own = options;
    retort_model_info info;
    retort_status st = retort_model_inspect(own->model, &info, err);
    if (st != RETORT_OK) return st;
    if (call->common.json) {
        char *json = NULL;
        st = retort_model_info_json(&info, &json, err);
        if (st == RETORT_OK) st = print_result(json, true, err);
        free(json);
    } else {
        print_info(&info);
    }
    retort_model_info_release(&info);
    return st;
}

#define RT_INFO_DESCRIPTION                                                                                            \
    "Reads a Hugging Face directory or a GGUF file as training would (configuration, every weight, tokenizer) and "    \
    "prints its facts; a model that passes will load."

static const command command_model_info = {
    .name = "model info",
    .summary = "prints what a model directory or GGUF file holds: shape, parameters, memory, hashes",
    .description = RT_INFO_DESCRIPTION,
    .examples = "retort model info assets/countdown-base\tthe shipped base model\n"
                "retort model info SmolLM2-135M-Instruct.Q4_1.gguf --json\tthe same facts for a script\n",
    .table = TABLE,
    .options_size = sizeof(model_options),
    .positional = "model",
    .has_json = true,
    .run = run,
};

static const command *const SUBCOMMANDS[] = {&command_model_convert, &command_model_info, &command_model_merge, NULL};

const command command_model = {
    .name = "model",
    .summary = "what a model holds; conversion to and from GGUF files, merging of adapters",
    .description = RT_INFO_DESCRIPTION " The same as model info.",
    .examples = "retort model assets/countdown-base\tthe shipped base model\n"
                "retort model out/student --json\tthe same facts for a script\n",
    .table = TABLE,
    .options_size = sizeof(model_options),
    .positional = "model",
    .has_json = true,
    .run = run,
    .subcommands = SUBCOMMANDS,
};
