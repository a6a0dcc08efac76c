#include "text/words.h"

#include <stdbool.h>
#include <string.h>

#include "text/split.h"
#include "text/unicode.h"

enum { LETTER = RT_CHAR_LETTER, NUMBER = RT_CHAR_NUMBER, MARK = RT_CHAR_MARK, SPACE = RT_CHAR_SPACE };
enum { VISIBLE = RT_CHAR_PUNCTUATION | RT_CHAR_SYMBOL };

/* The bits of the character at `at`, and its width. */
static inline unsigned look(const rt_subject *c, size_t at, size_t *width) {
    const uint8_t *s = c->text + at;
    if (s[0] < 0x80) {
        *width = 1;
        return c->bits[s[0]];
    }
    if (s[0] < 0xE0) {
        *width = 2;
        return c->bits[(s[0] & 0x1Fu) << 6 | (s[1] & 0x3Fu)];
    }
    if (s[0] < 0xF0) {
        *width = 3;
        return c->bits[(s[0] & 0x0Fu) << 12 | (s[1] & 0x3Fu) << 6 | (s[2] & 0x3Fu)];
    }
    *width = 4;
    return c->bits[(s[0] & 0x07u) << 18 | (s[1] & 0x3Fu) << 12 | (s[2] & 0x3Fu) << 6 | (s[3] & 0x3Fu)];
}

/* The end of the run of characters from `at` on that have one of these bits, or (`without`) none of them. */
static inline size_t run_with(const rt_subject *c, size_t at, unsigned wanted) {
    size_t width;
    while (at < c->length && (look(c, at, &width) & wanted) != 0) at += width;
    return at;
}

static inline size_t run_without(const rt_subject *c, size_t at, unsigned unwanted) {
    size_t width;
    while (at < c->length && (look(c, at, &width) & unwanted) == 0) at += width;
    return at;
}

static inline bool is_newline(uint8_t byte) {
    return byte == '\r' || byte == '\n';
}

static inline size_t run_newlines(const rt_subject *c, size_t at) {
    while (at < c->length && is_newline(c->text[at])) at++;
    return at;
}

/* \s+(?!\S)|\s+ at a space: the run, but for its last character where a word follows. */
static inline size_t spaces_before_word(const rt_subject *c, size_t at) {
    size_t width, last = at, end = at;
    while (end < c->length && (look(c, end, &width) & SPACE) != 0) {
        last = end;
        end += width;
    }
    return end < c->length && last > at ? last : end;
}

/* \s*[\r\n]+|\s+(?!\S)|\s+ at a space: up to the last line end of the run, if it has one. */
static inline size_t spaces(const rt_subject *c, size_t at) {
    size_t width, last = at, newline = at, end = at;
    while (end < c->length && (look(c, end, &width) & SPACE) != 0) {
        last = end;
        end += width;
        if (is_newline(c->text[last])) newline = end;
    }
    if (newline > at) return newline;
    return end < c->length && last > at ? last : end;
}

/* The length of 's 't 're 've 'm 'll 'd at `at`, 0 if there is none. Any case: also 's with a long s. */
static inline size_t contraction(const rt_subject *c, size_t at, bool any_case) {
    const uint8_t *s = c->text + at;
    size_t left = c->length - at;
    if (s[0] != '\'' || left < 2) return 0;
    uint8_t fold = any_case ? 0x20 : 0, first = s[1] | fold;
    if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
    if (left < 3) return 0;
    uint8_t second = s[2] | fold;
    if ((first == 'r' || first == 'v') && second == 'e') return 3;
    if (first == 'l' && second == 'l') return 3;
    return any_case && s[1] == 0xC5 && s[2] == 0xBF ? 3 : 0;
}

/* 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+ */
static size_t gpt2_end(const rt_subject *c, size_t at) {
    size_t width, end = contraction(c, at, false), begin = at;
    if (end > 0) return at + end;
    unsigned bits = look(c, at, &width);
    if (c->text[at] == ' ' && at + 1 < c->length) bits = look(c, ++begin, &width);
    if ((bits & LETTER) != 0) return run_with(c, begin + width, LETTER);
    if ((bits & NUMBER) != 0) return run_with(c, begin + width, NUMBER);
    if ((bits & SPACE) == 0) return run_without(c, begin + width, LETTER | NUMBER | SPACE);
    return spaces_before_word(c, at);
}

