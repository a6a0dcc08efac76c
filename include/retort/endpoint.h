/* A model behind an OpenAI-compatible API, as several commands ask it: where it is, how hard it may be pressed, what it
 * may cost.
 *
 * A command that asks embeds the struct in its own options, and the rows in its own table, so that the same flags mean
 * the same everywhere:
 *
 *     typedef struct retort_x_options { char *output; retort_endpoint_options endpoint; } retort_x_options;
 *
 *     const retort_option retort_x_option_table[] = {
 *         {.name = "output", ...},
 *         RETORT_ENDPOINT_ADDRESS_ROWS(retort_x_options, endpoint, "A teacher at an endpoint"),
 *         RETORT_ENDPOINT_MODEL_ROW(retort_x_options, endpoint),
 *         RETORT_ENDPOINT_NETWORK_ROWS(retort_x_options, endpoint),
 *         {0}};
 *
 * docs/teach.md says what is tried again, how rates and costs are bounded, and where the key comes from.
 */
#ifndef RETORT_ENDPOINT_H
#define RETORT_ENDPOINT_H

#include "retort/options.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum retort_endpoint_api { RETORT_API_CHAT, RETORT_API_COMPLETIONS } retort_endpoint_api;

typedef struct retort_endpoint_options {
    char *base_url;     /* NULL: no endpoint is asked */
    char *model;        /* what the endpoint calls it */
    char *api_key_file; /* mode 0600; NULL: the environment's OPENAI_API_KEY, or none */
    int api;            /* retort_endpoint_api */
    char *extra_body;   /* a JSON object of further request members, or NULL */
    bool stream;
    int64_t concurrency, retries;
    double retry_pause;                            /* seconds before the second try; doubles each time */
    double requests_per_minute, tokens_per_minute; /* 0: no bound */
    double timeout, first_token_timeout;           /* seconds */
    double price_input, price_output;              /* for a million tokens; negative: unknown */
    char *prices;                                  /* JSON file {"MODEL": {"input": P, "output": P}}, or NULL */
    double max_cost;                               /* 0: no bound */
    bool dry_run;                                  /* only estimate */
} retort_endpoint_options;

/* What asking came to. */
typedef struct retort_endpoint_account {
    int64_t asked, reused, failed; /* requests sent and stored; found in the store; given up */
    int64_t cut;                   /* replies that ended at the token limit */
    int64_t prompt_tokens, completion_tokens, without_usage;
    double cost;              /* of this run; negative: prices are unknown */
    int64_t estimated_tokens; /* dry run: prompts, about, and the most that replies can have */
    double estimated_cost;    /* dry run: the most it can cost; negative: prices are unknown */
} retort_endpoint_account;

