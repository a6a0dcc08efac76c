/* One request on its way: read from JSON, sampled by the engine's thread, formatted, fetched by the HTTP thread.
 *
 * Two threads hold it. The HTTP thread creates it, waits, and takes bytes out; the engine's thread starts it, appends
 * what the engine draws, and ends it. `lock` guards everything under the line; what is above it is fixed when the job
 * is handed over. Two references, the last one frees.
 */
#ifndef RT_SERVE_JOB_H
#define RT_SERVE_JOB_H

#include <pthread.h>
#include <stdatomic.h>

#include "sample/ban_list.h"
#include "sample/engine.h"
#include "serve/params.h"
#include "text/chat.h"

/* What every request shares; constant while the server runs. */
typedef struct rt_serve_model {
    const char *name; /* in /v1/models */
    rt_config config;
    rt_tokenizer *tokenizer;
    rt_chat *chat;        /* NULL: the model has no chat template */
    rt_pieces *pieces;    /* of the tokenizer, for the bans of all */
    rt_ban_list ban_list; /* the server's own; may hold nothing */
    rt_bans *bans;        /* made of it; NULL: nothing is banned */
    int32_t speculative_tokens;
    int64_t max_model_len, max_tokens; /* positions of a slot; longest response where a chat names none */
    int64_t created;                   /* Unix time */
    char fingerprint[24];
} rt_serve_model;

/* One response: prompt p's sample s is choice p * n + s. */
typedef struct rt_serve_choice {
    rt_decode_stream decode;
    rt_buffer text;     /* all so far, stop string included while it is held back */
    size_t sent;        /* bytes of it that the client may see (streams: has been sent) */
    json_t *logprobs;   /* items not yet sent, see format.c; NULL unless asked for */
    int64_t characters; /* of text */
    int64_t tokens;
    rt_finish finish;
    bool started, done;
} rt_serve_choice;

typedef struct rt_serve_prompt {
    struct rt_serve_job *job;
    int64_t index;
    int64_t begin, count; /* in ids */
    uint64_t ticket;      /* of the engine, 0: not submitted or over */
    json_t *scores;       /* echo with logprobs: items of the prompt's tokens */
    rt_buffer text;       /* echo: of the prompt */
    int64_t *offsets;     /* echo: [count] characters before each token */
    int64_t characters;   /* echo: of the text */
} rt_serve_prompt;

typedef struct rt_serve_job {
    const rt_serve_model *model;
    json_t *body;
    rt_serve_params params;
    rt_ids ids;
    rt_serve_prompt *prompts;
    int64_t num_prompts;
    rt_bans *bans; /* the request's own; NULL: those that the model has for all */
    rt_rules *rules;
    char id[40]; /* "chatcmpl-..." */
    int64_t created;
    double deadline; /* rt_now() at which it ends with an error */
    /* Wakes the HTTP side; called with the lock held. */
    void (*wake)(void *waiter);
    void *waiter;
    atomic_int references;
    atomic_bool abandoned; /* the client has gone */

    pthread_mutex_t lock;
    /* -------- */
    rt_serve_choice *choices;
    int64_t num_choices, num_done;
    int status;           /* HTTP status, 0 until it is known */
    rt_buffer out;        /* bytes for the client */
    size_t taken;         /* of them */
    bool finished;        /* no byte will come */
    retort_error failure; /* code not 0: a sample could not go on */
} rt_serve_job;

/* Renders and encodes the prompts, compiles the rules, checks that all fits. Takes the reference of body, also on
 * failure. False: *why says what is wrong (codes of rt_params_error). Thread-safe. */
bool rt_serve_job_create(const rt_serve_model *model, const rt_engine *engine, json_t *body, bool chat,
                         rt_serve_job **out, rt_params_error *why);
void rt_serve_job_release(rt_serve_job *job);

/* ---- on the engine's thread ---- */

/* Submits every prompt. A failure ends the job with an error; RETORT_OK then too. */
void rt_serve_job_start(rt_serve_job *job, rt_engine *engine);
/* Takes what is left out of the engine and, unless the client is gone, answers with this error. */
void rt_serve_job_stop(rt_serve_job *job, rt_engine *engine, int status, const char *type, const char *message);
/* Nothing is left to do: all choices are done, or it has failed (then it has been stopped), or it was abandoned. */
bool rt_serve_job_over(rt_serve_job *job, rt_engine *engine);

/* The engine's request for prompt p. */
rt_request rt_serve_request(rt_serve_job *job, int64_t p);
/* Characters of UTF-8 text. */
int64_t rt_serve_characters(const char *text, size_t length);

#endif
