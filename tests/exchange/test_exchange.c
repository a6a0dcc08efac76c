/* Every shape: out, into an empty store, out again, the same bytes; the same lines once more change nothing; lines that
 * are no such thing leave the store as it was. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask/keep.h"
#include "core/json.h"
#include "folders.h"
#include "retort/store.h"
#include "store/judgements.h"
#include "store/manifests.h"
#include "store/metrics.h"
#include "store/problems.h"
#include "store/scores.h"
#include "store/store.h"
#include "store/traces.h"

static char *dir;
static char path[300], other[300], out[300], again[300], requests[300];

static int set_up(void **state) {
    (void)state;
    dir = make_dir();
    snprintf(path, sizeof path, "%s/run.db", dir);
    snprintf(other, sizeof other, "%s/other.db", dir);
    snprintf(out, sizeof out, "%s/out.jsonl", dir);
    snprintf(again, sizeof again, "%s/again.jsonl", dir);
    snprintf(requests, sizeof requests, "%s/requests.jsonl", dir);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    drop_dir(dir);
    return 0;
}

static void put_reply(rt_store *store, int i) {
    static const char *const REQUESTS[] = {
        "{\"max_tokens\":9,\"messages\":[{\"content\":\"Be brief.\",\"role\":\"system\"},{\"content\":\"1 + "
        "1?\",\"role\":"
        "\"user\"}],\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_usage\":true},\"temperature\":0.6}",
        "{\"messages\":[{\"content\":\"2 + 2?\",\"role\":\"user\"}],\"model\":\"m\"}",
        "{\"max_tokens\":5,\"model\":\"m\",\"prompt\":\"3 + 3 =\"}"};
    retort_error err;
    char key[65], text[64];
    snprintf(text, sizeof text, "reply %d \xe2\x9c\x93 \\boxed{2}", i);
    rt_sha256(text, strlen(text), key);
    const int problem = i / 3 % 3;
    const rt_stored_response row = {.key = key,
                                    .problem_id = problem == 0   ? "p0"
                                                  : problem == 1 ? "p1"
                                                                 : "p2",
                                    .sample = i % 3,
                                    .model = "m",
                                    .source = "http://x/v1",
                                    .request = REQUESTS[problem],
                                    .text = text,
                                    .reasoning = i % 2 ? "hm\nso" : NULL,
                                    .finish_reason = i % 4 ? "stop" : "length",
                                    .served_model = i % 3 ? "m-1" : NULL,
                                    .prompt_tokens = i % 5 ? 7 : -1,
                                    .completion_tokens = i % 5 ? 20 + i : -1,
                                    .cost = i % 2 ? 0.125 : -1,
                                    .seconds = 1.5,
                                    .first_token_seconds = -1,
                                    .created = 1000 + i,
                                    .token_ids = i % 2 ? "[1,2,3]" : NULL};
    assert_ok(rt_ask_put_row(store, row, NULL, &err));
    const rt_stored_score score = {
        .response_key = key, .grader = "strict", .verdict = i % 2 ? "right" : "wrong", .created = 7};
    if (i != 4) assert_ok(rt_store_put_score(store, &score, &err));
    const rt_stored_trace trace = {.response_key = key, .form = "tags", .kept = i % 2 == 0, .text = text, .created = 3};
    assert_ok(rt_store_put_trace(store, &trace, &err));
    const rt_stored_judgement judgement = {.response_key = key,
                                           .judge = "human:A",
                                           .prompt_version = "",
                                           .vote = 0,
                                           .behavior = "doubt",
                                           .status = "ok",
                                           .count = 1,
                                           .spans = "[{\"start\":0,\"end\":2,\"quote\":\"re\"}]",
                                           .created = 9};
    assert_ok(rt_store_put_judgement(store, &judgement, &err));
}

static void fill(void) {
    retort_error err;
    rt_store *store = NULL;
    char run[65];
    assert_ok(rt_store_open(path, &store, &err));
    assert_ok(rt_store_begin(store, &err));
    for (int i = 0; i < 9; i++) put_reply(store, i);
    assert_ok(rt_store_put_problem(
        store, &(rt_stored_problem){.id = "p0", .problem = "1 + 1?", .answer = "2", .gold = "{\"answer\":\"2\"}"},
        &err));
    assert_ok(rt_store_put_problem(store, &(rt_stored_problem){.id = "p9", .problem = "no answer"}, &err));
    assert_ok(rt_store_put_manifest(store, "eval", "{\"seed\":1,\"t\":0.60}", 5, run, &err));
    const rt_stored_metric metric = {
        .run = run, .name = "avg@3", .method = "bootstrap", .value = -0.1, .n = 9, .low = -0.75, .high = 1e-3};
    assert_ok(rt_store_put_metric(store, &metric, &err));
    assert_ok(rt_store_commit(store, &err));
    rt_store_close(store);
}

/* One call; the report is the caller's to json_decref, NULL on failure. */
static json_t *call(const char *store, int format, int table, const char *import, const char *export,
                    retort_status expected, const char *message) {
    retort_error err = {0};
    char *text = NULL;
    retort_store_options o = {.format = format, .table = table, .check = true};
    o.store = strdup(store);
    o.import = import != NULL ? strdup(import) : NULL;
    o.export = export != NULL ? strdup(export) : NULL;
    o.requests = format == RETORT_STORE_OPENAI_RESULTS && import != NULL ? strdup(requests) : NULL;
    const retort_status st = retort_store(&o, &text, &err);
    if (st != expected) fail_msg("status %d: %s", (int)st, err.message);
    if (message != NULL && strstr(err.message, message) == NULL) fail_msg("'%s' is not in: %s", message, err.message);
    json_t *report = text != NULL ? json_loads(text, 0, NULL) : NULL;
    free(text);
    free(o.store);
    free(o.import);
    free(o.export);
    free(o.requests);
    return report;
}

