#include "fault_server.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_QUESTIONS = 8192, MAX_REQUEST = 65536 };

typedef struct question {
    uint64_t hash;
    int tries, answers;
    double last; /* when the last try came */
} question;

struct fault_server {
    int door;
    char url[64];
    fault_mode mode;
    int delay_ms;
    pthread_t thread;
    pthread_mutex_t lock;
    bool closing;
    int open;
    question questions[MAX_QUESTIONS];
    fault_counts counts;
};

typedef struct connection {
    fault_server *server;
    int fd;
} connection;

typedef enum kind {
    KIND_GOOD,
    KIND_429,
    KIND_500,
    KIND_CUT_AT_ONCE,
    KIND_CUT_HALF,
    KIND_BAD_JSON,
    KIND_HTML,
    KIND_EMPTY,
    KIND_408,
    KIND_409,
    KIND_ERROR_INSIDE, /* 200 with an "error" member */
    KINDS,
    KIND_ENDLESS,
    KIND_SILENT,
    KIND_LATER,
    KIND_401
} kind;

static void pause_ms(int ms) {
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&t, NULL);
}

static bool put(int fd, const char *text) {
    size_t left = strlen(text);
    while (left > 0) {
        const ssize_t sent = send(fd, text, left, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        text += sent;
        left -= (size_t)sent;
    }
    return true;
}

/* ---- answers ---- */

static bool put_answer(int fd, const char *status, const char *type, const char *extra, const char *body) {
    char head[400];
    snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Type: %s\r\n%sContent-Length: %zu\r\nConnection: close\r\n\r\n",
             status, type, extra, strlen(body));
    return put(fd, head) && put(fd, body);
}

static const char STREAM_HEAD[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
static const char STREAM_HALF[] =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"So \"}}]}\r\n\r\n: ping\n";
static const char STREAM_REST[] =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\\\\boxed{7}\"},\"finish_reason\":\"stop\"}]}\n\n"
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":3,\"total_tokens\":8}}\n\ndata: "
    "[DONE]\n\n";
static const char WHOLE[] =
    "{\"model\":\"m-1\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"So "
    "\\\\boxed{7}\",\"reasoning_content\":"
    "\"hm\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":3,\"total_tokens\":8}}";

static bool put_good(int fd, bool stream) {
    if (!stream) return put_answer(fd, "200 OK", "application/json", "", WHOLE);
    return put(fd, STREAM_HEAD) && put(fd, STREAM_HALF) && put(fd, STREAM_REST);
}

static void put_half(int fd, bool stream) {
    if (stream) {
        put(fd, STREAM_HEAD);
        put(fd, STREAM_HALF);
        return;
    }
    char text[600];
    snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%.40s",
             strlen(WHOLE), WHOLE);
    put(fd, text);
}

static void put_endless(int fd) {
    put(fd, STREAM_HEAD);
    for (int i = 0; i < 2000 && put(fd, ": still thinking\n\n"); i++) pause_ms(10);
}

/* Until the other side has had enough. */
static void put_silence(int fd) {
    char byte;
    put(fd, STREAM_HEAD);
    while (recv(fd, &byte, 1, 0) > 0) continue;
}

/* True if it was a good answer, in full. */
static bool put_kind(int fd, kind what, bool stream) {
    const char *type = stream ? "text/event-stream" : "application/json";
    switch (what) {
    case KIND_GOOD: return put_good(fd, stream);
    case KIND_429: put_answer(fd, "429 Too Many Requests", "application/json", "Retry-After: 0\r\n", "{}"); break;
    case KIND_500: put_answer(fd, "500 Oh", "text/plain", "", "oh"); break;
    case KIND_408: put_answer(fd, "408 Late", "application/json", "", "{\"error\":{\"message\":\"late\"}}"); break;
    case KIND_CUT_HALF: put_half(fd, stream); break;
    case KIND_BAD_JSON: put_answer(fd, "200 OK", type, "", "data: {\"choices\": [{\n\n"); break;
    case KIND_HTML: put_answer(fd, "200 OK", "text/html", "", "<html>welcome</html>"); break;
    case KIND_EMPTY: put_answer(fd, "200 OK", type, "", ""); break;
    case KIND_ERROR_INSIDE:
        put_answer(fd, "200 OK", type, "",
                   stream ? "data: {\"error\":{\"message\":\"overloaded\"}}\n\n"
                          : "{\"error\":{\"message\":\"overloaded\"}}");
        break;
    case KIND_409: put_answer(fd, "409 Conflict", "application/json", "", "{}"); break;
    case KIND_ENDLESS: put_endless(fd); break;
    case KIND_SILENT: put_silence(fd); break;
    case KIND_LATER: put_answer(fd, "429 Later", "application/json", "Retry-After: 1\r\n", "{}"); break;
    case KIND_401: put_answer(fd, "401 No", "application/json", "", "{\"error\":{\"message\":\"wrong key\"}}"); break;
    case KIND_CUT_AT_ONCE:
    case KINDS: break;
    }
    return false;
}

/* ---- requests ---- */

static uint64_t hash_of(const char *body) {
    uint64_t h = 0xCBF29CE484222325u;
    for (; *body != '\0'; body++) h = (h ^ (uint8_t)*body) * 0x100000001B3u;
    return h ^ h >> 29;
}

