#include "text/lexicon_rules.h"

#include <string.h>
#include <utf8proc.h>

#include "text/unicode.h"

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

size_t rt_entry_begin(const rt_lexicon_entry *entry, const char *text, size_t end) {
    for (size_t i = strlen(entry->text); i-- > 0;) {
        char c = entry->text[i];
        if (c == ' ') {
            while (end > 0 && is_space(text[end - 1])) end--;
        } else if (c == '\'' && text[end - 1] != '\'') {
            end -= 3;
        } else {
            end--;
        }
    }
    return end;
}

static bool same_letters(const rt_lexicon_entry *entry, const char *text, size_t begin, size_t end) {
    for (const char *c = entry->text; *c != '\0'; c++) {
        if (*c == ' ') {
            while (begin < end && is_space(text[begin])) begin++;
        } else if (*c == '\'') {
            begin += text[begin] == '\'' ? 1 : 3;
        } else if (text[begin++] != *c) {
            return false;
        }
    }
    return true;
}

/* Length of the character in front of `at` that belongs to a word; 0 if there is none. ASCII or not. */
static size_t word_character_before(const char *text, size_t at) {
    if (at == 0) return 0;
    char c = text[at - 1];
    if ((unsigned char)c < 0x80) return is_letter(c) || is_digit(c) || c == '_' ? 1 : 0;
    size_t n = 1;
    while (n < 4 && n < at && ((unsigned char)text[at - n] & 0xc0) == 0x80) n++;
    utf8proc_int32_t code;
    if (utf8proc_iterate((const utf8proc_uint8_t *)text + at - n, (utf8proc_ssize_t)n, &code) != (utf8proc_ssize_t)n)
        return 0;
    return rt_unicode_bits()[code] & (RT_CHAR_LETTER | RT_CHAR_NUMBER | RT_CHAR_MARK) ? n : 0;
}

static size_t word_character_at(const char *text, size_t length, size_t at) {
    if (at >= length) return 0;
    char c = text[at];
    if ((unsigned char)c < 0x80) return is_letter(c) || is_digit(c) || c == '_' ? 1 : 0;
    utf8proc_int32_t code;
    utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text + at, (utf8proc_ssize_t)(length - at), &code);
    if (n <= 0) return 0;
    return rt_unicode_bits()[code] & (RT_CHAR_LETTER | RT_CHAR_NUMBER | RT_CHAR_MARK) ? (size_t)n : 0;
}

/* Length of an apostrophe (or, for `hyphen`, of a hyphen) in front of `at`, and at it. */
static size_t joint_before(const char *text, size_t at, bool hyphen) {
    if (at >= 1 && text[at - 1] == (hyphen ? '-' : '\'')) return 1;
    if (at < 3) return 0;
    const char *c = text + at - 3;
    if (hyphen) return memcmp(c, "\xe2\x80\x90", 3) == 0 || memcmp(c, "\xe2\x80\x91", 3) == 0 ? 3 : 0;
    return memcmp(c, "\xe2\x80\x99", 3) == 0 ? 3 : 0;
}

static size_t joint_at(const char *text, size_t length, size_t at, bool hyphen) {
    if (at < length && text[at] == (hyphen ? '-' : '\'')) return 1;
    return at + 3 <= length && joint_before(text, at + 3, hyphen) == 3 ? 3 : 0;
}

/* No word goes on across the edge. */
static bool word_edges(const char *text, size_t length, size_t begin, size_t end, bool whole) {
    if (word_character_at(text, length, begin) > 0 || text[begin] == '\'') {
        if (word_character_before(text, begin) > 0) return false;
        for (int hyphen = 0; hyphen <= (int)whole; hyphen++) {
            size_t joint = joint_before(text, begin, hyphen != 0);
            if (joint > 0 && word_character_before(text, begin - joint) > 0) return false;
        }
    }
    if (word_character_before(text, end) > 0 || text[end - 1] == '\'') {
        if (word_character_at(text, length, end) > 0) return false;
        for (int hyphen = 0; hyphen <= (int)whole; hyphen++) {
            size_t joint = joint_at(text, length, end, hyphen != 0);
            if (joint > 0 && word_character_at(text, length, end + joint) > 0) return false;
        }
    }
    return true;
}

/* The letters around `at` are the name of a LaTeX command: an odd number of backslashes stands before them. No command
 * has more than 64 letters, so a long run of them is walked once, not once a letter. */
static bool in_command(const char *text, size_t at) {
    for (int letters = 0; at > 0 && is_letter(text[at - 1]); at--)
        if (++letters > 64) return false;
    size_t backslashes = 0;
    while (backslashes < at && text[at - 1 - backslashes] == '\\') backslashes++;
    return backslashes % 2 == 1;
}

static bool operand_before(const char *text, size_t at) {
    while (at > 0 && (text[at - 1] == ' ' || text[at - 1] == '\t')) at--;
    if (at == 0) return false;
    char c = text[at - 1];
    if (!is_letter(c)) return is_digit(c) || memchr(")]}|!%$", c, 7) != NULL;
    return at == 1 || !is_letter(text[at - 2]) || in_command(text, at);
}

/* One sign may stand in front. */
static bool operand_at(const char *text, size_t length, size_t at) {
    while (at < length && (text[at] == ' ' || text[at] == '\t')) at++;
    if (at < length && (text[at] == '-' || text[at] == '+')) at++;
    if (at == length) return false;
    char c = text[at];
    if (!is_letter(c)) return is_digit(c) || memchr("([{|$\\.", c, 7) != NULL;
    return at + 1 == length || !is_letter(text[at + 1]);
}

static bool is_tag(const char *text, size_t length, size_t begin, size_t end) {
    if (end >= length || text[end] != '>' || begin == 0) return false;
    return text[begin - 1] == '<' || (text[begin - 1] == '/' && begin >= 2 && text[begin - 2] == '<');
}

bool rt_entry_fits(const rt_lexicon_entry *entry, const char *text, size_t length, size_t begin, size_t end) {
    if (entry->letter_case == RT_CASE_EXACT && !same_letters(entry, text, begin, end)) return false;
    switch (entry->boundary) {
    case RT_BOUNDARY_WORD:
    case RT_BOUNDARY_WHOLE:
        if (!word_edges(text, length, begin, end, entry->boundary == RT_BOUNDARY_WHOLE)) return false;
        break;
    case RT_BOUNDARY_OPERATOR:
        if (!operand_before(text, begin) || !operand_at(text, length, end)) return false;
        break;
    case RT_BOUNDARY_NONE: break;
    }
    if (entry->context == RT_CONTEXT_ANYWHERE || !is_letter(text[begin])) return true;
    return !in_command(text, begin) && !is_tag(text, length, begin, end);
}