static int64_t figure(const json_t *report, const char *part, const char *name) {
    return json_integer_value(json_object_get(json_object_get(report, part), name));
}

static void expect_same_files(const char *a, const char *b) {
    retort_error err;
    rt_buffer x = {0}, y = {0};
    assert_ok(rt_file_read(a, &x, &err));
    assert_ok(rt_file_read(b, &y, &err));
    if (x.length != y.length || (x.length > 0 && memcmp(x.data, y.data, x.length) != 0))
        fail_msg("%s\n--- is not ---\n%s", x.data, y.data);
    rt_buffer_free(&x);
    rt_buffer_free(&y);
}

static void round_trip(int format, int table, int64_t rows) {
    remove(other);
    json_decref(call(path, format, table, NULL, out, RETORT_OK, NULL));
    json_t *first = call(other, format, table, out, again, RETORT_OK, NULL);
    assert_int_equal(figure(first, "import", "taken"), rows);
    assert_int_equal(figure(first, "import", "there_already"), 0);
    expect_same_files(out, again);
    json_t *second = call(other, format, table, out, again, RETORT_OK, NULL);
    assert_int_equal(figure(second, "import", "taken"), 0);
    assert_int_equal(figure(second, "import", "there_already"), rows);
    expect_same_files(out, again);
    json_decref(first);
    json_decref(second);
}

static void test_round_trips(void **state) {
    (void)state;
    static const int64_t ROWS[] = {9, 2, 3, 9, 8, 9, 1, 1};
    fill();
    for (int table = 0; table < 8; table++) round_trip(RETORT_STORE_ROWS, table, ROWS[table]);
    round_trip(RETORT_STORE_TRL, 0, 9);
    round_trip(RETORT_STORE_LIGHTEVAL, 0, 9);
}

/* OpenAI's files name no problem; where the store knows the prompts, it finds them. */
static void test_openai(void **state) {
    (void)state;
    char prompts[300];
    fill();
    snprintf(prompts, sizeof prompts, "%s/prompts.jsonl", dir);
    json_decref(call(path, RETORT_STORE_OPENAI_REQUESTS, 0, NULL, requests, RETORT_OK, NULL));
    json_decref(call(path, RETORT_STORE_ROWS, 2, NULL, prompts, RETORT_OK, NULL));
    json_decref(call(path, RETORT_STORE_OPENAI_RESULTS, 0, NULL, out, RETORT_OK, NULL));
    json_decref(call(other, RETORT_STORE_ROWS, 2, prompts, NULL, RETORT_OK, NULL));
    json_t *report = call(other, RETORT_STORE_OPENAI_RESULTS, 0, out, again, RETORT_OK, NULL);
    assert_int_equal(figure(report, "import", "taken"), 9);
    assert_int_equal(json_integer_value(json_object_get(report, "problems")), 3);
    expect_same_files(out, again);
    json_decref(report);
    report = call(other, RETORT_STORE_OPENAI_RESULTS, 0, out, NULL, RETORT_OK, NULL);
    assert_int_equal(figure(report, "import", "there_already"), 9);
    json_decref(report);
    json_decref(call(other, RETORT_STORE_OPENAI_REQUESTS, 0, NULL, again, RETORT_OK, NULL));
    expect_same_files(requests, again);
    json_decref(call(other, RETORT_STORE_OPENAI_REQUESTS, 0, requests, NULL, RETORT_ERR_USAGE, "are no replies"));
}

