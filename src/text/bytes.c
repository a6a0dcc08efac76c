#include "text/bytes.h"

#include <string.h>

size_t rt_ascii_run(const char *text, size_t length) {
    size_t done = 0;
    uint64_t eight;
    for (; done + sizeof eight <= length; done += sizeof eight) {
        memcpy(&eight, text + done, sizeof eight);
        if ((eight & 0x8080808080808080u) != 0) break;
    }
    while (done < length && (uint8_t)text[done] < 0x80) done++;
    return done;
}

int rt_utf8_char(const char *text, size_t length, uint32_t *code) {
    const uint8_t *s = (const uint8_t *)text;
    uint32_t c = s[0];
    if (c < 0x80) {
        if (code != NULL) *code = c;
        return 1;
    }
    int size = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
    if (c < 0xC2 || c > 0xF4 || (size_t)size > length) return 0;
    c &= 0xFFu >> (size + 1);
    for (int i = 1; i < size; i++) {
        if ((s[i] & 0xC0) != 0x80) return 0;
        c = c << 6 | (s[i] & 0x3Fu);
    }
    static const uint32_t SMALLEST[] = {0, 0, 0x80, 0x800, 0x10000};
    if (c < SMALLEST[size] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) return 0;
    if (code != NULL) *code = c;
    return size;
}

int rt_utf8_broken(const char *text, size_t length, bool *cut) {
    const uint8_t *s = (const uint8_t *)text;
    uint8_t lead = s[0], low = 0x80, high = 0xBF;
    int need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2, have = 1;
    *cut = false;
    if (lead < 0xC2 || lead > 0xF4) return 1;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
    while (have < need && (size_t)have < length && s[have] >= low && s[have] <= high) {
        low = 0x80;
        high = 0xBF;
        have++;
    }
    *cut = (size_t)have == length && have < need;
    return have;
}

retort_status rt_utf8_replace(const char *text, size_t length, rt_buffer *out, retort_error *err) {
    size_t done = 0;
    for (size_t i = 0; i < length;) {
        i += rt_ascii_run(text + i, length - i);
        if (i == length) break;
        int size = rt_utf8_char(text + i, length - i, NULL);
        if (size > 0) {
            i += (size_t)size;
            continue;
        }
        bool cut;
        RT_TRY(rt_buffer_append(out, text + done, i - done, err));
        RT_TRY(rt_buffer_puts(out, "\xef\xbf\xbd", err));
        i += (size_t)rt_utf8_broken(text + i, length - i, &cut);
        done = i;
    }
    return rt_buffer_append(out, text + done, length - done, err);
}

static bool stands_for_itself(uint32_t byte) {
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

/* The bytes that do not stand for themselves are 0x00-0x20, 0x7F-0xA0 and 0xAD: 33 + 34 + 1. */
uint32_t rt_byte_to_code(uint8_t byte) {
    if (stands_for_itself(byte)) return byte;
    if (byte <= 0x20) return 0x100u + byte;
    if (byte == 0xAD) return 0x100u + 67;
    return 0x100u + 33 + (byte - 0x7Fu);
}

int rt_code_to_byte(uint32_t code) {
    if (code < 0x100) return stands_for_itself(code) ? (int)code : -1;
    uint32_t place = code - 0x100;
    if (place <= 32) return (int)place;
    if (place < 67) return (int)(place - 33 + 0x7F);
    return place == 67 ? 0xAD : -1;
}

retort_status rt_bytes_spell(const char *bytes, size_t length, rt_buffer *out, retort_error *err) {
    for (size_t i = 0; i < length; i++) {
        uint32_t code = rt_byte_to_code((uint8_t)bytes[i]);
        char utf8[2] = {(char)(uint8_t)code, 0};
        size_t size = 1;
        if (code >= 0x80) {
            utf8[0] = (char)(uint8_t)(0xC0 | code >> 6);
            utf8[1] = (char)(uint8_t)(0x80 | (code & 0x3F));
            size = 2;
        }
        RT_TRY(rt_buffer_append(out, utf8, size, err));
    }
    return RETORT_OK;
}

bool rt_bytes_unspell(const char *spelling, size_t length, char *out, size_t *out_length) {
    size_t count = 0;
    for (size_t i = 0; i < length;) {
        uint32_t code;
        int size = rt_utf8_char(spelling + i, length - i, &code);
        int byte = size > 0 ? rt_code_to_byte(code) : -1;
        if (byte < 0) return false;
        out[count++] = (char)(uint8_t)byte;
        i += (size_t)size;
    }
    *out_length = count;
    return true;
}

uint64_t rt_bytes_hash(const char *bytes, size_t length) {
    uint64_t h = 0xCBF29CE484222325u;
    for (size_t i = 0; i < length; i++) h = (h ^ (uint8_t)bytes[i]) * 0x100000001B3u;
    h ^= h >> 32;
    h *= 0xD6E8FEB86659FD93u;
    return h ^ h >> 32;
}
