#include "retort/data.h"

#include <stdlib.h>
#include <string.h>

#include "core/hub_cache.h"
#include "core/progress.h"
#include "data/import.h"
#include "data/known_sets.h"
#include "data/world.h"

#define FIELD(name_) .name = #name_, .offset = offsetof(retort_data_options, name_)

/* The splits are in the order of rt_split. */
const retort_option retort_data_option_table[] = {
    {FIELD(output), .type = RETORT_OPTION_STRING, .argument = "FILE", .group = "Output",
     .help = "JSONL file to write, one problem a line."},
    {FIELD(set), .type = RETORT_OPTION_STRING, .argument = "NAME", .group = "Sets from files",
     .help = "A known problem set, such as aime_2024 or AIME24; --list names them all."},
    {FIELD(input), .type = RETORT_OPTION_LIST, .argument = "FILES",
     .help =
         "JSONL and CSV files to read; when missing, the set's files as 'retort pull' left them. Without --set: any "
         "problems with answers."},
    {FIELD(allow_changed), .type = RETORT_OPTION_BOOL,
     .help = "Write the problems also where count or hash are not those of the known set."},
    {FIELD(list), .type = RETORT_OPTION_BOOL,
     .help = "Only list the known sets: how many problems, licence, and where they are found."},
    {FIELD(split), .type = RETORT_OPTION_CHOICE, .default_value = "test", .argument = "NAME",
     .choices = "pretrain|distill|rl|validation|test|hard|transfer", .group = "Problems of the embedded world",
     .help = "Which part of the world's problems; the parts share no problem."},
    {FIELD(count), .type = RETORT_OPTION_INT, .default_value = "100", .argument = "N", .minimum = 1, .maximum = 1000000,
     .help = "Number of distinct problems."},
    {FIELD(seed), .type = RETORT_OPTION_INT, .default_value = "1", .argument = "N", .minimum = 0, .maximum = 9e15,
     .help = "Fixes which problems are drawn and their order."},
    {0},
};

static retort_status give(json_t *result, char **out, retort_error *err) {
    rt_buffer text = {0};
    RT_CHECK(result != NULL, err, RETORT_ERR_MEMORY, "out of memory: result");
    retort_status st = rt_json_dump(result, JSON_INDENT(2), &text, err);
    json_decref(result);
    if (st == RETORT_OK) *out = text.data;
    if (st != RETORT_OK) rt_buffer_free(&text);
    return st;
}

/* ---- the embedded world ---- */

static retort_status write_world(const retort_data_options *options, const retort_progress *progress, char **out,
                                 retort_error *err) {
    rt_problems problems = {0};
    rt_progress(progress, "data", 0, (double)options->count, "problems", NULL);
    retort_status st =
        rt_world_problems((rt_split)options->split, options->count, (uint64_t)options->seed, &problems, err);
    if (st == RETORT_OK) st = rt_problems_write(options->output, &problems, err);
    if (st == RETORT_OK)
        rt_progress(progress, "data", (double)options->count, (double)options->count, "problems", NULL);
    rt_problems_free(&problems);
    RT_TRY(st);
    char *split = NULL;
    RT_TRY(retort_options_get(retort_data_option_table, options, "split", &split, err));
    json_t *result = json_pack("{s:s,s:I,s:I,s:s}", "split", split, "seed", (json_int_t)options->seed, "problems",
                               (json_int_t)options->count, "output", options->output);
    free(split);
    return give(result, out, err);
}

/* ---- known sets ---- */

static retort_status list_sets(char **out, retort_error *err) {
    json_t *sets = json_array();
    int bad = 0;
    for (const rt_known_set *set = RT_KNOWN_SETS; set->name != NULL; set++) {
        rt_buffer pull = {0};
        if (set->repo != NULL)
            RT_TRY(
                rt_buffer_printf(&pull, err, "retort pull %s --repo-type dataset --include %s", set->repo, set->files));
        bad |= json_array_append_new(sets, json_pack("{s:s,s:s,s:I,s:s?,s:s,s:s?,s:s}", "name", set->name, "title",
                                                     set->title, "problems", (json_int_t)set->count, "sha256",
                                                     set->sha256, "licence", set->licence, "pull", pull.data,
                                                     "elsewhere", set->elsewhere));
        rt_buffer_free(&pull);
    }
    if (bad != 0) json_decref(sets);
    return give(bad == 0 ? json_pack("{s:o}", "sets", sets) : NULL, out, err);
}

static retort_status no_such_set(const char *name, retort_error *err) {
    rt_buffer names = {0};
    retort_status st = RETORT_OK;
    for (const rt_known_set *set = RT_KNOWN_SETS; set->name != NULL && st == RETORT_OK; set++)
        st = rt_buffer_printf(&names, err, "%s%s", set > RT_KNOWN_SETS ? ", " : "", set->name);
    if (st == RETORT_OK)
        st = rt_fail(err, RETORT_ERR_USAGE, "no known set is called '%s'; known are %s", name, names.data);
    rt_buffer_free(&names);
    return st;
}

