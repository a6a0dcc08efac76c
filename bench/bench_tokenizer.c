/* Speed and output of a tokenizer over many documents, for bench/compare_tokenizers.py.
 *
 *   bench_tokenizer MODEL_DIR DOCUMENTS IDS TEXTS
 *
 * DOCUMENTS holds texts, each ended by a NUL byte. IDS gets, for each, the number of ids (int32) and the ids (int32),
 * as encoding with the post-processor's tokens gives them; TEXTS the ids decoded, special tokens left out, each ended
 * by NUL. Standard output: one JSON object with the seconds of encoding and of decoding (one thread, files not
 * counted). IDS starting with "ids:" reads ids from that file instead of encoding.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "text/tokenizer.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* a shared machine must not count */
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void fail(const char *what) {
    fprintf(stderr, "bench_tokenizer: %s\n", what);
    exit(1);
}

static void put(FILE *out, const void *bytes, size_t size) {
    if (fwrite(bytes, 1, size, out) != size) fail("cannot write");
}

static FILE *open_file(const char *path, const char *mode) {
    FILE *f = fopen(path, mode);
    if (f == NULL) fail(path);
    return f;
}

typedef struct job {
    rt_tokenizer *tokenizer;
    FILE *ids, *texts;
    double encoding, decoding;
    long long tokens;
} job;

static void decode(job *j, const rt_ids *ids) {
    retort_error err = {0};
    rt_buffer text = {0};
    double start = now();
    if (rt_tokenizer_decode_text(j->tokenizer, ids->data, ids->count, true, &text, &err) != RETORT_OK)
        fail(err.message);
    j->decoding += now() - start;
    put(j->texts, text.length > 0 ? text.data : "", text.length + 1);
    rt_buffer_free(&text);
}

static void encode(job *j, const char *text, size_t length) {
    retort_error err = {0};
    rt_ids ids = {0};
    double start = now();
    int flags = RT_ENCODE_PARSE_SPECIAL | RT_ENCODE_POST_PROCESS;
    if (rt_tokenizer_encode_spans(j->tokenizer, text, length, flags, &ids, NULL, &err) != RETORT_OK) fail(err.message);
    j->encoding += now() - start;
    j->tokens += ids.count;
    int32_t count = (int32_t)ids.count;
    put(j->ids, &count, sizeof count);
    if (count > 0) put(j->ids, ids.data, (size_t)count * sizeof *ids.data);
    decode(j, &ids);
    rt_ids_free(&ids);
}

static void encode_all(job *j, const char *documents) {
    retort_error err = {0};
    rt_mapping map;
    if (rt_map_file(documents, &map, &err) != RETORT_OK) fail(err.message);
    const char *at = (const char *)map.data, *end = at + map.length;
    while (at < end) {
        const char *stop = memchr(at, 0, (size_t)(end - at));
        if (stop == NULL) fail("the last document is not ended by NUL");
        encode(j, at, (size_t)(stop - at));
        at = stop + 1;
    }
    rt_unmap_file(&map);
}

static void decode_all(job *j, const char *path) {
    FILE *f = open_file(path, "rb");
    int32_t count;
    while (fread(&count, sizeof count, 1, f) == 1) {
        rt_ids ids = {0};
        retort_error err;
        for (int32_t i = 0, id; i < count; i++) {
            if (fread(&id, sizeof id, 1, f) != 1 || rt_ids_push(&ids, id, &err) != RETORT_OK) fail("cannot read ids");
        }
        decode(j, &ids);
        rt_ids_free(&ids);
    }
    fclose(f);
}

int main(int argc, char **argv) {
    if (argc != 5) fail("usage: bench_tokenizer MODEL_DIR DOCUMENTS IDS TEXTS");
    retort_error err = {0};
    job j = {0};
    double start = now();
    if (rt_tokenizer_load(argv[1], &j.tokenizer, &err) != RETORT_OK) fail(err.message);
    double loading = now() - start;
    j.texts = open_file(argv[4], "wb");
    if (strncmp(argv[3], "ids:", 4) == 0) {
        decode_all(&j, argv[3] + 4);
    } else {
        j.ids = open_file(argv[3], "wb");
        encode_all(&j, argv[2]);
        if (fclose(j.ids) != 0) fail("cannot write ids");
    }
    if (fclose(j.texts) != 0) fail("cannot write texts");
    printf("{\"load_seconds\": %.3f, \"encode_seconds\": %.3f, \"decode_seconds\": %.3f, \"tokens\": %lld}\n", loading,
           j.encoding, j.decoding, j.tokens);
    rt_tokenizer_destroy(j.tokenizer);
    return 0;
}
