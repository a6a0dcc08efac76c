#include "judge_server.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jansson.h>

enum { MOST_REQUEST = 1 << 20 };

struct judge_server {
    int door, requests;
    char url[64];
    pthread_t thread;
    pthread_mutex_t lock;
};

/* What a judge sees: the response and the code of its markers. */
typedef struct task {
    const char *model;
    char *response;
    char code[64];
    bool odd;
} task;

/* ---- judges ---- */

static const char *const NAMES[] = {"perspective",  "metacognitive",   "verification",
                                    "backtracking", "subgoal_setting", "backward_chaining"};

static json_t *blank(const task *t) {
    json_t *all = json_object();
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) json_object_set_new(all, NAMES[i], json_array());
    return json_pack("{s:s, s:o}", "check", t->code, "behaviors", all);
}

static void quote(json_t *reply, const char *name, const char *text, size_t length) {
    json_array_append_new(json_object_get(json_object_get(reply, "behaviors"), name),
                          json_pack("{s:o}", "quote", json_stringn(text, length)));
}

/* Sentences as the careful judge sees them: from the word to the next full stop. */
static void quote_each(json_t *reply, const char *name, const char *response, const char *word) {
    for (const char *at = response; (at = strstr(at, word)) != NULL; at++) quote(reply, name, at, strcspn(at, "."));
}

static json_t *careful(const task *t) {
    json_t *reply = blank(t);
    quote_each(reply, "metacognitive", t->response, "Wait");
    quote_each(reply, "perspective", t->response, "Alternatively");
    return reply;
}

static char *dump_free(json_t *reply) {
    char *text = json_dumps(reply, JSON_COMPACT);
    json_decref(reply);
    return text;
}

/* Two spaces for one, and typographic apostrophes. */
static char *typist(const task *t) {
    char *plain = dump_free(careful(t)), *out = calloc(1, 4 * strlen(plain) + 1), *to = out;
    const char *quotes = strstr(plain, "\"quote\"");
    for (const char *c = plain; *c != '\0'; c++) {
        const bool inside = quotes != NULL && c > quotes;
        if (inside && *c == ' ')
            to += sprintf(to, "  ");
        else if (inside && *c == '\'')
            to += sprintf(to, "\xe2\x80\x99");
        else
            *to++ = *c;
    }
    free(plain);
    return out;
}

static char *chatty(const task *t) {
    char *plain = dump_free(careful(t)), *out = calloc(1, strlen(plain) + 300);
    sprintf(out,
            "<think>Is {\"check\": 1} what they want?</think>Here is my judgement:\n```json\n%s\n```\nI hope it "
            "helps.",
            plain);
    free(plain);
    return out;
}

/* \frac{1}{2} in a JSON string as models write it: \f is a form feed to a parser, and \( no escape at all. */
static char *latex(const task *t) {
    const char *at = strchr(t->response, '\\');
    char *out = calloc(1, 1000);
    snprintf(out, 1000,
             "{\"check\": \"%s\", \"behaviors\": {\"perspective\": [{\"quote\": \"%.*s\"}], \"metacognitive\": [], "
             "\"verification\": [], \"backtracking\": [], \"subgoal_setting\": [], \"backward_chaining\": []}}",
             t->code, at != NULL ? (int)strcspn(at, " .") : 0, at != NULL ? at : "");
    return out;
}

static char *gullible(const task *t) {
    const char *first = strchr(t->response, '{'), *last = strrchr(t->response, '}');
    return first != NULL && last != NULL ? strndup(first, (size_t)(last - first) + 1) : strdup("nothing to copy");
}

static char *answer_of(const task *t, const char **finish) {
    json_t *reply;
    *finish = "stop";
    if (strcmp(t->model, "chatty") == 0) return chatty(t);
    if (strcmp(t->model, "typist") == 0) return typist(t);
    if (strcmp(t->model, "latex") == 0) return latex(t);
    if (strcmp(t->model, "gullible") == 0) return gullible(t);
    if (strcmp(t->model, "mute") == 0) return strdup("The response shows two behaviours.");
    if (strcmp(t->model, "refuser") == 0) return strdup("I'm sorry, but I can't help with that.");
    if (strcmp(t->model, "wavering") == 0) return dump_free(t->odd ? blank(t) : careful(t));
    if (strcmp(t->model, "broken") == 0) {
        *finish = "length";
        return strdup("{\"check\": \"abc\", \"behaviors\": {\"perspective\": [{\"quote\": \"Alter");
    }
    reply = careful(t);
    if (strcmp(t->model, "inventor") == 0) {
        json_decref(reply);
        reply = blank(t);
        quote(reply, "perspective", "nobody wrote this sentence", 26);
    }
    if (strcmp(t->model, "half") == 0) quote(reply, "perspective", "nobody wrote this sentence", 26);
    if (strcmp(t->model, "sloppy") == 0) json_object_del(json_object_get(reply, "behaviors"), "verification");
    return dump_free(reply);
}

