#include "store/judgements.h"

#include "store/statement.h"

#define COLUMNS "response_key, judge, prompt_version, vote, behavior, status, count, spans, created"

retort_status rt_store_put_judgement(rt_store *store, const rt_stored_judgement *j, retort_error *err) {
    static const char sql[] =
        "INSERT INTO judgements (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (response_key, "
        "judge, prompt_version, vote, behavior) DO UPDATE SET status = excluded.status, count = excluded.count, "
        "spans = excluded.spans, created = excluded.created";
    sqlite3_stmt *s = NULL;
    RT_TRY(rt_statement_keep(store, sql, &s, err));
    const bool bound = rt_bind_text(s, 1, j->response_key) && rt_bind_text(s, 2, j->judge) &&
                       rt_bind_text(s, 3, j->prompt_version) && rt_bind_count(s, 4, j->vote) &&
                       rt_bind_text(s, 5, j->behavior) && rt_bind_text(s, 6, j->status) &&
                       rt_bind_count(s, 7, j->count) && rt_bind_text(s, 8, j->spans) && rt_bind_count(s, 9, j->created);
    return rt_statement_write(store, s, bound, NULL, err);
}

typedef struct visit {
    rt_judgement_visitor call;
    void *context;
} visit;

static retort_status visit_row(void *context, const rt_row *row, retort_error *err) {
    const visit *v = context;
    const rt_stored_judgement one = {.response_key = rt_row_text(row, 0),
                                     .judge = rt_row_text(row, 1),
                                     .prompt_version = rt_row_text(row, 2),
                                     .vote = rt_row_int(row, 3),
                                     .behavior = rt_row_text(row, 4),
                                     .status = rt_row_text(row, 5),
                                     .count = rt_row_int(row, 6),
                                     .spans = rt_row_text(row, 7),
                                     .created = rt_row_int(row, 8)};
    RT_TRY(rt_row_check(row, "judgements", 0x1FF, err));
    return v->call(v->context, &one, err);
}

retort_status rt_store_each_judgement(rt_store *store, const char *response_key, rt_judgement_visitor call,
                                      void *context, retort_error *err) {
    sqlite3_stmt *s = NULL;
    visit v = {call, context};
    RT_TRY(rt_statement_make(store,
                             "SELECT " COLUMNS " FROM judgements WHERE ?1 IS NULL OR response_key = ?1 ORDER BY "
                             "response_key, judge, prompt_version, vote, behavior",
                             &s, err));
    return rt_statement_each(store, s, rt_bind_text(s, 1, response_key), visit_row, &v, err);
}
