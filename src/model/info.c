#include "retort/model.h"

#include <dirent.h>
#include <errno.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/hub_cache.h"
#include "model/architecture.h"
#include "model/gguf_model.h"
#include "model/weights.h"

_Static_assert(RETORT_MODEL_MAX_EOS == sizeof((rt_config *)0)->eos_token_id / sizeof(int32_t),
               "the public and the internal list of end ids hold equally many");

static void copy_config(const rt_model *model, retort_model_info *info) {
    const rt_config *c = &model->config;
    info->architecture = rt_architecture_find(c->architecture)->class_name;
    info->tied_embeddings = c->tie_word_embeddings;
    info->layers = c->num_hidden_layers;
    info->hidden_size = c->hidden_size;
    info->intermediate_size = c->intermediate_size;
    info->attention_heads = c->num_attention_heads;
    info->key_value_heads = c->num_key_value_heads;
    info->head_dim = c->head_dim;
    info->context_length = rt_config_context(c);
    info->vocabulary = c->vocab_size;
    info->num_eos = c->num_eos;
    memcpy(info->eos_ids, c->eos_token_id, sizeof info->eos_ids);
    info->parameters = model->params.count;
    info->embedding_parameters = c->vocab_size * c->hidden_size;
    info->non_embedding_parameters = info->parameters - info->embedding_parameters * (c->tie_word_embeddings ? 1 : 2);
    info->memory_bytes = info->parameters * (int64_t)sizeof(float);
    info->kv_cache_bytes = 2 * c->num_hidden_layers * c->num_key_value_heads * c->head_dim * (int64_t)sizeof(float);
}

