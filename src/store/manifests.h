/* The store's manifests: what each run was, exactly. Its hash names the run. */
#ifndef RT_STORE_MANIFESTS_H
#define RT_STORE_MANIFESTS_H

#include "store/store.h"

typedef struct rt_stored_manifest {
    const char *sha256; /* of the JSON */
    const char *kind;   /* the command: teach, eval, ... */
    const char *json;
    int64_t created; /* Unix time of its first run */
} rt_stored_manifest;

/* Makes the hash; a manifest that is there already keeps its row. `json` must be a JSON text. */
retort_status rt_store_put_manifest(rt_store *store, const char *kind, const char *json, int64_t created,
                                    char sha256[65], retort_error *err);
/* RETORT_ERR_NOT_FOUND without a message. */
retort_status rt_store_get_manifest(rt_store *store, const char *sha256, rt_stored_manifest *out, retort_error *err);
typedef retort_status (*rt_manifest_visitor)(void *context, const rt_stored_manifest *manifest, retort_error *err);
/* All, by time and hash. */
retort_status rt_store_each_manifest(rt_store *store, rt_manifest_visitor visit, void *context, retort_error *err);

#endif
