/* What encoding a text works with, kept from one text to the next: memory that has grown, and the cache of words.
 *
 * A tokenizer is used by many threads at once; each call takes a workspace that nobody else has and gives it back.
 */
#ifndef RT_TEXT_WORKSPACE_H
#define RT_TEXT_WORKSPACE_H

#include <pthread.h>

#include "text/tokenizer.h"
#include "text/transform.h"
#include "text/wordcache.h"

typedef struct rt_workspace {
    rt_ids symbols;             /* of the word that is being merged */
    rt_transformed normal, pre; /* the two transformed texts */
    rt_word_cache words;
    struct rt_workspace *next;
} rt_workspace;

/* Those that no call uses now. */
typedef struct rt_workspaces {
    pthread_mutex_t lock;
    rt_workspace *idle;
} rt_workspaces;
retort_status rt_workspaces_create(rt_workspaces **out, retort_error *err);
void rt_workspaces_destroy(rt_workspaces *all);
/* Takes an idle workspace or makes one. Give it back with rt_workspaces_give. Thread-safe. */
retort_status rt_workspaces_take(rt_workspaces *all, rt_workspace **out, retort_error *err);
void rt_workspaces_give(rt_workspaces *all, rt_workspace *workspace);

#endif
