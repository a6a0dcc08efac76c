/* A model's tokenizer documents, from a folder or out of a GGUF file. */
#include "core/file.h"
#include "text/gguf_tokenizer.h"

static retort_status load(const char *dir, const char *name, bool loose, json_t **out, retort_error *err) {
    char *path = rt_path_join(dir, name);
    RT_CHECK(path != NULL, err, RETORT_ERR_MEMORY, "out of memory: path of '%s'", name);
    retort_status st = loose ? rt_json_load_loose(path, out, err) : rt_json_load(path, out, err);
    rt_free(path);
    return st;
}

retort_status rt_tokenizer_documents(const char *path, json_t **tokenizer, json_t **config, retort_error *err) {
    if (rt_gguf_is(path)) {
        rt_gguf file;
        RT_TRY(rt_gguf_open(path, &file, err));
        retort_status st = rt_gguf_tokenizer(&file, tokenizer, config, err);
        rt_gguf_close(&file);
        return st;
    }
    RT_TRY(load(path, "tokenizer.json", false, tokenizer, err));
    retort_status st = load(path, "tokenizer_config.json", true, config, err);
    if (st != RETORT_OK) {
        json_decref(*tokenizer);
        *tokenizer = NULL;
    }
    return st;
}
