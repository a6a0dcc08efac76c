#include "server.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CUT = 700000, MAX_URLS = 256 };

typedef struct entry {
    const char *path;
    long long size;
    bool large;
} entry;

static const entry MODEL[] = {
    {".gitattributes", 100, false},
    {"README.md", 1234, false},
    {"config.json", 700, false},
    {"empty.txt", 0, false},
    {"generation_config.json", 120, false},
    {"model.safetensors", HUB_WEIGHTS, true},
    {"onnx/model.onnx", 5000, true},
    {"original/consolidated.safetensors", 6000, true},
    {"pytorch_model.bin", 7000, true},
    {"tokenizer.json", 90000, false},
    {"tokenizer_config.json", 2000, false},
};
static const entry GGUF[] = {{"README.md", 50, false}, {"model-q8.gguf", 4000, true}, {"pytorch_model.bin", 70, true}};
static const entry DATA[] = {{"README.md", 60, false}, {"data/a b.jsonl", 2500, false}, {"data/z.parquet", 9000, true}};
static const entry BASE[] = {{"config.json", -1, false},
                             {"generation_config.json", -1, false},
                             {"model.safetensors", -1, true},
                             {"tokenizer.json", -1, false},
                             {"tokenizer_config.json", -1, false}};

/* A file of a table with its bytes and their hashes. */
typedef struct file {
    entry e;
    unsigned char *bytes;
    char sha1[41], sha256[65];
} file;

enum {
    MODELS = sizeof MODEL / sizeof *MODEL,
    GGUFS = sizeof GGUF / sizeof *GGUF,
    DATAS = sizeof DATA / sizeof *DATA,
    BASES = sizeof BASE / sizeof *BASE
};

struct hub_server {
    file model[MODELS], gguf[GGUFS], data[DATAS], base[BASES];
    struct MHD_Daemon *hub, *cdn;
    char endpoint[64], storage[64], folder[512], log[512];
    pthread_mutex_t mutex;
    hub_seen seen;
    struct {
        char url[256];
        int count;
    } urls[MAX_URLS]; /* how often each was asked for */
};

/* ---- content ---- */

static unsigned char byte_at(const char *path, long long i) {
    uint32_t x = (uint32_t)i * 2654435761u + (uint32_t)strlen(path) * 97u + (unsigned char)path[0];
    return (unsigned char)((x ^ x >> 15) >> 7);
}

static const file *files_of(const hub_server *s, const char *repo, size_t *count) {
    const bool gguf = strcmp(repo, "org/gguf") == 0, data = strcmp(repo, "data/set") == 0,
               base = strcmp(repo, "org/base") == 0;
    *count = gguf ? GGUFS : data ? DATAS : base ? BASES : MODELS;
    return gguf ? s->gguf : data ? s->data : base ? s->base : s->model;
}

