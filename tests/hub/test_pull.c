/* `retort pull` as a library, against the Hub of server.c: what it keeps, what it refuses, how it goes on. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/hub_cache.h"
#include "folders.h"
#include "retort/hub.h"
#include "server.h"

static hub_server *server;
static char *dir; /* fresh for each test */
static char *repo_folder;

typedef struct try {
    retort_pull_options options;
    retort_pull_result result;
    retort_error err;
    retort_status status;
}
try;

static void set(try *t, const char *name, const char *value) {
    retort_error err = {0};
    assert_ok(retort_options_set(retort_pull_option_table, &t->options, name, value, &err));
}

static void make(try *t, const char *repo) {
    memset(t, 0, sizeof *t);
    retort_error err = {0};
    assert_ok(retort_options_defaults(retort_pull_option_table, &t->options, &err));
    set(t, "repo", repo);
    set(t, "retry_pause", "0.01");
    set(t, "retries", "3");
    set(t, "timeout", "1");
}

static void go(try *t) {
    t->status = retort_pull(&t->options, NULL, &t->result, &t->err);
    if (strstr(t->err.message, HUB_TOKEN) != NULL) fail_msg("the token is in: %s", t->err.message);
    if (strstr(t->err.message, "secret") != NULL) fail_msg("a signature is in: %s", t->err.message);
}

static void drop(try *t) {
    retort_pull_result_release(&t->result);
    retort_options_release(retort_pull_option_table, &t->options);
}

static void assert_pulled(try *t) {
    if (t->status != RETORT_OK) fail_msg("%s: %s", t->options.repo, t->err.message);
}

static void assert_refused(try *t, retort_status status, const char *needle) {
    if (t->status != status || strstr(t->err.message, needle) == NULL)
        fail_msg("%s: expected %s '%s', got %s: %s", t->options.repo, retort_status_name(status), needle,
                 retort_status_name(t->status), t->err.message);
}

static const char *in_dir(const char *name) {
    static char paths[4][1024];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(paths[turn], sizeof paths[turn], "%s/%s", dir, name);
    return paths[turn];
}

static long long size_of(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 ? (long long)info.st_size : -1;
}

/* A file of a snapshot: a relative link to a blob, whose name is the hash of its content. */
static void assert_linked(const char *snapshot, const char *name, long long size) {
    retort_error err = {0};
    char path[1200], target[300], hex[65];
    snprintf(path, sizeof path, "%s/%s", snapshot, name);
    const ssize_t length = readlink(path, target, sizeof target - 1);
    assert_true(length > 0);
    target[length] = '\0';
    const char *hash = strrchr(target, '/') + 1;
    char expected[400] = "";
    for (const char *slash = name; (slash = strchr(slash, '/')) != NULL; slash++) strcat(expected, "../");
    strcat(expected, "../../blobs/");
    strcat(expected, hash);
    assert_string_equal(target, expected);
    assert_int_equal(size_of(path), size);
    if (strlen(hash) != 64) return;
    assert_ok(rt_sha256_file(path, hex, &err));
    assert_string_equal(hex, hash);
}

static bool anything_like(const char *end) {
    char command[1200];
    snprintf(command, sizeof command, "find '%s' -name '*%s' | grep -q .", dir, end);
    return system(command) == 0; // NOLINT(cert-env33-c)
}

static int set_up(void **state) {
    (void)state;
    dir = make_dir();
    repo_folder = NULL;
    hub_server_forget(server);
    setenv("HF_ENDPOINT", hub_server_endpoint(server), 1);
    setenv("HF_HOME", dir, 1);
    static const char *const UNSET[] = {"HF_HUB_CACHE",
                                        "HUGGINGFACE_HUB_CACHE",
                                        "HF_TOKEN",
                                        "HUGGING_FACE_HUB_TOKEN",
                                        "HF_TOKEN_PATH",
                                        "HF_HUB_OFFLINE",
                                        "TRANSFORMERS_OFFLINE",
                                        "HF_HUB_DISABLE_IMPLICIT_TOKEN",
                                        "http_proxy",
                                        "HTTP_PROXY",
                                        "all_proxy",
                                        "ALL_PROXY"};
    for (size_t i = 0; i < sizeof UNSET / sizeof *UNSET; i++) unsetenv(UNSET[i]);
    retort_interrupt_clear();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    drop_dir(dir);
    return 0;
}

