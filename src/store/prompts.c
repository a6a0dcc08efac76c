#include "store/prompts.h"

#include <string.h>

#include "store/statement.h"

retort_status rt_store_put_prompt(rt_store *store, const char *problem_id, const char *text, int64_t created,
                                  char sha256[65], retort_error *err) {
    static const char sql[] = "INSERT INTO prompts (sha256, problem_id, text, created) VALUES (?1, ?2, ?3, ?4) "
                              "ON CONFLICT DO NOTHING";
    sqlite3_stmt *s = NULL;
    rt_sha256(text, strlen(text), sha256);
    RT_TRY(rt_statement_keep(store, sql, &s, err));
    const bool bound = rt_bind_text(s, 1, sha256) && rt_bind_text(s, 2, problem_id) && rt_bind_text(s, 3, text) &&
                       rt_bind_count(s, 4, created);
    return rt_statement_write(store, s, bound, NULL, err);
}

static retort_status read_row(const rt_row *row, rt_stored_prompt *out, retort_error *err) {
    *out = (rt_stored_prompt){.sha256 = rt_row_text(row, 0),
                              .problem_id = rt_row_text(row, 1),
                              .text = rt_row_text(row, 2),
                              .created = rt_row_int(row, 3)};
    return rt_row_check(row, "prompts", 0xF, err);
}

retort_status rt_store_get_prompt(rt_store *store, const char *sha256, rt_stored_prompt *out, retort_error *err) {
    static const char sql[] =
        "SELECT sha256, problem_id, text, created FROM prompts WHERE sha256 = ?1 ORDER BY problem_id LIMIT 1";
    sqlite3_stmt *s = NULL;
    rt_row row;
    RT_TRY(rt_statement_keep(store, sql, &s, err));
    RT_TRY(rt_statement_read(store, s, rt_bind_text(s, 1, sha256), &row, err));
    return rt_row_end(&row, read_row(&row, out, err));
}
