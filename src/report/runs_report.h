/* The report on runs: a folder with a page of figures, the figures as files, and the explorer. */
#ifndef RT_RUNS_REPORT_H
#define RT_RUNS_REPORT_H

#include "retort/report.h"

retort_status rt_runs_report(const retort_report_options *options, const retort_progress *progress, retort_error *err);

#endif
