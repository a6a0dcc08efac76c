#include "analyze/line_responses.h"

#include <string.h>

static const char *const TEXT_KEYS[] = {
    "text",      "response",    "completion", "output",  "generated_text", "generation", "model_output",
    "responses", "completions", "outputs",    "samples", "generations",    "resps",      "choices",
    "messages",  "code",        NULL};
static const char *const MODEL_KEYS[] = {"model", "model_name", "generator", NULL};
static const char *const PROBLEM_KEYS[] = {"problem_id", "custom_id", "question_id", "doc_id",  "unique_id",
                                           "id",         "idx",       "index",       "task_id", "problem",
                                           "question",   "prompt",    NULL};
static const char *const CORRECT_KEYS[] = {"verdict", "correct",     "is_correct", "answer_reward",
                                           "score",   "exact_match", "acc",        NULL};

enum { MAX_NESTING = 4 };

static const json_t *first_of(const json_t *object, const char *const *keys) {
    for (; *keys != NULL; keys++) {
        const json_t *value = json_object_get(object, *keys);
        if (value != NULL && !json_is_null(value)) return value;
    }
    return NULL;
}

/* A file of the OpenAI batch API holds the reply as response.body. */
static const json_t *batch_body(const json_t *line) {
    const json_t *body = json_object_get(json_object_get(line, "response"), "body");
    return json_is_object(body) ? body : NULL;
}

static retort_status append_value(const json_t *value, rt_buffer *out, retort_error *err) {
    if (json_is_string(value)) return rt_buffer_append(out, json_string_value(value), json_string_length(value), err);
    return rt_json_dump(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS, out, err);
}

static retort_status append_group(const json_t *line, const rt_line_keys *keys, const char *key, size_t length,
                                  rt_buffer *out, retort_error *err) {
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)length, key);
    if (strcmp(name, "file") == 0) return rt_buffer_puts(out, keys->file, err);
    bool model = strcmp(name, "model") == 0;
    const json_t *value = model ? first_of(line, MODEL_KEYS) : json_object_get(line, name);
    if (value == NULL && model && batch_body(line) != NULL) value = json_object_get(batch_body(line), "model");
    if (value != NULL && !json_is_null(value)) return append_value(value, out, err);
    return rt_buffer_puts(out, model ? keys->file : "(none)", err);
}

retort_status rt_line_group(const json_t *line, const rt_line_keys *keys, rt_buffer *out, retort_error *err) {
    const char *key = keys->by != NULL ? keys->by : "model";
    for (bool first = true; *key != '\0'; first = false) {
        size_t length = strcspn(key, ",");
        if (!first) RT_TRY(rt_buffer_puts(out, " / ", err));
        RT_TRY(append_group(line, keys, key, length, out, err));
        key += length + (key[length] == ',');
    }
    return RETORT_OK;
}

retort_status rt_line_problem(const json_t *line, const rt_line_keys *keys, bool *known, rt_buffer *out,
                              retort_error *err) {
    const json_t *value = keys->problem != NULL ? json_object_get(line, keys->problem) : first_of(line, PROBLEM_KEYS);
    *known = value != NULL && !json_is_null(value);
    return *known ? append_value(value, out, err) : RETORT_OK;
}

static int correct_of(const json_t *value) {
    if (json_is_boolean(value)) return json_is_true(value);
    if (json_is_string(value)) {
        static const char *const WRONG[] = {"wrong", "unparsed", "over-budget", "incorrect"};
        const char *word = json_string_value(value);
        if (strcmp(word, "right") == 0 || strcmp(word, "correct") == 0) return 1;
        for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++)
            if (strcmp(word, WRONG[i]) == 0) return 0;
        return -1;
    }
    double number = json_is_number(value) ? json_number_value(value) : -1;
    return number == 1 ? 1 : number == 0 ? 0 : -1;
}

/* The verdict on the sample at `index` of a line: a list has one for each. */
static int correct_at(const json_t *object, size_t index) {
    const json_t *value = first_of(object, CORRECT_KEYS);
    if (json_is_array(value)) value = json_array_get(value, index);
    return value != NULL ? correct_of(value) : -1;
}

