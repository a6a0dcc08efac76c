/* The server over real sockets: answers equal to what rt_sample gives, streams equal to answers, many clients at once,
 * hostile clients, draining. */
#include "client.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "support.h"
#include "text/lexeme.h"

static char *model_dir;
static rt_tokenizer *tokenizer;
static rt_model model;

static int set_up(void **state) {
    (void)state;
    retort_error err;
    model_dir = make_dir();
    write_tokenizer(model_dir);
    assert_ok(rt_tokenizer_load(model_dir, &tokenizer, &err));
    model = make_model(tokenizer, 0, 256, 4);
    assert_ok(rt_model_save(&model, model_dir, RT_DTYPE_F32, &err));
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    rt_model_release(&model);
    rt_tokenizer_destroy(tokenizer);
    drop_dir(model_dir);
    return 0;
}

static server_thread make_server(void) {
    server_thread server = {0};
    retort_error err;
    assert_ok(retort_options_defaults(retort_serve_option_table, &server.options, &err));
    server.options.batch = 6;
    server.options.threads = 1;
    server.options.drain_timeout = 10;
    return server;
}

static void finish_server(server_thread *server) {
    const retort_status st = stop_server(server);
    if (st != RETORT_OK) fail_msg("the server ended with: %s", server->err.message);
    server->options.model = NULL; /* not its own */
    retort_options_release(retort_serve_option_table, &server->options);
}

