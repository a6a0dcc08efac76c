#include "sample/prompts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct reader {
    const char *path;
    const rt_prompting *prompting;
    rt_prompt_file *file;
    bool problems; /* every line so far has a problem */
} reader;

void rt_prompt_file_free(rt_prompt_file *file) {
    for (int64_t i = 0; i < file->count; i++) json_decref(file->names[i]);
    rt_free(file->prompts);
    rt_free(file->names);
    rt_free(file->lines);
    rt_ids_free(&file->ids);
    rt_problems_free(&file->problems);
    *file = (rt_prompt_file){0};
}

static retort_status make_room(rt_prompt_file *file, retort_error *err) {
    if (file->count < file->capacity) return RETORT_OK;
    int64_t capacity = file->capacity == 0 ? 64 : file->capacity * 2;
    rt_prompt *prompts = rt_realloc_array(file->prompts, (size_t)capacity, sizeof *prompts);
    if (prompts != NULL) file->prompts = prompts;
    json_t **names = rt_realloc_array(file->names, (size_t)capacity, sizeof *names);
    if (names != NULL) file->names = names;
    size_t *lines = rt_realloc_array(file->lines, (size_t)capacity, sizeof *lines);
    if (lines != NULL) file->lines = lines;
    RT_CHECK(prompts != NULL && names != NULL && lines != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld prompts",
             (long long)capacity);
    file->capacity = capacity;
    return RETORT_OK;
}

/* ---- one line ---- */

/* Text without NUL: the template is filled in as a C string. */
static const char *plain_text(const json_t *value) {
    const char *text = json_string_value(value);
    return text != NULL && strlen(text) == json_string_length(value) ? text : NULL;
}

static retort_status encode(reader *r, const json_t *object, rt_ids *ids, retort_error *err) {
    const json_t *prompt = json_object_get(object, "prompt"), *messages = json_object_get(object, "messages");
    const json_t *problem = json_object_get(object, "problem");
    if (problem == NULL) problem = json_object_get(object, "question");
    r->problems = r->problems && json_is_string(problem);
    if (json_is_array(prompt)) return rt_prompting_messages(r->prompting, prompt, ids, err);
    if (prompt != NULL) {
        RT_CHECK(json_is_string(prompt), err, RETORT_ERR_FORMAT, "'prompt' is neither a text nor a list of messages");
        return rt_prompting_text(r->prompting, json_string_value(prompt), json_string_length(prompt), ids, err);
    }
    if (messages != NULL) {
        RT_CHECK(json_is_array(messages), err, RETORT_ERR_FORMAT, "'messages' is not a list");
        return rt_prompting_messages(r->prompting, messages, ids, err);
    }
    RT_CHECK(problem != NULL, err, RETORT_ERR_FORMAT, "there is no 'problem', 'prompt' or 'messages'");
    RT_CHECK(plain_text(problem) != NULL, err, RETORT_ERR_FORMAT, "'problem' is not a text");
    return rt_prompting_problem(r->prompting, plain_text(problem), ids, err);
}

/* *name is a new reference. */
static retort_status read_name(const json_t *object, size_t line, json_t **name, uint64_t *key, retort_error *err) {
    json_t *id = json_object_get(object, "id");
    char number[32];
    const char *text = plain_text(id);
    if (id == NULL || json_is_null(id)) {
        snprintf(number, sizeof number, "%zu", line);
        text = number;
        *name = json_string(number);
    } else {
        *name = json_incref(id);
    }
    if (json_is_integer(id)) {
        snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(id));
        text = number;
    }
    if (*name == NULL || text == NULL) {
        json_decref(*name);
        return *name == NULL ? rt_fail(err, RETORT_ERR_MEMORY, "out of memory: id")
                             : rt_fail(err, RETORT_ERR_FORMAT, "'id' is neither a text nor an integer");
    }
    *key = rt_prompt_key(text);
    return RETORT_OK;
}

