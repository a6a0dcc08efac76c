/* What is to be answered: one or several sets of problems, each with its number of samples. */
#ifndef RT_EVALUATE_BENCHMARKS_H
#define RT_EVALUATE_BENCHMARKS_H

#include "data/problem.h"

typedef struct rt_benchmark {
    char *name; /* "aime_2024": of the known set, else of the file without its folder and ending */
    char *path; /* NULL: the embedded world */
    rt_problems problems;
    int64_t n; /* samples of each problem */
} rt_benchmark;

typedef struct rt_benchmarks {
    rt_benchmark *items;
    int64_t count;
} rt_benchmarks;
void rt_benchmarks_free(rt_benchmarks *benchmarks);

/* Files of a comma list, FILE or FILE@N (a file of just that name counts before N does). n: where no N is said.
 * Duplicate names are RETORT_ERR_USAGE. */
retort_status rt_benchmarks_read(const char *list, int64_t n, rt_benchmarks *out, retort_error *err);
/* Known sets of a comma list, NAME or NAME@N, from `dir`/NAME.jsonl as `retort data --set NAME` writes them. A file
 * that is not the known set by count and hash is RETORT_ERR_FORMAT. */
retort_status rt_benchmarks_known(const char *list, const char *dir, int64_t n, rt_benchmarks *out, retort_error *err);
/* `count` problems of a split of the embedded world. */
retort_status rt_benchmarks_world(const char *split, int64_t count, uint64_t seed, int64_t n, rt_benchmarks *out,
                                  retort_error *err);

/* SHA-256 of the ids, texts and answers in order: what a run was asked and graded by. */
retort_status rt_benchmark_hash(const rt_benchmark *benchmark, char hex[65], retort_error *err);

#endif
