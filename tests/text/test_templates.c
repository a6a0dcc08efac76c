/* Chat templates against transformers (golden/generate_templates.py), and what is refused. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "text/chat.h"

static rt_chat *parse(const char *text, const json_t *config) {
    retort_error err;
    rt_chat *chat = NULL;
    assert_ok(rt_chat_parse("the template", text, strlen(text), config, &chat, &err));
    return chat;
}

static void check_case(const char *name, const rt_chat *chat, const json_t *conversations, const json_t *c) {
    retort_error err = {0};
    rt_buffer out = {0};
    size_t place = (size_t)json_integer_value(json_object_get(c, "conversation"));
    const json_t *text = json_object_get(c, "text"), *messages = json_array_get(conversations, place);
    retort_status st = rt_chat_render(chat, messages, NULL, json_is_true(json_object_get(c, "prompt")), 0, &out, &err);
    if (text == NULL) {
        if (st != RETORT_ERR_USAGE) fail_msg("%s: conversation %zu is not refused", name, place);
        assert_non_null(strstr(err.message, "the template: line "));
    } else if (st != RETORT_OK) {
        fail_msg("%s: conversation %zu: %s", name, place, err.message);
    } else if (out.length != json_string_length(text) ||
               (out.length > 0 && memcmp(out.data, json_string_value(text), out.length) != 0)) {
        fail_msg("%s: conversation %zu renders '%s' instead of '%s'", name, place, out.length > 0 ? out.data : "",
                 json_string_value(text));
    }
    rt_buffer_free(&out);
}

static void test_golden(void **state) {
    (void)state;
    retort_error err;
    json_t *all = NULL, *one;
    const char *name;
    size_t templates = 0;
    assert_ok(rt_json_load(golden("templates.json"), &all, &err));
    const json_t *conversations = json_object_get(all, "conversations");
    assert_true(json_array_size(conversations) >= 60);
    json_object_foreach(all, name, one) {
        if (one == conversations) continue;
        rt_chat *chat = parse(json_string_value(json_object_get(one, "template")), json_object_get(one, "tokens"));
        const json_t *cases = json_object_get(one, "cases");
        assert_true(json_array_size(cases) > 20);
        for (size_t i = 0; i < json_array_size(cases); i++) {
            check_case(name, chat, conversations, json_array_get(cases, i));
        }
        rt_chat_destroy(chat);
        templates++;
    }
    assert_int_equal(templates, 6);
    json_decref(all);
}

typedef struct refusal {
    const char *text;
    retort_status status;
    const char *message;
} refusal;

static const refusal REFUSALS[] = {
    {"{% include 'x' %}", RETORT_ERR_UNSUPPORTED, "line 1: statement 'include' is not supported"},
    {"a\n\n{% import 'x' as y %}", RETORT_ERR_UNSUPPORTED, "line 3: statement 'import' is not supported"},
    {"{{ 1 }\n}", RETORT_ERR_FORMAT, "line 1:"},
    {"{{ 1", RETORT_ERR_FORMAT, "line 1: a tag is not ended"},
    {"{{ 'a }}", RETORT_ERR_FORMAT, "line 1: a string is not ended"},
    {"{# a", RETORT_ERR_FORMAT, "line 1: a comment is not ended"},
    {"{% if 1 %}\n", RETORT_ERR_FORMAT, "'elif' is missing"},
    {"{% for x in y %}{% endif %}", RETORT_ERR_UNSUPPORTED, "statement 'endif'"},
    {"{% for x y %}", RETORT_ERR_FORMAT, "'y' stands where 'in' is expected"},
    {"{% break %}", RETORT_ERR_FORMAT, "'break' outside a loop"},
    {"{% raw %}", RETORT_ERR_FORMAT, "'raw' is not ended"},
    {"{{ a | }}", RETORT_ERR_FORMAT, "'}}' stands where a name is expected"},
    {"{{ f(*a) }}", RETORT_ERR_UNSUPPORTED, "arguments with '*'"},
    {"{{ $ }}", RETORT_ERR_FORMAT, "character '$'"},
    {"{{ '\\N{DASH}' }}", RETORT_ERR_UNSUPPORTED, "escape '\\N'"},
    {"{{ 99999999999999999999 }}", RETORT_ERR_UNSUPPORTED, "number"},
    {"{{ 1 2 }}", RETORT_ERR_FORMAT, "'2' stands where '}}' is expected"},
    {"\n{{ 1 | pprint }}", RETORT_ERR_UNSUPPORTED, "line 2: filter 'pprint' is not supported"},
    {"{{ 1 is odd_one }}", RETORT_ERR_UNSUPPORTED, "test 'odd_one' is not supported"},
    {"{{ 'a'.encode() }}", RETORT_ERR_UNSUPPORTED, "method 'encode' of 'str' is not supported"},
    {"{{ messages.append(1) }}", RETORT_ERR_UNSUPPORTED, "method 'append' of 'list'"},
    {"{{ ''.__class__.__mro__ }}", RETORT_ERR_USAGE, "'__class__' is undefined"},
    {"{{ lipsum() }}", RETORT_ERR_UNSUPPORTED, "function 'lipsum' is not supported"},
    {"{{ loop.index }}", RETORT_ERR_USAGE, "'loop' is undefined"},
    {"{{ 1 + 'a' }}", RETORT_ERR_USAGE, "'+' between 'int' and 'str'"},
    {"{{ 1 // 0 }}", RETORT_ERR_USAGE, "division by zero"},
    {"{{ 9223372036854775807 + 1 }}", RETORT_ERR_UNSUPPORTED, "64 bits"},
    {"{{ 2 ** 64 }}", RETORT_ERR_UNSUPPORTED, "64 bits"},
    {"{{ 1 < 'a' }}", RETORT_ERR_USAGE, "have no order"},
    {"{% set x.y = 1 %}", RETORT_ERR_USAGE, "'x' is no namespace"},
    {"{% set a, b = [1] %}", RETORT_ERR_USAGE, "1 values cannot be taken apart into 2 names"},
    {"{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", RETORT_ERR_USAGE, "macro 'm'"},
    {"{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", RETORT_ERR_UNSUPPORTED, "nested too deep"},
    {"{{ raise_exception('no ' + 'good') }}", RETORT_ERR_USAGE, "the template refuses these messages: no good"},
    {"{{ range(100001) }}", RETORT_ERR_UNSUPPORTED, "a range"},
    {"{% for i in range(10000) %}{{ 'xxxxxxxxxx' * 1000 }}{% endfor %}", RETORT_ERR_UNSUPPORTED,
     "writes more than 64 MiB"},
    {"{{ 'x' * 999999999999 }}", RETORT_ERR_UNSUPPORTED, "more than 512 MiB of memory"},
    {"{% set ns = namespace(a='aaaaaaaa') %}{% for i in range(60) %}{% set ns.a = ns.a + ns.a %}{% endfor %}",
     RETORT_ERR_UNSUPPORTED, "more than 512 MiB of memory"},
};

static void test_refusals(void **state) {
    (void)state;
    json_t *messages = json_pack("[{s:s, s:s}]", "role", "user", "content", "x");
    for (size_t i = 0; i < sizeof REFUSALS / sizeof *REFUSALS; i++) {
        const refusal *r = &REFUSALS[i];
        retort_error err = {0};
        rt_chat *chat = NULL;
        rt_buffer out = {0};
        retort_status st = rt_chat_parse("the template", r->text, strlen(r->text), NULL, &chat, &err);
        if (st == RETORT_OK) st = rt_chat_render(chat, messages, NULL, false, 0, &out, &err);
        if (st != r->status || strstr(err.message, r->message) == NULL || strstr(err.message, "the template") == NULL) {
            fail_msg("'%s': %s '%s'", r->text, retort_status_name(st), err.message);
        }
        assert_int_equal(out.length, 0);
        rt_buffer_free(&out);
        rt_chat_destroy(chat);
    }
    json_decref(messages);
}

static void test_nesting(void **state) {
    (void)state;
    static const char *const OPEN[] = {"(", "[", "not ", "-", "{% if 1 %}"};
    for (size_t k = 0; k < sizeof OPEN / sizeof *OPEN; k++) {
        retort_error err = {0};
        rt_chat *chat = NULL;
        rt_buffer text = {0};
        if (k < 4) assert_ok(rt_buffer_puts(&text, "{{ ", &err));
        for (int i = 0; i < 100000; i++) assert_ok(rt_buffer_puts(&text, OPEN[k], &err));
        for (int i = 0; k < 2 && i < 100000; i++) assert_ok(rt_buffer_puts(&text, k == 0 ? ")" : "]", &err));
        if (k < 4) assert_ok(rt_buffer_puts(&text, " }}", &err));
        assert_int_equal(rt_chat_parse("deep", text.data, text.length, NULL, &chat, &err), RETORT_ERR_UNSUPPORTED);
        assert_non_null(strstr(err.message, "nested more than"));
        rt_buffer_free(&text);
    }
}

static void test_steps(void **state) {
    (void)state;
    static const char TEXT[] = "{% for a in range(100) %}{% for b in range(100) %}{% endfor %}{% endfor %}done";
    retort_error err = {0};
    rt_jinja *jinja = NULL;
    rt_jinja_limits limits = RT_JINJA_LIMITS;
    rt_buffer out = {0};
    json_t *context = json_object();
    assert_ok(rt_jinja_compile("loops", TEXT, sizeof TEXT - 1, &jinja, &err));
    assert_ok(rt_jinja_render(jinja, context, 0, &limits, &out, &err));
    assert_string_equal(out.data, "done");
    limits.steps = 10000;
    assert_int_equal(rt_jinja_render(jinja, context, 0, &limits, &out, &err), RETORT_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "loops: line 1: the template takes more than 10000 steps"));
    json_decref(context);
    rt_jinja_destroy(jinja);
    rt_buffer_free(&out);
}

static void render_into(const char *dir, const json_t *extra, rt_buffer *out) {
    retort_error err;
    rt_chat *chat = NULL;
    json_t *messages = json_pack("[{s:s, s:s}]", "role", "user", "content", "x");
    rt_buffer_clear(out);
    assert_ok(rt_chat_load(dir, &chat, &err));
    assert_ok(rt_chat_render(chat, messages, extra, true, 86400 * 365, out, &err));
    json_decref(messages);
    rt_chat_destroy(chat);
}

static void test_directories(void **state) {
    (void)state;
    retort_error err = {0};
    rt_chat *chat = NULL;
    rt_buffer out = {0};
    char *dir = make_dir();
    setenv("TZ", "UTC", 1);
    assert_int_equal(rt_chat_load(dir, &chat, &err), RETORT_ERR_NOT_FOUND);
    write_text(dir, "tokenizer_config.json",
               "{\"model_max_length\": 1000000000000000019884624838656, \"bos_token\": {\"content\": \"<b>\"}, "
               "\"chat_template\": \"{{ bos_token }}{{ eos_token }}{{ messages[0].content }}{{ extra }}\"}");
    write_text(dir, "special_tokens_map.json", "{\"eos_token\": \"<e>\", \"bos_token\": \"other\"}");
    json_t *extra = json_pack("{s:s}", "extra", "!");
    render_into(dir, extra, &out);
    assert_string_equal(out.data, "<b><e>x!");
    json_decref(extra);
    write_text(
        dir, "tokenizer_config.json",
        "{\"chat_template\": [{\"name\": \"tool_use\", \"template\": \"no\"}, "
        "{\"name\": \"default\", \"template\": \"{{ strftime_now('%d %b %Y') }} {{ add_generation_prompt }}\"}]}");
    render_into(dir, NULL, &out);
    assert_string_equal(out.data, "01 Jan 1971 True");
    write_text(dir, "chat_template.jinja", "beside {{ tools is none }}\n");
    render_into(dir, NULL, &out);
    assert_string_equal(out.data, "beside True");
    json_t *bad = json_pack("[{s:s}]", "content", "x");
    assert_ok(rt_chat_load(dir, &chat, &err));
    assert_int_equal(rt_chat_render(chat, bad, NULL, false, 0, &out, &err), RETORT_ERR_FORMAT);
    assert_non_null(strstr(err.message, "message 1"));
    json_decref(bad);
    rt_chat_destroy(chat);
    rt_buffer_free(&out);
    drop_dir(dir);
}

/* Damaged templates do no more than fail. */
static void test_damage(void **state) {
    (void)state;
    retort_error err;
    json_t *all = NULL;
    assert_ok(rt_json_load(golden("templates.json"), &all, &err));
    const json_t *conversations = json_object_get(all, "conversations");
    static const char *const NAMES[] = {"thoughts", "parts", "space"}, POOL[] = "{}%#-+ \n'\"()[]|.,:=ab1~*/<\\";
    static const rt_jinja_limits SMALL = {.steps = 20000, .output = 1 << 16, .memory = 1 << 22};
    rt_rng rng = rt_rng_make(9, 0);
    for (int i = 0; i < 1500; i++) {
        const json_t *whole = json_object_get(json_object_get(all, NAMES[i % 3]), "template");
        char *text = strdup(json_string_value(whole));
        size_t length = strlen(text);
        for (uint32_t k = 0, count = 1 + rt_rng_below(&rng, 4); k < count; k++) {
            text[rt_rng_below(&rng, (uint32_t)length)] = POOL[rt_rng_below(&rng, sizeof POOL - 1)];
        }
        rt_jinja *jinja = NULL;
        if (rt_jinja_compile("damaged", text, length, &jinja, &err) == RETORT_OK) {
            json_t *context = json_pack("{s:O}", "messages", json_array_get(conversations, (size_t)i % 60));
            rt_buffer out = {0};
            (void)rt_jinja_render(jinja, context, 0, &SMALL, &out, &err);
            rt_buffer_free(&out);
            json_decref(context);
        }
        rt_jinja_destroy(jinja);
        free(text);
    }
    json_decref(all);
}