static void hex(const uint8_t *digest, size_t length, char *out) {
    for (size_t i = 0; i < length; i++) snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static void hash(file *f) {
    uint8_t digest[32];
    char header[40];
    struct sha1_ctx a;
    struct sha256_ctx b;
    const int length = snprintf(header, sizeof header, "blob %lld", f->e.size);
    sha1_init(&a);
    sha1_update(&a, (size_t)length + 1, (const uint8_t *)header);
    sha1_update(&a, (size_t)f->e.size, f->bytes);
    sha1_digest(&a, 20, digest);
    hex(digest, 20, f->sha1);
    sha256_init(&b);
    sha256_update(&b, (size_t)f->e.size, f->bytes);
    sha256_digest(&b, 32, digest);
    hex(digest, 32, f->sha256);
}

/* From the folder, or invented. */
static void fill(const char *folder, const entry *entries, size_t count, file *files) {
    for (size_t k = 0; k < count; k++) {
        file *f = &files[k];
        f->e = entries[k];
        FILE *in = NULL;
        if (f->e.size < 0) {
            char path[1024];
            snprintf(path, sizeof path, "%s/%s", folder != NULL ? folder : ".", f->e.path);
            in = fopen(path, "rb");
            if (in == NULL || fseek(in, 0, SEEK_END) != 0) abort();
            f->e.size = ftell(in);
            rewind(in);
        }
        f->bytes = malloc((size_t)f->e.size + 1);
        if (f->bytes == NULL) abort();
        for (long long i = 0; in == NULL && i < f->e.size; i++) f->bytes[i] = byte_at(f->e.path, i);
        if (in != NULL && fread(f->bytes, 1, (size_t)f->e.size, in) != (size_t)f->e.size) abort();
        if (in != NULL) fclose(in);
        hash(f);
    }
}

static void empty(file *files, size_t count) {
    for (size_t i = 0; i < count; i++) free(files[i].bytes);
}

/* ---- answers ---- */

static struct MHD_Response *text_response(const char *text, const char *type) {
    struct MHD_Response *r =
        MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
    MHD_add_response_header(r, "Content-Type", type);
    return r;
}

static enum MHD_Result send_response(struct MHD_Connection *c, unsigned status, struct MHD_Response *r) {
    const enum MHD_Result result = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return result;
}

static enum MHD_Result send_json(struct MHD_Connection *c, const char *text) {
    return send_response(c, 200, text_response(text, "application/json; charset=utf-8"));
}

static enum MHD_Result send_error(struct MHD_Connection *c, unsigned status, const char *code, const char *message) {
    struct MHD_Response *r = text_response("{\"error\":\"no\"}", "application/json; charset=utf-8");
    if (code != NULL) MHD_add_response_header(r, "X-Error-Code", code);
    if (message != NULL) MHD_add_response_header(r, "X-Error-Message", message);
    return send_response(c, status, r);
}

static enum MHD_Result redirect(struct MHD_Connection *c, unsigned status, const char *location) {
    struct MHD_Response *r = text_response("moved", "text/plain");
    if (location != NULL) MHD_add_response_header(r, "Location", location);
    return send_response(c, status, r);
}

/* A body on its way. */
typedef struct stream {
    const file *f;
    long long offset, end; /* end: where it stops; -1: never */
    bool cut, slow, wrong;
} stream;

static ssize_t read_stream(void *context, uint64_t position, char *out, size_t most) {
    stream *s = context;
    const long long at = s->offset + (long long)position;
    if (s->slow) {
        const struct timespec pause = {0, 40000000};
        nanosleep(&pause, NULL);
        if (most > 65536) most = 65536;
    }
    if (s->cut && (long long)position >= CUT) return MHD_CONTENT_READER_END_WITH_ERROR;
    if (s->end >= 0 && at >= s->end) return MHD_CONTENT_READER_END_OF_STREAM;
    if (s->end >= 0 && at + (long long)most > s->end) most = (size_t)(s->end - at);
    if (s->cut && (long long)(position + most) > CUT) most = (size_t)(CUT - (long long)position);
    const long long left = s->f->e.size - at;
    const size_t real = left <= 0 ? 0 : left < (long long)most ? (size_t)left : most;
    memset(out, 'x', most);
    if (real > 0) memcpy(out, s->f->bytes + at, real);
    const long long middle = s->f->e.size / 2;
    if (s->wrong && middle >= at && middle < at + (long long)real) out[middle - at] ^= 1;
    return (ssize_t)most;
}

static bool is_fault(const char *repo, const char *name) {
    return strncmp(repo, "fault/", 6) == 0 && strcmp(repo + 6, name) == 0;
}

/* The bytes of a file, from the Hub itself or from the storage. Faults concern large files only. */
static enum MHD_Result send_file(hub_server *server, struct MHD_Connection *c, const char *repo, const file *f) {
    const char *range = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Range");
    const char *condition = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "If-Range");
    const bool large = f->e.large;
    const long long size = f->e.size;
    long long from = range != NULL ? strtoll(range + strlen("bytes="), NULL, 10) : 0;
    char text[128], tag[80];
    snprintf(tag, sizeof tag, "\"%s\"", large ? "storage-has-tags-of-its-own" : f->sha1);
    pthread_mutex_lock(&server->mutex);
    server->seen.files++;
    if (range != NULL) server->seen.range = from;
    if (condition != NULL) server->seen.if_range++;
    pthread_mutex_unlock(&server->mutex);
    if (large && (is_fault(repo, "whole") || is_fault(repo, "cutwhole"))) from = 0;
    if (condition != NULL && strcmp(condition, tag) != 0) from = 0;
    if (from > 0 && (from >= size || (large && is_fault(repo, "range")))) return send_error(c, 416, NULL, NULL);
    stream *s = calloc(1, sizeof *s);
    if (s == NULL) abort();
    *s = (stream){.f = f, .offset = from, .end = size};
    uint64_t length = (uint64_t)(size - from);
    s->slow = large && is_fault(repo, "slow");
    s->wrong = large && is_fault(repo, "hash");
    s->cut = large && (is_fault(repo, "cut") || is_fault(repo, "cutwhole"));
    if (large && is_fault(repo, "short")) s->end = from + (size - from) / 2;
    if (large && is_fault(repo, "endless")) s->end = -1;
    if (s->end != size) length = MHD_SIZE_UNKNOWN;
    if (large && is_fault(repo, "long")) length = (uint64_t)(s->end = size + 1000) - (uint64_t)from;
    struct MHD_Response *r = MHD_create_response_from_callback(length, 1 << 16, read_stream, s, free);
    MHD_add_response_header(r, "ETag", tag);
    MHD_add_response_header(r, "X-Repo-Commit", HUB_COMMIT);
    if (from > 0) {
        const long long said = from - (is_fault(repo, "badrange") && large);
        snprintf(text, sizeof text, "bytes %lld-%lld/%lld", said, size - 1, size);
        MHD_add_response_header(r, "Content-Range", text);
    }
    return send_response(c, from > 0 ? 206 : 200, r);
}

