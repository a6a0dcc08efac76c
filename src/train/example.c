#include "train/example.h"

#include <string.h>

#include "train/conversation.h"

void rt_examples_free(rt_examples *examples) {
    rt_ids_free(&examples->ids);
    rt_free(examples->supervised);
    *examples = (rt_examples){0};
}

/* Gives the ids from `begin` on their marks: those before `prompt` are only read, unless all are trained on. */
static retort_status mark(const rt_example_settings *s, int64_t begin, int64_t prompt, rt_examples *out,
                          retort_error *err) {
    RT_TRY(rt_examples_reserve(out, err));
    for (int64_t i = begin; i < out->ids.count; i++) out->supervised[i] = s->whole || i >= prompt;
    return RETORT_OK;
}

/* ---- text and the model's own prompt template ---- */

static const char *text_of(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    const char *text = json_string_value(value);
    return text != NULL && strlen(text) == json_string_length(value) ? text : NULL;
}

/* A completion as it is: the prompt's ids are there already. */
static retort_status add_completion(const rt_example_settings *s, const char *text, bool parse_special, int64_t begin,
                                    rt_examples *out, retort_error *err) {
    rt_ids *ids = &out->ids;
    int64_t prompt = ids->count;
    RT_CHECK(prompt > begin, err, RETORT_ERR_FORMAT, "the prompt is empty");
    RT_CHECK(text[0] != '\0', err, RETORT_ERR_FORMAT, "the completion is empty");
    RT_TRY(rt_tokenizer_encode(s->tokenizer, text, strlen(text), parse_special, ids, err));
    int32_t eos = rt_tokenizer_eos(s->tokenizer);
    RT_CHECK(eos >= 0, err, RETORT_ERR_FORMAT, "the tokenizer names no end token, which every example must end with");
    if (ids->data[ids->count - 1] != eos) RT_TRY(rt_ids_push(ids, eos, err));
    return mark(s, begin, prompt, out, err);
}

static retort_status text_pair(const rt_example_settings *s, const json_t *object, rt_examples *out,
                               retort_error *err) {
    const char *prompt = text_of(object, "prompt"), *completion = text_of(object, "completion");
    RT_CHECK(prompt != NULL && completion != NULL, err, RETORT_ERR_FORMAT,
             "'prompt' and 'completion' must be texts or lists of messages");
    int64_t begin = out->ids.count;
    RT_TRY(rt_prompting_text(s->prompting, prompt, strlen(prompt), &out->ids, err));
    return add_completion(s, completion, true, begin, out, err);
}

static retort_status plain_problem(const rt_example_settings *s, const char *problem, const char *response,
                                   rt_examples *out, retort_error *err) {
    int64_t begin = out->ids.count;
    RT_TRY(rt_prompting_problem(s->prompting, problem, &out->ids, err));
    return add_completion(s, response, false, begin, out, err);
}

/* A conversation for a model without a chat template: a problem in other words. */
static retort_status plain_messages(const rt_example_settings *s, const json_t *messages, rt_examples *out,
                                    retort_error *err) {
    const json_t *user = json_array_get(messages, 0), *assistant = json_array_get(messages, 1);
    const char *first = text_of(user, "role"), *second = text_of(assistant, "role");
    bool turns = json_array_size(messages) == 2 && first != NULL && second != NULL && strcmp(first, "user") == 0 &&
                 strcmp(second, "assistant") == 0;
    RT_CHECK(turns, err, RETORT_ERR_UNSUPPORTED,
             "without a chat template the messages must be one turn of 'user' and one of 'assistant'");
    const char *problem = text_of(user, "content"), *response = text_of(assistant, "content");
    RT_CHECK(problem != NULL && response != NULL, err, RETORT_ERR_FORMAT, "each message needs a string 'content'");
    return plain_problem(s, problem, response, out, err);
}

/* ---- chat templates ---- */

static retort_status append_message(json_t *messages, const char *role, const char *content, retort_error *err) {
    if (json_array_append_new(messages, json_pack("{s:s, s:s}", "role", role, "content", content)) == 0) {
        return RETORT_OK;
    }
    return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: messages");
}

static retort_status chat_problem(const rt_example_settings *s, const char *problem, const char *response,
                                  rt_examples *out, retort_error *err) {
    json_t *messages = NULL;
    RT_CHECK(response[0] != '\0', err, RETORT_ERR_FORMAT, "the completion is empty");
    RT_TRY(rt_prompting_ask(s->prompting, problem, &messages, err));
    size_t prompt = json_array_size(messages);
    retort_status st = append_message(messages, "assistant", response, err);
    if (st == RETORT_OK) st = rt_conversation_make(s, messages, prompt, out, err);
    json_decref(messages);
    return st;
}

