#define PCRE2_CODE_UNIT_WIDTH 8
#include "token_oracle.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct oracle {
    const rt_lexicon *lexicon;
    pcre2_code **entries, *word, *inline_code, *command;
    pcre2_match_data *match;
};

typedef struct interval {
    size_t begin, end;
} interval;

typedef struct intervals {
    interval *items;
    size_t count, capacity;
} intervals;

static void push(intervals *list, size_t begin, size_t end) {
    if (list->count == list->capacity) {
        list->capacity = list->capacity * 2 + 64;
        list->items = realloc(list->items, list->capacity * sizeof *list->items);
    }
    list->items[list->count++] = (interval){begin, end};
}

static pcre2_code *compile(const char *pattern) {
    int code;
    PCRE2_SIZE at;
    pcre2_code *re = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF, &code, &at, NULL);
    if (re == NULL) {
        fprintf(stderr, "pattern '%s' breaks at %zu\n", pattern, at);
        abort();
    }
    pcre2_jit_compile(re, PCRE2_JIT_COMPLETE);
    return re;
}

/* All matches of a pattern in [0, length). */
static void find_all(const oracle *o, const pcre2_code *re, const char *text, size_t length, intervals *out) {
    for (size_t at = 0; at <= length;) {
        if (pcre2_match(re, (PCRE2_SPTR)text, length, at, PCRE2_NO_UTF_CHECK, o->match, NULL) < 0) return;
        const PCRE2_SIZE *place = pcre2_get_ovector_pointer(o->match);
        push(out, place[0], place[1]);
        at = place[1] > place[0] ? place[1] : place[1] + 1;
    }
}

#define WORDY         "[\\p{L}\\p{N}\\p{M}_]"
#define OPERAND_LEFT  "(?:[0-9)\\]}|!%$]|(?<![A-Za-z])[A-Za-z]|(?<!\\\\)(?:\\\\\\\\)*\\\\[A-Za-z]+)[ \\t]*\\K"
#define OPERAND_RIGHT "(?=[ \\t]*[-+]?(?:[0-9(\\[{|$\\\\.]|[A-Za-z](?![A-Za-z])))"

