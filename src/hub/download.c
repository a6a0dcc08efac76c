#include "hub/download.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/progress.h"
#include "hub/partial.h"

static const double LOCK_INTERVAL = 0.2; /* seconds between two looks at a lock that another program holds */

typedef enum job_state { WAITING, RUNNING, FINISHED } job_state;

struct download;

typedef struct job {
    struct download *all;
    const rt_hub_file *file;
    job_state state;
    rt_hub_place place;
    rt_partial partial;
    int lock;
    char *url;
    char tag[128];     /* entity tag of the last answer, in quotes; "" */
    bool resumed;      /* it began with bytes of an earlier run, which may be bad */
    int short_ends;    /* answers in a row that ended too early */
    long long present; /* bytes on disk */
    double not_before; /* of the next look at its lock */
} job;

typedef struct download {
    const rt_hub_store *store;
    const rt_hub_download_options *options;
    job *jobs;
    size_t count, left, first; /* first: every job before it has been started */
    int running;
    long long total, transferred;
    retort_status status; /* of the first job that failed */
    retort_error err;
} download;

/* ---- one file ---- */

static void let_go(job *j, bool keep) {
    rt_partial_close(&j->partial, keep);
    if (j->lock >= 0) close(j->lock);
    j->lock = -1;
    rt_free(j->url);
    j->url = NULL;
    rt_hub_place_release(&j->place);
}

static void finished(job *j) {
    let_go(j, true);
    j->present = j->file->size;
    j->state = FINISHED;
    j->all->left--;
}

static void failed(job *j, retort_status status, const retort_error *err) {
    if (j->all->status == RETORT_OK) {
        j->all->status = status;
        j->all->err = *err;
    }
    let_go(j, true);
}

static retort_status start(job *j, retort_error *err);

/* All bytes are there. */
static retort_status finish(job *j, retort_error *err) {
    if (!rt_partial_is_right(&j->partial) && j->resumed) {
        j->resumed = false; /* the fault may be in what an earlier run left: once more from the start */
        RT_TRY(rt_partial_restart(&j->partial, err));
        return start(j, err);
    }
    if (!rt_partial_is_right(&j->partial)) {
        rt_partial_close(&j->partial, false);
        return rt_fail(
            err, RETORT_ERR_IO,
            "'%s' of '%s' arrived with another %s than the Hub lists; it was removed: run this again, and if "
            "that does not help, do not trust the server",
            j->file->path, j->all->store->hub->repo, j->file->large ? "SHA-256" : "content");
    }
    RT_TRY(rt_hub_make_parent(j->place.final, err));
    RT_TRY(rt_partial_commit(&j->partial, j->place.final, err));
    RT_TRY(rt_hub_publish(&j->place, j->file, j->all->store->hub->commit, err));
    finished(j);
    return RETORT_OK;
}

/* ---- what the connection calls ---- */

static void on_prepare(void *context, long long *offset, const char **if_range) {
    job *j = context;
    *offset = j->partial.size;
    *if_range = j->tag[0] != '\0' ? j->tag : NULL;
}

/* On its way to the storage the Hub says what it sends for: a repository that has changed, or another server, shows
 * here and not after gigabytes. */
static retort_status check_linked(const job *j, const rt_http_head *head, retort_error *err) {
    char tag[128];
    if (!rt_parse_etag(rt_headers_get(head->headers, "x-linked-etag"), tag, sizeof tag, NULL)) return RETORT_OK;
    RT_CHECK(strcmp(tag, j->file->hash) == 0, err, RETORT_ERR_FORMAT,
             "'%s' of '%s': the Hub links to other content than it lists", j->file->path, j->all->store->hub->repo);
    return RETORT_OK;
}

static retort_status check_length(const job *j, const rt_http_head *head, retort_error *err) {
    const char *length = rt_headers_get(head->headers, "content-length");
    if (length == NULL || rt_headers_get(head->headers, "content-encoding") != NULL) return RETORT_OK;
    RT_CHECK(strtoll(length, NULL, 10) == j->file->size, err, RETORT_ERR_FORMAT,
             "'%s' of '%s': the server has %.20s bytes of it, the Hub lists %lld", j->file->path,
             j->all->store->hub->repo, length, j->file->size);
    return RETORT_OK;
}

static retort_status on_head(void *context, const rt_http_head *head, retort_error *err) {
    job *j = context;
    long long first, last, total;
    bool weak = true;
    char tag[100];
    if (head->status >= 300) return check_linked(j, head, err);
    if (head->status == 206) {
        const char *range = rt_headers_get(head->headers, "content-range");
        RT_CHECK(rt_parse_content_range(range, &first, &last, &total) && first == j->partial.size &&
                     (total < 0 || total == j->file->size),
                 err, RETORT_ERR_FORMAT, "'%s' of '%s': the server answers with another range than was asked for",
                 j->file->path, j->all->store->hub->repo);
    } else {
        RT_TRY(check_length(j, head, err));
        if (j->partial.size > 0) RT_TRY(rt_partial_restart(&j->partial, err)); /* ranges are not served */
        j->present = 0;
    }
    j->tag[0] = '\0';
    if (rt_parse_etag(rt_headers_get(head->headers, "etag"), tag, sizeof tag, &weak) && !weak)
        snprintf(j->tag, sizeof j->tag, "\"%s\"", tag);
    return RETORT_OK;
}

