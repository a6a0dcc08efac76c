/* Asking: a bounded number of requests under way, each reply in the store before its place takes the next question. */
#include "teach/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/progress.h"
#include "net/http.h"
#include "net/url.h"
#include "store/store.h"
#include "teach/endpoint.h"
#include "teach/prices.h"
#include "teach/questions.h"
#include "teach/traces.h"

/* Allowances that refill with time: at most a minute's worth is saved up. */
typedef struct bucket {
    double per_second, level, most, when; /* per_second 0: no bound */
} bucket;

typedef struct place { /* a request under way */
    struct remote *remote;
    int64_t question; /* negative: free */
    char key[65];
    rt_buffer body, answer; /* sent; received, where it does not stream */
    rt_reply reply;
    double started, first; /* rt_now(); first 0: no byte yet */
    double reserved;       /* the most it can cost */
    bool html;             /* the answer is of another type than JSON or a stream */
    int tries;
} place;

typedef struct remote {
    const retort_teach_options *options;
    rt_questions questions;
    rt_store *store;
    rt_http *http;
    char *url, *key;
    rt_price price;
    bucket requests, tokens;
    place *places;
    int64_t next, done, under_way;
    double spent, reserved;
    bool stopped_by_cost;
    retort_status fatal; /* why nothing more is asked */
    retort_error why, first_failure;
    retort_teach_account *account;
} remote;

/* ---- allowances ---- */

static bucket make_bucket(double per_minute) {
    return (bucket){.per_second = per_minute / 60, .level = per_minute / 60, .most = per_minute, .when = rt_now()};
}

static bool has_room(bucket *b) {
    if (b->per_second <= 0) return true;
    const double now = rt_now();
    b->level += (now - b->when) * b->per_second;
    b->when = now;
    if (b->level > b->most) b->level = b->most;
    return b->level > 0;
}

/* May go below zero: a reply's length is known only when it is here, and is then waited for. */
static void take_out(bucket *b, double amount) {
    b->level -= amount;
}

/* ---- the secret ---- */

static retort_status check_mode(const char *path, retort_error *err) {
    struct stat info;
    RT_CHECK(stat(path, &info) == 0, err, RETORT_ERR_NOT_FOUND, "cannot open the key file '%s': %s", path,
             strerror(errno));
    RT_CHECK((info.st_mode & 077) == 0, err, RETORT_ERR_USAGE,
             "the key file '%s' can be read by others (mode %03o); run: chmod 600 '%s'", path,
             (unsigned)info.st_mode & 0777U, path);
    return RETORT_OK;
}

static retort_status read_key(remote *r, retort_error *err) {
    const char *path = r->options->api_key_file, *text = getenv("OPENAI_API_KEY");
    rt_buffer file = {.maximum = 1 << 16};
    if (path != NULL) {
        RT_TRY(check_mode(path, err));
        RT_TRY(rt_file_read(path, &file, err));
        text = file.length > 0 ? file.data : "";
    }
    const size_t length = text != NULL ? strcspn(text, "\r\n") : 0;
    retort_status st = RETORT_OK;
    for (size_t i = 0; i < length && st == RETORT_OK; i++)
        if (text[i] <= ' ' || text[i] > '~')
            st = rt_fail(err, RETORT_ERR_USAGE, "the key has a character that no key has (a space?)");
    if (st == RETORT_OK && path != NULL && length == 0)
        st = rt_fail(err, RETORT_ERR_USAGE, "the key file '%s' is empty", path);
    if (st == RETORT_OK && length > 0) {
        r->key = rt_strndup(text, length);
        if (r->key == NULL) st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: key");
    }
    rt_buffer_free(&file);
    return st;
}

/* A key over an open line is everybody's. */
static retort_status check_secrecy(const remote *r, retort_error *err) {
    RT_CHECK(r->key == NULL || strncmp(r->options->base_url, "https:", 6) == 0 ||
                 rt_url_is_loopback(r->options->base_url),
             err, RETORT_ERR_USAGE,
             "the key would travel unencrypted to '%s'; use https, or unset OPENAI_API_KEY if this endpoint needs none",
             r->options->base_url);
    return RETORT_OK;
}

/* ---- one reply ---- */

