/* The flexible teacher's phrases once more, without a marked word.
 *
 * Phrase i of a slot in data/phrases.h becomes phrase i here: the same placeholders in the same order, so that no
 * number or equation moves, and the same marks (~ doubt or noticed failure, ^ check, @ correction), told with cues that
 * are not marked words ("it should be" for "I mean"), so that every behaviour the recogniser counts is still there.
 * What a phrase loses is its voice. tests/rewrite holds both to this.
 */
#ifndef RT_REWRITE_PLAIN_PHRASES_H
#define RT_REWRITE_PLAIN_PHRASES_H

#include "data/phrases.h"

extern const rt_phrases rt_plain_phrase_table[RT_SLOT_COUNT];

#endif
