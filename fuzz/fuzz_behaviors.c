/* Fuzz target of behaviours' YAML: any bytes; what is accepted then judges itself by its rules. */
#include <stdlib.h>

#include "judge/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    rt_behaviors behaviors;
    rt_rules_work work = {0};
    rt_passages found = {0};
    retort_error err;
    const char *text = (const char *)data;
    if (rt_behaviors_parse(text, size, "fuzz", &behaviors, &err) != RETORT_OK) return 0;
    if (rt_rules_judge(&behaviors, text, size, &work, &found, &err) != RETORT_OK) abort();
    for (size_t i = 0; i < found.count; i++)
        if (found.items[i].begin >= found.items[i].end || found.items[i].end > size) abort();
    rt_rules_work_free(&work);
    rt_passages_free(&found);
    rt_behaviors_free(&behaviors);
    return 0;
}
