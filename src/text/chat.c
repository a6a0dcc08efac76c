#include "text/chat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/hub_cache.h"
#include "text/gguf_tokenizer.h"

struct rt_chat {
    rt_jinja *jinja;
    json_t *tokens; /* special tokens by name */
};

static retort_status out_of_memory(retort_error *err) {
    return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: chat template");
}

/* Takes over the special tokens of a configuration; those that are there already stay. */
static retort_status collect_tokens(json_t *tokens, const json_t *config, retort_error *err) {
    static const char *const NAMES[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                        "pad_token", "cls_token", "mask_token"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        json_t *value = json_object_get(config, NAMES[i]);
        if (json_is_object(value)) value = json_object_get(value, "content");
        if (!json_is_string(value) || json_object_get(tokens, NAMES[i]) != NULL) continue;
        if (json_object_set(tokens, NAMES[i], value) != 0) return out_of_memory(err);
    }
    return RETORT_OK;
}

void rt_chat_destroy(rt_chat *chat) {
    if (chat == NULL) return;
    rt_jinja_destroy(chat->jinja);
    json_decref(chat->tokens);
    rt_free(chat);
}

retort_status rt_chat_parse(const char *name, const char *template_text, size_t length, const json_t *config,
                            rt_chat **out, retort_error *err) {
    rt_chat *chat = rt_calloc(1, sizeof *chat);
    if (chat == NULL) return out_of_memory(err);
    chat->tokens = json_object();
    retort_status st = chat->tokens != NULL ? RETORT_OK : out_of_memory(err);
    if (st == RETORT_OK && config != NULL) st = collect_tokens(chat->tokens, config, err);
    if (st == RETORT_OK) st = rt_jinja_compile(name, template_text, length, &chat->jinja, err);
    if (st != RETORT_OK) {
        rt_chat_destroy(chat);
        return st;
    }
    *out = chat;
    return RETORT_OK;
}

/* ---- a directory ---- */

/* NULL where the file does not exist. */
static retort_status load_json(const char *dir, const char *name, json_t **out, retort_error *err) {
    char *path = rt_path_join(dir, name);
    if (path == NULL) return out_of_memory(err);
    *out = NULL;
    retort_status st = rt_path_exists(path) ? rt_json_load_loose(path, out, err) : RETORT_OK;
    rt_free(path);
    return st;
}

/* The template of a configuration: a text, or the default one of several. */
static const json_t *template_of(const json_t *config) {
    const json_t *value = json_object_get(config, "chat_template");
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *one = json_array_get(value, i);
        const char *name = json_string_value(json_object_get(one, "name"));
        if (name != NULL && strcmp(name, "default") == 0) return json_object_get(one, "template");
    }
    return value;
}

static retort_status load_text(const char *dir, const json_t *config, rt_buffer *out, retort_error *err) {
    if (!rt_path_is_dir(dir)) { /* a GGUF file */
        const json_t *inside = template_of(config);
        RT_CHECK(json_is_string(inside), err, RETORT_ERR_NOT_FOUND,
                 "'%s' has no chat template: no metadata 'tokenizer.chat_template'", dir);
        return rt_buffer_append(out, json_string_value(inside), json_string_length(inside), err);
    }
    char *path = rt_path_join(dir, "chat_template.jinja");
    if (path == NULL) return out_of_memory(err);
    retort_status st = RETORT_OK;
    const json_t *value = template_of(config);
    if (rt_path_exists(path)) {
        st = rt_file_read(path, out, err);
    } else if (json_is_string(value)) {
        st = rt_buffer_append(out, json_string_value(value), json_string_length(value), err);
    } else {
        st = rt_fail(err, RETORT_ERR_NOT_FOUND,
                     "'%s' has no chat template: neither chat_template.jinja nor a 'chat_template' in "
                     "tokenizer_config.json",
                     dir);
    }
    rt_free(path);
    return st;
}

/* The template and the special tokens inside a GGUF file. */
static retort_status load_gguf(const char *path, json_t **config, retort_error *err) {
    rt_gguf file;
    RT_TRY(rt_gguf_open(path, &file, err));
    retort_status st = rt_gguf_tokenizer_config(&file, config, err);
    rt_gguf_close(&file);
    return st;
}

static retort_status load_config(const char *path, json_t **config, json_t **map, retort_error *err) {
    if (rt_gguf_is(path)) return load_gguf(path, config, err);
    RT_TRY(load_json(path, "tokenizer_config.json", config, err));
    return load_json(path, "special_tokens_map.json", map, err);
}