static const file *find_file(const hub_server *s, const char *repo, const char *path) {
    size_t count;
    const file *files = files_of(s, repo, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(files[i].e.path, path) == 0) return &files[i];
    return NULL;
}

static enum MHD_Result on_resolve(hub_server *s, struct MHD_Connection *c, const char *repo, const char *path) {
    const file *f = find_file(s, repo, path);
    if (is_fault(repo, "gated")) return send_error(c, 403, "GatedRepo", "Access is restricted");
    if (f == NULL) return send_error(c, 404, "EntryNotFound", "Entry not found");
    if (!f->e.large) return send_file(s, c, repo, f);
    char location[512], sha256[65];
    memcpy(sha256, f->sha256, sizeof sha256);
    if (is_fault(repo, "linked")) sha256[0] = sha256[0] == '0' ? '1' : '0';
    snprintf(location, sizeof location, "%s/cdn/%s/%s?signature=secret", s->storage, repo, path);
    if (is_fault(repo, "loop")) snprintf(location, sizeof location, "/%s/resolve/%s/%s", repo, HUB_COMMIT, path);
    if (is_fault(repo, "local")) snprintf(location, sizeof location, "file:///etc/passwd");
    struct MHD_Response *r = text_response("Found", "text/plain");
    char tag[80];
    snprintf(tag, sizeof tag, "\"%s\"", sha256);
    MHD_add_response_header(r, "X-Linked-ETag", tag);
    snprintf(tag, sizeof tag, "%lld", f->e.size);
    MHD_add_response_header(r, "X-Linked-Size", tag);
    MHD_add_response_header(r, "X-Repo-Commit", HUB_COMMIT);
    if (!is_fault(repo, "nowhere")) MHD_add_response_header(r, "Location", location);
    return send_response(c, 302, r);
}

/* ---- the API ---- */

static void add_entry(const char *repo, const file *f, char *text, size_t size) {
    char lfs[200] = "";
    long long length = f->e.size;
    if (f->e.large && is_fault(repo, "huge")) length = 1LL << 60;
    if (f->e.large && is_fault(repo, "absurd")) length = INT64_MAX / 4;
    const char *path = strcmp(f->e.path, "README.md") == 0 && is_fault(repo, "up") ? "../../evil" : f->e.path;
    if (f->e.large)
        snprintf(lfs, sizeof lfs, ",\"lfs\":{\"oid\":\"%s\",\"size\":%lld,\"pointerSize\":132}", f->sha256, length);
    const size_t used = strlen(text);
    snprintf(text + used, size - used, "%s{\"type\":\"file\",\"oid\":\"%s\",\"size\":%lld%s,\"path\":\"%s\"}",
             text[used - 1] == '[' ? "" : ",", f->sha1, length, lfs, path);
}

