#include "text/prompting.h"

#include <string.h>

#include "core/file.h"

static const char MARK[] = "{problem}";

static retort_status out_of_memory(retort_error *err) {
    return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: prompt");
}

void rt_prompting_release(rt_prompting *prompting) {
    rt_chat_destroy(prompting->chat);
    rt_free(prompting->system_prompt);
    rt_free(prompting->instruction);
    rt_free(prompting->dir);
    *prompting = (rt_prompting){0};
}

static retort_status copy_text(const char *text, char **out, retort_error *err) {
    if (text == NULL || text[0] == '\0') return RETORT_OK;
    *out = rt_strdup(text);
    return *out != NULL ? RETORT_OK : out_of_memory(err);
}

static retort_status check_instruction(const char *instruction, retort_error *err) {
    if (instruction == NULL) return RETORT_OK;
    const char *mark = strstr(instruction, MARK);
    RT_CHECK(mark != NULL && strstr(mark + 1, MARK) == NULL, err, RETORT_ERR_USAGE,
             "'instruction' must have {problem} in it once: that is where a problem's text goes");
    return RETORT_OK;
}

static retort_status load(rt_prompting *p, const rt_prompting_settings *settings, retort_error *err) {
    RT_TRY(copy_text(settings->system_prompt, &p->system_prompt, err));
    RT_TRY(copy_text(settings->instruction, &p->instruction, err));
    RT_TRY(check_instruction(p->instruction, err));
    RT_TRY(rt_chat_now(&p->now, err));
    bool own = rt_tokenizer_has_prompt_template(p->tokenizer);
    retort_error none;
    retort_status st = own ? RETORT_ERR_NOT_FOUND : rt_chat_load(p->dir, &p->chat, &none);
    if (st != RETORT_OK && st != RETORT_ERR_NOT_FOUND) return rt_fail(err, st, "%s", none.message);
    RT_CHECK(p->system_prompt == NULL || p->chat != NULL, err, RETORT_ERR_USAGE,
             "'system_prompt' has no place in the prompts of '%s': %s", p->dir,
             own ? "its tokenizer_config.json has a 'retort_prompt_template', which is used instead of a chat template"
                 : "it has no chat template");
    return RETORT_OK;
}

retort_status rt_prompting_load(const char *dir, const rt_tokenizer *tokenizer, const rt_prompting_settings *settings,
                                rt_prompting *out, retort_error *err) {
    static const rt_prompting_settings NONE = {0};
    *out = (rt_prompting){.tokenizer = tokenizer};
    retort_status st = copy_text(dir, &out->dir, err);
    if (st == RETORT_OK) st = load(out, settings != NULL ? settings : &NONE, err);
    if (st != RETORT_OK) rt_prompting_release(out);
    return st;
}

retort_status rt_prompting_check_bos(const rt_prompting *p, const int32_t *ids, int64_t count, retort_error *err) {
    int32_t bos = rt_tokenizer_bos(p->tokenizer);
    bool doubled = bos >= 0 && count > 1 && ids[0] == bos && ids[1] == bos;
    if (!doubled) return RETORT_OK;
    size_t length = 0;
    const char *piece = rt_tokenizer_piece(p->tokenizer, bos, &length);
    return rt_fail(err, RETORT_ERR_FORMAT,
                   "the text begins with the BOS token '%.*s' twice: the tokenizer or the template puts one there, so "
                   "leave it out of the text",
                   (int)length, piece);
}

/* ---- messages ---- */

/* The text with the problem in the instruction's place. */
static retort_status instruct(const rt_prompting *p, const char *problem, rt_buffer *out, retort_error *err) {
    if (p->instruction == NULL) return rt_buffer_puts(out, problem, err);
    const char *mark = strstr(p->instruction, MARK);
    RT_TRY(rt_buffer_append(out, p->instruction, (size_t)(mark - p->instruction), err));
    RT_TRY(rt_buffer_puts(out, problem, err));
    return rt_buffer_puts(out, mark + sizeof MARK - 1, err);
}

static json_t *message(const char *role, const char *text, size_t length) {
    return json_pack("{s:s, s:o}", "role", role, "content", rt_json_text(text, length));
}

retort_status rt_prompting_open(const rt_prompting *p, const json_t *messages, json_t **out, retort_error *err) {
    const char *first = json_string_value(json_object_get(json_array_get(messages, 0), "role"));
    RT_CHECK(json_is_array(messages) && first != NULL, err, RETORT_ERR_FORMAT,
             "messages must be a list of objects with a 'role'");
    json_t *list = json_copy((json_t *)(uintptr_t)messages);
    bool put = p->system_prompt != NULL && strcmp(first, "system") != 0 && strcmp(first, "developer") != 0;
    bool made = list != NULL;
    if (made && put) {
        made = json_array_insert_new(list, 0, message("system", p->system_prompt, strlen(p->system_prompt))) == 0;
    }
    if (!made) {
        json_decref(list);
        return out_of_memory(err);
    }
    *out = list;
    return RETORT_OK;
}

