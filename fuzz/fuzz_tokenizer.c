/* Fuzz target of tokenizer.json: any bytes, then whatever was accepted encodes a text and decodes the ids, at once and
 * as a stream, which gives whole characters only. */
#include <stdlib.h>
#include <string.h>

#include "text/bytes.h"
#include "text/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char TEXT[] =
    "We don't know: 12 + 3 = 15\n\n  <|endoftext|> na\xc3\xafve \xf0\x9f\x91\x8d \xff\t \xe2\x96\x81"
    "e\xcc\x81\xe6\x95\xb0\xe5\xad\xa6 <s>end";

static void check_stream(const rt_tokenizer *t, const rt_ids *ids) {
    rt_decode_stream stream = {0};
    rt_buffer out = {0};
    retort_error err = {0};
    for (int64_t i = 0; i < ids->count; i++) {
        if (rt_decode_stream_push(&stream, t, ids->data[i], i % 2 == 0, &out, &err) != RETORT_OK) abort();
        for (size_t at = 0; at < out.length;) {
            int width = rt_utf8_char(out.data + at, out.length - at, NULL);
            if (width == 0) abort();
            at += (size_t)width;
        }
    }
    if (rt_decode_stream_finish(&stream, &out, &err) != RETORT_OK) abort();
    rt_buffer_free(&out);
}

static void use(const rt_tokenizer *t) {
    rt_ids ids = {0}, again = {0};
    rt_spans spans = {0};
    rt_buffer back = {0};
    retort_error err = {0};
    int flags = RT_ENCODE_PARSE_SPECIAL | RT_ENCODE_POST_PROCESS;
    if (rt_tokenizer_encode_spans(t, TEXT, sizeof TEXT - 1, flags, &ids, &spans, &err) == RETORT_OK) {
        if (spans.count != ids.count) abort();
        if (rt_tokenizer_encode_spans(t, TEXT, sizeof TEXT - 1, flags, &again, NULL, &err) != RETORT_OK) abort();
        if (again.count != ids.count) abort();
        if (ids.count > 0 && memcmp(ids.data, again.data, (size_t)ids.count * sizeof *ids.data) != 0) abort();
        if (rt_tokenizer_decode(t, ids.data, ids.count, false, &back, &err) != RETORT_OK) abort();
        if (rt_tokenizer_decode_text(t, ids.data, ids.count, true, &back, &err) != RETORT_OK) abort();
        check_stream(t, &ids);
    }
    rt_ids_free(&ids);
    rt_ids_free(&again);
    rt_spans_free(&spans);
    rt_buffer_free(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    rt_tokenizer *t = NULL;
    retort_error err = {0};
    json_t *root = NULL, *config = json_object();
    retort_status st = rt_json_parse(size > 0 ? (const char *)data : "", size, "tokenizer.json", &root, &err);
    if (st == RETORT_OK) st = rt_tokenizer_parse(root, config, &t, &err);
    if (st == RETORT_OK) {
        use(t);
    } else if (err.message[0] == '\0') {
        abort();
    }
    rt_tokenizer_destroy(t);
    json_decref(root);
    json_decref(config);
    return 0;
}
