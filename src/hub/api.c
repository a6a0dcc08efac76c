#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/hub_cache.h"
#include "core/json.h"
#include "hub/hub.h"
#include "net/url.h"

enum { PAGES_MAXIMUM = 2000, FILES_MAXIMUM = 200000, PATH_LONGEST = 1024, SEGMENT_MAXIMUM = 255, ANSWER_SECONDS = 300 };

void rt_hub_files_free(rt_hub_files *files) {
    for (size_t i = 0; i < files->count; i++) rt_free(files->data[i].path);
    rt_free(files->data);
    *files = (rt_hub_files){0};
}

bool rt_hub_is_file_path(const char *path) {
    if (strnlen(path, PATH_LONGEST + 1) > PATH_LONGEST) return false;
    for (const char *segment = path;; segment++) {
        const size_t length = strcspn(segment, "/");
        if (length == 0 || length > SEGMENT_MAXIMUM || strncmp(segment, "..", length) == 0) return false;
        for (size_t i = 0; i < length; i++)
            if (iscntrl((unsigned char)segment[i]) || segment[i] == '\\') return false;
        segment += length;
        if (*segment == '\0') return true;
    }
}

/* ---- documents ---- */

static bool is_hex(const char *text, size_t digits) {
    return strspn(text, "0123456789abcdef") == digits && text[digits] == '\0';
}

retort_status rt_hub_parse_revision(const char *text, size_t length, const char *where, char commit[41],
                                    retort_error *err) {
    json_t *root = NULL;
    const char *sha = NULL;
    RT_TRY(rt_json_parse(text, length, where, &root, err));
    retort_status st = json_is_object(root) ? rt_json_string(root, "sha", where, &sha, err)
                                            : rt_fail(err, RETORT_ERR_FORMAT, "%s is no JSON object", where);
    if (st == RETORT_OK && !rt_hub_is_commit(sha))
        st = rt_fail(err, RETORT_ERR_FORMAT, "%s: 'sha' is no commit of forty hexadecimal digits", where);
    if (st == RETORT_OK) memcpy(commit, sha, 41);
    json_decref(root);
    return st;
}

static retort_status grow(rt_hub_files *files, retort_error *err) {
    if (files->count < files->capacity) return RETORT_OK;
    RT_CHECK(files->count < FILES_MAXIMUM, err, RETORT_ERR_FORMAT, "the repository lists more than %d files",
             FILES_MAXIMUM);
    const size_t capacity = files->capacity == 0 ? 64 : files->capacity * 2;
    rt_hub_file *data = rt_realloc_array(files->data, capacity, sizeof *data);
    RT_CHECK(data != NULL, err, RETORT_ERR_MEMORY, "out of memory: list of %zu files", capacity);
    files->data = data;
    files->capacity = capacity;
    return RETORT_OK;
}

/* {"type": "file", "path": ..., "size": ..., "oid": SHA-1, "lfs": {"oid": SHA-256, "size": ...}} */
static retort_status read_file_entry(const json_t *entry, const char *where, rt_hub_file *file, retort_error *err) {
    const json_t *lfs = json_object_get(entry, "lfs"), *path_value = json_object_get(entry, "path");
    const char *path = NULL, *hash = NULL;
    *file = (rt_hub_file){.large = lfs != NULL && !json_is_null(lfs)};
    RT_TRY(rt_json_string(entry, "path", where, &path, err));
    RT_CHECK(strlen(path) == json_string_length(path_value) && rt_hub_is_file_path(path), err, RETORT_ERR_FORMAT,
             "%s names a file whose path is refused: it could lead out of its folder", where);
    const json_t *holder = file->large ? lfs : entry;
    RT_CHECK(json_is_object(holder), err, RETORT_ERR_FORMAT, "%s: 'lfs' of '%s' is no object", where, path);
    RT_TRY(rt_json_int(holder, "size", where, 0, INT64_MAX / 4, &file->size, err));
    RT_TRY(rt_json_string(holder, "oid", where, &hash, err));
    if (file->large && strncmp(hash, "sha256:", 7) == 0) hash += 7;
    RT_CHECK(is_hex(hash, file->large ? 64 : 40), err, RETORT_ERR_FORMAT, "%s: 'oid' of '%s' is no %s", where, path,
             file->large ? "SHA-256" : "SHA-1");
    memcpy(file->hash, hash, file->large ? 65 : 41);
    file->path = rt_strdup(path);
    RT_CHECK(file->path != NULL, err, RETORT_ERR_MEMORY, "out of memory: list of files");
    return RETORT_OK;
}

