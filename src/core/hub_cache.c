#include "core/hub_cache.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"

enum { REPO_ID_MAXIMUM = 96, REVISION_MAXIMUM = 255 };

static retort_status out_of_memory(retort_error *err, const char *what) {
    return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: path of '%.200s'", what);
}

/* The variable whose name starts at `text`: its value ("" where unset), and where the text goes on. NULL: a '$' that
 * starts no name, which stands for itself. */
static const char *variable_value(const char *text, const char **rest) {
    const bool braced = text[0] == '{';
    const char *begin = text + braced, *end = begin;
    char name[128];
    while (isalnum((unsigned char)*end) || *end == '_') end++;
    const size_t length = (size_t)(end - begin);
    if (length == 0 || length >= sizeof name || (braced && *end != '}')) return NULL;
    memcpy(name, begin, length);
    name[length] = '\0';
    *rest = end + braced;
    return getenv(name); /* unset ones stay as they are written */
}

static retort_status expand(const char *text, rt_buffer *out, retort_error *err) {
    const char *home = getenv("HOME");
    if (text[0] == '~' && (text[1] == '/' || text[1] == '\0') && home != NULL) {
        RT_TRY(rt_buffer_puts(out, home, err));
        text++;
    }
    while (*text != '\0') {
        const char *rest = NULL;
        const char *value = *text == '$' ? variable_value(text + 1, &rest) : NULL;
        if (value != NULL) {
            RT_TRY(rt_buffer_puts(out, value, err));
            text = rest;
        } else {
            RT_TRY(rt_buffer_append(out, text++, 1, err));
        }
    }
    return RETORT_OK;
}

retort_status rt_hub_variable(const char *name, char **out, retort_error *err) {
    const char *value = getenv(name);
    rt_buffer text = {0};
    *out = NULL;
    if (value == NULL || value[0] == '\0') return RETORT_OK;
    retort_status st = expand(value, &text, err);
    if (st == RETORT_OK) *out = text.data;
    if (st != RETORT_OK) rt_buffer_free(&text);
    return st;
}

/* Takes the folder: "folder/name" in its place. */
static retort_status below(char **folder, const char *name, retort_error *err) {
    char *path = rt_path_join(*folder, name);
    rt_free(*folder);
    *folder = path;
    return path != NULL ? RETORT_OK : out_of_memory(err, name);
}

retort_status rt_hub_home(char **out, retort_error *err) {
    RT_TRY(rt_hub_variable("HF_HOME", out, err));
    if (*out != NULL) return RETORT_OK;
    RT_TRY(rt_hub_variable("XDG_CACHE_HOME", out, err));
    if (*out != NULL) return below(out, "huggingface", err);
    RT_TRY(rt_hub_variable("HOME", out, err));
    RT_CHECK(*out != NULL, err, RETORT_ERR_USAGE,
             "no folder for the Hub's cache: neither HF_HOME nor HOME is set in the environment");
    return below(out, ".cache/huggingface", err);
}

retort_status rt_hub_root(char **out, retort_error *err) {
    RT_TRY(rt_hub_variable("HF_HUB_CACHE", out, err));
    if (*out == NULL) RT_TRY(rt_hub_variable("HUGGINGFACE_HUB_CACHE", out, err));
    if (*out != NULL) return RETORT_OK;
    RT_TRY(rt_hub_home(out, err));
    return below(out, "hub", err);
}

/* A namespace or a name: at least one character, and no '-' or '.' at its ends. */
static bool is_repo_part(const char *text, size_t length) {
    if (length == 0 || strchr("-.", text[0]) != NULL || strchr("-.", text[length - 1]) != NULL) return false;
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)text[i]) && strchr("-_.", text[i]) == NULL) return false;
        if (i > 0 && text[i] == text[i - 1] && strchr("-.", text[i]) != NULL) return false;
    }
    return true;
}

bool rt_hub_is_repo_id(const char *name) {
    const size_t length = strnlen(name, REPO_ID_MAXIMUM + 1);
    if (length > REPO_ID_MAXIMUM) return false;
    const char *slash = strchr(name, '/');
    const char *last = slash != NULL ? slash + 1 : name;
    const size_t last_length = strlen(last);
    if (slash != NULL && !is_repo_part(name, (size_t)(slash - name))) return false;
    if (last_length >= 4 && strcmp(last + last_length - 4, ".git") == 0) return false;
    return is_repo_part(last, last_length);
}

bool rt_hub_is_revision(const char *revision) {
    if (strnlen(revision, REVISION_MAXIMUM + 1) > REVISION_MAXIMUM) return false;
    for (const char *segment = revision;; segment++) {
        const size_t length = strcspn(segment, "/");
        if (length == 0 || segment[0] == '.' || strncmp(segment, "..", length) == 0) return false;
        for (size_t i = 0; i < length; i++) {
            if (!isgraph((unsigned char)segment[i]) || strchr("\\:?*[~^", segment[i]) != NULL) return false;
        }
        segment += length;
        if (*segment == '\0') return true;
    }
}

