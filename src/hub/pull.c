#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/hub_cache.h"
#include "core/json.h"
#include "hub/download.h"

const retort_option retort_pull_option_table[] = {
    {.name = "repo",
     .type = RETORT_OPTION_STRING,
     .offset = offsetof(retort_pull_options, repo),
     .argument = "REPO",
     .required = true,
     .help = "Name of the repository on the Hub: org/name.",
     .group = "What"},
    {.name = "revision",
     .type = RETORT_OPTION_STRING,
     .offset = offsetof(retort_pull_options, revision),
     .default_value = "main",
     .argument = "REVISION",
     .help = "Branch, tag or commit."},
    {.name = "repo_type",
     .type = RETORT_OPTION_CHOICE,
     .offset = offsetof(retort_pull_options, repo_type),
     .default_value = "model",
     .choices = "model|dataset",
     .help = "Kind of repository."},
    {.name = "include",
     .type = RETORT_OPTION_LIST,
     .offset = offsetof(retort_pull_options, include),
     .argument = "PATTERNS",
     .help = "Files to download ('*.gguf'); unset: of a model what this program uses (weights as safetensors, "
             "configuration, tokenizer, chat template), of a data set everything."},
    {.name = "exclude",
     .type = RETORT_OPTION_LIST,
     .offset = offsetof(retort_pull_options, exclude),
     .argument = "PATTERNS",
     .help = "Files to leave out of these."},
    {.name = "local_dir",
     .type = RETORT_OPTION_STRING,
     .offset = offsetof(retort_pull_options, local_dir),
     .argument = "DIR",
     .help = "Plain files in this folder instead of the cache.",
     .group = "Where"},
    {.name = "cache_dir",
     .type = RETORT_OPTION_STRING,
     .offset = offsetof(retort_pull_options, cache_dir),
     .argument = "DIR",
     .help = "Cache, shared with huggingface_hub; unset: HF_HUB_CACHE, HF_HOME/hub or ~/.cache/huggingface/hub."},
    {.name = "token_file",
     .type = RETORT_OPTION_STRING,
     .offset = offsetof(retort_pull_options, token_file),
     .argument = "FILE",
     .help = "Access token: the first line of this file; unset: HF_TOKEN, or the file HF_TOKEN_PATH or HF_HOME/token.",
     .group = "Connection"},
    {.name = "max_workers",
     .type = RETORT_OPTION_INT,
     .offset = offsetof(retort_pull_options, max_workers),
     .default_value = "4",
     .argument = "N",
     .help = "Files downloaded at once.",
     .minimum = 1,
     .maximum = 64},
    {.name = "retries",
     .type = RETORT_OPTION_INT,
     .offset = offsetof(retort_pull_options, retries),
     .default_value = "5",
     .argument = "N",
     .help = "Further tries of a connection that fails or is cut; one that makes progress starts counting anew.",
     .minimum = 0,
     .maximum = 100},
    {.name = "retry_pause",
     .type = RETORT_OPTION_REAL,
     .offset = offsetof(retort_pull_options, retry_pause),
     .default_value = "1",
     .argument = "SECONDS",
     .help = "Pause before the second try; doubles each time, up to a minute.",
     .minimum = 0.01,
     .maximum = 60},
    {.name = "timeout",
     .type = RETORT_OPTION_REAL,
     .offset = offsetof(retort_pull_options, timeout),
     .default_value = "30",
     .argument = "SECONDS",
     .help = "A connection that brings nothing for so long counts as cut.",
     .minimum = 1,
     .maximum = 3600},
    {.name = "offline",
     .type = RETORT_OPTION_BOOL,
     .offset = offsetof(retort_pull_options, offline),
     .help = "Only looks for what is there already; so does HF_HUB_OFFLINE=1."},
    {.name = "verify",
     .type = RETORT_OPTION_BOOL,
     .offset = offsetof(retort_pull_options, verify),
     .help = "Hashes the files that are there already, too, and downloads damaged ones again."},
    {0},
};

/* ---- offline ---- */

/* An interrupted download leaves a snapshot in part: the parts of weights that the index names must be there. */
static retort_status check_parts(const char *folder, retort_error *err) {
    char *index = rt_path_join(folder, "model.safetensors.index.json");
    json_t *root = NULL;
    RT_CHECK(index != NULL, err, RETORT_ERR_MEMORY, "out of memory: path of '%s'", folder);
    retort_status st = rt_path_exists(index) ? rt_json_load(index, &root, err) : RETORT_OK;
    const char *name;
    json_t *part;
    json_object_foreach(json_object_get(root, "weight_map"), name, part) {
        const char *file = json_string_value(part);
        char *path = st == RETORT_OK && file != NULL && rt_hub_is_file_path(file) ? rt_path_join(folder, file) : NULL;
        if (path != NULL && !rt_path_exists(path))
            st = rt_fail(err, RETORT_ERR_NOT_FOUND, "'%s' is there only in part: '%s' is missing; pull it online",
                         folder, file);
        rt_free(path);
    }
    json_decref(root);
    rt_free(index);
    return st;
}

