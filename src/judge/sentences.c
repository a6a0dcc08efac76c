#include "judge/sentences.h"

#include <string.h>

enum { LEFT_MAX = 96 /* bytes of an equation's left side that are looked at */, LIST_DIGITS = 3 };

/* What stood on the left of '=' so far, in an open hash table. */
typedef struct computed {
    uint64_t key; /* 0: free */
    uint64_t result;
    size_t sentence;
} computed;

typedef struct cutter {
    const char *text;
    size_t length;
    rt_sentences *out;
    computed *table;
    size_t used, size; /* size: a power of two */
    retort_error *err;
} cutter;

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* ---- equations ---- */

static uint64_t hash_step(uint64_t hash, char c) {
    return (hash ^ (unsigned char)c) * 1099511628211u;
}

/* Bytes before `at` that can belong to an expression: digits, operators, brackets, and the letters of \times, \cdot,
 * \div, \frac. Returns where it begins. */
static size_t left_begin(const cutter *c, size_t at, size_t low) {
    static const char PLAIN[] = "0123456789+-*/^().,{}\\ \t";
    size_t begin = at;
    while (begin > low) {
        const unsigned char b = (unsigned char)c->text[begin - 1];
        const bool plain = b != '\0' && strchr(PLAIN, b) != NULL;
        const bool multi = b == 0xC3 || b == 0x97 || b == 0xB7 || b == 0xC2; /* U+00D7, U+00F7, U+00B7 */
        const bool letter = b >= 'a' && b <= 'z' && begin - low >= 2;
        if (!plain && !multi && !letter) break;
        if (letter) { /* only as the name of a command */
            size_t back = begin - 1;
            while (back > low && c->text[back] >= 'a' && c->text[back] <= 'z') back--;
            if (c->text[back] != '\\') break;
            begin = back;
            continue;
        }
        begin--;
    }
    return begin;
}

/* The left side without spaces and brackets of LaTeX, every product sign alike; 0 if it is no operation on numbers. */
static uint64_t left_key(const cutter *c, size_t begin, size_t end) {
    uint64_t hash = 14695981039346656037u;
    bool number = false, operation = false;
    for (size_t i = begin; i < end; i++) {
        char b = c->text[i];
        if (is_space(b) || b == '{' || b == '}') continue;
        if (b == ',' ||
            (b == '.' && !(i + 1 < end && is_digit(c->text[i + 1])))) { /* what was before is another clause */
            if (b == ',' && i + 1 < end && is_digit(c->text[i + 1])) continue;
            hash = 14695981039346656037u;
            number = operation = false;
            continue;
        }
        if (b == '\\') {
            const bool divide = (end - i >= 4 && memcmp(c->text + i, "\\div", 4) == 0) ||
                                (end - i >= 5 && memcmp(c->text + i, "\\frac", 5) == 0);
            while (i + 1 < end && c->text[i + 1] >= 'a' && c->text[i + 1] <= 'z') i++;
            b = divide ? '/' : '*';
        } else if ((unsigned char)b >= 0x80) {
            b = i + 1 < end && (unsigned char)c->text[i + 1] == 0xB7 && (unsigned char)b == 0xC3 ? '/' : '*';
            i++;
        }
        if (is_digit(b)) number = true;
        if (number && b != '\0' && strchr("+-*/^", b) != NULL) operation = true;
        hash = hash_step(hash, b);
    }
    return number && operation ? hash | 1 : 0;
}

/* The number behind '=' as a hash of its digits; 0 if there is none. */
static uint64_t right_key(const cutter *c, size_t at, size_t end) {
    uint64_t hash = 14695981039346656037u;
    bool number = false;
    while (at < end && is_space(c->text[at])) at++;
    for (; at < end; at++) {
        const char b = c->text[at];
        const bool inner = (b == '.' || b == ',') && at + 1 < end && is_digit(c->text[at + 1]) && number;
        if (b == ',' && inner) continue;
        if (!is_digit(b) && !inner && !(b == '-' && !number)) break;
        number = number || is_digit(b);
        hash = hash_step(hash, b);
    }
    return number ? hash | 1 : 0;
}

static retort_status grow(cutter *c) {
    const size_t size = c->size == 0 ? 64 : c->size * 2;
    computed *table = rt_calloc(size, sizeof *table);
    RT_CHECK(table != NULL, c->err, RETORT_ERR_MEMORY, "out of memory: equations of a response");
    for (size_t i = 0; i < c->size; i++) {
        if (c->table[i].key == 0) continue;
        size_t at = c->table[i].key & (size - 1);
        while (table[at].key != 0) at = (at + 1) & (size - 1);
        table[at] = c->table[i];
    }
    rt_free(c->table);
    c->table = table;
    c->size = size;
    return RETORT_OK;
}

