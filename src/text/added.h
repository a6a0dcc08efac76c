/* Added tokens: texts that are cut out before the pre-tokenizer sees anything.
 *
 * Matching is leftmost, longest, as in the tokenizers package, and so are its corners: a match that is refused (a
 * special token while special text is not parsed, a `single_word` inside a word) still uses up its characters.
 */
#ifndef RT_TEXT_ADDED_H
#define RT_TEXT_ADDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mem.h"

typedef struct rt_added_token {
    char *text; /* as the file spells it */
    char *
        pattern; /* what is looked for: the text, normalized where the token sees normalized text; what it decodes to */
    size_t length; /* of the pattern; 0: never found */
    int32_t id;
    bool special, normalized, single_word, lstrip, rstrip;
} rt_added_token;

/* The tokens of one pass (those that see the text as it is, or those that see it normalized), sorted by pattern. */
typedef struct rt_added_set {
    const rt_added_token **sorted; /* borrowed tokens */
    int32_t count;
    bool first[256]; /* whether a pattern begins with this byte */
} rt_added_set;
retort_status rt_added_set_create(const rt_added_token *tokens, int32_t count, bool normalized, rt_added_set *out,
                                  retort_error *err);
void rt_added_set_free(rt_added_set *set);

/* A search through a text. */
typedef struct rt_added_scan {
    const rt_added_set *set;
    const char *text;
    size_t length;
    bool parse_special;
    size_t from, done; /* where to search on; the end of the last match that counted */
} rt_added_scan;
/* The next token and the span it takes (with the spaces that lstrip and rstrip swallow), or NULL. begin < scan.done
 * before the call can happen only after rstrip; text before `done` is used up. */
const rt_added_token *rt_added_scan_next(rt_added_scan *scan, size_t *begin, size_t *end);

#endif
