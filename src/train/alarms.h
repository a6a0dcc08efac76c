/* Signs that an RL run is going wrong, read from its own metrics. They never stop a run; they are written to
 * metrics.jsonl ("alarms") and shown with the progress.
 */
#ifndef RT_ALARMS_H
#define RT_ALARMS_H

#include "core/json.h"

/* A step's figures, each a mean over its responses or tokens. */
typedef struct rt_vital_signs {
    double zero_variance; /* share of groups whose rewards are all equal */
    double clipped;       /* share of tokens whose ratio was clipped */
    double truncated;     /* share of responses cut at the length limit */
    double nll;           /* mean -log p of the sampled tokens: an unbiased estimate of the entropy at temperature 1 */
    double accuracy, format;
} rt_vital_signs;

/* Exponential averages over steps, part of a checkpoint. Zero-initialise. */
typedef struct rt_alarm_state {
    int64_t steps;
    double first_nll;
    double accuracy_fast, accuracy_slow, format_fast, format_slow;
} rt_alarm_state;

/* Takes a step in and adds the array "alarms" to metrics if any rings:
 *   zero_variance            at least 90 % of the groups teach nothing
 *   entropy_collapse         nll below a fifth of the first step's
 *   clip_rate                more than 20 % of the tokens clipped
 *   truncation               more than 25 % of the responses cut
 *   format_up_accuracy_down  over the last ten steps or so against the last fifty, both by more than 0.02 */
retort_status rt_alarms_check(rt_alarm_state *state, const rt_vital_signs *signs, json_t *metrics, retort_error *err);

retort_status rt_alarms_save(const rt_alarm_state *state, json_t *cursor, retort_error *err);
retort_status rt_alarms_load(rt_alarm_state *state, const json_t *cursor, retort_error *err);

#endif
