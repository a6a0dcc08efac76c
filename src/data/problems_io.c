#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "data/problem.h"

retort_status rt_problems_push(rt_problems *problems, const rt_problem *problem, retort_error *err) {
    if (problems->count == problems->capacity) {
        int64_t capacity = problems->capacity ? problems->capacity * 2 : 64;
        rt_problem *items = rt_realloc_array(problems->items, (size_t)capacity, sizeof *items);
        if (!items) {
            rt_free(problem->id);
            rt_free(problem->problem);
            rt_free(problem->answer);
            return rt_fail(err, RETORT_ERR_MEMORY, "out of memory for %lld problems", (long long)capacity);
        }
        problems->items = items;
        problems->capacity = capacity;
    }
    problems->items[problems->count++] = *problem;
    return RETORT_OK;
}

void rt_problems_free(rt_problems *problems) {
    for (int64_t i = 0; i < problems->count; i++) {
        rt_free(problems->items[i].id);
        rt_free(problems->items[i].problem);
        rt_free(problems->items[i].answer);
    }
    rt_free(problems->items);
    *problems = (rt_problems){0};
}

static retort_status read_world(const json_t *world, const char *where, rt_question *question, retort_error *err) {
    const char *family;
    long long value;
    RT_TRY(rt_json_string(world, "family", where, &family, err));
    if (strcmp(family, "countdown") == 0) {
        question->family = RT_FAMILY_COUNTDOWN;
    } else if (strcmp(family, "blanks") == 0) {
        question->family = RT_FAMILY_BLANKS;
    } else {
        return rt_fail(err, RETORT_ERR_FORMAT, "%s: unknown family '%s': use countdown or blanks", where, family);
    }
    RT_TRY(rt_json_int(world, "target", where, -1000000000, 1000000000, &value, err));
    question->target = (int32_t)value;
    const json_t *numbers = json_object_get(world, "numbers");
    size_t n = json_is_array(numbers) ? json_array_size(numbers) : 0;
    RT_CHECK(n >= 1 && n <= RT_MAX_NUMBERS, err, RETORT_ERR_FORMAT, "%s: 'numbers' must be a list of 1 to %d integers",
             where, RT_MAX_NUMBERS);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(numbers, i);
        json_int_t v = json_is_integer(item) ? json_integer_value(item) : -1;
        RT_CHECK(v >= 0 && v <= 1000000, err, RETORT_ERR_FORMAT, "%s: 'numbers' has an item that is not in 0..1000000",
                 where);
        question->numbers[i] = (int32_t)v;
    }
    question->count = (int32_t)n;
    return RETORT_OK;
}

typedef struct reader {
    const char *path;
    rt_problems *out;
} reader;

/* An integer answer is as good as a string: GSM8K-like files have both. */
static const char *answer_of(const json_t *value, char number[32]) {
    if (!json_is_integer(value)) return json_string_value(value);
    snprintf(number, 32, "%lld", (long long)json_integer_value(value));
    return number;
}

/* An empty text would end the list. */
static retort_status append_others(const json_t *others, const char *where, rt_buffer *block, retort_error *err) {
    size_t i;
    const json_t *other;
    char number[32];
    RT_CHECK(json_is_array(others), err, RETORT_ERR_FORMAT, "%s: 'alt_answers' must be a list", where);
    json_array_foreach(others, i, other) {
        const char *text = answer_of(other, number);
        RT_CHECK(text && text[0], err, RETORT_ERR_FORMAT, "%s: 'alt_answers' must hold strings or integers", where);
        RT_TRY(rt_buffer_append(block, text, strlen(text) + 1, err));
    }
    return RETORT_OK;
}

/* One block: the answer, and behind its NUL the others. */
static retort_status read_answers(const json_t *object, const char *where, rt_problem *out, retort_error *err) {
    const json_t *answer = json_object_get(object, "answer"), *others = json_object_get(object, "alt_answers");
    char number[32];
    if (!answer || json_is_null(answer)) return RETORT_OK;
    const char *text = answer_of(answer, number);
    RT_CHECK(text, err, RETORT_ERR_FORMAT, "%s: 'answer' must be a string or an integer", where);
    rt_buffer block = {0};
    const size_t behind = strlen(text) + 1;
    retort_status st = rt_buffer_append(&block, text, behind, err);
    if (st == RETORT_OK && others && !json_is_null(others)) st = append_others(others, where, &block, err);
    if (st != RETORT_OK) {
        rt_buffer_free(&block);
        return st;
    }
    out->question.answer = out->answer = block.data;
    if (block.length > behind) out->question.alternatives = block.data + behind;
    return RETORT_OK;
}

retort_status rt_problem_read_gold(const json_t *object, const char *where, rt_problem *out, retort_error *err) {
    const json_t *world = json_object_get(object, "world");
    if (world && !json_is_null(world)) {
        RT_CHECK(json_is_object(world), err, RETORT_ERR_FORMAT, "%s: 'world' must be an object", where);
        RT_TRY(read_world(world, where, &out->question, err));
    }
    return read_answers(object, where, out, err);
}

retort_status rt_problem_copy_gold(const rt_problem *problem, rt_problem *out, retort_error *err) {
    out->question = problem->question;
    if (!problem->answer) return RETORT_OK;
    const char *end = problem->answer + strlen(problem->answer) + 1;
    if (problem->question.alternatives)
        while (*end) end += strlen(end) + 1;
    const size_t length = (size_t)(end - problem->answer) + 1; /* and the empty text that ends the others */
    char *block = rt_calloc(length, 1);
    RT_CHECK(block, err, RETORT_ERR_MEMORY, "out of memory: answer");
    memcpy(block, problem->answer, problem->question.alternatives ? length : length - 1);
    out->question.answer = out->answer = block;
    if (problem->question.alternatives) out->question.alternatives = block + strlen(block) + 1;
    return RETORT_OK;
}

