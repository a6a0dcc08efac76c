/* The running server: one engine thread (the caller of retort_serve), one HTTP thread (libmicrohttpd's).
 *
 * The HTTP thread reads requests, makes jobs of them, puts them into `arrivals` and suspends the connection. The engine
 * thread starts them, steps the engine, and resumes connections as bytes come. Between steps it sweeps the connections:
 * a suspended one is not watched by libmicrohttpd, so a client that left is noticed here, and one that sends its
 * request too slowly is shut.
 *
 * Locks: server->lock before job->lock, never the other way round.
 */
#ifndef RT_SERVE_SERVER_H
#define RT_SERVE_SERVER_H

#include <microhttpd.h>

#include "retort/serve.h"
#include "serve/job.h"

struct exchange;

typedef struct rt_connection { /* an open socket */
    int fd;
    double since;            /* reading a request, or idle, since then */
    struct exchange *active; /* a request that has been read and not yet answered */
    struct rt_connection *before, *next;
} rt_connection;

typedef struct rt_arrival {
    rt_serve_job *job;
    struct rt_arrival *next;
} rt_arrival;

/* Counters for /metrics; each is written by one thread. */
typedef struct rt_serve_metrics {
    atomic_llong requests[6]; /* by the first digit of the status */
    atomic_llong sampled, fed, running, waiting, put_off, connections, steps, abandoned;
} rt_serve_metrics;

typedef struct rt_server {
    const retort_serve_options *options;
    rt_serve_model model;
    rt_decoder *decoder;
    rt_engine *engine;
    struct MHD_Daemon *daemon;
    rt_serve_metrics metrics;
    atomic_bool draining;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t work;
    rt_arrival *first, *last;
    int64_t num_requests; /* handed over and not yet answered */
    rt_connection *connections;
} rt_server;

/* http.c */
retort_status rt_serve_listen(rt_server *server, char address[80], retort_error *err);
/* Takes no more connections; those there are go on. */
void rt_serve_close_door(rt_server *server);
void rt_serve_hang_up(rt_server *server);
void rt_serve_sweep(rt_server *server);
/* True while an answer is being written. */
bool rt_serve_answering(rt_server *server);

/* server.c: hands a job to the engine thread; false where the queue is full. Takes a reference of its own. */
bool rt_serve_enqueue(rt_server *server, rt_serve_job *job);
/* A request that was enqueued has its answer: there is room for another. */
void rt_serve_leave(rt_server *server);

/* pages.c: the paths that need no engine. Each returns a JSON object (or text), NULL when out of memory. */
json_t *rt_serve_models(const rt_server *server);
retort_status rt_serve_metrics_text(rt_server *server, rt_buffer *out, retort_error *err);
/* False: *why says what is wrong. */
bool rt_serve_tokenize(const rt_server *server, const json_t *body, json_t **out, rt_params_error *why);
bool rt_serve_detokenize(const rt_server *server, const json_t *body, json_t **out, rt_params_error *why);

#endif
