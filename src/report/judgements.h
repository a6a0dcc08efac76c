/* What judges said of responses, read from JSONL (docs/report.md): which behaviours, and where in the text.
 *
 * One line is one vote of one judge on one response:
 *   {"model","problem_id","sample","judge","prompt_version","vote","status":"ok|unparsed|refused",
 *    "behaviors":{"NAME":[{"start":byte,"end":byte,"quote":"..."}]}}
 * A line with status "ok" whose behaviors lack a name says that the judge did not find it there. */
#ifndef RT_JUDGEMENTS_H
#define RT_JUDGEMENTS_H

#include "core/json.h"
#include "report/strings.h"

/* A column of behaviours: one behaviour as one judge sees it. */
typedef struct rt_behavior_column {
    int32_t judge, behavior; /* numbers in the names below */
} rt_behavior_column;

typedef struct rt_judged_span {
    int32_t column;
    bool quoted;
    uint64_t quote; /* hash of the quoted text, where there is one */
    size_t begin, end;
} rt_judged_span;

typedef enum rt_judgement_status { RT_JUDGED, RT_JUDGEMENT_UNPARSED, RT_JUDGEMENT_REFUSED } rt_judgement_status;

typedef struct rt_judgement {
    int32_t judge, vote, next; /* next judgement of the same response; -1: none */
    rt_judgement_status status;
    int64_t first_span, num_spans;
} rt_judgement;

/* Zero-initialise. */
typedef struct rt_judgements {
    rt_strings judges, behaviors, columns; /* columns: keys of (judge, behaviour) */
    rt_behavior_column *column;            /* by the numbers of `columns` */
    rt_strings responses;                  /* keys of (model, problem, sample) */
    int32_t *first;                        /* by the numbers of `responses` */
    bool *found;                           /* a response of that key was read */
    rt_judgement *items;
    int32_t count, capacity, responses_capacity, columns_capacity;
    rt_judged_span *spans;
    int64_t num_spans, spans_capacity;
} rt_judgements;

/* Adds the judgements of a file. A second line of the same response, judge and vote is an error. */
retort_status rt_judgements_read(const char *path, rt_judgements *out, retort_error *err);
/* One line; `where` names it in messages. */
retort_status rt_judgement_add(rt_judgements *judgements, const json_t *object, const char *where, retort_error *err);
/* The first judgement of a response, -1 where there is none. */
int32_t rt_judgements_find(rt_judgements *judgements, const char *model, const char *problem, int32_t sample);
/* Number of a column, a new one if it is new. */
retort_status rt_behavior_column_add(rt_judgements *judgements, int32_t judge, const char *behavior, int32_t *out,
                                     retort_error *err);
void rt_judgements_free(rt_judgements *judgements);

#endif
