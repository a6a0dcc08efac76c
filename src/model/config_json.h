/* config.json and generation_config.json of a Hugging Face directory, for the architectures of architecture.h.
 *
 * Read are the keys of transformers 4 and 5, as docs/models.md lists them. A key that asks for something this
 * implementation does not compute (another architecture or activation, a partial rotary embedding, quantised weights,
 * dropout) is RETORT_ERR_UNSUPPORTED and named, never ignored; a needed key that is missing or of another type is
 * RETORT_ERR_FORMAT. Keys without influence on the numbers are skipped.
 */
#ifndef RT_CONFIG_JSON_H
#define RT_CONFIG_JSON_H

#include "core/json.h"
#include "model/model.h"

/* `where` names the object in messages: "'dir/config.json'". The result is validated. */
retort_status rt_config_from_json(const json_t *object, const char *where, rt_config *out, retort_error *err);
/* Replaces the end-of-text ids by those of a generation_config.json, where it has any: generation follows them. */
retort_status rt_config_apply_generation(const json_t *object, const char *where, rt_config *config, retort_error *err);
/* Both files of dir; generation_config.json may be absent. */
retort_status rt_config_load(const char *dir, rt_config *out, retort_error *err);

/* New objects with the keys of both generations, owned by the caller. A configuration that its
 * architecture's class cannot express (Qwen2 without attention biases) is RETORT_ERR_UNSUPPORTED. */
retort_status rt_config_to_json(const rt_config *config, rt_dtype dtype, json_t **out, retort_error *err);
retort_status rt_config_to_generation(const rt_config *config, json_t **out, retort_error *err);

#endif
