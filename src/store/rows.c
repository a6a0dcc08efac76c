#include "store/rows.h"

#include <string.h>

#include "store/problems.h"
#include "store/statement.h"

/* STRUCTURE: JSON as text in the table, a value of its own in the object. */
typedef enum kind { TEXT, COUNT, REAL, STRUCTURE } kind;

typedef struct column {
    const char *name; /* NULL ends the list */
    kind kind;
    bool required;
} column;

static const column RESPONSES[] = {{"key", TEXT, true},
                                   {"problem_id", TEXT, true},
                                   {"sample", COUNT, true},
                                   {"model", TEXT, true},
                                   {"source", TEXT, true},
                                   {"request", STRUCTURE, true},
                                   {"text", TEXT, true},
                                   {"reasoning", TEXT, false},
                                   {"finish_reason", TEXT, false},
                                   {"served_model", TEXT, false},
                                   {"prompt_tokens", COUNT, false},
                                   {"completion_tokens", COUNT, false},
                                   {"cost", REAL, false},
                                   {"seconds", REAL, false},
                                   {"first_token_seconds", REAL, false},
                                   {"created", COUNT, true},
                                   {"prompt_sha256", TEXT, false},
                                   {"token_ids", STRUCTURE, false},
                                   {0}};
static const column PROBLEMS[] = {
    {"id", TEXT, true},         {"sha256", TEXT, true},  {"problem", TEXT, true},  {"answer", TEXT, false},
    {"gold", STRUCTURE, false}, {"origin", TEXT, false}, {"created", COUNT, true}, {0}};
static const column PROMPTS[] = {
    {"sha256", TEXT, true}, {"problem_id", TEXT, true}, {"text", TEXT, true}, {"created", COUNT, true}, {0}};
static const column TRACES[] = {{"response_key", TEXT, true}, {"form", TEXT, true},     {"kept", COUNT, true},
                                {"text", TEXT, true},         {"created", COUNT, true}, {0}};
static const column SCORES[] = {{"response_key", TEXT, true}, {"grader", TEXT, true},   {"verdict", TEXT, true},
                                {"reason", TEXT, false},      {"created", COUNT, true}, {0}};
static const column JUDGEMENTS[] = {{"response_key", TEXT, true},   {"judge", TEXT, true},
                                    {"prompt_version", TEXT, true}, {"vote", COUNT, true},
                                    {"behavior", TEXT, true},       {"status", TEXT, true},
                                    {"count", COUNT, true},         {"spans", STRUCTURE, true},
                                    {"created", COUNT, true},       {0}};
static const column METRICS[] = {{"run", TEXT, true},    {"name", TEXT, true},     {"method", TEXT, true},
                                 {"value", REAL, false}, {"n", COUNT, false},      {"low", REAL, false},
                                 {"high", REAL, false},  {"created", COUNT, true}, {0}};
static const column MANIFESTS[] = {
    {"sha256", TEXT, true}, {"kind", TEXT, true}, {"json", TEXT, true}, {"created", COUNT, true}, {0}};

/* The statements are spelled out: they are found again by the address of their text. */
typedef struct table {
    const char *name;
    const column *columns;
    const char *hashed; /* the column whose SHA-256 is `sha256`, or NULL */
    const char *select, *insert, *count;
} table;

#define TABLE(name_, columns_, hashed_, list_, marks_, order_)                                                         \
    {                                                                                                                  \
        .name = #name_, .columns = columns_, .hashed = hashed_,                                                        \
        .select = "SELECT " list_ " FROM " #name_ " WHERE ?1 IS NULL OR " order_,                                      \
        .insert = "INSERT INTO " #name_ " (" list_ ") VALUES (" marks_ ") ON CONFLICT DO NOTHING",                     \
        .count = "SELECT count(*) FROM " #name_                                                                        \
    }
#define ALL "?1 IS NOT NULL ORDER BY "

