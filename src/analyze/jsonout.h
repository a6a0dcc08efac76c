/* Small writers of report figures: NaN becomes null, and reals are rounded to 12 significant digits, so that the text
 * of a report is short and stable. */
#ifndef RT_JSONOUT_H
#define RT_JSONOUT_H

#include <jansson.h>

#include "analyze/stats.h"

json_t *rt_json_number(double value);
void rt_json_set_real(json_t *object, const char *key, double value);
void rt_json_set_interval(json_t *object, const char *key, rt_interval interval);

/* The indented text of a result, for retort_free; takes the value's reference. */
retort_status rt_json_result(json_t *value, char **out, retort_error *err);

#endif
