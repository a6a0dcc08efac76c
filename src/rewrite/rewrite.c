#include "retort/rewrite.h"

#include <string.h>

#include "core/json.h"
#include "core/progress.h"
#include "rewrite/marked.h"
#include "rewrite/plain.h"
#include "rewrite/remote.h"
#include "rewrite/sprinkle.h"
#include "rewrite/trace.h"

typedef struct rewriter {
    const retort_rewrite_options *options;
    const retort_progress *progress;
    retort_rewrite_account account;
    rt_sprinkler sprinkler;
    rt_marks *marks;
    rt_atomic_file file;
    rt_buffer text;
    rt_restyled *remote; /* an endpoint's work, trace by trace; NULL: the world's grammar */
    int64_t remote_count, remote_capacity;
} rewriter;

static void add_rates(retort_rewrite_rates *rates, const rt_marked *marked) {
    rates->lexemes += marked->lexemes;
    rates->anthropomorphic += marked->by[RT_CATEGORY_ANTHROPOMORPHIC];
    rates->logical += marked->by[RT_CATEGORY_LOGICAL];
}

static retort_status add_reference(void *context, json_t *object, size_t line, retort_error *err) {
    rewriter *r = context;
    rt_trace_text trace;
    rt_marked marked = {0};
    RT_TRY(rt_trace_find(object, r->options->match, line, &trace, err));
    RT_TRY(rt_sprinkle_reference(&r->sprinkler, trace.text, trace.length, err));
    rt_marked_count(trace.text, trace.length, &marked);
    add_rates(&r->account.matched, &marked);
    return RETORT_OK;
}

static bool is_plain(const rewriter *r, const rt_trace_text *trace) {
    return r->options->style == RETORT_REWRITE_PLAIN &&
           rt_restyled_check(RETORT_REWRITE_PLAIN, r->marks, trace, trace->text, trace->length, NULL) == RETORT_OK;
}

/* By the world's grammar, or what the endpoint made of it. RETORT_ERR_FORMAT: rejected. */
static retort_status restyle(rewriter *r, const rt_trace_text *trace, int64_t index, retort_error *err) {
    if (is_plain(r, trace)) {
        r->account.unchanged++;
        return rt_buffer_append(&r->text, trace->text, trace->length, err);
    }
    if (r->remote != NULL) {
        const rt_restyled *done = &r->remote[index];
        RT_CHECK(done->result != NULL, err, RETORT_ERR_FORMAT, "%s", done->reason);
        return rt_buffer_puts(&r->text, done->result, err);
    }
    if (r->options->style == RETORT_REWRITE_SPRINKLED)
        return rt_sprinkle_write(&r->sprinkler, index, trace->text, trace->length, &r->text, err);
    return rt_plain_write(trace->text, trace->length, &r->text, err);
}

static void reject(rewriter *r, size_t line, const char *reason) {
    retort_rewrite_account *a = &r->account;
    if (a->rejected++ == 0) snprintf(a->reason, sizeof a->reason, "line %zu: %.200s", line, reason);
}

static retort_status rewrite_line(void *context, json_t *object, size_t line, retort_error *err) {
    rewriter *r = context;
    rt_trace_text trace;
    retort_error reason = {0};
    RT_CHECK(!rt_interrupted(), err, RETORT_ERR_INTERRUPTED, "interrupted; run the same command again");
    RT_TRY(rt_trace_find(object, r->options->input, line, &trace, err));
    rt_buffer_clear(&r->text);
    retort_status st = restyle(r, &trace, r->account.traces++, &reason);
    if (st == RETORT_OK)
        st = rt_restyled_check(r->options->style, r->marks, &trace, r->text.data, r->text.length, &reason);
    rt_progress(r->progress, "rewrite", (double)r->account.traces, 0, "traces", NULL);
    if (st == RETORT_ERR_FORMAT) {
        reject(r, line, reason.message);
        return RETORT_OK;
    }
    if (st != RETORT_OK) return rt_fail(err, st, "'%s' line %zu: %s", r->options->input, line, reason.message);
    rt_marked before = {0}, after = {0};
    rt_marked_count(trace.text, trace.length, &before);
    rt_marked_count(r->text.data, r->text.length, &after);
    add_rates(&r->account.before, &before);
    add_rates(&r->account.after, &after);
    r->account.written++;
    char by[400];
    snprintf(by, sizeof by, "%.200s %s", r->remote != NULL ? r->options->endpoint.model : "",
             r->account.prompt_version);
    return rt_trace_write(&r->file, object, &trace, r->text.data, r->text.length, r->options->style,
                          r->remote != NULL ? by : NULL, err);
}

