/* `retort label` as a person uses it, through a pseudo-terminal; then the agreement of two people from the store. */
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/json.h"
#include "folders.h"
#include "retort/analyze.h"
#include "retort/judge.h"
#include "store/judgements.h"

enum { RESPONSES = 6, SCREEN = 1 << 18 };

static const char *program;
static char *dir;
static char responses[300], store[300];

typedef struct person { /* before a terminal */
    pid_t child;
    int terminal;
    char seen[SCREEN]; /* since the last key */
    size_t length;
} person;

static int set_up(void **state) {
    (void)state;
    char text[4000] = "";
    dir = make_dir();
    snprintf(responses, sizeof responses, "%s/responses.jsonl", dir);
    snprintf(store, sizeof store, "%s/run.db", dir);
    for (int i = 0; i < RESPONSES; i++) {
        char line[600];
        snprintf(
            line, sizeof line,
            "{\"problem_id\": \"p%d\", \"model\": \"secret-model\", \"sample\": %d, \"text\": \"Response number %d. "
            "%s\"}\n",
            i / 2, i % 2, i, i == 3 ? "Bell \\u0007 escape \\u001b[31m end." : "It goes on for a while.");
        strcat(text, line);
    }
    write_text(dir, "responses.jsonl", text);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    drop_dir(dir);
    return 0;
}

static person *sit_down(const char *name, const char *seed) {
    person *p = calloc(1, sizeof *p);
    const struct winsize size = {.ws_row = 24, .ws_col = 80};
    p->child = forkpty(&p->terminal, NULL, NULL, &size);
    assert_true(p->child >= 0);
    if (p->child == 0) {
        execl(program, program, "label", responses, "--store", store, "--name", name, "--seed", seed, (char *)NULL);
        _exit(127);
    }
    return p;
}

/* Reads until the text is on the screen; fails after ten seconds. */
static void expect(person *p, const char *text) {
    for (int wait = 0; wait < 100; wait++) {
        struct pollfd ready = {p->terminal, POLLIN, 0};
        if (strstr(p->seen, text) != NULL) return;
        if (poll(&ready, 1, 100) != 1) continue;
        const ssize_t got = read(p->terminal, p->seen + p->length, SCREEN - 1 - p->length);
        if (got <= 0) break;
        p->length += (size_t)got;
        p->seen[p->length] = '\0';
    }
    if (strstr(p->seen, text) == NULL) fail_msg("'%s' did not come; the screen was: %s", text, p->seen);
}

/* Presses keys one after the other; the screen is looked at anew from the last. */
static void press(person *p, const char *keys) {
    p->length = 0;
    p->seen[0] = '\0';
    assert_int_equal(write(p->terminal, keys, strlen(keys)), (ssize_t)strlen(keys));
}

