/* Rows of every table as JSON objects, member by member as the columns are called: what `retort store --format rows`
 * writes and reads. */
#ifndef RT_STORE_ROWS_H
#define RT_STORE_ROWS_H

#include "store/store.h"

typedef enum rt_table {
    RT_TABLE_RESPONSES,
    RT_TABLE_PROBLEMS,
    RT_TABLE_PROMPTS,
    RT_TABLE_TRACES,
    RT_TABLE_SCORES,
    RT_TABLE_JUDGEMENTS,
    RT_TABLE_METRICS,
    RT_TABLE_MANIFESTS,
    RT_TABLES
} rt_table;

const char *rt_table_name(rt_table table);
retort_status rt_table_count(rt_store *store, rt_table table, int64_t *out, retort_error *err);

/* All rows in a fixed order; those of one model where `model` is given (responses only). The object is borrowed. */
typedef retort_status (*rt_object_visitor)(void *context, json_t *row, retort_error *err);
retort_status rt_rows_each(rt_store *store, rt_table table, const char *model, rt_object_visitor visit, void *context,
                           retort_error *err);

/* A row from an object; *fresh: its key was not there yet (one that is stays as it is). Columns that may be NULL may be
 * missing; anything else that does not fit (an unknown member, another type, a hash that is not that of its text) is
 * RETORT_ERR_FORMAT, `where` naming the place. */
retort_status rt_rows_put(rt_store *store, rt_table table, const json_t *row, const char *where, bool *fresh,
                          retort_error *err);

#endif
