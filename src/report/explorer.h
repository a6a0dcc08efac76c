/* The explorer: a page and the blocks it loads.
 *
 *   explorer.html             the page
 *   explorer/explorer.{js,css} its script and style
 *   explorer/index.js         names, problem ids, what the columns are, where texts and words are
 *   explorer/columns.js       one int32 a response for every column, little-endian, column after column
 *   explorer/problems.js      statements and answers of the problems
 *   explorer/texts/N.js       texts with their marks (texts.h)
 *   explorer/search/N.js      the search index (search_index.h)
 */
#ifndef RT_EXPLORER_H
#define RT_EXPLORER_H

#include "report/search_index.h"
#include "report/texts.h"

/* Zero-initialise; set folder (of the report), title and texts.folder (the report's folder explorer/). */
typedef struct rt_explorer {
    const char *folder, *title;
    rt_texts texts;
    rt_search_index search;
} rt_explorer;

/* The response after the last one; the evidence has its marks. */
retort_status rt_explorer_add(rt_explorer *explorer, const rt_evidence *evidence, const char *text, size_t length,
                              retort_error *err);
/* Writes what is left. */
retort_status rt_explorer_write(rt_explorer *explorer, const rt_runs *runs, const rt_evidence *evidence,
                                retort_error *err);
void rt_explorer_free(rt_explorer *explorer);

#endif
