/* Fuzz target of what teach reads from elsewhere: the first byte chooses between traces and batch results, the rest is
 * the file. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "teach/batch.h"
#include "teach/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_file(bool batch, char *path) {
    rt_problem items[] = {{.id = (char[]){"a"}, .problem = (char[]){"1 + 1?"}, .answer = (char[]){"2"}},
                          {.id = (char[]){"b"}, .problem = (char[]){"1 + 1?"}},
                          {.id = (char[]){"c"}, .problem = (char[]){"What  is it?"}}};
    const rt_problems problems = {.items = items, .count = 3};
    retort_teach_options options = {.n = 2, .max_tokens = 9, .batch_results = path, .import_traces = path};
    retort_teach_account account = {0};
    rt_trace_list list = {.problems = &problems};
    rt_findings findings = {0};
    rt_questions questions = {0};
    rt_store *store = NULL;
    retort_error err;
    char *details = NULL;
    options.endpoint.model = (char[]){"m"};
    options.endpoint.price_input = options.endpoint.price_output = -1;
    if (rt_store_open(":memory:", &store, &err) != RETORT_OK) abort();
    if (rt_questions_create(&options, &problems, problems.count, &questions, &err) != RETORT_OK) abort();
    if (batch)
        (void)rt_batch_read(&questions, store, &account, &findings, &err);
    else
        (void)rt_import_traces(&options, problems.count, store, &list, &account, &findings, &err);
    if (rt_store_check(store, &err) != RETORT_OK) abort();
    if (rt_findings_finish(&findings, &details, &err) != RETORT_OK) abort();
    rt_free(list.entries);
    rt_questions_release(&questions);
    rt_store_close(store);
    free(details);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[] = "/tmp/retort-fuzz-XXXXXX";
    if (size < 1) return 0;
    const int fd = mkstemp(path);
    if (fd < 0 || write(fd, data + 1, size - 1) != (ssize_t)(size - 1)) abort();
    close(fd);
    read_file(data[0] % 2 != 0, path);
    unlink(path);
    return 0;
}
