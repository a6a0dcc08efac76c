/* Sliding windows in config.json. With a window W a query at position p sees the keys p - W + 1 .. p.
 *
 * Mistral: 'sliding_window', 4096 if absent, for all layers; null: none.
 * Qwen2, Qwen3: only if 'use_sliding_window'; then 'sliding_window' (4096 if absent) for the layers that 'layer_types'
 * calls "sliding_attention", or without such a list for those from 'max_window_layers' (28 if absent) on.
 * Llama: none.
 */
#include <string.h>

#include "model/config_internal.h"

enum { DEFAULT_WINDOW = 4096, DEFAULT_FIRST = 28 };

static void set_layer(rt_config *config, int64_t layer) {
    config->window_layers[layer / 64] |= (uint64_t)1 << (layer % 64);
}

static retort_status read_size(const json_t *object, const char *where, int64_t *out, retort_error *err) {
    *out = json_object_get(object, "sliding_window") == NULL ? DEFAULT_WINDOW : 0;
    if (rt_member(object, "sliding_window") == NULL) return RETORT_OK;
    long long value;
    RT_TRY(rt_json_int(object, "sliding_window", where, 1, INT32_MAX, &value, err));
    *out = value;
    return RETORT_OK;
}

static retort_status read_layer(const json_t *list, int64_t layer, const char *where, bool *windowed,
                                retort_error *err) {
    const char *type = json_string_value(json_array_get(list, (size_t)layer));
    *windowed = type != NULL && strcmp(type, "sliding_attention") == 0;
    RT_CHECK(*windowed || (type != NULL && strcmp(type, "full_attention") == 0), err, RETORT_ERR_UNSUPPORTED,
             "%s: 'layer_types' has '%.100s' for layer %lld; supported are 'full_attention' and 'sliding_attention'",
             where, type != NULL ? type : "(no string)", (long long)layer);
    return RETORT_OK;
}

/* A list must have an entry a layer; it may window only where there is a window, and must where all are windowed. */
static retort_status read_list(const json_t *list, const char *where, bool all, rt_config *config, retort_error *err) {
    RT_CHECK(json_is_array(list), err, RETORT_ERR_FORMAT, "%s: 'layer_types' must be a list", where);
    RT_CHECK((int64_t)json_array_size(list) == config->num_hidden_layers, err, RETORT_ERR_FORMAT,
             "%s: 'layer_types' has %zu entries for %lld layers", where, json_array_size(list),
             (long long)config->num_hidden_layers);
    for (int64_t l = 0; l < config->num_hidden_layers; l++) {
        bool windowed;
        RT_TRY(read_layer(list, l, where, &windowed, err));
        RT_CHECK(!windowed || config->sliding_window > 0, err, RETORT_ERR_FORMAT,
                 "%s: 'layer_types' has 'sliding_attention' for layer %lld, but no sliding window is in use", where,
                 (long long)l);
        RT_CHECK(windowed || !all || config->sliding_window == 0, err, RETORT_ERR_UNSUPPORTED,
                 "%s: 'layer_types' has 'full_attention' for layer %lld, but 'sliding_window' holds for all layers of "
                 "this architecture",
                 where, (long long)l);
        if (windowed) set_layer(config, l);
    }
    return RETORT_OK;
}

retort_status rt_read_window(const json_t *object, const char *where, const rt_architecture_traits *traits,
                             rt_config *config, retort_error *err) {
    if (config->num_hidden_layers > RT_MAX_LAYERS) return RETORT_OK; /* which rt_config_validate will refuse */
    bool in_use = traits->window == RT_WINDOW_ALWAYS;
    int64_t first = DEFAULT_FIRST;
    if (traits->window == RT_WINDOW_SWITCHED)
        RT_TRY(rt_optional_bool(object, "use_sliding_window", where, &in_use, err));
    if (in_use) RT_TRY(read_size(object, where, &config->sliding_window, err));
    const json_t *list = rt_member(object, "layer_types");
    if (list != NULL) return read_list(list, where, traits->window == RT_WINDOW_ALWAYS, config, err);
    if (config->sliding_window == 0) return RETORT_OK;
    if (traits->window == RT_WINDOW_ALWAYS) first = 0;
    if (traits->window == RT_WINDOW_SWITCHED) RT_TRY(rt_optional_int(object, "max_window_layers", where, &first, err));
    for (int64_t l = first < 0 ? 0 : first; l < config->num_hidden_layers; l++) set_layer(config, l);
    return RETORT_OK;
}

/* ---- writing ---- */

static json_t *layer_types(const rt_config *config) {
    json_t *list = json_array();
    for (int64_t l = 0; l < config->num_hidden_layers && list != NULL; l++) {
        const char *type = rt_config_window(config, l) > 0 ? "sliding_attention" : "full_attention";
        if (json_array_append_new(list, json_string(type)) == 0) continue;
        json_decref(list);
        list = NULL;
    }
    return list;
}

/* For readers that know no 'layer_types': the first windowed layer. */
static int64_t first_windowed(const rt_config *config) {
    int64_t l = 0;
    while (l < config->num_hidden_layers && rt_config_window(config, l) == 0) l++;
    return l;
}

void rt_put_window(rt_json_writer *w, const rt_architecture_traits *traits, const rt_config *config) {
    const bool windowed = config->sliding_window > 0;
    if (traits->window == RT_WINDOW_NEVER) return;
    if (traits->window == RT_WINDOW_SWITCHED) rt_put(w, "use_sliding_window", json_boolean(windowed));
    if (windowed || traits->window == RT_WINDOW_ALWAYS)
        rt_put(w, "sliding_window", windowed ? json_integer(config->sliding_window) : json_null());
    if (!windowed || traits->window == RT_WINDOW_ALWAYS) return;
    rt_put(w, "max_window_layers", json_integer(first_windowed(config)));
    rt_put(w, "layer_types", layer_types(config));
}
