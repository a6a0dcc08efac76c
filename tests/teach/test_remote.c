/* A teacher at an endpoint: faults of every kind, kills, secrets, cost. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/json.h"
#include "fault_server.h"
#include "folders.h"
#include "retort/teach.h"
#include "store/store.h"

static const char *program;
static char *dir;
static char problems[300], store[300], output[300];

static int set_up(void **state) {
    (void)state;
    dir = make_dir();
    snprintf(problems, sizeof problems, "%s/problems.jsonl", dir);
    snprintf(store, sizeof store, "%s/run.db", dir);
    snprintf(output, sizeof output, "%s/traces.jsonl", dir);
    unsetenv("OPENAI_API_KEY");
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    drop_dir(dir);
    return 0;
}

static void write_problems(int count) {
    FILE *file = fopen(problems, "w");
    for (int i = 0; i < count; i++)
        fprintf(file, "{\"id\": \"p%d\", \"problem\": \"What is %d + 1?\", \"answer\": \"7\"}\n", i, i);
    fclose(file);
}

static retort_teach_options make_options(const fault_server *server) {
    retort_teach_options o;
    retort_error err;
    assert_ok(retort_options_defaults(retort_teach_option_table, &o, &err));
    const struct {
        const char *name, *value;
    } sets[] = {
        {"problems", problems}, {"output", output},    {"store", store},      {"base_url", fault_server_url(server)},
        {"model", "m"},         {"max_tokens", "100"}, {"concurrency", "16"}, {"retry_pause", "0.01"}};
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
        assert_ok(retort_options_set(retort_teach_option_table, &o, sets[i].name, sets[i].value, &err));
    return o;
}

typedef struct tally {
    int *seen; /* [problems * n] */
    int n;
} tally;

static retort_status count_line(void *context, json_t *object, size_t line, retort_error *err) {
    (void)line;
    (void)err;
    tally *t = context;
    const int problem = atoi(json_string_value(json_object_get(object, "id")) + 1);
    const int sample = (int)json_integer_value(json_object_get(object, "sample"));
    t->seen[problem * t->n + sample]++;
    assert_non_null(strstr(json_string_value(json_object_get(object, "response")), "So \\boxed{7}"));
    assert_string_equal(json_string_value(json_object_get(object, "verdict")), "right");
    return RETORT_OK;
}

/* Every problem n times, no more, no less. */
static void expect_all(int count, int n) {
    retort_error err;
    tally t = {calloc((size_t)(count * n), sizeof(int)), n};
    assert_ok(rt_jsonl_read(output, count_line, &t, &err));
    for (int i = 0; i < count * n; i++) assert_int_equal(t.seen[i], 1);
    free(t.seen);
}

static void expect_store(int responses) {
    retort_error err;
    rt_store *s = NULL;
    rt_store_totals totals;
    assert_ok(rt_store_open(store, &s, &err));
    assert_ok(rt_store_check(s, &err));
    assert_ok(rt_store_total(s, &totals, &err));
    assert_int_equal(totals.responses, responses);
    rt_store_close(s);
}

/* Two thousand questions, two thirds of which go wrong at first: each is answered in full exactly once. */
static void test_faults(void **state) {
    (void)state;
    for (int stream = 0; stream < 2; stream++) {
        const int count = stream ? 500 : 125, n = 4;
        fault_server *server = fault_server_start(FAULTS_FIRST_TRY, 0);
        write_problems(count);
        remove(store);
        retort_teach_options o = make_options(server);
        retort_teach_account account = {0};
        retort_error err;
        o.n = n;
        o.endpoint.stream = stream != 0;
        assert_ok(retort_teach(&o, NULL, &account, &err));
        const fault_counts counts = fault_server_counts(server);
        print_message("# %s: %d requests for %d questions\n", stream ? "streams" : "bodies", counts.requests,
                      counts.questions);
        assert_int_equal(counts.questions, count * n);
        assert_int_equal(counts.answered, count * n);
        assert_int_equal(counts.twice, 0);
        assert_in_range(counts.requests, count * n * 3 / 2, count * n * 2);
        assert_in_range(counts.most, 2, 24); /* closing connections count too */
        assert_int_equal(account.endpoint.asked, count * n);
        assert_int_equal(account.right, count * n);
        assert_int_equal(account.endpoint.completion_tokens, 3 * count * n);
        expect_all(count, n);
        expect_store(count * n);
        /* Once more: nothing is asked, the same bytes are written. */
        assert_ok(retort_teach(&o, NULL, &account, &err));
        assert_int_equal(account.endpoint.asked, 0);
        assert_int_equal(account.endpoint.reused, count * n);
        assert_int_equal(fault_server_counts(server).requests, counts.requests);
        retort_options_release(retort_teach_option_table, &o);
        fault_server_stop(server);
    }
}

