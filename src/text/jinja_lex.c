/* The lexer: text and tags, with Jinja's whitespace control, trim_blocks and lstrip_blocks on. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "text/bytes.h"
#include "text/jinja_internal.h"
#include "text/unicode.h"

typedef struct lexer {
    const char *text;
    size_t length, at;
    int line;
    bool line_starting; /* what was read last ended a line */
    jj_arena *arena;
    jj_tokens *tokens;
    retort_error *err;
} lexer;

static retort_status push(lexer *x, jj_token token) {
    jj_tokens *t = x->tokens;
    if (t->count == t->capacity) {
        size_t capacity = t->capacity == 0 ? 256 : t->capacity * 2;
        jj_token *data = rt_realloc_array(t->data, capacity, sizeof *data);
        RT_CHECK(data != NULL, x->err, RETORT_ERR_MEMORY, "out of memory: template");
        t->data = data;
        t->capacity = capacity;
    }
    t->data[t->count++] = token;
    return RETORT_OK;
}

static retort_status push_plain(lexer *x, jj_token_kind kind, const char *data, size_t length, int line) {
    return push(x, (jj_token){.kind = kind, .line = line, .text = {data, length}});
}

static bool looking_at(const lexer *x, const char *mark) {
    size_t width = strlen(mark);
    return x->length - x->at >= width && memcmp(x->text + x->at, mark, width) == 0;
}

static void skip(lexer *x, size_t count) {
    for (size_t i = 0; i < count; i++) x->line += x->text[x->at + i] == '\n';
    x->at += count;
}

static bool is_space(uint32_t code) {
    return rt_unicode_is_space(code) || (code >= 0x1C && code <= 0x1F);
}

/* Python's \s* */
static void skip_space(lexer *x) {
    while (x->at < x->length) {
        uint32_t code = 0;
        int size = rt_utf8_char(x->text + x->at, x->length - x->at, &code);
        if (size == 0 || !is_space(code)) break;
        skip(x, (size_t)size);
    }
}

/* ---- text ---- */

/* After a tag's end: what the tag's marks and trim_blocks take. */
static void after_tag(lexer *x, bool strip, bool trim) {
    size_t begin = x->at;
    if (strip) {
        skip_space(x);
    } else if (trim && x->at < x->length && x->text[x->at] == '\n') {
        skip(x, 1);
    }
    x->line_starting = x->at > begin && x->text[x->at - 1] == '\n';
}

/* Text up to `end`, before a tag: '-' strips it, lstrip_blocks takes the indentation of a block or comment. */
static retort_status push_text(lexer *x, size_t end, bool strip, bool block) {
    size_t begin = x->at, stop = end;
    int line = x->line;
    if (strip) {
        jj_text kept = jj_strip((jj_text){x->text + begin, end - begin}, NULL, 2);
        stop = begin + kept.length;
    } else if (block) {
        size_t start = end;
        while (start > begin && x->text[start - 1] != '\n') start--;
        size_t i = start;
        while (i < end && (x->text[i] == ' ' || x->text[i] == '\t')) i++;
        if (i == end && (start > begin || x->line_starting)) stop = start;
    }
    skip(x, end - begin);
    return stop > begin ? push_plain(x, JJ_DATA, x->text + begin, stop - begin, line) : RETORT_OK;
}

static size_t next_tag(const lexer *x) {
    for (size_t i = x->at; i + 1 < x->length; i++) {
        if (x->text[i] == '{' && strchr("{%#", x->text[i + 1]) != NULL && x->text[i + 1] != '\0') return i;
    }
    return x->length;
}

/* ---- inside a tag ---- */

static bool is_name_byte(char c, bool first) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (!first && c >= '0' && c <= '9');
}

static int hex_digits(const lexer *x, size_t at, int count, uint32_t *code) {
    *code = 0;
    for (int i = 0; i < count; i++) {
        if (at + (size_t)i >= x->length) return 0;
        char c = x->text[at + (size_t)i];
        const char *place = strchr("00112233445566778899aAbBcCdDeEfF", c);
        if (place == NULL || c == '\0') return 0;
        *code = *code * 16 + (uint32_t)((place - "00112233445566778899aAbBcCdDeEfF") / 2);
    }
    return count;
}

static size_t put_code(uint32_t code, char *out) {
    if (code < 0x80) {
        out[0] = (char)(uint8_t)code;
        return 1;
    }
    size_t count = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint32_t LEAD[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = count; i-- > 1; code >>= 6) out[i] = (char)(uint8_t)(0x80 | (code & 0x3F));
    out[0] = (char)(uint8_t)(LEAD[count] | code);
    return count;
}

