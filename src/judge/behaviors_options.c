#include "retort/judge.h"

#define ROW(name_, kind, ...)                                                                                          \
    { .name = #name_, .type = RETORT_OPTION_##kind, .offset = offsetof(retort_behaviors_options, name_), __VA_ARGS__ }

const retort_option retort_behaviors_option_table[] = {
    ROW(responses, LIST, .argument = "FILES", .group = "Input", .required = true,
        .help = "Responses as JSONL; the `model` key of a line names its model, else the file does."),
    ROW(problems, STRING, .argument = "FILE",
        .help = "The problems they answer, JSONL; with `world`, behaviours are also counted exactly."),
    ROW(behaviors, STRING, .argument = "FILE", .help = "What to look for, YAML; what ships when missing."),
    ROW(judges, LIST, .argument = "NAMES",
        .help = "Judges without a model: exact, rules or none; exact where it can be, and rules when missing."),
    ROW(output, STRING, .argument = "FILE", .group = "Output",
        .help = "JSONL file to write: each judgement with its quoted spans."),
    ROW(seed, INT, .default_value = "401", .argument = "N", .minimum = 0, .maximum = 1e9,
        .help = "Seed of the bootstrap; a judging model is sent it plus the vote's number."),
    RETORT_ENDPOINT_ADDRESS_ROWS(retort_behaviors_options, endpoint, "A language model that judges"),
    {.name = "model",
     .type = RETORT_OPTION_LIST,
     .offset = offsetof(retort_behaviors_options, endpoint.model),
     .argument = "NAMES",
     .help = "What the endpoint calls the judging model; several, separated by commas, judge one after the other."},
    ROW(store, STRING, .argument = "FILE",
        .help =
            "SQLite file that keeps every reply and judgement; the same command again asks only for what is missing."),
    ROW(prompt, STRING, .argument = "FILE", .help = "A prompt of your own instead of the one that ships."),
    ROW(votes, INT, .default_value = "1", .argument = "N", .minimum = 1, .maximum = 100,
        .help = "Times each response is judged by each model."),
    ROW(max_tokens, INT, .default_value = "4096", .argument = "N", .minimum = 16, .maximum = 1e6,
        .help = "Longest reply of the judge, in its tokens."),
    ROW(temperature, REAL, .default_value = "0", .argument = "T", .minimum = 0, .maximum = 2,
        .help = "Sampling temperature of the judge; several votes need one above 0."),
    ROW(top_p, REAL, .default_value = "1", .argument = "P", .minimum = 0, .maximum = 1,
        .help = "Nucleus sampling of the judge."),
    ROW(segment, INT, .default_value = "12000", .argument = "BYTES", .minimum = 500, .maximum = 1e7,
        .help = "Longer responses are judged in segments of this length."),
    ROW(overlap, INT, .default_value = "1500", .argument = "BYTES", .minimum = 0, .maximum = 1e6,
        .help = "What neighbouring segments share; at most half a segment."),
    RETORT_ENDPOINT_NETWORK_ROWS(retort_behaviors_options, endpoint),
    {0}};