#define RETORT_ENDPOINT_ROW(type_, member_, field_, kind_, ...)                                                        \
    { .name = #field_, .type = RETORT_OPTION_##kind_, .offset = offsetof(type_, member_.field_), __VA_ARGS__ }

#define RETORT_ENDPOINT_ADDRESS_ROWS(type_, member_, group_)                                                           \
    RETORT_ENDPOINT_ROW(type_, member_, base_url, STRING, .argument = "URL", .group = (group_),                        \
                        .help = "Address of an OpenAI-compatible API, such as http://127.0.0.1:8080/v1."),             \
        RETORT_ENDPOINT_ROW(type_, member_, api_key_file, STRING, .argument = "FILE",                                  \
                            .help = "File of mode 0600 whose first line is the API key; the environment's "            \
                                    "OPENAI_API_KEY when missing."),                                                   \
        RETORT_ENDPOINT_ROW(type_, member_, api, CHOICE, .default_value = "chat", .argument = "NAME",                  \
                            .choices = "chat|completions", .help = "Which of the API's two forms is used."),           \
        RETORT_ENDPOINT_ROW(type_, member_, extra_body, STRING, .argument = "JSON",                                    \
                            .help = "Further members of the request, a JSON object; they win."),                       \
        RETORT_ENDPOINT_ROW(type_, member_, stream, BOOL, .default_value = "true",                                     \
                            .help = "Read replies as they are written, which tells a slow model from a dead one.")

/* For commands that have no `model` of their own; the others set the field from theirs. */
#define RETORT_ENDPOINT_MODEL_ROW(type_, member_)                                                                      \
    RETORT_ENDPOINT_ROW(type_, member_, model, STRING, .argument = "NAME", .help = "What the endpoint calls the model.")

#define RETORT_ENDPOINT_NETWORK_ROWS(type_, member_)                                                                   \
    RETORT_ENDPOINT_ROW(type_, member_, concurrency, INT, .default_value = "8", .argument = "N", .group = "Network",   \
                        .minimum = 1, .maximum = 1000, .help = "Requests at once."),                                   \
        RETORT_ENDPOINT_ROW(type_, member_, requests_per_minute, REAL, .default_value = "0", .argument = "N",          \
                            .minimum = 0, .maximum = 1e9, .help = "Bound on requests; 0 for none."),                   \
        RETORT_ENDPOINT_ROW(type_, member_, tokens_per_minute, REAL, .default_value = "0", .argument = "N",            \
                            .minimum = 0, .maximum = 1e12, .help = "Bound on prompt and reply tokens; 0 for none."),   \
        RETORT_ENDPOINT_ROW(type_, member_, retries, INT, .default_value = "5", .argument = "N", .minimum = 0,         \
                            .maximum = 100,                                                                            \
                            .help = "Tries after the first: on 408, 409, 429, 5xx, cut connections and replies "       \
                                    "that cannot be read."),                                                           \
        RETORT_ENDPOINT_ROW(type_, member_, retry_pause, REAL, .default_value = "0.5", .argument = "SECONDS",          \
                            .minimum = 0, .maximum = 3600,                                                             \
                            .help = "Pause before the second try; it doubles each time, less up to a quarter at "      \
                                    "random."),                                                                        \
        RETORT_ENDPOINT_ROW(type_, member_, timeout, REAL, .default_value = "3600", .argument = "SECONDS",             \
                            .minimum = 0.1, .maximum = 1e6, .help = "Longest time for one reply."),                    \
        RETORT_ENDPOINT_ROW(type_, member_, first_token_timeout, REAL, .default_value = "600", .argument = "SECONDS",  \
                            .minimum = 0.1, .maximum = 1e6,                                                            \
                            .help = "A stream that sends nothing for so long, at its start or later, is cut and "      \
                                    "asked for again."),                                                               \
        RETORT_ENDPOINT_ROW(type_, member_, price_input, REAL, .default_value = "-1", .argument = "PRICE",             \
                            .group = "Cost", .minimum = -1, .maximum = 1e9,                                            \
                            .help = "Price of a million prompt tokens; negative: unknown."),                           \
        RETORT_ENDPOINT_ROW(type_, member_, price_output, REAL, .default_value = "-1", .argument = "PRICE",            \
                            .minimum = -1, .maximum = 1e9,                                                             \
                            .help = "Price of a million reply tokens; negative: unknown."),                            \
        RETORT_ENDPOINT_ROW(type_, member_, prices, STRING, .argument = "FILE",                                        \
                            .help = "Price table instead: JSON {\"MODEL\": {\"input\": P, \"output\": P}}."),          \
        RETORT_ENDPOINT_ROW(type_, member_, max_cost, REAL, .default_value = "0", .argument = "COST", .minimum = 0,    \
                            .maximum = 1e12,                                                                           \
                            .help = "Ask nothing that could bring the cost of this run above COST, counting each "     \
                                    "reply under way at its longest; 0: no bound."),                                   \
        RETORT_ENDPOINT_ROW(type_, member_, dry_run, BOOL,                                                             \
                            .help = "Only say how much would be asked, and what it can cost at most.")

#ifdef __cplusplus
}
#endif
#endif
