/* Replies that come through batch files, traces that somebody else has made, overlaps with evaluation sets, and what
 * the store keeps of it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/json.h"
#include "fault_server.h"
#include "folders.h"
#include "retort/teach.h"
#include "store/manifests.h"
#include "store/metrics.h"
#include "store/problems.h"
#include "store/prompts.h"
#include "store/scores.h"
#include "store/traces.h"

static char *dir;
static char problems[300], store[300], output[300], requests[300], results[300];

static int set_up(void **state) {
    (void)state;
    dir = make_dir();
    snprintf(problems, sizeof problems, "%s/problems.jsonl", dir);
    snprintf(store, sizeof store, "%s/run.db", dir);
    snprintf(output, sizeof output, "%s/traces.jsonl", dir);
    snprintf(requests, sizeof requests, "%s/requests.jsonl", dir);
    snprintf(results, sizeof results, "%s/results.jsonl", dir);
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
        fprintf(file, "{\"id\": \"p%d\", \"problem\": \"What  is\\n%d + 1?\", \"answer\": \"7\"}\n", i, i);
    fclose(file);
}

static void set(retort_teach_options *o, const char *name, const char *value) {
    retort_error err;
    assert_ok(retort_options_set(retort_teach_option_table, o, name, value, &err));
}

static retort_teach_options make_options(void) {
    retort_teach_options o;
    retort_error err;
    assert_ok(retort_options_defaults(retort_teach_option_table, &o, &err));
    set(&o, "problems", problems);
    set(&o, "output", output);
    set(&o, "store", store);
    return o;
}

static void drop(retort_teach_options *o, retort_teach_account *account) {
    retort_options_release(retort_teach_option_table, o);
    free(account->details);
}

static void run(const retort_teach_options *o, retort_teach_account *account) {
    retort_error err = {0};
    free(account->details);
    if (retort_teach(o, NULL, account, &err) != RETORT_OK) fail_msg("%s", err.message);
}

static void expect_failure(const retort_teach_options *o, retort_teach_account *account, retort_status code,
                           const char *message) {
    retort_error err = {0};
    free(account->details);
    assert_int_equal(retort_teach(o, NULL, account, &err), code);
    if (strstr(err.message, message) == NULL) fail_msg("'%s' is not in: %s", message, err.message);
}

/* ---- lists of what a file holds ---- */

typedef struct lines {
    json_t *items[64];
    int count;
} lines;

static retort_status take_line(void *context, json_t *object, size_t line, retort_error *err) {
    (void)line;
    (void)err;
    lines *l = context;
    assert_in_range(l->count, 0, 63);
    l->items[l->count++] = json_incref(object);
    return RETORT_OK;
}

static lines read_lines(const char *path) {
    lines l = {0};
    retort_error err;
    assert_ok(rt_jsonl_read(path, take_line, &l, &err));
    return l;
}

static void drop_lines(lines *l) {
    for (int i = 0; i < l->count; i++) json_decref(l->items[i]);
}

