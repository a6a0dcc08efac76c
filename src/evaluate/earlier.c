#include "evaluate/earlier.h"

#include <string.h>

#include "analyze/responses.h"

typedef struct reader {
    const rt_problems *problems;
    rt_earlier *out;
    int64_t problem; /* of the last line: files are in order */
} reader;

static retort_status find_problem(reader *r, const char *id, const char *where, retort_error *err) {
    for (int64_t i = 0; i < r->problems->count; i++) {
        const int64_t at = (r->problem + i) % r->problems->count;
        if (strcmp(r->problems->items[at].id, id) != 0) continue;
        r->problem = at;
        return RETORT_OK;
    }
    return rt_fail(err, RETORT_ERR_NOT_FOUND, "%s: problem '%s' is not among the problems given", where, id);
}

static retort_status read_ids(const json_t *line, const char *where, rt_earlier_response *one, retort_error *err) {
    const json_t *ids = json_object_get(line, "token_ids");
    if (ids == NULL) return RETORT_OK;
    RT_CHECK(json_is_array(ids) && (int64_t)json_array_size(ids) == one->tokens, err, RETORT_ERR_FORMAT,
             "%s: 'token_ids' is not a list of the %lld tokens that 'tokens' tells of", where, (long long)one->tokens);
    one->ids = rt_malloc_array((size_t)one->tokens + 1, sizeof *one->ids);
    RT_CHECK(one->ids != NULL, err, RETORT_ERR_MEMORY, "out of memory: token ids");
    for (int64_t i = 0; i < one->tokens; i++) {
        const json_t *id = json_array_get(ids, (size_t)i);
        const json_int_t value = json_integer_value(id);
        RT_CHECK(json_is_integer(id) && value >= 0 && value <= INT32_MAX, err, RETORT_ERR_FORMAT,
                 "%s: 'token_ids' holds what is no token id", where);
        one->ids[i] = (int32_t)value;
    }
    return RETORT_OK;
}

static retort_status fill(rt_earlier_response *one, json_t *line, const char *where, retort_error *err) {
    long long tokens = 0; /* of an endpoint that did not tell */
    RT_TRY(rt_json_string(line, "text", where, &one->text, err));
    if (json_object_get(line, "tokens") != NULL) RT_TRY(rt_json_int(line, "tokens", where, 0, INT32_MAX, &tokens, err));
    const char *finish;
    RT_TRY(rt_json_string(line, "finish_reason", where, &finish, err));
    one->line = json_incref(line);
    one->length = json_string_length(json_object_get(line, "text"));
    one->tokens = tokens;
    one->cut = strcmp(finish, "length") == 0;
    return one->cut ? read_ids(line, where, one, err) : RETORT_OK;
}

static retort_status take_line(void *context, json_t *line, size_t number, retort_error *err) {
    reader *r = context;
    char where[300], integer[32];
    const char *id;
    long long sample;
    snprintf(where, sizeof where, "'%.200s' line %zu", r->out->path, number);
    RT_TRY(rt_response_problem(line, where, integer, &id, err));
    RT_TRY(find_problem(r, id, where, err));
    RT_TRY(rt_json_int(line, "sample", where, 0, r->out->n - 1, &sample, err));
    rt_earlier_response *one = &r->out->items[r->problem * r->out->n + sample];
    RT_CHECK(one->line == NULL, err, RETORT_ERR_FORMAT, "%s: problem '%s', sample %lld stands there twice", where, id,
             sample);
    RT_TRY(fill(one, line, where, err));
    if (one->cut && one->tokens > r->out->longest) r->out->longest = one->tokens;
    return RETORT_OK;
}

retort_status rt_earlier_read(const char *path, const rt_problems *problems, int64_t n, rt_earlier *out,
                              retort_error *err) {
    *out = (rt_earlier){.path = rt_strdup(path), .count = problems->count * n, .n = n};
    out->items = rt_calloc((size_t)out->count + 1, sizeof *out->items);
    reader r = {.problems = problems, .out = out};
    retort_status st = out->path != NULL && out->items != NULL
                           ? RETORT_OK
                           : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: %lld responses", (long long)out->count);
    if (st == RETORT_OK) st = rt_jsonl_read(path, take_line, &r, err);
    for (int64_t i = 0; i < out->count && st == RETORT_OK; i++) {
        if (out->items[i].line != NULL) continue;
        st = rt_fail(err, RETORT_ERR_NOT_FOUND, "'%s' has no response of problem '%s', sample %lld", path,
                     problems->items[i / n].id, (long long)(i % n));
    }
    if (st != RETORT_OK) rt_earlier_free(out);
    return st;
}

void rt_earlier_free(rt_earlier *earlier) {
    for (int64_t i = 0; earlier->items != NULL && i < earlier->count; i++) {
        json_decref(earlier->items[i].line);
        rt_free(earlier->items[i].ids);
    }
    rt_free(earlier->items);
    rt_free(earlier->path);
    *earlier = (rt_earlier){0};
}
