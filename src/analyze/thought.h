/* Thought and answer: where a response reasons and where it says its result.
 *
 * <think> and </think> cut a response. A response whose first tag is </think> was begun inside a thought by its prompt
 * (`Assistant: <think>`). A thought that is never closed goes on to the end: the response was cut off in it. A second
 * <think> inside a thought and a </think> outside of one change nothing. Without any tag all is answer, unless the
 * caller says that responses start inside a thought: then all is an unclosed thought.
 */
#ifndef RT_THOUGHT_H
#define RT_THOUGHT_H

#include <stdbool.h>
#include <stddef.h>

typedef enum rt_part { RT_PART_BOTH, RT_PART_THOUGHT, RT_PART_ANSWER } rt_part;

typedef struct rt_part_span {
    size_t begin, end; /* the tags are outside, except in pieces of RT_PART_BOTH */
    bool thought;
} rt_part_span;

/* A walk over the pieces. Zero-initialise but for the first four. */
typedef struct rt_piece_walk {
    const char *text;
    size_t length;
    bool starts_in_thought; /* though no tag says so */
    bool with_tags;         /* pieces lie without gaps, each tag at the end of the thought or answer before it */
    bool started, thought, unclosed;
    size_t at;
} rt_piece_walk;

/* The next piece that is not empty; false behind the last. Then `unclosed` says whether a thought was left open. */
bool rt_piece_next(rt_piece_walk *walk, rt_part_span *out);

#endif
