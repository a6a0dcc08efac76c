#include "train/conversation.h"

#include <string.h>

#include "sample/stops.h"

retort_status rt_examples_reserve(rt_examples *examples, retort_error *err) {
    if (examples->ids.count <= examples->capacity) return RETORT_OK;
    int64_t capacity = examples->ids.capacity;
    uint8_t *marks = rt_realloc_array(examples->supervised, (size_t)capacity, 1);
    RT_CHECK(marks != NULL, err, RETORT_ERR_MEMORY, "out of memory: marks of %lld tokens", (long long)capacity);
    examples->supervised = marks;
    examples->capacity = capacity;
    return RETORT_OK;
}

bool rt_example_ends(const rt_example_settings *s, int32_t id) {
    static const rt_config NONE = {0};
    static const rt_sampling PLAIN = {0};
    return rt_is_stop_id(s->config != NULL ? s->config : &NONE, s->tokenizer, &PLAIN, id);
}

/* An assistant's turn that is trained on: from byte `begin` of the text and token `first` on. */
typedef struct turn {
    size_t message, begin;
    int64_t first;
} turn;

typedef struct conversation {
    const rt_example_settings *settings;
    const json_t *messages;
    rt_buffer text;
    turn *turns;
    size_t count;
} conversation;

static retort_status render(const conversation *c, const json_t *messages, bool generation, rt_buffer *out,
                            retort_error *err) {
    const rt_prompting *p = c->settings->prompting;
    RT_TRY(rt_buffer_puts(out, "", err));
    return rt_chat_render(p->chat, messages, NULL, generation, p->now, out, err);
}

/* ---- reasoning ---- */

static bool blank(char byte) {
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static bool contains(const char *text, size_t size, const char *part, size_t length) {
    while (length > 0 && blank(part[0])) part++, length--;
    while (length > 0 && blank(part[length - 1])) length--;
    return length == 0 || memmem(text, size, part, length) != NULL;
}

/* Templates of reasoning models leave out what an earlier answer thought, some of every answer: then the model would
 * learn to answer without thinking. The thoughts of message `number` must stand between the two bytes of the text. */
static retort_status check_reasoning(const conversation *c, size_t number, size_t begin, size_t end,
                                     retort_error *err) {
    static const char OPEN[] = "<think>", CLOSE[] = "</think>";
    static const char *const NAMES[] = {"reasoning_content", "thinking", "reasoning"};
    const json_t *message = json_array_get(c->messages, number);
    const char *text = c->text.data + begin;
    bool kept = true;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        const json_t *value = json_object_get(message, NAMES[i]);
        if (!json_is_string(value)) continue;
        kept = kept && contains(text, end - begin, json_string_value(value), json_string_length(value));
    }
    const char *content = json_string_value(json_object_get(message, "content"));
    const char *open = content != NULL ? strstr(content, OPEN) : NULL;
    const char *close = content != NULL ? strstr(content, CLOSE) : NULL;
    const char *thought = open != NULL ? open + sizeof OPEN - 1 : content;
    if (close != NULL && close > thought) {
        kept = kept && contains(text, end - begin, thought, (size_t)(close - thought));
    }
    RT_CHECK(kept, err, RETORT_ERR_FORMAT,
             "the chat template drops the reasoning of message %zu, which is to be trained on: train on the last turn "
             "only, or give the prompt as messages and the whole answer, reasoning included, as a text 'completion'",
             number + 1);
    return RETORT_OK;
}

/* ---- where turns begin ---- */

/* The part of a generation prompt from which on the text differs, for the message. */
static const char *tail(const rt_buffer *text, size_t from, char *out, size_t size) {
    size_t length = text->length - from < size - 1 ? text->length - from : size - 1;
    memcpy(out, text->data + from, length);
    out[length] = '\0';
    for (char *at = out; *at != '\0'; at++) {
        if (*at == '\n') *at = ' ';
    }
    return out;
}

