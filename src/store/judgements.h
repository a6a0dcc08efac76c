/* The store's judgements: what a judge, or a person, found in a reply. */
#ifndef RT_STORE_JUDGEMENTS_H
#define RT_STORE_JUDGEMENTS_H

#include "store/store.h"

typedef struct rt_stored_judgement {
    const char *response_key;
    const char *judge;          /* a model's name, or "human:NAME" */
    const char *prompt_version; /* of the judge's instructions; "" where there are none */
    int64_t vote;               /* 0, 1, ...: the judge was asked so many times */
    const char *behavior;       /* "" for a status that holds for the reply as a whole */
    const char *status;         /* ok, unparsed, refused */
    int64_t count;              /* spans that were found */
    const char *spans;          /* JSON: [{"start": byte, "end": byte, "quote": "..."}, ...] */
    int64_t created;            /* Unix time */
} rt_stored_judgement;

/* One a reply, judge, version, vote and behaviour; a later one takes its place. */
retort_status rt_store_put_judgement(rt_store *store, const rt_stored_judgement *judgement, retort_error *err);
typedef retort_status (*rt_judgement_visitor)(void *context, const rt_stored_judgement *judgement, retort_error *err);
/* Those of one reply, or all (response_key NULL), in the order of the first five columns. */
retort_status rt_store_each_judgement(rt_store *store, const char *response_key, rt_judgement_visitor visit,
                                      void *context, retort_error *err);

#endif
