/* retort_sample(): what it writes, that batch and threads change no byte, and that bad input is refused by name. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/json.h"
#include "core/progress.h"
#include "retort/sample.h"

static const char PROMPTS[] =
    "{\"id\": \"a\", \"problem\": \"3 and 5 to 15\", \"world\": {\"family\": \"countdown\", \"numbers\": [3, 5], "
    "\"target\": 15}}\n"
    "\n"
    "{\"id\": 7, \"problem\": \"2 + 2\", \"answer\": \"4\"}\n"
    "{\"problem\": \"no id \\u00e9\", \"more\": [1]}\n";

static char *dir;
static rt_tokenizer *tokenizer;
static char prompts_path[4200], output_path[4200];

static int set_up(void **state) {
    (void)state;
    retort_error err;
    dir = make_dir();
    write_tokenizer(dir);
    assert_ok(rt_tokenizer_load(dir, &tokenizer, &err));
    rt_model model = make_model(tokenizer, 3, 96, 1);
    assert_ok(rt_model_save(&model, dir, RT_DTYPE_F32, &err));
    rt_model_release(&model);
    snprintf(prompts_path, sizeof prompts_path, "%s/prompts.jsonl", dir);
    snprintf(output_path, sizeof output_path, "%s/out.jsonl", dir);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    rt_tokenizer_destroy(tokenizer);
    drop_dir(dir);
    return 0;
}

static retort_status set_options(retort_sample_options *options, const char *const *extra, retort_error *err) {
    const retort_option *table = retort_sample_option_table;
    retort_status st = retort_options_defaults(table, options, err);
    if (st == RETORT_OK) st = retort_options_set(table, options, "model", dir, err);
    if (st == RETORT_OK) st = retort_options_set(table, options, "prompts", prompts_path, err);
    if (st == RETORT_OK) st = retort_options_set(table, options, "output", output_path, err);
    if (st == RETORT_OK) st = retort_options_set(table, options, "max-new-tokens", "24", err);
    if (st == RETORT_OK) st = retort_options_set(table, options, "threads", "1", err);
    for (; st == RETORT_OK && extra != NULL && *extra != NULL; extra += 2) {
        st = retort_options_set(table, options, extra[0], extra[1], err);
    }
    return st == RETORT_OK ? retort_options_check(table, options, err) : st;
}

static retort_status run(const char *prompts, const char *const *extra, rt_buffer *out, retort_error *err) {
    write_text(dir, "prompts.jsonl", prompts);
    retort_error ignored;
    assert_int_equal(rt_remove_tree(output_path, &ignored), RETORT_OK);
    retort_sample_options options;
    retort_status st = set_options(&options, extra, err);
    if (st == RETORT_OK) st = retort_sample(&options, NULL, err);
    retort_options_release(retort_sample_option_table, &options);
    if (st == RETORT_OK && out != NULL) st = rt_file_read(output_path, out, err);
    return st;
}

#define EXTRA(...)                                                                                                     \
    (const char *const[]) {                                                                                            \
        __VA_ARGS__, NULL                                                                                              \
    }

static void check_line(const json_t *line, int64_t index, int64_t n) {
    static const char *const KEYS[] = {"problem_id", "sample", "token_ids", "logprobs", "text", "finish_reason"};
    retort_error err;
    void *at = json_object_iter((json_t *)(uintptr_t)line);
    for (size_t k = 0; k < 6; k++) {
        assert_string_equal(json_object_iter_key(at), KEYS[k]);
        at = json_object_iter_next((json_t *)(uintptr_t)line, at);
    }
    const json_t *id = json_object_get(line, "problem_id"), *ids = json_object_get(line, "token_ids");
    const json_t *logprobs = json_object_get(line, "logprobs"), *verdict = json_object_get(line, "verdict");
    if (index / n == 0) assert_string_equal(json_string_value(id), "a");
    if (index / n == 1) assert_int_equal(json_integer_value(id), 7);
    if (index / n == 2) assert_string_equal(json_string_value(id), "4"); /* its line */
    assert_true((verdict != NULL) == (index / n < 2));
    assert_int_equal(json_integer_value(json_object_get(line, "sample")), index % n);
    size_t count = json_array_size(ids);
    assert_true(count > 0 && count <= 24 && json_array_size(logprobs) == count);
    rt_buffer text = {0};
    for (size_t i = 0; i < count; i++) {
        int32_t token = (int32_t)json_integer_value(json_array_get(ids, i));
        assert_ok(rt_tokenizer_decode(tokenizer, &token, 1, true, &text, &err));
        double logp = json_number_value(json_array_get(logprobs, i));
        assert_true(logp <= 0 && logp > -100);
    }
    bool stop = json_integer_value(json_array_get(ids, count - 1)) == rt_tokenizer_eos(tokenizer);
    assert_string_equal(json_string_value(json_object_get(line, "finish_reason")), stop ? "stop" : "length");
    json_t *expected = rt_json_text(text.length > 0 ? text.data : "", text.length);
    assert_true(json_equal(expected, json_object_get(line, "text")));
    json_decref(expected);
    rt_buffer_free(&text);
}