static retort_status on_body(void *context, const void *bytes, size_t length, retort_error *err) {
    job *j = context;
    RT_TRY(rt_partial_append(&j->partial, bytes, length, err));
    j->present = j->partial.size;
    j->all->transferred += (long long)length;
    j->short_ends = 0;
    return RETORT_OK;
}

static retort_status ended(job *j, const rt_http_outcome *outcome, retort_error *err) {
    const rt_hub *hub = j->all->store->hub;
    if (outcome->status == RETORT_OK && j->partial.size == j->file->size) return finish(j, err);
    if (outcome->status == RETORT_OK) {
        RT_CHECK(j->short_ends++ < j->all->options->restarts, err, RETORT_ERR_IO,
                 "'%s' of '%s': the server ends it after %lld of %lld bytes; run this again later", j->file->path,
                 hub->repo, j->partial.size, j->file->size);
        return start(j, err);
    }
    if (outcome->head.status == 416 && j->partial.size > 0 && j->resumed) {
        j->resumed = false;
        RT_TRY(rt_partial_restart(&j->partial, err));
        return start(j, err);
    }
    *err = *outcome->err;
    return rt_hub_explain(hub, j->file->path, outcome->head.status, outcome->head.headers, outcome->status, err);
}

static void on_done(void *context, const rt_http_outcome *outcome) {
    job *j = context;
    retort_error err = {0};
    j->all->running--;
    const retort_status st = ended(j, outcome, &err);
    if (st != RETORT_OK) failed(j, st, &err);
}

static retort_status start(job *j, retort_error *err) {
    const rt_hub *hub = j->all->store->hub;
    if (j->url == NULL) RT_TRY(rt_hub_file_url(hub, j->file->path, &j->url, err));
    j->tag[0] = '\0';
    const rt_http_request request = {
        .url = j->url,
        .token = hub->token,
        .max_body = j->file->size,
        .sink = {.prepare = on_prepare, .head = on_head, .body = on_body, .done = on_done},
        .context = j,
    };
    RT_TRY(rt_http_start(hub->http, &request, err));
    j->all->running++;
    return RETORT_OK;
}

/* ---- before the connection ---- */

/* A plain file whose content the cache has, or had: what is wrong there shows in the hash. */
static retort_status copy_from_cache(job *j, retort_error *err) {
    char chunk[1 << 16];
    const int from = open(j->place.blob, O_RDONLY | O_CLOEXEC);
    if (from < 0) return RETORT_OK;
    retort_status st = RETORT_OK;
    ssize_t got = lseek(from, j->partial.size, SEEK_SET) < 0 ? -1 : 1;
    while (st == RETORT_OK && got > 0 && j->partial.size < j->file->size) {
        const long long left = j->file->size - j->partial.size;
        got = read(from, chunk, left < (long long)sizeof chunk ? (size_t)left : sizeof chunk);
        if (got > 0) st = rt_partial_append(&j->partial, chunk, (size_t)got, err);
        if (st == RETORT_OK && rt_interrupted()) st = rt_fail(err, RETORT_ERR_INTERRUPTED, "interrupted");
    }
    close(from);
    j->present = j->partial.size;
    return st;
}

/* Takes the lock and does what can be done without the network; without the lock the job goes on waiting. */
static retort_status begin(job *j, retort_error *err) {
    bool present;
    const rt_hub_store *store = j->all->store;
    RT_TRY(rt_hub_place_of(store, j->file, &j->place, err));
    RT_TRY(rt_hub_lock(&j->place, &j->lock, err));
    if (j->lock < 0) {
        rt_hub_place_release(&j->place);
        j->not_before = rt_now() + LOCK_INTERVAL;
        return RETORT_OK;
    }
    RT_TRY(rt_hub_look(&j->place, j->file, store->hub->commit, j->all->options->verify, &present, err));
    if (present) {
        finished(j);
        return RETORT_OK;
    }
    RT_TRY(rt_partial_open(&j->partial, j->place.partial, j->file, err));
    if (j->place.blob != NULL) RT_TRY(copy_from_cache(j, err));
    j->resumed = j->partial.size > 0;
    j->present = j->partial.size;
    j->state = RUNNING;
    return j->partial.size == j->file->size ? finish(j, err) : start(j, err);
}

/* ---- all of them ---- */