static void pause_for(long milliseconds) {
    const struct timespec t = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static json_t *get(json_t *value, const char *path) {
    char copy[100], *rest = NULL;
    snprintf(copy, sizeof copy, "%s", path);
    for (char *key = strtok_r(copy, ".", &rest); key != NULL; key = strtok_r(NULL, ".", &rest))
        value = key[0] >= '0' && key[0] <= '9' ? json_array_get(value, (size_t)atoi(key)) : json_object_get(value, key);
    if (value == NULL) fail_msg("no '%s'", path);
    return value;
}

static const char *text_at(json_t *value, const char *path) {
    return json_string_value(get(value, path));
}

/* What the sampler gives to the same ids, seed and place. */
static void expected_text(const rt_ids *ids, uint64_t seed, int64_t sample, int64_t max_tokens, rt_buffer *text,
                          rt_response **responses) {
    retort_error err;
    rt_decoder *decoder = NULL;
    const rt_prompt prompt = {ids->data, ids->count, 0};
    const rt_sampling settings = {.temperature = 1, .top_p = 1, .seed = seed, .max_new_tokens = max_tokens};
    assert_ok(rt_decoder_create(&model, 1, 256, 16, &decoder, &err));
    assert_ok(rt_sample(decoder, &model.config, tokenizer, &prompt, 1, sample + 1, &settings, NULL, NULL, NULL,
                        "sample", responses, &err));
    const rt_response *r = &(*responses)[sample];
    rt_buffer bytes = {0};
    assert_ok(rt_response_text(&model.config, tokenizer, &settings, r, &bytes, &err));
    json_t *valid = rt_json_text(bytes.length > 0 ? bytes.data : "", bytes.length);
    assert_ok(rt_buffer_puts(text, json_string_value(valid), &err));
    json_decref(valid);
    rt_buffer_free(&bytes);
    rt_decoder_destroy(decoder);
}

static rt_ids encode(const char *text) {
    retort_error err;
    rt_ids ids = {0};
    assert_ok(rt_tokenizer_encode(tokenizer, text, strlen(text), true, &ids, &err));
    return ids;
}

static void test_completion_is_the_samplers(void **state) {
    (void)state;
    server_thread server = make_server();
    start_server(&server, model_dir);
    rt_ids ids = encode("wait 3 + 4");
    reply r = ask(&server, "/v1/completions", "",
                  "{\"prompt\": \"wait 3 + 4\", \"seed\": 5, \"n\": 3, \"max_tokens\": 20, \"logprobs\": 3}");
    assert_int_equal(r.status, 200);
    json_t *answer = json_of(&r);
    for (int s = 0; s < 3; s++) {
        char path[80];
        rt_buffer text = {0};
        rt_response *responses = NULL;
        expected_text(&ids, 5, s, 20, &text, &responses);
        snprintf(path, sizeof path, "choices.%d.text", s);
        assert_string_equal(text_at(answer, path), text.data);
        snprintf(path, sizeof path, "choices.%d.logprobs.token_logprobs", s);
        const json_t *logps = get(answer, path);
        assert_int_equal(json_array_size(logps), responses[s].count);
        for (int64_t i = 0; i < responses[s].count; i++) /* nine digits bring a float back */
            assert_true((float)json_real_value(json_array_get(logps, (size_t)i)) == responses[s].logp[i]);
        rt_responses_free(responses, s + 1);
        rt_buffer_free(&text);
    }
    assert_int_equal(json_integer_value(get(answer, "usage.prompt_tokens")), ids.count);
    rt_ids_free(&ids);
    json_decref(answer);
    drop_reply(&r);
    finish_server(&server);
}

/* Joins a stream's texts; checks its frame. */
static void join_stream(const reply *r, const char *path, rt_buffer *out, char finish[16]) {
    retort_error err;
    const char *at = r->body.data;
    static const char done[] = "data: [DONE]\n\n";
    finish[0] = '\0';
    while (strncmp(at, done, sizeof done - 1) != 0) {
        assert_int_equal(strncmp(at, "data: ", 6), 0);
        const char *end = strstr(at, "\n\n");
        assert_non_null(end);
        json_t *event = NULL;
        assert_ok(rt_json_parse(at + 6, (size_t)(end - at) - 6, "event", &event, &err));
        json_t *choice = json_array_get(json_object_get(event, "choices"), 0);
        if (choice != NULL) {
            json_t *text = strcmp(path, "text") == 0 ? json_object_get(choice, "text")
                                                     : json_object_get(json_object_get(choice, "delta"), "content");
            if (text != NULL) assert_ok(rt_buffer_puts(out, json_string_value(text), &err));
            const char *reason = json_string_value(json_object_get(choice, "finish_reason"));
            if (reason != NULL) snprintf(finish, 16, "%s", reason);
        }
        json_decref(event);
        at = end + 2;
    }
    assert_int_equal(at + sizeof done - 1 - r->body.data, r->body.length);
}

/* A stream's pieces are the answer, for seeds that end in every way; a stop string never shows, though it comes in
 * several tokens, and what looks like its beginning is only held back. */
static void test_stream_is_the_answer(void **state) {
    (void)state;
    server_thread server = make_server();
    start_server(&server, model_dir);
    int stopped = 0;
    for (int seed = 0; seed < 24; seed++) {
        char body[400], streamed[440], finish[16];
        snprintf(body, sizeof body,
                 "{\"messages\": [{\"role\": \"user\", \"content\": \"but so\"}], \"seed\": %d, \"max_tokens\": 40, "
                 "\"stop\": [\"a\", \"e w\", \"1 +\"]",
                 seed);
        snprintf(streamed, sizeof streamed, "%s, \"stream\": true}", body);
        strcat(body, "}");
        reply whole = ask(&server, "/v1/chat/completions", "", body);
        reply stream = ask(&server, "/v1/chat/completions", "", streamed);
        assert_int_equal(whole.status, 200);
        assert_int_equal(stream.status, 200);
        json_t *answer = json_of(&whole);
        rt_buffer text = {0};
        retort_error err;
        assert_ok(rt_buffer_puts(&text, "", &err));
        join_stream(&stream, "content", &text, finish);
        const char *content = text_at(answer, "choices.0.message.content");
        assert_string_equal(text.data, content);
        assert_string_equal(finish, text_at(answer, "choices.0.finish_reason"));
        assert_null(strstr(content, "a"));
        assert_null(strstr(content, "e w"));
        stopped += strcmp(finish, "stop") == 0;
        rt_buffer_free(&text);
        json_decref(answer);
        drop_reply(&whole);
        drop_reply(&stream);
    }
    assert_in_range(stopped, 3, 24);
    finish_server(&server);
}

/* lm-evaluation-harness: ids in, prompt scored, one token sampled behind it. */
static void test_echo(void **state) {
    (void)state;
    server_thread server = make_server();
    start_server(&server, model_dir);
    reply r = ask(&server, "/v1/completions", "",
                  "{\"prompt\": [[5, 6, 7, 8], [9, 10]], \"echo\": true, \"logprobs\": 1, \"max_tokens\": 1, "
                  "\"temperature\": 0, \"seed\": 1234}");
    json_t *answer = json_of(&r);
    assert_int_equal(json_array_size(get(answer, "choices.0.logprobs.tokens")), 5);
    assert_int_equal(json_array_size(get(answer, "choices.1.logprobs.tokens")), 3);
    assert_true(json_is_null(get(answer, "choices.0.logprobs.token_logprobs.0")));
    assert_true(json_is_null(get(answer, "choices.0.logprobs.top_logprobs.0")));
    assert_true(json_is_real(get(answer, "choices.0.logprobs.token_logprobs.1")));
    assert_int_equal(json_object_size(get(answer, "choices.0.logprobs.top_logprobs.1")), 1);
    /* Each token's text begins at its offset. */
    const char *text = text_at(answer, "choices.0.text");
    for (int i = 0; i < 5; i++) {
        char path[64];
        snprintf(path, sizeof path, "choices.0.logprobs.tokens.%d", i);
        const char *token = text_at(answer, path);
        snprintf(path, sizeof path, "choices.0.logprobs.text_offset.%d", i);
        assert_int_equal(strncmp(text + json_integer_value(get(answer, path)), token, strlen(token)), 0);
    }
    json_decref(answer);
    drop_reply(&r);
    r = ask(&server, "/v1/completions", "",
            "{\"prompt\": [5, 6, 7], \"echo\": true, \"logprobs\": 0, \"max_tokens\": 0}");
    answer = json_of(&r);
    assert_int_equal(r.status, 200);
    assert_int_equal(json_array_size(get(answer, "choices.0.logprobs.tokens")), 3);
    assert_int_equal(json_integer_value(get(answer, "usage.completion_tokens")), 0);
    json_decref(answer);
    drop_reply(&r);
    finish_server(&server);
}

typedef struct client {
    const server_thread *server;
    pthread_t thread;
    int number;
    char *text;
} client;

static void *run_client(void *context) {
    client *c = context;
    char body[200];
    snprintf(body, sizeof body, "{\"prompt\": \"maybe %d\", \"seed\": %d, \"max_tokens\": 30, \"temperature\": 0.9}",
             c->number % 5, c->number % 5);
    reply r = ask(c->server, "/v1/completions", "", body);
    json_t *answer = json_of(&r);
    c->text = strdup(text_at(answer, "choices.0.text"));
    json_decref(answer);
    drop_reply(&r);
    return NULL;
}

/* Forty clients at once: those who asked the same with the same seed get the same, and what one gets alone. */
static void test_many_clients(void **state) {
    (void)state;
    enum { CLIENTS = 40 };
    client clients[CLIENTS], alone[5];
    server_thread server = make_server();
    start_server(&server, model_dir);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (client){.server = &server, .number = i};
        assert_int_equal(pthread_create(&clients[i].thread, NULL, run_client, &clients[i]), 0);
    }
    for (int i = 0; i < CLIENTS; i++) pthread_join(clients[i].thread, NULL);
    for (int i = 0; i < 5; i++) {
        alone[i] = (client){.server = &server, .number = i};
        run_client(&alone[i]);
    }
    for (int i = 0; i < CLIENTS; i++) {
        assert_string_equal(clients[i].text, alone[i % 5].text);
        free(clients[i].text);
    }
    for (int i = 0; i < 5; i++) free(alone[i].text);
    finish_server(&server);
}

