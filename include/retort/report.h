/* The report: report.json as one self-contained HTML page. */
#ifndef RETORT_REPORT_H
#define RETORT_REPORT_H

#include "retort/options.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retort_report_options {
    char *input;  /* report.json, or a folder that holds one */
    char *output; /* report.html; default: beside the input */
} retort_report_options;
extern RETORT_API const retort_option retort_report_option_table[];

/* Writes the page: data, style, script and the chart library inlined; needs no network. */
RETORT_API retort_status retort_report(const retort_report_options *options, retort_error *err);

#ifdef __cplusplus
}
#endif
#endif
