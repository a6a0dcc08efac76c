/* What a run of teach has to show beside its counts: overlaps with evaluation sets, lines that could not be used. */
#ifndef RT_TEACH_FINDINGS_H
#define RT_TEACH_FINDINGS_H

#include "core/json.h"
#include "retort/teach.h"

typedef struct rt_findings {
    json_t *failed, *unmatched; /* lists, or NULL: empty so far */
    json_t *contamination;      /* or NULL */
} rt_findings;

/* One line of a file that could not be used; its text is cut to some 200 bytes. Lists stop growing at 100. */
retort_status rt_findings_add_failed(rt_findings *findings, const char *file, size_t line, const char *id,
                                     const char *message, retort_error *err);
retort_status rt_findings_add_unmatched(rt_findings *findings, const char *file, size_t line, const char *id,
                                        const char *text, retort_error *err);
/* The account's `details`; NULL where there is nothing. Releases the findings. */
retort_status rt_findings_finish(rt_findings *findings, char **out, retort_error *err);

#endif