/* ---- what it keeps ---- */

static void cache_layout(void **state) {
    (void)state;
    try t;
    make(&t, "org/tiny");
    go(&t);
    assert_pulled(&t);
    assert_string_equal(t.result.path, in_dir("hub/models--org--tiny/snapshots/" HUB_COMMIT));
    assert_string_equal(t.result.commit, HUB_COMMIT);
    assert_int_equal(t.result.files, 5);
    assert_int_equal(t.result.transferred, t.result.bytes);
    assert_linked(t.result.path, "config.json", 700);
    assert_linked(t.result.path, "generation_config.json", 120);
    assert_linked(t.result.path, "model.safetensors", HUB_WEIGHTS);
    assert_linked(t.result.path, "tokenizer.json", 90000);
    assert_linked(t.result.path, "tokenizer_config.json", 2000);
    /* Not asked for: pickles, other formats, the same weights again in a subfolder, documentation. */
    assert_false(anything_like("pytorch_model.bin"));
    assert_false(anything_like("onnx"));
    assert_false(anything_like("original"));
    assert_false(anything_like("README.md"));
    assert_false(anything_like(".incomplete"));
    rt_buffer text = {0};
    assert_int_equal(rt_file_read(in_dir("hub/models--org--tiny/refs/main"), &text, NULL), RETORT_OK);
    assert_string_equal(text.data, HUB_COMMIT); /* forty characters: no line feed, as huggingface_hub writes it */
    rt_buffer_free(&text);
    assert_true(rt_path_exists(in_dir("hub/CACHEDIR.TAG")));
    char *found = NULL;
    assert_int_equal(rt_model_path("org/tiny", &found, NULL), RETORT_OK);
    assert_string_equal(found, t.result.path);
    rt_free(found);
    drop(&t);
    /* Once more: one question about the revision, one about the files, and no body. */
    hub_server_forget(server);
    make(&t, "org/tiny");
    go(&t);
    assert_pulled(&t);
    assert_int_equal(t.result.transferred, 0);
    assert_int_equal(hub_server_seen(server).requests, 2);
    assert_int_equal(hub_server_seen(server).files, 0);
    drop(&t);
}

static void choices(void **state) {
    (void)state;
    try t;
    make(&t, "org/tiny");
    set(&t, "include", "*.json,onnx/,empty.txt");
    set(&t, "exclude", "tokenizer*");
    set(&t, "revision", "v1");
    go(&t);
    assert_pulled(&t);
    assert_int_equal(t.result.files, 4);
    assert_string_equal(t.result.commit, HUB_TAGGED);
    assert_linked(t.result.path, "onnx/model.onnx", 5000);
    assert_linked(t.result.path, "empty.txt", 0);
    assert_true(rt_path_exists(in_dir("hub/models--org--tiny/refs/v1")));
    assert_false(rt_path_exists(in_dir("hub/models--org--tiny/refs/main")));
    drop(&t);
    make(&t, "org/tiny");
    set(&t, "revision", "refs/pr/1");
    go(&t);
    assert_pulled(&t);
    assert_true(rt_path_exists(in_dir("hub/models--org--tiny/refs/refs/pr/1")));
    drop(&t);
    make(&t, "org/tiny");
    set(&t, "revision", HUB_COMMIT); /* a commit needs no name and is asked for directly */
    hub_server_forget(server);
    go(&t);
    assert_pulled(&t);
    assert_int_equal(hub_server_seen(server).requests, 1);
    drop(&t);
    make(&t, "data/set");
    set(&t, "repo_type", "dataset");
    go(&t);
    assert_pulled(&t);
    assert_int_equal(t.result.files, 3);
    assert_string_equal(t.result.path, in_dir("hub/datasets--data--set/snapshots/" HUB_COMMIT));
    assert_linked(t.result.path, "data/a b.jsonl", 2500);
    assert_linked(t.result.path, "data/z.parquet", 9000);
    drop(&t);
    make(&t, "fault/pages");
    go(&t);
    assert_pulled(&t);
    assert_int_equal(t.result.files, 5);
    drop(&t);
    make(&t, "fault/moved");
    go(&t);
    assert_pulled(&t);
    drop(&t);
}

