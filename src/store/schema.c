#include "store/schema.h"

#include "store/statement.h"

enum { APPLICATION_ID = 0x52545254 /* "RTRT" */ };

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
    "ALTER TABLE responses ADD COLUMN prompt_sha256 TEXT;"
    "ALTER TABLE responses ADD COLUMN token_ids TEXT;"
    "CREATE TABLE problems ("
    "  id TEXT NOT NULL, sha256 TEXT NOT NULL, problem TEXT NOT NULL, answer TEXT, gold TEXT, origin TEXT,"
    "  created INTEGER NOT NULL, PRIMARY KEY (id, sha256)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE prompts ("
    "  sha256 TEXT NOT NULL, problem_id TEXT NOT NULL, text TEXT NOT NULL, created INTEGER NOT NULL,"
    "  PRIMARY KEY (sha256, problem_id)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE traces ("
    "  response_key TEXT NOT NULL, form TEXT NOT NULL, kept INTEGER NOT NULL, text TEXT NOT NULL,"
    "  created INTEGER NOT NULL, PRIMARY KEY (response_key, form)"
    ") STRICT;"
    "CREATE TABLE scores ("
    "  response_key TEXT NOT NULL, grader TEXT NOT NULL, verdict TEXT NOT NULL, reason TEXT,"
    "  created INTEGER NOT NULL, PRIMARY KEY (response_key, grader)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE judgements ("
    "  response_key TEXT NOT NULL, judge TEXT NOT NULL, prompt_version TEXT NOT NULL, vote INTEGER NOT NULL,"
    "  behavior TEXT NOT NULL, status TEXT NOT NULL, count INTEGER NOT NULL, spans TEXT NOT NULL,"
    "  created INTEGER NOT NULL, PRIMARY KEY (response_key, judge, prompt_version, vote, behavior)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE metrics ("
    "  run TEXT NOT NULL, name TEXT NOT NULL, method TEXT NOT NULL, value REAL, n INTEGER, low REAL, high REAL,"
    "  created INTEGER NOT NULL, PRIMARY KEY (run, name, method)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE manifests ("
    "  sha256 TEXT PRIMARY KEY NOT NULL, kind TEXT NOT NULL, json TEXT NOT NULL, created INTEGER NOT NULL"
    ") STRICT;"};
enum { VERSION = sizeof MIGRATIONS / sizeof MIGRATIONS[0] };

static retort_status read_number(rt_store *store, const char *sql, int64_t *out, retort_error *err) {
    sqlite3_stmt *s = NULL;
    RT_TRY(rt_statement_make(store, sql, &s, err));
    const int code = sqlite3_step(s);
    if (code == SQLITE_ROW) *out = sqlite3_column_int64(s, 0);
    const retort_status st = code == SQLITE_ROW ? RETORT_OK : rt_store_fail(store, err);
    sqlite3_finalize(s);
    return st;
}

static retort_status migrate(rt_store *store, retort_error *err) {
    int64_t version = 0, application = 0, tables = 0;
    char sql[64];
    RT_TRY(read_number(store, "PRAGMA user_version", &version, err));
    RT_TRY(read_number(store, "PRAGMA application_id", &application, err));
    RT_TRY(read_number(store, "SELECT count(*) FROM sqlite_schema", &tables, err));
    RT_CHECK(application == APPLICATION_ID || (tables == 0 && version == 0), err, RETORT_ERR_FORMAT,
             "'%s' is a database of another program; name another file for the store", rt_store_path(store));
    RT_CHECK(version >= 0 && version <= VERSION, err, RETORT_ERR_FORMAT,
             "store '%s' has version %lld of the schema, this program knows %d; use a newer retort",
             rt_store_path(store), (long long)version, (int)VERSION);
    if (version == VERSION) return RETORT_OK;
    for (int64_t v = version; v < VERSION; v++) RT_TRY(rt_statement_run(store, MIGRATIONS[v], err));
    snprintf(sql, sizeof sql, "PRAGMA application_id = %d; PRAGMA user_version = %d", (int)APPLICATION_ID,
             (int)VERSION);
    return rt_statement_run(store, sql, err);
}

retort_status rt_schema_prepare(rt_store *store, retort_error *err) {
    RT_TRY(rt_store_begin(store, err));
    const retort_status st = migrate(store, err);
    if (st == RETORT_OK) return rt_store_commit(store, err);
    rt_store_rollback(store);
    return st;
}