retort_status rt_prompting_ask(const rt_prompting *p, const char *problem, json_t **messages, retort_error *err) {
    rt_buffer text = {0};
    retort_status st = instruct(p, problem, &text, err);
    json_t *list = st == RETORT_OK ? json_array() : NULL;
    if (st == RETORT_OK && json_array_append_new(list, message("user", text.data, text.length)) != 0) {
        st = out_of_memory(err);
    }
    if (st == RETORT_OK) st = rt_prompting_open(p, list, messages, err);
    json_decref(list);
    rt_buffer_free(&text);
    return st;
}

/* ---- ids ---- */

static retort_status encode(const rt_prompting *p, const rt_buffer *text, int flags, rt_ids *ids, retort_error *err) {
    int64_t begin = ids->count;
    const char *data = text->data != NULL ? text->data : "";
    RT_TRY(rt_tokenizer_encode_spans(p->tokenizer, data, text->length, flags, ids, NULL, err));
    return rt_prompting_check_bos(p, ids->data + begin, ids->count - begin, err);
}

/* The model's own prompt template. */
static retort_status fill_template(const rt_prompting *p, const char *problem, rt_ids *ids, retort_error *err) {
    RT_CHECK(
        rt_tokenizer_has_prompt_template(p->tokenizer), err, RETORT_ERR_NOT_FOUND,
        "'%s' has neither a chat template (chat_template.jinja, or 'chat_template' in tokenizer_config.json) nor a "
        "'retort_prompt_template': give the whole text as 'prompt' instead of a problem",
        p->dir);
    rt_buffer said = {0}, text = {0};
    retort_status st = instruct(p, problem, &said, err);
    if (st == RETORT_OK) st = rt_tokenizer_render_problem(p->tokenizer, said.data, &text, err);
    if (st == RETORT_OK) st = encode(p, &text, RT_ENCODE_PARSE_SPECIAL, ids, err);
    rt_buffer_free(&said);
    rt_buffer_free(&text);
    return st;
}

static retort_status render(const rt_prompting *p, const json_t *messages, rt_ids *ids, retort_error *err) {
    rt_buffer text = {0};
    retort_status st = rt_chat_render(p->chat, messages, NULL, true, p->now, &text, err);
    if (st == RETORT_OK) st = encode(p, &text, RT_ENCODE_PARSE_SPECIAL, ids, err);
    rt_buffer_free(&text);
    return st;
}

retort_status rt_prompting_problem(const rt_prompting *p, const char *problem, rt_ids *ids, retort_error *err) {
    if (p->chat == NULL) return fill_template(p, problem, ids, err);
    json_t *messages = NULL;
    RT_TRY(rt_prompting_ask(p, problem, &messages, err));
    retort_status st = render(p, messages, ids, err);
    json_decref(messages);
    return st;
}

static retort_status single_turn(const rt_prompting *p, const json_t *messages, rt_ids *ids, retort_error *err) {
    const json_t *only = json_array_get(messages, 0), *content = json_object_get(only, "content");
    const char *role = json_string_value(json_object_get(only, "role")), *text = json_string_value(content);
    RT_CHECK(json_array_size(messages) == 1 && role != NULL && strcmp(role, "user") == 0, err, RETORT_ERR_UNSUPPORTED,
             "only a single message with the role 'user' is supported without a chat template");
    RT_CHECK(text != NULL && strlen(text) == json_string_length(content), err, RETORT_ERR_FORMAT,
             "the message's 'content' is not a text");
    return fill_template(p, text, ids, err);
}

retort_status rt_prompting_messages(const rt_prompting *p, const json_t *messages, rt_ids *ids, retort_error *err) {
    if (p->chat == NULL) return single_turn(p, messages, ids, err);
    json_t *list = NULL;
    RT_TRY(rt_prompting_open(p, messages, &list, err));
    const json_t *last = json_array_get(list, json_array_size(list) - 1);
    const char *role = json_string_value(json_object_get(last, "role"));
    retort_status st = role == NULL || strcmp(role, "assistant") == 0
                           ? rt_fail(err, RETORT_ERR_FORMAT,
                                     "a prompt's messages must end with a turn that the assistant is to answer")
                           : render(p, list, ids, err);
    json_decref(list);
    return st;
}

retort_status rt_prompting_text(const rt_prompting *p, const char *text, size_t length, rt_ids *ids,
                                retort_error *err) {
    const rt_buffer view = {.data = (char *)(uintptr_t)text, .length = length};
    return encode(p, &view, RT_ENCODE_PARSE_SPECIAL | RT_ENCODE_POST_PROCESS, ids, err);
}

retort_status rt_prompting_hash(const int32_t *ids, int64_t count, char hash[65], retort_error *err) {
    rt_buffer all = {0};
    retort_status st = rt_buffer_puts(&all, hash, err);
    if (st == RETORT_OK) st = rt_buffer_append(&all, ids, (size_t)count * sizeof *ids, err);
    if (st == RETORT_OK) rt_sha256(all.data, all.length, hash);
    rt_buffer_free(&all);
    return st;
}
