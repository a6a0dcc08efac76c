#include "store/store.h"

#include <sqlite3.h>
#include <string.h>

enum { APPLICATION_ID = 0x52545254, /* "RTRT" */ WAIT_MS = 60000 };

/* Migration i brings version i to version i + 1; never changed once released. */
static const char *const MIGRATIONS[] = {
    "CREATE TABLE responses ("
    "  key TEXT PRIMARY KEY NOT NULL,"
    "  problem_id TEXT NOT NULL, sample INTEGER NOT NULL,"
    "  model TEXT NOT NULL, source TEXT NOT NULL, request TEXT NOT NULL,"
    "  text TEXT NOT NULL, reasoning TEXT, finish_reason TEXT, served_model TEXT,"
    "  prompt_tokens INTEGER, completion_tokens INTEGER, cost REAL,"
    "  seconds REAL, first_token_seconds REAL, created INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX responses_by_problem ON responses (problem_id, sample, created);",
};
enum { VERSION = sizeof MIGRATIONS / sizeof MIGRATIONS[0] };

enum { COLUMNS = 16 };
#define COLUMN_LIST                                                                                                    \
    "key, problem_id, sample, model, source, request, text, reasoning, finish_reason, served_model, prompt_tokens, "   \
    "completion_tokens, cost, seconds, first_token_seconds, created"

struct rt_store {
    sqlite3 *db;
    char *path;
    sqlite3_stmt *has, *put, *get;
};

static retort_status fail(const rt_store *store, retort_error *err) {
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

static retort_status run(rt_store *store, const char *sql, retort_error *err) {
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ? RETORT_OK : fail(store, err);
}

static retort_status prepare(rt_store *store, const char *sql, sqlite3_stmt **out, retort_error *err) {
    return sqlite3_prepare_v2(store->db, sql, -1, out, NULL) == SQLITE_OK ? RETORT_OK : fail(store, err);
}

static retort_status read_number(rt_store *store, const char *sql, int64_t *out, retort_error *err) {
    sqlite3_stmt *statement = NULL;
    RT_TRY(prepare(store, sql, &statement, err));
    const int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) *out = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return code == SQLITE_ROW ? RETORT_OK : fail(store, err);
}

/* ---- schema ---- */

/* Inside a transaction that excludes other processes, so that two that open a new store make its tables once. */
static retort_status migrate(rt_store *store, retort_error *err) {
    int64_t version = 0, application = 0, tables = 0;
    char sql[64];
    RT_TRY(read_number(store, "PRAGMA user_version", &version, err));
    RT_TRY(read_number(store, "PRAGMA application_id", &application, err));
    RT_TRY(read_number(store, "SELECT count(*) FROM sqlite_schema", &tables, err));
    RT_CHECK(application == APPLICATION_ID || (tables == 0 && version == 0), err, RETORT_ERR_FORMAT,
             "'%s' is a database of another program; name another file for the store", store->path);
    RT_CHECK(version <= VERSION, err, RETORT_ERR_FORMAT,
             "store '%s' has version %lld of the schema, this program knows %d; use a newer retort", store->path,
             (long long)version, (int)VERSION);
    for (int64_t v = version; v < VERSION; v++) RT_TRY(run(store, MIGRATIONS[v], err));
    snprintf(sql, sizeof sql, "PRAGMA application_id = %d", (int)APPLICATION_ID);
    RT_TRY(run(store, sql, err));
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d", (int)VERSION);
    return run(store, sql, err);
}

