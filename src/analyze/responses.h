/* Responses of one model to one set of problems: sampled and graded here, or read back from JSONL. */
#ifndef RT_RESPONSES_H
#define RT_RESPONSES_H

#include "analyze/stats.h"
#include "data/problem.h"
#include "sample/ban_list.h"
#include "sample/sampler.h"
#include "text/prompting.h"
#include "verify/grade.h"

/* Whose verdicts a score counts. */
typedef enum rt_grader { RT_GRADER_STRICT, RT_GRADER_TOLERANT } rt_grader;
#define RT_GRADERS 2
const char *rt_grader_name(rt_grader grader);

typedef struct rt_record {
    int32_t problem; /* index into the problems */
    int32_t sample;
    int64_t tokens; /* sampled tokens, end token included */
    rt_finish finish;
    rt_verdict verdict;        /* the one that counts: that of the chosen grader, or what was read from a file */
    rt_verdict by[RT_GRADERS]; /* both graders; from a file that knows one verdict only: that one twice */
    bool graded, gold_unread;  /* a verdict was there; the known answer itself cannot be read */
    char *reason;              /* why the graders differ; NULL where they agree */
    char *text;
    size_t length;
    int64_t answer_tokens; /* tokens up to and including the one that closes the graded box; 0 if there is none */
} rt_record;

typedef struct rt_response_set {
    char *model;        /* the arm's name */
    char **names;       /* ids of the problems; NULL where the caller gave the problems */
    rt_record *records; /* problem-major where they were sampled here; in any order from a file */
    int64_t count, problems;
} rt_response_set;

void rt_response_set_free(rt_response_set *set);

/* Reads JSONL; problem_id must name one of `problems` (NULL: problems are numbered by first appearance). */
retort_status rt_responses_read(const char *path, const rt_problems *problems, rt_response_set *out, retort_error *err);

/* One line of such a file but for its model and problem: fills *record, whose text the caller frees. `where` names the
 * line in messages. */
retort_status rt_record_parse(const json_t *object, const char *where, rt_record *record, retort_error *err);

/* The problem's id in a line of such a file; an integer is written into `number`. */
retort_status rt_response_problem(const json_t *object, const char *where, char number[32], const char **out,
                                  retort_error *err);

/* The score object of report.json (without arm and split). */
retort_status rt_score_json(const rt_response_set *set, json_t **out, retort_error *err);

/* Per-problem tallies (caller frees with rt_free): the primary artefact. */
retort_status rt_response_tallies(const rt_response_set *set, rt_tally **out, retort_error *err);
/* The same by the verdicts of one grader; RT_GRADER_CHOSEN: by those that count. */
#define RT_GRADER_CHOSEN (-1)
rt_verdict rt_record_verdict(const rt_record *record, int grader);
retort_status rt_verdict_tallies(const rt_response_set *set, int grader, rt_tally **out, retort_error *err);

/* Gives a record both verdicts and the one that counts. */
retort_status rt_record_grade(rt_record *record, const rt_question *question, rt_grader grader, retort_error *err);

/* One grader's (or the chosen) verdicts in a row: score, both intervals, n, and how many responses are right, wrong,
 * unparsed, over budget and truncated. */
retort_status rt_verdicts_json(const rt_response_set *set, int grader, json_t **out, retort_error *err);
/* Adds what both graders say side by side to a score: "graders" (such a row for each), and "differ", the responses
 * about which they disagree, with the reason. ids[i] names problem i. */
retort_status rt_graders_json(const rt_response_set *set, const char *const *ids, json_t *score, retort_error *err);

#endif
