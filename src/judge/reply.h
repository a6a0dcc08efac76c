/* A judge's reply: read strictly, its quotes looked up. No network here: bytes in, passages out. */
#ifndef RT_JUDGE_REPLY_H
#define RT_JUDGE_REPLY_H

#include "judge/quotes.h"
#include "judge/votes.h"

/* Why a reply is no judgement, and what became of its quotes. */
typedef enum rt_reply_fault {
    RT_REPLY_GOOD,
    RT_REPLY_REFUSED,   /* no JSON, and it declines */
    RT_REPLY_CUT,       /* ended at the token limit */
    RT_REPLY_NO_JSON,   /* no JSON object, or a broken one */
    RT_REPLY_FORM,      /* an object of another form: a behaviour is missing or unknown, an entry is no quote */
    RT_REPLY_CHECK,     /* without the code of the response it was asked about */
    RT_REPLY_UNFOUNDED, /* claims occurrences, and no quote of it is in the response */
    RT_REPLY_FAULTS
} rt_reply_fault;
const char *rt_reply_fault_name(rt_reply_fault fault);
/* OK, unparsed or refused. */
rt_judged rt_reply_judged(rt_reply_fault fault);

typedef struct rt_reply_reading {
    const rt_behaviors *behaviors;
    const char *check;
    const char *text; /* what was judged */
    size_t length;
} rt_reply_reading;

typedef struct rt_quote_counts {
    int64_t exact, normal, rejected; /* a rejected occurrence is in no count */
} rt_quote_counts;

/* Reads a reply. A thought between <think> tags before it is passed over. The object may stand alone or with text
 * around it, in a code fence or not: from the first brace to the last. Backslashes that JSON does not know ("\(") are
 * taken as written. `finish_reason` may be NULL. On RT_REPLY_GOOD *out has the passages, sorted, in bytes of
 * `reading->text`. Errors: RETORT_ERR_MEMORY only. */
retort_status rt_judge_reply_read(const rt_reply_reading *reading, const char *reply, size_t length,
                                  const char *finish_reason, rt_passages *out, rt_quote_counts *counts,
                                  rt_reply_fault *fault, retort_error *err);

#endif
