/* Banned words: token-restricted decoding that no spelling gets round.
 *
 * A banned word is a word of text/lexeme.h (letters and inner apostrophes, case ignored): the unit that the token
 * analysis counts. The rule: a token is refused if the response's text with its bytes appended would hold a banned
 * word, the text's last word counting as finished even if later tokens could lengthen it. So at no moment, wherever
 * the response ends, does its text hold a banned word; the price is that "so" + "lve" is refused along with "so"
 * (another spelling of "solve" is not).
 *
 * A finite automaton over the response's bytes remembers all that matters of the text: being outside words, behind a
 * backslash or in a command (its letters are no word), inside a word that begins like a banned one, or inside any other
 * word. The tokens that each of its states refuses are listed once, when the bans are made.
 */
#ifndef RT_SAMPLE_BANS_H
#define RT_SAMPLE_BANS_H

#include "text/tokenizer.h"

typedef struct rt_bans rt_bans;

/* A word that text/lexeme.h would not read as one word is RETORT_ERR_USAGE. The tokenizer is not kept. */
retort_status rt_bans_create(const rt_tokenizer *tokenizer, const char *const *words, int32_t count, rt_bans **out,
                             retort_error *err);
void rt_bans_destroy(rt_bans *bans);

/* State of an empty response, and the state after more bytes. */
int32_t rt_bans_start(const rt_bans *bans);
int32_t rt_bans_advance(const rt_bans *bans, int32_t state, const char *bytes, size_t length);
/* The tokens refused in a state, ascending; borrowed. */
const int32_t *rt_bans_refused(const rt_bans *bans, int32_t state, int64_t *count);

/* Words of a comma list of category names (text/lexeme.h) and files with one word a line; each is named in errors. */
typedef struct rt_word_list {
    char **words;
    int32_t count, capacity;
} rt_word_list;
retort_status rt_word_list_read(const char *list, rt_word_list *out, retort_error *err);
void rt_word_list_free(rt_word_list *list);

#endif
