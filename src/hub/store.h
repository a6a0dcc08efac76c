/* Where files go: the cache (core/hub_cache.h shows its layout), or one folder of plain files.
 *
 * Both are as huggingface_hub lays them out, down to its lock files: while a file is being written, its lock is held
 * with flock, so neither two of our programs nor one of each write the same file.
 *
 *     ROOT/.locks/models--org--name/HASH.lock
 *     ROOT/models--org--name/blobs/HASH.incomplete
 *     DIR/.cache/huggingface/download/config.json.lock and config.json.metadata (commit, hash, time; local.c)
 */
#ifndef RT_HUB_STORE_H
#define RT_HUB_STORE_H

#include "hub/hub.h"

typedef struct rt_hub_store {
    const rt_hub *hub; /* borrowed */
    char *root;        /* of the cache */
    char *folder;      /* the repository's in it */
    char *snapshot;    /* the commit's in that */
    const char *local; /* one folder of plain files instead; NULL: the cache; borrowed */
} rt_hub_store;

/* Needs hub->commit. Creates nothing yet. cache_dir NULL: as the environment says. */
retort_status rt_hub_store_init(rt_hub_store *store, const rt_hub *hub, const char *cache_dir, const char *local,
                                retort_error *err);
void rt_hub_store_release(rt_hub_store *store);
/* The folders that every file needs. */
retort_status rt_hub_store_create(const rt_hub_store *store, retort_error *err);

/* The places of one file. */
typedef struct rt_hub_place {
    char *final, *partial, *lock;
    char *link;     /* in the snapshot; NULL for local files */
    char *metadata; /* of local files, or NULL */
    char *blob;     /* of local files: where the cache would have it; or NULL */
} rt_hub_place;
retort_status rt_hub_place_of(const rt_hub_store *store, const rt_hub_file *file, rt_hub_place *out, retort_error *err);
void rt_hub_place_release(rt_hub_place *place);
/* Takes the lock: *fd is -1 where another holder has it. Close the descriptor to give it back. */
retort_status rt_hub_lock(const rt_hub_place *place, int *fd, retort_error *err);
/* *present: the file is there, and as far as a look (or, with `verify`, its hash) can tell the right one. What is wrong
 * is removed, so that it is fetched again. */
retort_status rt_hub_look(const rt_hub_place *place, const rt_hub_file *file, const char *commit, bool verify,
                          bool *present, retort_error *err);
/* Makes a file that is in its final place known: its link, or its metadata. */
retort_status rt_hub_publish(const rt_hub_place *place, const rt_hub_file *file, const char *commit, retort_error *err);
/* refs/REVISION names the commit from now on; nothing for a revision that is a commit, or for local files. */
retort_status rt_hub_write_ref(const rt_hub_store *store, retort_error *err);

/* Writes a small file whole, under a name of its own first, so that writers do not meet. */
retort_status rt_hub_write_small(const char *path, const char *text, retort_error *err);
retort_status rt_hub_make_parent(const char *path, retort_error *err);

/* local.c: whether the metadata says that the file is this one and that nobody has changed it since. */
bool rt_hub_metadata_holds(const rt_hub_place *place, const rt_hub_file *file);
retort_status rt_hub_metadata_write(const rt_hub_place *place, const rt_hub_file *file, const char *commit,
                                    retort_error *err);
retort_status rt_hub_local_create(const char *dir, retort_error *err);
/* "Signature: ...": tells backup programs to pass a cache by. */
retort_status rt_hub_tag_folder(const char *dir, retort_error *err);

#endif