/* One digest over the bytes of all files in order, as `cat model-*.safetensors | sha256sum` gives it. */
static void hash_files(const rt_weights *weights, char hex[65]) {
    enum { PIECE = 1 << 22 };
    struct sha256_ctx context;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&context);
    for (int64_t f = 0; f < weights->num_files; f++) {
        const rt_mapping *mapping = &weights->files[f].mapping;
        for (size_t at = 0; at < mapping->length; at += PIECE) {
            const size_t n = mapping->length - at < PIECE ? mapping->length - at : PIECE;
            sha256_update(&context, n, mapping->data + at);
            rt_map_forget(mapping, at, n);
        }
    }
    sha256_digest(&context, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

static retort_status inspect_weights(const char *dir, retort_model_info *info, retort_error *err) {
    rt_weights weights;
    RT_TRY(rt_weights_open(dir, &weights, err));
    info->tensors = weights.count;
    info->weight_files = weights.num_files;
    const char *dtype = NULL;
    for (int64_t f = 0; f < weights.num_files; f++) {
        const rt_safetensors *file = &weights.files[f];
        info->weight_bytes += (int64_t)file->mapping.length;
        for (int64_t i = 0; i < file->count; i++) {
            const char *own = file->entries[i].dtype;
            dtype = dtype == NULL || dtype == own ? own : "mixed";
        }
    }
    snprintf(info->dtype, sizeof info->dtype, "%s", dtype); /* the loaded model has tensors */
    hash_files(&weights, info->file_sha256);
    rt_weights_close(&weights);
    return RETORT_OK;
}

static retort_status sum_files(const char *dir, retort_model_info *info, retort_error *err) {
    DIR *stream = opendir(dir);
    RT_CHECK(stream != NULL, err, RETORT_ERR_IO, "cannot open folder '%s': %s", dir, strerror(errno));
    const struct dirent *entry;
    while ((entry = readdir(stream)) != NULL) {
        struct stat st;
        if (fstatat(dirfd(stream), entry->d_name, &st, 0) == 0 && S_ISREG(st.st_mode))
            info->bytes_on_disk += st.st_size;
    }
    closedir(stream);
    return RETORT_OK;
}

/* ---- tokenizer: an outline only; src/text reads and checks the whole ---- */

static retort_status outline_tokenizer(const json_t *root, const char *where, retort_model_info *info,
                                       retort_error *err) {
    const json_t *model = json_object_get(root, "model");
    const json_t *vocab = json_object_get(model, "vocab");
    const json_t *added = json_object_get(root, "added_tokens");
    RT_CHECK(json_is_object(vocab), err, RETORT_ERR_FORMAT, "%s has no object 'vocab' in 'model'", where);
    const char *type = "BPE"; /* older files leave it out */
    if (json_object_get(model, "type") != NULL) RT_TRY(rt_json_string(model, "type", where, &type, err));
    snprintf(info->tokenizer_type, sizeof info->tokenizer_type, "%s", type);
    info->tokenizer_vocabulary = (int64_t)json_object_size(vocab);
    info->tokenizer_merges = (int64_t)json_array_size(json_object_get(model, "merges"));
    info->tokenizer_added = (int64_t)json_array_size(added);
    for (size_t i = 0; i < json_array_size(added); i++) {
        const char *content = json_string_value(json_object_get(json_array_get(added, i), "content"));
        RT_CHECK(content != NULL, err, RETORT_ERR_FORMAT, "%s: an entry of 'added_tokens' has no string 'content'",
                 where);
        if (json_object_get(vocab, content) == NULL) info->tokenizer_vocabulary++;
    }
    info->has_tokenizer = true;
    return RETORT_OK;
}

/* NULL where the file does not exist. */
static retort_status load_optional(const char *dir, const char *name, json_t **out, char where[520],
                                   retort_error *err) {
    char *path = rt_path_join(dir, name);
    RT_CHECK(path != NULL, err, RETORT_ERR_MEMORY, "out of memory while reading '%s'", dir);
    snprintf(where, 520, "'%.500s'", path);
    *out = NULL;
    retort_status st = rt_path_exists(path) ? rt_json_load_loose(path, out, err) : RETORT_OK;
    rt_free(path);
    return st;
}

static retort_status inspect_tokenizer(const char *dir, retort_model_info *info, retort_error *err) {
    char where[520];
    json_t *root = NULL;
    RT_TRY(load_optional(dir, "tokenizer.json", &root, where, err));
    retort_status st = root != NULL ? outline_tokenizer(root, where, info, err) : RETORT_OK;
    json_decref(root);
    RT_TRY(st);
    RT_TRY(load_optional(dir, "tokenizer_config.json", &root, where, err));
    info->has_prompt_template = json_is_string(json_object_get(root, "retort_prompt_template"));
    json_decref(root);
    return RETORT_OK;
}

static retort_status inspect(const char *dir, retort_model_info *info, retort_error *err) {
    rt_model model;
    RT_TRY(rt_model_load(dir, &model, err));
    copy_config(&model, info);
    retort_status st = rt_model_hash(&model, info->weights_sha256, err);
    rt_model_release(&model);
    RT_TRY(st);
    if (rt_gguf_is(dir)) return rt_gguf_inspect(dir, info, err);
    RT_TRY(inspect_weights(dir, info, err));
    RT_TRY(sum_files(dir, info, err));
    return inspect_tokenizer(dir, info, err);
}

retort_status retort_model_inspect(const char *name, retort_model_info *out, retort_error *err) {
    retort_model_info info = {0};
    RT_TRY(rt_model_path(name, &info.path, err));
    retort_status st = inspect(info.path, &info, err);
    if (st != RETORT_OK) retort_model_info_release(&info);
    *out = info;
    return st;
}

void retort_model_info_release(retort_model_info *info) {
    rt_free(info->path);
    *info = (retort_model_info){0};
}

/* ---- JSON ---- */

static json_t *eos_array(const retort_model_info *info) {
    json_t *list = json_array();
    for (int32_t i = 0; i < info->num_eos && list != NULL; i++) {
        if (json_array_append_new(list, json_integer(info->eos_ids[i])) == 0) continue;
        json_decref(list);
        list = NULL;
    }
    return list;
}

static json_t *tokenizer_object(const retort_model_info *info) {
    if (!info->has_tokenizer) return json_null();
    return json_pack("{s:s, s:I, s:I, s:I, s:b}", "type", info->tokenizer_type, "vocabulary",
                     (json_int_t)info->tokenizer_vocabulary, "merges", (json_int_t)info->tokenizer_merges,
                     "added_tokens", (json_int_t)info->tokenizer_added, "prompt_template", info->has_prompt_template);
}

static bool put_integers(json_t *object, const retort_model_info *info) {
    const struct {
        const char *key;
        int64_t value;
    } facts[] = {
        {"parameters", info->parameters},
        {"embedding_parameters", info->embedding_parameters},
        {"non_embedding_parameters", info->non_embedding_parameters},
        {"tensors", info->tensors},
        {"weight_files", info->weight_files},
        {"layers", info->layers},
        {"hidden_size", info->hidden_size},
        {"intermediate_size", info->intermediate_size},
        {"attention_heads", info->attention_heads},
        {"key_value_heads", info->key_value_heads},
        {"head_dim", info->head_dim},
        {"weight_bytes", info->weight_bytes},
        {"bytes_on_disk", info->bytes_on_disk},
        {"memory_bytes", info->memory_bytes},
        {"kv_cache_bytes_per_token", info->kv_cache_bytes},
        {"context_length", info->context_length},
        {"vocabulary", info->vocabulary},
    };
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
        if (json_object_set_new(object, facts[i].key, json_integer(facts[i].value)) != 0) return false;
    return true;
}

static bool put_all(json_t *object, const retort_model_info *info) {
    return json_object_set_new(object, "path", json_string(info->path)) == 0 &&
           json_object_set_new(object, "architecture", json_string(info->architecture)) == 0 &&
           json_object_set_new(object, "dtype", json_string(info->dtype)) == 0 &&
           json_object_set_new(object, "tied_embeddings", json_boolean(info->tied_embeddings)) == 0 &&
           put_integers(object, info) && json_object_set_new(object, "eos_token_ids", eos_array(info)) == 0 &&
           json_object_set_new(object, "tokenizer", tokenizer_object(info)) == 0 &&
           json_object_set_new(object, "weights_sha256", json_string(info->weights_sha256)) == 0 &&
           json_object_set_new(object, "file_sha256", json_string(info->file_sha256)) == 0;
}

retort_status retort_model_info_json(const retort_model_info *info, char **out, retort_error *err) {
    rt_buffer text = {0};
    json_t *object = json_object();
    retort_status st = object != NULL && put_all(object, info)
                           ? rt_json_dump(object, JSON_INDENT(2), &text, err)
                           : rt_fail(err, RETORT_ERR_MEMORY, "cannot make the JSON text about '%s'", info->path);
    json_decref(object);
    if (st == RETORT_OK)
        *out = text.data;
    else
        rt_buffer_free(&text);
    return st;
}