static void test_allocation_failures(void **state) {
    (void)state;
    static const char TEXT[] =
        "{% macro m(x) %}{{ x|tojson }}{% endmacro %}{% set a %}b{% endset %}{% for k in messages %}"
        "{{ m(k) ~ a ~ 'x'|indent ~ [1, 2]|join(',') ~ {'a': 1.5} ~ 'q'.split('r') }}{% endfor %}";
    retort_error err;
    json_t *messages = json_pack("[{s:s, s:s}]", "role", "user", "content", "x");
    for (int persistent = 0; persistent < 2; persistent++) {
        long n = 0;
        for (bool reached = true; reached; n++) {
            rt_chat *chat = NULL;
            rt_buffer out = {0};
            rt_fail_alloc(n, persistent != 0);
            retort_status st = rt_chat_parse("t", TEXT, sizeof TEXT - 1, NULL, &chat, &err);
            if (st == RETORT_OK) st = rt_chat_render(chat, messages, NULL, false, 0, &out, &err);
            reached = rt_alloc_count() > n;
            rt_fail_alloc(-1, false);
            if (st != RETORT_OK) assert_int_equal(st, RETORT_ERR_MEMORY);
            rt_chat_destroy(chat);
            rt_buffer_free(&out);
        }
        assert_true(n > 10);
    }
    json_decref(messages);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_nesting),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_directories),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
