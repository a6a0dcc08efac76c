/* One folder of plain files, with what huggingface_hub keeps about each in .cache/huggingface/download: three lines,
 * the commit, the hash and the time at which both were true. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "core/file.h"
#include "hub/store.h"

static double modified(const struct stat *info) {
    return (double)info->st_mtim.tv_sec + 1e-9 * (double)info->st_mtim.tv_nsec;
}

bool rt_hub_metadata_holds(const rt_hub_place *place, const rt_hub_file *file) {
    struct stat info;
    rt_buffer text = {.maximum = 4096};
    bool holds = false;
    if (rt_file_read(place->metadata, &text, NULL) == RETORT_OK && stat(place->final, &info) == 0) {
        const char *hash = strchr(text.data, '\n');
        const char *time = hash != NULL ? strchr(hash + 1, '\n') : NULL;
        const size_t length = strlen(file->hash);
        holds = time != NULL && (size_t)(time - hash - 1) == length && memcmp(hash + 1, file->hash, length) == 0 &&
                modified(&info) - 1 <= strtod(time + 1, NULL); /* times of files are kept less exactly */
    }
    rt_buffer_free(&text);
    return holds;
}

retort_status rt_hub_metadata_write(const rt_hub_place *place, const rt_hub_file *file, const char *commit,
                                    retort_error *err) {
    char text[200];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(text, sizeof text, "%s\n%s\n%lld.%06ld\n", commit, file->hash, (long long)now.tv_sec, now.tv_nsec / 1000);
    return rt_hub_write_small(place->metadata, text, err);
}

static retort_status write_once(const char *dir, const char *name, const char *text, retort_error *err) {
    char *path = rt_path_join(dir, name);
    RT_CHECK(path != NULL, err, RETORT_ERR_MEMORY, "out of memory: path of '%s'", name);
    retort_status st = rt_path_exists(path) ? RETORT_OK : rt_hub_write_small(path, text, err);
    rt_free(path);
    return st;
}

/* The first line is the standard's; the rest is for people. */
retort_status rt_hub_tag_folder(const char *dir, retort_error *err) {
    return write_once(dir, "CACHEDIR.TAG",
                      "Signature: 8a477f597d28d172789f06886806bc55\n"
                      "# This file is a cache directory tag created by huggingface_hub.\n"
                      "# For information about cache directory tags, see:\n"
                      "#\thttps://bford.info/cachedir/\n",
                      err);
}

retort_status rt_hub_local_create(const char *dir, retort_error *err) {
    char *own = rt_path_join(dir, ".cache/huggingface");
    RT_CHECK(own != NULL, err, RETORT_ERR_MEMORY, "out of memory: path of '%s'", dir);
    retort_status st = rt_make_dirs(own, err);
    if (st == RETORT_OK) st = rt_hub_tag_folder(own, err);
    if (st == RETORT_OK) st = write_once(own, ".gitignore", "*", err);
    rt_free(own);
    return st;
}
