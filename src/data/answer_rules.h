/* How the answers of known sets are read from the forms in which they are published. */
#ifndef RT_DATA_ANSWER_RULES_H
#define RT_DATA_ANSWER_RULES_H

#include "core/json.h"
#include "data/known_sets.h"

/* Sets "problem", "answer" and, where two answers were accepted, "alt_answers" of *problem from a row. `text` is the
 * row's problem. RETORT_ERR_FORMAT if the row has no answer by the rule; `where` names the row. */
retort_status rt_answer_read(rt_answer_rule rule, const json_t *row, const char *text, const char *where,
                             json_t *problem, retort_error *err);

/* The order of four options, a function of the question alone: order[place] is which of them (0 the right one) stands
 * there. It is the permutation whose number, in Lehmer's code, is the first 32 bits of the question's SHA-256
 * modulo 24.
 */
void rt_choice_order(const char *question, int order[4]);

#endif
