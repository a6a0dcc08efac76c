/* Rewriting by a model: what it says is checked, asked for again, and otherwise rejected; never taken on trust. */
#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "core/file.h"
#include "folders.h"
#include "retort/rewrite.h"

/* ---- a model that rewrites, on the loopback interface: one thread, one request at a time ---- */

enum { MOST_REQUEST = 1 << 16 };

static struct server {
    int door, requests;
    pthread_t thread;
    char url[64];
} server;

/* What the model named in the request makes of a text: honest, thief (drops a number), parrot (changes nothing), late
 * (a parrot on its first try, honest then), cut (honest, but at the token limit), human (adds a word). */
static char *play(const char *model, const char *text, bool first, const char **finish) {
    char *out = calloc(1, strlen(text) + 100), *to = out;
    const bool parrot = strcmp(model, "parrot") == 0 || (strcmp(model, "late") == 0 && first);
    *finish = strcmp(model, "cut") == 0 ? "length" : "stop";
    if (strcmp(model, "human") == 0) to += sprintf(to, "  Hmm, ");
    for (const char *at = text; *at != '\0';) {
        if (!parrot && strcmp(model, "human") != 0 && strncmp(at, "Hmm, ", 5) == 0) {
            at += 5;
        } else if (strcmp(model, "thief") == 0 && *at == '7') {
            at++;
        } else {
            *to++ = *at++;
        }
    }
    return out;
}

static char *answer_of(const char *body) {
    json_t *request = json_loads(body, 0, NULL), *messages = json_object_get(request, "messages");
    const char *message = json_string_value(json_object_get(json_array_get(messages, 1), "content"));
    const char *system = json_string_value(json_object_get(json_array_get(messages, 0), "content")), *finish;
    assert_non_null(message);
    assert_true(strstr(system, "{words}") == NULL && strstr(system, "on the other hand") != NULL);
    const char *from = strchr(message, '\n') + 1, *to = strstr(from, "\n----- END TEXT");
    char *text = strndup(from, (size_t)(to - from));
    char *rewritten = play(json_string_value(json_object_get(request, "model")), text,
                           json_integer_value(json_object_get(request, "seed")) == 1, &finish);
    json_t *reply = json_pack("{s:s, s:[{s:i, s:{s:s, s:s}, s:s}], s:{s:i, s:i}}", "model", "m", "choices", "index", 0,
                              "message", "role", "assistant", "content", rewritten, "finish_reason", finish, "usage",
                              "prompt_tokens", 10, "completion_tokens", 5);
    char *out = json_dumps(reply, JSON_COMPACT); /* a test's own server */
    json_decref(reply);
    json_decref(request);
    free(rewritten);
    free(text);
    return out;
}

static const char *read_request(int fd, char *text) {
    for (size_t length = 0;;) {
        const ssize_t got = recv(fd, text + length, MOST_REQUEST - 1 - length, 0);
        if (got <= 0) return NULL;
        length += (size_t)got;
        text[length] = '\0';
        const char *body = strstr(text, "\r\n\r\n"), *size = strcasestr(text, "content-length:");
        if (body != NULL && size != NULL && length - (size_t)(body + 4 - text) >= (size_t)atoi(size + 15))
            return body + 4;
    }
}

static void *serve(void *context) {
    char *text = malloc(MOST_REQUEST), head[200], rest[256];
    (void)context;
    for (int fd; (fd = accept(server.door, NULL, NULL)) >= 0; close(fd)) {
        const char *body = read_request(fd, text);
        if (body == NULL) continue;
        server.requests++;
        char *reply = answer_of(body);
        const int n = snprintf(head, sizeof head,
                               "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                               "Connection: close\r\n\r\n",
                               strlen(reply));
        send(fd, head, (size_t)n, MSG_NOSIGNAL);
        send(fd, reply, strlen(reply), MSG_NOSIGNAL);
        free(reply);
        shutdown(fd, SHUT_WR);
        while (recv(fd, rest, sizeof rest, 0) > 0) continue;
    }
    free(text);
    return NULL;
}

static int start_server(void **state) {
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    server.door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(server.door, (const struct sockaddr *)&address, sizeof address) != 0 || listen(server.door, 64) != 0 ||
        getsockname(server.door, (struct sockaddr *)&address, &size) != 0)
        return -1;
    snprintf(server.url, sizeof server.url, "http://127.0.0.1:%d/v1", ntohs(address.sin_port));
    return pthread_create(&server.thread, NULL, serve, NULL);
}

static int stop_server(void **state) {
    (void)state;
    shutdown(server.door, SHUT_RDWR);
    close(server.door);
    return pthread_join(server.thread, NULL);
}

/* ---- runs ---- */

static const char TRACES[] =
    "{\"id\":\"a\",\"response\":\"Hmm, 3 + 4 = 7. \\\\boxed{7}\"}\n"
    "{\"problem\":\"?\",\"messages\":[{\"role\":\"user\",\"content\":\"wait\"},{\"role\":\"assistant\",\"content\":"
    "\"Hmm, $\\\\frac{7}{2}$ it is.\"}]}\n"
    "{\"id\":\"c\",\"completion\":\"7 - 2 = 5\"}\n";

typedef struct run {
    retort_rewrite_account account;
    retort_error err;
    retort_status status;
    rt_buffer output;
} run;

