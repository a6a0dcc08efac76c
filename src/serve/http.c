/* libmicrohttpd's side: requests in, answers out. Everything here runs on the HTTP thread, but for the functions that
 * server.h names. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/progress.h"
#include "serve/format.h"
#include "serve/server.h"

typedef struct route route;

typedef struct exchange { /* one request */
    rt_server *server;
    struct MHD_Connection *connection;
    rt_connection *peer;
    const route *route;
    rt_buffer body;
    rt_serve_job *job;
    bool suspended; /* guarded by job->lock */
    bool counted;   /* in server->num_requests */
} exchange;

/* ---- answers ---- */

static enum MHD_Result answer(exchange *x, unsigned int status, struct MHD_Response *response, const char *type) {
    if (response == NULL) return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (status == 401) MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    if (status == 503) MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
    const enum MHD_Result result = MHD_queue_response(x->connection, status, response);
    MHD_destroy_response(response);
    if (status / 100 < 6) atomic_fetch_add(&x->server->metrics.requests[status / 100], 1);
    return result;
}

static enum MHD_Result answer_bytes(exchange *x, unsigned int status, const rt_buffer *bytes, const char *type) {
    void *data = (void *)(uintptr_t)(bytes->length > 0 ? bytes->data : "");
    return answer(x, status, MHD_create_response_from_buffer(bytes->length, data, MHD_RESPMEM_MUST_COPY), type);
}

/* Takes the reference. */
static enum MHD_Result answer_json(exchange *x, unsigned int status, json_t *value) {
    rt_buffer text = {0};
    enum MHD_Result result = MHD_NO;
    if (value != NULL && rt_json_dump(value, JSON_COMPACT, &text, NULL) == RETORT_OK)
        result = answer_bytes(x, status, &text, "application/json");
    json_decref(value);
    rt_buffer_free(&text);
    return result;
}

static enum MHD_Result answer_error(exchange *x, unsigned int status, const char *param, const char *message) {
    return answer_json(x, status, rt_serve_error((int)status, rt_serve_error_type((int)status), param, message));
}

static enum MHD_Result answer_refusal(exchange *x, const rt_params_error *why) {
    const retort_status code = why->reason.code;
    const bool ours = code == RETORT_ERR_MEMORY || code == RETORT_ERR_IO;
    const unsigned int status = ours ? 500 : code == RETORT_ERR_NOT_FOUND ? 404 : 400;
    return answer_error(x, status, why->param, why->reason.message);
}

/* ---- generation: the connection sleeps while the engine works ---- */

static void wake_exchange(void *waiter) {
    exchange *x = waiter;
    if (!x->suspended) return;
    x->suspended = false;
    MHD_resume_connection(x->connection);
}

static void wake_nobody(void *waiter) {
    (void)waiter;
}

/* Its place is free before the client can know that it has been answered. */
static void leave_queue(exchange *x) {
    if (!x->counted) return;
    x->counted = false;
    rt_serve_leave(x->server);
}

/* Bytes of a stream as they come; 0 puts the connection to sleep until there are more. */
static ssize_t read_stream(void *context, uint64_t position, char *to, size_t room) {
    (void)position;
    exchange *x = context;
    rt_serve_job *job = x->job;
    pthread_mutex_lock(&job->lock);
    const size_t left = job->out.length - job->taken, count = left < room ? left : room;
    const bool over = count == 0 && (job->finished || atomic_load(&job->abandoned));
    if (count > 0) memcpy(to, job->out.data + job->taken, count);
    job->taken += count;
    if (count == 0 && !over) {
        x->suspended = true;
        MHD_suspend_connection(x->connection);
    }
    pthread_mutex_unlock(&job->lock);
    if (over) leave_queue(x);
    return over ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)count;
}

static enum MHD_Result begin_stream(exchange *x) {
    struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16384, read_stream, x, NULL);
    if (response == NULL) return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
    return answer(x, 200, response, "text/event-stream; charset=utf-8");
}

/* Called when the request has been read, and again whenever the sleeping connection wakes. */
static enum MHD_Result wait_or_answer(exchange *x) {
    rt_serve_job *job = x->job;
    pthread_mutex_lock(&job->lock);
    const bool abandoned = atomic_load(&job->abandoned), over = job->finished || abandoned;
    if (!over) {
        x->suspended = true;
        MHD_suspend_connection(x->connection);
    }
    pthread_mutex_unlock(&job->lock);
    if (!over) return MHD_YES;
    leave_queue(x);
    return abandoned ? MHD_NO : answer_bytes(x, (unsigned int)job->status, &job->out, "application/json");
}

