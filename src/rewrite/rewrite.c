#include "retort/rewrite.h"

#include <string.h>

#include "core/json.h"
#include "core/progress.h"
#include "rewrite/marked.h"
#include "rewrite/plain.h"
#include "rewrite/sprinkle.h"
#include "rewrite/trace.h"

#define ROW(name_, kind, ...)                                                                                          \
    { .name = #name_, .type = RETORT_OPTION_##kind, .offset = offsetof(retort_rewrite_options, name_), __VA_ARGS__ }

/* The choices are in the order of retort_rewrite_style. */
const retort_option retort_rewrite_option_table[] = {
    ROW(input, STRING, .argument = "FILE", .group = "Traces", .required = true,
        .help = "Traces as JSONL: response, completion, or messages whose last is the assistant's."),
    ROW(output, STRING, .argument = "FILE", .required = true,
        .help = "JSONL file to write: the same lines with the text rewritten."),
    ROW(style, CHOICE, .default_value = "plain", .argument = "NAME", .choices = "plain|sprinkled",
        .help = "No marked token is left, or marked tokens are put in."),
    ROW(match, STRING, .argument = "FILE",
        .help = "sprinkled: traces whose rate and mix of marked tokens is taken, as the flexible teacher's."),
    ROW(seed, INT, .default_value = "1", .argument = "N", .minimum = 0, .maximum = 9e15,
        .help = "sprinkled: fixes which words go where."),
    {0},
};

typedef struct rewriter {
    const retort_rewrite_options *options;
    const retort_progress *progress;
    retort_rewrite_account account;
    rt_sprinkler sprinkler;
    rt_marks *marks;
    rt_atomic_file file;
    rt_buffer text;
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

/* By the world's grammar. RETORT_ERR_FORMAT: the text is no such trace. */
static retort_status restyle(rewriter *r, const rt_trace_text *trace, int64_t index, retort_error *err) {
    if (r->options->style == RETORT_REWRITE_SPRINKLED)
        return rt_sprinkle_write(&r->sprinkler, index, trace->text, trace->length, &r->text, err);
    if (rt_restyled_check(RETORT_REWRITE_PLAIN, r->marks, trace, trace->text, trace->length, NULL) != RETORT_OK)
        return rt_plain_write(trace->text, trace->length, &r->text, err);
    r->account.unchanged++;
    return rt_buffer_append(&r->text, trace->text, trace->length, err);
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
    return rt_trace_write(&r->file, object, &trace, r->text.data, r->text.length, r->options->style, NULL, err);
}

static retort_status run(rewriter *r, retort_error *err) {
    const retort_rewrite_options *options = r->options;
    if (options->style == RETORT_REWRITE_SPRINKLED) {
        RT_CHECK(options->match != NULL, err, RETORT_ERR_USAGE,
                 "style sprinkled needs 'match': traces whose rate of marked tokens it takes");
        RT_TRY(rt_jsonl_read(options->match, add_reference, r, err));
        RT_CHECK(rt_marked_total(&r->sprinkler.reference) > 0, err, RETORT_ERR_FORMAT,
                 "'%s' holds no marked token: there is nothing to sprinkle", options->match);
    }
    RT_TRY(rt_marks_create(&r->marks, err));
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
    rt_free(r);
    return st;
}
