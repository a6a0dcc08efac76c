#include "retort/analyze.h"
#include "tables.h"

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    char *json = NULL;
    retort_status st = retort_substitution(options, &json, err);
    if (st == RETORT_OK) st = print_result(json, call->common.json, err);
    retort_free(json);
    return st;
}

const command command_substitution = {
    .name = "substitution",
    .summary = "finds what a model writes instead of banned words",
    .description =
        "Compares a model's responses under a ban (--ban-list of retort sample or eval) with its free ones to the same "
        "problems, word by word and phrase by phrase: occurrences per thousand words on both sides, the difference "
        "with "
        "its interval over problems, log odds, and q-values that allow for the number of terms tested. Rising terms "
        "that "
        "begin like one that vanished (soo) are marked: they are ways round the ban. docs/bans.md has the rules.",
    .examples = "retort substitution --free free.jsonl --banned banned.jsonl\twhat rose and what fell\n"
                "retort substitution --free free.jsonl --banned banned.jsonl --phrase 1 --json\twords only, as JSON\n",
    .table = retort_substitution_option_table,
    .options_size = sizeof(retort_substitution_options),
    .has_json = true,
    .run = run,
};
