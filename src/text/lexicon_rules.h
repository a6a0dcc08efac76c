/* What an entry's rules say about a place in the text where its letters stand, their case aside. */
#ifndef RT_LEXICON_RULES_H
#define RT_LEXICON_RULES_H

#include "text/lexicon.h"

/* Where the place that ends at `end` begins: back over the entry's text, whose blanks stand for runs of white space and
 * whose apostrophes for either kind. */
size_t rt_entry_begin(const rt_lexicon_entry *entry, const char *text, size_t end);

/* True if [begin, end) has the entry's letter case and boundary and is no name of a command or tag that its context
 * forbids. Code is not looked at. */
bool rt_entry_fits(const rt_lexicon_entry *entry, const char *text, size_t length, size_t begin, size_t end);

#endif
