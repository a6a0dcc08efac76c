/* Files: whole reads, atomic writes, JSONL, hashes. All errors name the path. */
#ifndef RT_CORE_FILE_H
#define RT_CORE_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "core/mem.h"

bool rt_path_exists(const char *path);
bool rt_path_is_dir(const char *path);
/* "dir/name" as a fresh string; NULL when out of memory. Free with rt_free. */
char *rt_path_join(const char *dir, const char *name);
/* Creates the folder and its parents; no error if it exists. */
retort_status rt_make_dirs(const char *path, retort_error *err);
/* Names of the folder's entries that end in `suffix`, sorted by their bytes; free each and the list with rt_free. */
retort_status rt_dir_list(const char *path, const char *suffix, char ***names, int64_t *count, retort_error *err);
/* Removes a file or a folder with all that is in it; no error if it does not exist. */
retort_status rt_remove_tree(const char *path, retort_error *err);

/* Appends the whole file to *out. */
retort_status rt_file_read(const char *path, rt_buffer *out, retort_error *err);

/* Writes to "path.tmp", flushes it to disk and renames it over path: either the old or the new content is there. */
retort_status rt_file_write(const char *path, const void *bytes, size_t length, retort_error *err);

/* A file being written in pieces that appears under its name only at commit. Zero-initialise. */
typedef struct rt_atomic_file {
    FILE *stream;
    char *path, *temporary;
} rt_atomic_file;
retort_status rt_atomic_open(rt_atomic_file *file, const char *path, retort_error *err);
retort_status rt_atomic_write(rt_atomic_file *file, const void *bytes, size_t length, retort_error *err);
retort_status rt_atomic_printf(rt_atomic_file *file, retort_error *err, const char *fmt, ...) RETORT_PRINTF(3, 4);
retort_status rt_atomic_commit(rt_atomic_file *file, retort_error *err);
void rt_atomic_abort(rt_atomic_file *file); /* removes the temporary; no effect after commit */

/* Moves a finished folder into place: removes `to` if it exists, renames `from`, flushes the parent folder. */
retort_status rt_dir_commit(const char *from, const char *to, retort_error *err);

/* Lower-case hexadecimal SHA-256 (64 characters + NUL). */
void rt_sha256(const void *bytes, size_t length, char hex[65]);
retort_status rt_sha256_file(const char *path, char hex[65], retort_error *err);

/* Read-only mapping of a whole file (an empty file maps to NULL, 0). */
typedef struct rt_mapping {
    const unsigned char *data;
    size_t length;
} rt_mapping;
retort_status rt_map_file(const char *path, rt_mapping *out, retort_error *err);
void rt_unmap_file(rt_mapping *mapping);
/* Gives the pages of these bytes, but for one that goes on behind them, back to the system. Reading them again fetches
 * them again. */
void rt_map_forget(const rt_mapping *mapping, size_t offset, size_t length);

#endif
