#include "judge/segments.h"

#include <string.h>

static bool is_inside_character(const char *text, size_t at) {
    return ((unsigned char)text[at] & 0xC0) == 0x80;
}

/* The last place in (low, high] behind `mark`; 0 if there is none. */
static size_t last_behind(const char *text, size_t low, size_t high, const char *mark) {
    const size_t n = strlen(mark);
    for (size_t at = high; at > low && at >= n; at--)
        if (memcmp(text + at - n, mark, n) == 0) return at;
    return 0;
}

static size_t end_of(const char *text, size_t length, size_t begin, size_t longest) {
    static const char *const MARKS[] = {"\n\n", "\n", ". ", " "};
    if (length - begin <= longest) return length;
    const size_t high = begin + longest, low = high - longest / 5;
    for (size_t m = 0; m < sizeof MARKS / sizeof *MARKS; m++) {
        const size_t found = last_behind(text, low, high, MARKS[m]);
        if (found > 0) return found;
    }
    size_t end = high;
    while (end > low && is_inside_character(text, end)) end--;
    return end;
}

/* Within the last `overlap` bytes before `end`, and past `begin`. */
static size_t next_begin(const char *text, size_t begin, size_t end, size_t overlap) {
    const size_t low = end - begin > overlap ? end - overlap : begin + 1;
    for (size_t at = low; at < end; at++)
        if (text[at - 1] == ' ' || text[at - 1] == '\n') return at;
    size_t at = low;
    while (at < end && is_inside_character(text, at)) at++;
    return at;
}

static bool advance(const char *text, size_t length, size_t longest, size_t overlap, rt_segment *segment) {
    if (segment->end == length) return false;
    const size_t begin = next_begin(text, segment->begin, segment->end, overlap);
    *segment = (rt_segment){begin, end_of(text, length, begin, longest)};
    return true;
}

bool rt_segment_at(const char *text, size_t length, size_t longest, size_t overlap, int64_t index, rt_segment *out) {
    *out = (rt_segment){0, end_of(text, length, 0, longest)};
    while (index-- > 0)
        if (!advance(text, length, longest, overlap, out)) return false;
    return true;
}

retort_status rt_segments_cut(const char *text, size_t length, size_t longest, size_t overlap, rt_segment **out,
                              int64_t *count, retort_error *err) {
    rt_segment segment = {0, end_of(text, length, 0, longest)};
    *count = 1;
    while (advance(text, length, longest, overlap, &segment)) ++*count;
    *out = rt_malloc_array((size_t)*count, sizeof **out);
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld segments", (long long)*count);
    segment = (rt_segment){0, end_of(text, length, 0, longest)};
    (*out)[0] = segment;
    for (int64_t i = 1; i < *count && advance(text, length, longest, overlap, &segment); i++) (*out)[i] = segment;
    return RETORT_OK;
}