static run rewrite(const char *dir, const char *model, const char *style, const char *more, const char *value) {
    run out = {0};
    retort_rewrite_options o;
    char input[4096], output[4096], store[4096];
    snprintf(input, sizeof input, "%s/in.jsonl", dir);
    snprintf(output, sizeof output, "%s/%s-%s.jsonl", dir, model, style);
    snprintf(store, sizeof store, "%s/store.db", dir);
    assert_int_equal(rt_file_write(input, TRACES, sizeof TRACES - 1, NULL), RETORT_OK);
    assert_int_equal(retort_options_defaults(retort_rewrite_option_table, &o, NULL), RETORT_OK);
    const char *const set[][2] = {{"input", input},         {"output", output},   {"store", store},
                                  {"style", style},         {"model", model},     {"stream", "false"},
                                  {"base_url", server.url}, {"concurrency", "1"}, {more, value}};
    for (size_t i = 0; i < sizeof set / sizeof *set && set[i][0] != NULL; i++)
        assert_int_equal(retort_options_set(retort_rewrite_option_table, &o, set[i][0], set[i][1], NULL), RETORT_OK);
    out.status = retort_rewrite(&o, NULL, &out.account, &out.err);
    if (rt_path_exists(output)) assert_int_equal(rt_file_read(output, &out.output, NULL), RETORT_OK);
    retort_options_release(retort_rewrite_option_table, &o);
    return out;
}

static void test_an_honest_model(void **state) {
    (void)state;
    char *dir = make_dir();
    const int before = server.requests;
    run r = rewrite(dir, "honest", "plain", NULL, NULL);
    if (r.status != RETORT_OK) fail_msg("%s", r.err.message);
    assert_int_equal(r.account.written, 3);
    assert_int_equal(r.account.unchanged, 1);
    assert_int_equal(server.requests - before, 2); /* what is plain already is not asked for */
    assert_int_equal(r.account.after.anthropomorphic, 0);
    assert_non_null(strstr(r.output.data, "\"response\":\"3 + 4 = 7. \\\\boxed{7}\""));
    assert_non_null(strstr(r.output.data, "{\"role\":\"user\",\"content\":\"wait\"}")); /* not the assistant's */
    assert_non_null(strstr(r.output.data, "\"content\":\"$\\\\frac{7}{2}$ it is.\""));
    assert_non_null(strstr(r.output.data, "\"rewritten_by\":\"honest plain-1:"));
    rt_buffer_free(&r.output);
    run again = rewrite(dir, "honest", "plain", NULL, NULL); /* from the store */
    assert_int_equal(again.account.endpoint.reused, 2);
    assert_int_equal(server.requests - before, 2);
    rt_buffer_free(&again.output);
    drop_dir(dir);
}

static void test_what_fails_is_tried_again_and_then_rejected(void **state) {
    (void)state;
    static const struct {
        const char *model, *style, *reason;
        int written, requests;
    } cases[] = {
        {"thief", "plain", "numbers and equations", 1, 6},      {"parrot", "plain", "still holds", 1, 6},
        {"cut", "plain", "cut at the token limit", 1, 6},       {"late", "plain", "", 3, 4},
        {"honest", "sprinkled", "fewer marked", 0, 9},          {"human", "sprinkled", "", 3, 3},
        {"parrot", "sprinkled", "no more marked tokens", 0, 9},
    };
    char *dir = make_dir();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int before = server.requests;
        run r = rewrite(dir, cases[i].model, cases[i].style, NULL, NULL);
        if (cases[i].written == 0) {
            /* All three rejected is a failure, with no file. The third has no marked word to lose: nothing is added. */
            assert_int_equal(r.status, RETORT_ERR_STATE);
            assert_null(r.output.data);
            assert_non_null(strstr(r.err.message, "all 3 traces were rejected"));
        } else {
            assert_int_equal(r.status, RETORT_OK);
        }
        assert_int_equal(r.account.written, cases[i].written);
        assert_int_equal(r.account.rejected, 3 - cases[i].written);
        assert_int_equal(server.requests - before, cases[i].requests);
        if (strstr(r.account.reason, cases[i].reason) == NULL) fail_msg("%s: %s", cases[i].model, r.account.reason);
        rt_buffer_free(&r.output);
    }
    drop_dir(dir);
}

static void test_tries_and_a_dry_run(void **state) {
    (void)state;
    char *dir = make_dir();
    int before = server.requests;
    run r = rewrite(dir, "late", "plain", "tries", "1");
    assert_int_equal(r.account.rejected, 2);
    assert_int_equal(server.requests - before, 2);
    rt_buffer_free(&r.output);
    before = server.requests;
    r = rewrite(dir, "human", "plain", "dry_run", "true");
    assert_int_equal(r.status, RETORT_OK);
    assert_int_equal(server.requests, before);
    assert_true(r.account.endpoint.estimated_tokens > 0);
    assert_null(r.output.data);
    drop_dir(dir);
}

static void test_options_that_cannot_be(void **state) {
    (void)state;
    char *dir = make_dir();
    static const char *const cases[][3] = {
        {"model", "", "needs the option 'model'"},
        {"store", "", "needs the option 'store'"},
        {"api", "completions", "chat"},
        {"match", "x.jsonl", "'match'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run r = rewrite(dir, "honest", "plain", cases[i][0], cases[i][1]);
        assert_int_equal(r.status, RETORT_ERR_USAGE);
        assert_non_null(strstr(r.err.message, cases[i][2]));
    }
    drop_dir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_honest_model),
        cmocka_unit_test(test_what_fails_is_tried_again_and_then_rejected),
        cmocka_unit_test(test_tries_and_a_dry_run),
        cmocka_unit_test(test_options_that_cannot_be),
    };
    return cmocka_run_group_tests_name("remote", tests, start_server, stop_server);
}
