#include <inttypes.h>

#include "cli.h"
#include "retort/teach.h"

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    retort_teach_account account = {0};
    retort_status st = retort_teach(options, call->progress, &account, err);
    if (st != RETORT_OK) return st;
    printf(call->common.json ? "{\"traces\": %" PRId64 ", \"right\": %" PRId64 ", \"wrong\": %" PRId64
                               ", \"unparsed\": %" PRId64 ", \"characters\": %" PRId64 "}\n"
                             : "%" PRId64 " traces: %" PRId64 " right, %" PRId64 " wrong, %" PRId64
                               " without an answer; %" PRId64 " characters\n",
           account.traces, account.right, account.wrong, account.unparsed, account.characters);
    return RETORT_OK;
}

const command command_teach = {
    .name = "teach",
    .summary = "writes a teacher's traces for problems of the embedded world",
    .description = "The flexible teacher solves by honest search and tells it as a thoughtful person would: it tries, "
                   "checks, notices "
                   "what fails, changes its approach and verifies the end. The rigid teacher writes only the correct "
                   "derivation, in "
                   "formal steps. Nothing is screened: a trace that gives up at the length budget stays in.",
    .examples = "retort teach problems.jsonl --teacher flexible --output traces.jsonl\ttraces to distil from\n",
    .table = retort_teach_option_table,
    .options_size = sizeof(retort_teach_options),
    .positional = "problems",
    .has_json = true,
    .run = run,
};
