#include "rewrite/plain.h"

#include "rewrite/grammar.h"
#include "rewrite/plain_phrases.h"

/* Fills the plain phrase's placeholders, in order, with what stood at those of the original. */
static retort_status write_phrase(const char *text, const rt_phrase_match *match, rt_buffer *out, retort_error *err) {
    const char *plain = rt_plain_phrase_table[match->slot].items[match->index];
    int next = 0;
    for (const char *p = plain; *p; p++) {
        if (*p == '~' || *p == '^' || *p == '@') continue;
        if (*p != '{') {
            RT_TRY(rt_buffer_append(out, p, 1, err));
            continue;
        }
        RT_CHECK(next < match->count && match->values[next].letter == p[1], err, RETORT_ERR_STATE,
                 "the plain phrase '%s' does not have the placeholders of its original", plain);
        RT_TRY(rt_buffer_append(out, text + match->values[next].begin, match->values[next].length, err));
        next++;
        p += 2;
    }
    RT_CHECK(next == match->count, err, RETORT_ERR_STATE,
             "the plain phrase '%s' does not have the placeholders of its original", plain);
    return RETORT_OK;
}

/* What stands between phrases: an equation, the comma before the next, or the box at the end. 0: none of them. */
static size_t scan_between(const char *text, size_t length, size_t at) {
    size_t n = rt_scan_box(text, length, at);
    if (n > 0) return at + n == length ? n : 0;
    n = rt_scan_equation(text, length, at);
    if (n > 0) return n;
    return length - at > 2 && text[at] == ',' && text[at + 1] == ' ' ? 2 : 0;
}

retort_status rt_plain_write(const char *text, size_t length, rt_buffer *out, retort_error *err) {
    for (size_t at = 0; at < length;) {
        rt_phrase_match match;
        if (rt_phrase_find(text, length, at, &match)) {
            RT_TRY(write_phrase(text, &match, out, err));
            at = match.end;
            continue;
        }
        const size_t n = scan_between(text, length, at);
        RT_CHECK(n > 0, err, RETORT_ERR_FORMAT, "no trace of the flexible teacher: byte %zu begins none of its phrases",
                 at + 1);
        RT_TRY(rt_buffer_append(out, text + at, n, err));
        at += n;
    }
    return RETORT_OK;
}
