/* Marked tokens (text/lexeme.h: the anthropomorphic and logical categories) and the skeleton that no rewriting may
 * touch. */
#ifndef RT_REWRITE_MARKED_H
#define RT_REWRITE_MARKED_H

#include <stdint.h>

#include "core/mem.h"
#include "text/lexeme.h"

typedef struct rt_marked {
    int64_t lexemes;
    int64_t by[RT_CATEGORIES]; /* of each category */
} rt_marked;

/* The wider question, which entries of the shipped lexicons' same two categories (text/lexicon.h) find: phrases too. */
typedef struct rt_marks rt_marks;
retort_status rt_marks_create(rt_marks **out, retort_error *err);
void rt_marks_destroy(rt_marks *marks);
/* Whether a text holds none; else word[] gets the first entry found, cut if it is long. */
retort_status rt_marks_absent(const rt_marks *marks, const char *text, size_t length, bool *absent, char word[32],
                              retort_error *err);

/* Appends the entries of both categories and the world's words, "a, b, c", each once. */
retort_status rt_marks_list(const rt_marks *marks, rt_buffer *out, retort_error *err);

bool rt_is_marked(const rt_lexeme *lexeme);
/* Adds a text's counts to *out. */
void rt_marked_count(const char *text, size_t length, rt_marked *out);
static inline int64_t rt_marked_total(const rt_marked *marked) {
    return marked->by[RT_CATEGORY_ANTHROPOMORPHIC] + marked->by[RT_CATEGORY_LOGICAL];
}

/* Whether two texts have the same skeleton: every number, operator, bracket and LaTeX command, in order (all
 * mathematical tokens of the lexicon; a hyphen between letters is none). Equal skeletons have equal equations and equal
 * boxed answers up to letters; *where (may be NULL) is the byte of b at which they part. */
bool rt_same_skeleton(const char *a, size_t a_length, const char *b, size_t b_length, size_t *where);

#endif