static const char *text_of(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

/* ---- batches ---- */

enum { GOOD, API_ERROR, HTTP_ERROR, NO_BODY, BAD_BODY };

static void write_result(FILE *file, const char *id, int kind) {
    static const char BODY[] =
        "{\"model\":\"m-1\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"So "
        "\\\\boxed{7}\",\"reasoning_content\":\"hm\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":5,"
        "\"completion_tokens\":3,\"total_tokens\":8}}";
    fprintf(file, "{\"id\":\"batch_req_1\",\"custom_id\":\"%s\",", id);
    switch (kind) {
    case GOOD: fprintf(file, "\"response\":{\"status_code\":200,\"body\":%s},\"error\":null}\n", BODY); break;
    case API_ERROR: fprintf(file, "\"response\":null,\"error\":{\"code\":\"x\",\"message\":\"expired\"}}\n"); break;
    case HTTP_ERROR:
        fprintf(file, "\"response\":{\"status_code\":400,\"body\":{\"error\":{\"message\":\"too long\"}}},"
                      "\"error\":null}\n");
        break;
    case NO_BODY: fprintf(file, "\"response\":{\"status_code\":200},\"error\":null}\n"); break;
    default: fprintf(file, "\"response\":{\"status_code\":200,\"body\":{\"choices\":7}},\"error\":null}\n"); break;
    }
}

static void check_requests(const lines *asked, int count) {
    assert_int_equal(asked->count, count);
    for (int i = 0; i < asked->count; i++) {
        const json_t *body = json_object_get(asked->items[i], "body");
        assert_int_equal(strlen(text_of(asked->items[i], "custom_id")), 64);
        assert_string_equal(text_of(asked->items[i], "method"), "POST");
        assert_string_equal(text_of(asked->items[i], "url"), "/v1/chat/completions");
        assert_string_equal(text_of(body, "model"), "m");
        assert_null(json_object_get(body, "stream"));
        assert_null(json_object_get(body, "stream_options"));
        assert_int_equal(json_integer_value(json_object_get(body, "max_tokens")), 100);
    }
}

/* Twelve of twenty questions answered by a batch, five times badly in four ways, one twice, one of another run; the
 * second batch has what is missing, and an endpoint answers the rest: each question is answered once. */
static void test_batches(void **state) {
    (void)state;
    fault_server *server = fault_server_start(FAULTS_NONE, 0);
    retort_teach_options o = make_options();
    retort_teach_account account = {0};
    write_problems(10);
    set(&o, "batch_requests", requests);
    o.n = 2;
    o.max_tokens = 100;
    expect_failure(&o, &account, RETORT_ERR_USAGE, "'model'");
    set(&o, "model", "m");
    o.endpoint.price_input = 1;
    o.endpoint.price_output = 2;
    run(&o, &account);
    assert_int_equal(account.batch_written, 20);
    assert_false(rt_path_exists(output));
    lines asked = read_lines(requests);
    check_requests(&asked, 20);
    FILE *file = fopen(results, "w");
    for (int i = 0; i < 17; i++) write_result(file, text_of(asked.items[i], "custom_id"), i < 12 ? GOOD : 1 + i % 4);
    write_result(file, text_of(asked.items[3], "custom_id"), GOOD);
    write_result(file, "somebody-elses", GOOD);
    fclose(file);
    set(&o, "batch_requests", "");
    set(&o, "batch_results", results);
    expect_failure(&o, &account, RETORT_ERR_IO, "8 of 20 replies are missing");
    assert_int_equal(account.imported, 12);
    assert_int_equal(account.imported_again, 1);
    assert_int_equal(account.import_failed, 5);
    assert_int_equal(account.import_unmatched, 1);
    assert_int_equal(account.endpoint.completion_tokens, 36);
    assert_true(account.endpoint.cost > 12 * 10.9e-6 && account.endpoint.cost < 12 * 11.1e-6);
    assert_non_null(strstr(account.details, "expired"));
    assert_non_null(strstr(account.details, "too long"));
    assert_non_null(strstr(account.details, "somebody-elses"));
    /* Once more: nothing is taken twice; and now the rest is written down. */
    set(&o, "batch_requests", requests);
    run(&o, &account);
    assert_int_equal(account.imported, 0);
    assert_int_equal(account.imported_again, 13);
    assert_int_equal(account.batch_written, 8);
    drop_lines(&asked);
    asked = read_lines(requests);
    check_requests(&asked, 8);
    /* An endpoint is asked only for what no batch has answered, whatever streams. */
    set(&o, "batch_requests", "");
    set(&o, "base_url", fault_server_url(server));
    run(&o, &account);
    assert_int_equal(fault_server_counts(server).requests, 8);
    assert_int_equal(account.endpoint.asked, 8);
    assert_int_equal(account.endpoint.reused, 12);
    assert_int_equal(account.right, 20);
    lines traces = read_lines(output);
    assert_int_equal(traces.count, 20);
    for (int i = 0; i < 20; i++) {
        char id[16];
        snprintf(id, sizeof id, "p%d", i / 2);
        assert_string_equal(text_of(traces.items[i], "id"), id);
        assert_int_equal(json_integer_value(json_object_get(traces.items[i], "sample")), i % 2);
    }
    drop_lines(&asked);
    drop_lines(&traces);
    drop(&o, &account);
    fault_server_stop(server);
}

static void expect_bad_results(const char *text, const char *message) {
    retort_teach_options o = make_options();
    retort_teach_account account = {0};
    write_text(dir, "results.jsonl", text);
    set(&o, "model", "m");
    set(&o, "batch_results", results);
    expect_failure(&o, &account, RETORT_ERR_FORMAT, message);
    drop(&o, &account);
}

static void test_hostile_results(void **state) {
    (void)state;
    write_problems(2);
    expect_bad_results("{\"custom_id\": 7}\n", "line 1: no 'custom_id'");
    expect_bad_results("\n{\"custom_id\": \"a\"", "line 2");
    expect_bad_results("[]\n", "line 1");
    expect_bad_results("{\"custom_id\": \"\\ud800\"}\n", "line 1");
}

/* ---- traces ---- */

/* Traces of every shape that is read; white space does not count, an id without a text does, another text does not. */
static void test_imports(void **state) {
    (void)state;
    char theirs[300];
    retort_teach_options o = make_options();
    retort_teach_account account = {0};
    write_problems(8);
    snprintf(theirs, sizeof theirs, "%s/theirs.jsonl", dir);
    write_text(
        dir, "theirs.jsonl",
        "{\"id\": \"x\", \"problem\": \"What is 3 + 1?\", \"response\": \"\\\\boxed{7}\", \"teacher\": \"R\"}\n"
        "{\"question\": \" What is 0 + 1? \", \"solution\": \"\\\\boxed{8}\"}\n"
        "{\"problem_id\": \"p5\", \"text\": \"thought \\\\boxed{7}\", \"reasoning\": \"long\"}\n"
        "{\"messages\": [{\"role\": \"system\", \"content\": \"s\"}, {\"role\": \"user\", \"content\": \"What is "
        "1 + 1?\"}, {\"role\": \"assistant\", \"content\": \"\\\\boxed{7}\", \"reasoning_content\": \"hm\"}]}\n"
        "{\"prompt\": [{\"role\": \"user\", \"content\": \"What is 2 + 1?\"}], \"completion\": [{\"role\": "
        "\"assistant\", \"content\": \"no idea\"}]}\n"
        "{\"id\": \"p6\", \"problem\": \"Another question?\", \"response\": \"\\\\boxed{7}\"}\n"
        "{\"problem\": \"What is 3 + 1?\", \"response\": \"\\\\boxed{7}\", \"teacher\": \"R\"}\n"
        "{\"problem\": \"What is 3 + 1?\", \"response\": \"a third\", \"teacher\": \"R\"}\n");
    set(&o, "import_traces", theirs);
    run(&o, &account);
    assert_int_equal(account.imported, 5);
    assert_int_equal(account.imported_again, 2);
    assert_int_equal(account.import_unmatched, 1);
    assert_int_equal(account.missing, 3);
    assert_int_equal(account.right, 3);
    assert_int_equal(account.wrong, 1);
    assert_int_equal(account.unparsed, 1);
    assert_non_null(strstr(account.details, "Another question?"));
    lines traces = read_lines(output);
    assert_int_equal(traces.count, 5);
    const char *const IDS[] = {"p0", "p1", "p2", "p3", "p5"};
    for (int i = 0; i < 5; i++) assert_string_equal(text_of(traces.items[i], "id"), IDS[i]);
    assert_string_equal(text_of(traces.items[1], "response"), "<think>\nhm\n</think>\n\n\\boxed{7}");
    assert_string_equal(text_of(traces.items[3], "teacher"), "R");
    assert_string_equal(text_of(traces.items[4], "teacher"), "unknown");
    drop_lines(&traces);
    /* The same again writes the same bytes; screened, what is not right stays out and is counted. */
    char before[65], after[65];
    retort_error err;
    assert_ok(rt_sha256_file(output, before, &err));
    run(&o, &account);
    assert_ok(rt_sha256_file(output, after, &err));
    assert_string_equal(before, after);
    set(&o, "keep", "correct");
    o.n = 3;
    run(&o, &account);
    assert_int_equal(account.imported, 6); /* the third of p3 is taken, its second is the first again */
    assert_int_equal(account.imported_again, 1);
    assert_int_equal(account.traces, 3);
    assert_int_equal(account.left_out, 3);
    set(&o, "base_url", "http://127.0.0.1:1/v1");
    expect_failure(&o, &account, RETORT_ERR_USAGE, "leave out base_url");
    drop(&o, &account);
}

static void test_hostile_traces(void **state) {
    (void)state;
    static const struct {
        const char *line, *message;
    } CASES[] = {{"{\"problem\": \"What is 3 + 1?\"}\n", "line 1 has no response"},
                 {"{\"response\": \"x\"}\n", "neither a problem"},
                 {"{\"problem\": 3, \"response\": [1]}\n", "line 1 has no response"},
                 {"{\"messages\": [3, {\"role\": 4}], \"response\": \"\"}\n", "neither a problem"},
                 {"{\"problem\": \"Quite another?\", \"response\": \"x\"}\n", "none of the traces"},
                 {"", "none of the traces"},
                 {"{\"problem\": \"\\u0000\"}\n", "line 1"}};
    char theirs[300];
    write_problems(3);
    snprintf(theirs, sizeof theirs, "%s/theirs.jsonl", dir);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        retort_teach_options o = make_options();
        retort_teach_account account = {0};
        write_text(dir, "theirs.jsonl", CASES[i].line);
        set(&o, "import_traces", theirs);
        expect_failure(&o, &account, RETORT_ERR_FORMAT, CASES[i].message);
        assert_false(rt_path_exists(output));
        drop(&o, &account);
    }
}

