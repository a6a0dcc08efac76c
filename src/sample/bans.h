/* Banned words and phrases: token-restricted decoding that no spelling gets round.
 *
 * Patterns are matched in the text that tokens spell together (sample/automaton.h has the rule), so that every case,
 * every leading space or newline, and every split into tokens is caught: "wa" + "it" as well as " Wait,".
 *
 * The property that all modes stand on. Let T be the response's text so far and t a token with the bytes b. In T, the
 * ban's tokens are exactly those t for which the text T + b, taken as complete, holds a match that ends inside b. So
 * - where the ban's tokens are refused, the text holds no banned word at any moment, wherever the response ends;
 * - nothing else is refused. The price is that "so" + "lve" is refused along with "so", because at that moment the text
 *   would be "so" (another spelling of "solve" is not);
 * - where they are only made less probable, a match that is in the text already is not counted again by what follows.
 *
 * The automaton's state after T is all that matters of T. The ban's tokens of a state are a bit mask over the
 * vocabulary, made when the state is first met and kept until RT_BAN_MASK_BYTES are full; from then on those of new
 * states are made each time, which costs time and nothing else.
 */
#ifndef RT_SAMPLE_BANS_H
#define RT_SAMPLE_BANS_H

#include "sample/automaton.h"
#include "sample/mask.h"
#include "sample/pieces.h"

typedef struct rt_bans rt_bans;
enum { RT_BAN_MASK_BYTES = 64 << 20 };

/* `pieces` are borrowed, so that many bans can share them; NULL: made from the tokenizer and owned. A pattern that is
 * none is RETORT_ERR_USAGE. Neither tokenizer nor patterns are kept.
 *
 * Stop strings (NULL where num_stop is 0) cut the text before them, perhaps inside a token and so behind a word that
 * would have gone on: with the stop string "lve", "solve" leaves "so". Such texts are refused too. */
typedef struct rt_ban_terms {
    const rt_pattern *patterns;
    int32_t count;
    const char *const *stop;
    int32_t num_stop;
} rt_ban_terms;
retort_status rt_bans_create(const rt_tokenizer *tokenizer, const rt_pieces *pieces, const rt_ban_terms *terms,
                             rt_bans **out, retort_error *err);
/* True for a stop string that can cut a text inside a word, so that it matters to bans. */
bool rt_stop_cuts_words(const char *stop);
void rt_bans_destroy(rt_bans *bans);

/* State of an empty response, and the state after more bytes. */
int32_t rt_bans_start(const rt_bans *bans);
int32_t rt_bans_advance(const rt_bans *bans, int32_t state, const char *bytes, size_t length);

/* True if a text, taken as complete, holds a match. */
bool rt_bans_hold(const rt_bans *bans, const char *text, size_t length);
/* The ban's tokens in a state, *out = NULL where there are none. The mask has rt_mask_words(ids of the tokenizer) words
 * and belongs to the bans, or is `scratch` (as many words) where no more are kept. One thread at a time. */
retort_status rt_bans_refused(rt_bans *bans, int32_t state, uint64_t *scratch, const uint64_t **out, retort_error *err);
/* What is held now: masks, and their bytes. */
void rt_bans_memory(const rt_bans *bans, int64_t *masks, size_t *bytes);
/* At most so many bytes of masks from now on, for tests. */
void rt_bans_limit(rt_bans *bans, size_t bytes);

#endif
