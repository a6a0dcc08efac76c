/* Version 2 of the schema: a real file of version 1 comes through with all its rows, two processes that open it at once
 * included; what is put into each table comes back. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "folders.h"
#include "store/judgements.h"
#include "store/manifests.h"
#include "store/metrics.h"
#include "store/problems.h"
#include "store/prompts.h"
#include "store/scores.h"
#include "store/store.h"
#include "store/traces.h"

static char *dir;
static char path[512];

static int set_up(void **state) {
    (void)state;
    dir = make_dir();
    snprintf(path, sizeof path, "%s/run.db", dir);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    drop_dir(dir);
    return 0;
}

static void execute(const char *sql) {
    sqlite3 *db = NULL;
    char *message = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 10000);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) fail_msg("%s", message);
    sqlite3_close(db);
}

static int64_t number(const char *sql) {
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    const int64_t value = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(db);
    return value;
}

/* The file as version 1 of the program wrote it: its SQL to the letter. */
static void make_version_1(int rows) {
    char sql[400];
    execute("PRAGMA journal_mode = WAL;"
            "CREATE TABLE responses ("
            "  key TEXT PRIMARY KEY NOT NULL,"
            "  problem_id TEXT NOT NULL, sample INTEGER NOT NULL,"
            "  model TEXT NOT NULL, source TEXT NOT NULL, request TEXT NOT NULL,"
            "  text TEXT NOT NULL, reasoning TEXT, finish_reason TEXT, served_model TEXT,"
            "  prompt_tokens INTEGER, completion_tokens INTEGER, cost REAL,"
            "  seconds REAL, first_token_seconds REAL, created INTEGER NOT NULL"
            ") STRICT;"
            "CREATE INDEX responses_by_problem ON responses (problem_id, sample, created);"
            "PRAGMA application_id = 1381257812; PRAGMA user_version = 1");
    for (int i = 0; i < rows; i++) {
        snprintf(sql, sizeof sql,
                 "INSERT INTO responses VALUES ('k%d', 'p%d', %d, 'm', 'http://x', '{\"model\":\"m\"}', 'text %d', %s, "
                 "'stop', NULL, 7, %d, 0.5, 1.5, NULL, 1000)",
                 i, i / 2, i % 2, i, i % 3 == 0 ? "'hm'" : "NULL", 10 + i);
        execute(sql);
    }
}

static void expect_version_1_rows(int rows) {
    retort_error err;
    rt_store *store = NULL;
    assert_ok(rt_store_open(path, &store, &err));
    assert_ok(rt_store_check(store, &err));
    for (int i = 0; i < rows; i++) {
        char key[16], text[16];
        rt_stored_response r;
        snprintf(key, sizeof key, "k%d", i);
        snprintf(text, sizeof text, "text %d", i);
        assert_ok(rt_store_get(store, key, &r, &err));
        assert_string_equal(r.text, text);
        assert_string_equal(r.request, "{\"model\":\"m\"}");
        assert_int_equal(r.completion_tokens, 10 + i);
        assert_true(r.cost == 0.5 && r.first_token_seconds < 0);
        assert_int_equal(r.reasoning != NULL, i % 3 == 0);
        assert_null(r.prompt_sha256);
        assert_null(r.token_ids);
    }
    rt_store_close(store);
    assert_int_equal(number("PRAGMA user_version"), 2);
    assert_int_equal(number("PRAGMA application_id"), 1381257812);
    assert_int_equal(number("SELECT count(*) FROM responses"), rows);
}

static void test_migration(void **state) {
    (void)state;
    make_version_1(7);
    expect_version_1_rows(7);
    expect_version_1_rows(7); /* a second opening changes nothing */
    execute("PRAGMA user_version = 3");
    retort_error err = {0};
    rt_store *store = NULL;
    assert_int_equal(rt_store_open(path, &store, &err), RETORT_ERR_FORMAT);
    assert_non_null(strstr(err.message, "newer retort"));
    execute("PRAGMA user_version = -1");
    assert_int_equal(rt_store_open(path, &store, &err), RETORT_ERR_FORMAT);
}

/* Several processes find version 1 at the same moment (a pipe lets them go together): it is migrated once, and all can
 * write. */