/* ---- an endpoint ---- */

/* Each trace's text, and what it is called in the store: its id, else its line. */
static retort_status gather(void *context, json_t *object, size_t line, retort_error *err) {
    rewriter *r = context;
    rt_trace_text trace;
    char number[40];
    RT_TRY(rt_trace_find(object, r->options->input, line, &trace, err));
    if (r->remote_count == r->remote_capacity) {
        const int64_t capacity = r->remote_capacity > 0 ? 2 * r->remote_capacity : 256;
        rt_restyled *remote = rt_realloc_array(r->remote, (size_t)capacity, sizeof *remote);
        RT_CHECK(remote != NULL, err, RETORT_ERR_MEMORY, "out of memory: traces of '%s'", r->options->input);
        r->remote = remote;
        r->remote_capacity = capacity;
    }
    snprintf(number, sizeof number, "line %zu", line);
    const char *id = json_string_value(json_object_get(object, "id"));
    char *copy = rt_strndup(trace.text, trace.length);
    rt_restyled *item = &r->remote[r->remote_count++];
    *item = (rt_restyled){.id = rt_strdup(id != NULL ? id : number), .text = copy, .length = trace.length};
    RT_CHECK(item->id != NULL && copy != NULL, err, RETORT_ERR_MEMORY, "out of memory: traces of '%s'",
             r->options->input);
    RT_CHECK(strlen(copy) == trace.length, err, RETORT_ERR_FORMAT, "'%s' line %zu: a text with a NUL character",
             r->options->input, line);
    if (!is_plain(r, &trace)) return RETORT_OK;
    item->result = rt_strdup(copy); /* not worth a question */
    RT_CHECK(item->result != NULL, err, RETORT_ERR_MEMORY, "out of memory: traces of '%s'", r->options->input);
    return RETORT_OK;
}

static void release_remote(rewriter *r) {
    for (int64_t i = 0; i < r->remote_count; i++) {
        rt_free(r->remote[i].id);
        rt_free((char *)(uintptr_t)r->remote[i].text);
        rt_free(r->remote[i].result);
    }
    rt_free(r->remote);
}

static retort_status read_reference(rewriter *r, retort_error *err) {
    const retort_rewrite_options *options = r->options;
    RT_CHECK(options->match != NULL, err, RETORT_ERR_USAGE,
             "style sprinkled needs 'match': traces whose rate of marked tokens it takes");
    RT_TRY(rt_jsonl_read(options->match, add_reference, r, err));
    RT_CHECK(rt_marked_total(&r->sprinkler.reference) > 0, err, RETORT_ERR_FORMAT,
             "'%s' holds no marked token: there is nothing to sprinkle", options->match);
    return RETORT_OK;
}

/* ---- the run ---- */

static retort_status run(rewriter *r, retort_error *err) {
    const retort_rewrite_options *options = r->options;
    RT_TRY(rt_marks_create(&r->marks, err));
    if (options->endpoint.base_url != NULL) {
        RT_TRY(rt_jsonl_read(options->input, gather, r, err));
        RT_TRY(rt_rewrite_remote(options, r->marks, r->remote, r->remote_count, r->progress, &r->account, err));
        if (options->endpoint.dry_run) return RETORT_OK;
    } else if (options->style == RETORT_REWRITE_SPRINKLED) {
        RT_TRY(read_reference(r, err));
    }
    RT_TRY(rt_atomic_open(&r->file, options->output, err));
    RT_TRY(rt_jsonl_read(options->input, rewrite_line, r, err));
    RT_CHECK(r->account.traces > 0, err, RETORT_ERR_FORMAT, "'%s' holds no trace", options->input);
    RT_CHECK(r->account.written > 0, err, RETORT_ERR_STATE, "all %lld traces were rejected; the first: %s",
             (long long)r->account.rejected, r->account.reason);
    return rt_atomic_commit(&r->file, err);
}

retort_status retort_rewrite(const retort_rewrite_options *options, const retort_progress *progress,
                             retort_rewrite_account *account, retort_error *err) {
    RT_TRY(retort_options_check(retort_rewrite_option_table, options, err));
    rewriter *r = rt_calloc(1, sizeof *r);
    RT_CHECK(r != NULL, err, RETORT_ERR_MEMORY, "out of memory: rewriting");
    r->options = options;
    r->progress = progress;
    r->sprinkler.seed = (uint64_t)options->seed;
    retort_status st = run(r, err);
    rt_atomic_abort(&r->file);
    if (account != NULL) *account = r->account;
    rt_buffer_free(&r->text);
    rt_marks_destroy(r->marks);
    release_remote(r);
    rt_free(r);
    return st;
}
