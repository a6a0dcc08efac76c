/* Fuzz target of the safetensors reader: any bytes as a file; then the same bytes as header text, a line feed and data,
 * with the right length put before them, since mutation seldom finds one. What passes the checks must be readable. */
#include <stdlib.h>
#include <string.h>

#include "model/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_file(const uint8_t *data, size_t size) {
    rt_safetensors file;
    retort_error err;
    if (rt_safetensors_parse(data, size, "fuzz", &file, &err) != RETORT_OK) {
        if (err.message[0] == '\0') abort();
        return;
    }
    for (int64_t i = 0; i < file.count; i++) {
        const rt_st_entry *entry = &file.entries[i];
        rt_dtype dtype;
        if (rt_safetensors_find(&file, entry->name) != entry || entry->data + entry->bytes > data + size) abort();
        if (!rt_dtype_from_name(entry->dtype, &dtype)) continue;
        float *values = malloc((size_t)entry->count * sizeof *values + 1);
        if (values == NULL) abort();
        (void)rt_safetensors_decode(&file, entry, values, &err);
        free(values);
    }
    rt_safetensors_close(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    read_file(data, size);
    const uint8_t *line = size > 0 ? memchr(data, '\n', size) : NULL;
    const size_t header = line != NULL ? (size_t)(line - data) : size, rest = line != NULL ? size - header - 1 : 0;
    uint8_t *file = malloc(8 + header + rest);
    if (file == NULL) abort();
    for (int i = 0; i < 8; i++) file[i] = (uint8_t)((uint64_t)header >> (8 * i));
    if (header > 0) memcpy(file + 8, data, header);
    if (rest > 0) memcpy(file + 8 + header, line + 1, rest);
    read_file(file, 8 + header + rest);
    free(file);
    return 0;
}
