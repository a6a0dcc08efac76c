/* A response cut into sentences, and what can be said of each without knowing any word of it. */
#ifndef RT_JUDGE_SENTENCES_H
#define RT_JUDGE_SENTENCES_H

#include "judge/behaviors.h"

/* A sentence ends behind . ! or ? (and a closing quote or bracket) that white space or the end follows, unless the dot
 * ends a list number at its beginning ("1.") or one of e.g. i.e. vs. cf.; and at every line break. White space around
 * it is not part of it. */
typedef struct rt_sentence {
    size_t begin, end;
    uint32_t features; /* rt_feature */
} rt_sentence;

typedef struct rt_sentences { /* zero-initialise; free with rt_sentences_free */
    rt_sentence *items;
    size_t count, capacity;
} rt_sentences;

/* Replaces what *out holds. RETORT_ERR_MEMORY only. */
retort_status rt_sentences_cut(const char *text, size_t length, rt_sentences *out, retort_error *err);
void rt_sentences_free(rt_sentences *sentences);

#endif