static void plain_files(void **state) {
    (void)state;
    try t;
    char local[1024];
    snprintf(local, sizeof local, "%s", in_dir("here/model"));
    make(&t, "org/tiny");
    set(&t, "local_dir", local);
    go(&t);
    assert_pulled(&t);
    assert_string_equal(t.result.path, local);
    assert_int_equal(size_of(in_dir("here/model/model.safetensors")), HUB_WEIGHTS);
    assert_false(rt_path_exists(in_dir("hub")));
    rt_buffer text = {0};
    assert_int_equal(rt_file_read(in_dir("here/model/.cache/huggingface/download/config.json.metadata"), &text, NULL),
                     RETORT_OK);
    assert_memory_equal(text.data, HUB_COMMIT "\n", 41);
    rt_buffer_free(&text);
    drop(&t);
    hub_server_forget(server);
    write_text(local, "config.json", "changed by hand");
    unlink(in_dir("here/model/.cache/huggingface/download/tokenizer.json.metadata"));
    make(&t, "org/tiny");
    set(&t, "local_dir", local);
    go(&t);
    assert_pulled(&t);
    assert_int_equal(t.result.transferred, 700); /* the changed one; the other is known by its hash */
    assert_true(rt_path_exists(in_dir("here/model/.cache/huggingface/download/tokenizer.json.metadata")));
    assert_int_equal(hub_server_seen(server).files, 1);
    drop(&t);
    /* What the cache has is copied, not loaded. */
    make(&t, "org/tiny");
    go(&t);
    assert_pulled(&t);
    drop(&t);
    hub_server_forget(server);
    make(&t, "org/tiny");
    set(&t, "local_dir", in_dir("other"));
    go(&t);
    assert_pulled(&t);
    assert_int_equal(t.result.transferred, 0);
    assert_int_equal(size_of(in_dir("other/model.safetensors")), HUB_WEIGHTS);
    drop(&t);
}

static void offline(void **state) {
    (void)state;
    try t;
    make(&t, "org/tiny");
    set(&t, "offline", "true");
    go(&t);
    assert_refused(&t, RETORT_ERR_NOT_FOUND, "is not in the cache");
    drop(&t);
    make(&t, "org/tiny");
    go(&t);
    assert_pulled(&t);
    drop(&t);
    hub_server_forget(server);
    setenv("HF_HUB_OFFLINE", "1", 1);
    make(&t, "org/tiny");
    go(&t);
    assert_pulled(&t);
    assert_string_equal(t.result.path, in_dir("hub/models--org--tiny/snapshots/" HUB_COMMIT));
    write_text(t.result.path, "model.safetensors.index.json",
               "{\"weight_map\": {\"a\": \"model.safetensors\", \"b\": \"model-2.safetensors\"}}");
    drop(&t);
    make(&t, "org/tiny");
    go(&t);
    assert_refused(&t, RETORT_ERR_NOT_FOUND, "'model-2.safetensors' is missing");
    drop(&t);
    assert_int_equal(hub_server_seen(server).requests, 0);
}

/* ---- the token ---- */

