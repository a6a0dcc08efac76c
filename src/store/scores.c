#include "store/scores.h"

#include "store/statement.h"

retort_status rt_store_put_score(rt_store *store, const rt_stored_score *score, retort_error *err) {
    static const char sql[] =
        "INSERT INTO scores (response_key, grader, verdict, reason, created) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT "
        "(response_key, grader) DO UPDATE SET verdict = excluded.verdict, reason = excluded.reason, created = "
        "excluded.created WHERE verdict IS NOT excluded.verdict OR reason IS NOT excluded.reason";
    sqlite3_stmt *s = NULL;
    RT_TRY(rt_statement_keep(store, sql, &s, err));
    const bool bound = rt_bind_text(s, 1, score->response_key) && rt_bind_text(s, 2, score->grader) &&
                       rt_bind_text(s, 3, score->verdict) && rt_bind_text(s, 4, score->reason) &&
                       rt_bind_count(s, 5, score->created);
    return rt_statement_write(store, s, bound, NULL, err);
}

static retort_status read_row(const rt_row *row, rt_stored_score *out, retort_error *err) {
    *out = (rt_stored_score){.response_key = rt_row_text(row, 0),
                             .grader = rt_row_text(row, 1),
                             .verdict = rt_row_text(row, 2),
                             .reason = rt_row_text(row, 3),
                             .created = rt_row_int(row, 4)};
    return rt_row_check(row, "scores", 0x17, err);
}

retort_status rt_store_get_score(rt_store *store, const char *response_key, const char *grader, rt_stored_score *out,
                                 retort_error *err) {
    static const char sql[] = "SELECT response_key, grader, verdict, reason, created FROM scores WHERE "
                              "response_key = ?1 AND grader = ?2";
    sqlite3_stmt *s = NULL;
    rt_row row;
    RT_TRY(rt_statement_keep(store, sql, &s, err));
    RT_TRY(rt_statement_read(store, s, rt_bind_text(s, 1, response_key) && rt_bind_text(s, 2, grader), &row, err));
    return rt_row_end(&row, read_row(&row, out, err));
}
