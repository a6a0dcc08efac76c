/* Fuzz target of what a server says: the first byte chooses what the rest is. Header lines, values of fields, the
 * target of a redirect, and the Hub's two documents. What is accepted must keep its promises: paths stay inside, hashes
 * are hexadecimal, redirects lead to the web. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/hub_cache.h"
#include "hub/hub.h"
#include "net/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void headers(const char *text, size_t size) {
    rt_headers headers = {0};
    retort_error err = {0};
    char tag[64];
    long long first, last, total;
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        const size_t length = end != NULL ? (size_t)(end - text) - at + 1 : size - at;
        if (rt_headers_add(&headers, text + at, length, &err) != RETORT_OK) break;
        at += length;
    }
    if (headers.text.length > RT_HEADERS_MAXIMUM) abort();
    if (rt_parse_content_range(rt_headers_get(&headers, "content-range"), &first, &last, &total) &&
        (first < 0 || last < first || (total >= 0 && last >= total)))
        abort();
    if (rt_parse_etag(rt_headers_get(&headers, "etag"), tag, sizeof tag, NULL) && (tag[0] == '\0' || strchr(tag, '"')))
        abort();
    const double wait = rt_parse_retry_after(rt_headers_get(&headers, "retry-after"), 1700000000);
    if (wait < 0 && wait != -1) abort();
    const char *link = rt_headers_get(&headers, "link");
    char *next = link != NULL ? rt_parse_next_link(link) : NULL;
    rt_free(next);
    rt_headers_free(&headers);
}

static void redirect(const char *text) {
    static const char BASE[] = "https://hub.example/org/name/resolve/main/file?x=1";
    retort_error err = {0};
    char *url = NULL, shown[200];
    if (rt_url_join(BASE, text, &url, &err) == RETORT_OK) {
        rt_url_show(url, shown, sizeof shown);
        if (strncasecmp(url, "https://", 8) != 0 || strchr(shown, '?') != NULL) abort();
        if (rt_url_same_origin(url, BASE) && strncasecmp(url, "https://hub.example", 19) != 0) abort();
    } else if (err.message[0] == '\0') {
        abort();
    }
    rt_free(url);
    (void)rt_url_check(text, "it", &err);
}

static void tree(const char *text, size_t size) {
    rt_hub_files files = {0};
    retort_error err = {0};
    if (rt_hub_parse_tree(text, size, "the list", &files, &err) != RETORT_OK && err.message[0] == '\0') abort();
    for (size_t i = 0; i < files.count; i++) {
        const rt_hub_file *f = &files.data[i];
        if (f->size < 0 || strspn(f->hash, "0123456789abcdef") != (f->large ? 64 : 40)) abort();
        if (f->path[0] == '/' || strstr(f->path, "/../") != NULL || strncmp(f->path, "../", 3) == 0) abort();
    }
    rt_hub hub = {.kind = "model", .repo = "org/name", .revision = "main"};
    if (files.count > 0) (void)rt_hub_select(&files, &hub, NULL, "*.[bj]*,x/", &err);
    rt_hub_files_free(&files);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char commit[41], *text;
    retort_error err = {0};
    if (size == 0) return 0;
    text = malloc(size); /* of its exact size, and ended by NUL */
    if (text == NULL) abort();
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    switch (data[0]) {
    case 'h': headers(text, size - 1); break;
    case 'u': redirect(text); break;
    case 't': tree(text, size - 1); break;
    case 'r':
        if (rt_hub_parse_revision(text, size - 1, "it", commit, &err) == RETORT_OK && !rt_hub_is_commit(commit))
            abort();
        break;
    default:
        if (rt_hub_is_repo_id(text) && (strstr(text, "..") != NULL || text[0] == '/')) abort();
        if (rt_hub_is_revision(text) && (strstr(text, "/../") != NULL || text[0] == '/')) abort();
    }
    free(text);
    return 0;
}