static enum MHD_Result on_tree(hub_server *s, struct MHD_Connection *c, const char *repo) {
    char *text = calloc(1, 16384), link[512];
    size_t count;
    const file *files = files_of(s, repo, &count);
    const char *cursor = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "cursor");
    size_t begin = cursor != NULL ? strtoul(cursor, NULL, 10) : 0, end = count;
    if (text == NULL) abort();
    if (is_fault(repo, "pages")) end = begin < count ? begin + 1 : count;
    strcpy(text, "[");
    for (size_t i = begin; i < end; i++) add_entry(repo, &files[i], text, 16384);
    if (is_fault(repo, "twice")) add_entry(repo, &files[0], text, 16384);
    if (is_fault(repo, "absurd"))
        for (int i = 0; i < 4; i++) {
            char name[32];
            snprintf(name, sizeof name, "model-%d.safetensors", i);
            file big = s->model[5];
            big.e = (entry){name, 10, true};
            add_entry(repo, &big, text, 16384);
        }
    strcat(text, ",{\"type\":\"directory\",\"oid\":\"" HUB_TAGGED "\",\"size\":0,\"path\":\"onnx\"}]");
    struct MHD_Response *r = text_response(text, "application/json; charset=utf-8");
    free(text);
    if (is_fault(repo, "pages") && end < count) {
        snprintf(link, sizeof link, "<%s/api/models/%s/tree/%s?recursive=true&cursor=%zu>; rel=\"next\"", s->endpoint,
                 repo, HUB_COMMIT, end);
        MHD_add_response_header(r, "Link", link);
    }
    if (is_fault(repo, "link")) {
        snprintf(link, sizeof link, "<%s/api/more>; rel=\"next\"", s->storage);
        MHD_add_response_header(r, "Link", link);
    }
    return send_response(c, 200, r);
}

static enum MHD_Result on_revision(struct MHD_Connection *c, const char *repo, const char *revision) {
    char text[400];
    const char *commit = strcmp(revision, "v1") == 0 ? HUB_TAGGED : HUB_COMMIT;
    if (strcmp(revision, "main") != 0 && strcmp(revision, "v1") != 0 && strcmp(revision, "refs/pr/1") != 0)
        return send_error(c, 404, "RevisionNotFound", "Invalid rev id");
    snprintf(text, sizeof text, "{\"id\":\"%s\",\"sha\":\"%s\",\"siblings\":[]}", repo, commit);
    return send_json(c, text);
}

