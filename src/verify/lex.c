#include "verify/lex.h"

#include <string.h>

enum { NESTED_STYLES = 40 };

typedef struct lexer {
    rt_verify_context *c;
    const char *text;
    size_t at, end;
    bool grouping, upright, space;
    int depth;  /* of brackets */
    int styles; /* of \text{} and the like */
    rt_tokens *out;
    size_t capacity;
} lexer;

static bool is_digit(int ch) {
    return ch >= '0' && ch <= '9';
}
static bool is_letter(int ch) {
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
}
static bool is_blank(int ch) {
    return ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r' || ch == '~';
}

static int peek(const lexer *l, size_t ahead) {
    return ahead < l->end - l->at ? (unsigned char)l->text[l->at + ahead] : -1;
}

static bool starts(const lexer *l, size_t at, const char *word) {
    size_t n = strlen(word);
    return at <= l->end && n <= l->end - at && memcmp(l->text + at, word, n) == 0;
}

static rt_token *put(lexer *l, rt_token_kind kind, const char *text, size_t length) {
    if (l->out->count + 1 >= l->capacity) {
        size_t capacity = 2 * l->capacity + 24;
        rt_token *list = rt_arena(l->c, capacity, sizeof *list);
        if (list == NULL) return NULL;
        if (l->out->count > 0) memcpy(list, l->out->list, l->out->count * sizeof *list);
        l->out->list = list;
        l->capacity = capacity;
    }
    rt_token *t = &l->out->list[l->out->count++];
    *t = (rt_token){.kind = kind, .text = text, .length = length, .begin = l->at, .space = l->space};
    t->upright = l->upright;
    l->out->list[l->out->count] = (rt_token){.kind = RT_T_END, .text = "", .begin = l->end};
    l->space = false;
    if (rt_opens(kind) && kind != RT_T_OPEN_GROUP) l->depth++;
    if (rt_closes(kind) && kind != RT_T_CLOSE_GROUP) l->depth--;
    return t;
}

/* Numbers */

/* The length of a thousands separator at `at` that three digits (and no fourth) follow; 0 if there is none. */
static size_t separator(const lexer *l, size_t at, bool *plain) {
    static const char *const marks[] = {"{,}",          ",\\!",         "\\!,",     "\\,", "\\ ", "\\;",
                                        "\xe2\x80\xaf", "\xe2\x80\x89", "\xc2\xa0", ",",   " "};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (!starts(l, at, marks[i])) continue;
        *plain = marks[i][0] == ',' && marks[i][1] == '\0';
        if (*plain && (!l->grouping || l->depth > 0)) return 0;
        size_t n = at + strlen(marks[i]);
        while (marks[i][0] != ' ' && !*plain && n < l->end && l->text[n] == ' ') n++;
        for (size_t k = 0; k < 3; k++) {
            if (n + k >= l->end || !is_digit(l->text[n + k])) return 0;
        }
        if (n + 3 < l->end && is_digit(l->text[n + 3])) return 0;
        /* "1 234/5" is a mixed number or a slip, no number of thousands. */
        if (marks[i][0] == ' ' && n + 3 < l->end && l->text[n + 3] == '/') return 0;
        return n - at;
    }
    return 0;
}

/* "1.000.000" or "1.234,56": points between groups of three, more than one of them or a comma behind. The end of the
 * number, 0 if it is none such. */
static size_t european(const lexer *l, size_t *comma) {
    size_t n = l->at, points = 0;
    while (n < l->end && is_digit(l->text[n])) n++;
    if (n - l->at > 3 || l->depth > 0) return 0;
    while (n + 3 < l->end && l->text[n] == '.' && is_digit(l->text[n + 1]) && is_digit(l->text[n + 2]) &&
           is_digit(l->text[n + 3]) && !(n + 4 < l->end && is_digit(l->text[n + 4]))) {
        n += 4;
        points++;
    }
    *comma = 0;
    if (points > 0 && n + 1 < l->end && l->text[n] == ',' && is_digit(l->text[n + 1])) {
        *comma = n++;
        while (n < l->end && is_digit(l->text[n])) n++;
        return n < l->end && l->text[n] == ',' ? 0 : n;
    }
    return points > 1 && !(n < l->end && l->text[n] == '.') ? n : 0;
}

