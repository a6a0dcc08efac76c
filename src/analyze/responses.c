#include "analyze/responses.h"

#include <string.h>

#include "core/file.h"

const char *rt_grader_name(rt_grader grader) {
    return grader == RT_GRADER_STRICT ? "strict" : "tolerant";
}

void rt_response_set_free(rt_response_set *set) {
    for (int64_t i = 0; i < set->count; i++) {
        rt_free(set->records[i].text);
        rt_free(set->records[i].reason);
    }
    for (int64_t i = 0; set->names != NULL && i < set->problems; i++) rt_free(set->names[i]);
    rt_free(set->names);
    rt_free(set->records);
    rt_free(set->model);
    *set = (rt_response_set){0};
}

typedef struct read_context {
    const char *path;
    const rt_problems *problems;
    rt_response_set *set;
    int64_t capacity;
    int64_t names_capacity;
} read_context;

/* Responses come problem by problem, so the last hit is tried first and the search goes on from there. */
static int64_t find_problem(read_context *context, const char *id, retort_error *err, retort_status *st) {
    int64_t total = context->problems != NULL ? context->problems->count : context->set->problems;
    int64_t start = context->set->count > 0 ? context->set->records[context->set->count - 1].problem : 0;
    for (int64_t i = 0; i < total; i++) {
        int64_t at = (start + i) % total;
        const char *name = context->problems != NULL ? context->problems->items[at].id : context->set->names[at];
        if (strcmp(name, id) == 0) return at;
    }
    if (context->problems != NULL) {
        *st = rt_fail(err, RETORT_ERR_NOT_FOUND, "problem '%s' is not among the problems given", id);
        return -1;
    }
    if (total == context->names_capacity) {
        int64_t capacity = total == 0 ? 64 : total * 2;
        char **names = rt_realloc_array(context->set->names, (size_t)capacity, sizeof *names);
        if (names == NULL) {
            *st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: problem ids");
            return -1;
        }
        context->set->names = names;
        context->names_capacity = capacity;
    }
    context->set->names[total] = rt_strdup(id);
    if (context->set->names[total] == NULL) {
        *st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: problem ids");
        return -1;
    }
    context->set->problems++;
    return total;
}

/* A verdict under `key`, if there is one. */
static retort_status parse_verdict(const json_t *object, const char *key, const char *where, rt_verdict *out,
                                   bool *found, retort_error *err) {
    const char *word;
    *found = json_object_get(object, key) != NULL;
    if (!*found) return RETORT_OK;
    RT_TRY(rt_json_string(object, key, where, &word, err));
    RT_CHECK(rt_verdict_parse(word, out), err, RETORT_ERR_FORMAT,
             "%s: '%s' is '%.40s', must be right, wrong, unparsed or over-budget", where, key, word);
    return RETORT_OK;
}

/* Files of other tools have at most a boolean `correct`. */
static retort_status parse_verdicts(const json_t *object, const char *where, rt_record *record, retort_error *err) {
    bool found;
    record->verdict = RT_UNPARSED;
    RT_TRY(parse_verdict(object, "verdict", where, &record->verdict, &record->graded, err));
    const json_t *correct = json_object_get(object, "correct");
    if (!record->graded && json_is_boolean(correct)) {
        record->verdict = json_is_true(correct) ? RT_RIGHT : RT_WRONG;
        record->graded = true;
    }
    for (int g = 0; g < RT_GRADERS; g++) {
        record->by[g] = record->verdict;
        RT_TRY(parse_verdict(object, rt_grader_name((rt_grader)g), where, &record->by[g], &found, err));
    }
    return RETORT_OK;
}

retort_status rt_record_parse(const json_t *object, const char *where, rt_record *record, retort_error *err) {
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
    } else if (json_is_true(json_object_get(object, "truncated"))) {
        record->finish = RT_FINISH_LENGTH;
    }
    RT_TRY(parse_verdicts(object, where, record, err));
    record->text = rt_strndup(text, record->length);
    RT_CHECK(record->text != NULL, err, RETORT_ERR_MEMORY, "out of memory: response text");
    return RETORT_OK;
}

retort_status rt_response_problem(const json_t *object, const char *where, char number[32], const char **out,
                                  retort_error *err) {
    const json_t *id = json_object_get(object, "problem_id");
    if (!json_is_integer(id)) return rt_json_string(object, "problem_id", where, out, err);
    snprintf(number, 32, "%lld", (long long)json_integer_value(id));
    *out = number;
    return RETORT_OK;
}

static retort_status read_line(void *opaque, json_t *object, size_t line, retort_error *err) {
    read_context *context = opaque;
    rt_response_set *set = context->set;
    char where[600];
    snprintf(where, sizeof where, "'%s' line %zu", context->path, line);
    const char *id, *model;
    char number[32];
    RT_TRY(rt_response_problem(object, where, number, &id, err));
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
    RT_TRY(rt_record_parse(object, where, &record, err));
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
    if (st != RETORT_OK) rt_response_set_free(out);
    return st;
}
