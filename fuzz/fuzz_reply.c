/* Fuzz target of endpoints' replies: any bytes, as a whole body and as a stream cut in two places. How a stream is cut
 * must not matter. */
#include <stdlib.h>
#include <string.h>

#include "ask/endpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const rt_buffer *a, const rt_buffer *b) {
    return a->length == b->length && (a->length == 0 || memcmp(a->data, b->data, a->length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *bytes = (const char *)data;
    retort_error err;
    for (int chat = 0; chat < 2; chat++) {
        rt_reply whole = {0}, cut = {0};
        (void)rt_reply_parse(&whole, bytes, size, chat != 0, &err);
        rt_reply_clear(&whole);
        retort_status one = rt_reply_feed(&whole, bytes, size, chat != 0, &err), two = RETORT_OK;
        if (one == RETORT_OK) one = rt_reply_finish(&whole, chat != 0, &err);
        rt_reply_clear(&cut);
        const size_t ends[] = {size / 3, size / 2, size};
        size_t begin = 0;
        for (int i = 0; i < 3 && two == RETORT_OK; i++) {
            two = rt_reply_feed(&cut, bytes + begin, ends[i] - begin, chat != 0, &err);
            begin = ends[i];
        }
        if (two == RETORT_OK) two = rt_reply_finish(&cut, chat != 0, &err);
        if ((one == RETORT_OK) != (two == RETORT_OK)) abort();
        if (one == RETORT_OK && (!same(&whole.text, &cut.text) || !same(&whole.reasoning, &cut.reasoning))) abort();
        rt_reply_free(&whole);
        rt_reply_free(&cut);
    }
    return 0;
}
