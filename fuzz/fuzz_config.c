/* Fuzz target of config.json: any bytes. A configuration that is accepted must be writable, and read back as itself. */
#include <stdlib.h>

#include "model/config_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const rt_config *config) {
    json_t *written, *again, *generation;
    rt_config back;
    retort_error err;
    if (rt_config_to_json(config, RT_DTYPE_F32, &written, &err) != RETORT_OK) abort();
    if (rt_config_from_json(written, "written", &back, &err) != RETORT_OK) abort();
    if (rt_config_to_json(&back, RT_DTYPE_F32, &again, &err) != RETORT_OK || !json_equal(written, again)) abort();
    if (rt_config_to_generation(config, &generation, &err) != RETORT_OK) abort();
    if (rt_config_apply_generation(generation, "written", &back, &err) != RETORT_OK) abort();
    json_decref(written);
    json_decref(again);
    json_decref(generation);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    json_t *object;
    rt_config config;
    retort_error err;
    if (rt_json_parse((const char *)data, size, "fuzz", &object, &err) != RETORT_OK) return 0;
    if (rt_config_from_json(object, "fuzz", &config, &err) == RETORT_OK) {
        round_trip(&config);
        rt_params layout;
        if (config.num_hidden_layers <= 64 && rt_params_layout(&config, &layout, &err) != RETORT_OK) abort();
        if (config.num_hidden_layers <= 64) rt_params_release(&layout);
    }
    json_decref(object);
    return 0;
}