static retort_status set_up(rt_store *store, retort_error *err) {
    sqlite3_busy_timeout(store->db, WAIT_MS);
    RT_TRY(run(store, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF", err));
    RT_TRY(run(store, "BEGIN IMMEDIATE", err));
    const retort_status st = migrate(store, err);
    if (st != RETORT_OK) {
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
        return st;
    }
    RT_TRY(run(store, "COMMIT", err));
    RT_TRY(prepare(store, "SELECT 1 FROM responses WHERE key = ?1", &store->has, err));
    RT_TRY(prepare(store, "SELECT " COLUMN_LIST " FROM responses WHERE key = ?1", &store->get, err));
    return prepare(store,
                   "INSERT INTO responses (" COLUMN_LIST ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
                   "?13, ?14, ?15, ?16) ON CONFLICT (key) DO NOTHING",
                   &store->put, err);
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
        st = fail(store, err);
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
    sqlite3_finalize(store->has);
    sqlite3_finalize(store->put);
    sqlite3_finalize(store->get);
    sqlite3_close(store->db);
    rt_free(store->path);
    rt_free(store);
}

const char *rt_store_path(const rt_store *store) {
    return store->path;
}

/* ---- writing ---- */

static bool bind_text(sqlite3_stmt *s, int at, const char *text) {
    return (text != NULL ? sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC) : sqlite3_bind_null(s, at)) == SQLITE_OK;
}

static bool bind_count(sqlite3_stmt *s, int at, int64_t value) {
    return (value >= 0 ? sqlite3_bind_int64(s, at, value) : sqlite3_bind_null(s, at)) == SQLITE_OK;
}

static bool bind_real(sqlite3_stmt *s, int at, double value) {
    return (value >= 0 ? sqlite3_bind_double(s, at, value) : sqlite3_bind_null(s, at)) == SQLITE_OK;
}

static bool bind_response(sqlite3_stmt *s, const rt_stored_response *r) {
    return bind_text(s, 1, r->key) && bind_text(s, 2, r->problem_id) && bind_count(s, 3, r->sample) &&
           bind_text(s, 4, r->model) && bind_text(s, 5, r->source) && bind_text(s, 6, r->request) &&
           bind_text(s, 7, r->text) && bind_text(s, 8, r->reasoning) && bind_text(s, 9, r->finish_reason) &&
           bind_text(s, 10, r->served_model) && bind_count(s, 11, r->prompt_tokens) &&
           bind_count(s, 12, r->completion_tokens) && bind_real(s, 13, r->cost) && bind_real(s, 14, r->seconds) &&
           bind_real(s, 15, r->first_token_seconds) && bind_count(s, COLUMNS, r->created);
}

retort_status rt_store_put(rt_store *store, const rt_stored_response *response, bool *fresh, retort_error *err) {
    const bool bound = bind_response(store->put, response);
    const bool done = bound && sqlite3_step(store->put) == SQLITE_DONE;
    retort_status st = done ? RETORT_OK : fail(store, err);
    if (done && fresh != NULL) *fresh = sqlite3_changes(store->db) > 0;
    sqlite3_reset(store->put);
    sqlite3_clear_bindings(store->put);
    return st;
}

/* ---- reading ---- */

retort_status rt_store_has(rt_store *store, const char *key, bool *out, retort_error *err) {
    const int code = bind_text(store->has, 1, key) ? sqlite3_step(store->has) : SQLITE_ERROR;
    *out = code == SQLITE_ROW;
    const retort_status st = code == SQLITE_ROW || code == SQLITE_DONE ? RETORT_OK : fail(store, err);
    sqlite3_reset(store->has);
    return st;
}

static const char *text_of(sqlite3_stmt *s, int at) {
    return (const char *)sqlite3_column_text(s, at);
}

static int64_t count_of(sqlite3_stmt *s, int at) {
    return sqlite3_column_type(s, at) == SQLITE_NULL ? -1 : sqlite3_column_int64(s, at);
}

static double real_of(sqlite3_stmt *s, int at) {
    return sqlite3_column_type(s, at) == SQLITE_NULL ? -1 : sqlite3_column_double(s, at);
}

static rt_stored_response read_row(sqlite3_stmt *s) {
    return (rt_stored_response){.key = text_of(s, 0),
                                .problem_id = text_of(s, 1),
                                .sample = sqlite3_column_int64(s, 2),
                                .model = text_of(s, 3),
                                .source = text_of(s, 4),
                                .request = text_of(s, 5),
                                .text = text_of(s, 6),
                                .reasoning = text_of(s, 7),
                                .finish_reason = text_of(s, 8),
                                .served_model = text_of(s, 9),
                                .prompt_tokens = count_of(s, 10),
                                .completion_tokens = count_of(s, 11),
                                .cost = real_of(s, 12),
                                .seconds = real_of(s, 13),
                                .first_token_seconds = real_of(s, 14),
                                .created = sqlite3_column_int64(s, 15)};
}

retort_status rt_store_get(rt_store *store, const char *key, rt_stored_response *out, retort_error *err) {
    sqlite3_reset(store->get); /* the last call's strings end here */
    const int code = bind_text(store->get, 1, key) ? sqlite3_step(store->get) : SQLITE_ERROR;
    if (code == SQLITE_DONE) return RETORT_ERR_NOT_FOUND;
    if (code != SQLITE_ROW) return fail(store, err);
    *out = read_row(store->get);
    return RETORT_OK;
}

retort_status rt_store_each(rt_store *store, rt_store_visitor visit, void *context, retort_error *err) {
    sqlite3_stmt *s = NULL;
    RT_TRY(prepare(store, "SELECT " COLUMN_LIST " FROM responses ORDER BY problem_id, sample, created, key", &s, err));
    retort_status st = RETORT_OK;
    int code = SQLITE_ROW;
    while (st == RETORT_OK && (code = sqlite3_step(s)) == SQLITE_ROW) {
        const rt_stored_response row = read_row(s);
        st = visit(context, &row, err);
    }
    if (st == RETORT_OK && code != SQLITE_DONE) st = fail(store, err);
    sqlite3_finalize(s);
    return st;
}

retort_status rt_store_total(rt_store *store, rt_store_totals *out, retort_error *err) {
    sqlite3_stmt *s = NULL;
    RT_TRY(prepare(store,
                   "SELECT count(*), count(DISTINCT problem_id), count(DISTINCT model),"
                   " total(finish_reason IS 'stop'), total(finish_reason IS 'length'),"
                   " total(finish_reason IS NOT 'stop' AND finish_reason IS NOT 'length'),"
                   " total(prompt_tokens), total(completion_tokens), total(completion_tokens IS NULL),"
                   " total(cost), total(cost IS NULL) FROM responses",
                   &s, err));
    const int code = sqlite3_step(s);
    if (code == SQLITE_ROW)
        *out = (rt_store_totals){.responses = sqlite3_column_int64(s, 0),
                                 .problems = sqlite3_column_int64(s, 1),
                                 .models = sqlite3_column_int64(s, 2),
                                 .stopped = sqlite3_column_int64(s, 3),
                                 .cut = sqlite3_column_int64(s, 4),
                                 .other = sqlite3_column_int64(s, 5),
                                 .prompt_tokens = sqlite3_column_int64(s, 6),
                                 .completion_tokens = sqlite3_column_int64(s, 7),
                                 .without_usage = sqlite3_column_int64(s, 8),
                                 .cost = sqlite3_column_double(s, 9),
                                 .without_cost = sqlite3_column_int64(s, 10)};
    sqlite3_finalize(s);
    return code == SQLITE_ROW ? RETORT_OK : fail(store, err);
}

retort_status rt_store_check(rt_store *store, retort_error *err) {
    sqlite3_stmt *s = NULL;
    RT_TRY(prepare(store, "PRAGMA integrity_check(1)", &s, err));
    retort_status st = RETORT_OK;
    if (sqlite3_step(s) != SQLITE_ROW)
        st = fail(store, err);
    else if (strcmp(text_of(s, 0), "ok") != 0)
        st = rt_fail(err, RETORT_ERR_FORMAT, "store '%s' is damaged: %s", store->path, text_of(s, 0));
    sqlite3_finalize(s);
    return st;
}

retort_status rt_store_compose(const rt_stored_response *response, rt_buffer *out, retort_error *err) {
    const char *thought = response->reasoning;
    if (thought != NULL) {
        const size_t length = strlen(thought);
        const bool line = length > 0 && thought[length - 1] == '\n';
        RT_TRY(rt_buffer_printf(out, err, "<think>\n%s%s</think>\n\n", thought, line ? "" : "\n"));
    }
    return rt_buffer_puts(out, response->text, err);
}
