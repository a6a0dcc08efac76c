/* Words and the letters of choices. */
#include <string.h>

#include "verify/side.h"

static bool is_letter(char ch) {
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
}

static bool is_choice(char ch) {
    return ch >= 'A' && ch <= 'J';
}

/* The text without commands for type faces, braces and maths mode; white space is one blank. */
static char *plain_text(rt_verify_context *c, const char *text, size_t length, size_t *used) {
    char *out = rt_arena(c, length + 1, 1);
    if (out == NULL) return NULL;
    size_t n = 0;
    for (size_t i = 0; i < length; i++) {
        char ch = text[i];
        if (ch == '\\' && i + 1 < length && is_letter(text[i + 1])) {
            size_t end = i + 1;
            while (end < length && is_letter(text[end])) end++;
            rt_silence silence = rt_is_silent(text + i + 1, end - i - 1);
            if (silence == RT_HEARD) {
                for (; i < end; i++) out[n++] = text[i];
                i--;
                continue;
            }
            i = end - 1;
            ch = silence == RT_SILENT ? ' ' : '\0';
        } else if (ch == '\\' && i + 1 < length && memchr(" ,;:!()[]", text[i + 1], 9) != NULL) {
            i++;
            ch = ' ';
        } else if (ch == '{' || ch == '}' || ch == '$') {
            ch = '\0';
        } else if (ch == '~' || ch == '\t' || ch == '\n' || ch == '\r') {
            ch = ' ';
        }
        if (ch == '\0' || (ch == ' ' && (n == 0 || out[n - 1] == ' '))) continue;
        out[n++] = ch;
    }
    while (n > 0 && memchr(" .,;:!", out[n - 1], 6) != NULL) n--;
    out[n] = '\0';
    *used = n;
    return out;
}

static void find_letter(rt_side *side, const char *plain, size_t n) {
    bool bracket = n >= 3 && plain[0] == '(' && plain[2] == ')';
    if (n == 1 && is_choice(plain[0])) side->letter = plain[0];
    if (n == 2 && is_choice(plain[0]) && plain[1] == ')') side->letter = plain[0];
    if (n == 3 && bracket && is_choice(plain[1])) side->letter = plain[1];
    bool face = side->tokens.count > 0 && side->tokens.list[0].upright;
    side->marked = side->letter != 0 && (n > 1 || face);
}

/* "(C) 12", "C. 12", "C: 12": a letter before an answer; another letter or "or" behind it is hedging, not an answer. */
static void find_prefix(rt_side *side, const char *plain, size_t n) {
    size_t at = 0;
    if (n > 4 && plain[0] == '(' && is_choice(plain[1]) && plain[2] == ')')
        at = 3;
    else if (n > 3 && is_choice(plain[0]) && memchr(".):", plain[1], 3) != NULL && plain[2] == ' ')
        at = 2;
    if (at == 0) return;
    for (size_t i = at; i < n; i++) {
        if (is_choice(plain[i]) && !is_letter(plain[i - 1]) && !is_letter(plain[i + 1])) return;
        if (strncmp(plain + i, " or ", 4) == 0 || strncmp(plain + i, "and ", 4) == 0) return;
    }
    char letter = plain[at == 3 ? 1 : 0];
    /* The same place in the source: behind the mark that follows the letter. */
    const char *mark = memchr(side->text, letter, side->length);
    if (mark == NULL) return;
    size_t behind = (size_t)(mark - side->text) + 2;
    for (size_t i = behind; i < side->length && (side->text[i] == ' ' || side->text[i] == '}'); i++) {
        if (side->text[i] == '}') behind = i + 1;
    }
    side->prefix = letter;
    side->prefix_bytes = behind < side->length ? behind : side->length;
}

bool rt_read_words(rt_verify_context *c, rt_side *side) {
    size_t n = 0;
    char *plain = plain_text(c, side->text, side->length, &n);
    if (plain == NULL) return false;
    find_letter(side, plain, n);
    find_prefix(side, plain, n);
    side->only_letters = n > 0;
    for (size_t i = 0; i < n; i++) {
        char ch = plain[i];
        side->only_letters &= is_letter(ch) || ch == ' ' || ch == '-' || ch == '\'' || (unsigned char)ch >= 0x80;
        if (ch >= 'A' && ch <= 'Z') plain[i] = (char)(ch + 32);
    }
    side->words = plain;
    return true;
}
