/* An OpenAI-compatible HTTP server over the sampling engine.
 *
 *     retort_serve_options options;
 *     retort_options_defaults(retort_serve_option_table, &options, &err);
 *     options.model = "assets/countdown-base";
 *     options.port = 8080;
 *     retort_serve(&options, listening, NULL, &err);      // returns after retort_interrupt(), when all is answered
 *
 * Paths: /v1/chat/completions, /v1/completions, /v1/models, /tokenize, /detokenize, /health, /metrics (Prometheus).
 * docs/serve.md describes every parameter of a request. A request that names a seed gets the same tokens whatever else
 * is in the batch, on every machine, and its log-probabilities are the trainer's, bit for bit.
 */
#ifndef RETORT_SERVE_H
#define RETORT_SERVE_H

#include "retort/options.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retort_serve_options {
    char *model;             /* Hugging Face directory */
    char *adapter;           /* PEFT folder of an adapter of that model, NULL: none */
    int dtype;               /* auto|f32|bf16|int8: how the weights are held */
    int kv_dtype;            /* f32|bf16: keys and values in the cache */
    char *served_model_name; /* what /v1/models says and requests must name; the folder's name when NULL */
    char *host;              /* numeric address; loopback unless said otherwise */
    int64_t port;            /* 0: any free one, which `listening` is told */
    char *api_key;           /* requests must bring it as "Authorization: Bearer KEY"; NULL: no key */
    char *ban_list;          /* words that no response may hold: categories or files, as for retort sample */
    int64_t batch, max_model_len, max_tokens, max_queue, max_connections, max_body, threads;
    int64_t speculative_tokens; /* guessed at most and checked in one step; 0: none */
    char *cache_memory;         /* "2GiB" for keys and values; NULL: as much as the batch can need at its longest */
    char *memory_limit;         /* "14GiB"; NULL: what the machine has free */
    double request_timeout, read_timeout, drain_timeout; /* seconds */
} retort_serve_options;

extern RETORT_API const retort_option retort_serve_option_table[];

/* Called once, when connections are accepted: the address as "http://127.0.0.1:8080". */
typedef void (*retort_serve_listening)(void *context, const char *address);

/* Serves until retort_interrupt(); then takes no new request, answers those it has within drain_timeout seconds, and
 * returns RETORT_OK. The process's SIGPIPE must be ignored by the caller. Errors: RETORT_ERR_IO where the address
 * cannot be had, and everything that loading a model can say. */
RETORT_API retort_status retort_serve(const retort_serve_options *options, retort_serve_listening listening,
                                      void *context, retort_error *err);

#ifdef __cplusplus
}
#endif
#endif
