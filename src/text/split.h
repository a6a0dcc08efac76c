/* Pre-tokenizers: patterns that cut text into the words inside which merges happen.
 *
 * tokenizer.json's patterns are written for Oniguruma (Ruby syntax); they run here on PCRE2. Only constructs that mean
 * the same in both are accepted; \s and \S, whose sets differ, are rewritten to the Unicode property White_Space, and
 * general categories get the members that only Oniguruma's newer Unicode knows (unicode.h).
 */
#ifndef RT_TEXT_SPLIT_H
#define RT_TEXT_SPLIT_H

#include "core/mem.h"

/* GPT-2's pattern, which ByteLevel with use_regex applies. */
extern const char *const RT_SPLIT_GPT2;

/* What becomes of a match, in the words of tokenizer.json. */
typedef enum rt_split_behavior {
    RT_SPLIT_ISOLATED,    /* matches and what lies between are pieces */
    RT_SPLIT_REMOVED,     /* only what lies between */
    RT_SPLIT_CONTIGUOUS,  /* neighbouring matches are one piece */
    RT_SPLIT_TO_PREVIOUS, /* MergedWithPrevious: a match is the end of the piece before */
    RT_SPLIT_TO_NEXT      /* MergedWithNext: a match is the beginning of the piece behind */
} rt_split_behavior;

typedef struct rt_split_stage {
    const char *pattern;
    bool literal; /* the pattern is a text, not a regular expression */
    bool invert;  /* matches and what lies between change places */
    bool plain;   /* PCRE2 in any case, also where words.h has a function for the pattern: for comparisons */
    rt_split_behavior behavior;
} rt_split_stage;

typedef struct rt_splitter rt_splitter;

retort_status rt_splitter_create(rt_splitter **out, retort_error *err);
void rt_splitter_destroy(rt_splitter *splitter);
/* Adds a stage, which cuts each piece of the stage before. An unsupported or broken pattern is an error that quotes
 * it. Nothing of the argument is kept. */
retort_status rt_splitter_add(rt_splitter *splitter, const rt_split_stage *stage, retort_error *err);

int rt_splitter_stages(const rt_splitter *splitter);

/* Calls visit for the pieces of text in order; unless a stage removes some, their concatenation is the text. Bytes that
 * are not valid UTF-8 become pieces of one byte each (without stages, the whole text is one piece all the same).
 * Thread-safe on a const splitter. */
typedef retort_status (*rt_piece_visitor)(void *context, const char *piece, size_t length, retort_error *err);
retort_status rt_splitter_run(const rt_splitter *splitter, const char *text, size_t length, rt_piece_visitor visit,
                              void *context, retort_error *err);

#endif
