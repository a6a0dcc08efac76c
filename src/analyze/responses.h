/* Responses of one model to one set of problems: sampled and graded here, or read back from JSONL. */
#ifndef RT_RESPONSES_H
#define RT_RESPONSES_H

#include "analyze/stats.h"
#include "data/problem.h"
#include "sample/sampler.h"
#include "text/prompting.h"
#include "verify/answer.h"

typedef struct rt_record {
    int32_t problem; /* index into the problems */
    int32_t sample;
    int64_t tokens; /* sampled tokens, end token included */
    rt_finish finish;
    rt_verdict verdict;
    char *text;
    size_t length;
    int64_t answer_tokens; /* tokens up to and including the one that closes the graded box; 0 if there is none */
} rt_record;

typedef struct rt_response_set {
    char *model;        /* the arm's name */
    rt_record *records; /* problem-major */
    int64_t count, problems;
} rt_response_set;

void rt_response_set_free(rt_response_set *set);

/* Samples n responses of every problem from `model`, grades them, and writes them to `path` (JSONL, atomic;
 * NULL: not kept). flops (may be NULL) gets the cost. Fails if fewer came back than asked for. */
typedef struct rt_evaluation {
    rt_model_source model;
    const char *name;
    const rt_problems *problems;
    int64_t n, batch;
    rt_sampling sampling;         /* without bans */
    const char *const *ban_words; /* NULL: none */
    int32_t num_ban_words;
    rt_prompting_settings prompting;
    const char *path;
    const char *stage; /* for progress */
} rt_evaluation;
retort_status rt_evaluate(const rt_evaluation *evaluation, const retort_progress *progress, rt_response_set *out,
                          double *flops, retort_error *err);

/* Reads JSONL; problem_id must name one of `problems` (NULL: problems are numbered by first appearance). */
retort_status rt_responses_read(const char *path, const rt_problems *problems, rt_response_set *out, retort_error *err);

/* The score object of report.json (without arm and split). `seed` is for the bootstrap. */
retort_status rt_score_json(const rt_response_set *set, uint64_t seed, json_t **out, retort_error *err);

/* Per-problem tallies (caller frees with rt_free): the primary artefact. */
retort_status rt_response_tallies(const rt_response_set *set, rt_tally **out, retort_error *err);

#endif
