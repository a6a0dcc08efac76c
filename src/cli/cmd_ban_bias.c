#include <stdlib.h>

#include "retort/sample.h"
#include "tables.h"

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    char *json = NULL;
    retort_status st = retort_ban_bias(options, &json, err);
    if (st == RETORT_OK) st = print_result(json, call->common.json, err);
    free(json);
    return st;
}

const command command_ban_bias = {
    .name = "ban-bias",
    .summary = "finds the logit_bias that comes nearest to a ban list",
    .description =
        "For endpoints that cannot ban words, only tokens: prints the OpenAI API's logit_bias for a ban list (token "
        "ids to "
        "-100), how many spellings of the list it catches, those it cannot catch because they are several tokens that "
        "other words need (holes), and which other words of the vocabulary it hits (collateral). Only --ban-list of "
        "retort sample, eval and serve keeps the words out for certain.",
    .examples =
        "retort ban-bias --model Qwen2.5-1.5B --ban-list anthropomorphic --output bias.json\ta logit_bias file, "
        "and what it is worth\n"
        "retort ban-bias --model Qwen2.5-1.5B --ban-list logical --most 300 --json\tfor an endpoint that takes 300 "
        "tokens\n",
    .table = retort_ban_bias_option_table,
    .options_size = sizeof(retort_ban_bias_options),
    .has_json = true,
    .run = run,
};
