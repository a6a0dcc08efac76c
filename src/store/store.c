#include "store/store.h"

#include <string.h>

#include "store/schema.h"
#include "store/statement.h"

enum { WAIT_MS = 60000 };

static retort_status set_up(rt_store *store, retort_error *err) {
    sqlite3_busy_timeout(store->db, WAIT_MS);
    RT_TRY(rt_statement_run(store, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF",
                            err));
    return rt_schema_prepare(store, err);
}

retort_status rt_store_open(const char *path, rt_store **out, retort_error *err) {
    *out = NULL;
    rt_store *store = rt_calloc(1, sizeof *store);
    RT_CHECK(store != NULL, err, RETORT_ERR_MEMORY, "out of memory: store");
    store->path = rt_strdup(path);
    retort_status st;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (store->path == NULL)
        st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: store");
    else if (sqlite3_open_v2(path, &store->db, flags, NULL) != SQLITE_OK)
        st = rt_store_fail(store, err);
    else
        st = set_up(store, err);
    if (st != RETORT_OK) {
        rt_store_close(store);
        return st;
    }
    *out = store;
    return RETORT_OK;
}

void rt_store_close(rt_store *store) {
    if (store == NULL) return;
    for (int i = 0; i < RT_STATEMENTS; i++) sqlite3_finalize(store->statement[i]);
    for (int i = 0; i < RT_COLUMNS; i++) rt_free(store->kept[i]);
    sqlite3_close(store->db);
    rt_free(store->path);
    rt_free(store);
}

const char *rt_store_path(const rt_store *store) {
    return store->path;
}

/* At once a writer's lock: a transaction that reads first could find at its first write that another was quicker. */
retort_status rt_store_begin(rt_store *store, retort_error *err) {
    return rt_statement_run(store, "BEGIN IMMEDIATE", err);
}

retort_status rt_store_commit(rt_store *store, retort_error *err) {
    const retort_status st = rt_statement_run(store, "COMMIT", err);
    if (st != RETORT_OK) rt_store_rollback(store);
    return st;
}

void rt_store_rollback(rt_store *store) {
    /* A full disk has rolled back by itself. */
    if (sqlite3_get_autocommit(store->db) == 0) sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}

retort_status rt_store_check(rt_store *store, retort_error *err) {
    sqlite3_stmt *s = NULL;
    RT_TRY(rt_statement_make(store, "PRAGMA integrity_check(1)", &s, err));
    retort_status st = RETORT_OK;
    if (sqlite3_step(s) != SQLITE_ROW)
        st = rt_store_fail(store, err);
    else if (strcmp((const char *)sqlite3_column_text(s, 0), "ok") != 0)
        st = rt_fail(err, RETORT_ERR_FORMAT, "store '%s' is damaged: %s", store->path,
                     (const char *)sqlite3_column_text(s, 0));
    sqlite3_finalize(s);
    return st;
}
