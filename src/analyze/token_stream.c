#include "analyze/token_stream.h"

#include <errno.h>
#include <omp.h>
#include <string.h>
#include <sys/stat.h>

#include "core/progress.h"
#include "store/scores.h"

enum { BLOCK = 1 << 21, LONGEST_LINE = 1 << 28, BLOCKS_A_THREAD = 2 };

/* Whole lines of a file. */
typedef struct block {
    rt_buffer bytes;
    size_t first_line;
    rt_count_table table;
    retort_status status;
    retort_error error;
} block;

typedef struct stream {
    const rt_token_rules *rules;
    const char *path, *file; /* file: the path's last part */
    FILE *in;
    rt_buffer rest; /* bytes behind the last whole line */
    size_t next_line;
    block *blocks;
    int count, capacity, threads;
    rt_count_table *table;
    const retort_progress *progress;
    double done, total; /* bytes */
    rt_store *scores;   /* a second hand on the store, which must not be asked during a visit */
} stream;

static retort_status count_line(const stream *s, rt_token_counter *counter, const char *text, size_t length,
                                size_t number, rt_count_table *table, retort_error *err) {
    char where[600];
    snprintf(where, sizeof where, "'%s' line %zu", s->path, number);
    json_t *line;
    RT_TRY(rt_json_parse(text, length, where, &line, err));
    retort_status st = json_is_object(line) ? rt_token_count_line(counter, line, s->file, where, table, err)
                                            : rt_fail(err, RETORT_ERR_FORMAT, "%s is not a JSON object", where);
    json_decref(line);
    return st;
}

static retort_status count_block(const stream *s, block *b, retort_error *err) {
    rt_token_counter *counter;
    RT_TRY(rt_token_counter_create(s->rules, &counter, err));
    retort_status st = RETORT_OK;
    size_t number = b->first_line;
    for (size_t at = 0; at < b->bytes.length && st == RETORT_OK; number++) {
        const char *text = b->bytes.data + at, *newline = memchr(text, '\n', b->bytes.length - at);
        size_t length = newline != NULL ? (size_t)(newline - text) : b->bytes.length - at;
        bool blank = strspn(text, " \t\r") >= length;
        if (!blank) st = count_line(s, counter, text, length, number, &b->table, err);
        at += length + 1;
    }
    rt_token_counter_destroy(counter);
    return st;
}

/* Counts the blocks that are there and merges them in order. */
static retort_status flush(stream *s, retort_error *err) {
#pragma omp parallel for schedule(dynamic, 1) num_threads(s->threads)
    for (int i = 0; i < s->count; i++) {
        block *b = &s->blocks[i];
        rt_count_table_init(&b->table, s->rules->lexicon);
        b->status = count_block(s, b, &b->error);
    }
    retort_status st = RETORT_OK;
    for (int i = 0; i < s->count; i++) {
        block *b = &s->blocks[i];
        if (st == RETORT_OK) {
            st = b->status;
            if (st != RETORT_OK && err != NULL) *err = b->error;
        }
        if (st == RETORT_OK) st = rt_count_table_merge(s->table, &b->table, err);
        rt_count_table_free(&b->table);
        s->done += (double)b->bytes.length;
        rt_buffer_clear(&b->bytes);
    }
    s->count = 0;
    rt_progress(s->progress, "tokens", s->done, s->total, "bytes", NULL);
    if (st == RETORT_OK && rt_interrupted()) return rt_fail(err, RETORT_ERR_INTERRUPTED, "interrupted");
    return st;
}

static size_t count_newlines(const char *text, size_t length) {
    size_t lines = 0;
    for (size_t i = 0; i < length; i++) lines += text[i] == '\n';
    return lines;
}

/* Closes the block in work behind its last whole line; what follows is kept for the next one. */
static retort_status close_block(stream *s, size_t whole, retort_error *err) {
    block *b = &s->blocks[s->count];
    RT_TRY(rt_buffer_append(&s->rest, b->bytes.data + whole, b->bytes.length - whole, err));
    b->bytes.length = whole;
    b->bytes.data[whole] = '\0';
    b->first_line = s->next_line;
    s->next_line += count_newlines(b->bytes.data, whole);
    s->count++;
    if (s->count == s->capacity) RT_TRY(flush(s, err));
    block *next = &s->blocks[s->count];
    RT_TRY(rt_buffer_append(&next->bytes, s->rest.data, s->rest.length, err));
    rt_buffer_clear(&s->rest);
    return RETORT_OK;
}

static retort_status read_piece(stream *s, size_t *got, retort_error *err) {
    static const size_t PIECE = 1 << 20;
    block *b = &s->blocks[s->count];
    b->bytes.maximum = (size_t)LONGEST_LINE + BLOCK;
    char *piece = rt_malloc_array(PIECE, 1);
    RT_CHECK(piece != NULL, err, RETORT_ERR_MEMORY, "out of memory: reading '%s'", s->path);
    *got = fread(piece, 1, PIECE, s->in);
    retort_status st = *got > 0 ? rt_buffer_append(&b->bytes, piece, *got, NULL) : RETORT_OK;
    rt_free(piece);
    RT_CHECK(st == RETORT_OK, err, st == RETORT_ERR_MEMORY ? st : RETORT_ERR_FORMAT,
             "'%s' line %zu is longer than %d bytes", s->path, s->next_line, LONGEST_LINE);
    RT_CHECK(ferror(s->in) == 0, err, RETORT_ERR_IO, "cannot read '%s': %s", s->path, strerror(errno));
    return RETORT_OK;
}