static retort_status find_turn(conversation *c, size_t number, retort_error *err) {
    json_t *before = json_array();
    retort_status st = RETORT_OK;
    for (size_t i = 0; i < number && st == RETORT_OK; i++) {
        if (json_array_append(before, json_array_get(c->messages, i)) != 0) {
            st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: messages");
        }
    }
    rt_buffer prompt = {0};
    if (st == RETORT_OK) st = render(c, before, true, &prompt, err);
    json_decref(before);
    size_t same = 0;
    while (st == RETORT_OK && same < prompt.length && same < c->text.length && prompt.data[same] == c->text.data[same])
        same++;
    if (st == RETORT_OK && same < prompt.length) {
        char promised[41], given[41];
        st = rt_fail(err, RETORT_ERR_FORMAT,
                     "the chat template asks for message %zu with '%s' and renders it with '%s' there: the model would "
                     "be trained on another prompt than it is sampled with; give the prompt as messages and the answer "
                     "as a text 'completion', which follows the generation prompt as it is",
                     number + 1, tail(&prompt, same, promised, sizeof promised),
                     tail(&c->text, same, given, sizeof given));
    }
    if (st == RETORT_OK) c->turns[c->count++] = (turn){.message = number, .begin = prompt.length};
    rt_buffer_free(&prompt);
    return st;
}

static retort_status find_turns(conversation *c, size_t from, retort_error *err) {
    size_t size = json_array_size(c->messages);
    c->turns = rt_calloc(size, sizeof *c->turns);
    RT_CHECK(c->turns != NULL, err, RETORT_ERR_MEMORY, "out of memory: turns");
    for (size_t i = 0; i < size; i++) {
        const char *role = json_string_value(json_object_get(json_array_get(c->messages, i), "role"));
        bool assistant = role != NULL && strcmp(role, "assistant") == 0;
        RT_CHECK(assistant || i + 1 < size, err, RETORT_ERR_FORMAT,
                 "the last message must be an assistant's turn, which is what there is to learn");
        if (!assistant || i < from) continue;
        RT_TRY(check_reasoning(c, i, 0, c->text.length, err));
        RT_TRY(find_turn(c, i, err));
    }
    for (size_t k = 0; k < c->count; k++) {
        size_t end = k + 1 < c->count ? c->turns[k + 1].begin : c->text.length;
        RT_TRY(check_reasoning(c, c->turns[k].message, c->turns[k].begin, end, err));
    }
    RT_CHECK(c->turns[0].begin > 0, err, RETORT_ERR_FORMAT, "the prompt is empty");
    return RETORT_OK;
}

/* ---- tokens ---- */

static retort_status encode(const conversation *c, size_t begin, size_t end, rt_ids *ids, rt_spans *spans,
                            retort_error *err) {
    return rt_tokenizer_encode_spans(c->settings->tokenizer, c->text.data + begin, end - begin, RT_ENCODE_PARSE_SPECIAL,
                                     ids, spans, err);
}

/* Where each turn begins in the ids of the whole text; false where a token lies across, or where the prompt alone has
 * other tokens, which are those that sampling starts from. */
static retort_status find_firsts(conversation *c, const rt_ids *whole, const rt_spans *spans, bool *found,
                                 retort_error *err) {
    *found = true;
    for (size_t k = 0; k < c->count && *found; k++) {
        rt_ids prompt = {0};
        retort_status st = encode(c, 0, c->turns[k].begin, &prompt, NULL, err);
        int64_t n = prompt.count;
        *found = st == RETORT_OK && n < whole->count && spans->data[n].begin >= c->turns[k].begin &&
                 memcmp(prompt.data, whole->data, (size_t)n * sizeof *whole->data) == 0;
        c->turns[k].first = n;
        rt_ids_free(&prompt);
        RT_TRY(st);
    }
    return RETORT_OK;
}

/* The text in pieces, cut where turns begin, as sampling would make it. */
static retort_status encode_apart(conversation *c, rt_ids *ids, retort_error *err) {
    size_t begin = 0;
    for (size_t k = 0; k <= c->count; k++) {
        size_t end = k < c->count ? c->turns[k].begin : c->text.length;
        RT_TRY(encode(c, begin, end, ids, NULL, err));
        if (k < c->count) c->turns[k].first = ids->count;
        begin = end;
    }
    return RETORT_OK;
}

