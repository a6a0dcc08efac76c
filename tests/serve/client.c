#include "client.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- server ---- */

static void on_listening(void *context, const char *address) {
    server_thread *server = context;
    pthread_mutex_lock(&server->lock);
    server->port = atoi(strrchr(address, ':') + 1);
    pthread_cond_signal(&server->ready);
    pthread_mutex_unlock(&server->lock);
}

static void *serve(void *context) {
    server_thread *server = context;
    server->status = retort_serve(&server->options, on_listening, server, &server->err);
    pthread_mutex_lock(&server->lock);
    if (server->port == 0) server->port = -1;
    pthread_cond_signal(&server->ready);
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

void start_server(server_thread *server, const char *model_dir) {
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->ready, NULL);
    server->port = 0;
    server->options.model = (char *)(uintptr_t)model_dir;
    server->options.port = 0;
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
    pthread_mutex_lock(&server->lock);
    while (server->port == 0) pthread_cond_wait(&server->ready, &server->lock);
    pthread_mutex_unlock(&server->lock);
    if (server->port < 0) fail_msg("the server did not start: %s", server->err.message);
}

retort_status stop_server(server_thread *server) {
    retort_interrupt();
    pthread_join(server->thread, NULL);
    retort_interrupt_clear();
    pthread_mutex_destroy(&server->lock);
    pthread_cond_destroy(&server->ready);
    return server->status;
}

/* ---- client ---- */

int connect_to(const server_thread *server) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)server->port)};
    const struct timeval patience = {.tv_sec = 20};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* A server may hang up in the middle of a request; that is what some tests want. */
void send_all(int fd, const char *bytes, size_t length) {
    while (length > 0) {
        const ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
        if (sent <= 0) return;
        bytes += sent;
        length -= (size_t)sent;
    }
}

static void unchunk(const char *from, size_t length, rt_buffer *to) {
    retort_error err;
    const char *end = from + length;
    for (;;) {
        char *after = NULL;
        const size_t size = strtoul(from, &after, 16);
        const char *data = after + 2;
        if (size == 0 || data + size > end) return;
        assert_ok(rt_buffer_append(to, data, size, &err));
        from = data + size + 2;
    }
}

reply read_reply(int fd) {
    retort_error err;
    rt_buffer all = {0};
    reply r = {0};
    char piece[4096];
    ssize_t got;
    while ((got = recv(fd, piece, sizeof piece, 0)) > 0) assert_ok(rt_buffer_append(&all, piece, (size_t)got, &err));
    close(fd);
    const char *split = all.length > 0 ? strstr(all.data, "\r\n\r\n") : NULL;
    if (split != NULL) {
        const char *body = split + 4;
        const size_t left = all.length - (size_t)(body - all.data);
        r.status = atoi(all.data + strlen("HTTP/1.1 "));
        assert_ok(rt_buffer_append(&r.head, all.data, (size_t)(split - all.data), &err));
        if (strstr(r.head.data, "chunked") != NULL)
            unchunk(body, left, &r.body);
        else
            assert_ok(rt_buffer_append(&r.body, body, left, &err));
    }
    rt_buffer_free(&all);
    return r;
}

reply ask(const server_thread *server, const char *path, const char *headers, const char *body) {
    retort_error err;
    rt_buffer request = {0};
    const int fd = connect_to(server);
    assert_ok(rt_buffer_printf(&request, &err, "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s",
                               body != NULL ? "POST" : "GET", path, headers));
    if (body != NULL) assert_ok(rt_buffer_printf(&request, &err, "Content-Length: %zu\r\n", strlen(body)));
    assert_ok(rt_buffer_printf(&request, &err, "\r\n%s", body != NULL ? body : ""));
    send_all(fd, request.data, request.length);
    rt_buffer_free(&request);
    return read_reply(fd);
}

void drop_reply(reply *r) {
    rt_buffer_free(&r->head);
    rt_buffer_free(&r->body);
    *r = (reply){0};
}

json_t *json_of(const reply *r) {
    retort_error err;
    json_t *value = NULL;
    assert_true(r->body.length > 0);
    assert_ok(rt_json_parse(r->body.data, r->body.length, "reply", &value, &err));
    return value;
}

long long metric(const server_thread *server, const char *name) {
    char key[80];
    reply r = ask(server, "/metrics", "", NULL);
    snprintf(key, sizeof key, "\nretort_%s ", name);
    const char *at = r.body.length > 0 ? strstr(r.body.data, key) : NULL;
    if (at == NULL) fail_msg("no metric '%s'", name);
    const long long value = atoll(at + strlen(key));
    drop_reply(&r);
    return value;
}
