/* Fuzz target of what eval reads back: any bytes as the responses of a shorter run, as a manifest, and as a list of
 * budgets. Cut responses that come with tokens have as many as they say. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "evaluate/budget.h"
#include "evaluate/earlier.h"
#include "evaluate/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_responses(const char *path) {
    static rt_problem items[] = {{.id = (char *)(uintptr_t) "p"}, {.id = (char *)(uintptr_t) "q"}};
    const rt_problems problems = {.items = items, .count = 2};
    rt_earlier earlier;
    retort_error err;
    if (rt_earlier_read(path, &problems, 1, &earlier, &err) != RETORT_OK) return;
    for (int64_t i = 0; i < earlier.count; i++) {
        const rt_earlier_response *one = &earlier.items[i];
        if (one->line == NULL || (one->ids != NULL && !one->cut)) abort();
        for (int64_t t = 0; one->ids != NULL && t < one->tokens; t++)
            if (one->ids[t] < 0) abort();
    }
    rt_earlier_free(&earlier);
}

static void read_manifest(const char *path) {
    json_t *manifest = NULL;
    retort_eval_options options = {0};
    retort_error err;
    bool same;
    if (rt_manifest_read(path, &manifest, &err) != RETORT_OK) return;
    if (retort_options_defaults(retort_eval_option_table, &options, &err) != RETORT_OK) abort();
    (void)rt_manifest_options(manifest, &options, &err);
    if (rt_manifest_compare(manifest, manifest, path, true, &same, &err) != RETORT_OK) abort();
    if (rt_manifest_compare_responses(manifest, manifest, path, &err) != RETORT_OK) abort();
    retort_options_release(retort_eval_option_table, &options);
    json_decref(manifest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64], list[65] = {0};
    const int file = memfd_create("fuzz", 0);
    if (file < 0 || write(file, data, size) != (ssize_t)size) abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    read_responses(path);
    read_manifest(path);
    close(file);
    int64_t *budgets;
    int32_t count;
    retort_error err;
    memcpy(list, data, size < 64 ? size : 64);
    if (rt_budgets_parse(list, &budgets, &count, &err) == RETORT_OK)
        for (int32_t i = 1; i < count; i++)
            if (budgets[i] <= budgets[i - 1]) abort();
    rt_free(budgets);
    return 0;
}