static void test_endless_streams(void **state) {
    (void)state;
    fault_server *server = fault_server_start(FAULTS_ENDLESS, 0);
    write_problems(6);
    retort_teach_options o = make_options(server);
    retort_teach_account account;
    retort_error err;
    o.endpoint.timeout = 0.4;
    assert_ok(retort_teach(&o, NULL, &account, &err));
    expect_all(6, 1);
    assert_int_equal(fault_server_counts(server).twice, 0);
    retort_options_release(retort_teach_option_table, &o);
    fault_server_stop(server);
}

/* A stream that says nothing at all is cut long before its whole time is over, and asked for again. */
static void test_silent_streams(void **state) {
    (void)state;
    fault_server *server = fault_server_start(FAULTS_SILENT, 0);
    write_problems(4);
    retort_teach_options o = make_options(server);
    retort_teach_account account;
    retort_error err;
    o.endpoint.first_token_timeout = 1;
    o.endpoint.timeout = 300;
    assert_ok(retort_teach(&o, NULL, &account, &err));
    expect_all(4, 1);
    assert_int_equal(fault_server_counts(server).requests, 8);
    assert_in_range(fault_server_counts(server).quickest, 900, 60000);
    retort_options_release(retort_teach_option_table, &o);
    fault_server_stop(server);
}

/* "Come back in a second" is obeyed, though the pause between tries would be far shorter. */
static void test_retry_after(void **state) {
    (void)state;
    fault_server *server = fault_server_start(FAULTS_LATER, 0);
    write_problems(10);
    retort_teach_options o = make_options(server);
    retort_error err;
    assert_ok(retort_teach(&o, NULL, NULL, &err));
    expect_all(10, 1);
    assert_int_equal(fault_server_counts(server).requests, 20);
    assert_in_range(fault_server_counts(server).quickest, 1000, 60000);
    retort_options_release(retort_teach_option_table, &o);
    fault_server_stop(server);
}

/* A proxy of the environment is used: the name is one that nobody has, and the proxy answers in its place. */
static void test_proxy(void **state) {
    (void)state;
    fault_server *server = fault_server_start(FAULTS_NONE, 0);
    char proxy[64];
    write_problems(3);
    retort_teach_options o = make_options(server);
    retort_error err;
    snprintf(proxy, sizeof proxy, "%s", fault_server_url(server));
    *strstr(proxy, "/v1") = '\0';
    setenv("http_proxy", proxy, 1);
    unsetenv("no_proxy");
    assert_ok(retort_options_set(retort_teach_option_table, &o, "base_url", "http://teacher.invalid/v1", &err));
    assert_ok(retort_teach(&o, NULL, NULL, &err));
    unsetenv("http_proxy");
    expect_all(3, 1);
    assert_int_equal(fault_server_counts(server).requests, 3);
    retort_options_release(retort_teach_option_table, &o);
    fault_server_stop(server);
}

/* Only right traces are kept, the others are counted and stay in the store. */
static void test_keep(void **state) {
    (void)state;
    fault_server *server = fault_server_start(FAULTS_NONE, 0);
    retort_teach_options o = make_options(server);
    retort_teach_account account;
    retort_error err;
    FILE *file = fopen(problems, "w");
    fputs("{\"id\": \"p0\", \"problem\": \"a?\", \"answer\": \"7\"}\n{\"id\": \"p1\", \"problem\": \"b?\", "
          "\"answer\": \"8\"}\n{\"id\": \"p2\", \"problem\": \"c?\"}\n",
          file);
    fclose(file);
    assert_ok(retort_options_set(retort_teach_option_table, &o, "keep", "correct", &err));
    assert_ok(retort_teach(&o, NULL, &account, &err));
    assert_int_equal(account.traces, 1);
    assert_int_equal(account.left_out, 2);
    assert_int_equal(account.wrong, 1);
    expect_all(1, 1);
    expect_store(3);
    retort_options_release(retort_teach_option_table, &o);
    fault_server_stop(server);
}