/* \overline{34} or \bar{3} behind the decimals; the digits within, and where it ends. */
static size_t repeating(const lexer *l, size_t at, size_t *first, size_t *last) {
    static const char *const marks[] = {"\\overline{", "\\bar{", "\\dot{", "\\overline "};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (!starts(l, at, marks[i])) continue;
        bool brace = i < 3;
        *first = at + strlen(marks[i]);
        *last = *first;
        while (*last < l->end && is_digit(l->text[*last])) ++*last;
        if (*last == *first || (brace && (*last == l->end || l->text[*last] != '}'))) return 0;
        if (!brace) *last = *first + 1;
        return *last + brace;
    }
    return 0;
}

/* "e-5": only where it cannot be the number e: after a decimal point, or with two digits. */
static size_t exponent(const lexer *l, size_t at, bool point, int64_t *value) {
    if (at >= l->end || (l->text[at] | 0x20) != 'e') return 0;
    size_t n = at + 1;
    bool negative = n < l->end && l->text[n] == '-', sign = negative || (n < l->end && l->text[n] == '+');
    n += sign;
    size_t first = n;
    int64_t e = 0;
    for (; n < l->end && is_digit(l->text[n]) && n - first < 7; n++) e = e * 10 + (l->text[n] - '0');
    if (n == first || (sign && !point && n - first < 2) ||
        (n < l->end && (is_letter(l->text[n]) || is_digit(l->text[n]))))
        return 0;
    *value = negative ? -e : e;
    return n;
}

/* The digits of a number that grow in the arena. */
typedef struct digits {
    char *text;
    size_t count, capacity;
} digits;

static void push(lexer *l, digits *d, const char *text, size_t length) {
    if (length == 0) return;
    if (d->count + length > d->capacity) {
        size_t capacity = 2 * (d->count + length) + 16;
        char *copy = rt_arena(l->c, capacity, 1);
        if (copy == NULL) return;
        if (d->count > 0) memcpy(copy, d->text, d->count);
        d->text = copy;
        d->capacity = capacity;
    }
    memcpy(d->text + d->count, text, length);
    d->count += length;
}

static size_t run_of_digits(const lexer *l, size_t at) {
    size_t n = at;
    while (n < l->end && is_digit(l->text[n])) n++;
    return n - at;
}

/* Digits with separators; whether one of them was a plain comma. */
static size_t whole_part(lexer *l, size_t n, digits *d, bool *grouped) {
    size_t run = run_of_digits(l, n);
    push(l, d, l->text + n, run);
    n += run;
    bool plain = false;
    size_t gap = run >= 1 && run <= 3 ? separator(l, n, &plain) : 0;
    while (gap > 0 && l->c->stop == RT_STOP_NONE) {
        *grouped |= plain;
        push(l, d, l->text + n + gap, 3);
        n += gap + 3;
        gap = separator(l, n, &plain);
    }
    return n;
}

/* The point and what follows it; n if there is none. */
static size_t fraction_part(lexer *l, size_t n, digits *d) {
    if (n >= l->end || l->text[n] != '.') return n;
    bool more = run_of_digits(l, n + 1) > 0 || starts(l, n + 1, "\\overline") || starts(l, n + 1, "\\bar");
    if (!more) return n;
    size_t run = run_of_digits(l, n + 1), a = 0, b = 0;
    push(l, d, ".", 1);
    push(l, d, l->text + n + 1, run);
    n += 1 + run;
    size_t behind = repeating(l, n, &a, &b);
    if (behind == 0) return n;
    push(l, d, "~", 1);
    push(l, d, l->text + a, b - a);
    return behind;
}

