/* Responses of any runs, read once, line by line, in the order of the files, and grouped by model and benchmark. Texts
 * are not kept: a visitor sees each one as it is read. */
#ifndef RT_RUNS_H
#define RT_RUNS_H

#include "analyze/responses.h"
#include "report/strings.h"

/* Where responses come from. */
typedef struct rt_run_source {
    char *path;              /* JSONL, or a run store */
    char *model, *benchmark; /* names that stand above those of the lines; NULL: the lines' own */
} rt_run_source;

typedef struct rt_run_sources {
    rt_run_source *items;
    int64_t count, capacity;
    char **problems; /* files of problems that came with them (a study's own) */
    int64_t num_problems;
} rt_run_sources;

/* The sources of an argument: "[MODEL][@BENCHMARK]=PATH" or a path; a folder stands for its *.jsonl, a study's folder
 * for the responses of its arms. */
retort_status rt_run_sources_add(rt_run_sources *sources, const char *argument, retort_error *err);
void rt_run_sources_free(rt_run_sources *sources);

/* One model's responses to one benchmark. */
typedef struct rt_run_group {
    int32_t model, benchmark;
    rt_response_set set; /* records without texts; its problems are numbered by first appearance */
    int64_t capacity;
    int32_t *problems; /* the group's problem i is the runs' problem problems[i] */
    int64_t problems_capacity;
    int64_t ungraded, without_tokens, without_finish; /* responses that do not say */
} rt_run_group;

typedef struct rt_run_problem {
    int32_t benchmark;
    char *id, *statement; /* statement: NULL where nobody gave it */
    char *answer;         /* gold, or NULL */
    rt_question question;
} rt_run_problem;

typedef struct rt_run_row {
    int32_t group, record; /* a response: record `record` of group `group` */
    int32_t problem;       /* of the runs */
    bool has_tokens, has_finish;
} rt_run_row;

/* A problem within a group: its number there, and the sample number given next where one is taken. */
typedef struct rt_run_place {
    int32_t number, next_sample;
} rt_run_place;

/* Zero-initialise. */
typedef struct rt_runs {
    rt_strings models, benchmarks;
    rt_strings group_keys, problem_keys, place_keys, sample_keys;
    rt_run_group *groups; /* by the numbers of group_keys */
    rt_run_problem *problems;
    rt_run_place *places; /* by the numbers of place_keys */
    int32_t groups_capacity, problems_capacity, places_capacity;
    rt_run_row *rows;
    int64_t count, capacity;
    int64_t renumbered; /* responses whose sample number was taken */
    rt_problems known;  /* statements and answers from files of problems */
    rt_strings known_ids;
} rt_runs;

/* A response as it is read: row number `row` of the runs. The text lives only during the call. */
typedef retort_status (*rt_run_visitor)(void *context, const rt_runs *runs, int64_t row, const char *text,
                                        size_t length, retort_error *err);

/* Which responses to take; NULL: all. */
typedef struct rt_run_choice {
    const char *models, *benchmarks; /* comma lists */
} rt_run_choice;

typedef struct rt_run_reader {
    rt_runs *runs;
    const rt_run_source *source;
    const rt_run_choice *choice;
    rt_run_visitor visit;
    void *context;
} rt_run_reader;

/* A response as a source has it. */
typedef struct rt_run_arrival {
    const char *model, *benchmark, *problem, *statement; /* statement: NULL where the source has none */
    rt_record record;                                    /* with its text, which stays the caller's */
    bool has_tokens, has_finish;
} rt_run_arrival;

/* Takes a response, unless the choice leaves it out. gold (may be NULL): the object whose "answer" or "world" is the
 * problem's. */
retort_status rt_run_take(rt_run_reader *reader, rt_run_arrival *new, const json_t *gold, const char *where,
                          retort_error *err);

retort_status rt_runs_know(rt_runs *runs, const char *problems_path, retort_error *err);
retort_status rt_runs_read(rt_runs *runs, const rt_run_sources *sources, const rt_run_choice *choice,
                           rt_run_visitor visit, void *context, retort_error *err);
const rt_record *rt_run_record(const rt_runs *runs, const rt_run_row *row);
void rt_runs_free(rt_runs *runs);

#endif
