/* `retort substitution`: options and the result as JSON. */
#include "analyze/jsonout.h"
#include "analyze/substitution.h"
#include "retort/analyze.h"

#define ROW(name_, kind, ...)                                                                                          \
    {                                                                                                                  \
        .name = #name_, .type = RETORT_OPTION_##kind, .offset = offsetof(retort_substitution_options, name_),          \
        __VA_ARGS__                                                                                                    \
    }

const retort_option retort_substitution_option_table[] = {
    ROW(banned, STRING, .argument = "FILE", .group = "Input", .required = true,
        .help = "Responses under a ban, JSONL."),
    ROW(free, STRING, .argument = "FILE", .required = true,
        .help = "The same model's responses to the same problems without the ban."),
    ROW(phrase, INT, .default_value = "3", .argument = "N", .group = "Terms", .minimum = 1, .maximum = 5,
        .help = "Longest phrase, in words."),
    ROW(least, INT, .default_value = "20", .argument = "N", .minimum = 2, .maximum = 1e9,
        .help = "A term that occurs more rarely on both sides together is not tested."),
    ROW(top, INT, .default_value = "25", .argument = "N", .minimum = 0, .maximum = 1e6,
        .help = "Terms listed on each side, of those with q at most 0.05."),
    {0}};

retort_status retort_substitution(const retort_substitution_options *options, char **json, retort_error *err) {
    const rt_substitution_options own = {options->phrase, options->least, options->top};
    json_t *result = NULL;
    *json = NULL;
    RT_TRY(retort_options_check(retort_substitution_option_table, options, err));
    RT_TRY(rt_substitution(options->free, options->banned, &own, &result, err));
    return rt_json_result(result, json, err);
}
