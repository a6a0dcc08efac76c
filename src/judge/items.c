#include "judge/items.h"

#include <string.h>

#include "analyze/responses.h"

/* ---- names ---- */

retort_status rt_names_number(rt_names *names, const char *name, int64_t *out, retort_error *err) {
    if (names->index == NULL) names->index = json_object();
    const json_t *known = json_object_get(names->index, name);
    *out = json_is_integer(known) ? json_integer_value(known) : names->count;
    if (known != NULL) return RETORT_OK;
    if (names->count == names->capacity) {
        const int64_t capacity = names->capacity == 0 ? 64 : names->capacity * 2;
        char **grown = rt_realloc_array(names->items, (size_t)capacity, sizeof *grown);
        RT_CHECK(grown != NULL, err, RETORT_ERR_MEMORY, "out of memory: names");
        names->items = grown;
        names->capacity = capacity;
    }
    char *copy = rt_strdup(name);
    RT_CHECK(copy != NULL, err, RETORT_ERR_MEMORY, "out of memory: names");
    names->items[names->count++] = copy;
    RT_CHECK(json_object_set_new(names->index, name, json_integer(*out)) == 0, err, RETORT_ERR_MEMORY,
             "out of memory: names");
    return RETORT_OK;
}

void rt_names_free(rt_names *names) {
    for (int64_t i = 0; i < names->count; i++) rt_free(names->items[i]);
    rt_free(names->items);
    json_decref(names->index);
    *names = (rt_names){0};
}

/* ---- responses ---- */

typedef struct reading_file {
    const char *path;
    const rt_items_reading *reading;
    const json_t *known; /* index of the given problems by id */
    rt_items *out;
} reading_file;

void rt_items_free(rt_items *items) {
    for (int64_t i = 0; i < items->count; i++) rt_free(items->items[i].text);
    rt_free(items->items);
    rt_names_free(&items->models);
    rt_names_free(&items->problems);
    *items = (rt_items){0};
}

static int64_t count_words(const char *text, size_t length) {
    int64_t words = 0;
    bool inside = false;
    for (size_t i = 0; i < length; i++) {
        const bool space = text[i] == ' ' || text[i] == '\n' || text[i] == '\t' || text[i] == '\r';
        words += !space && !inside;
        inside = !space;
    }
    return words;
}

static retort_status find_key(const char *model, const char *problem, const rt_item *item, char key[65],
                              retort_error *err) {
    rt_buffer bytes = {0};
    retort_status st = rt_buffer_printf(&bytes, err, "%s\n%s\n%d\n", model, problem, (int)item->sample);
    if (st == RETORT_OK) st = rt_buffer_append(&bytes, item->text, item->length, err);
    if (st == RETORT_OK) rt_sha256(bytes.data, bytes.length, key);
    rt_buffer_free(&bytes);
    return st;
}

static retort_status find_world(const reading_file *file, const json_t *object, const char *where, const char *id,
                                rt_item *item, retort_error *err) {
    if (file->known != NULL) {
        const json_t *at = json_object_get(file->known, id);
        RT_CHECK(at != NULL, err, RETORT_ERR_NOT_FOUND, "%s: problem '%s' is not among the problems given", where, id);
        item->question = file->reading->problems->items[json_integer_value(at)].question;
    } else if (json_object_get(object, "world") != NULL) {
        rt_problem problem = {0};
        RT_TRY(rt_problem_read_gold(object, where, &problem, err));
        item->question = problem.question;
        rt_free(problem.answer);
    }
    item->world = item->question.family != RT_FAMILY_TEXT;
    item->question.answer = item->question.alternatives = NULL; /* borrowed; behaviours do not need them */
    return RETORT_OK;
}

retort_status rt_items_push(rt_items *out, const rt_item *item, retort_error *err) {
    if (out->count == out->capacity) {
        const int64_t capacity = out->capacity == 0 ? 256 : out->capacity * 2;
        rt_item *grown = rt_realloc_array(out->items, (size_t)capacity, sizeof *grown);
        RT_CHECK(grown != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld responses", (long long)capacity);
        out->items = grown;
        out->capacity = capacity;
    }
    out->items[out->count++] = *item;
    return RETORT_OK;
}

static retort_status name_model(const reading_file *file, const json_t *object, const char *where, const char **model,
                                retort_error *err) {
    const char *slash = strrchr(file->path, '/');
    *model = slash != NULL ? slash + 1 : file->path;
    return json_object_get(object, "model") != NULL ? rt_json_string(object, "model", where, model, err) : RETORT_OK;
}

static retort_status take_line(const reading_file *file, const json_t *object, const char *where, rt_item *item,
                               retort_error *err) {
    const char *id, *model;
    char number[32];
    int64_t at;
    RT_TRY(rt_response_problem(object, where, number, &id, err));
    RT_TRY(name_model(file, object, where, &model, err));
    RT_TRY(rt_names_number(&file->out->models, model, &at, err));
    item->model = (int32_t)at;
    RT_TRY(rt_names_number(&file->out->problems, id, &at, err));
    item->problem = (int32_t)at;
    RT_TRY(find_world(file, object, where, id, item, err));
    item->words = count_words(item->text, item->length);
    RT_TRY(find_key(model, id, item, item->key, err));
    const int64_t index = file->out->count;
    RT_TRY(rt_items_push(file->out, item, err));
    if (file->reading->visit != NULL) RT_TRY(file->reading->visit(file->reading->context, item, index, err));
    return RETORT_OK;
}

static retort_status read_line(void *context, json_t *object, size_t line, retort_error *err) {
    const reading_file *file = context;
    rt_record record = {0};
    rt_item item = {0};
    char where[600];
    snprintf(where, sizeof where, "'%s' line %zu", file->path, line);
    const int64_t before = file->out->count;
    retort_status st = rt_record_parse(object, where, &record, err);
    item.sample = record.sample;
    item.truncated = record.finish == RT_FINISH_LENGTH;
    item.text = record.text;
    item.length = record.length;
    if (st == RETORT_OK) st = take_line(file, object, where, &item, err);
    rt_free(record.reason);
    const bool pushed = file->out->count > before;
    if (!pushed || !file->reading->keep_texts) {
        rt_free(record.text);
        if (pushed) file->out->items[before].text = NULL;
    }
    return st;
}

static retort_status index_problems(const rt_problems *problems, json_t **out, retort_error *err) {
    *out = json_object();
    for (int64_t i = 0; *out != NULL && i < problems->count; i++)
        if (json_object_set_new(*out, problems->items[i].id, json_integer(i)) != 0) {
            json_decref(*out);
            *out = NULL;
        }
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory: index of problems");
    return RETORT_OK;
}

retort_status rt_items_read(const char *path, const rt_items_reading *reading, rt_items *out, retort_error *err) {
    json_t *known = NULL;
    const int64_t before = out->count;
    if (reading->problems != NULL) RT_TRY(index_problems(reading->problems, &known, err));
    reading_file file = {.path = path, .reading = reading, .known = known, .out = out};
    retort_status st = rt_jsonl_read(path, read_line, &file, err);
    if (st == RETORT_OK && out->count == before) st = rt_fail(err, RETORT_ERR_FORMAT, "'%s' holds no responses", path);
    json_decref(known);
    return st;
}
