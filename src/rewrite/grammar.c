#include "rewrite/grammar.h"

#include <string.h>

typedef struct subject {
    const char *text;
    size_t length;
} subject;

/* Each scanner returns how many bytes it takes at `at`, 0 if it does not fit. */
static size_t scan_number(const subject *s, size_t at) {
    size_t n = 0;
    while (at + n < s->length && s->text[at + n] >= '0' && s->text[at + n] <= '9') n++;
    return n;
}

static size_t scan_word(const subject *s, size_t at, const char *word) {
    size_t n = strlen(word);
    return s->length - at >= n && memcmp(s->text + at, word, n) == 0 ? n : 0;
}

static size_t scan_operator(const subject *s, size_t at) {
    if (s->length - at < 3 || s->text[at] != ' ' || s->text[at + 2] != ' ') return 0;
    return strchr("+-*/", s->text[at + 1]) != NULL && s->text[at + 1] != '\0' ? 3 : 0;
}

static size_t scan_equation(const subject *s, size_t at) {
    size_t n = scan_number(s, at), part;
    if (n == 0 || (part = scan_operator(s, at + n)) == 0) return 0;
    n += part;
    if ((part = scan_number(s, at + n)) == 0) return 0;
    n += part;
    if ((part = scan_word(s, at + n, " = ")) == 0) return 0;
    n += part;
    part = scan_number(s, at + n);
    return part > 0 ? n + part : 0;
}

typedef size_t (*scanner)(const subject *s, size_t at);

/* One or more of `item` with `glue` between them; as many as there are. */
static size_t scan_series(const subject *s, size_t at, scanner item, const char *glue) {
    size_t n = item(s, at), joint, next;
    if (n == 0) return 0;
    while ((joint = scan_word(s, at + n, glue)) > 0 && (next = item(s, at + n + joint)) > 0) n += joint + next;
    return n;
}

/* "3, 5 and 7". */
static size_t scan_list(const subject *s, size_t at) {
    size_t n = scan_series(s, at, scan_number, ", "), joint, last;
    if (n == 0 || (joint = scan_word(s, at + n, " and ")) == 0) return 0;
    last = scan_number(s, at + n + joint);
    return last > 0 ? n + joint + last : 0;
}

static size_t scan_placeholder(const subject *s, size_t at, char letter) {
    switch (letter) {
    case 'E': return scan_equation(s, at);
    case 'L': return scan_list(s, at);
    case 'G': return scan_series(s, at, scan_equation, " or ");
    case 'C': return scan_series(s, at, scan_equation, ", ");
    case 'N': return scan_series(s, at, scan_number, " or ");
    default: return scan_number(s, at); /* T, Z, R, D */
    }
}

static bool match_phrase(const subject *s, size_t at, const char *phrase, rt_phrase_match *out) {
    out->count = 0;
    out->end = at;
    for (const char *p = phrase; *p; p++) {
        if (*p == '~' || *p == '^' || *p == '@') continue;
        if (*p == '{') {
            size_t n = scan_placeholder(s, out->end, p[1]);
            if (n == 0 || out->count == RT_VALUES_MAX) return false;
            out->values[out->count++] = (rt_value){p[1], out->end, n};
            out->end += n;
            p += 2;
        } else {
            if (out->end >= s->length || s->text[out->end] != *p) return false;
            out->end++;
        }
    }
    return out->end > at;
}

bool rt_phrase_find(const char *text, size_t length, size_t at, rt_phrase_match *out) {
    const subject s = {text, length};
    bool found = false;
    for (int slot = 0; slot < RT_SLOT_COUNT; slot++) {
        for (size_t i = 0; i < rt_phrase_table[slot].count; i++) {
            rt_phrase_match match = {.slot = (rt_slot)slot, .index = i};
            if (!match_phrase(&s, at, rt_phrase_table[slot].items[i], &match)) continue;
            if (found && match.end <= out->end) continue;
            *out = match;
            found = true;
        }
    }
    return found;
}

size_t rt_scan_equation(const char *text, size_t length, size_t at) {
    return scan_equation(&(subject){text, length}, at);
}

size_t rt_scan_box(const char *text, size_t length, size_t at) {
    const subject s = {text, length};
    size_t n = scan_word(&s, at, "\\boxed{");
    if (n == 0) return 0;
    for (; at + n < length && text[at + n] != '\n'; n++)
        if (text[at + n] == '}') return n + 1;
    return 0;
}
