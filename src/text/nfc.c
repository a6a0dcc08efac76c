#include "text/nfc.h"

#include <stddef.h>

/* Latin, Greek, Cyrillic, Armenian, punctuation, currency, arrows, mathematics, box drawing, symbols, CJK, kana, Hangul
 * syllables, emoji, private use. tests/text compares with golden/nfc_inert.txt (Unicode 14). */
static const uint32_t RANGES[][2] = {
    {0x0000, 0x02FF}, {0x0370, 0x0373}, {0x0375, 0x037D},   {0x037F, 0x0386},   {0x0388, 0x0482},  {0x0488, 0x0590},
    {0x1E00, 0x1F70}, {0x2002, 0x20CF}, {0x2100, 0x2125},   {0x2127, 0x2129},   {0x212C, 0x2328},  {0x232B, 0x2ADB},
    {0x2ADD, 0x2CEE}, {0x2E00, 0x3029}, {0x3030, 0x3098},   {0x309B, 0xA66E},   {0xAC00, 0xD7A3},  {0xE000, 0xF8FF},
    {0xFE00, 0xFE0F}, {0xFE30, 0xFFFF}, {0x1F000, 0x1FAFF}, {0x20000, 0x2A6DF}, {0x2A700, 0x2EBEF}};

bool rt_nfc_inert(uint32_t code) {
    size_t low = 0, high = sizeof RANGES / sizeof *RANGES;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (code > RANGES[middle][1])
            low = middle + 1;
        else
            high = middle;
    }
    return low < sizeof RANGES / sizeof *RANGES && code >= RANGES[low][0];
}
