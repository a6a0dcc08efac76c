#include "rewrite/remote.h"

#include <string.h>

#include "ask/ask.h"
#include "ask/endpoint.h"
#include "rewrite/instructions.h"
#include "rewrite/trace.h"

/* One round of questions: the traces that no reply was accepted for so far. */
typedef struct round {
    const retort_rewrite_options *options;
    const rt_marks *marks;
    rt_restyled *traces;
    int64_t *open; /* indices */
    int64_t count, number;
    rt_instructions instructions;
    json_t *extra;
    rt_buffer message;
} round;

static retort_status write_question(void *context, int64_t q, rt_buffer *body, char key[65], retort_error *err) {
    round *r = context;
    const retort_rewrite_options *o = r->options;
    const rt_restyled *trace = &r->traces[r->open[q]];
    rt_buffer_clear(body);
    rt_buffer_clear(&r->message);
    RT_TRY(rt_instructions_write(&r->instructions, trace->text, trace->length, &r->message, err));
    const rt_ask ask = {.chat = true,
                        .stream = o->endpoint.stream,
                        .model = o->endpoint.model,
                        .system = r->instructions.system.data,
                        .prompt = r->message.data,
                        .max_tokens = o->max_tokens,
                        .temperature = o->temperature,
                        .top_p = 1,
                        .seed = o->seed + r->number,
                        .extra = r->extra};
    RT_TRY(rt_ask_write(&ask, body, err));
    return rt_ask_key(&ask, trace->id, r->number, key, err);
}

static const char *id_of(void *context, int64_t q) {
    const round *r = context;
    return r->traces[r->open[q]].id;
}

static int64_t sample_of(void *context, int64_t q) {
    const round *r = context;
    (void)q;
    return r->number;
}

/* White space round a reply is the model's habit. */
static void trim(const char **text, size_t *length) {
    while (*length > 0 && strchr(" \t\r\n", **text) != NULL) {
        (*text)++;
        (*length)--;
    }
    while (*length > 0 && strchr(" \t\r\n", (*text)[*length - 1]) != NULL) (*length)--;
}

/* A reply that adds nothing was no work. */
static retort_status check_sprinkled(const rt_trace_text *original, const char *text, size_t length,
                                     retort_error *err) {
    rt_marked before = {0}, after = {0};
    rt_marked_count(original->text, original->length, &before);
    rt_marked_count(text, length, &after);
    RT_CHECK(rt_marked_total(&after) > rt_marked_total(&before), err, RETORT_ERR_FORMAT,
             "the rewritten text holds no more marked tokens than its original");
    return RETORT_OK;
}

static retort_status judge(const round *r, rt_restyled *trace, const rt_stored_response *reply, retort_error *err) {
    const rt_trace_text original = {"", trace->text, trace->length};
    const char *text = reply->text;
    size_t length = strlen(text);
    retort_error reason = {0};
    trim(&text, &length);
    retort_status st = rt_restyled_check(r->options->style, r->marks, &original, text, length, &reason);
    if (st == RETORT_OK && r->options->style == RETORT_REWRITE_SPRINKLED)
        st = check_sprinkled(&original, text, length, &reason);
    if (st == RETORT_OK && reply->finish_reason != NULL && strcmp(reply->finish_reason, "length") == 0)
        st = rt_fail(&reason, RETORT_ERR_FORMAT, "the reply was cut at the token limit");
    if (st == RETORT_ERR_FORMAT) {
        snprintf(trace->reason, sizeof trace->reason, "%.199s", reason.message);
        return RETORT_OK;
    }
    if (st != RETORT_OK) return rt_fail(err, st, "%s", reason.message);
    trace->result = rt_strndup(text, length);
    RT_CHECK(trace->result != NULL, err, RETORT_ERR_MEMORY, "out of memory: a rewritten trace");
    return RETORT_OK;
}

static retort_status read_replies(round *r, rt_store *store, retort_error *err) {
    rt_buffer body = {0};
    int64_t left = 0;
    retort_status st = RETORT_OK;
    for (int64_t q = 0; q < r->count && st == RETORT_OK; q++) {
        char key[65];
        rt_stored_response reply;
        rt_restyled *trace = &r->traces[r->open[q]];
        st = write_question(r, q, &body, key, err);
        if (st == RETORT_OK) st = rt_store_get(store, key, &reply, err);
        if (st == RETORT_OK) st = judge(r, trace, &reply, err);
        if (st == RETORT_OK && trace->result == NULL) r->open[left++] = r->open[q];
    }
    rt_buffer_free(&body);
    r->count = left;
    return st;
}

