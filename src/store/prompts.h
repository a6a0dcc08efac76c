/* The store's prompts: what a model was shown, once for all samples of it. */
#ifndef RT_STORE_PROMPTS_H
#define RT_STORE_PROMPTS_H

#include "store/store.h"

typedef struct rt_stored_prompt {
    const char *sha256; /* of the text */
    const char *problem_id;
    const char *text; /* JSON: the messages of a chat, or the prompt of a completion as a string */
    int64_t created;  /* Unix time */
} rt_stored_prompt;

/* Makes the hash; one that is there already keeps its row. */
retort_status rt_store_put_prompt(rt_store *store, const char *problem_id, const char *text, int64_t created,
                                  char sha256[65], retort_error *err);
/* RETORT_ERR_NOT_FOUND without a message. */
retort_status rt_store_get_prompt(rt_store *store, const char *sha256, rt_stored_prompt *out, retort_error *err);

#endif
