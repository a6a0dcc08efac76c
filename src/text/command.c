/* The commands `tokenize` and `template`: options, and results as JSON or text. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "retort/text.h"
#include "text/chat.h"
#include "text/tokenizer.h"

const retort_option retort_tokenize_option_table[] = {
    {.name = "model",
     .type = RETORT_OPTION_STRING,
     .offset = offsetof(retort_tokenize_options, model),
     .argument = "DIR",
     .required = true,
     .help = "Model directory with tokenizer.json and tokenizer_config.json.",
     .group = "Input"},
    {.name = "file",
     .type = RETORT_OPTION_STRING,
     .offset = offsetof(retort_tokenize_options, file),
     .argument = "FILE",
     .help = "Reads this file instead of standard input."},
    {.name = "decode",
     .type = RETORT_OPTION_BOOL,
     .offset = offsetof(retort_tokenize_options, decode),
     .help = "Reads ids (a JSON list, {\"ids\": [...]}, or numbers) and prints their text.",
     .group = "Tokens"},
    {.name = "special_tokens",
     .type = RETORT_OPTION_BOOL,
     .offset = offsetof(retort_tokenize_options, special_tokens),
     .default_value = "true",
     .help = "Puts the tokenizer's own tokens (BOS) around the text; with --decode, writes special tokens."},
    {0},
};

const retort_option retort_template_option_table[] = {
    {.name = "model",
     .type = RETORT_OPTION_STRING,
     .offset = offsetof(retort_template_options, model),
     .argument = "DIR",
     .required = true,
     .help = "Model directory with chat_template.jinja, or a chat_template in tokenizer_config.json.",
     .group = "Input"},
    {.name = "messages",
     .type = RETORT_OPTION_STRING,
     .offset = offsetof(retort_template_options, messages),
     .argument = "FILE",
     .required = true,
     .help =
         "JSON file: a list of messages, or an object with \"messages\" whose other members the template sees too."},
    {.name = "add_generation_prompt",
     .type = RETORT_OPTION_BOOL,
     .offset = offsetof(retort_template_options, add_generation_prompt),
     .help = "Ends with the beginning of an assistant's turn, as a prompt for sampling does.",
     .group = "Output"},
    {0},
};

/* Hands the buffer's bytes to the caller, who frees them with free. */
static retort_status give(rt_buffer *text, char **out, size_t *length, retort_error *err) {
    *out = malloc(text->length + 1);
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory: result of %zu bytes", text->length);
    if (text->length > 0) memcpy(*out, text->data, text->length);
    (*out)[text->length] = '\0';
    *length = text->length;
    return RETORT_OK;
}

/* {"text": ...} */
static retort_status wrap_text(rt_buffer *text, retort_error *err) {
    json_t *object = json_object(), *value = rt_json_text(text->length > 0 ? text->data : "", text->length);
    retort_status st = RETORT_OK;
    if (object == NULL || json_object_set_new(object, "text", value) != 0) {
        st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: JSON of a text");
    }
    rt_buffer_clear(text);
    if (st == RETORT_OK) st = rt_json_dump(object, JSON_COMPACT, text, err);
    if (st == RETORT_OK) st = rt_buffer_puts(text, "\n", err);
    json_decref(object);
    return st;
}

/* ---- tokenize ---- */

static retort_status put_ids(const rt_ids *ids, rt_buffer *out, retort_error *err) {
    RT_TRY(rt_buffer_puts(out, "{\"ids\":[", err));
    for (int64_t i = 0; i < ids->count; i++) {
        RT_TRY(rt_buffer_printf(out, err, "%s%d", i > 0 ? "," : "", (int)ids->data[i]));
    }
    return rt_buffer_puts(out, "]}\n", err);
}

static retort_status put_table(const rt_tokenizer *t, const rt_ids *ids, const rt_spans *spans, rt_buffer *out,
                               retort_error *err) {
    for (int64_t i = 0; i < ids->count; i++) {
        size_t length = 0;
        const char *piece = rt_tokenizer_piece(t, ids->data[i], &length);
        json_t *text = rt_json_text(piece, length);
        retort_status st = text == NULL ? rt_fail(err, RETORT_ERR_MEMORY, "out of memory: JSON of a token")
                                        : rt_buffer_printf(out, err, "%7d  %zu-%zu\t", (int)ids->data[i],
                                                           spans->data[i].begin, spans->data[i].end);
        if (st == RETORT_OK) st = rt_json_dump(text, JSON_ENCODE_ANY | JSON_COMPACT, out, err);
        if (st == RETORT_OK) st = rt_buffer_puts(out, "\n", err);
        json_decref(text);
        RT_TRY(st);
    }
    return RETORT_OK;
}

