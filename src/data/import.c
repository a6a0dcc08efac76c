#include "data/import.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "data/answer_rules.h"
#include "data/csv.h"

static const char *const PROBLEM_KEYS[] = {"problem", "question", "Problem", "Question", NULL};
static const char *const ID_KEYS[] = {"id", "ID", "unique_id", "Record ID", "problem_idx", NULL};
static const char *const KEPT_KEYS[] = {"year", "subject", "level", "contest", "url", "source", "alt_answers", NULL};

typedef struct reader {
    rt_import *import;
    const char *path;
} reader;

static const json_t *first_of(const json_t *row, const char *const *keys) {
    for (; *keys != NULL; keys++) {
        const json_t *value = json_object_get(row, *keys);
        if (value != NULL && !json_is_null(value)) return value;
    }
    return NULL;
}

/* The year of a contest's row: a column, or the address of its page, ".../2024_AIME_I_Problems/Problem_1"; 0: unknown.
 */
static long year_of(const json_t *row) {
    static const char *const keys[] = {"year", "Year", NULL};
    const json_t *year = first_of(row, keys);
    if (json_is_integer(year)) return (long)json_integer_value(year);
    if (json_is_string(year)) return strtol(json_string_value(year), NULL, 10);
    const char *url = json_string_value(json_object_get(row, "url"));
    const char *contest = url != NULL ? strstr(url, "_A") : NULL; /* _AIME_, _AMC_ */
    return contest != NULL && contest - url >= 4 ? strtol(contest - 4, NULL, 10) : 0;
}

static retort_status set_id(const reader *r, const json_t *row, json_t *problem, const char *where, retort_error *err) {
    const json_t *id = first_of(row, ID_KEYS);
    char made[96];
    const char *text = json_string_value(id);
    if (json_is_integer(id) || id == NULL) {
        const long long number =
            id != NULL ? (long long)json_integer_value(id) : (long long)json_array_size(r->import->problems) + 1;
        snprintf(made, sizeof made, "%s-%lld", r->import->set != NULL ? r->import->set->name : "problem", number);
        text = made;
    }
    RT_CHECK(text != NULL && text[0] != '\0', err, RETORT_ERR_FORMAT, "%s: the id is neither text nor an integer",
             where);
    RT_CHECK(json_object_set_new(problem, "id", json_string(text)) == 0, err, RETORT_ERR_MEMORY, "%s: out of memory",
             where);
    return RETORT_OK;
}

static char *trimmed(const char *text) {
    static const char white[] = " \t\r\n\f\v";
    text += strspn(text, white);
    size_t n = strlen(text);
    while (n > 0 && strchr(white, text[n - 1]) != NULL) n--;
    return rt_strndup(text, n);
}

static retort_status fill_problem(const reader *r, const json_t *row, json_t *problem, const char *where,
                                  retort_error *err) {
    const rt_known_set *set = r->import->set;
    const json_t *question = first_of(row, PROBLEM_KEYS);
    RT_CHECK(json_is_string(question), err, RETORT_ERR_FORMAT,
             "%s: no problem; it is looked for in 'problem', 'question', 'Problem' and 'Question'", where);
    RT_TRY(set_id(r, row, problem, where, err));
    char *text = trimmed(json_string_value(question));
    RT_CHECK(text != NULL, err, RETORT_ERR_MEMORY, "%s: out of memory", where);
    retort_status st = text[0] != '\0' ? RETORT_OK : rt_fail(err, RETORT_ERR_FORMAT, "%s: the problem is empty", where);
    if (st == RETORT_OK) st = rt_answer_read(set != NULL ? set->rule : RT_ANSWER_TEXT, row, text, where, problem, err);
    rt_free(text);
    RT_TRY(st);
    int bad = 0;
    for (const char *const *key = KEPT_KEYS; *key != NULL; key++) {
        json_t *value = json_object_get(row, *key);
        if (value != NULL && !json_is_null(value)) bad |= json_object_set(problem, *key, value);
    }
    if (set != NULL && set->repo != NULL && json_object_get(problem, "source") == NULL)
        bad |= json_object_set_new(problem, "source", json_string(set->repo));
    RT_CHECK(bad == 0, err, RETORT_ERR_MEMORY, "%s: out of memory", where);
    return RETORT_OK;
}

static retort_status take_row(void *context, json_t *row, size_t line, retort_error *err) {
    const reader *r = context;
    const rt_known_set *set = r->import->set;
    char where[256];
    snprintf(where, sizeof where, "'%.200s' line %zu", r->path, line);
    const long year = year_of(row);
    if (set != NULL && set->first_year > 0 && year != 0 && (year < set->first_year || year > set->last_year)) {
        r->import->left_out++;
        return RETORT_OK;
    }
    json_t *problem = json_object();
    retort_status st = problem != NULL ? fill_problem(r, row, problem, where, err)
                                       : rt_fail(err, RETORT_ERR_MEMORY, "%s: out of memory", where);
    if (st == RETORT_OK && json_array_append(r->import->problems, problem) != 0)
        st = rt_fail(err, RETORT_ERR_MEMORY, "%s: out of memory", where);
    json_decref(problem);
    return st;
}

