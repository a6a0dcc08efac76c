/* Counting one line's responses into a table, by the rules of docs/tokens.md. */
#ifndef RT_TOKEN_COUNT_H
#define RT_TOKEN_COUNT_H

#include "analyze/count_table.h"

typedef struct rt_token_counter rt_token_counter; /* room for the work; one a thread */
retort_status rt_token_counter_create(const rt_token_rules *rules, rt_token_counter **out, retort_error *err);
void rt_token_counter_destroy(rt_token_counter *counter);

/* `where` names the line in messages and is the problem of a line that names none. */
retort_status rt_token_count_line(rt_token_counter *counter, const json_t *line, const char *file, const char *where,
                                  rt_count_table *table, retort_error *err);

#endif
