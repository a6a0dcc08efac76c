#include "store/metrics.h"

#include "store/statement.h"

#define COLUMNS "run, name, method, value, n, low, high, created"

retort_status rt_store_put_metric(rt_store *store, const rt_stored_metric *m, retort_error *err) {
    static const char sql[] =
        "INSERT INTO metrics (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (run, name, method) DO "
        "UPDATE SET value = excluded.value, n = excluded.n, low = excluded.low, high = excluded.high, created = "
        "excluded.created";
    sqlite3_stmt *s = NULL;
    RT_TRY(rt_statement_keep(store, sql, &s, err));
    const bool bound = rt_bind_text(s, 1, m->run) && rt_bind_text(s, 2, m->name) && rt_bind_text(s, 3, m->method) &&
                       rt_bind_real(s, 4, m->value) && rt_bind_count(s, 5, m->n) && rt_bind_real(s, 6, m->low) &&
                       rt_bind_real(s, 7, m->high) && rt_bind_count(s, 8, m->created);
    return rt_statement_write(store, s, bound, NULL, err);
}

typedef struct visit {
    rt_metric_visitor call;
    void *context;
} visit;

static retort_status visit_row(void *context, const rt_row *row, retort_error *err) {
    const visit *v = context;
    const rt_stored_metric one = {.run = rt_row_text(row, 0),
                                  .name = rt_row_text(row, 1),
                                  .method = rt_row_text(row, 2),
                                  .value = rt_row_real(row, 3),
                                  .n = rt_row_count(row, 4),
                                  .low = rt_row_real(row, 5),
                                  .high = rt_row_real(row, 6),
                                  .created = rt_row_int(row, 7)};
    RT_TRY(rt_row_check(row, "metrics", 0x87, err));
    return v->call(v->context, &one, err);
}

retort_status rt_store_each_metric(rt_store *store, const char *run, rt_metric_visitor call, void *context,
                                   retort_error *err) {
    sqlite3_stmt *s = NULL;
    visit v = {call, context};
    RT_TRY(rt_statement_make(
        store, "SELECT " COLUMNS " FROM metrics WHERE ?1 IS NULL OR run = ?1 ORDER BY run, name, method", &s, err));
    return rt_statement_each(store, s, rt_bind_text(s, 1, run), visit_row, &v, err);
}
