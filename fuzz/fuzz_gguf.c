/* Fuzz target of GGUF files: any bytes as a file; what passes the container's checks goes to the readers of the
 * configuration, the weights and the tokenizer. Seeds: fuzz/corpus/gguf. */
#include <stdlib.h>

#include "model/ggml.h"
#include "model/gguf_model.h"
#include "text/gguf_tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_PARAMETERS = 1 << 20 };

static void read_tensors(const rt_gguf *file, const uint8_t *data, size_t size) {
    for (int64_t i = 0; i < file->num_tensors; i++) {
        const rt_gguf_tensor *tensor = &file->tensors[i];
        if (rt_gguf_tensor_find(file, tensor->name) != tensor) abort();
        if (tensor->data < data || tensor->bytes > (size_t)(data + size - tensor->data)) abort();
        if (!rt_ggml_decodes(tensor->type)) continue;
        float *values = malloc((size_t)tensor->count * sizeof *values);
        if (values == NULL) abort();
        rt_ggml_decode(tensor->type, tensor->data, tensor->count, values);
        free(values);
    }
}

static void read_model(const rt_gguf *file) {
    rt_model model = {0};
    retort_error err;
    if (rt_gguf_config(file, &model.config, &err) != RETORT_OK) return;
    if (rt_gguf_check_weights(file, &model.config, &err) != RETORT_OK) return;
    if (rt_params_create(&model.config, &model.params, &err) != RETORT_OK) return;
    (void)rt_gguf_read_weights(file, &model.config, &model.params, &err);
    rt_gguf_writer writer = {0};
    if (model.params.count <= MAX_PARAMETERS) (void)rt_gguf_put_model(&writer, &model, RT_GGML_Q8_0, "fuzz", &err);
    rt_gguf_writer_free(&writer);
    rt_model_release(&model);
}

/* What was made of a file must be readable, and if it can be written, what was written must be too. */
static void read_tokenizer(const rt_gguf *file) {
    static const rt_gguf_special NONE = {0};
    json_t *tokenizer = NULL, *config = NULL;
    retort_error err;
    if (rt_gguf_tokenizer(file, &tokenizer, &config, &err) != RETORT_OK) return;
    rt_tokenizer *t = NULL;
    if (rt_tokenizer_parse(tokenizer, config, &t, &err) == RETORT_OK) {
        rt_ids ids = {0};
        (void)rt_tokenizer_encode(t, "The 12 cats' \xc3\xa9", 15, true, &ids, &err);
        rt_ids_free(&ids);
        rt_gguf_writer writer = {0};
        (void)rt_gguf_put_tokenizer(&writer, tokenizer, config, NULL, rt_tokenizer_vocab_size(t), &NONE, &err);
        rt_gguf_writer_free(&writer);
    }
    rt_tokenizer_destroy(t);
    json_decref(tokenizer);
    json_decref(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    rt_gguf file;
    retort_error err = {0};
    if (rt_gguf_parse(data, size, "fuzz", &file, &err) != RETORT_OK) {
        if (err.message[0] == '\0') abort();
        return 0;
    }
    read_tensors(&file, data, size);
    read_model(&file);
    read_tokenizer(&file);
    rt_gguf_close(&file);
    return 0;
}
