/* Are two answers the same? */
#ifndef RT_VERIFY_COMPARE_H
#define RT_VERIFY_COMPARE_H

#include "verify/value.h"
#include "verify/zero.h"

typedef struct rt_rules {
    bool tolerant, rounding;
} rt_rules;

/* RT_ZERO: the same; RT_NONZERO: not; RT_UNKNOWN: undecided (or stopped). */
rt_zero rt_same(rt_verify_context *c, const rt_value *gold, const rt_value *pred, rt_rules rules);

/* print.c: the canonical form in plain notation, in the arena; "..." stands for what is too long. */
const char *rt_canonical(rt_verify_context *c, const rt_value *v);

#endif