static void tokens(void **state) {
    (void)state;
    try t;
    make(&t, "fault/private");
    go(&t);
    assert_refused(&t, RETORT_ERR_NOT_FOUND, "that everyone may see");
    drop(&t);
    setenv("HF_TOKEN", " " HUB_TOKEN "\n", 1);
    hub_server_forget(server);
    make(&t, "fault/private");
    go(&t);
    assert_pulled(&t);
    const hub_seen seen = hub_server_seen(server);
    assert_int_equal(seen.with_token, 7); /* revision, list, five files; the storage sees none */
    assert_int_equal(seen.requests, 8);
    assert_int_equal(seen.token_at_cdn, 0);
    drop(&t);
    setenv("HF_TOKEN", "hf_someothertoken", 1);
    make(&t, "fault/private");
    go(&t);
    assert_refused(&t, RETORT_ERR_USAGE, "refuses the token (HTTP 401)");
    assert_null(strstr(t.err.message, "hf_someothertoken"));
    drop(&t);
    setenv("HF_TOKEN", "two words", 1);
    make(&t, "org/tiny");
    go(&t);
    assert_refused(&t, RETORT_ERR_USAGE, "the token of HF_TOKEN has a space");
    drop(&t);
    unsetenv("HF_TOKEN");
    write_text(dir, "mine", HUB_TOKEN "\nsecond line\n");
    setenv("HF_TOKEN_PATH", in_dir("mine"), 1);
    make(&t, "fault/private");
    go(&t);
    assert_pulled(&t);
    drop(&t);
    unsetenv("HF_TOKEN_PATH");
    make(&t, "fault/private");
    set(&t, "token_file", in_dir("mine"));
    set(&t, "verify", "true");
    go(&t);
    assert_pulled(&t);
    drop(&t);
    make(&t, "fault/private");
    set(&t, "token_file", in_dir("none"));
    go(&t);
    assert_refused(&t, RETORT_ERR_NOT_FOUND, "cannot open");
    drop(&t);
    write_text(dir, "token", HUB_TOKEN); /* HF_HOME/token */
    make(&t, "fault/gated");
    go(&t);
    assert_refused(&t, RETORT_ERR_USAGE, "this token has no access");
    drop(&t);
    setenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1", 1);
    hub_server_forget(server);
    make(&t, "fault/gated");
    go(&t);
    assert_refused(&t, RETORT_ERR_USAGE, "is gated: ask for access at");
    assert_int_equal(hub_server_seen(server).with_token, 0);
    drop(&t);
    unsetenv("HF_HUB_DISABLE_IMPLICIT_TOKEN");
    setenv("HF_ENDPOINT", "http://hub.example", 1);
    make(&t, "org/tiny");
    go(&t);
    assert_refused(&t, RETORT_ERR_USAGE, "would travel unencrypted");
    drop(&t);
}

/* ---- what passes ---- */

static void goes_on(void **state) {
    (void)state;
    static const char *const REPOS[] = {"fault/busy", "fault/down", "fault/cut", "fault/whole", "fault/range"};
    for (size_t i = 0; i < sizeof REPOS / sizeof *REPOS; i++) {
        try t;
        hub_server_forget(server);
        make(&t, REPOS[i]);
        go(&t);
        assert_pulled(&t);
        assert_linked(t.result.path, "model.safetensors", HUB_WEIGHTS);
        const hub_seen seen = hub_server_seen(server);
        if (strcmp(REPOS[i], "fault/cut") == 0) {
            assert_int_equal(t.result.transferred, t.result.bytes); /* no byte twice */
            assert_int_equal(seen.range, 2800000);
            assert_int_equal(seen.if_range, 4);
        }
        drop(&t);
    }
}