static void expect_error(const server_thread *server, const char *path, const char *body, int status, const char *param,
                         const char *message) {
    reply r = ask(server, path, "", body);
    assert_int_equal(r.status, status);
    json_t *error = json_of(&r);
    const char *named = json_string_value(json_object_get(get(error, "error"), "param"));
    if (param != NULL && (named == NULL || strcmp(named, param) != 0))
        fail_msg("%s: the parameter named is '%s'", body, named != NULL ? named : "null");
    if (strstr(text_at(error, "error.message"), message) == NULL)
        fail_msg("'%s' is not in: %s", message, text_at(error, "error.message"));
    json_decref(error);
    drop_reply(&r);
}

/* The text of choice 0 of a request that may ban something. */
static char *banned_text(const server_thread *server, const char *more) {
    char body[512];
    snprintf(body, sizeof body,
             "{\"prompt\": \"wait 3 + 4\", \"seed\": 9, \"max_tokens\": 100, \"ignore_eos\": true%s}", more);
    reply r = ask(server, "/v1/completions", "", body);
    assert_int_equal(r.status, 200);
    json_t *answer = json_of(&r);
    char *text = strdup(text_at(answer, "choices.0.text"));
    json_decref(answer);
    drop_reply(&r);
    return text;
}

static bool holds_word(const char *text, const char *word) {
    rt_lexeme lexeme;
    for (size_t at = 0; rt_lexeme_next(text, strlen(text), &at, &lexeme);) {
        if (lexeme.length == strlen(word) && strncasecmp(lexeme.text, word, lexeme.length) == 0) return true;
    }
    return false;
}

