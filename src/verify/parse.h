/* The parser's own state, shared by parse_answer.c (structures) and parse_expression.c (what is in them). */
#ifndef RT_VERIFY_PARSE_H
#define RT_VERIFY_PARSE_H

#include "verify/value.h"

/* Deeper than any honest answer, shallow enough for any stack. */
enum { RT_DEPTH_MAXIMUM = 120 };

typedef struct rt_parser {
    rt_verify_context *c;
    rt_token *t;
    const size_t *partner; /* of each opening bracket the closing one, or the number of tokens */
    size_t at, end;        /* the part of the tokens that is being read */
    int depth, bars;
    int64_t signs;         /* plus-minus signs so far */
    int64_t signed_values; /* values that they made */
    bool opposed;          /* one of them was a minus-plus: all signs go together */
    const char *currency;
} rt_parser;

/* A sum from p->at on, as far as it goes. NULL: stopped. */
rt_node *rt_parse_sum(rt_parser *p);
/* All of [begin, end) as one value: containers, equations, expressions. */
rt_value *rt_parse_range(rt_parser *p, size_t begin, size_t end);

/* The bracket that closes the one at `open`, or `end`. Brackets of all kinds close each other, for (3, 4]. */
static inline size_t rt_match(const rt_parser *p, size_t open, size_t end) {
    return p->partner[open] < end ? p->partner[open] : end;
}
/* The next token of a kind outside of brackets in [from, end), or `end`. */
size_t rt_find_token(const rt_parser *p, size_t from, size_t end, rt_token_kind kind);
bool rt_enter(rt_parser *p);
void *rt_unexpected(rt_parser *p, size_t at);
/* The number that a token spells. */
rt_node *rt_token_number(rt_verify_context *c, const rt_token *t);

#endif
