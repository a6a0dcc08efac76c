/* What commands found in their input, as text. */
#ifndef RETORT_CLI_FINDINGS_H
#define RETORT_CLI_FINDINGS_H

#include <jansson.h>

/* The report of retort_contamination. */
void print_contamination(const json_t *report);
/* The details of teach's account: overlaps with evaluation sets, lines that could not be used. */
void print_teach_details(const char *details);

#endif
