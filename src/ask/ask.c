#include "ask/ask.h"

#include <string.h>
#include <time.h>

#include "ask/allowance.h"
#include "ask/endpoint.h"
#include "ask/keep.h"
#include "ask/prices.h"
#include "ask/secret.h"
#include "core/progress.h"
#include "net/http.h"

typedef struct place { /* a request under way */
    struct asking *asking;
    int64_t question; /* negative: free */
    char key[65];
    rt_buffer body, answer; /* sent; received, where it does not stream */
    rt_reply reply;
    double started, first; /* rt_now(); first 0: no byte yet */
    double longest;        /* tokens that the reply can have */
    double reserved;       /* the most it can cost */
    bool html;             /* the answer is of another type than JSON or a stream */
    int tries;
} place;

typedef struct asking {
    const retort_endpoint_options *options;
    const rt_ask_source *source;
    rt_store *store;
    rt_http *http;
    char *url, *secret;
    rt_price price;
    rt_allowance requests, tokens;
    place *places;
    int64_t next, done, under_way;
    double spent, reserved;
    bool stopped_by_cost;
    retort_status fatal; /* why nothing more is asked */
    retort_error why, first_failure;
    rt_ask_account *account;
} asking;

/* ---- one reply ---- */

static void give_up(asking *r, retort_status st, const retort_error *why) {
    if (r->fatal != RETORT_OK) return;
    r->fatal = st;
    r->why = *why;
}

static retort_status store_reply(asking *r, const place *p, retort_error *err) {
    const rt_reply *reply = &p->reply;
    const bool priced = rt_price_known(&r->price) && reply->prompt_tokens >= 0 && reply->completion_tokens >= 0;
    const double cost =
        priced ? rt_price_of(&r->price, (double)reply->prompt_tokens, (double)reply->completion_tokens) : -1;
    const rt_stored_response row = {.key = p->key,
                                    .problem_id = r->source->id(r->source->context, p->question),
                                    .sample = r->source->sample(r->source->context, p->question),
                                    .model = r->options->model,
                                    .source = r->options->base_url,
                                    .cost = cost,
                                    .seconds = rt_now() - p->started,
                                    .first_token_seconds = p->first > 0 ? p->first - p->started : -1,
                                    .created = time(NULL)};
    RT_TRY(rt_ask_put_reply(r->store, row, reply, &p->body, NULL, err));
    r->account->asked++;
    r->account->cut += strcmp(reply->finish_reason, "length") == 0;
    /* A reply whose cost is not known is counted as the most it can be: the bound must hold. */
    r->spent += cost >= 0 ? cost : p->reserved;
    if (reply->completion_tokens >= 0) {
        r->account->prompt_tokens += reply->prompt_tokens > 0 ? reply->prompt_tokens : 0;
        r->account->completion_tokens += reply->completion_tokens;
        rt_allowance_take(&r->tokens, (double)reply->completion_tokens);
    } else {
        r->account->without_usage++;
    }
    return RETORT_OK;
}

static retort_status read_reply(const asking *r, place *p, retort_error *err) {
    const bool chat = r->options->api == RETORT_API_CHAT;
    RT_CHECK(!p->html, err, RETORT_ERR_FORMAT,
             "the endpoint answered with another type of document than asked for; is '%s' the API's address, with /v1?",
             r->options->base_url);
    if (r->options->stream) return rt_reply_finish(&p->reply, chat, err);
    return rt_reply_parse(&p->reply, p->answer.length > 0 ? p->answer.data : "", p->answer.length, chat, err);
}

static retort_status start_request(place *p, retort_error *err);

static void free_place(place *p) {
    asking *r = p->asking;
    r->reserved -= p->reserved;
    p->question = -1;
    r->under_way--;
    r->done++;
}

/* An answer that came but cannot be read is asked for again like a connection that broke. */
static void retry_or_fail(place *p, retort_status st, const retort_error *why) {
    asking *r = p->asking;
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
    asking *r = p->asking;
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
    const char *wanted = p->asking->options->stream ? "text/event-stream" : "application/json";
    p->html = type != NULL && strncasecmp(type, wanted, strlen(wanted)) != 0;
    return RETORT_OK;
}

static retort_status on_body(void *context, const void *bytes, size_t length, retort_error *err) {
    place *p = context;
    if (p->first <= 0) p->first = rt_now();
    if (p->html) return RETORT_OK;
    if (p->asking->options->stream)
        return rt_reply_feed(&p->reply, bytes, length, p->asking->options->api == RETORT_API_CHAT, err);
    return rt_buffer_append(&p->answer, bytes, length, err);
}

