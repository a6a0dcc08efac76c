/* What is said to an OpenAI-compatible endpoint, and what it says back. No network here: bytes in, bytes out. */
#ifndef RT_ASK_ENDPOINT_H
#define RT_ASK_ENDPOINT_H

#include "core/json.h"

typedef struct rt_ask {
    bool chat; /* /chat/completions, else /completions */
    bool stream;
    const char *model;
    const char *system; /* chat: first message, or NULL */
    const char *prompt; /* the user's message, or the whole prompt */
    int64_t max_tokens;
    double temperature, top_p;
    int64_t seed;        /* negative: none is sent */
    const json_t *extra; /* further members of the body, or NULL; they win */
} rt_ask;

/* Appends the body as compact JSON with sorted keys: equal questions have equal bytes. */
retort_status rt_ask_write(const rt_ask *ask, rt_buffer *out, retort_error *err);
/* The key of its reply: SHA-256 in hexadecimal of the problem's id, the sample and the body that does not stream, since
 * how a reply comes does not change what was asked. The endpoint's address is not in it. */
retort_status rt_ask_key(const rt_ask *ask, const char *id, int64_t sample, char key[65], retort_error *err);
/* 'extra_body' as an object; *out NULL where the text is NULL. The caller json_decref()s it. */
retort_status rt_ask_extra(const char *text, json_t **out, retort_error *err);

/* A reply, whole or as it comes. Zero-initialise. */
typedef struct rt_reply {
    rt_buffer text, reasoning;
    rt_buffer token_ids;    /* "1,2,3": what vLLM says of the text with return_token_ids; empty: not said */
    char finish_reason[32]; /* "" until it is known */
    char model[128];        /* "" if the endpoint names none */
    int64_t prompt_tokens, completion_tokens; /* -1: not said; valid once `usage` is set */
    bool usage;
    bool ended;     /* stream: [DONE] has come */
    rt_buffer line; /* stream: an unfinished line */
} rt_reply;

void rt_reply_clear(rt_reply *reply); /* for another try; memory is kept */
void rt_reply_free(rt_reply *reply);

/* A whole body. RETORT_ERR_FORMAT: no such reply, or an "error" member, whose message is in the error. */
retort_status rt_reply_parse(rt_reply *reply, const char *body, size_t length, bool chat, retort_error *err);
/* The next bytes of a stream of server-sent events, cut anywhere. */
retort_status rt_reply_feed(rt_reply *reply, const char *bytes, size_t length, bool chat, retort_error *err);
/* At the end of a stream: RETORT_ERR_FORMAT if it broke off, with neither a finish reason nor [DONE]. */
retort_status rt_reply_finish(rt_reply *reply, bool chat, retort_error *err);

#endif
