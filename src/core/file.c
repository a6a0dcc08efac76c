#include "core/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

bool rt_path_exists(const char *path) {
    struct stat st;
    return stat(path, &st) == 0;
}

bool rt_path_is_dir(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

char *rt_path_join(const char *dir, const char *name) {
    size_t a = strlen(dir), b = strlen(name);
    char *path = rt_malloc(a + b + 2);
    if (path == NULL) return NULL;
    memcpy(path, dir, a);
    if (a > 0 && dir[a - 1] != '/') path[a++] = '/';
    memcpy(path + a, name, b + 1);
    return path;
}

static retort_status out_of_memory(retort_error *err, const char *path) {
    return rt_fail(err, RETORT_ERR_MEMORY, "out of memory while handling '%s'", path);
}

retort_status rt_make_dirs(const char *path, retort_error *err) {
    char *copy = rt_strdup(path);
    if (copy == NULL) return out_of_memory(err, path);
    retort_status st = RETORT_OK;
    size_t length = strlen(copy);
    for (size_t i = 1; i <= length && st == RETORT_OK; i++) {
        if (copy[i] != '/' && copy[i] != '\0') continue;
        char kept = copy[i];
        copy[i] = '\0';
        if (mkdir(copy, 0777) != 0 && (errno != EEXIST || !rt_path_is_dir(copy)))
            st = rt_fail(err, RETORT_ERR_IO, "cannot create folder '%s': %s", copy,
                         errno == EEXIST ? "a file of that name is in the way" : strerror(errno));
        copy[i] = kept;
    }
    rt_free(copy);
    return st;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

retort_status rt_dir_list(const char *path, const char *suffix, char ***names, int64_t *count, retort_error *err) {
    DIR *dir = opendir(path);
    RT_CHECK(dir != NULL, err, errno == ENOENT ? RETORT_ERR_NOT_FOUND : RETORT_ERR_IO, "cannot open folder '%s': %s",
             path, strerror(errno));
    char **list = NULL;
    int64_t used = 0, capacity = 0;
    bool complete = true;
    for (struct dirent *entry; complete && (entry = readdir(dir)) != NULL;) {
        size_t length = strlen(entry->d_name), tail = strlen(suffix);
        if (length < tail || strcmp(entry->d_name + length - tail, suffix) != 0) continue;
        if (used == capacity) {
            capacity = capacity > 0 ? capacity * 2 : 16;
            char **grown = rt_realloc_array(list, (size_t)capacity, sizeof *list);
            complete = grown != NULL;
            if (!complete) break;
            list = grown;
        }
        list[used] = rt_strdup(entry->d_name);
        complete = list[used] != NULL;
        used += complete;
    }
    closedir(dir);
    if (!complete) {
        for (int64_t i = 0; i < used; i++) rt_free(list[i]);
        rt_free(list);
        return out_of_memory(err, path);
    }
    if (used > 1) qsort(list, (size_t)used, sizeof *list, compare_names);
    *names = list;
    *count = used;
    return RETORT_OK;
}

static retort_status remove_children(const char *path, retort_error *err) {
    DIR *dir = opendir(path);
    RT_CHECK(dir != NULL, err, RETORT_ERR_IO, "cannot open folder '%s': %s", path, strerror(errno));
    retort_status st = RETORT_OK;
    struct dirent *entry;
    while (st == RETORT_OK && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        char *child = rt_path_join(path, entry->d_name);
        st = child != NULL ? rt_remove_tree(child, err) : out_of_memory(err, path);
        rt_free(child);
    }
    closedir(dir);
    return st;
}

retort_status rt_remove_tree(const char *path, retort_error *err) {
    struct stat st;
    if (lstat(path, &st) != 0) return RETORT_OK;
    if (S_ISDIR(st.st_mode)) RT_TRY(remove_children(path, err));
    RT_CHECK(remove(path) == 0, err, RETORT_ERR_IO, "cannot remove '%s': %s", path, strerror(errno));
    return RETORT_OK;
}

retort_status rt_file_read(const char *path, rt_buffer *out, retort_error *err) {
    FILE *stream = fopen(path, "rb");
    RT_CHECK(stream != NULL, err, errno == ENOENT ? RETORT_ERR_NOT_FOUND : RETORT_ERR_IO, "cannot open '%s': %s", path,
             strerror(errno));
    char chunk[65536];
    retort_status st = RETORT_OK;
    size_t got;
    while (st == RETORT_OK && (got = fread(chunk, 1, sizeof chunk, stream)) > 0)
        st = rt_buffer_append(out, chunk, got, err);
    if (st == RETORT_OK && ferror(stream))
        st = rt_fail(err, RETORT_ERR_IO, "cannot read '%s': %s", path, strerror(errno));
    if (st == RETORT_OK) st = rt_buffer_append(out, "", 0, err); /* an empty file still gives a string */
    fclose(stream);
    return st;
}

retort_status rt_atomic_open(rt_atomic_file *file, const char *path, retort_error *err) {
    memset(file, 0, sizeof *file);
    size_t length = strlen(path);
    file->path = rt_strdup(path);
    file->temporary = rt_malloc(length + sizeof ".tmp");
    if (file->path == NULL || file->temporary == NULL) {
        rt_free(file->path); /* nothing is there yet to be removed */
        rt_free(file->temporary);
        memset(file, 0, sizeof *file);
        return out_of_memory(err, path);
    }
    memcpy(file->temporary, path, length);
    memcpy(file->temporary + length, ".tmp", sizeof ".tmp");
    file->stream = fopen(file->temporary, "wb");
    if (file->stream == NULL) {
        retort_status st = rt_fail(err, RETORT_ERR_IO, "cannot write '%s': %s", file->temporary, strerror(errno));
        rt_atomic_abort(file);
        return st;
    }
    return RETORT_OK;
}

retort_status rt_atomic_write(rt_atomic_file *file, const void *bytes, size_t length, retort_error *err) {
    RT_CHECK(length == 0 || fwrite(bytes, 1, length, file->stream) == length, err, RETORT_ERR_IO,
             "cannot write '%s': %s; free some space or choose another folder", file->temporary, strerror(errno));
    return RETORT_OK;
}

retort_status rt_atomic_printf(rt_atomic_file *file, retort_error *err, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    int written = vfprintf(file->stream, fmt, args);
    va_end(args);
    RT_CHECK(written >= 0, err, RETORT_ERR_IO, "cannot write '%s': %s; free some space or choose another folder",
             file->temporary, strerror(errno));
    return RETORT_OK;
}

/* A rename is durable only once the folder that holds the name is on disk too. */
static void sync_parent(const char *path) {
    const char *slash = strrchr(path, '/');
    char *parent = slash == NULL ? rt_strdup(".") : rt_strndup(path, slash == path ? 1 : (size_t)(slash - path));
    if (parent == NULL) return;
    int fd = open(parent, O_RDONLY | O_DIRECTORY);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
    rt_free(parent);
}

retort_status rt_atomic_commit(rt_atomic_file *file, retort_error *err) {
    bool flushed = fflush(file->stream) == 0 && fsync(fileno(file->stream)) == 0;
    int cause = errno;
    bool closed = fclose(file->stream) == 0;
    if (flushed && !closed) cause = errno;
    file->stream = NULL;
    if (!flushed || !closed || rename(file->temporary, file->path) != 0) {
        if (flushed && closed) cause = errno;
        retort_status st =
            rt_fail(err, RETORT_ERR_IO, "cannot write '%s': %s; free some space or choose another folder", file->path,
                    strerror(cause));
        rt_atomic_abort(file);
        return st;
    }
    sync_parent(file->path);
    rt_free(file->temporary);
    file->temporary = NULL;
    rt_atomic_abort(file);
    return RETORT_OK;
}

void rt_atomic_abort(rt_atomic_file *file) {
    if (file->stream != NULL) fclose(file->stream);
    if (file->temporary != NULL) (void)remove(file->temporary);
    rt_free(file->temporary);
    rt_free(file->path);
    memset(file, 0, sizeof *file);
}

retort_status rt_file_write(const char *path, const void *bytes, size_t length, retort_error *err) {
    rt_atomic_file file;
    RT_TRY(rt_atomic_open(&file, path, err));
    retort_status st = rt_atomic_write(&file, bytes, length, err);
    if (st != RETORT_OK) {
        rt_atomic_abort(&file);
        return st;
    }
    return rt_atomic_commit(&file, err);
}

retort_status rt_dir_commit(const char *from, const char *to, retort_error *err) {
    RT_TRY(rt_remove_tree(to, err));
    RT_CHECK(rename(from, to) == 0, err, RETORT_ERR_IO, "cannot rename '%s' to '%s': %s", from, to, strerror(errno));
    sync_parent(to);
    return RETORT_OK;
}

static void hex_digest(struct sha256_ctx *context, char hex[65]) {
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(context, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

void rt_sha256(const void *bytes, size_t length, char hex[65]) {
    struct sha256_ctx context;
    sha256_init(&context);
    sha256_update(&context, length, bytes);
    hex_digest(&context, hex);
}

retort_status rt_sha256_file(const char *path, char hex[65], retort_error *err) {
    enum { PIECE = 1 << 24 };
    rt_mapping mapping;
    struct sha256_ctx context;
    RT_TRY(rt_map_file(path, &mapping, err));
    sha256_init(&context);
    for (size_t at = 0; at < mapping.length; at += PIECE) {
        const size_t n = mapping.length - at < PIECE ? mapping.length - at : PIECE;
        sha256_update(&context, n, mapping.data + at);
        rt_map_forget(&mapping, at, n); /* a model's file would add its size to the memory of the run */
    }
    hex_digest(&context, hex);
    rt_unmap_file(&mapping);
    return RETORT_OK;
}

retort_status rt_map_file(const char *path, rt_mapping *out, retort_error *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    RT_CHECK(fd >= 0, err, errno == ENOENT ? RETORT_ERR_NOT_FOUND : RETORT_ERR_IO, "cannot open '%s': %s", path,
             strerror(errno));
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return rt_fail(err, RETORT_ERR_IO, "cannot map '%s': it is not a regular file", path);
    }
    *out = (rt_mapping){NULL, (size_t)st.st_size};
    if (st.st_size > 0) {
        void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED) {
            int cause = errno;
            close(fd);
            return rt_fail(err, RETORT_ERR_IO, "cannot map '%s': %s", path, strerror(cause));
        }
        out->data = data;
    }
    close(fd);
    return RETORT_OK;
}

void rt_unmap_file(rt_mapping *mapping) {
    if (mapping->data != NULL) munmap((void *)(uintptr_t)mapping->data, mapping->length);
    *mapping = (rt_mapping){NULL, 0};
}

void rt_map_forget(const rt_mapping *mapping, size_t offset, size_t length) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t first = offset / page * page, end = (offset + length) / page * page;
    if (first < end) (void)madvise((void *)(uintptr_t)(mapping->data + first), end - first, MADV_DONTNEED);
}