/* One escape of Python's string literals at x->at (behind the backslash); what is none keeps its backslash. */
static retort_status unescape(lexer *x, char *out, size_t *count) {
    static const char NAMES[] = "nrtabfv\\'\"0", VALUES[] = "\n\r\t\a\b\f\v\\'\"";
    char c = x->text[x->at];
    const char *place = c != '\0' && c != '0' ? strchr(NAMES, c) : NULL;
    if (c == '\n') {
        skip(x, 1);
        return RETORT_OK;
    }
    if (place != NULL) {
        out[(*count)++] = VALUES[place - NAMES];
        skip(x, 1);
        return RETORT_OK;
    }
    int digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    uint32_t code = 0;
    if (digits > 0) {
        RT_CHECK(hex_digits(x, x->at + 1, digits, &code) > 0 && code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF),
                 x->err, RETORT_ERR_UNSUPPORTED, "line %d: escape '\\%c' in a string is not supported so", x->line, c);
        *count += put_code(code, out + *count);
        skip(x, (size_t)digits + 1);
        return RETORT_OK;
    }
    RT_CHECK(c != 'N' && !(c >= '0' && c <= '7'), x->err, RETORT_ERR_UNSUPPORTED,
             "line %d: escape '\\%c' in a string is not supported", x->line, c);
    out[(*count)++] = '\\';
    return RETORT_OK;
}

static retort_status lex_string(lexer *x) {
    char quote = x->text[x->at];
    int line = x->line;
    size_t room = 0;
    for (size_t i = x->at + 1; i < x->length && x->text[i] != quote; i++) {
        room++;
        if (x->text[i] == '\\') i++, room++;
    }
    char *out = jj_alloc(x->arena, room + 8, 1, x->err);
    if (out == NULL) return RETORT_ERR_MEMORY;
    size_t count = 0;
    skip(x, 1);
    while (x->at < x->length && x->text[x->at] != quote) {
        if (x->text[x->at] == '\\' && x->at + 1 < x->length) {
            skip(x, 1);
            RT_TRY(unescape(x, out, &count));
        } else {
            out[count++] = x->text[x->at];
            skip(x, 1);
        }
    }
    RT_CHECK(x->at < x->length, x->err, RETORT_ERR_FORMAT, "line %d: a string is not ended", line);
    skip(x, 1);
    return push_plain(x, JJ_STRING, out, count, line);
}

static retort_status lex_number(lexer *x) {
    char digits[64];
    size_t count = 0, i = x->at;
    bool real = false;
    for (; i < x->length && count + 1 < sizeof digits; i++) {
        char c = x->text[i], next = i + 1 < x->length ? x->text[i + 1] : '\0';
        bool digit = c >= '0' && c <= '9';
        if (c == '_') continue;
        bool point = c == '.' && !real && next >= '0' && next <= '9';
        bool exponent = (c == 'e' || c == 'E') && (next == '-' || next == '+' || (next >= '0' && next <= '9'));
        bool sign = (c == '-' || c == '+') && count > 0 && (digits[count - 1] == 'e' || digits[count - 1] == 'E');
        if (!digit && !point && !exponent && !sign) break;
        real = real || point || exponent;
        digits[count++] = c;
    }
    digits[count] = '\0';
    jj_token token = {.kind = real ? JJ_REAL : JJ_INTEGER, .line = x->line, .text = {x->text + x->at, i - x->at}};
    errno = 0;
    if (real) {
        token.real = strtod(digits, NULL);
    } else {
        token.integer = strtoll(digits, NULL, 10);
    }
    bool ended = i == x->length || !is_name_byte(x->text[i], false);
    RT_CHECK(errno == 0 && count + 1 < sizeof digits && ended, x->err, RETORT_ERR_UNSUPPORTED,
             "line %d: number '%.60s' is not supported", x->line, digits);
    skip(x, i - x->at);
    return push(x, token);
}

static retort_status lex_operator(lexer *x) {
    static const char *const OPERATORS[] = {"//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[",
                                            "]",  "(",  ")",  "{",  "}",  ">",  "<", "=", ".", ":", "|", ",", NULL};
    for (const char *const *o = OPERATORS; *o != NULL; o++) {
        if (!looking_at(x, *o)) continue;
        RT_TRY(push_plain(x, JJ_OPERATOR, *o, strlen(*o), x->line));
        skip(x, strlen(*o));
        return RETORT_OK;
    }
    return rt_fail(x->err, RETORT_ERR_FORMAT, "line %d: character '%c' (0x%02X) is not expected in a tag", x->line,
                   x->text[x->at] >= 32 && x->text[x->at] < 127 ? x->text[x->at] : '?',
                   (unsigned)(uint8_t)x->text[x->at]);
}

static retort_status lex_name(lexer *x) {
    size_t end = x->at;
    while (end < x->length && is_name_byte(x->text[end], end == x->at)) end++;
    RT_TRY(push_plain(x, JJ_NAME, x->text + x->at, end - x->at, x->line));
    skip(x, end - x->at);
    return RETORT_OK;
}

/* The inside of a tag and its end. "%}" inside brackets of a dict is not an end for a print tag: "}}" counts only where
 * no brace is open, as in Jinja. */
