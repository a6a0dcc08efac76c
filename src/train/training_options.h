/* What the three option tables share beyond the parser: range checks of structs that were filled by hand, and the part
 * of the options that fixes a run's result.
 */
#ifndef RT_TRAINING_OPTIONS_H
#define RT_TRAINING_OPTIONS_H

#include "core/json.h"
#include "retort/train.h"

/* Required options are there and every number lies in its table's range: a caller of the C API may have filled the
 * struct without retort_options_set. */
retort_status rt_training_validate(const retort_option *table, const void *options, retort_error *err);

/* {"learning_rate": "0.0005", ...}: the options that shape the result, as a recipe would write them. Left out are those
 * that may differ between a run and its resumption: paths (their content is compared by hash), threads, memory and
 * logging. Caller json_decref()s *out. */
retort_status rt_training_hyper_parameters(const retort_option *table, const void *options, json_t **out,
                                           retort_error *err);

#endif
