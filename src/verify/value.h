/* What an answer means: an expression, or a structure of answers. */
#ifndef RT_VERIFY_VALUE_H
#define RT_VERIFY_VALUE_H

#include "verify/lex.h"

typedef enum rt_value_kind {
    RT_V_NUMBER,   /* an expression, perhaps with a unit */
    RT_V_LIST,     /* several values without order: "1, -2", "3 or 4", plus-minus */
    RT_V_SET,      /* the same without repeats */
    RT_V_TUPLE,    /* values in order; (a, b) may be meant as an interval */
    RT_V_MATRIX,   /* rows by columns */
    RT_V_REGION,   /* a set of real numbers: a union of intervals */
    RT_V_EQUATION, /* number = 0 */
    RT_V_RELATION, /* number < 0, <= 0 or != 0 that is not solved as a region */
    RT_V_RATIO,    /* a : b : c */
    RT_V_TIME,     /* hours : minutes */
    RT_V_TEXT      /* words */
} rt_value_kind;

/* A unit: powers of base units and a factor to them; `other` for units that are only names, sorted. */
typedef struct rt_unit {
    bool present;
    bool percent;
    int8_t dimension[5]; /* length, mass, time, money, angle */
    rt_node *factor;
    const char *other;
    const char *text; /* as it is printed */
} rt_unit;

typedef struct rt_interval {
    rt_node *low, *high; /* NULL: unbounded */
    bool low_closed, high_closed;
} rt_interval;

typedef struct rt_value {
    rt_value_kind kind;
    rt_node *number;
    rt_unit unit;
    rt_token_kind relation; /* LESS, LESS_EQUAL or NOT_EQUAL */
    struct rt_value **items;
    size_t count, columns;
    rt_interval *intervals; /* of a region, `count` of them */
    const char *text;       /* words in lower case; of a time "am", "pm" or NULL */
    bool named;             /* "x = ...": the value of a named quantity */
    rt_node *name;          /* the symbol, NULL where the name is words */
    bool function_name;     /* f(x) = ..., or y = ... */
    bool round_brackets;    /* a tuple in ( ) */
    bool set_of_signs;      /* a list that came from plus-minus: repeats do not count */
    rt_node *digits;        /* of a number in another base: its digits read as decimal ones */
    int decimals;           /* of a plain decimal number, -1 for others */
} rt_value;

/* Reads tokens as an answer; NULL: stopped. */
rt_value *rt_parse(rt_verify_context *c, const rt_tokens *tokens);

/* units.c: reads a unit from tokens [*at, end), the whole rest or nothing; false if it is none. */
bool rt_parse_unit(rt_verify_context *c, const rt_token *tokens, size_t at, size_t end, rt_unit *out);
/* A single named unit, such as "dollar". */
bool rt_named_unit(rt_verify_context *c, const char *name, size_t length, int power, rt_unit *out);

/* region.c */
rt_value *rt_region(rt_verify_context *c, rt_interval interval);
rt_value *rt_region_union(rt_verify_context *c, rt_value *const *parts, size_t count);
/* The set where expression (op) 0; a relation where that is no union of intervals that is found here. */
rt_value *rt_solve_relation(rt_verify_context *c, rt_node *expression, rt_token_kind op);
/* Sorted and merged where the ends can be compared. */
rt_value *rt_region_normal(rt_verify_context *c, rt_value *region);

rt_value *rt_new_value(rt_verify_context *c, rt_value_kind kind);
rt_value *rt_number_value(rt_verify_context *c, rt_node *number);
rt_value *rt_collection(rt_verify_context *c, rt_value_kind kind, rt_value *const *items, size_t count);

/* The variables of an expression: the first and only one, NULL and *several where there are more. */
rt_node *rt_only_variable(rt_verify_context *c, rt_node *n, bool *several);

#endif
