/* The figures of a report on runs: a list of tables, from which the page draws its charts and the folder's CSV and JSON
 * files are written, so that all three say the same.
 *
 * A table: {"id", "title", "note", "columns": [{"key", "label"}], "rows": [[cell, ...], ...]}; a cell is a string, a
 * number, or null where there is no figure. Shares lie in 0 ... 1; intervals are 95 %, in the columns low and high. */
#ifndef RT_CHARTS_H
#define RT_CHARTS_H

#include "analyze/token_report.h"
#include "report/evidence.h"

typedef struct rt_chart_input {
    const rt_runs *runs;
    const rt_evidence *evidence;
    const rt_count_table *tokens; /* its groups are the runs' */
    const rt_token_settings *token_settings;
    uint64_t seed; /* of the resampling */
    bool pairs;    /* compare each two models of a benchmark */
} rt_chart_input;

/* scores, pass, differences, lengths, budgets */
retort_status rt_charts_scores(const rt_chart_input *input, json_t *charts, retort_error *err);
/* tokens, positions, correctness, words, token_differences, distinctive, behaviors */
retort_status rt_charts_language(const rt_chart_input *input, json_t *charts, retort_error *err);

/* ---- shared by the two files ---- */

typedef struct rt_chart_column {
    const char *key, *label;
} rt_chart_column;
#define RT_CHART_GROUP                                                                                                 \
    {"model", "Model"}, {                                                                                              \
        "benchmark", "Benchmark"                                                                                       \
    }
#define RT_CHART_INTERVAL                                                                                              \
    {"low", "95 % from"}, {                                                                                            \
        "high", "95 % to"                                                                                              \
    }

/* A new table in the list, its columns ended by a NULL key. Returns its rows, borrowed; NULL when out of memory. */
json_t *rt_chart_add(json_t *charts, const char *id, const char *title, const char *note,
                     const rt_chart_column *columns);
static inline retort_status rt_chart_no_memory(retort_error *err) {
    return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: figures of the report");
}
/* A row that begins with a group's model and benchmark. */
json_t *rt_chart_group_row(const rt_runs *runs, const rt_run_group *group);
void rt_chart_text(json_t *row, const char *text);
void rt_chart_count(json_t *row, int64_t count);
void rt_chart_real(json_t *row, double value); /* NaN: no figure */
void rt_chart_interval(json_t *row, rt_interval interval);

#endif