/* ---- contamination ---- */

static void test_against(void **state) {
    (void)state;
    char set_path[300];
    retort_error err = {0};
    retort_teach_options o = make_options();
    retort_teach_account account = {0};
    write_text(
        dir, "problems.jsonl",
        "{\"id\": \"a\", \"problem\": \"A train leaves the old station at noon and crosses exactly seven bridges "
        "before it reaches the harbour; how many are left?\", \"answer\": \"3 * 4 * 1\", \"world\": {\"family\": "
        "\"countdown\", \"numbers\": [3, 4, 1], \"target\": 12}}\n"
        "{\"id\": \"b\", \"problem\": \"Reach 12 from 3, 4 and 1.\", \"answer\": \"3 * 4 * 1\", \"world\": "
        "{\"family\": "
        "\"countdown\", \"numbers\": [3, 4, 1], \"target\": 12}}\n");
    snprintf(set_path, sizeof set_path, "%s/eval.jsonl", dir);
    write_text(dir, "eval.jsonl",
               "{\"id\": \"e1\", \"problem\": \"a train leaves the old station at noon, and crosses exactly seven "
               "bridges before it reaches the harbour: how many are left?\"}\n"
               "{\"id\": \"e2\", \"problem\": \"Something else altogether.\"}\n");
    set(&o, "against", set_path);
    run(&o, &account); /* the world's teacher; nothing is dropped */
    assert_int_equal(account.traces, 2);
    json_t *details = json_loads(account.details, 0, NULL);
    const json_t *report = json_object_get(details, "contamination");
    assert_int_equal(json_integer_value(json_object_get(report, "contaminated")), 1);
    const json_t *overlaps = json_object_get(json_array_get(json_object_get(report, "sets"), 0), "overlaps");
    assert_int_equal(json_array_size(overlaps), 1);
    assert_string_equal(text_of(json_array_get(overlaps, 0), "problem_id"), "a");
    assert_non_null(strstr(text_of(json_array_get(overlaps, 0), "passage"), "seven bridges"));
    json_decref(details);
    /* Only the problems that are used are looked at. */
    o.max_examples = 1;
    write_text(dir, "eval.jsonl", "{\"problem\": \"Reach 12 from 3, 4 and 1.\"}\n");
    run(&o, &account);
    assert_non_null(strstr(account.details, "\"contaminated\":0"));
    set(&o, "against", "/nowhere/at/all.jsonl");
    assert_int_equal(retort_teach(&o, NULL, NULL, &err), RETORT_ERR_NOT_FOUND);
    drop(&o, &account);
}

