/* The embedded world: generated problem families with exact verification, their teachers, and the corpus on which the
 * shipped base model was pre-trained. Everything is a pure function of its seed. docs/world.md describes it in full.
 *
 * Countdown (Stream of Search, arXiv 2404.03683; TinyZero): reach a target from 3 or 4 numbers (1..25, target 10..99),
 * each used exactly once, with + - * / over the rationals.
 * Splits share no problem, up to reordering: the split is a hash of (family, sorted numbers, target).
 */
#ifndef RT_WORLD_H
#define RT_WORLD_H

#include "data/problem.h"

typedef enum rt_split {
    RT_SPLIT_PRETRAIN,
    RT_SPLIT_DISTILL,
    RT_SPLIT_RL,
    RT_SPLIT_VALIDATION,
    RT_SPLIT_TEST,
    RT_SPLIT_HARD,    /* more numbers than any training split has (5) */
    RT_SPLIT_TRANSFER /* the blanks family */
} rt_split;
const char *rt_split_name(rt_split split);
retort_status rt_split_parse(const char *name, rt_split *out, retort_error *err);

/* `count` distinct problems of a split in a seeded order; an error if the split does not hold that many. Three and four
 * numbers alternate until those with three run out (rl: after about 18,500 problems), then all have four. All have at
 * least one solution in whole numbers. ids are "<family>-<split>-<hash>". */
retort_status rt_world_problems(rt_split split, int64_t count, uint64_t seed, rt_problems *out, retort_error *err);

/* Teachers. Each writes a response (without the prompt, without the end token) for one problem. */
typedef enum rt_teacher {
    RT_TEACHER_FLEXIBLE, /* honest search told as a thoughtful person would tell it; may fail to find the answer */
    RT_TEACHER_RIGID,    /* only the correct derivation, in formal steps */
    RT_TEACHER_TERSE     /* the boxed expression alone: the base model's style */
} rt_teacher;
const char *rt_teacher_name(rt_teacher teacher);
retort_status rt_teacher_parse(const char *name, rt_teacher *out, retort_error *err);
/* budget: rough maximum length in characters after which the flexible teacher gives up and says so. */
retort_status rt_teacher_write(rt_teacher teacher, const rt_problem *problem, uint64_t seed, size_t budget,
                               rt_buffer *out, retort_error *err);

/* What the flexible teacher did while it wrote, counted as it did it: the truth that the recogniser of
 * analyze/world_behaviors.h is tested against. Fields as there. */
typedef struct rt_flexible_plan {
    int32_t attempts, approaches, checks, doubts, corrections, backtracks, verifications;
    int32_t true_steps, false_steps, goals;
    bool solved;
} rt_flexible_plan;
/* As rt_teacher_write with RT_TEACHER_FLEXIBLE, and also tells its plan. */
retort_status rt_teacher_write_planned(const rt_problem *problem, uint64_t seed, size_t budget, rt_buffer *out,
                                       rt_flexible_plan *plan, retort_error *err);

/* One document of the pre-training corpus (index 0, 1, ...): arithmetic, expressions, problem and answer formats,
 * terse solutions and, with probability exploratory_rate, exploratory text. prompt_template as the tokenizer's. */
retort_status rt_corpus_document(uint64_t seed, uint64_t index, double exploratory_rate, const char *prompt_template,
                                 rt_buffer *out, retort_error *err);

#endif