static enum MHD_Result generate(exchange *x, json_t *body, bool chat) {
    rt_params_error why;
    if (!rt_serve_job_create(&x->server->model, x->server->engine, body, chat, &x->job, &why))
        return answer_refusal(x, &why);
    x->job->wake = wake_exchange;
    x->job->waiter = x;
    x->job->deadline = rt_now() + x->server->options->request_timeout;
    x->counted = rt_serve_enqueue(x->server, x->job);
    if (!x->counted) return answer_error(x, 503, NULL, "the queue is full; try again later");
    return x->job->params.stream ? begin_stream(x) : wait_or_answer(x);
}

/* ---- paths ---- */

static enum MHD_Result on_chat(exchange *x, json_t *body) {
    return generate(x, body, true);
}

static enum MHD_Result on_completion(exchange *x, json_t *body) {
    return generate(x, body, false);
}

static enum MHD_Result on_models(exchange *x, json_t *body) {
    json_decref(body);
    return answer_json(x, 200, rt_serve_models(x->server));
}

static enum MHD_Result on_health(exchange *x, json_t *body) {
    json_decref(body);
    const bool draining = atomic_load(&x->server->draining);
    return answer_json(x, draining ? 503 : 200, json_pack("{s:s}", "status", draining ? "draining" : "ok"));
}

static enum MHD_Result on_metrics(exchange *x, json_t *body) {
    json_decref(body);
    rt_buffer text = {0};
    enum MHD_Result result = MHD_NO;
    if (rt_serve_metrics_text(x->server, &text, NULL) == RETORT_OK)
        result = answer_bytes(x, 200, &text, "text/plain; version=0.0.4");
    rt_buffer_free(&text);
    return result;
}

typedef bool (*page)(const rt_server *server, const json_t *body, json_t **out, rt_params_error *why);

static enum MHD_Result answer_page(exchange *x, json_t *body, page make) {
    rt_params_error why = {0};
    json_t *out = NULL;
    const bool good = make(x->server, body, &out, &why);
    json_decref(body);
    return good ? answer_json(x, 200, out) : answer_refusal(x, &why);
}

static enum MHD_Result on_tokenize(exchange *x, json_t *body) {
    return answer_page(x, body, rt_serve_tokenize);
}

static enum MHD_Result on_detokenize(exchange *x, json_t *body) {
    return answer_page(x, body, rt_serve_detokenize);
}

struct route {
    const char *method, *path;
    bool open;                                            /* no key needed */
    enum MHD_Result (*handle)(exchange *x, json_t *body); /* body: taken; NULL for GET */
};

static const route ROUTES[] = {
    {"POST", "/v1/chat/completions", false, on_chat}, {"POST", "/v1/completions", false, on_completion},
    {"GET", "/v1/models", false, on_models},          {"POST", "/tokenize", false, on_tokenize},
    {"POST", "/detokenize", false, on_detokenize},    {"GET", "/health", true, on_health},
    {"GET", "/metrics", false, on_metrics},
};

/* *known: the path exists, with another method. */
static const route *find_route(const char *method, const char *path, bool *known) {
    *known = false;
    for (size_t i = 0; i < sizeof ROUTES / sizeof ROUTES[0]; i++) {
        if (strcmp(ROUTES[i].path, path) != 0) continue;
        *known = true;
        if (strcmp(ROUTES[i].method, method) == 0) return &ROUTES[i];
    }
    return NULL;
}

/* Takes the same time whatever the two differ in, so that a key cannot be guessed letter by letter. */
static bool same_key(const char *given, const char *key) {
    const size_t length = strlen(key), given_length = strlen(given);
    unsigned char difference = given_length != length;
    for (size_t i = 0; i < length; i++)
        difference |= (unsigned char)key[i] ^ (unsigned char)given[i < given_length ? i : given_length];
    return difference == 0;
}

static bool has_key(const exchange *x) {
    static const char scheme[] = "Bearer ";
    const char *key = x->server->options->api_key;
    const char *header = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
    return key == NULL || (header != NULL && strncmp(header, scheme, sizeof scheme - 1) == 0 &&
                           same_key(header + sizeof scheme - 1, key));
}

