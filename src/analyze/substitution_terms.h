/* Words and phrases of two sets of responses, counted by problem. */
#ifndef RT_SUBSTITUTION_TERMS_H
#define RT_SUBSTITUTION_TERMS_H

#include "analyze/substitution.h"

typedef struct rt_sub_cell {
    int32_t problem, side;
    int64_t count;
} rt_sub_cell;

typedef struct rt_sub_term {
    char *text;
    int32_t words;
    rt_sub_cell *cells;
    int64_t num_cells, capacity;
    int64_t total[2]; /* free, banned */
} rt_sub_term;

typedef struct rt_sub_problem {
    char *id;
    int64_t responses[2], words[2], graded[2], right[2];
} rt_sub_problem;

/* Zero-initialise. */
typedef struct rt_sub_table {
    rt_sub_term *terms;
    rt_sub_problem *problems;
    int32_t *term_slots, *problem_slots; /* hash tables of index + 1 */
    int64_t num_terms, term_capacity, num_problems, problem_capacity, left_out;
} rt_sub_table;

/* Adds all responses of a file. */
retort_status rt_sub_read(rt_sub_table *table, const char *path, int side, int64_t phrase, retort_error *err);
void rt_sub_free(rt_sub_table *table);

#endif
