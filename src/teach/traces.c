#include "teach/traces.h"

#include <string.h>
#include <time.h>

#include "core/file.h"
#include "store/scores.h"
#include "store/traces.h"
#include "verify/grade.h"

enum { THINK_TAGS, THINK_DROP, THINK_ONLY };
enum { KEEP_ALL, KEEP_CORRECT };

static const char *const FORMS[] = {"tags", "drop", "only"};

/* The trace as the student should learn it. */
static retort_status compose(const rt_stored_response *reply, int think, rt_buffer *out, retort_error *err) {
    if (think == THINK_TAGS || reply->reasoning == NULL) return rt_store_compose(reply, out, err);
    return rt_buffer_puts(out, think == THINK_ONLY ? reply->reasoning : reply->text, err);
}

typedef struct writer {
    const retort_teach_options *options;
    rt_store *store;
    retort_teach_account *account;
    rt_atomic_file file;
    rt_buffer trace;
    int64_t now;
} writer;

static retort_status keep(const writer *w, const rt_trace_entry *entry, const char *text, const char *verdict,
                          bool kept, retort_error *err) {
    const rt_stored_trace trace = {
        .response_key = entry->key, .form = FORMS[w->options->think], .kept = kept, .text = text, .created = w->now};
    RT_TRY(rt_store_put_trace(w->store, &trace, err));
    if (verdict == NULL) return RETORT_OK;
    const rt_stored_score score = {
        .response_key = entry->key, .grader = "strict", .verdict = verdict, .created = w->now};
    return rt_store_put_score(w->store, &score, err);
}

static void count(retort_teach_account *a, rt_verdict verdict, bool kept, size_t length) {
    a->right += verdict == RT_RIGHT;
    a->wrong += verdict == RT_WRONG;
    a->unparsed += verdict != RT_RIGHT && verdict != RT_WRONG;
    a->left_out += !kept;
    a->traces += kept;
    a->characters += kept ? (int64_t)length : 0;
}

static retort_status write_trace(writer *w, const rt_trace_entry *entry, const rt_problem *problem,
                                 const rt_stored_response *reply, retort_error *err) {
    rt_buffer_clear(&w->trace);
    RT_TRY(compose(reply, w->options->think, &w->trace, err));
    const char *text = w->trace.length > 0 ? w->trace.data : "";
    const bool graded = problem->question.family != RT_FAMILY_TEXT || problem->answer != NULL;
    rt_verdict verdict = RT_UNPARSED;
    if (graded) RT_TRY(rt_grade_strict(&problem->question, text, w->trace.length, &verdict, err));
    const bool kept = w->options->keep != KEEP_CORRECT || verdict == RT_RIGHT;
    const char *name = graded ? rt_verdict_name(verdict) : NULL;
    count(w->account, verdict, kept, w->trace.length);
    RT_TRY(keep(w, entry, text, name, kept, err));
    if (!kept) return RETORT_OK;
    json_t *line = json_pack("{s:s,s:s,s:o,s:s,s:s?,s:I,s:s?}", "id", problem->id, "problem", problem->problem,
                             "response", rt_json_text(text, w->trace.length), "teacher", reply->model, "verdict", name,
                             "sample", (json_int_t)entry->sample, "finish_reason", reply->finish_reason);
    return rt_jsonl_write(&w->file, line, err);
}

static retort_status write_all(writer *w, const rt_trace_list *list, retort_error *err) {
    for (int64_t i = 0; i < list->count; i++) {
        const rt_trace_entry *entry = &list->entries[i];
        const rt_problem *problem = &list->problems->items[entry->problem];
        rt_stored_response reply;
        const retort_status st = rt_store_get(w->store, entry->key, &reply, err);
        RT_CHECK(st != RETORT_ERR_NOT_FOUND, err, RETORT_ERR_STATE, "the reply to problem '%s' has left the store",
                 problem->id);
        RT_TRY(st);
        RT_TRY(write_trace(w, entry, problem, &reply, err));
    }
    return RETORT_OK;
}

/* The file appears once the store has what is in it. */
static retort_status write_both(writer *w, const rt_trace_list *list, retort_error *err) {
    RT_TRY(rt_store_begin(w->store, err));
    const retort_status st = write_all(w, list, err);
    if (st == RETORT_OK) return rt_store_commit(w->store, err);
    rt_store_rollback(w->store);
    return st;
}

retort_status rt_traces_write(const retort_teach_options *options, const rt_trace_list *list, rt_store *store,
                              retort_teach_account *account, retort_error *err) {
    writer w = {.options = options, .store = store, .account = account, .now = time(NULL)};
    RT_TRY(rt_atomic_open(&w.file, options->output, err));
    retort_status st = write_both(&w, list, err);
    if (st == RETORT_OK)
        st = rt_atomic_commit(&w.file, err);
    else
        rt_atomic_abort(&w.file);
    rt_buffer_free(&w.trace);
    return st;
}
