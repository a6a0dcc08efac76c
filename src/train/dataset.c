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

static retort_status add_example(void *context, json_t *object, size_t line, retort_error *err) {
    reader *r = context;
    if (r->settings->max_examples > 0 && r->count >= r->settings->max_examples) return RETORT_OK;
    rt_examples *examples = &r->dataset->examples;
    span item = {.begin = examples->ids.count, .line = line};
    retort_status st = rt_example_make(&r->settings->example, object, examples, err);
    if (st != RETORT_OK) return rt_fail_context(err, st, "'%s' line %zu", r->path, line);
    item.count = examples->ids.count - item.begin;
    const uint8_t *marks = examples->supervised + item.begin;
    for (item.prompt = 1; marks[item.prompt] == 0;) item.prompt++; /* the last one is marked */
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
        dataset->items[i] = (rt_sequence){.ids = dataset->examples.ids.data + item->begin,
                                          .count = item->count,
                                          .prompt = item->prompt,
                                          .supervised = dataset->examples.supervised + item->begin};
        int64_t rows = rt_sequence_rows(&dataset->items[i]);
        if (rows > dataset->longest) dataset->longest = rows;
    }
    return RETORT_OK;
}

/* What a chat template makes of a file may change with the template and with the day (strftime_now), so that its tokens
 * count too. */
static retort_status hash(const char *path, const rt_dataset_settings *settings, rt_dataset *dataset,
                          retort_error *err) {
    RT_TRY(rt_sha256_file(path, dataset->hash, err));
    if (settings->example.prompting->chat == NULL) return RETORT_OK;
    return rt_prompting_hash(dataset->examples.ids.data, dataset->examples.ids.count, dataset->hash, err);
}

retort_status rt_dataset_read(const char *path, const rt_dataset_settings *settings, rt_dataset *out,
                              retort_error *err) {
    *out = (rt_dataset){0};
    reader r = {.path = path, .settings = settings, .dataset = out};
    retort_status st = rt_jsonl_read(path, add_example, &r, err);
    if (st == RETORT_OK) st = finish(&r, err);
    if (st == RETORT_OK) st = hash(path, settings, out, err);
    rt_free(r.spans);
    if (st != RETORT_OK) rt_dataset_free(out);
    return st;
}

void rt_dataset_free(rt_dataset *dataset) {
    rt_free(dataset->items);
    rt_examples_free(&dataset->examples);
    *dataset = (rt_dataset){0};
}

retort_status rt_check_vocabulary(const rt_tokenizer *tokenizer, const rt_config *config, const char *dir,
                                  retort_error *err) {
    RT_CHECK(rt_tokenizer_vocab_size(tokenizer) <= config->vocab_size, err, RETORT_ERR_FORMAT,
             "tokenizer of '%s' has %lld tokens, its model has embeddings for %lld", dir,
             (long long)rt_tokenizer_vocab_size(tokenizer), (long long)config->vocab_size);
    return RETORT_OK;
}
