/* Examples through chat templates: the tokens of transformers, the marks of TRL (golden/generate_chat.py), and a
 * sentence for every example that would teach something else than it says. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/dataset.h"

static json_t *golden;

static int set_up(void **state) {
    char path[1024];
    if (fixture_create(state) != 0) return -1;
    snprintf(path, sizeof path, "%s/chat.json", getenv("RETORT_TEST_GOLDEN"));
    assert_ok(rt_json_load(path, &golden, &fixture_error));
    return 0;
}

static int tear_down(void **state) {
    json_decref(golden);
    return fixture_remove(state);
}

/* A folder that holds a tokenizer and a chat template. */
typedef struct asked {
    rt_tokenizer *tokenizer;
    rt_prompting prompting;
} asked;

static void make_folder(const char *tokenizer, const char *template_text) {
    assert_ok(rt_make_dirs(fixture_path("chat"), &fixture_error));
    const json_t *body = json_object_get(json_object_get(golden, "tokenizers"), tokenizer);
    assert_ok(rt_json_save(fixture_path("chat/tokenizer.json"), body, &fixture_error));
    fixture_write("chat/tokenizer_config.json", "{\"bos_token\": \"<bos>\", \"eos_token\": \"<eot>\"}");
    fixture_write("chat/chat_template.jinja", template_text);
}

static void ask(asked *a, const char *tokenizer, const char *template_text, const rt_prompting_settings *settings) {
    make_folder(tokenizer, template_text);
    assert_ok(rt_tokenizer_load(fixture_path("chat"), &a->tokenizer, &fixture_error));
    assert_ok(rt_prompting_load(fixture_path("chat"), a->tokenizer, settings, &a->prompting, &fixture_error));
}

static void release(asked *a) {
    rt_prompting_release(&a->prompting);
    rt_tokenizer_destroy(a->tokenizer);
}

static const char *known_template(const char *name) {
    return json_string_value(json_object_get(json_object_get(golden, "templates"), name));
}

/* ---- against transformers ---- */

static void same_case(const json_t *one) {
    asked a;
    rt_examples out = {0};
    const char *name = json_string_value(json_object_get(one, "template"));
    ask(&a, json_string_value(json_object_get(one, "tokenizer")), known_template(name), NULL);
    const rt_example_settings settings = {.tokenizer = a.tokenizer,
                                          .prompting = &a.prompting,
                                          .assistant_only = json_is_true(json_object_get(one, "assistant_only")),
                                          .whole = json_is_true(json_object_get(one, "whole"))};
    assert_ok(rt_example_make(&settings, json_object_get(one, "example"), &out, &fixture_error));
    const json_t *ids = json_object_get(one, "ids"), *labels = json_object_get(one, "labels");
    assert_int_equal(out.ids.count, json_array_size(ids));
    for (int64_t i = 0; i < out.ids.count; i++) {
        assert_int_equal(out.ids.data[i], json_integer_value(json_array_get(ids, (size_t)i)));
        bool learn = json_integer_value(json_array_get(labels, (size_t)i)) != -100;
        if ((out.supervised[i] != 0) != learn) fail_msg("%s: mark of token %lld", name, (long long)i);
    }
    rt_examples_free(&out);
    release(&a);
}

static void test_golden(void **state) {
    (void)state;
    const json_t *cases = json_object_get(golden, "cases");
    assert_true(json_array_size(cases) > 15);
    for (size_t i = 0; i < json_array_size(cases); i++) same_case(json_array_get(cases, i));
}

/* ---- prompts ---- */

static void decoded(const asked *a, const rt_ids *ids, const char *want) {
    rt_buffer text = {0};
    assert_ok(rt_tokenizer_decode(a->tokenizer, ids->data, ids->count, false, &text, &fixture_error));
    assert_string_equal(text.data, want);
    rt_buffer_free(&text);
}

static void test_prompts(void **state) {
    (void)state;
    asked a;
    rt_ids ids = {0};
    const rt_prompting_settings settings = {"Be brief.", "Solve {problem} now."};
    ask(&a, "bytes", known_template("chatml"), &settings);
    assert_ok(rt_prompting_problem(&a.prompting, "1 + 2", &ids, &fixture_error));
    decoded(&a, &ids, "<sot>system\nBe brief.<eot>\n<sot>user\nSolve 1 + 2 now.<eot>\n<sot>assistant\n");
    /* The file's own system turn counts, and an instruction is for problems. */
    json_t *messages =
        json_pack("[{s:s, s:s}, {s:s, s:s}]", "role", "system", "content", "Be long.", "role", "user", "content", "Hi");
    ids.count = 0;
    assert_ok(rt_prompting_messages(&a.prompting, messages, &ids, &fixture_error));
    decoded(&a, &ids, "<sot>system\nBe long.<eot>\n<sot>user\nHi<eot>\n<sot>assistant\n");
    json_array_append_new(messages, json_pack("{s:s, s:s}", "role", "assistant", "content", "Yes"));
    assert_int_equal(rt_prompting_messages(&a.prompting, messages, &ids, &fixture_error), RETORT_ERR_FORMAT);
    json_decref(messages);
    rt_ids_free(&ids);
    release(&a);
}

