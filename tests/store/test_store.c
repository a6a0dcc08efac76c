/* The run store: what is put comes back; foreign, newer, damaged files and full disks; two processes; kill -9. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "folders.h"
#include "store/store.h"

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

static rt_stored_response make(const char *key, const char *problem, int64_t sample) {
    return (rt_stored_response){.key = key,
                                .problem_id = problem,
                                .sample = sample,
                                .model = "m",
                                .source = "http://x",
                                .request = "{}",
                                .text = "it is \xe2\x9c\x93 42",
                                .prompt_tokens = -1,
                                .completion_tokens = -1,
                                .cost = -1,
                                .seconds = -1,
                                .first_token_seconds = -1,
                                .created = 1000};
}

static retort_status collect(void *context, const rt_stored_response *r, retort_error *err) {
    (void)err;
    char *seen = context;
    strcat(seen, r->key);
    strcat(seen, " ");
    return RETORT_OK;
}

static void test_round_trip(void **state) {
    (void)state;
    retort_error err;
    rt_store *store = NULL;
    bool fresh, has;
    assert_ok(rt_store_open(path, &store, &err));
    rt_stored_response full = make("k2", "p1", 1);
    full.reasoning = "hmm";
    full.finish_reason = "stop";
    full.served_model = "m-2025";
    full.prompt_tokens = 7;
    full.completion_tokens = 90;
    full.cost = 0.25;
    full.seconds = 1.5;
    full.first_token_seconds = 0.5;
    rt_stored_response bare = make("k1", "p1", 0), cut = make("k3", "p0", 0);
    cut.finish_reason = "length";
    assert_ok(rt_store_put(store, &full, &fresh, &err));
    assert_true(fresh);
    assert_ok(rt_store_put(store, &bare, &fresh, &err));
    assert_ok(rt_store_put(store, &cut, NULL, &err));
    rt_stored_response other = bare;
    other.text = "another reply to the same question";
    assert_ok(rt_store_put(store, &other, &fresh, &err));
    assert_false(fresh); /* the first one stays */
    rt_store_close(store);
    assert_ok(rt_store_open(path, &store, &err));
    rt_stored_response got;
    assert_ok(rt_store_get(store, "k2", &got, &err));
    assert_string_equal(got.reasoning, "hmm");
    assert_string_equal(got.served_model, "m-2025");
    assert_int_equal(got.completion_tokens, 90);
    assert_true(got.cost == 0.25 && got.first_token_seconds == 0.5);
    assert_ok(rt_store_get(store, "k1", &got, &err));
    assert_string_equal(got.text, "it is \xe2\x9c\x93 42");
    assert_null(got.reasoning);
    assert_int_equal(got.prompt_tokens, -1);
    assert_true(got.cost < 0);
    assert_int_equal(rt_store_get(store, "k9", &got, &err), RETORT_ERR_NOT_FOUND);
    assert_ok(rt_store_has(store, "k3", &has, &err));
    assert_true(has);
    assert_ok(rt_store_has(store, "k9", &has, &err));
    assert_false(has);
    char seen[64] = "";
    assert_ok(rt_store_each(store, collect, seen, &err));
    assert_string_equal(seen, "k3 k1 k2 ");
    rt_store_totals totals;
    assert_ok(rt_store_total(store, &totals, &err));
    assert_int_equal(totals.responses, 3);
    assert_int_equal(totals.problems, 2);
    assert_int_equal(totals.stopped, 1);
    assert_int_equal(totals.cut, 1);
    assert_int_equal(totals.other, 1);
    assert_int_equal(totals.completion_tokens, 90);
    assert_int_equal(totals.without_usage, 2);
    assert_int_equal(totals.without_cost, 2);
    assert_ok(rt_store_check(store, &err));
    rt_store_close(store);
}

static void expect_refused(retort_status code, const char *message) {
    retort_error err = {0};
    rt_store *store = NULL;
    assert_int_equal(rt_store_open(path, &store, &err), code);
    assert_null(store);
    if (strstr(err.message, message) == NULL) fail_msg("'%s' is not in: %s", message, err.message);
}

