#include "rewrite/marked.h"

#include <string.h>
#include <strings.h>

#include "core/mem.h"
#include "text/lexicon_scan.h"

struct rt_marks {
    rt_lexicon lexicon;
    rt_scanner *scanner;
};

retort_status rt_marks_create(rt_marks **out, retort_error *err) {
    rt_marks *marks = rt_calloc(1, sizeof *marks);
    RT_CHECK(marks != NULL, err, RETORT_ERR_MEMORY, "out of memory: lexicons");
    retort_status st = rt_lexicon_read("anthropomorphic,logical", &marks->lexicon, err);
    if (st == RETORT_OK) st = rt_scanner_create(&marks->lexicon, &marks->scanner, err);
    if (st != RETORT_OK) {
        rt_marks_destroy(marks);
        return st;
    }
    *out = marks;
    return RETORT_OK;
}

void rt_marks_destroy(rt_marks *marks) {
    if (marks == NULL) return;
    rt_scanner_destroy(marks->scanner);
    rt_lexicon_free(&marks->lexicon);
    rt_free(marks);
}

/* Both lists have few words, and this is done once a run. */
static bool listed(const rt_lexicon *lexicon, const char *word) {
    for (int32_t e = 0; e < lexicon->num_entries; e++)
        if (strcasecmp(lexicon->entries[e].text, word) == 0) return true;
    return false;
}

retort_status rt_marks_list(const rt_marks *marks, rt_buffer *out, retort_error *err) {
    static const rt_category CATEGORIES[] = {RT_CATEGORY_ANTHROPOMORPHIC, RT_CATEGORY_LOGICAL};
    for (int32_t e = 0; e < marks->lexicon.num_entries; e++)
        RT_TRY(rt_buffer_printf(out, err, "%s%s", e > 0 ? ", " : "", marks->lexicon.entries[e].text));
    for (size_t c = 0; c < sizeof CATEGORIES / sizeof *CATEGORIES; c++)
        for (const char *const *w = rt_category_words(CATEGORIES[c]); *w != NULL; w++)
            if (!listed(&marks->lexicon, *w)) RT_TRY(rt_buffer_printf(out, err, ", %s", *w));
    return RETORT_OK;
}

static void see(void *context, int32_t entry, size_t begin, size_t end) {
    int32_t *first = context;
    (void)begin;
    (void)end;
    if (*first < 0) *first = entry;
}

retort_status rt_marks_absent(const rt_marks *marks, const char *text, size_t length, bool *absent, char word[32],
                              retort_error *err) {
    int32_t first = -1;
    RT_TRY(rt_scanner_run(marks->scanner, text, length, see, &first, err));
    *absent = first < 0;
    if (first >= 0) snprintf(word, 32, "%s", marks->lexicon.entries[first].text);
    return RETORT_OK;
}

bool rt_is_marked(const rt_lexeme *lexeme) {
    return rt_category_words(rt_lexeme_category(lexeme)) != NULL;
}

void rt_marked_count(const char *text, size_t length, rt_marked *out) {
    rt_lexeme lexeme;
    for (size_t at = 0; rt_lexeme_next(text, length, &at, &lexeme);) {
        out->lexemes++;
        out->by[rt_lexeme_category(&lexeme)]++;
    }
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The next token of the skeleton. */
static bool next_bone(const char *text, size_t length, size_t *at, rt_lexeme *out) {
    while (rt_lexeme_next(text, length, at, out)) {
        if (rt_lexeme_category(out) != RT_CATEGORY_MATHEMATICAL) continue;
        const char *after = out->text + 1;
        bool hyphen = out->text[0] == '-' && out->text > text && is_letter(out->text[-1]) && after < text + length &&
                      is_letter(*after);
        if (!hyphen) return true;
    }
    return false;
}

bool rt_same_skeleton(const char *a, size_t a_length, const char *b, size_t b_length, size_t *where) {
    size_t i = 0, j = 0;
    rt_lexeme x, y;
    for (;;) {
        const size_t start = j;
        bool left = next_bone(a, a_length, &i, &x), right = next_bone(b, b_length, &j, &y);
        if (!left && !right) return true;
        if (left && right && x.length == y.length && memcmp(x.text, y.text, x.length) == 0) continue;
        if (where != NULL) *where = right ? (size_t)(y.text - b) : start;
        return false;
    }
}
