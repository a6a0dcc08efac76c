/* Answers: extraction and exact verdicts. */
#ifndef RT_ANSWER_H
#define RT_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/question.h"

/* Over budget: too much work to decide (problems with a gold answer only; see retort/verify.h). */
typedef enum rt_verdict { RT_WRONG, RT_RIGHT, RT_UNPARSED, RT_OVER_BUDGET } rt_verdict;
const char *rt_verdict_name(rt_verdict verdict);

/* The content of the last balanced \boxed{...} as a span of text; false if there is none. */
bool rt_answer_boxed(const char *text, size_t length, size_t *begin, size_t *end);

/* Value of an expression over + - * / ( ) and non-negative integers as an exact fraction; false if it breaks the closed
 * grammar (any other operator, **, //, juxtaposition, unary minus, empty), divides by zero or overflows 64 bits.
 * numbers: the integers used, in order of appearance (at most RT_MAX_NUMBERS, else false). */
bool rt_expression_eval(const char *text, size_t length, int64_t *numerator, int64_t *denominator,
                        int32_t numbers[RT_MAX_NUMBERS], int32_t *count);

/* Grades a whole response to a problem of the embedded world (Countdown and blanks): the boxed expression must parse,
 * use each number exactly once (blanks: in order), and equal the target; a trailing "= target" inside the box is
 * allowed. Needs no memory. Problems with a gold answer go to rt_grade (grade.h); here they have none. reason (may be
 * NULL) gets a short static sentence. */
rt_verdict rt_answer_grade(const rt_question *question, const char *response, size_t length, const char **reason);

#endif
