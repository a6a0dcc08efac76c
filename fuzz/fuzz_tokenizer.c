/* Fuzz target of tokenizer.json: any bytes, then whatever was accepted encodes a text and decodes the ids. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *folder(void) {
    static char path[64];
    if (path[0] != '\0') return path;
    snprintf(path, sizeof path, "/tmp/fuzz-tokenizer-%d-XXXXXX", (int)getpid());
    if (mkdtemp(path) == NULL) abort();
    return path;
}

static void put(const char *name, const void *bytes, size_t size) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder(), name);
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(bytes, 1, size, f) != size || fclose(f) != 0) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char TEXT[] = "We don't know: 12 + 3 = 15\n\n  <|endoftext|> na\xc3\xafve \xf0\x9f\x91\x8d \xff\t end";
    rt_tokenizer *t;
    retort_error err = {0};
    put("tokenizer.json", data, size);
    put("tokenizer_config.json", "{}", 2);
    if (rt_tokenizer_load(folder(), &t, &err) != RETORT_OK) {
        if (err.message[0] == '\0') abort();
        return 0;
    }
    rt_ids ids = {0};
    rt_buffer back = {0};
    if (rt_tokenizer_encode(t, TEXT, sizeof TEXT - 1, true, &ids, &err) == RETORT_OK) {
        if (rt_tokenizer_decode(t, ids.data, ids.count, false, &back, &err) != RETORT_OK) abort();
    }
    rt_ids_free(&ids);
    rt_buffer_free(&back);
    rt_tokenizer_destroy(t);
    return 0;
}
