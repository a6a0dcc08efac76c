/* What the Hub means by a status: it answers 401 for repositories that do not exist, as if they were private. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "hub/hub.h"

/* A stranger's text, fit for a terminal. */
static void plain(const char *text, char *out, size_t size) {
    size_t used = 0;
    for (; text != NULL && *text != '\0' && used + 1 < size; text++)
        if (isprint((unsigned char)*text)) out[used++] = *text;
    out[used] = '\0';
}

static retort_status gated(const rt_hub *hub, retort_error *err) {
    const char *folder = strcmp(hub->kind, "model") == 0 ? "" : "datasets/";
    if (hub->token == NULL)
        return rt_fail(err, RETORT_ERR_USAGE,
                       "'%s' is gated: ask for access at %s/%s%s, then give a token of that account (HF_TOKEN, "
                       "or --token-file)",
                       hub->repo, hub->endpoint, folder, hub->repo);
    return rt_fail(err, RETORT_ERR_USAGE,
                   "'%s' is gated, and the account of this token has no access (or the token may not read gated "
                   "repositories): ask for access at %s/%s%s",
                   hub->repo, hub->endpoint, folder, hub->repo);
}

static retort_status not_there(const rt_hub *hub, retort_error *err) {
    return rt_fail(err, RETORT_ERR_NOT_FOUND,
                   "there is no %s '%s' at %s that %s may see; check the name, or give a token that may read it "
                   "(HF_TOKEN, or --token-file)",
                   strcmp(hub->kind, "model") == 0 ? "model" : "data set", hub->repo, hub->endpoint,
                   hub->token != NULL ? "this token" : "everyone");
}

static retort_status missing(const rt_hub *hub, const char *file, const char *code, retort_error *err) {
    if (strcasecmp(code, "RepoNotFound") == 0) return not_there(hub, err);
    if (file != NULL && strcasecmp(code, "RevisionNotFound") != 0)
        return rt_fail(err, RETORT_ERR_NOT_FOUND, "'%s' lists the file '%s', but has it not at commit %s", hub->repo,
                       file, hub->commit);
    if (strcasecmp(code, "RevisionNotFound") == 0)
        return rt_fail(err, RETORT_ERR_NOT_FOUND, "'%s' has no revision '%s'; without --revision it is 'main'",
                       hub->repo, hub->revision);
    return not_there(hub, err);
}

retort_status rt_hub_explain(const rt_hub *hub, const char *file, int status, const rt_headers *headers,
                             retort_status code, retort_error *err) {
    char error_code[64], message[200];
    if (headers == NULL || code == RETORT_ERR_INTERRUPTED || code == RETORT_ERR_MEMORY) return code;
    plain(rt_headers_get(headers, "x-error-code"), error_code, sizeof error_code);
    plain(rt_headers_get(headers, "x-error-message"), message, sizeof message);
    if ((status == 401 || status == 403) && strcasecmp(error_code, "GatedRepo") == 0) return gated(hub, err);
    if (status == 401 && hub->token != NULL && strcasecmp(error_code, "RepoNotFound") != 0)
        return rt_fail(err, RETORT_ERR_USAGE,
                       "%s refuses the token (HTTP 401); it may have expired or been revoked: make a new one, or send "
                       "none (HF_HUB_DISABLE_IMPLICIT_TOKEN=1)",
                       hub->endpoint);
    if (status == 401) return not_there(hub, err);
    if (status == 403)
        return rt_fail(err, RETORT_ERR_USAGE, "%s refuses access to '%s' (HTTP 403)%s%s", hub->endpoint, hub->repo,
                       message[0] != '\0' ? ": " : "", message);
    if (status == 404) return missing(hub, file, error_code, err);
    if (status == 429)
        return rt_fail(err, RETORT_ERR_IO,
                       "%s asks for patience: too many requests (HTTP 429); run this again in a few minutes%s",
                       hub->endpoint, hub->token == NULL ? ", or with a token, which has a higher limit" : "");
    return code;
}
