#include "text/nfc.h"

#include <stddef.h>
#include <string.h>
#include <utf8proc.h>

#include "text/bytes.h"
#include "text/unicode.h"

/* Marks that the package's older tables do not know (tests/text/golden/generate_unicode.py): they neither move nor
 * compose. */
static const uint32_t UNKNOWN[][2] = {
    {0x07FD, 0x07FD},   {0x0898, 0x089F},   {0x08CA, 0x08D3},   {0x09FE, 0x09FE},   {0x0C3C, 0x0C3C},
    {0x0D3B, 0x0D3C},   {0x0EBA, 0x0EBA},   {0x1715, 0x1715},   {0x1ABF, 0x1ACE},   {0x1DF6, 0x1DFA},
    {0xA82C, 0xA82C},   {0x10D24, 0x10D27}, {0x10EAB, 0x10EAC}, {0x10EFD, 0x10EFF}, {0x10F46, 0x10F50},
    {0x10F82, 0x10F85}, {0x11070, 0x11070}, {0x1133B, 0x1133B}, {0x1145E, 0x1145E}, {0x11839, 0x1183A},
    {0x11930, 0x11930}, {0x1193D, 0x1193E}, {0x11943, 0x11943}, {0x119E0, 0x119E0}, {0x11A34, 0x11A34},
    {0x11A47, 0x11A47}, {0x11A99, 0x11A99}, {0x11D42, 0x11D42}, {0x11D44, 0x11D45}, {0x11D97, 0x11D97},
    {0x11F41, 0x11F42}, {0x16FF0, 0x16FF1}, {0x1E08F, 0x1E08F}, {0x1E130, 0x1E136}, {0x1E2AE, 0x1E2AE},
    {0x1E2EC, 0x1E2EF}, {0x1E4EC, 0x1E4EF}};

static bool in_ranges(const uint32_t ranges[][2], size_t count, uint32_t code) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (code > ranges[middle][1])
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && code >= ranges[low][0];
}

bool rt_nfc_inert(uint32_t code) {
    return (rt_unicode_bits()[code] & RT_CHAR_NFC_ACTIVE) == 0;
}

static bool is_unknown(uint32_t code) {
    return in_ranges(UNKNOWN, sizeof UNKNOWN / sizeof *UNKNOWN, code);
}

size_t rt_nfc_next(const char *text, size_t length, size_t from) {
    const uint8_t *bits = rt_unicode_bits();
    size_t before = from;
    for (size_t i = from; i < length;) {
        size_t ascii = rt_ascii_run(text + i, length - i);
        if (ascii > 0) {
            i += ascii;
            before = i - 1;
            continue;
        }
        uint32_t code = 0;
        int size = rt_utf8_char(text + i, length - i, &code);
        if (size > 0 && (bits[code] & RT_CHAR_NFC_ACTIVE) != 0) return before;
        before = i;
        i += size == 0 ? 1 : (size_t)size;
    }
    return length;
}

size_t rt_nfc_stretch(const char *text, size_t length, size_t from) {
    uint32_t code = 0;
    int first = rt_utf8_char(text + from, length - from, &code);
    size_t i = from + (first == 0 ? 1 : (size_t)first);
    while (i < length) {
        int size = rt_utf8_char(text + i, length - i, &code);
        if (size == 0 || rt_nfc_inert(code)) break;
        i += (size_t)size;
    }
    return i;
}

/* A run without unknown marks. */
static retort_status compose(const char *text, size_t length, rt_buffer *out, retort_error *err) {
    if (length == 0) return RETORT_OK;
    utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
    int32_t *codes = rt_malloc_array(length * 4, sizeof *codes); /* form D has at most 4 code points a byte */
    RT_CHECK(codes != NULL, err, RETORT_ERR_MEMORY, "out of memory: normalizing text");
    const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)text;
    utf8proc_ssize_t count =
        utf8proc_decompose(bytes, (utf8proc_ssize_t)length, codes, (utf8proc_ssize_t)(length * 4), options);
    if (count >= 0 && (size_t)count <= length * 4) count = utf8proc_normalize_utf32(codes, count, options);
    retort_status st = RETORT_OK;
    if (count < 0 || (size_t)count > length * 4) {
        st = rt_fail(err, RETORT_ERR_UNSUPPORTED, "text cannot be normalized: %s", utf8proc_errmsg(count));
    }
    for (utf8proc_ssize_t i = 0; i < count && st == RETORT_OK; i++) {
        utf8proc_uint8_t one[4];
        st = rt_buffer_append(out, one, (size_t)utf8proc_encode_char(codes[i], one), err);
    }
    rt_free(codes);
    return st;
}

retort_status rt_nfc_append(const char *text, size_t length, rt_buffer *out, retort_error *err) {
    size_t begin = 0;
    for (size_t i = 0; i < length;) {
        uint32_t code = 0;
        int size = rt_utf8_char(text + i, length - i, &code);
        size_t next = i + (size == 0 ? 1 : (size_t)size);
        if (size == 0 || is_unknown(code)) {
            RT_TRY(compose(text + begin, i - begin, out, err));
            RT_TRY(rt_buffer_append(out, text + i, next - i, err));
            begin = next;
        }
        i = next;
    }
    return compose(text + begin, length - begin, out, err);
}
