/* The words of the flexible teacher and of the corpus. Every slot has many alternatives, one of which is drawn.
 *
 * Placeholders: {T} the current target, {L} the numbers at hand, {E} one equation, {G} goals "24 - 5 = 19 or 24 + 5 =
 * 29", {N} their values, {Z} a number, {R} a result, {D} a distance, {C} a chain of steps. Marks, not written, say what
 * a sentence is, and are what the teacher's plan counts: ~ doubt or noticed failure, ^ check, @ correction.
 */
#ifndef RT_DATA_PHRASES_H
#define RT_DATA_PHRASES_H

#include <stddef.h>

typedef enum rt_slot {
    RT_SLOT_OPEN,
    RT_SLOT_FORWARD,       /* first step of the first approach */
    RT_SLOT_FORWARD_AGAIN, /* of a later one */
    RT_SLOT_BACKWARD,      /* a subgoal from the target */
    RT_SLOT_BACKWARD_AGAIN,
    RT_SLOT_LAST,       /* a last number, its goals, and the two numbers left */
    RT_SLOT_LAST_AGAIN, /* after a failure */
    RT_SLOT_LIST,       /* before a list of results */
    RT_SLOT_FAIL,
    RT_SLOT_FAIL_SMALL,
    RT_SLOT_FAIL_BIG,
    RT_SLOT_HIT,
    RT_SLOT_NEAR,
    RT_SLOT_UNSURE,
    RT_SLOT_RECHECK,
    RT_SLOT_TRIED,    /* an approach proposed and dropped because it was tried */
    RT_SLOT_NEGATIVE, /* an intended difference turned round; {E} is the right one, {Z} and {R} the operands */
    RT_SLOT_SLIP,     /* a wrong result taken back */
    RT_SLOT_VERIFY,
    RT_SLOT_ANSWER,
    RT_SLOT_GIVE_UP,
    RT_SLOT_COUNT
} rt_slot;

typedef struct rt_phrases {
    const char *const *items;
    size_t count;
} rt_phrases;
extern const rt_phrases rt_phrase_table[RT_SLOT_COUNT];

extern const char *const rt_corpus_sentences[];
extern const size_t rt_corpus_sentence_count;

#endif
