/* Problems: what is asked, and what is needed to check an answer exactly. */
#ifndef RT_PROBLEM_H
#define RT_PROBLEM_H

#include <stdint.h>

#include "core/json.h"
#include "core/mem.h"
#include "core/question.h"

typedef struct rt_problem {
    char *id;             /* unique in its file: "countdown-test-000123" */
    char *problem;        /* the question as text */
    char *answer;         /* gold answer text (worlds: one solution), or NULL */
    rt_question question; /* question.answer points at `answer`, question.alternatives behind it into the same block */
} rt_problem;

typedef struct rt_problems {
    rt_problem *items;
    int64_t count, capacity;
} rt_problems;

/* Takes ownership of *problem's strings. */
retort_status rt_problems_push(rt_problems *problems, const rt_problem *problem, retort_error *err);
void rt_problems_free(rt_problems *problems);
/* JSONL {"id","problem","answer","world":{"family","numbers","target"}}; unknown keys are kept out, "question" is
 * accepted for "problem", ids are made from the line number when missing; duplicate ids are errors. */
retort_status rt_problems_read(const char *path, rt_problems *out, retort_error *err);
/* What is needed to grade a response, apart from the rest of a problem: the keys "answer",
 * "alt_answers" (a list of further right ones) and "world" of an object, so
 * that a file of responses can be graded again by itself. Reading finds neither: both stay unset. False: not UTF-8, or
 * out of memory. */
retort_status rt_problem_read_gold(const json_t *object, const char *where, rt_problem *out, retort_error *err);
bool rt_problem_write_gold(const rt_problem *problem, json_t *object);
/* The question and its answers alone; out->id and out->problem are not touched. */
retort_status rt_problem_copy_gold(const rt_problem *problem, rt_problem *out, retort_error *err);
retort_status rt_problems_write(const char *path, const rt_problems *problems, retort_error *err);

#endif
