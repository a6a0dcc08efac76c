/* The two graders on one response, whatever kind of question it answers.
 *
 * Problems with a gold answer go to retort_verify, once with each profile. The problems of the embedded world have a
 * closed grammar of their own (rt_answer_grade), in which there is nothing to be tolerant about: both graders agree. */
#ifndef RT_GRADE_H
#define RT_GRADE_H

#include "retort/status.h"
#include "verify/answer.h"

typedef struct rt_grades {
    rt_verdict strict, tolerant;
    bool gold_unread;        /* the known answer itself cannot be read: no response can be right */
    char strict_reason[256]; /* one line for people */
    char tolerant_reason[256];
} rt_grades;

/* Fails only for want of memory. */
retort_status rt_grade(const rt_question *question, const char *response, size_t length, rt_grades *out,
                       retort_error *err);

/* The strict grader alone: what rewards stand on. */
retort_status rt_grade_strict(const rt_question *question, const char *response, size_t length, rt_verdict *out,
                              retort_error *err);

/* "wrong", "right", "unparsed" or "over-budget" to a verdict; false if it is none of them. */
bool rt_verdict_parse(const char *name, rt_verdict *out);

#endif
