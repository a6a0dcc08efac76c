#include "ask/prices.h"

retort_status rt_price_read(const char *path, const char *model, rt_price *out, retort_error *err) {
    json_t *table = NULL;
    char where[512];
    RT_TRY(rt_json_load(path, &table, err));
    const json_t *row = json_object_get(table, model);
    snprintf(where, sizeof where, "'%.300s': price of '%.100s'", path, model);
    retort_status st = json_is_object(row) ? RETORT_OK
                                           : rt_fail(err, RETORT_ERR_NOT_FOUND,
                                                     "'%s' has no price for the model '%s'; add "
                                                     "{\"%s\": {\"input\": ..., \"output\": ...}}",
                                                     path, model, model);
    if (st == RETORT_OK) st = rt_json_real(row, "input", where, &out->input, err);
    if (st == RETORT_OK) st = rt_json_real(row, "output", where, &out->output, err);
    if (st == RETORT_OK && !rt_price_known(out)) st = rt_fail(err, RETORT_ERR_FORMAT, "%s is negative", where);
    json_decref(table);
    return st;
}