/* A request's words are banned for it alone; the server's own are banned for all. */
static void test_bans(void **state) {
    (void)state;
    server_thread server = make_server();
    start_server(&server, model_dir);
    char *free_text = banned_text(&server, ""), word[64] = "", more[128];
    rt_lexeme lexeme;
    for (size_t at = 0; word[0] == '\0' && rt_lexeme_next(free_text, strlen(free_text), &at, &lexeme);)
        if (lexeme.kind == RT_LEXEME_WORD && lexeme.length < sizeof word)
            snprintf(word, sizeof word, "%.*s", (int)lexeme.length, lexeme.text);
    assert_true(holds_word(free_text, word));
    snprintf(more, sizeof more, ", \"ban_list\": [\"logical\", \"%s\"]", word);
    char *banned = banned_text(&server, more), *again = banned_text(&server, "");
    assert_false(holds_word(banned, word));
    assert_string_equal(free_text, again);
    snprintf(more, sizeof more, ", \"ban_list\": [\"%s\"], \"ban_mode\": \"cap\", \"ban_cap\": 1", word);
    char *open = banned_text(&server, more);
    assert_string_equal(free_text, open);
    free(open);
    finish_server(&server);
    char *dir = make_dir(), path[4200];
    write_text(dir, "words.txt", word);
    snprintf(path, sizeof path, "%s/words.txt", dir);
    server = make_server();
    server.options.ban_list = rt_strdup(path);
    start_server(&server, model_dir);
    char *shared = banned_text(&server, ""), *cut = banned_text(&server, ", \"stop\": [\"q\", \"'\"]");
    assert_false(holds_word(shared, word));
    assert_false(holds_word(cut, word));
    expect_error(&server, "/v1/completions", "{\"prompt\": \"x\", \"ban_mode\": \"cap\"}", 400, "prompt", "ban_mode");
    finish_server(&server);
    drop_dir(dir);
    free(free_text);
    free(banned);
    free(again);
    free(shared);
    free(cut);
}

