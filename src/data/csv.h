/* CSV files as spreadsheets and data sets write them (RFC 4180): commas, quotes doubled inside quotes, line ends and
 * commas free inside quotes; a byte order mark, CR LF and a missing last line end are accepted. */
#ifndef RT_DATA_CSV_H
#define RT_DATA_CSV_H

#include "core/json.h"

/* Visits each row behind the header as an object of strings keyed by the header's names, with the line it starts on.
 * Empty lines are passed over. RETORT_ERR_FORMAT, naming file and line: no header, a name twice, a row with another
 * number of fields, an open quote, text behind a closing quote, bytes that are no UTF-8. The object is borrowed. */
retort_status rt_csv_read(const char *path, rt_jsonl_visitor visit, void *context, retort_error *err);
/* The same for bytes in memory; `path` names them in messages. */
retort_status rt_csv_parse(const char *path, const char *bytes, size_t length, rt_jsonl_visitor visit, void *context,
                           retort_error *err);

#endif