static void test_lines(void **state) {
    (void)state;
    retort_error err;
    rt_buffer out = {0};
    assert_ok(run(PROMPTS, EXTRA("n", "5"), &out, &err));
    int64_t index = 0;
    for (char *line = out.data; *line != '\0'; index++) {
        char *end = strchr(line, '\n');
        json_t *object = NULL;
        assert_ok(rt_json_parse(line, (size_t)(end - line), "line", &object, &err));
        check_line(object, index, 5);
        json_decref(object);
        line = end + 1;
    }
    assert_int_equal(index, 15);
    rt_buffer_free(&out);
}

static void test_same_bytes(void **state) {
    (void)state;
    retort_error err;
    rt_buffer first = {0};
    assert_ok(run(PROMPTS, EXTRA("n", "4", "batch", "1"), &first, &err));
    static const char *const WAYS[][2] = {{"3", "1"}, {"64", "2"}, {"7", "3"}};
    for (int k = 0; k < 3; k++) {
        rt_buffer again = {0};
        assert_ok(run(PROMPTS, EXTRA("n", "4", "batch", WAYS[k][0], "threads", WAYS[k][1]), &again, &err));
        assert_string_equal(first.data, again.data);
        rt_buffer_free(&again);
    }
    rt_buffer_free(&first);
}

/* A problem, the message it is wrapped in and the prompt it becomes are the same prompt. */
static void test_prompt_forms(void **state) {
    (void)state;
    static const char *const FORMS[] = {
        "{\"id\": \"x\", \"problem\": \"a {problem}\"}\n", "{\"id\": \"x\", \"question\": \"a {problem}\"}\n",
        "{\"id\": \"x\", \"messages\": [{\"role\": \"user\", \"content\": \"a {problem}\"}]}\n",
        "{\"id\": \"x\", \"prompt\": [{\"role\": \"user\", \"content\": \"a {problem}\"}]}\n",
        "{\"id\": \"x\", \"prompt\": \"Problem: a {problem}\\nAnswer:\", \"problem\": \"p\"}"};
    retort_error err;
    rt_buffer first = {0};
    assert_ok(run(FORMS[0], EXTRA("n", "3"), &first, &err));
    for (int k = 1; k < 5; k++) {
        rt_buffer again = {0};
        assert_ok(run(FORMS[k], EXTRA("n", "3"), &again, &err));
        assert_string_equal(first.data, again.data);
        rt_buffer_free(&again);
    }
    rt_buffer_free(&first);
}

