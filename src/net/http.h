/* HTTP as a client, over libcurl: several exchanges at once on one thread, each with redirects, retries and a sink that
 * its body streams into.
 *
 *     rt_http *http;
 *     RT_TRY(rt_http_create(&options, &http, err));
 *     RT_TRY(rt_http_start(http, &request, err));          any number of them
 *     while (rt_http_active(http) > 0) RT_TRY(rt_http_step(http, 0.2, err));
 *     rt_http_destroy(http);
 *
 * or, for one small answer, rt_http_fetch.
 *
 * Rules that hold for every exchange:
 * - Certificates are verified; SSL_CERT_FILE or CURL_CA_BUNDLE name other authorities. Proxies are those of the
 *   environment (https_proxy, no_proxy, ...). Only http and https are spoken, also after a redirect.
 * - The token goes to the origin (scheme, host, port) of the request's own URL, and to no other one that a redirect
 *   names; once a redirect has left that origin, the token stays away. It stands in no message.
 * - Tried again: connections that fail or are cut, and the statuses 408, 409, 429, 500, 502, 503, 504; first after
 *   `pause` seconds, then twice as long each time, or as long as Retry-After says. An exchange that moves on (a MiB or
 *   more since the last failure) starts counting anew.
 * - Bodies are bounded by the request's max_body, headers by RT_HEADERS_MAXIMUM, redirects by RT_HTTP_REDIRECTS.
 */
#ifndef RT_NET_HTTP_H
#define RT_NET_HTTP_H

#include "net/headers.h"

enum { RT_HTTP_REDIRECTS = 10 };

typedef struct rt_http rt_http;

typedef struct rt_http_options {
    const char *user_agent; /* NULL: "retort/VERSION" */
    int max_connections;    /* at once; 0: no bound */
    int retries;            /* tries after the first */
    double pause;           /* seconds before the second try */
    double jitter; /* up to this share of each pause is left out at random, so that many do not come back at once */
    double longest_pause;   /* a server that asks for more is an error at once */
    double connect_timeout; /* seconds */
    double stall_timeout;   /* seconds without a byte after which a connection counts as cut */
} rt_http_options;

/* One response as a sink sees it. `url` is where it came from. */
typedef struct rt_http_head {
    int status;
    const char *url;
    const rt_headers *headers;
} rt_http_head;

/* How an exchange ended. status RETORT_OK: a 2xx answer, whole. Otherwise err says what happened; head.status is the
 * HTTP status that ended it (0: there was none), and body the beginning of that answer. Valid during `done` only. */
typedef struct rt_http_outcome {
    retort_status status;
    const retort_error *err;
    rt_http_head head;
    const char *body;
    size_t body_length;
} rt_http_outcome;

/* Where a body goes. Members may be NULL. What a member returns other than RETORT_OK ends the exchange with that error,
 * without another try. */
typedef struct rt_http_sink {
    /* Before each try: the byte from which the body is wanted (0: all of it), and the entity tag that it must have for
     * that (NULL: any). A server may answer 206, or 200 with the whole body. */
    void (*prepare)(void *context, long long *offset, const char **if_range);
    /* A response before its body: any 2xx, and each redirect on the way (status 3xx). */
    retort_status (*head)(void *context, const rt_http_head *head, retort_error *err);
    retort_status (*body)(void *context, const void *bytes, size_t length, retort_error *err); /* of a 2xx */
    /* Last call of the exchange; it may start others. Not after rt_http_cancel. */
    void (*done)(void *context, const rt_http_outcome *outcome);
} rt_http_sink;

/* Everything it points to is borrowed until `done` has returned. */
typedef struct rt_http_request {
    const char *url;
    const char *token;          /* sent as "Authorization: Bearer TOKEN"; NULL: none */
    const char *const *headers; /* further fields "Name: value", ended by NULL; may be NULL */
    const char *post;           /* body of a POST; NULL: GET */
    size_t post_length;
    long long max_body; /* bytes; 0: 64 MiB */
    double timeout;     /* seconds for one try; 0: only the stall timeout counts */
    rt_http_sink sink;
    void *context;
} rt_http_request;

retort_status rt_http_create(const rt_http_options *options, rt_http **out, retort_error *err);
void rt_http_destroy(rt_http *http);
/* Ends what is under way; no sink hears of it. */
void rt_http_cancel(rt_http *http);

retort_status rt_http_start(rt_http *http, const rt_http_request *request, retort_error *err);
/* Exchanges that are not done, also those that wait for another try. */
int rt_http_active(const rt_http *http);
/* Waits at most `seconds` for something to happen and deals with it. RETORT_ERR_INTERRUPTED after Ctrl-C. */
retort_status rt_http_step(rt_http *http, double seconds, retort_error *err);

/* One exchange from start to end, its body in memory. The request's sink must be empty. *status (may be NULL) is the
 * HTTP status also where that is the error; headers (may be NULL) and body, whose maximum holds, are those of the last
 * answer, of an error only the beginning of its body. */
retort_status rt_http_fetch(rt_http *http, const rt_http_request *request, int *status, rt_headers *headers,
                            rt_buffer *body, retort_error *err);

#endif