/* ---- HTTP ---- */

static bool read_task(const json_t *request, task *t) {
    static const char BEGIN[] = "----- BEGIN RESPONSE ";
    const json_t *messages = json_object_get(request, "messages");
    const char *text = json_string_value(json_object_get(json_array_get(messages, 1), "content"));
    t->model = json_string_value(json_object_get(request, "model"));
    t->odd = json_integer_value(json_object_get(request, "seed")) % 2 != 0;
    const char *begin = text != NULL ? strstr(text, BEGIN) : NULL;
    if (begin == NULL || t->model == NULL) return false;
    begin += sizeof BEGIN - 1;
    snprintf(t->code, sizeof t->code, "%.*s", (int)strcspn(begin, " "), begin);
    const char *from = strchr(begin, '\n');
    char mark[100];
    snprintf(mark, sizeof mark, "\n----- END RESPONSE %s -----", t->code);
    const char *to = from != NULL ? strstr(from, mark) : NULL;
    if (to == NULL) return false;
    t->response = strndup(from + 1, (size_t)(to - from - 1));
    return true;
}

static void put(int fd, const char *text) {
    size_t left = strlen(text);
    while (left > 0) {
        const ssize_t sent = send(fd, text, left, MSG_NOSIGNAL);
        if (sent <= 0) return;
        text += sent;
        left -= (size_t)sent;
    }
}

static void answer(int fd, const char *body) {
    task t = {0};
    json_t *request = json_loads(body, 0, NULL);
    char head[200];
    if (read_task(request, &t)) {
        const char *finish;
        char *text = answer_of(&t, &finish);
        char *reply =
            dump_free(json_pack("{s:s, s:[{s:i, s:{s:s, s:s}, s:s}], s:{s:i, s:i, s:i}}", "model", t.model, "choices",
                                "index", 0, "message", "role", "assistant", "content", text, "finish_reason", finish,
                                "usage", "prompt_tokens", 100, "completion_tokens", 10, "total_tokens", 110));
        snprintf(
            head, sizeof head,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
            strlen(reply));
        put(fd, head);
        put(fd, reply);
        free(reply);
        free(text);
    } else {
        put(fd, "HTTP/1.1 400 Bad\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    free(t.response);
    json_decref(request);
}

static const char *read_request(int fd, char *text) {
    size_t length = 0;
    for (;;) {
        const ssize_t got = recv(fd, text + length, MOST_REQUEST - 1 - length, 0);
        if (got <= 0) return NULL;
        length += (size_t)got;
        text[length] = '\0';
        const char *body = strstr(text, "\r\n\r\n"), *size = strcasestr(text, "content-length:");
        if (body == NULL || size == NULL) continue;
        if (length - (size_t)(body + 4 - text) >= (size_t)atoi(size + strlen("content-length:"))) return body + 4;
    }
}

static void *serve(void *context) {
    judge_server *s = context;
    char *text = malloc(MOST_REQUEST);
    for (;;) {
        const int fd = accept(s->door, NULL, NULL);
        if (fd < 0) break;
        const struct timeval patience = {.tv_sec = 5};
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        const char *body = read_request(fd, text);
        pthread_mutex_lock(&s->lock);
        s->requests += body != NULL;
        pthread_mutex_unlock(&s->lock);
        if (body != NULL) answer(fd, body);
        shutdown(fd, SHUT_WR);
        char rest[256];
        while (recv(fd, rest, sizeof rest, 0) > 0) continue; /* else the close would take back what was sent */
        close(fd);
    }
    free(text);
    return NULL;
}

judge_server *judge_server_start(void) {
    judge_server *s = calloc(1, sizeof *s);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (s == NULL) return NULL;
    s->door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pthread_mutex_init(&s->lock, NULL);
    if (bind(s->door, (const struct sockaddr *)&address, sizeof address) != 0 || listen(s->door, 64) != 0 ||
        getsockname(s->door, (struct sockaddr *)&address, &size) != 0 ||
        pthread_create(&s->thread, NULL, serve, s) != 0) {
        close(s->door);
        free(s);
        return NULL;
    }
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d/v1", ntohs(address.sin_port));
    return s;
}

void judge_server_stop(judge_server *s) {
    shutdown(s->door, SHUT_RDWR);
    close(s->door);
    pthread_join(s->thread, NULL);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

const char *judge_server_url(const judge_server *s) {
    return s->url;
}

int judge_server_requests(judge_server *s) {
    pthread_mutex_lock(&s->lock);
    const int requests = s->requests;
    pthread_mutex_unlock(&s->lock);
    return requests;
}
