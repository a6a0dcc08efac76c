#include "retort/rewrite.h"

#define ROW(name_, kind, ...)                                                                                          \
    { .name = #name_, .type = RETORT_OPTION_##kind, .offset = offsetof(retort_rewrite_options, name_), __VA_ARGS__ }

/* The choices are in the order of retort_rewrite_style. */
const retort_option retort_rewrite_option_table[] = {
    ROW(input, STRING, .argument = "FILE", .group = "Traces", .required = true,
        .help = "Traces as JSONL: response, completion, or messages whose last is the assistant's."),
    ROW(output, STRING, .argument = "FILE", .required = true,
        .help = "JSONL file to write: the same lines with the text rewritten."),
    ROW(style, CHOICE, .default_value = "plain", .argument = "NAME", .choices = "plain|sprinkled",
        .help = "No marked token is left, or marked tokens are put in."),
    ROW(match, STRING, .argument = "FILE",
        .help = "sprinkled: traces whose rate and mix of marked tokens is taken, as the flexible teacher's."),
    ROW(seed, INT, .default_value = "1", .argument = "N", .minimum = 0, .maximum = 9e15,
        .help = "sprinkled: fixes which words go where; an endpoint is sent this plus the try's number."),
    RETORT_ENDPOINT_ADDRESS_ROWS(retort_rewrite_options, endpoint, "A model that rewrites any text"),
    RETORT_ENDPOINT_MODEL_ROW(retort_rewrite_options, endpoint),
    ROW(store, STRING, .argument = "FILE",
        .help = "SQLite file that keeps every reply; the same command again asks only for what is missing."),
    ROW(tries, INT, .default_value = "3", .argument = "N", .minimum = 1, .maximum = 100,
        .help = "Replies to a trace, one after another, until one keeps the steps and the style; then it is rejected."),
    ROW(max_tokens, INT, .default_value = "32768", .argument = "N", .minimum = 1, .maximum = 1e7,
        .help = "Longest reply, in the model's tokens."),
    ROW(temperature, REAL, .default_value = "0.6", .argument = "T", .minimum = 0, .maximum = 10,
        .help = "Sampling temperature of the replies."),
    RETORT_ENDPOINT_NETWORK_ROWS(retort_rewrite_options, endpoint),
    {0},
};