static retort_status survey(download *d, const rt_hub_files *files, retort_error *err) {
    d->jobs = rt_calloc(files->count, sizeof *d->jobs);
    RT_CHECK(d->jobs != NULL, err, RETORT_ERR_MEMORY, "out of memory: %zu downloads", files->count);
    d->count = d->left = files->count;
    for (size_t i = 0; i < d->count; i++) {
        job *j = &d->jobs[i];
        *j = (job){.all = d, .file = &files->data[i], .lock = -1, .partial = {.fd = -1}};
    }
    for (size_t i = 0; i < d->count; i++) {
        job *j = &d->jobs[i];
        struct stat info;
        RT_CHECK(!__builtin_add_overflow(d->total, j->file->size, &d->total), err, RETORT_ERR_FORMAT,
                 "the sizes that the Hub lists for '%s' are absurd", d->store->hub->repo);
        RT_TRY(rt_hub_place_of(d->store, j->file, &j->place, err));
        if (stat(j->place.final, &info) == 0 || stat(j->place.partial, &info) == 0)
            j->present = info.st_size < j->file->size ? info.st_size : j->file->size;
        rt_hub_place_release(&j->place);
    }
    return RETORT_OK;
}

static long long present_bytes(const download *d) {
    long long sum = 0;
    for (size_t i = 0; i < d->count; i++) sum += d->jobs[i].present;
    return sum;
}

static retort_status check_room(const download *d, retort_error *err) {
    struct statvfs disk;
    const char *folder = d->store->local != NULL ? d->store->local : d->store->folder;
    const long long needed = d->total - present_bytes(d);
    if (statvfs(folder, &disk) != 0) return RETORT_OK; /* writing will tell */
    const double room = (double)disk.f_bavail * (double)disk.f_frsize;
    RT_CHECK((double)needed <= room, err, RETORT_ERR_IO,
             "not enough room in '%s': %.1f MB are needed, %.1f MB are free; make room, or choose another folder "
             "(--cache-dir, --local-dir) or fewer files (--include)",
             folder, 1e-6 * (double)needed, 1e-6 * room);
    return RETORT_OK;
}

static void start_some(download *d) {
    while (d->first < d->count && d->jobs[d->first].state != WAITING) d->first++;
    const double now = rt_now();
    for (size_t i = d->first; i < d->count && d->running < d->options->workers && d->status == RETORT_OK; i++) {
        job *j = &d->jobs[i];
        retort_error err = {0};
        if (j->state != WAITING || j->not_before > now) continue;
        const retort_status st =
            rt_interrupted() ? rt_fail(&err, RETORT_ERR_INTERRUPTED, "interrupted") : begin(j, &err);
        if (st != RETORT_OK) failed(j, st, &err);
    }
}

static void report(const download *d, const retort_progress *progress) {
    const job *shown = NULL;
    char message[160];
    if (progress == NULL || d->total == 0) return;
    for (size_t i = 0; i < d->count && shown == NULL; i++)
        if (d->jobs[i].state == RUNNING) shown = &d->jobs[i];
    if (shown != NULL && d->running > 1)
        snprintf(message, sizeof message, "%s and %d more", shown->file->path, d->running - 1);
    else
        snprintf(message, sizeof message, "%s", shown != NULL ? shown->file->path : "waiting for another program");
    /* The last report is the caller's: bytes may be complete before their hashes are known to be right. */
    const long long present = present_bytes(d);
    if (present < d->total) rt_progress(progress, "pull", (double)present, (double)d->total, "B", message);
}

static retort_status run(download *d, const retort_progress *progress, retort_error *err) {
    report(d, progress);
    while (d->left > 0 && d->status == RETORT_OK) {
        start_some(d);
        if (d->left > 0 && d->status == RETORT_OK) RT_TRY(rt_http_step(d->store->hub->http, LOCK_INTERVAL, err));
        report(d, progress);
    }
    if (d->status != RETORT_OK && err != NULL) *err = d->err;
    return d->status;
}

retort_status rt_hub_download(const rt_hub_store *store, const rt_hub_files *files,
                              const rt_hub_download_options *options, const retort_progress *progress,
                              long long *transferred, retort_error *err) {
    download d = {.store = store, .options = options};
    retort_status st = rt_hub_store_create(store, err);
    if (st == RETORT_OK) st = survey(&d, files, err);
    if (st == RETORT_OK) st = check_room(&d, err);
    if (st == RETORT_OK) st = run(&d, progress, err);
    rt_http_cancel(store->hub->http);
    for (size_t i = 0; i < d.count; i++) let_go(&d.jobs[i], true);
    rt_free(d.jobs);
    if (st == RETORT_OK && d.total > 0) rt_progress(progress, "pull", (double)d.total, (double)d.total, "B", NULL);
    *transferred = d.transferred;
    return st;
}
