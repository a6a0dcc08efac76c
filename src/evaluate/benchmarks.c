#include "evaluate/benchmarks.h"

#include <stdlib.h>
#include <string.h>

#include "data/import.h"
#include "data/world.h"

enum { MOST_SAMPLES = 4096 };

void rt_benchmarks_free(rt_benchmarks *benchmarks) {
    for (int64_t i = 0; i < benchmarks->count; i++) {
        rt_free(benchmarks->items[i].name);
        rt_free(benchmarks->items[i].path);
        rt_problems_free(&benchmarks->items[i].problems);
    }
    rt_free(benchmarks->items);
    *benchmarks = (rt_benchmarks){0};
}

/* Room for one more, with its name and path. */
static retort_status add(rt_benchmarks *list, const char *name, size_t name_length, const char *path, int64_t n,
                         rt_benchmark **out, retort_error *err) {
    for (int64_t i = 0; i < list->count; i++) {
        const char *other = list->items[i].name;
        RT_CHECK(strlen(other) != name_length || memcmp(other, name, name_length) != 0, err, RETORT_ERR_USAGE,
                 "two benchmarks are called '%s'; give one of the files another name", other);
    }
    rt_benchmark *items = rt_realloc_array(list->items, (size_t)list->count + 1, sizeof *items);
    RT_CHECK(items != NULL, err, RETORT_ERR_MEMORY, "out of memory: benchmarks");
    list->items = items;
    rt_benchmark *one = &items[list->count++];
    *one = (rt_benchmark){.name = rt_strndup(name, name_length), .path = path != NULL ? rt_strdup(path) : NULL, .n = n};
    RT_CHECK(one->name != NULL && (path == NULL || one->path != NULL), err, RETORT_ERR_MEMORY,
             "out of memory: benchmarks");
    *out = one;
    return RETORT_OK;
}

/* Cuts "@N" off an entry. */
static retort_status take_samples(char *entry, int64_t *n, retort_error *err) {
    char *at = strrchr(entry, '@'), *end;
    if (at == NULL || at == entry || rt_path_exists(entry)) return RETORT_OK;
    const long long samples = strtoll(at + 1, &end, 10);
    RT_CHECK(at[1] >= '0' && at[1] <= '9' && *end == '\0' && samples >= 1 && samples <= MOST_SAMPLES, err,
             RETORT_ERR_USAGE, "'%s': behind @ stands the number of samples, from 1 to %d", entry, MOST_SAMPLES);
    *n = samples;
    *at = '\0';
    return RETORT_OK;
}

static retort_status read_file(rt_benchmarks *list, const char *path, int64_t n, retort_error *err) {
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    rt_benchmark *one;
    RT_TRY(add(list, name, dot != NULL && dot != name ? (size_t)(dot - name) : strlen(name), path, n, &one, err));
    return rt_problems_read(path, &one->problems, err);
}

static retort_status check_known(const rt_known_set *set, const char *path, retort_error *err) {
    rt_import import = {.set = set};
    char hex[65];
    retort_status st = rt_import_file(&import, path, err);
    if (st == RETORT_OK) st = rt_import_hash(&import, hex, err);
    const long long count = st == RETORT_OK ? (long long)json_array_size(import.problems) : 0;
    rt_import_free(&import);
    RT_TRY(st);
    RT_CHECK(count == set->count && (set->sha256 == NULL || strcmp(set->sha256, hex) == 0), err, RETORT_ERR_FORMAT,
             "'%s' is not %s as it is known: %lld problems with SHA-256 %s, known are %lld with %s; write it with "
             "'retort data --set %s', or name it with --problems",
             path, set->name, count, hex, (long long)set->count, set->sha256 != NULL ? set->sha256 : "(none)",
             set->name);
    return RETORT_OK;
}

static retort_status read_known(rt_benchmarks *list, const char *name, const char *dir, int64_t n, retort_error *err) {
    const rt_known_set *set = rt_known_set_find(name);
    rt_buffer path = {0};
    rt_benchmark *one;
    RT_CHECK(set != NULL, err, RETORT_ERR_USAGE,
             "no known set is called '%s' ('retort data --list' names them); your own files go to --problems", name);
    retort_status st = rt_buffer_printf(&path, err, "%s/%s.jsonl", dir, set->name);
    if (st == RETORT_OK && !rt_path_exists(path.data))
        st = rt_fail(err, RETORT_ERR_NOT_FOUND, "'%s' is missing: write it with 'retort data --set %s --output %s'",
                     path.data, set->name, path.data);
    if (st == RETORT_OK) st = check_known(set, path.data, err);
    if (st == RETORT_OK) st = add(list, set->name, strlen(set->name), path.data, n, &one, err);
    if (st == RETORT_OK) st = rt_problems_read(path.data, &one->problems, err);
    rt_buffer_free(&path);
    return st;
}

/* dir NULL: files. */
static retort_status read_list(const char *list, const char *dir, int64_t n, rt_benchmarks *out, retort_error *err) {
    char *copy = rt_strdup(list), *rest = copy;
    *out = (rt_benchmarks){0};
    RT_CHECK(copy != NULL, err, RETORT_ERR_MEMORY, "out of memory: benchmarks");
    retort_status st = RETORT_OK;
    for (char *entry = strsep(&rest, ","); entry != NULL && st == RETORT_OK; entry = strsep(&rest, ",")) {
        int64_t samples = n;
        if (*entry == '\0') continue;
        st = take_samples(entry, &samples, err);
        if (st == RETORT_OK)
            st = dir == NULL ? read_file(out, entry, samples, err) : read_known(out, entry, dir, samples, err);
    }
    if (st == RETORT_OK && out->count == 0) st = rt_fail(err, RETORT_ERR_USAGE, "no benchmark was named");
    rt_free(copy);
    return st;
}

retort_status rt_benchmarks_read(const char *list, int64_t n, rt_benchmarks *out, retort_error *err) {
    return read_list(list, NULL, n, out, err);
}

retort_status rt_benchmarks_known(const char *list, const char *dir, int64_t n, rt_benchmarks *out, retort_error *err) {
    return read_list(list, dir, n, out, err);
}

retort_status rt_benchmarks_world(const char *name, int64_t count, uint64_t seed, int64_t n, rt_benchmarks *out,
                                  retort_error *err) {
    rt_split split;
    rt_benchmark *one;
    *out = (rt_benchmarks){0};
    RT_TRY(rt_split_parse(name, &split, err));
    RT_TRY(add(out, name, strlen(name), NULL, n, &one, err));
    return rt_world_problems(split, count, seed, &one->problems, err);
}

retort_status rt_benchmark_hash(const rt_benchmark *benchmark, char hex[65], retort_error *err) {
    rt_buffer text = {0};
    retort_status st = RETORT_OK;
    for (int64_t i = 0; i < benchmark->problems.count && st == RETORT_OK; i++) {
        const rt_problem *problem = &benchmark->problems.items[i];
        json_t *line = json_pack("{s:s, s:s}", "id", problem->id, "problem", problem->problem);
        if (line == NULL || !rt_problem_write_gold(problem, line))
            st = rt_fail(err, RETORT_ERR_FORMAT, "problem '%s' is not UTF-8", problem->id);
        if (st == RETORT_OK) st = rt_json_dump(line, JSON_COMPACT | JSON_SORT_KEYS, &text, err);
        if (st == RETORT_OK) st = rt_buffer_puts(&text, "\n", err);
        json_decref(line);
    }
    if (st == RETORT_OK) rt_sha256(text.data, text.length, hex);
    rt_buffer_free(&text);
    return st;
}