/* Printed log-probabilities read back to the sampler's floats. */
static void test_logprobs_round_trip(void **state) {
    (void)state;
    retort_error err;
    rt_buffer out = {0};
    assert_ok(run("{\"id\": \"x\", \"prompt\": \"12 + 3\"}", EXTRA("ignore_eos", "true"), &out, &err));
    json_t *line = NULL;
    assert_ok(rt_json_parse(out.data, out.length, "line", &line, &err));
    rt_ids ids = {0};
    assert_ok(rt_tokenizer_encode(tokenizer, "12 + 3", 6, true, &ids, &err));
    int64_t prompt = ids.count;
    int32_t target[96];
    for (size_t i = 0; i < 24; i++) {
        int32_t id = (int32_t)json_integer_value(json_array_get(json_object_get(line, "token_ids"), i));
        target[ids.count - 1] = id;
        assert_ok(rt_ids_push(&ids, id, &err));
    }
    for (int64_t i = 0; i + 1 < prompt; i++) target[i] = -1;
    rt_model model = {0};
    rt_workspace *ws = NULL;
    assert_ok(rt_model_load(dir, &model, &err));
    assert_ok(rt_workspace_create(&model.config, &(rt_workspace_shape){.max_tokens = 96}, &ws, &err));
    int32_t doc_start[2] = {0, (int32_t)ids.count - 1};
    rt_batch batch = {ids.count - 1, ids.data, target, 1, doc_start};
    float logp[96];
    rt_objective objective = {.inv_temperature = 1, .logp = logp};
    assert_ok(rt_model_run(&model, ws, &batch, &objective, NULL, &err));
    for (size_t i = 0; i < 24; i++) {
        float read = (float)json_number_value(json_array_get(json_object_get(line, "logprobs"), i));
        assert_memory_equal(&read, &logp[(size_t)prompt - 1 + i], sizeof read);
    }
    rt_workspace_destroy(ws);
    rt_model_release(&model);
    rt_ids_free(&ids);
    json_decref(line);
    rt_buffer_free(&out);
}

static void test_settings(void **state) {
    (void)state;
    retort_error err;
    rt_buffer out = {0};
    write_text(dir, "words.txt", "wait\nso\nbut\n");
    char words[4300];
    snprintf(words, sizeof words, "anthropomorphic,%s/words.txt", dir);
    assert_ok(run(PROMPTS,
                  EXTRA("stop", "\\n,zq", "stop_ids", "300,301", "banned_ids", "5,6", "ban_list", words, "top_k", "50",
                        "top_p", "0.9", "min_p", "0.01", "temperature", "0.7"),
                  &out, &err));
    assert_true(out.length > 0);
    assert_null(strstr(out.data, "[5,"));
    rt_buffer_free(&out);
    assert_ok(run(PROMPTS, EXTRA("temperature", "0", "n", "2"), &out, &err));
    rt_buffer_free(&out);
}

typedef struct bad_input {
    const char *prompts;
    retort_status status;
    const char *message;
    const char *option, *value;
} bad_input;

