#include "report/judgements.h"

#include <string.h>

#include "text/bytes.h"

/* Room for one more entry, the capacity doubled where it is used up; *block keeps its content on failure. */
static retort_status reserve(void **block, int64_t used, int64_t *capacity, size_t size, retort_error *err) {
    if (used < *capacity) return RETORT_OK;
    int64_t wanted = *capacity == 0 ? 64 : 2 * *capacity;
    void *grown = rt_realloc_array(*block, (size_t)wanted, size);
    RT_CHECK(grown != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld judgements", (long long)wanted);
    *block = grown;
    *capacity = wanted;
    return RETORT_OK;
}

retort_status rt_behavior_column_add(rt_judgements *judgements, int32_t judge, const char *behavior, int32_t *out,
                                     retort_error *err) {
    rt_behavior_column column = {.judge = judge};
    RT_TRY(rt_strings_add(&judgements->behaviors, behavior, strlen(behavior), &column.behavior, err));
    int32_t before = judgements->columns.count;
    int64_t capacity = judgements->columns_capacity;
    void *block = judgements->column;
    RT_TRY(reserve(&block, before, &capacity, sizeof column, err));
    judgements->column = block;
    judgements->columns_capacity = (int32_t)capacity;
    RT_TRY(rt_strings_add(&judgements->columns, (const char *)&column, sizeof column, out, err));
    if (*out == before) judgements->column[before] = column;
    return RETORT_OK;
}

static retort_status response_key(const char *model, const char *problem, int32_t sample, rt_buffer *key,
                                  retort_error *err) {
    RT_TRY(rt_buffer_append(key, (const char *)&sample, sizeof sample, err));
    RT_TRY(rt_buffer_append(key, model, strlen(model) + 1, err));
    return rt_buffer_puts(key, problem, err);
}

static retort_status find_response(rt_judgements *judgements, const char *model, const char *problem, int32_t sample,
                                   int32_t *out, retort_error *err) {
    int32_t before = judgements->responses.count;
    if (before == judgements->responses_capacity) {
        int32_t wanted = before == 0 ? 64 : 2 * before;
        int32_t *first = rt_realloc_array(judgements->first, (size_t)wanted, sizeof *first);
        if (first != NULL) judgements->first = first;
        bool *found = rt_realloc_array(judgements->found, (size_t)wanted, sizeof *found);
        if (found != NULL) judgements->found = found;
        RT_CHECK(first != NULL && found != NULL, err, RETORT_ERR_MEMORY, "out of memory: judgements");
        judgements->responses_capacity = wanted;
    }
    rt_buffer key = {0};
    retort_status st = response_key(model, problem, sample, &key, err);
    if (st == RETORT_OK) st = rt_strings_add(&judgements->responses, key.data, key.length, out, err);
    rt_buffer_free(&key);
    if (st == RETORT_OK && *out == before) {
        judgements->first[before] = -1;
        judgements->found[before] = false;
    }
    return st;
}

int32_t rt_judgements_find(rt_judgements *judgements, const char *model, const char *problem, int32_t sample) {
    rt_buffer key = {0};
    int32_t number = -1;
    if (response_key(model, problem, sample, &key, NULL) == RETORT_OK)
        number = rt_strings_find(&judgements->responses, key.data, key.length);
    rt_buffer_free(&key);
    if (number < 0) return -1;
    judgements->found[number] = true;
    return judgements->first[number];
}

static retort_status add_span(rt_judgements *judgements, int32_t column, const json_t *object, const char *where,
                              retort_error *err) {
    rt_judged_span span = {.column = column};
    long long begin, end;
    RT_CHECK(json_is_object(object), err, RETORT_ERR_FORMAT, "%s: a span must be {\"start\", \"end\", \"quote\"}",
             where);
    RT_TRY(rt_json_int(object, "start", where, 0, INT32_MAX, &begin, err));
    RT_TRY(rt_json_int(object, "end", where, begin, INT32_MAX, &end, err));
    span.begin = (size_t)begin;
    span.end = (size_t)end;
    const json_t *quote = json_object_get(object, "quote");
    if (quote != NULL) {
        RT_CHECK(json_is_string(quote), err, RETORT_ERR_FORMAT, "%s: a span's 'quote' must be a string", where);
        span.quoted = true;
        span.quote = rt_bytes_hash(json_string_value(quote), json_string_length(quote));
    }
    void *block = judgements->spans;
    RT_TRY(reserve(&block, judgements->num_spans, &judgements->spans_capacity, sizeof span, err));
    judgements->spans = block;
    judgements->spans[judgements->num_spans++] = span;
    return RETORT_OK;
}

static retort_status add_behaviors(rt_judgements *judgements, int32_t judge, const json_t *behaviors, const char *where,
                                   retort_error *err) {
    const char *name;
    json_t *spans;
    json_object_foreach((json_t *)(uintptr_t)behaviors, name, spans) {
        RT_CHECK(json_is_array(spans), err, RETORT_ERR_FORMAT, "%s: behaviour '%.60s' must be a list of spans", where,
                 name);
        int32_t column;
        RT_TRY(rt_behavior_column_add(judgements, judge, name, &column, err));
        for (size_t i = 0; i < json_array_size(spans); i++)
            RT_TRY(add_span(judgements, column, json_array_get(spans, i), where, err));
    }
    return RETORT_OK;
}

static retort_status parse_status(const json_t *object, const char *where, rt_judgement_status *out,
                                  retort_error *err) {
    static const char *const NAMES[] = {"ok", "unparsed", "refused"};
    const char *word;
    RT_TRY(rt_json_string(object, "status", where, &word, err));
    for (int i = 0; i < 3; i++) {
        if (strcmp(word, NAMES[i]) != 0) continue;
        *out = (rt_judgement_status)i;
        return RETORT_OK;
    }
    return rt_fail(err, RETORT_ERR_FORMAT, "%s: 'status' is '%.40s', must be ok, unparsed or refused", where, word);
}

/* Puts a judgement behind the others of its response, so that they stand in the order of the file. */
static retort_status link_judgement(rt_judgements *judgements, int32_t response, const char *where, retort_error *err) {
    rt_judgement *last = NULL, *added = &judgements->items[judgements->count];
    for (int32_t i = judgements->first[response]; i >= 0; i = last->next) {
        last = &judgements->items[i];
        RT_CHECK(last->judge != added->judge || last->vote != added->vote, err, RETORT_ERR_FORMAT,
                 "%s: this response has an earlier line of the same judge and vote", where);
    }
    if (last == NULL)
        judgements->first[response] = judgements->count;
    else
        last->next = judgements->count;
    judgements->count++;
    return RETORT_OK;
}

/* A judge with other instructions is another judge. */
static retort_status add_judge(rt_judgements *judgements, const char *judge, const json_t *object, int32_t *out,
                               retort_error *err) {
    const char *version = json_string_value(json_object_get(object, "prompt_version"));
    rt_buffer name = {0};
    retort_status st = rt_buffer_puts(&name, judge, err);
    if (st == RETORT_OK && version != NULL && version[0] != '\0') st = rt_buffer_printf(&name, err, " (%s)", version);
    if (st == RETORT_OK) st = rt_strings_add(&judgements->judges, name.data, name.length, out, err);
    rt_buffer_free(&name);
    return st;
}

retort_status rt_judgement_add(rt_judgements *judgements, const json_t *object, const char *where, retort_error *err) {
    const char *model, *judge, *problem;
    char number[32];
    long long sample = 0, vote = 0;
    rt_judgement added = {.next = -1, .first_span = judgements->num_spans};
    RT_TRY(rt_json_string(object, "model", where, &model, err));
    RT_TRY(rt_json_string(object, "judge", where, &judge, err));
    if (json_is_integer(json_object_get(object, "problem_id"))) {
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(json_object_get(object, "problem_id")));
        problem = number;
    } else {
        RT_TRY(rt_json_string(object, "problem_id", where, &problem, err));
    }
    if (json_object_get(object, "sample") != NULL)
        RT_TRY(rt_json_int(object, "sample", where, 0, INT32_MAX, &sample, err));
    if (json_object_get(object, "vote") != NULL) RT_TRY(rt_json_int(object, "vote", where, 0, INT32_MAX, &vote, err));
    RT_TRY(parse_status(object, where, &added.status, err));
    RT_TRY(add_judge(judgements, judge, object, &added.judge, err));
    added.vote = (int32_t)vote;
    const json_t *behaviors = json_object_get(object, "behaviors");
    RT_CHECK(json_is_object(behaviors) || added.status != RT_JUDGED, err, RETORT_ERR_FORMAT,
             "%s: 'behaviors' must be an object of lists of spans", where);
    if (added.status == RT_JUDGED) RT_TRY(add_behaviors(judgements, added.judge, behaviors, where, err));
    added.num_spans = judgements->num_spans - added.first_span;
    int32_t response;
    RT_TRY(find_response(judgements, model, problem, (int32_t)sample, &response, err));
    RT_CHECK(judgements->count < INT32_MAX, err, RETORT_ERR_UNSUPPORTED, "%s: too many judgements", where);
    int64_t capacity = judgements->capacity;
    void *block = judgements->items;
    RT_TRY(reserve(&block, judgements->count, &capacity, sizeof added, err));
    judgements->items = block;
    judgements->capacity = capacity > INT32_MAX ? INT32_MAX : (int32_t)capacity;
    judgements->items[judgements->count] = added;
    return link_judgement(judgements, response, where, err);
}

typedef struct line_reader {
    rt_judgements *judgements;
    const char *path;
} line_reader;

static retort_status read_line(void *context, json_t *object, size_t line, retort_error *err) {
    const line_reader *reader = context;
    char where[300];
    snprintf(where, sizeof where, "'%.200s' line %zu", reader->path, line);
    return rt_judgement_add(reader->judgements, object, where, err);
}

retort_status rt_judgements_read(const char *path, rt_judgements *out, retort_error *err) {
    line_reader reader = {out, path};
    return rt_jsonl_read(path, read_line, &reader, err);
}

void rt_judgements_free(rt_judgements *judgements) {
    rt_strings_free(&judgements->judges);
    rt_strings_free(&judgements->behaviors);
    rt_strings_free(&judgements->columns);
    rt_strings_free(&judgements->responses);
    rt_free(judgements->column);
    rt_free(judgements->first);
    rt_free(judgements->found);
    rt_free(judgements->items);
    rt_free(judgements->spans);
    *judgements = (rt_judgements){0};
}
