/* Lexicons: what is counted in responses (and banned from them), as YAML that ships and can be replaced.
 *
 *   categories:
 *     logical:
 *       about: words that join steps of an argument
 *       entries:
 *         - because                      # short for {text: because}
 *         - text: on the other hand      # a phrase: its blanks match any white space without an empty line
 *           yes: ["On the other\nhand"]  # must match; unless given, the text itself must
 *           not: ["on the otherhand"]    # must not match
 *         - text: so
 *           case: any
 *           boundary: whole
 *           context: prose
 *           not: [solve, so-called, \sofar, "`so = 1`"]
 *
 * Rules of an entry:
 *   case      any (default): ASCII letters in either case; exact: as written
 *   boundary  word (default): the match begins and ends where a word does: a letter or digit at its edge has no letter,
 *             digit or underscore beside it, of any script, nor an apostrophe with such behind it ("wait's")
 *             whole: word, and not joined to another word by a hyphen ("so-called")
 *             operator: an operand stands on both sides (spaces between): a number, a letter alone, a bracket, a
 *             dollar sign, on the right also a command; so that "-" is no hyphen, bullet or minus sign
 *             none: anywhere
 *   context   prose (default): not in code (`...` within a line, fences of three ` or ~ up to their end), not the name
 *             of a LaTeX command (\because), not the name of a tag (<think>)
 *             anywhere
 *   class     instead of text: number (a run of digits, with . or , between digits) or command (a backslash and the
 *             letters after it)
 *
 * An apostrophe in a text matches U+2019 as well. Entries are counted each by itself. A category counts places: matches
 * that overlap are one place, so that "wait a minute" beside "wait" adds nothing.
 *
 * The lists are our own; the authors' are not public (only a few of their words are, and those are among ours).
 */
#ifndef RT_LEXICON_H
#define RT_LEXICON_H

#include <stdbool.h>

#include "core/json.h"

typedef enum rt_letter_case { RT_CASE_ANY, RT_CASE_EXACT } rt_letter_case;
typedef enum rt_boundary { RT_BOUNDARY_WORD, RT_BOUNDARY_WHOLE, RT_BOUNDARY_OPERATOR, RT_BOUNDARY_NONE } rt_boundary;
typedef enum rt_context { RT_CONTEXT_PROSE, RT_CONTEXT_ANYWHERE } rt_context;
typedef enum rt_entry_kind { RT_ENTRY_TEXT, RT_ENTRY_NUMBER, RT_ENTRY_COMMAND } rt_entry_kind;

enum {
    RT_LEXICON_MAX_TEXT = 64, /* bytes of an entry's text */
    RT_LEXICON_MAX_CATEGORIES = 32,
    RT_LEXICON_MAX_ENTRIES = 2048
};

typedef struct rt_lexicon_entry {
    char *text;       /* blanks single, apostrophes ASCII; "<number>" or "<command>" for a class */
    int32_t category; /* index */
    rt_entry_kind kind;
    rt_letter_case letter_case;
    rt_boundary boundary;
    rt_context context;
    char **yes, **never; /* examples; may hold none */
    int32_t num_yes, num_never;
} rt_lexicon_entry;

typedef struct rt_lexicon_category {
    char *name, *about;
} rt_lexicon_category;

typedef struct rt_lexicon {
    rt_lexicon_category *categories;
    rt_lexicon_entry *entries; /* category by category, in the file's order */
    int32_t num_categories, num_entries;
} rt_lexicon;

/* Reads a comma list of names of shipped lexicons (assets/lexicons) and of files, which add up; NULL: all that ship.
 * Every entry's examples are tried: one that does not behave is RETORT_ERR_FORMAT and named. */
retort_status rt_lexicon_read(const char *list, rt_lexicon *out, retort_error *err);
/* Adds one document. `what` names it in messages. On failure *lexicon holds what it held, or part of the document; it
 * is the caller's to free either way. */
retort_status rt_lexicon_add(const char *yaml, size_t length, const char *what, rt_lexicon *lexicon, retort_error *err);
void rt_lexicon_free(rt_lexicon *lexicon);
/* -1 if there is none. */
int32_t rt_lexicon_category_find(const rt_lexicon *lexicon, const char *name);
/* Name of the shipped lexicon number i; NULL behind the last. */
const char *rt_lexicon_shipped(int i);
const char *rt_boundary_name(rt_boundary boundary);

#endif
