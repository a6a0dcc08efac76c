#include <math.h>
#include <string.h>

#include "store/statement.h"

#define COLUMNS                                                                                                        \
    "key, problem_id, sample, model, source, request, text, reasoning, finish_reason, served_model, prompt_tokens, "   \
    "completion_tokens, cost, seconds, first_token_seconds, created, prompt_sha256, token_ids"
enum { REQUIRED = 0x807F }; /* columns 0 to 6 and 15 */

static double known(double value) {
    return value >= 0 ? value : (double)NAN;
}

static double unknown(double value) {
    return isnan(value) ? -1 : value;
}

retort_status rt_store_put(rt_store *store, const rt_stored_response *r, bool *fresh, retort_error *err) {
    static const char sql[] = "INSERT INTO responses (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
                              "?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18) ON CONFLICT (key) DO NOTHING";
    sqlite3_stmt *s = NULL;
    RT_TRY(rt_statement_keep(store, sql, &s, err));
    const bool bound =
        rt_bind_text(s, 1, r->key) && rt_bind_text(s, 2, r->problem_id) && rt_bind_count(s, 3, r->sample) &&
        rt_bind_text(s, 4, r->model) && rt_bind_text(s, 5, r->source) && rt_bind_text(s, 6, r->request) &&
        rt_bind_text(s, 7, r->text) && rt_bind_text(s, 8, r->reasoning) && rt_bind_text(s, 9, r->finish_reason) &&
        rt_bind_text(s, 10, r->served_model) && rt_bind_count(s, 11, r->prompt_tokens) &&
        rt_bind_count(s, 12, r->completion_tokens) && rt_bind_real(s, 13, known(r->cost)) &&
        rt_bind_real(s, 14, known(r->seconds)) && rt_bind_real(s, 15, known(r->first_token_seconds)) &&
        rt_bind_count(s, 16, r->created) && rt_bind_text(s, 17, r->prompt_sha256) && rt_bind_text(s, 18, r->token_ids);
    return rt_statement_write(store, s, bound, fresh, err);
}

retort_status rt_store_has(rt_store *store, const char *key, bool *out, retort_error *err) {
    static const char sql[] = "SELECT 1 FROM responses WHERE key = ?1";
    sqlite3_stmt *s = NULL;
    rt_row row;
    RT_TRY(rt_statement_keep(store, sql, &s, err));
    const retort_status st = rt_row_end(&row, rt_statement_read(store, s, rt_bind_text(s, 1, key), &row, err));
    *out = st == RETORT_OK;
    return st == RETORT_ERR_NOT_FOUND ? RETORT_OK : st;
}

static retort_status read_row(const rt_row *row, rt_stored_response *out, retort_error *err) {
    *out = (rt_stored_response){.key = rt_row_text(row, 0),
                                .problem_id = rt_row_text(row, 1),
                                .sample = rt_row_int(row, 2),
                                .model = rt_row_text(row, 3),
                                .source = rt_row_text(row, 4),
                                .request = rt_row_text(row, 5),
                                .text = rt_row_text(row, 6),
                                .reasoning = rt_row_text(row, 7),
                                .finish_reason = rt_row_text(row, 8),
                                .served_model = rt_row_text(row, 9),
                                .prompt_tokens = rt_row_count(row, 10),
                                .completion_tokens = rt_row_count(row, 11),
                                .cost = unknown(rt_row_real(row, 12)),
                                .seconds = unknown(rt_row_real(row, 13)),
                                .first_token_seconds = unknown(rt_row_real(row, 14)),
                                .created = rt_row_int(row, 15),
                                .prompt_sha256 = rt_row_text(row, 16),
                                .token_ids = rt_row_text(row, 17)};
    return rt_row_check(row, "responses", REQUIRED, err);
}

retort_status rt_store_get(rt_store *store, const char *key, rt_stored_response *out, retort_error *err) {
    static const char sql[] = "SELECT " COLUMNS " FROM responses WHERE key = ?1";
    sqlite3_stmt *s = NULL;
    rt_row row;
    RT_TRY(rt_statement_keep(store, sql, &s, err));
    RT_TRY(rt_statement_read(store, s, rt_bind_text(s, 1, key), &row, err));
    return rt_row_end(&row, read_row(&row, out, err));
}

retort_status rt_store_count_samples(rt_store *store, const char *problem_id, const char *model, int64_t *out,
                                     retort_error *err) {
    static const char sql[] = "SELECT count(*) FROM responses WHERE problem_id = ?1 AND model = ?2";
    sqlite3_stmt *s = NULL;
    rt_row row;
    RT_TRY(rt_statement_keep(store, sql, &s, err));
    RT_TRY(rt_statement_read(store, s, rt_bind_text(s, 1, problem_id) && rt_bind_text(s, 2, model), &row, err));
    *out = rt_row_int(&row, 0);
    return rt_row_end(&row, RETORT_OK);
}

typedef struct visit {
    rt_store_visitor call;
    void *context;
} visit;

static retort_status visit_row(void *context, const rt_row *row, retort_error *err) {
    const visit *v = context;
    rt_stored_response one;
    RT_TRY(read_row(row, &one, err));
    return v->call(v->context, &one, err);
}

retort_status rt_store_each(rt_store *store, rt_store_visitor call, void *context, retort_error *err) {
    sqlite3_stmt *s = NULL;
    visit v = {call, context};
    RT_TRY(rt_statement_make(store, "SELECT " COLUMNS " FROM responses ORDER BY problem_id, sample, created, key", &s,
                             err));
    return rt_statement_each(store, s, true, visit_row, &v, err);
}

retort_status rt_store_total(rt_store *store, rt_store_totals *out, retort_error *err) {
    sqlite3_stmt *s = NULL;
    RT_TRY(rt_statement_make(store,
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
    const retort_status st = code == SQLITE_ROW ? RETORT_OK : rt_store_fail(store, err);
    sqlite3_finalize(s);
    return st;
}

typedef struct model_visit {
    rt_model_visitor call;
    void *context;
} model_visit;

static retort_status visit_model(void *context, const rt_row *row, retort_error *err) {
    const model_visit *v = context;
    const rt_stored_model one = {.model = rt_row_text(row, 0),
                                 .problems = rt_row_int(row, 1),
                                 .responses = rt_row_int(row, 2),
                                 .scored = rt_row_int(row, 3),
                                 .right = rt_row_int(row, 4)};
    RT_TRY(rt_row_check(row, "responses", 1, err));
    return v->call(v->context, &one, err);
}

retort_status rt_store_each_model(rt_store *store, rt_model_visitor call, void *context, retort_error *err) {
    sqlite3_stmt *s = NULL;
    model_visit v = {call, context};
    RT_TRY(rt_statement_make(store,
                             "SELECT model, count(DISTINCT problem_id), count(*), count(verdict),"
                             " total(verdict IS 'right') FROM responses LEFT JOIN scores ON response_key = key AND"
                             " grader = 'strict' GROUP BY model ORDER BY model",
                             &s, err));
    return rt_statement_each(store, s, true, visit_model, &v, err);
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