static void add_account(retort_endpoint_account *all, const retort_endpoint_account *one) {
    all->asked += one->asked;
    all->reused += one->reused;
    all->failed += one->failed;
    all->cut += one->cut;
    all->prompt_tokens += one->prompt_tokens;
    all->completion_tokens += one->completion_tokens;
    all->without_usage += one->without_usage;
    all->cost = all->cost < 0 || one->cost < 0 ? -1 : all->cost + one->cost;
    all->estimated_tokens += one->estimated_tokens;
    all->estimated_cost =
        all->estimated_cost < 0 || one->estimated_cost < 0 ? -1 : all->estimated_cost + one->estimated_cost;
}

/* A bound on the cost holds for all rounds together. */
static retort_status ask_rounds(round *r, rt_store *store, const retort_progress *progress,
                                retort_endpoint_account *account, retort_error *err) {
    retort_endpoint_options endpoint = r->options->endpoint;
    for (r->number = 0; r->number < r->options->tries && r->count > 0; r->number++) {
        retort_endpoint_account one = {0};
        const rt_ask_source source = {
            .count = r->count, .write = write_question, .id = id_of, .sample = sample_of, .context = r};
        if (r->options->endpoint.max_cost > 0) {
            endpoint.max_cost = r->options->endpoint.max_cost - account->cost;
            RT_CHECK(endpoint.max_cost > 0, err, RETORT_ERR_IO,
                     "the cost's bound of %g is reached; %lld traces still have no accepted reply",
                     r->options->endpoint.max_cost, (long long)r->count);
        }
        const retort_status st = rt_ask_all(&endpoint, &source, store, "rewrite", progress, &one, err);
        add_account(account, &one);
        RT_TRY(st);
        if (endpoint.dry_run) return RETORT_OK;
        RT_TRY(read_replies(r, store, err));
    }
    return RETORT_OK;
}

static retort_status check_options(const retort_rewrite_options *o, retort_error *err) {
    RT_CHECK(o->endpoint.model != NULL, err, RETORT_ERR_USAGE, "base_url needs the option 'model': who rewrites");
    RT_CHECK(o->store != NULL, err, RETORT_ERR_USAGE,
             "base_url needs the option 'store': the file that keeps every reply, so that none is paid for twice");
    RT_CHECK(o->endpoint.api == RETORT_API_CHAT, err, RETORT_ERR_USAGE,
             "rewriting asks for chat completions; leave 'api' at chat");
    RT_CHECK(o->match == NULL, err, RETORT_ERR_USAGE,
             "'match' sets the rate for the world's traces; a model is not held to it");
    return RETORT_OK;
}

retort_status rt_rewrite_remote(const retort_rewrite_options *options, const rt_marks *marks, rt_restyled *traces,
                                int64_t count, const retort_progress *progress, retort_rewrite_account *account,
                                retort_error *err) {
    round r = {.options = options, .marks = marks, .traces = traces};
    rt_store *store = NULL;
    RT_TRY(check_options(options, err));
    r.open = rt_malloc_array((size_t)count + 1, sizeof *r.open);
    RT_CHECK(r.open != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld traces", (long long)count);
    for (int64_t i = 0; i < count; i++)
        if (traces[i].result == NULL) r.open[r.count++] = i;
    retort_status st = rt_instructions_load(options->style, marks, &r.instructions, err);
    if (st == RETORT_OK) st = rt_ask_extra(options->endpoint.extra_body, &r.extra, err);
    if (st == RETORT_OK) st = rt_store_open(options->store, &store, err);
    if (st == RETORT_OK) {
        snprintf(account->prompt_version, sizeof account->prompt_version, "%s", r.instructions.version);
        st = ask_rounds(&r, store, progress, &account->endpoint, err);
    }
    rt_store_close(store);
    json_decref(r.extra);
    rt_instructions_free(&r.instructions);
    rt_buffer_free(&r.message);
    rt_free(r.open);
    return st;
}