bool rt_hub_is_commit(const char *revision) {
    return strspn(revision, "0123456789abcdef") == 40 && revision[40] == '\0';
}

retort_status rt_hub_repo_folder(const char *root, const char *kind, const char *repo, char **out, retort_error *err) {
    const char *slash = strchr(repo, '/');
    const int first = slash != NULL ? (int)(slash - repo) : 0;
    rt_buffer path = {0};
    retort_status st = rt_buffer_printf(&path, err, "%s/%ss--%.*s%s%s", root, kind, first, repo,
                                        slash != NULL ? "--" : "", slash != NULL ? slash + 1 : repo);
    *out = path.data;
    if (st != RETORT_OK) rt_buffer_free(&path);
    if (st != RETORT_OK) *out = NULL;
    return st;
}

retort_status rt_hub_read_ref(const char *folder, const char *revision, char commit[41], retort_error *err) {
    commit[0] = '\0';
    rt_buffer path = {0}, text = {.maximum = 4096};
    if (rt_hub_is_commit(revision)) {
        memcpy(commit, revision, 41);
        return RETORT_OK;
    }
    RT_TRY(rt_buffer_printf(&path, err, "%s/refs/%s", folder, revision));
    retort_status st = RETORT_OK;
    if (rt_path_exists(path.data) && !rt_path_is_dir(path.data)) {
        st = rt_file_read(path.data, &text, err);
        if (st == RETORT_OK) {
            while (text.length > 0 && isspace((unsigned char)text.data[text.length - 1])) text.length--;
            text.data[text.length] = '\0';
            if (rt_hub_is_commit(text.data))
                memcpy(commit, text.data, 41);
            else
                st = rt_fail(err, RETORT_ERR_FORMAT, "'%s' names no commit; remove it and pull the model again",
                             path.data);
        }
    }
    rt_buffer_free(&path);
    rt_buffer_free(&text);
    return st;
}

retort_status rt_hub_snapshot(const char *folder, const char *revision, char **out, retort_error *err) {
    char commit[41];
    rt_buffer path = {0};
    *out = NULL;
    RT_TRY(rt_hub_read_ref(folder, revision, commit, err));
    if (commit[0] == '\0') return RETORT_OK;
    RT_TRY(rt_buffer_printf(&path, err, "%s/snapshots/%s", folder, commit));
    if (rt_path_is_dir(path.data))
        *out = path.data;
    else
        rt_buffer_free(&path);
    return RETORT_OK;
}

static retort_status find_snapshot(const char *root, const char *repo, const char *revision, char **out,
                                   retort_error *err) {
    char *folder = NULL;
    RT_TRY(rt_hub_repo_folder(root, "model", repo, &folder, err));
    retort_status st = rt_hub_snapshot(folder, revision, out, err);
    rt_free(folder);
    return st;
}

/* A name that is no path; `repo` is a copy to cut at the '@'. */
static retort_status find_repo(const char *name, char *repo, char **out, retort_error *err) {
    char *at = strchr(repo, '@'), *root = NULL;
    const char *revision = at != NULL ? at + 1 : "main";
    if (at != NULL) *at = '\0';
    if (!rt_hub_is_repo_id(repo) || !rt_hub_is_revision(revision)) {
        return rt_fail(err, RETORT_ERR_NOT_FOUND, "there is no model folder '%s'", name);
    }
    RT_TRY(rt_hub_root(&root, err));
    retort_status st = find_snapshot(root, repo, revision, out, err);
    if (st == RETORT_OK && *out == NULL && strchr(repo, '/') == NULL && at == NULL) {
        st = rt_fail(err, RETORT_ERR_NOT_FOUND, "there is no model folder '%s'", name);
    } else if (st == RETORT_OK && *out == NULL) {
        st = rt_fail(err, RETORT_ERR_NOT_FOUND,
                     "there is no model folder '%s', and no such model in the cache '%s'; if it is one on the Hugging "
                     "Face Hub, run 'retort pull %s%s%s' first",
                     name, root, repo, at != NULL ? " --revision " : "", at != NULL ? revision : "");
    }
    rt_free(root);
    return st;
}

retort_status rt_model_path(const char *name, char **out, retort_error *err) {
    *out = NULL;
    char *copy = rt_strdup(name);
    if (copy == NULL) return out_of_memory(err, name);
    if (rt_path_exists(name)) {
        *out = copy;
        return RETORT_OK;
    }
    retort_status st = find_repo(name, copy, out, err);
    rt_free(copy);
    return st;
}
