/* Load for a running `retort serve`, and what it does to the server: every client asks its next question as soon as the
 * last is answered.
 *
 *     load_serve BASE_URL PID PROBLEMS.jsonl [CLIENTS 200] [SECONDS 300] [MAX_TOKENS 320]
 *
 * Prints, ten times over the run, the server's resident memory, open descriptors and tokens/s since the last line, and
 * at the end one JSON object. Exits with 1 if a request failed. Every request has a seed of its own; each of the first
 * thousand answers is asked for once more at the end and must come back the same. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/json.h"
#include "net/http.h"

enum { CHECKED = 1000, LINES = 10 };

typedef struct load {
    const char *url, *pid;
    json_t *prompts;
    rt_http *http;
    double begin, seconds;
    long long asked, answered, failed, tokens, max_tokens, different, compared;
    char answers[CHECKED][65];
    bool again; /* asking for the checked ones a second time */
    char first_failure[1024];
} load;

typedef struct client {
    load *load;
    long long seed;
    rt_buffer body, answer;
} client;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void die_unless(retort_status status, const retort_error *err) {
    if (status == RETORT_OK) return;
    fprintf(stderr, "load_serve: %s\n", err->message);
    exit(1);
}

static long long resident_kb(const char *pid) {
    char path[64], line[256];
    long long kb = 0;
    snprintf(path, sizeof path, "/proc/%s/status", pid);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) sscanf(line, "VmRSS: %lld", &kb);
    if (file != NULL) fclose(file);
    return kb;
}

static int descriptors(const char *pid) {
    char path[64];
    int count = 0;
    snprintf(path, sizeof path, "/proc/%s/fd", pid);
    DIR *folder = opendir(path);
    while (folder != NULL && readdir(folder) != NULL) count++;
    if (folder != NULL) closedir(folder);
    return count - 2;
}

static bool wants_more(const load *l) {
    return l->again ? l->asked < CHECKED && l->asked < l->answered : now() - l->begin < l->seconds;
}

static void ask(client *c);

static void take_answer(client *c) {
    load *l = c->load;
    json_t *answer = NULL;
    retort_error err;
    die_unless(rt_json_parse(c->answer.data, c->answer.length, "answer", &answer, &err), &err);
    const json_t *choice = json_array_get(json_object_get(answer, "choices"), 0);
    const char *text = json_string_value(json_object_get(choice, "text"));
    char hash[65];
    if (text == NULL) {
        fprintf(stderr, "load_serve: an answer without text: %.300s\n", c->answer.data);
        exit(1);
    }
    rt_sha256(text, strlen(text), hash);
    if (l->again) {
        l->compared++;
        l->different += strcmp(hash, l->answers[c->seed]) != 0;
    } else {
        l->answered++;
        l->tokens += json_integer_value(json_object_get(json_object_get(answer, "usage"), "completion_tokens"));
        if (c->seed < CHECKED) memcpy(l->answers[c->seed], hash, sizeof hash);
    }
    json_decref(answer);
}

static void on_prepare(void *context, long long *offset, const char **if_range) {
    (void)if_range;
    *offset = 0;
    rt_buffer_clear(&((client *)context)->answer);
}

static retort_status on_body(void *context, const void *bytes, size_t length, retort_error *err) {
    return rt_buffer_append(&((client *)context)->answer, bytes, length, err);
}

static void on_done(void *context, const rt_http_outcome *outcome) {
    client *c = context;
    load *l = c->load;
    if (outcome->status != RETORT_OK) {
        if (l->failed++ == 0) snprintf(l->first_failure, sizeof l->first_failure, "%s", outcome->err->message);
    } else {
        take_answer(c);
    }
    if (wants_more(l)) ask(c);
}