static void test_migrating_together(void **state) {
    (void)state;
    enum { CHILDREN = 6 };
    for (int round = 0; round < 5; round++) {
        int gate[2];
        pid_t children[CHILDREN];
        snprintf(path, sizeof path, "%s/run%d.db", dir, round);
        make_version_1(20);
        assert_int_equal(pipe(gate), 0);
        for (int c = 0; c < CHILDREN; c++) {
            children[c] = fork();
            if (children[c] != 0) continue;
            retort_error err;
            rt_store *store = NULL;
            char go;
            close(gate[1]);
            if (read(gate[0], &go, 1) < 0) _exit(2);
            if (rt_store_open(path, &store, &err) != RETORT_OK) _exit(3);
            char id[16];
            snprintf(id, sizeof id, "q%d", c);
            const rt_stored_problem p = {.id = id, .problem = "What?", .created = 5};
            if (rt_store_put_problem(store, &p, &err) != RETORT_OK) _exit(4);
            rt_store_close(store);
            _exit(0);
        }
        close(gate[0]);
        close(gate[1]);
        for (int c = 0; c < CHILDREN; c++) {
            int status = 0;
            waitpid(children[c], &status, 0);
            assert_int_equal(status, 0);
        }
        expect_version_1_rows(20);
        assert_int_equal(number("SELECT count(*) FROM problems"), CHILDREN);
    }
}

typedef struct seen {
    int rows;
    char text[400];
} seen;

static retort_status see_problem(void *context, const rt_stored_problem *p, retort_error *err) {
    (void)err;
    seen *s = context;
    s->rows++;
    strcat(s->text, p->id);
    strcat(s->text, p->answer != NULL ? p->answer : "-");
    return RETORT_OK;
}

static retort_status see_judgement(void *context, const rt_stored_judgement *j, retort_error *err) {
    (void)err;
    seen *s = context;
    const size_t used = strlen(s->text);
    s->rows++;
    snprintf(s->text + used, sizeof s->text - used, "%s/%s/%s/%d/%s=%s%d;", j->response_key, j->judge,
             j->prompt_version, (int)j->vote, j->behavior, j->status, (int)j->count);
    return RETORT_OK;
}

static retort_status see_metric(void *context, const rt_stored_metric *m, retort_error *err) {
    (void)err;
    seen *s = context;
    const size_t used = strlen(s->text);
    s->rows++;
    snprintf(s->text + used, sizeof s->text - used, "%s/%s/%d/%g/%d/%g;", m->name, m->method, isnan(m->value) ? -1 : 1,
             isnan(m->value) ? 0 : m->value, (int)m->n, isnan(m->low) ? -1 : m->low);
    return RETORT_OK;
}

static retort_status see_manifest(void *context, const rt_stored_manifest *m, retort_error *err) {
    (void)err;
    seen *s = context;
    s->rows++;
    strcat(s->text, m->json);
    return RETORT_OK;
}

static void check_problems(rt_store *store) {
    retort_error err;
    rt_stored_problem got, p = {.id = "a", .problem = "1 + 1?", .answer = "2", .origin = "x.jsonl", .created = 10};
    assert_ok(rt_store_put_problem(store, &p, &err));
    assert_ok(rt_store_put_problem(store, &p, &err)); /* there already */
    p.answer = "3";
    p.created = 11;
    assert_ok(rt_store_put_problem(store, &p, &err)); /* another gold answer: a row of its own */
    assert_ok(rt_store_put_problem(store, &(rt_stored_problem){.id = "b", .problem = "?", .gold = "{}"}, &err));
    assert_ok(rt_store_get_problem(store, "a", &got, &err));
    assert_string_equal(got.answer, "3");
    assert_string_equal(got.origin, "x.jsonl");
    assert_int_equal(strlen(got.sha256), 64);
    assert_int_equal(rt_store_get_problem(store, "c", &got, &err), RETORT_ERR_NOT_FOUND);
    seen s = {0};
    assert_ok(rt_store_each_problem(store, see_problem, &s, &err));
    assert_string_equal(s.text, "a2a3b-");
    p.problem = "\xff";
    assert_int_equal(rt_store_put_problem(store, &p, &err), RETORT_ERR_FORMAT);
}

