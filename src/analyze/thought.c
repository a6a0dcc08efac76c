#include "analyze/thought.h"

#include <string.h>

static const char OPEN[] = "<think>", CLOSE[] = "</think>";
enum { OPEN_LENGTH = sizeof OPEN - 1, CLOSE_LENGTH = sizeof CLOSE - 1 };

static size_t find(const rt_piece_walk *walk, size_t from, const char *tag, size_t tag_length) {
    const char *hit = memmem(walk->text + from, walk->length - from, tag, tag_length);
    return hit != NULL ? (size_t)(hit - walk->text) : walk->length;
}

static void start(rt_piece_walk *walk) {
    size_t open = find(walk, 0, OPEN, OPEN_LENGTH), close = find(walk, 0, CLOSE, CLOSE_LENGTH);
    bool no_tag = open == walk->length && close == walk->length;
    walk->started = true;
    walk->thought = close < open || (no_tag && walk->starts_in_thought);
}

bool rt_piece_next(rt_piece_walk *walk, rt_part_span *out) {
    if (!walk->started) start(walk);
    while (walk->at < walk->length) {
        size_t begin = walk->at, tag = walk->thought ? CLOSE_LENGTH : OPEN_LENGTH;
        size_t end = find(walk, begin, walk->thought ? CLOSE : OPEN, tag);
        bool last = end == walk->length;
        walk->unclosed = last && walk->thought;
        walk->at = last ? end : end + tag;
        *out = (rt_part_span){begin, walk->with_tags ? walk->at : end, walk->thought};
        if (!last) walk->thought = !walk->thought;
        /* a thought that the very end opens */
        if (walk->at == walk->length && !last && walk->thought) walk->unclosed = true;
        if (out->end > out->begin) return true;
    }
    return false;
}
