#include "hub/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/hub_cache.h"
#include "hub/partial.h"

static retort_status format(char **out, retort_error *err, const char *fmt, ...) RETORT_PRINTF(3, 4);
static retort_status format(char **out, retort_error *err, const char *fmt, ...) {
    char *text = NULL;
    va_list args;
    va_start(args, fmt);
    const int length = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (length >= 0) text = rt_malloc((size_t)length + 1);
    *out = text;
    RT_CHECK(text != NULL, err, RETORT_ERR_MEMORY, "out of memory: path");
    va_start(args, fmt);
    vsnprintf(text, (size_t)length + 1, fmt, args);
    va_end(args);
    return RETORT_OK;
}

retort_status rt_hub_store_init(rt_hub_store *store, const rt_hub *hub, const char *cache_dir, const char *local,
                                retort_error *err) {
    *store = (rt_hub_store){.hub = hub, .local = local};
    retort_status st = cache_dir != NULL ? format(&store->root, err, "%s", cache_dir) : rt_hub_root(&store->root, err);
    if (st == RETORT_OK) st = rt_hub_repo_folder(store->root, hub->kind, hub->repo, &store->folder, err);
    if (st == RETORT_OK) st = format(&store->snapshot, err, "%s/snapshots/%s", store->folder, hub->commit);
    if (st != RETORT_OK) rt_hub_store_release(store);
    return st;
}

void rt_hub_store_release(rt_hub_store *store) {
    rt_free(store->root);
    rt_free(store->folder);
    rt_free(store->snapshot);
    *store = (rt_hub_store){0};
}

retort_status rt_hub_make_parent(const char *path, retort_error *err) {
    const char *slash = strrchr(path, '/');
    if (slash == NULL || slash == path) return RETORT_OK;
    char *parent = rt_strndup(path, (size_t)(slash - path));
    RT_CHECK(parent != NULL, err, RETORT_ERR_MEMORY, "out of memory: folder of '%s'", path);
    retort_status st = rt_make_dirs(parent, err);
    rt_free(parent);
    return st;
}

retort_status rt_hub_store_create(const rt_hub_store *store, retort_error *err) {
    char *blobs = NULL;
    if (store->local != NULL) return rt_hub_local_create(store->local, err);
    RT_TRY(rt_make_dirs(store->root, err));
    RT_TRY(rt_hub_tag_folder(store->root, err));
    RT_TRY(format(&blobs, err, "%s/blobs", store->folder));
    retort_status st = rt_make_dirs(blobs, err);
    rt_free(blobs);
    return st == RETORT_OK ? rt_make_dirs(store->snapshot, err) : st;
}

static retort_status place_in_cache(const rt_hub_store *store, const rt_hub_file *file, rt_hub_place *out,
                                    retort_error *err) {
    const char *name = strrchr(store->folder, '/') + 1;
    RT_TRY(format(&out->final, err, "%s/blobs/%s", store->folder, file->hash));
    RT_TRY(format(&out->partial, err, "%s/blobs/%s.incomplete", store->folder, file->hash));
    RT_TRY(format(&out->lock, err, "%s/.locks/%s/%s.lock", store->root, name, file->hash));
    return format(&out->link, err, "%s/%s", store->snapshot, file->path);
}

/* Two files of the same content must not share one partial file: its name tells them apart. */
static retort_status place_in_folder(const rt_hub_store *store, const rt_hub_file *file, rt_hub_place *out,
                                     retort_error *err) {
    char hex[65];
    rt_sha256(file->path, strlen(file->path), hex);
    const char *download = ".cache/huggingface/download";
    RT_TRY(format(&out->final, err, "%s/%s", store->local, file->path));
    RT_TRY(format(&out->partial, err, "%s/%s/%.16s.%s.incomplete", store->local, download, hex, file->hash));
    RT_TRY(format(&out->lock, err, "%s/%s/%s.lock", store->local, download, file->path));
    RT_TRY(format(&out->metadata, err, "%s/%s/%s.metadata", store->local, download, file->path));
    return format(&out->blob, err, "%s/blobs/%s", store->folder, file->hash);
}

retort_status rt_hub_place_of(const rt_hub_store *store, const rt_hub_file *file, rt_hub_place *out,
                              retort_error *err) {
    *out = (rt_hub_place){0};
    retort_status st =
        store->local != NULL ? place_in_folder(store, file, out, err) : place_in_cache(store, file, out, err);
    if (st != RETORT_OK) rt_hub_place_release(out);
    return st;
}

void rt_hub_place_release(rt_hub_place *place) {
    rt_free(place->final);
    rt_free(place->partial);
    rt_free(place->lock);
    rt_free(place->link);
    rt_free(place->metadata);
    rt_free(place->blob);
    *place = (rt_hub_place){0};
}