static const table TABLE_LIST[RT_TABLES] = {
    TABLE(responses, RESPONSES, NULL,
          "key, problem_id, sample, model, source, request, text, reasoning, finish_reason, served_model, "
          "prompt_tokens, completion_tokens, cost, seconds, first_token_seconds, created, prompt_sha256, token_ids",
          "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18",
          "model = ?1 ORDER BY problem_id, sample, created, key"),
    TABLE(problems, PROBLEMS, NULL, "id, sha256, problem, answer, gold, origin, created", "?1, ?2, ?3, ?4, ?5, ?6, ?7",
          ALL "id, created, sha256"),
    TABLE(prompts, PROMPTS, "text", "sha256, problem_id, text, created", "?1, ?2, ?3, ?4", ALL "problem_id, sha256"),
    TABLE(traces, TRACES, NULL, "response_key, form, kept, text, created", "?1, ?2, ?3, ?4, ?5",
          ALL "response_key, form"),
    TABLE(scores, SCORES, NULL, "response_key, grader, verdict, reason, created", "?1, ?2, ?3, ?4, ?5",
          ALL "response_key, grader"),
    TABLE(judgements, JUDGEMENTS, NULL,
          "response_key, judge, prompt_version, vote, behavior, status, count, spans, created",
          "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9", ALL "response_key, judge, prompt_version, vote, behavior"),
    TABLE(metrics, METRICS, NULL, "run, name, method, value, n, low, high, created", "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8",
          ALL "run, name, method"),
    TABLE(manifests, MANIFESTS, "json", "sha256, kind, json, created", "?1, ?2, ?3, ?4", ALL "created, sha256")};

const char *rt_table_name(rt_table which) {
    return TABLE_LIST[which].name;
}

retort_status rt_table_count(rt_store *store, rt_table which, int64_t *out, retort_error *err) {
    sqlite3_stmt *s = NULL;
    rt_row row;
    RT_TRY(rt_statement_keep(store, TABLE_LIST[which].count, &s, err));
    RT_TRY(rt_statement_read(store, s, true, &row, err));
    *out = rt_row_int(&row, 0);
    return rt_row_end(&row, RETORT_OK);
}

/* ---- out ---- */

static retort_status value_of(const rt_row *row, int at, const column *c, json_t **out, retort_error *err) {
    const char *text = rt_row_text(row, at);
    *out = NULL;
    if (text == NULL)
        *out = json_null();
    else if (c->kind == COUNT)
        *out = json_integer(rt_row_int(row, at));
    else if (c->kind == REAL)
        *out = json_real(rt_row_real(row, at));
    else if (c->kind == TEXT)
        *out = rt_json_text(text, strlen(text));
    else
        RT_TRY(rt_json_parse(text, strlen(text), c->name, out, err));
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory: row");
    return RETORT_OK;
}

typedef struct visit {
    const table *table;
    rt_object_visitor call;
    void *context;
} visit;

static retort_status visit_row(void *context, const rt_row *row, retort_error *err) {
    const visit *v = context;
    json_t *object = json_object();
    retort_status st = RETORT_OK;
    for (int i = 0; v->table->columns[i].name != NULL && st == RETORT_OK; i++) {
        const column *c = &v->table->columns[i];
        json_t *value = NULL;
        st = value_of(row, i, c, &value, err);
        if (st != RETORT_OK)
            rt_fail_context(err, st, "store '%s', table '%s'", row->store->path, v->table->name);
        else if (c->required && json_is_null(value))
            st = rt_fail(err, RETORT_ERR_FORMAT, "store '%s' is damaged: a row of '%s' has no %s", row->store->path,
                         v->table->name, c->name);
        if (json_object_set_new(object, c->name, value) != 0 && st == RETORT_OK)
            st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: row");
    }
    if (st == RETORT_OK) st = v->call(v->context, object, err);
    json_decref(object);
    return st;
}

retort_status rt_rows_each(rt_store *store, rt_table which, const char *model, rt_object_visitor call, void *context,
                           retort_error *err) {
    sqlite3_stmt *s = NULL;
    visit v = {&TABLE_LIST[which], call, context};
    RT_TRY(rt_statement_make(store, v.table->select, &s, err));
    const char *only = which == RT_TABLE_RESPONSES ? model : NULL;
    return rt_statement_each(store, s, rt_bind_text(s, 1, only), visit_row, &v, err);
}

/* ---- in ---- */

static const column *find_column(const table *t, const char *name) {
    for (const column *c = t->columns; c->name != NULL; c++)
        if (strcmp(c->name, name) == 0) return c;
    return NULL;
}