static int stand_up(person *p) {
    int status = 0;
    char rest[4096];
    struct pollfd ready = {p->terminal, POLLIN, 0};
    while (poll(&ready, 1, 5000) == 1 && read(p->terminal, rest, sizeof rest) > 0) continue;
    waitpid(p->child, &status, 0);
    close(p->terminal);
    free(p);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The number of the response on the screen; the list of behaviours is drawn behind it. */
static int number_on(person *p) {
    expect(p, "Multi-Perspective");
    const char *at = strstr(p->seen, "Response number ");
    assert_non_null(at);
    return atoi(at + strlen("Response number "));
}

typedef struct labels {
    long count[RESPONSES], rows;
    const char *judge, *behavior;
} labels;

static retort_status take(void *context, const rt_stored_judgement *row, retort_error *err) {
    labels *l = context;
    (void)err;
    if (strcmp(row->judge, l->judge) != 0 || strcmp(row->behavior, l->behavior) != 0) return RETORT_OK;
    assert_string_equal(row->status, "ok");
    l->rows++;
    l->count[0] += (long)row->count;
    return RETORT_OK;
}

/* How many responses this person has labelled, and the sum of the counts of a behaviour. */
static labels read_labels(const char *judge, const char *behavior) {
    labels l = {.judge = judge, .behavior = behavior};
    rt_store *s = NULL;
    retort_error err;
    assert_ok(rt_store_open(store, &s, &err));
    assert_ok(rt_store_each_judgement(s, NULL, take, &l, &err));
    rt_store_close(s);
    return l;
}

static void test_sitting(void **state) {
    (void)state;
    person *p = sit_down("ada", "7");
    expect(p, "response 1 of 6, 0 labelled");
    expect(p, "1   0  Multi-Perspective");
    assert_null(strstr(p->seen, "secret-model")); /* blind */
    const int first = number_on(p);
    press(p, "1");
    expect(p, "1   1  Multi-Perspective");
    press(p, "1");
    expect(p, "1   2  Multi-Perspective");
    press(p, "u");
    expect(p, "1   1  Multi-Perspective");
    press(p, "2");
    expect(p, "2   1  Metacognitive");
    press(p, "-");
    expect(p, "take away");
    press(p, "2");
    expect(p, "2   0  Metacognitive");
    press(p, "d");
    expect(p, "another angle");
    press(p, "z");
    expect(p, "no such key");
    press(p, "\r");
    expect(p, "response 2 of 6, 1 labelled");
    const int second = number_on(p);
    assert_int_not_equal(first, second);
    press(p, "3q"); /* what is not stored when one leaves is not kept */
    assert_int_equal(stand_up(p), 0);
    labels l = read_labels("human:ada", "perspective");
    assert_int_equal(l.rows, 1);
    assert_int_equal(l.count[0], 1);
    assert_int_equal(read_labels("human:ada", "verification").count[0], 0);

    /* The same command goes on at the second; going back shows what was stored, and storing it again replaces it. */
    p = sit_down("ada", "7");
    expect(p, "response 2 of 6, 1 labelled");
    expect(p, "Response number ");
    assert_int_equal(number_on(p), second);
    press(p, "p");
    expect(p, "response 1 of 6, 1 labelled (this one is)");
    expect(p, "1   1  Multi-Perspective");
    press(p, "1\r");
    expect(p, "response 2 of 6, 1 labelled");
    press(p, "s");
    expect(p, "response 3 of 6");
    press(p, "\x03");
    assert_int_equal(stand_up(p), 0);
    l = read_labels("human:ada", "perspective");
    assert_int_equal(l.rows, 1);
    assert_int_equal(l.count[0], 2);

    /* To the end: five more, one of which was skipped before. */
    p = sit_down("ada", "7");
    for (int i = 2; i <= RESPONSES; i++) {
        char head[60];
        snprintf(head, sizeof head, "response %d of 6", i);
        expect(p, head);
        if (i < RESPONSES) press(p, "\r");
    }
    p->length = 0;
    press(p, "\r");
    expect(p, "6 of 6 labelled");
    assert_int_equal(stand_up(p), 0);
    assert_int_equal(read_labels("human:ada", "perspective").rows, RESPONSES);
}

/* Control characters of a response do not reach the terminal. */
static void test_hostile_text(void **state) {
    (void)state;
    person *p = sit_down("eve", "1");
    bool met = false;
    for (int i = 1; i <= RESPONSES; i++) {
        char head[60];
        snprintf(head, sizeof head, "response %d of 6", i);
        expect(p, head);
        expect(p, "q\r\n"); /* the last line of a screen */
        if (number_on(p) == 3) {
            met = true;
            assert_non_null(strstr(p->seen, "Bell ? escape ?[31m end."));
            assert_null(strchr(p->seen, '\a'));
            assert_null(strstr(p->seen, "\033[31m"));
        }
        if (i < RESPONSES) press(p, "s");
    }
    assert_true(met);
    press(p, "q");
    assert_int_equal(stand_up(p), 0);
    assert_int_equal(read_labels("human:eve", "perspective").rows, 0);
}

/* A kill loses nothing that was stored, and the terminal is given back on SIGTERM. */
static void test_killed(void **state) {
    (void)state;
    person *p = sit_down("bob", "3");
    expect(p, "response 1 of 6");
    press(p, "4\r");
    expect(p, "response 2 of 6, 1 labelled");
    kill(p->child, SIGTERM);
    expect(p, "1 of 6 labelled; the same command goes on");
    assert_int_equal(stand_up(p), 0);
    p = sit_down("bob", "3");
    expect(p, "response 2 of 6, 1 labelled");
    press(p, "4\r");
    expect(p, "response 3 of 6, 2 labelled");
    kill(p->child, SIGKILL);
    stand_up(p);
    assert_int_equal(read_labels("human:bob", "backtracking").count[0], 2);
}

static void label_all(const char *name, const int *counts) {
    retort_label_options o;
    retort_labels *l = NULL;
    retort_error err;
    assert_ok(retort_options_defaults(retort_label_option_table, &o, &err));
    assert_ok(retort_options_set(retort_label_option_table, &o, "responses", responses, &err));
    assert_ok(retort_options_set(retort_label_option_table, &o, "store", store, &err));
    assert_ok(retort_options_set(retort_label_option_table, &o, "name", name, &err));
    assert_ok(retort_labels_open(&o, &l, &err));
    for (;;) {
        retort_label_view view;
        retort_labels_show(l, &view);
        if (view.text == NULL) break;
        const int number = atoi(view.text + strlen("Response number "));
        assert_ok(retort_labels_mark(l, 0, counts[number], &err));
        assert_ok(retort_labels_next(l, &err));
    }
    retort_labels_close(l);
    retort_options_release(retort_label_option_table, &o);
}

static void test_agreement(void **state) {
    (void)state;
    /* Presence: both 2, only the first 1, only the second 1, neither 2: agreement 4/6, kappa (4/6 - 1/2) / (1/2). */
    static const int ada[RESPONSES] = {1, 2, 3, 0, 0, 0}, bob[RESPONSES] = {1, 5, 0, 1, 0, 0};
    retort_agreement_options o;
    retort_error err = {0};
    char *json = NULL;
    label_all("ada", ada);
    label_all("bob", bob);
    assert_ok(retort_options_defaults(retort_agreement_option_table, &o, &err));
    assert_ok(retort_options_set(retort_agreement_option_table, &o, "judgements", store, &err));
    assert_int_equal(retort_agreement(&o, &json, &err), RETORT_ERR_USAGE); /* a store alone does not say about what */
    assert_ok(retort_options_set(retort_agreement_option_table, &o, "responses", responses, &err));
    assert_ok(retort_agreement(&o, &json, &err));
    json_t *result = json_loads(json, 0, NULL);
    retort_free(json);
    const json_t *pairs = json_object_get(json_object_get(result, "agreement"), "pairs");
    bool found = false;
    for (size_t i = 0; i < json_array_size(pairs); i++) {
        const json_t *row = json_array_get(pairs, i);
        const char *name = json_string_value(json_object_get(row, "behavior"));
        assert_string_equal(json_string_value(json_object_get(row, "a")), "human:ada");
        assert_int_equal(json_integer_value(json_object_get(row, "n")), RESPONSES);
        if (strcmp(name, "perspective") == 0) {
            const double kappa = json_number_value(json_object_get(row, "kappa"));
            assert_true(kappa > 0.3333 && kappa < 0.3334);
            assert_int_equal(json_integer_value(json_object_get(row, "problems")), 3);
            found = true;
        } else { /* nobody saw any: not defined, and said so */
            assert_true(json_is_null(json_object_get(row, "kappa")));
            assert_string_equal(json_string_value(json_object_get(row, "note")),
                                "presence: all ratings are the same; counts: all ratings are the same");
        }
    }
    assert_true(found);
    json_decref(result);
    retort_options_release(retort_agreement_option_table, &o);
}

int main(int count, char **arguments) {
    if (count < 2) return 2;
    program = arguments[1];
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {CASE(test_sitting), CASE(test_hostile_text), CASE(test_killed),
                                       CASE(test_agreement)};
    return cmocka_run_group_tests_name("label", tests, NULL, NULL);
}
