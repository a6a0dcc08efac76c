/* The counting rules of docs/tokens.md a second time, slowly and otherwise: every entry becomes a regular expression
 * (PCRE2), code and commands are masks over the bytes, and a category's places are intervals that are sorted and
 * joined. Shares no code with src/text. */
#ifndef TOKEN_ORACLE_H
#define TOKEN_ORACLE_H

#include "analyze/thought.h"
#include "text/lexicon.h"

typedef struct oracle oracle;
oracle *oracle_create(const rt_lexicon *lexicon);
void oracle_destroy(oracle *o);

/* Counts a response: entries[E], places[C]; returns the words. */
long oracle_count(oracle *o, const char *text, rt_part part, long *entries, long *places);

#endif
