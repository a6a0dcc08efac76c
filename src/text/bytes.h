/* Bytes and characters: UTF-8 checking, and GPT-2's printable alphabet for bytes.
 *
 * Byte-level BPE files spell a token's bytes with 256 printable characters: the printable Latin-1 characters stand for
 * themselves and the other 68 bytes, in ascending order, for U+0100, U+0101, ... (a space becomes U+0120).
 */
#ifndef RT_TEXT_BYTES_H
#define RT_TEXT_BYTES_H

#include <stdint.h>

#include "core/mem.h"

/* Length (1..4) of the valid UTF-8 character at text, 0 if the bytes there are none (overlong, surrogate, beyond
 * U+10FFFF, cut off). length > 0. *code (may be NULL) gets the code point. */
int rt_utf8_char(const char *text, size_t length, uint32_t *code);

/* How many bytes from text on are ASCII. */
size_t rt_ascii_run(const char *text, size_t length);

/* How many bytes one U+FFFD stands for at a place where rt_utf8_char finds no character: the longest beginning of a
 * character, or one byte (Unicode 3.9, "maximal subpart"). *cut: the text ends inside what may be a character. */
int rt_utf8_broken(const char *text, size_t length, bool *cut);
/* Appends text with U+FFFD where it is no UTF-8. */
retort_status rt_utf8_replace(const char *text, size_t length, rt_buffer *out, retort_error *err);

/* The alphabet's code point for a byte, and back: -1 for a code point outside the alphabet. */
uint32_t rt_byte_to_code(uint8_t byte);
int rt_code_to_byte(uint32_t code);

/* Appends bytes spelt in the alphabet, as UTF-8. */
retort_status rt_bytes_spell(const char *bytes, size_t length, rt_buffer *out, retort_error *err);
/* Writes the bytes that a spelling stands for to out (room for strlen(spelling)); false if a character is outside the
 * alphabet. */
bool rt_bytes_unspell(const char *spelling, size_t length, char *out, size_t *out_length);

/* 64-bit hash of bytes (FNV-1a, then a mixing step), for tables only: never for results. */
uint64_t rt_bytes_hash(const char *bytes, size_t length);

#endif
