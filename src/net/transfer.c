#include "net/transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/progress.h"
#include "net/url.h"

enum {
    BODY_MAXIMUM = 1 << 26,  /* where the request names none */
    ERROR_MAXIMUM = 1 << 20, /* of the body of an error or a redirect */
    EXCERPT = 1 << 12,
    PROGRESS = 1 << 20, /* bytes that make a connection count as one that works */
    SHOWN = 300
};

retort_status rt_transfer_create(const rt_http_options *options, const rt_http_request *request, rt_transfer **out,
                                 retort_error *err) {
    rt_transfer *t = rt_calloc(1, sizeof *t);
    RT_CHECK(t != NULL, err, RETORT_ERR_MEMORY, "out of memory: HTTP request");
    t->options = options;
    t->request = *request;
    t->easy = curl_easy_init();
    t->url = rt_strdup(request->url);
    t->at_home = true;
    if (t->easy == NULL || t->url == NULL) {
        rt_transfer_destroy(t);
        return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: HTTP request");
    }
    *out = t;
    return RETORT_OK;
}

void rt_transfer_destroy(rt_transfer *t) {
    if (t == NULL) return;
    if (t->easy != NULL) curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->fields);
    rt_free(t->url);
    rt_headers_free(&t->headers);
    rt_buffer_free(&t->excerpt);
    rt_free(t);
}

/* ---- what libcurl calls ---- */

static size_t refuse(rt_transfer *t) {
    t->refused = true;
    return 0; /* fewer bytes than offered: libcurl ends the transfer */
}

static retort_status begin_body(rt_transfer *t, retort_error *err) {
    long status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200) return RETORT_OK; /* "100 Continue" and its like: another head follows */
    t->head_done = true;
    t->head = (rt_http_head){(int)status, t->url, &t->headers};
    if (status == 200) t->offset = 0; /* the range was not heeded */
    if (status >= 400 || t->request.sink.head == NULL) return RETORT_OK;
    return t->request.sink.head(t->request.context, &t->head, err);
}

static size_t on_header(char *line, size_t size, size_t count, void *context) {
    rt_transfer *t = context;
    const size_t length = size * count;
    if (t->head_done) return length; /* trailers behind a chunked body */
    const bool last = length <= 2 && strspn(line, "\r\n") >= length;
    const retort_status st = last ? begin_body(t, &t->err) : rt_headers_add(&t->headers, line, length, &t->err);
    return st == RETORT_OK ? length : refuse(t);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context) {
    rt_transfer *t = context;
    const size_t length = size * count;
    const bool good = t->head.status >= 200 && t->head.status < 300;
    const long long asked = t->request.max_body > 0 ? t->request.max_body : BODY_MAXIMUM;
    const long long most = good ? asked - t->offset : ERROR_MAXIMUM;
    char shown[SHOWN];
    t->got += (long long)length;
    if (t->got > most && !good) return refuse(t); /* its status is the news, not its length */
    if (t->got > most) {
        rt_url_show(t->url, shown, sizeof shown);
        (void)rt_fail(&t->err, RETORT_ERR_FORMAT, "the answer from %s is longer than the %lld bytes expected", shown,
                      asked);
        return refuse(t);
    }
    if (good && t->request.sink.body != NULL) {
        return t->request.sink.body(t->request.context, bytes, length, &t->err) == RETORT_OK ? length : refuse(t);
    }
    const size_t room = EXCERPT - t->excerpt.length;
    if (rt_buffer_append(&t->excerpt, bytes, length < room ? length : room, &t->err) != RETORT_OK) return refuse(t);
    return length;
}

/* ---- a try ---- */

static retort_status add_field(rt_transfer *t, const char *text, retort_error *err) {
    struct curl_slist *longer = curl_slist_append(t->fields, text);
    RT_CHECK(longer != NULL, err, RETORT_ERR_MEMORY, "out of memory: header of an HTTP request");
    t->fields = longer;
    return RETORT_OK;
}

