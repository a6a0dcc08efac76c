/* The run store: one SQLite file that holds what was paid for, and what was made of it. docs/store.md documents its
 * tables; this header has the file and the replies, and each further table has a header of its own: problems.h,
 * prompts.h, traces.h, scores.h, judgements.h, metrics.h, manifests.h.
 *
 * What is put is durable when the call returns: every put is a transaction of its own, in write-ahead mode with full
 * flushing, so that a kill or a cut of power loses none that was accepted; or many are one, between rt_store_begin and
 * rt_store_commit. Any number of processes may have the file open; a writer waits for another, up to a minute. Files
 * are recognised by SQLite's application id, and carry their schema's version in user_version: an older one is brought
 * up to date when it is opened, a newer one refused.
 *
 * A store is for one thread at a time. Strings that a `get` hands out are valid until the next `get` or `has`, those of
 * a visit during it; a visit must not call the store. Strings are UTF-8; those that may be NULL say so.
 */
#ifndef RT_STORE_H
#define RT_STORE_H

#include "core/json.h"

typedef struct rt_store rt_store;

/* Opens, or creates, with all tables. RETORT_ERR_FORMAT: a file that is no run store, or of a newer version;
 * RETORT_ERR_IO: cannot be read or written. */
retort_status rt_store_open(const char *path, rt_store **out, retort_error *err);
void rt_store_close(rt_store *store);
const char *rt_store_path(const rt_store *store); /* as it was opened */

/* Between the two, puts are held back and then durable together; other writers wait, so keep it short. A commit that
 * fails has rolled back. rt_store_rollback takes back what was put since the beginning, and does nothing without one.
 */
retort_status rt_store_begin(rt_store *store, retort_error *err);
retort_status rt_store_commit(rt_store *store, retort_error *err);
void rt_store_rollback(rt_store *store);

/* One reply of a teacher or of a model under test. */
typedef struct rt_stored_response {
    const char *key; /* SHA-256 of what was asked, in hexadecimal: the primary key */
    const char *problem_id;
    int64_t sample;
    const char *model;                        /* as it was asked for */
    const char *source;                       /* the endpoint's address, without credentials */
    const char *request;                      /* the JSON that was sent */
    const char *text;                         /* content */
    const char *reasoning;                    /* reasoning_content, or NULL */
    const char *finish_reason;                /* stop, length, ... or NULL where the endpoint said none */
    const char *served_model;                 /* the model that the reply names, or NULL */
    int64_t prompt_tokens, completion_tokens; /* -1: the endpoint did not say */
    double cost;                              /* in the price table's unit; negative: unknown */
    double seconds, first_token_seconds;      /* negative: unknown */
    int64_t created;                          /* Unix time */
    const char *prompt_sha256;                /* its row in prompts, or NULL */
    const char *token_ids;                    /* of the text, as a JSON array, or NULL */
} rt_stored_response;

/* The whole of a reply as one text: a thought that came apart from the answer goes back before it, between <think>
 * tags. */
retort_status rt_store_compose(const rt_stored_response *response, rt_buffer *out, retort_error *err);

/* *out true if there is a reply to this key. */
retort_status rt_store_has(rt_store *store, const char *key, bool *out, retort_error *err);
/* A key that is there already keeps its first reply, and *fresh (may be NULL) is false: what
 * two processes asked for twice is stored once. */
retort_status rt_store_put(rt_store *store, const rt_stored_response *response, bool *fresh, retort_error *err);
/* The reply to a key; RETORT_ERR_NOT_FOUND without a message where there is none. */
retort_status rt_store_get(rt_store *store, const char *key, rt_stored_response *out, retort_error *err);
/* Replies of a model to a problem so far: the sample that the next one is. */
retort_status rt_store_count_samples(rt_store *store, const char *problem_id, const char *model, int64_t *out,
                                     retort_error *err);
/* All replies by problem, sample and time. */
typedef retort_status (*rt_store_visitor)(void *context, const rt_stored_response *response, retort_error *err);
retort_status rt_store_each(rt_store *store, rt_store_visitor visit, void *context, retort_error *err);

typedef struct rt_store_totals {
    int64_t responses, problems, models;
    int64_t stopped, cut, other;              /* by finish_reason: stop; length; anything else or none */
    int64_t prompt_tokens, completion_tokens; /* of the replies that say */
    int64_t without_usage;                    /* replies that do not */
    double cost;                              /* of the replies whose cost is known */
    int64_t without_cost;
} rt_store_totals;
retort_status rt_store_total(rt_store *store, rt_store_totals *out, retort_error *err);

/* What each model has answered, by name. */
typedef struct rt_stored_model {
    const char *model;
    int64_t problems, responses;
    int64_t scored, right; /* by the strict grader */
} rt_stored_model;
typedef retort_status (*rt_model_visitor)(void *context, const rt_stored_model *model, retort_error *err);
retort_status rt_store_each_model(rt_store *store, rt_model_visitor visit, void *context, retort_error *err);

/* SQLite's own check of the whole file; RETORT_ERR_FORMAT with its first complaint. */
retort_status rt_store_check(rt_store *store, retort_error *err);

#endif
