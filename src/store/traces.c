#include "store/traces.h"

#include "store/statement.h"

retort_status rt_store_put_trace(rt_store *store, const rt_stored_trace *t, retort_error *err) {
    static const char sql[] =
        "INSERT INTO traces (response_key, form, kept, text, created) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT "
        "(response_key, form) DO UPDATE SET kept = excluded.kept, text = excluded.text, created = excluded.created "
        "WHERE kept IS NOT excluded.kept OR text IS NOT excluded.text";
    sqlite3_stmt *s = NULL;
    RT_TRY(rt_statement_keep(store, sql, &s, err));
    const bool bound = rt_bind_text(s, 1, t->response_key) && rt_bind_text(s, 2, t->form) &&
                       rt_bind_count(s, 3, t->kept ? 1 : 0) && rt_bind_text(s, 4, t->text) &&
                       rt_bind_count(s, 5, t->created);
    return rt_statement_write(store, s, bound, NULL, err);
}

static retort_status read_row(const rt_row *row, rt_stored_trace *out, retort_error *err) {
    *out = (rt_stored_trace){.response_key = rt_row_text(row, 0),
                             .form = rt_row_text(row, 1),
                             .kept = rt_row_int(row, 2) != 0,
                             .text = rt_row_text(row, 3),
                             .created = rt_row_int(row, 4)};
    return rt_row_check(row, "traces", 0x1F, err);
}

retort_status rt_store_get_trace(rt_store *store, const char *response_key, const char *form, rt_stored_trace *out,
                                 retort_error *err) {
    static const char sql[] =
        "SELECT response_key, form, kept, text, created FROM traces WHERE response_key = ?1 AND form = ?2";
    sqlite3_stmt *s = NULL;
    rt_row row;
    RT_TRY(rt_statement_keep(store, sql, &s, err));
    RT_TRY(rt_statement_read(store, s, rt_bind_text(s, 1, response_key) && rt_bind_text(s, 2, form), &row, err));
    return rt_row_end(&row, read_row(&row, out, err));
}
