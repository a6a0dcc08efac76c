/* What an evaluation asks of an endpoint: questions in lists, and their replies. */
#ifndef RT_EVALUATE_ASKED_H
#define RT_EVALUATE_ASKED_H

#include "evaluate/remote.h"

/* A question, and its reply. */
typedef struct rt_asked {
    int64_t problem, sample;
    char *prompt; /* owned */
    int64_t max_tokens;
    /* the reply */
    char *text; /* owned; NULL: it never came */
    size_t length;
    int64_t tokens; /* -1: the endpoint did not say */
    bool cut;
} rt_asked;

/* How they are asked. */
typedef struct rt_asking {
    const rt_evaluation *what;
    const rt_remote *how;
    rt_round *round;
    rt_store *store;
    json_t *extra;
    rt_tokenizer *tokenizer; /* of template_dir */
    rt_prompting prompting;
    bool renders;
    int64_t max_tokens;
    const retort_progress *progress;
    rt_ask_account *account;
    retort_status first_failure; /* some replies are missing */
    retort_error why;
} rt_asking;

typedef struct rt_asked_list {
    const rt_asking *asking;
    rt_asked *items;
    int64_t count;
} rt_asked_list;

void rt_asked_free(rt_asked_list *list);
/* One question a response of asking->round, and the hash of its prompts. */
retort_status rt_asked_make(const rt_asking *asking, rt_asked_list *out, retort_error *err);
/* Asks for what the store has not, and reads all replies. Those that never come are no failure yet, since the others
 * are to be graded: they keep a text of NULL, and asking->first_failure tells. */
retort_status rt_asked_send(rt_asking *asking, rt_asked_list *list, retort_error *err);
/* Gives the round the keys of its replies in the store. */
retort_status rt_asked_keys(const rt_asked_list *list, rt_round *round, retort_error *err);

#endif
