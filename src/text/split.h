/* Pre-tokenizers: regular expressions that cut text into the words inside which merges happen.
 *
 * tokenizer.json's patterns are written for Oniguruma (Ruby syntax); they run here on PCRE2. Only constructs that mean
 * the same in both are accepted; \s and \S, whose sets differ, are rewritten to the Unicode property White_Space.
 */
#ifndef RT_TEXT_SPLIT_H
#define RT_TEXT_SPLIT_H

#include "core/mem.h"

/* GPT-2's pattern, which ByteLevel with use_regex applies. */
extern const char *const RT_SPLIT_GPT2;

typedef struct rt_splitter rt_splitter;

retort_status rt_splitter_create(rt_splitter **out, retort_error *err);
void rt_splitter_destroy(rt_splitter *splitter);
/* Adds a stage: each piece of the stage before is cut at every match of the pattern; matches and the text between them
 * become pieces ("Isolated"). An unsupported or broken pattern is an error that quotes it. */
retort_status rt_splitter_add(rt_splitter *splitter, const char *pattern, retort_error *err);

/* Calls visit for the pieces of text in order; their concatenation is the text. Bytes that are not valid UTF-8 become
 * pieces of one byte each. Thread-safe on a const splitter. */
typedef retort_status (*rt_piece_visitor)(void *context, const char *piece, size_t length, retort_error *err);
retort_status rt_splitter_run(const rt_splitter *splitter, const char *text, size_t length, rt_piece_visitor visit,
                              void *context, retort_error *err);

#endif
