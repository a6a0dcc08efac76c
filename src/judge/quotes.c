#include "judge/quotes.h"

#include <string.h>
#include <utf8proc.h>

enum { DECOMPOSED = 24 }; /* code points that one decomposes to; U+FDFA has 18 */

void rt_quotable_free(rt_quotable *quotable) {
    rt_buffer_free(&quotable->normal);
    rt_free(quotable->places);
    *quotable = (rt_quotable){0};
}

/* ---- the normal form ---- */

static bool is_white(utf8proc_int32_t c) {
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xA0 || (c >= 0x2000 && c <= 0x200B) ||
           c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000 || c == 0xFEFF;
}

/* The plain character for a typographic one; 0: leave it out; else the same. */
static utf8proc_int32_t plain_of(utf8proc_int32_t c) {
    if ((c >= 0x2018 && c <= 0x201B) || c == 0x2032) return '\'';
    if ((c >= 0x201C && c <= 0x201F) || c == 0x2033) return '"';
    if ((c >= 0x2010 && c <= 0x2015) || c == 0x2212) return '-';
    if (c == '\\' || c == '*' || c == '`') return 0;
    return c;
}

static retort_status put(rt_quotable *q, const char *bytes, size_t count, size_t place, retort_error *err) {
    if (q->places == NULL || q->place_count + count + 1 > q->place_capacity) {
        const size_t capacity = (q->place_capacity + count + 64) * 2;
        size_t *grown = rt_realloc_array(q->places, capacity, sizeof *grown);
        RT_CHECK(grown != NULL, err, RETORT_ERR_MEMORY, "out of memory: quotes");
        q->places = grown;
        q->place_capacity = capacity;
    }
    for (size_t i = 0; i < count; i++) q->places[q->place_count++] = place;
    return rt_buffer_append(&q->normal, bytes, count, err);
}

static retort_status put_character(rt_quotable *q, utf8proc_int32_t c, size_t place, retort_error *err) {
    utf8proc_int32_t parts[DECOMPOSED];
    int boundary = 0;
    c = plain_of(c);
    if (c == 0) return RETORT_OK;
    utf8proc_ssize_t count =
        c < 0x80 ? 0 : utf8proc_decompose_char(c, parts, DECOMPOSED, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, &boundary);
    if (count <= 0 || count > DECOMPOSED) {
        parts[0] = c;
        count = 1;
    }
    for (utf8proc_ssize_t i = 0; i < count; i++) {
        char bytes[4];
        const utf8proc_ssize_t n = utf8proc_encode_char(parts[i], (utf8proc_uint8_t *)bytes);
        RT_TRY(put(q, bytes, (size_t)n, place, err));
    }
    return RETORT_OK;
}

/* A byte that is no UTF-8 stands for itself: it matches nothing a judge can quote, and nothing is lost around it. */
static retort_status make_normal(rt_quotable *q, retort_error *err) {
    bool white = true; /* what comes first is not separated from anything */
    size_t white_at = 0;
    q->made = true;
    for (size_t at = 0; at < q->length;) {
        utf8proc_int32_t c = -1;
        utf8proc_ssize_t n =
            utf8proc_iterate((const utf8proc_uint8_t *)q->text + at, (utf8proc_ssize_t)(q->length - at), &c);
        if (n <= 0) {
            n = 1;
            c = 0xFFFD;
        }
        if (is_white(c)) {
            if (!white) white_at = at;
            white = true;
        } else {
            if (white && q->normal.length > 0) RT_TRY(put(q, " ", 1, white_at, err));
            white = false;
            RT_TRY(put_character(q, c, at, err));
        }
        at += (size_t)n;
    }
    RT_TRY(put(q, "", 0, 0, err)); /* room for the end's place */
    q->places[q->place_count] = q->length;
    return RETORT_OK;
}

/* ---- looking ---- */

/* The end of a passage already taken that shares a byte with these; 0 if there is none. */
static size_t taken_until(const rt_passages *taken, int32_t behavior, size_t begin, size_t end) {
    for (size_t i = 0; i < taken->count; i++) {
        const rt_passage *t = &taken->items[i];
        if (t->behavior == behavior && begin < t->end && t->begin < end) return t->end;
    }
    return 0;
}