static bool number(lexer *l) {
    digits d = {0};
    size_t first = l->at, comma = 0, n = l->at, whole = european(l, &comma);
    bool grouped = false;
    int64_t e = 0;
    if (whole > 0) {
        for (; n < whole; n++) {
            if (comma > 0 && n == comma)
                push(l, &d, ".", 1);
            else if (l->text[n] != '.')
                push(l, &d, l->text + n, 1);
        }
    } else {
        n = fraction_part(l, whole_part(l, n, &d, &grouped), &d);
    }
    if (l->c->stop != RT_STOP_NONE) return false;
    bool point = d.text != NULL && memchr(d.text, '.', d.count) != NULL;
    size_t behind = exponent(l, n, point, &e);
    if (behind > 0) n = behind;
    rt_token *t = put(l, RT_T_NUMBER, d.text, d.count);
    if (t == NULL) return false;
    t->exponent = e;
    t->begin = first;
    t->grouped = grouped;
    l->out->ambiguous |= grouped;
    l->at = n;
    /* The full stop of "5." */
    if (peek(l, 0) == '.' && !is_digit(peek(l, 1)) && peek(l, 1) != '.') l->at++;
    return true;
}

/* Letters */

static bool dayhalf(lexer *l) {
    int a = peek(l, 0) | 0x20;
    if (a != 'a' && a != 'p') return false;
    size_t n = 1;
    if (peek(l, n) == '.') n++;
    while (peek(l, n) == ' ') n++;
    if ((peek(l, n) | 0x20) != 'm' || is_letter(peek(l, n + 1))) return false;
    const rt_token *before = l->out->count > 0 ? &l->out->list[l->out->count - 1] : NULL;
    if (before == NULL || before->kind != RT_T_NUMBER) return false;
    if (put(l, RT_T_DAYHALF, a == 'a' ? "am" : "pm", 2) != NULL) l->at += n + 1 + (peek(l, n + 1) == '.');
    return true;
}

static void put_word(lexer *l, const rt_word *word) {
    const char *text = word->text != NULL ? word->text : word->name;
    rt_token *t = put(l, word->kind, text, strlen(text));
    if (t != NULL) t->fn = word->fn;
}

/* "sinx", "lnx": a function and up to two variables. The function's length, or 0. */
static size_t function_prefix(const char *run, size_t length) {
    for (size_t n = 6; n >= 2; n--) {
        if (n >= length || length - n > 2) continue;
        const rt_word *word = rt_find_word(run, n);
        if (word != NULL && (word->kind == RT_T_FUNCTION || word->kind == RT_T_LOG || word->kind == RT_T_SQRT))
            return n;
    }
    return 0;
}

static bool is_short_unit(const char *run, size_t length) {
    static const char *const units[] = {"cm", "mm", "km", "kg", "mg", "ml", "mL", "mph", "ft", "lb", "oz", "hr", "min"};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strlen(units[i]) == length && memcmp(units[i], run, length) == 0) return true;
    }
    return false;
}

static void letters(lexer *l) {
    size_t n = 0;
    while (is_letter(peek(l, n))) n++;
    const char *run = l->text + l->at;
    size_t first = l->out->count;
    const rt_word *word = n > 1 ? rt_find_word(run, n) : NULL;
    size_t prefix = word == NULL && !l->upright ? function_prefix(run, n) : 0;
    const rt_token *before = first > 0 ? &l->out->list[first - 1] : NULL;
    bool unit = before != NULL && before->kind == RT_T_NUMBER && is_short_unit(run, n);
    if (word != NULL) {
        put_word(l, word);
    } else if (prefix > 0) {
        put_word(l, rt_find_word(run, prefix));
        n = prefix;
    } else if (n == 1) {
        put(l, RT_T_SYMBOL, run, 1);
    } else if (n <= 3 && !l->upright && !unit) {
        for (size_t i = 0; i < n; i++) {
            put(l, RT_T_SYMBOL, run + i, 1);
            l->at++;
        }
        n = 0;
    } else {
        put(l, RT_T_WORD, run, n);
    }
    l->at += n;
}

/* Commands */

static bool lex_until(lexer *l, size_t end);

