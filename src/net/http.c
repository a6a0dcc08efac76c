#include "net/http.h"

#include <pthread.h>
#include <string.h>

#include "core/progress.h"
#include "net/transfer.h"

struct rt_http {
    rt_http_options options;
    CURLM *multi;
    rt_transfer *first; /* every exchange that is not done */
    int active;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool curl_ready;

static void initialise(void) {
    curl_ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

retort_status rt_http_create(const rt_http_options *options, rt_http **out, retort_error *err) {
    *out = NULL;
    RT_CHECK(pthread_once(&once, initialise) == 0 && curl_ready, err, RETORT_ERR_MEMORY, "libcurl cannot start");
    rt_http *http = rt_calloc(1, sizeof *http);
    RT_CHECK(http != NULL, err, RETORT_ERR_MEMORY, "out of memory: HTTP client");
    http->options = *options;
    http->multi = curl_multi_init();
    if (http->multi == NULL) {
        rt_free(http);
        return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: HTTP client");
    }
    curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)options->max_connections);
    *out = http;
    return RETORT_OK;
}

/* Takes an exchange out of the list and out of libcurl's hands. */
static void detach(rt_http *http, rt_transfer *t) {
    rt_transfer **link = &http->first;
    while (*link != NULL && *link != t) link = &(*link)->next;
    if (*link != NULL) *link = t->next;
    if (t->running) curl_multi_remove_handle(http->multi, t->easy);
    http->active--;
}

void rt_http_cancel(rt_http *http) {
    while (http->first != NULL) {
        rt_transfer *t = http->first;
        detach(http, t);
        rt_transfer_destroy(t);
    }
}

void rt_http_destroy(rt_http *http) {
    if (http == NULL) return;
    rt_http_cancel(http);
    curl_multi_cleanup(http->multi);
    rt_free(http);
}

retort_status rt_http_start(rt_http *http, const rt_http_request *request, retort_error *err) {
    rt_transfer *t;
    RT_TRY(rt_transfer_create(&http->options, request, &t, err));
    rt_transfer **link = &http->first; /* first come, first served */
    while (*link != NULL) link = &(*link)->next;
    *link = t;
    http->active++;
    return RETORT_OK;
}

int rt_http_active(const rt_http *http) {
    return http->active;
}

static void end(rt_http *http, rt_transfer *t, retort_status status) {
    detach(http, t);
    t->running = false;
    const rt_http_outcome outcome = {status, &t->err, t->head, t->excerpt.data, t->excerpt.length};
    if (t->request.sink.done != NULL) t->request.sink.done(t->request.context, &outcome);
    rt_transfer_destroy(t);
}

/* Hands libcurl the exchanges whose time has come; *wait becomes the seconds until the next one's. */
static void launch(rt_http *http, double *wait) {
    const double now = rt_now();
    for (rt_transfer *t = http->first, *next; t != NULL; t = next) {
        next = t->next;
        if (t->running) continue;
        if (t->not_before > now) {
            if (t->not_before - now < *wait) *wait = t->not_before - now;
            continue;
        }
        retort_status st = rt_transfer_prepare(t, &t->err);
        if (st == RETORT_OK && curl_multi_add_handle(http->multi, t->easy) != CURLM_OK)
            st = rt_fail(&t->err, RETORT_ERR_MEMORY, "out of memory: HTTP request");
        t->running = st == RETORT_OK;
        if (st == RETORT_OK) continue;
        end(http, t, st);
        return; /* its `done` may have changed the list; the next step goes on */
    }
}

/* How many exchanges have ended. */
static int collect(rt_http *http) {
    const CURLMsg *message;
    int left, ended = 0;
    while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE) continue;
        char *private = NULL;
        const CURLcode result = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
        rt_transfer *t = (rt_transfer *)(void *)private;
        retort_status status;
        const bool again = rt_transfer_goes_on(t, result, &status);
        curl_multi_remove_handle(http->multi, t->easy);
        t->running = false;
        if (again) continue;
        end(http, t, status);
        ended++;
    }
    return ended;
}

retort_status rt_http_step(rt_http *http, double seconds, retort_error *err) {
    int running = 0;
    RT_CHECK(!rt_interrupted(), err, RETORT_ERR_INTERRUPTED, "interrupted");
    launch(http, &seconds);
    CURLMcode code = curl_multi_perform(http->multi, &running);
    /* Where one has ended the caller may have another to start: no waiting. */
    const int ended = code == CURLM_OK ? collect(http) : 0;
    if (code == CURLM_OK && ended == 0 && http->active > 0) {
        launch(http, &seconds); /* redirects go on at once */
        code = curl_multi_perform(http->multi, &running);
        if (code == CURLM_OK) code = curl_multi_poll(http->multi, NULL, 0, (int)(1000 * seconds) + 1, NULL);
    }
    RT_CHECK(code == CURLM_OK, err, code == CURLM_OUT_OF_MEMORY ? RETORT_ERR_MEMORY : RETORT_ERR_IO, "HTTP client: %s",
             curl_multi_strerror(code));
    RT_CHECK(!rt_interrupted(), err, RETORT_ERR_INTERRUPTED, "interrupted");
    return RETORT_OK;
}

/* ---- one exchange into memory ---- */

typedef struct fetch {
    rt_buffer *body;
    rt_headers *headers;
    retort_status status;
    retort_error err;
    int http_status;
    bool done;
} fetch;

/* A try that was cut has left the beginning of its body behind. */
static retort_status fetch_head(void *context, const rt_http_head *head, retort_error *err) {
    fetch *f = context;
    (void)err;
    if (head->status >= 200 && head->status < 300) rt_buffer_clear(f->body);
    return RETORT_OK;
}

static retort_status fetch_body(void *context, const void *bytes, size_t length, retort_error *err) {
    return rt_buffer_append(((fetch *)context)->body, bytes, length, err);
}

static void fetch_done(void *context, const rt_http_outcome *outcome) {
    fetch *f = context;
    f->done = true;
    f->status = outcome->status;
    f->http_status = outcome->head.status;
    if (outcome->status != RETORT_OK) f->err = *outcome->err;
    if (outcome->status != RETORT_OK && outcome->body_length > 0) {
        rt_buffer_clear(f->body);
        (void)rt_buffer_append(f->body, outcome->body, outcome->body_length, NULL); /* there is an error already */
    }
    if (f->headers == NULL || outcome->head.headers == NULL) return;
    rt_buffer_clear(&f->headers->text);
    const rt_buffer *text = &outcome->head.headers->text;
    retort_status st = rt_buffer_append(&f->headers->text, text->data, text->length, &f->err);
    if (f->status == RETORT_OK) f->status = st;
}

retort_status rt_http_fetch(rt_http *http, const rt_http_request *request, int *status, rt_headers *headers,
                            rt_buffer *body, retort_error *err) {
    fetch f = {.body = body, .headers = headers};
    rt_http_request own = *request;
    own.sink = (rt_http_sink){.head = fetch_head, .body = fetch_body, .done = fetch_done};
    own.context = &f;
    if (status != NULL) *status = 0;
    RT_TRY(rt_http_start(http, &own, err));
    while (!f.done) {
        retort_status st = rt_http_step(http, 0.2, err);
        if (st == RETORT_OK) continue;
        rt_transfer *t = http->first;
        while (t != NULL && t->request.context != &f) t = t->next;
        if (t != NULL) {
            detach(http, t);
            rt_transfer_destroy(t);
        }
        return st;
    }
    if (status != NULL) *status = f.http_status;
    if (f.status != RETORT_OK && err != NULL) *err = f.err;
    return f.status;
}