static bool truncated_by(const json_t *object) {
    static const char *const KEYS[] = {"finish_reason", "stop_reason", "done_reason", NULL};
    const char *reason = json_string_value(first_of(object, KEYS));
    bool cut = reason != NULL && (strcmp(reason, "length") == 0 || strcmp(reason, "max_tokens") == 0 ||
                                  strcmp(reason, "max_length") == 0);
    return cut || json_is_true(json_object_get(object, "truncated"));
}

typedef struct collector {
    const json_t *line;
    size_t index; /* responses so far */
    rt_line_visitor visit;
    void *context;
    retort_error *err;
} collector;

static retort_status found(collector *c, const json_t *holder, const json_t *text, bool truncated) {
    static const char *const THOUGHT_KEYS[] = {"reasoning_content", "reasoning", NULL};
    const json_t *thought = holder != NULL ? first_of(holder, THOUGHT_KEYS) : NULL;
    if (!json_is_string(thought) || json_string_length(thought) == 0) thought = NULL;
    rt_line_response response = {.text = json_is_string(text) ? json_string_value(text) : "",
                                 .length = json_string_length(text),
                                 .thought = json_string_value(thought),
                                 .thought_length = json_string_length(thought),
                                 .sample = (int64_t)c->index,
                                 .correct = correct_at(c->line, c->index),
                                 .truncated = truncated || truncated_by(c->line)};
    if (holder != NULL && holder != c->line && correct_at(holder, 0) >= 0) response.correct = correct_at(holder, 0);
    const json_t *sample = json_object_get(c->line, "sample");
    if (c->index == 0 && json_is_integer(sample)) response.sample = json_integer_value(sample);
    c->index++;
    return c->visit(c->context, &response, c->err);
}

/* The assistant's last message of a list, or NULL: none of the list's members is a message. */
static const json_t *last_answer(const json_t *list, bool *messages) {
    const json_t *item, *last = NULL;
    size_t i;
    *messages = false;
    json_array_foreach((json_t *)(uintptr_t)list, i, item) {
        const char *role = json_string_value(json_object_get(item, "role"));
        *messages = *messages || role != NULL;
        if (role != NULL && strcmp(role, "assistant") == 0) last = item;
    }
    return last;
}

static retort_status collect(collector *c, const json_t *value, const json_t *holder, bool truncated, int depth) {
    if (depth > MAX_NESTING) return RETORT_OK;
    if (json_is_string(value)) return found(c, holder, value, truncated);
    if (json_is_array(value)) {
        bool messages;
        const json_t *item, *last = last_answer(value, &messages);
        size_t i;
        if (messages) return last != NULL ? collect(c, last, NULL, truncated, depth + 1) : RETORT_OK;
        json_array_foreach((json_t *)(uintptr_t)value, i, item) RT_TRY(collect(c, item, NULL, truncated, depth + 1));
        return RETORT_OK;
    }
    if (!json_is_object(value)) return RETORT_OK;
    bool cut = truncated || truncated_by(value);
    const json_t *message = json_object_get(value, "message"), *content = json_object_get(value, "content");
    if (json_is_object(message)) return collect(c, message, NULL, cut, depth + 1);
    if (json_is_string(content)) return found(c, value, content, cut);
    /* A reply that is nothing but a thought: cut off in it, or refused. */
    if (json_is_string(json_object_get(value, "reasoning_content"))) return found(c, value, NULL, cut);
    const json_t *inner = first_of(value, TEXT_KEYS);
    return inner != NULL ? collect(c, inner, value, cut, depth + 1) : RETORT_OK;
}

retort_status rt_line_responses(const json_t *line, const rt_line_keys *keys, const char *where, rt_line_visitor visit,
                                void *context, retort_error *err) {
    collector c = {.line = line, .visit = visit, .context = context, .err = err};
    const json_t *body = batch_body(line);
    const json_t *value = keys->text != NULL ? json_object_get(line, keys->text) : first_of(line, TEXT_KEYS);
    if (keys->text == NULL && body != NULL) value = json_object_get(body, "choices");
    if (value != NULL) RT_TRY(collect(&c, value, line, false, 0));
    RT_CHECK(c.index > 0, err, RETORT_ERR_FORMAT, "%s holds no response under %s; name its key with --text-key", where,
             keys->text != NULL ? keys->text : "'text', 'response' or another known key");
    return RETORT_OK;
}