static retort_status add_joined(rt_transfer *t, const char *name, const char *value, retort_error *err) {
    rt_buffer text = {0};
    retort_status st = rt_buffer_printf(&text, err, "%s%s", name, value);
    if (st == RETORT_OK) st = add_field(t, text.data, err);
    if (text.data != NULL) memset(text.data, 0, text.length); /* it may be the token */
    rt_buffer_free(&text);
    return st;
}

static retort_status add_fields(rt_transfer *t, retort_error *err) {
    const char *if_range = NULL;
    char range[64];
    curl_slist_free_all(t->fields);
    t->fields = NULL;
    t->offset = 0;
    if (t->request.sink.prepare != NULL) t->request.sink.prepare(t->request.context, &t->offset, &if_range);
    for (const char *const *field = t->request.headers; field != NULL && *field != NULL; field++)
        RT_TRY(add_field(t, *field, err));
    RT_TRY(add_field(t, "Accept-Encoding: identity", err)); /* sizes and ranges count the bytes that arrive */
    if (t->request.post != NULL) RT_TRY(add_field(t, "Expect:", err));
    if (t->request.token != NULL && t->at_home) {
        RT_TRY(add_joined(t, "Authorization: Bearer ", t->request.token, err));
    }
    if (t->offset <= 0) return RETORT_OK;
    snprintf(range, sizeof range, "Range: bytes=%lld-", t->offset);
    RT_TRY(add_field(t, range, err));
    return if_range != NULL ? add_joined(t, "If-Range: ", if_range, err) : RETORT_OK;
}

/* libcurl itself reads neither variable; its default authorities hold where both are unset. */
static const char *authorities(void) {
    static const char *const NAMES[] = {"SSL_CERT_FILE", "CURL_CA_BUNDLE"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        const char *path = getenv(NAMES[i]);
        if (path != NULL && path[0] != '\0') return path;
    }
    return NULL;
}

static void set_protocols(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

static void set_options(rt_transfer *t) {
    const rt_http_options *o = t->options;
    CURL *easy = t->easy;
    curl_easy_reset(easy);
    set_protocols(easy);
    curl_easy_setopt(easy, CURLOPT_URL, t->url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->fields);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, o->user_agent != NULL ? o->user_agent : "retort/" RETORT_VERSION);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L); /* redirects are judged here, not by libcurl */
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(1000 * o->connect_timeout));
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, o->stall_timeout < 1 ? 1L : (long)o->stall_timeout);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(1000 * t->request.timeout));
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->cause);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 1L << 18);
    if (authorities() != NULL) curl_easy_setopt(easy, CURLOPT_CAINFO, authorities());
    if (t->request.post == NULL) return;
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, t->request.post);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->request.post_length);
}

retort_status rt_transfer_prepare(rt_transfer *t, retort_error *err) {
    rt_buffer_clear(&t->headers.text);
    rt_buffer_clear(&t->excerpt);
    t->head = (rt_http_head){0};
    t->head_done = t->refused = false;
    t->got = 0;
    t->cause[0] = '\0';
    RT_TRY(add_fields(t, err));
    set_options(t);
    return RETORT_OK;
}

/* ---- after a try ---- */

static bool is_passing(CURLcode result) {
    switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_AGAIN: return true;
    default: return false;
    }
}

