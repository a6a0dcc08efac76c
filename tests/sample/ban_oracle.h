/* Bans by their definition, slowly: the words of a whole text are marked, every pattern is tried at every byte. Shares
 * no code with sample/automaton.c. */
#ifndef TEST_BAN_ORACLE_H
#define TEST_BAN_ORACLE_H

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "sample/automaton.h"

typedef struct oracle_marks {
    bool word_begins, name_begins, ends; /* of a word; of a command's name; of either, in front of this byte */
} oracle_marks;

static bool oracle_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool oracle_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void oracle_mark(const char *text, size_t length, oracle_marks *marks) {
    memset(marks, 0, (length + 1) * sizeof *marks);
    for (size_t i = 0; i < length;) {
        size_t run = 0;
        while (i + run < length && text[i + run] == '\\') run++;
        const bool name = run % 2 == 1;
        i += run;
        if (i == length || !oracle_letter(text[i])) {
            i += run == 0;
            continue;
        }
        if (name)
            marks[i].name_begins = true;
        else
            marks[i].word_begins = true;
        while (i < length &&
               (oracle_letter(text[i]) || (!name && text[i] == '\'' && i + 1 < length && oracle_letter(text[i + 1]))))
            i++;
        marks[i].ends = true;
    }
}

/* The end of the pattern's match that begins at `at`; 0: none. */
static size_t oracle_match(const rt_pattern *p, const char *text, size_t length, const oracle_marks *marks, size_t at) {
    const size_t begin = at;
    for (const char *c = p->text; *c != '\0'; c++) {
        if (oracle_space(*c)) {
            if (oracle_space(c[-1])) continue;
            if (at == length || !oracle_space(text[at])) return 0;
            while (at < length && oracle_space(text[at])) at++;
        } else {
            if (at == length) return 0;
            const bool same =
                p->exact_case ? text[at] == *c : tolower((unsigned char)text[at]) == tolower((unsigned char)*c);
            if (!same) return 0;
            at++;
        }
    }
    if (p->tail != NULL) {
        if (strlen(p->tail) > length - at || memcmp(text + at, p->tail, strlen(p->tail)) != 0) return 0;
        at += strlen(p->tail);
    }
    const bool begins = marks[begin].word_begins || (p->in_commands && marks[begin].name_begins);
    if (p->inside_words) return at;
    if (oracle_letter(p->text[0]) && !begins) return 0;
    if (p->tail == NULL && oracle_letter(text[at - 1]) && !marks[at].ends) return 0;
    return at;
}

/* True if the text, taken as complete, holds a match that ends behind byte `from`. */
static bool oracle_banned(const rt_pattern *patterns, int32_t count, const char *text, size_t length, size_t from) {
    oracle_marks *marks = malloc((length + 1) * sizeof *marks);
    bool found = false;
    oracle_mark(text, length, marks);
    for (int32_t i = 0; i < count && !found; i++) {
        for (size_t at = 0; at < length && !found; at++)
            found = oracle_match(&patterns[i], text, length, marks, at) > from;
    }
    free(marks);
    return found;
}

#endif