static inline size_t up_to(const rt_subject *c, size_t at, unsigned wanted, int count) {
    size_t width;
    while (count-- > 0 && at < c->length && (look(c, at, &width) & wanted) != 0) at += width;
    return at;
}

/* (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[letters]+|\p{N}{1,digits}| ?[^\s\p{N}letters]+[\r\n]*|\s*[\r\n]+
 * |\s+(?!\S)|\s+ with \p{L} or [\p{L}\p{M}] for letters. A mark before letters joins them either way. */
static inline size_t llama_end(const rt_subject *c, size_t at, unsigned letters, int digits) {
    size_t width, next_width = 0, end = contraction(c, at, true);
    if (end > 0) return at + end;
    unsigned bits = look(c, at, &width);
    if ((bits & letters) != 0) return run_with(c, at + width, letters);
    if ((bits & NUMBER) != 0) return up_to(c, at + width, NUMBER, digits - 1);
    size_t next = at + width;
    unsigned next_bits = next < c->length ? look(c, next, &next_width) : SPACE;
    if ((next_bits & letters) != 0 && !is_newline(c->text[at])) return run_with(c, next + next_width, letters);
    if ((bits & SPACE) == 0) return run_newlines(c, run_without(c, next, letters | NUMBER | SPACE));
    if (c->text[at] == ' ' && (next_bits & (letters | NUMBER | SPACE)) == 0) {
        return run_newlines(c, run_without(c, next + next_width, letters | NUMBER | SPACE));
    }
    return spaces(c, at);
}

static inline bool is_ascii_letter(uint8_t byte) {
    return (uint8_t)((byte | 0x20) - 'a') < 26;
}

/* [!-/:-@[-`{-~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
 * `at` where nothing matches. */
static size_t deepseek_end(const rt_subject *c, size_t at) {
    size_t width, next_width = 0, end = at + 1;
    unsigned bits = look(c, at, &width);
    if ((bits & (LETTER | MARK)) != 0) return run_with(c, at + width, LETTER | MARK);
    if (c->text[at] < 0x80 && (bits & VISIBLE) != 0) {
        while (end < c->length && is_ascii_letter(c->text[end])) end++;
        if (end > at + 1) return end;
    }
    size_t next = at + width;
    unsigned next_bits = next < c->length ? look(c, next, &next_width) : 0;
    if ((bits & VISIBLE) != 0) return run_newlines(c, run_with(c, next, VISIBLE));
    if ((next_bits & (LETTER | MARK)) != 0 && !is_newline(c->text[at])) {
        return run_with(c, next + next_width, LETTER | MARK);
    }
    if (c->text[at] == ' ' && (next_bits & VISIBLE) != 0) return run_newlines(c, run_with(c, next, VISIBLE));
    return (bits & SPACE) != 0 ? spaces(c, at) : at;
}

/* ---- one function a pattern ---- */

static void match_gpt2(const rt_subject *c, size_t from, size_t *begin, size_t *end) {
    *begin = from;
    *end = from < c->length ? gpt2_end(c, from) : c->length;
}

static void match_llama3(const rt_subject *c, size_t from, size_t *begin, size_t *end) {
    *begin = from;
    *end = from < c->length ? llama_end(c, from, LETTER, 3) : c->length;
}

static void match_qwen(const rt_subject *c, size_t from, size_t *begin, size_t *end) {
    *begin = from;
    *end = from < c->length ? llama_end(c, from, LETTER, 1) : c->length;
}

static void match_qwen_marks(const rt_subject *c, size_t from, size_t *begin, size_t *end) {
    *begin = from;
    *end = from < c->length ? llama_end(c, from, LETTER | MARK, 1) : c->length;
}

static void match_deepseek(const rt_subject *c, size_t from, size_t *begin, size_t *end) {
    size_t width;
    for (*begin = from; *begin < c->length; *begin += width) {
        *end = deepseek_end(c, *begin);
        if (*end > *begin) return;
        (void)look(c, *begin, &width);
    }
    *end = c->length;
}

