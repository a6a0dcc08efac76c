#include "train/dataset.h"

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
    rt_examples *examples;
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
    span item = {.begin = r->examples->ids.count, .line = line};
    retort_status st = rt_example_make(&r->settings->example, object, r->examples, err);
    if (st != RETORT_OK) return rt_fail_context(err, st, "'%s' line %zu", r->path, line);
    item.count = r->examples->ids.count - item.begin;
    const uint8_t *marks = r->examples->supervised + item.begin;
    for (item.prompt = 1; marks[item.prompt] == 0;) item.prompt++; /* the last one is marked */
    return push_span(r, &item, err);
}

static retort_status out_of_memory(const char *path, retort_error *err) {
    return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: examples of '%s'", path);
}

static retort_status measure(rt_dataset *dataset, const char *path, int64_t limit, retort_error *err) {
    int64_t *length = rt_malloc_array((size_t)dataset->count, sizeof *length);
    if (length == NULL) return out_of_memory(path, err);
    for (int64_t i = 0; i < dataset->count; i++) length[i] = dataset->items[i].count;
    dataset->lengths = rt_lengths_of(length, dataset->count, limit);
    rt_free(length);
    return RETORT_OK;
}

static retort_status lay_out(const reader *r, rt_dataset *dataset, retort_error *err) {
    RT_CHECK(r->count > 0, err, RETORT_ERR_FORMAT, "'%s' holds no example", r->path);
    dataset->items = rt_malloc_array((size_t)r->count, sizeof *dataset->items);
    dataset->lines = rt_malloc_array((size_t)r->count, sizeof *dataset->lines);
    if (dataset->items == NULL || dataset->lines == NULL) return out_of_memory(r->path, err);
    dataset->count = r->count;
    for (int64_t i = 0; i < r->count; i++) {
        const span *item = &r->spans[i];
        dataset->items[i] = (rt_sequence){.ids = dataset->examples.ids.data + item->begin,
                                          .count = item->count,
                                          .prompt = item->prompt,
                                          .supervised = dataset->examples.supervised + item->begin};
        dataset->lines[i] = item->line;
        int64_t rows = rt_sequence_rows(&dataset->items[i]);
        if (rows > dataset->longest) dataset->longest = rows;
    }
    return measure(dataset, r->path, r->settings->max_length, err);
}

/* What a chat template makes of a file may change with the template and with the day (strftime_now), so that its tokens
 * count too. */
static retort_status hash(const char *path, const rt_dataset_settings *settings, rt_dataset *dataset,
                          retort_error *err) {
    RT_TRY(rt_sha256_file(path, dataset->hash, err));
    if (settings->example.prompting->chat == NULL) return RETORT_OK;
    return rt_prompting_hash(dataset->examples.ids.data, dataset->examples.ids.count, dataset->hash, err);
}

retort_status rt_dataset_load(const char *path, const rt_dataset_settings *settings, rt_dataset *out,
                              retort_error *err) {
    *out = (rt_dataset){0};
    reader r = {.path = path, .settings = settings, .examples = &out->examples};
    retort_status st = rt_jsonl_read(path, add_example, &r, err);
    if (st == RETORT_OK) st = lay_out(&r, out, err);
    if (st == RETORT_OK) st = hash(path, settings, out, err);
    rt_free(r.spans);
    if (st != RETORT_OK) rt_dataset_free(out);
    return st;
}

/* ---- the limit ---- */

static retort_status too_long(const rt_dataset *dataset, const char *path, int64_t first, retort_error *err) {
    const rt_lengths *l = &dataset->lengths;
    rt_buffer text = {0};
    retort_status st = rt_lengths_text(l, &text, err);
    if (st == RETORT_OK) {
        st = rt_fail(err, RETORT_ERR_FORMAT,
                     "%lld of %lld examples of '%s' are longer than max_length %lld, the first at line %zu with %lld "
                     "tokens, the longest with %lld: raise max_length, or pass --max-length N --truncate to cut them",
                     (long long)l->longer, (long long)l->count, path, (long long)l->limit, dataset->lines[first],
                     (long long)dataset->items[first].count, (long long)l->longest);
        rt_fail_detail(err, text.data);
    }
    rt_buffer_free(&text);
    return st;
}

retort_status rt_dataset_limit(rt_dataset *dataset, const char *path, const rt_dataset_settings *settings,
                               retort_error *err) {
    int64_t limit = settings->max_length, longest = 0;
    for (int64_t i = 0; i < dataset->count; i++) {
        rt_sequence *item = &dataset->items[i];
        RT_CHECK(item->prompt < limit, err, RETORT_ERR_FORMAT,
                 "'%s' line %zu: the prompt alone has %lld tokens, the longest example may have %lld", path,
                 dataset->lines[i], (long long)item->prompt, (long long)limit);
        if (item->count > limit && !settings->truncate) return too_long(dataset, path, i, err);
        dataset->truncated += item->count > limit;
        if (item->count > limit) item->count = limit;
        if (rt_sequence_rows(item) > longest) longest = rt_sequence_rows(item);
    }
    dataset->longest = longest;
    return RETORT_OK;
}

retort_status rt_dataset_read(const char *path, const rt_dataset_settings *settings, rt_dataset *out,
                              retort_error *err) {
    RT_TRY(rt_dataset_load(path, settings, out, err));
    retort_status st = rt_dataset_limit(out, path, settings, err);
    if (st != RETORT_OK) rt_dataset_free(out);
    return st;
}

void rt_dataset_free(rt_dataset *dataset) {
    rt_free(dataset->items);
    rt_free(dataset->lines);
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