static retort_status start_request(place *p, retort_error *err) {
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    const asking *r = p->asking;
    const rt_http_request request = {.url = r->url,
                                     .token = r->secret,
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

/* A body without max_tokens has no longest reply, and no bound on its cost. */
static retort_status find_longest(const asking *r, place *p, retort_error *err) {
    json_t *body = NULL;
    p->longest = 0;
    if (!r->options->dry_run && !rt_price_known(&r->price)) return RETORT_OK;
    RT_TRY(rt_json_parse(p->body.data, p->body.length, "request", &body, err));
    const json_t *most = json_object_get(body, "max_tokens");
    if (!json_is_integer(most)) most = json_object_get(body, "max_completion_tokens");
    const bool known = json_is_integer(most) && json_integer_value(most) >= 0;
    if (known) p->longest = (double)json_integer_value(most);
    json_decref(body);
    RT_CHECK(known || (!r->options->dry_run && r->options->max_cost <= 0), err, RETORT_ERR_USAGE,
             "a request without max_tokens has no longest reply; what it costs cannot be bounded (extra_body?)");
    return RETORT_OK;
}

static retort_status write_question(const asking *r, int64_t q, place *p, retort_error *err) {
    rt_buffer_clear(&p->body);
    return r->source->write(r->source->context, q, &p->body, p->key, err);
}

/* About as many tokens as the prompt has: a quarter of its bytes, as English has it. */
static double prompt_tokens(const place *p) {
    return (double)p->body.length / 4;
}

/* The next question that the store has no reply to, written into the place; false: there is none. */
static retort_status find_question(asking *r, place *p, bool *found, retort_error *err) {
    *found = false;
    while (r->next < r->source->count && !*found) {
        bool has;
        RT_TRY(write_question(r, r->next, p, err));
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

static double most_of(const asking *r, const place *p) {
    return rt_price_known(&r->price) ? rt_price_of(&r->price, prompt_tokens(p), p->longest) : 0;
}

static bool affordable(const asking *r, const place *p) {
    return r->options->max_cost <= 0 || r->spent + r->reserved + most_of(r, p) <= r->options->max_cost;
}

static retort_status fill_places(asking *r, retort_error *err) {
    for (int64_t i = 0; i < r->options->concurrency && r->fatal == RETORT_OK && !r->stopped_by_cost; i++) {
        place *p = &r->places[i];
        bool found;
        if (p->question >= 0) continue;
        if (!rt_allowance_has_room(&r->requests) || !rt_allowance_has_room(&r->tokens)) return RETORT_OK;
        RT_TRY(find_question(r, p, &found, err));
        if (!found) return RETORT_OK;
        RT_TRY(find_longest(r, p, err));
        if (!affordable(r, p)) { /* what is under way may turn out cheaper than reserved */
            p->question = -1;
            r->next--;
            r->stopped_by_cost = r->under_way == 0;
            return RETORT_OK;
        }
        p->reserved = most_of(r, p);
        p->tries = 0;
        r->reserved += p->reserved;
        r->under_way++;
        rt_allowance_take(&r->requests, 1);
        rt_allowance_take(&r->tokens, prompt_tokens(p));
        RT_TRY(start_request(p, err));
    }
    return RETORT_OK;
}

static void report(const asking *r, const char *stage, const retort_progress *progress) {
    char message[120];
    const rt_ask_account *a = r->account;
    int at = snprintf(message, sizeof message, "%lld tokens", (long long)a->completion_tokens);
    if (rt_price_known(&r->price)) at += snprintf(message + at, sizeof message - (size_t)at, ", cost %.4f", r->spent);
    if (a->failed > 0) snprintf(message + at, sizeof message - (size_t)at, ", %lld failed", (long long)a->failed);
    rt_progress(progress, stage, (double)r->done, (double)r->source->count, "replies", message);
}

/* After something fatal what is under way is still waited for: it has been paid for. */
static retort_status ask(asking *r, const char *stage, const retort_progress *progress, retort_error *err) {
    for (;;) {
        RT_TRY(fill_places(r, err));
        report(r, stage, progress);
        const bool more = r->next < r->source->count && r->fatal == RETORT_OK && !r->stopped_by_cost;
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

static retort_status settle(const asking *r, retort_error *err) {
    const rt_ask_account *a = r->account;
    const long long have = (long long)(a->asked + a->reused), all = (long long)r->source->count;
    if (r->fatal != RETORT_OK)
        return rt_fail(err, r->fatal, "%s (%lld of %lld replies are in '%s')", r->why.message, have, all,
                       rt_store_path(r->store));
    RT_CHECK(
        !r->stopped_by_cost, err, RETORT_ERR_IO,
        "stopped before the cost could exceed %g: %lld of %lld replies are in '%s'; raise max_cost and run this again",
        r->options->max_cost, have, all, rt_store_path(r->store));
    RT_CHECK(a->failed == 0, err, RETORT_ERR_IO,
             "%lld of %lld replies are missing; the first failure: %s; run this again to ask only for those",
             (long long)a->failed, all, r->first_failure.message);
    return RETORT_OK;
}

/* ---- dry run ---- */

static retort_status estimate(asking *r, retort_error *err) {
    place p = {.question = -1};
    rt_ask_account *a = r->account;
    retort_status st = RETORT_OK;
    double cost = 0;
    for (int64_t q = 0; q < r->source->count && st == RETORT_OK; q++) {
        bool has = false;
        st = write_question(r, q, &p, err);
        if (st == RETORT_OK) st = rt_store_has(r->store, p.key, &has, err);
        if (st == RETORT_OK && !has) st = find_longest(r, &p, err);
        a->reused += has;
        if (st != RETORT_OK || has) continue;
        a->asked++;
        a->estimated_tokens += (int64_t)prompt_tokens(&p) + (int64_t)p.longest;
        cost += most_of(r, &p);
    }
    rt_buffer_free(&p.body);
    a->estimated_cost = rt_price_known(&r->price) ? cost : -1;
    return st;
}

/* ---- set-up ---- */

static retort_status make_url(asking *r, retort_error *err) {
    const char *base = r->options->base_url;
    rt_buffer url = {0};
    RT_CHECK(base != NULL, err, RETORT_ERR_USAGE, "option 'base_url' is required: the address of the API");
    RT_CHECK(strncmp(base, "https://", 8) == 0 || strncmp(base, "http://", 7) == 0, err, RETORT_ERR_USAGE,
             "base_url '%s' is no http or https address, such as http://127.0.0.1:8080/v1", base);
    RT_CHECK(strchr(base, '@') == NULL, err, RETORT_ERR_USAGE,
             "base_url holds a user or password; use api_key_file or OPENAI_API_KEY");
    size_t length = strlen(base);
    while (length > 0 && base[length - 1] == '/') length--;
    RT_TRY(rt_buffer_append(&url, base, length, err));
    const retort_status st =
        rt_buffer_puts(&url, r->options->api == RETORT_API_CHAT ? "/chat/completions" : "/completions", err);
    r->url = url.data;
    return st;
}

static retort_status set_price(asking *r, retort_error *err) {
    const retort_endpoint_options *o = r->options;
    r->price = (rt_price){o->price_input, o->price_output};
    if (o->prices != NULL) RT_TRY(rt_price_read(o->prices, o->model, &r->price, err));
    RT_CHECK(o->max_cost <= 0 || rt_price_known(&r->price), err, RETORT_ERR_USAGE,
             "max_cost needs prices: price_input and price_output, or a table (prices)");
    return RETORT_OK;
}

static retort_status make_places(asking *r, retort_error *err) {
    const retort_endpoint_options *o = r->options;
    r->places = rt_calloc((size_t)o->concurrency, sizeof *r->places);
    RT_CHECK(r->places != NULL, err, RETORT_ERR_MEMORY, "out of memory: requests");
    for (int64_t i = 0; i < o->concurrency; i++) {
        r->places[i].asking = r;
        r->places[i].question = -1;
        r->places[i].answer.maximum = 256 << 20;
    }
    r->requests = rt_allowance_make(o->requests_per_minute);
    r->tokens = rt_allowance_make(o->tokens_per_minute);
    const rt_http_options http = {.max_connections = (int)o->concurrency,
                                  .retries = (int)o->retries,
                                  .pause = o->retry_pause,
                                  .jitter = 0.25,
                                  .longest_pause = 120,
                                  .connect_timeout = 30,
                                  .stall_timeout = o->stream ? o->first_token_timeout : o->timeout};
    return rt_http_create(&http, &r->http, err);
}

static retort_status run(asking *r, const char *stage, const retort_progress *progress, retort_error *err) {
    RT_CHECK(r->options->model != NULL, err, RETORT_ERR_USAGE,
             "base_url needs the option 'model': what the endpoint calls it");
    RT_TRY(make_url(r, err));
    RT_TRY(set_price(r, err));
    RT_TRY(rt_secret_read(r->options, &r->secret, err));
    if (r->options->dry_run) return estimate(r, err);
    RT_TRY(make_places(r, err));
    const retort_status st = ask(r, stage, progress, err);
    r->account->cost = rt_price_known(&r->price) ? r->spent : -1;
    if (st == RETORT_ERR_INTERRUPTED)
        return rt_fail(
            err, st, "interrupted; %lld of %lld replies are in '%s', run the same command again for the rest",
            (long long)(r->account->asked + r->account->reused), (long long)r->source->count, rt_store_path(r->store));
    RT_TRY(st);
    return settle(r, err);
}

retort_status rt_ask_all(const retort_endpoint_options *options, const rt_ask_source *source, rt_store *store,
                         const char *stage, const retort_progress *progress, rt_ask_account *account,
                         retort_error *err) {
    *account = (rt_ask_account){0};
    asking r = {.options = options, .source = source, .store = store, .account = account};
    const retort_status st = run(&r, stage, progress, err);
    rt_http_destroy(r.http);
    for (int64_t i = 0; r.places != NULL && i < options->concurrency; i++) {
        rt_buffer_free(&r.places[i].body);
        rt_buffer_free(&r.places[i].answer);
        rt_reply_free(&r.places[i].reply);
    }
    rt_free(r.places);
    rt_free(r.url);
    rt_secret_free(r.secret);
    return st;
}