static const bad_input BAD[] = {
    {"", RETORT_ERR_FORMAT, "holds no prompt", NULL, NULL},
    {"{\"id\": \"a\", \"problem\": \"x\"}\n\n{nonsense}\n", RETORT_ERR_FORMAT, "line 3 is not valid JSON", NULL, NULL},
    {"{\"id\": \"a\", \"problem\": \"x\"}\n[1]\n", RETORT_ERR_FORMAT, "line 2 is not a JSON object", NULL, NULL},
    {"{\"id\": \"a\"}", RETORT_ERR_FORMAT, "line 1: there is no 'problem'", NULL, NULL},
    {"{\"id\": \"a\", \"problem\": 5}", RETORT_ERR_FORMAT, "line 1: 'problem' is not a text", NULL, NULL},
    {"{\"id\": \"a\", \"problem\": \"a\\u0000b\"}", RETORT_ERR_FORMAT, "line 1: 'problem' is not a text", NULL, NULL},
    {"{\"id\": \"a\", \"prompt\": 5}", RETORT_ERR_FORMAT, "line 1: 'prompt' is neither", NULL, NULL},
    {"{\"id\": \"a\", \"prompt\": \"\"}", RETORT_ERR_FORMAT, "line 1: the prompt is empty", NULL, NULL},
    {"{\"id\": [], \"prompt\": \"x\"}", RETORT_ERR_FORMAT, "line 1: 'id' is neither", NULL, NULL},
    {"{\"id\": \"a\", \"messages\": []}", RETORT_ERR_UNSUPPORTED, "line 1: only a single message", NULL, NULL},
    {"{\"id\": \"a\", \"messages\": {}}", RETORT_ERR_FORMAT, "line 1: 'messages' is not a list", NULL, NULL},
    {"{\"id\": \"a\", \"messages\": [{\"role\": \"system\", \"content\": \"x\"}]}", RETORT_ERR_UNSUPPORTED,
     "line 1: only a single message", NULL, NULL},
    {"{\"id\": \"a\", \"messages\": [{\"role\": \"user\", \"content\": 1}]}", RETORT_ERR_FORMAT, "'content' is not",
     NULL, NULL},
    {"{\"id\": \"a\", \"problem\": \"x\"}\n{\"id\": \"a\", \"problem\": \"y\"}", RETORT_ERR_FORMAT,
     "line 2 has the same id as line 1", NULL, NULL},
    /* Letters that no corpus of ours holds: a token a byte, whatever the tokenizer has learnt. */
    {"{\"id\": \"a\", \"problem\": \"x\"}\n{\"id\": \"b\", \"problem\": "
     "\"\\u4e16\\u754c\\u4e16\\u754c\\u4e16\\u754c\\u4e16\\u754c\\u4e16\\u754c\\u4e16\\u754c\\u4e16\\u754c\\u4e16\\u754"
     "c\\u4e16\\u754c\\u4e16\\u754c\\u4e16\\u754c\\u4e16\\u754c\\u4e16\\u754c\\u4e16\\u754c\\u4e16\\u754c\\u4e16\\u754c"
     "\\u4e16\\u754c\\u4e16\\u754c\\u4e16\\u754c\\u4e16\\u754c\"}",
     RETORT_ERR_USAGE, "line 2: the prompt has ", "max_new_tokens", "64"},
    {PROMPTS, RETORT_ERR_USAGE, "context of 96", "max_new_tokens", "90"},
    {PROMPTS, RETORT_ERR_USAGE, "'n'", "n", "0"},
    {PROMPTS, RETORT_ERR_USAGE, "top_p", "top_p", "0"},
    {PROMPTS, RETORT_ERR_USAGE, "temperature", "temperature", "0.00001"},
    {PROMPTS, RETORT_ERR_USAGE, "'stop_ids' has 'x'", "stop_ids", "5,x"},
    {PROMPTS, RETORT_ERR_USAGE, "'stop_ids' has '99999'", "stop_ids", "99999"},
    {PROMPTS, RETORT_ERR_USAGE, "'banned_ids' has '-1'", "banned_ids", "-1"},
    {PROMPTS, RETORT_ERR_USAGE, "'antropomorphic'", "ban_list", "antropomorphic"},
    {PROMPTS, RETORT_ERR_NOT_FOUND, "/nonexistent", "model", "/nonexistent"},
    {PROMPTS, RETORT_ERR_NOT_FOUND, "/nonexistent", "prompts", "/nonexistent"},
    {PROMPTS, RETORT_ERR_IO, "/nonexistent/out", "output", "/nonexistent/out"},
};

static bool exists(const char *suffix) {
    char path[4300];
    snprintf(path, sizeof path, "%s%s", output_path, suffix);
    return rt_path_exists(path);
}

