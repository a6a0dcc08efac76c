#include "analyze/responses.h"

#include <string.h>

#include "core/file.h"

void rt_response_set_free(rt_response_set *set) {
    for (int64_t i = 0; i < set->count; i++) rt_free(set->records[i].text);
    rt_free(set->records);
    rt_free(set->model);
    *set = (rt_response_set){0};
}

typedef struct read_context {
    const char *path;
    const rt_problems *problems;
    rt_response_set *set;
    int64_t capacity;
    char **names; /* ids by first appearance, when there are no problems */
    int64_t names_capacity;
} read_context;

/* Responses come problem by problem, so the last hit is tried first and the search goes on from there. */
static int64_t find_problem(read_context *context, const char *id, retort_error *err, retort_status *st) {
    int64_t total = context->problems != NULL ? context->problems->count : context->set->problems;
    int64_t start = context->set->count > 0 ? context->set->records[context->set->count - 1].problem : 0;
    for (int64_t i = 0; i < total; i++) {
        int64_t at = (start + i) % total;
        const char *name = context->problems != NULL ? context->problems->items[at].id : context->names[at];
        if (strcmp(name, id) == 0) return at;
    }
    if (context->problems != NULL) {
        *st = rt_fail(err, RETORT_ERR_NOT_FOUND, "problem '%s' is not among the problems given", id);
        return -1;
    }
    if (total == context->names_capacity) {
        int64_t capacity = total == 0 ? 64 : total * 2;
        char **names = rt_realloc_array(context->names, (size_t)capacity, sizeof *names);
        if (names == NULL) {
            *st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: problem ids");
            return -1;
        }
        context->names = names;
        context->names_capacity = capacity;
    }
    context->names[total] = rt_strdup(id);
    if (context->names[total] == NULL) {
        *st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: problem ids");
        return -1;
    }
    context->set->problems++;
    return total;
}

static retort_status parse_record(const json_t *object, const char *where, rt_record *record, retort_error *err) {
    const char *text, *word;
    long long number;
    const char *text_key = json_object_get(object, "text") != NULL ? "text" : "response";
    RT_TRY(rt_json_string(object, text_key, where, &text, err));
    record->length = json_string_length(json_object_get(object, text_key));
    if (json_object_get(object, "sample") != NULL) {
        RT_TRY(rt_json_int(object, "sample", where, 0, INT32_MAX, &number, err));
        record->sample = (int32_t)number;
    }
    if (json_object_get(object, "tokens") != NULL) {
        RT_TRY(rt_json_int(object, "tokens", where, 0, INT32_MAX, &number, err));
        record->tokens = number;
    }
    if (json_object_get(object, "answer_tokens") != NULL) {
        RT_TRY(rt_json_int(object, "answer_tokens", where, 0, INT32_MAX, &number, err));
        record->answer_tokens = number;
    }
    record->finish = RT_FINISH_STOP;
    if (json_object_get(object, "finish_reason") != NULL) {
        RT_TRY(rt_json_string(object, "finish_reason", where, &word, err));
        if (strcmp(word, "length") == 0) record->finish = RT_FINISH_LENGTH;
    }
    record->verdict = RT_UNPARSED;
    if (json_object_get(object, "verdict") != NULL) {
        RT_TRY(rt_json_string(object, "verdict", where, &word, err));
        if (strcmp(word, rt_verdict_name(RT_RIGHT)) == 0)
            record->verdict = RT_RIGHT;
        else if (strcmp(word, rt_verdict_name(RT_WRONG)) == 0)
            record->verdict = RT_WRONG;
    }
    record->text = rt_strndup(text, record->length);
    RT_CHECK(record->text != NULL, err, RETORT_ERR_MEMORY, "out of memory: response text");
    return RETORT_OK;
}

static retort_status read_line(void *opaque, json_t *object, size_t line, retort_error *err) {
    read_context *context = opaque;
    rt_response_set *set = context->set;
    char where[600];
    snprintf(where, sizeof where, "'%s' line %zu", context->path, line);
    const char *id, *model;
    RT_TRY(rt_json_string(object, "problem_id", where, &id, err));
    if (set->model == NULL) {
        const char *slash = strrchr(context->path, '/');
        model = slash != NULL ? slash + 1 : context->path;
        if (json_object_get(object, "model") != NULL) RT_TRY(rt_json_string(object, "model", where, &model, err));
        set->model = rt_strdup(model);
        RT_CHECK(set->model != NULL, err, RETORT_ERR_MEMORY, "out of memory: model name");
    }
    if (set->count == context->capacity) {
        int64_t capacity = context->capacity == 0 ? 256 : context->capacity * 2;
        rt_record *records = rt_realloc_array(set->records, (size_t)capacity, sizeof *records);
        RT_CHECK(records != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld responses", (long long)capacity);
        set->records = records;
        context->capacity = capacity;
    }
    retort_status st = RETORT_OK;
    int64_t problem = find_problem(context, id, err, &st);
    if (st != RETORT_OK) return rt_fail_context(err, st, "%s", where);
    rt_record record = {.problem = (int32_t)problem};
    RT_TRY(parse_record(object, where, &record, err));
    set->records[set->count++] = record;
    return RETORT_OK;
}

retort_status rt_responses_read(const char *path, const rt_problems *problems, rt_response_set *out,
                                retort_error *err) {
    *out = (rt_response_set){0};
    if (problems != NULL) out->problems = problems->count;
    read_context context = {.path = path, .problems = problems, .set = out};
    retort_status st = rt_jsonl_read(path, read_line, &context, err);
    if (st == RETORT_OK && out->count == 0) st = rt_fail(err, RETORT_ERR_FORMAT, "'%s' holds no responses", path);
    if (context.names != NULL)
        for (int64_t i = 0; i < out->problems; i++) rt_free(context.names[i]);
    rt_free(context.names);
    if (st != RETORT_OK) rt_response_set_free(out);
    return st;
}
