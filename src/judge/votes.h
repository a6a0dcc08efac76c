/* Judgements: what each judge counted in each response, vote by vote. */
#ifndef RT_JUDGE_VOTES_H
#define RT_JUDGE_VOTES_H

#include "judge/agreement.h"
#include "judge/behaviors.h"
#include "judge/items.h"
#include "judge/passage.h"

typedef enum rt_judged {
    RT_JUDGED_OK,
    RT_JUDGED_UNPARSED, /* no answer that can be read; never a count of zero */
    RT_JUDGED_REFUSED   /* the judge declined */
} rt_judged;
const char *rt_judged_name(rt_judged status);
bool rt_judged_parse(const char *name, rt_judged *out);

enum { RT_NOT_JUDGED = -1 };

typedef struct rt_vote { /* one judge's view of one response, once */
    int64_t item;
    int32_t judge, vote;
    rt_judged status;
    int32_t counts[RT_MOST_JUDGED]; /* by behaviour; RT_NOT_JUDGED: this judge does not know it. Where status is OK */
} rt_vote;

typedef struct rt_judge { /* a judge under one version of what it is told */
    char *name, *version;
    uint32_t known;     /* bit b: it has a count of behaviour b in some response */
    int32_t most_votes; /* the largest vote number, plus 1 */
} rt_judge;

typedef struct rt_votes { /* zero-initialise; free with rt_votes_free */
    rt_vote *items;
    int64_t count, capacity;
    rt_judge *judges;
    int32_t judge_count;
} rt_votes;

/* The judge's number, added if it is new. */
retort_status rt_votes_judge(rt_votes *votes, const char *name, const char *version, int32_t *out, retort_error *err);
retort_status rt_votes_add(rt_votes *votes, const rt_vote *vote, retort_error *err);
void rt_votes_free(rt_votes *votes);
/* By response, judge and vote. */
void rt_votes_sort(rt_votes *votes);

/* The counts of a response's spans; `known`: bit b where the judge knows behaviour b. */
void rt_vote_count(const rt_passages *spans, const rt_behaviors *behaviors, uint32_t known, rt_vote *out);

/* What several votes of one judge come to for one behaviour. */
typedef struct rt_majority {
    double count;   /* the median of the votes' counts; NaN: no vote that can be read */
    double present; /* 1 if most votes have it at least once, 0 if not; a tie goes by the median: 1 if it is above 0 */
    double spread;  /* largest count less smallest */
    bool split;     /* the votes do not agree on presence */
} rt_majority;
/* votes [count]: all votes of one judge on one response. */
rt_majority rt_votes_majority(const rt_vote *votes, int64_t count, int32_t behavior);

/* A stretch of sorted votes that are of one response and one judge. */
int64_t rt_votes_run(const rt_votes *votes, int64_t at);

#endif
