/* The reader of tokenizer.json and tokenizer_config.json. What this version does not implement is an error that names
 * the key: a tokenizer that is silently read in part gives other ids than the model was trained on. */
#include <string.h>

#include "core/file.h"
#include "core/hub_cache.h"
#include "text/gguf_tokenizer.h"
#include "text/internal.h"

enum { MAX_TEMPLATE = 1 << 20 };

bool rt_json_is_off(const json_t *value) {
    return value == NULL || json_is_null(value) || json_is_false(value) ||
           (json_is_string(value) && json_string_length(value) == 0);
}

retort_status rt_json_expect_off(const json_t *object, const char *where, const char *key, retort_error *err) {
    RT_CHECK(rt_json_is_off(json_object_get(object, key)), err, RETORT_ERR_UNSUPPORTED,
             "%s uses '%s', which is not supported", where, key);
    return RETORT_OK;
}

retort_status rt_json_flag(const json_t *object, const char *where, const char *key, bool otherwise, bool *out,
                           retort_error *err) {
    const json_t *value = json_object_get(object, key);
    RT_CHECK(value == NULL || json_is_null(value) || json_is_boolean(value), err, RETORT_ERR_FORMAT,
             "%s has a '%s' that is neither true nor false", where, key);
    *out = json_is_boolean(value) ? json_is_true(value) : otherwise;
    return RETORT_OK;
}

retort_status rt_json_plain_text(const json_t *object, const char *where, const char *key, const char **out,
                                 retort_error *err) {
    const json_t *value = json_object_get(object, key);
    *out = json_string_value(value);
    RT_CHECK(*out != NULL && strlen(*out) == json_string_length(value), err, RETORT_ERR_FORMAT,
             "%s has no proper text '%s'", where, key);
    return RETORT_OK;
}

static retort_status check_keys(const json_t *root, retort_error *err) {
    static const char *const KNOWN[] = {"version",       "truncation",     "padding", "added_tokens", "normalizer",
                                        "pre_tokenizer", "post_processor", "decoder", "model"};
    const char *key;
    json_t *value;
    RT_CHECK(json_is_object(root), err, RETORT_ERR_FORMAT, "top level is not an object");
    json_object_foreach((json_t *)root, key, value) {
        bool known = false;
        for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) known = known || strcmp(key, KNOWN[i]) == 0;
        RT_CHECK(known, err, RETORT_ERR_UNSUPPORTED, "key '%.100s' is not supported", key);
    }
    const json_t *version = json_object_get(root, "version");
    RT_CHECK(version == NULL || (json_is_string(version) && strcmp(json_string_value(version), "1.0") == 0), err,
             RETORT_ERR_UNSUPPORTED, "version is not \"1.0\"");
    return RETORT_OK; /* truncation and padding are settings of a call, which transformers resets too */
}

/* ---- tokenizer_config.json ---- */

static retort_status read_config(rt_tokenizer *t, const json_t *config, retort_error *err) {
    RT_CHECK(json_is_object(config), err, RETORT_ERR_FORMAT, "top level is not an object");
    if (t->byte_level && t->pre_transforms.count == 0) { /* transformers would switch the pre-tokenizer's on */
        RT_TRY(rt_json_expect_off(config, "tokenizer", "add_prefix_space", err));
    }
    const json_t *eos = json_object_get(config, "eos_token");
    if (json_is_object(eos)) eos = json_object_get(eos, "content");
    if (!rt_json_is_off(eos)) {
        RT_CHECK(json_is_string(eos), err, RETORT_ERR_FORMAT, "'eos_token' is not a string");
        t->eos = rt_tokenizer_find(t, json_string_value(eos));
        RT_CHECK(t->eos >= 0, err, RETORT_ERR_FORMAT, "'eos_token' '%.100s' is not in the vocabulary",
                 json_string_value(eos));
    }
    const json_t *bos = json_object_get(config, "bos_token");
    if (json_is_object(bos)) bos = json_object_get(bos, "content");
    if (json_is_string(bos)) t->bos = rt_tokenizer_find(t, json_string_value(bos));
    const json_t *template = json_object_get(config, "retort_prompt_template");
    if (template == NULL || json_is_null(template)) return RETORT_OK;
    const char *text = json_string_value(template);
    const char *mark = text != NULL ? strstr(text, "{problem}") : NULL;
    RT_CHECK(mark != NULL && strstr(mark + 1, "{problem}") == NULL && json_string_length(template) == strlen(text) &&
                 strlen(text) < MAX_TEMPLATE,
             err, RETORT_ERR_FORMAT, "'retort_prompt_template' is not a text with '{problem}' in it once");
    t->prompt_template = rt_strdup(text);
    RT_CHECK(t->prompt_template != NULL, err, RETORT_ERR_MEMORY, "out of memory: prompt template");
    return RETORT_OK;
}