static retort_status read_entry(const json_t *entry, const char *where, rt_hub_files *out, retort_error *err) {
    const char *type = NULL;
    RT_CHECK(json_is_object(entry), err, RETORT_ERR_FORMAT, "%s holds something that is no JSON object", where);
    RT_TRY(rt_json_string(entry, "type", where, &type, err));
    if (strcmp(type, "file") != 0) return RETORT_OK; /* a folder: its files are listed, too */
    RT_TRY(grow(out, err));
    RT_TRY(read_file_entry(entry, where, &out->data[out->count], err));
    out->count++;
    return RETORT_OK;
}

retort_status rt_hub_parse_tree(const char *text, size_t length, const char *where, rt_hub_files *out,
                                retort_error *err) {
    json_t *root = NULL;
    RT_TRY(rt_json_parse(text, length, where, &root, err));
    retort_status st =
        json_is_array(root) ? RETORT_OK : rt_fail(err, RETORT_ERR_FORMAT, "%s is no JSON list of files", where);
    for (size_t i = 0; st == RETORT_OK && i < json_array_size(root); i++)
        st = read_entry(json_array_get(root, i), where, out, err);
    json_decref(root);
    return st;
}

/* ---- questions ---- */

/* "ENDPOINT/api/models/ORG/NAME/WHAT/REVISION" and a query. */
static retort_status api_url(const rt_hub *hub, const char *what, const char *revision, const char *query,
                             rt_buffer *out, retort_error *err) {
    RT_TRY(rt_buffer_printf(out, err, "%s/api/%ss/%s/%s/", hub->endpoint, hub->kind, hub->repo, what));
    RT_TRY(rt_url_quote(out, revision, false, err));
    return rt_buffer_puts(out, query, err);
}

retort_status rt_hub_file_url(const rt_hub *hub, const char *path, char **out, retort_error *err) {
    rt_buffer url = {0};
    retort_status st = rt_buffer_printf(&url, err, "%s/%s%s/resolve/%s/", hub->endpoint,
                                        strcmp(hub->kind, "model") == 0 ? "" : "datasets/", hub->repo, hub->commit);
    if (st == RETORT_OK) st = rt_url_quote(&url, path, true, err);
    *out = url.data;
    if (st != RETORT_OK) rt_buffer_free(&url);
    return st;
}

/* A page of a proxy or of something that is no Hub at all answers 200, too. */
static retort_status check_json(const rt_hub *hub, const rt_headers *headers, retort_error *err) {
    const char *type = rt_headers_get(headers, "content-type");
    RT_CHECK(type != NULL && strncasecmp(type, "application/json", 16) == 0, err, RETORT_ERR_FORMAT,
             "%s answers with '%.60s' where the Hub answers with JSON; is HF_ENDPOINT right, or is a login page in the "
             "way?",
             hub->endpoint, type != NULL ? type : "no content type");
    return RETORT_OK;
}

static retort_status ask(rt_hub *hub, const char *url, rt_headers *headers, rt_buffer *body, retort_error *err) {
    static const char *const FIELDS[] = {"Accept: application/json", NULL};
    const rt_http_request request = {.url = url, .token = hub->token, .headers = FIELDS, .timeout = ANSWER_SECONDS};
    int status;
    retort_status st = rt_http_fetch(hub->http, &request, &status, headers, body, err);
    return st == RETORT_OK ? check_json(hub, headers, err) : rt_hub_explain(hub, NULL, status, headers, st, err);
}