/* The end of the group that opens at `at`; false if it does not close. */
static bool group_end(const lexer *l, size_t at, size_t *end) {
    int depth = 0;
    for (size_t i = at; i < l->end; i++) {
        if (l->text[i] == '\\') {
            i++;
            continue;
        }
        if (l->text[i] == '{') depth++;
        if (l->text[i] == '}' && --depth == 0) {
            *end = i;
            return true;
        }
    }
    return false;
}

static void skip_blanks(lexer *l) {
    while (is_blank(peek(l, 0))) {
        l->at++;
        l->space = true;
    }
}

static bool names_function(const char *text, size_t length) {
    const rt_word *word = rt_find_command(text, length);
    return word != NULL && (word->kind == RT_T_FUNCTION || word->kind == RT_T_LOG);
}

static bool style(lexer *l, rt_silence silence) {
    size_t close = 0;
    skip_blanks(l);
    if (peek(l, 0) != '{') return true; /* "\mathbf 5" */
    if (!group_end(l, l->at, &close)) {
        rt_stop_at(l->c, RT_STOP_SYNTAX, "a brace at byte %zu is not closed", l->at);
        return false;
    }
    const char *inner = l->text + l->at + 1;
    size_t length = close - l->at - 1;
    if (silence == RT_SILENT_ALL) {
        l->at = close + 1;
        return true;
    }
    if (silence == RT_SILENT_NAME && names_function(inner, length)) {
        put_word(l, rt_find_command(inner, length));
        l->at = close + 1;
        return true;
    }
    /* \mathrm{e} and \mathrm{i} are the numbers. */
    bool letter = silence == RT_SILENT_NAME && length == 1 && (*inner == 'e' || *inner == 'i');
    bool was = l->upright, group = silence == RT_SILENT_STYLE;
    if (l->styles == NESTED_STYLES) {
        rt_stop_at(l->c, RT_STOP_BUDGET, "commands are nested more than %d deep", NESTED_STYLES);
        return false;
    }
    l->styles++;
    l->upright = was || (!group && !letter);
    if (group) put(l, RT_T_OPEN_GROUP, "{", 1);
    l->at++;
    bool fine = lex_until(l, close);
    if (group) put(l, RT_T_CLOSE_GROUP, "}", 1);
    l->upright = was;
    l->styles--;
    l->at = close + 1;
    return fine;
}

static bool environment(lexer *l, rt_token_kind kind) {
    size_t close = 0;
    skip_blanks(l);
    if (peek(l, 0) != '{' || !group_end(l, l->at, &close)) {
        rt_stop_at(l->c, RT_STOP_SYNTAX, "an environment at byte %zu has no name", l->at);
        return false;
    }
    const char *name = l->text + l->at + 1;
    size_t length = close - l->at - 1;
    put(l, kind, name, length);
    l->at = close + 1;
    skip_blanks(l);
    /* \begin{array}{cc}: how columns are set. */
    if (kind == RT_T_BEGIN && length == 5 && memcmp(name, "array", 5) == 0 && peek(l, 0) == '{' &&
        group_end(l, l->at, &close))
        l->at = close + 1;
    return true;
}

static bool math_style(lexer *l, const char *name, size_t length) {
    static const char *const sets[] = {"mathbb", "mathcal", "mathfrak"};
    for (size_t i = 0; i < 3; i++) {
        if (strlen(sets[i]) != length || memcmp(sets[i], name, length) != 0) continue;
        skip_blanks(l);
        size_t close = 0;
        bool brace = peek(l, 0) == '{' && group_end(l, l->at, &close);
        const char *inner = l->text + l->at + (brace ? 1 : 0);
        size_t n = brace ? close - l->at - 1 : 1;
        if (l->at >= l->end) return false;
        put(l, i == 0 ? RT_T_REALS : RT_T_SYMBOL, inner, n);
        l->at = brace ? close + 1 : l->at + 1;
        return true;
    }
    return false;
}

