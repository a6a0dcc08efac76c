/* What the files that read and write config.json share. */
#ifndef RT_CONFIG_INTERNAL_H
#define RT_CONFIG_INTERNAL_H

#include "model/architecture.h"
#include "model/config_json.h"

/* A member that is there and not null: absent and null mean the same in these files. */
static inline const json_t *rt_member(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

/* An optional number: *out keeps its value where there is none. */
retort_status rt_optional_real(const json_t *object, const char *key, const char *where, double *out,
                               retort_error *err);
retort_status rt_optional_int(const json_t *object, const char *key, const char *where, int64_t *out,
                              retort_error *err);
retort_status rt_optional_bool(const json_t *object, const char *key, const char *where, bool *out, retort_error *err);

/* config_rope.c: 'rope_theta', 'rope_scaling', 'rope_parameters'. Sizes are already read. */
retort_status rt_read_rope(const json_t *object, const char *where, rt_config *config, retort_error *err);
/* config_window.c: 'sliding_window', 'use_sliding_window', 'max_window_layers', 'layer_types'. */
retort_status rt_read_window(const json_t *object, const char *where, const rt_architecture_traits *traits,
                             rt_config *config, retort_error *err);

/* Collects members; a member that cannot be made or added leaves `failed` set, checked once at the end. */
typedef struct rt_json_writer {
    json_t *object;
    bool failed;
} rt_json_writer;
void rt_put(rt_json_writer *w, const char *key, json_t *value);

/* The same keys, written. */
void rt_put_rope(rt_json_writer *w, const rt_config *config);
void rt_put_window(rt_json_writer *w, const rt_architecture_traits *traits, const rt_config *config);

#endif
