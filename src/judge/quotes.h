/* Finding a judge's quote in the response it is from. */
#ifndef RT_JUDGE_QUOTES_H
#define RT_JUDGE_QUOTES_H

#include "judge/passage.h"

/* A text with what is needed to look for quotes in it. Zero-initialise. */
typedef struct rt_quotable {
    const char *text;
    size_t length;
    rt_buffer normal; /* the normal form, made when it is first needed */
    size_t *places;   /* [normal.length + 1]: where in the text each of its bytes comes from */
    size_t place_count, place_capacity;
    bool made;
} rt_quotable;
void rt_quotable_free(rt_quotable *quotable);

typedef enum rt_quote_match {
    RT_QUOTE_NONE,
    RT_QUOTE_EXACT,
    RT_QUOTE_NORMAL /* only in the normal form */
} rt_quote_match;

/* Looks for the quote byte for byte; then with what JSON has made of a LaTeX command put back (a tab, line feed,
 * carriage return, backspace or form feed before a small letter read as \t \n \r \b \f), exactly or in the normal form;
 * then as it is in the normal form. Of several places it takes the first that shares no byte with one already `taken`
 * for the behaviour: one occurrence more needs one place more. A quote needs at least RT_LEAST_QUOTE bytes that are no
 * white space.
 *
 * The normal form: compatibility decomposition of Unicode (NFKD, character by character); every run of white space is
 * one space, and there is none at the ends; typographic quotation marks, apostrophes and dashes are the plain ones;
 * backslashes, asterisks and grave accents (Markdown's) are left out. Case counts. */
enum { RT_LEAST_QUOTE = 4 };
retort_status rt_quote_find(rt_quotable *in, const char *quote, size_t length, int32_t behavior,
                            const rt_passages *taken, rt_passage *out, rt_quote_match *match, retort_error *err);

#endif
