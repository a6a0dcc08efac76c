/* Fuzz target of rewriting: any bytes as a trace of either teacher, and as an original and its rewriting (cut in two).
 * Sprinkling must keep the skeleton; the skeleton must be equal to itself, whichever side is asked about first. */
#include <stdlib.h>

#include "rewrite/marked.h"
#include "rewrite/plain.h"
#include "rewrite/sprinkle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void sprinkle(const char *text, size_t size) {
    static const char REFERENCE[] =
        "Hmm, let me see, so 3 + 5 = 8. Wait, but I think 8 * 3 = 24. Instead, maybe 7 + 7 = 14.";
    rt_sprinkler *s = rt_calloc(1, sizeof *s);
    rt_buffer out = {0};
    if (s == NULL || rt_sprinkle_reference(s, REFERENCE, sizeof REFERENCE - 1, NULL) != RETORT_OK) abort();
    for (int64_t i = 0; i < 3; i++) {
        rt_buffer_clear(&out);
        if (rt_sprinkle_write(s, i, text, size, &out, NULL) != RETORT_OK) continue;
        if (!rt_same_skeleton(text, size, out.data, out.length, NULL)) abort();
    }
    rt_buffer_free(&out);
    rt_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data;
    const size_t half = size / 2;
    rt_buffer out = {0};
    rt_marked marked = {0};
    size_t where = 0;
    if (rt_plain_write(text, size, &out, NULL) == RETORT_OK)
        rt_marked_count(out.data != NULL ? out.data : "", out.length, &marked);
    rt_buffer_free(&out);
    if (!rt_same_skeleton(text, size, text, size, NULL)) abort();
    const bool same = rt_same_skeleton(text, half, text + half, size - half, &where);
    if (!same && where > size - half) abort();
    if (rt_same_skeleton(text + half, size - half, text, half, NULL) != same) abort();
    sprinkle(text, size);
    return 0;
}
