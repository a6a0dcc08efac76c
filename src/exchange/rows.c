/* Rows: any table, every column. */
#include "store/rows.h"
#include "exchange/exchange.h"

static retort_status write_row(void *context, json_t *row, retort_error *err) {
    return rt_jsonl_write(context, json_incref(row), err);
}

retort_status rt_export_rows(rt_store *store, const retort_store_options *options, rt_atomic_file *file,
                             retort_error *err) {
    return rt_rows_each(store, (rt_table)options->table, options->model, write_row, file, err);
}

retort_status rt_import_row(rt_importer *importer, const json_t *line, const char *where, retort_error *err) {
    bool fresh = false;
    RT_TRY(rt_rows_put(importer->store, (rt_table)importer->options->table, line, where, &fresh, err));
    importer->taken += fresh;
    importer->again += !fresh;
    return RETORT_OK;
}