static void give_up(remote *r, retort_status st, const retort_error *why) {
    if (r->fatal != RETORT_OK) return;
    r->fatal = st;
    r->why = *why;
}

static retort_status store_reply(remote *r, const place *p, retort_error *err) {
    const rt_reply *reply = &p->reply;
    const rt_problem *problem = rt_questions_problem(&r->questions, p->question);
    const bool priced = rt_price_known(&r->price) && reply->prompt_tokens >= 0 && reply->completion_tokens >= 0;
    const double cost =
        priced ? rt_price_of(&r->price, (double)reply->prompt_tokens, (double)reply->completion_tokens) : -1;
    const rt_stored_response row = {.key = p->key,
                                    .problem_id = problem->id,
                                    .sample = rt_questions_sample(&r->questions, p->question),
                                    .model = r->options->model,
                                    .source = r->options->base_url,
                                    .request = p->body.data,
                                    .text = reply->text.length > 0 ? reply->text.data : "",
                                    .reasoning = reply->reasoning.length > 0 ? reply->reasoning.data : NULL,
                                    .finish_reason = reply->finish_reason[0] != '\0' ? reply->finish_reason : NULL,
                                    .served_model = reply->model[0] != '\0' ? reply->model : NULL,
                                    .prompt_tokens = reply->prompt_tokens,
                                    .completion_tokens = reply->completion_tokens,
                                    .cost = cost,
                                    .seconds = rt_now() - p->started,
                                    .first_token_seconds = p->first > 0 ? p->first - p->started : -1,
                                    .created = time(NULL)};
    RT_TRY(rt_store_put(r->store, &row, NULL, err));
    r->account->asked++;
    r->account->cut += strcmp(reply->finish_reason, "length") == 0;
    /* A reply whose cost is not known is counted as the most it can be: the bound must hold. */
    r->spent += cost >= 0 ? cost : p->reserved;
    if (reply->completion_tokens >= 0) {
        r->account->prompt_tokens += reply->prompt_tokens > 0 ? reply->prompt_tokens : 0;
        r->account->completion_tokens += reply->completion_tokens;
        take_out(&r->tokens, (double)reply->completion_tokens);
    } else {
        r->account->without_usage++;
    }
    return RETORT_OK;
}

static retort_status read_reply(const remote *r, place *p, retort_error *err) {
    const bool chat = r->options->api == 0;
    RT_CHECK(!p->html, err, RETORT_ERR_FORMAT,
             "the endpoint answered with another type of document than asked for; is '%s' the API's address, with /v1?",
             r->options->base_url);
    if (r->options->stream) return rt_reply_finish(&p->reply, chat, err);
    return rt_reply_parse(&p->reply, p->answer.length > 0 ? p->answer.data : "", p->answer.length, chat, err);
}

static retort_status start_request(place *p, retort_error *err);

static void free_place(place *p) {
    remote *r = p->remote;
    r->reserved -= p->reserved;
    p->question = -1;
    r->under_way--;
    r->done++;
}

/* An answer that came but cannot be read is asked for again like a connection that broke. */
static void retry_or_fail(place *p, retort_status st, const retort_error *why) {
    remote *r = p->remote;
    retort_error err = *why;
    if (st == RETORT_ERR_FORMAT && p->tries <= r->options->retries && r->fatal == RETORT_OK &&
        start_request(p, &err) == RETORT_OK)
        return;
    if (r->account->failed++ == 0) r->first_failure = *why;
    free_place(p);
}

/* The message that an API puts into the body of an error; the status alone says little. */
static void explain(const rt_http_outcome *outcome, retort_error *err) {
    json_t *body = NULL;
    *err = *outcome->err;
    if (outcome->body_length == 0 ||
        rt_json_parse(outcome->body, outcome->body_length, "error", &body, NULL) != RETORT_OK)
        return;
    const json_t *error = json_object_get(body, "error");
    const char *text = json_string_value(json_is_object(error) ? json_object_get(error, "message") : error);
    const size_t used = strlen(err->message);
    if (text != NULL && used + 4 < sizeof err->message)
        snprintf(err->message + used, sizeof err->message - used, ": %.400s", text);
    json_decref(body);
}