static void test_lists(void **state) {
    (void)state;
    retort_error err = {0};
    char *text = NULL;
    fill();
    retort_store_options o = {.store = path, .list = true};
    assert_ok(retort_store(&o, &text, &err));
    json_t *report = json_loads(text, 0, NULL);
    const json_t *model = json_array_get(json_object_get(report, "by_model"), 0);
    const json_t *run = json_array_get(json_object_get(report, "runs"), 0);
    const json_t *metric = json_array_get(json_object_get(report, "figures"), 0);
    assert_int_equal(json_integer_value(json_object_get(model, "responses")), 9);
    assert_int_equal(json_integer_value(json_object_get(model, "problems")), 3);
    assert_int_equal(json_integer_value(json_object_get(model, "scored")), 8);
    assert_int_equal(json_integer_value(json_object_get(model, "right")), 4);
    assert_string_equal(json_string_value(json_object_get(run, "command")), "eval");
    assert_string_equal(json_string_value(json_object_get(metric, "name")), "avg@3");
    assert_string_equal(json_string_value(json_object_get(metric, "run")),
                        json_string_value(json_object_get(run, "run")));
    assert_int_equal(figure(report, "rows", "judgements"), 9);
    json_decref(report);
    free(text);
    retort_store_options missing = {.store = other, .list = true};
    assert_int_equal(retort_store(&missing, &text, &err), RETORT_ERR_NOT_FOUND);
    assert_false(rt_path_exists(other));
}

/* What other tools write, not what this one does: TRL's other forms, lighteval without our additions. */
static void test_foreign_files(void **state) {
    (void)state;
    static const char TRL[] =
        "{\"messages\": [{\"role\": \"user\", \"content\": \"q\"}, {\"role\": \"assistant\", \"content\": \"a\"}]}\n"
        "{\"prompt\": \"q\", \"completion\": \"b\"}\n"
        "{\"prompt\": [{\"role\": \"user\", \"content\": \"q\"}], \"completion\": [{\"role\": \"assistant\", "
        "\"content\": "
        "\"c\"}], \"model\": \"n\", \"sample\": 4}\n";
    static const char DETAILS[] =
        "{\"doc\": {\"query\": \"2 + 2?\", \"choices\": [\"3\", \"4\"], \"gold_index\": [1], \"instruction\": \"s\", "
        "\"id\": \"7\", \"task_name\": \"gsm8k|0\"}, \"model_response\": {\"text\": [\"four\"], \"output_tokens\": "
        "[[5, "
        "6]], \"input\": null}, \"metric\": {\"extractive_match\": 1, \"other\": 0.5}}\n"
        "{\"__doc__\": {\"query\": \"3?\", \"choices\": [], \"gold_index\": 0, \"id\": \"8\"}, \"__model_response__\": "
        "{\"text\": [\"x\", \"y\"]}, \"__metric__\": {\"pass@k\": 0}}\n";
    retort_error err = {0};
    char *text = NULL;
    write_text(dir, "in.jsonl", TRL);
    char in[300];
    snprintf(in, sizeof in, "%s/in.jsonl", dir);
    json_decref(call(path, RETORT_STORE_TRL, 0, in, NULL, RETORT_ERR_USAGE, "option 'model'"));
    retort_store_options o = {.store = path, .import = in, .format = RETORT_STORE_TRL, .model = (char[]){"m"}};
    assert_ok(retort_store(&o, &text, &err));
    json_t *report = json_loads(text, 0, NULL);
    free(text);
    assert_int_equal(figure(report, "import", "taken"), 3);
    assert_int_equal(json_integer_value(json_object_get(report, "problems")), 1); /* one prompt, one problem */
    assert_int_equal(json_integer_value(json_object_get(report, "models")), 2);
    json_decref(report);
    write_text(dir, "in.jsonl", DETAILS);
    o.format = RETORT_STORE_LIGHTEVAL;
    o.store = other;
    assert_ok(retort_store(&o, &text, &err));
    report = json_loads(text, 0, NULL);
    free(text);
    assert_int_equal(figure(report, "import", "taken"), 3);
    assert_int_equal(figure(report, "rows", "scores"), 1);
    assert_int_equal(figure(report, "rows", "problems"), 1);
    assert_int_equal(json_integer_value(json_object_get(report, "completion_tokens")), 2);
    json_decref(report);
    rt_store *store = NULL;
    rt_stored_problem problem;
    assert_ok(rt_store_open(other, &store, &err));
    assert_ok(rt_store_get_problem(store, "7", &problem, &err));
    assert_string_equal(problem.answer, "4");
    assert_string_equal(problem.origin, "gsm8k|0");
    rt_store_close(store);
}

