/* The patterns that everybody uses, matched by hand.
 *
 * GPT-2, Llama 3, Qwen and DeepSeek each cut text with one or a few regular expressions, which are always the same. A
 * function for each gives the same matches (tests/text compares them with PCRE2) ten times as fast, because it looks at
 * every character about once.
 */
#ifndef RT_TEXT_WORDS_H
#define RT_TEXT_WORDS_H

#include <stddef.h>
#include <stdint.h>

/* What is searched: valid UTF-8, and rt_unicode_bits(). */
typedef struct rt_subject {
    const uint8_t *text;
    size_t length;
    const uint8_t *bits;
} rt_subject;

/* Finds the pattern's first match from byte `from` on: [*begin, *end), or begin = end = length where there is none. */
typedef void (*rt_matcher)(const rt_subject *subject, size_t from, size_t *begin, size_t *end);

/* The function for a pattern as tokenizer.json spells it; NULL for all patterns but the well-known ones. */
rt_matcher rt_matcher_find(const char *pattern);
/* The well-known patterns, counted from 0; NULL behind the last. */
const char *rt_matcher_pattern(int number);

#endif