static void on_done(void *context, const rt_http_outcome *outcome) {
    place *p = context;
    remote *r = p->remote;
    retort_error err = {0};
    if (outcome->status != RETORT_OK) {
        const int status = outcome->head.status;
        explain(outcome, &err);
        /* Wrong for every request alike: going on would only repeat it. */
        if (status == 401 || status == 403 || status == 404 || status == 402) give_up(r, RETORT_ERR_USAGE, &err);
        if (outcome->status == RETORT_ERR_MEMORY) give_up(r, RETORT_ERR_MEMORY, &err);
        retry_or_fail(p, outcome->status == RETORT_ERR_FORMAT && status / 100 == 2 ? RETORT_ERR_FORMAT : RETORT_ERR_IO,
                      &err);
        return;
    }
    retort_status st = read_reply(r, p, &err);
    if (st != RETORT_OK) {
        retry_or_fail(p, st, &err);
        return;
    }
    st = store_reply(r, p, &err);
    if (st != RETORT_OK) give_up(r, st, &err);
    free_place(p);
}

static void on_prepare(void *context, long long *offset, const char **if_range) {
    place *p = context;
    (void)if_range;
    *offset = 0;
    p->first = 0;
    p->html = false;
    rt_buffer_clear(&p->answer);
    rt_reply_clear(&p->reply);
}

static retort_status on_head(void *context, const rt_http_head *head, retort_error *err) {
    place *p = context;
    (void)err;
    const char *type = rt_headers_get(head->headers, "content-type");
    const char *wanted = p->remote->options->stream ? "text/event-stream" : "application/json";
    p->html = type != NULL && strncasecmp(type, wanted, strlen(wanted)) != 0;
    return RETORT_OK;
}

static retort_status on_body(void *context, const void *bytes, size_t length, retort_error *err) {
    place *p = context;
    if (p->first <= 0) p->first = rt_now();
    if (p->html) return RETORT_OK;
    if (p->remote->options->stream) return rt_reply_feed(&p->reply, bytes, length, p->remote->options->api == 0, err);
    return rt_buffer_append(&p->answer, bytes, length, err);
}

static retort_status start_request(place *p, retort_error *err) {
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    const remote *r = p->remote;
    const rt_http_request request = {.url = r->url,
                                     .token = r->key,
                                     .headers = headers,
                                     .post = p->body.data,
                                     .post_length = p->body.length,
                                     .timeout = r->options->timeout,
                                     .sink = {on_prepare, on_head, on_body, on_done},
                                     .context = p};
    p->tries++;
    p->started = rt_now();
    return rt_http_start(r->http, &request, err);
}

/* ---- the loop ---- */

/* The next question that the store has no reply to, written into the place; false: there is none. */
static retort_status find_question(remote *r, place *p, bool *found, retort_error *err) {
    *found = false;
    while (r->next < r->questions.count && !*found) {
        bool has;
        RT_TRY(rt_questions_write(&r->questions, r->next, &p->body, p->key, err));
        RT_TRY(rt_store_has(r->store, p->key, &has, err));
        *found = !has;
        if (has) {
            r->account->reused++;
            r->done++;
        } else {
            p->question = r->next;
        }
        r->next++;
    }
    return RETORT_OK;
}

static double most_of(const remote *r, const rt_buffer *body) {
    if (!rt_price_known(&r->price)) return 0;
    return rt_price_of(&r->price, rt_questions_prompt_tokens(body), (double)r->options->max_tokens);
}

static bool affordable(const remote *r, const place *p) {
    return r->options->max_cost <= 0 || r->spent + r->reserved + most_of(r, &p->body) <= r->options->max_cost;
}

static retort_status fill_places(remote *r, retort_error *err) {
    for (int64_t i = 0; i < r->options->concurrency && r->fatal == RETORT_OK && !r->stopped_by_cost; i++) {
        place *p = &r->places[i];
        bool found;
        if (p->question >= 0) continue;
        if (!has_room(&r->requests) || !has_room(&r->tokens)) return RETORT_OK;
        RT_TRY(find_question(r, p, &found, err));
        if (!found) return RETORT_OK;
        if (!affordable(r, p)) { /* what is under way may turn out cheaper than reserved */
            p->question = -1;
            r->next--;
            r->stopped_by_cost = r->under_way == 0;
            return RETORT_OK;
        }
        p->reserved = most_of(r, &p->body);
        p->tries = 0;
        r->reserved += p->reserved;
        r->under_way++;
        take_out(&r->requests, 1);
        take_out(&r->tokens, rt_questions_prompt_tokens(&p->body));
        RT_TRY(start_request(p, err));
    }
    return RETORT_OK;
}

