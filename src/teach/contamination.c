#include "retort/contamination.h"

#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "data/overlap.h"
#include "teach/contamination.h"

#define ROW(name_, kind, ...)                                                                                          \
    {                                                                                                                  \
        .name = #name_, .type = RETORT_OPTION_##kind, .offset = offsetof(retort_contamination_options, name_),         \
        __VA_ARGS__                                                                                                    \
    }

const retort_option retort_contamination_option_table[] = {
    ROW(problems, STRING, .argument = "FILE", .group = "Input", .required = true,
        .help = "Problems (or traces) that a model is trained on, JSONL: problem, and id and answer if there are any."),
    ROW(against, LIST, .argument = "LIST", .required = true,
        .help = "Evaluation sets to compare with, JSONL likewise."),
    ROW(clean, STRING, .argument = "FILE", .group = "Output",
        .help = "Writes the training problems that overlap with no set; lines unchanged."),
    {0}};

typedef struct report {
    const char *against;
    const rt_problems *train;
    uint8_t *touched; /* [train] */
    json_t *sets;
} report;

static json_t *same_answer(const rt_problem *a, const rt_problem *b) {
    if (a->answer == NULL || b->answer == NULL) return json_null();
    return json_boolean(strcmp(a->answer, b->answer) == 0);
}

static json_t *describe(const rt_overlap *o, const rt_problem *train, const rt_problem *set) {
    return json_pack("{s:o,s:o,s:f,s:I,s:I,s:b,s:o,s:o,s:o,s:o}", "id", rt_json_text(set->id, strlen(set->id)),
                     "problem_id", rt_json_text(train->id, strlen(train->id)), "share", o->share, "shared",
                     (json_int_t)o->shared, "telling", (json_int_t)o->telling, "identical", o->identical, "same_answer",
                     same_answer(train, set), "passage", rt_json_text(set->problem + o->begin, o->end - o->begin),
                     "problem", rt_json_text(train->problem, strlen(train->problem)), "evaluation_problem",
                     rt_json_text(set->problem, strlen(set->problem)));
}

static retort_status list_overlaps(report *r, const char *path, const rt_problems *set, const rt_overlaps *found,
                                   retort_error *err) {
    json_t *list = json_array();
    for (int64_t i = 0; i < found->count; i++) {
        const rt_overlap *o = &found->items[i];
        r->touched[o->a] = 1;
        json_array_append_new(list, describe(o, &r->train->items[o->a], &set->items[o->b]));
    }
    const bool whole = json_array_size(list) == (size_t)found->count;
    json_t *entry = json_pack("{s:s,s:I,s:o}", "file", path, "count", (json_int_t)set->count, "overlaps", list);
    const bool added = json_array_append_new(r->sets, entry) == 0;
    RT_CHECK(whole && added, err, RETORT_ERR_MEMORY, "out of memory: report of '%s'", path);
    return RETORT_OK;
}

static retort_status compare_set(report *r, const char *path, retort_error *err) {
    rt_problems set = {0};
    rt_overlaps found = {0};
    RT_TRY(rt_problems_read(path, &set, err));
    retort_status st = rt_overlaps_find(r->train, &set, &found, err);
    if (st == RETORT_OK) st = list_overlaps(r, path, &set, &found, err);
    rt_overlaps_free(&found);
    rt_problems_free(&set);
    return st;
}

static retort_status compare_all(report *r, retort_error *err) {
    char *list = rt_strdup(r->against), *rest = NULL;
    RT_CHECK(list != NULL, err, RETORT_ERR_MEMORY, "out of memory: list of sets");
    retort_status st = RETORT_OK;
    for (char *path = strtok_r(list, ",", &rest); path != NULL && st == RETORT_OK; path = strtok_r(NULL, ",", &rest))
        st = compare_set(r, path, err);
    rt_free(list);
    return st;
}

retort_status rt_contamination_find(const rt_problems *train, const char *name, const char *against, uint8_t *touched,
                                    json_t **out, retort_error *err) {
    report r = {.against = against, .train = train, .touched = touched, .sets = json_array()};
    int64_t contaminated = 0;
    *out = NULL;
    RT_CHECK(r.sets != NULL, err, RETORT_ERR_MEMORY, "out of memory: report");
    const retort_status st = compare_all(&r, err);
    for (int64_t i = 0; i < train->count; i++) contaminated += touched[i];
    if (st == RETORT_OK)
        *out = json_pack("{s:s,s:I,s:I,s:O}", "problems", name, "count", (json_int_t)train->count, "contaminated",
                         (json_int_t)contaminated, "sets", r.sets);
    json_decref(r.sets);
    RT_TRY(st);
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory: report");
    return RETORT_OK;
}

/* ---- what is left ---- */

typedef struct cleaner {
    rt_atomic_file file;
    const uint8_t *touched;
    int64_t next;
} cleaner;

static retort_status keep_line(void *context, json_t *object, size_t line, retort_error *err) {
    (void)line;
    cleaner *c = context;
    if (c->touched[c->next++]) return RETORT_OK;
    return rt_jsonl_write(&c->file, json_incref(object), err);
}

static retort_status write_clean(const retort_contamination_options *options, const uint8_t *touched,
                                 retort_error *err) {
    if (options->clean == NULL) return RETORT_OK;
    cleaner c = {.touched = touched};
    RT_TRY(rt_atomic_open(&c.file, options->clean, err));
    const retort_status st = rt_jsonl_read(options->problems, keep_line, &c, err);
    if (st == RETORT_OK) return rt_atomic_commit(&c.file, err);
    rt_atomic_abort(&c.file);
    return st;
}

/* ---- the command ---- */

static retort_status dump(const json_t *all, char **out, retort_error *err) {
    rt_buffer text = {0};
    const retort_status st = rt_json_dump(all, JSON_INDENT(2) | JSON_REAL_PRECISION(4), &text, err);
    *out = st == RETORT_OK ? strdup(text.data) : NULL; /* the caller frees with free */
    rt_buffer_free(&text);
    RT_TRY(st);
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory: report");
    return RETORT_OK;
}

retort_status retort_contamination(const retort_contamination_options *options, char **out, retort_error *err) {
    rt_problems train = {0};
    json_t *all = NULL;
    *out = NULL;
    RT_TRY(rt_problems_read(options->problems, &train, err));
    uint8_t *touched = rt_calloc((size_t)train.count, 1);
    retort_status st = touched != NULL ? RETORT_OK : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: report");
    if (st == RETORT_OK) st = rt_contamination_find(&train, options->problems, options->against, touched, &all, err);
    if (st == RETORT_OK) st = write_clean(options, touched, err);
    if (st == RETORT_OK) st = dump(all, out, err);
    json_decref(all);
    rt_problems_free(&train);
    rt_free(touched);
    return st;
}