/* A partial file of an earlier run, as long as `length`: right up to there, or not. */
static void leave_partial(const char *repo, long long length, bool right) {
    try t;
    char path[1100], *snapshot, partial[1200];
    make(&t, "org/tiny");
    go(&t);
    assert_pulled(&t);
    snprintf(path, sizeof path, "%s/model.safetensors", t.result.path);
    snapshot = realpath(path, NULL);
    assert_non_null(snapshot);
    rt_buffer bytes = {0};
    assert_int_equal(rt_file_read(path, &bytes, NULL), RETORT_OK);
    if (!right) bytes.data[1000] ^= 1;
    snprintf(path, sizeof path, "%s", in_dir("hub/models--fault--x/blobs"));
    const char *name = repo + strlen("fault/");
    snprintf(path, sizeof path, "%s/hub/models--fault--%s/blobs", dir, name);
    assert_int_equal(rt_make_dirs(path, NULL), RETORT_OK);
    snprintf(partial, sizeof partial, "%s/%s.incomplete", path, strrchr(snapshot, '/') + 1);
    assert_int_equal(rt_file_write(partial, bytes.data, (size_t)length, NULL), RETORT_OK);
    rt_buffer_free(&bytes);
    free(snapshot);
    drop(&t);
    hub_server_forget(server);
}

static void resumes(void **state) {
    (void)state;
    static const struct {
        const char *repo;
        long long length;
        bool right;
        long long weights; /* bytes of them that must travel */
    } CASES[] = {
        {"fault/cut", 2000000, true, HUB_WEIGHTS - 2000000},
        {"fault/cut", HUB_WEIGHTS, true, 0},                      /* killed before the rename */
        {"fault/cut", 2000000, false, 2 * HUB_WEIGHTS - 2000000}, /* the hash finds out: once more from the start */
        {"fault/cut", HUB_WEIGHTS, false, HUB_WEIGHTS},
        {"fault/whole", 2000000, true, HUB_WEIGHTS}, /* ranges are not served */
        {"fault/range", 2000000, true, HUB_WEIGHTS}, /* ranges are refused */
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        try t;
        leave_partial(CASES[i].repo, CASES[i].length, CASES[i].right);
        make(&t, CASES[i].repo);
        go(&t);
        assert_pulled(&t);
        assert_linked(t.result.path, "model.safetensors", HUB_WEIGHTS);
        assert_int_equal(t.result.transferred, 700 + 120 + 90000 + 2000 + CASES[i].weights);
        drop(&t);
        assert_false(anything_like(".incomplete"));
        assert_int_equal(rt_remove_tree(in_dir("hub"), NULL), RETORT_OK);
    }
}

static void damaged_blob(void **state) {
    (void)state;
    try t;
    char path[1100];
    make(&t, "org/tiny");
    go(&t);
    assert_pulled(&t);
    snprintf(path, sizeof path, "%s/model.safetensors", t.result.path);
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fputc('?', f), '?');
    assert_int_equal(fclose(f), 0);
    snprintf(path, sizeof path, "%s/config.json", t.result.path);
    assert_int_equal(truncate(path, 10), 0);
    drop(&t);
    make(&t, "org/tiny");
    go(&t);
    assert_pulled(&t);
    assert_int_equal(t.result.transferred, 700); /* a wrong size shows without hashing */
    drop(&t);
    make(&t, "org/tiny");
    set(&t, "verify", "true");
    go(&t);
    assert_pulled(&t);
    assert_int_equal(t.result.transferred, HUB_WEIGHTS);
    assert_linked(t.result.path, "model.safetensors", HUB_WEIGHTS);
    drop(&t);
}

/* ---- what does not ---- */