static pid_t start_program(const fault_server *server) {
    const pid_t child = fork();
    if (child == 0) {
        /* Not freopen, which would write the parent's unwritten lines a second time. */
        const int nowhere = open("/dev/null", O_WRONLY);
        if (dup2(nowhere, STDOUT_FILENO) < 0 || dup2(nowhere, STDERR_FILENO) < 0) _exit(9);
        execl(program, program, "teach", problems, "--quiet", "--base-url", fault_server_url(server), "--model", "m",
              "--store", store, "--output", output, "--max-tokens", "100", "--concurrency", "8", "--n", "3",
              "--retry-pause", "0.01", (char *)NULL);
        _exit(9);
    }
    return child;
}

/* kill -9 at twenty moments: no reply that was stored is asked for again, and each kill repeats at most what was under
 * way. */
static void test_kills(void **state) {
    (void)state;
    enum { COUNT = 120, KILLS = 20, PLACES = 8 };
    fault_server *server = fault_server_start(FAULTS_NONE, 12);
    write_problems(COUNT);
    int status = 0;
    for (int k = 0; k < KILLS; k++) {
        const pid_t child = start_program(server);
        const int enough = fault_server_counts(server).requests + 1 + 7 * k % 15;
        for (int i = 0; i < 4000 && fault_server_counts(server).requests < enough; i++) usleep(1000);
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
    }
    const pid_t child = start_program(server);
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    const fault_counts counts = fault_server_counts(server);
    const int again = counts.requests - counts.questions;
    print_message("# %d questions, %d asked again, %d answered twice\n", counts.questions, again, counts.twice);
    assert_int_equal(counts.questions, 3 * COUNT);
    assert_in_range(again, 1, KILLS * PLACES);
    assert_in_range(counts.twice, 0, again);
    expect_all(COUNT, 3);
    expect_store(3 * COUNT);
    fault_server_stop(server);
}

static bool holds(const char *path, const char *needle) {
    retort_error err;
    rt_buffer bytes = {0};
    if (!rt_path_exists(path)) return false;
    assert_ok(rt_file_read(path, &bytes, &err));
    const bool found = bytes.length > 0 && memmem(bytes.data, bytes.length, needle, strlen(needle)) != NULL;
    rt_buffer_free(&bytes);
    return found;
}

/* The key comes from a private file or the environment, reaches the endpoint, and is written nowhere. */
static void test_secrets(void **state) {
    (void)state;
    fault_server *server = fault_server_start(FAULTS_NONE, 0), *refusing = fault_server_start(FAULTS_REFUSED, 0);
    write_problems(3);
    retort_error err = {0};
    retort_teach_options o = make_options(server);
    char key[300];
    snprintf(key, sizeof key, "%s/key", dir);
    write_text(dir, "key", "sesame\n");
    assert_ok(retort_options_set(retort_teach_option_table, &o, "api_key_file", key, &err));
    chmod(key, 0644);
    assert_int_equal(retort_teach(&o, NULL, NULL, &err), RETORT_ERR_USAGE);
    assert_non_null(strstr(err.message, "chmod 600"));
    assert_int_equal(fault_server_counts(server).requests, 0);
    chmod(key, 0600);
    assert_ok(retort_teach(&o, NULL, NULL, &err));
    assert_int_equal(fault_server_counts(server).with_token, 3);
    assert_false(holds(store, "sesame") || holds(output, "sesame"));
    /* Over an open line to another machine it is not sent. */
    assert_ok(retort_options_set(retort_teach_option_table, &o, "base_url", "http://192.0.2.1/v1", &err));
    assert_int_equal(retort_teach(&o, NULL, NULL, &err), RETORT_ERR_USAGE);
    assert_non_null(strstr(err.message, "unencrypted"));
    assert_ok(retort_options_set(retort_teach_option_table, &o, "base_url", "https://me:pw@x/v1", &err));
    assert_int_equal(retort_teach(&o, NULL, NULL, &err), RETORT_ERR_USAGE);
    assert_null(strstr(err.message, "pw"));
    /* A refused key ends the run at once, with the endpoint's own words. */
    assert_ok(retort_options_set(retort_teach_option_table, &o, "base_url", fault_server_url(refusing), &err));
    assert_ok(retort_options_set(retort_teach_option_table, &o, "model", "other", &err));
    assert_int_equal(retort_teach(&o, NULL, NULL, &err), RETORT_ERR_USAGE);
    assert_non_null(strstr(err.message, "wrong key"));
    assert_null(strstr(err.message, "sesame"));
    assert_in_range(fault_server_counts(refusing).requests, 1, 3);
    retort_options_release(retort_teach_option_table, &o);
    fault_server_stop(server);
    fault_server_stop(refusing);
}

