/* Fuzz target of the hand-written pre-tokenizers: any text is cut as PCRE2 cuts it with the same pattern. */
#include <stdlib.h>
#include <string.h>

#include "text/split.h"
#include "text/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_PATTERNS = 16 };

static rt_splitter *make_splitter(const char *pattern, bool plain) {
    rt_splitter *splitter = NULL;
    rt_split_stage stage = {.pattern = pattern, .plain = plain};
    retort_error err = {0};
    if (rt_splitter_create(&splitter, &err) != RETORT_OK) abort();
    if (rt_splitter_add(splitter, &stage, &err) != RETORT_OK) abort();
    return splitter;
}

static retort_status note_length(void *context, const char *piece, size_t length, retort_error *err) {
    (void)piece;
    return rt_buffer_append(context, &length, sizeof length, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static rt_splitter *ours[MAX_PATTERNS], *oracle[MAX_PATTERNS];
    retort_error err = {0};
    for (int i = 0; rt_matcher_pattern(i) != NULL; i++) {
        if (ours[i] == NULL) {
            ours[i] = make_splitter(rt_matcher_pattern(i), false);
            oracle[i] = make_splitter(rt_matcher_pattern(i), true);
        }
        rt_buffer a = {0}, b = {0};
        if (rt_splitter_run(ours[i], (const char *)data, size, note_length, &a, &err) != RETORT_OK) abort();
        if (rt_splitter_run(oracle[i], (const char *)data, size, note_length, &b, &err) != RETORT_OK) abort();
        if (a.length != b.length || (a.length > 0 && memcmp(a.data, b.data, a.length) != 0)) abort();
        rt_buffer_free(&a);
        rt_buffer_free(&b);
    }
    return 0;
}
