#include "hub/partial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/progress.h"

enum { CHUNK = 1 << 18 };

/* git hashes a header before the content, which holds the size: that of the whole, known from the start. */
static void begin_hash(rt_partial *p) {
    if (p->file->large) {
        sha256_init(&p->state.sha256);
        return;
    }
    char header[40];
    const int length = snprintf(header, sizeof header, "blob %lld", p->file->size);
    sha1_init(&p->state.sha1);
    sha1_update(&p->state.sha1, (size_t)length + 1, (const uint8_t *)header); /* with its NUL */
}

static void hash(rt_partial *p, const void *bytes, size_t length) {
    if (p->file->large)
        sha256_update(&p->state.sha256, length, bytes);
    else
        sha1_update(&p->state.sha1, length, bytes);
    p->size += (long long)length;
}

/* Hashes from the file's present place to its end. */
static retort_status hash_rest(rt_partial *p, retort_error *err) {
    char *chunk = rt_malloc(CHUNK);
    RT_CHECK(chunk != NULL, err, RETORT_ERR_MEMORY, "out of memory while reading '%s'", p->path);
    retort_status st = RETORT_OK;
    ssize_t got;
    while (st == RETORT_OK && (got = read(p->fd, chunk, CHUNK)) != 0) {
        if (got > 0)
            hash(p, chunk, (size_t)got);
        else if (errno != EINTR)
            st = rt_fail(err, RETORT_ERR_IO, "cannot read '%s': %s", p->path, strerror(errno));
        if (st == RETORT_OK && rt_interrupted()) st = rt_fail(err, RETORT_ERR_INTERRUPTED, "interrupted");
    }
    rt_free(chunk);
    return st;
}

retort_status rt_partial_open(rt_partial *p, const char *path, const rt_hub_file *file, retort_error *err) {
    struct stat st;
    *p = (rt_partial){.path = rt_strdup(path), .fd = -1, .file = file};
    RT_CHECK(p->path != NULL, err, RETORT_ERR_MEMORY, "out of memory: path '%s'", path);
    p->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    retort_status status = RETORT_OK;
    if (p->fd < 0 || fstat(p->fd, &st) != 0 || !S_ISREG(st.st_mode))
        status = rt_fail(err, RETORT_ERR_IO, "cannot write '%s': %s", path,
                         p->fd < 0 ? strerror(errno) : "it is not a regular file");
    else if (st.st_size > file->size)
        status = rt_partial_restart(p, err);
    else {
        begin_hash(p);
        status = hash_rest(p, err);
    }
    if (status != RETORT_OK) rt_partial_close(p, true);
    return status;
}

retort_status rt_partial_restart(rt_partial *p, retort_error *err) {
    RT_CHECK(ftruncate(p->fd, 0) == 0 && lseek(p->fd, 0, SEEK_SET) == 0, err, RETORT_ERR_IO, "cannot empty '%s': %s",
             p->path, strerror(errno));
    p->size = 0;
    begin_hash(p);
    return RETORT_OK;
}

retort_status rt_partial_append(rt_partial *p, const void *bytes, size_t length, retort_error *err) {
    const char *at = bytes;
    RT_CHECK((long long)length <= p->file->size - p->size, err, RETORT_ERR_FORMAT,
             "'%s' is longer than the %lld bytes that the Hub lists for it", p->file->path, p->file->size);
    while (length > 0) {
        const ssize_t done = write(p->fd, at, length);
        if (done < 0 && errno == EINTR) continue;
        RT_CHECK(done >= 0, err, RETORT_ERR_IO,
                 "cannot write '%s': %s; %lld bytes of '%s' are there and stay: make room, then run this again",
                 p->path, strerror(errno), p->size, p->file->path);
        hash(p, at, (size_t)done);
        at += done;
        length -= (size_t)done;
    }
    return RETORT_OK;
}

bool rt_partial_is_right(const rt_partial *p) {
    uint8_t digest[SHA256_DIGEST_SIZE];
    char hex[2 * SHA256_DIGEST_SIZE + 1];
    rt_partial copy = *p; /* a digest ends a state; more bytes may follow */
    const size_t length = p->file->large ? SHA256_DIGEST_SIZE : SHA1_DIGEST_SIZE;
    if (p->size != p->file->size) return false;
    if (p->file->large)
        sha256_digest(&copy.state.sha256, length, digest);
    else
        sha1_digest(&copy.state.sha1, length, digest);
    for (size_t i = 0; i < length; i++) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    return strcmp(hex, p->file->hash) == 0;
}

retort_status rt_partial_commit(rt_partial *p, const char *final, retort_error *err) {
    const bool flushed = fsync(p->fd) == 0, closed = close(p->fd) == 0;
    p->fd = -1;
    retort_status st = RETORT_OK;
    if (!flushed || !closed || rename(p->path, final) != 0)
        st = rt_fail(err, RETORT_ERR_IO, "cannot write '%s': %s", final, strerror(errno));
    rt_free(p->path);
    p->path = NULL;
    return st;
}

void rt_partial_close(rt_partial *p, bool keep) {
    if (p->fd >= 0) close(p->fd);
    if (p->fd >= 0 && !keep) (void)unlink(p->path);
    p->fd = -1;
    rt_free(p->path);
    p->path = NULL;
}

retort_status rt_hub_file_is_right(const char *path, const rt_hub_file *file, bool *right, retort_error *err) {
    struct stat info;
    *right = false;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size != file->size) return RETORT_OK;
    rt_partial p = {.fd = open(path, O_RDONLY | O_CLOEXEC), .file = file, .path = rt_strdup(path)};
    retort_status st = RETORT_OK;
    if (p.fd < 0 || p.path == NULL) {
        st = rt_fail(err, RETORT_ERR_IO, "cannot open '%s': %s", path, strerror(errno));
    } else {
        begin_hash(&p);
        st = hash_rest(&p, err);
        *right = st == RETORT_OK && rt_partial_is_right(&p);
    }
    rt_partial_close(&p, true);
    return st;
}
