/* Requests and their keys, prices, and the one function that every command asks through. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "ask/ask.h"
#include "ask/endpoint.h"
#include "ask/prices.h"
#include "fault_server.h"
#include "folders.h"

static char *dir;
static char store_path[300];

static int set_up(void **state) {
    (void)state;
    dir = make_dir();
    snprintf(store_path, sizeof store_path, "%s/run.db", dir);
    unsetenv("OPENAI_API_KEY");
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    drop_dir(dir);
    return 0;
}

/* Equal questions have equal bytes; the stream changes the body and not the key; the rest changes both. */
static void test_bodies_and_keys(void **state) {
    (void)state;
    rt_ask ask = {.chat = true,
                  .model = "m",
                  .system = "s",
                  .prompt = "p",
                  .max_tokens = 5,
                  .temperature = 0.5,
                  .top_p = 1,
                  .seed = 3};
    rt_buffer body = {0};
    retort_error err = {0};
    char key[65], other[65];
    assert_ok(rt_ask_write(&ask, &body, &err));
    assert_string_equal(body.data, "{\"max_tokens\":5,\"messages\":[{\"content\":\"s\",\"role\":\"system\"},"
                                   "{\"content\":\"p\",\"role\":\"user\"}],\"model\":\"m\",\"seed\":3,"
                                   "\"temperature\":0.5,\"top_p\":1.0}");
    assert_ok(rt_ask_key(&ask, "a", 0, key, &err));
    ask.stream = true;
    assert_ok(rt_ask_key(&ask, "a", 0, other, &err));
    assert_string_equal(key, other);
    assert_ok(rt_ask_key(&ask, "a", 1, other, &err));
    assert_string_not_equal(key, other);
    assert_ok(rt_ask_key(&ask, "b", 0, other, &err));
    assert_string_not_equal(key, other);
    ask.prompt = "q";
    assert_ok(rt_ask_key(&ask, "a", 0, other, &err));
    assert_string_not_equal(key, other);
    ask.prompt = "\xff";
    rt_buffer_clear(&body);
    assert_int_equal(rt_ask_write(&ask, &body, &err), RETORT_ERR_FORMAT);
    rt_buffer_free(&body);
    json_t *extra = NULL;
    assert_int_equal(rt_ask_extra("[1]", &extra, &err), RETORT_ERR_USAGE);
    assert_null(extra);
    assert_ok(rt_ask_extra(NULL, &extra, &err));
    assert_null(extra);
}

static void test_prices(void **state) {
    (void)state;
    rt_price price;
    retort_error err = {0};
    char path[300];
    snprintf(path, sizeof path, "%s/prices.json", dir);
    write_text(dir, "prices.json", "{\"m\": {\"input\": 2, \"output\": 10}, \"bad\": {\"input\": -1, \"output\": 1}}");
    assert_ok(rt_price_read(path, "m", &price, &err));
    assert_true(rt_price_of(&price, 1e6, 5e5) == 7);
    assert_int_equal(rt_price_read(path, "n", &price, &err), RETORT_ERR_NOT_FOUND);
    assert_int_equal(rt_price_read(path, "bad", &price, &err), RETORT_ERR_FORMAT);
}

typedef struct questions {
    rt_ask ask;
    char prompt[40];
} questions;

static retort_status write_question(void *context, int64_t q, rt_buffer *body, char key[65], retort_error *err) {
    questions *own = context;
    snprintf(own->prompt, sizeof own->prompt, "question %d", (int)q);
    own->ask.prompt = own->prompt;
    RT_TRY(rt_ask_write(&own->ask, body, err));
    return rt_ask_key(&own->ask, "id", q, key, err);
}

static const char *id_of(void *context, int64_t q) {
    (void)context;
    (void)q;
    return "id";
}

static int64_t sample_of(void *context, int64_t q) {
    (void)context;
    return q;
}

/* Where nothing says how long a reply can be, its cost has no bound: refused before anything is asked. */
static void test_bounds_need_a_longest_reply(void **state) {
    (void)state;
    fault_server *server = fault_server_start(FAULTS_NONE, 0);
    retort_error err = {0};
    rt_store *store = NULL;
    rt_ask_account account;
    json_t *extra = json_pack("{s:n}", "max_tokens");
    questions own = {.ask = {.chat = true, .model = "m", .max_tokens = 100, .seed = -1, .extra = extra}};
    const rt_ask_source source = {3, write_question, id_of, sample_of, &own};
    char url[64];
    snprintf(url, sizeof url, "%s", fault_server_url(server));
    retort_endpoint_options o = {.base_url = url,
                                 .model = (char[]){"m"},
                                 .concurrency = 2,
                                 .timeout = 10,
                                 .first_token_timeout = 10,
                                 .price_input = 1,
                                 .price_output = 1,
                                 .max_cost = 1};
    assert_ok(rt_store_open(store_path, &store, &err));
    assert_int_equal(rt_ask_all(&o, &source, store, "test", NULL, &account, &err), RETORT_ERR_USAGE);
    assert_non_null(strstr(err.message, "max_tokens"));
    o.dry_run = true;
    assert_int_equal(rt_ask_all(&o, &source, store, "test", NULL, &account, &err), RETORT_ERR_USAGE);
    assert_int_equal(fault_server_counts(server).requests, 0);
    o.dry_run = false;
    o.max_cost = 0;
    assert_ok(rt_ask_all(&o, &source, store, "test", NULL, &account, &err));
    assert_int_equal(account.asked, 3);
    assert_true(account.cost > 0);
    rt_stored_response reply;
    rt_buffer body = {0};
    char key[65];
    for (int q = 0; q < 3; q++) {
        rt_buffer_clear(&body);
        assert_ok(write_question(&own, q, &body, key, &err));
        assert_ok(rt_store_get(store, key, &reply, &err));
        assert_int_equal(reply.sample, q);
        assert_string_equal(reply.text, "So \\boxed{7}");
        assert_string_equal(reply.request, body.data);
    }
    rt_buffer_free(&body);
    json_decref(extra);
    rt_store_close(store);
    fault_server_stop(server);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bodies_and_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_prices, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bounds_need_a_longest_reply, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