static retort_status take_line(reader *r, const json_t *object, size_t line, retort_error *err) {
    rt_prompt_file *file = r->file;
    RT_TRY(make_room(file, err));
    int64_t begin = file->ids.count;
    RT_TRY(encode(r, object, &file->ids, err));
    rt_prompt prompt = {.count = file->ids.count - begin};
    RT_CHECK(prompt.count > 0, err, RETORT_ERR_FORMAT, "the prompt is empty");
    RT_TRY(read_name(object, line, &file->names[file->count], &prompt.key, err));
    if (prompt.count > file->longest) file->longest = prompt.count;
    file->prompts[file->count] = prompt;
    file->lines[file->count++] = line;
    return RETORT_OK;
}

static retort_status visit(void *context, json_t *object, size_t line, retort_error *err) {
    reader *r = context;
    retort_status st = take_line(r, object, line, err);
    return st == RETORT_OK ? st : rt_fail_context(err, st, "'%s' line %zu", r->path, line);
}

/* ---- the file ---- */

static retort_status check_context(const char *path, const rt_prompt_file *file, const rt_config *config,
                                   int64_t max_new_tokens, retort_error *err) {
    for (int64_t i = 0; i < file->count; i++) {
        RT_CHECK(file->prompts[i].count + max_new_tokens <= rt_config_context(config), err, RETORT_ERR_USAGE,
                 "'%s' line %zu: the prompt has %lld tokens, which with max_new_tokens %lld is more than the model's "
                 "context of %lld; shorten the prompt or ask for fewer tokens",
                 path, file->lines[i], (long long)file->prompts[i].count, (long long)max_new_tokens,
                 (long long)rt_config_context(config));
    }
    return RETORT_OK;
}

typedef struct named_line {
    uint64_t key;
    size_t line;
} named_line;

static int by_key(const void *a, const void *b) {
    const named_line *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

/* Equal ids would get equal draws, and responses that cannot be told apart. */
static retort_status check_names(const char *path, const rt_prompt_file *file, retort_error *err) {
    named_line *named = rt_malloc_array((size_t)file->count, sizeof *named);
    RT_CHECK(named != NULL, err, RETORT_ERR_MEMORY, "out of memory: ids of '%s'", path);
    for (int64_t i = 0; i < file->count; i++) named[i] = (named_line){file->prompts[i].key, file->lines[i]};
    qsort(named, (size_t)file->count, sizeof *named, by_key);
    retort_status st = RETORT_OK;
    for (int64_t i = 1; i < file->count && st == RETORT_OK; i++) {
        if (named[i].key != named[i - 1].key) continue;
        st = rt_fail(err, RETORT_ERR_FORMAT, "'%s' line %zu has the same id as line %zu; ids must be unique", path,
                     named[i].line, named[i - 1].line);
    }
    rt_free(named);
    return st;
}

retort_status rt_prompt_file_read(const char *path, const rt_prompting *prompting, const rt_config *config,
                                  int64_t max_new_tokens, rt_prompt_file *out, retort_error *err) {
    *out = (rt_prompt_file){0};
    reader r = {.path = path, .prompting = prompting, .file = out, .problems = true};
    retort_status st = rt_jsonl_read(path, visit, &r, err);
    if (st == RETORT_OK && out->count == 0) {
        st = rt_fail(err, RETORT_ERR_FORMAT, "'%s' holds no prompt; it needs one JSON object a line", path);
    }
    if (st == RETORT_OK) st = check_names(path, out, err);
    if (st == RETORT_OK) st = check_context(path, out, config, max_new_tokens, err);
    if (st == RETORT_OK && r.problems) st = rt_problems_read(path, &out->problems, err);
    if (st != RETORT_OK) {
        rt_prompt_file_free(out);
        return st;
    }
    int64_t begin = 0;
    for (int64_t i = 0; i < out->count; begin += out->prompts[i++].count) out->prompts[i].ids = out->ids.data + begin;
    return RETORT_OK;
}