static retort_status read_lines(stream *s, retort_error *err) {
    for (size_t got = 1; got > 0;) {
        RT_TRY(read_piece(s, &got, err));
        const rt_buffer *bytes = &s->blocks[s->count].bytes;
        if (bytes->length < BLOCK && got > 0) continue;
        const char *last = got > 0 ? memrchr(bytes->data + (bytes->length - got), '\n', got) : NULL;
        if (last != NULL) RT_TRY(close_block(s, (size_t)(last - bytes->data) + 1, err));
    }
    if (s->blocks[s->count].bytes.length > 0) RT_TRY(close_block(s, s->blocks[s->count].bytes.length, err));
    return flush(s, err);
}

/* The tolerant grader's verdict, else the strict one's, else none. */
static retort_status add_verdict(const stream *s, const char *key, json_t *line, retort_error *err) {
    static const char *const GRADERS[] = {"tolerant", "strict"};
    for (int g = 0; g < 2; g++) {
        rt_stored_score score;
        retort_status st = rt_store_get_score(s->scores, key, GRADERS[g], &score, err);
        if (st == RETORT_OK) json_object_set_new(line, "verdict", json_string(score.verdict));
        if (st != RETORT_ERR_NOT_FOUND) return st;
    }
    return RETORT_OK;
}

/* A run store's replies go the way of all lines. */
static retort_status add_stored(void *context, const rt_stored_response *r, retort_error *err) {
    stream *s = context;
    json_t *line = json_object();
    json_object_set_new(line, "model", json_string(r->model));
    json_object_set_new(line, "problem_id", json_string(r->problem_id));
    json_object_set_new(line, "sample", json_integer(r->sample));
    json_object_set_new(line, "finish_reason", r->finish_reason != NULL ? json_string(r->finish_reason) : json_null());
    json_t *message = json_object();
    json_object_set_new(message, "content", json_string(r->text));
    if (r->reasoning != NULL) json_object_set_new(message, "reasoning_content", json_string(r->reasoning));
    json_object_set_new(line, "output", message);
    rt_buffer *bytes = &s->blocks[s->count].bytes;
    retort_status st = add_verdict(s, r->key, line, err);
    if (st == RETORT_OK) st = rt_json_dump(line, JSON_COMPACT, bytes, err);
    json_decref(line);
    if (st == RETORT_OK) st = rt_buffer_puts(bytes, "\n", err);
    return st == RETORT_OK && bytes->length >= BLOCK ? close_block(s, bytes->length, err) : st;
}

static retort_status read_store(stream *s, retort_error *err) {
    rt_store *store;
    RT_TRY(rt_store_open(s->path, &store, err));
    retort_status st = rt_store_open(s->path, &s->scores, err);
    if (st == RETORT_OK) st = rt_store_each(store, add_stored, s, err);
    rt_store_close(s->scores);
    rt_store_close(store);
    if (st == RETORT_OK && s->blocks[s->count].bytes.length > 0)
        st = close_block(s, s->blocks[s->count].bytes.length, err);
    return st == RETORT_OK ? flush(s, err) : st;
}

static retort_status run(stream *s, retort_error *err) {
    static const char MAGIC[] = "SQLite format 3";
    char head[sizeof MAGIC] = {0};
    struct stat status;
    RT_CHECK(fstat(fileno(s->in), &status) == 0 && !S_ISDIR(status.st_mode), err, RETORT_ERR_USAGE,
             "'%s' is a folder; name files of responses", s->path);
    s->total = S_ISREG(status.st_mode) ? (double)status.st_size : 0;
    if (S_ISREG(status.st_mode) && fread(head, 1, sizeof head, s->in) == sizeof head &&
        memcmp(head, MAGIC, sizeof MAGIC) == 0)
        return read_store(s, err);
    if (S_ISREG(status.st_mode)) rewind(s->in);
    return read_lines(s, err);
}

retort_status rt_token_stream(const rt_token_rules *rules, const char *path, int64_t threads,
                              const retort_progress *progress, rt_count_table *table, retort_error *err) {
    const char *slash = strrchr(path, '/');
    stream s = {.rules = rules,
                .path = path,
                .file = slash != NULL ? slash + 1 : path,
                .next_line = 1,
                .table = table,
                .progress = progress};
    s.threads = threads > 0 ? (int)threads : omp_get_max_threads();
    s.capacity = s.threads * BLOCKS_A_THREAD;
    s.in = fopen(path, "rb");
    RT_CHECK(s.in != NULL, err, errno == ENOENT ? RETORT_ERR_NOT_FOUND : RETORT_ERR_IO, "cannot open '%s': %s", path,
             strerror(errno));
    s.blocks = rt_calloc((size_t)s.capacity + 1, sizeof *s.blocks);
    retort_status st = s.blocks != NULL ? run(&s, err) : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: '%s'", path);
    for (int i = 0; s.blocks != NULL && i < s.capacity; i++) rt_buffer_free(&s.blocks[i].bytes);
    rt_free(s.blocks);
    rt_buffer_free(&s.rest);
    fclose(s.in);
    return st;
}