/* Files the equation at the '=' at `at`. */
static retort_status see_equation(cutter *c, rt_sentence *s, size_t index, size_t at) {
    const size_t low = at - s->begin > LEFT_MAX ? at - LEFT_MAX : s->begin;
    const uint64_t key = left_key(c, left_begin(c, at, low), at);
    const uint64_t result = key != 0 ? right_key(c, at + 1, s->end) : 0;
    if (result == 0) return RETORT_OK;
    s->features |= RT_FEATURE_EQUATION;
    if (c->used * 2 >= c->size) RT_TRY(grow(c));
    size_t place = key & (c->size - 1);
    while (c->table[place].key != 0 && c->table[place].key != key) place = (place + 1) & (c->size - 1);
    computed *entry = &c->table[place];
    if (entry->key == 0) {
        *entry = (computed){key, result, index};
        c->used++;
        return RETORT_OK;
    }
    if (entry->sentence != index) s->features |= RT_FEATURE_RECOMPUTED;
    if (entry->result != result) s->features |= RT_FEATURE_CHANGED;
    *entry = (computed){key, result, index};
    return RETORT_OK;
}

/* ---- sentences ---- */

static bool find(const cutter *c, const rt_sentence *s, const char *word) {
    return memmem(c->text + s->begin, s->end - s->begin, word, strlen(word)) != NULL;
}

static retort_status add(cutter *c, size_t begin, size_t end, bool paragraph) {
    while (begin < end && is_space(c->text[begin])) begin++;
    while (end > begin && is_space(c->text[end - 1])) end--;
    if (begin == end) return RETORT_OK;
    rt_sentences *out = c->out;
    if (out->count == out->capacity) {
        const size_t capacity = out->capacity == 0 ? 64 : out->capacity * 2;
        rt_sentence *grown = rt_realloc_array(out->items, capacity, sizeof *grown);
        RT_CHECK(grown != NULL, c->err, RETORT_ERR_MEMORY, "out of memory: sentences of a response");
        out->items = grown;
        out->capacity = capacity;
    }
    rt_sentence *s = &out->items[out->count];
    *s = (rt_sentence){begin, end, paragraph ? RT_FEATURE_PARAGRAPH : 0};
    if (out->count == 0) s->features |= RT_FEATURE_OPENING;
    if (c->text[end - 1] == '?') s->features |= RT_FEATURE_QUESTION;
    if (find(c, s, "\\boxed") || find(c, s, "answer is")) {
        s->features |= RT_FEATURE_ANSWER | RT_FEATURE_BEFORE_ANSWER;
        if (out->count > 0) out->items[out->count - 1].features |= RT_FEATURE_BEFORE_ANSWER;
    }
    for (size_t i = begin; i < end; i++) {
        if (is_digit(c->text[i])) s->features |= RT_FEATURE_NUMBER;
        if (c->text[i] == '=') RT_TRY(see_equation(c, s, out->count, i));
    }
    out->count++;
    return RETORT_OK;
}

/* Whether the dot at `at` belongs to a list number or an abbreviation of the sentence that begins at `begin`. */
static bool is_inner_dot(const cutter *c, size_t begin, size_t at) {
    static const char *const SHORT[] = {"e.g", "i.e", "vs", "cf"};
    size_t i = at - begin > LIST_DIGITS ? at : begin;
    while (i < at && is_digit(c->text[i])) i++;
    if (i == at && at > begin && at - begin <= LIST_DIGITS) return true;
    for (size_t k = 0; k < sizeof SHORT / sizeof *SHORT; k++) {
        const size_t n = strlen(SHORT[k]);
        const bool there = at - begin >= n && memcmp(c->text + at - n, SHORT[k], n) == 0;
        if (there && (at - begin == n || is_space(c->text[at - n - 1]) || c->text[at - n - 1] == '(')) return true;
    }
    return false;
}

/* Behind the sentence's end if it ends at `at`, else `at`. */
static size_t end_at(const cutter *c, size_t begin, size_t at) {
    const char b = c->text[at];
    if (b == '\n') return at + 1;
    if (b != '.' && b != '!' && b != '?') return at;
    if (b == '.' && is_inner_dot(c, begin, at)) return at;
    size_t i = at + 1;
    while (i < c->length && c->text[i] != '\0' && strchr(".!?\"')]*", c->text[i]) != NULL) i++;
    return i == c->length || is_space(c->text[i]) ? i : at;
}

static retort_status cut(cutter *c) {
    size_t begin = 0;
    bool paragraph = true;
    for (size_t i = 0; i < c->length;) {
        if (i == begin && c->text[i] != '\n' && is_space(c->text[i])) {
            begin = ++i;
            continue;
        }
        const size_t end = end_at(c, begin, i);
        if (end == i) {
            i++;
            continue;
        }
        const size_t before = c->out->count;
        RT_TRY(add(c, begin, end, paragraph));
        const bool line = c->text[end - 1] == '\n';
        if (line || c->out->count > before) paragraph = line;
        begin = i = end;
    }
    return add(c, begin, c->length, paragraph);
}

retort_status rt_sentences_cut(const char *text, size_t length, rt_sentences *out, retort_error *err) {
    cutter c = {.text = text, .length = length, .out = out, .err = err};
    out->count = 0;
    const retort_status st = cut(&c);
    rt_free(c.table);
    return st;
}

void rt_sentences_free(rt_sentences *sentences) {
    rt_free(sentences->items);
    *sentences = (rt_sentences){0};
}
