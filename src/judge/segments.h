/* A long response in overlapping segments. */
#ifndef RT_JUDGE_SEGMENTS_H
#define RT_JUDGE_SEGMENTS_H

#include "core/mem.h"

typedef struct rt_segment {
    size_t begin, end;
} rt_segment;

/* The first segment begins at 0, the last ends at `length`, and each but the first begins at most `overlap` bytes
 * before the end of the one before it. Where it can, a segment ends behind a paragraph, a line or a sentence in its
 * last fifth, and the next begins behind a space; never inside a UTF-8 character. A response of up to `longest` bytes
 * is one segment, also one of 0 bytes. overlap <= longest / 2. Caller frees *out with rt_free. */
retort_status rt_segments_cut(const char *text, size_t length, size_t longest, size_t overlap, rt_segment **out,
                              int64_t *count, retort_error *err);
/* Segment `index` of those, alone; false if there are fewer. */
bool rt_segment_at(const char *text, size_t length, size_t longest, size_t overlap, int64_t index, rt_segment *out);

#endif
