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

/* What added tokens with `single_word`, `lstrip` and `rstrip` look for: Rust's \w and \s. */
bool rt_unicode_is_word(uint32_t code);
bool rt_unicode_is_space(uint32_t code);

#endif
