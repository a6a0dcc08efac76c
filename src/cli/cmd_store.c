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
    .summary = "shows, checks, exports and imports what a run store holds",
    .description =
        "A run store is one SQLite file that keeps every reply of an endpoint as it came, with what was asked, "
        "tokens, times and cost, and what was made of it (docs/store.md). Any SQLite tool opens it too. Replies go out "
        "to "
        "and come in from JSONL in the shapes of TRL, lighteval's details and OpenAI's batch files; what is there "
        "already "
        "stays as it is.",
    .examples = "retort store run.db --check\thow many replies, tokens, cost; and is the file whole?\n"
                "retort store run.db --export traces.jsonl --format trl\tconversations for TRL's trainers\n"
                "retort store run.db --list\tits runs with their figures, and its models\n"
                "retort store run.db --import details.jsonl --format lighteval --model M\tsomebody else's evaluation\n"
                "retort store run.db --import results.jsonl --requests input.jsonl --format openai-results\ta batch\n",
    .table = retort_store_option_table,
    .options_size = sizeof(retort_store_options),
    .positional = "store",
    .has_json = true,
    .run = run,
};