static retort_status read_tokenizer(rt_tokenizer *t, const json_t *root, retort_error *err) {
    RT_TRY(check_keys(root, err));
    RT_TRY(rt_read_stages(t, root, err));
    RT_TRY(rt_read_vocabulary(t, root, err));
    return rt_read_post_processor(t, root, err);
}

static retort_status create(rt_tokenizer **out, retort_error *err) {
    rt_tokenizer *t = rt_calloc(1, sizeof *t);
    RT_CHECK(t != NULL, err, RETORT_ERR_MEMORY, "out of memory: tokenizer");
    t->eos = t->bos = t->unk = -1;
    retort_status st = rt_workspaces_create(&t->workspaces, err);
    if (st != RETORT_OK) {
        rt_tokenizer_destroy(t);
        return st;
    }
    *out = t;
    return RETORT_OK;
}

retort_status rt_tokenizer_parse(const json_t *tokenizer, const json_t *config, rt_tokenizer **out, retort_error *err) {
    rt_tokenizer *t = NULL;
    RT_TRY(create(&t, err));
    retort_status st = read_tokenizer(t, tokenizer, err);
    if (st == RETORT_OK && config != NULL) st = read_config(t, config, err);
    if (st != RETORT_OK) {
        rt_tokenizer_destroy(t);
        return st;
    }
    *out = t;
    return RETORT_OK;
}

static retort_status read_part(rt_tokenizer *t, const char *dir, const char *name, bool loose,
                               retort_status (*read)(rt_tokenizer *, const json_t *, retort_error *),
                               retort_error *err) {
    char *path = rt_path_join(dir, name);
    RT_CHECK(path != NULL, err, RETORT_ERR_MEMORY, "out of memory: path of '%s'", name);
    json_t *root = NULL;
    retort_status st = loose ? rt_json_load_loose(path, &root, err) : rt_json_load(path, &root, err);
    if (st == RETORT_OK) {
        st = read(t, root, err);
        if (st != RETORT_OK) st = rt_fail_context(err, st, "'%s'", path);
    }
    json_decref(root);
    rt_free(path);
    return st;
}

static retort_status load_gguf(const char *path, rt_tokenizer **out, retort_error *err) {
    json_t *tokenizer = NULL, *config = NULL;
    RT_TRY(rt_tokenizer_documents(path, &tokenizer, &config, err));
    retort_status st = rt_tokenizer_parse(tokenizer, config, out, err);
    if (st != RETORT_OK) st = rt_fail_context(err, st, "the tokenizer in '%s'", path);
    json_decref(tokenizer);
    json_decref(config);
    return st;
}

static retort_status load_folder(const char *dir, rt_tokenizer **out, retort_error *err) {
    if (rt_gguf_is(dir)) return load_gguf(dir, out, err);
    rt_tokenizer *t = NULL;
    RT_TRY(create(&t, err));
    retort_status st = read_part(t, dir, "tokenizer.json", false, read_tokenizer, err);
    if (st == RETORT_OK) st = read_part(t, dir, "tokenizer_config.json", true, read_config, err);
    if (st != RETORT_OK) {
        rt_tokenizer_destroy(t);
        return st;
    }
    *out = t;
    return RETORT_OK;
}

retort_status rt_tokenizer_load(const char *name, rt_tokenizer **out, retort_error *err) {
    char *dir;
    RT_TRY(rt_model_path(name, &dir, err));
    retort_status st = load_folder(dir, out, err);
    rt_free(dir);
    return st;
}