static retort_status check_members(const table *t, const json_t *row, const char *where, retort_error *err) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)row, name, value) {
        RT_CHECK(find_column(t, name) != NULL, err, RETORT_ERR_FORMAT, "%s: '%.60s' is no column of '%s'", where, name,
                 t->name);
    }
    return RETORT_OK;
}

static bool fits(const column *c, const json_t *value) {
    if (value == NULL || json_is_null(value)) return !c->required;
    switch (c->kind) {
    case TEXT: return json_is_string(value);
    case COUNT: return json_is_integer(value) && json_integer_value(value) >= 0;
    case REAL: return json_is_number(value);
    case STRUCTURE: return json_is_object(value) || json_is_array(value);
    }
    return false;
}

static retort_status bind_value(rt_store *store, sqlite3_stmt *s, int at, const column *c, const json_t *value,
                                rt_buffer *space, retort_error *err) {
    int code = SQLITE_OK;
    if (value == NULL || json_is_null(value)) {
        code = sqlite3_bind_null(s, at);
    } else if (c->kind == TEXT) {
        code = sqlite3_bind_text(s, at, json_string_value(value), -1, SQLITE_STATIC);
    } else if (c->kind == COUNT) {
        code = sqlite3_bind_int64(s, at, json_integer_value(value));
    } else if (c->kind == REAL) {
        code = sqlite3_bind_double(s, at, json_number_value(value));
    } else {
        rt_buffer_clear(space);
        RT_TRY(rt_json_dump(value, JSON_COMPACT, space, err));
        code = sqlite3_bind_text(s, at, space->data, -1, SQLITE_TRANSIENT);
    }
    return code == SQLITE_OK ? RETORT_OK : rt_store_fail(store, err);
}

static retort_status check_problem(const json_t *row, const char *where, retort_error *err) {
    char sha256[65];
    rt_buffer gold = {0};
    const json_t *value = json_object_get(row, "gold");
    if (json_is_object(value)) RT_TRY(rt_json_dump(value, JSON_COMPACT, &gold, err));
    const rt_stored_problem problem = {.id = json_string_value(json_object_get(row, "id")),
                                       .problem = json_string_value(json_object_get(row, "problem")),
                                       .answer = json_string_value(json_object_get(row, "answer")),
                                       .gold = gold.data};
    const retort_status st = rt_store_hash_problem(&problem, sha256, err);
    rt_buffer_free(&gold);
    RT_TRY(st);
    RT_CHECK(strcmp(sha256, json_string_value(json_object_get(row, "sha256"))) == 0, err, RETORT_ERR_FORMAT,
             "%s: 'sha256' is not the hash of problem, answer and gold", where);
    return RETORT_OK;
}

static retort_status check_hash(const table *t, const json_t *row, const char *where, retort_error *err) {
    if (t->hashed == NULL) return RETORT_OK;
    char sha256[65];
    const char *text = json_string_value(json_object_get(row, t->hashed));
    rt_sha256(text, strlen(text), sha256);
    RT_CHECK(strcmp(sha256, json_string_value(json_object_get(row, "sha256"))) == 0, err, RETORT_ERR_FORMAT,
             "%s: 'sha256' is not the hash of '%s'", where, t->hashed);
    return RETORT_OK;
}

retort_status rt_rows_put(rt_store *store, rt_table which, const json_t *row, const char *where, bool *fresh,
                          retort_error *err) {
    const table *t = &TABLE_LIST[which];
    sqlite3_stmt *s = NULL;
    rt_buffer space = {0};
    retort_status st = RETORT_OK;
    RT_TRY(check_members(t, row, where, err));
    for (const column *c = t->columns; c->name != NULL; c++)
        RT_CHECK(fits(c, json_object_get(row, c->name)), err, RETORT_ERR_FORMAT,
                 "%s: '%s' is missing or of another type", where, c->name);
    RT_TRY(which == RT_TABLE_PROBLEMS ? check_problem(row, where, err) : check_hash(t, row, where, err));
    RT_TRY(rt_statement_keep(store, t->insert, &s, err));
    for (int i = 0; t->columns[i].name != NULL && st == RETORT_OK; i++)
        st = bind_value(store, s, i + 1, &t->columns[i], json_object_get(row, t->columns[i].name), &space, err);
    rt_buffer_free(&space);
    RT_TRY(st);
    return rt_statement_write(store, s, true, fresh, err);
}