static bool is_known(const hub_server *s, const char *repo) {
    static const char *const NAMES[] = {"org/tiny", "org/gguf", "data/set"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (strcmp(repo, NAMES[i]) == 0) return true;
    return strncmp(repo, "fault/", 6) == 0 || (strcmp(repo, "org/base") == 0 && s->folder[0] != '\0');
}

/* Faults of the API as a whole; -1: none. */
static int api_fault(struct MHD_Connection *c, const char *repo, bool right, const char *given) {
    if (is_fault(repo, "html"))
        return (int)send_response(c, 200, text_response("<!doctype html><p>Please log in", "text/html"));
    if (is_fault(repo, "json")) return (int)send_json(c, "{\"sha\": \"" HUB_COMMIT "\", ");
    if (given != NULL && !right) return (int)send_error(c, 401, NULL, "Invalid credentials in Authorization header");
    if (is_fault(repo, "private") && !right) return (int)send_error(c, 401, "RepoNotFound", "Repository not found");
    if (is_fault(repo, "header")) {
        struct MHD_Response *r = text_response("{}", "application/json");
        char *value = malloc(30001);
        if (value == NULL) abort();
        memset(value, 'x', 30000);
        value[30000] = '\0';
        for (int i = 0; i < 4; i++) MHD_add_response_header(r, "X-Long", value);
        free(value);
        return (int)send_response(c, 200, r);
    }
    return -1;
}

/* ---- both ports ---- */

/* How often this was asked for before; for faults that pass. */
static int times_asked(hub_server *s, const char *url) {
    int times = 0;
    pthread_mutex_lock(&s->mutex);
    for (int i = 0; i < MAX_URLS; i++) {
        if (s->urls[i].url[0] == '\0') snprintf(s->urls[i].url, sizeof s->urls[i].url, "%s", url);
        if (strcmp(s->urls[i].url, url) != 0) continue;
        times = s->urls[i].count++;
        break;
    }
    pthread_mutex_unlock(&s->mutex);
    return times;
}

static void note(hub_server *s, struct MHD_Connection *c, const char *url, bool at_hub) {
    const char *token = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Authorization");
    const char *range = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Range");
    pthread_mutex_lock(&s->mutex);
    s->seen.requests++;
    s->seen.with_token += at_hub && token != NULL && strcmp(token, "Bearer " HUB_TOKEN) == 0;
    s->seen.token_at_cdn += !at_hub && token != NULL;
    if (s->log[0] != '\0') {
        FILE *f = fopen(s->log, "a");
        if (f != NULL) {
            fprintf(f, "%s %s%s%s%s\n", at_hub ? "hub" : "cdn", url, token != NULL ? " token" : "",
                    range != NULL ? " " : "", range != NULL ? range : "");
            fclose(f);
        }
    }
    pthread_mutex_unlock(&s->mutex);
}

/* "ORG/NAME/WHAT/REST" into its parts. */
static bool split(const char *url, char repo[128], char what[16], const char **rest) {
    int used = 0;
    char org[64], name[64];
    if (sscanf(url, "%63[^/]/%63[^/]/%15[^/]/%n", org, name, what, &used) != 3 || used == 0) return false;
    snprintf(repo, 128, "%s/%s", org, name);
    *rest = url + used;
    return true;
}

static int passing_fault(hub_server *s, struct MHD_Connection *c, const char *repo, const char *url) {
    struct MHD_Response *r;
    if (is_fault(repo, "dead")) return (int)send_error(c, 500, NULL, NULL);
    if (is_fault(repo, "closed")) {
        r = text_response("slow down", "text/plain");
        MHD_add_response_header(r, "Retry-After", "3600");
        return (int)send_response(c, 429, r);
    }
    if ((!is_fault(repo, "busy") && !is_fault(repo, "down")) || times_asked(s, url) >= 2) return -1;
    r = text_response("later", "text/plain");
    if (is_fault(repo, "busy")) MHD_add_response_header(r, "Retry-After", "0");
    return (int)send_response(c, is_fault(repo, "busy") ? 429 : 503, r);
}

static enum MHD_Result on_hub(void *context, struct MHD_Connection *c, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **state) {
    hub_server *s = context;
    char repo[128], what[16], target[512];
    const char *rest, *token = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Authorization");
    const bool right = token != NULL && strcmp(token, "Bearer " HUB_TOKEN) == 0;
    (void)version;
    (void)upload;
    (void)upload_size;
    (void)state;
    note(s, c, url, true);
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) return send_error(c, 405, NULL, NULL);
    const bool api = strncmp(url, "/api/", 5) == 0;
    const char *start = url + (api ? 5 : 1);
    if (strncmp(start, "models/", 7) == 0) start += 7;
    if (strncmp(start, "datasets/", 9) == 0) start += 9;
    if (!split(start, repo, what, &rest) || !is_known(s, repo))
        return send_error(c, 401, "RepoNotFound", "no such repo");
    if (is_fault(repo, "silent")) sleep(3);
    int fault = passing_fault(s, c, repo, url);
    if (fault < 0 && api) fault = api_fault(c, repo, right, token);
    if (fault >= 0) return (enum MHD_Result)fault;
    if (is_fault(repo, "moved")) {
        snprintf(target, sizeof target, "%s/org/tiny/%s/%s", api ? "/api/models" : "", what, rest);
        return redirect(c, 307, target);
    }
    if (api && strcmp(what, "revision") == 0) return on_revision(c, repo, rest);
    if (strcmp(rest, "3333333333333333333333333333333333333333") == 0)
        return send_error(c, 404, "RevisionNotFound", "Invalid rev id");
    if (api && strcmp(what, "tree") == 0) return on_tree(s, c, repo);
    const char *path = strchr(rest, '/');
    if (!api && strcmp(what, "resolve") == 0 && path != NULL) return on_resolve(s, c, repo, path + 1);
    return send_error(c, 404, NULL, NULL);
}

