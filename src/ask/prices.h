/* What tokens cost: two prices for a million tokens each, in whatever unit the table is in. */
#ifndef RT_ASK_PRICES_H
#define RT_ASK_PRICES_H

#include "core/json.h"

typedef struct rt_price {
    double input, output; /* negative: unknown */
} rt_price;

/* From a JSON file {"model": {"input": 0.55, "output": 2.19}, ...}; a model that is not in it is an error that names
 * the file. */
retort_status rt_price_read(const char *path, const char *model, rt_price *out, retort_error *err);

static inline bool rt_price_known(const rt_price *price) {
    return price->input >= 0 && price->output >= 0;
}

static inline double rt_price_of(const rt_price *price, double prompt_tokens, double completion_tokens) {
    return (prompt_tokens * price->input + completion_tokens * price->output) / 1e6;
}

#endif
