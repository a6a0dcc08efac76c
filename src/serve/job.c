#include "serve/job.h"

#include <math.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "core/progress.h"
#include "serve/format.h"
#include "text/bytes.h"

/* ---- prompts ---- */

enum { REQUEST_MASK_BYTES = 8 << 20 };

static bool refuse(rt_params_error *why, const char *param) {
    snprintf(why->param, sizeof why->param, "%s", param);
    return false;
}

static retort_status add_prompt(rt_serve_job *job, retort_error *err) {
    rt_serve_prompt *grown = rt_realloc_array(job->prompts, (size_t)job->num_prompts + 1, sizeof *grown);
    RT_CHECK(grown != NULL, err, RETORT_ERR_MEMORY, "out of memory: prompts");
    job->prompts = grown;
    job->prompts[job->num_prompts++] = (rt_serve_prompt){.begin = job->ids.count};
    return RETORT_OK;
}

static void close_prompt(rt_serve_job *job) {
    rt_serve_prompt *prompt = &job->prompts[job->num_prompts - 1];
    prompt->count = job->ids.count - prompt->begin;
}

/* A model with a chat template renders any conversation; one with the plain template of a problem, one user's turn. */
static retort_status render_chat(const rt_serve_job *job, rt_buffer *text, retort_error *err) {
    const rt_serve_model *m = job->model;
    const json_t *messages = job->params.messages;
    if (m->chat != NULL)
        return rt_chat_render(m->chat, messages, job->params.extra, job->params.add_generation_prompt, time(NULL), text,
                              err);
    const json_t *first = json_array_get(messages, 0);
    const char *role = json_string_value(json_object_get(first, "role"));
    const char *content = json_string_value(json_object_get(first, "content"));
    RT_CHECK(json_array_size(messages) == 1 && role != NULL && strcmp(role, "user") == 0 && content != NULL, err,
             RETORT_ERR_USAGE,
             "this model has no chat template; it takes one message of role 'user' with a text as its content");
    return rt_tokenizer_render_problem(m->tokenizer, content, text, err);
}

static retort_status encode_chat(rt_serve_job *job, retort_error *err) {
    rt_buffer text = {.maximum = 64 << 20};
    RT_TRY(add_prompt(job, err));
    retort_status st = render_chat(job, &text, err);
    if (st == RETORT_OK) st = rt_tokenizer_encode(job->model->tokenizer, text.data, text.length, true, &job->ids, err);
    rt_buffer_free(&text);
    close_prompt(job);
    return st;
}

static retort_status encode_text(rt_serve_job *job, const json_t *text, retort_error *err) {
    RT_TRY(add_prompt(job, err));
    RT_TRY(rt_tokenizer_encode_spans(job->model->tokenizer, json_string_value(text), json_string_length(text),
                                     RT_ENCODE_PARSE_SPECIAL | RT_ENCODE_POST_PROCESS, &job->ids, NULL, err));
    close_prompt(job);
    return RETORT_OK;
}

static retort_status take_ids(rt_serve_job *job, const json_t *list, retort_error *err) {
    RT_TRY(add_prompt(job, err));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const json_int_t id = json_integer_value(item);
        RT_CHECK(json_is_integer(item) && id >= 0 && id < job->model->config.vocab_size, err, RETORT_ERR_USAGE,
                 "'prompt' has an item that is no token id of this model");
        RT_TRY(rt_ids_push(&job->ids, (int32_t)id, err));
    }
    close_prompt(job);
    return RETORT_OK;
}

/* A text, a list of texts, a list of ids, or a list of lists of ids. */
static retort_status encode_completion(rt_serve_job *job, retort_error *err) {
    const json_t *prompt = job->params.prompt;
    if (json_is_string(prompt)) return encode_text(job, prompt, err);
    RT_CHECK(json_array_size(prompt) > 0, err, RETORT_ERR_USAGE,
             "'prompt' must be a text, a list of texts, a list of token ids, or a list of such lists");
    if (json_is_integer(json_array_get(prompt, 0))) return take_ids(job, prompt, err);
    for (size_t i = 0; i < json_array_size(prompt); i++) {
        const json_t *item = json_array_get(prompt, i);
        RT_CHECK(json_is_string(item) || json_is_array(item), err, RETORT_ERR_USAGE,
                 "'prompt' mixes texts, ids and something else");
        RT_TRY(json_is_string(item) ? encode_text(job, item, err) : take_ids(job, item, err));
    }
    return RETORT_OK;
}