/* At most `count` characters with one of the bits. */
static inline void match_bits(const rt_subject *c, size_t from, unsigned wanted, int count, size_t *begin,
                              size_t *end) {
    *begin = run_without(c, from, wanted);
    *end = count > 0 ? up_to(c, *begin, wanted, count) : run_with(c, *begin, wanted);
}

static void match_three_numbers(const rt_subject *c, size_t from, size_t *begin, size_t *end) {
    match_bits(c, from, NUMBER, 3, begin, end);
}

static void match_digit(const rt_subject *c, size_t from, size_t *begin, size_t *end) {
    match_bits(c, from, RT_CHAR_DIGIT, 1, begin, end);
}

static void match_digits(const rt_subject *c, size_t from, size_t *begin, size_t *end) {
    match_bits(c, from, RT_CHAR_DIGIT, 0, begin, end);
}

/* U+3040 to U+30FF and U+4E00 to U+9FA5, all of three bytes. */
static inline bool is_kana_or_han(const uint8_t *s) {
    if (s[0] == 0xE3) return (s[1] & 0xFC) == 0x80 ? s[1] >= 0x81 : false;
    if (s[0] < 0xE4 || s[0] > 0xE9) return false;
    unsigned code = (s[0] & 0x0Fu) << 12 | (s[1] & 0x3Fu) << 6 | (s[2] & 0x3Fu);
    return code >= 0x4E00 && code <= 0x9FA5;
}

/* [一-龥぀-ゟ゠-ヿ]+ */
static void match_kana_han(const rt_subject *c, size_t from, size_t *begin, size_t *end) {
    const uint8_t *s = c->text;
    size_t at = from;
    while (at < c->length && (s[at] < 0xE3 || !is_kana_or_han(s + at))) at++;
    *begin = at;
    while (at < c->length && is_kana_or_han(s + at)) at += 3;
    *end = at;
}

#define LLAMA(letters, digits) "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?" letters "+|\\p{N}" digits
#define LLAMA_REST(letters)    "| ?[^\\s" letters "\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define DEEPSEEK(newlines)                                                                                             \
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^" newlines "\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|"         \
    " ?[\\p{P}\\p{S}]+[" newlines "]*|\\s*[" newlines "]+|\\s+(?!\\S)|\\s+"

static const struct {
    const char *pattern;
    rt_matcher matcher;
} KNOWN[] = {
    {LLAMA("\\p{L}", "{1,3}") LLAMA_REST("\\p{L}"), match_llama3},
    {LLAMA("\\p{L}", "") LLAMA_REST("\\p{L}"), match_qwen},
    {LLAMA("[\\p{L}\\p{M}]", "") LLAMA_REST("\\p{L}\\p{M}"), match_qwen_marks},
    {DEEPSEEK("\r\n"), match_deepseek},
    {DEEPSEEK("\\r\\n"), match_deepseek},
    {"\\p{N}{1,3}", match_three_numbers},
    {"[\xe4\xb8\x80-\xe9\xbe\xa5\xe3\x81\x80-\xe3\x82\x9f\xe3\x82\xa0-\xe3\x83\xbf]+", match_kana_han},
};
enum { NUM_KNOWN = sizeof KNOWN / sizeof *KNOWN };

const char *rt_matcher_pattern(int number) {
    const char *const others[] = {RT_SPLIT_GPT2, RT_UNICODE_DIGIT, RT_UNICODE_DIGITS};
    if (number < NUM_KNOWN) return KNOWN[number].pattern;
    return number < NUM_KNOWN + 3 ? others[number - NUM_KNOWN] : NULL;
}

rt_matcher rt_matcher_find(const char *pattern) {
    if (strcmp(pattern, RT_SPLIT_GPT2) == 0) return match_gpt2;
    if (strcmp(pattern, RT_UNICODE_DIGIT) == 0) return match_digit;
    if (strcmp(pattern, RT_UNICODE_DIGITS) == 0) return match_digits;
    for (int i = 0; i < NUM_KNOWN; i++) {
        if (strcmp(KNOWN[i].pattern, pattern) == 0) return KNOWN[i].matcher;
    }
    return NULL;
}
