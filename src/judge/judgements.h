/* Judgements as JSONL: {"model", "problem_id", "sample", "judge", "prompt_version", "vote", "status", "behaviors":
 * {NAME:
 * [{"start", "end", "quote"}]}}, one line a response, judge and vote. Starts and ends are bytes of the response's text.
 */
#ifndef RT_JUDGE_JUDGEMENTS_H
#define RT_JUDGE_JUDGEMENTS_H

#include "judge/votes.h"

/* Writes one line. `text` is the response's, for the quotes. The behaviours are those with a count in `vote`; none
 * where its status is not OK. */
retort_status rt_judgement_write(rt_atomic_file *file, const rt_items *items, const rt_item *item, const char *text,
                                 const rt_behaviors *behaviors, const rt_judge *judge, const rt_vote *vote,
                                 const rt_passages *spans, retort_error *err);
/* The "behaviors" object of such a line: for each behaviour with a count, its spans. */
json_t *rt_judgement_spans(const char *text, const rt_behaviors *behaviors, const rt_vote *vote,
                           const rt_passages *spans);

#endif
