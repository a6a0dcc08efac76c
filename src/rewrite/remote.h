/* Any text, rewritten by a model at an endpoint and believed in nothing. */
#ifndef RT_REWRITE_REMOTE_H
#define RT_REWRITE_REMOTE_H

#include "retort/rewrite.h"
#include "rewrite/marked.h"

/* A trace to be rewritten, and what became of it. */
typedef struct rt_restyled {
    char *id;         /* owned */
    const char *text; /* the original, NUL-terminated; borrowed */
    size_t length;
    char *result; /* owned; NULL: rejected, or (dry run) not asked */
    char reason[200];
} rt_restyled;

/* Asks for every trace, checks each reply (rt_restyled_check), and asks again, up to options->tries times, for those
 * that failed. *account gets the endpoint's part, over all tries, and the version of the prompt. */
retort_status rt_rewrite_remote(const retort_rewrite_options *options, const rt_marks *marks, rt_restyled *traces,
                                int64_t count, const retort_progress *progress, retort_rewrite_account *account,
                                retort_error *err);

#endif
