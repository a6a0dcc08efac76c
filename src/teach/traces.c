#include "teach/traces.h"

#include <string.h>

#include "core/file.h"
#include "verify/grade.h"

enum { THINK_TAGS, THINK_DROP, THINK_ONLY };
enum { KEEP_ALL, KEEP_CORRECT };

/* The trace as the student should learn it. */
static retort_status compose(const rt_stored_response *reply, int think, rt_buffer *out, retort_error *err) {
    if (think == THINK_TAGS || reply->reasoning == NULL) return rt_store_compose(reply, out, err);
    return rt_buffer_puts(out, think == THINK_ONLY ? reply->reasoning : reply->text, err);
}

typedef struct writer {
    const rt_questions *questions;
    rt_store *store;
    retort_teach_account *account;
    rt_atomic_file file;
    rt_buffer body, trace;
} writer;

static retort_status write_trace(writer *w, int64_t q, const rt_stored_response *reply, retort_error *err) {
    const retort_teach_options *o = w->questions->options;
    const rt_problem *problem = rt_questions_problem(w->questions, q);
    retort_teach_account *a = w->account;
    rt_buffer_clear(&w->trace);
    RT_TRY(compose(reply, o->think, &w->trace, err));
    const char *text = w->trace.length > 0 ? w->trace.data : "";
    const bool graded = problem->question.family != RT_FAMILY_TEXT || problem->answer != NULL;
    rt_verdict verdict = RT_UNPARSED;
    if (graded) RT_TRY(rt_grade_strict(&problem->question, text, w->trace.length, &verdict, err));
    a->right += verdict == RT_RIGHT;
    a->wrong += verdict == RT_WRONG;
    a->unparsed += verdict != RT_RIGHT && verdict != RT_WRONG;
    if (o->keep == KEEP_CORRECT && verdict != RT_RIGHT) {
        a->left_out++;
        return RETORT_OK;
    }
    a->traces++;
    a->characters += (int64_t)w->trace.length;
    json_t *line = json_pack("{s:s,s:s,s:o,s:s,s:o,s:I,s:s?}", "id", problem->id, "problem", problem->problem,
                             "response", rt_json_text(text, w->trace.length), "teacher", reply->model, "verdict",
                             graded ? json_string(rt_verdict_name(verdict)) : json_null(), "sample",
                             (json_int_t)reply->sample, "finish_reason", reply->finish_reason);
    return rt_jsonl_write(&w->file, line, err);
}

static retort_status write_all(writer *w, retort_error *err) {
    for (int64_t q = 0; q < w->questions->count; q++) {
        char key[65];
        rt_stored_response reply;
        RT_TRY(rt_questions_write(w->questions, q, &w->body, key, err));
        const retort_status st = rt_store_get(w->store, key, &reply, err);
        RT_CHECK(st != RETORT_ERR_NOT_FOUND, err, RETORT_ERR_STATE, "the reply to problem '%s' has left the store",
                 rt_questions_problem(w->questions, q)->id);
        RT_TRY(st);
        RT_TRY(write_trace(w, q, &reply, err));
    }
    return RETORT_OK;
}

retort_status rt_traces_write(const rt_questions *questions, rt_store *store, retort_teach_account *account,
                              retort_error *err) {
    writer w = {.questions = questions, .store = store, .account = account};
    RT_TRY(rt_atomic_open(&w.file, questions->options->output, err));
    retort_status st = write_all(&w, err);
    if (st == RETORT_OK)
        st = rt_atomic_commit(&w.file, err);
    else
        rt_atomic_abort(&w.file);
    rt_buffer_free(&w.body);
    rt_buffer_free(&w.trace);
    return st;
}
