/* One side of a comparison: an answer's text and all the ways in which it can be read. */
#ifndef RT_VERIFY_SIDE_H
#define RT_VERIFY_SIDE_H

#include "verify/compare.h"

typedef struct rt_side {
    const char *text;
    size_t length;
    rt_tokens tokens;
    rt_value *value; /* NULL: see stop and why */
    rt_stop stop;
    char why[160];
    const char *words;   /* the text without marks and type faces, in lower case */
    bool only_letters;   /* it is words and nothing else */
    char letter;         /* of a choice, 0 if it is none */
    bool marked;         /* that letter stands in brackets or in a text face */
    char prefix;         /* the letter of "(C) 12" */
    size_t prefix_bytes; /* where what follows it begins */
} rt_side;

/* Fills the side. False: no memory. */
bool rt_read_side(rt_verify_context *c, const char *text, size_t length, bool grouping, rt_side *out);

/* words.c of choices and texts: fills words, letter and prefix. */
bool rt_read_words(rt_verify_context *c, rt_side *side);

#endif
