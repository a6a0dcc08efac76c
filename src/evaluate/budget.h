/* Length control: at N thinking tokens the thought is closed and the answer asked for.
 *
 * A response counts as it is where it ended by itself within N tokens, or closed its thought ("</think>") within them.
 * Any other is cut behind its token N; the closing text is put there; and the model goes on from it for at most
 * answer_tokens more. By the law of exactness a run to the longest limit holds the first N tokens of every shorter one,
 * so one run serves all budgets.
 */
#ifndef RT_EVALUATE_BUDGET_H
#define RT_EVALUATE_BUDGET_H

#include "evaluate/evaluate.h"

#define RT_THOUGHT_END "</think>"
/* What closes a thought unless the user says otherwise. */
#define RT_CLOSE_THOUGHT "\n" RT_THOUGHT_END "\n\nThe final answer is \\boxed{"

/* Budgets of a comma list, ascending; RETORT_ERR_USAGE for what is no positive number or stands there twice. *out is
 * freed with rt_free; NULL for a NULL list. */
retort_status rt_budgets_parse(const char *list, int64_t **out, int32_t *count, retort_error *err);

/* Whether the thought of a response is to be closed at `budget` tokens. */
bool rt_budget_closes(const rt_tokenizer *tokenizer, const rt_response *response, int64_t budget);

/* Where the responses at a budget go: "r.jsonl" to "r.budget-512.jsonl". Appends. */
retort_status rt_budget_path(const char *path, int64_t budget, rt_buffer *out, retort_error *err);

/* Per budget: score and intervals as rt_verdicts_json gives them, how many thoughts were closed, and the mean length in
 * sampled tokens; a last row, whose budget is null, for the responses as they were. */
retort_status rt_budget_curve(const rt_round *round, int32_t num_budgets, json_t **out, retort_error *err);

#endif
