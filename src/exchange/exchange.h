/* The run store's replies in the shapes of other tools, and back: one file a shape.
 *
 * docs/store.md says what each shape holds. What a shape has no place for (times, costs, ...) is unknown after an
 * import; what is exported, imported into an empty store and exported again is the same file, byte for byte.
 */
#ifndef RT_EXCHANGE_H
#define RT_EXCHANGE_H

#include "retort/store.h"
#include "store/store.h"

/* ---- out: replies of one model, or of all (model NULL) ---- */

retort_status rt_export_rows(rt_store *store, const retort_store_options *options, rt_atomic_file *file,
                             retort_error *err);
retort_status rt_export_trl(rt_store *store, const retort_store_options *options, rt_atomic_file *file,
                            retort_error *err);
retort_status rt_export_lighteval(rt_store *store, const retort_store_options *options, rt_atomic_file *file,
                                  retort_error *err);
/* Requests, or results. */
retort_status rt_export_openai(rt_store *store, const retort_store_options *options, rt_atomic_file *file,
                               retort_error *err);

/* ---- in ---- */

typedef struct rt_importer {
    const retort_store_options *options;
    rt_store *store;
    json_t *requests; /* OpenAI: request bodies by custom_id */
    int64_t lines, taken, again;
} rt_importer;

/* One line of a file; `where` names it in messages. RETORT_ERR_FORMAT: it has not this shape. */
retort_status rt_import_row(rt_importer *importer, const json_t *line, const char *where, retort_error *err);
retort_status rt_import_trl(rt_importer *importer, const json_t *line, const char *where, retort_error *err);
retort_status rt_import_lighteval(rt_importer *importer, const json_t *line, const char *where, retort_error *err);
retort_status rt_import_openai(rt_importer *importer, const json_t *line, const char *where, retort_error *err);
/* A line of the request file that belongs to results; keeps its body. */
retort_status rt_import_request(rt_importer *importer, const json_t *line, const char *where, retort_error *err);

/* What an imported reply is, as far as its line says. */
typedef struct rt_imported {
    const char *key;        /* NULL: made from what follows, so that the same line twice is one reply */
    const char *problem_id; /* NULL: that of the prompt if the store knows it, else made from the prompt */
    int64_t sample;         /* negative: the next one of its problem and model */
    const char *model;      /* NULL: the option's */
    const json_t *request;  /* what was asked */
    const char *text, *reasoning, *finish_reason, *served_model;
    const json_t *token_ids; /* or NULL */
    int64_t prompt_tokens, completion_tokens;
} rt_imported;

/* Puts it and counts it. `key` (may be NULL) receives the key it has. */
retort_status rt_import_reply(rt_importer *importer, const rt_imported *reply, const char *where, char key[65],
                              retort_error *err);

/* The JSON of a stored request, keys in order, so that what goes out does not tell how it came in; json_decref it. */
retort_status rt_request_of(const rt_stored_response *response, json_t **out, retort_error *err);

#endif