static question *find_question(fault_server *s, uint64_t hash) {
    size_t i = hash % MAX_QUESTIONS;
    while (s->questions[i].hash != 0 && s->questions[i].hash != hash) i = (i + 1) % MAX_QUESTIONS;
    if (s->questions[i].hash == 0) s->counts.questions++;
    s->questions[i].hash = hash;
    return &s->questions[i];
}

static kind choose(const fault_server *s, const question *q) {
    if (s->mode == FAULTS_REFUSED) return KIND_401;
    if (s->mode == FAULTS_NONE || q->tries > 1) return KIND_GOOD;
    if (s->mode == FAULTS_ENDLESS) return KIND_ENDLESS;
    if (s->mode == FAULTS_SILENT) return KIND_SILENT;
    if (s->mode == FAULTS_LATER) return KIND_LATER;
    return q->hash % 3 == 0 ? KIND_GOOD : (kind)(q->hash / 3 % KINDS);
}

/* The body, where the request is whole. */
static const char *read_request(int fd, char *text) {
    size_t length = 0;
    for (;;) {
        const ssize_t got = recv(fd, text + length, MAX_REQUEST - 1 - length, 0);
        if (got <= 0) return NULL;
        length += (size_t)got;
        text[length] = '\0';
        const char *body = strstr(text, "\r\n\r\n"), *size = strcasestr(text, "content-length:");
        if (body == NULL) continue;
        if (size == NULL) return NULL;
        if (strlen(body + 4) >= (size_t)atoi(size + strlen("content-length:"))) return body + 4;
    }
}

static void answer(fault_server *s, int fd, const char *text, const char *body) {
    pthread_mutex_lock(&s->lock);
    question *q = find_question(s, hash_of(body));
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    const double now = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
    const int waited = (int)(1000 * (now - q->last));
    if (q->tries > 0 && (s->counts.quickest < 0 || waited < s->counts.quickest)) s->counts.quickest = waited;
    q->last = now;
    q->tries++;
    s->counts.requests++;
    s->counts.with_token += strcasestr(text, "authorization: bearer sesame\r\n") != NULL;
    const kind what = choose(s, q);
    pthread_mutex_unlock(&s->lock);
    if (s->delay_ms > 0) pause_ms(s->delay_ms);
    const bool good = put_kind(fd, what, strstr(body, "\"stream\":true") != NULL);
    pthread_mutex_lock(&s->lock);
    s->counts.answered += good;
    s->counts.twice += good && q->answers > 0;
    q->answers += good;
    pthread_mutex_unlock(&s->lock);
}

static void *serve_one(void *context) {
    connection *c = context;
    fault_server *s = c->server;
    char *text = malloc(MAX_REQUEST);
    const char *body = text != NULL ? read_request(c->fd, text) : NULL;
    if (body != NULL) answer(s, c->fd, text, body);
    shutdown(c->fd, SHUT_WR);
    char rest[256];
    while (recv(c->fd, rest, sizeof rest, 0) > 0) continue; /* else the close would take back what was sent */
    close(c->fd);
    free(text);
    pthread_mutex_lock(&s->lock);
    s->open--;
    pthread_mutex_unlock(&s->lock);
    free(c);
    return NULL;
}

static void *serve(void *context) {
    fault_server *s = context;
    for (;;) {
        const int fd = accept(s->door, NULL, NULL);
        if (fd < 0) return NULL;
        const struct timeval patience = {.tv_sec = 5};
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        connection *c = malloc(sizeof *c);
        pthread_t thread;
        *c = (connection){s, fd};
        pthread_mutex_lock(&s->lock);
        s->open++;
        if (s->open > s->counts.most) s->counts.most = s->open;
        pthread_mutex_unlock(&s->lock);
        if (pthread_create(&thread, NULL, serve_one, c) == 0) pthread_detach(thread);
    }
}

fault_server *fault_server_start(fault_mode mode, int delay_ms) {
    fault_server *s = calloc(1, sizeof *s);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (s == NULL) return NULL;
    s->mode = mode;
    s->delay_ms = delay_ms;
    s->counts.quickest = -1;
    s->door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pthread_mutex_init(&s->lock, NULL);
    if (bind(s->door, (const struct sockaddr *)&address, sizeof address) != 0 || listen(s->door, 256) != 0 ||
        getsockname(s->door, (struct sockaddr *)&address, &size) != 0 ||
        pthread_create(&s->thread, NULL, serve, s) != 0) {
        close(s->door);
        free(s);
        return NULL;
    }
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d/v1", ntohs(address.sin_port));
    return s;
}

void fault_server_stop(fault_server *s) {
    shutdown(s->door, SHUT_RDWR);
    close(s->door);
    pthread_join(s->thread, NULL);
    for (int open = 1, i = 0; open > 0 && i < 1000; i++) {
        pthread_mutex_lock(&s->lock);
        open = s->open;
        pthread_mutex_unlock(&s->lock);
        if (open > 0) pause_ms(10);
    }
    pthread_mutex_destroy(&s->lock);
    free(s);
}

const char *fault_server_url(const fault_server *s) {
    return s->url;
}

fault_counts fault_server_counts(fault_server *s) {
    pthread_mutex_lock(&s->lock);
    const fault_counts counts = s->counts;
    pthread_mutex_unlock(&s->lock);
    return counts;
}
