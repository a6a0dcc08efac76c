#include "retort/teach.h"

#define ROW(name_, kind, ...)                                                                                          \
    { .name = #name_, .type = RETORT_OPTION_##kind, .offset = offsetof(retort_teach_options, name_), __VA_ARGS__ }

/* The choices are in the order of rt_teacher (data/world.h) and of the enumerations in traces.c. */
const retort_option retort_teach_option_table[] = {
    ROW(problems, STRING, .argument = "FILE", .group = "Traces", .required = true,
        .help = "Problems as JSONL, as `retort data` writes them."),
    ROW(output, STRING, .argument = "FILE", .required = true, .help = "JSONL file to write, one trace a line."),
    ROW(seed, INT, .default_value = "1", .argument = "N", .minimum = 0, .maximum = 9e15,
        .help = "Fixes what the world's teacher tries and how it says it; an endpoint is sent this plus the sample's "
                "number."),
    ROW(max_examples, INT, .default_value = "0", .argument = "N", .minimum = 0, .maximum = 1e9,
        .help = "Answer only the first N problems; 0 answers all."),
    ROW(keep, CHOICE, .default_value = "all", .argument = "NAME", .choices = "all|correct",
        .help = "An endpoint's traces: all, unscreened as in the paper, or only those whose answer is right."),
    ROW(against, LIST, .argument = "LIST",
        .help = "Evaluation sets (JSONL) to look for among the problems; every overlap is shown, none is dropped."),
    ROW(teacher, CHOICE, .default_value = "flexible", .argument = "NAME", .choices = "flexible|rigid|terse",
        .group = "The world's teachers",
        .help =
            "Who answers: an honest search told in words, the correct derivation in formal steps, or the bare answer."),
    ROW(budget, INT, .default_value = "900", .argument = "N", .minimum = 100, .maximum = 100000,
        .help = "Characters after which the flexible teacher gives up and says so."),
    RETORT_ENDPOINT_ADDRESS_ROWS(retort_teach_options, endpoint, "A teacher at an endpoint"),
    RETORT_ENDPOINT_MODEL_ROW(retort_teach_options, endpoint),
    ROW(store, STRING, .argument = "FILE",
        .help =
            "SQLite file that keeps every reply as it comes; the same command again asks only for what is missing."),
    ROW(system_prompt, STRING, .argument = "TEXT", .help = "Text of a system message before the problem."),
    ROW(instruction, STRING, .argument = "TEXT", .help = "Text that goes round each problem, with {problem} in it."),
    ROW(n, INT, .default_value = "1", .argument = "N", .minimum = 1, .maximum = 100000,
        .help = "Replies to each problem, one request each."),
    ROW(max_tokens, INT, .default_value = "32768", .argument = "N", .minimum = 1, .maximum = 1e7,
        .help = "Longest reply, in the teacher's tokens."),
    ROW(temperature, REAL, .default_value = "0.6", .argument = "T", .minimum = 0, .maximum = 2,
        .help = "Sampling temperature (R1's own setting is 0.6)."),
    ROW(top_p, REAL, .default_value = "0.95", .argument = "P", .minimum = 0, .maximum = 1,
        .help = "Nucleus sampling (R1's own setting is 0.95)."),
    ROW(think, CHOICE, .default_value = "tags", .argument = "NAME", .choices = "tags|drop|only",
        .help = "A thought that comes apart from the answer: between <think> tags before it, left out, or alone."),
    ROW(batch_requests, STRING, .argument = "FILE", .group = "Batches and other people's traces",
        .help = "Writes the requests that the store has no reply to, as OpenAI's batch API reads them."),
    ROW(batch_results, LIST, .argument = "LIST", .help = "Result files of such an API, read into the store first."),
    ROW(import_traces, LIST, .argument = "LIST",
        .help = "Traces as JSONL (problem or id, and response), instead of a teacher; matched to the problems."),
    RETORT_ENDPOINT_NETWORK_ROWS(retort_teach_options, endpoint),
    {0}};