/* ---- hostile files ---- */

static const struct {
    int format, table;
    const char *line, *message;
} HOSTILE[] = {
    {RETORT_STORE_ROWS, 0, "{}", "'key' is missing"},
    {RETORT_STORE_ROWS, 0, "7", "line 2"},
    {RETORT_STORE_ROWS, 0, "{\"key\": \"k\"", "line 2"},
    {RETORT_STORE_ROWS, 0, "{\"key\": \"k\", \"key\": \"k\"}", "line 2"},
    {RETORT_STORE_ROWS, 0, "{\"keys\": \"k\"}", "'keys' is no column of 'responses'"},
    {RETORT_STORE_ROWS, 0,
     "{\"key\": \"k\", \"problem_id\": \"p\", \"sample\": -1, \"model\": \"m\", \"source\": \"s\", \"request\": {}, "
     "\"text\": \"\", \"created\": 1}",
     "'sample' is missing or of another type"},
    {RETORT_STORE_ROWS, 0,
     "{\"key\": \"k\", \"problem_id\": \"p\", \"sample\": 1, \"model\": \"m\", \"source\": \"s\", \"request\": \"no\", "
     "\"text\": \"\", \"created\": 1}",
     "'request' is missing or of another type"},
    {RETORT_STORE_ROWS, 0,
     "{\"key\": \"k\", \"problem_id\": \"p\", \"sample\": 1e3, \"model\": \"m\", \"source\": \"s\", \"request\": {}, "
     "\"text\": \"\", \"created\": 1}",
     "'sample' is missing or of another type"},
    {RETORT_STORE_ROWS, 1, "{\"id\": \"a\", \"sha256\": \"00\", \"problem\": \"p\", \"created\": 1}",
     "'sha256' is not the hash"},
    {RETORT_STORE_ROWS, 2, "{\"sha256\": \"00\", \"problem_id\": \"p\", \"text\": \"[]\", \"created\": 1}",
     "'sha256' is not the hash"},
    {RETORT_STORE_ROWS, 7, "{\"sha256\": \"00\", \"kind\": \"eval\", \"json\": \"{}\", \"created\": 1}",
     "'sha256' is not the hash"},
    {RETORT_STORE_ROWS, 5, "{\"response_key\": \"k\", \"spans\": {}}", "'judge' is missing"},
    {RETORT_STORE_ROWS, 6, "{\"run\": \"r\", \"name\": \"n\", \"method\": \"\", \"value\": \"1\", \"created\": 1}",
     "'value' is missing or of another type"},
    {RETORT_STORE_TRL, 0, "{\"messages\": []}", "has neither"},
    {RETORT_STORE_TRL, 0, "{\"messages\": \"hello\"}", "has neither"},
    {RETORT_STORE_TRL, 0, "{\"messages\": [{\"role\": \"user\", \"content\": [1]}]}", "has neither"},
    {RETORT_STORE_TRL, 0, "{\"messages\": [{\"role\": \"user\", \"content\": \"q\"}], \"model\": \"m\"}",
     "not the assistant's"},
    {RETORT_STORE_TRL, 0, "{\"prompt\": \"q\", \"chosen\": \"a\", \"rejected\": \"b\"}", "has neither"},
    {RETORT_STORE_TRL, 0, "{\"prompt\": \"q\", \"completion\": \"a\", \"model\": \"m\", \"key\": \"../../etc\"}",
     "the key is no SHA-256"},
    {RETORT_STORE_LIGHTEVAL, 0, "{\"doc\": {}, \"model_response\": {\"text\": []}}", "no details of lighteval"},
    {RETORT_STORE_LIGHTEVAL, 0, "{\"predictions\": [\"a\"], \"full_prompt\": \"q\"}", "no details of lighteval"},
    {RETORT_STORE_LIGHTEVAL, 0,
     "{\"doc\": {\"query\": \"q\", \"specific\": {\"model\": \"m\"}}, \"model_response\": {\"text\": [3]}}",
     "what is no text"},
    {RETORT_STORE_LIGHTEVAL, 0,
     "{\"doc\": {\"query\": \"q\", \"specific\": {\"model\": \"m\", \"keys\": [\"k\"]}}, \"model_response\": "
     "{\"text\": "
     "[\"a\"], \"output_tokens\": {\"a\": 1}}}",
     "the key is no SHA-256"},
    {RETORT_STORE_OPENAI_RESULTS, 0, "{}", "no 'custom_id'"},
    {RETORT_STORE_OPENAI_RESULTS, 0, "{\"custom_id\": \"z\"}", "no request has the custom_id"},
    {RETORT_STORE_OPENAI_RESULTS, 0, "{\"custom_id\": \"a\", \"error\": {\"message\": \"x\"}}",
     "a request that failed"},
    {RETORT_STORE_OPENAI_RESULTS, 0, "{\"custom_id\": \"a\", \"response\": {\"status_code\": 500, \"body\": {}}}",
     "a request that failed"},
    {RETORT_STORE_OPENAI_RESULTS, 0, "{\"custom_id\": \"a\", \"response\": {\"body\": {\"choices\": []}}}",
     "choices[0].message"},
};

