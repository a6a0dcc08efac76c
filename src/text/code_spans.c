#include "text/code_spans.h"

#include <string.h>

enum { MAX_RUN = 32 };

static retort_status add_span(rt_spans *spans, size_t begin, size_t end, retort_error *err) {
    if (spans->count == spans->capacity) {
        int64_t capacity = spans->capacity == 0 ? 16 : spans->capacity * 2;
        rt_span *data = rt_realloc_array(spans->data, (size_t)capacity, sizeof *data);
        RT_CHECK(data != NULL, err, RETORT_ERR_MEMORY, "out of memory: code spans");
        spans->data = data;
        spans->capacity = capacity;
    }
    spans->data[spans->count++] = (rt_span){begin, end};
    return RETORT_OK;
}

/* Behind the line that begins at `at`. */
static size_t line_end(const char *text, size_t length, size_t at) {
    const char *newline = at < length ? memchr(text + at, '\n', length - at) : NULL;
    return newline != NULL ? (size_t)(newline - text) + 1 : length;
}

static size_t run_length(const char *text, size_t end, size_t at, char c) {
    size_t n = 0;
    while (at + n < end && text[at + n] == c) n++;
    return n;
}

/* The run of a fence at the start of the line [at, end); 0: no fence. *behind is what follows it. */
static size_t fence_run(const char *text, size_t at, size_t end, char *mark, size_t *behind) {
    size_t blanks = run_length(text, end, at, ' ');
    if (blanks > 3 || at + blanks >= end) return 0;
    *mark = text[at + blanks];
    if (*mark != '`' && *mark != '~') return 0;
    size_t run = run_length(text, end, at + blanks, *mark);
    *behind = at + blanks + run;
    return run >= 3 ? run : 0;
}

static bool closes(const char *text, size_t at, size_t end, char mark, size_t run) {
    char own = 0;
    size_t behind = 0;
    if (fence_run(text, at, end, &own, &behind) < run || own != mark) return false;
    while (behind < end &&
           (text[behind] == ' ' || text[behind] == '\t' || text[behind] == '\r' || text[behind] == '\n'))
        behind++;
    return behind == end;
}

/* Behind the fence that the line at `at` opens; `at` itself if it opens none. */
static size_t fence_end(const char *text, size_t length, size_t at) {
    size_t end = line_end(text, length, at), behind = 0;
    char mark = 0;
    size_t run = fence_run(text, at, end, &mark, &behind);
    if (run == 0 || (mark == '`' && memchr(text + behind, '`', end - behind) != NULL)) return at;
    while (end < length) {
        size_t next = line_end(text, length, end);
        if (closes(text, end, next, mark, run)) return next;
        end = next;
    }
    return length;
}

static retort_status inline_spans(const char *text, size_t at, size_t end, rt_spans *out, retort_error *err) {
    bool open[MAX_RUN + 1] = {false}; /* a run of that length has no partner on the rest of this line */
    while (at < end) {
        const char *tick = memchr(text + at, '`', end - at);
        if (tick == NULL) return RETORT_OK;
        size_t begin = (size_t)(tick - text), run = run_length(text, end, begin, '`');
        at = begin + run;
        if (run > MAX_RUN || open[run]) continue;
        size_t close = at, found = 0;
        while (close < end && found != run) {
            const char *next = memchr(text + close, '`', end - close);
            if (next == NULL) break;
            found = run_length(text, end, (size_t)(next - text), '`');
            close = (size_t)(next - text) + found;
        }
        open[run] = found != run;
        if (found != run) continue;
        RT_TRY(add_span(out, begin, close, err));
        at = close;
    }
    return RETORT_OK;
}

retort_status rt_code_spans_find(const char *text, size_t length, rt_spans *out, retort_error *err) {
    bool none = memchr(text, '`', length) == NULL && memmem(text, length, "~~~", 3) == NULL;
    for (size_t at = 0; !none && at < length;) {
        size_t behind = fence_end(text, length, at), end = line_end(text, length, at);
        if (behind > at) {
            RT_TRY(add_span(out, at, behind, err));
            at = behind;
            continue;
        }
        RT_TRY(inline_spans(text, at, end, out, err));
        at = end;
    }
    return RETORT_OK;
}

bool rt_code_spans_hold(const rt_spans *spans, size_t at) {
    int64_t low = 0, high = spans->count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (spans->data[middle].end <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low < spans->count && spans->data[low].begin <= at;
}
