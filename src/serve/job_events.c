/* What the engine draws becomes text, log-probabilities, events. Everything here runs on the engine's thread. */
#include <string.h>

#include "sample/stops.h"
#include "serve/format.h"
#include "serve/job.h"

/* Bytes of a choice's text that no stop string can take back: those before the first stop string, or before the longest
 * end of the text that begins one. Nothing before `sent` can be part of one. */
static size_t visible(const rt_serve_job *job, const rt_serve_choice *choice) {
    const rt_sampling *s = &job->params.sampling;
    const char *text = choice->text.data;
    size_t limit = choice->text.length;
    for (int32_t i = 0; i < s->num_stop && limit > choice->sent; i++) {
        const size_t length = strlen(s->stop[i]), fresh = limit - choice->sent;
        const char *whole = memmem(text + choice->sent, fresh, s->stop[i], length);
        if (whole != NULL) {
            limit = (size_t)(whole - text);
            continue;
        }
        if (choice->done) continue;
        for (size_t k = fresh < length - 1 ? fresh : length - 1; k > 0; k--) {
            if (memcmp(text + limit - k, s->stop[i], k) != 0) continue;
            limit -= k;
            break;
        }
    }
    return limit;
}

/* Shows what has become visible: to a stream as an event, else by moving the mark. */
static retort_status advance(rt_serve_job *job, int64_t index, bool last, retort_error *err) {
    rt_serve_choice *choice = &job->choices[index];
    const size_t length = visible(job, choice) - choice->sent;
    if (job->params.stream && (last || length > 0 || json_array_size(choice->logprobs) > 0)) {
        RT_TRY(rt_serve_put_event(&job->out, rt_serve_chunk(job, index, length, last), err));
        choice->started = true;
        job->wake(job->waiter);
    }
    choice->sent += length;
    return RETORT_OK;
}

static retort_status take_token(rt_serve_job *job, int64_t index, const rt_token *token, retort_error *err) {
    rt_serve_choice *choice = &job->choices[index];
    const rt_serve_model *m = job->model;
    const bool ends = rt_is_stop_id(&m->config, m->tokenizer, &job->params.sampling, token->id);
    const rt_serve_prompt *prompt = &job->prompts[index / job->params.n];
    choice->tokens++;
    if (job->params.logprobs && !(ends && job->params.chat)) {
        json_t *item = rt_serve_logprob(job, token, prompt->characters + choice->characters);
        RT_CHECK(json_array_append_new(choice->logprobs, item) == 0, err, RETORT_ERR_MEMORY, "out of memory: logprobs");
    }
    if (ends) return RETORT_OK;
    const size_t before = choice->text.length;
    RT_TRY(rt_decode_stream_push(&choice->decode, m->tokenizer, token->id, true, &choice->text, err));
    choice->characters += rt_serve_characters(choice->text.data + before, choice->text.length - before);
    return advance(job, index, false, err);
}

static retort_status end_events(rt_serve_job *job, retort_error *err) {
    if (job->params.include_usage) RT_TRY(rt_serve_put_event(&job->out, rt_serve_usage_chunk(job), err));
    return rt_buffer_puts(&job->out, "data: [DONE]\n\n", err);
}

static retort_status end_response(rt_serve_job *job, retort_error *err) {
    json_t *response = rt_serve_response(job);
    RT_CHECK(response != NULL, err, RETORT_ERR_MEMORY, "out of memory: response");
    const retort_status st = rt_json_dump(response, JSON_COMPACT | JSON_REAL_PRECISION(9), &job->out, err);
    json_decref(response);
    job->status = 200;
    return st;
}

static retort_status take_end(rt_serve_job *job, int64_t index, rt_finish finish, retort_error *err) {
    rt_serve_choice *choice = &job->choices[index];
    RT_TRY(rt_decode_stream_finish(&choice->decode, &choice->text, err));
    choice->finish = finish;
    choice->done = true;
    RT_TRY(advance(job, index, true, err));
    if (++job->num_done < job->num_choices) return RETORT_OK;
    RT_TRY(job->params.stream ? end_events(job, err) : end_response(job, err));
    job->finished = true;
    job->wake(job->waiter);
    return RETORT_OK;
}

/* A failure to format is the job's own: the engine goes on. */
static void keep_failure(rt_serve_job *job, retort_status st, const retort_error *why) {
    if (st != RETORT_OK && job->failure.code == RETORT_OK) job->failure = *why;
}

static retort_status on_token(void *context, int64_t sample, const rt_token *token, retort_error *err) {
    (void)err;
    const rt_serve_prompt *prompt = context;
    rt_serve_job *job = prompt->job;
    retort_error why = {0};
    pthread_mutex_lock(&job->lock);
    keep_failure(job, take_token(job, prompt->index * job->params.n + sample, token, &why), &why);
    pthread_mutex_unlock(&job->lock);
    return RETORT_OK;
}