static void test_settings(void **state) {
    (void)state;
    asked a = {0};
    make_folder("bytes", known_template("chatml"));
    assert_ok(rt_tokenizer_load(fixture_path("chat"), &a.tokenizer, &fixture_error));
    static const rt_prompting_settings BAD[] = {{NULL, "no mark"}, {NULL, "{problem} and {problem}"}};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        assert_int_equal(rt_prompting_load(fixture_path("chat"), a.tokenizer, &BAD[i], &a.prompting, &fixture_error),
                         RETORT_ERR_USAGE);
        assert_non_null(strstr(fixture_error.message, "{problem}"));
    }
    /* A model with a template of its own has no place for a system turn. */
    fixture_base();
    rt_tokenizer_destroy(a.tokenizer);
    assert_ok(rt_tokenizer_load(fixture_path("base"), &a.tokenizer, &fixture_error));
    const rt_prompting_settings system = {"Be brief.", NULL};
    assert_int_equal(rt_prompting_load(fixture_path("base"), a.tokenizer, &system, &a.prompting, &fixture_error),
                     RETORT_ERR_USAGE);
    rt_tokenizer_destroy(a.tokenizer);
}

static void test_no_template(void **state) {
    (void)state;
    asked a = {0};
    rt_ids ids = {0};
    make_folder("bytes", "unused");
    assert_ok(rt_remove_tree(fixture_path("chat/chat_template.jinja"), &fixture_error));
    assert_ok(rt_tokenizer_load(fixture_path("chat"), &a.tokenizer, &fixture_error));
    assert_ok(rt_prompting_load(fixture_path("chat"), a.tokenizer, NULL, &a.prompting, &fixture_error));
    assert_int_equal(rt_prompting_problem(&a.prompting, "1 + 2", &ids, &fixture_error), RETORT_ERR_NOT_FOUND);
    assert_non_null(strstr(fixture_error.message, "chat template"));
    assert_ok(rt_prompting_text(&a.prompting, "<bos>1 + 2", 10, &ids, &fixture_error));
    decoded(&a, &ids, "<bos>1 + 2");
    ids.count = 0;
    assert_int_equal(rt_prompting_text(&a.prompting, "<bos><bos>1", 11, &ids, &fixture_error), RETORT_ERR_FORMAT);
    assert_non_null(strstr(fixture_error.message, "twice"));
    rt_ids_free(&ids);
    release(&a);
}

/* ---- what is refused ---- */

#define CHATML                                                                                                         \
    "{% for m in messages %}<sot>{{ m.role }}\n{{ m.content }}<eot>\n{% endfor %}"                                     \
    "{% if add_generation_prompt %}<sot>assistant\n{% endif %}"
#define TWO_BOS "{{ bos_token }}{{ bos_token }}" CHATML
#define NO_END                                                                                                         \
    "{% for m in messages %}<sot>{{ m.role }}\n{{ m.content }}\n{% endfor %}"                                          \
    "{% if add_generation_prompt %}<sot>assistant\n{% endif %}"
/* Cuts thoughts out of every answer (DeepSeek-R1), or of all but the last (Qwen3). */
#define DROPS                                                                                                          \
    "{% for m in messages %}<sot>{{ m.role }}\n{{ m.content.split('</think>')[-1] }}<eot>\n{% endfor %}"               \
    "{% if add_generation_prompt %}<sot>assistant\n<think>\n{% endif %}"
#define DROPS_EARLIER                                                                                                  \
    "{% for m in messages %}<sot>{{ m.role }}\n{{ m.content if loop.last else m.content.split('</think>')[-1] }}"      \
    "<eot>\n{% endfor %}{% if add_generation_prompt %}<sot>assistant\n{% endif %}"
#define FIELD                                                                                                          \
    "{% for m in messages %}<sot>{{ m.role }}\n{{ m.content }}<eot>\n{% endfor %}"                                     \
    "{% if add_generation_prompt %}<sot>assistant\n{% endif %}"
#define OTHER_PROMPT                                                                                                   \
    "{% for m in messages %}<sot>{{ m.role }}\n{{ m.content }}<eot>\n{% endfor %}"                                     \
    "{% if add_generation_prompt %}<sot>assistant\n<think>\n{% endif %}"

#define USER         "{\"role\": \"user\", \"content\": \"1 + 2\"}"
#define ANSWER(text) "{\"role\": \"assistant\", \"content\": \"" text "\"}"
#define THOUGHT      "<think>maybe\\n</think>3"

