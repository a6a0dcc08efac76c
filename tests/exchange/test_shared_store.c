/* Two processes, and more, on one store: teachers that ask the same and other questions, imports of the same file,
 * exports in between. Nothing is lost, nothing is there twice, and the file is whole. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/json.h"
#include "fault_server.h"
#include "folders.h"
#include "store/store.h"

enum { QUESTIONS = 60, LINES = 200 };

static const char *program;
static char *dir;
static char problems[300], store[300], lines[300];

static int set_up(void **state) {
    (void)state;
    dir = make_dir();
    snprintf(problems, sizeof problems, "%s/problems.jsonl", dir);
    snprintf(store, sizeof store, "%s/run.db", dir);
    snprintf(lines, sizeof lines, "%s/lines.jsonl", dir);
    unsetenv("OPENAI_API_KEY");
    FILE *file = fopen(problems, "w");
    for (int i = 0; i < QUESTIONS; i++)
        fprintf(file, "{\"id\": \"p%d\", \"problem\": \"What is %d + 1?\", \"answer\": \"7\"}\n", i, i);
    fclose(file);
    file = fopen(lines, "w");
    for (int i = 0; i < LINES; i++)
        fprintf(file, "{\"id\": \"q%d\", \"model\": \"n\", \"prompt\": \"%d?\", \"completion\": \"%d\"}\n", i / 2,
                i / 2, i);
    fclose(file);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    drop_dir(dir);
    return 0;
}

static pid_t start(const char *const *arguments) {
    const pid_t child = fork();
    if (child == 0) {
        const int nowhere = open("/dev/null", O_WRONLY);
        if (dup2(nowhere, STDOUT_FILENO) < 0) _exit(9);
        execv(program, (char *const *)(uintptr_t)arguments);
        _exit(9);
    }
    return child;
}

static void test_many_processes(void **state) {
    (void)state;
    enum { PROCESSES = 6 };
    fault_server *server = fault_server_start(FAULTS_FIRST_TRY, 1);
    char outputs[PROCESSES][320];
    pid_t children[PROCESSES];
    for (int c = 0; c < PROCESSES; c++) {
        snprintf(outputs[c], sizeof outputs[c], "%s/out%d", dir, c);
        const char *const teach[] = {program,
                                     "teach",
                                     problems,
                                     "--quiet",
                                     "--base-url",
                                     fault_server_url(server),
                                     "--model",
                                     "m",
                                     "--store",
                                     store,
                                     "--output",
                                     outputs[c],
                                     "--max-tokens",
                                     "100",
                                     "--retry-pause",
                                     "0.01",
                                     "--n",
                                     c == 0 ? "2" : "1",
                                     NULL};
        const char *const import[] = {program,    "store", store,      "--import", lines,
                                      "--format", "trl",   "--export", outputs[c], NULL};
        children[c] = start(c < 3 ? teach : import);
    }
    for (int c = 0; c < PROCESSES; c++) {
        int status = 0;
        waitpid(children[c], &status, 0);
        assert_int_equal(status, 0);
    }
    retort_error err;
    rt_store *s = NULL;
    rt_store_totals totals;
    assert_ok(rt_store_open(store, &s, &err));
    assert_ok(rt_store_check(s, &err));
    assert_ok(rt_store_total(s, &totals, &err));
    assert_int_equal(totals.responses, 2 * QUESTIONS + LINES);
    assert_int_equal(totals.problems, QUESTIONS + LINES / 2);
    rt_store_close(s);
    print_message("# %d requests by three teachers for %d questions\n", fault_server_counts(server).requests,
                  fault_server_counts(server).questions);
    fault_server_stop(server);
}

int main(int count, char **arguments) {
    program = count >= 2 ? arguments[1] : "retort";
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_many_processes, set_up, tear_down)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
