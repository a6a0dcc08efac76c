#include "judge/phrases.h"

#include <string.h>

enum { MOST_GAP = 60, MOST_NUMBER = 40 };

void rt_phrases_init(rt_phrases *phrases) {
    *phrases = (rt_phrases){0};
    for (int i = 0; i < 256; i++) phrases->first[i] = -1;
}

void rt_phrases_free(rt_phrases *phrases) {
    for (int32_t i = 0; i < phrases->count; i++) rt_free(phrases->items[i].text);
    rt_free(phrases->items);
    rt_phrases_init(phrases);
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_word(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

retort_status rt_phrases_add(rt_phrases *phrases, int32_t list, const char *text, retort_error *err) {
    const size_t length = strlen(text);
    RT_CHECK(length > 0 && length <= RT_MOST_PHRASE, err, RETORT_ERR_FORMAT,
             "a phrase must have 1 to %d bytes: '%.40s'", (int)RT_MOST_PHRASE, text);
    RT_CHECK(text[0] != ' ' && strncmp(text, "...", 3) != 0, err, RETORT_ERR_FORMAT,
             "a phrase must not begin with a gap: '%.40s'", text);
    const char *gap = strstr(text, "...");
    RT_CHECK(gap == NULL || (gap[3] != '\0' && strstr(gap + 3, "...") == NULL), err, RETORT_ERR_FORMAT,
             "a phrase may have one gap, between words: '%.40s'", text);
    rt_phrase *grown = rt_realloc_array(phrases->items, (size_t)phrases->count + 1, sizeof *grown);
    RT_CHECK(grown != NULL, err, RETORT_ERR_MEMORY, "out of memory: phrases");
    phrases->items = grown;
    rt_phrase *phrase = &grown[phrases->count];
    phrase->text = rt_strdup(text);
    RT_CHECK(phrase->text != NULL, err, RETORT_ERR_MEMORY, "out of memory: phrases");
    for (char *c = phrase->text; *c != '\0'; c++) *c = lower(*c);
    /* All phrases with '#' in front hang on the bucket of '#', which is looked up for every digit. */
    int32_t *bucket = &phrases->first[(unsigned char)phrase->text[0]];
    phrase->list = list;
    phrase->next = *bucket;
    *bucket = phrases->count++;
    if (list >= phrases->lists) phrases->lists = list + 1;
    return RETORT_OK;
}

/* Past a number such as 12, 3.5 or 1,000; `at` itself if there is none, or it is longer than numbers are: "1.1.1.1"
 * must not be read to its end from every place in it. */
static size_t skip_number(const char *text, size_t at, size_t end) {
    const size_t begin = at;
    if (end - at > MOST_NUMBER) end = at + MOST_NUMBER;
    while (at < end && is_digit(text[at])) {
        while (at < end && is_digit(text[at])) at++;
        if (at + 1 < end && (text[at] == '.' || text[at] == ',') && is_digit(text[at + 1])) at++;
    }
    return at - begin < MOST_NUMBER ? at : begin;
}

static size_t skip_space(const char *text, size_t at, size_t end) {
    size_t i = at;
    if (i < end && text[i] == ',') i++;
    const size_t first = i;
    while (i < end && is_space(text[i])) i++;
    return i > first ? i : at;
}

/* The end of the match of `phrase` at `at`; 0 if there is none. A phrase has one gap at most, so this calls itself once
 * at most; the gap is as short as can be. */
static size_t match(const char *phrase, const char *text, size_t at, size_t end, size_t length) {
    const char *p = phrase;
    while (*p != '\0') {
        size_t next = at;
        if (strncmp(p, "...", 3) == 0) {
            for (size_t gap = 0; gap <= MOST_GAP && at + gap < end; gap++) {
                const size_t found = match(p + 3, text, at + gap, end, length);
                if (found > 0) return found;
            }
            return 0;
        }
        if (*p == ' ')
            next = skip_space(text, at, end);
        else if (*p == '#')
            next = skip_number(text, at, end);
        else if (at < end && lower(text[at]) == *p)
            next = at + 1;
        else if (*p == '\'' && end - at >= 3 && memcmp(text + at, "\xe2\x80\x99", 3) == 0)
            next = at + 3;
        if (next == at) return 0;
        at = next;
        p++;
    }
    const bool open = p > phrase && (is_word(p[-1]) || p[-1] == '#');
    return open && at < length && is_word(text[at]) ? 0 : at;
}

static bool starts_word(const char *text, size_t at) {
    return at == 0 || !(is_word(text[at - 1]) || text[at - 1] == '\\');
}

void rt_phrases_scan(const rt_phrases *phrases, const char *text, size_t begin, size_t end, size_t length,
                     rt_phrase_visitor visit, void *context) {
    size_t longest[RT_MOST_LISTS] = {0};
    for (size_t at = begin; at < end; at++) {
        uint64_t hit = 0;
        const bool word = is_word(text[at]);
        if (word && !starts_word(text, at)) continue;
        for (int pass = 0; pass < (is_digit(text[at]) ? 2 : 1); pass++) {
            int32_t i = phrases->first[pass == 1 ? '#' : (unsigned char)lower(text[at])];
            for (; i >= 0; i = phrases->items[i].next) {
                const rt_phrase *phrase = &phrases->items[i];
                const size_t found = match(phrase->text, text, at, end, length);
                if (found == 0) continue;
                const uint64_t bit = (uint64_t)1 << phrase->list;
                if (!(hit & bit) || found > longest[phrase->list]) longest[phrase->list] = found;
                hit |= bit;
            }
        }
        for (int32_t list = 0; list < phrases->lists && hit != 0; list++) {
            if (hit >> list & 1) visit(context, list, at, longest[list]);
        }
    }
}