retort_status rt_import_file(rt_import *import, const char *path, retort_error *err) {
    if (import->problems == NULL) import->problems = json_array();
    RT_CHECK(import->problems != NULL, err, RETORT_ERR_MEMORY, "'%s': out of memory", path);
    reader r = {import, path};
    const size_t n = strlen(path);
    if (n > 4 && strcasecmp(path + n - 4, ".csv") == 0) return rt_csv_read(path, take_row, &r, err);
    return rt_jsonl_read(path, take_row, &r, err);
}

void rt_import_free(rt_import *import) {
    json_decref(import->problems);
    import->problems = NULL;
}

/* ---- what a set is ---- */

static retort_status append_dense(rt_buffer *out, const char *text, retort_error *err) {
    for (; *text != '\0'; text++) {
        if (strchr(" \t\r\n\f\v", *text) != NULL) continue;
        if (strncmp(text, "\xC2\xA0", 2) == 0) {
            text++;
            continue;
        }
        RT_TRY(rt_buffer_append(out, text, 1, err));
    }
    return RETORT_OK;
}

static retort_status hash_problem(const json_t *problem, rt_buffer *scratch, char hex[65], retort_error *err) {
    rt_buffer_clear(scratch);
    RT_TRY(append_dense(scratch, json_string_value(json_object_get(problem, "problem")), err));
    RT_TRY(rt_buffer_puts(scratch, "\n", err));
    RT_TRY(append_dense(scratch, json_string_value(json_object_get(problem, "answer")), err));
    rt_sha256(scratch->data, scratch->length, hex);
    return RETORT_OK;
}

static int by_text(const void *a, const void *b) {
    return memcmp(a, b, 64);
}

/* One digest a problem, sorted; *out is freed by the caller. */
static retort_status hash_all(const rt_import *import, char (**out)[65], retort_error *err) {
    const size_t count = json_array_size(import->problems);
    rt_buffer scratch = {0};
    char(*hashes)[65] = rt_calloc(count + 1, sizeof *hashes);
    RT_CHECK(hashes != NULL, err, RETORT_ERR_MEMORY, "out of memory: hashes of %zu problems", count);
    retort_status st = RETORT_OK;
    for (size_t i = 0; i < count && st == RETORT_OK; i++)
        st = hash_problem(json_array_get(import->problems, i), &scratch, hashes[i], err);
    if (count > 0) qsort(hashes, count, sizeof *hashes, by_text);
    rt_buffer_free(&scratch);
    if (st != RETORT_OK) rt_free(hashes);
    *out = st == RETORT_OK ? hashes : NULL;
    return st;
}

retort_status rt_import_hash(const rt_import *import, char hex[65], retort_error *err) {
    char(*hashes)[65];
    rt_buffer all = {0};
    RT_TRY(hash_all(import, &hashes, err));
    retort_status st = rt_buffer_puts(&all, "", err);
    for (size_t i = 0; i < json_array_size(import->problems) && st == RETORT_OK; i++)
        st = rt_buffer_append(&all, hashes[i], 64, err);
    if (st == RETORT_OK) rt_sha256(all.length > 0 ? all.data : "", all.length, hex);
    rt_buffer_free(&all);
    rt_free(hashes);
    return st;
}

static retort_status check_ids(const rt_import *import, retort_error *err) {
    json_t *seen = json_object(), *problem;
    RT_CHECK(seen != NULL, err, RETORT_ERR_MEMORY, "out of memory: ids");
    retort_status st = RETORT_OK;
    size_t i;
    json_array_foreach(import->problems, i, problem) {
        const char *id = json_string_value(json_object_get(problem, "id"));
        if (json_object_get(seen, id) != NULL)
            st = rt_fail(err, RETORT_ERR_FORMAT, "two problems have the id '%s'; ids must be unique", id);
        else if (json_object_set_new(seen, id, json_true()) != 0)
            st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: ids");
        if (st != RETORT_OK) break;
    }
    json_decref(seen);
    return st;
}

retort_status rt_import_check(const rt_import *import, int64_t *twice, retort_error *err) {
    char(*hashes)[65];
    *twice = 0;
    RT_TRY(check_ids(import, err));
    RT_TRY(hash_all(import, &hashes, err));
    for (size_t i = 1; i < json_array_size(import->problems); i++) *twice += memcmp(hashes[i - 1], hashes[i], 64) == 0;
    rt_free(hashes);
    return RETORT_OK;
}

retort_status rt_import_write(const rt_import *import, const char *path, retort_error *err) {
    rt_atomic_file file = {0};
    RT_TRY(rt_atomic_open(&file, path, err));
    retort_status st = RETORT_OK;
    json_t *problem;
    size_t i;
    json_array_foreach(import->problems, i, problem) {
        st = rt_jsonl_write(&file, json_incref(problem), err);
        if (st != RETORT_OK) break;
    }
    if (st == RETORT_OK) return rt_atomic_commit(&file, err);
    rt_atomic_abort(&file);
    return st;
}