static retort_status read_line(void *context, json_t *object, size_t line, retort_error *err) {
    reader *r = context;
    char where[256], made[48];
    snprintf(where, sizeof where, "'%.200s' line %zu", r->path, line);
    const json_t *text = json_object_get(object, "problem");
    if (!text) text = json_object_get(object, "question");
    RT_CHECK(json_is_string(text), err, RETORT_ERR_FORMAT, "%s: 'problem' is missing or not a string", where);
    const json_t *id = json_object_get(object, "id");
    const char *name = json_string_value(id);
    if (json_is_integer(id)) {
        snprintf(made, sizeof made, "%lld", (long long)json_integer_value(id));
        name = made;
    } else if (!id || json_is_null(id)) {
        snprintf(made, sizeof made, "%zu", line);
        name = made;
    }
    RT_CHECK(name, err, RETORT_ERR_FORMAT, "%s: 'id' must be a string or an integer", where);
    rt_problem p = {0};
    RT_TRY(rt_problem_read_gold(object, where, &p, err));
    p.id = rt_strdup(name);
    p.problem = rt_strdup(json_string_value(text));
    if (!p.id || !p.problem) {
        rt_free(p.id);
        rt_free(p.problem);
        rt_free(p.answer);
        return rt_fail(err, RETORT_ERR_MEMORY, "%s: out of memory", where);
    }
    return rt_problems_push(r->out, &p, err);
}

static int compare_ids(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static retort_status check_ids(const char *path, const rt_problems *problems, retort_error *err) {
    if (problems->count < 2) return RETORT_OK;
    char **ids = rt_malloc_array((size_t)problems->count, sizeof *ids);
    RT_CHECK(ids, err, RETORT_ERR_MEMORY, "'%s': out of memory", path);
    for (int64_t i = 0; i < problems->count; i++) ids[i] = problems->items[i].id;
    qsort(ids, (size_t)problems->count, sizeof *ids, compare_ids);
    const char *twice = NULL;
    for (int64_t i = 1; i < problems->count && !twice; i++)
        if (strcmp(ids[i - 1], ids[i]) == 0) twice = ids[i];
    retort_status st = RETORT_OK;
    if (twice) st = rt_fail(err, RETORT_ERR_FORMAT, "'%s': id '%s' occurs twice; ids must be unique", path, twice);
    rt_free(ids);
    return st;
}

retort_status rt_problems_read(const char *path, rt_problems *out, retort_error *err) {
    rt_problems read = {0};
    reader r = {.path = path, .out = &read};
    retort_status st = rt_jsonl_read(path, read_line, &r, err);
    if (st == RETORT_OK && read.count == 0)
        st = rt_fail(err, RETORT_ERR_FORMAT, "'%s' holds no problem; it needs one JSON object a line", path);
    if (st == RETORT_OK) st = check_ids(path, &read, err);
    for (int64_t i = 0; st == RETORT_OK && i < read.count; i++) {
        /* Ownership moves item by item; push frees an item it cannot take. */
        rt_problem moved = read.items[i];
        read.items[i] = (rt_problem){0};
        st = rt_problems_push(out, &moved, err);
    }
    rt_problems_free(&read);
    return st;
}

bool rt_problem_write_gold(const rt_problem *p, json_t *object) {
    int bad = 0;
    if (p->answer) bad |= json_object_set_new(object, "answer", json_string(p->answer));
    if (p->question.alternatives) {
        json_t *others = json_array();
        for (const char *at = p->question.alternatives; *at; at += strlen(at) + 1)
            bad |= json_array_append_new(others, json_string(at));
        bad |= json_object_set_new(object, "alt_answers", others);
    }
    if (p->question.family != RT_FAMILY_TEXT) {
        json_t *numbers = json_array();
        for (int i = 0; i < p->question.count; i++)
            bad |= json_array_append_new(numbers, json_integer(p->question.numbers[i]));
        const char *family = p->question.family == RT_FAMILY_BLANKS ? "blanks" : "countdown";
        bad |= json_object_set_new(
            object, "world",
            json_pack("{s:s,s:o,s:i}", "family", family, "numbers", numbers, "target", (int)p->question.target));
    }
    return bad == 0;
}

static json_t *problem_to_json(const rt_problem *p) {
    json_t *object = json_object();
    if (!object) return NULL;
    bool bad = json_object_set_new(object, "id", json_string(p->id)) != 0;
    bad |= json_object_set_new(object, "problem", json_string(p->problem)) != 0;
    bad |= !rt_problem_write_gold(p, object);
    if (bad) {
        json_decref(object);
        return NULL;
    }
    return object;
}

retort_status rt_problems_write(const char *path, const rt_problems *problems, retort_error *err) {
    rt_atomic_file file = {0};
    RT_TRY(rt_atomic_open(&file, path, err));
    retort_status st = RETORT_OK;
    for (int64_t i = 0; st == RETORT_OK && i < problems->count; i++) {
        json_t *object = problem_to_json(&problems->items[i]);
        st = object ? rt_jsonl_write(&file, object, err)
                    : rt_fail(err, RETORT_ERR_FORMAT, "problem '%s' cannot be written as JSON: its text is not UTF-8",
                              problems->items[i].id);
    }
    if (st == RETORT_OK) return rt_atomic_commit(&file, err);
    rt_atomic_abort(&file);
    return st;
}