int64_t rt_serve_characters(const char *text, size_t length) {
    int64_t count = 0;
    for (size_t i = 0; i < length; i++) count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

/* The text of an echoed prompt, special tokens spelt out, and where each token begins in it. */
static retort_status decode_prompt(const rt_serve_job *job, rt_serve_prompt *prompt, retort_error *err) {
    rt_decode_stream stream = {0};
    prompt->offsets = rt_malloc_array((size_t)prompt->count, sizeof *prompt->offsets);
    prompt->scores = json_array();
    RT_CHECK(prompt->offsets != NULL && prompt->scores != NULL, err, RETORT_ERR_MEMORY, "out of memory: echo");
    for (int64_t i = 0; i < prompt->count; i++) {
        const size_t before = prompt->text.length;
        prompt->offsets[i] = prompt->characters;
        RT_TRY(rt_decode_stream_push(&stream, job->model->tokenizer, job->ids.data[prompt->begin + i], false,
                                     &prompt->text, err));
        prompt->characters += rt_serve_characters(prompt->text.data + before, prompt->text.length - before);
    }
    RT_TRY(rt_decode_stream_finish(&stream, &prompt->text, err));
    if (!job->params.logprobs) return RETORT_OK;
    const rt_token first = {.id = job->ids.data[prompt->begin], .logp = NAN};
    json_t *item = rt_serve_logprob(job, &first, 0);
    RT_CHECK(json_array_append_new(prompt->scores, item) == 0, err, RETORT_ERR_MEMORY, "out of memory: logprobs");
    return RETORT_OK;
}

/* ---- life ---- */

static retort_status make_choices(rt_serve_job *job, retort_error *err) {
    job->num_choices = job->num_prompts * job->params.n;
    job->choices = rt_calloc((size_t)job->num_choices, sizeof *job->choices);
    RT_CHECK(job->choices != NULL, err, RETORT_ERR_MEMORY, "out of memory: choices");
    for (int64_t i = 0; job->params.logprobs && i < job->num_choices; i++) job->choices[i].logprobs = json_array();
    return RETORT_OK;
}

static void set_limits(rt_serve_job *job) {
    rt_serve_params *params = &job->params;
    int64_t longest = 0, limit = params->max_tokens;
    for (int64_t p = 0; p < job->num_prompts; p++)
        if (job->prompts[p].count > longest) longest = job->prompts[p].count;
    if (limit < 0) {
        const int64_t left = job->model->max_model_len - longest;
        limit = job->model->max_tokens < left ? job->model->max_tokens : left;
    }
    params->sampling.max_new_tokens = limit < 1 ? 1 : limit;
    if (!params->seeded && getrandom(&params->sampling.seed, sizeof params->sampling.seed, 0) < 0)
        params->sampling.seed = (uint64_t)time(NULL);
}

/* The server's list and the request's together; with the request's stop strings, which matter to bans. */
static retort_status make_bans(rt_serve_job *job, const rt_ban_list *list, retort_error *err) {
    const rt_sampling *s = &job->params.sampling;
    const rt_ban_terms terms = {list->patterns, list->count, s->stop, s->num_stop};
    RT_TRY(rt_bans_create(job->model->tokenizer, job->model->pieces, &terms, &job->bans, err));
    rt_bans_limit(job->bans, REQUEST_MASK_BYTES);
    return RETORT_OK;
}

static retort_status set_bans(rt_serve_job *job, retort_error *err) {
    rt_serve_params *params = &job->params;
    rt_sampling *s = &params->sampling;
    const rt_ban_list *shared = &job->model->ban_list;
    bool own = params->num_bans > 0;
    RT_CHECK(shared->count == 0 || s->ban_mode == RT_BAN_HARD, err, RETORT_ERR_USAGE,
             "'ban_mode' must be \"hard\" on this server, which bans words itself");
    for (int32_t i = 0; i < s->num_stop; i++) own = own || (shared->count > 0 && rt_stop_cuts_words(s->stop[i]));
    s->bans = job->model->bans;
    if (!own) return RETORT_OK;
    rt_ban_list list = {0};
    retort_status st = rt_ban_list_append(&list, shared, err);
    if (st == RETORT_OK) st = rt_ban_list_add_named(&list, params->bans, params->num_bans, err);
    if (st == RETORT_OK) st = make_bans(job, &list, err);
    rt_ban_list_free(&list);
    s->bans = job->bans;
    return st;
}

static retort_status prepare(rt_serve_job *job, const rt_engine *engine, retort_error *err) {
    RT_TRY(job->params.chat ? encode_chat(job, err) : encode_completion(job, err));
    RT_TRY(make_choices(job, err));
    set_limits(job);
    RT_TRY(set_bans(job, err));
    job->params.sampling.speculative_tokens = job->model->speculative_tokens;
    RT_TRY(rt_rules_create(&job->model->config, job->model->tokenizer, &job->params.sampling, &job->rules, err));
    for (int64_t p = 0; p < job->num_prompts; p++) {
        job->prompts[p].job = job;
        job->prompts[p].index = p;
        const rt_request request = rt_serve_request(job, p);
        RT_TRY(rt_request_check(engine, &request, err));
        if (job->params.echo) RT_TRY(decode_prompt(job, &job->prompts[p], err));
    }
    return RETORT_OK;
}

static void name_job(rt_serve_job *job) {
    unsigned char random[12] = {0};
    if (getrandom(random, sizeof random, 0) < 0) memcpy(random, &job, sizeof job);
    int at = snprintf(job->id, sizeof job->id, "%s", job->params.chat ? "chatcmpl-" : "cmpl-");
    for (size_t i = 0; i < sizeof random; i++)
        at += snprintf(job->id + at, sizeof job->id - (size_t)at, "%02x", random[i]);
    job->created = time(NULL);
}

bool rt_serve_job_create(const rt_serve_model *model, const rt_engine *engine, json_t *body, bool chat,
                         rt_serve_job **out, rt_params_error *why) {
    rt_serve_job *job = rt_calloc(1, sizeof *job);
    *out = NULL;
    *why = (rt_params_error){0};
    if (job == NULL) {
        json_decref(body);
        rt_fail(&why->reason, RETORT_ERR_MEMORY, "out of memory: request");
        return false;
    }
    job->model = model;
    job->body = body;
    pthread_mutex_init(&job->lock, NULL);
    atomic_init(&job->references, 1);
    bool good = rt_serve_params_read(body, chat, &job->params, why);
    if (good && job->params.model != NULL && strcmp(job->params.model, model->name) != 0) {
        rt_fail(&why->reason, RETORT_ERR_NOT_FOUND, "the model '%.200s' is not served here, '%.200s' is",
                job->params.model, model->name);
        good = refuse(why, "model");
    }
    if (good && prepare(job, engine, &why->reason) != RETORT_OK) good = refuse(why, chat ? "messages" : "prompt");
    if (!good) {
        rt_serve_job_release(job);
        return false;
    }
    name_job(job);
    *out = job;
    return true;
}

void rt_serve_job_release(rt_serve_job *job) {
    if (job == NULL || atomic_fetch_sub(&job->references, 1) > 1) return;
    for (int64_t i = 0; i < job->num_prompts; i++) {
        json_decref(job->prompts[i].scores);
        rt_buffer_free(&job->prompts[i].text);
        rt_free(job->prompts[i].offsets);
    }
    for (int64_t i = 0; i < job->num_choices; i++) {
        rt_buffer_free(&job->choices[i].text);
        json_decref(job->choices[i].logprobs);
    }
    rt_free(job->prompts);
    rt_free(job->choices);
    rt_ids_free(&job->ids);
    rt_rules_destroy(job->rules);
    rt_bans_destroy(job->bans);
    rt_buffer_free(&job->out);
    json_decref(job->body);
    pthread_mutex_destroy(&job->lock);
    rt_free(job);
}