static retort_status make(const char *template_text, const char *example, bool assistant_only, rt_examples *out,
                          char *text, size_t size) {
    asked a;
    json_t *object = NULL;
    ask(&a, "bytes", template_text, NULL);
    assert_ok(rt_json_parse(example, strlen(example), "example", &object, &fixture_error));
    const rt_example_settings settings = {
        .tokenizer = a.tokenizer, .prompting = &a.prompting, .assistant_only = assistant_only};
    retort_status st = rt_example_make(&settings, object, out, &fixture_error);
    json_decref(object);
    rt_buffer learnt = {0};
    for (int64_t i = 0; st == RETORT_OK && i < out->ids.count; i++) {
        if (out->supervised[i] == 0) continue;
        assert_ok(rt_tokenizer_decode(a.tokenizer, out->ids.data + i, 1, false, &learnt, &fixture_error));
    }
    snprintf(text, size, "%.*s", (int)learnt.length, learnt.data != NULL ? learnt.data : "");
    rt_buffer_free(&learnt);
    release(&a);
    return st;
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *template_text, *example;
        bool assistant_only;
        const char *says;
    } cases[] = {
        {TWO_BOS, "{\"messages\": [" USER ", " ANSWER("3") "]}", false, "twice"},
        {NO_END, "{\"messages\": [" USER ", " ANSWER("3") "]}", false, "without a token at which generation stops"},
        {NO_END, "{\"prompt\": [" USER "], \"completion\": \"3\"}", false, "no token at which generation stops"},
        {DROPS, "{\"messages\": [" USER ", " ANSWER(THOUGHT) "]}", false, "drops the reasoning of message 2"},
        {DROPS_EARLIER, "{\"messages\": [" USER ", " ANSWER(THOUGHT) ", " USER ", " ANSWER(THOUGHT "4") "]}", true,
         "drops the reasoning of message 2"},
        {FIELD,
         "{\"messages\": [" USER ", {\"role\": \"assistant\", \"content\": \"3\", \"reasoning_content\": \"maybe\"}]}",
         false, "drops the reasoning of message 2"},
        {OTHER_PROMPT, "{\"messages\": [" USER ", " ANSWER("3") "]}", false, "asks for message 2 with '<think> '"},
        {OTHER_PROMPT, "{\"prompt\": [" USER "], \"completion\": \"<think>maybe\"}", false, "leave it out"},
        {CHATML, "{\"messages\": [" USER ", " ANSWER("3<eot>4") "]}", false, "goes on behind a token that ends it"},
        {CHATML, "{\"messages\": [" USER "]}", false, "last message must be an assistant's"},
        {CHATML, "{\"messages\": []}", false, "no messages"},
        {CHATML, "{\"messages\": [3]}", false, "'role'"},
        {CHATML, "{\"messages\": \"hello\"}", false, "not a list"},
        {CHATML, "{\"prompt\": [" USER "], \"completion\": \"\"}", false, "empty"},
        {CHATML, "{\"prompt\": [" USER "], \"completion\": 3}", false, "must be a text or a list"},
        {CHATML, "{\"prompt\": \"1\", \"completion\": [" ANSWER("3") "]}", false, "texts or lists"},
        {CHATML, "{\"problem\": \"1\", \"response\": \"\"}", false, "empty"},
        {"{% for m in messages %}<sot>{% endfor %}{{ raise_exception('never') }}",
         "{\"messages\": [" USER ", " ANSWER("3") "]}", false, "never"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rt_examples out = {0};
        char text[256];
        retort_status st =
            make(cases[i].template_text, cases[i].example, cases[i].assistant_only, &out, text, sizeof text);
        if (st == RETORT_OK) fail_msg("case %zu was taken: %s", i, text);
        assert_int_equal(retort_exit_code(st), 2);
        if (strstr(fixture_error.message, cases[i].says) == NULL) {
            fail_msg("case %zu says: %s", i, fixture_error.message);
        }
        rt_examples_free(&out);
    }
}

static void test_taken(void **state) {
    (void)state;
    static const struct {
        const char *template_text, *example;
        bool assistant_only;
        const char *learnt;
    } cases[] = {
        /* The thoughts of an earlier answer may go where only the last one is trained on. */
        {DROPS_EARLIER, "{\"messages\": [" USER ", " ANSWER(THOUGHT) ", " USER ", " ANSWER(THOUGHT) "]}", false,
         "<think>maybe\n</think>3<eot>"},
        {CHATML, "{\"messages\": [" USER ", " ANSWER("3") ", " USER ", " ANSWER("4") "]}", true, "3<eot>4<eot>"},
        /* A text behind the generation prompt, for what the template would cut out. */
        {DROPS, "{\"prompt\": [" USER "], \"completion\": \"maybe\\n</think>3\"}", false, "maybe\n</think>3<eot>"},
        {DROPS, "{\"prompt\": [" USER "], \"completion\": \"maybe\\n</think>3<eot>\"}", false, "maybe\n</think>3<eot>"},
        {CHATML, "{\"prompt\": \"1 + 2 =\", \"completion\": \" 3\"}", false, " 3<eot>"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rt_examples out = {0};
        char text[256];
        assert_ok(make(cases[i].template_text, cases[i].example, cases[i].assistant_only, &out, text, sizeof text));
        assert_string_equal(text, cases[i].learnt);
        rt_examples_free(&out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),      cmocka_unit_test(test_prompts), cmocka_unit_test(test_settings),
        cmocka_unit_test(test_no_template), cmocka_unit_test(test_refused), cmocka_unit_test(test_taken),
    };
    return cmocka_run_group_tests_name("example", tests, set_up, tear_down);
}