/* 5 prompt and 3 reply tokens a reply; prompts count as about 35 tokens and replies as 100 while they are under way. */
static void test_cost(void **state) {
    (void)state;
    fault_server *server = fault_server_start(FAULTS_NONE, 0);
    write_problems(50);
    retort_error err = {0};
    retort_teach_options o = make_options(server);
    retort_teach_account account = {0};
    o.endpoint.max_cost = 0.005;
    assert_int_equal(retort_teach(&o, NULL, &account, &err), RETORT_ERR_USAGE);
    assert_non_null(strstr(err.message, "needs prices"));
    o.endpoint.price_input = 1;
    o.endpoint.price_output = 10;
    o.endpoint.dry_run = true;
    assert_ok(retort_teach(&o, NULL, &account, &err));
    assert_int_equal(account.endpoint.asked, 50);
    assert_true(account.endpoint.estimated_cost > 0.05 && account.endpoint.estimated_cost < 0.06);
    assert_int_equal(fault_server_counts(server).requests, 0);
    o.endpoint.dry_run = false;
    o.endpoint.max_cost = 0.0015; /* one reply under way may cost 0.00104, a finished one costs 0.000035 */
    assert_int_equal(retort_teach(&o, NULL, &account, &err), RETORT_ERR_IO);
    assert_non_null(strstr(err.message, "max_cost"));
    const int paid = fault_server_counts(server).answered;
    assert_in_range(paid, 5, 20);
    assert_true(paid * 0.000035 <= o.endpoint.max_cost);
    assert_false(rt_path_exists(output));
    o.endpoint.max_cost = 0;
    assert_ok(retort_teach(&o, NULL, &account, &err));
    assert_int_equal(account.endpoint.reused, paid);
    assert_int_equal(fault_server_counts(server).twice, 0);
    expect_all(50, 1);
    retort_options_release(retort_teach_option_table, &o);
    fault_server_stop(server);
}

static void test_thoughts(void **state) {
    (void)state;
    fault_server *server = fault_server_start(FAULTS_NONE, 0);
    static const char *const EXPECTED[] = {"\"<think>\\nhm\\n</think>\\n\\nSo \\\\boxed{7}\"", "\"So \\\\boxed{7}\"",
                                           "\"hm\""};
    write_problems(1);
    retort_error err;
    retort_teach_options o = make_options(server);
    o.endpoint.stream = false; /* the whole body has a reasoning_content */
    for (int think = 0; think < 3; think++) {
        o.think = think;
        assert_ok(retort_teach(&o, NULL, NULL, &err));
        assert_true(holds(output, EXPECTED[think]));
    }
    assert_int_equal(fault_server_counts(server).requests, 1);
    retort_options_release(retort_teach_option_table, &o);
    fault_server_stop(server);
}

static void take_time(bool tokens) {
    fault_server *server = fault_server_start(FAULTS_NONE, 0);
    write_problems(12);
    remove(store);
    retort_error err;
    retort_teach_options o = make_options(server);
    if (tokens)
        o.endpoint.tokens_per_minute = 10000; /* 167 at once and each second; a question takes some 40 */
    else
        o.endpoint.requests_per_minute = 300; /* five at once, then five a second */
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    assert_ok(retort_teach(&o, NULL, NULL, &err));
    clock_gettime(CLOCK_MONOTONIC, &end);
    /* Never faster than allowed; how much slower is the machine's affair. */
    const double seconds = (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
    assert_true(seconds > 1.1);
    expect_all(12, 1);
    retort_options_release(retort_teach_option_table, &o);
    fault_server_stop(server);
}

static void test_rates(void **state) {
    (void)state;
    take_time(false);
    take_time(true);
}

int main(int count, char **arguments) {
    program = count >= 2 ? arguments[1] : "retort";
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_faults, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_endless_streams, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_silent_streams, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_retry_after, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_proxy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_keep, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_kills, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_secrets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_thoughts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rates, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