static bool command(lexer *l) {
    size_t n = 1;
    while (is_letter(peek(l, n))) n++;
    if (n == 1) { /* \ and one character that is no letter */
        int ch = peek(l, 1);
        l->at += ch == -1 ? 1 : 2;
        switch (ch) {
        case '{': put(l, RT_T_OPEN_SET, "{", 1); return true;
        case '}': put(l, RT_T_CLOSE_SET, "}", 1); return true;
        case '%': put(l, RT_T_PERCENT, "%", 1); return true;
        case '$': put(l, RT_T_CURRENCY, "dollar", 6); return true;
        case '|': put(l, RT_T_BAR, "|", 1); return true;
        case '\\': put(l, RT_T_ROW, "\\\\", 2); return true;
        case '&': put(l, RT_T_AND, "and", 3); return true;
        case ',':
        case ';':
        case ':':
        case '!':
        case '>':
        case '/':
        case ' ':
        case '\n':
        case '(':
        case ')':
        case '[':
        case ']': l->space = true; return true;
        default: put(l, RT_T_BAD, "\\", 1); return true;
        }
    }
    const char *name = l->text + l->at + 1;
    size_t length = n - 1, begin = l->at;
    rt_silence silence = rt_is_silent(name, length);
    l->at += n;
    if (silence == RT_SILENT) {
        l->space = true;
        return true;
    }
    if (silence == RT_SILENT_SIZE) {
        if (peek(l, 0) == '.') l->at++;
        return true;
    }
    if (silence != RT_HEARD) return style(l, silence);
    if (length == 5 && memcmp(name, "begin", 5) == 0) return environment(l, RT_T_BEGIN);
    if (length == 3 && memcmp(name, "end", 3) == 0) return environment(l, RT_T_END_ENVIRONMENT);
    if (math_style(l, name, length)) return true;
    const rt_word *word = rt_find_command(name, length);
    if (word != NULL)
        put_word(l, word);
    else
        put(l, RT_T_BAD, l->text + begin, n);
    return true;
}

/* "^\circ", "^{\circ}", "^°": the degree sign. */
static bool degree(lexer *l) {
    size_t n = l->at + 1;
    while (n < l->end && l->text[n] == ' ') n++;
    bool brace = n < l->end && l->text[n] == '{';
    n += brace;
    while (n < l->end && l->text[n] == ' ') n++;
    if (starts(l, n, "\\circ"))
        n += 5;
    else if (starts(l, n, "\\degree"))
        n += 7;
    else if (starts(l, n, "\xc2\xb0"))
        n += 2;
    else
        return false;
    while (n < l->end && l->text[n] == ' ') n++;
    if (brace && (n == l->end || l->text[n] != '}')) return false;
    put(l, RT_T_DEGREE, "degree", 6);
    l->at = n + brace;
    return true;
}

typedef struct mark {
    const char *text;
    rt_token_kind kind;
} mark;

/* Longer marks before shorter ones with the same beginning. */
static const mark MARKS[] = {
    {"**", RT_T_CARET},         {"*", RT_T_TIMES},      {"//", RT_T_BAD},        {"/", RT_T_DIVIDE},
    {"==", RT_T_BAD},           {"=", RT_T_EQUAL},      {"<=", RT_T_LESS_EQUAL}, {"<", RT_T_LESS},
    {">=", RT_T_GREATER_EQUAL}, {">", RT_T_GREATER},    {"!=", RT_T_NOT_EQUAL},  {"!", RT_T_BANG},
    {"+/-", RT_T_PLUS_MINUS},   {"+", RT_T_PLUS},       {"-", RT_T_MINUS},       {"...", RT_T_DOTS},
    {"{:}", RT_T_COLON},        {":", RT_T_COLON},      {"{,}", RT_T_COMMA},     {",", RT_T_COMMA},
    {";", RT_T_COMMA},          {"(", RT_T_OPEN},       {")", RT_T_CLOSE},       {"[", RT_T_OPEN_SQUARE},
    {"]", RT_T_CLOSE_SQUARE},   {"{", RT_T_OPEN_GROUP}, {"}", RT_T_CLOSE_GROUP}, {"|", RT_T_BAR},
    {"^", RT_T_CARET},          {"_", RT_T_UNDER},      {"%", RT_T_PERCENT},     {"&", RT_T_AMPERSAND},
};