static void report(const remote *r, const retort_progress *progress) {
    char message[120];
    const retort_teach_account *a = r->account;
    int at = snprintf(message, sizeof message, "%lld tokens", (long long)a->completion_tokens);
    if (rt_price_known(&r->price)) at += snprintf(message + at, sizeof message - (size_t)at, ", cost %.4f", r->spent);
    if (a->failed > 0) snprintf(message + at, sizeof message - (size_t)at, ", %lld failed", (long long)a->failed);
    rt_progress(progress, "teach", (double)r->done, (double)r->questions.count, "replies", message);
}

/* After something fatal what is under way is still waited for: it has been paid for. */
static retort_status ask_all(remote *r, const retort_progress *progress, retort_error *err) {
    for (;;) {
        RT_TRY(fill_places(r, err));
        report(r, progress);
        const bool more = r->next < r->questions.count && r->fatal == RETORT_OK && !r->stopped_by_cost;
        if (r->under_way == 0 && !more) return RETORT_OK;
        if (r->under_way > 0) {
            RT_TRY(rt_http_step(r->http, 0.1, err));
            continue;
        }
        const struct timespec moment = {.tv_nsec = 20 * 1000 * 1000}; /* waiting for an allowance */
        nanosleep(&moment, NULL);
        RT_CHECK(!rt_interrupted(), err, RETORT_ERR_INTERRUPTED, "interrupted");
    }
}

static retort_status settle(const remote *r, retort_error *err) {
    const retort_teach_account *a = r->account;
    const long long have = (long long)(a->asked + a->reused), all = (long long)r->questions.count;
    if (r->fatal != RETORT_OK)
        return rt_fail(err, r->fatal, "%s (%lld of %lld replies are in '%s')", r->why.message, have, all,
                       r->options->store);
    RT_CHECK(
        !r->stopped_by_cost, err, RETORT_ERR_IO,
        "stopped before the cost could exceed %g: %lld of %lld replies are in '%s'; raise max_cost and run this again",
        r->options->max_cost, have, all, r->options->store);
    RT_CHECK(a->failed == 0, err, RETORT_ERR_IO,
             "%lld of %lld replies are missing; the first failure: %s; run this again to ask only for those",
             (long long)a->failed, all, r->first_failure.message);
    return RETORT_OK;
}

/* ---- dry run ---- */

static retort_status estimate(remote *r, retort_error *err) {
    rt_buffer body = {0};
    retort_teach_account *a = r->account;
    char key[65];
    retort_status st = RETORT_OK;
    double cost = 0;
    for (int64_t q = 0; q < r->questions.count && st == RETORT_OK; q++) {
        bool has = false;
        st = rt_questions_write(&r->questions, q, &body, key, err);
        if (st == RETORT_OK) st = rt_store_has(r->store, key, &has, err);
        a->reused += has;
        if (st != RETORT_OK || has) continue;
        a->asked++;
        a->estimated_tokens += (int64_t)rt_questions_prompt_tokens(&body) + r->options->max_tokens;
        cost += most_of(r, &body);
    }
    rt_buffer_free(&body);
    a->estimated_cost = rt_price_known(&r->price) ? cost : -1;
    return st;
}

/* ---- set-up ---- */

static retort_status make_url(remote *r, retort_error *err) {
    const char *base = r->options->base_url;
    rt_buffer url = {0};
    RT_CHECK(strncmp(base, "https://", 8) == 0 || strncmp(base, "http://", 7) == 0, err, RETORT_ERR_USAGE,
             "base_url '%s' is no http or https address, such as http://127.0.0.1:8080/v1", base);
    RT_CHECK(strchr(base, '@') == NULL, err, RETORT_ERR_USAGE,
             "base_url holds a user or password; use api_key_file or OPENAI_API_KEY");
    size_t length = strlen(base);
    while (length > 0 && base[length - 1] == '/') length--;
    RT_TRY(rt_buffer_append(&url, base, length, err));
    RT_TRY(rt_buffer_puts(&url, r->options->api == 0 ? "/chat/completions" : "/completions", err));
    r->url = url.data;
    return RETORT_OK;
}