/* A tokenizer that puts a space before every text would put one before every piece. */
static retort_status check_same_text(const conversation *c, const rt_ids *ids, retort_error *err) {
    rt_buffer text = {0}, whole = {0};
    rt_ids all = {0};
    retort_status st = encode(c, 0, c->text.length, &all, NULL, err);
    if (st == RETORT_OK) st = rt_tokenizer_decode(c->settings->tokenizer, all.data, all.count, false, &whole, err);
    if (st == RETORT_OK) st = rt_tokenizer_decode(c->settings->tokenizer, ids->data, ids->count, false, &text, err);
    if (st == RETORT_OK && (text.length != whole.length || memcmp(text.data, whole.data, text.length) != 0)) {
        st = rt_fail(err, RETORT_ERR_UNSUPPORTED,
                     "the tokenizer joins the prompt and the answer in one token, and cut apart they are another text");
    }
    rt_buffer_free(&text);
    rt_buffer_free(&whole);
    rt_ids_free(&all);
    return st;
}

static retort_status tokenize(conversation *c, rt_ids *ids, retort_error *err) {
    rt_spans spans = {0};
    bool found = false;
    retort_status st = encode(c, 0, c->text.length, ids, &spans, err);
    if (st == RETORT_OK) st = find_firsts(c, ids, &spans, &found, err);
    if (st == RETORT_OK && !found) {
        ids->count = 0;
        st = encode_apart(c, ids, err);
        if (st == RETORT_OK) st = check_same_text(c, ids, err);
    }
    rt_spans_free(&spans);
    return st;
}

/* ---- marks ---- */

/* What stands behind the end of the last answer is never generated; it may only be blank. */
static retort_status check_rest(const conversation *c, const rt_ids *ids, int64_t end, retort_error *err) {
    rt_buffer rest = {0};
    retort_status st =
        rt_tokenizer_decode(c->settings->tokenizer, ids->data + end, ids->count - end, false, &rest, err);
    for (size_t i = 0; st == RETORT_OK && i < rest.length; i++) {
        if (blank(rest.data[i])) continue;
        st = rt_fail(err, RETORT_ERR_FORMAT,
                     "the last answer goes on behind a token that ends it: the text holds the token's name, at which "
                     "generation would stop");
    }
    rt_buffer_free(&rest);
    return st;
}

/* The token behind the one that ends the turn which goes from `first` to `limit`; limit + 1 if none does. */
static int64_t end_of_turn(const conversation *c, const rt_ids *ids, int64_t first, int64_t limit) {
    int64_t at = first;
    while (at < limit && !rt_example_ends(c->settings, ids->data[at])) at++;
    return at + 1;
}

static retort_status append(const conversation *c, const rt_ids *ids, rt_examples *out, retort_error *err) {
    int64_t begin = out->ids.count, end = 0;
    for (int64_t i = 0; i < ids->count; i++) RT_TRY(rt_ids_push(&out->ids, ids->data[i], err));
    RT_TRY(rt_examples_reserve(out, err));
    uint8_t *marks = out->supervised + begin;
    memset(marks, c->settings->whole, (size_t)ids->count);
    for (size_t k = 0; k < c->count; k++) {
        int64_t first = c->turns[k].first, limit = k + 1 < c->count ? c->turns[k + 1].first : ids->count;
        end = end_of_turn(c, ids, first, limit);
        RT_CHECK(end <= limit, err, RETORT_ERR_FORMAT,
                 "message %zu is rendered without a token at which generation stops: the model would never learn to "
                 "end; add the token that ends a turn to 'eos_token_id' of generation_config.json",
                 c->turns[k].message + 1);
        memset(marks + first, 1, (size_t)(end - first));
    }
    out->ids.count = begin + end;
    return check_rest(c, ids, end, err);
}