static bool announces_too_much(const exchange *x) {
    const char *length = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (length == NULL) return false;
    errno = 0;
    const unsigned long long value = strtoull(length, NULL, 10);
    return errno != 0 || value > (unsigned long long)x->server->options->max_body;
}

/* What can be said before the body is read; MHD_YES with *answered unset: read on. */
static enum MHD_Result check_head(exchange *x, const char *method, const char *path, bool *answered) {
    bool known;
    x->route = find_route(method, path, &known);
    *answered = true;
    if (x->route == NULL && known) return answer_error(x, 405, NULL, "this path takes another method");
    if (x->route == NULL)
        return answer_error(x, 404, NULL, "there is no such path; see /v1/models, /v1/chat/completions");
    if (!x->route->open && !has_key(x))
        return answer_error(x, 401, NULL, "a key is needed: send it as 'Authorization: Bearer KEY'");
    if (announces_too_much(x))
        return answer_error(x, 413, NULL, "the body is larger than this server takes (--max-body)");
    *answered = false;
    return MHD_YES;
}

static enum MHD_Result dispatch(exchange *x) {
    json_t *body = NULL;
    retort_error err = {0};
    pthread_mutex_lock(&x->server->lock);
    x->peer->active = x;
    pthread_mutex_unlock(&x->server->lock);
    if (atomic_load(&x->server->draining) && !x->route->open)
        return answer_error(x, 503, NULL, "the server is shutting down");
    if (strcmp(x->route->method, "POST") == 0 &&
        rt_json_parse(x->body.length > 0 ? x->body.data : "", x->body.length, "the body", &body, &err) != RETORT_OK)
        return answer_error(x, 400, NULL, err.message);
    return x->route->handle(x, body);
}

static rt_connection *peer_of(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info != NULL ? info->socket_context : NULL;
}

static enum MHD_Result begin(rt_server *server, struct MHD_Connection *connection, const char *method, const char *path,
                             void **state) {
    exchange *x = rt_calloc(1, sizeof *x);
    rt_connection *peer = peer_of(connection);
    if (x == NULL || peer == NULL) {
        rt_free(x);
        return MHD_NO;
    }
    *x = (exchange){.server = server, .connection = connection, .peer = peer};
    x->body.maximum = (size_t)server->options->max_body + 1;
    *state = x;
    bool answered;
    return check_head(x, method, path, &answered);
}

/* libmicrohttpd calls this first with the head, then with each piece of the body, then once more with none, and again
 * whenever a suspended connection is resumed before an answer was queued. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **state) {
    (void)version;
    exchange *x = *state;
    if (x == NULL) return begin(context, connection, method, url, state);
    if (*upload_size > 0) {
        /* A body without an announced length: there is no answering before its end, so the connection is dropped. */
        if (x->body.length + *upload_size > (size_t)x->server->options->max_body) return MHD_NO;
        if (rt_buffer_append(&x->body, upload, *upload_size, NULL) != RETORT_OK) return MHD_NO;
        *upload_size = 0;
        return MHD_YES;
    }
    return x->job != NULL ? wait_or_answer(x) : dispatch(x);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode how) {
    (void)connection;
    (void)how;
    rt_server *server = context;
    exchange *x = *state;
    if (x == NULL) return;
    pthread_mutex_lock(&server->lock);
    x->peer->active = NULL;
    x->peer->since = rt_now();
    pthread_mutex_unlock(&server->lock);
    leave_queue(x);
    if (x->job != NULL) {
        pthread_mutex_lock(&x->job->lock);
        if (!x->job->finished) atomic_store(&x->job->abandoned, true);
        x->job->wake = wake_nobody;
        pthread_mutex_unlock(&x->job->lock);
        rt_serve_job_release(x->job);
    }
    rt_buffer_free(&x->body);
    rt_free(x);
    *state = NULL;
}

/* ---- connections ---- */

static void on_connection(void *context, struct MHD_Connection *connection, void **state,
                          enum MHD_ConnectionNotificationCode what) {
    rt_server *server = context;
    pthread_mutex_lock(&server->lock);
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        rt_connection *c = info != NULL ? rt_calloc(1, sizeof *c) : NULL;
        if (c != NULL) {
            *c = (rt_connection){.fd = info->connect_fd, .since = rt_now(), .next = server->connections};
            if (c->next != NULL) c->next->before = c;
            server->connections = c;
            atomic_fetch_add(&server->metrics.connections, 1);
        }
        *state = c;
    } else if (*state != NULL) {
        rt_connection *c = *state;
        if (c->before != NULL)
            c->before->next = c->next;
        else
            server->connections = c->next;
        if (c->next != NULL) c->next->before = c->before;
        atomic_fetch_sub(&server->metrics.connections, 1);
        rt_free(c);
        *state = NULL;
    }
    pthread_mutex_unlock(&server->lock);
}