static void check_prompts_and_traces(rt_store *store) {
    retort_error err;
    char sha[65], again[65];
    rt_stored_prompt prompt;
    assert_ok(rt_store_put_prompt(store, "a", "\"1 + 1?\"", 10, sha, &err));
    assert_ok(rt_store_put_prompt(store, "a", "\"1 + 1?\"", 11, again, &err));
    assert_string_equal(sha, again);
    assert_ok(rt_store_get_prompt(store, sha, &prompt, &err));
    assert_string_equal(prompt.text, "\"1 + 1?\"");
    assert_int_equal(prompt.created, 10);
    assert_int_equal(rt_store_get_prompt(store, "no", &prompt, &err), RETORT_ERR_NOT_FOUND);
    rt_stored_trace got, trace = {.response_key = "k", .form = "tags", .kept = true, .text = "one", .created = 1};
    assert_ok(rt_store_put_trace(store, &trace, &err));
    trace.kept = false;
    assert_ok(rt_store_put_trace(store, &trace, &err));
    assert_ok(rt_store_get_trace(store, "k", "tags", &got, &err));
    assert_false(got.kept);
    assert_string_equal(got.text, "one");
    assert_int_equal(rt_store_get_trace(store, "k", "drop", &got, &err), RETORT_ERR_NOT_FOUND);
}

static void check_scores_and_judgements(rt_store *store) {
    retort_error err;
    rt_stored_score got, score = {.response_key = "k", .grader = "strict", .verdict = "wrong", .reason = "3 is not 2"};
    assert_ok(rt_store_put_score(store, &score, &err));
    score.verdict = "right";
    score.reason = NULL;
    assert_ok(rt_store_put_score(store, &score, &err));
    assert_ok(rt_store_get_score(store, "k", "strict", &got, &err));
    assert_string_equal(got.verdict, "right");
    assert_null(got.reason);
    assert_int_equal(rt_store_get_score(store, "k", "tolerant", &got, &err), RETORT_ERR_NOT_FOUND);
    rt_stored_judgement j = {.response_key = "k",
                             .judge = "human:A",
                             .prompt_version = "",
                             .vote = 0,
                             .behavior = "doubt",
                             .status = "ok",
                             .count = 1,
                             .spans = "[]"};
    assert_ok(rt_store_put_judgement(store, &j, &err));
    j.count = 2;
    assert_ok(rt_store_put_judgement(store, &j, &err)); /* takes its place */
    j.judge = "m";
    j.prompt_version = "v1";
    j.vote = 1;
    assert_ok(rt_store_put_judgement(store, &j, &err));
    j.response_key = "l";
    assert_ok(rt_store_put_judgement(store, &j, &err));
    seen one = {0}, all = {0};
    assert_ok(rt_store_each_judgement(store, "k", see_judgement, &one, &err));
    assert_string_equal(one.text, "k/human:A//0/doubt=ok2;k/m/v1/1/doubt=ok2;");
    assert_ok(rt_store_each_judgement(store, NULL, see_judgement, &all, &err));
    assert_int_equal(all.rows, 3);
}

static void check_runs(rt_store *store) {
    retort_error err;
    char run[65], other[65];
    rt_stored_manifest got;
    assert_ok(rt_store_put_manifest(store, "eval", "{\"seed\":1}", 20, run, &err));
    assert_ok(rt_store_put_manifest(store, "teach", "{\"seed\":2}", 10, other, &err));
    assert_ok(rt_store_put_manifest(store, "eval", "{\"seed\":1}", 30, run, &err));
    assert_ok(rt_store_get_manifest(store, run, &got, &err));
    assert_string_equal(got.kind, "eval");
    assert_int_equal(got.created, 20);
    seen manifests = {0}, metrics = {0}, all = {0};
    assert_ok(rt_store_each_manifest(store, see_manifest, &manifests, &err));
    assert_string_equal(manifests.text, "{\"seed\":2}{\"seed\":1}");
    rt_stored_metric m = {
        .run = run, .name = "avg@4", .method = "bootstrap", .value = -0.5, .n = 30, .low = 0.25, .high = 0.75};
    assert_ok(rt_store_put_metric(store, &m, &err));
    m.value = 0.5;
    assert_ok(rt_store_put_metric(store, &m, &err));
    m = (rt_stored_metric){.run = other, .name = "none", .method = "", .value = NAN, .n = -1, .low = NAN, .high = NAN};
    assert_ok(rt_store_put_metric(store, &m, &err));
    assert_ok(rt_store_each_metric(store, run, see_metric, &metrics, &err));
    assert_string_equal(metrics.text, "avg@4/bootstrap/1/0.5/30/0.25;");
    assert_ok(rt_store_each_metric(store, other, see_metric, &all, &err));
    assert_string_equal(all.text, "none//-1/0/-1/-1;");
}

