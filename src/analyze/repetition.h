/* Degenerate responses, which say nothing about how a model reasons and would drown what does.
 *
 *   word  one word is more than 40 % of the words, of more than 60 words in all; single letters and the names of LaTeX
 *         commands cannot be that word (long sums say \cdot, equations x, every other word)
 *   loop  the response ends in the same bytes over and over: at least 8 times, and 400 bytes of it, within its last
 *         4,096 bytes; a run of blanks, dots or dashes alone is a rule or a table and does not count
 */
#ifndef RT_REPETITION_H
#define RT_REPETITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

typedef struct rt_repetition rt_repetition; /* room for the work; one a thread */
retort_status rt_repetition_create(rt_repetition **out, retort_error *err);
void rt_repetition_destroy(rt_repetition *room);

/* The word rule, over a text that comes in pieces: begin, add each, ask. */
void rt_repetition_begin(rt_repetition *room);
retort_status rt_repetition_add(rt_repetition *room, const char *text, size_t length, retort_error *err);
bool rt_repetition_one_word(const rt_repetition *room);
int64_t rt_repetition_words(const rt_repetition *room); /* of what was added */

bool rt_repetition_loops(rt_repetition *room, const char *text, size_t length);

#endif