/* ---- what the store keeps ---- */

typedef struct figures {
    rt_store *store;
    char run[65];
    int runs, metrics;
    double right;
} figures;

static retort_status see_manifest(void *context, const rt_stored_manifest *m, retort_error *err) {
    (void)err;
    figures *f = context;
    f->runs++;
    snprintf(f->run, sizeof f->run, "%s", m->sha256);
    assert_string_equal(m->kind, "teach");
    assert_non_null(strstr(m->json, "\"problems_sha256\":"));
    assert_null(strstr(m->json, "127.0.0.1"));
    return RETORT_OK;
}

static retort_status see_metric(void *context, const rt_stored_metric *m, retort_error *err) {
    (void)err;
    figures *f = context;
    f->metrics++;
    if (strcmp(m->name, "right") == 0) f->right = m->value;
    return RETORT_OK;
}

static retort_status see_response(void *context, const rt_stored_response *r, retort_error *err) {
    (void)err;
    char *keys = context;
    strcat(keys, r->key);
    strcat(keys, r->prompt_sha256);
    return RETORT_OK;
}

static void test_store(void **state) {
    (void)state;
    fault_server *server = fault_server_start(FAULTS_NONE, 0);
    retort_teach_options o = make_options();
    retort_teach_account account = {0};
    retort_error err;
    rt_store *s = NULL;
    write_problems(2);
    set(&o, "base_url", fault_server_url(server));
    set(&o, "model", "m");
    run(&o, &account);
    run(&o, &account); /* the same run: the same manifest */
    o.think = 1;
    run(&o, &account); /* another one */
    assert_ok(rt_store_open(store, &s, &err));
    char keys[400] = "", key[65], prompt[65];
    assert_ok(rt_store_each(s, see_response, keys, &err));
    assert_int_equal(strlen(keys), 4 * 64);
    snprintf(key, sizeof key, "%.64s", keys);
    snprintf(prompt, sizeof prompt, "%.64s", keys + 64);
    rt_stored_problem problem;
    rt_stored_prompt shown;
    rt_stored_score score;
    rt_stored_trace trace;
    assert_ok(rt_store_get_problem(s, "p1", &problem, &err));
    assert_string_equal(problem.origin, "problems.jsonl");
    assert_string_equal(problem.gold, "{\"answer\":\"7\"}");
    assert_ok(rt_store_get_prompt(s, prompt, &shown, &err));
    assert_string_equal(shown.text, "[{\"content\":\"What  is\\n0 + 1?\",\"role\":\"user\"}]");
    assert_string_equal(shown.problem_id, "p0");
    assert_ok(rt_store_get_score(s, key, "strict", &score, &err));
    assert_string_equal(score.verdict, "right");
    assert_ok(rt_store_get_trace(s, key, "tags", &trace, &err));
    assert_string_equal(trace.text, "So \\boxed{7}");
    assert_true(trace.kept);
    assert_ok(rt_store_get_trace(s, key, "drop", &trace, &err));
    figures f = {.store = s};
    assert_ok(rt_store_each_manifest(s, see_manifest, &f, &err));
    assert_int_equal(f.runs, 2);
    assert_ok(rt_store_each_metric(s, f.run, see_metric, &f, &err));
    assert_int_equal(f.metrics, 6);
    assert_true(f.right == 2);
    rt_store_close(s);
    drop(&o, &account);
    fault_server_stop(server);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_batches, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hostile_results, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_imports, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hostile_traces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_against, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_store, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