static retort_status lex_tag(lexer *x, bool block) {
    const char *close = block ? "%}" : "}}";
    const char *const marked[] = {block ? "-%}" : "-}}", "+%}"};
    int line = x->line, braces = 0;
    RT_TRY(push_plain(x, block ? JJ_OPEN_BLOCK : JJ_OPEN_PRINT, close, 0, line));
    for (;;) {
        skip_space(x);
        RT_CHECK(x->at < x->length, x->err, RETORT_ERR_FORMAT, "line %d: a tag is not ended with '%s'", line, close);
        bool minus = braces == 0 && looking_at(x, marked[0]), plus = block && braces == 0 && looking_at(x, marked[1]);
        if (minus || plus || (braces == 0 && looking_at(x, close))) {
            RT_TRY(push_plain(x, block ? JJ_CLOSE_BLOCK : JJ_CLOSE_PRINT, close, 0, x->line));
            skip(x, minus || plus ? 3 : 2);
            after_tag(x, minus, block && !plus);
            return RETORT_OK;
        }
        char c = x->text[x->at];
        if (c == '"' || c == '\'') {
            RT_TRY(lex_string(x));
        } else if (c >= '0' && c <= '9') {
            RT_TRY(lex_number(x));
        } else if (is_name_byte(c, true)) {
            RT_TRY(lex_name(x));
        } else {
            if (c == '{' || c == '[' || c == '(') braces++;
            if ((c == '}' || c == ']' || c == ')') && braces > 0) braces--;
            RT_TRY(lex_operator(x));
        }
    }
}

static retort_status lex_comment(lexer *x) {
    int line = x->line;
    const char *end = memmem(x->text + x->at, x->length - x->at, "#}", 2);
    RT_CHECK(end != NULL, x->err, RETORT_ERR_FORMAT, "line %d: a comment is not ended with '#}'", line);
    bool minus = end > x->text + x->at && end[-1] == '-', plus = end > x->text + x->at && end[-1] == '+';
    skip(x, (size_t)(end - (x->text + x->at)) + 2);
    after_tag(x, minus, !plus);
    return RETORT_OK;
}

/* "{% raw %}" and the like: the length of the tag with that one word, 0 if it is another. */
static size_t word_tag(const lexer *x, size_t at, const char *word, bool *left, bool *right) {
    size_t i = at + 2, width = strlen(word);
    if (at + 2 > x->length || memcmp(x->text + at, "{%", 2) != 0) return 0;
    *left = i < x->length && x->text[i] == '-';
    if (i < x->length && (x->text[i] == '-' || x->text[i] == '+')) i++;
    while (i < x->length && strchr(" \t\n", x->text[i]) != NULL && x->text[i] != '\0') i++;
    if (x->length - i < width || memcmp(x->text + i, word, width) != 0) return 0;
    i += width;
    while (i < x->length && strchr(" \t\n", x->text[i]) != NULL && x->text[i] != '\0') i++;
    *right = i < x->length && x->text[i] == '-';
    if (i < x->length && (x->text[i] == '-' || x->text[i] == '+')) i++;
    return x->length - i >= 2 && memcmp(x->text + i, "%}", 2) == 0 ? i + 2 - at : 0;
}

static retort_status lex_raw(lexer *x, size_t size, bool strip_after) {
    int line = x->line;
    skip(x, size);
    after_tag(x, strip_after, true);
    bool left = false, right = false;
    for (size_t i = x->at; i + 1 < x->length; i++) {
        size_t end = word_tag(x, i, "endraw", &left, &right);
        if (end == 0) continue;
        RT_TRY(push_text(x, i, left, true));
        skip(x, end);
        after_tag(x, right, true);
        return RETORT_OK;
    }
    return rt_fail(x->err, RETORT_ERR_FORMAT, "line %d: 'raw' is not ended with 'endraw'", line);
}

static retort_status lex_all(lexer *x) {
    while (x->at < x->length) {
        size_t tag = next_tag(x);
        if (tag == x->length) {
            RT_TRY(push_text(x, tag, false, false));
            break;
        }
        char kind = x->text[tag + 1], mark = tag + 2 < x->length ? x->text[tag + 2] : '\0';
        bool left = false, right = false;
        size_t raw = word_tag(x, tag, "raw", &left, &right);
        RT_TRY(push_text(x, tag, mark == '-', kind != '{' && mark != '+'));
        if (raw > 0) {
            RT_TRY(lex_raw(x, raw, right));
            continue;
        }
        skip(x, mark == '-' || (mark == '+' && kind != '{') ? 3 : 2);
        if (kind == '#') {
            RT_TRY(lex_comment(x));
        } else {
            RT_TRY(lex_tag(x, kind == '%'));
        }
    }
    return push_plain(x, JJ_END, "", 0, x->line);
}

retort_status jj_lex(const char *text, size_t length, jj_arena *arena, jj_tokens *tokens, retort_error *err) {
    /* Line ends become \n, and the last one is dropped. */
    char *copy = jj_alloc(arena, length + 1, 1, err);
    if (copy == NULL) return RETORT_ERR_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        bool pair = text[i] == '\r' && i + 1 < length && text[i + 1] == '\n';
        if (!pair) copy[count++] = text[i] == '\r' ? '\n' : text[i];
    }
    if (count > 0 && copy[count - 1] == '\n') count--;
    lexer x = {
        .text = copy, .length = count, .line = 1, .line_starting = true, .arena = arena, .tokens = tokens, .err = err};
    return lex_all(&x);
}