static bool punctuation(lexer *l) {
    for (size_t i = 0; i < sizeof MARKS / sizeof *MARKS; i++) {
        if (!starts(l, l->at, MARKS[i].text)) continue;
        size_t n = strlen(MARKS[i].text);
        put(l, MARKS[i].kind, MARKS[i].text, n);
        l->at += n;
        return true;
    }
    return false;
}

static void beyond_ascii(lexer *l) {
    static const struct {
        const char *character, *digits;
    } vulgar[] = {{"\xc2\xbd", "12"},     {"\xc2\xbc", "14"},     {"\xc2\xbe", "34"},
                  {"\xe2\x85\x93", "13"}, {"\xe2\x85\x94", "23"}, {"\xe2\x85\x9b", "18"}};
    static const char *const powers[] = {"\xc2\xb2", "\xc2\xb3"};
    for (size_t i = 0; i < sizeof vulgar / sizeof *vulgar; i++) {
        if (!starts(l, l->at, vulgar[i].character)) continue;
        put(l, RT_T_FRAC, "frac", 4);
        put(l, RT_T_NUMBER, vulgar[i].digits, 1);
        put(l, RT_T_NUMBER, vulgar[i].digits + 1, 1);
        l->at += strlen(vulgar[i].character);
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        if (!starts(l, l->at, powers[i])) continue;
        put(l, RT_T_CARET, "^", 1);
        put(l, RT_T_NUMBER, i == 0 ? "2" : "3", 1);
        l->at += 2;
        return;
    }
    size_t n = 0;
    const rt_word *word = rt_find_utf8(l->text + l->at, l->end - l->at, &n);
    if (word != NULL) {
        put_word(l, word);
        if (word->text == NULL && l->out->count > 0) l->out->list[l->out->count - 1].length = n;
        l->at += n;
        return;
    }
    if (starts(l, l->at, "\xc2\xa0") || starts(l, l->at, "\xe3\x80\x80") || starts(l, l->at, "\xe2\x80\x89")) {
        l->at += (unsigned char)l->text[l->at] == 0xc2 ? 2 : 3;
        l->space = true;
        return;
    }
    /* Other scripts: words. */
    while (peek(l, n) >= 0x80) n++;
    put(l, RT_T_WORD, l->text + l->at, n);
    l->at += n;
}

static bool nothing_behind(const lexer *l) {
    for (size_t i = l->at + 1; i < l->end; i++) {
        if (!is_blank(l->text[i]) && l->text[i] != '$') return false;
    }
    return true;
}

static bool lex_until(lexer *l, size_t end) {
    size_t whole = l->end;
    l->end = end;
    while (l->at < l->end && l->c->stop == RT_STOP_NONE) {
        int ch = peek(l, 0);
        if (!rt_spend(l->c, 2)) break;
        if (is_blank(ch) || ch == '$') {
            l->at++;
            l->space = true;
        } else if (is_digit(ch) || (ch == '.' && is_digit(peek(l, 1)))) {
            number(l);
        } else if (ch == '\\') {
            command(l);
        } else if (is_letter(ch)) {
            if (!dayhalf(l)) letters(l);
        } else if (ch == '^' && degree(l)) {
            continue;
        } else if (ch >= 0x80) {
            beyond_ascii(l);
        } else if (!punctuation(l)) {
            /* A full stop is the end of a sentence or of an abbreviation within words. */
            bool stop = ch == '.' && (l->upright || nothing_behind(l));
            if (!stop) put(l, RT_T_BAD, l->text + l->at, 1);
            l->at++;
        }
    }
    l->end = whole;
    return l->c->stop == RT_STOP_NONE;
}

bool rt_lex(rt_verify_context *c, const char *text, size_t length, bool grouping, rt_tokens *out) {
    *out = (rt_tokens){0};
    lexer l = {.c = c, .text = text, .end = length, .grouping = grouping, .out = out};
    if (put(&l, RT_T_END, "", 0) == NULL) return false; /* so that there is always a list */
    out->count = 0;
    return lex_until(&l, length);
}
