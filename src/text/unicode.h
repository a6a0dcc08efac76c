/* Unicode as the tokenizers package sees it.
 *
 * Ids depend on which characters are letters, digits, spaces or combining marks, and the package's parts each carry a
 * Unicode version of their own: Oniguruma (patterns) 16, the normalizer about 10, Rust's standard library (Digits) 17.
 * Here stand the differences to PCRE2 and utf8proc, so that ids are the same for every code point.
 */
#ifndef RT_TEXT_UNICODE_H
#define RT_TEXT_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Members of a general category (L, N, M, P or S) that an older PCRE2 does not know, as ranges for a character class
 * ("\x{..}-\x{..}"); NULL for other letters. */
const char *rt_unicode_newer(char category);

/* Digits' patterns (one character of category N of Unicode 17, and a run of them), as tokenizer.json would have them.
 */
extern const char *const RT_UNICODE_DIGIT, *const RT_UNICODE_DIGITS;

/* What is asked of characters all the time, as bits. */
enum {
    RT_CHAR_LETTER = 1, /* general categories, with Oniguruma's members */
    RT_CHAR_NUMBER = 2,
    RT_CHAR_MARK = 4,
    RT_CHAR_PUNCTUATION = 8,
    RT_CHAR_SYMBOL = 16,
    RT_CHAR_SPACE = 32,      /* White_Space */
    RT_CHAR_DIGIT = 64,      /* Digits' */
    RT_CHAR_NFC_ACTIVE = 128 /* form C may change it, move it, or compose it with what stands before it */
};
/* The bits of every code point, [0x110000]: one look-up a character. Made at the first call, from any thread. */
const uint8_t *rt_unicode_bits(void);
/* unicode_runs.c: the same, in ascending runs of equal bits: first code point * 256 + bits. */
extern const uint32_t RT_UNICODE_RUNS[];
extern const size_t RT_UNICODE_NUM_RUNS;

/* What added tokens with `single_word`, `lstrip` and `rstrip` look for: Rust's \w and \s. */
bool rt_unicode_is_word(uint32_t code);
bool rt_unicode_is_space(uint32_t code);

#endif