static void refusals(void **state) {
    (void)state;
    static const struct {
        const char *repo;
        retort_status status;
        const char *says;
    } CASES[] = {
        {"fault/closed", RETORT_ERR_IO, "too many requests (HTTP 429)"},
        {"fault/dead", RETORT_ERR_IO, "answered HTTP 500 (after 4 tries)"},
        {"fault/cutwhole", RETORT_ERR_IO, "(after 4 tries); check the network"},
        {"fault/badrange", RETORT_ERR_FORMAT, "another range than was asked for"},
        {"fault/hash", RETORT_ERR_IO, "arrived with another SHA-256 than the Hub lists; it was removed"},
        {"fault/short", RETORT_ERR_IO, "the server ends it after"},
        {"fault/long", RETORT_ERR_FORMAT, "the server has 3001000 bytes of it, the Hub lists 3000000"},
        {"fault/endless", RETORT_ERR_FORMAT, "is longer than the 3000000 bytes expected"},
        {"fault/silent", RETORT_ERR_IO, "run this again"},
        {"fault/html", RETORT_ERR_FORMAT, "answers with 'text/html' where the Hub answers with JSON"},
        {"fault/json", RETORT_ERR_FORMAT, "is not valid JSON"},
        {"fault/up", RETORT_ERR_FORMAT, "could lead out of its folder"},
        {"fault/huge", RETORT_ERR_IO, "not enough room"},
        {"fault/absurd", RETORT_ERR_FORMAT, "are absurd"},
        {"fault/twice", RETORT_ERR_FORMAT, "has '.gitattributes' twice"},
        {"fault/loop", RETORT_ERR_FORMAT, "more than 10 redirects"},
        {"fault/local", RETORT_ERR_FORMAT, "redirects to a 'file' URL, which is refused"},
        {"fault/nowhere", RETORT_ERR_FORMAT, "without saying where to"},
        {"fault/link", RETORT_ERR_FORMAT, "goes on at another server"},
        {"fault/linked", RETORT_ERR_FORMAT, "links to other content than it lists"},
        {"fault/header", RETORT_ERR_FORMAT, "header is longer than"},
        {"org/none", RETORT_ERR_NOT_FOUND, "there is no model 'org/none'"},
        {"org/gguf", RETORT_ERR_NOT_FOUND, "has no weights as safetensors, only *.gguf, *.bin"},
        {"a/b/c", RETORT_ERR_USAGE, "is no name of a repository"},
        {"../evil", RETORT_ERR_USAGE, "is no name of a repository"},
    };
    setenv("HF_TOKEN", HUB_TOKEN, 1);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        try t;
        hub_server_forget(server);
        if (strcmp(CASES[i].repo, "fault/badrange") == 0) leave_partial("fault/badrange", 1000, true);
        make(&t, CASES[i].repo);
        set(&t, "retries", strcmp(CASES[i].repo, "fault/silent") == 0 ? "0" : "3");
        if (strcmp(CASES[i].repo, "fault/twice") == 0) set(&t, "include", "*");
        go(&t);
        assert_refused(&t, CASES[i].status, CASES[i].says);
        assert_null(t.result.path);
        assert_int_equal(hub_server_seen(server).token_at_cdn, 0);
        drop(&t);
        if (strncmp(CASES[i].repo, "fault/", 6) != 0) continue;
        char ref[200];
        snprintf(ref, sizeof ref, "hub/models--fault--%s/refs/main", CASES[i].repo + 6);
        assert_false(rt_path_exists(in_dir(ref))); /* a name is given only to what is whole */
    }
    assert_false(rt_path_exists(in_dir("evil")));
    /* Nothing wrong is under a final name: only small files, which were right, and partial ones. */
    char command[1200];
    snprintf(command, sizeof command,
             "! find '%s/hub' -path '*fault*blobs*' ! -name '*.incomplete' -size +200k | grep -q .", dir);
    assert_int_equal(system(command), 0); // NOLINT(cert-env33-c)
}

static void missing_revisions(void **state) {
    (void)state;
    try t;
    make(&t, "org/tiny");
    set(&t, "revision", "nope");
    go(&t);
    assert_refused(&t, RETORT_ERR_NOT_FOUND, "'org/tiny' has no revision 'nope'");
    drop(&t);
    make(&t, "org/tiny");
    set(&t, "revision", "3333333333333333333333333333333333333333");
    go(&t);
    assert_refused(&t, RETORT_ERR_NOT_FOUND, "has no revision '3333");
    drop(&t);
    make(&t, "org/tiny");
    set(&t, "revision", "../../x");
    go(&t);
    assert_refused(&t, RETORT_ERR_USAGE, "is no name of a branch");
    drop(&t);
    make(&t, "org/tiny");
    set(&t, "include", "*.nope");
    go(&t);
    assert_refused(&t, RETORT_ERR_NOT_FOUND, "is left by --include and --exclude");
    drop(&t);
    setenv("HF_ENDPOINT", "ftp://x", 1);
    make(&t, "org/tiny");
    go(&t);
    assert_refused(&t, RETORT_ERR_USAGE, "must begin with https:// or http://");
    drop(&t);
    setenv("HF_ENDPOINT", "https://me:secret@x", 1);
    make(&t, "org/tiny");
    go(&t);
    assert_refused(&t, RETORT_ERR_USAGE, "must not hold a user name");
    drop(&t);
    setenv("HF_ENDPOINT", "http://127.0.0.1:1", 1);
    make(&t, "org/tiny");
    set(&t, "retries", "1");
    go(&t);
    assert_refused(&t, RETORT_ERR_IO, "(after 2 tries); check the network");
    drop(&t);
}