static retort_status encode(const rt_tokenizer *t, bool special, const char *text, size_t length, bool json,
                            rt_buffer *out, retort_error *err) {
    rt_ids ids = {0};
    rt_spans spans = {0};
    int flags = RT_ENCODE_PARSE_SPECIAL | (special ? RT_ENCODE_POST_PROCESS : 0);
    retort_status st = rt_tokenizer_encode_spans(t, text, length, flags, &ids, json ? NULL : &spans, err);
    if (st == RETORT_OK) st = json ? put_ids(&ids, out, err) : put_table(t, &ids, &spans, out, err);
    rt_ids_free(&ids);
    rt_spans_free(&spans);
    return st;
}

static retort_status push_id(rt_ids *ids, long long id, retort_error *err) {
    RT_CHECK(id >= 0 && id <= INT32_MAX, err, RETORT_ERR_FORMAT, "number %lld of the input, %lld, is no token id",
             (long long)ids->count + 1, id);
    return rt_ids_push(ids, (int32_t)id, err);
}

static retort_status read_json_ids(const char *text, size_t length, rt_ids *ids, retort_error *err) {
    json_t *root = NULL;
    RT_TRY(rt_json_parse(text, length, "the input", &root, err));
    const json_t *list = json_is_object(root) ? json_object_get(root, "ids") : root;
    retort_status st = RETORT_OK;
    if (!json_is_array(list)) st = rt_fail(err, RETORT_ERR_FORMAT, "the input is neither a list nor has a list 'ids'");
    for (size_t i = 0; st == RETORT_OK && i < json_array_size(list); i++) {
        const json_t *id = json_array_get(list, i);
        st = json_is_integer(id) ? push_id(ids, json_integer_value(id), err)
                                 : rt_fail(err, RETORT_ERR_FORMAT, "element %zu of the ids is no integer", i + 1);
    }
    json_decref(root);
    return st;
}

static retort_status read_ids(const char *text, size_t length, rt_ids *ids, retort_error *err) {
    size_t at = strspn(text, " \t\r\n");
    RT_CHECK(strlen(text) == length, err, RETORT_ERR_FORMAT, "the input has a NUL byte, so it is no list of ids");
    if (text[at] == '[' || text[at] == '{') return read_json_ids(text, length, ids, err);
    while (text[at] != '\0') {
        char *end;
        errno = 0;
        long long id = strtoll(text + at, &end, 10);
        RT_CHECK(end != text + at && errno == 0 && strchr(" \t\r\n,", *end) != NULL, err, RETORT_ERR_FORMAT,
                 "the input has no token id at byte %zu", at);
        RT_TRY(push_id(ids, id, err));
        at = (size_t)(end - text);
        at += strspn(text + at, " \t\r\n,");
    }
    return RETORT_OK;
}

static retort_status decode(const rt_tokenizer *t, bool special, const char *text, size_t length, bool json,
                            rt_buffer *out, retort_error *err) {
    rt_ids ids = {0};
    retort_status st = read_ids(text, length, &ids, err);
    if (st == RETORT_OK) st = rt_tokenizer_decode_text(t, ids.data, ids.count, !special, out, err);
    if (st == RETORT_OK && json) st = wrap_text(out, err);
    rt_ids_free(&ids);
    return st;
}

retort_status retort_tokenize(const retort_tokenize_options *options, const char *input, size_t input_length, bool json,
                              char **out, size_t *length, retort_error *err) {
    rt_tokenizer *t = NULL;
    rt_buffer text = {0};
    RT_TRY(rt_tokenizer_load(options->model, &t, err));
    retort_status st = options->decode ? decode(t, options->special_tokens, input, input_length, json, &text, err)
                                       : encode(t, options->special_tokens, input, input_length, json, &text, err);
    if (st == RETORT_OK) st = give(&text, out, length, err);
    rt_buffer_free(&text);
    rt_tokenizer_destroy(t);
    return st;
}

/* ---- template ---- */

static retort_status render(const rt_chat *chat, const json_t *root, bool prompt, rt_buffer *out, retort_error *err) {
    const json_t *messages = json_is_object(root) ? json_object_get(root, "messages") : root;
    time_t now;
    RT_TRY(rt_chat_now(&now, err));
    return rt_chat_render(chat, messages, json_is_object(root) ? root : NULL, prompt, now, out, err);
}

retort_status retort_template(const retort_template_options *options, bool json, char **out, size_t *length,
                              retort_error *err) {
    rt_chat *chat = NULL;
    json_t *root = NULL;
    rt_buffer text = {0};
    RT_TRY(rt_chat_load(options->model, &chat, err));
    retort_status st = rt_json_load(options->messages, &root, err);
    if (st == RETORT_OK) {
        st = render(chat, root, options->add_generation_prompt, &text, err);
        if (st != RETORT_OK) st = rt_fail_context(err, st, "'%s'", options->messages);
    }
    if (st == RETORT_OK && json) st = wrap_text(&text, err);
    if (st == RETORT_OK) st = give(&text, out, length, err);
    rt_buffer_free(&text);
    json_decref(root);
    rt_chat_destroy(chat);
    return st;
}