retort_status rt_hub_resolve(rt_hub *hub, retort_error *err) {
    if (rt_hub_is_commit(hub->revision)) { /* never changes: nothing to ask */
        memcpy(hub->commit, hub->revision, 41);
        return RETORT_OK;
    }
    rt_buffer url = {0}, body = {.maximum = 1 << 26};
    rt_headers headers = {0};
    char where[200];
    snprintf(where, sizeof where, "the Hub's answer about '%.96s'", hub->repo);
    retort_status st = api_url(hub, "revision", hub->revision, "", &url, err);
    if (st == RETORT_OK) st = ask(hub, url.data, &headers, &body, err);
    if (st == RETORT_OK)
        st = rt_hub_parse_revision(body.length > 0 ? body.data : "", body.length, where, hub->commit, err);
    rt_buffer_free(&url);
    rt_buffer_free(&body);
    rt_headers_free(&headers);
    return st;
}

/* The next page's address into *url (emptied where this was the last page). It gets the token, so it must be the
 * Hub's; mirrors pass the Hub's own address on. */
static retort_status next_page(const rt_hub *hub, const rt_headers *headers, rt_buffer *url, retort_error *err) {
    static const char HUB[] = "https://huggingface.co/";
    const char *field = rt_headers_get(headers, "link");
    char *link = field != NULL ? rt_parse_next_link(field) : NULL, *next = NULL;
    retort_status st = RETORT_OK;
    if (link != NULL && strncmp(link, HUB, sizeof HUB - 1) == 0) {
        rt_buffer_clear(url);
        st = rt_buffer_printf(url, err, "%s/%s", hub->endpoint, link + sizeof HUB - 1);
    } else if (link != NULL) {
        st = rt_url_join(url->data, link, &next, err);
        if (st == RETORT_OK && !rt_url_same_origin(next, hub->endpoint))
            st = rt_fail(err, RETORT_ERR_FORMAT, "the list of files goes on at another server, which is refused");
        rt_buffer_clear(url);
        if (st == RETORT_OK) st = rt_buffer_puts(url, next, err);
    } else {
        rt_buffer_clear(url);
    }
    rt_free(link);
    rt_free(next);
    return st;
}

static int compare_paths(const void *a, const void *b) {
    return strcmp(((const rt_hub_file *)a)->path, ((const rt_hub_file *)b)->path);
}

retort_status rt_hub_list(rt_hub *hub, rt_hub_files *out, retort_error *err) {
    rt_buffer url = {0}, body = {.maximum = 1 << 26};
    rt_headers headers = {0};
    char where[200];
    snprintf(where, sizeof where, "the Hub's list of files of '%.96s'", hub->repo);
    retort_status st = api_url(hub, "tree", hub->commit, "?recursive=true", &url, err);
    for (int page = 0; st == RETORT_OK && url.length > 0; page++) {
        if (page == PAGES_MAXIMUM) st = rt_fail(err, RETORT_ERR_FORMAT, "%s has no end", where);
        if (st == RETORT_OK) st = ask(hub, url.data, &headers, &body, err);
        if (st == RETORT_OK) st = rt_hub_parse_tree(body.length > 0 ? body.data : "", body.length, where, out, err);
        if (st == RETORT_OK) st = next_page(hub, &headers, &url, err);
    }
    if (st == RETORT_OK && out->count > 0) qsort(out->data, out->count, sizeof *out->data, compare_paths);
    for (size_t i = 1; st == RETORT_OK && i < out->count; i++) {
        if (strcmp(out->data[i - 1].path, out->data[i].path) == 0)
            st = rt_fail(err, RETORT_ERR_FORMAT, "%s has '%s' twice", where, out->data[i].path);
    }
    rt_buffer_free(&url);
    rt_buffer_free(&body);
    rt_headers_free(&headers);
    return st;
}