static retort_status find_offline(const retort_pull_options *o, const char *kind, retort_pull_result *out,
                                  retort_error *err) {
    char *root = NULL, *folder = NULL;
    if (o->local_dir != NULL) {
        RT_CHECK(rt_path_is_dir(o->local_dir), err, RETORT_ERR_NOT_FOUND, "offline, and there is no folder '%s'",
                 o->local_dir);
        out->path = rt_strdup(o->local_dir);
        RT_CHECK(out->path != NULL, err, RETORT_ERR_MEMORY, "out of memory: path of '%s'", o->local_dir);
        return check_parts(out->path, err);
    }
    if (o->cache_dir != NULL)
        root = rt_strdup(o->cache_dir);
    else
        RT_TRY(rt_hub_root(&root, err));
    retort_status st = root != NULL ? rt_hub_repo_folder(root, kind, o->repo, &folder, err)
                                    : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: path of the cache");
    if (st == RETORT_OK) st = rt_hub_read_ref(folder, o->revision, out->commit, err);
    if (st == RETORT_OK) st = rt_hub_snapshot(folder, o->revision, &out->path, err);
    if (st == RETORT_OK && out->path == NULL)
        st = rt_fail(err, RETORT_ERR_NOT_FOUND,
                     "offline, and revision '%s' of '%s' is not in the cache '%s'; pull it online", o->revision,
                     o->repo, root);
    if (st == RETORT_OK) st = check_parts(out->path, err);
    rt_free(root);
    rt_free(folder);
    return st;
}

/* ---- online ---- */

static retort_status connect(const retort_pull_options *o, rt_hub *hub, retort_error *err) {
    const rt_http_options options = {
        .max_connections = (int)o->max_workers + 1,
        .retries = (int)o->retries,
        .pause = o->retry_pause,
        .longest_pause = o->retry_pause > 60 ? o->retry_pause : 60,
        .connect_timeout = o->timeout < 15 ? o->timeout : 15,
        .stall_timeout = o->timeout,
    };
    RT_TRY(rt_hub_endpoint(&hub->endpoint, err));
    RT_TRY(rt_hub_token(o->token_file, &hub->token, err));
    RT_TRY(rt_hub_check_secrecy(hub->endpoint, hub->token, err));
    return rt_http_create(&options, &hub->http, err);
}

static retort_status fetch(const retort_pull_options *o, rt_hub *hub, rt_hub_files *files,
                           const retort_progress *progress, retort_pull_result *out, retort_error *err) {
    rt_hub_store store;
    long long transferred = 0;
    RT_TRY(rt_hub_resolve(hub, err));
    RT_TRY(rt_hub_list(hub, files, err));
    RT_TRY(rt_hub_select(files, hub, o->include, o->exclude, err));
    for (size_t i = 0; i < files->count && o->local_dir != NULL; i++)
        RT_CHECK(strncmp(files->data[i].path, ".cache/", 7) != 0, err, RETORT_ERR_FORMAT,
                 "'%s' holds '%s', which would meet this program's own files in '%s'", hub->repo, files->data[i].path,
                 o->local_dir);
    RT_TRY(rt_hub_store_init(&store, hub, o->cache_dir, o->local_dir, err));
    const rt_hub_download_options options = {(int)o->max_workers, (int)o->retries, o->verify};
    retort_status st = rt_hub_download(&store, files, &options, progress, &transferred, err);
    if (st == RETORT_OK) st = rt_hub_write_ref(&store, err);
    if (st == RETORT_OK) {
        memcpy(out->commit, hub->commit, sizeof out->commit);
        out->path = rt_strdup(o->local_dir != NULL ? o->local_dir : store.snapshot);
        out->files = (int64_t)files->count;
        out->transferred = transferred;
        for (size_t i = 0; i < files->count; i++) out->bytes += files->data[i].size;
        if (out->path == NULL) st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: path of '%s'", o->repo);
    }
    rt_hub_store_release(&store);
    return st;
}

static retort_status pull_online(const retort_pull_options *o, const char *kind, const retort_progress *progress,
                                 retort_pull_result *out, retort_error *err) {
    rt_hub hub = {.kind = kind, .repo = o->repo, .revision = o->revision};
    rt_hub_files files = {0};
    retort_status st = connect(o, &hub, err);
    if (st == RETORT_OK) st = fetch(o, &hub, &files, progress, out, err);
    if (st == RETORT_ERR_INTERRUPTED)
        st = rt_fail(err, st, "interrupted; what has arrived of '%s' stays: the same command goes on from there",
                     o->repo);
    rt_hub_files_free(&files);
    rt_http_destroy(hub.http);
    if (hub.token != NULL) memset(hub.token, 0, strlen(hub.token));
    rt_free(hub.token);
    rt_free(hub.endpoint);
    return st;
}

retort_status retort_pull(const retort_pull_options *options, const retort_progress *progress, retort_pull_result *out,
                          retort_error *err) {
    const char *kind = options->repo_type == RETORT_REPO_DATASET ? "dataset" : "model";
    *out = (retort_pull_result){0};
    RT_TRY(retort_options_check(retort_pull_option_table, options, err));
    RT_CHECK(rt_hub_is_repo_id(options->repo), err, RETORT_ERR_USAGE,
             "'%.100s' is no name of a repository; it must look like org/name", options->repo);
    RT_CHECK(options->revision != NULL && rt_hub_is_revision(options->revision), err, RETORT_ERR_USAGE,
             "'%.100s' is no name of a branch, tag or commit", options->revision != NULL ? options->revision : "");
    const bool offline = options->offline || rt_hub_is_offline();
    retort_status st = offline ? find_offline(options, kind, out, err) : pull_online(options, kind, progress, out, err);
    if (st != RETORT_OK) retort_pull_result_release(out);
    return st;
}

void retort_pull_result_release(retort_pull_result *result) {
    rt_free(result->path);
    *result = (retort_pull_result){0};
}
