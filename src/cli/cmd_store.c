#include <stdlib.h>

#include "retort/store.h"
#include "tables.h"

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    char *json = NULL;
    retort_status st = retort_store(options, &json, err);
    if (st == RETORT_OK) st = print_result(json, call->common.json, err);
    free(json);
    return st;
}

const command command_store = {
    .name = "store",
    .summary = "shows, checks and exports what a run store holds",
    .description =
        "A run store is one SQLite file that keeps every reply of an endpoint as it came, with what was asked, "
        "tokens, times and cost (docs/store.md). Any SQLite tool opens it too.",
    .examples = "retort store run.db --check\thow many replies, tokens, cost; and is the file whole?\n"
                "retort store run.db --export traces.jsonl --format trl\tconversations for TRL's trainers\n",
    .table = retort_store_option_table,
    .options_size = sizeof(retort_store_options),
    .positional = "store",
    .has_json = true,
    .run = run,
};
