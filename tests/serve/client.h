/* A server in a thread of its own, and the smallest HTTP client that can talk to it. */
#ifndef TEST_SERVE_CLIENT_H
#define TEST_SERVE_CLIENT_H

#include <pthread.h>

#include "core/json.h"
#include "folders.h"
#include "retort/progress.h"
#include "retort/serve.h"

typedef struct server_thread {
    retort_serve_options options;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ready;
    int port; /* 0: not yet */
    retort_status status;
    retort_error err;
} server_thread;

/* Serves a small random model with these options (model and port are set here) until stop_server, which returns what
 * retort_serve said. */
void start_server(server_thread *server, const char *model_dir);
retort_status stop_server(server_thread *server);

typedef struct reply {
    int status;           /* 0: the connection ended without an answer */
    rt_buffer head, body; /* body: chunks joined */
} reply;

/* A connected socket with a read time-out of 20 seconds. */
int connect_to(const server_thread *server);
void send_all(int fd, const char *bytes, size_t length);
/* Reads to the end of the connection. */
reply read_reply(int fd);
/* One request on a connection of its own; body NULL: GET. headers: lines ended by \r\n, or "". */
reply ask(const server_thread *server, const char *path, const char *headers, const char *body);
void drop_reply(reply *r);
/* The body as JSON, which must be valid. */
json_t *json_of(const reply *r);
/* A metric's value; fails the test if it is not there. */
long long metric(const server_thread *server, const char *name);

#endif
