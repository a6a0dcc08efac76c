/* The offline judge: rules over discourse markers and structure, which cost nothing. docs/behaviors.md says how well it
 * agrees with what is known exactly. */
#ifndef RT_JUDGE_RULES_H
#define RT_JUDGE_RULES_H

#include "judge/passage.h"
#include "judge/sentences.h"

/* Appends an occurrence for each sentence, or run of sentences (rt_behavior.gap), for which a rule of a behaviour
 * holds. The spans are whole sentences. `work` (may be zero-initialised) is reused from call to call and freed by the
 * caller. Linear in the length. RETORT_ERR_MEMORY only. */
typedef struct rt_rules_work {
    rt_sentences sentences;
    struct rt_sentence_lists *lists; /* per sentence: which lists have a phrase in it, and where */
    size_t capacity;
} rt_rules_work;
void rt_rules_work_free(rt_rules_work *work);
retort_status rt_rules_judge(const rt_behaviors *behaviors, const char *text, size_t length, rt_rules_work *work,
                             rt_passages *out, retort_error *err);

#endif
