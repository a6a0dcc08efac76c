/* Fuzz target of imports into a run store: the first byte chooses the shape, the rest is a line. What is taken must
 * come out again in every shape. */
#include <stdlib.h>

#include "exchange/exchange.h"
#include "store/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void import_line(rt_importer *importer, int shape, const json_t *line) {
    retort_error err;
    switch (shape) {
    case 0: (void)rt_import_trl(importer, line, "line", &err); break;
    case 1: (void)rt_import_lighteval(importer, line, "line", &err); break;
    case 2:
        if (rt_import_request(importer, json_object_get(line, "request"), "line", &err) == RETORT_OK)
            (void)rt_import_openai(importer, json_object_get(line, "result"), "line", &err);
        break;
    default: (void)rt_import_row(importer, line, "line", &err); break;
    }
}

/* A row that was taken may hold a request that is no conversation; only a crash is wrong. */
static void export_all(rt_store *store, retort_store_options *options) {
    static retort_status (*const EXPORTS[])(rt_store *, const retort_store_options *, rt_atomic_file *,
                                            retort_error *) = {rt_export_rows, rt_export_trl, rt_export_lighteval,
                                                               rt_export_openai, rt_export_openai};
    retort_error err;
    for (options->format = 0; options->format < 5; options->format++) {
        rt_atomic_file file = {.stream = fopen("/dev/null", "w"), .path = (char[]){"/dev/null"}};
        if (file.stream == NULL) abort();
        (void)EXPORTS[options->format](store, options, &file, &err);
        fclose(file.stream);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    retort_error err;
    json_t *line = NULL;
    rt_store *store = NULL;
    if (size < 1 || rt_json_parse((const char *)data + 1, size - 1, "line", &line, &err) != RETORT_OK) return 0;
    retort_store_options options = {.model = (char[]){"m"}, .table = data[0] / 4 % RT_TABLES};
    rt_importer importer = {.options = &options, .requests = json_object()};
    if (json_is_object(line)) {
        if (rt_store_open(":memory:", &store, &err) != RETORT_OK) abort();
        importer.store = store;
        import_line(&importer, data[0] % 4, line);
        options.model = NULL;
        options.table = RT_TABLE_RESPONSES;
        export_all(store, &options);
        if (rt_store_check(store, &err) != RETORT_OK) abort();
        rt_store_close(store);
    }
    json_decref(importer.requests);
    json_decref(line);
    return 0;
}