static bool find_exact(const rt_quotable *in, const char *quote, size_t length, int32_t behavior,
                       const rt_passages *taken, rt_passage *out) {
    for (size_t at = 0; at + length <= in->length;) {
        const char *found = memmem(in->text + at, in->length - at, quote, length);
        if (found == NULL) return false;
        const size_t begin = (size_t)(found - in->text), until = taken_until(taken, behavior, begin, begin + length);
        if (until == 0) {
            *out = (rt_passage){behavior, begin, begin + length};
            return true;
        }
        at = until > begin ? until : begin + 1;
    }
    return false;
}

static bool find_normal(const rt_quotable *in, const rt_quotable *quote, int32_t behavior, const rt_passages *taken,
                        rt_passage *out) {
    const size_t length = quote->normal.length, all = in->normal.length;
    if (length == 0) return false;
    for (size_t at = 0; at + length <= all;) {
        const char *found = memmem(in->normal.data + at, all - at, quote->normal.data, length);
        if (found == NULL) return false;
        const size_t first = (size_t)(found - in->normal.data), begin = in->places[first];
        size_t end = in->places[first + length];
        while (end > begin && strchr(" \t\r\n", in->text[end - 1]) != NULL && in->text[end - 1] != '\0') end--;
        if (end > begin && taken_until(taken, behavior, begin, end) == 0) {
            *out = (rt_passage){behavior, begin, end};
            return true;
        }
        at = first + 1;
    }
    return false;
}

static retort_status find_both(rt_quotable *in, const char *quote, size_t length, int32_t behavior,
                               const rt_passages *taken, rt_passage *out, rt_quote_match *match, retort_error *err) {
    if (find_exact(in, quote, length, behavior, taken, out)) {
        *match = RT_QUOTE_EXACT;
        return RETORT_OK;
    }
    rt_quotable normal = {.text = quote, .length = length};
    retort_status st = in->made ? RETORT_OK : make_normal(in, err);
    if (st == RETORT_OK) st = make_normal(&normal, err);
    if (st == RETORT_OK && find_normal(in, &normal, behavior, taken, out)) *match = RT_QUOTE_NORMAL;
    rt_quotable_free(&normal);
    return st;
}

/* Puts LaTeX's backslashes back that JSON took for escapes; false if there is nothing to put back. */
static retort_status put_back(const char *quote, size_t length, rt_buffer *out, bool *any, retort_error *err) {
    static const char READ[] = "\t\n\r\b\f", MEANT[] = "tnrbf";
    *any = false;
    for (size_t i = 0; i < length; i++) {
        const char *which = quote[i] != '\0' ? strchr(READ, quote[i]) : NULL;
        const bool letter = i + 1 < length && quote[i + 1] >= 'a' && quote[i + 1] <= 'z';
        if (which != NULL && letter) {
            const char pair[2] = {'\\', MEANT[which - READ]};
            RT_TRY(rt_buffer_append(out, pair, 2, err));
            *any = true;
        } else {
            RT_TRY(rt_buffer_append(out, quote + i, 1, err));
        }
    }
    return RETORT_OK;
}

static bool is_long_enough(const char *quote, size_t length) {
    size_t solid = 0;
    for (size_t i = 0; i < length; i++) solid += quote[i] != ' ' && (quote[i] < '\t' || quote[i] > '\r');
    return solid >= RT_LEAST_QUOTE;
}

retort_status rt_quote_find(rt_quotable *in, const char *quote, size_t length, int32_t behavior,
                            const rt_passages *taken, rt_passage *out, rt_quote_match *match, retort_error *err) {
    *match = RT_QUOTE_NONE;
    if (!is_long_enough(quote, length)) return RETORT_OK;
    if (find_exact(in, quote, length, behavior, taken, out)) {
        *match = RT_QUOTE_EXACT;
        return RETORT_OK;
    }
    /* Before the normal form, in which a form feed is white space and "\frac" would be found from its second letter on.
     */
    rt_buffer again = {0};
    bool any;
    retort_status st = put_back(quote, length, &again, &any, err);
    if (st == RETORT_OK && any) st = find_both(in, again.data, again.length, behavior, taken, out, match, err);
    rt_buffer_free(&again);
    if (st != RETORT_OK || *match != RT_QUOTE_NONE) return st;
    return find_both(in, quote, length, behavior, taken, out, match, err);
}