/* The turns of `messages`, with those of `completion` (NULL: none) behind them. */
static retort_status chat_messages(const rt_example_settings *s, const json_t *messages, const json_t *completion,
                                   rt_examples *out, retort_error *err) {
    json_t *list = NULL;
    RT_CHECK(json_array_size(messages) > 0, err, RETORT_ERR_FORMAT, "there are no messages");
    RT_TRY(rt_prompting_open(s->prompting, messages, &list, err));
    size_t from = json_array_size(list);
    retort_status st = RETORT_OK;
    if (completion == NULL) {
        from = s->assistant_only ? 0 : from - 1;
    } else if (json_is_string(completion)) {
        const char *text = json_string_value(completion);
        st = rt_conversation_continue(s, list, text, json_string_length(completion), out, err);
        json_decref(list);
        return st;
    } else if (json_array_extend(list, (json_t *)(uintptr_t)completion) != 0) {
        st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: messages");
    }
    if (st == RETORT_OK) st = rt_conversation_make(s, list, from, out, err);
    json_decref(list);
    return st;
}

/* Prompt and completion as messages for a model without a chat template. */
static retort_status plain_pair(const rt_example_settings *s, const json_t *prompt, const json_t *completion,
                                rt_examples *out, retort_error *err) {
    json_t *list = json_copy((json_t *)(uintptr_t)prompt);
    retort_status st = RETORT_OK;
    if (json_is_string(completion)) {
        st = append_message(list, "assistant", json_string_value(completion), err);
    } else if (list == NULL || json_array_extend(list, (json_t *)(uintptr_t)completion) != 0) {
        st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: messages");
    }
    if (st == RETORT_OK) st = plain_messages(s, list, out, err);
    json_decref(list);
    return st;
}

static retort_status pair(const rt_example_settings *s, const json_t *object, rt_examples *out, retort_error *err) {
    const json_t *prompt = json_object_get(object, "prompt"), *completion = json_object_get(object, "completion");
    if (!json_is_array(prompt)) return text_pair(s, object, out, err);
    RT_CHECK(json_is_array(completion) || text_of(object, "completion") != NULL, err, RETORT_ERR_FORMAT,
             "'completion' must be a text or a list of messages");
    return s->prompting->chat != NULL ? chat_messages(s, prompt, completion, out, err)
                                      : plain_pair(s, prompt, completion, out, err);
}

static retort_status make(const rt_example_settings *s, const json_t *object, rt_examples *out, retort_error *err) {
    const json_t *messages = json_object_get(object, "messages");
    bool chat = s->prompting->chat != NULL;
    if (json_is_array(messages)) {
        return chat ? chat_messages(s, messages, NULL, out, err) : plain_messages(s, messages, out, err);
    }
    RT_CHECK(messages == NULL, err, RETORT_ERR_FORMAT, "'messages' is not a list");
    if (json_object_get(object, "completion") != NULL) return pair(s, object, out, err);
    const char *problem = text_of(object, "problem"), *response = text_of(object, "response");
    RT_CHECK(problem != NULL && response != NULL, err, RETORT_ERR_FORMAT,
             "needs 'prompt' and 'completion', or the strings 'problem' and 'response', or 'messages'");
    return chat ? chat_problem(s, problem, response, out, err) : plain_problem(s, problem, response, out, err);
}

/* The end of an example must be there, be trained on, and be where sampling will stop. */
static retort_status check_end(const rt_example_settings *s, int64_t begin, const rt_examples *out, retort_error *err) {
    int64_t last = out->ids.count - 1;
    int32_t id = out->ids.data[last];
    size_t length = 0;
    const char *piece = rt_tokenizer_piece(s->tokenizer, id, &length);
    RT_CHECK(last > begin && rt_example_ends(s, id), err, RETORT_ERR_FORMAT,
             "the example ends with '%.*s', at which generation does not stop: the model would never learn to end; add "
             "the token's id, %d, to 'eos_token_id' of generation_config.json if a turn ends there",
             (int)length, piece != NULL ? piece : "", (int)id);
    RT_CHECK(out->supervised[last] != 0, err, RETORT_ERR_FORMAT, "the token that ends the answer is not trained on");
    return RETORT_OK;
}

retort_status rt_example_make(const rt_example_settings *settings, const json_t *object, rt_examples *out,
                              retort_error *err) {
    int64_t begin = out->ids.count;
    RT_TRY(make(settings, object, out, err));
    RT_TRY(rt_prompting_check_bos(settings->prompting, out->ids.data + begin, out->ids.count - begin, err));
    return check_end(settings, begin, out, err);
}
