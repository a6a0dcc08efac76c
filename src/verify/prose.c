#include "verify/prose.h"

#include <string.h>

static bool is_digit(char ch) {
    return ch >= '0' && ch <= '9';
}
static bool is_space(char ch) {
    return ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r';
}

static bool at(const char *text, size_t i, size_t end, const char *word) {
    size_t n = strlen(word);
    return i <= end && n <= end - i && memcmp(text + i, word, n) == 0;
}

/* Forward, as the marks of maths mode only pair up from the front: $..$, $$..$$, \(..\), \[..\]. */
bool rt_last_formula(const char *text, size_t from, size_t to, size_t *begin, size_t *end) {
    bool found = false;
    for (size_t i = from; i < to; i++) {
        const char *close = NULL;
        size_t first;
        if (text[i] == '\\' && i + 1 < to) {
            if (text[i + 1] == '(') close = "\\)";
            if (text[i + 1] == '[') close = "\\]";
            i++;
            if (close == NULL) continue;
            first = i + 1;
        } else if (text[i] == '$') {
            close = at(text, i, to, "$$") ? "$$" : "$";
            first = i + strlen(close);
        } else {
            continue;
        }
        size_t last = first;
        while (last < to && !at(text, last, to, close)) last += text[last] == '\\' && *close == '$' ? 2 : 1;
        if (last >= to) continue; /* it does not end: the mark is one of money, or the text is cut off */
        if (last > first) {
            *begin = first;
            *end = last;
            found = true;
        }
        i = last + strlen(close) - 1;
    }
    return found;
}

/* The end of the sentence: a full stop before white space or the end. */
static size_t sentence_end(const char *text, size_t from, size_t length) {
    for (size_t i = from; i < length; i++) {
        bool stop = (text[i] == '.' || text[i] == ';') && (i + 1 == length || is_space(text[i + 1]));
        if (stop || text[i] == '\n') return i;
    }
    return length;
}

static bool after_is(const char *text, size_t length, size_t *begin, size_t *end) {
    static const char *const words[] = {" is ", " is: ", " are ", " be ", " equals "};
    bool found = false;
    for (size_t i = 0; i < length; i++) {
        for (size_t k = 0; text[i] == ' ' && k < sizeof words / sizeof *words; k++) {
            if (!at(text, i, length, words[k])) continue;
            *begin = i + strlen(words[k]);
            *end = sentence_end(text, *begin, length);
            found = *begin < *end;
        }
    }
    return found;
}

static bool only_number(const char *text, size_t length, size_t *begin, size_t *end) {
    size_t numbers = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\\' || text[i] == '=') return false; /* a formula: its numbers do not stand alone */
        if (!is_digit(text[i])) continue;
        size_t first = i;
        while (i < length && (is_digit(text[i]) || ((text[i] == '.' || text[i] == ',' || text[i] == '/') &&
                                                    i + 1 < length && is_digit(text[i + 1]))))
            i++;
        if (first > 0 && text[first - 1] == '-') first--;
        *begin = first;
        *end = i;
        numbers++;
    }
    return numbers == 1;
}

static bool last_member(const char *text, size_t length, size_t *begin, size_t *end) {
    size_t first = 0, last = length;
    (void)rt_last_formula(text, 0, length, &first, &last);
    for (size_t i = last; i-- > first;) {
        if (text[i] != '=') continue;
        *begin = i + 1;
        *end = last;
        return i + 1 < last;
    }
    return false;
}

bool rt_find_in_prose(const char *text, size_t length, rt_prose way, size_t *begin, size_t *end) {
    switch (way) {
    case RT_PROSE_IS: return after_is(text, length, begin, end);
    case RT_PROSE_FORMULA: return rt_last_formula(text, 0, length, begin, end);
    case RT_PROSE_MEMBER: return last_member(text, length, begin, end);
    case RT_PROSE_NUMBER: return only_number(text, length, begin, end);
    case RT_PROSE_WAYS: break;
    }
    return false;
}
