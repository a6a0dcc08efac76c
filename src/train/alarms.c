#include "train/alarms.h"

static const double FAST = 0.1, SLOW = 0.02; /* weight of a new step: windows of about 10 and 50 steps */
static const double DRIFT = 0.02;
enum { WARM_UP = 20 }; /* steps before the averages say anything */

static double blend(double average, double value, double weight) {
    return average + weight * (value - average);
}

static void take_in(rt_alarm_state *state, const rt_vital_signs *signs) {
    if (state->steps++ == 0) {
        *state = (rt_alarm_state){1, signs->nll, signs->accuracy, signs->accuracy, signs->format, signs->format};
        return;
    }
    state->accuracy_fast = blend(state->accuracy_fast, signs->accuracy, FAST);
    state->accuracy_slow = blend(state->accuracy_slow, signs->accuracy, SLOW);
    state->format_fast = blend(state->format_fast, signs->format, FAST);
    state->format_slow = blend(state->format_slow, signs->format, SLOW);
}

retort_status rt_alarms_check(rt_alarm_state *state, const rt_vital_signs *signs, json_t *metrics, retort_error *err) {
    take_in(state, signs);
    bool drifts = state->steps > WARM_UP && state->format_fast - state->format_slow > DRIFT &&
                  state->accuracy_slow - state->accuracy_fast > DRIFT;
    const struct {
        const char *name;
        bool rings;
    } alarms[] = {
        {"zero_variance", signs->zero_variance >= 0.9},
        {"entropy_collapse", signs->nll < 0.2 * state->first_nll},
        {"clip_rate", signs->clipped > 0.2},
        {"truncation", signs->truncated > 0.25},
        {"format_up_accuracy_down", drifts},
    };
    json_t *names = json_array();
    bool failed = names == NULL;
    for (size_t i = 0; i < sizeof alarms / sizeof alarms[0]; i++) {
        if (alarms[i].rings) failed |= json_array_append_new(names, json_string(alarms[i].name)) != 0;
    }
    if (json_array_size(names) == 0)
        json_decref(names);
    else
        failed |= json_object_set_new(metrics, "alarms", names) != 0;
    RT_CHECK(!failed, err, RETORT_ERR_MEMORY, "out of memory: alarms");
    return RETORT_OK;
}

/* The state's numbers by name, so that reading and writing cannot disagree. */
typedef struct state_field {
    const char *name;
    size_t offset;
} state_field;
static const state_field FIELDS[] = {
    {"alarm_first_nll", offsetof(rt_alarm_state, first_nll)},
    {"alarm_accuracy_fast", offsetof(rt_alarm_state, accuracy_fast)},
    {"alarm_accuracy_slow", offsetof(rt_alarm_state, accuracy_slow)},
    {"alarm_format_fast", offsetof(rt_alarm_state, format_fast)},
    {"alarm_format_slow", offsetof(rt_alarm_state, format_slow)},
};

retort_status rt_alarms_save(const rt_alarm_state *state, json_t *cursor, retort_error *err) {
    bool failed = json_object_set_new(cursor, "alarm_steps", json_integer(state->steps)) != 0;
    for (size_t i = 0; i < sizeof FIELDS / sizeof FIELDS[0]; i++) {
        const void *field = (const char *)state + FIELDS[i].offset;
        failed |= json_object_set_new(cursor, FIELDS[i].name, json_real(*(const double *)field)) != 0;
    }
    RT_CHECK(!failed, err, RETORT_ERR_MEMORY, "out of memory: state of the alarms");
    return RETORT_OK;
}

retort_status rt_alarms_load(rt_alarm_state *state, const json_t *cursor, retort_error *err) {
    static const char where[] = "checkpoint cursor";
    long long steps = 0;
    RT_TRY(rt_json_int(cursor, "alarm_steps", where, 0, INT64_MAX, &steps, err));
    state->steps = steps;
    for (size_t i = 0; i < sizeof FIELDS / sizeof FIELDS[0]; i++) {
        void *field = (char *)state + FIELDS[i].offset;
        RT_TRY(rt_json_real(cursor, FIELDS[i].name, where, field, err));
    }
    return RETORT_OK;
}
