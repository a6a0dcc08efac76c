/* A full disk under teach: a clear stop with exit code 1, a store that is whole, and the same command goes on where it
 * was once there is room. Twice: with a limit on the size of files, and, where an ordinary user may mount one, on a
 * file system that really is full. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault_server.h"
#include "folders.h"
#include "store/store.h"

enum { QUESTIONS = 300 };

static const char *program;
static char *dir;
static char problems[300], store[300], output[300], complaint[300];

static int set_up(void **state) {
    (void)state;
    dir = make_dir();
    snprintf(problems, sizeof problems, "%s/problems.jsonl", dir);
    snprintf(complaint, sizeof complaint, "%s/stderr", dir);
    unsetenv("OPENAI_API_KEY");
    FILE *file = fopen(problems, "w");
    for (int i = 0; i < QUESTIONS; i++) {
        fprintf(file, "{\"id\": \"p%d\", \"answer\": \"7\", \"problem\": \"What is %d + 1? ", i, i);
        for (int k = 0; k < 400; k++) fputs("once ", file);
        fputs("more?\"}\n", file);
    }
    fclose(file);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    drop_dir(dir);
    return 0;
}

static void place_files(const char *where) {
    snprintf(store, sizeof store, "%s/run.db", where);
    snprintf(output, sizeof output, "%s/traces.jsonl", where);
}

/* The exit code; what it wrote to standard error is in the file `complaint`. limit 0: none. */
static int run_teach(const fault_server *server, rlim_t limit) {
    const pid_t child = fork();
    if (child == 0) {
        const int nowhere = open("/dev/null", O_WRONLY), told = open(complaint, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        const struct rlimit most = {limit, limit};
        signal(SIGXFSZ, SIG_IGN); /* a write beyond the limit fails instead of killing */
        if (dup2(nowhere, STDOUT_FILENO) < 0 || dup2(told, STDERR_FILENO) < 0) _exit(9);
        if (limit > 0 && setrlimit(RLIMIT_FSIZE, &most) != 0) _exit(9);
        execl(program, program, "teach", problems, "--quiet", "--base-url", fault_server_url(server), "--model", "m",
              "--store", store, "--output", output, "--max-tokens", "100", "--concurrency", "8", (char *)NULL);
        _exit(9);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int64_t count_replies(void) {
    retort_error err;
    rt_store *s = NULL;
    rt_store_totals totals;
    if (rt_store_open(store, &s, &err) != RETORT_OK) return -1;
    const bool whole = rt_store_check(s, &err) == RETORT_OK && rt_store_total(s, &totals, &err) == RETORT_OK;
    rt_store_close(s);
    return whole ? totals.responses : -1;
}

static bool complains_of(const char *words) {
    retort_error err;
    rt_buffer text = {0};
    const bool read = rt_file_read(complaint, &text, &err) == RETORT_OK && text.length > 0;
    const bool found = read && strstr(text.data, words) != NULL;
    if (!found) fprintf(stderr, "'%s' is not in: %s\n", words, read ? text.data : "(nothing)");
    rt_buffer_free(&text);
    return found;
}

static void test_limit(void **state) {
    (void)state;
    fault_server *server = fault_server_start(FAULTS_NONE, 0);
    place_files(dir);
    /* First there is room for the tables and the problems, then for some of the replies. */
    int64_t before = 0;
    for (rlim_t limit = 1200000; limit <= 1600000; limit += 200000) {
        assert_int_equal(run_teach(server, limit), 1);
        assert_true(complains_of("run.db"));
        assert_false(rt_path_exists(output));
        const int64_t now = count_replies();
        assert_in_range(now, before, QUESTIONS - 1);
        before = now;
    }
    assert_true(before > 0);
    const int asked = fault_server_counts(server).requests;
    assert_int_equal(run_teach(server, 0), 0);
    assert_int_equal(count_replies(), QUESTIONS);
    assert_true(rt_path_exists(output));
    /* What was stored was not asked for again. */
    assert_int_equal(fault_server_counts(server).requests - asked, QUESTIONS - before);
    fault_server_stop(server);
}

/* ---- a file system of its own ---- */

enum { NOT_ALLOWED = 77 };

static bool write_line(const char *path, const char *text) {
    const int fd = open(path, O_WRONLY);
    if (fd < 0) return false;
    const bool done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return done;
}

static bool mount_small(const char *where) {
    char map[40];
    const unsigned user = getuid(), group = getgid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    snprintf(map, sizeof map, "0 %u 1", user);
    if (!write_line("/proc/self/uid_map", map) || !write_line("/proc/self/setgroups", "deny")) return false;
    snprintf(map, sizeof map, "0 %u 1", group);
    return write_line("/proc/self/gid_map", map) && mount("none", where, "tmpfs", 0, "size=2500k") == 0;
}

#define expect(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                                                    \
            _exit(1);                                                                                                  \
        }                                                                                                              \
    } while (0)

/* In a process of its own, which alone sees the file system. */
static void fill_up(const fault_server *server, const char *where) {
    if (!mount_small(where)) _exit(NOT_ALLOWED);
    place_files(where);
    expect(run_teach(server, 0) == 1);
    expect(complains_of("disk is full") || complains_of("run.db"));
    expect(!rt_path_exists(output));
    expect(count_replies() >= 0 && count_replies() < QUESTIONS);
    expect(mount("none", where, "tmpfs", MS_REMOUNT, "size=64m") == 0);
    expect(run_teach(server, 0) == 0);
    expect(count_replies() == QUESTIONS);
    expect(rt_path_exists(output));
    _exit(0);
}

static void test_file_system(void **state) {
    (void)state;
    fault_server *server = fault_server_start(FAULTS_NONE, 0);
    char where[280];
    snprintf(where, sizeof where, "%s/small", dir);
    assert_int_equal(mkdir(where, 0700), 0);
    const pid_t child = fork();
    if (child == 0) fill_up(server, where);
    int status = 0;
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NOT_ALLOWED)
        print_message("# skipped: no file system may be mounted here\n");
    else
        assert_int_equal(WEXITSTATUS(status), 0);
    print_message("# %d questions asked, %d answered twice\n", fault_server_counts(server).requests,
                  fault_server_counts(server).twice);
    fault_server_stop(server);
}

int main(int count, char **arguments) {
    program = count >= 2 ? arguments[1] : "retort";
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_file_system, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
