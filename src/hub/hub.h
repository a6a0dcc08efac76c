/* The Hub as this module sees it: whom to ask, and what a repository holds. */
#ifndef RT_HUB_HUB_H
#define RT_HUB_HUB_H

#include "net/http.h"
#include "retort/hub.h"

/* One conversation about one revision of one repository. */
typedef struct rt_hub {
    rt_http *http;
    char *endpoint;       /* without a slash at the end */
    char *token;          /* NULL: none; never in a message */
    const char *kind;     /* "model" or "dataset"; borrowed */
    const char *repo;     /* borrowed */
    const char *revision; /* borrowed */
    char commit[41];      /* what it names; "" until rt_hub_resolve */
} rt_hub;

/* One file of a repository. Its hash is its name in the cache: SHA-256 for files in large storage, and for others git's
 * SHA-1 over "blob SIZE", a NUL and the content. */
typedef struct rt_hub_file {
    char *path; /* safe: see rt_hub_is_file_path */
    long long size;
    char hash[65];
    bool large;
} rt_hub_file;

typedef struct rt_hub_files {
    rt_hub_file *data;
    size_t count, capacity;
} rt_hub_files;
void rt_hub_files_free(rt_hub_files *files);

/* ---- environment.c ---- */
/* HF_ENDPOINT, or the Hub's own address. */
retort_status rt_hub_endpoint(char **out, retort_error *err);
/* The token from `file` (NULL: none named), HF_TOKEN, HUGGING_FACE_HUB_TOKEN, HF_TOKEN_PATH or HF_HOME/token; *out is
 * NULL where there is none. A token that is no plain word is an error, which does not show it. */
retort_status rt_hub_token(const char *file, char **out, retort_error *err);
/* A token must not be sent where others can read it: over plain http only to this machine. */
retort_status rt_hub_check_secrecy(const char *endpoint, const char *token, retort_error *err);
/* HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE. */
bool rt_hub_is_offline(void);

/* ---- api.c ---- */
/* Fills hub->commit. */
retort_status rt_hub_resolve(rt_hub *hub, retort_error *err);
/* Every file of the commit. */
retort_status rt_hub_list(rt_hub *hub, rt_hub_files *out, retort_error *err);
/* Where a file's bytes are; caller frees with rt_free. */
retort_status rt_hub_file_url(const rt_hub *hub, const char *path, char **out, retort_error *err);
/* The documents of these answers; `where` names them in messages. A page is added to *out. */
retort_status rt_hub_parse_revision(const char *text, size_t length, const char *where, char commit[41],
                                    retort_error *err);
retort_status rt_hub_parse_tree(const char *text, size_t length, const char *where, rt_hub_files *out,
                                retort_error *err);
/* A path that stays below the folder it is put in: plain segments, no "..", no control characters, no backslash. */
bool rt_hub_is_file_path(const char *path);

/* ---- explain.c ---- */
/* Says in *err what an answer's HTTP status means for a user, and what to do: 401, 403, 404, 429. Other statuses keep
 * the message that is there. `file` is NULL for an answer about the repository. */
retort_status rt_hub_explain(const rt_hub *hub, const char *file, int status, const rt_headers *headers,
                             retort_status code, retort_error *err);

/* ---- select.c ---- */
/* Keeps the files to download, in their order: those that match a pattern of `include` (NULL: what this program uses)
 * and none of `exclude`. RETORT_ERR_NOT_FOUND where nothing is left, with what there is. */
retort_status rt_hub_select(rt_hub_files *files, const rt_hub *hub, const char *include, const char *exclude,
                            retort_error *err);

#endif