/* A good line and then a bad one: nothing is taken. */
static void test_hostile_files(void **state) {
    (void)state;
    static const char *const GOOD[] = {
        "{\"prompt\": \"q\", \"completion\": \"a\", \"model\": \"m\"}",
        "{\"doc\": {\"query\": \"q\", \"specific\": {\"model\": \"m\"}}, \"model_response\": {\"text\": [\"a\"]}}", "",
        "{\"custom_id\": \"a\", \"response\": {\"body\": {\"choices\": [{\"message\": {\"content\": \"x\"}}]}}}"};
    char in[300], text[2000];
    snprintf(in, sizeof in, "%s/in.jsonl", dir);
    write_text(dir, "requests.jsonl",
               "{\"custom_id\": \"a\", \"body\": {\"messages\": [{\"role\": \"user\", \"content\": \"q\"}], \"model\": "
               "\"m\"}}\n");
    json_decref(call(path, RETORT_STORE_ROWS, 0, "/dev/null", NULL, RETORT_OK, NULL));
    for (size_t i = 0; i < sizeof HOSTILE / sizeof HOSTILE[0]; i++) {
        const int format = HOSTILE[i].format;
        snprintf(text, sizeof text, "%s\n%s\n", format == RETORT_STORE_ROWS ? "" : GOOD[format - 1], HOSTILE[i].line);
        write_text(dir, "in.jsonl", text);
        assert_null(call(path, format, HOSTILE[i].table, in, NULL, RETORT_ERR_FORMAT, HOSTILE[i].message));
        json_t *report = call(path, RETORT_STORE_ROWS, 0, NULL, NULL, RETORT_OK, NULL);
        const char *name;
        json_t *rows;
        json_object_foreach(json_object_get(report, "rows"), name, rows) {
            if (json_integer_value(rows) != 0) fail_msg("case %zu left rows in %s", i, name);
        }
        json_decref(report);
    }
    /* Requests that cannot be. */
    static const char TWICE[] = "{\"custom_id\": \"a\", \"body\": {\"prompt\": \"\"}}\n"
                                "{\"custom_id\": \"a\", \"body\": {\"prompt\": \"\"}}\n";
    static const char *const REQUESTS[] = {"{\"custom_id\": \"a\"}\n", "{\"custom_id\": \"a\", \"body\": {}}\n", TWICE};
    for (size_t i = 0; i < 3; i++) {
        write_text(dir, "requests.jsonl", REQUESTS[i]);
        assert_null(call(path, RETORT_STORE_OPENAI_RESULTS, 0, in, NULL, RETORT_ERR_FORMAT, "requests.jsonl' line"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trips, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_openai, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lists, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_foreign_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hostile_files, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