static void execute(const char *sql) {
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void test_foreign_files(void **state) {
    (void)state;
    write_text(dir, "run.db",
               "this is no database, and longer than the header of one, as it has to be to be read at all, "
               "which is a hundred bytes.");
    expect_refused(RETORT_ERR_FORMAT, "run.db");
    remove(path);
    execute("CREATE TABLE theirs (x)");
    expect_refused(RETORT_ERR_FORMAT, "another program");
    remove(path);
    retort_error err;
    rt_store *store = NULL;
    assert_ok(rt_store_open(path, &store, &err));
    rt_store_close(store);
    execute("PRAGMA user_version = 99");
    expect_refused(RETORT_ERR_FORMAT, "newer retort");
    snprintf(path, sizeof path, "%s/nowhere/run.db", dir);
    expect_refused(RETORT_ERR_IO, "nowhere");
}

static void put_many(const char *prefix, int count) {
    retort_error err;
    rt_store *store = NULL;
    if (rt_store_open(path, &store, &err) != RETORT_OK) _exit(3);
    for (int i = 0; i < count; i++) {
        char key[32];
        snprintf(key, sizeof key, "%s%d", prefix, i);
        const rt_stored_response r = make(key, prefix, i);
        if (rt_store_put(store, &r, NULL, &err) != RETORT_OK) _exit(4);
        if (write(STDOUT_FILENO, "", 0) < 0) _exit(5);
    }
    rt_store_close(store);
    _exit(0);
}

static void test_two_processes(void **state) {
    (void)state;
    enum { EACH = 60 };
    pid_t children[3];
    for (int c = 0; c < 3; c++) {
        children[c] = fork();
        if (children[c] == 0) put_many(c == 0 ? "a" : c == 1 ? "b" : "a", EACH); /* two ask the same */
    }
    for (int c = 0; c < 3; c++) {
        int status = 0;
        waitpid(children[c], &status, 0);
        assert_int_equal(status, 0);
    }
    retort_error err;
    rt_store *store = NULL;
    rt_store_totals totals;
    assert_ok(rt_store_open(path, &store, &err));
    assert_ok(rt_store_total(store, &totals, &err));
    assert_int_equal(totals.responses, 2 * EACH);
    assert_ok(rt_store_check(store, &err));
    rt_store_close(store);
}

/* Killed at any moment: everything whose put had returned is there. The child says so through a pipe, after each. */
static void test_kill(void **state) {
    (void)state;
    for (int round = 0; round < 8; round++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        const pid_t child = fork();
        if (child == 0) {
            retort_error err;
            rt_store *store = NULL;
            if (rt_store_open(path, &store, &err) != RETORT_OK) _exit(3);
            for (int i = 0;; i++) {
                char key[32];
                snprintf(key, sizeof key, "r%d-%d", round, i);
                const rt_stored_response r = make(key, "p", i);
                if (rt_store_put(store, &r, NULL, &err) != RETORT_OK || write(ends[1], ".", 1) != 1) _exit(4);
            }
        }
        close(ends[1]);
        const struct timespec moment = {.tv_nsec = (20 + 13 * round) * 1000000L};
        nanosleep(&moment, NULL);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        int promised = 0;
        char dots[256];
        for (ssize_t n; (n = read(ends[0], dots, sizeof dots)) > 0;) promised += (int)n;
        close(ends[0]);
        retort_error err;
        rt_store *store = NULL;
        assert_ok(rt_store_open(path, &store, &err));
        for (int i = 0; i < promised; i++) {
            char key[32];
            bool has;
            snprintf(key, sizeof key, "r%d-%d", round, i);
            assert_ok(rt_store_has(store, key, &has, &err));
            assert_true(has);
        }
        assert_ok(rt_store_check(store, &err));
        rt_store_close(store);
    }
}

/* A limit on the size of files stands for a full disk: puts fail clearly, and what was there stays readable. */
static void test_full_disk(void **state) {
    (void)state;
    const pid_t child = fork();
    if (child == 0) {
        const struct rlimit limit = {200000, 200000};
        retort_error err;
        rt_store *store = NULL;
        signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0 || rt_store_open(path, &store, &err) != RETORT_OK) _exit(3);
        for (int i = 0; i < 5000; i++) {
            char key[32];
            snprintf(key, sizeof key, "%d", i);
            const rt_stored_response r = make(key, "p", i);
            const retort_status st = rt_store_put(store, &r, NULL, &err);
            if (st == RETORT_OK) continue;
            _exit(st == RETORT_ERR_IO && strstr(err.message, "run.db") != NULL && i > 10 ? 0 : 4);
        }
        _exit(5);
    }
    int status = 0;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    retort_error err;
    rt_store *store = NULL;
    rt_store_totals totals;
    assert_ok(rt_store_open(path, &store, &err));
    assert_ok(rt_store_check(store, &err));
    assert_ok(rt_store_total(store, &totals, &err));
    assert_in_range(totals.responses, 10, 5000);
    rt_store_close(store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_foreign_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two_processes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_kill, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_full_disk, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