/* Another program holds a file's lock: the rest is fetched meanwhile, and the file is waited for. */
static void locks(void **state) {
    (void)state;
    try t;
    char lock[1100], freed[1100];
    retort_error err = {0};
    make(&t, "org/tiny");
    go(&t);
    assert_pulled(&t);
    snprintf(lock, sizeof lock, "%s/model.safetensors", t.result.path);
    char *blob = realpath(lock, NULL);
    assert_non_null(blob);
    assert_ok(rt_make_dirs(in_dir("hub/.locks/models--fault--cut"), &err));
    snprintf(lock, sizeof lock, "%s/hub/.locks/models--fault--cut/%s.lock", dir, strrchr(blob, '/') + 1);
    snprintf(freed, sizeof freed, "%s/freed", dir);
    free(blob);
    drop(&t);
    const int fd = open(lock, O_RDWR | O_CREAT, 0664);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    const pid_t child = fork(); /* it holds the lock through its copy of the descriptor */
    assert_true(child >= 0);
    if (child == 0) {
        usleep(400000);
        const int mark = open(freed, O_WRONLY | O_CREAT, 0666);
        _exit(mark >= 0 ? 0 : 1);
    }
    close(fd);
    make(&t, "fault/cut");
    go(&t);
    assert_pulled(&t);
    assert_true(rt_path_exists(freed));
    assert_linked(t.result.path, "model.safetensors", HUB_WEIGHTS);
    drop(&t);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void interrupted(void **state) {
    (void)state;
    try t;
    retort_interrupt();
    make(&t, "org/tiny");
    go(&t);
    assert_refused(&t, RETORT_ERR_INTERRUPTED, "the same command goes on from there");
    drop(&t);
    retort_interrupt_clear();
}

static void out_of_memory(void **state) {
    (void)state;
    try t;
    for (long i = 0;; i += i < 40 ? 1 : 7) {
        make(&t, "org/tiny");
        set(&t, "include", "config.json,onnx/*");
        set(&t, "cache_dir", in_dir("memory"));
        rt_fail_alloc(i, true);
        go(&t);
        const long count = rt_alloc_count();
        rt_fail_alloc(-1, false);
        const bool whole = count <= i;
        if (whole) assert_pulled(&t);
        if (!whole && t.status != RETORT_ERR_MEMORY && t.status != RETORT_OK)
            fail_msg("allocation %ld: %s", i, t.err.message);
        drop(&t);
        assert_int_equal(rt_remove_tree(in_dir("memory"), NULL), RETORT_OK);
        if (whole) return;
    }
}

int main(void) {
    server = hub_server_start(NULL, NULL);
    if (server == NULL) {
        printf("1..0 # SKIP no server on the loopback interface\n");
        return 0;
    }
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(cache_layout), TEST(choices),     TEST(plain_files),   TEST(offline),  TEST(tokens),
        TEST(goes_on),      TEST(resumes),     TEST(damaged_blob),  TEST(refusals), TEST(missing_revisions),
        TEST(locks),        TEST(interrupted), TEST(out_of_memory),
    };
    const int result = cmocka_run_group_tests(tests, NULL, NULL);
    hub_server_stop(server);
    return result;
}