static void test_tables(void **state) {
    (void)state;
    retort_error err;
    for (int round = 0; round < 2; round++) {
        rt_store *store = NULL;
        if (round == 1) remove(path);
        assert_ok(rt_store_open(path, &store, &err));
        if (round == 1) assert_ok(rt_store_begin(store, &err)); /* the same within one transaction */
        check_problems(store);
        check_prompts_and_traces(store);
        check_scores_and_judgements(store);
        check_runs(store);
        if (round == 1) assert_ok(rt_store_commit(store, &err));
        assert_ok(rt_store_check(store, &err));
        rt_store_close(store);
        assert_int_equal(number("SELECT count(*) FROM judgements"), 3);
    }
}

static void test_rollback(void **state) {
    (void)state;
    retort_error err;
    rt_store *store = NULL;
    char run[65];
    assert_ok(rt_store_open(path, &store, &err));
    rt_store_rollback(store); /* nothing to take back */
    assert_ok(rt_store_begin(store, &err));
    assert_ok(rt_store_put_manifest(store, "eval", "{}", 20, run, &err));
    rt_store_rollback(store);
    assert_ok(rt_store_put_manifest(store, "eval", "[]", 20, run, &err));
    rt_store_close(store);
    assert_int_equal(number("SELECT count(*) FROM manifests"), 1);
}

/* A get must not leave the file's old state open behind it: the next put would be refused once another has written. */
static void test_put_after_get(void **state) {
    (void)state;
    retort_error err;
    rt_store *store = NULL;
    make_version_1(2);
    assert_ok(rt_store_open(path, &store, &err));
    for (int i = 0; i < 3; i++) {
        rt_stored_response r;
        bool has;
        assert_ok(rt_store_get(store, "k0", &r, &err));
        execute("UPDATE responses SET created = created + 1");
        const rt_stored_score score = {.response_key = r.key, .grader = "strict", .verdict = "right", .created = i};
        assert_ok(rt_store_put_score(store, &score, &err));
        assert_string_equal(r.text, "text 0"); /* what was got outlives the put */
        assert_ok(rt_store_has(store, "k1", &has, &err));
        assert_true(has);
        execute("UPDATE responses SET created = created + 1");
    }
    rt_store_close(store);
}

/* Tables of that shape that another hand made: a NULL where none can be is an error, not a crash. */
static void test_hostile_rows(void **state) {
    (void)state;
    retort_error err = {0};
    rt_store *store = NULL;
    assert_ok(rt_store_open(path, &store, &err));
    rt_store_close(store);
    execute(
        "DROP TABLE responses; CREATE TABLE responses (key, problem_id, sample, model, source, request, text, "
        "reasoning, "
        "finish_reason, served_model, prompt_tokens, completion_tokens, cost, seconds, first_token_seconds, created, "
        "prompt_sha256, token_ids); INSERT INTO responses (key) VALUES ('k'), (7); DROP TABLE metrics");
    assert_ok(rt_store_open(path, &store, &err));
    rt_stored_response r;
    assert_int_equal(rt_store_get(store, "k", &r, &err), RETORT_ERR_FORMAT);
    assert_non_null(strstr(err.message, "has no problem_id"));
    seen s = {0};
    assert_int_equal(rt_store_each_metric(store, NULL, see_metric, &s, &err), RETORT_ERR_IO);
    rt_store_close(store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_migration, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_migrating_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tables, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rollback, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_put_after_get, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hostile_rows, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
