/* Language models as judges, over any OpenAI-compatible endpoint (src/ask). docs/behaviors.md says what they are told,
 * what their replies must look like, and what becomes of those that do not. */
#ifndef RT_JUDGE_LLM_H
#define RT_JUDGE_LLM_H

#include "judge/votes.h"
#include "retort/judge.h"

/* Called for each judgement, in the order of responses, votes and models, once all replies are there. */
typedef retort_status (*rt_llm_visitor)(void *context, const rt_item *item, const rt_judge *judge, const rt_vote *vote,
                                        const rt_passages *spans, retort_error *err);

typedef struct rt_llm_judging {
    const retort_behaviors_options *options; /* with a base_url */
    const rt_items *items;                   /* with their texts */
    const rt_behaviors *behaviors;
    rt_llm_visitor visit;
    void *context;
} rt_llm_judging;

/* Options that cannot be, before anything is read. */
retort_status rt_llm_check(const retort_behaviors_options *options, retort_error *err);
/* Asks for all judgements that the store does not hold, reads the replies, adds the votes. *account: what was asked and
 * what became of the replies, for the command's result. With dry_run it only estimates. */
retort_status rt_llm_judge(const rt_llm_judging *task, const retort_progress *progress, rt_votes *votes,
                           json_t **account, retort_error *err);

#endif
