/* The comparison behind retort_contamination and teach's --against. */
#ifndef RT_TEACH_CONTAMINATION_H
#define RT_TEACH_CONTAMINATION_H

#include "data/problem.h"

/* Looks for the problems of the files in `against` (a comma list) among *train, which `name` stands for in the report.
 * touched[i] becomes 1 where problem i overlaps. *out: the report as retort/contamination.h has it; json_decref it. */
retort_status rt_contamination_find(const rt_problems *train, const char *name, const char *against, uint8_t *touched,
                                    json_t **out, retort_error *err);

#endif
