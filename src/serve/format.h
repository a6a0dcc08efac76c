/* Responses as the OpenAI API spells them. Functions return NULL or RETORT_ERR_MEMORY only when memory is out. */
#ifndef RT_SERVE_FORMAT_H
#define RT_SERVE_FORMAT_H

#include "serve/job.h"

/* {"error": {"message", "type", "param", "code"}}; param may be NULL or "". */
json_t *rt_serve_error(int status, const char *type, const char *param, const char *message);
/* "invalid_request_error" and so on; what clients tell errors apart by. */
const char *rt_serve_error_type(int status);

/* An item of a choice's (or scored prompt's) logprobs. token->logp NAN: the first token of a prompt, which nothing
 * predicts. offset: characters before it. */
json_t *rt_serve_logprob(const rt_serve_job *job, const rt_token *token, int64_t offset);

/* The whole response, when every choice is done. */
json_t *rt_serve_response(const rt_serve_job *job);
/* A chunk of a stream with the next `length` bytes of a choice's text and all its unsent logprobs, which it takes;
 * last: also the finish reason. */
json_t *rt_serve_chunk(const rt_serve_job *job, int64_t choice, size_t length, bool last);
/* The chunk behind all others, if it was asked for. */
json_t *rt_serve_usage_chunk(const rt_serve_job *job);

/* Appends "data: JSON\n\n"; takes the reference. */
retort_status rt_serve_put_event(rt_buffer *out, json_t *event, retort_error *err);

#endif