retort_status rt_conversation_make(const rt_example_settings *settings, const json_t *messages, size_t from,
                                   rt_examples *out, retort_error *err) {
    conversation c = {.settings = settings, .messages = messages};
    rt_ids ids = {0};
    retort_status st = render(&c, messages, false, &c.text, err);
    if (st == RETORT_OK) st = find_turns(&c, from, err);
    if (st == RETORT_OK) st = tokenize(&c, &ids, err);
    if (st == RETORT_OK) st = append(&c, &ids, out, err);
    rt_ids_free(&ids);
    rt_buffer_free(&c.text);
    rt_free(c.turns);
    return st;
}

/* ---- an answer as text ---- */

/* The token with which the template ends an assistant's turn: the first that stops generation behind a known answer. */
static retort_status find_end(const rt_example_settings *s, const json_t *messages, int32_t *end, retort_error *err) {
    static const char ANSWER[] = "retort-answer";
    conversation c = {.settings = s, .messages = messages};
    json_t *list = json_copy((json_t *)(uintptr_t)messages);
    json_t *answer = json_pack("{s:s, s:s}", "role", "assistant", "content", ANSWER);
    bool made = list != NULL && json_array_append_new(list, answer) == 0;
    retort_status st =
        made ? render(&c, list, false, &c.text, err) : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: messages");
    json_decref(list);
    rt_ids ids = {0};
    const char *at = NULL;
    for (size_t i = 0; st == RETORT_OK && i + sizeof ANSWER - 1 <= c.text.length; i++) {
        if (memcmp(c.text.data + i, ANSWER, sizeof ANSWER - 1) == 0) at = c.text.data + i + sizeof ANSWER - 1;
    }
    if (at != NULL) st = encode(&c, (size_t)(at - c.text.data), c.text.length, &ids, NULL, err);
    int64_t behind = end_of_turn(&c, &ids, 0, ids.count);
    if (st == RETORT_OK && behind > ids.count) {
        st =
            rt_fail(err, RETORT_ERR_FORMAT,
                    "the chat template ends an answer with no token at which generation stops: add the token that ends "
                    "a turn to 'eos_token_id' of generation_config.json");
    }
    if (st == RETORT_OK) *end = ids.data[behind - 1];
    rt_ids_free(&ids);
    rt_buffer_free(&c.text);
    return st;
}

static retort_status append_text(conversation *c, const char *text, size_t length, int32_t end, rt_examples *out,
                                 retort_error *err) {
    turn only = {.message = json_array_size(c->messages), .begin = c->text.length};
    rt_ids ids = {0};
    c->turns = &only;
    c->count = 1;
    retort_status st = rt_buffer_append(&c->text, text, length, err);
    if (st == RETORT_OK) st = tokenize(c, &ids, err);
    if (st == RETORT_OK && ids.data[ids.count - 1] != end) st = rt_ids_push(&ids, end, err);
    if (st == RETORT_OK) st = append(c, &ids, out, err);
    rt_ids_free(&ids);
    return st;
}

retort_status rt_conversation_continue(const rt_example_settings *settings, const json_t *messages, const char *text,
                                       size_t length, rt_examples *out, retort_error *err) {
    static const char OPEN[] = "<think>";
    conversation c = {.settings = settings, .messages = messages};
    int32_t end = -1;
    RT_CHECK(length > 0, err, RETORT_ERR_FORMAT, "the completion is empty");
    RT_TRY(find_end(settings, messages, &end, err));
    retort_status st = render(&c, messages, true, &c.text, err);
    size_t used = c.text.length;
    while (used > 0 && blank(c.text.data[used - 1])) used--;
    bool opens = used >= sizeof OPEN - 1 && memcmp(c.text.data + used - (sizeof OPEN - 1), OPEN, sizeof OPEN - 1) == 0;
    if (st == RETORT_OK && opens && length >= sizeof OPEN - 1 && memcmp(text, OPEN, sizeof OPEN - 1) == 0) {
        st = rt_fail(err, RETORT_ERR_FORMAT,
                     "the generation prompt ends with '<think>' and the completion begins with it: leave it out of the "
                     "completion");
    }
    if (st == RETORT_OK) st = append_text(&c, text, length, end, out, err);
    rt_buffer_free(&c.text);
    return st;
}
