/* Fuzz target of replies of language models that judge: a response, a NUL, a reply to it. Every passage must lie in the
 * response, no two of a behaviour may share a byte, and what is no judgement must have none. */
#include <stdlib.h>
#include <string.h>

#include "judge/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char YAML[] = "name: fuzz\nbehaviors: [{name: a, definition: d}, {name: b, definition: d}]\n";

static void check(const rt_passages *found, size_t length) {
    for (size_t i = 0; i < found->count; i++) {
        const rt_passage *p = &found->items[i];
        if (p->begin >= p->end || p->end > length || p->behavior < 0 || p->behavior > 1) abort();
        if (i > 0 && p->behavior == p[-1].behavior && p->begin < p[-1].end) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static rt_behaviors behaviors;
    retort_error err;
    if (behaviors.count == 0 && rt_behaviors_parse(YAML, sizeof YAML - 1, "fuzz", &behaviors, &err) != RETORT_OK)
        abort();
    const uint8_t *end = size > 0 ? memchr(data, '\0', size) : NULL;
    if (end == NULL) return 0;
    const rt_reply_reading reading = {&behaviors, "c", (const char *)data, (size_t)(end - data)};
    rt_passages found = {0};
    rt_quote_counts counts;
    rt_reply_fault fault;
    const char *reply = (const char *)end + 1;
    const size_t length = size - reading.length - 1;
    if (rt_judge_reply_read(&reading, reply, length, "stop", &found, &counts, &fault, &err) != RETORT_OK) abort();
    check(&found, reading.length);
    if ((fault != RT_REPLY_GOOD && found.count > 0) || (size_t)(counts.exact + counts.normal) != found.count) abort();
    rt_passages_free(&found);
    return 0;
}
