/* Sweeps: the study's distilled arms over lists of settings, as curves with intervals.
 *
 *     retort_sweep_options options;
 *     retort_sweep_load(&options, "recipes/sweep-examples.yaml", &err);
 *     retort_sweep(&options, NULL, &err);                  // out/report.json, out/report.html
 *     retort_options_release(retort_sweep_option_table, &options);
 *
 * Every combination of the lists is one student, trained for each seed from the same problems, in the same order, and
 * asked the same test problems. A seed's folder, out/seed-N, is laid out as a study's is: what a study of that seed has
 * made there is not made again, and the base answers once a seed. Each student is a stage of its own (study.h): a sweep
 * that was stopped goes on, and a longer list runs only what is new.
 *
 * report.json has a study's sections for the students of the most examples, seeds pooled (scores, claims), and
 *   sweep {axes {seeds, examples, teachers, max_lengths, exposures},
 *          base[]   {exposure, score},
 *          cells[]  {teacher, examples, max_length, exposure, score, seeds [{seed, avg, pass, training, model}],
 *                    mean, seeds_interval},
 *          pairs[]  {a {...}, b {...}, measure "avg" | "pass@k", difference, interval, p, problems},
 *          curves[] {axis, teacher, examples, max_length, exposure, points [{x, mean, seeds_interval, avg,
 *                    problems_interval, sampling_interval, pass_at, pass_at_interval, unparsed_rate, length_rate, n}]}}
 *   times {"seed-N": {stage: seconds}, "pretrain-xR": seconds}
 * where score is that of a study over all (seed, problem) pairs: its problems_interval covers the choice of problems;
 * seeds_interval (Student's t over the seeds' means, from two seeds on) also covers training.
 */
#ifndef RETORT_SWEEP_H
#define RETORT_SWEEP_H

#include "retort/train.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retort_sweep_options {
    char *recipe; /* YAML: these at its top level, training options in distill, distill_rigid and pretrain */
    char *out, *base;
    int64_t threads;
    char *seeds, *examples; /* comma lists, ascending */
    char *teachers;         /* of flexible, rigid, plain, sprinkled (retort/rewrite.h) */
    char *max_lengths;      /* tokens at which an example is cut, prompt included; 0: none is */
    char *exposures;        /* NULL: `base` alone; else shares of exploratory documents, a base each */
    int64_t teacher_budget, test_problems, samples, max_new_tokens, batch;
    double temperature, top_p;
} retort_sweep_options;
extern RETORT_API const retort_option retort_sweep_option_table[];

/* As retort_study_load; recipe NULL: the shipped recipes/sweep-examples.yaml. */
RETORT_API retort_status retort_sweep_load(retort_sweep_options *options, const char *recipe, retort_error *err);

/* Runs or resumes the sweep; report.html and report.json appear in options->out. */
RETORT_API retort_status retort_sweep(const retort_sweep_options *options, const retort_progress *progress,
                                      retort_error *err);

#ifdef __cplusplus
}
#endif
#endif