/* The folder that `retort pull` left the set in. */
static retort_status find_pulled(const rt_known_set *set, char **folder, retort_error *err) {
    char *root = NULL, *repo = NULL;
    *folder = NULL;
    RT_CHECK(set->repo != NULL, err, RETORT_ERR_USAGE, "%s must be given as a file (--input FILE). %s", set->name,
             set->elsewhere);
    RT_TRY(rt_hub_root(&root, err));
    retort_status st = rt_hub_repo_folder(root, "dataset", set->repo, &repo, err);
    if (st == RETORT_OK) st = rt_hub_snapshot(repo, "main", folder, err);
    if (st == RETORT_OK && *folder == NULL)
        st = rt_fail(err, RETORT_ERR_NOT_FOUND,
                     "%s is not on this machine: run 'retort pull %s --repo-type dataset --include %s', or give "
                     "--input FILE",
                     set->name, set->repo, set->files);
    rt_free(repo);
    rt_free(root);
    return st;
}

/* Reads the files of a comma list, which stand in `folder` unless it is NULL; appends their names to *read. */
static retort_status import_list(rt_import *import, const char *folder, const char *list, json_t *read,
                                 retort_error *err) {
    char *copy = rt_strdup(list), *rest = copy;
    RT_CHECK(copy != NULL, err, RETORT_ERR_MEMORY, "out of memory: files");
    retort_status st = RETORT_OK;
    for (char *name = strsep(&rest, ","); name != NULL && st == RETORT_OK; name = strsep(&rest, ",")) {
        char *path = folder != NULL ? rt_path_join(folder, name) : rt_strdup(name);
        if (path == NULL) st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: files");
        if (st == RETORT_OK) st = rt_import_file(import, path, err);
        if (st == RETORT_OK && json_array_append_new(read, json_string(path)) != 0)
            st = rt_fail(err, RETORT_ERR_FORMAT, "the path '%s' is not UTF-8", path);
        rt_free(path);
    }
    rt_free(copy);
    return st;
}

static retort_status import_all(rt_import *import, const char *input, json_t *read, retort_error *err) {
    char *folder = NULL;
    if (input != NULL) return import_list(import, NULL, input, read, err);
    retort_status st = find_pulled(import->set, &folder, err);
    if (st == RETORT_OK) st = import_list(import, folder, import->set->files, read, err);
    rt_free(folder);
    return st;
}

static retort_status compare(const rt_known_set *set, int64_t count, const char *hex, retort_error *err) {
    RT_CHECK(count == set->count, err, RETORT_ERR_FORMAT,
             "this is not %s: %lld problems, but the known set has %lld; --allow-changed writes them all the same",
             set->name, (long long)count, (long long)set->count);
    RT_CHECK(set->sha256 == NULL || strcmp(set->sha256, hex) == 0, err, RETORT_ERR_FORMAT,
             "this is not %s as it is known: %lld problems, but some differ in wording or answer (SHA-256 %s, known is "
             "%s); --allow-changed writes them all the same",
             set->name, (long long)count, hex, set->sha256);
    return RETORT_OK;
}

static json_t *describe_set(const rt_known_set *set) {
    if (set == NULL) return json_pack("{s:n}", "set");
    return json_pack("{s:s,s:s,s:s,s:s,s:I,s:s?}", "set", set->name, "title", set->title, "origin",
                     set->repo != NULL ? set->repo : set->elsewhere, "licence", set->licence, "expected",
                     (json_int_t)set->count, "expected_sha256", set->sha256);
}

static retort_status write_set(const retort_data_options *options, rt_import *import, json_t *read, char **out,
                               retort_error *err) {
    char hex[65];
    int64_t twice;
    retort_error differs = {0};
    const rt_known_set *set = import->set;
    const int64_t count = (int64_t)json_array_size(import->problems);
    RT_CHECK(count > 0, err, RETORT_ERR_FORMAT, "the input holds no problem of the set");
    RT_TRY(rt_import_check(import, &twice, err));
    RT_TRY(rt_import_hash(import, hex, err));
    const bool same = set != NULL && compare(set, count, hex, &differs) == RETORT_OK;
    if (set != NULL && !same && !options->allow_changed) return rt_fail(err, differs.code, "%s", differs.message);
    RT_TRY(rt_import_write(import, options->output, err));
    json_t *result = describe_set(set);
    const bool unknown = set == NULL || (same && set->sha256 == NULL);
    int bad = json_object_update_new(
        result, json_pack("{s:O,s:I,s:I,s:I,s:s,s:o,s:s}", "files", read, "problems", (json_int_t)count, "left_out",
                          (json_int_t)import->left_out, "twice", (json_int_t)twice, "sha256", hex, "matches",
                          unknown ? json_null() : json_boolean(same), "output", options->output));
    if (bad != 0) json_decref(result);
    return give(bad == 0 ? result : NULL, out, err);
}

static retort_status import_set(const retort_data_options *options, char **out, retort_error *err) {
    rt_import import = {.set = options->set != NULL ? rt_known_set_find(options->set) : NULL};
    if (options->set != NULL && import.set == NULL) return no_such_set(options->set, err);
    json_t *read = json_array();
    RT_CHECK(read != NULL, err, RETORT_ERR_MEMORY, "out of memory: files");
    retort_status st = import_all(&import, options->input, read, err);
    if (st == RETORT_OK) st = write_set(options, &import, read, out, err);
    rt_import_free(&import);
    json_decref(read);
    return st;
}

retort_status retort_data(const retort_data_options *options, const retort_progress *progress, char **out,
                          retort_error *err) {
    *out = NULL;
    if (options->list) return list_sets(out, err);
    RT_CHECK(options->output != NULL, err, RETORT_ERR_USAGE, "option 'output' is required");
    if (options->set != NULL || options->input != NULL) return import_set(options, out, err);
    return write_world(options, progress, out, err);
}
