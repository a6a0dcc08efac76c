/* What the tables' files share: statements that are kept, values in and out of them, failures as sentences. */
#ifndef RT_STORE_STATEMENT_H
#define RT_STORE_STATEMENT_H

#include <sqlite3.h>

#include "store/store.h"

enum { RT_STATEMENTS = 48, RT_COLUMNS = 24 };

struct rt_store {
    sqlite3 *db;
    char *path;
    const char *sql[RT_STATEMENTS]; /* kept statements, found by the address of their text */
    sqlite3_stmt *statement[RT_STATEMENTS];
    char *kept[RT_COLUMNS]; /* strings of the last row that was got */
};

/* A row being read. A statement that stands on its row holds the file as it was then, and a write after another
 * process's would be refused; so what a get hands out is copied, and its statement reset. */
typedef struct rt_row {
    rt_store *store;
    sqlite3_stmt *s;
    bool copied; /* strings are copies, else SQLite's own */
} rt_row;

/* What SQLite's last call complained about. */
retort_status rt_store_fail(const rt_store *store, retort_error *err);

retort_status rt_statement_run(rt_store *store, const char *sql, retort_error *err);
/* For once; the caller finalizes it. */
retort_status rt_statement_make(rt_store *store, const char *sql, sqlite3_stmt **out, retort_error *err);
/* For many times: reset and without values. `sql` must be a string that lives as long as the store. */
retort_status rt_statement_keep(rt_store *store, const char *sql, sqlite3_stmt **out, retort_error *err);
/* One step of a statement that writes, whose values were bound if `bound`; *fresh (may be NULL): a row was written. */
retort_status rt_statement_write(rt_store *store, sqlite3_stmt *s, bool bound, bool *fresh, retort_error *err);
/* One step of a statement that reads one row, RETORT_ERR_NOT_FOUND without a message where there is none. After
 * RETORT_OK *row is to be read and ended with rt_row_end, which hands on a status. */
retort_status rt_statement_read(rt_store *store, sqlite3_stmt *s, bool bound, rt_row *row, retort_error *err);
retort_status rt_row_end(const rt_row *row, retort_status st);
/* All rows: `visit` reads each. Finalizes the statement; values that were not `bound` are a failure. */
typedef retort_status (*rt_row_visitor)(void *context, const rt_row *row, retort_error *err);
retort_status rt_statement_each(rt_store *store, sqlite3_stmt *s, bool bound, rt_row_visitor visit, void *context,
                                retort_error *err);

/* Values in; false on failure. Text NULL, a negative count and a real that is NaN are NULL. */
bool rt_bind_text(sqlite3_stmt *s, int at, const char *text);
bool rt_bind_count(sqlite3_stmt *s, int at, int64_t value);
bool rt_bind_real(sqlite3_stmt *s, int at, double value);

/* Values out: NULL is NULL, -1, NaN. */
const char *rt_row_text(const rt_row *row, int at);
int64_t rt_row_int(const rt_row *row, int at);
int64_t rt_row_count(const rt_row *row, int at);
double rt_row_real(const rt_row *row, int at);
/* A file with these tables need not have been made by this program: bit i of `required` says that column i must not be
 * NULL. Also fails if a copy could not be made. */
retort_status rt_row_check(const rt_row *row, const char *table, unsigned required, retort_error *err);

#endif
