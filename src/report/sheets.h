/* Figures as files: each table of charts.h as CSV and as JSON. assets/report/download.js writes the same bytes from the
 * page. */
#ifndef RT_SHEETS_H
#define RT_SHEETS_H

#include "core/json.h"

/* CSV after RFC 4180 but for the line ends, which are LF: the columns' keys, then the rows; no figure is an empty
 * field. A text that a spreadsheet would take for a formula (it begins with = + - @, a tab or a return, and goes on)
 * gets an apostrophe before it. */
retort_status rt_sheet_csv(const json_t *chart, rt_buffer *out, retort_error *err);
/* {"id", "title", "note", "rows": [{key: cell, ...}]} */
retort_status rt_sheet_json(const json_t *chart, rt_buffer *out, retort_error *err);
/* FOLDER/ID.csv and FOLDER/ID.json of every table that has rows. */
retort_status rt_sheets_write(const json_t *charts, const char *folder, retort_error *err);

#endif
