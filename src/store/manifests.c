#include "store/manifests.h"

#include <string.h>

#include "store/statement.h"

retort_status rt_store_put_manifest(rt_store *store, const char *kind, const char *json, int64_t created,
                                    char sha256[65], retort_error *err) {
    static const char sql[] = "INSERT INTO manifests (sha256, kind, json, created) VALUES (?1, ?2, ?3, ?4) "
                              "ON CONFLICT DO NOTHING";
    sqlite3_stmt *s = NULL;
    rt_sha256(json, strlen(json), sha256);
    RT_TRY(rt_statement_keep(store, sql, &s, err));
    const bool bound = rt_bind_text(s, 1, sha256) && rt_bind_text(s, 2, kind) && rt_bind_text(s, 3, json) &&
                       rt_bind_count(s, 4, created);
    return rt_statement_write(store, s, bound, NULL, err);
}

static retort_status read_row(const rt_row *row, rt_stored_manifest *out, retort_error *err) {
    *out = (rt_stored_manifest){.sha256 = rt_row_text(row, 0),
                                .kind = rt_row_text(row, 1),
                                .json = rt_row_text(row, 2),
                                .created = rt_row_int(row, 3)};
    return rt_row_check(row, "manifests", 0xF, err);
}

retort_status rt_store_get_manifest(rt_store *store, const char *sha256, rt_stored_manifest *out, retort_error *err) {
    static const char sql[] = "SELECT sha256, kind, json, created FROM manifests WHERE sha256 = ?1";
    sqlite3_stmt *s = NULL;
    rt_row row;
    RT_TRY(rt_statement_keep(store, sql, &s, err));
    RT_TRY(rt_statement_read(store, s, rt_bind_text(s, 1, sha256), &row, err));
    return rt_row_end(&row, read_row(&row, out, err));
}

typedef struct visit {
    rt_manifest_visitor call;
    void *context;
} visit;

static retort_status visit_row(void *context, const rt_row *row, retort_error *err) {
    const visit *v = context;
    rt_stored_manifest one;
    RT_TRY(read_row(row, &one, err));
    return v->call(v->context, &one, err);
}

retort_status rt_store_each_manifest(rt_store *store, rt_manifest_visitor call, void *context, retort_error *err) {
    sqlite3_stmt *s = NULL;
    visit v = {call, context};
    RT_TRY(rt_statement_make(store, "SELECT sha256, kind, json, created FROM manifests ORDER BY created, sha256", &s,
                             err));
    return rt_statement_each(store, s, true, visit_row, &v, err);
}
