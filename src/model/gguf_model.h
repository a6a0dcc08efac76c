/* Models in GGUF files: configuration and weights, read and written.
 *
 * Everything that is not the container (src/core/gguf.h) or a block format (ggml.h) and concerns the model is here:
 * the metadata are translated to the keys of a config.json and back, so that one reader (config_json.h) decides what a
 * configuration means; tensors are found by their names in llama.cpp; and the rows of q and k, which llama.cpp stores
 * for architecture llama in the order of its rotation (pairs 2j, 2j + 1 instead of j, j + E/2), are put back.
 *
 * Architectures: llama (Llama, SmolLM2, Mistral), qwen2, qwen3. A metadata key of the architecture that is not known
 * here is RETORT_ERR_UNSUPPORTED and named: it may change the numbers.
 */
#ifndef RT_GGUF_MODEL_H
#define RT_GGUF_MODEL_H

#include "core/gguf.h"
#include "core/json.h"
#include "model/model.h"
#include "retort/model.h"

/* ---- reading ---- */

/* What config.json would say. Caller json_decref()s *out. The rope scaling of Llama 3, which GGUF stores as a table of
 * factors ("rope_freqs.weight"), is recognised by computing the table again. */
retort_status rt_gguf_to_config_json(const rt_gguf *file, json_t **out, retort_error *err);
retort_status rt_gguf_config(const rt_gguf *file, rt_config *out, retort_error *err);
/* Names, shapes and types of the tensors are those of the configuration, nothing else is there; no weight is read. */
retort_status rt_gguf_check_weights(const rt_gguf *file, const rt_config *config, retort_error *err);
/* Decodes every weight; params were created for the file's configuration. A value that is not finite is an error. */
retort_status rt_gguf_read_weights(const rt_gguf *file, const rt_config *config, rt_params *params, retort_error *err);
/* The configuration that loading would give; no weight is read. */
retort_status rt_gguf_peek(const char *path, rt_weights_form form, rt_config *out, retort_error *err);
/* All of it: what rt_model_load_as does for a path that is a GGUF file. */
retort_status rt_gguf_load_model(const char *path, rt_weights_form form, rt_model *out, retort_error *err);

/* The facts about the file and its tokenizer that `retort model info` prints, beside those of the loaded model. */
retort_status rt_gguf_inspect(const char *path, retort_model_info *info, retort_error *err);

/* ---- writing ---- */

/* Declares architecture, shape, rope and file type, and every tensor: matrices in `type` (F32, F16, BF16 or Q8_0; for
 * Q8_0 those whose rows are no multiple of 32 in F16), vectors in F32. RETORT_ERR_UNSUPPORTED for a configuration that
 * llama.cpp cannot express. */
retort_status rt_gguf_put_model(rt_gguf_writer *writer, const rt_model *model, rt_ggml_type type, const char *name,
                                retort_error *err);
/* The bytes of the tensors, after the header. RETORT_ERR_NUMERIC for a value that is not finite in the file's type. */
retort_status rt_gguf_write_weights(rt_gguf_writer *writer, rt_atomic_file *file, const rt_model *model,
                                    rt_ggml_type type, retort_error *err);

/* ---- parts ---- */

/* "llama", "qwen2", "qwen3": what GGUF calls the architecture. Mistral is "llama" there. */
const char *rt_gguf_architecture(const rt_config *config);
/* "model.layers.3.mlp.up_proj.weight" to "blk.3.ffn_up.weight"; false for a name that has no other form. */
bool rt_gguf_name_of(const char *name, char out[RT_GGUF_NAME]);
/* Where row `row` of a tensor stands in the GGUF file; the same row unless llama.cpp permutes it. */
int64_t rt_gguf_row(const rt_config *config, const char *name, int64_t row);

/* Llama 3's table: pair i of a head of `dim` turns by theta^(-2i/dim) / factors[i]; factors[dim / 2]. */
typedef struct rt_rope_llama3 {
    double factor, low, high, original; /* of config.json's rope_scaling */
} rt_rope_llama3;
void rt_rope_llama3_factors(double theta, int64_t dim, const rt_rope_llama3 *scaling, float *factors);
/* The scaling whose table this is (low 1, high 4, original length a power of two), to a relative 1e-5; false if there
 * is none. */
bool rt_rope_llama3_find(double theta, int64_t dim, const float *factors, rt_rope_llama3 *out);

#endif