static enum MHD_Result on_cdn(void *context, struct MHD_Connection *c, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **state) {
    hub_server *s = context;
    char repo[128], org[64], name[64];
    int used = 0;
    (void)version;
    (void)upload;
    (void)upload_size;
    (void)state;
    note(s, c, url, false);
    const char *signature = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "signature");
    if (strcmp(method, "GET") != 0 || signature == NULL) return send_error(c, 403, NULL, NULL);
    if (sscanf(url, "/cdn/%63[^/]/%63[^/]/%n", org, name, &used) != 2 || used == 0)
        return send_error(c, 404, NULL, NULL);
    snprintf(repo, sizeof repo, "%s/%s", org, name);
    const file *f = find_file(s, repo, url + used);
    return f != NULL ? send_file(s, c, repo, f) : send_error(c, 404, NULL, NULL);
}

static struct MHD_Daemon *listen_on(MHD_AccessHandlerCallback handler, hub_server *s, char *address, size_t size) {
    struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_Daemon *d =
        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, NULL, NULL, handler, s,
                         MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&loopback, MHD_OPTION_CONNECTION_TIMEOUT, 10u,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)1 << 19, MHD_OPTION_END);
    const union MHD_DaemonInfo *info = d != NULL ? MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT) : NULL;
    if (info != NULL) snprintf(address, size, "http://127.0.0.1:%u", (unsigned)info->port);
    return info != NULL ? d : NULL;
}

hub_server *hub_server_start(const char *folder, const char *log) {
    hub_server *s = calloc(1, sizeof *s);
    if (s == NULL) return NULL;
    pthread_mutex_init(&s->mutex, NULL);
    snprintf(s->folder, sizeof s->folder, "%s", folder != NULL ? folder : "");
    snprintf(s->log, sizeof s->log, "%s", log != NULL ? log : "");
    s->seen.range = -1;
    fill(NULL, MODEL, MODELS, s->model);
    fill(NULL, GGUF, GGUFS, s->gguf);
    fill(NULL, DATA, DATAS, s->data);
    if (folder != NULL) fill(folder, BASE, BASES, s->base);
    s->hub = listen_on(on_hub, s, s->endpoint, sizeof s->endpoint);
    s->cdn = listen_on(on_cdn, s, s->storage, sizeof s->storage);
    if (s->hub != NULL && s->cdn != NULL) return s;
    hub_server_stop(s);
    return NULL;
}

void hub_server_stop(hub_server *s) {
    if (s == NULL) return;
    if (s->hub != NULL) MHD_stop_daemon(s->hub);
    if (s->cdn != NULL) MHD_stop_daemon(s->cdn);
    pthread_mutex_destroy(&s->mutex);
    empty(s->model, MODELS);
    empty(s->gguf, GGUFS);
    empty(s->data, DATAS);
    empty(s->base, BASES);
    free(s);
}

const char *hub_server_endpoint(const hub_server *s) {
    return s->endpoint;
}

hub_seen hub_server_seen(hub_server *s) {
    pthread_mutex_lock(&s->mutex);
    const hub_seen seen = s->seen;
    pthread_mutex_unlock(&s->mutex);
    return seen;
}

/* A client that gave up leaves requests behind which are still being read: they belong to what is forgotten. */
static void wait_until_quiet(hub_server *s) {
    for (int before = -1, now = 0; before != now;) {
        const struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};
        before = now;
        nanosleep(&pause, NULL);
        pthread_mutex_lock(&s->mutex);
        now = s->seen.requests;
        pthread_mutex_unlock(&s->mutex);
    }
}

void hub_server_forget(hub_server *s) {
    wait_until_quiet(s);
    pthread_mutex_lock(&s->mutex);
    s->seen = (hub_seen){.range = -1};
    memset(s->urls, 0, sizeof s->urls);
    pthread_mutex_unlock(&s->mutex);
}
