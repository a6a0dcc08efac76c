/* Recognises banned words and phrases in a text, byte by byte.
 *
 * The rule, which is wider than those that words are counted by (text/lexicon.h, text/lexeme.h), so that whatever these
 * count is refused:
 * - A word is a run of ASCII letters with apostrophes inside; everything else, also a digit, an underscore or a letter
 * of another script, ends it. Letters behind an odd number of backslashes are the name of a command, and no word.
 * - A pattern that begins (ends) with an ASCII letter matches only where a word begins (ends); other patterns match
 *   anywhere. It makes no difference whether the text is code: that shows only when the code ends.
 * - White space inside a pattern stands for any run of ASCII white space. ASCII letters match in either case, unless
 * the pattern says otherwise.
 *
 * The patterns become a nondeterministic automaton whose items are places inside patterns, and that a deterministic one
 * (subset construction, all states made at once): one table look-up a byte, and the state is all that has to be
 * remembered of a text. What the end of a word is worth depends on what follows, so a match is
 *   open     complete if the text ended here or no letter followed (RT_BAN_OPEN: its last byte is the one just read;
 *            RT_BAN_HELD: an apostrophe has been read behind it, which belongs to the word only if a letter follows)
 *   closed   complete whatever follows (RT_BAN_CLOSED), or made so by the byte that ends the word (RT_BAN_ENDS).
 */
#ifndef RT_SAMPLE_AUTOMATON_H
#define RT_SAMPLE_AUTOMATON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

typedef struct rt_pattern {
    const char *text;  /* borrowed, NUL-terminated: one to RT_PATTERN_BYTES bytes, no white space at its ends */
    bool exact_case;   /* otherwise ASCII letters match in either case */
    bool inside_words; /* matches anywhere, also inside a word or a command */
    bool in_commands;  /* matches the name of a command too */
    const char *tail;  /* these bytes follow as they are, and no word has to end behind them; NULL: nothing */
} rt_pattern;
enum { RT_PATTERN_BYTES = 256, RT_PATTERNS = 1 << 16 };

enum { RT_BAN_OPEN = 1, RT_BAN_HELD = 2, RT_BAN_CLOSED = 4 }; /* flags of a state */
#define RT_BAN_ENDS  0x40000000 /* in a transition: what was open is closed by this byte */
#define RT_BAN_STATE 0x3fffffff /* the state it leads to */

typedef struct rt_automaton {
    uint8_t class_of[256]; /* bytes that no pattern tells apart have one class */
    int32_t classes, states;
    int32_t *next;  /* [states][classes] */
    uint8_t *flags; /* [states] */
} rt_automaton;

/* State 0 is that of an empty text. RETORT_ERR_USAGE: a pattern that is no pattern, named; RETORT_ERR_UNSUPPORTED: more
 * states than RT_AUTOMATON_STATES. */
enum { RT_AUTOMATON_STATES = 1 << 17 };
retort_status rt_automaton_create(const rt_pattern *patterns, int32_t count, rt_automaton **out, retort_error *err);
void rt_automaton_destroy(rt_automaton *automaton);

static inline int32_t rt_automaton_step(const rt_automaton *a, int32_t state, uint8_t byte) {
    return a->next[(int64_t)state * a->classes + a->class_of[byte]];
}

/* True if a match that was open is still so behind this byte, or became so with it. */
static inline bool rt_ban_open(uint8_t flags, bool was_open) {
    return (flags & RT_BAN_OPEN) != 0 || (was_open && (flags & RT_BAN_HELD) != 0);
}

#endif
