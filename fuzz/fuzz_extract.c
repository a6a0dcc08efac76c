/* Fuzz target of the extraction of answers: spans lie inside of the response and in order, and what strict finds is a
 * complete box. Build with clang -fsanitize=fuzzer. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "retort/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text, size_t size, retort_profile profile) {
    retort_extraction found;
    retort_error err;
    if (retort_extract(text, size, profile, &found, &err) != RETORT_OK) abort();
    if ((found.count == 0) != (found.rule == RETORT_EXTRACT_NONE)) abort();
    if ((found.count == 0) != (found.reason != NULL)) abort();
    if (profile == RETORT_PROFILE_STRICT && found.count > 0) {
        if (found.rule != RETORT_EXTRACT_BOXED || found.boxes == 0) abort();
        if (found.answer.end >= size || text[found.answer.end] != '}') abort();
    }
    for (size_t i = 0; i < found.count; i++) {
        const retort_span span = found.answers[i];
        if (span.begin > span.end || span.end > size) abort();
        if (i > 0 && span.begin < found.answers[i - 1].end) abort();
    }
    retort_extraction_release(&found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    check((const char *)data, size, RETORT_PROFILE_STRICT);
    check((const char *)data, size, RETORT_PROFILE_TOLERANT);
    return 0;
}
