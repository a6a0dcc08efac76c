/* What a request's JSON asks for: /v1/chat/completions and /v1/completions, with the names and meanings of the OpenAI
 * API and of vLLM's additions. Nothing is ignored in silence: a parameter that is unknown, or known but not offered, is
 * an error that names it, unless it cannot change the answer ("user", "metadata"). */
#ifndef RT_SERVE_PARAMS_H
#define RT_SERVE_PARAMS_H

#include "core/json.h"
#include "sample/engine.h"

enum { RT_SERVE_MAX_STOPS = 16, RT_SERVE_MAX_BIAS = 1024, RT_SERVE_MAX_BANS = 1024, RT_SERVE_MAX_N = 128 };

typedef struct rt_params_error {
    char param[64];      /* the JSON member at fault, "" where none is */
    retort_error reason; /* USAGE and FORMAT: the client's fault */
} rt_params_error;

typedef struct rt_serve_params {
    bool chat, stream, include_usage, echo, logprobs;
    int32_t num_best; /* candidates a token */
    int64_t n;
    int64_t max_tokens; /* -1: as many as the context holds */
    bool seeded;
    rt_sampling sampling; /* points into the fields below and into `body` */
    const char *stop[RT_SERVE_MAX_STOPS];
    int32_t stop_ids[RT_SERVE_MAX_STOPS];
    rt_bias bias[RT_SERVE_MAX_BIAS];
    const char *bans[RT_SERVE_MAX_BANS]; /* names of categories, words, phrases */
    int32_t num_bans;
    const char *model;      /* NULL: not named */
    const json_t *messages; /* chat */
    const json_t *extra;    /* chat: "chat_template_kwargs", or NULL */
    bool add_generation_prompt;
    const json_t *prompt; /* completions */
} rt_serve_params;

/* Reads a parsed body, which must outlive *out (large: keep it off small stacks). False: *why says what is wrong. */
bool rt_serve_params_read(const json_t *body, bool chat, rt_serve_params *out, rt_params_error *why);

#endif