static bool has_left(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLRDHUP};
    return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

void rt_serve_sweep(rt_server *server) {
    pthread_mutex_lock(&server->lock);
    for (rt_connection *c = server->connections; c != NULL; c = c->next) {
        if (c->active == NULL) {
            if (rt_now() - c->since > server->options->read_timeout) shutdown(c->fd, SHUT_RDWR);
            continue;
        }
        rt_serve_job *job = c->active->job;
        if (job == NULL || !has_left(c->fd)) continue;
        pthread_mutex_lock(&job->lock);
        if (!job->finished && !atomic_exchange(&job->abandoned, true)) {
            atomic_fetch_add(&server->metrics.abandoned, 1);
            job->wake(job->waiter);
        }
        pthread_mutex_unlock(&job->lock);
    }
    pthread_mutex_unlock(&server->lock);
}

bool rt_serve_answering(rt_server *server) {
    bool any = false;
    pthread_mutex_lock(&server->lock);
    for (const rt_connection *c = server->connections; c != NULL; c = c->next) any = any || c->active != NULL;
    pthread_mutex_unlock(&server->lock);
    return any;
}

/* ---- the daemon ---- */

static retort_status parse_address(const retort_serve_options *o, struct sockaddr_storage *out, retort_error *err) {
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    *out = (struct sockaddr_storage){0};
    const char *host = strcmp(o->host, "localhost") == 0 ? "127.0.0.1" : o->host;
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)o->port);
    } else if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)o->port);
    } else {
        return rt_fail(err, RETORT_ERR_USAGE, "host '%s' is no numeric address, such as 127.0.0.1 or 0.0.0.0", o->host);
    }
    return RETORT_OK;
}

static void drop_log(void *context, const char *fmt, va_list args) {
    (void)context;
    (void)fmt;
    (void)args;
}

static struct MHD_Daemon *start_daemon(rt_server *server, const struct sockaddr_storage *address) {
    const retort_serve_options *o = server->options;
    const unsigned int flags = MHD_USE_EPOLL | MHD_USE_INTERNAL_POLLING_THREAD | MHD_ALLOW_SUSPEND_RESUME |
                               MHD_USE_ITC | MHD_USE_ERROR_LOG | (address->ss_family == AF_INET6 ? MHD_USE_IPv6 : 0);
    return MHD_start_daemon(flags, (uint16_t)o->port, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER,
                            drop_log, NULL, MHD_OPTION_SOCK_ADDR, (const struct sockaddr *)address,
                            MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_NOTIFY_CONNECTION,
                            on_connection, server, MHD_OPTION_CONNECTION_LIMIT, (unsigned int)o->max_connections,
                            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)(o->read_timeout + 1),
                            MHD_OPTION_LISTEN_BACKLOG_SIZE, 1024U, MHD_OPTION_END);
}

retort_status rt_serve_listen(rt_server *server, char address[80], retort_error *err) {
    const retort_serve_options *o = server->options;
    struct sockaddr_storage socket_address;
    RT_TRY(parse_address(o, &socket_address, err));
    errno = 0;
    server->daemon = start_daemon(server, &socket_address);
    RT_CHECK(server->daemon != NULL, err, RETORT_ERR_IO, "cannot listen on %s port %lld: %s", o->host,
             (long long)o->port, errno != 0 ? strerror(errno) : "refused");
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    const int port = info != NULL && info->port != 0 ? info->port : (int)o->port;
    const bool v6 = socket_address.ss_family == AF_INET6;
    snprintf(address, 80, "http://%s%.48s%s:%d", v6 ? "[" : "", o->host, v6 ? "]" : "", port);
    return RETORT_OK;
}

void rt_serve_close_door(rt_server *server) {
    const MHD_socket door = MHD_quiesce_daemon(server->daemon);
    if (door != MHD_INVALID_SOCKET) close(door);
}

void rt_serve_hang_up(rt_server *server) {
    if (server->daemon != NULL) MHD_stop_daemon(server->daemon);
    server->daemon = NULL;
}