static bool wordy(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static void edge(char *pattern, bool left, const rt_lexicon_entry *entry) {
    bool whole = entry->boundary == RT_BOUNDARY_WHOLE;
    if (left) {
        strcat(pattern, "(?<!" WORDY ")(?<!" WORDY "['\\x{2019}])");
        if (whole) strcat(pattern, "(?<!" WORDY "[-\\x{2010}\\x{2011}])");
    } else {
        strcat(pattern, "(?!" WORDY ")(?!['\\x{2019}]" WORDY ")");
        if (whole) strcat(pattern, "(?![-\\x{2010}\\x{2011}]" WORDY ")");
    }
}

static pcre2_code *compile_entry(const rt_lexicon_entry *entry) {
    if (entry->kind == RT_ENTRY_NUMBER) return compile("[0-9]+(?:[.,][0-9]+)*");
    if (entry->kind == RT_ENTRY_COMMAND) return compile("(?<!\\\\)(?:\\\\\\\\)*\\K\\\\[A-Za-z]+");
    char pattern[8192] = "";
    size_t length = strlen(entry->text);
    bool edges = entry->boundary == RT_BOUNDARY_WORD || entry->boundary == RT_BOUNDARY_WHOLE;
    if (edges && wordy(entry->text[0])) edge(pattern, true, entry);
    if (entry->boundary == RT_BOUNDARY_OPERATOR) strcat(pattern, OPERAND_LEFT);
    for (size_t i = 0; i < length; i++) {
        char c = entry->text[i], piece[64];
        bool letter = wordy(c) && (c < '0' || c > '9');
        if (c == ' ')
            snprintf(piece, sizeof piece, "(?=\\s)[ \\t\\r\\f\\x0b]*(?:\\n[ \\t\\r\\f\\x0b]*)?");
        else if (c == '\'')
            snprintf(piece, sizeof piece, "['\\x{2019}]");
        else if (letter && entry->letter_case == RT_CASE_ANY)
            snprintf(piece, sizeof piece, "[%c%c]", c | 0x20, c & ~0x20);
        else
            snprintf(piece, sizeof piece, (unsigned char)c >= 0x80 || wordy(c) ? "%c" : "\\%c", c);
        strcat(pattern, piece);
    }
    if (edges && wordy(entry->text[length - 1])) edge(pattern, false, entry);
    if (entry->boundary == RT_BOUNDARY_OPERATOR) strcat(pattern, OPERAND_RIGHT);
    return compile(pattern);
}

oracle *oracle_create(const rt_lexicon *lexicon) {
    oracle *o = calloc(1, sizeof *o);
    o->lexicon = lexicon;
    o->entries = calloc((size_t)lexicon->num_entries, sizeof *o->entries);
    for (int32_t i = 0; i < lexicon->num_entries; i++) o->entries[i] = compile_entry(&lexicon->entries[i]);
    o->word = compile("[A-Za-z']+");
    o->inline_code = compile("(?<!`)(`{1,32})(?!`)[^\\n]*?(?<!`)\\1(?!`)");
    o->command = compile("\\\\(?:\\\\|[A-Za-z]+)");
    o->match = pcre2_match_data_create(16, NULL);
    return o;
}

void oracle_destroy(oracle *o) {
    for (int32_t i = 0; i < o->lexicon->num_entries; i++) pcre2_code_free(o->entries[i]);
    pcre2_code_free(o->word);
    pcre2_code_free(o->inline_code);
    pcre2_code_free(o->command);
    pcre2_match_data_free(o->match);
    free(o->entries);
    free(o);
}

/* The fence that a line opens: its mark repeated, or "". */
static void fence_of(const char *line, size_t length, char fence[64]) {
    size_t at = 0, run = 0;
    fence[0] = '\0';
    while (at < length && at < 3 && line[at] == ' ') at++;
    while (at + run < length && run < 60 && (line[at] == '`' || line[at] == '~') && line[at + run] == line[at]) run++;
    if (run < 3) return;
    memset(fence, line[at], run);
    fence[run] = '\0';
}

static bool nothing_behind(const char *line, size_t length, size_t fence) {
    size_t at = 0;
    while (line[at] == ' ') at++;
    for (at += fence; at < length; at++)
        if (strchr(" \t\r\n", line[at]) == NULL) return false;
    return true;
}

/* 1 where a byte is code. */
static void mark_code(const oracle *o, const char *text, size_t length, char *mask) {
    char open[64] = "", own[64];
    for (size_t at = 0; at < length;) {
        const char *newline = memchr(text + at, '\n', length - at);
        size_t size = newline != NULL ? (size_t)(newline - text) + 1 - at : length - at;
        fence_of(text + at, size, own);
        size_t run = strlen(own);
        bool tick_behind = run > 0 && own[0] == '`' &&
                           memchr(strchr(text + at, '`') + run, '`',
                                  (size_t)(text + at + size - strchr(text + at, '`')) - run) != NULL;
        if (open[0] != '\0') {
            memset(mask + at, 1, size);
            if (own[0] == open[0] && run >= strlen(open) && nothing_behind(text + at, size, run)) open[0] = '\0';
        } else if (run > 0 && !tick_behind) {
            memset(mask + at, 1, size);
            strcpy(open, own);
        } else {
            intervals spans = {0};
            find_all(o, o->inline_code, text + at, size, &spans);
            for (size_t i = 0; i < spans.count; i++)
                memset(mask + at + spans.items[i].begin, 1, spans.items[i].end - spans.items[i].begin);
            free(spans.items);
        }
        at += size;
    }
}

static bool in_tag(const char *text, size_t length, size_t begin, size_t end) {
    if (end >= length || text[end] != '>') return false;
    return (begin >= 1 && text[begin - 1] == '<') || (begin >= 2 && text[begin - 2] == '<' && text[begin - 1] == '/');
}

static bool letter_at(const char *text, size_t at) {
    return wordy(text[at]) && (text[at] < '0' || text[at] > '9');
}

static int by_begin(const void *a, const void *b) {
    const interval *x = a, *y = b;
    return x->begin != y->begin ? (x->begin > y->begin) - (x->begin < y->begin) : (x->end > y->end) - (x->end < y->end);
}

static long join(intervals *list) {
    long places = 0;
    size_t reach = 0;
    if (list->count > 0) qsort(list->items, list->count, sizeof *list->items, by_begin);
    for (size_t i = 0; i < list->count; i++) {
        if (places == 0 || list->items[i].begin >= reach) places++;
        if (list->items[i].end > reach) reach = list->items[i].end;
    }
    return places;
}

static long count_piece(oracle *o, const char *text, size_t length, long *entries, long *places) {
    char *code = calloc(length + 1, 1), *command = calloc(length + 1, 1);
    intervals words = {0}, commands = {0};
    mark_code(o, text, length, code);
    find_all(o, o->command, text, length, &commands);
    for (size_t i = 0; i < commands.count; i++)
        memset(command + commands.items[i].begin, 1, commands.items[i].end - commands.items[i].begin);
    for (int32_t c = 0; c < o->lexicon->num_categories; c++) {
        intervals all = {0};
        for (int32_t e = 0; e < o->lexicon->num_entries; e++) {
            const rt_lexicon_entry *entry = &o->lexicon->entries[e];
            intervals found = {0};
            if (entry->category != c) continue;
            find_all(o, o->entries[e], text, length, &found);
            for (size_t i = 0; i < found.count; i++) {
                size_t begin = found.items[i].begin, end = found.items[i].end;
                bool name = letter_at(text, begin) && (command[begin] != 0 || in_tag(text, length, begin, end));
                if (entry->context == RT_CONTEXT_PROSE && (code[begin] != 0 || name)) continue;
                entries[e]++;
                push(&all, begin, end);
            }
            free(found.items);
        }
        places[c] += join(&all);
        free(all.items);
    }
    find_all(o, o->word, text, length, &words);
    long count = (long)words.count;
    free(words.items);
    free(commands.items);
    free(code);
    free(command);
    return count;
}

long oracle_count(oracle *o, const char *text, rt_part part, long *entries, long *places) {
    const char *open = strstr(text, "<think>"), *close = strstr(text, "</think>");
    bool thought = close != NULL && (open == NULL || close < open);
    long words = 0;
    while (*text != '\0') {
        const char *tag = thought ? "</think>" : "<think>", *end = strstr(text, tag);
        size_t length = end != NULL ? (size_t)(end - text) : strlen(text),
               with_tag = length + (end != NULL ? strlen(tag) : 0);
        bool wanted = part == RT_PART_BOTH || thought == (part == RT_PART_THOUGHT);
        if (wanted) words += count_piece(o, text, part == RT_PART_BOTH ? with_tag : length, entries, places);
        text += with_tag;
        thought = !thought;
    }
    return words;
}