static bool is_passing_status(int status) {
    return status == 408 || status == 409 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

/* Random by any means: only times depend on it. */
static double shorten(double pause, double jitter) {
    uint32_t random = 0;
    if (jitter <= 0 || getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random) return pause;
    return pause * (1 - jitter * ((double)random / (double)UINT32_MAX));
}

/* Whether there is another try, and when. */
static bool try_again(rt_transfer *t, double asked) {
    const long long reached = t->head.status >= 200 && t->head.status < 300 ? t->offset + t->got : 0;
    if (reached >= t->mark + PROGRESS) {
        t->mark = reached;
        t->failed = 0;
    }
    if (t->failed >= t->options->retries || asked > t->options->longest_pause) return false;
    double pause = t->options->pause;
    for (int i = 0; i < t->failed && pause < t->options->longest_pause; i++) pause *= 2;
    if (pause > t->options->longest_pause) pause = t->options->longest_pause;
    t->failed++;
    t->not_before = rt_now() + (asked >= 0 ? asked : shorten(pause, t->options->jitter));
    char *url = rt_strdup(t->request.url); /* where a redirect led may have expired */
    if (url == NULL) return false;
    rt_free(t->url);
    t->url = url;
    t->at_home = true;
    t->hops = 0;
    return true;
}

static retort_status follow(rt_transfer *t, retort_error *err) {
    const char *location = rt_headers_get(&t->headers, "location");
    char *url = NULL, shown[SHOWN];
    rt_url_show(t->url, shown, sizeof shown);
    RT_CHECK(location != NULL, err, RETORT_ERR_FORMAT, "%s redirects (HTTP %d) without saying where to", shown,
             t->head.status);
    RT_CHECK(++t->hops <= RT_HTTP_REDIRECTS, err, RETORT_ERR_FORMAT, "%s: more than %d redirects", shown,
             RT_HTTP_REDIRECTS);
    retort_status st = rt_url_join(t->url, location, &url, err);
    if (st != RETORT_OK) return rt_fail_context(err, st, "%s", shown);
    if (!rt_url_same_origin(url, t->request.url)) t->at_home = false;
    rt_free(t->url);
    t->url = url;
    t->not_before = 0;
    return RETORT_OK;
}

static retort_status connection_error(const rt_transfer *t, CURLcode result, retort_error *err) {
    char shown[SHOWN];
    const char *cause = t->cause[0] != '\0' ? t->cause : curl_easy_strerror(result);
    rt_url_show(t->url, shown, sizeof shown);
    if (result == CURLE_OUT_OF_MEMORY) return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: answer of %s", shown);
    if (result == CURLE_PEER_FAILED_VERIFICATION || result == CURLE_SSL_CACERT_BADFILE)
        return rt_fail(err, RETORT_ERR_IO,
                       "%s: the server's certificate cannot be verified (%.200s); SSL_CERT_FILE names a file of "
                       "authorities to trust",
                       shown, cause);
    if (t->failed > 0)
        return rt_fail(err, RETORT_ERR_IO, "%s: %.300s (after %d tries); check the network and run this again", shown,
                       cause, t->failed + 1);
    return rt_fail(err, RETORT_ERR_IO, "%s: %.300s; check the network and run this again", shown, cause);
}

static retort_status status_error(const rt_transfer *t, double asked, retort_error *err) {
    char shown[SHOWN];
    rt_url_show(t->url, shown, sizeof shown);
    if (asked > t->options->longest_pause)
        return rt_fail(err, RETORT_ERR_IO, "%s answered HTTP %d and asks to come back in %.0f seconds", shown,
                       t->head.status, asked);
    if (t->failed > 0)
        return rt_fail(err, RETORT_ERR_IO, "%s answered HTTP %d (after %d tries); run this again later", shown,
                       t->head.status, t->failed + 1);
    return rt_fail(err, RETORT_ERR_IO, "%s answered HTTP %d", shown, t->head.status);
}

bool rt_transfer_goes_on(rt_transfer *t, CURLcode result, retort_status *status) {
    const int code = t->head.status;
    /* An error's long body is cut by us: its status counts all the same. */
    const bool answered = t->head_done && (result == CURLE_OK || (t->refused && code >= 300 && t->got > ERROR_MAXIMUM));
    *status = RETORT_OK;
    if (t->refused && !answered) {
        *status = t->err.code;
    } else if (!answered) {
        if (is_passing(result) && try_again(t, -1)) return true;
        *status = connection_error(t, result, &t->err);
    } else if (code >= 300 && code < 400 && code != 304) {
        *status = follow(t, &t->err);
        return *status == RETORT_OK;
    } else if (code < 200 || code >= 300) {
        const double asked =
            is_passing_status(code) ? rt_parse_retry_after(rt_headers_get(&t->headers, "retry-after"), time(NULL)) : -1;
        if (is_passing_status(code) && try_again(t, asked)) return true;
        *status = status_error(t, asked, &t->err);
    }
    return false;
}
