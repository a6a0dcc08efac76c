#include "train/dataset.h"

#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/json.h"

/* Where an example lies in the id list, which still moves while it grows. */
typedef struct span {
    int64_t begin, count, prompt;
    size_t line;
} span;

typedef struct reader {
    const char *path;
    const rt_tokenizer *tokenizer;
    const rt_dataset_settings *settings;
    rt_dataset *dataset;
    span *spans;
    int64_t count, capacity;
} reader;

static retort_status push_span(reader *r, const span *item, retort_error *err) {
    if (r->count == r->capacity) {
        int64_t capacity = r->capacity == 0 ? 256 : 2 * r->capacity;
        span *spans = rt_realloc_array(r->spans, (size_t)capacity, sizeof *spans);
        RT_CHECK(spans != NULL, err, RETORT_ERR_MEMORY, "out of memory: examples of '%s'", r->path);
        r->spans = spans;
        r->capacity = capacity;
    }
    r->spans[r->count++] = *item;
    return RETORT_OK;
}

/* ---- the three forms ---- */

typedef struct texts {
    const char *prompt, *completion;
    bool
        render; /* prompt is a problem that the template goes round; else prompt and completion are taken as they are */
} texts;

static const char *text_of(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

static retort_status from_messages(const reader *r, const json_t *messages, size_t line, texts *out,
                                   retort_error *err) {
    const json_t *user = json_array_get(messages, 0), *assistant = json_array_get(messages, 1);
    const char *first = text_of(user, "role"), *second = text_of(assistant, "role");
    bool turns = json_array_size(messages) == 2 && first != NULL && second != NULL && strcmp(first, "user") == 0 &&
                 strcmp(second, "assistant") == 0;
    RT_CHECK(turns, err, RETORT_ERR_UNSUPPORTED,
             "'%s' line %zu: 'messages' must be one turn of 'user' and one of 'assistant'", r->path, line);
    *out = (texts){text_of(user, "content"), text_of(assistant, "content"), true};
    RT_CHECK(out->prompt != NULL && out->completion != NULL, err, RETORT_ERR_FORMAT,
             "'%s' line %zu: each message needs a string 'content'", r->path, line);
    return RETORT_OK;
}

static retort_status find_texts(const reader *r, const json_t *object, size_t line, texts *out, retort_error *err) {
    const json_t *messages = json_object_get(object, "messages");
    if (messages != NULL) return from_messages(r, messages, line, out, err);
    bool pair = json_object_get(object, "completion") != NULL;
    const char *prompt_key = pair ? "prompt" : "problem", *completion_key = pair ? "completion" : "response";
    *out = (texts){text_of(object, prompt_key), text_of(object, completion_key), !pair};
    RT_CHECK(out->prompt != NULL && out->completion != NULL, err, RETORT_ERR_FORMAT,
             "'%s' line %zu needs the strings 'prompt' and 'completion', or 'problem' and 'response', or 'messages'",
             r->path, line);
    return RETORT_OK;
}

/* ---- tokens ---- */

static retort_status encode_prompt(const reader *r, const texts *t, rt_ids *ids, retort_error *err) {
    if (!t->render) return rt_tokenizer_encode(r->tokenizer, t->prompt, strlen(t->prompt), true, ids, err);
    rt_buffer text = {0};
    retort_status st = rt_tokenizer_render_problem(r->tokenizer, t->prompt, &text, err);
    if (st == RETORT_OK) st = rt_tokenizer_encode(r->tokenizer, text.data, text.length, true, ids, err);
    rt_buffer_free(&text);
    return st;
}

static retort_status add_example(void *context, json_t *object, size_t line, retort_error *err) {
    reader *r = context;
    if (r->settings->max_examples > 0 && r->count >= r->settings->max_examples) return RETORT_OK;
    texts t = {"", "", false};
    RT_TRY(find_texts(r, object, line, &t, err));
    RT_CHECK(t.completion[0] != '\0', err, RETORT_ERR_FORMAT, "'%s' line %zu has an empty completion", r->path, line);
    rt_ids *ids = &r->dataset->ids;
    span item = {.begin = ids->count, .line = line};
    RT_TRY(encode_prompt(r, &t, ids, err));
    item.prompt = ids->count - item.begin;
    RT_CHECK(item.prompt > 0, err, RETORT_ERR_FORMAT, "'%s' line %zu has an empty prompt", r->path, line);
    RT_TRY(rt_tokenizer_encode(r->tokenizer, t.completion, strlen(t.completion), !t.render, ids, err));
    int32_t eos = rt_tokenizer_eos(r->tokenizer);
    if (ids->data[ids->count - 1] != eos) RT_TRY(rt_ids_push(ids, eos, err));
    item.count = ids->count - item.begin;
    return push_span(r, &item, err);
}

/* ---- lengths ---- */

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The distribution tells which max_length would do, so that the next try is the last. */
static retort_status too_long(const reader *r, int64_t number, const span *first, retort_error *err) {
    int64_t n = r->count, *lengths = rt_malloc_array((size_t)n, sizeof *lengths);
    RT_CHECK(lengths != NULL, err, RETORT_ERR_MEMORY, "out of memory: lengths of '%s'", r->path);
    for (int64_t i = 0; i < n; i++) lengths[i] = r->spans[i].count;
    qsort(lengths, (size_t)n, sizeof *lengths, by_value);
    retort_status st = rt_fail(
        err, RETORT_ERR_FORMAT,
        "%lld of %lld examples of '%s' are longer than max_length %lld, the first at line %zu with %lld tokens "
        "(lengths: "
        "median %lld, 90 %% up to %lld, 99 %% up to %lld, longest %lld): raise max_length, or pass --truncate to cut "
        "them",
        (long long)number, (long long)n, r->path, (long long)r->settings->max_length, first->line,
        (long long)first->count, (long long)lengths[n / 2], (long long)lengths[n * 9 / 10],
        (long long)lengths[n * 99 / 100], (long long)lengths[n - 1]);
    rt_free(lengths);
    return st;
}

static retort_status check_lengths(reader *r, retort_error *err) {
    int64_t limit = r->settings->max_length, number = 0;
    const span *first = NULL;
    for (int64_t i = 0; i < r->count; i++) {
        span *item = &r->spans[i];
        RT_CHECK(item->prompt < limit, err, RETORT_ERR_FORMAT,
                 "'%s' line %zu: the prompt alone has %lld tokens, the longest example may have %lld", r->path,
                 item->line, (long long)item->prompt, (long long)limit);
        if (item->count <= limit) continue;
        if (number++ == 0) first = item;
        if (r->settings->truncate) item->count = limit;
    }
    if (number > 0 && !r->settings->truncate) return too_long(r, number, first, err);
    r->dataset->truncated = number;
    return RETORT_OK;
}

static retort_status finish(reader *r, retort_error *err) {
    rt_dataset *dataset = r->dataset;
    RT_CHECK(r->count > 0, err, RETORT_ERR_FORMAT, "'%s' holds no example", r->path);
    RT_TRY(check_lengths(r, err));
    dataset->items = rt_malloc_array((size_t)r->count, sizeof *dataset->items);
    RT_CHECK(dataset->items != NULL, err, RETORT_ERR_MEMORY, "out of memory: examples of '%s'", r->path);
    dataset->count = r->count;
    for (int64_t i = 0; i < r->count; i++) {
        const span *item = &r->spans[i];
        dataset->items[i] = (rt_sequence){dataset->ids.data + item->begin, item->count, item->prompt};
        int64_t rows = rt_sequence_rows(&dataset->items[i]);
        if (rows > dataset->longest) dataset->longest = rows;
    }
    return RETORT_OK;
}

retort_status rt_dataset_read(const char *path, const rt_tokenizer *tokenizer, const rt_dataset_settings *settings,
                              rt_dataset *out, retort_error *err) {
    *out = (rt_dataset){0};
    RT_CHECK(rt_tokenizer_eos(tokenizer) >= 0, err, RETORT_ERR_FORMAT,
             "the tokenizer names no end token, which every example must end with");
    reader r = {.path = path, .tokenizer = tokenizer, .settings = settings, .dataset = out};
    retort_status st = rt_jsonl_read(path, add_example, &r, err);
    if (st == RETORT_OK) st = finish(&r, err);
    if (st == RETORT_OK) st = rt_sha256_file(path, out->hash, err);
    rt_free(r.spans);
    if (st != RETORT_OK) rt_dataset_free(out);
    return st;
}

void rt_dataset_free(rt_dataset *dataset) {
    rt_free(dataset->items);
    rt_ids_free(&dataset->ids);
    *dataset = (rt_dataset){0};
}

retort_status rt_check_vocabulary(const rt_tokenizer *tokenizer, const rt_config *config, const char *dir,
                                  retort_error *err) {
    RT_CHECK(rt_tokenizer_vocab_size(tokenizer) <= config->vocab_size, err, RETORT_ERR_FORMAT,
             "tokenizer of '%s' has %lld tokens, its model has embeddings for %lld", dir,
             (long long)rt_tokenizer_vocab_size(tokenizer), (long long)config->vocab_size);
    return RETORT_OK;
}
