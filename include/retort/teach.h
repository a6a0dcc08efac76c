/* The embedded world's problems and teachers, as files. See docs/world.md.
 *
 *     retort_data_options data;
 *     retort_options_defaults(retort_data_option_table, &data, &err);
 *     retort_options_set(retort_data_option_table, &data, "split", "distill", &err);
 *     retort_options_set(retort_data_option_table, &data, "output", "problems.jsonl", &err);
 *     retort_data(&data, NULL, &err);
 *
 *     retort_teach_options teach;             // problems.jsonl -> traces.jsonl
 *     ...
 *     retort_teach(&teach, NULL, &account, &err);
 *
 * Both are pure functions of their options: the same seed gives the same bytes on every machine. With base_url the
 * teacher is a model elsewhere (docs/teach.md): every reply is durable in the store before the next is asked for, and a
 * run that was stopped goes on where it was.
 */
#ifndef RETORT_TEACH_H
#define RETORT_TEACH_H

#include "retort/endpoint.h"
#include "retort/progress.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retort_data_options {
    int split; /* pretrain|distill|rl|validation|test|hard|transfer */
    int64_t count, seed;
    char *output;
} retort_data_options;
extern RETORT_API const retort_option retort_data_option_table[];

/* Writes `count` distinct problems of a split as JSONL:
 * {"id","problem","answer","world":{"family","numbers","target"}}, `answer` being one of the simplest solutions. The
 * file appears whole or not at all. */
RETORT_API retort_status retort_data(const retort_data_options *options, const retort_progress *progress,
                                     retort_error *err);

typedef struct retort_teach_options {
    char *problems; /* JSONL, as retort_data writes it */
    char *output;
    int teacher; /* flexible|rigid|terse */
    int64_t seed, budget;
    int64_t max_examples; /* 0: all */
    /* A teacher elsewhere, where endpoint.base_url is given: an OpenAI-compatible API. */
    retort_endpoint_options endpoint;
    char *store;         /* SQLite file that keeps every reply */
    char *system_prompt; /* NULL: none */
    char *instruction;   /* goes round each problem, with {problem}; NULL: the problem alone */
    int64_t n, max_tokens;
    double temperature, top_p;
    int keep;  /* all|correct */
    int think; /* tags|drop|only */
} retort_teach_options;
extern RETORT_API const retort_option retort_teach_option_table[];

/* What the teacher wrote. */
typedef struct retort_teach_account {
    int64_t traces, right, wrong, unparsed; /* traces = right + wrong + unparsed */
    int64_t characters;
    int64_t left_out;                 /* not kept */
    retort_endpoint_account endpoint; /* zero for the world's teachers */
} retort_teach_account;

/* Writes one trace a problem, in order, as JSONL: {"id","problem","response","teacher","verdict"}. Nothing is screened:
 * a trace that gave up stays in, with verdict "unparsed". account may be NULL. */
RETORT_API retort_status retort_teach(const retort_teach_options *options, const retort_progress *progress,
                                      retort_teach_account *account, retort_error *err);

#ifdef __cplusplus
}
#endif
#endif
