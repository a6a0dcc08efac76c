/* The questions of a run: which sample of which problem, the request that asks it, and the key under which its reply is
 * stored. */
#ifndef RT_TEACH_QUESTIONS_H
#define RT_TEACH_QUESTIONS_H

#include "data/problem.h"
#include "retort/teach.h"

typedef struct rt_questions {
    const retort_teach_options *options;
    const rt_problems *problems;
    int64_t count; /* problems * n; question q is sample q % n of problem q / n */
    json_t *extra;
    bool whole; /* bodies that do not stream, for batch files */
} rt_questions;

retort_status rt_questions_create(const retort_teach_options *options, const rt_problems *problems, int64_t count,
                                  rt_questions *out, retort_error *err);
void rt_questions_release(rt_questions *questions);
const rt_problem *rt_questions_problem(const rt_questions *questions, int64_t q);
int64_t rt_questions_sample(const rt_questions *questions, int64_t q);

/* The request's body, and the SHA-256 of it with the problem's id and the sample: a run that asks the same again finds
 * the reply, whatever the address of the endpoint is by then. */
retort_status rt_questions_write(const rt_questions *questions, int64_t q, rt_buffer *body, char key[65],
                                 retort_error *err);

#endif
