#include "text/workspace.h"

/* What one huge text left behind is not kept for the small ones. */
enum { KEEP_SYMBOLS = 1 << 16 };

retort_status rt_workspaces_create(rt_workspaces **out, retort_error *err) {
    rt_workspaces *all = rt_calloc(1, sizeof *all);
    RT_CHECK(all != NULL, err, RETORT_ERR_MEMORY, "out of memory: tokenizer");
    pthread_mutex_init(&all->lock, NULL);
    *out = all;
    return RETORT_OK;
}

static void destroy(rt_workspace *w) {
    rt_ids_free(&w->symbols);
    rt_transformed_free(&w->normal);
    rt_transformed_free(&w->pre);
    rt_word_cache_free(&w->words);
    rt_free(w);
}

void rt_workspaces_destroy(rt_workspaces *all) {
    if (all == NULL) return;
    for (rt_workspace *w = all->idle, *next; w != NULL; w = next) {
        next = w->next;
        destroy(w);
    }
    pthread_mutex_destroy(&all->lock);
    rt_free(all);
}

retort_status rt_workspaces_take(rt_workspaces *all, rt_workspace **out, retort_error *err) {
    pthread_mutex_lock(&all->lock);
    rt_workspace *w = all->idle;
    if (w != NULL) all->idle = w->next;
    pthread_mutex_unlock(&all->lock);
    if (w == NULL) {
        w = rt_calloc(1, sizeof *w);
        RT_CHECK(w != NULL, err, RETORT_ERR_MEMORY, "out of memory: encoding text");
        retort_status st = rt_word_cache_create(&w->words, err);
        if (st != RETORT_OK) {
            destroy(w);
            return st;
        }
    }
    *out = w;
    return RETORT_OK;
}

void rt_workspaces_give(rt_workspaces *all, rt_workspace *workspace) {
    if (workspace->symbols.capacity > KEEP_SYMBOLS) rt_ids_free(&workspace->symbols);
    rt_transformed_trim(&workspace->normal);
    rt_transformed_trim(&workspace->pre);
    pthread_mutex_lock(&all->lock);
    workspace->next = all->idle;
    all->idle = workspace;
    pthread_mutex_unlock(&all->lock);
}
