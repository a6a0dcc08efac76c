/* Fuzz target of model.safetensors.index.json: any bytes. In an index that is accepted each name stays in its folder
 * and each tensor is found in a file of the list. */
#include <stdlib.h>
#include <string.h>

#include "model/shards.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_up(const rt_shard_index *index) {
    for (int64_t i = 0; i < index->num_files; i++) {
        const char *name = index->files[i];
        if (strchr(name, '/') != NULL || name[0] == '.' || name[0] == '\0') abort();
        if (i > 0 && strcmp(index->files[i - 1], name) >= 0) abort();
    }
    for (int64_t i = 0; i < index->count; i++) {
        const rt_shard_tensor *tensor = rt_shard_index_find(index, index->tensors[i].name);
        if (tensor == NULL || tensor->file < 0 || tensor->file >= index->num_files) abort();
        if (strcmp(tensor->name, index->tensors[i].name) != 0) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    json_t *root;
    rt_shard_index index;
    retort_error err;
    if (rt_json_parse((const char *)data, size, "fuzz", &root, &err) != RETORT_OK) return 0;
    if (rt_shard_index_read(root, "'fuzz'", &index, &err) == RETORT_OK) look_up(&index);
    rt_shard_index_release(&index);
    json_decref(root);
    return 0;
}
