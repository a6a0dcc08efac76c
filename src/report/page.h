/* Pages from the templates of assets/report: {{name}} stands for the asset of that name, {{data}} for the report's
 * JSON. */
#ifndef RT_PAGE_H
#define RT_PAGE_H

#include "core/json.h"

/* Writes a page (or a bundle of scripts) to `path`; data may be NULL where the template asks for none. */
retort_status rt_page_write(const char *template_name, const json_t *data, const char *path, retort_error *err);

#endif