static void test_bad_input(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        retort_error err = {0};
        const char *const extra[] = {BAD[i].option, BAD[i].value, NULL};
        retort_status st = run(BAD[i].prompts, extra, NULL, &err);
        if (st != BAD[i].status || strstr(err.message, BAD[i].message) == NULL) {
            fail_msg("case %zu: %s '%s'", i, retort_status_name(st), err.message);
        }
        assert_null(strchr(err.message, '\n'));
        assert_false(exists("") || exists(".tmp"));
    }
}

/* A model whose weights are damaged says so and leaves no output. */
static void test_damaged_model(void **state) {
    (void)state;
    retort_error err;
    char *kept = dir;
    dir = make_dir();
    write_tokenizer(dir);
    rt_model model = make_model(tokenizer, 3, 96, 1);
    model.params.norm[0] = NAN;
    retort_status st = rt_model_save(&model, dir, RT_DTYPE_F32, &err);
    if (st == RETORT_OK) st = run(PROMPTS, NULL, NULL, &err);
    assert_int_not_equal(st, RETORT_OK);
    assert_false(exists("") || exists(".tmp"));
    rt_model_release(&model);
    drop_dir(dir);
    dir = kept;
}

static void interrupt_soon(void *context, const char *stage, double done, double total, const char *unit,
                           const char *message) {
    (void)context, (void)stage, (void)total, (void)unit, (void)message;
    if (done >= 1) retort_interrupt();
}

static void test_interrupt(void **state) {
    (void)state;
    retort_error err;
    retort_sample_options options;
    write_text(dir, "prompts.jsonl", PROMPTS);
    assert_ok(rt_remove_tree(output_path, &err));
    assert_ok(set_options(&options, EXTRA("n", "2000", "batch", "4"), &err));
    retort_progress progress = {interrupt_soon, NULL};
    assert_int_equal(retort_sample(&options, &progress, &err), RETORT_ERR_INTERRUPTED);
    retort_interrupt_clear();
    assert_non_null(strstr(err.message, "out.jsonl.tmp"));
    assert_true(!exists("") && exists(".tmp"));
    retort_options_release(retort_sample_option_table, &options);
}

static void test_full_disk(void **state) {
    (void)state;
    retort_error err;
    retort_sample_options options;
    write_text(dir, "prompts.jsonl", PROMPTS);
    assert_ok(set_options(&options, NULL, &err));
    char tmp[4300];
    snprintf(tmp, sizeof tmp, "%s.tmp", output_path);
    (void)remove(tmp);
    assert_int_equal(symlink("/dev/full", tmp), 0);
    assert_int_equal(retort_sample(&options, NULL, &err), RETORT_ERR_IO);
    assert_non_null(strstr(err.message, "No space left"));
    assert_false(exists("") || exists(".tmp"));
    retort_options_release(retort_sample_option_table, &options);
}

static void test_allocation_failures(void **state) {
    (void)state;
    retort_error err;
    write_text(dir, "prompts.jsonl", PROMPTS);
    retort_sample_options options;
    assert_ok(set_options(&options, EXTRA("max_new_tokens", "3", "ban_list", "logical", "stop", "x", "banned_ids", "4"),
                          &err));
    for (int persistent = 0; persistent < 2; persistent++) {
        bool reached = true;
        for (long n = 0; reached; n += 1 + n / 8) {
            rt_fail_alloc(n, persistent != 0);
            retort_status st = retort_sample(&options, NULL, &err);
            reached = rt_alloc_count() > n;
            rt_fail_alloc(-1, false);
            if (st != RETORT_OK && st != RETORT_ERR_MEMORY) fail_msg("%ld: %s", n, err.message);
        }
    }
    retort_options_release(retort_sample_option_table, &options);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),         cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_prompt_forms),  cmocka_unit_test(test_logprobs_round_trip),
        cmocka_unit_test(test_settings),      cmocka_unit_test(test_bad_input),
        cmocka_unit_test(test_damaged_model), cmocka_unit_test(test_interrupt),
        cmocka_unit_test(test_full_disk),     cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
