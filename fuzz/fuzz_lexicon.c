/* Fuzz target of lexicons: any bytes as YAML, its entries looked for in the same bytes. Matches must come by ascending
 * end, lie in the text, and not be empty. */
#include <stdlib.h>

#include "text/lexicon_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct seen {
    size_t end, length;
} seen;

static void check(void *context, int32_t entry, size_t begin, size_t end) {
    seen *s = context;
    if (entry < 0 || begin >= end || end > s->length || end < s->end) abort();
    s->end = end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    rt_lexicon lexicon = {0};
    rt_scanner *scanner;
    retort_error err;
    seen s = {0, size};
    if (rt_lexicon_add((const char *)data, size, "fuzz", &lexicon, &err) == RETORT_OK) {
        if (rt_scanner_create(&lexicon, &scanner, &err) == RETORT_OK) {
            if (rt_scanner_run(scanner, (const char *)data, size, check, &s, &err) != RETORT_OK) abort();
            rt_scanner_destroy(scanner);
        }
        (void)rt_lexicon_prove(&lexicon, &err);
    }
    rt_lexicon_free(&lexicon);
    return 0;
}
