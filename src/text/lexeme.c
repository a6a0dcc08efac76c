#include "text/lexeme.h"

#include <string.h>

static const char *const ANTHROPOMORPHIC[] = {
    "aha",  "ah",      "actually", "feel",  "guess", "hm",    "hmm",  "hope",   "i",  "i'd", "i'll",
    "i'm",  "i've",    "let",      "let's", "look",  "maybe", "me",   "my",     "oh", "ok",  "okay",
    "oops", "perhaps", "see",      "sorry", "think", "wait",  "well", "wonder", NULL};

static const char *const LOGICAL[] = {"alternatively", "although",  "because", "but",   "hence", "however", "if",
                                      "instead",       "otherwise", "since",   "so",    "still", "then",    "therefore",
                                      "though",        "thus",      "unless",  "while", "yet",   NULL};

const char *rt_category_name(rt_category category) {
    switch (category) {
    case RT_CATEGORY_ANTHROPOMORPHIC: return "anthropomorphic";
    case RT_CATEGORY_LOGICAL: return "logical";
    case RT_CATEGORY_MATHEMATICAL: return "mathematical";
    default: return "other";
    }
}

const char *const *rt_category_words(rt_category category) {
    if (category == RT_CATEGORY_ANTHROPOMORPHIC) return ANTHROPOMORPHIC;
    if (category == RT_CATEGORY_LOGICAL) return LOGICAL;
    return NULL;
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool rt_lexeme_next(const char *text, size_t length, size_t *at, rt_lexeme *out) {
    size_t i = *at;
    while (i < length && is_space(text[i])) i++;
    if (i >= length) {
        *at = length;
        return false;
    }
    size_t end = i + 1;
    if (is_letter(text[i])) {
        out->kind = RT_LEXEME_WORD;
        while (end < length &&
               (is_letter(text[end]) || (text[end] == '\'' && end + 1 < length && is_letter(text[end + 1]))))
            end++;
    } else if (is_digit(text[i])) {
        out->kind = RT_LEXEME_NUMBER;
        while (end < length && is_digit(text[end])) end++;
    } else if (text[i] == '\\' && end < length && is_letter(text[end])) {
        out->kind = RT_LEXEME_COMMAND;
        while (end < length && is_letter(text[end])) end++;
    } else {
        out->kind = RT_LEXEME_SYMBOL;
    }
    out->text = text + i;
    out->length = end - i;
    *at = end;
    return true;
}

static bool equals_ignoring_case(const rt_lexeme *lexeme, const char *word) {
    if (strlen(word) != lexeme->length) return false;
    for (size_t i = 0; i < lexeme->length; i++) {
        char c = lexeme->text[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
        if (c != word[i]) return false;
    }
    return true;
}

rt_category rt_lexeme_category(const rt_lexeme *lexeme) {
    switch (lexeme->kind) {
    case RT_LEXEME_NUMBER:
    case RT_LEXEME_COMMAND: return RT_CATEGORY_MATHEMATICAL;
    case RT_LEXEME_SYMBOL:
        return memchr("+-*/=(){}^<>", lexeme->text[0], 12) != NULL ? RT_CATEGORY_MATHEMATICAL : RT_CATEGORY_OTHER;
    case RT_LEXEME_WORD: break;
    }
    static const rt_category WORD_CATEGORIES[] = {RT_CATEGORY_ANTHROPOMORPHIC, RT_CATEGORY_LOGICAL};
    for (size_t c = 0; c < sizeof WORD_CATEGORIES / sizeof WORD_CATEGORIES[0]; c++)
        for (const char *const *word = rt_category_words(WORD_CATEGORIES[c]); *word != NULL; word++)
            if (equals_ignoring_case(lexeme, *word)) return WORD_CATEGORIES[c];
    return RT_CATEGORY_OTHER;
}
