#include <stdio.h>
#include <string.h>

#include "model/gguf_model.h"

static int64_t length_of(const rt_gguf *file, const char *key) {
    const rt_gguf_value *value = rt_gguf_find(file, key);
    return value != NULL && value->type == RT_GGUF_ARRAY ? (int64_t)value->count : 0;
}

/* The type of the matrices: vectors are always F32. */
static void put_dtype(const rt_gguf *file, retort_model_info *info) {
    const char *name = NULL;
    for (int64_t i = 0; i < file->num_tensors; i++) {
        if (file->tensors[i].dims < 2) continue;
        const char *one = rt_ggml_format_of(file->tensors[i].type)->name;
        name = name == NULL || name == one ? one : "mixed";
    }
    snprintf(info->dtype, sizeof info->dtype, "%s", name != NULL ? name : "F32");
}

static retort_status put_tokenizer(const rt_gguf *file, retort_model_info *info, retort_error *err) {
    char *kind = NULL;
    RT_TRY(rt_gguf_string(file, "tokenizer.ggml.model", false, &kind, err));
    if (kind == NULL) return RETORT_OK;
    snprintf(info->tokenizer_type, sizeof info->tokenizer_type, "%s", strcmp(kind, "gpt2") == 0 ? "BPE" : kind);
    rt_free(kind);
    info->has_tokenizer = true;
    info->tokenizer_vocabulary = length_of(file, "tokenizer.ggml.tokens");
    info->tokenizer_merges = length_of(file, "tokenizer.ggml.merges");
    info->has_prompt_template = rt_gguf_find(file, "retort.prompt_template") != NULL;
    if (rt_gguf_find(file, "tokenizer.ggml.token_type") == NULL) return RETORT_OK;
    double *types = NULL;
    int64_t count = 0;
    RT_TRY(rt_gguf_numbers(file, "tokenizer.ggml.token_type", &types, &count, err));
    for (int64_t i = 0; i < count; i++) /* unknown, control, user-defined */
        info->tokenizer_added += types[i] >= 2 && types[i] <= 4;
    rt_free(types);
    return RETORT_OK;
}

retort_status rt_gguf_inspect(const char *path, retort_model_info *info, retort_error *err) {
    rt_gguf file;
    RT_TRY(rt_gguf_open(path, &file, err));
    info->tensors = file.num_tensors;
    info->weight_bytes = info->bytes_on_disk = (int64_t)file.mapping.length;
    info->weight_files = 1;
    put_dtype(&file, info);
    rt_sha256(file.mapping.data, file.mapping.length, info->file_sha256);
    retort_status st = put_tokenizer(&file, info, err);
    rt_gguf_close(&file);
    return st;
}
