#include "store/problems.h"

#include "store/statement.h"

#define COLUMNS "id, sha256, problem, answer, gold, origin, created"
enum { REQUIRED = 0x47 };

retort_status rt_store_hash_problem(const rt_stored_problem *problem, char sha256[65], retort_error *err) {
    rt_buffer text = {0};
    json_t *content = json_pack("[s,s?,s?]", problem->problem, problem->answer, problem->gold);
    RT_CHECK(content != NULL, err, RETORT_ERR_FORMAT, "problem '%s' is not UTF-8", problem->id);
    const retort_status st = rt_json_dump(content, JSON_COMPACT, &text, err);
    if (st == RETORT_OK) rt_sha256(text.data, text.length, sha256);
    json_decref(content);
    rt_buffer_free(&text);
    return st;
}

retort_status rt_store_put_problem(rt_store *store, const rt_stored_problem *p, retort_error *err) {
    static const char sql[] = "INSERT INTO problems (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) "
                              "ON CONFLICT DO NOTHING";
    char sha256[65];
    sqlite3_stmt *s = NULL;
    RT_TRY(rt_store_hash_problem(p, sha256, err));
    RT_TRY(rt_statement_keep(store, sql, &s, err));
    const bool bound = rt_bind_text(s, 1, p->id) && rt_bind_text(s, 2, sha256) && rt_bind_text(s, 3, p->problem) &&
                       rt_bind_text(s, 4, p->answer) && rt_bind_text(s, 5, p->gold) && rt_bind_text(s, 6, p->origin) &&
                       rt_bind_count(s, 7, p->created);
    return rt_statement_write(store, s, bound, NULL, err);
}

static retort_status read_row(const rt_row *row, rt_stored_problem *out, retort_error *err) {
    *out = (rt_stored_problem){.id = rt_row_text(row, 0),
                               .sha256 = rt_row_text(row, 1),
                               .problem = rt_row_text(row, 2),
                               .answer = rt_row_text(row, 3),
                               .gold = rt_row_text(row, 4),
                               .origin = rt_row_text(row, 5),
                               .created = rt_row_int(row, 6)};
    return rt_row_check(row, "problems", REQUIRED, err);
}

retort_status rt_store_get_problem(rt_store *store, const char *id, rt_stored_problem *out, retort_error *err) {
    static const char sql[] = "SELECT " COLUMNS " FROM problems WHERE id = ?1 ORDER BY created DESC, sha256 LIMIT 1";
    sqlite3_stmt *s = NULL;
    rt_row row;
    RT_TRY(rt_statement_keep(store, sql, &s, err));
    RT_TRY(rt_statement_read(store, s, rt_bind_text(s, 1, id), &row, err));
    return rt_row_end(&row, read_row(&row, out, err));
}

typedef struct visit {
    rt_problem_visitor call;
    void *context;
} visit;

static retort_status visit_row(void *context, const rt_row *row, retort_error *err) {
    const visit *v = context;
    rt_stored_problem one;
    RT_TRY(read_row(row, &one, err));
    return v->call(v->context, &one, err);
}

retort_status rt_store_each_problem(rt_store *store, rt_problem_visitor call, void *context, retort_error *err) {
    sqlite3_stmt *s = NULL;
    visit v = {call, context};
    RT_TRY(rt_statement_make(store, "SELECT " COLUMNS " FROM problems ORDER BY id, created, sha256", &s, err));
    return rt_statement_each(store, s, true, visit_row, &v, err);
}
