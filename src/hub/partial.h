/* A file on its way: written in order, hashed while it is written, gone on with after a stop. */
#ifndef RT_HUB_PARTIAL_H
#define RT_HUB_PARTIAL_H

#include <nettle/sha1.h>
#include <nettle/sha2.h>

#include "hub/hub.h"

typedef struct rt_partial {
    char *path;
    int fd; /* -1: not open */
    long long size;
    const rt_hub_file *file; /* size and hash that the whole will have */
    union {
        struct sha256_ctx sha256;
        struct sha1_ctx sha1;
    } state;
} rt_partial;

/* Opens what is there, or creates it, and hashes it up to its end. More bytes than the file will have: begins anew. */
retort_status rt_partial_open(rt_partial *partial, const char *path, const rt_hub_file *file, retort_error *err);
retort_status rt_partial_append(rt_partial *partial, const void *bytes, size_t length, retort_error *err);
/* Back to no bytes. */
retort_status rt_partial_restart(rt_partial *partial, retort_error *err);
/* Whether the bytes so far are the file: size and hash. */
bool rt_partial_is_right(const rt_partial *partial);
/* Flushes it to the disk, renames it and closes it; its parent folder must exist. */
retort_status rt_partial_commit(rt_partial *partial, const char *final, retort_error *err);
/* Closes it; the bytes stay for the next time, or (keep false) go. No effect after commit. */
void rt_partial_close(rt_partial *partial, bool keep);

/* *right: a file on disk has the size and hash. A file that is not there is not right. */
retort_status rt_hub_file_is_right(const char *path, const rt_hub_file *file, bool *right, retort_error *err);

#endif
