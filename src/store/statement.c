#include "store/statement.h"

#include <math.h>

retort_status rt_store_fail(const rt_store *store, retort_error *err) {
    const int code = store->db != NULL ? sqlite3_errcode(store->db) : SQLITE_NOMEM;
    const char *text = store->db != NULL ? sqlite3_errmsg(store->db) : "out of memory";
    switch (code) {
    case SQLITE_NOMEM: return rt_fail(err, RETORT_ERR_MEMORY, "store '%s': out of memory", store->path);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return rt_fail(err, RETORT_ERR_FORMAT, "store '%s': %s; if it is another program's file, name another",
                       store->path, text);
    case SQLITE_FULL:
        return rt_fail(err, RETORT_ERR_IO, "store '%s': the disk is full; what was stored before is intact",
                       store->path);
    case SQLITE_BUSY:
        return rt_fail(err, RETORT_ERR_IO, "store '%s': another process has been writing for a minute", store->path);
    default: return rt_fail(err, RETORT_ERR_IO, "store '%s': %s", store->path, text);
    }
}

retort_status rt_statement_run(rt_store *store, const char *sql, retort_error *err) {
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ? RETORT_OK : rt_store_fail(store, err);
}

retort_status rt_statement_make(rt_store *store, const char *sql, sqlite3_stmt **out, retort_error *err) {
    return sqlite3_prepare_v2(store->db, sql, -1, out, NULL) == SQLITE_OK ? RETORT_OK : rt_store_fail(store, err);
}

retort_status rt_statement_keep(rt_store *store, const char *sql, sqlite3_stmt **out, retort_error *err) {
    int at = 0;
    while (at < RT_STATEMENTS && store->sql[at] != NULL && store->sql[at] != sql) at++;
    RT_CHECK(at < RT_STATEMENTS, err, RETORT_ERR_STATE, "store '%s': too many kinds of statements", store->path);
    if (store->sql[at] == NULL) {
        RT_TRY(rt_statement_make(store, sql, &store->statement[at], err));
        store->sql[at] = sql;
    }
    *out = store->statement[at];
    sqlite3_reset(*out);
    sqlite3_clear_bindings(*out);
    return RETORT_OK;
}

retort_status rt_statement_write(rt_store *store, sqlite3_stmt *s, bool bound, bool *fresh, retort_error *err) {
    const bool done = bound && sqlite3_step(s) == SQLITE_DONE;
    const retort_status st = done ? RETORT_OK : rt_store_fail(store, err);
    if (done && fresh != NULL) *fresh = sqlite3_changes(store->db) > 0;
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    return st;
}

retort_status rt_statement_read(rt_store *store, sqlite3_stmt *s, bool bound, rt_row *row, retort_error *err) {
    const int code = bound ? sqlite3_step(s) : SQLITE_ERROR;
    *row = (rt_row){store, s, true};
    for (int i = 0; i < RT_COLUMNS; i++) {
        rt_free(store->kept[i]);
        store->kept[i] = NULL;
    }
    if (code == SQLITE_ROW) return RETORT_OK;
    const retort_status st = code == SQLITE_DONE ? RETORT_ERR_NOT_FOUND : rt_store_fail(store, err);
    return rt_row_end(row, st);
}

retort_status rt_row_end(const rt_row *row, retort_status st) {
    sqlite3_reset(row->s);
    sqlite3_clear_bindings(row->s);
    return st;
}

retort_status rt_statement_each(rt_store *store, sqlite3_stmt *s, bool bound, rt_row_visitor visit, void *context,
                                retort_error *err) {
    const rt_row row = {store, s, false};
    retort_status st = bound ? RETORT_OK : rt_store_fail(store, err);
    int code = SQLITE_DONE;
    while (st == RETORT_OK && (code = sqlite3_step(s)) == SQLITE_ROW) st = visit(context, &row, err);
    if (st == RETORT_OK && code != SQLITE_DONE) st = rt_store_fail(store, err);
    sqlite3_finalize(s);
    return st;
}

bool rt_bind_text(sqlite3_stmt *s, int at, const char *text) {
    return (text != NULL ? sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC) : sqlite3_bind_null(s, at)) == SQLITE_OK;
}

bool rt_bind_count(sqlite3_stmt *s, int at, int64_t value) {
    return (value >= 0 ? sqlite3_bind_int64(s, at, value) : sqlite3_bind_null(s, at)) == SQLITE_OK;
}

bool rt_bind_real(sqlite3_stmt *s, int at, double value) {
    return (isnan(value) ? sqlite3_bind_null(s, at) : sqlite3_bind_double(s, at, value)) == SQLITE_OK;
}

const char *rt_row_text(const rt_row *row, int at) {
    const char *text = (const char *)sqlite3_column_text(row->s, at);
    if (text == NULL || !row->copied) return text;
    return row->store->kept[at] = rt_strdup(text);
}

int64_t rt_row_int(const rt_row *row, int at) {
    return sqlite3_column_int64(row->s, at);
}

int64_t rt_row_count(const rt_row *row, int at) {
    return sqlite3_column_type(row->s, at) == SQLITE_NULL ? -1 : sqlite3_column_int64(row->s, at);
}

double rt_row_real(const rt_row *row, int at) {
    return sqlite3_column_type(row->s, at) == SQLITE_NULL ? (double)NAN : sqlite3_column_double(row->s, at);
}

retort_status rt_row_check(const rt_row *row, const char *table, unsigned required, retort_error *err) {
    for (int at = 0; at < sqlite3_column_count(row->s); at++) {
        const bool is_null = sqlite3_column_type(row->s, at) == SQLITE_NULL;
        RT_CHECK(!is_null || (required >> at & 1) == 0, err, RETORT_ERR_FORMAT,
                 "store '%s' is damaged: a row of '%s' has no %s", row->store->path, table,
                 sqlite3_column_name(row->s, at));
        const bool text = sqlite3_column_type(row->s, at) == SQLITE_TEXT;
        RT_CHECK(!text || !row->copied || row->store->kept[at] != NULL, err, RETORT_ERR_MEMORY,
                 "store '%s': out of memory", row->store->path);
    }
    return RETORT_OK;
}
