#include <string.h>

#include "core/file.h"
#include "report/runs.h"

static retort_status add_source(rt_run_sources *sources, const char *path, const char *model, size_t model_length,
                                const char *benchmark, size_t benchmark_length, retort_error *err) {
    if (sources->count == sources->capacity) {
        int64_t wanted = sources->capacity == 0 ? 16 : 2 * sources->capacity;
        rt_run_source *items = rt_realloc_array(sources->items, (size_t)wanted, sizeof *items);
        RT_CHECK(items != NULL, err, RETORT_ERR_MEMORY, "out of memory: list of runs");
        sources->items = items;
        sources->capacity = wanted;
    }
    rt_run_source *source = &sources->items[sources->count++];
    *source = (rt_run_source){.path = rt_strdup(path)};
    if (model_length > 0) source->model = rt_strndup(model, model_length);
    if (benchmark_length > 0) source->benchmark = rt_strndup(benchmark, benchmark_length);
    RT_CHECK(source->path != NULL && (source->model != NULL) == (model_length > 0) &&
                 (source->benchmark != NULL) == (benchmark_length > 0),
             err, RETORT_ERR_MEMORY, "out of memory: list of runs");
    return RETORT_OK;
}

static void free_names(char **names, int64_t count) {
    for (int64_t i = 0; i < count; i++) rt_free(names[i]);
    rt_free(names);
}

/* responses/ARM.SPLIT.jsonl of a study: the arm is the model, the split the benchmark. */
static retort_status add_study_file(rt_run_sources *sources, const char *path, const char *name, retort_error *err) {
    const char *end = name + strlen(name) - strlen(".jsonl"), *dot = end;
    do dot--; /* to the last dot before the ending; before the name's begin there is none */
    while (dot > name && *dot != '.');
    if (dot <= name) return add_source(sources, path, NULL, 0, NULL, 0, err);
    return add_source(sources, path, name, (size_t)(dot - name), dot + 1, (size_t)(end - dot - 1), err);
}

static retort_status add_files(rt_run_sources *sources, const char *folder, bool study, const char *label, size_t model,
                               const char *benchmark, size_t benchmark_length, retort_error *err) {
    char **names = NULL;
    int64_t count = 0;
    RT_TRY(rt_dir_list(folder, ".jsonl", &names, &count, err));
    retort_status st = RETORT_OK;
    if (count == 0)
        st = rt_fail(err, RETORT_ERR_NOT_FOUND, "'%s' has no *.jsonl; name files of responses, a study or a store",
                     folder);
    for (int64_t i = 0; i < count && st == RETORT_OK; i++) {
        char *path = rt_path_join(folder, names[i]);
        if (path == NULL)
            st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: list of runs");
        else
            st = study ? add_study_file(sources, path, names[i], err)
                       : add_source(sources, path, label, model, benchmark, benchmark_length, err);
        rt_free(path);
    }
    free_names(names, count);
    return st;
}

/* A study's problems have the statements that its responses lack. */
static retort_status add_study_problems(rt_run_sources *sources, const char *study, retort_error *err) {
    static const char *const SPLITS[] = {"test", "hard", "transfer"};
    for (size_t i = 0; i < sizeof SPLITS / sizeof SPLITS[0]; i++) {
        char name[64];
        snprintf(name, sizeof name, "data/%s.jsonl", SPLITS[i]);
        char *path = rt_path_join(study, name);
        char **grown = rt_realloc_array(sources->problems, (size_t)sources->num_problems + 1, sizeof *grown);
        if (grown != NULL) sources->problems = grown;
        if (path == NULL || grown == NULL) {
            rt_free(path);
            return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: problems of a study");
        }
        if (rt_path_exists(path))
            sources->problems[sources->num_problems++] = path;
        else
            rt_free(path);
    }
    return RETORT_OK;
}

static retort_status add_folder(rt_run_sources *sources, const char *folder, const char *label, size_t model,
                                const char *benchmark, size_t benchmark_length, retort_error *err) {
    char *report = rt_path_join(folder, "report.json"), *responses = rt_path_join(folder, "responses");
    retort_status st = RETORT_OK;
    if (report == NULL || responses == NULL)
        st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: list of runs");
    else if (rt_path_exists(report) && rt_path_is_dir(responses)) {
        st = add_files(sources, responses, true, NULL, 0, NULL, 0, err);
        if (st == RETORT_OK) st = add_study_problems(sources, folder, err);
    } else {
        st = add_files(sources, folder, false, label, model, benchmark, benchmark_length, err);
    }
    rt_free(report);
    rt_free(responses);
    return st;
}

retort_status rt_run_sources_add(rt_run_sources *sources, const char *argument, retort_error *err) {
    const char *path = argument, *equals = strchr(argument, '='), *at = NULL;
    size_t model = 0, benchmark = 0;
    if (equals != NULL && !rt_path_exists(argument)) { /* a file whose name has "=" in it is a file all the same */
        path = equals + 1;
        at = memchr(argument, '@', (size_t)(equals - argument));
        model = (size_t)((at != NULL ? at : equals) - argument);
        benchmark = at != NULL ? (size_t)(equals - at - 1) : 0;
    }
    RT_CHECK(rt_path_exists(path), err, RETORT_ERR_NOT_FOUND,
             "'%s' does not exist; a run is a JSONL file of responses, a folder of them, a study's folder or a store",
             path);
    const char *name = at != NULL ? at + 1 : NULL;
    if (rt_path_is_dir(path)) return add_folder(sources, path, argument, model, name, benchmark, err);
    return add_source(sources, path, argument, model, name, benchmark, err);
}

void rt_run_sources_free(rt_run_sources *sources) {
    for (int64_t i = 0; i < sources->count; i++) {
        rt_free(sources->items[i].path);
        rt_free(sources->items[i].model);
        rt_free(sources->items[i].benchmark);
    }
    rt_free(sources->items);
    free_names(sources->problems, sources->num_problems);
    *sources = (rt_run_sources){0};
}
