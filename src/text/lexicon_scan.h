/* Finding a lexicon's entries in text: all of them in one pass (an Aho-Corasick automaton over folded bytes whose
 * candidates are then held against the entries' rules).
 */
#ifndef RT_LEXICON_SCAN_H
#define RT_LEXICON_SCAN_H

#include "text/lexicon.h"

typedef struct rt_scanner rt_scanner;

/* Borrows the lexicon, which must outlive it. */
retort_status rt_scanner_create(const rt_lexicon *lexicon, rt_scanner **out, retort_error *err);
void rt_scanner_destroy(rt_scanner *scanner);

/* A match of entries[entry] at bytes [begin, end). They come in ascending order of `end`. */
typedef void (*rt_match_visitor)(void *context, int32_t entry, size_t begin, size_t end);

/* Finds every match in a text (any bytes). Fences of code that are open at the end reach to the end. Thread-safe on a
 * const scanner. RETORT_ERR_MEMORY only. */
retort_status rt_scanner_run(const rt_scanner *scanner, const char *text, size_t length, rt_match_visitor visit,
                             void *context, retort_error *err);

/* Next word at or after *at: a maximal run of ASCII letters and apostrophes, [A-Za-z']+, what rates are counted by.
 * False at the end. *at becomes *end. */
bool rt_word_next(const char *text, size_t length, size_t *at, size_t *begin, size_t *end);

/* Tries every entry on its examples, each as a text of its own: a `not` that matches, or a `yes` (without any: the text
 * itself) that does not, is RETORT_ERR_FORMAT. */
retort_status rt_lexicon_prove(const rt_lexicon *lexicon, retort_error *err);

#endif