retort_status rt_hub_lock(const rt_hub_place *place, int *fd, retort_error *err) {
    *fd = -1;
    RT_TRY(rt_hub_make_parent(place->lock, err));
    const int lock = open(place->lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0664);
    RT_CHECK(lock >= 0, err, RETORT_ERR_IO, "cannot write '%s': %s", place->lock, strerror(errno));
    if (flock(lock, LOCK_EX | LOCK_NB) == 0) {
        *fd = lock;
        return RETORT_OK;
    }
    const int cause = errno;
    close(lock);
    RT_CHECK(cause == EWOULDBLOCK || cause == EINTR, err, RETORT_ERR_IO, "cannot lock '%s': %s", place->lock,
             strerror(cause));
    return RETORT_OK;
}

retort_status rt_hub_look(const rt_hub_place *place, const rt_hub_file *file, const char *commit, bool verify,
                          bool *present, retort_error *err) {
    struct stat info;
    *present = false;
    if (stat(place->final, &info) != 0) return RETORT_OK;
    RT_CHECK(S_ISREG(info.st_mode), err, RETORT_ERR_IO, "'%s' is in the way: it is not a regular file", place->final);
    if (info.st_size == file->size) {
        /* What is in the cache was verified when it came; a plain file may have been changed since. */
        *present = !verify && (place->metadata == NULL || rt_hub_metadata_holds(place, file));
        if (!*present) RT_TRY(rt_hub_file_is_right(place->final, file, present, err));
        if (*present) return rt_hub_publish(place, file, commit, err);
    }
    RT_CHECK(unlink(place->final) == 0, err, RETORT_ERR_IO, "cannot remove '%s': %s", place->final, strerror(errno));
    return RETORT_OK;
}

/* "../../blobs/HASH", with one "../" more for each folder on the way. */
static retort_status link_target(const rt_hub_file *file, rt_buffer *out, retort_error *err) {
    for (const char *slash = file->path; (slash = strchr(slash, '/')) != NULL; slash++)
        RT_TRY(rt_buffer_puts(out, "../", err));
    return rt_buffer_printf(out, err, "../../blobs/%s", file->hash);
}

static retort_status make_link(const char *link, const char *target, retort_error *err) {
    char present[512], *temporary = NULL;
    const ssize_t length = readlink(link, present, sizeof present);
    if (length == (ssize_t)strlen(target) && memcmp(present, target, (size_t)length) == 0) return RETORT_OK;
    RT_TRY(rt_hub_make_parent(link, err));
    RT_TRY(format(&temporary, err, "%s.%ld.tmp", link, (long)getpid()));
    (void)unlink(temporary); /* of a program that was killed and had our number */
    retort_status st = RETORT_OK;
    if (symlink(target, temporary) != 0 || rename(temporary, link) != 0) {
        st = rt_fail(err, RETORT_ERR_IO, "cannot link '%s': %s", link, strerror(errno));
        (void)unlink(temporary);
    }
    rt_free(temporary);
    return st;
}

retort_status rt_hub_publish(const rt_hub_place *place, const rt_hub_file *file, const char *commit,
                             retort_error *err) {
    rt_buffer target = {0};
    if (place->link == NULL) return rt_hub_metadata_write(place, file, commit, err);
    retort_status st = link_target(file, &target, err);
    if (st == RETORT_OK) st = make_link(place->link, target.data, err);
    rt_buffer_free(&target);
    return st;
}

retort_status rt_hub_write_small(const char *path, const char *text, retort_error *err) {
    char *temporary = NULL;
    RT_TRY(rt_hub_make_parent(path, err));
    RT_TRY(format(&temporary, err, "%s.%ld", path, (long)getpid()));
    retort_status st = rt_file_write(temporary, text, strlen(text), err);
    if (st == RETORT_OK && rename(temporary, path) != 0) {
        st = rt_fail(err, RETORT_ERR_IO, "cannot write '%s': %s", path, strerror(errno));
        (void)unlink(temporary);
    }
    rt_free(temporary);
    return st;
}

retort_status rt_hub_write_ref(const rt_hub_store *store, retort_error *err) {
    const rt_hub *hub = store->hub;
    char present[41], *path = NULL;
    if (store->local != NULL || rt_hub_is_commit(hub->revision)) return RETORT_OK;
    /* A broken one is replaced; one that says the same is left alone, since the cache may belong to someone else. */
    if (rt_hub_read_ref(store->folder, hub->revision, present, NULL) == RETORT_OK && strcmp(present, hub->commit) == 0)
        return RETORT_OK;
    RT_TRY(format(&path, err, "%s/refs/%s", store->folder, hub->revision));
    retort_status st = rt_hub_write_small(path, hub->commit, err);
    rt_free(path);
    return st;
}
