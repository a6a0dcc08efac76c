/* Lists of phrases, looked for together in one pass over a text. docs/behaviors.md states the rule.
 *
 * A phrase is matched without regard to the case of ASCII letters, and on word boundaries: the byte before a phrase
 * that begins with a letter or digit, and the one after a phrase that ends with one, is no letter, digit, '_' or,
 * before, backslash. In a phrase a space stands for white space with or without a comma before it, '#' for a number,
 * and "...", once, for up to 60 bytes; an apostrophe also matches the typographic one.
 */
#ifndef RT_JUDGE_PHRASES_H
#define RT_JUDGE_PHRASES_H

#include "core/mem.h"

enum { RT_MOST_LISTS = 64, RT_MOST_PHRASE = 120 };

typedef struct rt_phrase {
    char *text; /* lower case */
    int32_t list;
    int32_t next; /* the next phrase that can begin with the same byte; -1: none */
} rt_phrase;

typedef struct rt_phrases { /* rt_phrases_init before use */
    rt_phrase *items;
    int32_t count, lists;
    int32_t first[256]; /* by the first byte; -1: none */
} rt_phrases;

void rt_phrases_init(rt_phrases *phrases);
void rt_phrases_free(rt_phrases *phrases);
/* RETORT_ERR_FORMAT: empty, longer than RT_MOST_PHRASE, beginning with a space, or with a gap at an end or more than
 * one.
 */
retort_status rt_phrases_add(rt_phrases *phrases, int32_t list, const char *text, retort_error *err);

/* Calls visit for each list that a phrase of matches at `at`, once a list, with the longest match's end. Text before
 * `begin` and from `end` on is not looked at, but for the byte before and behind a match. */
typedef void (*rt_phrase_visitor)(void *context, int32_t list, size_t at, size_t end);
void rt_phrases_scan(const rt_phrases *phrases, const char *text, size_t begin, size_t end, size_t length,
                     rt_phrase_visitor visit, void *context);

#endif
