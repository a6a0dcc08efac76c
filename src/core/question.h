/* What is needed to check an answer: shared by data (which makes questions) and verify (which grades answers), so that
 * neither depends on the other. */
#ifndef RT_CORE_QUESTION_H
#define RT_CORE_QUESTION_H

#include <stdint.h>

typedef enum rt_family {
    RT_FAMILY_TEXT,      /* a problem from a file, with a gold answer */
    RT_FAMILY_COUNTDOWN, /* numbers and a target; any order, + - * / and parentheses */
    RT_FAMILY_BLANKS     /* numbers in a fixed order with operators to be filled in: the transfer family */
} rt_family;

enum { RT_MAX_NUMBERS = 8 };

typedef struct rt_question {
    rt_family family;
    int32_t numbers[RT_MAX_NUMBERS], count, target; /* worlds only */
    const char *answer;                             /* gold text; borrowed; may be NULL for worlds */
    /* Further answers that count as right (a contest accepted two), each ended by a NUL and the last by an empty text;
     * borrowed; NULL where there are none. */
    const char *alternatives;
} rt_question;

#endif