static void ask(client *c) {
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    load *l = c->load;
    retort_error err;
    c->seed = l->asked++;
    const json_t *prompt = json_array_get(l->prompts, (size_t)c->seed % json_array_size(l->prompts));
    json_t *body = json_pack("{s:O,s:I,s:I}", "prompt", prompt, "max_tokens", (json_int_t)l->max_tokens, "seed",
                             (json_int_t)c->seed);
    rt_buffer_clear(&c->body);
    die_unless(rt_json_dump(body, JSON_COMPACT, &c->body, &err), &err);
    json_decref(body);
    const rt_http_request request = {.url = l->url,
                                     .headers = headers,
                                     .post = c->body.data,
                                     .post_length = c->body.length,
                                     .timeout = 600,
                                     .sink = {on_prepare, NULL, on_body, on_done},
                                     .context = c};
    die_unless(rt_http_start(l->http, &request, &err), &err);
}

static retort_status take_prompt(void *context, json_t *object, size_t line, retort_error *err) {
    load *l = context;
    const char *problem;
    RT_TRY(rt_json_string(object, "problem", "problems", &problem, err));
    char text[1024];
    (void)line;
    snprintf(text, sizeof text, "%s\n", problem);
    json_array_append_new(l->prompts, json_string(text));
    return RETORT_OK;
}

static void run_load(load *l, client *clients, int count) {
    retort_error err;
    double reported = l->begin;
    long long tokens = 0;
    for (int i = 0; i < count && wants_more(l); i++) ask(&clients[i]);
    while (rt_http_active(l->http) > 0) {
        die_unless(rt_http_step(l->http, 0.2, &err), &err);
        if (l->again || now() - reported < l->seconds / LINES) continue;
        printf("%5.0f s  %8lld answers  %lld failed  %7.0f tokens/s  %8lld kB resident  %4d descriptors\n",
               now() - l->begin, l->answered, l->failed, (double)(l->tokens - tokens) / (now() - reported),
               resident_kb(l->pid), descriptors(l->pid));
        fflush(stdout);
        reported = now();
        tokens = l->tokens;
    }
}

int main(int count, char **arguments) {
    if (count < 4) {
        fprintf(stderr, "usage: load_serve BASE_URL PID PROBLEMS.jsonl [CLIENTS] [SECONDS] [MAX_TOKENS]\n");
        return 2;
    }
    const int clients = count > 4 ? atoi(arguments[4]) : 200;
    static load l;
    l = (load){.pid = arguments[2],
               .prompts = json_array(),
               .seconds = count > 5 ? atof(arguments[5]) : 300,
               .max_tokens = count > 6 ? atoll(arguments[6]) : 320};
    char url[512];
    retort_error err;
    snprintf(url, sizeof url, "%s/completions", arguments[1]);
    l.url = url;
    const rt_http_options options = {.max_connections = clients, .connect_timeout = 30, .stall_timeout = 600};
    client *all = rt_calloc((size_t)clients, sizeof *all);
    die_unless(rt_http_create(&options, &l.http, &err), &err);
    die_unless(rt_jsonl_read(arguments[3], take_prompt, &l, &err), &err);
    for (int i = 0; i < clients; i++) all[i].load = &l;
    l.begin = now();
    run_load(&l, all, clients);
    const double took = now() - l.begin;
    l.again = true;
    l.asked = 0;
    run_load(&l, all, clients);
    printf("{\"clients\": %d, \"seconds\": %.1f, \"answers\": %lld, \"failed\": %lld, \"tokens\": %lld, "
           "\"tokens_per_second\": "
           "%.0f, \"asked_again\": %lld, \"different\": %lld}\n",
           clients, took, l.answered, l.failed, l.tokens, (double)l.tokens / took, l.compared, l.different);
    if (l.failed > 0) fprintf(stderr, "load_serve: %s\n", l.first_failure);
    rt_http_destroy(l.http);
    for (int i = 0; i < clients; i++) {
        rt_buffer_free(&all[i].body);
        rt_buffer_free(&all[i].answer);
    }
    rt_free(all);
    json_decref(l.prompts);
    return l.failed > 0 || l.different > 0;
}
