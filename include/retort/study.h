/* The study: the whole comparison, from problems to the report, in one call.
 *
 * Stages, each resumable and skipped when its inputs are unchanged (a stage's stamp holds the hash of its options and
 * of what it read):
 *   data -> traces -> distilled, distilled-rigid, zero-rl, distilled-rl -> responses -> report
 *
 * report.json:
 *   title, seed, quick, retort (version), settings {study, distill, distill_rigid, rl, rl_after: resolved options}
 *   teachers[]  {teacher, traces, right, characters}
 *   arms[]      {name, label, description, weights, starts_from, banned,
 *                training {steps, examples, distinct_problems, trained_tokens,
 *                supervised_tokens, generated_tokens, train_flops, rollout_flops, total_flops}}
 *   pretraining {trained_tokens, train_flops, ...}  - the base's share, shown apart
 *   scores[]    {arm, split, n_problems, n_samples, avg, sampling_interval [l, h], problems_interval [l, h],
 *                pass_at {"1","4","8","16"}, pass_at_interval {...}, stop_rate, length_rate, unparsed_rate,
 *                mean_length, median_length, completed_accuracy}
 *   paired[]    {a, b, split, difference, interval [l, h], p, problems}
 *   tokens[]    {arm, split, responses, lexemes, rates {category: {per_1000, interval, per_response}},
 *                words [{word, category, count, per_1000}]}
 *   distinctive[] {a, b, tokens [{token, category, z, count_a, count_b}]}   z > 0: more in a
 *   bans[]      {arm, banned_arm, split, words, avg, avg_banned, difference, interval, p, occurrences}
 *   behaviors[] {arm, split, counts {name: {mean, interval, share}}}
 *   length_control[] {budget, scores {arm: avg}}   accuracy counting only answers within the first `budget` tokens
 *   curves      {arm: [{step, loss | reward, tokens, flops, ...}]}
 *   claims[]    {id, statement, verdict supported | contradicted | undecided, statistic, p, detail}
 *   browser[]   {problem_id, problem, split, responses [{arm, sample, text, verdict, finish_reason, tokens,
 *                spans [{kind, begin, end}]}]}   begin and end in bytes of the UTF-8 text
 *   times       {stage: seconds, total}   - the only figures that differ between two runs of one recipe
 */
#ifndef RETORT_STUDY_H
#define RETORT_STUDY_H

#include "retort/train.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retort_study_options {
    char *recipe; /* YAML with the sections below */
    char *out;    /* folder of everything the study makes */
    char *base;   /* base model directory */
    char *arms;   /* comma list of the arms to run */
    bool quick;   /* the same walk with smaller numbers, about a minute */
    int64_t seed, threads;
    int64_t examples;       /* traces a student is distilled from */
    int64_t rl_problems;    /* problems of zero-RL */
    int64_t teacher_budget; /* characters after which the flexible teacher gives up */
    int64_t test_problems, hard_problems, transfer_problems;
    int64_t samples, max_new_tokens, batch;
    double temperature, top_p;
    int64_t browser_problems; /* problems shown in the report's browser */
} retort_study_options;
extern RETORT_API const retort_option retort_study_option_table[];

/* Fills options with defaults and then with the top level of a recipe: `recipe`, or (NULL) the shipped
 * recipes/study.yaml, or (quick) recipes/study-quick.yaml, looked for under the current folder and then under the
 * installed data folder. Every key of every section is checked. Flags are applied by the caller afterwards; release
 * with retort_options_release(retort_study_option_table, options). */
RETORT_API retort_status retort_study_load(retort_study_options *options, const char *recipe, bool quick,
                                           retort_error *err);

/* Runs or resumes the study; report.html, report.json and manifest.json appear in options->out. Recipe sections
 * `distill`, `distill_rigid`, `rl` and `rl_after` hold the training options of those arms. */
RETORT_API retort_status retort_study(const retort_study_options *options, const retort_progress *progress,
                                      retort_error *err);

#ifdef __cplusplus
}
#endif
#endif