static void test_refusals(void **state) {
    (void)state;
    server_thread server = make_server();
    start_server(&server, model_dir);
    static const struct {
        const char *path, *body;
        int status;
        const char *param, *message;
    } CASES[] = {
        {"/v1/completions", "{\"prompt\": \"x\"", 400, NULL, "not valid JSON"},
        {"/v1/completions", "\xff\xfe", 400, NULL, "not valid JSON"},
        {"/v1/completions", "[]", 400, NULL, "must be a JSON object"},
        {"/v1/completions", "{}", 400, "prompt", "is missing"},
        {"/v1/completions", "{\"prompt\": \"\"}", 400, "prompt", "the prompt is empty"},
        {"/v1/completions", "{\"prompt\": [1, \"x\"]}", 400, "prompt", "no token id"},
        {"/v1/completions", "{\"prompt\": [99999]}", 400, "prompt", "no token id"},
        {"/v1/completions", "{\"prompt\": \"x\", \"max_tokens\": 4000}", 400, "prompt", "context of 256"},
        {"/v1/completions", "{\"prompt\": \"x\", \"temprature\": 1}", 400, "temprature", "is not a parameter"},
        {"/v1/completions", "{\"prompt\": \"x\", \"temperature\": 3}", 400, "temperature", "between 0 and 2"},
        {"/v1/completions", "{\"prompt\": \"x\", \"n\": 0}", 400, "n", "between 1 and"},
        {"/v1/completions", "{\"prompt\": \"x\", \"stop\": [1]}", 400, "stop", "must be a text"},
        {"/v1/completions", "{\"prompt\": \"x\", \"logit_bias\": {\"a\": 1}}", 400, "logit_bias", "token id"},
        {"/v1/completions", "{\"prompt\": \"x\", \"logit_bias\": {\"99999\": 1}}", 400, "prompt", "outside the vocab"},
        {"/v1/completions", "{\"prompt\": \"x\", \"ban_list\": \"so\"}", 400, "ban_list", "must be a list"},
        {"/v1/completions", "{\"prompt\": \"x\", \"ban_list\": [\"so\", 1]}", 400, "ban_list", "must hold texts"},
        {"/v1/completions", "{\"prompt\": \"x\", \"ban_list\": [\" \"]}", 400, "prompt", "cannot be banned"},
        {"/v1/completions", "{\"prompt\": \"x\", \"ban_list\": [\"mathematical\"]}", 400, "prompt", "<number>"},
        {"/v1/completions", "{\"prompt\": \"x\", \"ban_mode\": \"soft\"}", 400, "ban_mode", "must be"},
        {"/v1/completions", "{\"prompt\": \"x\", \"ban_cap\": 2}", 400, "ban_cap", "between 0 and 1"},
        {"/v1/completions", "{\"prompt\": \"x\", \"model\": \"gpt\"}", 404, "model", "is not served here"},
        {"/v1/completions", "{\"prompt\": \"x\", \"best_of\": 4}", 400, "best_of", "must equal 'n'"},
        {"/v1/chat/completions", "{\"messages\": []}", 400, "messages", "at least one"},
        {"/v1/chat/completions", "{\"messages\": [{\"role\": \"user\", \"content\": 3}]}", 400, "messages",
         "chat template"},
        {"/v1/chat/completions", "{\"messages\": [{}], \"tools\": [{}]}", 400, "tools", "not supported"},
        {"/v1/nothing", "{}", 404, NULL, "no such path"},
        {"/health", "{}", 405, NULL, "another method"},
        {"/tokenize", "{}", 400, "prompt", "must be a text"},
        {"/detokenize", "{\"tokens\": [-1]}", 400, "tokens", "no token id"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        expect_error(&server, CASES[i].path, CASES[i].body, CASES[i].status, CASES[i].param, CASES[i].message);
    rt_buffer deep = {0};
    retort_error err;
    for (int i = 0; i < 100000; i++) assert_ok(rt_buffer_puts(&deep, "[", &err));
    expect_error(&server, "/v1/completions", deep.data, 400, NULL, "not valid JSON");
    rt_buffer_free(&deep);
    reply r = ask(&server, "/tokenize", "", "{\"content\": \"wait 3\", \"with_pieces\": true}");
    json_t *tokens = json_of(&r);
    assert_string_equal(text_at(tokens, "tokens.0.piece"), "wait");
    json_decref(tokens);
    drop_reply(&r);
    finish_server(&server);
}

static void test_key(void **state) {
    (void)state;
    server_thread server = make_server();
    server.options.api_key = rt_strdup("sesame");
    start_server(&server, model_dir);
    static const struct {
        const char *headers;
        int status;
    } CASES[] = {{"", 401},
                 {"Authorization: Bearer sesam\r\n", 401},
                 {"Authorization: Bearer sesamee\r\n", 401},
                 {"Authorization: Basic sesame\r\n", 401},
                 {"Authorization: Bearer sesame\r\n", 200}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        reply r = ask(&server, "/v1/models", CASES[i].headers, NULL);
        assert_int_equal(r.status, CASES[i].status);
        drop_reply(&r);
    }
    reply r = ask(&server, "/health", "", NULL);
    assert_int_equal(r.status, 200);
    drop_reply(&r);
    finish_server(&server);
}

/* Bodies of a gibibyte, announced or not; requests that come a byte at a time; clients that leave. */
static void test_hostile_clients(void **state) {
    (void)state;
    server_thread server = make_server();
    server.options.max_body = 4096;
    server.options.read_timeout = 0.5;
    start_server(&server, model_dir);
    static const char announced[] = "POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n{";
    int fd = connect_to(&server);
    send_all(fd, announced, sizeof announced - 1);
    reply r = read_reply(fd);
    assert_int_equal(r.status, 413);
    drop_reply(&r);
    static const char chunked[] = "POST /v1/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    static const char chunk[] = "400\r\n";
    fd = connect_to(&server);
    send_all(fd, chunked, sizeof chunked - 1);
    char filler[1026];
    memset(filler, ' ', sizeof filler);
    memcpy(filler + 1024, "\r\n", 2);
    for (int i = 0; i < 64; i++) {
        send_all(fd, chunk, sizeof chunk - 1);
        send_all(fd, filler, sizeof filler);
    }
    r = read_reply(fd);
    assert_int_equal(r.status, 0); /* dropped */
    drop_reply(&r);
    /* Slow: a byte every 100 ms is still shut after half a second, well before its 40 bytes are through. */
    fd = connect_to(&server);
    int sent = 0;
    for (; sent < 40; sent++) {
        char got;
        if (send(fd, announced + sent, 1, MSG_NOSIGNAL) != 1 || recv(fd, &got, 1, MSG_DONTWAIT) == 0) break;
        pause_for(100);
    }
    assert_true(sent < 30);
    close(fd);
    finish_server(&server);
}

static void wait_for_metric(const server_thread *server, const char *name, long long value) {
    for (int i = 0; i < 200; i++) {
        if (metric(server, name) == value) return;
        pause_for(25);
    }
    fail_msg("'%s' never became %lld", name, value);
}

/* A client that leaves frees its places in the batch, waiting for an answer or in the middle of a stream. */
static void test_disconnects(void **state) {
    (void)state;
    server_thread server = make_server();
    start_server(&server, model_dir);
    for (int stream = 0; stream < 2; stream++) {
        char request[400], body[200];
        snprintf(body, sizeof body, "{\"prompt\": \"x\", \"n\": 100, \"max_tokens\": 250, \"ignore_eos\": true%s}",
                 stream ? ", \"stream\": true" : "");
        snprintf(request, sizeof request, "POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s",
                 strlen(body), body);
        const int fd = connect_to(&server);
        send_all(fd, request, strlen(request));
        pause_for(150);
        close(fd);
    }
    wait_for_metric(&server, "responses_running", 0);
    wait_for_metric(&server, "responses_waiting", 0);
    assert_true(metric(&server, "generation_tokens_total") < 2LL * 100 * 250);
    finish_server(&server);
}

static void test_full_queue_and_timeout(void **state) {
    (void)state;
    server_thread server = make_server();
    server.options.max_queue = 1;
    server.options.request_timeout = 1;
    server.options.batch = 1;
    start_server(&server, model_dir);
    /* Some 600,000 tokens: no machine is through with them in a second. */
    static const char body[] =
        "{\"prompt\": [\"x\", \"x\", \"x\", \"x\", \"x\", \"x\", \"x\", \"x\", \"x\", \"x\", \"x\", \"x\", "
        "\"x\", \"x\", \"x\", \"x\", \"x\", \"x\", \"x\", \"x\"], "
        "\"n\": 128, \"max_tokens\": 255, \"ignore_eos\": true, \"seed\": 1}";
    char slow[600];
    snprintf(slow, sizeof slow,
             "POST /v1/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
             sizeof body - 1, body);
    const int fd = connect_to(&server);
    send_all(fd, slow, strlen(slow));
    pause_for(100);
    reply refused = ask(&server, "/v1/completions", "", "{\"prompt\": \"x\"}");
    assert_int_equal(refused.status, 503);
    assert_non_null(strstr(refused.head.data, "Retry-After"));
    drop_reply(&refused);
    reply late = read_reply(fd);
    assert_int_equal(late.status, 504);
    drop_reply(&late);
    reply good = ask(&server, "/v1/completions", "", "{\"prompt\": \"x\", \"max_tokens\": 2}");
    assert_int_equal(good.status, 200);
    drop_reply(&good);
    finish_server(&server);
}

static void *ask_for_much(void *context) {
    client *c = context;
    reply r = ask(c->server, "/v1/completions", "",
                  "{\"prompt\": \"x\", \"n\": 60, \"max_tokens\": 200, \"ignore_eos\": true}");
    json_t *answer = json_of(&r);
    c->number = (int)json_array_size(json_object_get(answer, "choices"));
    json_decref(answer);
    drop_reply(&r);
    return NULL;
}

/* What is under way when the server is told to stop is answered. */
static void test_drain(void **state) {
    (void)state;
    server_thread server = make_server();
    server.options.drain_timeout = 60;
    start_server(&server, model_dir);
    client c = {.server = &server};
    assert_int_equal(pthread_create(&c.thread, NULL, ask_for_much, &c), 0);
    for (int i = 0; metric(&server, "responses_running") == 0; i++) assert_in_range(i, 0, 2000);
    finish_server(&server);
    pthread_join(c.thread, NULL);
    assert_int_equal(c.number, 60);
}

int main(void) {
    retort_error err;
    if (rt_compute_init(&err) != RETORT_OK) return 1;
    rt_compute_set_threads(1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_completion_is_the_samplers),
        cmocka_unit_test(test_bans),
        cmocka_unit_test(test_stream_is_the_answer),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_many_clients),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_key),
        cmocka_unit_test(test_hostile_clients),
        cmocka_unit_test(test_disconnects),
        cmocka_unit_test(test_full_queue_and_timeout),
        cmocka_unit_test(test_drain),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
