#include "net/url.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Of a parsed URL; NULL where it has none. Where is_http holds, scheme, host, port and path are there. */
typedef struct parts {
    char *scheme, *user, *host, *port, *path;
} parts;

static void parts_free(parts *p) {
    curl_free(p->scheme);
    curl_free(p->user);
    curl_free(p->host);
    curl_free(p->port);
    curl_free(p->path);
}

static bool is_http(const parts *p) {
    return strcasecmp(p->scheme, "http") == 0 || strcasecmp(p->scheme, "https") == 0;
}

static bool parts_get(CURLU *url, parts *p) {
    *p = (parts){0};
    (void)curl_url_get(url, CURLUPART_USER, &p->user, 0);
    (void)curl_url_get(url, CURLUPART_SCHEME, &p->scheme, 0);
    (void)curl_url_get(url, CURLUPART_HOST, &p->host, 0);
    (void)curl_url_get(url, CURLUPART_PORT, &p->port, CURLU_DEFAULT_PORT);
    (void)curl_url_get(url, CURLUPART_PATH, &p->path, 0);
    /* "file:" has neither host nor port: then the scheme alone is what can be said. */
    if (p->scheme != NULL && (!is_http(p) || (p->host != NULL && p->port != NULL && p->path != NULL))) return true;
    parts_free(p);
    *p = (parts){0};
    return false;
}

static bool parse(const char *text, parts *p) {
    *p = (parts){0};
    CURLU *url = curl_url();
    if (url == NULL) return false;
    const bool ok = curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK && parts_get(url, p);
    curl_url_cleanup(url);
    return ok;
}

retort_status rt_url_check(const char *url, const char *what, retort_error *err) {
    parts p;
    RT_CHECK(parse(url, &p), err, RETORT_ERR_USAGE, "%s '%.200s' is no URL; it must look like https://host", what, url);
    retort_status st = RETORT_OK;
    if (!is_http(&p))
        st = rt_fail(err, RETORT_ERR_USAGE, "%s '%.200s' must begin with https:// or http://", what, url);
    else if (p.user != NULL) /* the URL is not shown: it holds a password */
        st = rt_fail(err, RETORT_ERR_USAGE, "%s must not hold a user name or password; use a token", what);
    parts_free(&p);
    return st;
}

/* The absolute form of a parsed target, checked. */
static retort_status absolute(CURLU *url, bool from_https, char **out, retort_error *err) {
    parts p;
    char *text = NULL;
    RT_CHECK(parts_get(url, &p), err, RETORT_ERR_FORMAT, "the server redirects to something that is no URL of the web");
    retort_status st = RETORT_OK;
    if (!is_http(&p))
        st = rt_fail(err, RETORT_ERR_FORMAT, "the server redirects to a '%.20s' URL, which is refused", p.scheme);
    else if (from_https && strcasecmp(p.scheme, "https") != 0)
        st = rt_fail(err, RETORT_ERR_FORMAT, "the server redirects from https to http, which is refused");
    else if (p.user != NULL)
        st = rt_fail(err, RETORT_ERR_FORMAT, "the server redirects to a URL with a user name, which is refused");
    parts_free(&p);
    RT_TRY(st);
    RT_CHECK(curl_url_get(url, CURLUPART_URL, &text, 0) == CURLUE_OK, err, RETORT_ERR_MEMORY,
             "out of memory: target of a redirect");
    *out = rt_strdup(text);
    curl_free(text);
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory: target of a redirect");
    return RETORT_OK;
}

retort_status rt_url_join(const char *base, const char *location, char **out, retort_error *err) {
    CURLU *url = curl_url();
    retort_status st;
    *out = NULL;
    RT_CHECK(url != NULL, err, RETORT_ERR_MEMORY, "out of memory: target of a redirect");
    if (curl_url_set(url, CURLUPART_URL, base, 0) != CURLUE_OK)
        st = rt_fail(err, RETORT_ERR_USAGE, "'%.200s' is no URL", base);
    else if (curl_url_set(url, CURLUPART_URL, location, CURLU_URLENCODE) != CURLUE_OK)
        st = rt_fail(err, RETORT_ERR_FORMAT, "the server redirects to something that is no URL of the web");
    else
        st = absolute(url, strncasecmp(base, "https:", 6) == 0, out, err);
    curl_url_cleanup(url);
    return st;
}

bool rt_url_same_origin(const char *a, const char *b) {
    parts p = {0}, q = {0};
    const bool same = parse(a, &p) && parse(b, &q) && is_http(&p) && strcasecmp(p.scheme, q.scheme) == 0 &&
                      strcasecmp(p.host, q.host) == 0 && strcmp(p.port, q.port) == 0;
    parts_free(&p);
    parts_free(&q);
    return same;
}

bool rt_url_is_loopback(const char *url) {
    parts p;
    if (!parse(url, &p)) return false;
    const bool loopback =
        is_http(&p) && (strcasecmp(p.host, "localhost") == 0 || strcmp(p.host, "[::1]") == 0 ||
                        (strncmp(p.host, "127.", 4) == 0 && strspn(p.host, "0123456789.") == strlen(p.host)));
    parts_free(&p);
    return loopback;
}

void rt_url_show(const char *url, char *out, size_t size) {
    parts p;
    if (!parse(url, &p) || !is_http(&p)) {
        parts_free(&p);
        snprintf(out, size, "a malformed URL");
        return;
    }
    const bool plain = strcmp(p.port, strcasecmp(p.scheme, "https") == 0 ? "443" : "80") == 0;
    snprintf(out, size, "%s://%s%s%s%s", p.scheme, p.host, plain ? "" : ":", plain ? "" : p.port, p.path);
    parts_free(&p);
}

retort_status rt_url_quote(rt_buffer *out, const char *text, bool keep_slashes, retort_error *err) {
    for (; *text != '\0'; text++) {
        const unsigned char c = (unsigned char)*text;
        if (isalnum(c) || strchr("-._~", c) != NULL || (c == '/' && keep_slashes))
            RT_TRY(rt_buffer_append(out, text, 1, err));
        else
            RT_TRY(rt_buffer_printf(out, err, "%%%02X", c));
    }
    return RETORT_OK;
}
