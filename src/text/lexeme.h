/* The words of the embedded world: how its texts are cut into lexical tokens, and two closed lists of words.
 *
 * The study counts by them, and its results stand on them; responses from anywhere are counted by the lexicons of
 * text/lexicon.h. The lists are our own (the paper's are not public). A response is cut into lexical tokens:
 *   word     a maximal run of ASCII letters and apostrophes, compared in lower case ("Wait," counts as "wait",
 *            "solve" never counts as "so")
 *   number   a maximal run of digits
 *   command  a backslash and the letters after it ("\boxed", "\left"): mathematical, never a word
 *   symbol   any other byte that is not white space
 * Rates are per 1,000 lexical tokens. Mathematical tokens are numbers, commands and the symbols + - * / = ( ) { } ^ <
 * >.
 */
#ifndef RT_LEXEME_H
#define RT_LEXEME_H

#include <stdbool.h>
#include <stddef.h>

typedef enum rt_category {
    RT_CATEGORY_OTHER,
    RT_CATEGORY_ANTHROPOMORPHIC,
    RT_CATEGORY_LOGICAL,
    RT_CATEGORY_MATHEMATICAL,
    RT_CATEGORIES
} rt_category;

const char *rt_category_name(rt_category category);
/* Words of a word category, NULL-terminated; NULL for the others. */
const char *const *rt_category_words(rt_category category);

typedef enum rt_lexeme_kind { RT_LEXEME_WORD, RT_LEXEME_NUMBER, RT_LEXEME_COMMAND, RT_LEXEME_SYMBOL } rt_lexeme_kind;

typedef struct rt_lexeme {
    const char *text; /* borrowed from the input, not lower-cased */
    size_t length;
    rt_lexeme_kind kind;
} rt_lexeme;

/* Takes the next lexical token from text[*at ..length); false at the end. */
bool rt_lexeme_next(const char *text, size_t length, size_t *at, rt_lexeme *out);
rt_category rt_lexeme_category(const rt_lexeme *lexeme);

#endif