retort_status rt_chat_text(const char *path, rt_buffer *out, retort_error *err) {
    json_t *config = NULL, *map = NULL;
    retort_status st = load_config(path, &config, &map, err);
    if (st == RETORT_OK) st = load_text(path, config, out, err);
    json_decref(config);
    json_decref(map);
    return st;
}

static retort_status load_folder(const char *dir, rt_chat **out, retort_error *err) {
    json_t *config = NULL, *map = NULL;
    rt_buffer text = {0}, name = {0};
    rt_chat *chat = NULL;
    retort_status st;
    RT_GOTO(st, rt_buffer_printf(&name, err, "chat template of '%s'", dir), done);
    RT_GOTO(st, load_config(dir, &config, &map, err), done);
    RT_GOTO(st, load_text(dir, config, &text, err), done);
    RT_GOTO(st, rt_chat_parse(name.data, text.length > 0 ? text.data : "", text.length, config, &chat, err), done);
    RT_GOTO(st, collect_tokens(chat->tokens, map, err), done);
    *out = chat;
    chat = NULL;
done:
    rt_chat_destroy(chat);
    json_decref(config);
    json_decref(map);
    rt_buffer_free(&text);
    rt_buffer_free(&name);
    return st;
}

retort_status rt_chat_load(const char *name, rt_chat **out, retort_error *err) {
    char *dir;
    RT_TRY(rt_model_path(name, &dir, err));
    retort_status st = load_folder(dir, out, err);
    rt_free(dir);
    return st;
}

/* ---- rendering ---- */

retort_status rt_chat_now(time_t *now, retort_error *err) {
    const char *fixed = getenv("SOURCE_DATE_EPOCH");
    char *end;
    *now = time(NULL);
    if (fixed == NULL || fixed[0] == '\0') return RETORT_OK;
    errno = 0;
    long long seconds = strtoll(fixed, &end, 10);
    RT_CHECK(*end == '\0' && errno == 0 && seconds >= 0, err, RETORT_ERR_USAGE,
             "SOURCE_DATE_EPOCH '%.40s' is no number of seconds", fixed);
    *now = (time_t)seconds;
    return RETORT_OK;
}

static retort_status check_messages(const json_t *messages, retort_error *err) {
    RT_CHECK(json_is_array(messages), err, RETORT_ERR_FORMAT, "messages are not a list");
    for (size_t i = 0; i < json_array_size(messages); i++) {
        const json_t *one = json_array_get(messages, i);
        RT_CHECK(json_is_object(one) && json_is_string(json_object_get(one, "role")), err, RETORT_ERR_FORMAT,
                 "message %zu is no object with a 'role'", i + 1);
    }
    return RETORT_OK;
}

/* A message whose reasoning has every name that templates read it by, as transformers 5 gives it; a new reference, NULL
 * when out of memory. */
static json_t *name_reasoning(json_t *message) {
    static const char *const NAMES[] = {"reasoning_content", "thinking", "reasoning"};
    json_t *reasoning = NULL;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES && reasoning == NULL; i++) {
        reasoning = json_object_get(message, NAMES[i]);
        if (json_is_null(reasoning)) reasoning = NULL;
    }
    if (reasoning == NULL) return json_incref(message);
    json_t *named = json_object();
    if (json_object_set(named, "thinking", reasoning) == 0 && json_object_update(named, message) == 0 &&
        json_object_set(named, "reasoning_content", reasoning) == 0) {
        return named;
    }
    json_decref(named);
    return NULL;
}

/* A new reference, NULL when out of memory. */
static json_t *name_all_reasoning(const json_t *messages) {
    json_t *named = json_array();
    for (size_t i = 0; named != NULL && i < json_array_size(messages); i++) {
        if (json_array_append_new(named, name_reasoning(json_array_get(messages, i))) == 0) continue;
        json_decref(named);
        named = NULL;
    }
    return named;
}

retort_status rt_chat_render(const rt_chat *chat, const json_t *messages, const json_t *extra,
                             bool add_generation_prompt, time_t now, rt_buffer *out, retort_error *err) {
    RT_TRY(check_messages(messages, err));
    json_t *context = json_copy(chat->tokens);
    bool made = context != NULL && json_object_set_new(context, "tools", json_null()) == 0 &&
                json_object_set_new(context, "documents", json_null()) == 0 &&
                (extra == NULL || json_object_update(context, (json_t *)(uintptr_t)extra) == 0) &&
                json_object_set_new(context, "messages", name_all_reasoning(messages)) == 0 &&
                json_object_set_new(context, "add_generation_prompt", json_boolean(add_generation_prompt)) == 0;
    retort_status st =
        made ? rt_jinja_render(chat->jinja, context, now, &RT_JINJA_LIMITS, out, err) : out_of_memory(err);
    json_decref(context);
    return st;
}
