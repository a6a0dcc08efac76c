/* What a run store holds (docs/store.md): totals, a check of the file, and its replies as JSONL.
 *
 *     retort_store_options options = {.store = "run.db", .export = "traces.jsonl", .format = RETORT_STORE_TRL};
 *     char *json;
 *     retort_store(&options, &json, &err);
 */
#ifndef RETORT_STORE_H
#define RETORT_STORE_H

#include "retort/options.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum retort_store_format {
    RETORT_STORE_ROWS, /* every column of every reply */
    RETORT_STORE_TRL   /* {"messages": [..., {"role": "assistant", "content"}]}: TRL's conversational form */
} retort_store_format;

typedef struct retort_store_options {
    char *store;  /* the file; it must exist */
    bool check;   /* read the whole file and check it */
    char *export; /* NULL, or a JSONL file to write */
    int format;   /* retort_store_format */
} retort_store_options;

extern RETORT_API const retort_option retort_store_option_table[];

/* The totals as one JSON object, indented by 2; *out is owned by the caller (free). RETORT_ERR_NOT_FOUND: no such file;
 * RETORT_ERR_FORMAT: no run store, of a newer version, or damaged. */
RETORT_API retort_status retort_store(const retort_store_options *options, char **out, retort_error *err);

#ifdef __cplusplus
}
#endif
#endif
