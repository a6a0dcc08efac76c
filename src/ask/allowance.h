/* Allowances that refill with time (token buckets): at most a minute's worth is saved up. */
#ifndef RT_ASK_ALLOWANCE_H
#define RT_ASK_ALLOWANCE_H

#include <stdbool.h>

typedef struct rt_allowance {
    double per_second, level, most, when; /* per_second 0: no bound */
} rt_allowance;

/* A second's worth is there at the start. */
rt_allowance rt_allowance_make(double per_minute);
bool rt_allowance_has_room(rt_allowance *allowance);
/* May go below zero: a reply's length is known only when it is here, and is then waited for. */
void rt_allowance_take(rt_allowance *allowance, double amount);

#endif
