/* What a run store holds (docs/store.md): totals, runs, a check of the file; its replies as JSONL in the shapes of
 * other tools, and such files taken in.
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
    RETORT_STORE_ROWS,            /* every column of a table */
    RETORT_STORE_TRL,             /* {"messages": [..., {"role": "assistant", "content"}]}: TRL's conversational form */
    RETORT_STORE_LIGHTEVAL,       /* {"doc", "model_response", "metric"}: lighteval's details, one model's */
    RETORT_STORE_OPENAI_REQUESTS, /* {"custom_id", "method", "url", "body"}: the input of OpenAI's batch API */
    RETORT_STORE_OPENAI_RESULTS   /* {"id", "custom_id", "response", "error"}: its output */
} retort_store_format;

typedef struct retort_store_options {
    char *store;    /* the file; it must exist, unless something is imported */
    bool check;     /* read the whole file and check it */
    bool list;      /* runs and models, too */
    char *import;   /* NULL, or a comma list of JSONL files to take in: all or, on an error, nothing */
    char *requests; /* for openai-results: a comma list of the request files that they answer */
    char *export;   /* NULL, or a JSONL file to write, after the import */
    int format;     /* retort_store_format */
    int table;      /* rows: responses|problems|prompts|traces|scores|judgements|metrics|manifests */
    char *model;    /* NULL, or: export only its replies; import under this name what names none */
} retort_store_options;

extern RETORT_API const retort_option retort_store_option_table[];

/* The totals as one JSON object, indented by 2; *out is owned by the caller (free). With `list` it has "by_model",
 * "runs" and "figures"; with `import`, "import": {"lines", "taken", "there_already"}. RETORT_ERR_NOT_FOUND: no such
 * file; RETORT_ERR_FORMAT: no run store, of a newer version, or damaged; or a line of an imported file, which the
 * message names, and of which nothing was taken then. */
RETORT_API retort_status retort_store(const retort_store_options *options, char **out, retort_error *err);

#ifdef __cplusplus
}
#endif
#endif
