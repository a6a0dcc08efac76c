#include "analyze/jsonout.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/json.h"
#include "retort/analyze.h"

void retort_free(char *text) {
    free(text);
}

json_t *rt_json_number(double value) {
    if (!isfinite(value)) return json_null();
    char text[40];
    snprintf(text, sizeof text, "%.12g", value);
    return json_real(strtod(text, NULL));
}

void rt_json_set_real(json_t *object, const char *key, double value) {
    json_object_set_new(object, key, rt_json_number(value));
}

void rt_json_set_interval(json_t *object, const char *key, rt_interval interval) {
    json_t *pair = json_array();
    json_array_append_new(pair, rt_json_number(interval.low));
    json_array_append_new(pair, rt_json_number(interval.high));
    json_object_set_new(object, key, pair);
}

retort_status rt_json_result(json_t *value, char **out, retort_error *err) {
    rt_buffer text = {0};
    retort_status st = rt_json_dump(value, JSON_INDENT(2) | JSON_REAL_PRECISION(12), &text, err);
    json_decref(value);
    if (st == RETORT_OK)
        *out = text.data;
    else
        rt_buffer_free(&text);
    return st;
}