static retort_status on_response(void *context, int64_t sample, rt_response *response, retort_error *err) {
    (void)err;
    const rt_serve_prompt *prompt = context;
    rt_serve_job *job = prompt->job;
    retort_error why = {0};
    rt_free(response->ids);
    rt_free(response->logp);
    rt_free(response->drawn);
    pthread_mutex_lock(&job->lock);
    keep_failure(job, take_end(job, prompt->index * job->params.n + sample, response->finish, &why), &why);
    pthread_mutex_unlock(&job->lock);
    return RETORT_OK;
}

static retort_status on_failure(void *context, int64_t sample, const retort_error *why, retort_error *err) {
    (void)sample;
    (void)err;
    rt_serve_job *job = ((const rt_serve_prompt *)context)->job;
    pthread_mutex_lock(&job->lock);
    keep_failure(job, why->code, why);
    pthread_mutex_unlock(&job->lock);
    return RETORT_OK;
}

static retort_status on_prompt_token(void *context, int64_t index, const rt_token *token, retort_error *err) {
    (void)err;
    const rt_serve_prompt *prompt = context;
    rt_serve_job *job = prompt->job;
    const retort_error why = {.code = RETORT_ERR_MEMORY, .message = "out of memory: logprobs"};
    pthread_mutex_lock(&job->lock);
    json_t *item = rt_serve_logprob(job, token, prompt->offsets[index]);
    if (json_array_append_new(prompt->scores, item) != 0) keep_failure(job, RETORT_ERR_MEMORY, &why);
    pthread_mutex_unlock(&job->lock);
    return RETORT_OK;
}

rt_request rt_serve_request(rt_serve_job *job, int64_t p) {
    const rt_serve_prompt *prompt = &job->prompts[p];
    const bool only_prompt = job->params.max_tokens == 0;
    return (rt_request){.prompt = {job->ids.data + prompt->begin, prompt->count, (uint64_t)p},
                        .n = only_prompt ? 1 : job->params.n,
                        .rules = job->rules,
                        .num_best = job->params.num_best,
                        .score_prompt = job->params.echo && job->params.logprobs,
                        .only_prompt = only_prompt,
                        .context = &job->prompts[p],
                        .on_prompt_token = on_prompt_token,
                        .on_token = on_token,
                        .on_response = on_response,
                        .on_failure = on_failure};
}

/* ---- starting and stopping ---- */

void rt_serve_job_start(rt_serve_job *job, rt_engine *engine) {
    retort_error why = {0};
    retort_status st = RETORT_OK;
    for (int64_t p = 0; p < job->num_prompts && st == RETORT_OK; p++) {
        const rt_request request = rt_serve_request(job, p);
        st = rt_engine_submit(engine, &request, &job->prompts[p].ticket, &why);
    }
    pthread_mutex_lock(&job->lock);
    keep_failure(job, st, &why);
    pthread_mutex_unlock(&job->lock);
}

/* A stream's status has gone out already; its error comes as the last event. */
static void put_error(rt_serve_job *job, int status, const char *type, const char *message) {
    json_t *error = rt_serve_error(status, type, NULL, message);
    if (job->params.stream) {
        rt_serve_put_event(&job->out, error, NULL);
        return;
    }
    rt_buffer_clear(&job->out);
    rt_json_dump(error, JSON_COMPACT, &job->out, NULL);
    json_decref(error);
    job->status = status;
}

void rt_serve_job_stop(rt_serve_job *job, rt_engine *engine, int status, const char *type, const char *message) {
    for (int64_t p = 0; p < job->num_prompts; p++) rt_engine_cancel(engine, job->prompts[p].ticket);
    pthread_mutex_lock(&job->lock);
    if (!job->finished) {
        if (!atomic_load(&job->abandoned)) put_error(job, status, type, message);
        job->finished = true;
        job->wake(job->waiter);
    }
    pthread_mutex_unlock(&job->lock);
}

bool rt_serve_job_over(rt_serve_job *job, rt_engine *engine) {
    pthread_mutex_lock(&job->lock);
    const bool finished = job->finished;
    const retort_error failure = job->failure;
    pthread_mutex_unlock(&job->lock);
    if (finished) return true;
    const bool abandoned = atomic_load(&job->abandoned);
    if (!abandoned && failure.code == RETORT_OK) return false;
    const int status = failure.code == RETORT_ERR_USAGE ? 400 : 500;
    rt_serve_job_stop(job, engine, status, rt_serve_error_type(status), failure.message);
    return true;
}