static retort_status set_price(remote *r, retort_error *err) {
    const retort_teach_options *o = r->options;
    r->price = (rt_price){o->price_input, o->price_output};
    if (o->prices != NULL) RT_TRY(rt_price_read(o->prices, o->model, &r->price, err));
    RT_CHECK(o->max_cost <= 0 || rt_price_known(&r->price), err, RETORT_ERR_USAGE,
             "max_cost needs prices: price_input and price_output, or a table (prices)");
    return RETORT_OK;
}

static retort_status make_places(remote *r, retort_error *err) {
    r->places = rt_calloc((size_t)r->options->concurrency, sizeof *r->places);
    RT_CHECK(r->places != NULL, err, RETORT_ERR_MEMORY, "out of memory: requests");
    for (int64_t i = 0; i < r->options->concurrency; i++) {
        r->places[i].remote = r;
        r->places[i].question = -1;
        r->places[i].answer.maximum = 256 << 20;
    }
    r->requests = make_bucket(r->options->requests_per_minute);
    r->tokens = make_bucket(r->options->tokens_per_minute);
    const retort_teach_options *o = r->options;
    const rt_http_options http = {.max_connections = (int)o->concurrency,
                                  .retries = (int)o->retries,
                                  .pause = o->retry_pause,
                                  .jitter = 0.25,
                                  .longest_pause = 120,
                                  .connect_timeout = 30,
                                  .stall_timeout = o->stream ? o->first_token_timeout : o->timeout};
    return rt_http_create(&http, &r->http, err);
}

static retort_status run(remote *r, const rt_problems *problems, int64_t count, const retort_progress *progress,
                         retort_error *err) {
    const retort_teach_options *o = r->options;
    RT_CHECK(o->model != NULL, err, RETORT_ERR_USAGE, "base_url needs the option 'model': what the endpoint calls it");
    RT_CHECK(o->store != NULL, err, RETORT_ERR_USAGE,
             "base_url needs the option 'store': the file that keeps every reply, so that none is paid for twice");
    RT_TRY(make_url(r, err));
    RT_TRY(set_price(r, err));
    RT_TRY(read_key(r, err));
    RT_TRY(check_secrecy(r, err));
    RT_TRY(rt_questions_create(o, problems, count, &r->questions, err));
    RT_TRY(rt_store_open(o->store, &r->store, err));
    if (o->dry_run) return estimate(r, err);
    RT_TRY(make_places(r, err));
    const retort_status st = ask_all(r, progress, err);
    r->account->cost = rt_price_known(&r->price) ? r->spent : -1;
    if (st == RETORT_ERR_INTERRUPTED)
        return rt_fail(err, st,
                       "interrupted; %lld of %lld replies are in '%s', run the same command again for the rest",
                       (long long)(r->account->asked + r->account->reused), (long long)r->questions.count, o->store);
    RT_TRY(st);
    RT_TRY(settle(r, err));
    return rt_traces_write(&r->questions, r->store, r->account, err);
}

retort_status rt_teach_remote(const retort_teach_options *options, const rt_problems *problems, int64_t count,
                              const retort_progress *progress, retort_teach_account *account, retort_error *err) {
    remote r = {.options = options, .account = account};
    const retort_status st = run(&r, problems, count, progress, err);
    rt_http_destroy(r.http);
    for (int64_t i = 0; r.places != NULL && i < options->concurrency; i++) {
        rt_buffer_free(&r.places[i].body);
        rt_buffer_free(&r.places[i].answer);
        rt_reply_free(&r.places[i].reply);
    }
    rt_free(r.places);
    rt_questions_release(&r.questions);
    rt_store_close(r.store);
    rt_free(r.url);
    if (r.key != NULL) explicit_bzero(r.key, strlen(r.key));
    rt_free(r.key);
    return st;
}
