/* The sprinkled style: marked words put between the steps of a rigid trace, as often as other traces use them.
 *
 * The rate and the mix of words are those of a reference (the flexible teacher's traces). Words are handed out so that
 * after every trace the share of each category in everything written so far is the reference's, to less than one word:
 * each word's deficit (what the reference would have by now, less what was written) is kept, and the words most in
 * arrears are drawn most often.
 */
#ifndef RT_REWRITE_SPRINKLE_H
#define RT_REWRITE_SPRINKLE_H

#include "core/mem.h"
#include "rewrite/marked.h"

enum { RT_SPRINKLE_WORDS = 128 }; /* at most, of both categories */

typedef struct rt_sprinkler {
    uint64_t seed;
    rt_marked reference, written;
    int64_t reference_words[RT_SPRINKLE_WORDS], written_words[RT_SPRINKLE_WORDS];
} rt_sprinkler;

/* Adds a text to the reference. */
retort_status rt_sprinkle_reference(rt_sprinkler *sprinkler, const char *text, size_t length, retort_error *err);
/* Appends the sprinkled form of a rigid trace, the index-th of the run, to *out. RETORT_ERR_FORMAT for a text that is
 * none. */
retort_status rt_sprinkle_write(rt_sprinkler *sprinkler, int64_t index, const char *text, size_t length, rt_buffer *out,
                                retort_error *err);

#endif
