/* Unicode's normalization form C (UAX 15), with the composition tables of utf8proc.
 *
 * The tokenizers package normalizes with tables of about Unicode 10. Marks that came later are not reordered there, and
 * so not here: ids must be those the model was trained on.
 */
#ifndef RT_TEXT_NFC_H
#define RT_TEXT_NFC_H

#include <stdbool.h>
#include <stdint.h>

#include "core/mem.h"

/* True for code points of combining class 0 that are their own form C and that compose with nothing before them: a
 * text of only such code points is its own form C. code < 0x110000. */
bool rt_nfc_inert(uint32_t code);

/* The first byte from `from` on where form C may change the text: the character before the first one that is not inert.
 * `length` where the rest is its own form C. Bytes that are no UTF-8 are passed over. */
size_t rt_nfc_next(const char *text, size_t length, size_t from);
/* Where a stretch that starts at rt_nfc_next's answer ends: what lies behind does not interact with it. */
size_t rt_nfc_stretch(const char *text, size_t length, size_t from);
/* Appends form C of a stretch. */
retort_status rt_nfc_append(const char *text, size_t length, rt_buffer *out, retort_error *err);

#endif
